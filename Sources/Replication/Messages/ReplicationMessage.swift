public import EventLog

/// One message between two nodes: `varde.v0.ReplicationMessage` of `Protocols/replication.proto`.
///
/// Apart from ``charterVersions(_:)``, ``have(_:)``, ``range(_:)`` and ``orders(_:)`` every message has under 1 KB.
package enum ReplicationMessage: Hashable, Sendable {
    /// Who I am and which charter I hold; the first message of every link, repeated when either changes.
    case hello(Hello)
    /// Send me versions of the charter.
    case charterRequest(CharterRequest)
    /// Versions of the charter.
    case charterVersions(CharterVersions)
    /// One hash over all heads that we both may hold.
    case haveDigest(HaveDigest)
    /// Heads that I hold durably.
    case have(Have)
    /// Send me this log, so many bytes of it.
    case want(Want)
    /// Entries of a log.
    case range(RangeMessage)
    /// This much of a log is durable here.
    case receipt(Receipt)
    /// What you want is not to be had here (any more).
    case rangeUnavailable(RangeUnavailable)
    /// I did not take your message.
    case refusal(Refusal)
    /// Vouch for this head of a log of mine.
    case witnessRequest(WitnessedExtension)
    /// I have vouched for so much of your log, and can go on from there only.
    case witnessState(WitnessedSize)
    /// Who vouches for which heads.
    case cosignatures(CosignatureRows)
    /// A log's writer signed two histories of it.
    case forkProof(ForkProofMessage)
    /// I hold a proof that this log is forked.
    case forkKnown(ForkKnown)
    /// Orders under which parts are missing in what comes next.
    case orders(OrdersMessage)
}

/// Who I am and which charter I hold.
package struct Hello: Hashable, Sendable {
    /// The sender.
    package var node: NodeID
    /// The sender's network; nil while it has no charter.
    package var network: NetworkID?
    /// Number of charter versions held, so 0 for none.
    package var charterCount: UInt64
    /// Hash of the newest version held; the founding hash while there is none.
    package var charterHash: Hash
    /// Drawn when the sender's process started: another one means that it knows nothing of what was said before.
    package var incarnation: UInt64
    /// True for the answer to a hello, which is itself not answered.
    package var isAnswer: Bool

    /// States a greeting.
    package init(
        node: NodeID, network: NetworkID?, charterCount: UInt64, charterHash: Hash, incarnation: UInt64, isAnswer: Bool
    ) {
        self.node = node
        self.network = network
        self.charterCount = charterCount
        self.charterHash = charterHash
        self.incarnation = incarnation
        self.isAnswer = isAnswer
    }
}

/// Send me the versions of the charter from a number on.
package struct CharterRequest: Hashable, Sendable {
    /// Number of the first version wanted.
    package var first: UInt64

    /// States a request.
    package init(first: UInt64) {
        self.first = first
    }
}

/// Versions of the charter, one after the other.
package struct CharterVersions: Hashable, Sendable {
    /// Number of the first.
    package var first: UInt64
    /// The bytes of each ``SignedCharter``.
    package var versions: [[UInt8]]

    /// States versions.
    package init(first: UInt64, versions: [[UInt8]]) {
        self.first = first
        self.versions = versions
    }
}

/// One hash over all heads in streams that both sides may hold, by the sender's knowledge.
package struct HaveDigest: Hashable, Sendable {
    /// SHA-256 over the domain `varde/heads/0` and, ordered by log id, each log's id, size (8 bytes) and root.
    package var digest: Hash
    /// How many heads went in.
    package var count: UInt64
    /// True for the answer to a digest, which is itself answered at most by heads.
    package var isAnswer: Bool
    /// SHA-256 over the domain `varde/cosignatures/0` and, ordered by log id, witness and number, each cosignature's log,
    /// witness (its length in one byte, then its name), number and size (8 bytes each); nil where the sender takes no part.
    package var cosignatures: Hash?

    /// States a digest.
    package init(digest: Hash, count: UInt64, isAnswer: Bool, cosignatures: Hash? = nil) {
        self.digest = digest
        self.count = count
        self.isAnswer = isAnswer
        self.cosignatures = cosignatures
    }
}

/// Heads that the sender holds durably: part of a whole vector, or news.
package struct Have: Hashable, Sendable {
    /// Where a message stands in a vector that was cut into parts.
    package struct Part: Hashable, Sendable {
        /// Number of the vector; a later one has a higher number.
        package var vector: UInt64
        /// Position of this part, from 0.
        package var index: Int
        /// Number of parts.
        package var count: Int

        /// States a part.
        package init(vector: UInt64, index: Int, count: Int) {
            self.vector = vector
            self.index = index
            self.count = count
        }
    }

    /// Which part of a whole vector this is; nil for news about single logs.
    package var part: Part?
    /// The heads.
    package var rows: [HaveRow]

    /// States heads.
    package init(part: Part?, rows: [HaveRow]) {
        self.part = part
        self.rows = rows
    }
}

/// One head in a ``Have``. The network is left out; the log's id is computed from the rest and so is never wrong.
package struct HaveRow: Hashable, Sendable {
    /// The writer.
    package var node: NodeID
    /// The stream written to.
    package var stream: StreamID
    /// The run of the writer's log.
    package var epoch: Epoch
    /// Number of entries held.
    package var size: UInt64
    /// Root of the tree over them.
    package var root: Hash
    /// Where a branch of a forked log begins; nil for a log, or for what all its branches have in common.
    package var fork: ForkPoint?

    /// States a head.
    package init(node: NodeID, stream: StreamID, epoch: Epoch, size: UInt64, root: Hash, fork: ForkPoint? = nil) {
        self.node = node
        self.stream = stream
        self.epoch = epoch
        self.size = size
        self.root = root
        self.fork = fork
    }

    /// The name of what is held.
    package func name(network: NetworkID) -> LogName {
        let log = LogName(network: network, node: node, stream: stream, epoch: epoch)
        return fork.map { log.branch(at: $0) } ?? log
    }

    /// States the head of a log that is held.
    package init(_ head: LogHead) {
        self.init(
            node: head.name.node, stream: head.name.stream, epoch: head.name.epoch, size: head.size, root: head.root,
            fork: head.name.fork)
    }
}

/// Send me a log from an index on. Sent again with the same pull number it only raises the credit, so that it may be
/// repeated and overtaken without harm.
package struct Want: Hashable, Sendable {
    /// The log.
    package var log: LogID
    /// Index of the first entry wanted; the same in all wants of one pull.
    package var from: UInt64
    /// Names the pull; a higher number takes the place of a lower one for the same log.
    package var pull: UInt64
    /// Bytes (``EntryRange/transferBytes``) that may be sent in all in this pull, counted from its beginning.
    package var creditBytes: UInt64

    /// States a want.
    package init(log: LogID, from: UInt64, pull: UInt64, creditBytes: UInt64) {
        self.log = log
        self.from = from
        self.pull = pull
        self.creditBytes = creditBytes
    }
}

/// Entries of a log.
package struct RangeMessage: Hashable, Sendable {
    /// The pull it belongs to; 0 for what is sent unasked.
    package var pull: UInt64
    /// The entries and the checkpoint that vouches for them.
    package var range: EntryRange
    /// Whether the log's writer, who sends it, has links to all who may hold the stream, and sends it to each of them.
    package var isSentToAll: Bool

    /// States entries.
    package init(pull: UInt64, range: EntryRange, isSentToAll: Bool = false) {
        self.pull = pull
        self.range = range
        self.isSentToAll = isSentToAll
    }
}

/// So much of a log is durable at the sender.
package struct Receipt: Hashable, Sendable {
    /// The log.
    package var log: LogID
    /// Number of entries.
    package var size: UInt64
    /// Root of the tree over them.
    package var root: Hash

    /// States a receipt.
    package init(log: LogID, size: UInt64, root: Hash) {
        self.log = log
        self.size = size
        self.root = root
    }
}

/// A pull cannot go on. It is named by its number, so that no stream is named that the other may not hold.
package struct RangeUnavailable: Hashable, Sendable {
    /// The number of the pull.
    package var pull: UInt64
    /// True where asking again at once makes sense, because only what was under way was lost.
    package var isAgain: Bool

    /// States that a pull cannot go on.
    package init(pull: UInt64, isAgain: Bool) {
        self.pull = pull
        self.isAgain = isAgain
    }
}

/// How far a witness has vouched for a log.
package struct WitnessedSize: Hashable, Sendable {
    /// The log.
    package var log: LogID
    /// Number of entries of the head cosigned last; 0 for none.
    package var size: UInt64

    /// States a size.
    package init(log: LogID, size: UInt64) {
        self.log = log
        self.size = size
    }
}

/// Cosignatures that the sender keeps.
package struct CosignatureRows: Hashable, Sendable {
    /// The cosignatures, at most ``ReplicationProtocol/cosignatures``.
    package var rows: [KeptCosignature]
    /// True where with this message all that concern the receiver have been told.
    package var isAll: Bool

    /// States cosignatures.
    package init(rows: [KeptCosignature], isAll: Bool) {
        self.rows = rows
        self.isAll = isAll
    }
}

/// The proof that a log's writer signed two histories of it.
package struct ForkProofMessage: Hashable, Sendable {
    /// The writer.
    package var node: NodeID
    /// The stream written to.
    package var stream: StreamID
    /// The run of the writer's log.
    package var epoch: Epoch
    /// Two signed heads and why they cannot both be true.
    package var proof: ForkProof

    /// States a proof.
    package init(node: NodeID, stream: StreamID, epoch: Epoch, proof: ForkProof) {
        self.node = node
        self.stream = stream
        self.epoch = epoch
        self.proof = proof
    }
}

/// I hold a proof that a log is forked: yours need not be sent again.
package struct ForkKnown: Hashable, Sendable {
    /// The log.
    package var log: LogID

    /// States that a fork is known.
    package init(log: LogID) {
        self.log = log
    }
}

/// A message was not taken. Never answered.
package struct Refusal: Hashable, Sendable {
    /// Why.
    package var code: RefusalCode
    /// A sentence for people.
    package var text: String

    /// States a refusal.
    package init(code: RefusalCode, text: String) {
        self.code = code
        self.text = text
    }
}

/// Why a message was not taken.
public struct RefusalCode: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The message is of a protocol version that the sender does not speak.
    public static let unknownProtocolVersion = RefusalCode(rawValue: 1)
    /// The message cannot be read.
    public static let unreadable = RefusalCode(rawValue: 2)
    /// The message is of another node or network than the link.
    public static let wrongSender = RefusalCode(rawValue: 3)
    /// The charters contradict each other.
    public static let charterContradiction = RefusalCode(rawValue: 4)
    /// The charter does not admit one of the two nodes.
    public static let notAdmitted = RefusalCode(rawValue: 5)
    /// The stream is not to be held here.
    public static let streamNotHeld = RefusalCode(rawValue: 6)
    /// More was asked for than is served at once.
    public static let tooMuch = RefusalCode(rawValue: 7)
    /// A version of the charter breaks a rule.
    public static let charterRefused = RefusalCode(rawValue: 8)

    /// A head was not cosigned.
    public static let headNotCosigned = RefusalCode(rawValue: 20)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [
        1: "unknown protocol version", 2: "unreadable", 3: "wrong sender", 4: "charter contradiction",
        5: "not admitted", 6: "stream not held", 7: "too much", 8: "charter refused", 20: "head not cosigned",
    ]
}

extension EntryRange {
    /// What a range counts against credit: the bytes of its entries and its checkpoint.
    package var transferBytes: Int { byteCount + checkpoint.count }
}
