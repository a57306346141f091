public import EventLog

/// Names one read of a range that was asked of the store.
public struct ReadToken: Hashable, Sendable {
    /// Counts up within one machine.
    public let number: UInt64
}

/// Names one range that was handed to the store.
public struct IngestToken: Hashable, Sendable {
    /// Counts up within one machine.
    public let number: UInt64
}

/// Names a cosignature or a proof that was asked for.
public struct WitnessToken: Hashable, Sendable {
    /// Counts up within one machine.
    public let number: UInt64
}

/// Why a head was not cosigned after all.
public enum CosigningFailure: Error, Hashable, Sendable {
    /// Another head was cosigned meanwhile, or before this process knew: the newest.
    case otherNewest(StatedHead?)
    /// The entries held here have another root at the size that was cosigned before.
    case contradictsHeld(StatedHead)
    /// Not now: the disk refused, or the key may not be used. Nobody's fault.
    case failed(String)
}

/// What the state machine wants done. Effects are carried out in their order; those of later inputs come after.
public enum ReplicationEffect: Hashable, Sendable {
    /// Send these bytes. What the transport does not take is told with ``ReplicationMachine/sendFailed(to:now:)``.
    case send([UInt8], to: NodeID)
    /// Take less of what a peer sends for a while: it sent what cannot be read. Nothing depends on it.
    case holdBack(NodeID, milliseconds: Int)
    /// Read entries of a log that is held, from an index on, up to the last checkpoint within so many bytes of entries
    /// (always up to the first checkpoint, however far that is). The answer is
    /// ``ReplicationMachine/rangeRead(_:_:orders:now:)``, nil where there is nothing.
    case readRange(ReadToken, log: LogID, from: UInt64, maximumBytes: Int)
    /// Verify this range against the writer's signature and store it durably. Ranges of one log are taken in the order in
    /// which they come. The answer is ``ReplicationMachine/ingestFinished(_:_:now:)``.
    case ingest(IngestToken, EntryRange, name: LogName, from: NodeID)
    /// Verify these orders against their writers' signatures and what the writers may order, and let those that have effect
    /// act on what comes: parts that they drop may then be missing. Done before the ranges that come after. The answer is
    /// ``ReplicationMachine/ordersTaken(_:now:)``.
    case takeOrders(IngestToken, [OrderAhead], from: NodeID)
    /// Store the charter: it has grown. Afterwards a new ``HoldingPolicy`` will mostly be due.
    case storeCharter(CharterChain)
    /// A peer has told all its heads for the first time since the link came up (see ``StartRule``).
    case peerAnswered(NodeID)
    /// A peer claims to hold more of a log of this node than this node does. Not proven until the entries come; they are
    /// asked for like any others.
    case ownLogAhead(LogHead, from: NodeID)
    /// Entries of this node that it had lost, verified and durable again. The log must not be written to any more.
    case ownEntriesTakenBack(LogHead, from: NodeID)
    /// The histories of a log of this node's part: these are its pieces. The log must not be written to any more, and no
    /// claim about it is waited for that they answer.
    case ownLogForked(LogID, [LogHead])
    /// Keep the checked proof that a log is forked; an own log must not be written to any more.
    case storeForkProof(ForkProof, name: LogName, from: NodeID)
    /// Something for people to know.
    case report(ReplicationIncident)
    /// Store durably that this head is the newest that this node has cosigned of its log, provided that the newest is still
    /// the one named and, where the log is held here, that its first entries have that root; then sign. The answer is
    /// ``ReplicationMachine/cosigned(_:_:now:)``.
    case cosign(WitnessToken, StatedHead, after: StatedHead?, writer: NodeID)
    /// Make the proof that the newest signed head of an own log extends an earlier size, 0 for none. The answer is
    /// ``ReplicationMachine/proved(_:_:now:)``, nil where it cannot be made.
    case prove(WitnessToken, log: LogID, from: UInt64)
    /// Store these cosignatures, whose signatures are verified, as far as they do not contradict the entries held. The
    /// answer is ``ReplicationMachine/cosignaturesKept(_:contradicting:now:)``.
    case keepCosignatures([KeptCosignature], from: NodeID)
    /// This node's witness key is not to be used any more: a peer showed a cosignature of its own that it does not know.
    case retireWitnessKey(KeptCosignature, from: NodeID)
}

/// Why the store did not take a range.
public enum IngestFailure: Error, Hashable, Sendable {
    /// Hashes, signature, charter or limits fail: the sender is to blame. With a sentence for people.
    case refused(String)
    /// The writer's valid signature stands against what is held: its log forked, or the entries were altered on the way.
    case contradicts(String)
    /// The range does not begin where the log ends here, because something else was stored meanwhile.
    case outOfPlace
    /// What is said to be a branch is what is held, and no other history of the log is known here.
    case isNoBranch
    /// Not now (disk full, shutting down, an order is not here yet): nobody's fault, to be tried again.
    case failed(String)

    /// What a refusal by ``RangeVerifier`` means here.
    public init(_ refusal: RangeRefusal) {
        switch refusal.rule {
        case .wrongStart: self = .outOfPlace
        // The order that lets a part be missing may stand in another log, which has not come yet.
        case .partMissing, .ownLogIsOpen, .heldIsDamaged: self = .failed("\(refusal)")
        default: self = refusal.isPossibleFork ? .contradicts("\(refusal)") : .refused("\(refusal)")
        }
    }
}

/// Something that people should know about a peer.
public struct ReplicationIncident: Hashable, Sendable, CustomStringConvertible {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// A message of a protocol version that is not spoken here.
        case unknownProtocolVersion(UInt64)
        /// A message that cannot be read.
        case unreadableMessage(WireError)
        /// A greeting in the name of another node than the one at the other end.
        case wrongNode(NodeID)
        /// A greeting of another network.
        case wrongNetwork(NetworkID)
        /// A charter of another founding version.
        case charterContradiction(count: UInt64)
        /// Two versions of the charter follow the same one, and nothing settles between them yet.
        case charterDisputed(after: UInt64)
        /// A version of the charter that breaks a rule.
        case charterRefused(CharterError)
        /// The newest charter does not admit the peer, or does not admit this node.
        case notAdmitted(NodeID)
        /// Heads or entries of a stream that this node may not hold. Nothing of it was stored.
        case streamRefused(StreamID)
        /// Entries whose hashes, signature, writer or size are wrong. Nothing of them was stored.
        case rangeRefused(log: LogID, start: UInt64, reason: String)
        /// Entries under a valid signature that contradict those held here: a fork, or they were altered on the way.
        case rangeContradicts(log: LogID, start: UInt64, reason: String)
        /// The proof of a fork that proves none.
        case forkProofRefused(log: LogID, reason: String)
        /// Another root at the same size of a log: the writer's log forked, or the peer is wrong.
        case headContradicts(log: LogID, size: UInt64)
        /// A log that the peer said to hold did not come.
        case logNotSent(LogID)
        /// The peer names more logs than are kept in mind for one peer.
        case tooManyLogs(limit: Int)
        /// The peer did not take a message of ours.
        case refusedByPeer(RefusalCode, String)
        /// The local store could not take entries.
        case storeFailed(log: LogID, reason: String)
        /// A signed head that does not extend the one this node cosigned before: the log's writer signed two histories, or
        /// made a wrong proof. Both signed heads where they are at hand.
        case witnessRefused(log: LogID, WitnessRefusal, shown: [UInt8])
        /// A cosignature that is none: its key did not make it.
        case cosignatureInvalid(WitnessName)
        /// A witness vouches for another root than that of the entries held here.
        case cosignatureContradicts(log: LogID, size: UInt64, WitnessName)
        /// This node has cosigned what it does not remember: its state was set back.
        case witnessStateLost(log: LogID, size: UInt64)
        /// The local store could not give entries that it should hold.
        case rangeNotReadable(log: LogID, from: UInt64)
    }

    /// The peer concerned.
    public let peer: NodeID
    /// What happened.
    public let kind: Kind

    /// States an incident.
    public init(peer: NodeID, kind: Kind) {
        self.peer = peer
        self.kind = kind
    }

    /// A sentence for people.
    public var description: String {
        switch kind {
        case .unknownProtocolVersion(let version):
            "\(peer) speaks replication protocol version \(version), this node version \(ReplicationProtocol.version): "
                + "update the older of the two"
        case .unreadableMessage(let error): "\(peer) sent a message that cannot be read: \(error)"
        case .wrongNode(let node): "\(peer) greets as '\(node)'; its keys or the charter of one side are mixed up"
        case .wrongNetwork(let network): "\(peer) belongs to network '\(network)', not to this one"
        case .charterContradiction(let count):
            "\(peer) holds a charter of \(count) versions that begins with another version 0 than the one here; nothing is "
                + "exchanged with it until people have found out which one is this network's"
        case .charterDisputed(let number):
            "\(peer) holds another version of the charter after version \(number) than this node, and both are signed by enough "
                + "administrators; what any of them revokes counts and what they admit does not, until the administrators "
                + "settle between them ('varde network settle')"
        case .charterRefused(let error): "\(peer) sent a version of the charter that is refused: \(error)"
        case .notAdmitted(let node): "nothing is exchanged with \(peer): the newest charter does not admit '\(node)'"
        case .streamRefused(let stream):
            "\(peer) offered \(stream), which this node may not hold; nothing of it was stored"
        default: logDescription
        }
    }

    /// The sentences about logs.
    private var logDescription: String {
        switch kind {
        case .rangeRefused(let log, let start, let reason):
            "\(peer) sent entries of log \(log) from \(start) on that are refused: \(reason); another node is asked"
        case .rangeContradicts(let log, let start, let reason):
            "entries of log \(log) from \(start) on that came from \(peer) contradict those here under the writer's own "
                + "signature: \(reason); another node is asked"
        case .forkProofRefused(let log, let reason):
            "\(peer) sent a proof that log \(log) is forked, which proves nothing: \(reason)"
        case .headContradicts(let log, let size):
            "\(peer) holds other entries than this node among the first \(size) of log \(log): its writer signed two "
                + "histories, which are now fetched and compared, or one of the two nodes is damaged: run 'varde verify'"
        case .logNotSent(let log): "\(peer) did not send what it says to hold of log \(log); another node is asked"
        case .tooManyLogs(let limit): "\(peer) names more than \(limit) logs; those beyond are ignored"
        case .refusedByPeer(let code, let text): "\(peer) refused a message (\(code)): \(text)"
        case .storeFailed(let log, let reason): "entries of log \(log) from \(peer) could not be stored: \(reason)"
        case .rangeNotReadable(let log, let from):
            "entries of log \(log) from \(from) on, wanted by \(peer), could not be read here; run 'varde verify'"
        default: witnessDescription
        }
    }

    /// The sentences about witnesses.
    private var witnessDescription: String {
        switch kind {
        case .witnessRefused(let log, let refusal, _):
            "a head of log \(log) by \(peer) was not cosigned: \(refusal)"
        case .cosignatureInvalid(let witness): "\(peer) sent a cosignature of '\(witness)' that its key did not make"
        case .cosignatureContradicts(let log, let size, let witness):
            "'\(witness)' vouches for other entries among the first \(size) of log \(log) than are held here; "
                + "run 'varde verify' on both"
        case .witnessStateLost(let log, let size):
            "\(peer) shows that this node cosigned log \(log) at size \(size), of which it knows nothing: its disk was set "
                + "back, and it cosigns no more with this key; make a new one with 'varde network rotate --witness'"
        default: "\(peer): \(kind)"
        }
    }
}
