import ArgumentParser
import Foundation
import Logging
import Node

/// Writing to people and to scripts.
enum Output {
    /// Whether standard error is a terminal, so that a line may be drawn over.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// A line on standard output.
    static func line(_ text: String) {
        // A reader that has seen enough (`| head`) ends the program quietly, as it ends others.
        do { try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) } catch { exit(0) }
    }

    /// A line on standard error.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// A line that the next one replaces; nothing where nobody looks at a terminal.
    static func progress(_ text: String) {
        guard isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[2K\(text)".utf8))
    }

    /// Ends a progress line.
    static func endProgress() {
        guard isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8))
    }

    /// JSON with sorted keys on standard output.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// A number with thin groups of three, as people read it.
    static func grouped(_ number: some BinaryInteger) -> String {
        var digits = String(number)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits] + groups).joined(separator: " ")
    }

    /// Pads a cell of a table on the right, or on the left for numbers.
    static func cell(_ text: String, _ width: Int, right: Bool = false) -> String {
        let padding = String(repeating: " ", count: max(0, width - text.count))
        return right ? padding + text : text + padding
    }
}

/// An error that has been told already, or is told in one sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// `--dir`, the directory of one node.
struct NodeOption: ParsableArguments {
    @Option(name: .customLong("dir"), help: "The node's data directory.")
    var path: String

    /// The directory, which must be a node's.
    func directory() throws -> NodeDirectory { try NodeOption.directory(path) }

    /// The directory at a path, which must be a node's.
    static func directory(_ path: String) throws -> NodeDirectory {
        let directory = NodeDirectory(path)
        guard directory.isNode else {
            throw Failure("\(path) is not a node's directory: there is no node.json in it")
        }
        return directory
    }
}
