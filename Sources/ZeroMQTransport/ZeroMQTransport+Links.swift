import CZeroMQ
import Logging

extension ZeroMQTransport {
    /// The standing of an admitted node.
    func peer(named name: String) -> Peer {
        if let peer = peers[name] { return peer }
        let peer = Peer(name: name, ownName: configuration.nodeName)
        peers[name] = peer
        return peer
    }

    /// A link was found to work.
    func raise(_ link: Link, incarnation: UInt64) {
        let peer = peer(named: link.node)
        note(peer.raise(link, incarnation: incarnation), of: peer)
        while let surplus = peer.surplusLink(limit: configuration.limits.linksPerPeer) {
            lower(surplus)
            if let surplus = surplus as? IncomingLink { incoming[surplus.routingIdentity] = nil }
        }
    }

    /// A link broke or fell silent; it may come up again.
    func lower(_ link: Link) {
        guard link.isUp, let peer = peers[link.node] else { return }
        note(peer.drop(link), of: peer)
    }

    /// A link that the peer opened is of no use any more. libzmq keeps the connection; a greeting makes it a link anew.
    func forget(_ link: IncomingLink) {
        lower(link)
        incoming[link.routingIdentity] = nil
    }

    private func note(_ change: Peer.Change, of peer: Peer) {
        let name = peer.name
        switch change {
        case .none:
            return
        case .up:
            pendingEvents.append(.peerUp(node: name))
        case .down:
            pendingEvents.append(.peerDown(node: name))
        case .restarted:
            pendingEvents.append(.peerDown(node: name))
            pendingEvents.append(.peerUp(node: name))
        }
        logger.debug("a peer's standing changed", metadata: ["node": "\(name)", "change": "\(change)"])
    }

    /// Makes the DEALERs those that configuration and admission ask for; returns what failed.
    func reconcileOutgoingLinks() -> [TransportError] {
        guard phase == .running else { return [] }
        for link in Array(outgoing.values)
        where configuration.peers[link.label] != link.address || admittedName(for: link.key) != link.node {
            lower(link)
            link.socket.close()
            outgoing[link.label] = nil
            invalidatePollItems()
        }
        var failures: [TransportError] = []
        let timing = configuration.timing
        for (label, address) in configuration.peers where outgoing[label] == nil {
            guard let name = admittedName(for: address.publicKey) else {
                logger.info("a configured peer's key is not admitted; not connecting", metadata: ["peer": "\(label)"])
                continue
            }
            if name != label {
                logger.warning(
                    "a configured peer has the key of another node and is known by that name",
                    metadata: ["configured": "\(label)", "node": "\(name)"])
            }
            do {
                let socket = try openDealer(label: label, address: address)
                outgoing[label] = OutgoingLink(
                    label: label, address: address, node: name, socket: socket,
                    reopenDelay: Int64(timing.reconnectDelayMilliseconds), now: monotonicMilliseconds())
                invalidatePollItems()
            } catch {
                failures.append(error)
            }
        }
        return failures
    }

    /// A connection stands: names it anew and asks whether the other side is there.
    func beginConnection(_ link: OutgoingLink, now: Int64) {
        lower(link)
        nextToken += 1
        link.token = nextToken
        link.lastHeard = now
        greet(link, now: now)
    }

    private func greet(_ link: OutgoingLink, now: Int64) {
        link.greetingDue = now + Int64(configuration.timing.greetingIntervalMilliseconds)
        _ = transmit(.greeting, token: link.token, over: link)
    }

    /// Looks after every link: greetings, signs of life, silence, lost connections.
    func tick(now: Int64) {
        let timing = configuration.timing
        tickDue = now + timing.tickMilliseconds
        // Time in which this thread was kept from listening is nobody's silence.
        let absence = now - lastTick - 2 * timing.tickMilliseconds
        lastTick = now
        if absence > 0 {
            for link in outgoing.values { link.lastHeard += absence }
            for link in incoming.values { link.lastHeard += absence }
        }
        let heardAfter = now - Int64(timing.keepaliveTimeoutMilliseconds)
        for link in Array(outgoing.values) {
            if link.isUp && link.lastHeard < heardAfter { lower(link) }
            tend(link, now: now)
        }
        for link in Array(incoming.values) {
            if link.lastHeard < heardAfter {
                forget(link)
            } else if now >= link.keepaliveDue {
                keepAlive(link, now: now)
            }
        }
        if let due = connectionCheckDue, now >= due {
            connectionCheckDue = nil
            lastConnectionCheck = now
            for link in Array(incoming.values) { keepAlive(link, now: now) }
        }
    }

    private func tend(_ link: OutgoingLink, now: Int64) {
        switch link.phase {
        case .connected:
            if link.isUp {
                if now >= link.keepaliveDue { keepAlive(link, now: now) }
            } else if now >= link.greetingDue {
                greet(link, now: now)
            }
        case .connecting:
            // libzmq tells of every attempt; this long without a word it has given up without saying so.
            let timing = configuration.timing
            let patience =
                3
                * (Int64(timing.reconnectDelayMaximumMilliseconds) + Int64(timing.connectTimeoutMilliseconds)
                    + Int64(timing.handshakeTimeoutMilliseconds))
            if now - link.phaseChanged > patience { reopen(link, now: now) }
        case .lost:
            if now - link.phaseChanged >= link.reopenDelay { reopen(link, now: now) }
        }
    }

    /// libzmq gives up a connection for good after a protocol or authentication error (4.3.4, `session_base`), so a
    /// peer that admits us later would never be reached without a new socket.
    private func reopen(_ link: OutgoingLink, now: Int64) {
        lower(link)
        link.phaseChanged = now
        let maximum = Int64(configuration.timing.reconnectDelayMaximumMilliseconds)
        link.reopenDelay = min(link.reopenDelay * 2, max(maximum, 1))
        do {
            let socket = try openDealer(label: link.label, address: link.address)
            link.socket.close()
            link.socket = socket
            link.phase = .connecting
            invalidatePollItems()
        } catch {
            logger.error("\(error)")
        }
    }

    /// Shows the other side that we are there, and learns whether its connection still stands.
    private func keepAlive(_ link: Link, now: Int64) {
        switch transmit(.keepalive, token: 0, over: link) {
        case .sent:
            link.keepaliveDue = now + Int64(configuration.timing.keepaliveIntervalMilliseconds)
        case .full:
            // Tried again with the next tick; what fills the link shows as well that we are there.
            break
        case .unreachable:
            if let link = link as? IncomingLink { forget(link) } else { lower(link) }
        }
    }
}
