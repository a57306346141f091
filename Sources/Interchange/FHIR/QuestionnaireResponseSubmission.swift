public import EventLog
public import Trial

/// By what a client names the participant: a pseudonym, never who it is (`QuestionnaireResponse.subject`).
public struct SubjectPseudonym: Hashable, Sendable {
    /// The namespace of the value; nil where the client gave a reference.
    public let system: String?
    /// The value of the identifier, or the id in a reference `Patient/<id>`.
    public let value: String

    /// Names a participant.
    public init(system: String?, value: String) {
        self.system = system
        self.value = value
    }
}

/// A code with the system it is of (FHIR `Coding`).
public struct SubmittedCoding: Hashable, Sendable {
    /// The code system, nil where none is stated.
    public let system: String?
    /// The code.
    public let code: String

    /// States a code.
    public init(system: String?, code: String) {
        self.system = system
        self.code = code
    }
}

/// A measured amount (FHIR `Quantity`).
public struct SubmittedQuantity: Hashable, Sendable {
    /// The number as typed.
    public let value: String
    /// The unit for people, nil where none is stated.
    public let unit: String?
    /// The unit as a code, nil where none is stated.
    public let code: String?
    /// `<`, `<=`, `>=` or `>` where the number is a bound.
    public let comparator: String?

    /// States an amount.
    public init(value: String, unit: String? = nil, code: String? = nil, comparator: String? = nil) {
        self.value = value
        self.unit = unit
        self.code = code
        self.comparator = comparator
    }
}

/// The value of an answer (`QuestionnaireResponse.item.answer.value[x]`).
public enum SubmittedValue: Hashable, Sendable {
    case boolean(Bool)
    /// The number as typed.
    case decimal(String)
    /// The number as typed.
    case integer(String)
    /// As typed, possibly partial.
    case date(String)
    /// As typed, possibly partial.
    case dateTime(String)
    case time(String)
    case string(String)
    case uri(String)
    case coding(SubmittedCoding)
    case quantity(SubmittedQuantity)

    /// The name of the kind in FHIR.
    public var kind: String {
        switch self {
        case .boolean: "boolean"
        case .decimal: "decimal"
        case .integer: "integer"
        case .date: "date"
        case .dateTime: "dateTime"
        case .time: "time"
        case .string: "string"
        case .uri: "uri"
        case .coding: "Coding"
        case .quantity: "Quantity"
        }
    }
}

/// An answer, with the items nested under it.
public struct SubmittedAnswer: Hashable, Sendable {
    /// The value; nil where the answer only holds items.
    public let value: SubmittedValue?
    /// Items that ask further about this answer.
    public let items: [SubmittedItem]
    /// Where it stands, as FHIRPath.
    public let expression: String
}

/// A group or question of a response with what was answered.
public struct SubmittedItem: Hashable, Sendable {
    /// Which item of the questionnaire.
    public let linkID: String
    /// The answers.
    public let answers: [SubmittedAnswer]
    /// Items of a group.
    public let items: [SubmittedItem]
    /// Where it stands, as FHIRPath.
    public let expression: String
}

/// A `QuestionnaireResponse` as it was submitted, with everything that is needed to take it in.
public struct QuestionnaireResponseSubmission: Hashable, Sendable {
    /// The client's name for it.
    public let identifier: ResponseIdentifier
    /// Whose answers.
    public let subject: SubjectPseudonym
    /// What was answered.
    public let questionnaire: QuestionnaireCanonical
    /// Whether it is complete, changed or an error.
    public let status: ResponseStatus
    /// When it was written, as sent.
    public let authored: String
    /// The calendar day of ``authored``, as written and whatever its zone.
    public let authoredDay: CalendarDate
    /// The answers.
    public let items: [SubmittedItem]
    /// The bytes of the resource as they stood in the request.
    public let document: [UInt8]
    /// SHA-256 of ``document``.
    public let documentSHA256: Hash
}
