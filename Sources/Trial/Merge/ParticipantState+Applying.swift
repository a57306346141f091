import EventLog

extension ParticipantState {
    /// The entry that stands for `entry` where a command was sent twice.
    func standing(for entry: EntryID) -> EntryID {
        var entry = entry
        // What stands for another is always lower, so the way up ends.
        while let lower = canonical[entry] { entry = lower }
        return entry
    }

    func standing(for value: ValueID) -> ValueID {
        ValueID(entry: standing(for: value.entry), position: value.position)
    }

    func standing(for beginning: Beginning) -> Beginning {
        Beginning(entry: standing(for: beginning.entry), position: beginning.position)
    }

    private func standing(for values: [ValueID]) -> [ValueID] {
        canonical.isEmpty ? values : values.map { standing(for: $0) }
    }

    /// Keeps where an entry's data came from.
    mutating func noteOrigin(of entry: WrittenEntry) {
        guard let action = entry.action, let header = entry.header else { return }
        origins[entry.id] = EntryOrigin(
            provenance: action.provenance, authority: header.authority, node: entry.writer, time: header.nodeTime)
    }

    /// Applies an entry that has effect. The outcome is the same in whatever order entries are applied, but that those which
    /// decide on beginnings come first.
    ///
    /// - Returns: false where the entry says other of an instance than is known of it, so that all must be applied anew.
    @discardableResult
    mutating func apply(_ entry: WrittenEntry) -> Bool {
        guard let action = entry.action else { return true }
        applied.insert(entry.id)
        var table = InstancePlaces(entry: entry.id)
        switch action.operation {
        case .statusRecorded(let record):
            statuses[entry.id] = record
            for earlier in record.replaces { correctedStatuses.insert(standing(for: earlier)) }
        case .formSaved(let save): apply(save, by: entry, &table)
        case .conflictResolved(let resolution): apply(resolution.save, by: entry, &table)
        case .formConfirmed(let confirmation):
            noteOrigin(of: entry)
            declare(confirmation.instances, &table)
            note(standing(for: confirmation.seen), of: confirmation.instances, table)
        case .responseReceived(let response):
            noteOrigin(of: entry)
            apply(response, by: entry, &table)
        case .removed(let removal):
            noteOrigin(of: entry)
            declare(removal.instances, &table)
            removals[entry.id] = .some(table.ids.last)
            removalSights[entry.id] = RemovalSight(
                values: Set(standing(for: removal.seenValues)), entries: Set(removal.seen.map(standing(for:))))
        case .restored(let removal):
            noteOrigin(of: entry)
            declare(removal.instances, &table)
            restorations[entry.id] = .some(table.ids.last)
            for earlier in removal.seen { restoredRemovals.insert(standing(for: earlier)) }
        case .instancesDecided(let decision):
            noteOrigin(of: entry)
            enter(decision, by: entry.id)
        default: break
        }
        for place in expecting.removeValue(forKey: entry.id) ?? [] {
            instances[place.instance]?.registers[place.item]?.forget(entry.id)
        }
        return table.fits
    }

    private mutating func apply(_ save: FormSave, by entry: WrittenEntry, _ table: inout InstancePlaces) {
        noteOrigin(of: entry)
        declare(save.instances, &table)
        let seen = standing(for: save.seen)
        note(seen, of: save.instances, table)
        var wholes: Set<InstanceID> = []
        for (position, change) in save.changes.enumerated() {
            let id = ValueID(entry: entry.id, position: UInt64(position))
            let instance = table.ids[change.instance]
            let place = RegisterPlace(instance: instance, item: change.item)
            let expects: Bool?
            if let whole = table.wholes[change.instance] {
                instances[whole]?.versions[entry.id, default: WholeVersion(seen: seen)].writes.append(
                    WholeVersion.Write(place: place, value: HeldValue(id: id, value: change.value)))
                wholes.insert(whole)
                expects = true
            } else {
                // The entry's own values are not "here before": two changes of one item in one entry are both kept.
                expects = instances[instance]?.registers[change.item, default: Register()].write(
                    id, change.value, seen: seen, isApplied: applied.contains)
            }
            guard expects == true else { continue }
            for value in seen where !applied.contains(value.entry) { expecting[value.entry, default: []].insert(place) }
        }
        for whole in wholes { settleWhole(whole) }
    }

    /// Keeps what the writer of a form had seen. One who began it and had seen nothing needs no keeping.
    private mutating func note(_ seen: [ValueID], of lines: [InstanceDeclaration], _ table: InstancePlaces) {
        for (position, line) in lines.enumerated() where line.kind == .form {
            let begins = line.beginsHere || line.identity == .own
            guard !seen.isEmpty || !begins else { continue }
            let beginnings =
                begins
                ? [Beginning(entry: table.entry, position: UInt64(position))]
                : line.seenBeginnings.map { standing(for: $0) }
            instances[table.ids[position]]?.sights[table.entry] = Sight(values: seen, beginnings: beginnings)
        }
    }

    /// Enters a table of instances.
    mutating func declare(_ lines: [InstanceDeclaration], _ table: inout InstancePlaces) {
        for (position, line) in lines.enumerated() {
            let (id, identity) = place(of: line, at: position, table)
            let shape = InstanceState.Shape(kind: line.kind, oid: line.oid, parent: line.parent.map { table.ids[$0] })
            var state: InstanceState
            if let known = instances[id] {
                state = known
                if shape != state.shape || line.isWhole && !state.isWhole {
                    table.fits = false
                    state.shape = min(shape, state.shape)
                    state.isWhole = state.isWhole || line.isWhole
                }
            } else {
                state = InstanceState(shape: shape, identity: identity)
                state.isWhole = line.isWhole
            }
            if line.beginsHere || line.identity == .own {
                state.beginnings[Beginning(entry: table.entry, position: UInt64(position))] = InstanceState.Start(
                    repeatKey: line.repeatKey, seen: line.seenBeginnings.map { standing(for: $0) })
            }
            instances[id] = state
            table.ids.append(id)
            table.wholes.append(whole(around: id, state))
        }
    }

    /// The whole that an instance is or stands in.
    private func whole(around id: InstanceID, _ state: InstanceState) -> InstanceID? {
        if state.shape.kind == .itemGroup, let form = state.shape.parent, instances[form]?.isWhole == true {
            return form
        }
        return state.isWhole ? id : nil
    }

    /// The instance that a line means, and by what later entries name it.
    private func place(
        of line: InstanceDeclaration, at position: Int, _ table: InstancePlaces
    ) -> (InstanceID, InstanceIdentity) {
        let here = Beginning(entry: table.entry, position: UInt64(position))
        switch line.identity {
        case .response(let response):
            let parent = line.parent.map { table.ids[$0] }
            let form = InstanceID.response(
                response, participant: id, parent: parent, kind: line.kind, oid: line.oid)
            return (form, line.identity)
        case .own: return (.begun(by: here), .begun(here))
        case .begun(let named):
            let beginning = standing(for: named)
            if line.kind == .form, let home = homes[beginning] { return (home, .natural) }
            return (.begun(by: beginning), .begun(beginning))
        case .natural:
            let id = InstanceID.natural(
                participant: id, parent: line.parent.map { table.ids[$0] }, kind: line.kind, oid: line.oid)
            guard line.kind == .form, let ruling = rulings[id] else { return (id, .natural) }
            let writers = line.beginsHere ? [here] : line.seenBeginnings.map { standing(for: $0) }
            guard let beginning = ruling.otherForm(of: writers) else { return (id, .natural) }
            return (.begun(by: beginning), .begun(beginning))
        }
    }
}

/// Where the lines of an entry's table stand, as far as they were entered.
struct InstancePlaces {
    let entry: EntryID
    /// The instance of each line.
    var ids: [InstanceID] = []
    /// The whole that each line's instance is or stands in.
    var wholes: [InstanceID?] = []
    /// Whether the entry says of every instance what is known of it.
    var fits = true

    init(entry: EntryID) {
        self.entry = entry
    }
}
