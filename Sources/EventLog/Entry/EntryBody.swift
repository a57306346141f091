import Crypto

/// One part of an entry's body, with the salt that keeps its commitment from being guessed.
public struct Part: Hashable, Sendable {
    /// 16 random bytes, stored and erased with the part.
    public let salt: RandomName
    /// What the part holds, as its kind says.
    public let bytes: [UInt8]

    /// Joins a salt and the bytes it hides.
    public init(salt: RandomName, bytes: [UInt8]) {
        self.salt = salt
        self.bytes = bytes
    }

    /// The commitment to this part, were it of `kind`.
    public func commitment(kind: PartKind) -> PartCommitment {
        var hasher = SHA256()
        hasher.update(data: [0x02, UInt8(truncatingIfNeeded: kind.rawValue)] + salt.bytes)
        hasher.update(data: bytes)
        return PartCommitment(kind: kind, commitment: Hash(hasher.finalize()), byteCount: UInt64(bytes.count))
    }
}

/// The body of an entry: its parts by their place in the header. A part that was redacted, or never came, is nil.
public struct EntryBody: Hashable, Sendable {
    /// As many places as the header has commitments.
    public var parts: [Part?]

    /// A body of these parts.
    public init(parts: [Part?]) {
        self.parts = parts
    }

    /// The bytes that are stored in one row and sent: `varde.v0.Body`, its version first.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: parts.reduce(16) { $0 + ($1?.bytes.count ?? 0) + 28 })
        writer.unsigned(1, always: FormatVersion.header)
        for (position, part) in parts.enumerated() {
            guard let part else { continue }
            writer.message(2) { inner in
                inner.unsigned(1, UInt64(position))
                inner.data(2, always: part.salt.bytes)
                inner.data(3, part.bytes)
            }
        }
        return writer.bytes
    }

    /// Reads a body whose header names `count` parts.
    ///
    /// - Throws: ``WireError`` where the bytes are no body, or name a part the header does not have, or one twice.
    public init(bytes: [UInt8], partCount count: Int) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.readFormatVersion(FormatVersion.header)
        parts = Array(repeating: nil, count: count)
        while let field = try reader.next() {
            guard field == 2 else {
                try reader.skip()
                continue
            }
            var inner = try reader.message()
            var position = 0
            var salt: RandomName?
            var content: [UInt8] = []
            while let field = try inner.next() {
                switch field {
                case 1: position = try inner.unsigned(as: Int.self)
                case 2: salt = try inner.randomName()
                case 3: content = try inner.data()
                default: try inner.skip()
                }
            }
            guard let salt else { throw .missing(field: 2) }
            guard position < count, parts[position] == nil else { throw .outOfRange(field: 1) }
            parts[position] = Part(salt: salt, bytes: content)
        }
    }
}
