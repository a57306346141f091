import EventLog
import MemoryDisk
import Node
import Replication
import StoreCore
import Trial

/// A command on its way, and what became of it.
struct SentByClient {
    let command: Command
    /// Tells repetitions from another command under the same id.
    let digest: Hash
    let node: NodeID
    var outcome: CommandOutcome?
    /// Why the node gave no answer; it is to be asked again.
    var isLost = false

    var sent: SentCommand { SentCommand(command: command, digest: digest, authentication: .localAccount) }
}

/// What waits for a node's store.
enum StoreJob {
    case ingest(IngestToken, EntryRange, LogName, NodeID)
    /// By its place in the simulation's list.
    case command(Int)
    case confirm(StartGround, closing: [LogID])
    case charter(CharterChain)
    case forkProof(ForkProof, LogName, NodeID)
    case incident(Incident)
}

/// A node of a simulation: its disk and clock, and while it runs the production code on them.
///
/// Invariant: `core`, `state`, `machine` and `startRule` are there together, exactly while the node runs.
final class SimulatedNode {
    let id: NodeID
    let disk = MemoryDisk()
    var clock = SimulatedClock()
    /// What store and commands draw from.
    var generator: SimulationGenerator
    /// The charter by which the node was set up.
    let founding: CharterChain
    var configuredPeers: [NodeID] = []

    private(set) var running: Running?
    /// Counts the starts, so that answers of an earlier run are recognised.
    private(set) var run: UInt64 = 0
    var boot = 1
    private(set) var machineNumber = 1
    var jobs: [StoreJob] = []
    var isStoreScheduled = false
    /// Commands that came before the node may write.
    var waitingCommands: [Int] = []
    /// Milliseconds by which everything takes longer.
    var slownessMilliseconds = 0
    /// The node may not be started: its disk is being repaired or copied.
    var isDownUntil: UInt64 = 0
    /// The last copy of the disk, and the boot in which it was made.
    var backup: (image: MemoryDisk.Image, boot: Int)?
    /// The disk may hold what nobody wrote.
    var isDamaged = false
    /// Whether it was ever started.
    var isSetUp = false
    var lastHeads: [LogHead] = []
    /// Whether the machine, and not only the process, ends in the operation in which the disk is to stop.
    var powerLossComes = false
    /// How many entries of participants waited for authority when that was last counted.
    var waitingForAuthority = 0
    /// The failures of the disk that were counted.
    var countedFailures = 0
    /// A hostile node's earlier messages, to send them again.
    var remembered: [[UInt8]] = []

    /// What a running node consists of.
    struct Running {
        let core: StoreCore
        var state: NodeState
        var machine: ReplicationMachine
        var startRule: StartRule
        /// What the machine was told last of who may hold what.
        var policy: NodeHoldingPolicy
        var mayAppend = false
        var isConfirming = false
        var authorityRevision: UInt64 = 0
    }

    init(_ id: NodeID, seed: UInt64) {
        self.id = id
        founding = Cast.founding
        generator = SimulationGenerator(seed: seed, purpose: 100 + UInt64(Cast.everybody.firstIndex(of: id) ?? 0))
    }

    var isRunning: Bool { running != nil }
    var core: StoreCore? { running?.core }
    /// The heads that are durable: of a node that is down, those it had last.
    var heads: [LogHead] {
        if let core = running?.core, let heads = try? core.replicationHeads() { return heads }
        return lastHeads
    }

    private static let directory = "/varde"
    static let eventsFile = StoreConfiguration.eventsFile(in: directory)

    var storeConfiguration: StoreConfiguration {
        var configuration = StoreConfiguration(
            directory: SimulatedNode.directory, network: Cast.network, node: id,
            signingSeed: Cast.signingSeed(of: id), software: "simulation", fileSystem: disk.name,
            machine: MachineIdentity(machine: "\(id)-\(machineNumber)", boot: "\(boot)"))
        configuration.files = disk
        return configuration
    }

    /// Opens the store, folds what it holds, and makes the machine, as a node does that starts.
    func start(now: UInt64) throws {
        run += 1
        jobs = []
        isStoreScheduled = false
        isSetUp = true
        let core = try StoreCore(
            storeConfiguration, generator: SimulationGenerator(seed: generator.next()))
        do {
            let state = try NodeStart.state(core, founding: founding, network: Cast.network)
            let policy = NodeHoldingPolicy(node: id, holders: state.holders(for: id))
            let machine = ReplicationMachine(
                node: id, incarnation: generator.next(), charter: state.chain, heads: try core.replicationHeads(),
                forks: try ForkReport.all(core), policy: policy,
                configuration: SimulatedNode.pace)
            let guardResult: StartRule.GuardResult =
                switch core.startVerdict {
                case .noLogYet: .noLogYet
                case .agrees: .agrees
                case .differs([.boot]), .differs([.machine]), .differs([.machine, .boot]): .differs
                case .differs: .setBack
                }
            let rule = StartRule(
                guardResult: guardResult, configuredPeers: configuredPeers,
                heads: try core.replicationHeads().filter { $0.name.node == id },
                now: now, waitMilliseconds: 1_500)
            running = Running(core: core, state: state, machine: machine, startRule: rule, policy: policy)
        } catch {
            core.discard()
            throw error
        }
    }

    /// Ends the process however it stands.
    func end() {
        guard let running else { return }
        lastHeads = (try? running.core.replicationHeads()) ?? lastHeads
        running.core.discard()
        self.running = nil
        jobs = []
        isStoreScheduled = false
        waitingCommands = []
        slownessMilliseconds = 0
    }

    /// Another boot of the machine, or another machine.
    func rebooted(onOtherMachine: Bool = false) {
        boot += 1
        if onOtherMachine { machineNumber += 1 }
    }

    /// Changes what runs in place; nil while nothing does.
    func with<Result>(_ body: (inout Running) throws -> Result) rethrows -> Result? {
        guard var taken = running else { return nil }
        running = nil
        defer { running = taken }
        return try body(&taken)
    }

    /// Small limits and short times, so that every limit is reached in a few virtual seconds.
    static let pace: ReplicationConfiguration = {
        var pace = ReplicationConfiguration()
        pace.logsInFlight = 4
        pace.creditWindowBytes = 24_000
        pace.rangeBytes = 6_000
        pace.pushWindowBytes = 8_000
        pace.pushesInFlight = 8
        pace.logsPerPeer = 512
        pace.peersToldDirectly = 1
        pace.antiEntropyMilliseconds = 1_000
        pace.retryMilliseconds = 200
        pace.wantTimeoutMilliseconds = 600
        pace.pushTimeoutMilliseconds = 400
        pace.backOffMilliseconds = 400
        return pace
    }()
}

/// A node's clock: true time, shifted, or standing still.
struct SimulatedClock {
    /// What all clocks show when a simulation begins: 2025-03-01T08:00:00Z.
    static let beginning: Int64 = 1_740_816_000_000
    var offsetMilliseconds: Int64 = 0
    /// The simulation's time at which it stands still.
    var frozenAt: UInt64?

    func time(_ now: UInt64) -> NodeTime {
        NodeTime(
            utcMilliseconds: SimulatedClock.beginning + Int64(frozenAt ?? now) + offsetMilliseconds, offsetMinutes: 60)
    }
}
