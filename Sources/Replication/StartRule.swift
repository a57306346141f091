public import EventLog

/// When a node may append after a start, and to which logs (DESIGN §4, "Start, restore, clone, fork").
///
/// A node whose disk was set back would write other entries in places that its peers know already. So before its first
/// append it hears its peers, takes back what it has lost, and writes on in a new epoch where anything seems wrong.
///
/// The rule:
/// - a node with no log yet need not ask;
/// - else all configured peers must have told their heads, or ten seconds have passed;
/// - what a peer shows beyond the disk is taken back first; that log is closed and a new epoch opened. A peer that shows
///   more than it can send holds the start up for at most ten seconds after the last entry came;
/// - where not all configured peers were heard, the guard file decides: it agrees, or all logs get a new epoch;
/// - where the guard file says that the disk was set back, copied or restored, all logs get a new epoch, whoever was heard:
///   a backup gives no right to append;
/// - also later, a log of which entries were taken back is closed and a new epoch opened.
///
/// What it cannot see: a node that no longer may hold a stream keeps its copy and is silent about it, and a node that is
/// not configured is not waited for. Whoever builds on the rule keeps the guard differing until the new epochs are open;
/// a commit of entries of others must not make it agree again.
///
/// Invariants:
/// - once appending is allowed it stays allowed;
/// - a log named in ``NewEpochs`` stays named until ``epochOpened(for:)``.
public struct StartRule: Sendable {
    /// What the small file beside the database says about the disk it lies on.
    public enum GuardResult: Hashable, Sendable {
        /// Directory, machine, boot and head agree with the file.
        case agrees
        /// The machine or its boot is another, and nothing else: peers that show no more than the disk prove it current.
        case differs
        /// The disk was set back, copied or restored: directory or head do not agree, or the file is missing though there
        /// are logs. What was written since may be with nobody who can be heard, or with a twin that still runs.
        case setBack
        /// This node has no log of its own yet.
        case noLogYet
    }

    /// Which logs must not be written to any more, because they are to be continued in a new epoch.
    public enum NewEpochs: Hashable, Sendable {
        /// None.
        case none
        /// These logs.
        case logs(Set<LogID>)
        /// Every log that was here at the start.
        case all
    }

    /// What the node may do.
    public enum Decision: Hashable, Sendable {
        /// It reads but writes nothing and gives out no numbers, until these peers have been heard and these own logs
        /// taken back.
        case waiting(for: [NodeID], takingBack: [LogID])
        /// It may append, after it has closed these logs and opened new epochs in their place.
        case mayAppend(openNewEpochFor: NewEpochs)
    }

    private let guardResult: GuardResult
    private let configuredPeers: [NodeID]
    private let deadline: MonotonicMilliseconds
    private let waitMilliseconds: UInt64
    /// How much of the own logs is on disk.
    private var sizes: [LogID: UInt64] = [:]
    /// How much of them peers claim to hold, where that is more.
    private var claims: [LogID: UInt64] = [:]
    private var answered: Set<NodeID> = []
    /// When something was last taken back.
    private var lastTakenBack: MonotonicMilliseconds
    /// The logs that need a new epoch, as far as that is decided.
    private var closing: Set<LogID> = []
    private var isClosingAll = false
    private var hasDecided = false

    /// The rule at the moment of a start.
    ///
    /// - Parameters:
    ///   - guardResult: what the guard file says.
    ///   - configuredPeers: the nodes this one is configured to connect to.
    ///   - heads: the node's own logs as they are on disk.
    ///   - now: the time.
    ///   - waitMilliseconds: how long peers are waited for.
    public init(
        guardResult: GuardResult, configuredPeers: [NodeID], heads: [LogHead], now: MonotonicMilliseconds,
        waitMilliseconds: UInt64 = 10_000
    ) {
        self.guardResult = guardResult
        self.configuredPeers = configuredPeers.sorted()
        self.waitMilliseconds = waitMilliseconds
        deadline = now + waitMilliseconds
        lastTakenBack = now
        for head in heads { sizes[head.name.id] = head.size }
    }

    /// Takes notice of what the replication machine brought about; effects of other kinds are passed over.
    public mutating func observe(_ effect: ReplicationEffect, now: MonotonicMilliseconds) {
        switch effect {
        case .peerAnswered(let peer): peerAnswered(peer)
        case .ownLogAhead(let head, _): ownLogAhead(log: head.name.id, size: head.size)
        case .ownEntriesTakenBack(let head, _): takenBack(log: head.name.id, size: head.size, now: now)
        case .ownLogForked(let log, let heads): forked(log, into: heads, now: now)
        default: break
        }
    }

    /// A peer has told all its heads.
    public mutating func peerAnswered(_ peer: NodeID) {
        answered.insert(peer)
    }

    /// A peer claims to hold more of an own log than is on disk. After the start only entries count, not claims: a log is
    /// not given up because somebody says something.
    public mutating func ownLogAhead(log: LogID, size: UInt64) {
        guard !hasDecided, size > max(sizes[log] ?? 0, claims[log] ?? 0) else { return }
        claims[log] = size
    }

    /// Own entries that had been lost are verified and durable again.
    public mutating func takenBack(log: LogID, size: UInt64, now: MonotonicMilliseconds) {
        sizes[log] = max(sizes[log] ?? 0, size)
        lastTakenBack = max(lastTakenBack, now)
        closing.insert(log)
    }

    /// Two histories of an own log are here, in these pieces.
    public mutating func forked(_ log: LogID, into heads: [LogHead], now: MonotonicMilliseconds) {
        claims[log] = nil
        for head in heads { sizes[head.name.id] = max(sizes[head.name.id] ?? 0, head.size) }
        lastTakenBack = max(lastTakenBack, now)
        closing.insert(log)
    }

    /// The node has closed a log and continues it in a new epoch.
    public mutating func epochOpened(for log: LogID) {
        closing.remove(log)
    }

    /// The node has closed all logs and continues them in new epochs.
    public mutating func allEpochsOpened() {
        closing = []
        isClosingAll = false
    }

    /// What the node may do now.
    public mutating func decide(now: MonotonicMilliseconds) -> Decision {
        if !hasDecided, let waiting = waiting(now: now) { return waiting }
        if !hasDecided {
            hasDecided = true
            closing.formUnion(claims.keys)
            let allAnswered = !configuredPeers.isEmpty && configuredPeers.allSatisfy(answered.contains)
            isClosingAll = guardResult == .setBack || guardResult == .differs && !allAnswered
        }
        if isClosingAll { return .mayAppend(openNewEpochFor: .all) }
        return .mayAppend(openNewEpochFor: closing.isEmpty ? .none : .logs(closing))
    }

    /// What is still waited for; nil where nothing is.
    private func waiting(now: MonotonicMilliseconds) -> Decision? {
        if guardResult == .noLogYet { return nil }
        let missing = now < deadline ? configuredPeers.filter { !answered.contains($0) } : []
        let until = max(deadline, lastTakenBack + waitMilliseconds)
        let lacking =
            now < until ? claims.filter { $0.value > sizes[$0.key] ?? 0 }.map(\.key).sorted() : []
        if missing.isEmpty && lacking.isEmpty { return nil }
        return .waiting(for: missing, takingBack: lacking)
    }
}
