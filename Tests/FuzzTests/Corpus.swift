import Foundation

/// The kept corpus: the published test vectors, the studies that ship with Varde, and files of this folder.
enum Corpus {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A file of the kept corpus.
    static func file(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: package.appending(path: "Tests/FuzzTests/Corpus/" + name)))
    }

    /// A file of the study that ships with Varde.
    static func study(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: package.appending(path: "Protocols/Studies/sciatica/" + name)))
    }

    /// The lines of a file of the kept corpus, each a sample.
    static func lines(_ name: String) throws -> [[UInt8]] {
        try file(name).split(separator: 0x0A).map { Array($0) }
    }

    /// A member of every published vector of a file, from hexadecimal.
    static func vectors(_ file: String, _ member: String) throws -> [[UInt8]] {
        try TestVectors.read(file).vectors.flatMap { vector in
            (vector.given[member] ?? vector.expected[member] ?? "").split(separator: " ").compactMap {
                [UInt8](vectorHex: String($0.split(separator: ":").last ?? ""))
            }
        }
    }

    /// A member of every published vector of a file, as it stands.
    static func texts(_ file: String, _ member: String) throws -> [[UInt8]] {
        try TestVectors.read(file).vectors.compactMap {
            ($0.given[member] ?? $0.expected[member]).map { Array($0.utf8) }
        }
    }
}
