public import EventLog

extension Action {
    /// Reads what an entry does.
    ///
    /// - Returns: nil for an operation this software does not know, or whose structure was dropped by an order.
    /// - Throws: ``WireError`` where the structure of a known operation is not what `Protocols/entry.proto` says.
    public init?(reading entry: Entry) throws(WireError) {
        guard OperationType.names[entry.header.operation.rawValue] != nil else { return nil }
        guard let bytes = entry.bytes(of: .structure) else { return nil }
        if entry.header.operation == .logOpened {
            // An opening has a format of its own; all that the trial needs of it is that it was one.
            let opening = try LogOpening(bytes: bytes)
            self.init(command: opening.command, provenance: Provenance(source: .system), operation: .log)
            return
        }
        var reader = WireReader(bytes)
        try reader.readFormatVersion(FormatVersion.header)
        var command: CommandID?
        var provenance = Provenance(source: .system)
        var payload = Payload(type: entry.header.operation)
        while let field = try reader.next() {
            switch field {
            case 2: command = try reader.name()
            case 30...40: _ = try provenance.read(field, &reader)
            default: try payload.read(field, &reader)
            }
        }
        guard let command else { throw .missing(field: 2) }
        self.init(
            command: command, provenance: provenance, operation: try payload.finished(with: entry, command: command))
    }
}

/// Collects the fields from 50 on, whose meaning depends on the operation.
private struct Payload {
    let type: OperationType
    var founding = StudyFounding(nonce: RandomName(high: 0, low: 0), mode: .test, oid: StudyOID(""), name: "")
    var chunk = ContentChunk(document: .zero, position: 0, bytes: nil)
    var publication = DefinitionPublication(
        content: .zero, chunks: [], byteCount: 0, version: MetaDataVersionOID(""), name: "")
    var participation = Participation(
        number: 0, previous: nil, sponsor: "", coordinatingNodes: [], members: [], sites: [])
    var answer = ParticipationAnswer(
        invitation: EntryID(.zero), locations: [], agreement: "", approval: "", date: "")
    var delegation = DelegationFields()
    var registration = Registration(labels: [])
    var status = StatusRecord(participant: EntryID(.zero), status: .screened, eventDate: "")
    var save = FormSave(participant: EntryID(.zero), instances: [], changes: [])
    var removal = Removal(participant: EntryID(.zero), instances: [])
    var conflict = ConflictPayload()
    var response = ResponseFields()
    var assignment = AssignmentFields()
    var link = LinkFields()
    var order = DropOrderFields()
    /// The fields from 50 on that were there, a bit each.
    private var present: UInt64 = 0

    init(type: OperationType) {
        self.type = type
    }

    /// The fields without which the operation says nothing; those that are not here may be absent or empty.
    private var required: ClosedRange<Int>? {
        switch type {
        case .studyFounded, .statusRecorded, .labelAssigned: 50...51
        case .contentChunk, .definitionPublished, .participationAccepted, .participationWithdrawn, .formSaved, .removed,
            .restored, .instancesDecided, .conflictResolved, .formConfirmed, .responseReceived, .participantsLinked,
            .participantsUnlinked:
            50...50
        default: nil
        }
    }

    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        if (50..<114).contains(field) { present |= 1 << UInt64(field - 50) }
        switch type {
        case .studyFounded: try founding.read(field, &reader)
        case .contentChunk:
            switch field {
            case 50: chunk.document = try reader.hash()
            case 51: chunk.position = try reader.unsigned()
            default: try reader.skip()
            }
        case .definitionPublished: try publication.read(field, &reader)
        case .participationNumbered: try participation.read(field, &reader)
        case .participationAccepted, .participationWithdrawn: try answer.read(field, &reader)
        case .delegationNumbered: try delegation.read(field, &reader)
        case .participantRegistered:
            guard field == 50 else { return try reader.skip() }
            var inner = try reader.message()
            try registration.readLabel(&inner)
        case .statusRecorded: try status.read(field, &reader)
        case .formSaved: try save.readStructure(field, &reader)
        case .removed, .restored: try removal.read(field, &reader)
        case .instancesDecided, .conflictResolved, .formConfirmed: try conflict.read(field, &reader, of: type)
        case .responseReceived: try response.read(field, &reader)
        case .labelAssigned: try assignment.read(field, &reader)
        case .participantsLinked, .participantsUnlinked: try link.read(field, &reader)
        case .redactionOrdered, .erasureOrdered: try order.read(field, &reader)
        default: try reader.skip()
        }
    }

    mutating func finished(with entry: Entry, command: CommandID) throws(WireError) -> Operation {
        if let required {
            for field in required where present & 1 << UInt64(field - 50) == 0 { throw .missing(field: field) }
        }
        switch type {
        case .logOpened, .logClosed: return .log
        case .studyFounded: return .studyFounded(founding)
        case .contentChunk:
            chunk.bytes = entry.bytes(of: .document)
            return .contentChunk(chunk)
        case .definitionPublished: return .definitionPublished(publication)
        case .participationNumbered: return .participationNumbered(participation)
        case .participationAccepted: return .participationAccepted(answer)
        case .participationWithdrawn: return .participationWithdrawn(answer)
        case .planSet: return .planSet(document: entry.bytes(of: .document))
        case .delegationNumbered: return .delegationNumbered(try delegation.finished())
        case .participantRegistered: return .participantRegistered(registration)
        case .statusRecorded:
            status.reason = try entry.text(of: .reason)
            return .statusRecorded(status)
        case .formSaved:
            try save.readContent(of: entry)
            return .formSaved(save)
        case .removed, .restored:
            removal.reason = try entry.text(of: .reason)
            return type == .removed ? .removed(removal) : .restored(removal)
        case .instancesDecided, .conflictResolved, .formConfirmed: return try conflict.finished(with: entry, of: type)
        case .responseReceived: return .responseReceived(try response.finished(with: entry, command: command))
        case .labelAssigned: return .labelAssigned(try assignment.finished())
        case .participantsLinked, .participantsUnlinked:
            let said = try link.finished(reason: try entry.text(of: .reason))
            return type == .participantsLinked ? .participantsLinked(said) : .participantsUnlinked(said)
        case .redactionOrdered, .erasureOrdered:
            let said = try order.finished(with: entry)
            return type == .redactionOrdered ? .redactionOrdered(said) : .erasureOrdered(said)
        default: throw .outOfRange(field: 5)
        }
    }
}

extension StudyFounding {
    fileprivate mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: nonce = try reader.randomName()
        case 51:
            guard let known = StudyMode(rawValue: try reader.string()) else { throw .outOfRange(field: 51) }
            mode = known
        case 52: oid = StudyOID(try reader.string())
        case 53: name = try reader.string()
        default: try reader.skip()
        }
    }
}

extension DefinitionPublication {
    fileprivate mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: content = try reader.hash()
        case 51: chunks.append(try reader.identifier())
        case 52: byteCount = try reader.unsigned()
        case 53: version = MetaDataVersionOID(try reader.string())
        case 54: name = try reader.string()
        default: try reader.skip()
        }
    }
}

extension Participation {
    fileprivate mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: number = try reader.unsigned()
        case 51: previous = try reader.identifier()
        case 52: sponsor = try reader.string()
        case 53: coordinatingNodes.append(try reader.label())
        case 54:
            var inner = try reader.message()
            var location: LocationID?
            var acceptance: EntryID?
            while let field = try inner.next() {
                switch field {
                case 1: location = try inner.label()
                case 2: acceptance = try inner.identifier()
                default: try inner.skip()
                }
            }
            guard let location else { throw .missing(field: 54) }
            members.append(Member(location: location, acceptance: acceptance))
        case 55:
            var inner = try reader.message()
            sites.append(try StudySite(from: &inner))
        case 56:
            var inner = try reader.message()
            var allowed = orders ?? OrderPermissions(redaction: [], erasure: [])
            try allowed.read(&inner)
            orders = allowed
        default: try reader.skip()
        }
    }
}

extension StudySite {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var id: StudySiteID?
        var name = ""
        var isRegional = false
        var locations: [LocationID] = []
        var owner: NodeID?
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.label()
            case 2: name = try reader.string()
            case 3: isRegional = try reader.boolean()
            case 4: locations.append(try reader.label())
            case 5: owner = try reader.label()
            default: try reader.skip()
            }
        }
        guard let id, let owner else { throw .missing(field: 55) }
        self.init(id: id, name: name, isRegional: isRegional, locations: locations, owner: owner)
    }
}

extension ParticipationAnswer {
    fileprivate mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: invitation = try reader.identifier()
        case 51: locations.append(try reader.label())
        case 52: agreement = try reader.string()
        case 53: approval = try reader.string()
        case 54: date = try reader.string()
        case 55: seen.append(try reader.identifier())
        default: try reader.skip()
        }
    }
}

/// A delegation while it is being read.
private struct DelegationFields {
    var site: StudySiteID?
    var number: UInt64 = 0
    var previous: EntryID?
    var actor: ActorID?
    var name = ""
    var role = Role(rawValue: 0)
    var from = ""
    var to: String?
    var ends: EntryID?
    var held: [LogExtent] = []

    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: site = try reader.label()
        case 51: number = try reader.unsigned()
        case 52: previous = try reader.identifier()
        case 53: actor = try reader.name()
        case 54: name = try reader.string()
        case 55: role = try reader.code()
        case 56: from = try reader.string()
        case 57: to = try reader.string()
        case 58: ends = try reader.identifier()
        case 59:
            var inner = try reader.message()
            held.append(try LogExtent(from: &inner))
        default: try reader.skip()
        }
    }

    func finished() throws(WireError) -> Delegation {
        guard let site else { throw .missing(field: 50) }
        guard let actor else { throw .missing(field: 53) }
        return Delegation(
            site: site, number: number, previous: previous, actor: actor, name: name, role: role,
            from: from, to: to, ends: ends, held: held)
    }
}

extension StatusRecord {
    fileprivate mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: participant = try reader.identifier()
        case 51:
            guard let known = ParticipantStatus(number: try reader.unsigned()) else { throw .outOfRange(field: 51) }
            status = known
        case 52: eventDate = try reader.string()
        case 53: replaces.append(try reader.identifier())
        default: try reader.skip()
        }
    }
}

extension Removal {
    fileprivate mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: participant = try reader.identifier()
        case 51: try readInstanceTable(&instances, &reader)
        case 52: seen.append(try reader.identifier())
        case 53: try readSeen(&seenValues, &reader)
        default: try reader.skip()
        }
    }
}
