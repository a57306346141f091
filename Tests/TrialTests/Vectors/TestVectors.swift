import Foundation
import Testing

/// One case of a published file of test vectors: what is given, and what follows from it. All values are text: bytes in
/// hexadecimal, numbers in decimal.
struct TestVector: Codable, Equatable {
    var name: String
    var given: [String: String]
    var expected: [String: String]
}

/// A file of `Protocols/TestVectors`.
struct VectorFile: Codable {
    var format = "varde/test-vectors/0"
    /// What the cases are about, and how `expected` follows from `given`.
    var about: String
    var vectors: [TestVector]
}

/// Published test vectors: made once, then only held against what today's code does.
///
/// With `VARDE_MAKE_VECTORS=1` in the environment, cases that a file does not have yet are added to it. What stands in a
/// file is never made anew: a case that no longer holds shows that a frozen format was changed.
enum TestVectors {
    static let folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Protocols/TestVectors")

    static var isMaking: Bool { ProcessInfo.processInfo.environment["VARDE_MAKE_VECTORS"] == "1" }

    static func read(_ file: String) throws -> VectorFile {
        try JSONDecoder().decode(VectorFile.self, from: Data(contentsOf: folder.appending(path: file)))
    }

    /// Holds a file against today's code.
    ///
    /// - Parameters:
    ///   - make: the cases that the file should have, for making; called only then.
    ///   - work: what follows from what is given; an error counts as a refusal.
    static func check(
        _ file: String, about: String, make: () throws -> [(name: String, given: [String: String])],
        work: ([String: String]) throws -> [String: String], location: SourceLocation = #_sourceLocation
    ) throws {
        func outcome(_ given: [String: String]) -> [String: String] {
            // Which sentence says so is free to change.
            do { return try work(given) } catch { return ["refused": "true"] }
        }
        if isMaking {
            var known = (try? read(file)) ?? VectorFile(about: about, vectors: [])
            known.about = about
            for (name, given) in try make() where !known.vectors.contains(where: { $0.name == name }) {
                known.vectors.append(TestVector(name: name, given: given, expected: outcome(given)))
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try (encoder.encode(known) + Data("\n".utf8)).write(to: folder.appending(path: file), options: .atomic)
        }
        let known = try read(file)
        #expect(known.format == "varde/test-vectors/0" && !known.vectors.isEmpty, sourceLocation: location)
        for vector in known.vectors {
            let found = outcome(vector.given)
            #expect(found == vector.expected, "\(file): \(vector.name)", sourceLocation: location)
        }
    }
}

/// A member of a case that is missing or malformed.
struct VectorError: Error {
    let name: String
}

extension [String: String] {
    func text(_ name: String) throws -> String {
        guard let value = self[name] else { throw VectorError(name: name) }
        return value
    }

    func number<Number: FixedWidthInteger>(_ name: String, as type: Number.Type = Number.self) throws -> Number {
        guard let value = Number(try text(name)) else { throw VectorError(name: name) }
        return value
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard let value = [UInt8](vectorHex: try text(name)) else { throw VectorError(name: name) }
        return value
    }

    /// Several values separated by spaces.
    func list(_ name: String) throws -> [String] { try text(name).split(separator: " ").map(String.init) }
}

extension [UInt8] {
    /// Hexadecimal digits, read without the code that is tested.
    init?(vectorHex text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        self = bytes
    }
}
