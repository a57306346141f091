import Crypto

/// The hashes and proofs of an append-only Merkle tree over SHA-256 (RFC 9162 §2.1).
///
/// A tree of `size` leaves is never held in memory: its leaves, or the roots of its complete subtrees, come from
/// whoever keeps them, through a closure.
public enum MerkleTree {
    /// The root of the tree without leaves: SHA-256 of no bytes (RFC 9162 §2.1.1).
    public static let emptyRoot = Hash(SHA256().finalize())

    /// The hash of a leaf: SHA-256(0x00 ‖ `bytes`) (RFC 9162 §2.1.1).
    public static func leafHash(of bytes: [UInt8]) -> Hash {
        var hasher = SHA256()
        withUnsafeBytes(of: UInt8(0x00)) { hasher.update(bufferPointer: $0) }
        bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return Hash(hasher.finalize())
    }

    /// The hash of an inner node: SHA-256(0x01 ‖ `left` ‖ `right`) (RFC 9162 §2.1.1).
    public static func nodeHash(_ left: Hash, _ right: Hash) -> Hash {
        // One update from a stack buffer: an array for each node would cost as much as the hash itself.
        withUnsafeTemporaryAllocation(byteCount: 1 + 2 * Hash.byteCount, alignment: 8) { buffer in
            buffer.storeBytes(of: 0x01, toByteOffset: 0, as: UInt8.self)
            store(left, in: buffer, at: 1)
            store(right, in: buffer, at: 1 + Hash.byteCount)
            var hasher = SHA256()
            hasher.update(bufferPointer: UnsafeRawBufferPointer(buffer))
            return Hash(hasher.finalize())
        }
    }

    private static func store(_ hash: Hash, in buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        buffer.storeBytes(of: hash.words.0.bigEndian, toByteOffset: offset, as: UInt64.self)
        buffer.storeBytes(of: hash.words.1.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
        buffer.storeBytes(of: hash.words.2.bigEndian, toByteOffset: offset + 16, as: UInt64.self)
        buffer.storeBytes(of: hash.words.3.bigEndian, toByteOffset: offset + 24, as: UInt64.self)
    }

    /// The root of the tree whose leaf hashes are `leaves`, in order (MTH of RFC 9162 §2.1.1).
    public static func root(of leaves: some Sequence<Hash>) -> Hash {
        var frontier = MerkleFrontier()
        for leaf in leaves { frontier.append(leaf) }
        return frontier.root
    }

    /// The root of the first `size` leaves, put together from at most 64 complete subtrees.
    ///
    /// - Parameter subtreeRoot: gives the root of a complete subtree of the tree.
    /// - Throws: only what `subtreeRoot` throws.
    public static func root<Failure: Error>(
        size: UInt64, subtreeRoot: (MerkleNode) throws(Failure) -> Hash
    ) throws(Failure) -> Hash {
        guard size > 0 else { return emptyRoot }
        return try rangeRoot(first: 0, count: size, subtreeRoot: subtreeRoot)
    }

    /// The root of a complete subtree, from the hashes of the leaves under it: 2^level hashes are asked for.
    ///
    /// - Parameter leafHash: gives the hash of the leaf at an index.
    /// - Throws: only what `leafHash` throws.
    public static func root<Failure: Error>(
        of node: MerkleNode, leafHash: (UInt64) throws(Failure) -> Hash
    ) throws(Failure) -> Hash {
        var frontier = MerkleFrontier()
        let first = node.firstLeaf
        for offset in 0..<node.leafCount {
            frontier.append(try leafHash(first + offset))
        }
        return frontier.root
    }

    /// Folds the roots of neighbouring subtrees, largest first, into the one root over them.
    static func fold(_ peaks: [Hash]) -> Hash {
        guard var root = peaks.last else { return emptyRoot }
        for peak in peaks.dropLast().reversed() {
            root = nodeHash(peak, root)
        }
        return root
    }

    /// The root over `count` leaves from `first` on, which must be a place where the recursion of RFC 9162 splits:
    /// then the range falls into complete subtrees, one for each bit that is set in `count`.
    static func rangeRoot<Failure: Error>(
        first: UInt64, count: UInt64, subtreeRoot: (MerkleNode) throws(Failure) -> Hash
    ) throws(Failure) -> Hash {
        var peaks: [Hash] = []
        peaks.reserveCapacity(count.nonzeroBitCount)
        var start = first
        var remaining = count
        while remaining > 0 {
            let level = UInt8(63 - remaining.leadingZeroBitCount)
            peaks.append(try subtreeRoot(MerkleNode(level: level, index: start >> level)))
            start += 1 << level
            remaining -= 1 << level
        }
        return fold(peaks)
    }

    /// The largest power of two below `count`, where RFC 9162 §2.1.1 splits a tree of `count` leaves (two or more).
    static func split(_ count: UInt64) -> UInt64 {
        1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }
}
