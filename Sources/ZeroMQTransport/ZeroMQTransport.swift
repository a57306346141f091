import CZeroMQ
public import Logging

/// Carries messages between named nodes over ZeroMQ, encrypted with CURVE and open only to admitted keys.
///
/// One ROUTER listens; for every configured peer whose key is admitted one DEALER connects. A link serves both ways,
/// whichever side opened it: messages are taken from every link that is up, and sent over the one in use (see
/// ``TransportEvent``). A peer's name is always the one its key is admitted under, never what it says of itself.
///
/// The actor's executor is the polling thread: the thread that waits for the sockets also runs the actor's methods, so
/// nothing here blocks Swift's cooperative threads and no socket is ever touched from two threads. A call from another
/// thread costs 30 to 80 µs whatever it does: send arrays. The handler runs on the thread, and may call the actor's
/// methods through `assumeIsolated` at no such cost.
///
/// What libzmq 4.3.4 cannot do, and a node should know: it has no way to close one connection of a ROUTER, so a peer
/// that lost its admission stays connected and is ignored; it bounds each part of a message, not their number, so an
/// *admitted* peer could fill memory with one message of endless parts (bound the process's memory); it resolves host
/// names on the thread that serves all connections, so addresses in numbers are steadier.
///
/// libzmq does not survive `fork` in a process with a context, unless `exec` follows at once. Nothing here forks, and a node
/// starts no programs; Foundation's `Process` uses `posix_spawn`, and libzmq's descriptors are closed on `exec`.
///
/// Invariants:
/// - All state is touched on the polling thread only.
/// - Sockets and context exist exactly while `phase` is `running`; the polling thread then keeps the transport alive.
/// - Every link stands in `outgoing` or `incoming`, is keyed to an admitted key, and carries the name admitted for it.
/// - Events go to the handler only from `deliver()`, when no other work on the state is under way.
/// - Nothing is queued here: a message is handed to libzmq, within its high-water mark, or refused.
public actor ZeroMQTransport {
    enum Phase {
        case idle
        case running
        case stopped
    }

    /// The thread. Other actors may share it: see ``PollingExecutor/asUnownedSerialExecutor()``.
    public nonisolated let executor: PollingExecutor
    let logger: Logger
    let handler: TransportHandler
    var configuration: TransportConfiguration
    var phase = Phase.idle
    /// The address we listen at, with the port the system chose; nil before `start()` and after `stop()`.
    public internal(set) var boundEndpoint: String?

    var context: UnsafeMutableRawPointer?
    var admission: Socket?
    var router: Socket?
    /// By label in the configuration.
    var outgoing: [String: OutgoingLink] = [:]
    /// By routing id of our ROUTER.
    var incoming: [[UInt8]: IncomingLink] = [:]
    /// By name; for admitted names only.
    var peers: [String: Peer] = [:]
    var pendingEvents: [TransportEvent] = []
    var counters = TransportMetrics()
    var refusals = RefusalLog()

    /// What is polled, and in the same order what each item stands for; rebuilt when empty.
    var pollItems: [zmq_pollitem_t] = []
    var pollSources: [PollSource] = []
    /// Where the next round of receiving begins, so that no socket is always the first.
    var roundStart = 0
    /// Until when the ROUTER is not read; nil mostly.
    var routerPausedUntil: Int64?
    /// Frames in a row, of whatever connections of the ROUTER, of which nobody had any use.
    var uselessFrames = 0
    /// Which connection brought the last of them.
    var lastUselessIdentity: [UInt8] = []
    let identityBuffer = MessageBuffer()
    let payloadBuffer = MessageBuffer()
    let sendBuffer = MessageBuffer()

    let incarnation = UInt64.random(in: 1...UInt64.max)
    var nextToken: UInt64 = 0
    var monitorCount = 0
    var lastTick: Int64 = 0
    var tickDue: Int64 = 0
    /// When incoming links are asked whether they still stand, after some connection ended; nil when none did.
    var connectionCheckDue: Int64?
    var lastConnectionCheck: Int64 = 0

    /// Runs the actor on its polling thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Checks the library and the configuration and starts the polling thread; opens nothing.
    ///
    /// Throws a ``TransportError`` where libzmq is older than 4.3.3 or lacks CURVE, or the configuration cannot be used.
    public init(
        configuration: TransportConfiguration, logger: Logger = Logger(label: "varde.transport"),
        handler: @escaping TransportHandler
    ) throws(TransportError) {
        try ZeroMQTransport.checkLibrary()
        try configuration.validate()
        self.configuration = configuration
        self.logger = logger
        self.handler = handler
        executor = try PollingExecutor()
    }

    deinit {
        executor.finish()
    }

    /// Opens the sockets, listens and begins to connect. Returns the address listened at, with the port chosen.
    ///
    /// Throws a ``TransportError`` with nothing left open. Peers that do not answer are no error.
    @discardableResult
    public func start() throws(TransportError) -> String {
        guard phase == .idle else { throw .alreadyStarted }
        do throws(TransportError) {
            let endpoint = try openListener()
            phase = .running
            if let failure = reconcileOutgoingLinks().first { throw failure }
            lastTick = monotonicMilliseconds()
            tickDue = lastTick
            boundEndpoint = endpoint
            executor.work = { [self] in
                assumeIsolated { $0.pollOnce() }
            }
            logger.info("listening for other nodes", metadata: ["endpoint": "\(endpoint)"])
            return endpoint
        } catch {
            closeEverything()
            phase = .idle
            throw error
        }
    }

    /// Tells the handler that every peer is down, closes everything and frees the port. Messages not yet on the wire
    /// are dropped. Stopping twice, or before `start()`, does nothing more; a stopped transport cannot start again.
    public func stop() {
        guard phase == .running else {
            phase = .stopped
            return
        }
        phase = .stopped
        executor.work = nil
        for peer in peers.values where peer.active != nil {
            pendingEvents.append(.peerDown(node: peer.name))
        }
        closeEverything()
        let events = pendingEvents
        pendingEvents = []
        if !events.isEmpty { handler(events) }
        logger.info("stopped talking to other nodes")
    }

    /// Replaces whom to connect to, by name. Connections that stay as they were are not touched.
    ///
    /// Throws a ``TransportError`` where an address or name cannot be used; the others are connected all the same.
    public func setPeers(_ peers: [String: PeerAddress]) throws(TransportError) {
        try configuration.validate(peers: peers)
        configuration.peers = peers
        if let failure = reconcileOutgoingLinks().first { throw failure }
    }

    /// Replaces which keys are admitted, and the node each belongs to.
    ///
    /// From the return of this call nothing from a key that is no longer here is handed to the handler and nothing is
    /// sent to it. A key that is newly here may connect; peers configured with it are connected to.
    ///
    /// Throws ``TransportError/invalidConfiguration(reason:)`` where there are too many or a name cannot be used, and
    /// then changes nothing.
    public func setAllowedPeers(_ allowedPeers: [CurvePublicKey: String]) throws(TransportError) {
        try configuration.validate(allowedPeers: allowedPeers)
        configuration.allowedPeers = allowedPeers
        guard phase == .running else { return }
        for link in Array(incoming.values) where admittedName(for: link.key) != link.node {
            forget(link)
        }
        for failure in reconcileOutgoingLinks() {
            logger.error("\(failure)")
        }
        refusals.forget(allowedPeers.keys)
    }

    /// What was counted since start.
    public func metrics() -> TransportMetrics {
        var counters = self.counters
        counters.peers = peers.mapValues(\.metrics)
        return counters
    }

    /// The nodes that are up, and which side opened the link that is used for sending to them.
    public func connectedPeers() -> [String: LinkOrigin] {
        peers.compactMapValues { $0.active?.origin }
    }

    /// How many links to a node are up.
    public func linkCount(of node: String) -> Int {
        peers[node]?.links.count ?? 0
    }

    /// The name a key is admitted under; nil where it is not, and for our own key and name.
    func admittedName(for key: CurvePublicKey) -> String? {
        guard key != configuration.keyPair.publicKey, let name = configuration.allowedPeers[key],
            name != configuration.nodeName
        else { return nil }
        return name
    }

    /// libzmq below 4.3.3 has known holes that open before anybody is authenticated (CVE-2020-15166 and others).
    private static func checkLibrary() throws(TransportError) {
        var major: Int32 = 0
        var minor: Int32 = 0
        var patch: Int32 = 0
        zmq_version(&major, &minor, &patch)
        guard (major, minor, patch) >= (4, 3, 3) else {
            throw .unsuitableLibrary(
                reason: "version \(major).\(minor).\(patch) has known security holes; install 4.3.4 or newer")
        }
        guard zmq_has("curve") == 1 else {
            throw .unsuitableLibrary(reason: "it was built without CURVE encryption; install one built with libsodium")
        }
    }
}
