import EventLog

/// Orders that travel ahead of their logs: a range in which parts are missing is taken only under orders that are held, and
/// these may stand later in the same log, or in one that comes later.
extension ReplicationMachine {
    /// Sends the orders under which parts are missing in what is sent next.
    mutating func send(_ orders: [OrderAhead], to peer: NodeID) {
        var message = OrdersMessage(entries: [])
        var byteCount = 0
        for order in orders.map(SentOrder.init) where policy.mayHold(peer, order.stream) {
            let isFull =
                byteCount + order.byteCount > ReplicationProtocol.orderBytes
                || message.entries.count == ReplicationProtocol.ordersInMessage
            if isFull, !message.entries.isEmpty {
                send(.orders(message), to: peer)
                message = OrdersMessage(entries: [])
                byteCount = 0
            }
            message.entries.append(order)
            byteCount += order.byteCount
        }
        if !message.entries.isEmpty { send(.orders(message), to: peer) }
    }

    mutating func receive(_ message: OrdersMessage, from peer: NodeID) {
        guard now >= peers[peer]?.suspendedUntil ?? 0, let network = charter.network else { return }
        // An honest peer sends orders only before a range that it has credit for.
        let limit = 3 * configuration.creditWindowBytes + configuration.pushWindowBytes
        let orders = message.entries.filter {
            policy.mayHold(node, $0.stream) && shares($0.stream, with: peer) && charter.node($0.node) != nil
        }.map { $0.proven(in: network) }
        let bytes = orders.reduce(0) { $0 + $1.byteCount }
        guard !orders.isEmpty, let storing = peers[peer]?.ingestingBytes, storing + bytes <= limit else { return }
        peers[peer]?.ingestingBytes += bytes
        let token = IngestToken(number: nextNumber())
        orderIngests[token] = (peer, bytes)
        effects.append(.takeOrders(token, orders, from: peer))
    }

    mutating func finishOrders(_ token: IngestToken) {
        guard let (peer, bytes) = orderIngests.removeValue(forKey: token) else { return }
        peers[peer]?.ingestingBytes -= bytes
    }
}
