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
    /// - Parameter settlesWholes: false where ``settleWholes()`` follows, once all entries are applied.
    /// - Returns: false where the entry says other of an instance than is known of it, so that all must be applied anew.
    @discardableResult
    mutating func apply(_ entry: WrittenEntry, settlesWholes: Bool = true) -> Bool {
        guard let action = entry.action else { return true }
        applied.insert(entry.id)
        var table = InstancePlaces(entry: entry.id)
        switch action.operation {
        case .statusRecorded(let record):
            statuses[entry.id] = record
            for earlier in record.replaces { correctedStatuses.insert(standing(for: earlier)) }
        case .formSaved(let save):
            noteOrigin(of: entry)
            if isToBeQuarantined(entry) {
                setAside(save, by: entry.id, &table)
            } else {
                apply(save, by: entry, settlesWholes: settlesWholes, &table)
            }
        case .conflictResolved(let resolution):
            noteOrigin(of: entry)
            apply(resolution.save, by: entry, settlesWholes: settlesWholes, &table)
        case .formConfirmed(let confirmation):
            noteOrigin(of: entry)
            declare(confirmation.instances, &table)
            note(standing(for: confirmation.seen), of: confirmation.instances, table)
        case .labelAssigned(let assignment): apply(assignment, by: entry.id)
        case .participantsLinked(let link):
            links[entry.id] = LinkState(other: link.other, otherLocation: link.otherLocation)
        case .participantsUnlinked(let link):
            for earlier in link.seen { undoneLinks.insert(standing(for: earlier)) }
        case .responseReceived(let response):
            noteOrigin(of: entry)
            apply(response, by: entry, isQuarantined: isToBeQuarantined(entry), &table)
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
        stopExpecting(entry.id)
        return table.fits
    }

    /// Whether an entry's data were collected after a withdrawal; notes it, and also where it cannot be told.
    private mutating func isToBeQuarantined(_ entry: WrittenEntry) -> Bool {
        switch collectionTime(of: entry) {
        case .beforeWithdrawal: return false
        case .unclear:
            note(.collectionDateUnclear, of: entry.id)
            return false
        case .afterWithdrawal:
            quarantined.insert(entry.id)
            return true
        }
    }

    /// Keeps what a save writes without letting it count, or supersede anything.
    private mutating func setAside(_ save: FormSave, by entry: EntryID, _ table: inout InstancePlaces) {
        declare(save.instances, &table)
        for (position, change) in save.changes.enumerated() {
            setAside(
                change.value, as: ValueID(entry: entry, position: UInt64(position)),
                at: RegisterPlace(instance: table.ids[change.instance], item: change.item))
        }
    }

    /// Keeps a value that does not count.
    mutating func setAside(_ value: Value?, as id: ValueID, at place: RegisterPlace) {
        let isSuperseded = wasSeenBefore(id, at: place)
        instances[place.instance]?.registers[place.item, default: Register()].setAside(
            id, value, isSuperseded: isSuperseded)
    }

    private mutating func apply(
        _ save: FormSave, by entry: WrittenEntry, settlesWholes: Bool, _ table: inout InstancePlaces
    ) {
        declare(save.instances, &table)
        let seen = standing(for: save.seen)
        let distinct = Set(seen)
        note(seen, of: save.instances, table)
        var versions: [InstanceID: WholeVersion] = [:]
        for (position, change) in save.changes.enumerated() {
            let id = ValueID(entry: entry.id, position: UInt64(position))
            let place = RegisterPlace(instance: table.ids[change.instance], item: change.item)
            if let whole = table.wholes[change.instance] {
                versions[whole, default: WholeVersion(seen: seen)].writes.append(
                    WholeVersion.Write(place: place, value: HeldValue(id: id, value: change.value)))
            } else {
                // The entry's own values are not "here before": two changes of one item in one entry are both kept.
                let isSuperseded = wasSeenBefore(id, at: place)
                instances[place.instance]?.registers[place.item, default: Register()].write(
                    id, change.value, seen: distinct, isSuperseded: isSuperseded)
            }
        }
        expect(
            distinct, by: entry.id,
            at: Set(save.changes.map { RegisterPlace(instance: table.ids[$0.instance], item: $0.item) }))
        for (whole, var version) in versions {
            version.isWhole = table.saysWhole(whole, save.instances)
            instances[whole]?.versions[entry.id] = version
            if settlesWholes { settleWhole(whole) }
        }
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
            let (id, identity, givesID) = place(of: line, at: position, table)
            let shape = InstanceState.Shape(kind: line.kind, oid: line.oid, parent: line.parent.map { table.ids[$0] })
            let whole: InstanceID?
            if let index = instances.index(forKey: id) {
                if !instances.values[index].fits(line, shape, givesID: givesID) { table.fits = false }
                whole = self.whole(around: id, instances.values[index].shape, isWhole: instances.values[index].isWhole)
            } else {
                var state = InstanceState(shape: shape, identity: identity)
                state.isWhole = line.isWhole
                state.isPlaced = givesID
                instances[id] = state
                whole = self.whole(around: id, shape, isWhole: line.isWhole)
            }
            if line.beginsHere || line.identity == .own {
                let start = InstanceState.Start(
                    repeatKey: line.repeatKey, seen: line.seenBeginnings.map { standing(for: $0) })
                instances[id]?.beginnings[Beginning(entry: table.entry, position: UInt64(position))] = start
            }
            table.ids.append(id)
            table.wholes.append(whole)
        }
    }

    /// The whole that an instance is or stands in.
    private func whole(around id: InstanceID, _ shape: InstanceState.Shape, isWhole: Bool) -> InstanceID? {
        if shape.kind == .itemGroup, let form = shape.parent, instances[form]?.isWhole == true { return form }
        return isWhole ? id : nil
    }

    /// The instance that a line means, by what later entries name it, and whether it is the line that gives the id: the
    /// beginning's own, or any that names what its id is made of.
    private func place(
        of line: InstanceDeclaration, at position: Int, _ table: InstancePlaces
    ) -> (id: InstanceID, identity: InstanceIdentity, givesID: Bool) {
        let here = Beginning(entry: table.entry, position: UInt64(position))
        switch line.identity {
        case .response(let response):
            let parent = line.parent.map { table.ids[$0] }
            let form = InstanceID.response(
                response, participant: id, parent: parent, kind: line.kind, oid: line.oid)
            return (form, line.identity, true)
        case .own: return (.begun(by: here), .begun(here), true)
        case .begun(let named):
            let beginning = standing(for: named)
            if line.kind == .form, let home = homes[beginning] { return (home, .natural, false) }
            return (.begun(by: beginning), .begun(beginning), false)
        case .natural:
            let id = InstanceID.natural(
                participant: id, parent: line.parent.map { table.ids[$0] }, kind: line.kind, oid: line.oid)
            guard line.kind == .form, let ruling = rulings[id] else { return (id, .natural, true) }
            let writers = line.beginsHere ? [here] : line.seenBeginnings.map { standing(for: $0) }
            guard let beginning = ruling.otherForm(of: writers) else { return (id, .natural, true) }
            return (.begun(by: beginning), .begun(beginning), beginning == here)
        }
    }
}

extension InstanceState {
    /// Takes over what a further line says of the instance.
    ///
    /// - Returns: false where it says other than was known, so that all must be applied anew.
    fileprivate mutating func fits(_ line: InstanceDeclaration, _ said: Shape, givesID: Bool) -> Bool {
        var fits = true
        if line.isWhole && !isWhole {
            isWhole = true
            fits = false
        }
        // Lines that give one id say the same of it; what others say counts only until such a line is here.
        if !isPlaced, said != shape {
            shape = givesID ? said : min(said, shape)
            fits = false
        }
        if givesID { isPlaced = true }
        return fits
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

    /// Whether a line of the entry's table says that an instance is whole.
    func saysWhole(_ whole: InstanceID, _ lines: [InstanceDeclaration]) -> Bool {
        lines.indices.contains { lines[$0].isWhole && ids[$0] == whole }
    }

    init(entry: EntryID) {
        self.entry = entry
    }
}
