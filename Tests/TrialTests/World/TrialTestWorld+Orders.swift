import EventLog
import Trial

extension TrialTestWorld {
    static let grounds = OrderGrounds(ground: "GDPR art. 17(1)(b)", decidedBy: "ombudet 12/25", reason: "ønsket det")

    /// Has parts of an entry dropped.
    @discardableResult
    func redact(
        _ entry: EntryID, of participant: EntryID, _ scope: RedactionScope = .everything,
        at location: LocationID = .haukeland, by person: Person = .bergenInvestigator, to node: NodeID? = nil
    ) throws -> WrittenEntry {
        try send(
            .redact(
                RedactionEntry(
                    location: location, participant: .registration(participant), entry: entry, scope: scope,
                    grounds: TrialTestWorld.grounds)), by: person, to: node)
    }

    /// Has a participant erased.
    @discardableResult
    func erase(
        _ participant: EntryID, at location: LocationID = .haukeland, by person: Person = .bergenDirector,
        to node: NodeID? = nil
    ) throws -> WrittenEntry {
        try send(
            .erase(
                ErasureEntry(
                    location: location, participant: .registration(participant), grounds: TrialTestWorld.grounds)),
            by: person, to: node)
    }
}

extension WrittenEntry {
    /// The entry as it lies in a store that carried these orders out.
    func carriedOut(_ drops: DropOrders) throws -> WrittenEntry {
        guard let entry = asRead else { return self }
        var body = entry.body
        let isErased = subject.map { drops.erasures[$0] != nil } ?? false
        for position in body.parts.indices {
            let isRedacted =
                drops.redaction(of: self)?.parts.contains(position: position) == true
                && entry.header.parts[position].kind != .structure
            if isErased && !entry.header.operation.ordersDrop || isRedacted { body.parts[position] = nil }
        }
        return try keeping(body)
    }
}
