import EventLog

/// Writes compact JSON (RFC 8259) as UTF-8: the same calls give the same bytes on every node.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// Whether the next element needs no comma before it.
    private var isFirst = true

    private static let digits = [UInt8]("0123456789abcdef".utf8)

    init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    private mutating func separate() {
        if isFirst { isFirst = false } else { bytes.append(UInt8(ascii: ",")) }
    }

    /// An array; `body` writes its elements.
    mutating func array(_ body: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "["))
        isFirst = true
        body(&self)
        bytes.append(UInt8(ascii: "]"))
        isFirst = false
    }

    /// An object; `body` writes its members by ``member(_:)`` and a value after each.
    mutating func object(_ body: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
        body(&self)
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    /// The name of a member, whose value comes next.
    mutating func member(_ name: String) {
        text(name)
        bytes.append(UInt8(ascii: ":"))
        isFirst = true
    }

    mutating func null() {
        separate()
        bytes.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
    }

    mutating func number(_ value: UInt64) {
        separate()
        if value < 10 {
            bytes.append(0x30 + UInt8(value))
        } else {
            bytes.append(contentsOf: String(value).utf8)
        }
    }

    mutating func number(_ value: Int64) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func text(_ value: String?) {
        guard var value else { return null() }
        separate()
        bytes.append(UInt8(ascii: "\""))
        value.withUTF8 { buffer in
            if buffer.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) {
                for byte in buffer { escape(byte) }
            } else {
                bytes.append(contentsOf: buffer)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A hash as text of 64 hexadecimal digits.
    mutating func hex(_ hash: Hash) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for byte in hash.bytes {
            bytes.append(JSONText.digits[Int(byte >> 4)])
            bytes.append(JSONText.digits[Int(byte & 15)])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22, 0x5C:
            bytes.append(0x5C)
            bytes.append(byte)
        case 0..<0x20:
            bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30])
            bytes.append(JSONText.digits[Int(byte >> 4)])
            bytes.append(JSONText.digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }
}
