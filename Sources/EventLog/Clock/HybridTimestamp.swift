/// A hybrid logical time: 48 bits of milliseconds since 1970 UTC, then a 16-bit counter that tells stamps of one
/// millisecond apart. Stamps order what is displayed; nothing is refused or judged by one.
public struct HybridTimestamp: Hashable, Comparable, Sendable {
    /// Milliseconds in the high 48 bits, the counter in the low 16. Every value is a timestamp.
    public let packed: UInt64

    /// The largest number of milliseconds that a timestamp can hold, in the year 10889.
    public static let maximumMilliseconds: UInt64 = (1 << 48) - 1

    /// Before every other timestamp.
    public static let zero = HybridTimestamp(packed: 0)

    /// Takes over 64 bits as they were stored or sent.
    public init(packed: UInt64) {
        self.packed = packed
    }

    /// Joins milliseconds since 1970 UTC and counter; nil where `milliseconds` exceeds ``maximumMilliseconds``.
    public init?(milliseconds: UInt64, counter: UInt16) {
        guard milliseconds <= HybridTimestamp.maximumMilliseconds else { return nil }
        packed = milliseconds << 16 | UInt64(counter)
    }

    /// Milliseconds since 1970 UTC.
    public var milliseconds: UInt64 { packed >> 16 }

    /// The number of the stamp within its millisecond.
    public var counter: UInt16 { UInt16(truncatingIfNeeded: packed) }

    /// Orders by milliseconds, then by counter.
    public static func < (left: HybridTimestamp, right: HybridTimestamp) -> Bool { left.packed < right.packed }
}

extension HybridTimestamp: CustomStringConvertible {
    /// `<milliseconds>.<counter>`.
    public var description: String { "\(milliseconds).\(counter)" }
}
