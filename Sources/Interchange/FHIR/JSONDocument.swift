/// What is read of a JSON text at most.
package struct JSONReadingLimits: Sendable {
    /// The greatest number of bytes.
    package var bytes: Int
    /// The greatest depth of objects and arrays within each other.
    package var depth: Int
    /// The greatest number of values, names of members among them.
    package var values: Int

    /// States limits.
    package init(bytes: Int, depth: Int, values: Int) {
        // Places are kept in 32 bits, and each level of depth takes room on the stack.
        self.bytes = min(bytes, 1 << 30)
        self.depth = min(depth, 128)
        self.values = min(values, 1 << 30)
    }
}

/// Why a text is not read as JSON.
package struct JSONProblem: Error, Hashable, Sendable {
    /// What kind of problem.
    package enum Kind: Hashable, Sendable {
        /// Against RFC 8259, or a name stands twice in an object.
        case notWellFormed
        /// Beyond a limit.
        case tooLarge
    }

    /// What kind of problem.
    package let kind: Kind
    /// The byte at which it was found, from 0.
    package let offset: Int
    /// What is wrong, in words.
    package let reason: String
}

/// A JSON text (RFC 8259) and where in its bytes every value stands.
///
/// A reader of our own, for two things that others do not give: the exact bytes of a value as they were sent, and numbers
/// with the digits as typed. It is strict: UTF-8 only, names of an object distinct, no half surrogate pairs.
///
/// Invariants:
/// - `nodes` holds the values in the order in which they begin, an object's names among them as strings before their values;
/// - a node's range is that of its text without the white space around it, and holds those of its children;
/// - `nodes[i].end` is the index after the last node of the subtree at `i`.
package struct JSONDocument: Sendable {
    enum Kind: UInt8 {
        case object, array, string, number, yes, no, null
    }

    struct Node {
        var kind: Kind
        /// Offset of the first byte.
        var lower: Int32
        /// Offset after the last byte.
        var upper: Int32
        /// Index after the subtree.
        var end: Int32
    }

    /// The text.
    package let bytes: [UInt8]
    let nodes: [Node]

    /// Reads a text.
    /// - Throws: ``JSONProblem``; nothing is kept of a text that is not well formed or beyond `limits`.
    package init(_ bytes: [UInt8], limits: JSONReadingLimits) throws(JSONProblem) {
        guard bytes.count <= limits.bytes else {
            throw JSONProblem(
                kind: .tooLarge, offset: limits.bytes, reason: "the text has more than \(limits.bytes) bytes")
        }
        var scanner = JSONScanner(bytes: bytes, limits: limits)
        nodes = try scanner.document()
        self.bytes = bytes
    }

    /// The outermost value.
    package var root: JSONValue { JSONValue(document: self, index: 0) }
}

/// A value of a JSON text.
package struct JSONValue: Sendable {
    let document: JSONDocument
    let index: Int

    private var node: JSONDocument.Node { document.nodes[index] }

    /// Where it stands in the text, from its first byte to after its last.
    package var range: Range<Int> { Int(node.lower)..<Int(node.upper) }
    /// Its bytes as they stand in the text.
    package var bytes: [UInt8] { Array(document.bytes[range]) }

    /// Whether it is an object.
    package var isObject: Bool { node.kind == .object }
    /// Whether it is an array.
    package var isArray: Bool { node.kind == .array }
    /// Whether it is null.
    package var isNull: Bool { node.kind == .null }

    /// Text, with escapes resolved; nil for any other kind.
    package var string: String? {
        guard node.kind == .string else { return nil }
        let content = document.bytes[(range.lowerBound + 1)..<(range.upperBound - 1)]
        guard content.contains(0x5C) else { return String(decoding: content, as: UTF8.self) }
        return JSONScanner.unescaped(content)
    }

    /// A number as typed; nil for any other kind.
    package var number: String? {
        node.kind == .number ? String(decoding: document.bytes[range], as: UTF8.self) : nil
    }

    /// True or false; nil for any other kind.
    package var boolean: Bool? {
        switch node.kind {
        case .yes: true
        case .no: false
        default: nil
        }
    }

    /// The elements of an array, in order; empty for any other kind.
    package var elements: [JSONValue] {
        guard node.kind == .array else { return [] }
        return children
    }

    /// The members of an object, in order; empty for any other kind.
    package var members: [(name: String, value: JSONValue)] {
        guard node.kind == .object else { return [] }
        let children = children
        return stride(from: 0, to: children.count - 1, by: 2).map { (children[$0].string ?? "", children[$0 + 1]) }
    }

    /// The member of a name; nil where there is none, or the value is no object.
    package subscript(name: String) -> JSONValue? {
        guard node.kind == .object else { return nil }
        var next = index + 1
        while next < node.end {
            let value = next + 1
            if JSONValue(document: document, index: next).string == name {
                return JSONValue(document: document, index: value)
            }
            next = Int(document.nodes[value].end)
        }
        return nil
    }

    private var children: [JSONValue] {
        var found: [JSONValue] = []
        var next = index + 1
        while next < node.end {
            found.append(JSONValue(document: document, index: next))
            next = Int(document.nodes[next].end)
        }
        return found
    }
}
