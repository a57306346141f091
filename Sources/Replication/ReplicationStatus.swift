public import EventLog

/// How far this node has got with a peer.
public enum PeerPhase: String, Hashable, Sendable {
    /// No link is up.
    case down
    /// A link is up; the peer has not greeted yet.
    case greeting
    /// One side still fetches versions of the charter.
    case settlingCharter
    /// Heads and entries are exchanged.
    case exchanging
    /// The charters contradict each other: nothing is exchanged.
    case contradicting
    /// The newest charter does not admit one of the two: nothing is exchanged.
    case notAdmitted
    /// The peer is of another network, or not who it should be.
    case foreign
}

/// What `varde status` tells about replication.
public struct ReplicationStatus: Hashable, Sendable {
    /// One peer.
    public struct Peer: Hashable, Sendable {
        /// The peer.
        public let node: NodeID
        /// How far we have got with it.
        public let phase: PeerPhase
        /// True once it has told all its heads since the link came up.
        public let hasAnswered: Bool
        /// Entries held here, in streams it may hold, that it is not known to hold durably.
        public let entriesItLacks: UInt64
        /// Entries it says to hold that are not here.
        public let entriesLackingHere: UInt64
        /// Logs being pulled from it.
        public let logsInFlight: Int
        /// Bytes it may still send of what was asked for.
        public let outstandingCreditBytes: Int
        /// Bytes that came from it and are not durable yet.
        public let bytesBeingStored: Int
        /// Bytes under way to it unasked, without a receipt.
        public let pushedBytes: Int
        /// Bytes of messages sent to it since this node started.
        public let sentBytes: UInt64
        /// Bytes of messages received from it since this node started.
        public let receivedBytes: UInt64
        /// Ranges it sent that were refused, and messages that could not be read.
        public let faults: UInt64
        /// Messages of ours that it refused.
        public let refusals: UInt64
        /// Incidents that were counted and no longer reported one by one.
        public let suppressedIncidents: UInt64
        /// When it was last heard of; nil if never.
        public let lastHeard: MonotonicMilliseconds?
    }

    /// This node.
    public let node: NodeID
    /// Number of the newest charter version; nil before the first has come.
    public let charterNumber: UInt64?
    /// Logs held.
    public let logs: Int
    /// Entries held.
    public let entries: UInt64
    /// The peers, by id.
    public let peers: [Peer]
}
