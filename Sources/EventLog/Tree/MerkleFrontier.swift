/// The right edge of a growing Merkle tree: all that is needed to append leaves and to know the root.
///
/// Invariants:
/// - `peaks` holds the roots of the complete subtrees that make up the tree, left to right, largest first:
///   one for each bit that is set in `size`;
/// - `size` is at most ``maximumSize``.
public struct MerkleFrontier: Hashable, Sendable {
    /// The number of leaves appended so far.
    public private(set) var size: UInt64
    /// The roots of the complete subtrees, left to right, largest first.
    public private(set) var peaks: [Hash]

    /// The largest size, 2^63 - 1: every size fits in a signed 64-bit integer of a database.
    public static let maximumSize = UInt64(Int64.max)

    /// The frontier of the empty tree.
    public init() {
        size = 0
        peaks = []
    }

    /// The frontier of the first `size` leaves of a tree (at most ``maximumSize``), from the roots of its subtrees.
    ///
    /// - Parameter subtreeRoot: gives the root of a complete subtree of the tree.
    /// - Throws: only what `subtreeRoot` throws.
    public init<Failure: Error>(
        size: UInt64, subtreeRoot: (MerkleNode) throws(Failure) -> Hash
    ) throws(Failure) {
        precondition(size <= MerkleFrontier.maximumSize, "a tree has at most 2^63 - 1 leaves")
        var peaks: [Hash] = []
        peaks.reserveCapacity(size.nonzeroBitCount)
        var start: UInt64 = 0
        while start < size {
            let level = UInt8(63 - (size - start).leadingZeroBitCount)
            peaks.append(try subtreeRoot(MerkleNode(level: level, index: start >> level)))
            start += 1 << level
        }
        self.size = size
        self.peaks = peaks
    }

    /// The root of the tree (RFC 9162 §2.1.1); ``MerkleTree/emptyRoot`` where there are no leaves.
    public var root: Hash { MerkleTree.fold(peaks) }

    /// Appends the hash of the next leaf. Costs one node hash on average.
    public mutating func append(_ leaf: Hash) {
        append(leaf) { _, _ in }
    }

    /// Appends the hash of the next leaf, and tells of every subtree that it completes.
    ///
    /// - Parameter completed: called with the place and root of each subtree that `leaf` completes, from the leaf
    ///   itself (level 0) upwards.
    public mutating func append(_ leaf: Hash, completed: (MerkleNode, Hash) -> Void) {
        precondition(size < MerkleFrontier.maximumSize, "a tree has at most 2^63 - 1 leaves")
        var root = leaf
        var node = MerkleNode(level: 0, index: size)
        completed(node, root)
        // Each bit set at the low end of the old size is a finished neighbour on the left of the same height.
        for _ in 0..<(~size).trailingZeroBitCount {
            root = MerkleTree.nodeHash(peaks.removeLast(), root)
            node = MerkleNode(level: node.level + 1, index: node.index >> 1)
            completed(node, root)
        }
        peaks.append(root)
        size += 1
    }

    /// Appends the hashes of the next leaves, in order.
    public mutating func append(contentsOf leaves: some Sequence<Hash>) {
        for leaf in leaves { append(leaf) }
    }
}

extension MerkleFrontier {
    /// The size as 8 bytes, most significant first, then the peaks of 32 bytes each: at most 2 024 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + peaks.count * Hash.byteCount)
        bytes += BigEndian64.bytes(of: size)
        for peak in peaks { bytes += peak.bytes }
        return bytes
    }

    /// Reads what ``bytes`` wrote; nil where the size is too large or the number of bytes does not belong to it.
    public init?(bytes: some Collection<UInt8>) {
        guard let size = BigEndian64.number(in: bytes.prefix(8)), size <= MerkleFrontier.maximumSize,
            bytes.count == 8 + size.nonzeroBitCount * Hash.byteCount
        else { return nil }
        var peaks: [Hash] = []
        peaks.reserveCapacity(size.nonzeroBitCount)
        var rest = bytes.dropFirst(8)
        while let peak = Hash(bytes: rest.prefix(Hash.byteCount)) {
            peaks.append(peak)
            rest = rest.dropFirst(Hash.byteCount)
        }
        self.size = size
        self.peaks = peaks
    }
}
