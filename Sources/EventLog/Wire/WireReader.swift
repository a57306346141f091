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
/// Any bytes at all may be given: the outcome is a value or a ``WireError``, never a trap.
///
/// Invariants:
/// - `start <= offset <= end <= bytes.count`.
/// - After ``next()`` returned a field, exactly one of the value methods or ``skip()`` is called.
public struct WireReader {
    private let bytes: [UInt8]
    private var offset: Int
    private let end: Int
    /// The field ``next()`` stands at.
    private var field = 0
    private var kind = WireKind.varint

    /// Reads a whole array.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    /// True where no byte is left.
    public var isAtEnd: Bool { offset == end }

    /// Moves to the next field and gives its number; nil at the end.
    public mutating func next() throws(WireError) -> Int? {
        guard offset < end else { return nil }
        let tag = try rawVarint()
        guard let known = WireKind(rawValue: UInt8(tag & 7)), (1...536_870_911).contains(tag >> 3) else {
            throw .malformed(offset: offset)
        }
        field = Int(tag >> 3)
        kind = known
        return field
    }

    /// Reads field 1, the format version that every file and message of ours starts with.
    ///
    /// - Throws: ``WireError/missing(field:)`` where it is not first, ``WireError/unknownVersion(_:)`` for other versions.
    public mutating func readFormatVersion(_ expected: UInt64) throws(WireError) {
        guard try next() == 1 else { throw .missing(field: 1) }
        let version = try unsigned()
        guard version == expected else { throw .unknownVersion(version) }
    }

    /// A varint without a field number.
    public mutating func rawVarint() throws(WireError) -> UInt64 {
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
    public mutating func unsigned() throws(WireError) -> UInt64 {
        guard kind == .varint else { throw .wrongKind(field: field) }
        return try rawVarint()
    }

    /// The unsigned number of this field, which must fit into `type`.
    public mutating func unsigned<Number: FixedWidthInteger>(as type: Number.Type) throws(WireError) -> Number {
        guard let number = Number(exactly: try unsigned()) else { throw .outOfRange(field: field) }
        return number
    }

    /// The zigzag-coded signed number of this field.
    public mutating func signed() throws(WireError) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// The truth value of this field.
    public mutating func boolean() throws(WireError) -> Bool {
        switch try unsigned() {
        case 0: false
        case 1: true
        default: throw .outOfRange(field: field)
        }
    }

    /// The value of an enumeration of ours, by its number.
    public mutating func enumeration<Value: RawRepresentable>(
        _ type: Value.Type
    ) throws(WireError) -> Value where Value.RawValue: FixedWidthInteger {
        let number = try unsigned(as: Value.RawValue.self)
        guard let value = Value(rawValue: number) else { throw .outOfRange(field: field) }
        return value
    }

    /// The range of this field's bytes, checked to lie within the message.
    private mutating func range() throws(WireError) -> Range<Int> {
        guard kind == .lengthDelimited else { throw .wrongKind(field: field) }
        let length = try rawVarint()
        guard length <= UInt64(end - offset) else { throw .truncated(offset: offset) }
        let range = offset..<(offset + Int(length))
        offset = range.upperBound
        return range
    }

    /// The bytes of this field.
    public mutating func data() throws(WireError) -> [UInt8] {
        [UInt8](bytes[try range()])
    }

    /// The text of this field; anything but UTF-8 is refused.
    public mutating func string() throws(WireError) -> String {
        let range = try range()
        let text = bytes.withUnsafeBufferPointer { buffer in
            String(validating: UnsafeBufferPointer(rebasing: buffer[range]), as: UTF8.self)
        }
        guard let text else { throw .outOfRange(field: field) }
        return text
    }

    /// The 32 bytes of this field as a hash.
    public mutating func hash() throws(WireError) -> Hash {
        let range = try range()
        guard range.count == Hash.byteCount else { throw .outOfRange(field: field) }
        return bytes.withUnsafeBytes { buffer in
            func word(_ position: Int) -> UInt64 {
                UInt64(
                    bigEndian: buffer.loadUnaligned(fromByteOffset: range.lowerBound + 8 * position, as: UInt64.self))
            }
            return Hash(words: (word(0), word(1), word(2), word(3)))
        }
    }

    /// The 32 bytes of this field as an identifier.
    public mutating func identifier<ID: HashIdentifier>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        ID(try hash())
    }

    /// The 16 bytes of this field as a random name.
    public mutating func name<ID: RandomIdentifier>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        guard let name = RandomName(bytes: bytes[try range()]) else { throw .outOfRange(field: field) }
        return ID(name)
    }

    /// The text of this field as a label out of the closed alphabet.
    public mutating func label<ID: LabelIdentifier>(_ type: ID.Type = ID.self) throws(WireError) -> ID {
        guard let label = ID(try string()) else { throw .outOfRange(field: field) }
        return label
    }

    /// A reader over the message within this field.
    public mutating func message() throws(WireError) -> WireReader {
        WireReader(bytes, try range())
    }

    /// The unsigned numbers of this packed field.
    public mutating func packed() throws(WireError) -> [UInt64] {
        var inner = try message()
        var values: [UInt64] = []
        while !inner.isAtEnd { values.append(try inner.rawVarint()) }
        return values
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
