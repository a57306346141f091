/// Writes Protocol Buffers wire format (proto3) field by field, in the order of the calls.
///
/// Varde hashes what it wrote and never encodes it again, so all that matters is that any protobuf reader with the schema
/// in `Protocols/` understands the bytes. A writer of our own, and the reader that belongs to it (``WireReader``),
/// because decoding is the hot path of every rebuild: `Protocols/log.md` has the figures beside those of generated code.
public struct WireWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    /// An empty message.
    public init() {}

    /// An empty message with room for `capacity` bytes.
    public init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// A varint without a field number; packed fields and length prefixes are made of these.
    public mutating func rawVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func tag(_ field: Int, _ kind: WireKind) {
        rawVarint(UInt64(field) << 3 | UInt64(kind.rawValue))
    }

    /// An unsigned number, written also when it is zero.
    public mutating func unsigned(_ field: Int, always value: UInt64) {
        tag(field, .varint)
        rawVarint(value)
    }

    /// An unsigned number; zero is the default and left out.
    public mutating func unsigned(_ field: Int, _ value: some UnsignedInteger) {
        if value != 0 { unsigned(field, always: UInt64(value)) }
    }

    /// A signed number in zigzag form (`sint64`); zero is the default and left out.
    public mutating func signed(_ field: Int, _ value: Int64) {
        if value != 0 { unsigned(field, always: UInt64(bitPattern: (value << 1) ^ (value >> 63))) }
    }

    /// True as 1; false is the default and left out.
    public mutating func boolean(_ field: Int, _ value: Bool) {
        if value { unsigned(field, always: 1) }
    }

    /// Bytes with their length; none are the default and left out.
    public mutating func data(_ field: Int, _ value: [UInt8]) {
        if !value.isEmpty { data(field, always: value) }
    }

    /// Bytes with their length, written also when there are none.
    public mutating func data(_ field: Int, always value: [UInt8]) {
        tag(field, .lengthDelimited)
        rawVarint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Text as UTF-8; the empty one is the default and left out.
    public mutating func string(_ field: Int, _ value: String) {
        if !value.isEmpty { string(field, always: value) }
    }

    /// Text as UTF-8, written also when it is empty (an element of a repeated field).
    public mutating func string(_ field: Int, always value: String) {
        tag(field, .lengthDelimited)
        var text = value
        text.withUTF8 { buffer in
            rawVarint(UInt64(buffer.count))
            bytes.append(contentsOf: buffer)
        }
    }

    /// A 32-byte identifier; nil is left out.
    public mutating func identifier(_ field: Int, _ value: (some HashIdentifier)?) {
        if let value { hash(field, value.hash) }
    }

    /// A 32-byte hash.
    public mutating func hash(_ field: Int, _ value: Hash) {
        tag(field, .lengthDelimited)
        bytes.append(UInt8(Hash.byteCount))
        bytes.append(contentsOf: value.bytes)
    }

    /// A 16-byte random name; nil is left out.
    public mutating func name(_ field: Int, _ value: (some RandomIdentifier)?) {
        if let value { data(field, always: value.bytes) }
    }

    /// A message within this one; `body` fills it. Written also when it stays empty.
    public mutating func message(_ field: Int, _ body: (inout WireWriter) -> Void) {
        var inner = WireWriter()
        body(&inner)
        data(field, always: inner.bytes)
    }

    /// Unsigned numbers in packed form; none are left out.
    public mutating func packed(_ field: Int, _ values: some Collection<UInt64>) {
        guard !values.isEmpty else { return }
        message(field) { inner in
            for value in values { inner.rawVarint(value) }
        }
    }
}

/// How a field's bytes are delimited (protobuf encoding, "wire types").
public enum WireKind: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
}
