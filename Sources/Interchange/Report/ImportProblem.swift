/// How much a problem matters.
public enum ImportSeverity: String, Codable, Sendable, CaseIterable, Comparable {
    /// Worth knowing; everything was read.
    case information
    /// Something was left out or looks wrong; it does not stop a file from being loaded.
    case warning
    /// Wrong: nothing of the file is loaded, or in lenient mode everything but what the problem concerns.
    case error

    /// Less grave severities are less.
    public static func < (left: ImportSeverity, right: ImportSeverity) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .information: 0
        case .warning: 1
        case .error: 2
        }
    }
}

/// What is wrong, in one word for programs.
public enum ImportProblemKind: String, Codable, Sendable, CaseIterable {
    /// The file is no XML, YAML or CSV.
    case notWellFormed
    /// The file or a part of it is of a kind or version that is not read.
    case unsupported
    /// Larger or deeper than the limits allow.
    case tooLarge
    /// An attribute or key that has to be there is absent.
    case missingAttribute
    /// An element that has to be there is absent.
    case missingElement
    /// An attribute or key has text that it cannot have.
    case invalidAttribute
    /// An element stands where it cannot stand.
    case unexpectedElement
    /// A key or attribute that is not known.
    case unknownKey
    /// An OID that nothing defines.
    case unknownOID
    /// A defined thing where its parent does not name it: an item not in that group, a form not in that visit.
    case misplacedOID
    /// Two definitions of one OID.
    case duplicateOID
    /// Two data of one key: the same participant, visit, form, group or item twice.
    case duplicateKey
    /// A repeat key that is absent, or there where nothing repeats.
    case repeatKey
    /// A value that is not of its item's type.
    case wrongType
    /// A value outside its code list.
    case outsideCodeList
    /// A value against a range check.
    case outsideRange
    /// A value longer than its item allows.
    case tooLong
    /// A unit that the item does not have.
    case wrongUnit
    /// Data without a value.
    case missingValue
    /// A transaction that is not read.
    case transaction
    /// Something that is understood and not loaded.
    case notLoaded
    /// Something of another namespace: kept in the original file and not understood.
    case foreignNamespace
    /// Two parts that say different things.
    case contradiction
}

/// One step of the way from a document's root to where a problem is.
public struct ImportPathStep: Codable, Hashable, Sendable {
    /// The element, as ODM calls it.
    public let element: String
    /// The OID or subject key that names it, empty where nothing does.
    public let oid: String
    /// The repeat key, nil where there is none.
    public let repeatKey: String?

    /// States a step.
    public init(_ element: String, _ oid: String = "", repeatKey: String? = nil) {
        self.element = element
        self.oid = oid
        self.repeatKey = repeatKey
    }

    /// For example `FormData F.AE[2]`.
    public var text: String {
        let name = oid.isEmpty ? element : "\(element) \(shownOID(oid))"
        return repeatKey.map { "\(name)[\(shownOID($0))]" } ?? name
    }
}

/// One thing that is wrong with a file, or worth knowing about it.
///
/// Nothing in it is a participant's value: OIDs, keys and what a definition says are.
public struct ImportProblem: Codable, Hashable, Sendable {
    /// How much it matters.
    public let severity: ImportSeverity
    /// What is wrong.
    public let kind: ImportProblemKind
    /// The file, as it was named to the reader.
    public let file: String
    /// The line, from 1; nil where no line can be named.
    public let line: Int?
    /// The column, from 1; nil where no column can be named.
    public let column: Int?
    /// The way from the root; empty for the document.
    public let path: [ImportPathStep]
    /// What is wrong, in words.
    public let reason: String
    /// What to do, in words.
    public let advice: String

    /// States a problem.
    public init(
        severity: ImportSeverity, kind: ImportProblemKind, file: String, line: Int?, column: Int? = nil,
        path: [ImportPathStep] = [], reason: String, advice: String
    ) {
        self.severity = severity
        self.kind = kind
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.reason = reason
        self.advice = advice
    }

    /// One line: file, line and column, severity, way, reason, advice.
    public var text: String {
        var place = file
        if let line { place += ":\(line)" }
        if line != nil, let column { place += ":\(column)" }
        let way = path.isEmpty ? "" : path.map(\.text).joined(separator: " / ") + ": "
        return "\(place): \(severity.rawValue): \(way)\(reason); \(advice)"
    }
}

/// An OID or key as it may be shown: without control characters and at most 120 characters long.
func shownOID(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(120).map { scalar in
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x2028...0x202E).contains(scalar.value)
            ? Character("\u{FFFD}") : Character(scalar)
    }
    return String(shown) + (text.unicodeScalars.count > 120 ? "…" : "")
}
