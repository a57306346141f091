import EventLog
import Replication

/// A node of a simulation: what is durable, and while it runs its state machine.
final class SimulatedNode {
    let id: NodeID
    var store: SimulatedStore
    /// The charter as it is stored.
    var charter: CharterChain
    /// What the node has last learnt of who may hold what.
    var policy: ListedHoldingPolicy
    let configuration: ReplicationConfiguration
    /// Whom it is configured to connect to.
    var configuredPeers: [NodeID] = []

    /// Nil while the node is down.
    var machine: ReplicationMachine?
    var startRule: StartRule?
    /// What the guard file says; once it differs it does so until the node has decided how to go on.
    var guardAgrees = true
    /// What is durable of its work as a witness; nil where it takes no part.
    var witness: SimulatedWitness?
    /// Counts the starts, so that answers of an earlier run are recognised.
    var run: UInt64 = 0
    /// The time at which the store will have done all it was handed so far.
    var storeBusyUntil: UInt64 = 0

    /// Alters what the node sends: a lying peer.
    var tamper: ((ReplicationMessage, _ to: NodeID) -> [ReplicationMessage])?
    /// Entries and bytes that came from peers in ranges, and how many of them were needed.
    var receivedEntries = 0
    var storedEntries = 0
    var messagesReceived = 0
    var bytesReceived = 0
    var incidents: [ReplicationIncident] = []
    /// Logs for which the start rule demanded a new epoch.
    var closedLogs: Set<LogID> = []

    init(
        id: NodeID, signing: Signing, charter: CharterChain, policy: ListedHoldingPolicy,
        configuration: ReplicationConfiguration
    ) {
        self.id = id
        store = SimulatedStore(node: id, signing: signing)
        self.charter = charter
        self.policy = policy
        self.configuration = configuration
    }

    var isRunning: Bool { machine != nil }

    func start(now: UInt64, using random: inout SplitMix64) {
        run += 1
        storeBusyUntil = now
        machine = ReplicationMachine(
            node: id, incarnation: random.next(), charter: charter, heads: store.heads, policy: policy,
            configuration: configuration, witness: witness?.mode ?? .none,
            cosigned: witness?.cosigned.values.sorted { $0.head.log < $1.head.log } ?? [],
            kept: witness?.kept.values.sorted { $0.unixSeconds < $1.unixSeconds } ?? [])
        startRule = StartRule(
            guardResult: store.ownHeads.isEmpty ? .noLogYet : guardAgrees ? .agrees : .differs,
            configuredPeers: configuredPeers, heads: store.ownHeads, now: now, waitMilliseconds: 500)
    }

    func stop() {
        machine = nil
        startRule = nil
    }

    /// Whether the node may append now; closes the logs that must not be written to any more.
    func mayAppend(now: UInt64) -> Bool {
        guard case .mayAppend(let epochs)? = startRule?.decide(now: now) else { return false }
        guardAgrees = true
        switch epochs {
        case .none: break
        case .all:
            closedLogs.formUnion(store.current.values)
            store.current = [:]
            startRule?.allEpochsOpened()
        case .logs(let logs):
            closedLogs.formUnion(logs)
            store.current = store.current.filter { !logs.contains($0.value) }
            for log in logs { startRule?.epochOpened(for: log) }
        }
        return true
    }
}
