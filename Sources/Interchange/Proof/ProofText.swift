import EventLog

/// Writes a proof file: JSON whose members stand in the order in which they are written.
struct ProofText {
    private(set) var bytes: [UInt8] = []
    private var depth = 0
    private var needsComma = false

    /// A text of `bytes` in base64.
    static func base64(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.encode(bytes), as: UTF8.self)
    }

    mutating func object(_ body: (inout ProofText) -> Void) {
        open(0x7B)
        body(&self)
        close(0x7D)
    }

    mutating func array<Element>(_ elements: [Element], _ body: (inout ProofText, Element) -> Void) {
        open(0x5B)
        for element in elements {
            beginValue()
            needsComma = false
            body(&self, element)
            needsComma = true
        }
        close(0x5D)
    }

    /// The name of the member whose value is written next.
    mutating func name(_ name: String) {
        beginValue()
        string(name)
        bytes += [0x3A, 0x20]
        needsComma = false
    }

    mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
        needsComma = true
    }

    mutating func member(_ name: String, _ values: [String]) {
        self.name(name)
        array(values) { $0.string($1) }
    }

    mutating func null() {
        bytes += [UInt8]("null".utf8)
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if needsComma { newLine() }
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func beginValue() {
        if needsComma { bytes.append(0x2C) }
        newLine()
    }

    private mutating func newLine() {
        bytes.append(0x0A)
        bytes += [UInt8](repeating: 0x20, count: 2 * depth)
    }

    private mutating func string(_ text: String) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: bytes += [0x5C, byte]
            case 0x0A: bytes += [0x5C, 0x6E]
            case 0..<0x20:
                bytes += [UInt8]("\\u00".utf8) + [UInt8]([byte].hex.utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}

/// Reads an object of a proof file, of which every member is known.
struct ProofMembers {
    private let place: String
    private let members: [String: JSONValue]

    init(_ value: JSONValue, in place: String, known: Set<String>) throws(ProofFileError) {
        guard value.isObject else { throw .malformed(place.isEmpty ? "the file" : place, "it is no object") }
        var members: [String: JSONValue] = [:]
        for (name, value) in value.members {
            guard known.contains(name) else { throw .unknownMember(ProofMembers.path(place, name)) }
            members[name] = value
        }
        self.place = place
        self.members = members
    }

    private static func path(_ place: String, _ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    func has(_ name: String) -> Bool { members[name] != nil }

    func value(_ name: String) throws(ProofFileError) -> JSONValue {
        guard let value = members[name] else { throw .missing(ProofMembers.path(place, name)) }
        return value
    }

    func text(_ name: String) throws(ProofFileError) -> String {
        try ProofMembers.text(try value(name), ProofMembers.path(place, name))
    }

    func base64(_ name: String) throws(ProofFileError) -> [UInt8] {
        try ProofMembers.base64(try value(name), ProofMembers.path(place, name))
    }

    func array(_ name: String, limit: Int) throws(ProofFileError) -> [JSONValue] {
        let value = try value(name)
        guard value.isArray else { throw .malformed(ProofMembers.path(place, name), "it is no array") }
        let elements = value.elements
        guard elements.count <= limit else {
            throw .malformed(ProofMembers.path(place, name), "it has more than \(limit) elements")
        }
        return elements
    }

    static func text(_ value: JSONValue, _ path: String) throws(ProofFileError) -> String {
        guard let text = value.string else { throw .malformed(path, "it is no text") }
        return text
    }

    static func base64(_ value: JSONValue, _ path: String) throws(ProofFileError) -> [UInt8] {
        guard let bytes = Base64.decode(try text(value, path).utf8) else { throw .malformed(path, "it is no base64") }
        return bytes
    }
}
