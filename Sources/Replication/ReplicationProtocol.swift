import EventLog

/// Milliseconds of a clock that never goes back, such as the time since the process started. The state machines of this
/// module know no clock of their own: every input brings the time.
public typealias MonotonicMilliseconds = UInt64

/// The version and the fixed limits of the replication protocol (`Protocols/replication.proto`).
public enum ReplicationProtocol {
    /// Draft 0: everything may change until the formats are frozen.
    public static let version: UInt64 = 0
    /// Bytes of a message. Larger ones are refused unread.
    public static let messageBytes = 512 * 1024
    /// Bytes of the rows in one part of a head vector, so that a part stays well below a message.
    public static let havePartBytes = 384 * 1024
    /// Parts of one head vector.
    public static let haveParts = 1_024
    /// Entries of one range.
    public static let rangeEntries = RangeLimit.entries
    /// Bytes of a checkpoint with its signatures.
    public static let checkpointBytes = 24 * 1024
    /// Hashes of the path in a fork proof: twice what the largest log needs.
    public static let proofHashes = 128
    /// Bytes of the text of a refusal.
    public static let refusalTextBytes = 512
    /// Cosignatures in one message.
    public static let cosignatures = 256
    /// Versions of the charter in one message.
    public static let charterVersions = 256
    /// Bytes of charter versions in one message; the first goes whatever its size.
    public static let charterBytes = 384 * 1024
    /// Orders in one message.
    public static let ordersInMessage = 256
    /// Bytes of orders in one message; the first goes whatever its size.
    public static let orderBytes = 256 * 1024
    /// No log has more entries: sums of the sizes that a peer may name can then never overflow.
    public static let logSize: UInt64 = 1 << 40
}

/// How much a node takes at once and how long it waits. The defaults are those a node runs with.
public struct ReplicationConfiguration: Hashable, Sendable {
    /// Logs that are pulled from one peer at the same time.
    public var logsInFlight = 16
    /// Bytes that one peer may have under way to us on request, over all logs.
    public var creditWindowBytes = 4 * 1024 * 1024
    /// Bytes of entries in one range; the store ends it at a checkpoint, so it may hold up to one entry more.
    public var rangeBytes = 256 * 1024
    /// Bytes that may be under way to one peer unasked.
    public var pushWindowBytes = 1024 * 1024
    /// Ranges that may be under way to one peer unasked.
    public var pushesInFlight = 64
    /// Logs that one peer may ask us for at the same time.
    public var wantsPerPeer = 256
    /// Logs that one peer may name to us.
    public var logsPerPeer = 65_536
    /// Time between two comparisons with a peer when nothing else happens.
    public var antiEntropyMilliseconds: UInt64 = 30_000
    /// Time after which an unanswered greeting, charter request or first comparison is repeated.
    public var retryMilliseconds: UInt64 = 2_000
    /// Time without a range after which a log is asked for elsewhere.
    public var wantTimeoutMilliseconds: UInt64 = 10_000
    /// Time without a receipt after which what was sent unasked counts as lost.
    public var pushTimeoutMilliseconds: UInt64 = 5_000
    /// Time for which a peer that failed us is not asked for that log again; it doubles with every further failure.
    public var backOffMilliseconds: UInt64 = 30_000
    /// Failures after which a peer is asked for nothing during a whole back-off time.
    public var strikesBeforeSuspension = 32
    /// Holders of a stream up to which each tells each what is durable; of more, where the writer reaches all, a few tell a few.
    public var peersToldDirectly = 16
    /// Shortest time between two messages that only hint at new entries.
    public var hintMilliseconds: UInt64 = 20
    /// Shortest time between two answers of the costly kind (digests, vectors, charters) to one peer.
    public var answerMilliseconds: UInt64 = 100
    /// Shortest time between two cosignatures of one log by this node, and between two requests to one witness for one.
    public var witnessMilliseconds: UInt64 = 10_000
    /// Longest time after which a witness that does not answer is asked again.
    public var witnessPatienceMilliseconds: UInt64 = 16 * 60_000
    /// Shortest time between two messages with cosignatures to one peer.
    public var cosignatureMilliseconds: UInt64 = 1_000
    /// Incidents reported about one peer in a minute; the rest is only counted.
    public var incidentsPerMinute = 16

    /// The values a node runs with.
    public init() {}
}
