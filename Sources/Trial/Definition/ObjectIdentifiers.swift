/// An ODM object identifier: text by which a file names a thing (ODM 1.3.2 §2.11).
///
/// OIDs are labels, not ids of Varde: they hold spaces and slashes, and two studies may use the same ones. Each kind of
/// thing has its own type, so that a form's OID cannot stand where an item's is asked for. Readers refuse empty and
/// overlong text before a value of these types is made; the types themselves accept any text.
public protocol ObjectIdentifierText: Hashable, Comparable, Sendable, Codable, CustomStringConvertible,
    ExpressibleByStringLiteral
where StringLiteralType == String {
    /// The text as the file has it.
    var text: String { get }
    /// Wraps text; no check is made.
    init(_ text: String)
}

extension ObjectIdentifierText {
    /// Wraps a literal, for tests and defaults.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// Reads a single string.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// Orders by the text.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
    /// The text itself.
    public var description: String { text }
}

/// Names a study (`Study/@OID`).
public struct StudyOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names one version of a study's metadata (`MetaDataVersion/@OID`).
public struct MetaDataVersionOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a study event, that is a kind of visit (`StudyEventDef/@OID`).
public struct StudyEventOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a form (`FormDef/@OID`).
public struct FormOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names an item group (`ItemGroupDef/@OID`).
public struct ItemGroupOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names an item (`ItemDef/@OID`).
public struct ItemOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a code list (`CodeList/@OID`).
public struct CodeListOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a measurement unit (`MeasurementUnit/@OID`).
public struct MeasurementUnitOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a method (`MethodDef/@OID`).
public struct MethodOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a condition (`ConditionDef/@OID`).
public struct ConditionOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a person or system in a file's administrative data (`User/@OID`); no actor of Varde.
public struct UserOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}

/// Names a place in a file's administrative data (`Location/@OID`); no location of Varde.
public struct LocationOID: ObjectIdentifierText {
    /// The text as the file has it.
    public let text: String
    /// Wraps text; no check is made.
    public init(_ text: String) { self.text = text }
}
