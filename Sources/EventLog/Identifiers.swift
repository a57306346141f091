/// A value that names something by 32 bytes, most of them SHA-256 hashes of what they name.
public protocol HashIdentifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The 32 bytes.
    var hash: Hash { get }
    /// Wraps 32 bytes that are known to name a thing of this kind.
    init(_ hash: Hash)
}

extension HashIdentifier {
    /// Orders by the bytes.
    public static func < (left: Self, right: Self) -> Bool { left.hash < right.hash }
    /// 64 hexadecimal digits.
    public var description: String { hash.hex }
    /// Reads exactly 32 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard let hash = Hash(bytes: bytes) else { return nil }
        self.init(hash)
    }
    /// Reads 64 hexadecimal digits; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let hash = Hash(hex: hex) else { return nil }
        self.init(hash)
    }
}

/// An entry's id: the leaf hash of its header, SHA-256(0x00 ‖ header) (RFC 9162 §2.1.1).
public struct EntryID: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }
}

/// A log's id: SHA-256 over domain, network, node, stream and epoch; see ``LogName``.
public struct LogID: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }
}

/// A 128-bit random name.
public protocol RandomIdentifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The 16 bytes as two big-endian words.
    var words: RandomName { get }
    /// Wraps a name drawn elsewhere.
    init(_ words: RandomName)
}

/// The 16 bytes behind every ``RandomIdentifier``, as two big-endian words.
public struct RandomName: Hashable, Comparable, Sendable {
    /// The first eight bytes.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// Joins two words.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads exactly 16 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (position, byte) in bytes.enumerated() {
            if position < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        self.init(high: high, low: low)
    }

    /// Draws one from `generator`.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// The 16 bytes, most significant first.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            target.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            target.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    /// Orders them in the same way everywhere.
    public static func < (left: RandomName, right: RandomName) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension RandomIdentifier {
    /// Orders by the bytes.
    public static func < (left: Self, right: Self) -> Bool { left.words < right.words }
    /// The 16 bytes.
    public var bytes: [UInt8] { words.bytes }
    /// 32 hexadecimal digits.
    public var description: String { words.bytes.hex }
    /// Reads exactly 16 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard let words = RandomName(bytes: bytes) else { return nil }
        self.init(words)
    }
    /// Reads 32 hexadecimal digits; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = [UInt8](hex: hex) else { return nil }
        self.init(bytes: bytes)
    }
    /// Draws a new name from `generator`.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(RandomName(using: &generator))
    }
    /// The first 16 bytes of a hash: a name that the same input always gives.
    public init(derivedFrom hash: Hash) {
        self.init(RandomName(high: hash.words.0, low: hash.words.1))
    }
}

/// A study's id, drawn where the study is founded.
public struct StudyID: RandomIdentifier {
    /// The 16 bytes.
    public let words: RandomName
    /// Wraps a name drawn elsewhere.
    public init(_ words: RandomName) { self.words = words }
}

/// The name of one epoch of a writer's log of a stream.
public struct Epoch: RandomIdentifier {
    /// The 16 bytes.
    public let words: RandomName
    /// Wraps a name drawn elsewhere.
    public init(_ words: RandomName) { self.words = words }
}

/// Whoever acts: a person, a patient or a system. Random, never derived from a name.
public struct ActorID: RandomIdentifier {
    /// The 16 bytes.
    public let words: RandomName
    /// Wraps a name drawn elsewhere.
    public init(_ words: RandomName) { self.words = words }
}

/// A participant's handle in headers, drawn at registration, so that what concerns one person can be erased together.
public struct SubjectHandle: RandomIdentifier {
    /// The 16 bytes.
    public let words: RandomName
    /// Wraps a name drawn elsewhere.
    public init(_ words: RandomName) { self.words = words }
}

/// A command's id, made by its sender: the same id means the same command, sent again.
public struct CommandID: RandomIdentifier {
    /// The 16 bytes.
    public let words: RandomName
    /// Wraps a name drawn elsewhere.
    public init(_ words: RandomName) { self.words = words }
}

/// A short name out of a closed alphabet, `[a-z0-9.-]{1,63}`, given by people in a charter.
public protocol LabelIdentifier: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The text.
    var text: String { get }
    /// Wraps text already known to be well formed.
    init(unchecked text: String)
}

extension LabelIdentifier {
    /// Nil where the text is empty, longer than 63 characters, or holds anything but `a-z`, `0-9`, `.` and `-`.
    public init?(_ text: String) {
        let allowed = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D
        }
        guard (1...63).contains(text.utf8.count), allowed else { return nil }
        self.init(unchecked: text)
    }
    /// Orders by the UTF-8 bytes.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
    /// The text itself.
    public var description: String { text }
}

/// The nodes that trust one charter.
public struct NetworkID: LabelIdentifier {
    /// The text.
    public let text: String
    /// Wraps text that is known to be well formed.
    public init(unchecked text: String) { self.text = text }
}

/// One hospital's node, as the charter names it.
public struct NodeID: LabelIdentifier {
    /// The text.
    public let text: String
    /// Wraps text that is known to be well formed.
    public init(unchecked text: String) { self.text = text }
}

/// A hospital or department where data are entered, as the charter names it.
public struct LocationID: LabelIdentifier {
    /// The text.
    public let text: String
    /// Wraps text that is known to be well formed.
    public init(unchecked text: String) { self.text = text }
}

/// One or more locations under one principal investigator, named per study in its participation chain.
public struct StudySiteID: LabelIdentifier {
    /// The text.
    public let text: String
    /// Wraps text that is known to be well formed.
    public init(unchecked text: String) { self.text = text }
}

// In JSON every identifier is the text that people see.

private func unreadable(_ decoder: any Decoder, _ what: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: what))
}

extension HashIdentifier {
    /// Reads 64 hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        guard let value = Self(hex: try decoder.singleValueContainer().decode(String.self)) else {
            throw unreadable(decoder, "an id is 64 hexadecimal digits")
        }
        self = value
    }
    /// Writes 64 hexadecimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension RandomIdentifier {
    /// Reads 32 hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        guard let value = Self(hex: try decoder.singleValueContainer().decode(String.self)) else {
            throw unreadable(decoder, "a name is 32 hexadecimal digits")
        }
        self = value
    }
    /// Writes 32 hexadecimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension LabelIdentifier {
    /// Reads a label of the closed alphabet.
    public init(from decoder: any Decoder) throws {
        guard let value = Self(try decoder.singleValueContainer().decode(String.self)) else {
            throw unreadable(decoder, "a label is 1 to 63 of a-z, 0-9, '.' and '-'")
        }
        self = value
    }
    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
