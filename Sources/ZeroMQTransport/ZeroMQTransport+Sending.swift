import CZeroMQ
import Logging

extension ZeroMQTransport {
    /// Hands a message to libzmq for the node of that name, without waiting.
    ///
    /// False where it was not taken: the node is not up, the link is full (``TransportEvent/writable(node:)`` follows
    /// when there is room), or the message exceeds the limit. True promises only that it is on its way.
    @discardableResult
    public func send(_ message: [UInt8], to node: String) -> Bool {
        submit(message, to: node)
    }

    /// Hands over several messages in one call, in order, and says for each whether it was taken.
    ///
    /// After one for a node was refused, the later ones for that node are refused too, so that none overtakes it.
    @discardableResult
    public func send(_ messages: [OutgoingMessage]) -> [Bool] {
        var refused: Set<String> = []
        return messages.map { message in
            if refused.contains(message.node) { return false }
            if submit(message.bytes, to: message.node) { return true }
            refused.insert(message.node)
            return false
        }
    }

    private func submit(_ message: [UInt8], to node: String) -> Bool {
        guard message.count <= configuration.limits.messageBytes else {
            counters.sendsOversized += 1
            logger.error(
                "a message exceeds the transport's limit and is not sent",
                metadata: ["bytes": "\(message.count)", "limit": "\(configuration.limits.messageBytes)"])
            return false
        }
        guard phase == .running, let peer = peers[node] else {
            counters.sendsToUnknown += 1
            return false
        }
        guard let link = peer.active else {
            peer.metrics.sendsRefused += 1
            return false
        }
        switch transmit(kind: FrameKind.data, message, over: link) {
        case .sent:
            peer.metrics.messagesOut += 1
            peer.metrics.bytesOut += message.count
            switch link.origin {
            case .openedHere: peer.metrics.messagesOutByOwnLink += 1
            case .openedByPeer: peer.metrics.messagesOutByPeerLink += 1
            }
            return true
        case .full:
            if peer.probeDue == nil { peer.scheduleProbe(now: monotonicMilliseconds()) }
        case .unreachable:
            if let link = link as? IncomingLink { forget(link) } else { lower(link) }
        }
        peer.metrics.sendsRefused += 1
        return false
    }

    /// Tries full links again. A ROUTER does not say when one of its connections has room, so a sign of life is sent:
    /// where that is taken, messages are.
    func probeFullLinks(now: Int64) {
        for peer in peers.values {
            guard let due = peer.probeDue, now >= due, let link = peer.active else { continue }
            switch transmit(.keepalive, token: 0, over: link) {
            case .sent:
                peer.endProbing()
                pendingEvents.append(.writable(node: peer.name))
            case .full:
                peer.scheduleProbe(now: now)
            case .unreachable:
                if let link = link as? IncomingLink { forget(link) } else { lower(link) }
            }
        }
    }

    /// Hands over one of the transport's own frames.
    func transmit(_ purpose: Greeting.Purpose, token: UInt64, over link: Link) -> Socket.Outcome {
        let greeting = Greeting(purpose: purpose, token: token, incarnation: incarnation)
        return transmit(kind: FrameKind.greeting, greeting.bytes, over: link)
    }

    private func transmit(kind: UInt8, _ payload: [UInt8], over link: Link) -> Socket.Outcome {
        // Filled before the routing id is sent, so that want of memory never leaves half a message in the ROUTER.
        guard sendBuffer.fill(kind: kind, payload: payload) else { return .full }
        defer { sendBuffer.clear() }
        if let link = link as? OutgoingLink { return link.socket.send(sendBuffer.pointer) }
        guard let link = link as? IncomingLink, let router else { return .unreachable }
        let outcome = router.send(link.routingIdentity, more: true)
        guard outcome == .sent else { return outcome }
        return router.send(sendBuffer.pointer)
    }
}
