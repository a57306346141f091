import EventLog

extension ParticipantState {
    /// The entry that stands for `entry` where a command was sent twice.
    func standing(for entry: EntryID) -> EntryID {
        var entry = entry
        // What stands for another is always lower, so the way up ends.
        while let lower = canonical[entry] { entry = lower }
        return entry
    }

    /// Keeps where an entry's data came from.
    mutating func noteOrigin(of entry: WrittenEntry) {
        guard let action = entry.action, let header = entry.header else { return }
        origins[entry.id] = EntryOrigin(
            provenance: action.provenance, authority: header.authority, node: entry.writer, time: header.nodeTime)
    }

    /// Applies an entry that has effect. The outcome is the same in whatever order entries are applied.
    mutating func apply(_ entry: WrittenEntry) {
        guard let action = entry.action else { return }
        applied.insert(entry.id)
        switch action.operation {
        case .statusRecorded(let record):
            statuses[entry.id] = record
            for earlier in record.replaces { correctedStatuses.insert(standing(for: earlier)) }
        case .formSaved(let save):
            noteOrigin(of: entry)
            apply(save, by: entry.id)
        case .responseReceived(let response):
            noteOrigin(of: entry)
            apply(response, by: entry)
        case .removed(let removal):
            let ids = declare(removal.instances, by: entry.id)
            removals[entry.id] = .some(ids.last)
        case .restored(let removal):
            _ = declare(removal.instances, by: entry.id)
            for earlier in removal.seen { restoredRemovals.insert(standing(for: earlier)) }
        default: break
        }
        for place in expecting.removeValue(forKey: entry.id) ?? [] {
            instances[place.instance]?.registers[place.item]?.forget(entry.id)
        }
    }

    private mutating func apply(_ save: FormSave, by entry: EntryID) {
        let ids = declare(save.instances, by: entry)
        let seen =
            canonical.isEmpty
            ? save.seen : save.seen.map { ValueID(entry: standing(for: $0.entry), position: $0.position) }
        for (position, change) in save.changes.enumerated() {
            let id = ValueID(entry: entry, position: UInt64(position))
            // The entry's own values are not "here before": two changes of one item in one entry are both kept.
            let instance = ids[change.instance]
            let expects = instances[instance]?.registers[change.item, default: Register()].write(
                id, change.value, seen: seen, isApplied: applied.contains)
            guard expects == true else { continue }
            let place = RegisterPlace(instance: instance, item: change.item)
            for value in seen where !applied.contains(value.entry) { expecting[value.entry, default: []].insert(place) }
        }
    }

    /// Enters a table of instances and gives the id of each line.
    mutating func declare(_ table: [InstanceDeclaration], by entry: EntryID) -> [InstanceID] {
        var ids: [InstanceID] = []
        for (position, line) in table.enumerated() {
            let id = instanceID(of: line, at: position, under: ids, by: entry)
            ids.append(id)
            let shape = InstanceState.Shape(kind: line.kind, oid: line.oid, parent: line.parent.map { ids[$0] })
            var state =
                instances[id] ?? InstanceState(shape: shape, identity: identity(of: line, at: position, by: entry))
            if shape < state.shape { state.shape = shape }
            if line.isWhole { state.isWhole = true }
            if line.beginsHere || line.identity == .own {
                state.beginnings[Beginning(entry: entry, position: UInt64(position))] = InstanceState.Start(
                    repeatKey: line.repeatKey,
                    seen: line.seenBeginnings.map { Beginning(entry: standing(for: $0.entry), position: $0.position) })
            }
            instances[id] = state
        }
        return ids
    }

    private func instanceID(
        of line: InstanceDeclaration, at position: Int, under ids: [InstanceID], by entry: EntryID
    ) -> InstanceID {
        switch identity(of: line, at: position, by: entry) {
        case .begun(let beginning): .begun(by: beginning)
        case .response(let response):
            .response(
                response, participant: id, parent: line.parent.map { ids[$0] }, kind: line.kind, oid: line.oid)
        case .natural, .own:
            .natural(participant: id, parent: line.parent.map { ids[$0] }, kind: line.kind, oid: line.oid)
        }
    }

    /// A line's identity as a later entry would name it.
    private func identity(of line: InstanceDeclaration, at position: Int, by entry: EntryID) -> InstanceIdentity {
        switch line.identity {
        case .natural: .natural
        case .response: line.identity
        case .own: .begun(Beginning(entry: entry, position: UInt64(position)))
        case .begun(let beginning):
            .begun(Beginning(entry: standing(for: beginning.entry), position: beginning.position))
        }
    }
}
