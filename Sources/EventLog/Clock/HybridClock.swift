/// A hybrid logical clock: its stamps grow strictly, follow the physical clock where that moves forward, and come
/// after what was heard from others, up to a bound. It reads no clock itself: the time is passed in.
///
/// Invariants:
/// - `latest` never falls;
/// - every stamp that ``next(physicalMilliseconds:)`` gives is greater than `latest` was;
/// - a remote stamp moves `latest` at most ``maximumLeadMilliseconds`` past the physical time.
public struct HybridClock: Hashable, Sendable {
    /// The last stamp given or observed.
    public private(set) var latest: HybridTimestamp

    /// How far, in milliseconds, a remote stamp may move the clock past the physical time.
    public static let maximumLeadMilliseconds: UInt64 = 60_000

    /// Physical times from here on (the year 6429) are taken for this one: the clock that shows them is broken, and
    /// behind it there is room for 2^63 more stamps.
    private static let latestPhysicalMilliseconds: UInt64 = 1 << 47

    /// Starts at the beginning of time.
    public init() {
        latest = .zero
    }

    /// Goes on after the last stamp of a log.
    ///
    /// Nil where fewer than 2^32 stamps come after it: no clock gives such a stamp, so the log is damaged and cannot
    /// be continued.
    public init?(resumingAfter latest: HybridTimestamp) {
        guard latest.packed <= UInt64.max - (1 << 32) else { return nil }
        self.latest = latest
    }

    /// The next stamp: the physical time where that is past the latest stamp, else the stamp right after the latest.
    ///
    /// - Parameter physicalMilliseconds: what the node's clock shows, in milliseconds since 1970 UTC.
    public mutating func next(physicalMilliseconds: UInt64) -> HybridTimestamp {
        let physical = HybridClock.stamp(physicalMilliseconds)
        if physical > latest {
            latest = physical
        } else {
            precondition(latest.packed < UInt64.max, "the hybrid clock has run out of stamps")
            // A full counter carries into the milliseconds, because they are the next higher bits.
            latest = HybridTimestamp(packed: latest.packed + 1)
        }
        return latest
    }

    /// Takes note of a stamp from elsewhere, so that the next own stamp comes after it. Of a stamp further than
    /// ``maximumLeadMilliseconds`` past the physical time only that bound is taken.
    ///
    /// - Parameters:
    ///   - remote: the stamp that came.
    ///   - physicalMilliseconds: what the node's clock shows, in milliseconds since 1970 UTC.
    public mutating func observe(_ remote: HybridTimestamp, physicalMilliseconds: UInt64) {
        let physical = min(physicalMilliseconds, HybridClock.latestPhysicalMilliseconds)
        let bound = HybridTimestamp(packed: (physical + HybridClock.maximumLeadMilliseconds) << 16)
        latest = max(latest, min(remote, bound))
    }

    private static func stamp(_ physicalMilliseconds: UInt64) -> HybridTimestamp {
        HybridTimestamp(packed: min(physicalMilliseconds, latestPhysicalMilliseconds) << 16)
    }
}
