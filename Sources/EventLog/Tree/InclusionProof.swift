/// The proof that one leaf stands at one index of a tree (RFC 9162 §2.1.3).
public struct InclusionProof: Hashable, Sendable {
    /// The index of the leaf, from 0.
    public let index: UInt64
    /// The number of leaves of the tree.
    public let size: UInt64
    /// The roots of the neighbouring subtrees, from the leaf up to the root.
    public let path: [Hash]

    /// Takes over a proof that came from elsewhere; only ``verify(leafHash:root:)`` judges it.
    public init(index: UInt64, size: UInt64, path: [Hash]) {
        self.index = index
        self.size = size
        self.path = path
    }

    /// Checks that `leafHash` stands at `index` of the tree of `size` leaves with this `root` (RFC 9162 §2.1.3.2).
    ///
    /// The root alone does not fix the size: trees of different sizes may place a leaf alike. Take size and root
    /// together from one signed checkpoint.
    /// - Throws: ``MerkleProofError/indexBeyondSize(index:size:)``, ``MerkleProofError/pathTooShort(count:)``,
    ///   ``MerkleProofError/pathTooLong(count:)`` or ``MerkleProofError/rootMismatch``.
    public func verify(leafHash: Hash, root: Hash) throws(MerkleProofError) {
        guard try impliedRoot(leafHash: leafHash) == root else { throw .rootMismatch }
    }

    /// The root that the leaf and the path lead to, whatever it is worth.
    ///
    /// - Throws: ``MerkleProofError/indexBeyondSize(index:size:)``, ``MerkleProofError/pathTooShort(count:)`` or
    ///   ``MerkleProofError/pathTooLong(count:)``.
    public func impliedRoot(leafHash: Hash) throws(MerkleProofError) -> Hash {
        guard index < size else { throw .indexBeyondSize(index: index, size: size) }
        var position = index
        var last = size - 1
        var root = leafHash
        for neighbour in path {
            guard last > 0 else { throw .pathTooLong(count: path.count) }
            if position & 1 == 1 || position == last {
                root = MerkleTree.nodeHash(neighbour, root)
                // The last node of a level without a right neighbour moves up unchanged until it has a left one.
                while position & 1 == 0 && position > 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                root = MerkleTree.nodeHash(root, neighbour)
            }
            position >>= 1
            last >>= 1
        }
        guard last == 0 else { throw .pathTooShort(count: path.count) }
        return root
    }
}

extension MerkleTree {
    /// The proof that the leaf at `index` is in the tree of the first `size` leaves (PATH of RFC 9162 §2.1.3.1).
    ///
    /// - Parameter subtreeRoot: gives the root of a complete subtree; asked for at most once a node, for about
    ///   log2(size)² / 2 nodes at worst.
    /// - Returns: nil where `index` is not below `size`.
    /// - Throws: only what `subtreeRoot` throws.
    public static func inclusionProof<Failure: Error>(
        index: UInt64, size: UInt64, subtreeRoot: (MerkleNode) throws(Failure) -> Hash
    ) throws(Failure) -> InclusionProof? {
        guard index < size else { return nil }
        var path: [Hash] = []
        var first: UInt64 = 0
        var count = size
        while count > 1 {
            let left = split(count)
            if index - first < left {
                path.append(try rangeRoot(first: first + left, count: count - left, subtreeRoot: subtreeRoot))
                count = left
            } else {
                path.append(try rangeRoot(first: first, count: left, subtreeRoot: subtreeRoot))
                first += left
                count -= left
            }
        }
        return InclusionProof(index: index, size: size, path: path.reversed())
    }

    /// The same proof from leaf hashes alone. Asks for each of the `size` - 1 other leaves once.
    ///
    /// - Parameter leafHash: gives the hash of the leaf at an index.
    /// - Returns: nil where `index` is not below `size`.
    /// - Throws: only what `leafHash` throws.
    public static func inclusionProof<Failure: Error>(
        index: UInt64, size: UInt64, leafHash: (UInt64) throws(Failure) -> Hash
    ) throws(Failure) -> InclusionProof? {
        try inclusionProof(
            index: index, size: size,
            subtreeRoot: { (node: MerkleNode) throws(Failure) -> Hash in
                try root(of: node, leafHash: leafHash)
            })
    }
}
