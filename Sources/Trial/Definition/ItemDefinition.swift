import EventLog

/// Who may hold an item's values (DESIGN §3, "Stream"; Protocols/odm-extension.md).
public enum ItemClass: Hashable, Sendable, Codable {
    /// Shared with every node that holds the location's stream.
    case open
    /// Shared only with nodes named for the class, for example those who may see the allocation.
    case restricted(RestrictionClass)
    /// Names a person: stays in the node's identity vault and enters no stream.
    case identifying

    /// Reads `open`, `identifying` or `restricted:<class>`; nil for anything else.
    public init?(text: String) {
        switch text {
        case "open": self = .open
        case "identifying": self = .identifying
        default:
            guard text.hasPrefix("restricted:"),
                let name = RestrictionClass(String(text.dropFirst("restricted:".count)))
            else { return nil }
            self = .restricted(name)
        }
    }

    /// The spelling that ``init(text:)`` reads.
    public var text: String {
        switch self {
        case .open: "open"
        case .identifying: "identifying"
        case .restricted(let name): "restricted:\(name.text)"
        }
    }
}

/// Whether a failed range check refuses a value or asks about it (`RangeCheck/@SoftHard`).
public enum RangeCheckSeverity: String, Sendable, Codable {
    /// The value is asked about and may stand.
    case soft = "Soft"
    /// The value is refused.
    case hard = "Hard"
}

/// How a value is compared with a range check's values (`RangeCheck/@Comparator`).
public enum RangeCheckComparator: String, Sendable, Codable, CaseIterable {
    /// Less than.
    case lessThan = "LT"
    /// Less than or equal.
    case atMost = "LE"
    /// Greater than.
    case greaterThan = "GT"
    /// Greater than or equal.
    case atLeast = "GE"
    /// Equal.
    case equal = "EQ"
    /// Not equal.
    case notEqual = "NE"
    /// One of several.
    case oneOf = "IN"
    /// None of several.
    case noneOf = "NOTIN"

    /// Whether it takes several check values.
    public var takesSeveralValues: Bool { self == .oneOf || self == .noneOf }
}

/// A bound on an item's values (`RangeCheck`).
public struct RangeCheck: Hashable, Sendable, Codable {
    /// The comparison; nil for a check that is only a formal expression, which is kept and not evaluated.
    public let comparator: RangeCheckComparator?
    /// The values compared with, as written.
    public let values: [String]
    /// Whether failing refuses the value.
    public let severity: RangeCheckSeverity
    /// The unit the check is for; nil for every unit.
    public let measurementUnit: MeasurementUnitOID?
    /// What the person who typed the value is told.
    public let message: TranslatedTexts
    /// Formal expressions, kept as text.
    public let expressions: [FormalExpression]

    /// States a check.
    public init(
        comparator: RangeCheckComparator?, values: [String], severity: RangeCheckSeverity,
        measurementUnit: MeasurementUnitOID? = nil, message: TranslatedTexts = TranslatedTexts(),
        expressions: [FormalExpression] = []
    ) {
        self.comparator = comparator
        self.values = values
        self.severity = severity
        self.measurementUnit = measurementUnit
        self.message = message
        self.expressions = expressions
    }

    /// What the check asks for, in words; holds the definition's own values, never a participant's.
    public var requirement: String {
        let list = values.joined(separator: ", ")
        switch comparator {
        case .lessThan: return "must be less than \(list)"
        case .atMost: return "must be at most \(list)"
        case .greaterThan: return "must be greater than \(list)"
        case .atLeast: return "must be at least \(list)"
        case .equal: return "must be \(list)"
        case .notEqual: return "must not be \(list)"
        case .oneOf: return "must be one of \(list)"
        case .noneOf: return "must be none of \(list)"
        case nil: return "must satisfy a formal expression"
        }
    }
}

/// An expression in some language, kept as text and never run (`FormalExpression`).
public struct FormalExpression: Hashable, Sendable, Codable {
    /// The language, as the file calls it.
    public let context: String?
    /// The expression.
    public let text: String

    /// States an expression.
    public init(context: String?, text: String) {
        self.context = context
        self.text = text
    }
}

/// One question and what an answer may be (`ItemDef`).
public struct ItemDefinition: ObjectIdentified, Codable {
    /// The OID.
    public let oid: ItemOID
    /// The name.
    public let name: String
    /// The data type.
    public let dataType: ItemDataType
    /// The greatest number of characters, or of digits for numbers; nil for no bound.
    public var length: Int?
    /// The number of digits after the point that are meant to be recorded; displayed and not enforced.
    public var significantDigits: Int?
    /// What the item is.
    public var description = TranslatedTexts()
    /// What the person who answers is asked.
    public var question = TranslatedTexts()
    /// The units a value may have, the first being the usual one.
    public var measurementUnits: [MeasurementUnitOID] = []
    /// Bounds on values.
    public var rangeChecks: [RangeCheck] = []
    /// The code list that values are taken from.
    public var codeList: CodeListOID?
    /// Who may hold values.
    public var itemClass = ItemClass.open
    /// What the definition itself says of ``isFreeText``; nil where it says nothing.
    public var freeTextOverride: Bool?
    /// Other names.
    public var aliases: [Alias] = []

    /// Defines an item; everything else is set afterwards.
    public init(oid: ItemOID, name: String, dataType: ItemDataType) {
        self.oid = oid
        self.name = name
        self.dataType = dataType
    }

    /// Whether a value may hold anything a person thinks of, so that it lies in an entry's part of its own and can be
    /// redacted alone: text without a code list, unless the definition says otherwise (DESIGN §4).
    public var isFreeText: Bool { freeTextOverride ?? (dataType.isText && codeList == nil) }

    /// The question for a reader who prefers `languages`, else the description, else the name.
    public func label(preferring languages: [String]) -> String {
        question.text(preferring: languages) ?? description.text(preferring: languages) ?? name
    }
}
