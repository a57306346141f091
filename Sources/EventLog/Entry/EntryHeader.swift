/// The versions of format and merge rules that this software writes.
public enum FormatVersion {
    /// Draft 0: everything may change without migration until the formats are frozen.
    public static let header: UInt64 = 0
    /// The lowest merge-rules version that may apply what is written today.
    public static let mergeRules: UInt64 = 0
}

/// Largest sizes that the formats allow (DESIGN §4).
public enum FormatLimit {
    /// Bytes of a header.
    public static let headerBytes = 4096
    /// Bytes of an entry, header and body together.
    public static let entryBytes = 128 * 1024
    /// Parts of an entry.
    public static let parts = 64
}

/// What a part of an entry's body holds.
public struct PartKind: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Operation, instances, items written, value ids seen, command id.
    public static let structure = PartKind(rawValue: 1)
    /// Values and codes.
    public static let content = PartKind(rawValue: 2)
    /// One free-text value (the last such part may hold several).
    public static let text = PartKind(rawValue: 3)
    /// A comment.
    public static let comment = PartKind(rawValue: 4)
    /// A reason.
    public static let reason = PartKind(rawValue: 5)
    /// An original document.
    public static let document = PartKind(rawValue: 6)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [
        1: "structure", 2: "content", 3: "text", 4: "comment", 5: "reason", 6: "document",
    ]
}

/// What a header says of one part: enough to check it, nothing of what it holds.
public struct PartCommitment: Hashable, Sendable {
    /// What the part holds.
    public let kind: PartKind
    /// SHA-256(0x02 ‖ kind ‖ salt ‖ bytes).
    public let commitment: Hash
    /// Bytes of the part, without its salt.
    public let byteCount: UInt64

    /// Names a part.
    public init(kind: PartKind, commitment: Hash, byteCount: UInt64) {
        self.kind = kind
        self.commitment = commitment
        self.byteCount = byteCount
    }
}

/// Who acted and on what authority, as far as the header says it.
public struct Authority: Hashable, Sendable {
    /// The actor, by a random id.
    public var actor: ActorID
    /// Person, patient, system or partner app.
    public var kind: ActorKind
    /// In what role.
    public var role: Role
    /// How the identity was established.
    public var authentication: Authentication
    /// The delegation entry the actor relied on, if any.
    public var delegation: EntryID?

    /// States who acts.
    public init(
        actor: ActorID, kind: ActorKind, role: Role, authentication: Authentication, delegation: EntryID? = nil
    ) {
        self.actor = actor
        self.kind = kind
        self.role = role
        self.authentication = authentication
        self.delegation = delegation
    }
}

/// The versions the writer knew when it wrote. Rights are judged from these, so that the judgement is the same everywhere.
public struct KnownVersions: Hashable, Sendable {
    /// Version of the charter.
    public var charter: UInt64
    /// Number in the study's participation chain; 0 before the first.
    public var participation: UInt64
    /// Number in the site's delegation chain; 0 before the first.
    public var delegation: UInt64

    /// States what was known.
    public init(charter: UInt64 = 0, participation: UInt64 = 0, delegation: UInt64 = 0) {
        self.charter = charter
        self.participation = participation
        self.delegation = delegation
    }
}

/// The node's own clock at the time of writing.
public struct NodeTime: Hashable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var utcMilliseconds: Int64
    /// The node's zone at that moment, minutes east of UTC.
    public var offsetMinutes: Int64
    /// Whether the operating system held the clock synchronised.
    public var isSynchronised: Bool
    /// The operating system's bound on the clock's error in milliseconds; nil where unknown.
    public var errorBoundMilliseconds: UInt64?

    /// States the time.
    public init(
        utcMilliseconds: Int64, offsetMinutes: Int64 = 0, isSynchronised: Bool = false,
        errorBoundMilliseconds: UInt64? = nil
    ) {
        self.utcMilliseconds = utcMilliseconds
        self.offsetMinutes = offsetMinutes
        self.isSynchronised = isSynchronised
        self.errorBoundMilliseconds = errorBoundMilliseconds
    }
}

/// An entry's header: the leaf of its log. Nothing in it says anything about a patient (DESIGN §4).
public struct EntryHeader: Hashable, Sendable {
    /// The lowest merge-rules version that may apply the entry.
    public var mergeRules: UInt64
    /// The log it stands in.
    public var log: LogID
    /// Its place in the log, from 0.
    public var index: UInt64
    /// What it does.
    public var operation: OperationType
    /// Its hybrid logical time: 48 bits of milliseconds and 16 of counter, growing strictly within a log.
    public var hybridTime: UInt64
    /// The node's clock.
    public var nodeTime: NodeTime
    /// Who acted.
    public var authority: Authority
    /// What the writer knew.
    public var known: KnownVersions
    /// Content hash of the study definition in force for the writer, where one was used.
    public var definition: Hash?
    /// Name and version of the software that wrote it.
    public var software: String
    /// The handle of the participant concerned, if one is.
    public var subject: SubjectHandle?
    /// The parts of the body, in order.
    public var parts: [PartCommitment]
    /// Room for the actor's own signature.
    public var actorSignature: [UInt8]

    /// States all of a header.
    public init(
        mergeRules: UInt64 = FormatVersion.mergeRules, log: LogID, index: UInt64, operation: OperationType,
        hybridTime: UInt64, nodeTime: NodeTime, authority: Authority, known: KnownVersions, definition: Hash?,
        software: String, subject: SubjectHandle?, parts: [PartCommitment], actorSignature: [UInt8] = []
    ) {
        self.mergeRules = mergeRules
        self.log = log
        self.index = index
        self.operation = operation
        self.hybridTime = hybridTime
        self.nodeTime = nodeTime
        self.authority = authority
        self.known = known
        self.definition = definition
        self.software = software
        self.subject = subject
        self.parts = parts
        self.actorSignature = actorSignature
    }
}
