import CZeroMQ

/// Reading less from those who send what nobody can use.
///
/// libzmq hands over messages at whatever rate a peer sends them, and a peer that sends a gigabyte a second costs a
/// processor although nothing of it is kept. Where nobody takes what is there, TCP makes the sender wait. A DEALER has one
/// peer, and is left alone for a while after each message. The ROUTER serves its connections in turn, so it is left alone
/// only when messages of this kind come in a row, which means that no other connection has brought any.
extension ZeroMQTransport {
    /// Milliseconds for which a socket is left alone.
    static let pauseMilliseconds: Int64 = 25
    /// Messages without use in a row, from whatever connections, after which the ROUTER is left alone.
    private static let uselessMessagesInARow = 16

    /// Reads less of what a node sends, for a time: about 40 messages a second of each link. Others may wait for two
    /// pauses, where they have sent nothing meanwhile.
    ///
    /// - Parameters:
    ///   - node: the node's name; one that was never up is passed over.
    ///   - milliseconds: for how long, from now on.
    public func holdBack(_ node: String, milliseconds: Int) {
        peers[node]?.isHeldBackUntil = monotonicMilliseconds() + Int64(milliseconds)
    }

    /// A frame was taken from the ROUTER; leaves the socket alone for a while where only frames without use come.
    ///
    /// - Returns: whether it is left alone from now on.
    func pausesRouter(after identity: UnsafeRawBufferPointer, isOfUse: Bool) -> Bool {
        guard !isOfUse else {
            uselessFrames = 0
            lastUselessIdentity = []
            return false
        }
        uselessFrames += 1
        let isOnlyOne = lastUselessIdentity.elementsEqual(identity)
        lastUselessIdentity = [UInt8](identity)
        guard isOnlyOne || uselessFrames >= Self.uselessMessagesInARow else { return false }
        uselessFrames = 0
        routerPausedUntil = monotonicMilliseconds() + Self.pauseMilliseconds
        counters.pauses += 1
        invalidatePollItems()
        return true
    }

    /// A frame was taken from the DEALER of a link; leaves it alone for a while where its peer is held back.
    ///
    /// - Returns: whether it is left alone from now on.
    func pauses(_ link: OutgoingLink) -> Bool {
        let now = monotonicMilliseconds()
        guard isHeldBack(link.node, now: now) else { return false }
        link.pausedUntil = now + Self.pauseMilliseconds
        counters.pauses += 1
        invalidatePollItems()
        return true
    }

    /// Whether less is read of a node now.
    func isHeldBack(_ node: String, now: Int64) -> Bool {
        now < peers[node]?.isHeldBackUntil ?? 0
    }

    /// When a socket that is left alone is looked at again; nil where there is none.
    var pauseEnd: Int64? {
        let ends = outgoing.values.compactMap(\.pausedUntil) + (routerPausedUntil.map { [$0] } ?? [])
        return ends.min()
    }

    /// Sockets that were left alone long enough are polled again.
    func endPauses(now: Int64) {
        guard let end = pauseEnd, now >= end else { return }
        if let until = routerPausedUntil, now >= until { routerPausedUntil = nil }
        for link in outgoing.values {
            if let until = link.pausedUntil, now >= until { link.pausedUntil = nil }
        }
        invalidatePollItems()
    }
}
