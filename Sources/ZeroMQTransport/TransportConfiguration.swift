/// Where a peer listens, and the key it must prove to have.
public struct PeerAddress: Hashable, Sendable {
    /// The address it listens at, `tcp://HOST:PORT`.
    public let endpoint: String
    /// The key that must answer there; anybody else is not talked to.
    public let publicKey: CurvePublicKey

    /// Joins an address and a key.
    public init(endpoint: String, publicKey: CurvePublicKey) {
        self.endpoint = endpoint
        self.publicKey = publicKey
    }
}

/// How much the transport takes or keeps at most.
public struct TransportLimits: Sendable, Equatable {
    /// The largest message in bytes, sent or received. A connection that brings a larger one is closed by libzmq.
    public var messageBytes = 1 << 20
    /// Messages waiting inside libzmq to be sent on one link; beyond it `send` says false.
    public var sendQueueMessages = 32
    /// Messages waiting inside libzmq to be handed over, for each link; beyond it TCP holds the sender back.
    public var receiveQueueMessages = 32
    /// Messages handed to the handler at once.
    public var batchMessages = 512
    /// Bytes handed to the handler at once; one message may exceed it.
    public var batchBytes = 4 << 20
    /// Peers that may be configured or admitted.
    public var peers = 256
    /// Links that one peer may have up at once; of more, the oldest is forgotten.
    public var linksPerPeer = 4

    /// The limits a node runs with.
    public init() {}
}

/// How long the transport waits. All times are in milliseconds.
public struct TransportTiming: Sendable, Equatable {
    /// Time between greetings on a new link until they are answered.
    public var greetingIntervalMilliseconds: Int32 = 1_000
    /// Time between our own signs of life on every link, in both directions.
    public var keepaliveIntervalMilliseconds: Int32 = 2_000
    /// Silence after which a link counts as down.
    public var keepaliveTimeoutMilliseconds: Int32 = 10_000
    /// Time between the heartbeats of ZeroMQ itself (ZMTP PING).
    public var heartbeatIntervalMilliseconds: Int32 = 5_000
    /// Silence after a heartbeat after which libzmq drops the connection.
    public var heartbeatTimeoutMilliseconds: Int32 = 15_000
    /// Silence after which the other side shall drop the connection.
    public var heartbeatTimeToLiveMilliseconds: Int32 = 20_000
    /// Time a new connection has to prove its key.
    public var handshakeTimeoutMilliseconds: Int32 = 5_000
    /// Time a TCP connection has to come about.
    public var connectTimeoutMilliseconds: Int32 = 5_000
    /// First pause before a lost connection is tried again; it doubles with every attempt.
    public var reconnectDelayMilliseconds: Int32 = 100
    /// Longest pause before a lost connection is tried again.
    public var reconnectDelayMaximumMilliseconds: Int32 = 5_000

    /// The times a node runs with.
    public init() {}

    /// How often links are looked after.
    var tickMilliseconds: Int64 {
        let shortest = min(
            greetingIntervalMilliseconds, keepaliveIntervalMilliseconds, keepaliveTimeoutMilliseconds)
        return Int64(min(max(shortest / 4, 5), 250))
    }
}

/// Everything a transport has to know to start.
public struct TransportConfiguration: Sendable {
    /// The name of this node, 1 to 255 bytes of UTF-8.
    public var nodeName: String
    /// This node's CURVE key pair.
    public var keyPair: CurveKeyPair
    /// Where to listen: `tcp://HOST:PORT`; port 0 lets the system choose one, `*` as host means every interface.
    public var bindAddress: String
    /// Whom to connect to, by name. The name is a label: a peer is known by the name that its key is admitted under.
    public var peers: [String: PeerAddress]
    /// Which keys are admitted, and the node each belongs to. An own key in it is passed over.
    public var allowedPeers: [CurvePublicKey: String]
    /// How much is taken or kept at most.
    public var limits: TransportLimits
    /// How long is waited.
    public var timing: TransportTiming

    /// Joins the parts; limits and times default to those a node runs with.
    public init(
        nodeName: String, keyPair: CurveKeyPair, bindAddress: String, peers: [String: PeerAddress] = [:],
        allowedPeers: [CurvePublicKey: String] = [:], limits: TransportLimits = TransportLimits(),
        timing: TransportTiming = TransportTiming()
    ) {
        self.nodeName = nodeName
        self.keyPair = keyPair
        self.bindAddress = bindAddress
        self.peers = peers
        self.allowedPeers = allowedPeers
        self.limits = limits
        self.timing = timing
    }

    /// Throws ``TransportError/invalidConfiguration(reason:)`` for the first thing that cannot be used.
    func validate() throws(TransportError) {
        try TransportConfiguration.validate(name: nodeName)
        try validate(peers: peers)
        try validate(allowedPeers: allowedPeers)
        let counts = [
            ("messageBytes", limits.messageBytes, 1 << 30), ("sendQueueMessages", limits.sendQueueMessages, 1 << 20),
            ("receiveQueueMessages", limits.receiveQueueMessages, 1 << 20),
            ("batchMessages", limits.batchMessages, 1 << 20), ("batchBytes", limits.batchBytes, 1 << 30),
            ("peers", limits.peers, 1 << 14), ("linksPerPeer", limits.linksPerPeer, 1 << 10),
        ]
        for (name, value, maximum) in counts where !(1...maximum).contains(value) {
            throw .invalidConfiguration(reason: "the limit \(name) is \(value), it must lie in 1 ... \(maximum)")
        }
        let times = [
            timing.greetingIntervalMilliseconds, timing.keepaliveIntervalMilliseconds,
            timing.keepaliveTimeoutMilliseconds, timing.heartbeatIntervalMilliseconds,
            timing.heartbeatTimeoutMilliseconds, timing.heartbeatTimeToLiveMilliseconds,
            timing.handshakeTimeoutMilliseconds, timing.connectTimeoutMilliseconds, timing.reconnectDelayMilliseconds,
            timing.reconnectDelayMaximumMilliseconds,
        ]
        guard times.allSatisfy({ (1...3_600_000).contains($0) }) else {
            throw .invalidConfiguration(reason: "every time must lie between 1 millisecond and 1 hour")
        }
        guard timing.keepaliveTimeoutMilliseconds > timing.keepaliveIntervalMilliseconds else {
            throw .invalidConfiguration(
                reason:
                    "the keepalive timeout must be longer than the keepalive interval, or every link would seem down")
        }
    }

    /// Throws where there are too many peers or a name cannot be used.
    func validate(peers: [String: PeerAddress]) throws(TransportError) {
        guard peers.count <= limits.peers else {
            throw .invalidConfiguration(reason: "\(peers.count) peers to connect to, at most \(limits.peers) are taken")
        }
        for name in peers.keys {
            try TransportConfiguration.validate(name: name)
        }
    }

    /// Throws where there are too many keys or a name cannot be used.
    func validate(allowedPeers: [CurvePublicKey: String]) throws(TransportError) {
        guard allowedPeers.count <= limits.peers else {
            throw .invalidConfiguration(
                reason: "\(allowedPeers.count) admitted keys, at most \(limits.peers) are taken")
        }
        for name in allowedPeers.values {
            try TransportConfiguration.validate(name: name)
        }
    }

    /// The User-Id of ZAP (ZeroMQ RFC 27) holds at most 255 bytes and travels as a C string.
    static func validate(name: String) throws(TransportError) {
        guard (1...255).contains(name.utf8.count), !name.utf8.contains(0) else {
            throw .invalidConfiguration(
                reason: "the node name \"\(name.prefix(80))\" must have 1 to 255 bytes, none zero")
        }
    }
}
