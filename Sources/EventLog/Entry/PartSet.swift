/// Positions of parts in an entry, 0 to 63.
public struct PartSet: OptionSet, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The set of these positions; each is below ``FormatLimit/parts``.
    public init(positions: some Sequence<Int>) {
        rawValue = positions.reduce(0) { bits, position in
            precondition((0..<FormatLimit.parts).contains(position), "an entry has at most 64 parts")
            return bits | 1 << UInt64(position)
        }
    }

    /// Whether the part at `position` is meant.
    public func contains(position: Int) -> Bool {
        (0..<FormatLimit.parts).contains(position) && rawValue >> UInt64(position) & 1 == 1
    }
}

extension Entry {
    /// The entry without the parts at some positions; its structure stays, which says what the others were about.
    public func dropping(_ parts: PartSet) -> Entry {
        var body = body
        for position in body.parts.indices
        where parts.contains(position: position) && header.parts[position].kind != .structure {
            body.parts[position] = nil
        }
        return Entry(id: id, header: header, body: body)
    }
}

extension OperationType {
    /// Whether it orders parts to be dropped: who ordered what on which ground stays when its participant is erased.
    public var ordersDrop: Bool { self == .redactionOrdered || self == .erasureOrdered }
}
