import EventLog
import Trial

extension RandomHistory {
    /// Mostly one month, at times another one, a day, a year, none, or something that is no date.
    func drawClinicalDate() {
        world.recorded = nil
        world.occurred = "2025-03"
        guard world.generator.chance(40) else { return }
        world.occurred = world.generator.one(
            of: "2025", "2025-04", "2025-05-15", "2025-05-16T08:00:00Z", "2026-01", "ukjent", nil)
        guard world.generator.chance(50) else { return }
        // The middle of May 2025, around midnight somewhere.
        world.recorded = DeviceTime(
            utcMilliseconds: 1_747_260_000_000 + Int64(world.generator.below(172_800_000)),
            offsetMinutes: world.generator.one(of: -600, 0, 120))
    }

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

    /// Another label, at times one that the node issues, by one who saw some.
    func assignLabel() throws {
        let place = place
        guard let record = participant(of: place) else { return }
        let kind = world.generator.one(of: LabelKind.screening, .screening, .subject)
        let seen = record.labelHistory.map(\.id).filter { _ in world.generator.chance(90) }
        try world.send(
            .assignLabel(
                LabelEntry(
                    location: place.location, participant: .registration(record.id), kind: kind,
                    text: world.generator.chance(50) ? "S-\(world.generator.below(3))" : nil,
                    seen: seen.map { SeenValue(entry: $0.entry, position: $0.position) })), by: place.person)
    }

    /// Links two records, or takes that back where they are linked.
    func link() throws {
        let place = place
        let locations = world[place.person.home].fold.locations
        let all = locations.keys.sorted().flatMap { location in
            (locations[location]?.records.keys.sorted() ?? []).map { ParticipantPlace(location, $0) }
        }
        guard let record = participant(of: place), let other = world.generator.pick(all) else { return }
        let links = world[place.person.home].fold.links(of: ParticipantPlace(place.location, record.id))
        let linked = world.generator.chance(60) ? links.first : nil
        let far = linked.map { $0.record.participant == record.id ? $0.other : $0.record } ?? other
        let target = LinkTarget(
            location: place.location, participant: .registration(record.id), other: far.participant,
            otherLocation: far.location, reason: "samme person")
        try world.send(linked == nil ? .link(target) : .unlink(target), by: place.person)
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
