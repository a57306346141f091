public import EventLog
public import Trial

/// How things stand at a node: what `varde status` shows and the demonstration's table is made of.
public struct NodeStatus: Hashable, Sendable, Codable {
    /// The node.
    public var node: NodeID
    /// Its network.
    public var network: NetworkID
    /// Its region; nil for a coordinating centre.
    public var region: String?
    /// Version of the charter it knows.
    public var charterVersion: UInt64
    /// The version after which rival versions of the charter came, where nothing settles between them yet.
    public var charterDisputedAfter: UInt64?
    /// What the start rule says: whether own entries may be written, and if not, for what is waited.
    public var start: String
    /// Why nothing is written any more, and what to do; nil while the disk does what it should.
    public var storeFailure: String?
    /// Logs of which their node signed two histories: a backup, a copy or a second machine of it was run.
    public var forkedLogs: [LogID]
    /// What reading all of it again has found.
    public var scrub: ScrubStatus
    /// Entries held, of all streams.
    public var entries: UInt64
    /// What the streams of locations hold, together.
    public var counts: StreamCounts
    /// Every stream of which something is held.
    public var streams: [StreamStatus]
    /// Every other node of the charter.
    public var peers: [PeerStatus]
    /// Connections and frames that came to nothing since the start.
    public var transport: TransportStatus
    /// Things that went wrong since the store was made, newest first.
    public var incidents: [String]
    /// How the node stands as a witness of the logs of others.
    public var witness: WitnessReport

    /// The same for somebody who may know of some streams only: what is counted is counted of those, and where any is left
    /// out so is what went wrong, which names logs and says not of which stream each is.
    ///
    /// - Parameter isOpen: whether a stream may be known of.
    public func only(_ isOpen: (StreamID) -> Bool) -> NodeStatus {
        var status = self
        status.streams.removeAll { !(StreamID($0.stream).map(isOpen) ?? false) }
        guard status.streams.count < streams.count else { return self }
        let logs = status.streams.flatMap(\.logs)
        status.entries = logs.reduce(0) { $0 + $1.size }
        status.counts = status.streams.reduce(into: StreamCounts()) { $0 += $1.counts }
        status.forkedLogs.removeAll { forked in !logs.contains { $0.log == forked } }
        status.incidents = []
        status.scrub.entries = 0
        status.scrub.damaged = []
        status.scrub.problems = []
        return status
    }

    /// What somebody has to see to at once, a sentence each.
    public var alerts: [String] {
        (storeFailure.map { ["nothing is written any more, reading goes on: \($0)"] } ?? [])
            + (charterDisputedAfter.map { number in
                [
                    "two versions of the charter follow version \(number), both signed by enough administrators: what any of "
                        + "them revokes counts, what they admit does not, until one settles between them ('varde network settle')"
                ]
            } ?? [])
            + scrub.damaged.map { "\($0); other nodes are asked for it" }
            + scrub.problems.map { "\($0); restore a backup beside this node and run 'varde verify' on both" }
            + forkedLogs.map { log in
                "log \(log) is forked: its node signed two histories of it. Everything in both counts. Find out which "
                    + "backup, copy or second machine of that node was run, and end it"
            }
    }
}

/// How a node stands as a witness.
public struct WitnessReport: Hashable, Sendable, Codable {
    /// The name of its key by the charter; nil where it is not admitted.
    public var key: String?
    /// Whether it vouches for others now.
    public var isActive: Bool
    /// The same in words, with the reason where it does not.
    public var state: String
}

/// A hospital that vouches for a head of a log: it has seen that the head extends all it saw before.
public struct Voucher: Hashable, Sendable, Codable {
    /// The hospital's node.
    public var node: NodeID
    /// The number of entries that it vouches for.
    public var size: UInt64
    /// Whether it may hold the entries themselves; else it has seen heads and proofs only.
    public var isHolder: Bool
    /// When it said so, by its own clock, in seconds since 1970-01-01T00:00:00Z.
    public var unixSeconds: UInt64
}

/// One stream at a node.
public struct StreamStatus: Hashable, Sendable, Codable {
    /// Its name.
    public var stream: String
    /// The location; nil for the study's own stream.
    public var location: LocationID?
    /// Digest of the state.
    public var digest: Hash
    /// Digest of the study's own stream, which the other rests on.
    public var studyDigest: Hash
    /// What it holds.
    public var counts: StreamCounts
    /// Its logs.
    public var logs: [LogStatusReport]
    /// Entries without effect or waiting, and other findings, one line each.
    public var findings: [String]
}

/// One log at a node.
public struct LogStatusReport: Hashable, Sendable, Codable {
    /// The log.
    public var log: LogID
    /// Who writes it.
    public var node: NodeID
    /// Entries held.
    public var size: UInt64
    /// Root of the tree over them.
    public var root: Hash
    /// Nodes known to hold all of it durably.
    public var alsoAt: [NodeID]
    /// Nodes that vouch for a head of it.
    public var vouchedBy: [Voucher]
}

/// A peer as a node sees it.
public struct PeerStatus: Hashable, Sendable, Codable {
    /// The peer.
    public var node: NodeID
    /// How far the two have got: down, greeting, settlingCharter, exchanging, …
    public var phase: String
    /// Entries held here that the peer is not known to hold.
    public var entriesItLacks: UInt64
    /// Entries the peer holds that are not here yet.
    public var entriesLackingHere: UInt64
    /// Logs being pulled from it.
    public var logsInFlight: Int
    /// Bytes it may still send of what was asked for.
    public var creditBytes: Int
    /// Bytes that came from it and are not durable yet.
    public var bytesBeingStored: Int
    /// Bytes under way to it unasked, without a receipt.
    public var pushedBytes: Int
    /// Bytes sent to it since the start.
    public var sentBytes: UInt64
    /// Bytes received from it since the start.
    public var receivedBytes: UInt64
    /// Refused ranges and unreadable messages of its.
    public var faults: UInt64
    /// Messages of this node that it refused.
    public var refusals: UInt64
    /// Milliseconds since it was last heard; nil where it was not since the start.
    public var silenceMilliseconds: UInt64?
}

/// What a node's fold holds of one participant.
public struct ParticipantReport: Hashable, Sendable, Codable {
    /// One item.
    public struct Item: Hashable, Sendable, Codable {
        /// The event's OID and repeat key.
        public var event: String
        /// The form's OID and repeat key.
        public var form: String
        /// The form's instance.
        public var formInstance: InstanceID
        /// The group's OID and repeat key.
        public var group: String
        /// The group's instance.
        public var groupInstance: InstanceID
        /// The item.
        public var item: ItemOID
        /// Every value that stands; several that differ are a conflict.
        public var values: [ItemValue]
        /// Whether they conflict.
        public var isConflict: Bool
    }

    /// One value that stands.
    public struct ItemValue: Hashable, Sendable, Codable {
        /// Its id, to be named as seen.
        public var id: SeenValue
        /// As typed; nil where it was erased by order.
        public var typed: String?
        /// The node that recorded it.
        public var node: NodeID?
    }

    /// The registering entry.
    public var participant: EntryID
    /// The location.
    public var location: LocationID
    /// The labels.
    public var labels: [ParticipantLabel]
    /// The statuses reached.
    public var statuses: [ParticipantStatus]
    /// Whether everything about the participant is understood by this software.
    public var isFullyUnderstood: Bool
    /// Every item with a value.
    public var items: [Item]
}
