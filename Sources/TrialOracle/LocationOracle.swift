import EventLog
import Trial

/// The records of one location's stream, by the words of DESIGN §5.
struct LocationOracle {
    let location: LocationID
    /// The stream, lowest id first, as orders leave it.
    let entries: [WrittenEntry]
    /// The stream as it is.
    let all: [WrittenEntry]
    let rules: AuthorityOracle
    let orders: OrderOracle

    init(_ entries: [WrittenEntry], location: LocationID, rules: AuthorityOracle) {
        self.location = location
        self.rules = rules
        all = entries
        orders = OrderOracle(entries) { rules.verdict(on: $0, at: location, in: entries) }
        self.entries = entries.compactMap(orders.left)
    }

    var snapshot: LocationSnapshot {
        var snapshot = LocationSnapshot()
        snapshot.orders = Set(orders.inEffect.map(\.id))
        snapshot.erased = orders.erased
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
            if case .counts(let finding?) = rules.verdict(
                on: registration, at: location, in: entries)
            {
                snapshot.marks.findings[registration.id] = finding
            }
            let isReused = entries.contains {
                $0.id != registration.id && stands[$0.id] == $0.id && OracleCommands.haveOneCommand($0, registration)
            }
            let record = RecordOracle(
                registration, names: names, counting, registrations: entries.filter { names.contains($0.id) })
            for entry in record.reused.union(isReused ? [registration.id] : []) {
                snapshot.marks.findings[entry] =
                    snapshot.marks.findings[entry] ?? .commandRepeatedWithOtherContent
            }
            for (entry, rule) in record.findings {
                // Of two the one with the lower number.
                let known = snapshot.marks.findings[entry]
                snapshot.marks.findings[entry] = [rule, known ?? rule].min { $0.rawValue < $1.rawValue }
            }
            var taken = record.snapshot
            taken.isFullyUnderstood = isFullyUnderstood(names)
            for entry in concerned { taken.redactions[entry.id] = orders.redactions[entry.id] }
            snapshot.records[registration.id] = taken
        }
        return snapshot
    }

    /// Notes what an entry comes to; true where it counts.
    private func mark(_ entry: WrittenEntry, in marks: inout Marks) -> Bool {
        switch rules.verdict(on: entry, at: location, in: all) {
        case .counts where OracleResponses.isForeign(entry): marks.void[entry.id] = .foreignResponse
        case .counts(let finding):
            // Of a registration the record notes it, once it is known which one stands.
            if let finding, entry.action?.operation.participant != nil || OrderOracle.target(of: entry) != nil {
                marks.findings[entry.id] = finding
            }
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
