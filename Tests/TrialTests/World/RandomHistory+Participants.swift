import EventLog
import Trial

extension RandomHistory {
    /// A version of one of a few answers, sent to one of the nodes of the site.
    func respond() throws {
        let node = world.generator.one(of: NodeID.haukeland, .stavanger)
        let location = world.generator.one(of: LocationID.haukeland, .haukeland, .stavanger)
        let records = world[node].fold.locations[location]?.records ?? [:]
        guard let participant = world.generator.pick(records.keys.sorted()) else { return }
        let value = "q-\(world.generator.below(2))"
        let status = world.generator.one(of: ResponseStatus.completed, .completed, .amended, .enteredInError)
        let number = { String(self.world.generator.below(3)) }
        if world.generator.chance(60) {
            let mood = world.generator.chance(50) ? number() : nil
            try world.respond(
                world.diary(of: participant, value, status, pain: number(), mood: mood, at: location), to: node)
        } else {
            let rows = (0..<world.generator.below(3)).map { _ in
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.medication, choice: .new(repeatKey: nil)),
                    items: [EnteredItem(item: TestStudy.drug, value: .datum("drug " + number(), unit: nil))])
            }
            let pulse = EnteredGroup(
                group: InstanceSelector(oid: TestStudy.vitals),
                items: [EnteredItem(item: TestStudy.note, value: .datum("note " + number(), unit: nil))])
            try world.respond(
                world.answer(
                    of: participant, TestStudy.vitalsForm, value, status, [pulse] + rows,
                    document: "\(world.generator.below(6))", at: location), to: node)
        }
    }

    /// The draft of a nurse's save into a form that only its client writes.
    func foreignSave() -> EntryDraft? {
        let saves = world.entries.filter { $0.header?.operation == .formSaved }
        let answers = world.entries.filter { $0.header?.operation == .responseReceived }
        guard let save = world.generator.pick(saves), let answer = world.generator.pick(answers),
            var draft = world.copy(of: save), let provenance = save.action?.provenance,
            case .responseReceived(let response)? = answer.action?.operation
        else { return nil }
        draft.stream = answer.stream
        draft.subject = answer.header?.subject
        draft.command = CommandID(using: &world.generator)
        draft.parts = Action(
            command: draft.command, provenance: provenance,
            operation: .formSaved(
                FormSave(
                    participant: response.participant, instances: response.instances, changes: response.changes))
        ).parts()
        return draft
    }
}
