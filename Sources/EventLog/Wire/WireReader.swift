/// What was wrong with bytes that should have been a message of ours.
public enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes end inside a field.
    case truncated(offset: Int)
    /// A varint of more than ten bytes, or a field number of zero, or a wire type that protobuf does not have.
    case malformed(offset: Int)
    /// A field holds another wire type than the schema says.
    case wrongKind(field: Int)
    /// A field holds a number, length or text that the schema does not allow.
    case outOfRange(field: Int)
    /// A field that must be there is missing.
    case missing(field: Int)
    /// Written in a format version this software does not know.
    case unknownVersion(UInt64)

    /// A sentence for people.
    public var description: String {
        switch self {
        case .truncated(let offset): "the bytes end in the middle of a field (at byte \(offset))"
        case .malformed(let offset): "the bytes are not a message (at byte \(offset))"
        case .wrongKind(let field): "field \(field) is not of the kind its schema says"
        case .outOfRange(let field): "field \(field) holds what its schema does not allow"
        case .missing(let field): "field \(field) is missing"
        case .unknownVersion(let version):
            "written in format version \(version), which this software does not know: a newer Varde is needed to read it"
        }
    }
}

/// Reads Protocol Buffers wire format in place, one field at a time, and copies nothing that is not asked for.
///
/// Use: `while let field = try reader.next() { switch field { case 1: x = try reader.unsigned() … default: try reader.skip() } }`.
/// Any bytes at all may be given: the outcome is a value or a ``WireError``, never a trap. `Tests/SchemaTests` holds it
/// against generated code.
///
/// What is called for every field is inlinable, so that modules which read messages do not pay for a call, and generics
/// are specialised there.
///
/// Invariants:
/// - `start <= offset <= end <= bytes.count`.
/// - After ``next()`` returned a field, exactly one of the value methods or ``skip()`` is called.
public struct WireReader {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline var offset: Int
    @usableFromInline let end: Int
    /// The field ``next()`` stands at.
    @usableFromInline var field = 0
    @usableFromInline var kind = WireKind.varint
    /// The lowest number that a field may have: after the format version no field 1 may come again.
    @usableFromInline var lowestField: UInt64 = 1

    /// Reads a whole array.
    public init(_ bytes: [UInt8]) {
        self.init(bytes, 0..<bytes.count)
    }

    @inlinable
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    /// True where no byte is left.
    @inlinable public var isAtEnd: Bool { offset == end }

    /// Moves to the next field and gives its number; nil at the end.
    @inlinable
    public mutating func next() throws(WireError) -> Int? {
        guard offset < end else { return nil }
        let tag = try rawVarint()
        guard (lowestField...536_870_911).contains(tag >> 3) else { throw .malformed(offset: offset) }
        switch tag & 7 {
        case 0: kind = .varint
        case 1: kind = .fixed64
        case 2: kind = .lengthDelimited
        case 5: kind = .fixed32
        default: throw .malformed(offset: offset)
        }
        field = Int(tag >> 3)
        return field
    }

    /// Reads field 1, the format version that every file and message of ours starts with and has once.
    ///
    /// - Throws: ``WireError/missing(field:)`` where it is not first, ``WireError/unknownVersion(_:)`` for other versions.
    public mutating func readFormatVersion(_ expected: UInt64) throws(WireError) {
        guard try next() == 1 else { throw .missing(field: 1) }
        let version = try unsigned()
        guard version == expected else { throw .unknownVersion(version) }
        lowestField = 2
    }

    /// A varint without a field number.
    @inlinable
    public mutating func rawVarint() throws(WireError) -> UInt64 {
        guard offset < end else { throw .truncated(offset: offset) }
        // Most numbers, and the tags of the fields 1 to 15, have one byte.
        let first = bytes[offset]
        guard first >= 0x80 else {
            offset += 1
            return UInt64(first)
        }
        return try longVarint()
    }

    @usableFromInline
    mutating func longVarint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            if shift == 63 && byte > 1 { throw .malformed(offset: offset) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw .malformed(offset: offset) }
        }
        throw .truncated(offset: offset)
    }

    /// The unsigned number of this field.
    @inlinable
    public mutating func unsigned() throws(WireError) -> UInt64 {
        guard kind == .varint else { throw .wrongKind(field: field) }
        return try rawVarint()
    }

    /// The unsigned number of this field, which must fit into `type`.
    @inlinable
    public mutating func unsigned<Number: FixedWidthInteger>(as type: Number.Type) throws(WireError) -> Number {
        guard let number = Number(exactly: try unsigned()) else { throw .outOfRange(field: field) }
        return number
    }

    /// The zigzag-coded signed number of this field.
    @inlinable
    public mutating func signed() throws(WireError) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// The truth value of this field.
    @inlinable
    public mutating func boolean() throws(WireError) -> Bool {
        switch try unsigned() {
        case 0: false
        case 1: true
        default: throw .outOfRange(field: field)
        }
    }

    /// The value of an enumeration of ours, by its number.
    @inlinable
    public mutating func enumeration<Value: RawRepresentable>(
        _ type: Value.Type
    ) throws(WireError) -> Value where Value.RawValue: FixedWidthInteger {
        let number = try unsigned(as: Value.RawValue.self)
        guard let value = Value(rawValue: number) else { throw .outOfRange(field: field) }
        return value
    }

    /// The number of an open enumeration, known or not. Enumerations have 32 bits: what is beyond them generated code reads
    /// as another number, so that it is refused here.
    @inlinable
    public mutating func code<Code: HeaderCode>(_ type: Code.Type = Code.self) throws(WireError) -> Code {
        let number = try unsigned()
        guard number <= UInt64(Int32.max) else { throw .outOfRange(field: field) }
        return Code(rawValue: number)
    }

    /// The range of this field's bytes, checked to lie within the message.
    @inlinable
    mutating func range() throws(WireError) -> Range<Int> {
        guard kind == .lengthDelimited else { throw .wrongKind(field: field) }
        let length = try rawVarint()
        guard length <= UInt64(end - offset) else { throw .truncated(offset: offset) }
        let range = offset..<(offset + Int(length))
        offset = range.upperBound
        return range
    }

    /// The range of this field's bytes, of which there must be so many.
    @inlinable
    mutating func range(byteCount: Int) throws(WireError) -> Range<Int> {
        let range = try range()
        guard range.count == byteCount else { throw .outOfRange(field: field) }
        return range
    }

    /// The bytes of this field.
    public mutating func data() throws(WireError) -> [UInt8] {
        [UInt8](bytes[try range()])
    }

    /// The text of this field; anything but UTF-8 is refused.
    public mutating func string() throws(WireError) -> String {
        let range = try range()
        do {
            // Not `String(validating:as:)`: it is generic, and looking up its types took longer than checking the text.
            return String(copying: try UTF8Span(validating: bytes.span.extracting(range)))
        } catch {
            throw .outOfRange(field: field)
        }
    }

    /// Eight bytes from `place` on as a big-endian number; the caller has checked that they are there.
    @inlinable
    func word(at place: Int) -> UInt64 {
        bytes.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt64.self)) }
    }

    /// The 32 bytes of this field as a hash.
    @inlinable
    public mutating func hash() throws(WireError) -> Hash {
        let start = try range(byteCount: Hash.byteCount).lowerBound
        return Hash(words: (word(at: start), word(at: start + 8), word(at: start + 16), word(at: start + 24)))
    }

    /// The 32 bytes of this field as an identifier.
    @inlinable
    public mutating func identifier<ID: HashIdentifier>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        ID(try hash())
    }

    /// The 16 bytes of this field.
    @inlinable
    public mutating func randomName() throws(WireError) -> RandomName {
        let start = try range(byteCount: 16).lowerBound
        return RandomName(high: word(at: start), low: word(at: start + 8))
    }

    /// The 16 bytes of this field as a random name of a kind.
    @inlinable
    public mutating func name<ID: RandomIdentifier>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        ID(try randomName())
    }

    /// The text of this field as a label out of the closed alphabet.
    @inlinable
    public mutating func label<ID: LabelIdentifier>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        guard let label = ID(try string()) else { throw .outOfRange(field: field) }
        return label
    }

    /// A reader over the message within this field.
    @inlinable
    public mutating func message() throws(WireError) -> WireReader {
        WireReader(bytes, try range())
    }

    /// Gives the unsigned numbers of this field to `body`. They may be packed or stand alone, and a list may be in pieces.
    @inlinable
    public mutating func forEachUnsigned(_ body: (UInt64) -> Void) throws(WireError) {
        guard kind == .lengthDelimited else { return body(try unsigned()) }
        var inner = try message()
        while !inner.isAtEnd { body(try inner.rawVarint()) }
    }

    /// Passes over this field, known or not: what a newer writer added is left alone.
    public mutating func skip() throws(WireError) {
        switch kind {
        case .varint: _ = try rawVarint()
        case .lengthDelimited: _ = try range()
        case .fixed64: try advance(8)
        case .fixed32: try advance(4)
        }
    }

    private mutating func advance(_ count: Int) throws(WireError) {
        guard count <= end - offset else { throw .truncated(offset: offset) }
        offset += count
    }
}
