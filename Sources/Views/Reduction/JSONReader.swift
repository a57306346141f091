import EventLog

/// What is stored is no JSON of the kind that the views write, or not what follows from it.
struct JSONFault: Error {}

/// Reads the JSON that ``JSONText`` writes, value by value in the order in which it stands: arrays, texts, whole numbers
/// and nulls without white space. It takes nothing else, so what it read to the end can only have been written so.
///
/// Invariant: `place` lies before an element, its comma, or the end of an array.
struct JSONReader {
    private let bytes: [UInt8]
    private var place = 0
    /// Whether the next element has no comma before it.
    private var isFirst = true

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Makes sure that nothing follows.
    func end() throws {
        guard place == bytes.count else { throw JSONFault() }
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func require(_ byte: UInt8) throws {
        guard take(byte) else { throw JSONFault() }
    }

    private mutating func separate() throws {
        if isFirst { isFirst = false } else { try require(UInt8(ascii: ",")) }
    }

    /// Reads an array; `body` reads its elements.
    mutating func array<Result>(_ body: (inout JSONReader) throws -> Result) throws -> Result {
        try separate()
        try require(UInt8(ascii: "["))
        isFirst = true
        let result = try body(&self)
        try require(UInt8(ascii: "]"))
        isFirst = false
        return result
    }

    /// Whether the array that is being read has a further element.
    var hasMore: Bool { next != UInt8(ascii: "]") }

    /// Whether the next element is `null`, which is then passed over.
    mutating func isNull() throws -> Bool {
        let start = place
        let wasFirst = isFirst
        try separate()
        guard next == UInt8(ascii: "n") else {
            (place, isFirst) = (start, wasFirst)
            return false
        }
        for byte in [UInt8]("null".utf8) { try require(byte) }
        return true
    }

    /// Reads a whole number.
    mutating func number() throws -> Int64 {
        try separate()
        let start = place
        _ = take(UInt8(ascii: "-"))
        while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
        guard let number = Int64(String(decoding: bytes[start..<place], as: UTF8.self)) else { throw JSONFault() }
        return number
    }

    /// Reads a whole number that is not negative.
    mutating func unsigned() throws -> UInt64 {
        guard let number = UInt64(exactly: try number()) else { throw JSONFault() }
        return number
    }

    /// Reads a text, or nil for `null`.
    mutating func optionalText() throws -> String? { try isNull() ? nil : text() }

    /// Reads a text.
    mutating func text() throws -> String {
        try separate()
        try require(0x22)
        let start = place
        while let byte = next, byte != 0x22, byte != 0x5C { place += 1 }
        if take(0x22) { return String(decoding: bytes[start..<(place - 1)], as: UTF8.self) }
        var text = Array(bytes[start..<place])
        while let byte = next {
            place += 1
            switch byte {
            case 0x22: return String(decoding: text, as: UTF8.self)
            case 0x5C: text.append(try escaped())
            default: text.append(byte)
            }
        }
        throw JSONFault()
    }

    /// What follows a reverse solidus: itself, a quotation mark, or a control character in four digits.
    private mutating func escaped() throws -> UInt8 {
        if take(0x5C) { return 0x5C }
        if take(0x22) { return 0x22 }
        for byte in [UInt8]("u00".utf8) { try require(byte) }
        guard place + 2 <= bytes.count,
            let byte = UInt8(String(decoding: bytes[place..<(place + 2)], as: UTF8.self), radix: 16)
        else { throw JSONFault() }
        place += 2
        return byte
    }

    /// Reads an id of 64 hexadecimal digits.
    mutating func identifier<Identifier: HashIdentifier>(_ type: Identifier.Type = Identifier.self) throws
        -> Identifier
    {
        guard let id = Identifier(hex: try text()) else { throw JSONFault() }
        return id
    }
}
