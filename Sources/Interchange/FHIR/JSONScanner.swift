/// Reads JSON value by value, noting where each begins and ends.
///
/// Invariants:
/// - `position` is at most `bytes.count`;
/// - at most `limits.values` nodes are made, and no more than `limits.depth` levels are entered.
struct JSONScanner {
    private let bytes: [UInt8]
    private let limits: JSONReadingLimits
    private var position = 0
    private var nodes: [JSONDocument.Node] = []

    init(bytes: [UInt8], limits: JSONReadingLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Reads the whole text as one value.
    mutating func document() throws(JSONProblem) -> [JSONDocument.Node] {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw malformed("the text is not UTF-8", at: 0) }
        skipSpace()
        try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw malformed("something follows the value") }
        return nodes
    }

    private func malformed(_ reason: String, at offset: Int? = nil) -> JSONProblem {
        JSONProblem(kind: .notWellFormed, offset: offset ?? position, reason: reason)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// Begins a node; gives its index.
    private mutating func begin(_ kind: JSONDocument.Kind) throws(JSONProblem) -> Int {
        guard nodes.count < limits.values else {
            throw JSONProblem(
                kind: .tooLarge, offset: position, reason: "the text has more than \(limits.values) values")
        }
        nodes.append(JSONDocument.Node(kind: kind, lower: Int32(position), upper: 0, end: 0))
        return nodes.count - 1
    }

    private mutating func finish(_ index: Int) {
        nodes[index].upper = Int32(position)
        nodes[index].end = Int32(nodes.count)
    }

    private mutating func value(depth: Int) throws(JSONProblem) {
        switch next {
        case 0x7B: try object(depth: depth + 1)
        case 0x5B: try array(depth: depth + 1)
        case 0x22: try string()
        case 0x74: try word("true", .yes)
        case 0x66: try word("false", .no)
        case 0x6E: try word("null", .null)
        case 0x2D?, (0x30...0x39)?: try number()
        case nil: throw malformed("the text ends where a value is expected")
        default: throw malformed("no value begins here")
        }
    }

    private func require(depth: Int) throws(JSONProblem) {
        guard depth <= limits.depth else {
            throw JSONProblem(
                kind: .tooLarge, offset: position,
                reason: "objects and arrays stand more than \(limits.depth) deep within each other")
        }
    }

    private mutating func object(depth: Int) throws(JSONProblem) {
        try require(depth: depth)
        let index = try begin(.object)
        position += 1
        skipSpace()
        var names: Set<String> = []
        if !take(0x7D) {
            repeat {
                skipSpace()
                guard next == 0x22 else { throw malformed("the name of a member is expected") }
                let start = position
                try string()
                let content = bytes[(start + 1)..<(position - 1)]
                let name = JSONScanner.unescaped(content) ?? ""
                // Of two members of one name, one reader would take this and another that.
                guard names.insert(name).inserted else {
                    throw malformed("a name stands twice in an object", at: start)
                }
                skipSpace()
                guard take(0x3A) else { throw malformed("a colon is expected after a name") }
                skipSpace()
                try value(depth: depth)
                skipSpace()
            } while take(0x2C)
            guard take(0x7D) else { throw malformed("a comma or the end of the object is expected") }
        }
        finish(index)
    }

    private mutating func array(depth: Int) throws(JSONProblem) {
        try require(depth: depth)
        let index = try begin(.array)
        position += 1
        skipSpace()
        if !take(0x5D) {
            repeat {
                skipSpace()
                try value(depth: depth)
                skipSpace()
            } while take(0x2C)
            guard take(0x5D) else { throw malformed("a comma or the end of the array is expected") }
        }
        finish(index)
    }

    private mutating func word(_ word: StaticString, _ kind: JSONDocument.Kind) throws(JSONProblem) {
        let index = try begin(kind)
        for place in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[place]) {
            throw malformed("no value begins here", at: Int(nodes[index].lower))
        }
        finish(index)
    }

    private mutating func digits() throws(JSONProblem) {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw malformed("a digit is expected") }
    }

    private mutating func number() throws(JSONProblem) {
        let index = try begin(.number)
        _ = take(0x2D)
        // A leading zero stands alone.
        if !take(0x30) { try digits() }
        if take(0x2E) { try digits() }
        if take(0x65) || take(0x45) {
            if !take(0x2B) { _ = take(0x2D) }
            try digits()
        }
        finish(index)
    }

    private mutating func string() throws(JSONProblem) {
        let index = try begin(.string)
        let start = position
        position += 1
        var hasEscapes = false
        while true {
            guard let byte = next else { throw malformed("a text does not end", at: start) }
            switch byte {
            case 0x22:
                position += 1
                if hasEscapes, JSONScanner.unescaped(bytes[(start + 1)..<(position - 1)]) == nil {
                    throw malformed("an escape in a text is wrong", at: start)
                }
                return finish(index)
            case 0x5C:
                hasEscapes = true
                // What follows a backslash does not end the text.
                position = min(position + 2, bytes.count)
            case 0..<0x20: throw malformed("a control character stands in a text")
            default: position += 1
            }
        }
    }

    /// A text with its escapes resolved; nil where one is wrong.
    static func unescaped(_ content: ArraySlice<UInt8>) -> String? {
        guard content.contains(0x5C) else { return String(decoding: content, as: UTF8.self) }
        var out: [UInt8] = []
        out.reserveCapacity(content.count)
        var place = content.startIndex
        func unit(at start: Int) -> UInt32? {
            guard start + 4 <= content.endIndex else { return nil }
            var value: UInt32 = 0
            for byte in content[start..<start + 4] {
                guard let digit = hexadecimalDigit(byte) else { return nil }
                value = value << 4 | digit
            }
            return value
        }
        while place < content.endIndex {
            let byte = content[place]
            place += 1
            guard byte == 0x5C else {
                out.append(byte)
                continue
            }
            guard place < content.endIndex else { return nil }
            let escape = content[place]
            place += 1
            if escape != 0x75 {
                guard let meant = simpleEscape(escape) else { return nil }
                out.append(meant)
                continue
            }
            guard var scalar = unit(at: place) else { return nil }
            place += 4
            if (0xD800..<0xDC00).contains(scalar) {
                guard place + 6 <= content.endIndex, content[place] == 0x5C, content[place + 1] == 0x75,
                    let low = unit(at: place + 2), (0xDC00..<0xE000).contains(low)
                else { return nil }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                place += 6
            }
            guard let character = Unicode.Scalar(scalar) else { return nil }
            out.append(contentsOf: UTF8.encode(character).map { Array($0) } ?? [])
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func simpleEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x22, 0x5C, 0x2F: byte
        case 0x62: 0x08
        case 0x66: 0x0C
        case 0x6E: 0x0A
        case 0x72: 0x0D
        case 0x74: 0x09
        default: nil
        }
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x41 + 10)
        case 0x61...0x66: UInt32(byte - 0x61 + 10)
        default: nil
        }
    }
}
