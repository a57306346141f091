extension EntryHeader {
    /// The bytes that are hashed, stored and sent: `varde.v0.Header` of `Protocols/entry.proto`, its version first.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: 256 + parts.count * 42)
        writer.unsigned(1, always: FormatVersion.header)
        writer.unsigned(2, mergeRules)
        writer.identifier(3, log)
        writer.unsigned(4, index)
        writer.unsigned(5, operation.rawValue)
        writer.unsigned(6, hybridTime)
        writer.signed(7, nodeTime.utcMilliseconds)
        writer.signed(8, nodeTime.offsetMinutes)
        writer.boolean(9, nodeTime.isSynchronised)
        if let bound = nodeTime.errorBoundMilliseconds { writer.unsigned(10, always: bound) }
        writer.name(11, authority.actor)
        writer.unsigned(12, authority.kind.rawValue)
        writer.unsigned(13, authority.role.rawValue)
        writer.unsigned(14, authority.authentication.rawValue)
        writer.identifier(15, authority.delegation)
        writer.unsigned(16, known.charter)
        writer.unsigned(17, known.participation)
        writer.unsigned(18, known.delegation)
        if let definition { writer.hash(19, definition) }
        writer.string(20, software)
        writer.name(21, subject)
        for part in parts {
            writer.message(22) { inner in
                inner.unsigned(1, part.kind.rawValue)
                inner.hash(2, part.commitment)
                inner.unsigned(3, part.byteCount)
            }
        }
        writer.data(23, actorSignature)
        return writer.bytes
    }

    /// Reads a header of version 0.
    ///
    /// - Throws: ``WireError/unknownVersion(_:)`` for any other version, and the rest of ``WireError`` for what is no header.
    public init(bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= FormatLimit.headerBytes else { throw .outOfRange(field: 0) }
        var reader = WireReader(bytes)
        try reader.readFormatVersion(FormatVersion.header)
        var fields = Fields()
        while let field = try reader.next() { try fields.read(field, &reader) }
        guard let log = fields.log else { throw .missing(field: 3) }
        guard let actor = fields.actor else { throw .missing(field: 11) }
        self.init(
            mergeRules: fields.mergeRules, log: log, index: fields.index,
            operation: fields.operation, hybridTime: fields.hybridTime,
            nodeTime: fields.time,
            authority: Authority(
                actor: actor, kind: fields.kind, role: fields.role, authentication: fields.authentication,
                delegation: fields.delegation),
            known: fields.known, definition: fields.definition, software: fields.software, subject: fields.subject,
            parts: fields.parts, actorSignature: fields.signature)
    }

    /// What has been read so far.
    private struct Fields {
        var mergeRules: UInt64 = 0
        var log: LogID?
        var index: UInt64 = 0
        var operation = OperationType(rawValue: 0)
        var hybridTime: UInt64 = 0
        var time = NodeTime(utcMilliseconds: 0)
        var actor: ActorID?
        var kind = ActorKind(rawValue: 0)
        var role = Role(rawValue: 0)
        var authentication = Authentication.none
        var delegation: EntryID?
        var known = KnownVersions()
        var definition: Hash?
        var software = ""
        var subject: SubjectHandle?
        var parts: [PartCommitment] = []
        var signature: [UInt8] = []

        mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
            switch field {
            case 2: mergeRules = try reader.unsigned()
            case 3: log = try reader.identifier()
            case 4: index = try reader.unsigned()
            case 5: operation = try reader.code()
            case 6: hybridTime = try reader.unsigned()
            case 7: time.utcMilliseconds = try reader.signed()
            case 8: time.offsetMinutes = try reader.signed()
            case 9: time.isSynchronised = try reader.boolean()
            case 10: time.errorBoundMilliseconds = try reader.unsigned()
            case 11: actor = try reader.name()
            case 12: kind = try reader.code()
            case 13: role = try reader.code()
            case 14: authentication = try reader.code()
            case 15: delegation = try reader.identifier()
            case 16: known.charter = try reader.unsigned()
            case 17: known.participation = try reader.unsigned()
            case 18: known.delegation = try reader.unsigned()
            case 19: definition = try reader.hash()
            case 20: software = try reader.string()
            case 21: subject = try reader.name()
            case 22:
                guard parts.count < FormatLimit.parts else { throw .outOfRange(field: 22) }
                var inner = try reader.message()
                parts.append(try PartCommitment(from: &inner))
            case 23: signature = try reader.data()
            default: try reader.skip()
            }
        }
    }
}

extension PartCommitment {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var kind = PartKind(rawValue: 0)
        var commitment: Hash?
        var byteCount: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.code()
            case 2: commitment = try reader.hash()
            case 3: byteCount = try reader.unsigned()
            default: try reader.skip()
            }
        }
        guard let commitment else { throw .missing(field: 2) }
        self.init(kind: kind, commitment: commitment, byteCount: byteCount)
    }
}
