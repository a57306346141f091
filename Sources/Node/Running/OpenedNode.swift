import EventLog
import Logging
import Replication
import Store
import StoreCore
import Synchronization
import Views
import ZeroMQTransport

/// A node's parts, opened and joined to each other; nothing listens or connects yet.
struct OpenedNode {
    let configuration: NodeConfiguration
    let store: Store<NodeState>
    let driver: ReplicationDriver
    let transport: ZeroMQTransport
    let views: StudyViews
    let scrub: Scrub

    /// Opens the node in a directory.
    ///
    /// - Parameter onCommit: called on the store's thread after each commit that brought entries, before anybody else is
    ///   told; it must not wait. `onFailure` is called there once, when the store has failed.
    /// - Throws: ``DirectoryError``, ``StoreCore/StoreError``, a transport's error.
    static func open(
        _ directory: NodeDirectory, logger: Logger,
        onCommit: @escaping @Sendable ([CommittedLog]) -> Void = { _ in },
        onFailure: @escaping @Sendable (any Error) -> Void = { _ in }
    ) async throws -> OpenedNode {
        let configuration = try NodeConfiguration.read(directory)
        try directory.checkSocketPath()
        // The lock comes before anything is bound, so that a second process changes nothing.
        let lock = try DirectoryLock(directory: directory.path)
        let founding = try NodeStart.foundingChain(directory, configuration)
        let known =
            try NodeStart.reader(directory).map { try NodeStart.storedChain($0, founding: founding) } ?? founding
        try KeyReplacement(directory).finish(by: known, for: configuration.node)
        let keys = try NodeKeys.read(directory)
        let link = DriverLink()
        let store = try await Store<NodeState>(
            StoreConfiguration(
                directory: directory.path, network: configuration.network, node: configuration.node,
                signingSeed: keys.signingSeed, software: Software.name),
            lock: lock,
            companion: { core in try NodeStart.state(core, founding: founding, network: configuration.network) },
            onCommit: { logs in
                onCommit(logs)
                link.take(logs)
                link.views?.changed()
            },
            onFailure: { error in
                logger.critical("nothing is written any more, reading goes on: \(error)")
                onFailure(error)
            })
        let views = StudyViews(dataDirectory: directory.path, node: configuration.node) { asked in
            try await store.read { core, state in try state.viewReport(naming: asked, core) }
        } onFailure: { study, error in
            logger.error("the view of study \(study) is not kept: \(error)")
        }
        link.views = views
        let (driver, transport) = try await join(
            configuration, directory, keys: keys, store: store, link: link, logger: logger)
        return OpenedNode(
            configuration: configuration, store: store, driver: driver, transport: transport, views: views,
            scrub: Scrub(
                directory: directory.path, store: store, driver: driver,
                settings: configuration.scrub ?? ScrubSettings(), logger: logger))
    }

    private static func join(
        _ configuration: NodeConfiguration, _ directory: NodeDirectory, keys: NodeKeys, store: Store<NodeState>,
        link: DriverLink, logger: Logger
    ) async throws -> (ReplicationDriver, ZeroMQTransport) {
        let node = configuration.node
        let (chain, heads, forks, ownHeads, verdict, holders, revision) = try await store.read { core, state in
            (
                state.chain, try core.replicationHeads(), try ForkReport.all(core),
                try core.replicationHeads().filter { $0.name.node == node }, core.startVerdict,
                state.holders(for: node), state.authorityRevision
            )
        }
        let signer = try WitnessSigner(seed: keys.witnessSeed)
        let identity = try await store.read { core, _ in core.identity }
        let binding = try signer.bind(to: identity, in: directory)
        let time = NodeClock().now()
        let witness = try await store.read { core, state in
            try WitnessStart.judge(
                core, state.chain, signer: signer, binding: binding, configuration: configuration, time: time)
        }
        let trouble = try await store.read { core, _ in try core.retirement(of: signer.publicKey) }
        let (allowed, peers) = ReplicationDriver.addresses(of: chain, configuration: configuration)
        var limits = TransportLimits()
        // What libzmq may hold for a connection is as many messages times this.
        limits.messageBytes = ReplicationProtocol.messageBytes
        let transport = try ZeroMQTransport(
            configuration: TransportConfiguration(
                nodeName: configuration.node.text, keyPair: keys.curve, bindAddress: configuration.listen, peers: peers,
                allowedPeers: allowed, limits: limits),
            logger: logger, handler: { link.take($0) })
        var generator = SystemRandomNumberGenerator()
        var pace = ReplicationConfiguration()
        // A few hundred bytes to each peer, so that a screen that says where a form is known is not long behind.
        pace.antiEntropyMilliseconds = 5_000
        let machine = ReplicationMachine(
            node: configuration.node, incarnation: generator.next(), charter: chain, heads: heads, forks: forks,
            policy: NodeHoldingPolicy(node: configuration.node, holders: holders), configuration: pace,
            witness: signer.name(of: configuration.node, in: chain) == nil ? .silent : witness.mode,
            cosigned: witness.cosigned.map { ($0.head, $0.writer) }, kept: witness.kept)
        let guardResult: StartRule.GuardResult =
            switch verdict {
            case .noLogYet: .noLogYet
            case .agrees: .agrees
            case .differs([.boot]), .differs([.machine]), .differs([.machine, .boot]): .differs
            case .differs: .setBack
            }
        let rule = StartRule(
            guardResult: guardResult, configuredPeers: configuration.peers.keys.compactMap { NodeID($0) },
            heads: ownHeads, now: NodeClock.monotonicMilliseconds())
        let driver = ReplicationDriver(
            configuration: configuration, store: store, transport: transport, machine: machine, directory: directory,
            witness: witness, witnessTrouble: trouble, startRule: rule,
            startVerdict: verdict, onCharter: { link.views?.changed() }, logger: logger)
        link.driver = driver
        await driver.refreshAuthority(revision: revision)
        return (driver, transport)
    }
}

/// Leads to the driver and the views from the transport and the store, which have to be made before them.
private final class DriverLink: Sendable {
    private let held = Mutex<ReplicationDriver?>(nil)
    private let heldViews = Mutex<StudyViews?>(nil)

    var views: StudyViews? {
        get { heldViews.withLock { $0 } }
        set { heldViews.withLock { $0 = newValue } }
    }

    var driver: ReplicationDriver? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    /// Hands over the transport's events, on the polling thread that it and the driver share.
    func take(_ events: [TransportEvent]) {
        driver?.assumeIsolated { $0.handle(events) }
    }

    /// Tells of commits, from the store's thread.
    func take(_ logs: [CommittedLog]) {
        // What came from peers the driver learns in the order of its own requests.
        let own = logs.filter(\.isOwn)
        guard !own.isEmpty, let driver else { return }
        Task { await driver.committed(own) }
    }
}
