import Foundation
import Testing

/// What `Protocols/known-failures.md` says of our tests stays true.
struct KnownFailuresTests {
    private static let root = TestVectors.folder.deletingLastPathComponent().deletingLastPathComponent()

    /// A test that the table names: the folder and file below `Tests`, and the test's name.
    private struct NamedTest: Hashable {
        var target: String
        var file: String
        var name: String
    }

    /// The rows of the table: what stands before, between and behind the bars of each.
    private func rows() throws -> [[String]] {
        let path = Self.root.appending(path: "Protocols/known-failures.md")
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").compactMap { line in
            guard line.hasPrefix("| "), let first = line.dropFirst(2).first, first.isNumber else { return nil }
            return line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    private func tests(in cell: String) -> [NamedTest] {
        cell.matches(of: /(?<target>\w+Tests)\/(?<file>\w+): `(?<name>[^`]+)`/).map {
            NamedTest(
                target: String($0.output.target), file: String($0.output.file), name: String($0.output.name))
        }
    }

    /// The source of a test's file, which may lie in a folder of its target.
    private func source(of test: NamedTest) throws -> String? {
        let folder = Self.root.appending(path: "Tests/\(test.target)")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        while let file = files?.nextObject() as? URL {
            guard file.lastPathComponent == test.file + ".swift" else { continue }
            return try String(contentsOf: file, encoding: .utf8)
        }
        return nil
    }

    @Test func `every row of the table of known failures names tests, and each is there and runs`() throws {
        let rows = try rows()
        #expect(rows.count >= 20)
        for row in rows {
            try #require(row.count == 5, "\(row)")
            let named = tests(in: row[3])
            #expect(!named.isEmpty, "row \(row[0]) names no test")
            for test in named {
                let source = try #require(try source(of: test), "\(test)")
                let place = [source.range(of: "`\(test.name)`("), source.range(of: "\"\(test.name)\"")]
                    .compactMap { $0 }.first
                let name = try #require(place, "\(test) is not there")
                // What stands between the attribute and the name says whether it runs.
                let attribute = try #require(
                    source[..<name.upperBound].range(of: "@Test", options: .backwards), "\(test) is no test")
                #expect(!source[attribute.lowerBound..<name.upperBound].contains(".disabled("), "\(test) does not run")
            }
        }
    }
}
