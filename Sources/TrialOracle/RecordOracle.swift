import EventLog
import Trial

/// One participant, by the words of DESIGN §5.
struct RecordOracle {
    let registration: WrittenEntry
    /// It and its repetitions.
    let registrations: [WrittenEntry]
    /// The registration and those that say the same.
    let names: Set<EntryID>
    /// For every entry with effect the lowest one that says the same by the same command.
    private let standing: [EntryID: EntryID]
    /// What counts, each command once.
    let entries: [WrittenEntry]
    /// What counts, each sending of a command.
    let sendings: [WrittenEntry]
    /// What was collected after a withdrawal.
    private(set) var quarantined: Set<EntryID> = []
    /// Entries whose command id was used for something else too.
    let reused: Set<EntryID>

    init(
        _ registration: WrittenEntry, names: Set<EntryID>, _ counting: [WrittenEntry], registrations: [WrittenEntry]
    ) {
        self.registration = registration
        self.registrations = registrations
        self.names = names
        var standing: [EntryID: EntryID] = [:]
        for name in names { standing[name] = registration.id }
        for entry in counting { standing[entry.id] = entry.id }
        // What a repetition names may itself be a repetition: asked again until nothing new shows.
        var found = true
        while found {
            found = false
            for left in counting {
                for right in counting where left.id < right.id && standing[left.id] != standing[right.id] {
                    guard OracleCommands.haveOneCommand(left, right) else { continue }
                    let known = standing
                    func name(_ entry: EntryID) -> EntryID { known[entry] ?? entry }
                    guard OracleCommands.text(left, naming: name) == OracleCommands.text(right, naming: name),
                        let one = known[left.id], let other = known[right.id]
                    else { continue }
                    for (entry, stands) in known where stands == max(one, other) { standing[entry] = min(one, other) }
                    found = true
                }
            }
        }
        let distinct = counting.filter { standing[$0.id] == $0.id }
        var reused: Set<EntryID> = []
        for left in distinct + [registration] {
            for right in distinct + [registration] where left.id != right.id {
                if OracleCommands.haveOneCommand(left, right) { reused.insert(left.id) }
            }
        }
        for sending in counting {
            guard let other = counting.first(where: { $0.id == standing[sending.id] }) else { continue }
            let places = [sending, other].map { OracleCommands.placement($0) { standing[$0] ?? $0 } }
            if places[0] != places[1] { reused.formUnion([sending.id, other.id]) }
        }
        self.standing = standing
        self.reused = reused
        entries = distinct
        sendings = counting
        quarantined = Set(distinct.map(\.id).filter(wasCollectedAfterWithdrawal))
    }

    func name(_ entry: EntryID) -> EntryID { standing[entry] ?? entry }
    func name(_ value: ValueID) -> ValueID { ValueID(entry: name(value.entry), position: value.position) }
    func name(_ beginning: Beginning) -> Beginning {
        Beginning(entry: name(beginning.entry), position: beginning.position)
    }

    /// Saves, and what resolutions write.
    var saves: [(id: EntryID, save: FormSave)] {
        entries.compactMap { entry in
            switch entry.action?.operation {
            case .formSaved(let save)?: (entry.id, save)
            case .conflictResolved(let resolution)?: (entry.id, resolution.save)
            default: nil
            }
        }
    }

    var confirmations: [(id: EntryID, confirmation: Confirmation)] {
        entries.compactMap { entry in
            if case .formConfirmed(let said)? = entry.action?.operation { (entry.id, said) } else { nil }
        }
    }

    var removals: [(id: EntryID, removal: Removal)] {
        entries.compactMap { entry in
            if case .removed(let removal)? = entry.action?.operation { (entry.id, removal) } else { nil }
        }
    }

    var restorations: [(id: EntryID, removal: Removal)] {
        entries.compactMap { entry in
            if case .restored(let removal)? = entry.action?.operation { (entry.id, removal) } else { nil }
        }
    }

    /// Every line of every table of instances, with the id of what it means.
    var lines: [(entry: EntryID, place: Int, line: InstanceDeclaration, id: InstanceID, parent: InstanceID?)] {
        let tables =
            saves.map { ($0.id, $0.save.instances) } + responses.map { ($0.entry.id, $0.response.instances) }
            + (removals + restorations).map { ($0.id, $0.removal.instances) }
            + confirmations.map { ($0.id, $0.confirmation.instances) }
        return tables.flatMap { entry, table in
            table.indices.map { place in
                (
                    entry, place, table[place], id(of: place, in: table, by: entry),
                    table[place].parent.map { id(of: $0, in: table, by: entry) }
                )
            }
        }
    }

    func id(of place: Int, in table: [InstanceDeclaration], by entry: EntryID) -> InstanceID {
        let line = table[place]
        switch line.identity {
        case .own: return .begun(by: Beginning(entry: entry, position: UInt64(place)))
        case .begun(let named):
            let beginning = name(named)
            guard line.kind == .form else { return .begun(by: beginning) }
            // A form apart that is, after all, the one it was told apart from.
            let homes = Set(decisions.map(\.form)).filter { form in
                standingDecisions(on: form).contains { verdict(in: $0, on: beginning) != nil }
                    && verdict(on: beginning, of: form) == .same
            }
            return homes.min() ?? .begun(by: beginning)
        case .response(let response):
            return .response(
                response, participant: registration.id, parent: line.parent.map { id(of: $0, in: table, by: entry) },
                kind: line.kind, oid: line.oid)
        case .natural:
            let form = naturalID(of: place, in: table, by: entry)
            guard line.kind == .form else { return form }
            let mine = beginnings(of: line, at: place, by: entry)
            if mine.isEmpty || mine.contains(where: { verdict(on: $0, of: form) == .same }) { return form }
            let apart = mine.filter { verdict(on: $0, of: form) == .apart }
            return (apart.isEmpty ? mine : apart).min().map { .begun(by: $0) } ?? form
        }
    }

    func naturalID(of place: Int, in table: [InstanceDeclaration], by entry: EntryID) -> InstanceID {
        .natural(
            participant: registration.id, parent: table[place].parent.map { id(of: $0, in: table, by: entry) },
            kind: table[place].kind, oid: table[place].oid)
    }

    var snapshot: RecordSnapshot {
        var snapshot = RecordSnapshot()
        snapshot.aliases = names.subtracting([registration.id])
        snapshot.labelHistory = labelHistory
        snapshot.labels = Set(labelHistory.filter { !$0.isCorrected }.map(\.label)).sorted()
        snapshot.links = links
        snapshot.applied = Set(entries.map(\.id)).union([registration.id])
        var corrected: Set<EntryID> = []
        for entry in entries {
            guard case .statusRecorded(let record)? = entry.action?.operation else { continue }
            snapshot.statuses[entry.id] = record
            corrected.formUnion(record.replaces.map(name))
        }
        snapshot.reached = snapshot.statuses.filter { !corrected.contains($0.key) }.sorted { $0.key < $1.key }
            .map(\.value)
        snapshot.quarantined = quarantined
        let lines = lines
        let removed = removedTargets
        snapshot.isRemoved = removed.contains(nil)
        for id in Set(lines.map(\.id)) {
            let about = lines.filter { $0.id == id }
            guard let shape = about.min(by: isBefore) else { continue }
            var instance = InstanceSnapshot(kind: shape.line.kind, oid: shape.line.oid, parent: shape.parent)
            instance.isWhole = about.contains(where: \.line.isWhole)
            let beginnings = about.filter { $0.line.beginsHere || $0.line.identity == .own }
            instance.beginnings = Set(beginnings.map { Beginning(entry: $0.entry, position: UInt64($0.place)) })
            instance.repeatKey = beginnings.min { ($0.entry, $0.place) < ($1.entry, $1.place) }?.line.repeatKey
            if case .response(let named) = shape.line.identity, named.row > 0 { instance.repeatKey = "\(named.row)" }
            snapshot.instances[id] = instance
        }
        for id in snapshot.instances.keys {
            var up: InstanceID? = id
            var path: [InstanceID?] = [nil]
            while let step = up, path.count < 4 {
                path.append(step)
                up = snapshot.instances[step]?.parent
            }
            snapshot.instances[id]?.isRemoved = path.contains { removed.contains($0) }
            snapshot.instances[id]?.isWrong = path.contains { $0.map(isWrong) ?? false }
        }
        enterItems(in: &snapshot)
        enterConflicts(in: &snapshot)
        return snapshot
    }

    private func isBefore(
        _ left: (entry: EntryID, place: Int, line: InstanceDeclaration, id: InstanceID, parent: InstanceID?),
        _ right: (entry: EntryID, place: Int, line: InstanceDeclaration, id: InstanceID, parent: InstanceID?)
    ) -> Bool {
        if left.line.kind != right.line.kind { return left.line.kind.rawValue < right.line.kind.rawValue }
        if left.line.oid != right.line.oid { return left.line.oid < right.line.oid }
        return (left.parent?.description ?? "") < (right.parent?.description ?? "")
    }

    /// What is removed and was not restored by someone who had seen that removal; nil is the participant.
    private var removedTargets: Set<InstanceID?> {
        let takenBack = Set(restorations.flatMap { $0.removal.seen.map(name) })
        return Set(
            removals.filter { !takenBack.contains($0.id) }.map { id, removal in
                removal.instances.isEmpty
                    ? nil : self.id(of: removal.instances.count - 1, in: removal.instances, by: id)
            })
    }

    /// A value as it was written.
    struct Written {
        let value: ValueID
        let says: Value?
        let instance: InstanceID
        let item: ItemOID
        let seen: [ValueID]
    }

    /// What saves and resolutions wrote, but for what was collected after a withdrawal.
    var written: [Written] {
        saves.filter { !isQuarantined($0.id) }.flatMap(writes)
    }

    private func writes(_ entry: EntryID, _ save: FormSave) -> [Written] {
        save.changes.enumerated().map { place, change in
            Written(
                value: ValueID(entry: entry, position: UInt64(place)), says: change.value,
                instance: id(of: change.instance, in: save.instances, by: entry), item: change.item,
                seen: save.seen.map(name))
        }
    }

    private func enterItems(in snapshot: inout RecordSnapshot) {
        let written = written
        for one in written {
            let isSuperseded: Bool
            if let whole = whole(around: one.instance, in: snapshot) {
                // Superseded as a whole: by an entry that writes in the whole and had seen all that this one wrote there.
                let inside = written.filter { self.whole(around: $0.instance, in: snapshot) == whole }
                let mine = inside.filter { $0.value.entry == one.value.entry }
                isSuperseded = inside.contains { other in
                    other.value.entry != one.value.entry && mine.allSatisfy { other.seen.contains($0.value) }
                }
                if !isSuperseded { snapshot.instances[whole]?.versions.insert(one.value.entry) }
            } else {
                // Superseded exactly when an entry with effect that itself writes this item of this instance had seen it.
                isSuperseded = written.contains {
                    $0.instance == one.instance && $0.item == one.item && $0.seen.contains(one.value)
                }
            }
            var item = snapshot.instances[one.instance]?.items[one.item] ?? ItemSnapshot()
            if !isSuperseded { item.values[one.value] = .some(one.says) }
            item.awaited.formUnion(one.seen.filter { !snapshot.applied.contains($0.entry) })
            snapshot.instances[one.instance]?.items[one.item] = item
        }
        for one in saves.filter({ isQuarantined($0.id) }).flatMap(writes) {
            // What does not count can still have been superseded by one who saw it.
            let isSuperseded = written.contains {
                $0.instance == one.instance && $0.item == one.item && $0.seen.contains(one.value)
            }
            if isSuperseded { continue }
            snapshot.instances[one.instance]?.items[one.item, default: ItemSnapshot()].setAside[one.value] = .some(
                one.says)
        }
        enterAnswers(in: &snapshot)
        for (id, instance) in snapshot.instances {
            for (oid, item) in instance.items {
                let sayings = Set(item.values.values.map { saying($0) })
                if sayings.count > 1 { snapshot.instances[id]?.items[oid]?.isConflict = true }
            }
        }
    }

    /// What a value says, as far as equality is concerned: the normalised datum and its unit, or the reason there is
    /// none.
    func saying(_ value: Value?) -> String {
        guard let value else { return "dropped" }
        return "\(value.kind) \(value.normalised) \(value.unit ?? "-") \(value.codes) \(value.reason ?? "-") "
            + "\(String(describing: value.file))"
    }
}
