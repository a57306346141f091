public import EventLog
import Trial

extension VerifiedProof {
    /// For every part that is not here, the order in the proof that allows that.
    ///
    /// - Throws: ``EventLog/EntryProofError/partMissing(position:kind:)`` for the first part that is missing without one.
    public func ordersForMissingParts() throws(EntryProofError) -> [Int: EntryAddress] {
        var found: [Int: EntryAddress] = [:]
        for position in entry.missingParts {
            guard let order = orders.first(where: { $0.allowsToDrop(position, of: entry) }) else {
                throw .partMissing(position: position, kind: entry.entry.header.parts[position].kind)
            }
            found[position] = order.address
        }
        return found
    }
}

extension VerifiedEntry {
    /// Whether this entry is an order, in the same stream, under which a part of `other` may be gone.
    fileprivate func allowsToDrop(_ position: Int, of other: VerifiedEntry) -> Bool {
        guard log.stream == other.log.stream else { return false }
        let header = other.entry.header
        switch WrittenEntry(entry, in: log).dropOrder?.target {
        case .participant(_, let subject)?: return subject == header.subject && !header.operation.ordersDrop
        case .parts(let parts, let target, _)?:
            return target == other.entry.id && parts.contains(position: position)
                && header.parts[position].kind != .structure
        case nil: return false
        }
    }
}
