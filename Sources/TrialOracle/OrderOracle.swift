import EventLog
import Trial

/// What orders leave of a stream, by the words of DESIGN §4: an order with effect acts whenever it comes, and whether the
/// bytes are there or not.
struct OrderOracle {
    /// The orders with effect.
    let inEffect: [WrittenEntry]
    /// Of which entry which orders took parts.
    private(set) var redactions: [EntryID: Set<EntryID>] = [:]
    /// The entries of everybody who was erased, by the registration that the orders name.
    private(set) var erased: [EntryID: Set<EntryID>] = [:]
    private var handles: [SubjectHandle: Set<EntryID>] = [:]
    private var parts: [EntryID: PartSet] = [:]

    static func target(of entry: WrittenEntry) -> DropOrder.Target? {
        switch entry.action?.operation {
        case .redactionOrdered(let order)?, .erasureOrdered(let order)?: order.target
        default: nil
        }
    }

    init(_ entries: [WrittenEntry], verdict: (WrittenEntry) -> Oracle.Verdict) {
        inEffect = entries.filter { entry in
            guard OrderOracle.target(of: entry) != nil, case .counts = verdict(entry) else { return false }
            return true
        }
        for order in inEffect {
            switch OrderOracle.target(of: order) {
            case .parts(let dropped, let entry, let address)?:
                // At another place stands another entry.
                guard entries.contains(where: { $0.id == entry && $0.place == address }) else { continue }
                redactions[entry, default: []].insert(order.id)
                parts[entry, default: []].formUnion(dropped)
            case .participant(let registration, let handle)?:
                handles[handle, default: []].insert(registration)
            case nil: break
            }
        }
        for names in handles.values {
            guard let name = names.min() else { continue }
            erased[name] = erased[name] ?? []
        }
        for entry in entries where isErased(entry) {
            if let name = entry.subject.flatMap({ handles[$0]?.min() }) { erased[name]?.insert(entry.id) }
        }
    }

    private func isErased(_ entry: WrittenEntry) -> Bool {
        guard let subject = entry.subject, handles[subject] != nil else { return false }
        return entry.operation != .redactionOrdered && entry.operation != .erasureOrdered
    }

    /// What is left of an entry; nil where nothing is.
    func left(of entry: WrittenEntry) -> WrittenEntry? {
        if isErased(entry) { return nil }
        return parts[entry.id].map { entry.dropping($0) } ?? entry
    }
}
