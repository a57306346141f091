import CZeroMQ
import Glibc
import Logging

extension ZeroMQTransport {
    /// Takes what peers sent over links they opened: routing id and one frame each.
    func receiveFromRouter(budget: inout ReceiveBudget) {
        guard let router else { return }
        while !budget.isSpent, router.receive(into: identityBuffer.pointer) {
            guard identityBuffer.isMore, router.receive(into: payloadBuffer.pointer) else {
                counters.framesMalformed += 1
                budget.charge(0)
                if pausesRouter(after: identityBuffer.bytes, isOfUse: false) { return }
                continue
            }
            budget.charge(payloadBuffer.bytes.count)
            var isOfUse = false
            if payloadBuffer.isMore {
                counters.framesMalformed += 1
                discardRest(of: router, budget: &budget)
            } else {
                isOfUse = takeIncomingFrame()
            }
            payloadBuffer.clear()
            if pausesRouter(after: identityBuffer.bytes, isOfUse: isOfUse) { return }
        }
    }

    /// Takes what a peer sent over the link that we opened.
    func receive(from link: OutgoingLink, budget: inout ReceiveBudget) {
        while !budget.isSpent, link.socket.receive(into: payloadBuffer.pointer) {
            budget.charge(payloadBuffer.bytes.count)
            if payloadBuffer.isMore {
                counters.framesMalformed += 1
                discardRest(of: link.socket, budget: &budget)
            } else {
                takeOutgoingFrame(link)
            }
            payloadBuffer.clear()
            if pauses(link) { return }
        }
    }

    /// Nobody of ours sends further frames. They are there already: libzmq hands over whole messages only.
    private func discardRest(of socket: Socket, budget: inout ReceiveBudget) {
        while payloadBuffer.isMore, socket.receive(into: payloadBuffer.pointer) {
            budget.charge(payloadBuffer.bytes.count)
        }
    }

    /// Takes what one connection of the ROUTER brought.
    ///
    /// - Returns: whether it was of use: not where it was passed over, nor where its sender is held back.
    private func takeIncomingFrame() -> Bool {
        // ROUTER of 4.3.4 puts no properties on the first frame, so they are read from this one. They are compared for
        // every message: a routing id may be chosen by the peer, the property comes from our own admission.
        let identity = [UInt8](identityBuffer.bytes)
        guard let keyText = payloadBuffer.property(Self.keyProperty) else {
            counters.framesIgnored += 1
            return false
        }
        var link = incoming[identity]
        if let known = link, strcmp(known.keyText, keyText) != 0 {
            forget(known)
            link = nil
        }
        let frame = payloadBuffer.bytes
        switch frame.first {
        case FrameKind.data where link != nil:
            guard let link else { return false }
            return takeData(frame, from: link) && !isHeldBack(link.node, now: link.lastHeard)
        case FrameKind.data, FrameKind.greeting:
            // Every link in `incoming` is admitted; only a stranger has to be looked up.
            guard let key = link?.key ?? CurvePublicKey(z85: String(cString: keyText)),
                let name = link?.node ?? admittedName(for: key)
            else {
                counters.framesIgnored += 1
                return false
            }
            guard frame.first == FrameKind.greeting else {
                counters.messagesDropped += 1
                return false
            }
            guard let greeting = readGreeting(frame, node: name) else { return false }
            let link =
                link
                ?? IncomingLink(
                    node: name, key: key, routingIdentity: identity, now: monotonicMilliseconds())
            take(greeting, from: link)
            return !isHeldBack(name, now: monotonicMilliseconds())
        default:
            counters.framesMalformed += 1
            return false
        }
    }

    private func takeOutgoingFrame(_ link: OutgoingLink) {
        let frame = payloadBuffer.bytes
        switch frame.first {
        case FrameKind.data:
            takeData(frame, from: link)
        case FrameKind.greeting:
            guard let greeting = readGreeting(frame, node: link.node) else { return }
            take(greeting, from: link)
        default:
            counters.framesMalformed += 1
        }
    }

    /// - Returns: whether the message is handed over.
    @discardableResult
    private func takeData(_ frame: UnsafeRawBufferPointer, from link: Link) -> Bool {
        // On a link that is not up this is left over from an earlier connection.
        guard link.isUp, frame.count - 1 <= configuration.limits.messageBytes else {
            counters.messagesDropped += 1
            return false
        }
        link.lastHeard = monotonicMilliseconds()
        let bytes = [UInt8](frame.dropFirst())
        let peer = peer(named: link.node)
        peer.metrics.messagesIn += 1
        peer.metrics.bytesIn += bytes.count
        pendingEvents.append(.message(from: link.node, bytes: bytes))
        return true
    }

    private func readGreeting(_ frame: UnsafeRawBufferPointer, node: String) -> Greeting? {
        if let greeting = Greeting(bytes: frame.dropFirst()) { return greeting }
        counters.framesMalformed += 1
        if let version = frame.dropFirst().first, version != Greeting.version {
            logger.error(
                "a node speaks another version of the transport; one of the two needs an update",
                metadata: ["node": "\(node)", "theirs": "\(version)", "ours": "\(Greeting.version)"])
        }
        return nil
    }

    /// The peer asks whether we are there, or shows that it is.
    private func take(_ greeting: Greeting, from link: IncomingLink) {
        let now = monotonicMilliseconds()
        switch greeting.purpose {
        case .keepalive:
            link.lastHeard = now
        case .answer:
            counters.framesMalformed += 1
        case .greeting:
            link.lastHeard = now
            guard transmit(.answer, token: greeting.token, over: link) == .sent else { return }
            link.keepaliveDue = now + Int64(configuration.timing.keepaliveIntervalMilliseconds)
            if link.isUp && link.incarnation == greeting.incarnation { return }
            lower(link)
            incoming[link.routingIdentity] = link
            raise(link, incarnation: greeting.incarnation)
        }
    }

    /// The peer answers our greeting, or shows that it is there.
    private func take(_ greeting: Greeting, from link: OutgoingLink) {
        let now = monotonicMilliseconds()
        switch greeting.purpose {
        case .keepalive:
            if link.isUp { link.lastHeard = now }
        case .greeting:
            counters.framesMalformed += 1
        case .answer:
            guard greeting.token == link.token else { return }
            link.lastHeard = now
            if link.isUp && link.incarnation == greeting.incarnation { return }
            lower(link)
            link.isRefusalKnown = false
            link.reopenDelay = Int64(configuration.timing.reconnectDelayMilliseconds)
            link.keepaliveDue = now + Int64(configuration.timing.keepaliveIntervalMilliseconds)
            raise(link, incarnation: greeting.incarnation)
        }
    }
}
