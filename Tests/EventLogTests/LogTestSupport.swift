import EventLog
import Foundation
import Testing

/// A small seeded generator (SplitMix64), so that every run of a test draws the same values.
typealias SplitMix64 = SeededGenerator

extension SeededGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// Test material made elsewhere, which lies beside the package and is not part of it.
enum SharedData {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared/data")

    static let absent: Comment = "skipped: ../shared/data with the published test vectors is not beside the package"

    static func isPresent(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: path)))
    }
}

/// A tree of distinct leaves, and what RFC 9162 defines on it, written as its recursive definitions.
struct NaiveTree {
    let leaves: [Hash]

    init(size: Int) {
        leaves = (0..<size).map { MerkleTree.leafHash(of: [UInt8]("leaf \($0)".utf8)) }
    }

    /// MTH of RFC 9162 §2.1.1.
    static func root(_ leaves: ArraySlice<Hash>) -> Hash {
        if leaves.isEmpty { return Hash.sha256([]) }
        if leaves.count == 1 { return leaves[leaves.startIndex] }
        let middle = leaves.startIndex + split(leaves.count)
        return Hash.sha256([1] + root(leaves[..<middle]).bytes + root(leaves[middle...]).bytes)
    }

    /// PATH of RFC 9162 §2.1.3.1.
    static func inclusionPath(_ index: Int, _ leaves: ArraySlice<Hash>) -> [Hash] {
        if leaves.count <= 1 { return [] }
        let left = split(leaves.count)
        let middle = leaves.startIndex + left
        return index < left
            ? inclusionPath(index, leaves[..<middle]) + [root(leaves[middle...])]
            : inclusionPath(index - left, leaves[middle...]) + [root(leaves[..<middle])]
    }

    /// SUBPROOF of RFC 9162 §2.1.4.1.
    static func consistencyPath(_ old: Int, _ leaves: ArraySlice<Hash>, _ isWhole: Bool = true) -> [Hash] {
        if old == leaves.count { return isWhole ? [] : [root(leaves)] }
        let left = split(leaves.count)
        let middle = leaves.startIndex + left
        return old <= left
            ? consistencyPath(old, leaves[..<middle], isWhole) + [root(leaves[middle...])]
            : consistencyPath(old - left, leaves[middle...], false) + [root(leaves[..<middle])]
    }

    /// On which sides the neighbours of a leaf lie, from the leaf upwards.
    ///
    /// The root says nothing of the size, so a proof also fits every other size in which the leaf has its neighbours
    /// on the same sides. Only the checkpoint, which signs size and root together, tells such sizes apart.
    static func sides(_ index: Int, _ size: Int) -> [Character] {
        if size <= 1 { return [] }
        let left = split(size)
        return index < left ? sides(index, left) + ["R"] : sides(index - left, size - left) + ["L"]
    }

    /// The same for a consistency proof: whether it starts with the old root or a hash of the path, then the sides.
    static func sides(old: Int, _ size: Int, _ isWhole: Bool = true) -> [Character] {
        if old == size { return isWhole ? ["o"] : ["p"] }
        let left = split(size)
        return old <= left ? sides(old: old, left, isWhole) + ["R"] : sides(old: old - left, size - left, false) + ["L"]
    }

    private static func split(_ count: Int) -> Int {
        var power = 1
        while power * 2 < count { power *= 2 }
        return power
    }
}

extension Hash {
    /// The same hash with one bit turned.
    func flipping(bit: Int) -> Hash {
        var altered = bytes
        altered[bit / 8] ^= 1 << UInt8(bit % 8)
        return Hash(bytes: altered)!
    }
}

/// Keys and names that the tests sign with; the seeds are those of RFC 8032 §7.1, tests 1 and 2.
enum TestKeys {
    static let logSeed = [UInt8](hex: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")!
    static let witnessSeed = [UInt8](hex: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")!
    static let network = NetworkID("helse")!
    static let origin = LogOrigin(network: network, log: LogID(Hash(hex: String(repeating: "ab", count: 32))!))
    static let witnessName = WitnessName(network: network, node: NodeID("haukeland")!, number: 1)
    static let log = NoteSigningKey(name: origin.keyName, seed: logSeed)!
    static let otherLog = NoteSigningKey(name: origin.keyName, seed: witnessSeed)!
    static let witness = WitnessSigningKey(name: witnessName.keyName, seed: witnessSeed)!
    static let otherWitness = WitnessSigningKey(name: witnessName.keyName, seed: logSeed)!
    static let checkpoint = Checkpoint(log: origin, size: 42, root: Hash.sha256([UInt8]("varde".utf8)))
}
