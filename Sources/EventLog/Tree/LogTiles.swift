/// Cuts a log into the files of C2SP tlog-tiles, leaf by leaf: tiles of up to 256 hashes, and bundles of up to 256 leaves.
///
/// Invariants:
/// - `levels[l]` holds the hashes of the tile of level `l` that is not full yet, fewer than 256;
/// - every full tile before it was given out.
public struct LogTiles: Sendable {
    /// One file.
    public struct File: Hashable, Sendable {
        /// The path below the log's prefix, such as `tile/0/x001/067.p/112`.
        public let path: String
        /// What it holds.
        public let bytes: [UInt8]
    }

    /// The hashes of a full tile, and the leaves of a full bundle.
    public static let width = 256
    /// The longest leaf of a bundle, whose length takes 16 bits.
    public static let maximumLeafByteCount = Int(UInt16.max)

    private var levels: [[Hash]] = [[]]
    private var bundle: [UInt8] = []
    private var fullTiles: [UInt64] = [0]

    /// No leaf yet.
    public init() {}

    /// The number of leaves taken.
    public var size: UInt64 { fullTiles[0] * UInt64(LogTiles.width) + UInt64(levels[0].count) }

    /// The root of the tree over the leaves taken, from what the tiles hold (RFC 9162 §2.1.1).
    public var root: Hash {
        // Every hash in the partial tile of level l is a complete subtree of 256^l leaves; larger ones stand further left.
        let peaks = levels.reversed().flatMap { hashes in
            var tile = MerkleFrontier()
            tile.append(contentsOf: hashes)
            return tile.peaks
        }
        return MerkleTree.fold(peaks)
    }

    /// Takes the next leaf; gives the files that it completes.
    public mutating func append(_ leaf: [UInt8]) -> [File] {
        precondition(leaf.count <= LogTiles.maximumLeafByteCount, "a leaf of a bundle has at most 65 535 bytes")
        bundle += [UInt8(leaf.count >> 8), UInt8(leaf.count & 0xFF)] + leaf
        var files: [File] = []
        var hash = MerkleTree.leafHash(of: leaf)
        var level = 0
        while true {
            if level == levels.count {
                levels.append([])
                fullTiles.append(0)
            }
            levels[level].append(hash)
            guard levels[level].count == LogTiles.width else { return files }
            files.append(File(path: path(level: level), bytes: levels[level].flatMap(\.bytes)))
            if level == 0 {
                files.append(File(path: "tile/entries/" + LogTiles.number(fullTiles[0]), bytes: bundle))
                bundle = []
            }
            hash = MerkleTree.root(of: levels[level])
            levels[level] = []
            fullTiles[level] += 1
            level += 1
        }
    }

    /// The partial tiles and the partial bundle that end the log at its size now; none that would be empty.
    public var partialFiles: [File] {
        var files: [File] = []
        for (level, hashes) in levels.enumerated() where !hashes.isEmpty {
            files.append(File(path: path(level: level) + ".p/\(hashes.count)", bytes: hashes.flatMap(\.bytes)))
        }
        if !bundle.isEmpty {
            let path = "tile/entries/" + LogTiles.number(fullTiles[0]) + ".p/\(levels[0].count)"
            files.append(File(path: path, bytes: bundle))
        }
        return files
    }

    private func path(level: Int) -> String { "tile/\(level)/" + LogTiles.number(fullTiles[level]) }

    /// A tile's index in groups of three digits, all but the last behind an `x`: `x001/x234/067`.
    public static func number(_ index: UInt64) -> String {
        var groups: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1000)
            groups.append(String(repeating: "0", count: 3 - digits.count) + digits)
            rest /= 1000
        } while rest > 0
        return groups.enumerated().reversed().map { $0.offset == 0 ? $0.element : "x" + $0.element }
            .joined(separator: "/")
    }
}
