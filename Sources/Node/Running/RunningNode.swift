import EventLog
import Foundation
import Interchange
public import Logging
import Replication
import ServiceLifecycle
import Store
import StoreCore
import Synchronization
import Trial
import UnixSignals
import ZeroMQTransport

/// The name and version that entries say they were written by.
public enum Software {
    /// `varde/0.1.0`.
    public static let name = "varde/0.1.0"
}

/// A hospital's node at work: its store, its links to other nodes, and its local socket, under one service group.
public struct RunningNode {
    private let directory: NodeDirectory
    private let logger: Logger

    /// Prepares the node in `directory`; nothing is opened yet.
    public init(directory: NodeDirectory, logger: Logger) {
        self.directory = directory
        self.logger = logger
    }

    /// Opens everything and works until a signal or `varde node stop` ends it.
    ///
    /// - Parameter onReady: called when the local socket is about to listen.
    /// - Throws: what keeps the node from starting: ``DirectoryError``, ``StoreCore/StoreError``, a transport's error.
    public func run(onReady: @escaping @Sendable () -> Void = {}) async throws {
        let configuration = try NodeConfiguration.read(directory)
        // The lock comes before anything is bound, so that a second process changes nothing.
        let lock = try DirectoryLock(directory: directory.path)
        let keys = try NodeKeys.read(directory)
        let founding = try NodeStart.foundingChain(directory, configuration)
        let commits = CommitRelay()
        let store = try await Store<NodeState>(
            StoreConfiguration(
                directory: directory.path, network: configuration.network, node: configuration.node,
                signingSeed: keys.signingSeed, software: Software.name),
            lock: lock, companion: { core in try NodeStart.state(core, founding: founding, configuration) },
            onCommit: { commits.take($0) })
        let (driver, transport) = try await makeDriver(configuration, keys: keys, store: store, commits: commits)
        try OwnerOnlyFile.write("\(getpid())\n", to: directory.processID, replacing: true)
        defer { unlink(directory.processID) }
        let stopping = StopSignal()
        let handler = NodeRequests(
            configuration: configuration, store: store, driver: driver,
            execution: CommandExecution(node: configuration.node, network: configuration.network, clock: NodeClock()),
            stopping: stopping)
        let server = LocalServer(path: directory.socket, handler: handler, logger: logger)
        onReady()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: StoreService(store: store)),
                    .init(service: ReplicationService(driver: driver, transport: transport)),
                    .init(service: server),
                    .init(
                        service: StopService(signal: stopping), successTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    private func makeDriver(
        _ configuration: NodeConfiguration, keys: NodeKeys, store: Store<NodeState>, commits: CommitRelay
    ) async throws -> (ReplicationDriver, ZeroMQTransport) {
        let (chain, heads, ownHeads, verdict, holders, revision) = try await store.read { core, state in
            (
                state.chain, try core.heads(), try core.ownLogs().map(\.head), core.startVerdict, state.holders(),
                state.authorityRevision
            )
        }
        let (allowed, peers) = ReplicationDriver.addresses(of: chain, configuration: configuration)
        let events = EventRelay()
        let transport = try ZeroMQTransport(
            configuration: TransportConfiguration(
                nodeName: configuration.node.text, keyPair: keys.curve, bindAddress: configuration.listen, peers: peers,
                allowedPeers: allowed),
            logger: logger, handler: { events.take($0) })
        var generator = SystemRandomNumberGenerator()
        let machine = ReplicationMachine(
            node: configuration.node, incarnation: generator.next(), charter: chain, heads: heads,
            policy: NodeHoldingPolicy(node: configuration.node, holders: holders))
        let guardResult: StartRule.GuardResult =
            switch verdict {
            case .noLogYet: .noLogYet
            case .agrees: .agrees
            case .differs: .differs
            }
        let rule = StartRule(
            guardResult: guardResult, configuredPeers: configuration.peers.keys.compactMap { NodeID($0) },
            heads: ownHeads, now: NodeClock.monotonicMilliseconds())
        let driver = ReplicationDriver(
            configuration: configuration, store: store, transport: transport, machine: machine, startRule: rule,
            startVerdict: verdict, logger: logger)
        events.driver = driver
        commits.driver = driver
        await driver.refreshAuthority(revision: revision)
        return (driver, transport)
    }
}

/// What a node needs to know before it starts.
enum NodeStart {
    /// The charter as the directory was given it, checked against the hash in the configuration.
    static func foundingChain(_ directory: NodeDirectory, _ configuration: NodeConfiguration) throws -> CharterChain {
        let text = try OwnerOnlyFile.read(
            directory.charter, advice: "a node is given the charter when its directory is made")
        guard let bytes = [UInt8](hex: text) else {
            throw DirectoryError.unreadable(path: directory.charter, reason: "it is not hexadecimal")
        }
        let chain: CharterChain
        do {
            chain = try CharterChain(bytes: bytes)
        } catch {
            throw DirectoryError.unreadable(path: directory.charter, reason: "\(error)")
        }
        guard chain.foundingHash.hex == configuration.charterFounding else {
            throw DirectoryError.unreadable(
                path: directory.charter, reason: "it is not the charter whose hash stands in node.json")
        }
        return chain
    }

    /// Folds what the store holds.
    static func state(
        _ core: StoreCore, founding: CharterChain, _ configuration: NodeConfiguration
    ) throws -> NodeState {
        let chain = try storedChain(core, founding: founding)
        if try core.charters().count < Int(chain.count) {
            try core.transaction {
                for signed in chain.versions { try core.storeCharter(CharterRecord(signed)) }
            }
        }
        var state = NodeState(chain: chain, network: configuration.network)
        try state.catchUp(core)
        return state
    }

    /// The founding charter with the later versions that the store holds.
    static func storedChain(_ reading: any EventReading, founding: CharterChain) throws -> CharterChain {
        var chain = founding
        for record in try reading.charters() where record.version >= chain.count {
            try chain.append(try SignedCharter(bytes: record.signatures))
        }
        return chain
    }
}

/// Hands the transport's events to the driver, on the polling thread both share.
private final class EventRelay: Sendable {
    private let held = Mutex<ReplicationDriver?>(nil)

    var driver: ReplicationDriver? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    func take(_ events: [TransportEvent]) {
        driver?.assumeIsolated { $0.handle(events) }
    }
}

/// Tells the driver of commits, from the store's thread.
private final class CommitRelay: Sendable {
    private let held = Mutex<ReplicationDriver?>(nil)

    var driver: ReplicationDriver? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    func take(_ logs: [CommittedLog]) {
        // What came from peers the driver learns in the order of its own requests.
        let own = logs.filter(\.isOwn)
        guard !own.isEmpty, let driver else { return }
        Task { await driver.committed(own) }
    }
}
