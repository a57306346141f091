/// What ``ReplicationBenchmark`` measured, with the limits of the same machine in the same run beside it.
public struct ReplicationBenchmarkReport: Hashable, Sendable, Codable {
    /// How fast an empty node caught up with a full one.
    public struct CatchUp: Hashable, Sendable, Codable {
        /// What the entries are.
        public var content: String
        /// Entries of the log that was fetched.
        public var entries: Int
        /// Bytes of an entry, header and body, on average.
        public var bytesPerEntry: Int
        /// Commands a second that the first node decided, wrote and folded before.
        public var commandsPerSecond: Double
        /// From the opening of the second node's sockets until it held everything durably, checked and folded.
        public var seconds: Double
        /// Entries a second over this time.
        public var entriesPerSecond: Double
        /// Million bytes of entries a second.
        public var megabytesPerSecond: Double
        /// Entries that shared a transaction at the second node, on average.
        public var entriesPerCommit: Double
        /// Rows a second of a bare SQLite table with the same settings, bytes and rows in a transaction.
        public var plainInsertsPerSecond: Double
    }

    /// How fast an empty node caught up while a third node did harm to both, on the same machine.
    public struct BesideHarm: Hashable, Sendable, Codable {
        /// What the third node did.
        public var behaviour: MisbehavingPeer.Behaviour
        /// Entries a second.
        public var entriesPerSecond: Double
        /// The same pair of nodes just before, without the third one.
        public var entriesPerSecondAlone: Double
        /// Million bytes a second that the third node sent meanwhile; it takes part of the same processors for that.
        public var sentMegabytesPerSecond: Double
    }

    /// How soon an entry that is durable at one node was durable and folded at the other, nothing else going on.
    public struct Live: Hashable, Sendable, Codable {
        /// Entries measured, one after the other.
        public var samples: Int
        /// Half arrived within this time.
        public var medianMilliseconds: Double
        /// All but one in a hundred arrived within this time.
        public var percentile99Milliseconds: Double
        /// The slowest.
        public var maximumMilliseconds: Double
    }

    /// What the machine can do at most.
    public struct Limits: Hashable, Sendable, Codable {
        /// Milliseconds of writing one page and fsync.
        public var fsyncMilliseconds: Double
        /// SHA-256 of 300 bytes, a second, on one core.
        public var hashesPerSecond: Double
        /// Million bytes a second of messages of 256 KiB over the same encrypted transport, on loopback.
        public var curveMegabytesPerSecond: Double
    }

    /// Catching up, once for each kind of entries.
    public var catchUp: [CatchUp]
    /// Live entries.
    public var live: Live
    /// Catching up beside a third node that does harm, once for each kind of harm.
    public var besideHarm: [BesideHarm]
    /// The machine.
    public var limits: Limits
}
