import EventLog

extension Decision {
    /// A decision on a form that was begun more than once. Refused where other beginnings stand here than those named.
    static func decideInstances(
        _ entry: InstanceDecisionEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        try require(.decideConflicts, of: command.sender)
        let participant = try participant(entry.participant, at: entry.location, in: context)
        var table = InstanceTable(
            participant: participant, definition: context.definition?.study, entryOfCommand: context.entryOfCommand)
        let (place, form) = try table.undivided(entry.form)
        let oid = table.lines[place].oid
        let named = Set(entry.beginnings.map { participant.standing(for: $0) })
        let known = participant.allBeginnings(of: form)
        guard known.count > 1, participant.isConflict(form: form) || participant.rulings[form] != nil else {
            throw .noSuchConflict
        }
        // What was decided to be a form of its own, or wrong, stands there no more and need not be named again.
        let standing = Set(participant.instances[form]?.beginnings.keys.map { $0 } ?? [])
        guard named.isSuperset(of: standing), named.isSubset(of: known), !named.isEmpty else {
            throw .newerBeginnings(oid: oid)
        }
        let given: (Beginning) -> InstanceVerdict
        switch entry.choice {
        case .same: given = { _ in .same }
        case .two: given = { $0 == named.min() ? .same : .apart }
        case .wrong(let list):
            let wrong = Set(list.map { participant.standing(for: $0) })
            guard !wrong.isEmpty, wrong.isSubset(of: named) else { throw .newerBeginnings(oid: oid) }
            given = { wrong.contains($0) ? .wrong : .same }
        }
        let earlier = participant.rulings[form]?.verdicts ?? [:]
        let verdicts = known.map { BeginningVerdict($0, named.contains($0) ? given($0) : earlier[$0] ?? .same) }
        let decision = InstanceDecision(
            participant: participant.id, instances: table.lines, verdicts: verdicts,
            seen: participant.rulings[form]?.standing.keys.sorted() ?? [], reason: entry.reason)
        return try forParticipant(
            .instancesDecided(decision), at: entry.location, subject: participant.subject, command, in: context)
    }

    /// A resolution of a conflict of an item or of a whole. Refused where it does not name every side that stands here.
    static func decideResolution(
        _ entry: ResolutionEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        try require(.decideConflicts, of: command.sender)
        guard let (content, definition) = context.definition else { throw .noDefinitions }
        let participant = try participant(entry.participant, at: entry.location, in: context)
        let conflict = participant.openConflicts.list.first {
            $0.instance == entry.instance && $0.item == entry.item && ($0.kind == .item || $0.kind == .whole)
        }
        guard let conflict else { throw .noSuchConflict }
        let verdicts = try verdicts(entry, on: conflict, of: participant)
        var seen = entry.seen.map { participant.standing(for: ValueID(entry: $0.entry, position: $0.position)) }
        let sideValues = conflict.sides.flatMap { $0.values.map(\.held.id) }
        seen += Set(sideValues).subtracting(seen).sorted()
        var table = InstanceTable(
            participant: participant, definition: definition, seen: seen, entryOfCommand: context.entryOfCommand)
        let changes = try outcome(
            entry, of: conflict, chosen: verdicts.filter { $0.verdict == .chosen }.map(\.side), &table, definition)
        if let answer = table.lines.first(where: \.identity.isResponse) { throw .onlyByClient(oid: answer.oid) }
        var save = FormSave(participant: participant.id, instances: table.lines, changes: changes, seen: seen)
        save.reason = entry.reason
        return try forParticipant(
            .conflictResolved(Resolution(save: save, sides: verdicts)), at: entry.location,
            subject: participant.subject, definition: content, command, in: context)
    }

    /// The verdicts of a resolution, which must be on every side and on no other value.
    private static func verdicts(
        _ entry: ResolutionEntry, on conflict: Conflict, of participant: ParticipantState
    ) throws(Refusal) -> [JudgedSide] {
        let verdicts = entry.sides.map { judged in
            JudgedSide(
                participant.standing(for: ValueID(entry: judged.side.entry, position: judged.side.position)),
                judged.verdict)
        }.sorted { $0.side < $1.side }
        let sides = conflict.sides.compactMap(\.nameInResolutions)
        guard verdicts.map(\.side) == sides.sorted() else {
            let items = conflict.sides.flatMap { $0.values.map(\.item) }
            throw .newerValues(Set(items).sorted())
        }
        return verdicts
    }

    /// What a resolution writes: what was entered, and for the rest what the chosen side says.
    private static func outcome(
        _ entry: ResolutionEntry, of conflict: Conflict, chosen: [ValueID],
        _ table: inout InstanceTable, _ definition: StudyDefinition
    ) throws(Refusal) -> [Change] {
        let participant = table.participant
        let sides = conflict.sides.filter { $0.nameInResolutions.map(chosen.contains) ?? false }
        if let first = sides.first, sides.contains(where: { !$0.says(theSameAs: first) }) {
            throw .badValue(sides[0].values[0].item, reason: "the sides chosen do not say the same; choose one")
        }
        var changes: [Change] = []
        if !entry.outcome.isEmpty {
            let state = participant.instances[entry.instance]
            guard let form = state?.shape.kind == .form ? entry.instance : state?.shape.parent else {
                throw .noSuchConflict
            }
            let formPlace = try table.standing(form)
            changes = try Self.changes(entry.outcome, in: formPlace, &table, definition)
            for change in changes where !isWithin(change, of: entry, table) {
                throw .badValue(change.item, reason: "it is no part of the conflict; save it in its form")
            }
        }
        let written = Set(changes.map(WrittenItem.init))
        let copied = try sides.isEmpty ? agreed(conflict, besides: written, table) : sides[0].values
        for value in copied {
            let place = try table.standing(value.group)
            guard !written.contains(WrittenItem(instance: place, item: value.item)) else { continue }
            changes.append(table.copy(of: value.held, value.item, at: place, definition))
        }
        guard !changes.isEmpty else { throw .nothingToDo }
        return changes
    }

    /// Where no side of a whole is chosen, the values that all sides agree in.
    ///
    /// - Throws: ``Refusal/badValue(_:reason:)`` for an item in which they differ and which the outcome does not state: it
    ///   would be empty without anybody having said so.
    private static func agreed(
        _ conflict: Conflict, besides written: Set<WrittenItem>, _ table: InstanceTable
    ) throws(Refusal) -> [PlacedValue] {
        guard conflict.kind == .whole else { return [] }
        var agreed: [PlacedValue] = []
        let stated = Set(
            written.compactMap { item in
                table.id(at: item.instance).map { RegisterPlace(instance: $0, item: item.item) }
            })
        let byPlace = conflict.sides.map { side in
            Dictionary(
                side.values.map { (RegisterPlace(instance: $0.group, item: $0.item), $0) },
                uniquingKeysWith: { first, _ in first })
        }
        for place in Set(byPlace.flatMap(\.keys)).subtracting(stated).sorted() {
            let values = byPlace.compactMap { $0[place] }
            guard values.count == byPlace.count, values.allSatisfy({ $0.held.says(theSameAs: values[0].held) }) else {
                throw .badValue(
                    place.item, reason: "the versions differ in it and none is chosen; say what it is to hold")
            }
            agreed.append(values[0])
        }
        return agreed
    }

    /// Whether a change is of the item or the whole that a resolution is about.
    private static func isWithin(_ change: Change, of entry: ResolutionEntry, _ table: InstanceTable) -> Bool {
        if let item = entry.item {
            return change.item == item && table.id(at: change.instance) == entry.instance
        }
        return table.id(at: change.instance) == entry.instance
            || table.lines[change.instance].parent.flatMap { table.id(at: $0) } == entry.instance
    }

    /// A confirmation by one who saw all that stands in the form here.
    static func decideConfirmation(
        _ entry: FormConfirmationEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        try require(.decideConflicts, of: command.sender)
        let participant = try participant(entry.participant, at: entry.location, in: context)
        var table = InstanceTable(
            participant: participant, definition: context.definition?.study, entryOfCommand: context.entryOfCommand)
        let place = try table.standing(entry.form)
        guard table.lines[place].kind == .form else { throw .unknownInstance(oid: table.lines[place].oid) }
        let groups = participant.groupsOfForms[entry.form] ?? []
        let open = participant.openConflicts
        let values = participant.held(in: groups)
        let undecided = values.filter { open.cover($0.item, of: $0.group) }
        guard undecided.isEmpty else { throw .inConflict(Set(undecided.map(\.item)).sorted()) }
        guard participant.isMergedUnseen(entry.form, groups) else { throw .nothingToDo }
        let seen = entry.seen.map { participant.standing(for: ValueID(entry: $0.entry, position: $0.position)) }
        let known = Set(seen)
        let newer = values.filter { !known.contains($0.held.id) }
        guard newer.isEmpty else { throw .newerValues(Set(newer.map(\.item)).sorted()) }
        return try forParticipant(
            .formConfirmed(Confirmation(participant: participant.id, instances: table.lines, seen: seen)),
            at: entry.location, subject: participant.subject, command, in: context)
    }
}

extension ConflictSide {
    /// By what a resolution names the side; nil for a side that a resolution does not judge.
    public var nameInResolutions: ValueID? {
        switch name {
        case .value(let value): value
        case .version(_, let lowest): lowest
        case .beginning, .removal, .restoration, .answer: nil
        }
    }

    /// Whether both sides say the same of the same items.
    fileprivate func says(theSameAs other: ConflictSide) -> Bool {
        values.count == other.values.count
            && zip(values, other.values).allSatisfy { left, right in
                left.group == right.group && left.item == right.item && left.held.says(theSameAs: right.held)
            }
    }
}
