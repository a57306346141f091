import ZeroMQTransport

/// A few named nodes on the loopback interface, each with a key.
struct TestNetwork {
    let keys: [String: CurveKeyPair]

    init(_ names: String...) throws {
        var keys: [String: CurveKeyPair] = [:]
        for name in names { keys[name] = try CurveKeyPair.generate() }
        self.keys = keys
    }

    /// Everybody, or those named.
    func admitted(_ names: String...) -> [CurvePublicKey: String] {
        var admitted: [CurvePublicKey: String] = [:]
        for (name, pair) in keys where names.isEmpty || names.contains(name) { admitted[pair.publicKey] = name }
        return admitted
    }

    /// Where a started node is found.
    func address(of node: TestNode) throws -> PeerAddress {
        PeerAddress(endpoint: node.endpoint, publicKey: try key(node.name).publicKey)
    }

    func key(_ name: String) throws -> CurveKeyPair {
        guard let pair = keys[name] else { throw EventRecorder.TimedOut(description: "no key for \(name)") }
        return pair
    }

    /// Times short enough for tests, long enough for a busy machine.
    static var timing: TransportTiming {
        var timing = TransportTiming()
        timing.greetingIntervalMilliseconds = 100
        timing.keepaliveIntervalMilliseconds = 100
        timing.keepaliveTimeoutMilliseconds = 3_000
        timing.reconnectDelayMilliseconds = 20
        timing.reconnectDelayMaximumMilliseconds = 200
        timing.handshakeTimeoutMilliseconds = 3_000
        return timing
    }

    func configuration(
        _ name: String, connectingTo peers: [TestNode] = [], admitting admitted: [CurvePublicKey: String]? = nil,
        at address: String = "tcp://127.0.0.1:0"
    ) throws -> TransportConfiguration {
        var configuration = TransportConfiguration(
            nodeName: name, keyPair: try key(name), bindAddress: address, allowedPeers: admitted ?? self.admitted())
        for peer in peers { configuration.peers[peer.name] = try self.address(of: peer) }
        configuration.timing = Self.timing
        return configuration
    }

    /// Starts a node that collects its events.
    func start(
        _ name: String, connectingTo peers: [TestNode] = [], admitting admitted: [CurvePublicKey: String]? = nil,
        at address: String = "tcp://127.0.0.1:0"
    ) async throws -> TestNode {
        try await TestNode(
            configuration(name, connectingTo: peers, admitting: admitted, at: address))
    }
}

/// A started transport and what it told.
struct TestNode: Sendable {
    let name: String
    let transport: ZeroMQTransport
    let recorder: EventRecorder
    let endpoint: String

    init(_ configuration: TransportConfiguration) async throws {
        let recorder = EventRecorder()
        try await self.init(configuration, recorder: recorder) { recorder.take($0) }
    }

    init(
        _ configuration: TransportConfiguration, recorder: EventRecorder, handler: @escaping TransportHandler
    ) async throws {
        self.recorder = recorder
        name = configuration.nodeName
        transport = try ZeroMQTransport(configuration: configuration, handler: handler)
        endpoint = try await transport.start()
    }

    func waitUntilUp(_ node: String) async throws {
        try await recorder.wait(for: "\(node) to be up at \(name)") { $0.isUp(node) }
    }

    func waitUntilDown(_ node: String) async throws {
        try await recorder.wait(for: "\(node) to be down at \(name)") { !$0.isUp(node) }
    }

    func waitForMessages(_ count: Int) async throws {
        try await recorder.wait(for: "\(count) messages at \(name)") { $0.messages.count >= count }
    }

    /// Sends everything in order, waiting for room where there is none.
    func sendAll(_ messages: [[UInt8]], to node: String) async throws {
        var rest = messages[...]
        while !rest.isEmpty {
            let writable = recorder.record.timesWritable[node, default: 0]
            let taken = await transport.send(rest.prefix(100).map { OutgoingMessage($0, to: node) })
            let count = taken.prefix { $0 }.count
            rest = rest.dropFirst(count)
            if count < taken.count {
                try await recorder.wait(for: "room towards \(node)") {
                    $0.timesWritable[node, default: 0] > writable || !$0.isUp(node)
                }
                guard recorder.record.isUp(node) else {
                    throw EventRecorder.TimedOut(description: "\(node) went down while it was sent to")
                }
            }
        }
    }
}
