/// What went to and came from one peer since start. Bytes are those of messages, without any framing.
public struct PeerMetrics: Sendable, Equatable {
    /// Messages handed to the handler.
    public var messagesIn = 0
    /// Bytes of those messages.
    public var bytesIn = 0
    /// Messages accepted by `send`.
    public var messagesOut = 0
    /// Bytes of those messages.
    public var bytesOut = 0
    /// Of the messages sent, those over a link that we opened.
    public var messagesOutByOwnLink = 0
    /// Of the messages sent, those over a link that the peer opened.
    public var messagesOutByPeerLink = 0
    /// Sends that were refused: no link up, or no room.
    public var sendsRefused = 0
    /// Times the peer came up.
    public var timesUp = 0
    /// Times the peer went down.
    public var timesDown = 0

    /// All zero.
    public init() {}
}

/// What the transport counted since start.
///
/// A message above the size limit is not counted: libzmq closes the connection that brings it, which shows as a lost
/// connection.
public struct TransportMetrics: Sendable, Equatable {
    /// By name of the node.
    public var peers: [String: PeerMetrics] = [:]
    /// Handshakes denied because the key is not admitted.
    public var handshakesRefused = 0
    /// Handshakes at our listening socket that failed for any other reason.
    public var handshakesFailed = 0
    /// Connections to our listening socket that ended.
    public var connectionsLost = 0
    /// Messages and signs of life ignored because their sender's key is no longer admitted.
    public var framesIgnored = 0
    /// Messages dropped because their link was not up: not greeted yet, or left over from a lost connection.
    public var messagesDropped = 0
    /// Frames that do not follow the transport's format, or a version we do not know.
    public var framesMalformed = 0
    /// Times that a socket was left alone for a while, because only messages came that nobody can use.
    public var pauses = 0
    /// Messages that `send` refused because they exceed the size limit.
    public var sendsOversized = 0
    /// Sends that were refused because no node of that name was up since start.
    public var sendsToUnknown = 0

    /// All zero.
    public init() {}
}
