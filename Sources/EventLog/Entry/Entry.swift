/// Why bytes are not the entry they are said to be.
public enum EntryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The header or body cannot be read.
    case unreadable(WireError)
    /// The entry is larger than ``FormatLimit`` allows.
    case tooLarge(byteCount: Int)
    /// The header names another log or index than the place it was given for.
    case misplaced(expected: UInt64, found: UInt64)
    /// A part is not what the header commits to.
    case partMismatch(position: Int)

    /// A sentence for people.
    public var description: String {
        switch self {
        case .unreadable(let error): "the entry cannot be read: \(error)"
        case .tooLarge(let count): "the entry has \(count) bytes, more than the \(FormatLimit.entryBytes) allowed"
        case .misplaced(let expected, let found):
            "the entry says it stands at \(found) of another place, not at \(expected) here"
        case .partMismatch(let position): "part \(position) is not the one the header commits to"
        }
    }
}

/// An entry as it is stored and sent: bytes that are never encoded again.
public struct RawEntry: Hashable, Sendable {
    /// The leaf.
    public let header: [UInt8]
    /// The parts that are here.
    public let body: [UInt8]

    /// Joins the two.
    public init(header: [UInt8], body: [UInt8]) {
        self.header = header
        self.body = body
    }

    /// Bytes of header and body.
    public var byteCount: Int { header.count + body.count }

    /// SHA-256(0x00 ‖ header).
    public var id: EntryID { EntryID(MerkleTree.leafHash(of: header)) }
}

/// One atomic action of one actor: a header of a version we know, and the parts that are here.
public struct Entry: Hashable, Sendable {
    /// The leaf hash.
    public let id: EntryID
    /// The leaf.
    public let header: EntryHeader
    /// Its parts.
    public let body: EntryBody

    /// Reads an entry whose leaf hash is known to be `id`, without checking the parts against the header.
    ///
    /// - Throws: ``EntryError/unreadable(_:)``.
    public init(trusting raw: RawEntry, id: EntryID) throws(EntryError) {
        do throws(WireError) {
            header = try EntryHeader(bytes: raw.header)
            body = try EntryBody(bytes: raw.body, partCount: header.parts.count)
        } catch {
            throw .unreadable(error)
        }
        self.id = id
    }

    /// Reads an entry and checks every part that is here against the header.
    ///
    /// - Throws: ``EntryError``.
    public init(checking raw: RawEntry, at index: UInt64, of log: LogID) throws(EntryError) {
        guard raw.byteCount <= FormatLimit.entryBytes else { throw .tooLarge(byteCount: raw.byteCount) }
        try self.init(trusting: raw, id: raw.id)
        guard header.index == index, header.log == log else {
            throw .misplaced(expected: index, found: header.index)
        }
        for (position, part) in body.parts.enumerated() {
            guard let part else { continue }
            guard part.commitment(kind: header.parts[position].kind) == header.parts[position] else {
                throw .partMismatch(position: position)
            }
        }
    }

    /// The bytes of the first part of `kind`; nil where there is none or it was dropped.
    public func bytes(of kind: PartKind) -> [UInt8]? {
        guard let position = header.parts.firstIndex(where: { $0.kind == kind }) else { return nil }
        return body.parts[position]?.bytes
    }
}

/// What an entry will say, before the store gives it a log, an index, a time and salts.
public struct EntryDraft: Sendable {
    /// The stream it is written to.
    public var stream: StreamID
    /// The lowest merge-rules version that may apply it.
    public var mergeRules: UInt64
    /// What it does.
    public var operation: OperationType
    /// Who acts.
    public var authority: Authority
    /// What the writer knows.
    public var known: KnownVersions
    /// The definition in force, where one was used.
    public var definition: Hash?
    /// The participant's handle.
    public var subject: SubjectHandle?
    /// The sender's id for the command, by which a repetition is recognised.
    public var command: CommandID
    /// Kind and bytes of every part, in order, at most ``FormatLimit/parts``.
    public var parts: [(kind: PartKind, bytes: [UInt8])] {
        didSet { precondition(parts.count <= FormatLimit.parts, "an entry has at most 64 parts") }
    }

    /// States a draft.
    public init(
        stream: StreamID, operation: OperationType, authority: Authority, known: KnownVersions, definition: Hash? = nil,
        subject: SubjectHandle? = nil, command: CommandID, parts: [(kind: PartKind, bytes: [UInt8])]
    ) {
        self.stream = stream
        self.mergeRules = FormatVersion.mergeRules
        self.operation = operation
        self.authority = authority
        self.known = known
        self.definition = definition
        self.subject = subject
        self.command = command
        self.parts = parts
    }

    /// Gives the draft its place, time and salts, and so its bytes.
    public func sealed(
        log: LogID, index: UInt64, hybridTime: UInt64, nodeTime: NodeTime, software: String,
        using generator: inout some RandomNumberGenerator
    ) -> (entry: Entry, raw: RawEntry) {
        var salted: [Part] = []
        salted.reserveCapacity(parts.count)
        for part in parts { salted.append(Part(salt: RandomName(using: &generator), bytes: part.bytes)) }
        let header = EntryHeader(
            mergeRules: mergeRules, log: log, index: index, operation: operation, hybridTime: hybridTime,
            nodeTime: nodeTime, authority: authority, known: known, definition: definition, software: software,
            subject: subject, parts: zip(salted, parts).map { $0.commitment(kind: $1.kind) })
        let body = EntryBody(parts: salted)
        let raw = RawEntry(header: header.bytes, body: body.bytes)
        return (Entry(id: raw.id, header: header, body: body), raw)
    }
}

extension Entry {
    init(id: EntryID, header: EntryHeader, body: EntryBody) {
        self.id = id
        self.header = header
        self.body = body
    }
}
