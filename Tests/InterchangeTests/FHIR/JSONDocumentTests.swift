import Foundation
import Interchange
import Testing

struct JSONDocumentTests {
    private static let limits = JSONReadingLimits(bytes: 1 << 20, depth: 64, values: 10_000)

    private func read(_ text: String) throws(JSONProblem) -> JSONValue {
        try JSONDocument([UInt8](text.utf8), limits: JSONDocumentTests.limits).root
    }

    @Test func `values are read as RFC 8259 writes them`() throws {
        let root = try read(
            " { \"a\" : [ 1, -0.50, 2E+3, true, false, null, \"x\" ], \"\\u0062\":{}, \"c\\n\": \"\\u00e5\\uD83D\\uDE00\\/\" } "
        )
        #expect(root.isObject)
        #expect(root.members.map(\.name) == ["a", "b", "c\n"])
        let elements = try #require(root["a"]).elements
        #expect(elements.map(\.number) == ["1", "-0.50", "2E+3", nil, nil, nil, nil])
        #expect(elements.map(\.boolean) == [nil, nil, nil, true, false, nil, nil])
        #expect(elements[6].string == "x")
        #expect(root["b"]?.isObject == true)
        #expect(root["b"]?.members.isEmpty == true)
        #expect(root["c\n"]?.string == "å😀/")
        #expect(root["d"] == nil)
        #expect(root["a"]?["a"] == nil)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "[1 2]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "-", "1.", ".5", "1e", "+1", "tru",
        "nul", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\uD800\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"", "\"\n\"", "[] []",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "\u{FEFF}[]", "NaN", "[1]x", "\"\\", "{\"a\":}", "[,1]", "'a'",
    ]) func `what is no JSON is refused`(text: String) {
        #expect { try read(text) } throws: { ($0 as? JSONProblem)?.kind == .notWellFormed }
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        #expect(throws: JSONProblem.self) {
            try JSONDocument([0x22, 0xC3, 0x22], limits: JSONDocumentTests.limits)
        }
    }

    @Test func `bytes, depth and values are bounded before they are read`() throws {
        func problem(_ text: String, _ limits: JSONReadingLimits) -> JSONProblem.Kind? {
            do throws(JSONProblem) {
                _ = try JSONDocument([UInt8](text.utf8), limits: limits)
                return nil
            } catch { return error.kind }
        }
        let deep = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(problem(deep(64), JSONDocumentTests.limits) == nil)
        #expect(problem(deep(65), JSONDocumentTests.limits) == .tooLarge)
        #expect(problem(String(repeating: "[", count: 1 << 20), JSONDocumentTests.limits) == .tooLarge)
        #expect(problem(String(repeating: "{\"a\":", count: 200_000), JSONDocumentTests.limits) == .tooLarge)
        #expect(problem("[1,2]", JSONReadingLimits(bytes: 5, depth: 1, values: 3)) == nil)
        #expect(problem("[1,2]", JSONReadingLimits(bytes: 4, depth: 1, values: 3)) == .tooLarge)
        #expect(problem("[1,2]", JSONReadingLimits(bytes: 5, depth: 0, values: 3)) == .tooLarge)
        #expect(problem("[1,2]", JSONReadingLimits(bytes: 5, depth: 1, values: 2)) == .tooLarge)
        #expect(problem("{\"a\":1}", JSONReadingLimits(bytes: 9, depth: 1, values: 2)) == .tooLarge)
        #expect(JSONReadingLimits(bytes: .max, depth: .max, values: .max).depth <= 128)
    }

    @Test func `ranges are exact: each value reads alone to the same, and all together are the text`() throws {
        var random = TestRandom(seed: 11)
        for _ in 0..<300 {
            let text = RandomJSON.text(depth: 4, using: &random)
            let document = try JSONDocument([UInt8](text.utf8), limits: JSONDocumentTests.limits)
            try check(document.root)
            #expect(reassembled(document.root) == [UInt8](text.utf8)[document.root.range].map { $0 })
        }
    }

    /// Every value's bytes, read alone, are the same value over the same bytes.
    private func check(_ value: JSONValue) throws {
        let alone = try JSONDocument(value.bytes, limits: JSONDocumentTests.limits).root
        #expect(alone.range == 0..<value.range.count)
        #expect(alone.string == value.string && alone.number == value.number && alone.boolean == value.boolean)
        #expect(alone.elements.count == value.elements.count && alone.members.count == value.members.count)
        let children = value.elements + value.members.map(\.value)
        for (child, same) in zip(children, alone.elements + alone.members.map(\.value)) {
            #expect(child.range.lowerBound - value.range.lowerBound == same.range.lowerBound)
            try check(child)
        }
    }

    /// The bytes of a value put together from those of its children and what stands between them, in which no value is.
    private func reassembled(_ value: JSONValue) -> [UInt8] {
        let children = value.elements + value.members.map(\.value)
        guard !children.isEmpty else { return value.bytes }
        var bytes: [UInt8] = []
        var place = 0
        for child in children {
            let start = child.range.lowerBound - value.range.lowerBound
            #expect(start >= place)
            bytes += value.bytes[place..<start]
            bytes += reassembled(child)
            place = start + child.range.count
        }
        return bytes + value.bytes[place...]
    }

    @Test func `any bytes are read or refused`() {
        var random = TestRandom(seed: 12)
        let alphabet = [UInt8]("{}[]\",:\\u0dD8e-+.19 tfn\n".utf8)
        var readable = 0
        for round in 0..<20_000 {
            var bytes: [UInt8]
            if round.isMultiple(of: 2) {
                bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                    alphabet.randomElement(using: &random) ?? 0
                }
            } else {
                bytes = [UInt8](RandomJSON.text(depth: 3, using: &random).utf8)
                for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            guard let document = try? JSONDocument(bytes, limits: JSONDocumentTests.limits) else { continue }
            readable += 1
            // Whatever we read, an independent reader reads too.
            #expect(
                (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil,
                "\(String(decoding: bytes, as: UTF8.self))")
            #expect(document.root.range.upperBound <= bytes.count)
        }
        #expect(readable > 1_000)
    }
}

/// Random JSON texts, with white space and escapes anywhere.
enum RandomJSON {
    static func text(depth: Int, using random: inout TestRandom) -> String {
        space(&random) + value(depth, &random) + space(&random)
    }

    private static func space(_ random: inout TestRandom) -> String {
        ["", "", "", " ", "\n", "\t", "\r\n  "].randomElement(using: &random) ?? ""
    }

    private static func value(_ depth: Int, _ random: inout TestRandom) -> String {
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
        case 0: return ["true", "false", "null"].randomElement(using: &random) ?? ""
        case 1, 2: return ["0", "-1", "12.50", "1e5", "0.000", "-7E-2"].randomElement(using: &random) ?? ""
        case 3, 4: return string(&random)
        case 5:
            let elements = (0..<Int.random(in: 0...4, using: &random)).map { _ in text(depth: depth - 1, using: &random)
            }
            return "[" + (elements.isEmpty ? space(&random) : elements.joined(separator: ",")) + "]"
        default:
            let members = (0..<Int.random(in: 0...4, using: &random)).map { index in
                "\(space(&random))\"n\(index)\"\(space(&random)):\(text(depth: depth - 1, using: &random))"
            }
            return "{" + (members.isEmpty ? space(&random) : members.joined(separator: ",")) + "}"
        }
    }

    private static func string(_ random: inout TestRandom) -> String {
        let pieces = ["a", "å", "😀", "\\n", "\\\"", "\\\\", "\\u00e5", "\\ud83d\\ude00", "/", "{", "]", ",", ":", " "]
        return "\""
            + (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
            + "\""
    }
}
