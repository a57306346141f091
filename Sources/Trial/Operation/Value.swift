public import EventLog

/// A value's id: the entry that wrote it and its position among that entry's changes.
public struct ValueID: Hashable, Comparable, Sendable {
    /// The entry.
    public let entry: EntryID
    /// The position, from 0.
    public let position: UInt64

    /// Names a value.
    public init(entry: EntryID, position: UInt64) {
        self.entry = entry
        self.position = position
    }

    /// Orders them in the same way everywhere.
    public static func < (left: ValueID, right: ValueID) -> Bool {
        (left.entry, left.position) < (right.entry, right.position)
    }
}

/// What kind of thing a value is (DESIGN §5, "Value").
public enum ValueKind: UInt64, Sendable, Codable {
    case text = 1
    case integer = 2
    case decimal = 3
    case boolean = 4
    case date = 5
    case time = 6
    case dateTime = 7
    /// A date, time or both of which parts are unknown, as typed.
    case partialDateTime = 8
    case duration = 9
    /// One or several codes of a code list; several are one value.
    case codes = 10
    /// A file, by hash.
    case file = 11
    /// Nothing was observed, for a reason.
    case missing = 12
    /// What stood here was taken away, for a reason.
    case cleared = 13
}

/// A file that a value names.
public struct FileReference: Hashable, Sendable, Codable {
    /// SHA-256 of the content, 64 hexadecimal digits.
    public var sha256: String
    /// Media type.
    public var mediaType: String
    /// Bytes.
    public var byteCount: UInt64

    /// Names a file.
    public init(sha256: String, mediaType: String, byteCount: UInt64) {
        self.sha256 = sha256
        self.mediaType = mediaType
        self.byteCount = byteCount
    }
}

/// What stands in an item: a datum with its unit, or the reason why there is none.
public struct Value: Hashable, Sendable {
    /// The kind.
    public var kind: ValueKind
    /// The datum as a person or file wrote it; empty for missing and cleared ones.
    public var typed: String
    /// The one spelling by which equal data are recognised.
    public var normalised: String
    /// OID of the measurement unit.
    public var unit: String?
    /// OID of the code list the codes are of.
    public var codeList: String?
    /// The codes, in the order typed; only for ``ValueKind/codes``.
    public var codes: [String]
    /// Why there is no datum: a code of the study's own list.
    public var reason: String?
    /// The file, only for ``ValueKind/file``.
    public var file: FileReference?

    /// States a value.
    public init(
        kind: ValueKind, typed: String, normalised: String? = nil, unit: String? = nil, codeList: String? = nil,
        codes: [String] = [], reason: String? = nil, file: FileReference? = nil
    ) {
        self.kind = kind
        self.typed = typed
        self.normalised = normalised ?? typed
        self.unit = unit
        self.codeList = codeList
        self.codes = codes
        self.reason = reason
        self.file = file
    }

    /// Nothing observed.
    public static func missing(_ reason: String) -> Value { Value(kind: .missing, typed: "", reason: reason) }
    /// Taken away.
    public static func cleared(_ reason: String) -> Value { Value(kind: .cleared, typed: "", reason: reason) }

    /// Whether both say the same: equality is of the normalised datum and its unit (DESIGN §5).
    public func says(theSameAs other: Value) -> Bool {
        kind == other.kind && normalised == other.normalised && unit == other.unit && codes == other.codes
            && reason == other.reason && file == other.file
    }
}

extension Value {
    /// Writes `varde.v0.Value`; where `textPart` is given the datum itself lies in that part of the entry.
    func write(into writer: inout WireWriter, textPart: Int?) {
        writer.unsigned(1, kind.rawValue)
        if let textPart {
            writer.unsigned(2, UInt64(textPart))
        } else {
            writer.string(3, typed)
            if !isSpelledAlike(normalised, typed) { writer.string(4, always: normalised) }
        }
        if let unit { writer.string(5, always: unit) }
        if let codeList { writer.string(6, always: codeList) }
        for code in codes { writer.string(7, always: code) }
        if let reason { writer.string(8, always: reason) }
        if let file {
            writer.message(9) { inner in
                inner.string(1, file.sha256)
                inner.string(2, file.mediaType)
                inner.unsigned(3, file.byteCount)
            }
        }
    }

    /// The part in which the datum of a `varde.v0.Value` lies; nil where it lies in the value itself.
    static func textPart(_ reader: inout WireReader) -> Int? {
        while let field = try? reader.next() {
            if field == 2 { return try? reader.unsigned(as: Int.self) }
            guard (try? reader.skip()) != nil else { return nil }
        }
        return nil
    }

    /// Reads `varde.v0.Value`; `text` gives a text part's datum by its place, nil where the part was dropped.
    ///
    /// - Returns: nil where the datum lay in a part that is not here.
    static func read(
        _ reader: inout WireReader, text: (Int) throws(WireError) -> TextDatum?
    ) throws(WireError) -> Value? {
        var value = Value(kind: .text, typed: "")
        var normalised: String?
        var textPart = 0
        while let field = try reader.next() {
            switch field {
            case 1: value.kind = try reader.enumeration(ValueKind.self)
            case 2: textPart = try reader.unsigned(as: Int.self)
            case 3: value.typed = try reader.string()
            case 4: normalised = try reader.string()
            case 5: value.unit = try reader.string()
            case 6: value.codeList = try reader.string()
            case 7: value.codes.append(try reader.string())
            case 8: value.reason = try reader.string()
            case 9:
                var inner = try reader.message()
                var file = value.file ?? FileReference(sha256: "", mediaType: "", byteCount: 0)
                try file.read(&inner)
                value.file = file
            default: try reader.skip()
            }
        }
        if textPart != 0 {
            guard let datum = try text(textPart) else { return nil }
            value.typed = datum.typed
            normalised = datum.normalised
        }
        value.normalised = normalised ?? value.typed
        return value
    }
}

extension FileReference {
    fileprivate mutating func read(_ reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: sha256 = try reader.string()
            case 2: mediaType = try reader.string()
            case 3: byteCount = try reader.unsigned()
            default: try reader.skip()
            }
        }
    }
}

/// The datum of a free-text value, which lies in a part of its own so that it can be dropped alone.
struct TextDatum {
    var typed = ""
    var normalised: String?

    init(typed: String, normalised: String?) {
        self.typed = typed
        self.normalised = normalised
    }

    init(from reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: typed = try reader.string()
            case 2: normalised = try reader.string()
            default: try reader.skip()
            }
        }
    }

    func write(into writer: inout WireWriter) {
        writer.string(1, typed)
        if let normalised, !isSpelledAlike(normalised, typed) { writer.string(2, always: normalised) }
    }
}

/// Whether two texts are the same bytes: equality of Swift strings takes composed and decomposed letters for one.
private func isSpelledAlike(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
