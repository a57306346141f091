public import Crypto

/// A SHA-256 value: 32 bytes, compared as the big-endian number they spell.
///
/// Held as four words so that it lies inline in rows, sets and dictionaries.
public struct Hash: Hashable, Comparable, Sendable {
    /// The bytes in big-endian order, eight to a word.
    package var words: (UInt64, UInt64, UInt64, UInt64)

    /// The number of bytes in every hash.
    public static let byteCount = 32

    /// All bits zero: no SHA-256 of anything known, used where "none" must have a place.
    public static let zero = Hash(words: (0, 0, 0, 0))

    package init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Reads exactly 32 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Hash.byteCount else { return nil }
        var iterator = bytes.makeIterator()
        func word() -> UInt64 {
            (0..<8).reduce(0) { word, _ in word << 8 | UInt64(iterator.next() ?? 0) }
        }
        words = (word(), word(), word(), word())
    }

    /// Reads 64 hexadecimal digits, in either case; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = [UInt8](hex: hex) else { return nil }
        self.init(bytes: bytes)
    }

    /// Takes over the digest that swift-crypto made.
    public init(_ digest: SHA256Digest) {
        self = digest.withUnsafeBytes { buffer in
            Hash(
                words: (
                    UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                    UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
                    UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
                ))
        }
    }

    /// The SHA-256 of `bytes`.
    public static func sha256(_ bytes: [UInt8]) -> Hash {
        Hash(SHA256.hash(data: bytes))
    }

    /// The 32 bytes, most significant first.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Hash.byteCount) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            target.storeBytes(of: words.0.bigEndian, toByteOffset: 0, as: UInt64.self)
            target.storeBytes(of: words.1.bigEndian, toByteOffset: 8, as: UInt64.self)
            target.storeBytes(of: words.2.bigEndian, toByteOffset: 16, as: UInt64.self)
            target.storeBytes(of: words.3.bigEndian, toByteOffset: 24, as: UInt64.self)
            count = Hash.byteCount
        }
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }

    /// Whether both are the same.
    public static func == (left: Hash, right: Hash) -> Bool {
        left.words == right.words
    }

    /// Orders them in the same way everywhere.
    public static func < (left: Hash, right: Hash) -> Bool {
        left.words < right.words
    }

    /// Feeds the hasher.
    public func hash(into hasher: inout Hasher) {
        // Any one word of a SHA-256 is as good as the whole for a hash table.
        hasher.combine(words.0)
    }
}

extension Hash: Codable {
    /// Reads 64 hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        guard let value = Hash(hex: try decoder.singleValueContainer().decode(String.self)) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a hash is 64 hexadecimal digits"))
        }
        self = value
    }

    /// Writes 64 hexadecimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

extension Hash: CustomStringConvertible {
    /// The hexadecimal form.
    public var description: String { hex }
}

extension [UInt8] {
    /// Reads pairs of hexadecimal digits; nil for an odd count or any other character.
    public init?(hex: some StringProtocol) {
        let digits = hex.utf8
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            let nibble: UInt8
            switch digit {
            case 0x30...0x39: nibble = digit - 0x30
            case 0x61...0x66: nibble = digit - 0x61 + 10
            case 0x41...0x46: nibble = digit - 0x41 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        self = bytes
    }

    /// Two lower-case hexadecimal digits a byte.
    public var hex: String {
        let digits: [UInt8] = [UInt8]("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: count * 2) { buffer in
            for (position, byte) in self.enumerated() {
                buffer[position * 2] = digits[Int(byte >> 4)]
                buffer[position * 2 + 1] = digits[Int(byte & 15)]
            }
            return count * 2
        }
    }
}
