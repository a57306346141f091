import EventLog

extension Decision {
    static func decideRemoval(
        _ target: RemovalTarget, restores: Bool, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        let participant = try participant(target.participant, at: target.location, in: context)
        var lines: [InstanceDeclaration] = []
        if let instance = target.instance {
            var table = InstanceTable(
                participant: participant, definition: context.definition?.study, entryOfCommand: context.entryOfCommand)
            _ = try table.standing(instance)
            lines = table.lines
        }
        let groups = participant.groupsOfForms
        let held = participant.held(within: target.instance, groups)
        if let seen = target.seen {
            let known = Set(seen.map { participant.standing(for: ValueID(entry: $0.entry, position: $0.position)) })
            let newer = held.filter { !known.contains($0.held.id) }
            guard newer.isEmpty else { throw .newerValues(Set(newer.map(\.item)).sorted()) }
        }
        let standing = participant.standingRemovals(of: target.instance)
        // What is removed already is removed once more only to decide a dispute: now with all of it in sight.
        let isDisputed = participant.disputedRemovals(groups).contains { $0.instance == target.instance }
        guard standing.isEmpty != restores || isDisputed else { throw .nothingToDo }
        let removal = Removal(
            participant: participant.id, instances: lines,
            seen: restores ? standing : standing + participant.restorations(of: target.instance),
            seenValues: held.map(\.held.id).sorted(), reason: target.reason)
        return try forParticipant(
            restores ? .restored(removal) : .removed(removal), at: target.location, subject: participant.subject,
            command, in: context)
    }
}
