import EventLog

/// What the writer of an entry had seen that is not here, and where the entry wrote: kept once for each entry and not for
/// each item, for an entry may change thousands of items before an eye that saw thousands of values.
struct AwaitedSight: Hashable, Sendable {
    /// The positions of the values seen, by entry; none of these entries is applied.
    fileprivate(set) var positions: [EntryID: Set<UInt64>]
    /// The items written.
    let places: Set<RegisterPlace>

    fileprivate func contains(_ value: ValueID) -> Bool {
        positions[value.entry]?.contains(value.position) ?? false
    }
}

/// Values that were seen before they came (`Protocols/merge.md`, M16 and M19).
extension ParticipantState {
    /// The values that writers of a register had seen and that are not here, sorted.
    public func awaited(in register: Register) -> [ValueID] {
        guard register.isAwaiting else { return [] }
        let sights = register.awaiting.compactMap { awaitedSights[$0] }
        return Set(sights.flatMap { awaitedValues(of: $0) }).sorted()
    }

    private func awaitedValues(of sight: AwaitedSight) -> [ValueID] {
        sight.positions.flatMap { entry, positions in positions.map { ValueID(entry: entry, position: $0) } }
    }

    /// Whether one who wrote in a register had seen the value before it came.
    func wasSeenBefore(_ value: ValueID, at place: RegisterPlace) -> Bool {
        // Most records await nothing.
        guard !awaitedSights.isEmpty, let register = instances[place.instance]?.registers[place.item],
            register.isAwaiting
        else { return false }
        return register.awaiting.contains { awaitedSights[$0]?.contains(value) ?? false }
    }

    /// Keeps what the writer of some items had seen and is not here.
    mutating func expect(_ seen: Set<ValueID>, by writer: EntryID, at places: @autoclosure () -> Set<RegisterPlace>) {
        var positions: [EntryID: Set<UInt64>] = [:]
        for value in seen where !applied.contains(value.entry) {
            positions[value.entry, default: []].insert(value.position)
        }
        guard !positions.isEmpty else { return }
        let sight = AwaitedSight(positions: positions, places: places())
        guard !sight.places.isEmpty else { return }
        for entry in positions.keys { expecting[entry, default: []].insert(writer) }
        for place in sight.places {
            instances[place.instance]?.registers[place.item, default: Register()].expect(writer)
        }
        awaitedSights[writer] = sight
    }

    /// Drops what was kept of an entry's values, which are here now.
    mutating func stopExpecting(_ entry: EntryID) {
        for writer in expecting.removeValue(forKey: entry) ?? [] {
            awaitedSights[writer]?.positions[entry] = nil
            guard let sight = awaitedSights[writer], sight.positions.isEmpty else { continue }
            awaitedSights[writer] = nil
            for place in sight.places { instances[place.instance]?.registers[place.item]?.settle(writer) }
        }
    }

    /// The part of the digest that is about what is awaited.
    func writeAwaited(into writer: inout WireWriter) {
        for (entry, sight) in awaitedSights.sorted(by: { $0.key < $1.key }) {
            writer.identifier(60, entry)
            for value in awaitedValues(of: sight).sorted() {
                writer.message(61) { inner in
                    inner.identifier(1, value.entry)
                    inner.unsigned(2, value.position)
                }
            }
        }
    }
}
