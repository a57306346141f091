import CZeroMQ

extension ZeroMQTransport {
    /// The domain that authentication requests of our ROUTER name (ZeroMQ RFC 27).
    static let admissionDomain = "varde"
    /// Room that CURVE and our kind byte need on the wire beside a message.
    private static let frameOverheadBytes: Int64 = 128

    /// Opens context, admission and ROUTER, and returns the address bound.
    func openListener() throws(TransportError) -> String {
        if let fault = Endpoint.fault(in: configuration.bindAddress, listening: true) {
            throw .cannotListen(
                address: configuration.bindAddress, reason: fault, advice: ErrorText.adviceForAddresses)
        }
        guard let context = zmq_ctx_new() else {
            throw .outOfResources(operation: "make a ZeroMQ context", reason: ErrorText.last)
        }
        self.context = context
        // A DEALER takes three: itself, its monitor and the reader of that.
        let socketCount = 3 * (configuration.limits.peers + 8)
        guard zmq_ctx_set(context, ZMQ_MAX_SOCKETS, Int32(clamping: socketCount)) == 0,
            zmq_ctx_set(context, ZMQ_IO_THREADS, 1) == 0
        else {
            throw .outOfResources(operation: "make room for \(socketCount) ZeroMQ sockets", reason: ErrorText.last)
        }
        let admission = try Socket(context: context, type: ZMQ_REP)
        self.admission = admission
        let admissionStatus = admission.bind("inproc://zeromq.zap.01")
        guard admissionStatus == 0 else {
            throw .outOfResources(operation: "open the admission socket", reason: ErrorText.of(admissionStatus))
        }

        let router = try Socket(context: context, type: ZMQ_ROUTER)
        self.router = router
        try applyCommonOptions(to: router, address: configuration.bindAddress)
        // Whoever binds is the server of CURVE (RFC 26): it proves its key before a client shows its own.
        try router.set(SocketOption(ZMQ_CURVE_SERVER, "CURVE_SERVER"), to: Int32(1))
        // With a domain libzmq asks the handler of admission; where that is enforced and there is no handler it lets nobody
        // in, and else everybody who knows our public key (4.3, `curve_server`).
        try router.set(SocketOption(ZMQ_ZAP_DOMAIN, "ZAP_DOMAIN"), to: [UInt8](Self.admissionDomain.utf8))
        try router.set(SocketOption(varde_zmq_zap_enforce_domain, "ZAP_ENFORCE_DOMAIN"), to: Int32(1))
        // Else what is sent to a connection that is gone or full is dropped, and `send` says that it was taken.
        try router.set(SocketOption(ZMQ_ROUTER_MANDATORY, "ROUTER_MANDATORY"), to: Int32(1))
        try router.set(SocketOption(ZMQ_BACKLOG, "BACKLOG"), to: Int32(64))
        try startMonitor(
            of: router,
            events: ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        let status = router.bind(configuration.bindAddress)
        guard status == 0, let endpoint = router.lastEndpoint else {
            throw .cannotListen(
                address: configuration.bindAddress, reason: ErrorText.of(status),
                advice: ErrorText.adviceForListening(status))
        }
        return endpoint
    }

    /// Opens the DEALER of a peer and begins to connect.
    func openDealer(label: String, address: PeerAddress) throws(TransportError) -> Socket {
        if let fault = Endpoint.fault(in: address.endpoint, listening: false) {
            throw .cannotConnect(
                node: label, address: address.endpoint, reason: fault, advice: ErrorText.adviceForAddresses)
        }
        guard let context else {
            throw .outOfResources(operation: "connect to \(label)", reason: "the transport does not run")
        }
        let dealer = try Socket(context: context, type: ZMQ_DEALER)
        do throws(TransportError) {
            try applyCommonOptions(to: dealer, address: address.endpoint)
            let timing = configuration.timing
            try dealer.set(
                SocketOption(ZMQ_CURVE_PUBLICKEY, "CURVE_PUBLICKEY"), to: configuration.keyPair.publicKey.bytes)
            try dealer.set(SocketOption(ZMQ_CURVE_SERVERKEY, "CURVE_SERVERKEY"), to: address.publicKey.bytes)
            // Without IMMEDIATE libzmq would queue messages for peers that are not there.
            try dealer.set(SocketOption(ZMQ_IMMEDIATE, "IMMEDIATE"), to: Int32(1))
            try dealer.set(
                SocketOption(ZMQ_RECONNECT_IVL, "RECONNECT_IVL"), to: timing.reconnectDelayMilliseconds)
            try dealer.set(
                SocketOption(ZMQ_RECONNECT_IVL_MAX, "RECONNECT_IVL_MAX"),
                to: timing.reconnectDelayMaximumMilliseconds)
            try dealer.set(
                SocketOption(ZMQ_CONNECT_TIMEOUT, "CONNECT_TIMEOUT"), to: timing.connectTimeoutMilliseconds)
            try startMonitor(
                of: dealer,
                events: ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED
                    | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
                    | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
            let status = dealer.connect(address.endpoint)
            guard status == 0 else {
                throw TransportError.cannotConnect(
                    node: label, address: address.endpoint, reason: ErrorText.of(status),
                    advice: ErrorText.adviceForAddresses)
            }
            return dealer
        } catch {
            dealer.close()
            throw error
        }
    }

    /// What ROUTER and DEALER share.
    private func applyCommonOptions(to socket: Socket, address: String) throws(TransportError) {
        let limits = configuration.limits
        let timing = configuration.timing
        try socket.set(
            SocketOption(ZMQ_CURVE_SECRETKEY, "CURVE_SECRETKEY"), to: configuration.keyPair.secretKeyBytes)
        // The default is no limit: an unauthenticated stranger's part is bounded by the handshake, an admitted peer's by this.
        // It bounds each part of a message and not their number, see `ZeroMQTransport`.
        try socket.set(
            SocketOption(ZMQ_MAXMSGSIZE, "MAXMSGSIZE"), to: Int64(limits.messageBytes) + Self.frameOverheadBytes)
        let options: [(SocketOption, Int32)] = [
            // In messages, so with MAXMSGSIZE they bound what libzmq holds for one connection. Beyond the first, `send` says
            // so; beyond the second, TCP holds the peer back.
            (SocketOption(ZMQ_SNDHWM, "SNDHWM"), Int32(clamping: limits.sendQueueMessages)),
            (SocketOption(ZMQ_RCVHWM, "RCVHWM"), Int32(clamping: limits.receiveQueueMessages)),
            (SocketOption(ZMQ_HANDSHAKE_IVL, "HANDSHAKE_IVL"), timing.handshakeTimeoutMilliseconds),
            // A peer behind a firewall that forgot the connection answers nothing; libzmq then closes it, and a DEALER
            // connects anew. Off by default.
            (SocketOption(ZMQ_HEARTBEAT_IVL, "HEARTBEAT_IVL"), timing.heartbeatIntervalMilliseconds),
            (SocketOption(ZMQ_HEARTBEAT_TIMEOUT, "HEARTBEAT_TIMEOUT"), timing.heartbeatTimeoutMilliseconds),
            (SocketOption(ZMQ_HEARTBEAT_TTL, "HEARTBEAT_TTL"), timing.heartbeatTimeToLiveMilliseconds),
            (SocketOption(ZMQ_TCP_KEEPALIVE, "TCP_KEEPALIVE"), 1),
            (SocketOption(ZMQ_TCP_KEEPALIVE_IDLE, "TCP_KEEPALIVE_IDLE"), 30),
            (SocketOption(ZMQ_TCP_KEEPALIVE_INTVL, "TCP_KEEPALIVE_INTVL"), 10),
            (SocketOption(ZMQ_TCP_KEEPALIVE_CNT, "TCP_KEEPALIVE_CNT"), 3),
        ]
        for (option, value) in options {
            try socket.set(option, to: value)
        }
        // Only where an address asks for it: a machine may have IPv6 switched off.
        if address.contains("[") { try socket.set(SocketOption(ZMQ_IPV6, "IPV6"), to: Int32(1)) }
    }

    private func startMonitor(of socket: Socket, events: Int32) throws(TransportError) {
        guard let context else { return }
        monitorCount += 1
        try socket.startMonitor(context: context, events: events, address: "inproc://monitor-\(monitorCount)")
    }

    /// Closes every socket, the admission last (libzmq #2476), and waits until libzmq has let go of the port.
    func closeEverything() {
        for link in outgoing.values {
            link.socket.close()
        }
        outgoing = [:]
        incoming = [:]
        for peer in peers.values {
            for link in peer.links { _ = peer.drop(link) }
        }
        router?.close()
        router = nil
        admission?.close()
        admission = nil
        pollItems = []
        pollSources = []
        boundEndpoint = nil
        if let context {
            while zmq_ctx_term(context) < 0 && zmq_errno() == EINTR {}
        }
        context = nil
    }
}
