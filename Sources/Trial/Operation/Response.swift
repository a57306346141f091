public import EventLog

/// By what a registered client system names one of its answers (FHIR `Identifier`).
public struct ResponseIdentifier: Hashable, Sendable, Codable {
    /// The namespace of the value.
    public var system: String
    /// The value, unique in it.
    public var value: String

    /// Names an answer.
    public init(system: String, value: String) {
        self.system = system
        self.value = value
    }

    /// Whether both are spelled with the same bytes; what Unicode holds to be equivalent is not the same here.
    func isSpelled(like other: ResponseIdentifier) -> Bool {
        system.utf8.elementsEqual(other.system.utf8) && value.utf8.elementsEqual(other.value.utf8)
    }
}

/// The final statuses of a FHIR R4 `QuestionnaireResponse`.
public enum ResponseStatus: String, Hashable, Sendable, Codable, CaseIterable {
    /// Filled in.
    case completed
    /// Filled in, and changed afterwards.
    case amended
    /// Should never have been.
    case enteredInError = "entered-in-error"

    /// The number in entries, from 1.
    var number: UInt64 {
        switch self {
        case .completed: 1
        case .amended: 2
        case .enteredInError: 3
        }
    }

    init?(number: UInt64) {
        guard let status = ResponseStatus.allCases.first(where: { $0.number == number }) else { return nil }
        self = status
    }
}

/// What is derived from an answer's identifier and bytes, so that every node derives the same (`Protocols/merge.md`, M40).
public enum ResponseIdentity {
    /// The command id of an answer: the same client, system, value and bytes are the same command at every node.
    public static func command(
        client: ActorID, identifier: ResponseIdentifier, documentSHA256: Hash
    ) -> CommandID {
        CommandID(derivedFrom: hash("varde/response/command/0", client, identifier, documentSHA256))
    }

    /// The receipt of an answer: 64 hexadecimal digits, the same whichever node took it in, and however often.
    public static func receipt(client: ActorID, identifier: ResponseIdentifier, documentSHA256: Hash) -> String {
        hash("varde/response/receipt/0", client, identifier, documentSHA256).hex
    }

    private static func hash(
        _ domain: String, _ client: ActorID, _ identifier: ResponseIdentifier, _ documentSHA256: Hash
    ) -> Hash {
        var writer = WireWriter()
        writer.string(1, domain)
        writer.name(2, client)
        writer.string(3, identifier.system)
        writer.string(4, identifier.value)
        writer.hash(5, documentSHA256)
        return .sha256(writer.bytes)
    }
}

/// An answer whose versions belong together: of one participant, by one client under one identifier.
public struct ResponseID: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }

    /// The id that participant, client and identifier give.
    public init(participant: EntryID, client: ActorID, identifier: ResponseIdentifier) {
        var writer = WireWriter()
        writer.string(1, "varde/response/0")
        writer.identifier(2, participant)
        writer.name(3, client)
        writer.string(4, identifier.system)
        writer.string(5, identifier.value)
        hash = .sha256(writer.bytes)
    }
}

/// A form, a row in it, or the repeating event it stands in, that is named by the identifier of the answer it holds.
public struct ResponseInstance: Hashable, Sendable {
    /// The client system.
    public var client: ActorID
    /// The answer's identifier.
    public var identifier: ResponseIdentifier
    /// Which row of a repeating group, from 1 in the order of the answer; 0 for the form and the event.
    public var row: UInt64

    /// Names a form, row or event.
    public init(client: ActorID, identifier: ResponseIdentifier, row: UInt64 = 0) {
        self.client = client
        self.identifier = identifier
        self.row = row
    }

    func write(into writer: inout WireWriter) {
        writer.name(1, client)
        writer.string(2, identifier.system)
        writer.string(3, identifier.value)
        writer.unsigned(4, row)
    }

    init(from reader: inout WireReader) throws(WireError) {
        var client: ActorID?
        var identifier = ResponseIdentifier(system: "", value: "")
        var row: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: client = try reader.name()
            case 2: identifier.system = try reader.string()
            case 3: identifier.value = try reader.string()
            case 4: row = try reader.unsigned()
            default: try reader.skip()
            }
        }
        guard let client else { throw .missing(field: 1) }
        self.init(client: client, identifier: identifier, row: row)
    }
}

/// A version of an answer to a questionnaire arrives: a whole form, written by a registered client system.
public struct Response: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The client's identifier for the answer.
    public var identifier: ResponseIdentifier
    /// What the client says of it.
    public var status: ResponseStatus
    /// When it was written, as sent.
    public var authored: String
    /// SHA-256 of the original bytes.
    public var documentSHA256: Hash
    /// The event, the form, and the groups and rows that the answers stand in; parents before children.
    public var instances: [InstanceDeclaration]
    /// The answers.
    public var changes: [Change]
    /// The versions of the answer that the node held.
    public var seen: [EntryID]
    /// The original bytes; nil where they were dropped by an order.
    public var document: [UInt8]?

    /// States a version.
    public init(
        participant: EntryID, identifier: ResponseIdentifier, status: ResponseStatus, authored: String,
        documentSHA256: Hash, instances: [InstanceDeclaration], changes: [Change], seen: [EntryID] = [],
        document: [UInt8]? = nil
    ) {
        self.participant = participant
        self.identifier = identifier
        self.status = status
        self.authored = authored
        self.documentSHA256 = documentSHA256
        self.instances = instances
        self.changes = changes
        self.seen = seen
        self.document = document
    }
}

extension Response {
    /// The part of it that is written as in a saved form: participant, instances and values.
    private var form: FormSave {
        FormSave(participant: participant, instances: instances, changes: changes)
    }

    func writeStructure(into writer: inout WireWriter) {
        form.writeStructure(into: &writer)
        for entry in seen { writer.identifier(54, entry) }
        writer.string(55, identifier.system)
        writer.string(56, identifier.value)
        writer.unsigned(57, status.number)
        writer.string(58, authored)
        writer.hash(59, documentSHA256)
    }

    /// The parts after the structure: content, free texts, and the original bytes.
    func contentParts() -> [(kind: PartKind, bytes: [UInt8])] {
        form.contentParts(othersThatFollow: 1) + [(.document, document ?? [])]
    }
}

/// A response while it is being read.
struct ResponseFields {
    private var form = FormSave(participant: EntryID(.zero), instances: [], changes: [])
    private var seen: [EntryID] = []
    private var identifier = ResponseIdentifier(system: "", value: "")
    private var status: ResponseStatus?
    private var authored = ""
    private var documentSHA256: Hash?

    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 54: seen.append(try reader.identifier())
        case 55: identifier.system = try reader.string()
        case 56: identifier.value = try reader.string()
        case 57:
            guard let known = ResponseStatus(number: try reader.unsigned()) else { throw .outOfRange(field: 57) }
            status = known
        case 58: authored = try reader.string()
        case 59: documentSHA256 = try reader.hash()
        default: try form.readStructure(field, &reader)
        }
    }

    /// The response, where its table of instances and its command id are those of its identifier and bytes.
    mutating func finished(with entry: Entry, command: CommandID) throws(WireError) -> Response {
        guard let status else { throw .missing(field: 57) }
        guard let documentSHA256 else { throw .missing(field: 59) }
        let client = entry.header.authority.actor
        guard
            command
                == ResponseIdentity.command(client: client, identifier: identifier, documentSHA256: documentSHA256)
        else { throw .outOfRange(field: 2) }
        guard form.instances.count(where: { $0.kind == .form }) == 1,
            form.instances.allSatisfy({ fits($0, client: client) })
        else { throw .outOfRange(field: 51) }
        try form.readContent(of: entry)
        return Response(
            participant: form.participant, identifier: identifier, status: status, authored: authored,
            documentSHA256: documentSHA256, instances: form.instances, changes: form.changes, seen: seen,
            document: entry.bytes(of: .document))
    }

    /// Whether a line is what may stand in a response's table: the form and its rows are named by the identifier, its other
    /// groups by what they are, and the event in any way, but by no other identifier.
    private func fits(_ line: InstanceDeclaration, client: ActorID) -> Bool {
        switch (line.kind, line.identity) {
        case (_, .response(let named)):
            named.client == client && named.identifier.isSpelled(like: identifier)
                && (named.row == 0) == (line.kind != .itemGroup)
        case (.studyEvent, _): true
        case (.itemGroup, .natural): true
        default: false
        }
    }
}
