import EventLog
import Glibc
import Logging
import Replication
import Synchronization
import ZeroMQTransport

/// An admitted node that does harm: for measuring what that costs the others, and in tests.
///
/// It has the keys of a node's directory, which must not run meanwhile, and no store.
public final class MisbehavingPeer: Sendable {
    /// What it does.
    public enum Behaviour: String, Sendable, Codable, CaseIterable {
        /// Asks for every log with a credit of a gigabyte, and then reads nothing more from any link.
        case neverReads = "asks for everything and never reads"
        /// Sends messages of the largest size that nobody can read, as many as the link takes.
        case floods = "sends unreadable messages without end"
    }

    /// It asks for whatever it is told of.
    private struct Everything: HoldingPolicy {
        func mayHold(_ node: NodeID, _ stream: StreamID) -> Bool { true }
    }

    private struct State: ~Copyable {
        var machine: ReplicationMachine
        var transport: ZeroMQTransport?
        var isEnding = false
        var sentBytes = 0
        var isDoingHarm = false
    }

    private let behaviour: Behaviour
    private let transportConfiguration: TransportConfiguration
    private let logger: Logger
    private let junk = [UInt8](repeating: 0xFF, count: ReplicationProtocol.messageBytes)
    private let state: Mutex<State>

    /// Takes over the identity of the node in a directory.
    ///
    /// - Throws: ``DirectoryError``.
    public init(_ directory: NodeDirectory, behaviour: Behaviour) throws {
        self.behaviour = behaviour
        let configuration = try NodeConfiguration.read(directory)
        let chain = try NodeStart.foundingChain(directory, configuration)
        let (allowed, peers) = ReplicationDriver.addresses(of: chain, configuration: configuration)
        transportConfiguration = TransportConfiguration(
            nodeName: configuration.node.text, keyPair: try NodeKeys.read(directory).curve,
            bindAddress: configuration.listen, peers: peers, allowedPeers: allowed)
        var logger = Logger(label: "varde.misbehaving")
        logger.logLevel = .critical
        self.logger = logger
        var greed = ReplicationConfiguration()
        greed.creditWindowBytes = 1 << 30
        greed.logsInFlight = 256
        var generator = SystemRandomNumberGenerator()
        state = Mutex(
            State(
                machine: ReplicationMachine(
                    node: configuration.node, incarnation: generator.next(), charter: chain, heads: [],
                    policy: Everything(), configuration: greed)))
    }

    /// Bytes it has sent so far.
    public var sentBytes: Int { state.withLock { $0.sentBytes } }
    /// Whether it has come as far as to do harm.
    public var isDoingHarm: Bool { state.withLock { $0.isDoingHarm } }

    /// Connects to every node it has an address of.
    ///
    /// - Throws: a transport's error.
    public func start() async throws {
        let transport = try ZeroMQTransport(
            configuration: transportConfiguration, logger: logger, handler: { [weak self] in self?.take($0) })
        state.withLock { $0.transport = transport }
        try await transport.start()
    }

    /// Ends it.
    public func stop() async {
        let transport = state.withLock { state in
            state.isEnding = true
            return state.transport.take()
        }
        await transport?.stop()
    }

    /// Takes what came, on the transport's own thread, which it may hold up for ever without holding up anybody else's.
    private func take(_ events: [TransportEvent]) {
        guard let transport = state.withLock({ $0.transport }) else { return }
        for event in events {
            let effects = state.withLock { state in MisbehavingPeer.step(event, &state.machine) }
            for effect in effects {
                switch effect {
                case .send(let bytes, let peer):
                    _ = transport.assumeIsolated { $0.send(bytes, to: peer.text) }
                case .ingest where behaviour == .neverReads:
                    // The first entries that it asked for are here: from now on it reads nothing.
                    state.withLock { $0.isDoingHarm = true }
                    while !state.withLock({ $0.isEnding }) { pause() }
                    return
                default: break
                }
            }
            if behaviour == .floods { flood(event, transport) }
        }
    }

    private static func step(_ event: TransportEvent, _ machine: inout ReplicationMachine) -> [ReplicationEffect] {
        let now = NodeClock.monotonicMilliseconds()
        switch event {
        case .peerUp(let name): return NodeID(name).map { machine.peerUp($0, now: now) } ?? []
        case .peerDown(let name): return NodeID(name).map { machine.peerDown($0, now: now) } ?? []
        case .message(let name, let bytes):
            return NodeID(name).map { machine.receive(bytes, from: $0, now: now) } ?? []
        default: return []
        }
    }

    private func flood(_ event: TransportEvent, _ transport: ZeroMQTransport) {
        let name: String
        switch event {
        case .peerUp(let node), .writable(let node): name = node
        default: return
        }
        // Until the link is full; the transport tells when it is not any more.
        while !state.withLock({ $0.isEnding }), transport.assumeIsolated({ $0.send(junk, to: name) }) {
            state.withLock { state in
                state.sentBytes += junk.count
                state.isDoingHarm = true
            }
        }
    }

    private func pause() {
        var time = timespec(tv_sec: 0, tv_nsec: 10_000_000)
        nanosleep(&time, nil)
    }
}
