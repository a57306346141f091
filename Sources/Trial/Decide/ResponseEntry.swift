public import EventLog

/// An answer to a questionnaire as a client system submits it.
public struct ResponseEntry: Hashable, Sendable {
    /// In whose stream.
    public var location: LocationID
    /// Whose answer.
    public var participant: ParticipantReference
    /// The visit: scheduled once, one that stands, or a new one where it repeats, which the answer then names.
    public var event: InstanceSelector
    /// The form that the questionnaire is.
    public var form: FormOID
    /// The client's identifier for the answer.
    public var identifier: ResponseIdentifier
    /// What the client says of it.
    public var status: ResponseStatus
    /// When it was written, as sent (FHIR `dateTime`).
    public var authored: String
    /// The answers; every `new` group is a row of its own.
    public var groups: [EnteredGroup]
    /// The original bytes; Base64 in Codable.
    public var document: [UInt8]
    /// SHA-256 of the original bytes.
    public var documentSHA256: Hash

    /// States an answer.
    public init(
        location: LocationID, participant: ParticipantReference, event: InstanceSelector, form: FormOID,
        identifier: ResponseIdentifier, status: ResponseStatus, authored: String, groups: [EnteredGroup],
        document: [UInt8], documentSHA256: Hash
    ) {
        self.location = location
        self.participant = participant
        self.event = event
        self.form = form
        self.identifier = identifier
        self.status = status
        self.authored = authored
        self.groups = groups
        self.document = document
        self.documentSHA256 = documentSHA256
    }
}

extension ResponseEntry: Codable {
    private enum CodingKeys: CodingKey {
        case location, participant, event, form, identifier, status, authored, groups, document, documentSHA256
    }

    /// Reads what ``encode(to:)`` writes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let document = Base64.decode(try container.decode(String.self, forKey: .document).utf8) else {
            throw DecodingError.dataCorruptedError(
                forKey: .document, in: container, debugDescription: "the document is not Base64 (RFC 4648 §4)")
        }
        self.init(
            location: try container.decode(LocationID.self, forKey: .location),
            participant: try container.decode(ParticipantReference.self, forKey: .participant),
            event: try container.decode(InstanceSelector.self, forKey: .event),
            form: try container.decode(FormOID.self, forKey: .form),
            identifier: try container.decode(ResponseIdentifier.self, forKey: .identifier),
            status: try container.decode(ResponseStatus.self, forKey: .status),
            authored: try container.decode(String.self, forKey: .authored),
            groups: try container.decode([EnteredGroup].self, forKey: .groups), document: document,
            documentSHA256: try container.decode(Hash.self, forKey: .documentSHA256))
    }

    /// Writes every field under its name, the document in Base64.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(location, forKey: .location)
        try container.encode(participant, forKey: .participant)
        try container.encode(event, forKey: .event)
        try container.encode(form, forKey: .form)
        try container.encode(identifier, forKey: .identifier)
        try container.encode(status, forKey: .status)
        try container.encode(authored, forKey: .authored)
        try container.encode(groups, forKey: .groups)
        try container.encode(String(decoding: Base64.encode(document), as: UTF8.self), forKey: .document)
        try container.encode(documentSHA256, forKey: .documentSHA256)
    }
}

extension Sender {
    /// What kind of actor the sender is.
    var kind: ActorKind {
        if role == .partnerApp { return .partnerApp }
        return isSystem ? .system : .person
    }
}
