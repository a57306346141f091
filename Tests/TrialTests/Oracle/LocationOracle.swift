import EventLog
import Trial

/// The records of one location's stream, by the words of DESIGN §5.
struct LocationOracle {
    let location: LocationID
    /// The stream, lowest id first.
    let entries: [WrittenEntry]
    let rules: AuthorityOracle

    init(_ entries: [WrittenEntry], location: LocationID, rules: AuthorityOracle) {
        self.location = location
        self.entries = entries
        self.rules = rules
    }

    var snapshot: LocationSnapshot {
        var snapshot = LocationSnapshot()
        // Registrations that count, and for each the lowest that says the same by the same command.
        var stands: [EntryID: EntryID] = [:]
        for entry in entries {
            guard case .participantRegistered? = entry.action?.operation else { continue }
            guard mark(entry, in: &snapshot.marks) else { continue }
            let lower = entries.first { other in
                stands[other.id] == other.id && OracleCommands.haveOneCommand(other, entry)
                    && OracleCommands.text(other) { $0 } == OracleCommands.text(entry) { $0 }
            }
            stands[entry.id] = lower?.id ?? entry.id
        }
        for entry in entries {
            switch entry.content {
            case .notUnderstood: snapshot.marks.notUnderstood.insert(entry.id)
            case .unreadable: snapshot.marks.void[entry.id] = .unreadable
            case .action(let action):
                if case .participantRegistered = action.operation { continue }
                guard let named = action.operation.participant else {
                    _ = mark(entry, in: &snapshot.marks)
                    continue
                }
                if stands[named] == nil { snapshot.marks.waiting[entry.id] = .participant(named) }
            }
        }
        for registration in entries where stands[registration.id] == registration.id {
            let names = Set(stands.filter { $0.value == registration.id }.keys)
            let concerned = entries.filter { $0.action?.operation.participant.map(names.contains) ?? false }
            let counting = concerned.filter { mark($0, in: &snapshot.marks) }
            if case .counts(let finding?) = rules.verdict(on: registration, at: location) {
                snapshot.marks.findings[registration.id] = finding
            }
            let isReused = entries.contains {
                $0.id != registration.id && stands[$0.id] == $0.id && OracleCommands.haveOneCommand($0, registration)
            }
            let record = RecordOracle(registration, names: names, counting)
            for entry in record.reused.union(isReused ? [registration.id] : []) {
                snapshot.marks.findings[entry] =
                    snapshot.marks.findings[entry] ?? .commandRepeatedWithOtherContent
            }
            for entry in record.severalCompleted {
                snapshot.marks.findings[entry] = snapshot.marks.findings[entry] ?? .severalCompletedResponses
            }
            var taken = record.snapshot
            taken.isFullyUnderstood = isFullyUnderstood(names)
            snapshot.records[registration.id] = taken
        }
        return snapshot
    }

    /// Notes what an entry comes to; true where it counts.
    private func mark(_ entry: WrittenEntry, in marks: inout Marks) -> Bool {
        switch rules.verdict(on: entry, at: location) {
        case .counts where OracleResponses.isForeign(entry): marks.void[entry.id] = .foreignResponse
        case .counts(let finding):
            // Of a registration the record notes it, once it is known which one stands.
            if let finding, entry.action?.operation.participant != nil { marks.findings[entry.id] = finding }
            return true
        case .void(let rule): marks.void[entry.id] = rule
        case .waits(let awaited): marks.waiting[entry.id] = awaited
        }
        return false
    }

    /// Nothing that is not understood carries a handle of the participant's, or may carry one.
    private func isFullyUnderstood(_ registrations: Set<EntryID>) -> Bool {
        let handles = Set(entries.filter { registrations.contains($0.id) }.compactMap { $0.header?.subject })
        return !entries.contains { entry in
            guard entry.content == .notUnderstood else { return false }
            guard let header = entry.header else { return true }
            return header.subject.map(handles.contains) ?? false
        }
    }
}

/// One participant, by the words of DESIGN §5.
struct RecordOracle {
    let registration: WrittenEntry
    /// The registration and those that say the same.
    let names: Set<EntryID>
    /// For every entry with effect the lowest one that says the same by the same command.
    private let standing: [EntryID: EntryID]
    /// What counts, each command once.
    let entries: [WrittenEntry]
    /// What counts, each sending of a command.
    let sendings: [WrittenEntry]
    /// Entries whose command id was used for something else too.
    let reused: Set<EntryID>

    init(_ registration: WrittenEntry, names: Set<EntryID>, _ counting: [WrittenEntry]) {
        self.registration = registration
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
        self.standing = standing
        self.reused = reused
        entries = distinct
        sendings = counting
    }

    func name(_ entry: EntryID) -> EntryID { standing[entry] ?? entry }
    private func name(_ value: ValueID) -> ValueID { ValueID(entry: name(value.entry), position: value.position) }

    private var saves: [(id: EntryID, save: FormSave)] {
        entries.compactMap { entry in
            if case .formSaved(let save)? = entry.action?.operation { (entry.id, save) } else { nil }
        }
    }

    private var removals: [(id: EntryID, removal: Removal)] {
        entries.compactMap { entry in
            if case .removed(let removal)? = entry.action?.operation { (entry.id, removal) } else { nil }
        }
    }

    private var restorations: [(id: EntryID, removal: Removal)] {
        entries.compactMap { entry in
            if case .restored(let removal)? = entry.action?.operation { (entry.id, removal) } else { nil }
        }
    }

    /// Every line of every table of instances, with the id of what it means.
    private var lines: [(entry: EntryID, place: Int, line: InstanceDeclaration, id: InstanceID, parent: InstanceID?)] {
        let tables =
            saves.map { ($0.id, $0.save.instances) } + responses.map { ($0.entry.id, $0.response.instances) }
            + (removals + restorations).map { ($0.id, $0.removal.instances) }
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
        case .begun(let beginning):
            return .begun(by: Beginning(entry: name(beginning.entry), position: beginning.position))
        case .response(let response):
            return .response(
                response, participant: registration.id, parent: line.parent.map { id(of: $0, in: table, by: entry) },
                kind: line.kind, oid: line.oid)
        case .natural:
            return .natural(
                participant: registration.id, parent: line.parent.map { id(of: $0, in: table, by: entry) },
                kind: line.kind, oid: line.oid)
        }
    }

    var snapshot: RecordSnapshot {
        var snapshot = RecordSnapshot()
        snapshot.aliases = names.subtracting([registration.id])
        if case .participantRegistered(let payload)? = registration.action?.operation {
            snapshot.labels = payload.labels.sorted()
        }
        snapshot.applied = Set(entries.map(\.id)).union([registration.id])
        var corrected: Set<EntryID> = []
        for entry in entries {
            guard case .statusRecorded(let record)? = entry.action?.operation else { continue }
            snapshot.statuses[entry.id] = record
            corrected.formUnion(record.replaces.map(name))
        }
        snapshot.reached = snapshot.statuses.filter { !corrected.contains($0.key) }.sorted { $0.key < $1.key }
            .map(\.value)
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
        }
        enterItems(in: &snapshot)
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

    private func enterItems(in snapshot: inout RecordSnapshot) {
        struct Written {
            let value: ValueID
            let says: Value?
            let instance: InstanceID
            let item: ItemOID
            let seen: [ValueID]
        }
        let written: [Written] = saves.flatMap { entry, save in
            save.changes.enumerated().map { place, change in
                Written(
                    value: ValueID(entry: entry, position: UInt64(place)), says: change.value,
                    instance: id(of: change.instance, in: save.instances, by: entry), item: change.item,
                    seen: save.seen.map(name))
            }
        }
        for one in written {
            // Superseded exactly when an entry with effect that itself writes this item of this instance had seen it.
            let isSuperseded = written.contains {
                $0.instance == one.instance && $0.item == one.item && $0.seen.contains(one.value)
            }
            var item = snapshot.instances[one.instance]?.items[one.item] ?? ItemSnapshot()
            if !isSuperseded { item.values[one.value] = .some(one.says) }
            item.awaited.formUnion(one.seen.filter { !snapshot.applied.contains($0.entry) })
            snapshot.instances[one.instance]?.items[one.item] = item
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
    private func saying(_ value: Value?) -> String {
        guard let value else { return "dropped" }
        return "\(value.kind) \(value.normalised) \(value.unit ?? "-") \(value.codes) \(value.reason ?? "-") "
            + "\(String(describing: value.file))"
    }
}
