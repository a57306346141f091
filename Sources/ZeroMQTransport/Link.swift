/// One way to a peer: a connection, or the place where one will be.
///
/// Invariants:
/// - `isUp` exactly while the link stands in its peer's `links`.
/// - An outgoing link is up only after a greeting of its present connection was answered; an incoming one after a
///   greeting was received and answered.
class Link {
    /// The node that this link's key is admitted under.
    let node: String
    /// The key that authenticates the other side.
    let key: CurvePublicKey
    let origin: LinkOrigin
    fileprivate(set) var isUp = false
    /// When anything was last received from the other side.
    var lastHeard: Int64
    /// When our next sign of life is due.
    var keepaliveDue: Int64
    /// The start of the other side's process that this link belongs to.
    fileprivate(set) var incarnation: UInt64 = 0
    /// Grows with every incarnation of the peer that is seen for the first time.
    fileprivate var incarnationRank = 0
    /// Grows with every link of the peer that comes up.
    fileprivate var ordinal = 0

    init(node: String, key: CurvePublicKey, origin: LinkOrigin, now: Int64) {
        self.node = node
        self.key = key
        self.origin = origin
        lastHeard = now
        keepaliveDue = now
    }
}

/// A link that the peer opened to our ROUTER.
final class IncomingLink: Link {
    /// How our ROUTER addresses the connection.
    let routingIdentity: [UInt8]
    /// The key in Z85 with a closing zero byte, as libzmq shows it on every message.
    let keyText: [CChar]

    init(node: String, key: CurvePublicKey, routingIdentity: [UInt8], now: Int64) {
        self.routingIdentity = routingIdentity
        keyText = key.z85.utf8.map { CChar(bitPattern: $0) } + [0]
        super.init(node: node, key: key, origin: .openedByPeer, now: now)
    }
}

/// A link that we open to the peer, with a DEALER of its own.
final class OutgoingLink: Link {
    /// What is known of the connection beneath.
    enum Phase {
        /// libzmq is trying and goes on trying.
        case connecting
        /// The handshake succeeded.
        case connected
        /// Gone, and libzmq has not said that it tries again: after an authentication or protocol error it never does.
        case lost
    }

    /// What the configuration calls the peer.
    let label: String
    let address: PeerAddress
    var socket: Socket
    var phase = Phase.connecting
    /// When the phase last changed or libzmq last told anything.
    var phaseChanged: Int64
    /// Pause before a lost link is opened anew; doubles with every attempt.
    var reopenDelay: Int64
    /// When the next greeting is due, while the link is not up.
    var greetingDue: Int64
    /// Names the present connection in greetings.
    var token: UInt64 = 0
    /// Until when nothing is read from it; nil mostly.
    var pausedUntil: Int64?
    /// Whether the handler knows that the peer does not admit us.
    var isRefusalKnown = false

    init(
        label: String, address: PeerAddress, node: String, socket: Socket, reopenDelay: Int64, now: Int64
    ) {
        self.label = label
        self.address = address
        self.socket = socket
        self.reopenDelay = reopenDelay
        phaseChanged = now
        greetingDue = now
        super.init(node: node, key: address.publicKey, origin: .openedHere, now: now)
    }
}

/// A node with the links to it that are up, and the one in use.
///
/// Invariants:
/// - `active` is nil exactly while `links` is empty, and else one of them.
/// - Of links to the newest incarnation, the one opened by the node with the lower name is in use; of several such, the
///   one that came up last.
final class Peer {
    /// How the standing of a peer changed.
    enum Change: Equatable {
        case none
        case up
        case down
        /// What was on its way may be lost, but another link is up.
        case restarted
    }

    let name: String
    /// Whether our links are the ones to prefer.
    private let isOwnNameLower: Bool
    private(set) var links: [Link] = []
    private(set) var active: Link?
    private var counter = 0
    var metrics = PeerMetrics()
    /// Until when less is read of what it sends.
    var isHeldBackUntil: Int64 = 0
    /// When a full link is tried again; nil while none is full.
    var probeDue: Int64?
    /// Tries in a row that found the link full.
    var probeCount = 0

    init(name: String, ownName: String) {
        self.name = name
        // By bytes, so that both sides compare alike whatever their locale or Unicode version.
        isOwnNameLower = ownName.utf8.lexicographicallyPrecedes(name.utf8)
    }

    /// A link was found to work; `incarnation` is what the other side said.
    func raise(_ link: Link, incarnation: UInt64) -> Change {
        precondition(!link.isUp, "a link comes up once")
        counter += 1
        link.isUp = true
        link.incarnation = incarnation
        link.ordinal = counter
        link.incarnationRank = links.first { $0.incarnation == incarnation }?.incarnationRank ?? counter
        links.append(link)
        return settle()
    }

    /// A link broke, fell silent or may not be used any more.
    func drop(_ link: Link) -> Change {
        guard link.isUp else { return .none }
        link.isUp = false
        links.removeAll { $0 === link }
        return settle()
    }

    /// The link to give up where there are too many: the oldest that is not in use.
    func surplusLink(limit: Int) -> Link? {
        guard links.count > limit else { return nil }
        return links.filter { $0 !== active }.min { $0.ordinal < $1.ordinal }
    }

    /// The link in use was found full: when it shall be tried again. Links of small messages have room within
    /// microseconds, so the first tries follow at once; a stuck peer costs ten tries a second.
    func scheduleProbe(now: Int64) {
        let pause: Int64 = probeCount < 8 ? 0 : 1 << min(probeCount - 8, 7)
        probeDue = now + min(pause, 100)
        probeCount += 1
    }

    /// The link in use has room.
    func endProbing() {
        probeDue = nil
        probeCount = 0
    }

    private func settle() -> Change {
        let preferredOrigin: LinkOrigin = isOwnNameLower ? .openedHere : .openedByPeer
        let best = links.max { left, right in
            if left.incarnationRank != right.incarnationRank { return left.incarnationRank < right.incarnationRank }
            if left.origin != right.origin { return right.origin == preferredOrigin }
            return left.ordinal < right.ordinal
        }
        let previous = active
        guard best !== previous else { return .none }
        active = best
        endProbing()
        switch (previous, best) {
        case (nil, nil):
            return .none
        case (nil, _):
            metrics.timesUp += 1
            return .up
        case (_, nil):
            metrics.timesDown += 1
            return .down
        case (let previous?, let best?):
            // Only a move to the link the other side opened leaves the old one whole. A second link of the same origin
            // means that the peer connected anew because its old connection broke.
            if previous.isUp && previous.incarnation == best.incarnation && previous.origin != best.origin {
                return .none
            }
            metrics.timesDown += 1
            metrics.timesUp += 1
            return .restarted
        }
    }
}
