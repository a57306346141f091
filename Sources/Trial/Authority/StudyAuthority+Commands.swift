import EventLog

extension StudyAuthority {
    /// The entry that stands for `entry` where a command was sent twice (DESIGN §2, rule 5).
    func standing(for entry: EntryID) -> EntryID { canonical[entry] ?? entry }

    /// The number of the participation chain that an entry, or one that repeats it, gave.
    func participation(by entry: EntryID) -> Participation? {
        let id = standing(for: entry)
        return participations.first { $0.id == id }?.payload
    }

    /// Whether both are one command, sent twice.
    func repeats(_ entry: WrittenEntry, _ other: WrittenEntry) -> Bool {
        guard let key = entry.commandKey, key == other.commandKey else { return false }
        return entry.action.map(mapped) == other.action.map(mapped)
    }

    /// Lets one of `taken` stand for `entry` where it repeats its command; else adds `entry` to them.
    ///
    /// - Parameter taken: what was taken so far, by what it says; what that names must be settled before.
    mutating func takeAsRepetition(_ entry: WrittenEntry, of taken: inout [SentAction: EntryID]) -> Bool {
        guard let key = entry.commandKey, let action = entry.action.map(mapped) else { return false }
        let sent = SentAction(key: key, action: action)
        if let lower = taken[sent] {
            canonical[entry.id] = lower
            return true
        }
        taken[sent] = entry.id
        return false
    }

    /// The action as sent, with what its node named by its own knowledge called by the entries that stand.
    private func mapped(_ action: Action) -> Action {
        var action = action.asSent
        switch action.operation {
        case .participationNumbered(var payload):
            payload.previous = payload.previous.map(standing(for:))
            action.operation = .participationNumbered(payload)
        case .participationAccepted(var answer):
            answer.invitation = standing(for: answer.invitation)
            answer.seen = answer.seen.map(standing(for:)).sorted()
            action.operation = .participationAccepted(answer)
        case .participationWithdrawn(var answer):
            answer.invitation = standing(for: answer.invitation)
            action.operation = .participationWithdrawn(answer)
        case .delegationNumbered(var delegation):
            delegation.previous = delegation.previous.map(standing(for:))
            delegation.ends = delegation.ends.map(standing(for:))
            action.operation = .delegationNumbered(delegation)
        case .definitionPublished(var publication):
            publication.chunks = publication.chunks.map(standing(for:))
            action.operation = .definitionPublished(publication)
        default: break
        }
        return action
    }

    /// Notes a command id that was used for different things; all of them are kept.
    mutating func noteReusedCommands(_ entries: [WrittenEntry]) {
        var groups: [CommandKey: [EntryID]] = [:]
        for entry in entries where canonical[entry.id] == nil {
            if let key = entry.commandKey { groups[key, default: []].append(entry.id) }
        }
        for group in groups.values where group.count > 1 {
            for entry in group { findings[entry] = .commandRepeatedWithOtherContent }
        }
    }
}

/// A command with what it says: two entries that share both are one command, sent twice.
struct SentAction: Hashable {
    let key: CommandKey
    let action: Action
}
