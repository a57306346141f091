/// How grave an issue is (FHIR value set `issue-severity`).
public enum OperationOutcomeSeverity: String, Sendable, Codable, Comparable, CaseIterable {
    /// Worth knowing.
    case information
    /// Taken in, and asked about.
    case warning
    /// Not taken in.
    case error

    /// Less grave severities are less.
    public static func < (left: OperationOutcomeSeverity, right: OperationOutcomeSeverity) -> Bool {
        let order = OperationOutcomeSeverity.allCases
        return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
    }
}

/// What kind of issue it is: the codes of FHIR's value set `issue-type` that are given here.
public enum OperationOutcomeCode: String, Sendable, Codable, CaseIterable {
    /// Against the structure of the resource: not parsed, or not FHIR.
    case structure
    /// Something that has to be there is absent.
    case required
    /// A value that cannot stand there.
    case value
    /// A code that is not of its code list.
    case codeInvalid = "code-invalid"
    /// Understood, and not taken.
    case notSupported = "not-supported"
    /// An extension that changes the meaning and is not known.
    case `extension`
    /// Something named that is not known.
    case notFound = "not-found"
    /// Larger than is taken.
    case tooLong = "too-long"
    /// More than is taken at once.
    case tooCostly = "too-costly"
    /// Against a rule of the study.
    case businessRule = "business-rule"
    /// Against what was recorded before.
    case conflict
    /// What would lay open who somebody is.
    case suppressed
    /// Nothing is wrong.
    case informational
}

/// One issue of an ``OperationOutcome``. Holds `linkId`s, OIDs and what definitions say, never an answer.
public struct OperationOutcomeIssue: Hashable, Sendable {
    /// How grave.
    public let severity: OperationOutcomeSeverity
    /// What kind.
    public let code: OperationOutcomeCode
    /// What is wrong, in words (`details.text`).
    public let text: String
    /// What to do, in words (`diagnostics`).
    public let advice: String?
    /// Where, as FHIRPath from the resource that was sent; nil for the whole of it.
    public let expression: String?

    /// States an issue.
    public init(
        _ severity: OperationOutcomeSeverity, _ code: OperationOutcomeCode, _ text: String, advice: String? = nil,
        at expression: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.text = text
        self.advice = advice
        self.expression = expression
    }
}

/// What came of a request (FHIR R4 `OperationOutcome`).
public struct OperationOutcome: Hashable, Sendable {
    /// The issues, at least one.
    public let issues: [OperationOutcomeIssue]

    /// States an outcome.
    public init(_ issues: [OperationOutcomeIssue]) {
        self.issues = issues
    }
}

/// The HTTP statuses of a batch and of its entries.
public enum FHIRStatus: Int, Sendable, CaseIterable {
    /// A version of a response that was here.
    case ok = 200
    /// A response that was not here before.
    case created = 201
    /// Not FHIR.
    case badRequest = 400
    /// Not allowed to the client.
    case forbidden = 403
    /// Kept, and against what was recorded before.
    case conflict = 409
    /// Larger than is taken.
    case contentTooLarge = 413
    /// FHIR, and not to be taken in.
    case unprocessable = 422
    /// Not now; to be sent again as it is.
    case unavailable = 503

    /// Status and reason phrase as `Bundle.entry.response.status` has them.
    public var text: String {
        let phrase =
            switch self {
            case .ok: "OK"
            case .created: "Created"
            case .badRequest: "Bad Request"
            case .forbidden: "Forbidden"
            case .conflict: "Conflict"
            case .contentTooLarge: "Content Too Large"
            case .unprocessable: "Unprocessable Content"
            case .unavailable: "Service Unavailable"
            }
        return "\(rawValue) \(phrase)"
    }
}

/// Why a batch or an entry of it is not taken in.
public struct FHIRRefusal: Error, Hashable, Sendable {
    /// The HTTP status.
    public let status: FHIRStatus
    /// What is wrong.
    public let outcome: OperationOutcome

    /// Refuses.
    public init(_ status: FHIRStatus, _ outcome: OperationOutcome) {
        self.status = status
        self.outcome = outcome
    }

    /// Refuses for issues found in one resource: what is not FHIR is a bad request, all else cannot be taken in.
    init(issues: [OperationOutcomeIssue]) {
        let isStructural = issues.contains { $0.severity == .error && $0.code == .structure }
        let isTooLarge = issues.contains { $0.severity == .error && ($0.code == .tooLong || $0.code == .tooCostly) }
        self.init(
            isStructural ? .badRequest : isTooLarge ? .contentTooLarge : .unprocessable, OperationOutcome(issues))
    }
}

/// Gathers the issues of one resource, at most ``maximumIssues``.
struct IssueCollector {
    /// The greatest number of issues that are said of one resource.
    static let maximumIssues = 50
    private(set) var issues: [OperationOutcomeIssue] = []
    private var omitted = 0

    /// Whether anything forbids taking the resource in.
    private(set) var hasErrors = false

    mutating func add(
        _ severity: OperationOutcomeSeverity, _ code: OperationOutcomeCode, _ text: String, advice: String? = nil,
        at expression: String? = nil
    ) {
        hasErrors = hasErrors || severity == .error
        guard issues.count < IssueCollector.maximumIssues else {
            omitted += 1
            return
        }
        issues.append(OperationOutcomeIssue(severity, code, text, advice: advice, at: expression))
    }

    mutating func error(
        _ code: OperationOutcomeCode, _ text: String, advice: String? = nil, at expression: String? = nil
    ) {
        add(.error, code, text, advice: advice, at: expression)
    }

    /// All issues, with a last one that counts those left out.
    var all: [OperationOutcomeIssue] {
        guard omitted > 0 else { return issues }
        return issues + [
            OperationOutcomeIssue(
                hasErrors ? .error : .information, hasErrors ? .businessRule : .informational,
                "\(omitted) further issues are not listed")
        ]
    }
}
