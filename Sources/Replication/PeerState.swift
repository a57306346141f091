import EventLog

/// What the machine keeps in mind about one peer.
///
/// Invariants:
/// - `known`, `backOffs`, `flows`, `pushes` and the queues are bounded by ``ReplicationConfiguration``;
/// - `pulling` are the logs whose ``Pull`` names this peer;
/// - `pushedBytes` and `pushCount` are the sums over `pushes`;
/// - at most one read of the store is under way for the peer.
struct PeerState: Sendable {
    // MARK: The link

    /// How far we have got.
    var phase = PeerPhase.down
    /// Set when the transport did not take a message: nothing is sent until the link is writable again.
    var isBlocked = false
    /// Which run of the peer's process greeted last.
    var incarnation: UInt64?
    /// How many charter versions the peer holds, and the hash that stands for them.
    var charter: (count: UInt64, hash: Hash)?
    /// How far the peer's versions were asked for.
    var charterReading: CharterReading?
    /// When to greet again if nothing is exchanged.
    var nextHello: MonotonicMilliseconds = 0
    /// When we greeted last, so that stray messages do not make us greet without end.
    var lastHello: MonotonicMilliseconds?
    /// When charter versions were last asked for, and last sent.
    var lastCharterRequest: MonotonicMilliseconds?
    var lastCharterAnswer: (time: MonotonicMilliseconds, first: UInt64)?

    // MARK: What the peer holds

    /// What the peer is known to hold durably. Kept when the link goes down: what is durable stays so.
    var known: [LogID: LogHead] = [:]
    /// Whether all its heads have been told since the link came up.
    var hasAnswered = false
    /// A head vector that came in part.
    var vector: IncomingVector?
    /// When to compare digests again.
    var nextDigest: MonotonicMilliseconds = 0
    /// When a digest was last answered, and one that came too soon after it.
    var lastDigest: MonotonicMilliseconds?
    var digestToAnswer: HaveDigest?
    /// The version of our heads at which the peer was last known to hold exactly the same.
    var equalAt: UInt64?
    /// The digest for this peer and the version of the heads it was computed at.
    var digest: (version: UInt64, hash: Hash, count: UInt64)?
    /// When our whole vector was last sent, and at which version of the heads.
    var lastVector: (time: MonotonicMilliseconds, version: UInt64)?
    /// The peer's digest that differed from ours when it was last compared.
    var differingDigest: Hash?
    /// Our whole vector is to be sent as soon as enough time has passed since the last.
    var owesVector = false

    /// The forked logs of which the peer is known to hold a proof, and when ours were last sent.
    var knownForks: Set<LogID> = []
    var lastProofs: MonotonicMilliseconds?

    // MARK: Pulling from the peer

    /// Logs of which the peer may have more than we do. Judged again when taken out.
    var candidates = LogQueue()
    /// Logs being pulled from the peer.
    var pulling: Set<LogID> = []
    /// Logs that the peer failed to deliver.
    var backOffs: [LogID: BackOff] = [:]
    /// Failures not yet made good by deliveries.
    var strikes = 0
    /// Until then the peer is asked for nothing.
    var suspendedUntil: MonotonicMilliseconds = 0
    /// Bytes handed to the store and not durable yet.
    var ingestingBytes = 0

    // MARK: Serving the peer

    /// What is being sent to the peer.
    var flows: [LogID: Flow] = [:]
    /// Those of `flows` that have credit and something to send.
    var ready = LogQueue()
    /// The read under way for the peer, if one is.
    var reading: ReadToken?
    /// What was sent unasked and has no receipt yet.
    var pushes: [LogID: Push] = [:]
    var pushedBytes = 0
    var pushCount = 0
    /// Logs whose new head is to be told.
    var hints = LogQueue()
    var nextHint: MonotonicMilliseconds = 0

    // MARK: Witnessing

    /// What it has to do with it as a witness.
    var witnessing = PeerWitnessing()

    // MARK: Counting

    var sentBytes: UInt64 = 0
    var receivedBytes: UInt64 = 0
    var faults: UInt64 = 0
    var refusals: UInt64 = 0
    var suppressedIncidents: UInt64 = 0
    var lastHeard: MonotonicMilliseconds?
    var lastRefusal: MonotonicMilliseconds?
    /// Kinds of incidents that are reported once a session only.
    var reportedOnce: Set<ReplicationIncident.Kind> = []
    var incidentsInMinute = 0
    var incidentMinute: UInt64 = 0

    /// True where heads and entries may be sent.
    var isExchanging: Bool { phase == .exchanging && !isBlocked }

    /// Forgets what belonged to one run of the link; what the peer holds durably and the counts stay.
    mutating func endSession() {
        incarnation = nil
        charter = nil
        isBlocked = false
        hasAnswered = false
        charterReading = nil
        lastCharterRequest = nil
        lastCharterAnswer = nil
        lastHello = nil
        lastDigest = nil
        knownForks = []
        lastProofs = nil
        reportedOnce = []
        endExchange()
    }

    /// Forgets what is under way in both directions. The pulls must have been ended before.
    mutating func endExchange() {
        vector = nil
        digestToAnswer = nil
        equalAt = nil
        lastVector = nil
        differingDigest = nil
        owesVector = false
        candidates.removeAll()
        flows = [:]
        ready.removeAll()
        pushes = [:]
        pushedBytes = 0
        pushCount = 0
        hints.removeAll()
        witnessing = PeerWitnessing()
    }

    /// How many things are kept in mind: what a hostile peer could make grow.
    var footprint: Int {
        known.count + backOffs.count + flows.count + ready.count + pushCount + pushes.count + hints.count
            + candidates.count + reportedOnce.count + knownForks.count + (vector?.named.count ?? 0)
            + witnessing.footprint
    }
}

/// A head vector of which some parts have come.
struct IncomingVector: Sendable {
    /// Its number.
    let number: UInt64
    /// How many parts it has.
    let partCount: Int
    /// Positions of the parts that have come.
    var received: Set<Int> = []
    /// The logs named so far.
    var named: Set<LogID> = []
}

/// A time during which a peer is not asked for a log.
struct BackOff: Sendable {
    /// How often in a row the peer failed.
    var failures: Int
    /// Until then it is not asked.
    var until: MonotonicMilliseconds
}

/// What is being sent to a peer of one log.
struct Flow: Sendable {
    /// The pull it answers; 0 for what is sent unasked.
    var pull: UInt64
    /// Index of the next entry to send.
    var next: UInt64
    /// Bytes sent in this pull.
    var sentBytes: UInt64 = 0
    /// Bytes that may be sent in this pull.
    var creditBytes: UInt64
    /// When the peer last asked or was last sent something.
    var lastActive: MonotonicMilliseconds

    /// True for what is sent unasked.
    var isPush: Bool { pull == 0 }
    /// Bytes that may still be sent.
    var creditLeft: UInt64 { creditBytes > sentBytes ? creditBytes - sentBytes : 0 }
}

/// Ranges of one log that were sent unasked.
struct Push: Sendable {
    /// End and bytes of each range that has no receipt yet, oldest first.
    var ranges: [(end: UInt64, bytes: Int)]
    /// When the last was sent or acknowledged.
    var lastActive: MonotonicMilliseconds

    /// Index after the last entry sent.
    var end: UInt64 { ranges.last?.end ?? 0 }
}

/// A log that is being pulled, from one peer.
struct Pull: Sendable {
    /// The log.
    let name: LogName
    /// The source.
    let peer: NodeID
    /// Names the pull in messages.
    var number: UInt64
    /// Index it was begun at.
    var from: UInt64
    /// Bytes granted in all.
    var grantedBytes: UInt64
    /// Bytes of it that came and are done with.
    var settledBytes: UInt64 = 0
    /// When it was begun, or last brought something.
    var lastProgress: MonotonicMilliseconds
    /// Where the peer's history is compared with ours instead of continuing it, the index that is looked at next.
    var searchedFrom: UInt64?

    /// Bytes that may still be under way.
    var outstandingBytes: UInt64 { grantedBytes > settledBytes ? grantedBytes - settledBytes : 0 }
}

/// Ranges of one log that the store has been handed and has not finished.
struct PendingIngest: Sendable {
    /// Who writes the log.
    let writer: NodeID
    /// Index after the last entry handed over.
    var end: UInt64
    /// Distinguishes these ranges from those handed over before a failure.
    var generation: UInt64
}

/// A range that the store has been handed.
struct IngestRecord: Sendable {
    let log: LogID
    let name: LogName
    let peer: NodeID
    let pull: UInt64
    let start: UInt64
    let end: UInt64
    let bytes: Int
    let generation: UInt64
    /// Whether it is compared with what is held instead of continuing it.
    var isSearch = false
    /// Whether the log's writer said that all who may hold it are sent it.
    var isSentToAll = false
}

/// A read that was asked of the store.
struct ReadRecord: Sendable {
    let peer: NodeID
    let log: LogID
    let pull: UInt64
    let from: UInt64
}

/// How far the charter that a peer greeted with was asked for.
struct CharterReading: Sendable {
    /// Stands for the versions that the peer holds.
    let hash: Hash
    /// The place among them from which to ask next.
    var next: UInt64
    /// Whether they were asked for from the first.
    let isWhole: Bool
}
