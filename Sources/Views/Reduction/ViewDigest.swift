public import EventLog

/// What a set of rows comes to, whatever their order: the digests of all rows, each of their four big-endian words added
/// modulo 2^64 (`Protocols/views.md`, "Digest").
///
/// A row can be taken out again, so that a live view keeps it up to date at the cost of the rows that change.
public struct ViewDigest: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The sum, as 32 bytes.
    public private(set) var sum = Hash.zero

    /// The digest of no rows.
    public init() {}

    /// Takes up a sum that was stored.
    public init(sum: Hash) {
        self.sum = sum
    }

    /// Adds a row.
    public mutating func add(_ row: Hash) {
        sum = Hash(
            words: (
                sum.words.0 &+ row.words.0, sum.words.1 &+ row.words.1, sum.words.2 &+ row.words.2,
                sum.words.3 &+ row.words.3
            ))
    }

    /// Takes a row out.
    public mutating func remove(_ row: Hash) {
        sum = Hash(
            words: (
                sum.words.0 &- row.words.0, sum.words.1 &- row.words.1, sum.words.2 &- row.words.2,
                sum.words.3 &- row.words.3
            ))
    }

    /// 64 hexadecimal digits.
    public var description: String { sum.hex }

    /// Reads 64 hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        sum = try decoder.singleValueContainer().decode(Hash.self)
    }

    /// Writes 64 hexadecimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(sum)
    }
}
