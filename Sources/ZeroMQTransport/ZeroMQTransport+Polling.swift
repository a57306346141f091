import CZeroMQ
import Logging

/// What an item of the poll stands for.
enum PollSource {
    case wake
    case admission
    case router
    case routerMonitor
    case dealer(OutgoingLink)
    case dealerMonitor(OutgoingLink)
}

/// How much may still be received before the handler is called.
struct ReceiveBudget {
    var messages: Int
    var bytes: Int

    var isSpent: Bool { messages <= 0 || bytes <= 0 }

    /// A frame was received. Empty ones cost too.
    mutating func charge(_ byteCount: Int) {
        messages -= 1
        bytes -= byteCount
    }
}

extension ZeroMQTransport {
    /// One round of the polling thread: waits until a socket, a job or a timer needs it, and serves what is ready.
    func pollOnce() {
        deliver()
        guard phase == .running else { return }
        endPauses(now: monotonicMilliseconds())
        if pollItems.isEmpty { listPollItems() }
        let count = zmq_poll(&pollItems, Int32(pollItems.count), waitMilliseconds())
        if count < 0 {
            precondition(zmq_errno() == EINTR, "zmq_poll: \(ErrorText.last)")
            return
        }
        if count > 0 { serveReadySockets() }
        let now = monotonicMilliseconds()
        if now >= min(tickDue, connectionCheckDue ?? tickDue) { tick(now: now) }
        probeFullLinks(now: now)
        deliver()
    }

    /// Hands what happened to the handler, which may call back into the transport.
    func deliver() {
        guard !pendingEvents.isEmpty else { return }
        let events = pendingEvents
        pendingEvents = []
        handler(events)
    }

    /// The sockets to poll have changed.
    func invalidatePollItems() {
        pollItems = []
        pollSources = []
    }

    private func listPollItems() {
        func add(_ source: PollSource, socket: UnsafeMutableRawPointer?, descriptor: Int32 = 0) {
            pollSources.append(source)
            pollItems.append(zmq_pollitem_t(socket: socket, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        pollSources = []
        add(.wake, socket: nil, descriptor: executor.wakeDescriptor)
        if let admission { add(.admission, socket: admission.pointer) }
        if let router {
            if routerPausedUntil == nil { add(.router, socket: router.pointer) }
            if let reader = router.monitorReader { add(.routerMonitor, socket: reader.pointer) }
        }
        for link in outgoing.values {
            if link.pausedUntil == nil { add(.dealer(link), socket: link.socket.pointer) }
            if let reader = link.socket.monitorReader { add(.dealerMonitor(link), socket: reader.pointer) }
        }
    }

    private func waitMilliseconds() -> Int {
        let now = monotonicMilliseconds()
        var due = tickDue
        if let connectionCheckDue { due = min(due, connectionCheckDue) }
        if let pauseEnd { due = min(due, pauseEnd) }
        for peer in peers.values {
            if let probeDue = peer.probeDue { due = min(due, probeDue) }
        }
        return Int(min(max(due - now, 0), 60_000))
    }

    private func serveReadySockets() {
        // Serving may change the list, so what is ready is noted first.
        var ready: [PollSource] = []
        for (position, item) in pollItems.enumerated() where item.revents != 0 {
            ready.append(pollSources[position])
        }
        // What happened to connections is taken before what they brought.
        for source in ready {
            switch source {
            case .wake: executor.clearWake()
            case .admission: serveAdmission()
            case .routerMonitor: serveRouterMonitor()
            case .dealerMonitor(let link): serveDealerMonitor(link)
            case .router, .dealer: break
            }
        }
        var budget = ReceiveBudget(
            messages: configuration.limits.batchMessages, bytes: configuration.limits.batchBytes)
        roundStart += 1
        for step in ready.indices where !budget.isSpent {
            switch ready[(roundStart + step) % ready.count] {
            case .router: receiveFromRouter(budget: &budget)
            case .dealer(let link): receive(from: link, budget: &budget)
            default: break
            }
        }
    }

    private func serveRouterMonitor() {
        for _ in 0..<256 {
            guard let (event, _) = router?.nextMonitorEvent() else { return }
            if event == ZMQ_EVENT_DISCONNECTED {
                counters.connectionsLost += 1
                // libzmq tells this before the ROUTER has noticed, and does not say whose connection it was.
                connectionCheckDue =
                    connectionCheckDue ?? max(monotonicMilliseconds() + 10, lastConnectionCheck + 250)
            } else {
                counters.handshakesFailed += 1
            }
        }
    }

    private func serveDealerMonitor(_ link: OutgoingLink) {
        for _ in 0..<256 {
            guard let (event, value) = link.socket.nextMonitorEvent() else { return }
            let now = monotonicMilliseconds()
            link.phaseChanged = now
            switch event {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
                link.phase = .connected
                beginConnection(link, now: now)
            case ZMQ_EVENT_CONNECT_RETRIED:
                link.phase = .connecting
            default:
                link.phase = .lost
                lower(link)
                if event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH { noteRefusal(by: link, status: value) }
            }
        }
    }

    private func noteRefusal(by link: OutgoingLink, status: UInt32) {
        guard !link.isRefusalKnown else { return }
        link.isRefusalKnown = true
        pendingEvents.append(.refusedByPeer(node: link.node))
        logger.notice(
            "a node does not admit our key; it is asked again from time to time",
            metadata: ["node": "\(link.node)", "endpoint": "\(link.address.endpoint)", "status": "\(status)"])
    }
}
