/// Why a value may not stand in an item, or is asked about. Holds what the definition says, never the value.
public enum ValueProblem: Error, Hashable, Sendable {
    /// Nothing is there, and the type has no empty value.
    case empty(ItemDataType)
    /// More bytes than any value may have.
    case tooLarge(maximumBytes: Int)
    /// A character that XML cannot hold, so that no export could.
    case illegalCharacter
    /// Not a value of the type.
    case wrongType(ItemDataType)
    /// A number beyond what is read.
    case numberTooLarge(ItemDataType)
    /// Longer than the definition allows, in characters or digits.
    case tooLong(maximumLength: Int)
    /// No code of the list.
    case notInCodeList(CodeListOID)
    /// Against a range check.
    case outsideRange(RangeCheck)
    /// In a unit that the item does not have.
    case unitNotAllowed(MeasurementUnitOID)

    /// What is wrong, for people.
    public var reason: String {
        switch self {
        case .empty: "the value is empty"
        case .tooLarge(let bytes): "the value is longer than \(bytes) bytes"
        case .illegalCharacter: "the value holds a character that XML cannot hold"
        case .wrongType(let type): "the value is not of type \(type.rawValue)"
        case .numberTooLarge(let type): "the number is beyond what is read as \(type.rawValue)"
        case .tooLong(let length): "the value is longer than the \(length) characters or digits of the definition"
        case .notInCodeList(let list): "the value is no code of code list \(list)"
        case .outsideRange(let check): "the value \(check.requirement)"
        case .unitNotAllowed(let unit): "the item has no unit \(unit)"
        }
    }

    /// What to do about it, for people.
    public var advice: String {
        switch self {
        case .empty: "leave the value out, or state that it is missing"
        case .tooLarge: "shorten it"
        case .illegalCharacter: "remove control characters"
        case .wrongType(let type), .numberTooLarge(let type): "write \(type.explanation)"
        case .tooLong: "shorten it, or publish a definition that allows more"
        case .notInCodeList: "use one of the list's codes, or publish a definition with the code"
        case .outsideRange(let check):
            check.message.text(preferring: ["en"]) ?? "compare with the source and correct it"
        case .unitNotAllowed: "use a unit of the item's definition"
        }
    }
}

/// What was found about one value.
public struct ValueJudgement: Hashable, Sendable {
    /// The one spelling by which equal data are recognised; nil where the value is not of its item's type.
    public let normalForm: String?
    /// Why the value may not stand; empty where it may.
    public let errors: [ValueProblem]
    /// Why the value is asked about: soft range checks.
    public let warnings: [ValueProblem]

    /// States a judgement.
    public init(normalForm: String?, errors: [ValueProblem], warnings: [ValueProblem]) {
        self.normalForm = normalForm
        self.errors = errors
        self.warnings = warnings
    }

    /// Whether the value may stand.
    public var isAcceptable: Bool { errors.isEmpty }
}
