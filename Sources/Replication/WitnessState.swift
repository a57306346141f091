public import EventLog

/// In what way a node takes part in witnessing.
public enum WitnessMode: Hashable, Sendable {
    /// Not at all: it neither cosigns nor asks.
    case none
    /// It asks others to vouch for its logs and cosigns nothing itself: it has no witness key that may be used.
    case silent
    /// It cosigns.
    case active
    /// Its state may have been set back: it cosigns only when these peers have told which of its cosignatures they keep.
    case afterHearing(Set<NodeID>)
}

/// What the machine keeps in mind as a witness and of witnesses.
///
/// Invariants:
/// - `newest[log]` is durable, and no cosignature of this node over another head of the log has left it;
/// - for each log at most one cosignature is under way;
/// - `kept[log]` holds for each key the cosignature with the largest size that is durable here.
struct WitnessState: Sendable {
    var mode = WitnessMode.none
    /// The head cosigned last of each log, and who writes the log.
    var newest: [LogID: (head: StatedHead, writer: NodeID)] = [:]
    /// When a log was last cosigned, or tried to be: when the store was handed it, and again when the store was done.
    var lastCosigned: [LogID: MonotonicMilliseconds] = [:]
    /// Logs that were cosigned before the start, it is not known when: as if at the first input.
    var cosignedBefore: Set<LogID> = []
    /// Logs of others that are held, of which more is held than was cosigned.
    var due: Set<LogID> = []
    /// No log of `due` may be cosigned before.
    var nextDue: MonotonicMilliseconds = 0
    /// The cosignatures under way: of which log, and who asked; nil where nobody did.
    var cosigning: [WitnessToken: (log: LogID, asker: NodeID?)] = [:]
    var cosigningLogs: Set<LogID> = []
    /// The proofs under way.
    var proving: [WitnessToken: (peer: NodeID, log: LogID)] = [:]
    /// The newest cosignature of each log and key.
    var kept: [LogID: [WitnessName: KeptCosignature]] = [:]
    /// Sizes handed to the store and not durable yet.
    var keeping: [LogID: [WitnessName: UInt64]] = [:]
    /// Counts changes of `kept`.
    var version: UInt64 = 1

    /// How many things are kept in mind.
    var footprint: Int {
        newest.count + due.count + cosigning.count + proving.count + kept.values.reduce(0) { $0 + $1.count }
            + keeping.values.reduce(0) { $0 + $1.count }
    }
}

/// One cosignature among those kept.
struct CosignatureKey: Hashable, Comparable, Sendable {
    let log: LogID
    let witness: WitnessName

    static func < (left: CosignatureKey, right: CosignatureKey) -> Bool {
        left.log != right.log
            ? left.log < right.log
            : (left.witness.node, left.witness.number) < (right.witness.node, right.witness.number)
    }
}

/// What is kept in mind of a peer as a witness, for one run of the exchange.
struct PeerWitnessing: Sendable {
    /// How a log of this node's own stands with the peer, which may not hold it.
    struct Asking: Sendable {
        /// The size that the peer said to have cosigned last; nil where it said nothing.
        var stated: UInt64?
        /// When it may be asked again, and how long is waited after that.
        var next: MonotonicMilliseconds
        var wait: UInt64 = 0
    }

    /// Own logs that the peer may not hold and has not cosigned as far as they go.
    var toAsk: [LogID: Asking] = [:]
    /// When an own log may be asked for again at the earliest, whether or not the peer has answered since.
    var notBefore: [LogID: MonotonicMilliseconds] = [:]
    /// No log of `toAsk` may be asked for before.
    var nextAsk: MonotonicMilliseconds = 0
    /// A proof for the peer is being made.
    var isProving = false
    /// Cosignatures that are to be told.
    var queue: Set<CosignatureKey> = []
    var nextFlush: MonotonicMilliseconds = 0
    /// All that concern the peer are to be told.
    var owesAll = false
    var lastAll: MonotonicMilliseconds?
    /// Two digests that differ, and since when they have stayed the same.
    var differing: (mine: Hash, theirs: Hash, since: MonotonicMilliseconds)?
    /// Whether the peer has told all that concern this node.
    var hasTold = false
    /// Not listened to before, because it sent a wrong cosignature.
    var deafUntil: MonotonicMilliseconds = 0
    /// The digest over the cosignatures that concern the peer, and what it was computed from.
    var digest: (heads: UInt64, kept: UInt64, hash: Hash)?

    var footprint: Int { toAsk.count + notBefore.count + queue.count }
}

extension ReplicationMachine {
    /// What this node says, as `varde status` shows it, of one log: who vouches for how much.
    public func cosignatures(of log: LogID) -> [KeptCosignature] {
        (witness.kept[log] ?? [:]).values.sorted { CosignatureKey($0) < CosignatureKey($1) }
    }

    /// In what way this node takes part in witnessing now.
    public var witnessMode: WitnessMode { witness.mode }

    /// The head of a log that this node cosigned last; nil where it never did.
    public func newestCosigned(of log: LogID) -> StatedHead? { witness.newest[log]?.head }
}
