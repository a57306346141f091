import EventLog
import Trial

/// One participant, by the words of DESIGN §5.
struct RecordOracle {
    typealias Line = (entry: EntryID, place: Int, line: InstanceDeclaration, id: InstanceID, parent: InstanceID?)

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
    /// Saves, and what resolutions write. These and the following are asked for so often that they are worked out once.
    private(set) var saves: [(id: EntryID, save: FormSave)] = []
    private(set) var confirmations: [(id: EntryID, confirmation: Confirmation)] = []
    private(set) var removals: [(id: EntryID, removal: Removal)] = []
    private(set) var restorations: [(id: EntryID, removal: Removal)] = []
    /// Every line of every table of instances, with the id of what it means.
    private(set) var lines: [Line] = []
    private var tables: [EntryID: [InstanceDeclaration]] = [:]
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
        saves = foundSaves
        confirmations = foundConfirmations
        removals = foundRemovals
        restorations = foundRestorations
        tables = lineTables
        lines = foundLines
    }

    func name(_ entry: EntryID) -> EntryID { standing[entry] ?? entry }
    func name(_ value: ValueID) -> ValueID { ValueID(entry: name(value.entry), position: value.position) }
    func name(_ beginning: Beginning) -> Beginning {
        Beginning(entry: name(beginning.entry), position: beginning.position)
    }

    private var foundSaves: [(id: EntryID, save: FormSave)] {
        entries.compactMap { entry in
            guard var save = OracleTables.save(entry) else { return nil }
            save.instances = common(save.instances, of: entry.id)
            return (entry.id, save)
        }
    }

    /// A table as all sendings of its command have it: what any begins, and the beginnings that every one saw.
    private func common(_ table: [InstanceDeclaration], of entry: EntryID) -> [InstanceDeclaration] {
        let tables = sendings.filter { name($0.id) == entry }.compactMap(OracleTables.table)
        return table.enumerated().map { place, line in
            var line = line
            line.beginsHere = tables.contains { $0[place].beginsHere }
            line.seenBeginnings = line.seenBeginnings.map(name).filter { beginning in
                tables.allSatisfy { $0[place].seenBeginnings.map(name).contains(beginning) }
            }
            return line
        }
    }

    private func common(_ removal: Removal, of entry: EntryID) -> Removal {
        var removal = removal
        removal.instances = common(removal.instances, of: entry)
        return removal
    }

    private var foundConfirmations: [(id: EntryID, confirmation: Confirmation)] {
        entries.compactMap { entry in
            guard case .formConfirmed(var said)? = entry.action?.operation else { return nil }
            said.instances = common(said.instances, of: entry.id)
            return (entry.id, said)
        }
    }

    private var foundRemovals: [(id: EntryID, removal: Removal)] {
        entries.compactMap { entry in
            guard case .removed(let removal)? = entry.action?.operation else { return nil }
            return (entry.id, common(removal, of: entry.id))
        }
    }

    private var foundRestorations: [(id: EntryID, removal: Removal)] {
        entries.compactMap { entry in
            guard case .restored(let removal)? = entry.action?.operation else { return nil }
            return (entry.id, common(removal, of: entry.id))
        }
    }

    private var foundLines: [Line] {
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
            // The line that gives the id says where the instance stands; before it came the lowest of the others does.
            let giving = about.first { givesID($0.line, $0.place, by: $0.entry) == id }
            guard let shape = giving ?? about.min(by: isBefore) else { continue }
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

    /// The id that a line gives, where it says all that the id is made of.
    private func givesID(_ line: InstanceDeclaration, _ place: Int, by entry: EntryID) -> InstanceID? {
        guard let table = tables[entry] else { return nil }
        let own = InstanceID.begun(by: Beginning(entry: entry, position: UInt64(place)))
        let id = id(of: place, in: table, by: entry)
        switch line.identity {
        case .own: return own
        case .begun: return nil
        case .response: return id
        case .natural: return id == own || id == naturalID(of: place, in: table, by: entry) ? id : nil
        }
    }

    /// The table of instances of every entry that has one and is asked for places.
    private var lineTables: [EntryID: [InstanceDeclaration]] {
        var tables: [EntryID: [InstanceDeclaration]] = [:]
        for one in saves { tables[one.id] = one.save.instances }
        for one in responses { tables[one.entry.id] = one.response.instances }
        for one in removals + restorations { tables[one.id] = one.removal.instances }
        for one in confirmations { tables[one.id] = one.confirmation.instances }
        return tables
    }

    private func isBefore(
        _ left: Line,
        _ right: Line
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
                // Superseded as a whole: by an entry that writes in the whole and had seen all that this one says of it.
                let inside = written.filter { self.whole(around: $0.instance, in: snapshot) == whole }
                let standing = Set(inside.map(\.value.entry)).filter { stands($0, in: whole, inside) }
                snapshot.instances[whole]?.versions.formUnion(standing)
                // It is held as long as a version stands that says it.
                isSuperseded = !standing.contains { entry in
                    content(of: entry, in: whole, inside).contains { $0.value == one.value }
                }
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

    /// What a version of a whole says: what its entry wrote there, and where no line of that says that it is whole, what else
    /// its writer had seen there.
    func content(of entry: EntryID, in whole: InstanceID, _ inside: [Written]) -> [Written] {
        let own = inside.filter { $0.value.entry == entry }
        let isWhole = lines.contains { $0.entry == entry && $0.id == whole && $0.line.isWhole }
        guard !isWhole, let seen = own.first?.seen else { return own }
        let rest = inside.filter { one in
            seen.contains(one.value) && !own.contains { $0.instance == one.instance && $0.item == one.item }
        }
        return own + rest
    }

    private func stands(_ entry: EntryID, in whole: InstanceID, _ inside: [Written]) -> Bool {
        let content = content(of: entry, in: whole, inside)
        return !inside.contains { other in
            other.value.entry != entry && content.allSatisfy { other.seen.contains($0.value) }
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

/// The tables of instances that entries have.
private enum OracleTables {
    static func save(_ entry: WrittenEntry) -> FormSave? {
        switch entry.action?.operation {
        case .formSaved(let save)?: save
        case .conflictResolved(let resolution)?: resolution.save
        default: nil
        }
    }

    static func table(_ entry: WrittenEntry) -> [InstanceDeclaration]? {
        switch entry.action?.operation {
        case .formConfirmed(let said)?: said.instances
        case .removed(let removal)?, .restored(let removal)?: removal.instances
        default: save(entry)?.instances
        }
    }
}
