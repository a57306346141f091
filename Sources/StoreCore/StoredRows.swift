public import EventLog

/// Whose file it is.
public struct StoreIdentity: Hashable, Sendable {
    /// Drawn when the file was made: a view built over another file is no view of this one.
    public let incarnation: RandomName
    /// The network.
    public let network: NetworkID
    /// The node.
    public let node: NodeID
}

/// Why a log of the node's own was given up.
public enum LogCloseReason: Int64, Hashable, Sendable {
    /// In good order: a right to write ended, or a key was rotated.
    case givenUp = 1
    /// More of it was signed than the disk held.
    case takenBack = 2
    /// The start guard did not agree, and no peer could be asked.
    case guardFailed = 3
    /// Two contradicting heads of it are signed.
    case forked = 4

    /// The reason that the next log of the stream gives in its entry 0.
    var openingReason: LogOpeningReason {
        switch self {
        case .givenUp: .previousClosed
        case .takenBack: .restored
        case .guardFailed: .guardFailed
        case .forked: .forked
        }
    }
}

/// Whether a log may grow here.
public enum LogStatus: Hashable, Sendable {
    /// It grows: an own one by appends, another's by ranges.
    case open
    /// An own log of which a later head is signed than is held: grows only by entries taken back from peers.
    case suspended(seen: LogHead)
    /// An own log that was given up: grows only by entries taken back from peers.
    case closed(LogCloseReason)
}

/// A log as far as it is held.
public struct StoredLog: Hashable, Sendable {
    /// The small number that stands for the log within this file.
    public let branch: Int64
    /// How far it is held.
    public let head: LogHead
    /// For a branch of a forked log, the small number of the row that holds what comes before it; nil for a log itself.
    public let parent: Int64?
    /// Bytes of all headers and bodies, as they were when they came.
    public let byteCount: UInt64
    /// Whether this node is its writer.
    public let isOwn: Bool
    /// Whether it may grow.
    public let status: LogStatus

    /// The log's name.
    public var name: LogName { head.name }
    /// Index of the first entry of the row: 0, or where the branch begins.
    public var start: UInt64 { name.start }
    /// Number of entries of the row itself.
    public var count: UInt64 { head.size - start }
}

/// An entry as it lies in the file.
public struct StoredEntry: Hashable, Sendable {
    /// Where it stands.
    public let address: EntryAddress
    /// Its bytes.
    public let raw: RawEntry
    /// Its leaf hash.
    public let id: EntryID

    /// The entry, read without checking its parts again: that was done when it came.
    ///
    /// - Throws: ``EntryError/unreadable(_:)`` for entries of later versions and void ones.
    public func parsed() throws(EntryError) -> Entry {
        try Entry(trusting: raw, id: id)
    }
}

/// The answer to a command that was accepted.
public struct Receipt: Hashable, Sendable {
    /// Where its entry stands.
    public let address: EntryAddress
    /// The entry.
    public let id: EntryID
    /// What the command was, so that a repetition can be told from another command of the same id: the digest given with
    /// the command, else that of the draft.
    public let contentDigest: Hash
}

/// What became of a draft.
public struct Appended: Sendable {
    /// Where the entry stands.
    public let receipt: Receipt
    /// True where the command had been accepted before: nothing was written now.
    public let isRepeated: Bool
    /// What was written now, in order: nothing for a repetition; else the entry, and before it the opening of its log
    /// where the log is new.
    public let written: [Entry]

    /// The entry of the draft where it was written now.
    public var entry: Entry? { written.last }
}

/// Entries of one log that one commit brought.
public struct Arrival: Hashable, Sendable {
    /// The number of the arrival, growing by one from 1.
    public let number: Int64
    /// The log.
    public let log: LogID
    /// Index of the first entry.
    public let first: UInt64
    /// How many there are.
    public let count: UInt64
}

/// An arrival with its entries.
public struct ArrivedEntries: Hashable, Sendable {
    /// Which arrival.
    public let arrival: Arrival
    /// Its entries in order.
    public let entries: [StoredEntry]
}

/// What one commit did to one log.
public struct CommittedLog: Hashable, Sendable {
    /// How far the log is held now.
    public let head: LogHead
    /// Whether this node wrote it.
    public let isOwn: Bool
    /// Index of the first new entry.
    public let first: UInt64
    /// How many are new.
    public let count: UInt64
}

/// What an order drops (DESIGN §4, "Redaction and erasure").
public enum OrderAction: Hashable, Sendable {
    /// Every part of every entry of the order's stream with this handle, present or still to come; those of orders stay.
    case erase(SubjectHandle)
    /// These parts of the entry at an address, its structure excepted, where it is the one that is meant.
    case redact(EntryAddress, entry: EntryID, parts: PartSet)
}

/// An order that acts here.
public struct StoredOrder: Hashable, Sendable {
    /// Its number in this file.
    public let number: Int64
    /// The entry that gave it.
    public let entry: EntryAddress
    /// The stream it acts on.
    public let stream: StreamID
    /// What it drops.
    public let action: OrderAction
}

/// A version of the charter, kept as it was signed; what is in it is not the store's to read.
public struct CharterRecord: Hashable, Sendable {
    /// Its number.
    public let version: UInt64
    /// What was signed.
    public let bytes: [UInt8]
    /// The signatures over it.
    public let signatures: [UInt8]

    /// States a version.
    public init(version: UInt64, bytes: [UInt8], signatures: [UInt8]) {
        self.version = version
        self.bytes = bytes
        self.signatures = signatures
    }

    /// SHA-256 of ``bytes``, by which later versions name it.
    public var hash: Hash { .sha256(bytes) }
}

/// Something that people should hear of: a refused range, a possible fork, a suspended log.
public struct Incident: Hashable, Sendable {
    /// When this node noticed, milliseconds since 1970 UTC.
    public var utcMilliseconds: Int64
    /// A short word for the kind, such as `range refused`.
    public var kind: String
    /// The peer that was talking, where one was.
    public var peer: NodeID?
    /// The log concerned, where one is.
    public var log: LogID?
    /// What happened, for people; ids but no patients' values.
    public var text: String
    /// The head held here, as its signed note, where heads contradict each other.
    public var heldHead: [UInt8]?
    /// The head shown by the peer, as its signed note.
    public var shownHead: [UInt8]?

    /// States an incident.
    public init(
        utcMilliseconds: Int64, kind: String, peer: NodeID? = nil, log: LogID? = nil, text: String,
        heldHead: [UInt8]? = nil, shownHead: [UInt8]? = nil
    ) {
        self.utcMilliseconds = utcMilliseconds
        self.kind = kind
        self.peer = peer
        self.log = log
        self.text = text
        self.heldHead = heldHead
        self.shownHead = shownHead
    }
}

extension EntryDraft {
    /// The digest of what the draft says: SHA-256 over the domain `varde/draft/0`, command, actor, stream, operation,
    /// subject, definition and the parts. What the writer knew when it wrote is left out, because it may have grown when
    /// the same command is sent again.
    public var contentDigest: Hash {
        ContentDigest.of(
            command: command, actor: authority.actor, stream: stream, operation: operation, subject: subject,
            definition: definition, parts: parts.map { ($0.kind, $0.bytes) })
    }
}

/// The one place where digests of commands are made, for drafts and for entries that are verified later.
enum ContentDigest {
    static func of(
        command: CommandID, actor: ActorID, stream: StreamID, operation: OperationType, subject: SubjectHandle?,
        definition: Hash?, parts: [(PartKind, [UInt8])]
    ) -> Hash {
        var writer = WireWriter(capacity: 192 + parts.reduce(0) { $0 + $1.1.count + 8 })
        writer.string(1, "varde/draft/0")
        writer.name(2, command)
        writer.name(3, actor)
        writer.string(4, stream.description)
        writer.unsigned(5, operation.rawValue)
        writer.name(6, subject)
        if let definition { writer.hash(7, definition) }
        for (kind, bytes) in parts {
            writer.unsigned(8, always: kind.rawValue)
            writer.data(9, always: bytes)
        }
        return .sha256(writer.bytes)
    }
}
