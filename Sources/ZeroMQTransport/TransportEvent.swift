/// What the transport tells its handler.
///
/// Between a `peerUp` and the next `peerDown` of a node no message sent or received over the link in use is known to be
/// lost, and messages of one link keep their order. When a better link comes up, sending moves to it without a word,
/// and messages on the new link may then overtake those on the old. Delivery to the peer's disk is never promised:
/// only the peer's own answer says that.
public enum TransportEvent: Sendable, Equatable {
    /// A link to this node is up: it answers, and `send` reaches it.
    case peerUp(node: String)
    /// No link to this node is up any more, or the one in use broke, or the node was started anew; what was on its way
    /// may be lost. Where another link is up, a `peerUp` follows at once.
    case peerDown(node: String)
    /// A message from this node, as its key proves. The bytes are as they were sent.
    case message(from: String, bytes: [UInt8])
    /// After `send` said false because the link was full: there is room again.
    case writable(node: String)
    /// Somebody with a key that is not admitted tried to connect from this address. Told at most once a minute for a key.
    case refusedKey(CurvePublicKey, address: String)
    /// This node answers but does not admit our key (yet). Told once until it is up.
    case refusedByPeer(node: String)
}

/// Takes batches of events, in order, on the polling thread.
///
/// It must return quickly: no socket is served meanwhile. It may call the transport's methods through
/// `assumeIsolated`. It is never called again after `stop()` has returned.
public typealias TransportHandler = @Sendable ([TransportEvent]) -> Void

/// A message and the node it is for.
public struct OutgoingMessage: Sendable, Equatable {
    /// The bytes; 0 to the limit, 1 MiB where nothing else is configured.
    public let bytes: [UInt8]
    /// The name of the node it is for.
    public let node: String

    /// Addresses a message.
    public init(_ bytes: [UInt8], to node: String) {
        self.bytes = bytes
        self.node = node
    }
}

/// Which side opened a link. Either serves both ways.
public enum LinkOrigin: Sendable, Equatable {
    /// We connected to the peer.
    case openedHere
    /// The peer connected to us.
    case openedByPeer
}
