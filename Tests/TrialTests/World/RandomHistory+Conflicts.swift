import EventLog
import Trial

extension RandomHistory {
    /// Decides whatever is to be decided at the person's node, or what was decided before.
    func decideSomething() throws {
        let place = place
        let records = world[place.person.home].fold.locations[place.location]?.records ?? [:]
        let open = records.keys.sorted().compactMap { records[$0] }.flatMap { record in
            record.openConflicts.list.map { (record, $0) }
        }
        if chance(15) { return try confirm(at: place) }
        if chance(15) { return try decideAgain(at: place) }
        let forms = open.filter { $0.1.kind == .instance }
        guard let (record, conflict) = world.generator.pick(forms.isEmpty || chance(25) ? open : forms) else {
            return try saveDiary()
        }
        switch conflict.kind {
        case .instance:
            guard let form = conflict.instance else { return }
            try decide(record, form, conflict.sides.compactMap(\.beginning), at: place)
        case .item, .whole: try resolve(record, conflict, at: place)
        case .answer: try respond()
        case .removal:
            let target = RemovalTarget(
                location: place.location, participant: .registration(record.id), instance: conflict.instance,
                reason: "avklart",
                seen: chance(80) ? world.screen(record.id, at: place.person.home, in: place.location) : [])
            try world.send(chance(30) ? .remove(target) : .restore(target), by: place.person)
        }
    }

    private func decide(
        _ record: ParticipantState, _ form: InstanceID, _ beginnings: [Beginning],
        at place: (person: Person, location: LocationID)
    ) throws {
        let wrong = beginnings.filter { _ in chance(50) } + beginnings.prefix(1)
        try world.send(
            .decideInstances(
                InstanceDecisionEntry(
                    location: place.location, participant: .registration(record.id), form: form,
                    beginnings: beginnings, choice: world.generator.one(of: .same, .two, .two, .wrong(wrong)),
                    reason: "avklart")), by: place.person)
    }

    /// Decides otherwise what was decided.
    private func decideAgain(at place: (person: Person, location: LocationID)) throws {
        guard let record = participant(of: place) else { return try register() }
        guard let decided = record.decisions.sorted(by: { $0.key < $1.key }).last?.value else {
            return try saveDiary()
        }
        let here = record.instances[decided.form]?.beginnings.keys.map { $0 } ?? []
        try decide(record, decided.form, Set(here).union(decided.verdicts.keys).sorted(), at: place)
    }

    private func resolve(
        _ record: ParticipantState, _ conflict: Conflict, at place: (person: Person, location: LocationID)
    ) throws {
        guard let instance = conflict.instance, let chosen = world.generator.pick(conflict.sides) else { return }
        let sides = conflict.sides.compactMap { side in
            side.nameInResolutions.map { name in
                JudgedSideEntry(
                    side: SeenValue(entry: name.entry, position: name.position),
                    verdict: side == chosen ? .chosen : world.generator.one(of: .wrong, .elsewhere))
            }
        }
        try world.send(
            .resolve(
                ResolutionEntry(
                    location: place.location, participant: .registration(record.id), instance: instance,
                    item: conflict.item, sides: chance(90) ? sides : Array(sides.dropLast()),
                    seen: seen(record, at: place), reason: "avklart")), by: place.person)
    }

    private func confirm(at place: (person: Person, location: LocationID)) throws {
        let records = world[place.person.home].fold.locations[place.location]?.records ?? [:]
        let forms = records.keys.sorted().compactMap { records[$0] }.flatMap { record in
            record.instances.filter { $0.value.shape.kind == .form && record.isMergedUnseen($0.key) }.keys.sorted()
                .map { (record, $0) }
        }
        guard let (record, form) = world.generator.pick(forms) else { return try saveDiary() }
        try world.send(
            .confirm(
                FormConfirmationEntry(
                    location: place.location, participant: .registration(record.id), form: form,
                    seen: seen(record, at: place))), by: place.person)
    }

    /// An entry that says otherwise of its instances than a node would: what is whole, which beginnings were seen, which
    /// form is meant; or a decision that names only some.
    func distorted() -> EntryDraft? {
        let tables = world.entries.filter {
            [.formSaved, .removed, .instancesDecided, .conflictResolved, .formConfirmed].contains($0.header?.operation)
        }
        guard let victim = world.generator.pick(tables), var draft = world.copy(of: victim), var action = victim.action
        else { return nil }
        let begun = tables.flatMap { entry -> [Beginning] in
            guard case .formSaved(let save)? = entry.action?.operation else { return [] }
            return save.instances.indices.filter { save.instances[$0].kind == .form }
                .map { Beginning(entry: entry.id, position: UInt64($0)) }
        }
        switch action.operation {
        case .formSaved(var save):
            save.instances = save.instances.map { distort($0, begun) }
            if chance(30) { save.seen = save.seen.filter { _ in chance(50) } }
            action.operation = .formSaved(save)
        case .conflictResolved(var resolution):
            resolution.save.instances = resolution.save.instances.map { distort($0, begun) }
            action.operation = .conflictResolved(resolution)
        case .removed(var removal):
            removal.seenValues = removal.seenValues.filter { _ in chance(50) }
            removal.instances = removal.instances.map { distort($0, begun) }
            action.operation = .removed(removal)
        case .instancesDecided(var decision):
            for place in decision.verdicts.indices where chance(60) {
                decision.verdicts[place].verdict = world.generator.one(of: .same, .apart, .wrong)
            }
            if chance(30), let other = world.generator.pick(begun),
                !decision.verdicts.contains(where: { $0.beginning == other })
            {
                decision.verdicts.append(BeginningVerdict(other, .apart))
            }
            if chance(50) { decision.seen = [] }
            action.operation = .instancesDecided(decision)
        default: return nil
        }
        if chance(70) { action.command = CommandID(using: &world.generator) }
        draft.command = action.command
        draft.parts = action.parts()
        return draft
    }

    private func distort(_ line: InstanceDeclaration, _ begun: [Beginning]) -> InstanceDeclaration {
        var line = line
        if line.kind != .studyEvent, chance(25) { line.isWhole.toggle() }
        guard line.kind == .form, line.identity == .natural else { return line }
        if chance(30) { line.beginsHere.toggle() }
        if chance(40) { line.seenBeginnings = begun.filter { _ in chance(30) } }
        if chance(20), let beginning = world.generator.pick(begun) { line.identity = .begun(beginning) }
        return line
    }
}

extension ConflictSide {
    /// The beginning that the side is.
    var beginning: Beginning? {
        if case .beginning(let beginning) = name { beginning } else { nil }
    }
}
