public import EventLog

/// The levels of an ODM clinical record below the participant.
public enum InstanceKind: UInt64, Sendable, Codable {
    case studyEvent = 1
    case form = 2
    case itemGroup = 3
}

/// The beginning of an instance: the entry that declares it, and its place in that entry's table of instances.
public struct Beginning: Hashable, Comparable, Sendable, Codable {
    /// The entry.
    public let entry: EntryID
    /// The place, from 0.
    public let position: UInt64

    /// Names a beginning.
    public init(entry: EntryID, position: UInt64) {
        self.entry = entry
        self.position = position
    }

    /// Orders them in the same way everywhere.
    public static func < (left: Beginning, right: Beginning) -> Bool {
        (left.entry, left.position) < (right.entry, right.position)
    }
}

/// By what an instance is the same one in two entries (DESIGN §5, "Instances").
public enum InstanceIdentity: Hashable, Sendable {
    /// Scheduled and once only: participant, parent and OID say which.
    case natural
    /// Begun by this very entry.
    case own
    /// Begun by an earlier entry.
    case begun(Beginning)
    /// Named by the identifier of the answer that it holds.
    case response(ResponseInstance)

    /// Whether only a client system writes what it names.
    var isResponse: Bool {
        if case .response = self { true } else { false }
    }
}

/// One line of an entry's table of instances; a child names its parent by place, so parents stand first.
public struct InstanceDeclaration: Hashable, Sendable {
    /// Event, form or item group.
    public var kind: InstanceKind
    /// Place of the parent in the table; nil for an event.
    public var parent: Int?
    /// OID of its definition.
    public var oid: String
    /// Which one it is.
    public var identity: InstanceIdentity
    /// True where the writer saw no beginning of it, so that this entry is one. Always true of ``InstanceIdentity/own``.
    public var beginsHere: Bool
    /// The beginnings of a natural instance that the writer saw.
    public var seenBeginnings: [Beginning]
    /// A repeat key that an import brought: kept for display and export, never for identity.
    public var repeatKey: String?
    /// Whether concurrent versions stay alternatives as wholes.
    public var isWhole: Bool

    /// States a line.
    public init(
        kind: InstanceKind, parent: Int?, oid: String, identity: InstanceIdentity, beginsHere: Bool,
        seenBeginnings: [Beginning] = [], repeatKey: String? = nil, isWhole: Bool = false
    ) {
        self.kind = kind
        self.parent = parent
        self.oid = oid
        self.identity = identity
        self.beginsHere = beginsHere
        self.seenBeginnings = seenBeginnings
        self.repeatKey = repeatKey
        self.isWhole = isWhole
    }
}

/// An instance's id: SHA-256 over its natural key, or over its beginning.
public struct InstanceID: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }

    /// The id of what participant, parent and OID say alone.
    public static func natural(
        participant: EntryID, parent: InstanceID?, kind: InstanceKind, oid: String
    ) -> InstanceID {
        var writer = WireWriter()
        writer.string(1, "varde/instance/natural/0")
        writer.identifier(2, participant)
        writer.identifier(3, parent)
        writer.unsigned(4, kind.rawValue)
        writer.string(5, oid)
        return InstanceID(.sha256(writer.bytes))
    }

    /// The id of a form that holds an answer, or of a row in it.
    public static func response(
        _ response: ResponseInstance, participant: EntryID, parent: InstanceID?, kind: InstanceKind, oid: String
    ) -> InstanceID {
        var writer = WireWriter()
        writer.string(1, "varde/instance/response/0")
        writer.identifier(2, participant)
        writer.identifier(3, parent)
        writer.unsigned(4, kind.rawValue)
        writer.string(5, oid)
        writer.message(6) { response.write(into: &$0) }
        return InstanceID(.sha256(writer.bytes))
    }

    /// The id of what an entry began.
    public static func begun(by beginning: Beginning) -> InstanceID {
        var writer = WireWriter()
        writer.string(1, "varde/instance/begun/0")
        writer.identifier(2, beginning.entry)
        writer.unsigned(3, beginning.position)
        return InstanceID(.sha256(writer.bytes))
    }
}

extension Beginning {
    func write(into writer: inout WireWriter) {
        writer.identifier(1, entry)
        writer.unsigned(2, position)
    }

    init(from reader: inout WireReader) throws(WireError) {
        var fields = BeginningFields()
        try fields.read(&reader)
        self = try fields.finished()
    }
}

/// A beginning while it is being read.
private struct BeginningFields {
    var entry: EntryID?
    var position: UInt64 = 0

    mutating func read(_ reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: entry = try reader.identifier()
            case 2: position = try reader.unsigned()
            default: try reader.skip()
            }
        }
    }

    func finished() throws(WireError) -> Beginning {
        guard let entry else { throw .missing(field: 1) }
        return Beginning(entry: entry, position: position)
    }
}

extension InstanceDeclaration {
    func write(into writer: inout WireWriter) {
        writer.unsigned(1, kind.rawValue)
        if let parent { writer.unsigned(2, UInt64(parent) + 1) }
        writer.string(3, oid)
        switch identity {
        case .natural: break
        case .own: writer.boolean(4, true)
        case .begun(let beginning): writer.message(5) { beginning.write(into: &$0) }
        case .response(let response): writer.message(10) { response.write(into: &$0) }
        }
        writer.boolean(6, beginsHere)
        for beginning in seenBeginnings { writer.message(7) { beginning.write(into: &$0) } }
        if let repeatKey { writer.string(8, always: repeatKey) }
        writer.boolean(9, isWhole)
    }

    /// Reads line `place` of a table.
    init(from reader: inout WireReader, place: Int) throws(WireError) {
        self.init(kind: .studyEvent, parent: nil, oid: "", identity: .natural, beginsHere: false)
        var isKindKnown = false
        var isOwn = false
        var begun: BeginningFields?
        while let field = try reader.next() {
            switch field {
            case 1:
                kind = try reader.enumeration(InstanceKind.self)
                isKindKnown = true
            case 2:
                let number = try reader.unsigned(as: Int.self)
                // A parent stands before its child; this is what makes every walk up the table end.
                guard number >= 1, number <= place else { throw .outOfRange(field: 2) }
                parent = number - 1
            case 3: oid = try reader.string()
            case 4: isOwn = try reader.boolean()
            case 5:
                var inner = try reader.message()
                var fields = begun ?? BeginningFields()
                try fields.read(&inner)
                begun = fields
            case 6: beginsHere = try reader.boolean()
            case 7:
                var inner = try reader.message()
                seenBeginnings.append(try Beginning(from: &inner))
            case 8: repeatKey = try reader.string()
            case 9: isWhole = try reader.boolean()
            case 10:
                guard identity == .natural else { throw .outOfRange(field: 10) }
                var inner = try reader.message()
                identity = .response(try ResponseInstance(from: &inner))
            default: try reader.skip()
            }
        }
        guard isKindKnown else { throw .missing(field: 1) }
        guard !oid.isEmpty else { throw .missing(field: 3) }
        guard identity == .natural || (!isOwn && begun == nil) else { throw .outOfRange(field: 10) }
        if isOwn { identity = .own }
        if let begun {
            guard !isOwn else { throw .outOfRange(field: 5) }
            identity = .begun(try begun.finished())
        }
        guard (kind == .studyEvent) == (parent == nil) else { throw .outOfRange(field: 2) }
    }
}

/// Reads a table of instances, checking that each level stands under the one above it.
func readInstanceTable(_ table: inout [InstanceDeclaration], _ reader: inout WireReader) throws(WireError) {
    var inner = try reader.message()
    let line = try InstanceDeclaration(from: &inner, place: table.count)
    if let parent = line.parent, table[parent].kind.rawValue + 1 != line.kind.rawValue { throw .outOfRange(field: 2) }
    table.append(line)
}
