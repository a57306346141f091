import EventLog
import Testing

/// C2SP tlog-tiles: the files of a log, read by the specification's words alone.
struct LogTilesTests {
    /// Everything a server would host for the first `size` leaves.
    private func files(_ size: Int) -> (files: [String: [UInt8]], tiles: LogTiles) {
        var tiles = LogTiles()
        var files: [String: [UInt8]] = [:]
        for index in 0..<size {
            for file in tiles.append(leaf(index)) { files[file.path] = file.bytes }
        }
        for file in tiles.partialFiles { files[file.path] = file.bytes }
        return (files, tiles)
    }

    private func leaf(_ index: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: index % 70) + [UInt8]("\(index)".utf8)
    }

    private func hashes(_ tile: [UInt8]) -> [Hash] {
        stride(from: 0, to: tile.count, by: 32).map { Hash(bytes: tile[$0..<$0 + 32])! }
    }

    @Test func `the number of a tile is written in groups of three digits`() {
        #expect(LogTiles.number(0) == "000")
        #expect(LogTiles.number(67) == "067")
        #expect(LogTiles.number(999) == "999")
        #expect(LogTiles.number(1000) == "x001/000")
        #expect(LogTiles.number(1_234_067) == "x001/x234/067")
    }

    @Test(arguments: [1, 2, 255, 256, 257, 511, 512, 70_000])
    func `tiles and bundles are those that the specification calls for`(_ size: Int) throws {
        let (files, tiles) = files(size)
        #expect(tiles.size == UInt64(size))
        // Which tiles there are: floor(s / 256^l) hashes at level l, 256 to a tile.
        var expected: Set<String> = []
        var count = size
        var level = 0
        while count > 0 {
            for number in 0..<UInt64(count / 256) {
                expected.insert("tile/\(level)/\(LogTiles.number(number))")
                if level == 0 { expected.insert("tile/entries/\(LogTiles.number(number))") }
            }
            if count % 256 > 0 {
                let place = "\(LogTiles.number(UInt64(count / 256))).p/\(count % 256)"
                expected.insert("tile/\(level)/\(place)")
                if level == 0 { expected.insert("tile/entries/\(place)") }
            }
            count /= 256
            level += 1
        }
        #expect(Set(files.keys) == expected)

        // What is in them: leaves behind their lengths, leaf hashes, and the roots of full tiles below.
        var leaves: [Hash] = []
        for path in files.keys.filter({ $0.hasPrefix("tile/entries/") }).sorted(by: { order($0) < order($1) }) {
            let bundle = try #require(files[path])
            var place = 0
            while place < bundle.count {
                let length = Int(bundle[place]) << 8 | Int(bundle[place + 1])
                let leaf = Array(bundle[place + 2..<place + 2 + length])
                #expect(leaf == self.leaf(leaves.count))
                leaves.append(MerkleTree.leafHash(of: leaf))
                place += 2 + length
            }
        }
        #expect(leaves.count == size)
        var below = leaves
        level = 0
        while !below.isEmpty {
            for path in files.keys where path.hasPrefix("tile/\(level)/") {
                let number = order(path)
                let tile = hashes(try #require(files[path]))
                #expect(tile == Array(below[number * 256..<min(number * 256 + 256, below.count)]))
            }
            below = (0..<below.count / 256).map { number in
                NaiveTree.root(below[number * 256..<number * 256 + 256])
            }
            level += 1
        }
        #expect(tiles.root == MerkleTree.root(of: leaves))
    }

    @Test func `the root over the tiles is the tree's at every size`() {
        var tiles = LogTiles()
        var frontier = MerkleFrontier()
        #expect(tiles.root == MerkleTree.emptyRoot && tiles.partialFiles.isEmpty)
        for index in 0..<1_500 {
            _ = tiles.append(leaf(index))
            frontier.append(MerkleTree.leafHash(of: leaf(index)))
            #expect(tiles.root == frontier.root)
        }
    }

    /// The index in a path, whatever its groups.
    private func order(_ path: String) -> Int {
        let parts = path.split(separator: "/").dropFirst(2)
        var number = 0
        for part in parts {
            guard let group = Int(part.prefix { $0 != "." }.drop { $0 == "x" }) else { break }
            number = number * 1000 + group
            if part.contains(".") { break }
        }
        return number
    }
}
