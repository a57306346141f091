/// The proof that a tree extends an older one: that its first leaves are the older tree's (RFC 9162 §2.1.4).
public struct ConsistencyProof: Hashable, Sendable {
    /// The number of leaves of the older tree.
    public let oldSize: UInt64
    /// The number of leaves of the newer tree.
    public let newSize: UInt64
    /// The roots of the subtrees that both trees are made of, in the order of RFC 9162 §2.1.4.1.
    public let path: [Hash]

    /// Takes over a proof that came from elsewhere; only ``verify(oldRoot:newRoot:)`` judges it.
    public init(oldSize: UInt64, newSize: UInt64, path: [Hash]) {
        self.oldSize = oldSize
        self.newSize = newSize
        self.path = path
    }

    /// Checks that the tree of `newSize` leaves with `newRoot` extends the tree of `oldSize` leaves with `oldRoot`
    /// (RFC 9162 §2.1.4.2).
    ///
    /// Equal sizes need equal roots and an empty path. Nothing is proved about an empty older tree, which every tree
    /// extends, so it is refused. Take each size and root together from one signed checkpoint.
    /// - Throws: the rule that is broken.
    public func verify(oldRoot: Hash, newRoot: Hash) throws(MerkleProofError) {
        guard oldSize > 0 else { throw .oldTreeIsEmpty }
        guard oldSize <= newSize else { throw .treeShrinks(oldSize: oldSize, newSize: newSize) }
        if oldSize == newSize {
            guard path.isEmpty else { throw .pathTooLong(count: path.count) }
            guard oldRoot == newRoot else { throw .rootsDifferAtEqualSize(oldSize) }
            return
        }
        let implied = try impliedRoots(oldRoot: oldRoot)
        guard implied.old == oldRoot else { throw .oldRootMismatch }
        guard implied.new == newRoot else { throw .newRootMismatch }
    }

    /// The two roots that the path leads to, for 0 < `oldSize` < `newSize`.
    private func impliedRoots(oldRoot: Hash) throws(MerkleProofError) -> (old: Hash, new: Hash) {
        guard let first = path.first else { throw .pathTooShort(count: 0) }
        // An older tree that is one complete subtree is itself the first hash, which the path leaves out.
        let oldIsComplete = oldSize.nonzeroBitCount == 1
        let start = oldIsComplete ? oldRoot : first
        let rest = oldIsComplete ? path[...] : path.dropFirst()

        let shift = UInt64((~(oldSize - 1)).trailingZeroBitCount)
        var position = (oldSize - 1) >> shift
        var last = (newSize - 1) >> shift
        var old = start
        var new = start
        for neighbour in rest {
            guard last > 0 else { throw .pathTooLong(count: path.count) }
            if position & 1 == 1 || position == last {
                old = MerkleTree.nodeHash(neighbour, old)
                new = MerkleTree.nodeHash(neighbour, new)
                while position & 1 == 0 && position > 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                new = MerkleTree.nodeHash(new, neighbour)
            }
            position >>= 1
            last >>= 1
        }
        guard last == 0 else { throw .pathTooShort(count: path.count) }
        return (old, new)
    }
}

extension MerkleTree {
    /// The proof that the tree of the first `newSize` leaves extends that of the first `oldSize` (PROOF of RFC 9162
    /// §2.1.4.1).
    ///
    /// - Parameter subtreeRoot: gives the root of a complete subtree of the newer tree.
    /// - Returns: nil where `oldSize` is 0 or above `newSize`, for which there is no proof.
    /// - Throws: only what `subtreeRoot` throws.
    public static func consistencyProof<Failure: Error>(
        oldSize: UInt64, newSize: UInt64, subtreeRoot: (MerkleNode) throws(Failure) -> Hash
    ) throws(Failure) -> ConsistencyProof? {
        guard oldSize > 0, oldSize <= newSize else { return nil }
        var path: [Hash] = []
        var first: UInt64 = 0
        var count = newSize
        var old = oldSize
        while old < count {
            let left = split(count)
            if old <= left {
                path.append(try rangeRoot(first: first + left, count: count - left, subtreeRoot: subtreeRoot))
                count = left
            } else {
                path.append(try rangeRoot(first: first, count: left, subtreeRoot: subtreeRoot))
                first += left
                count -= left
                old -= left
            }
        }
        // Where the recursion never turned right, what is left is the older tree itself, which the verifier knows.
        if first > 0 {
            path.append(try rangeRoot(first: first, count: count, subtreeRoot: subtreeRoot))
        }
        return ConsistencyProof(oldSize: oldSize, newSize: newSize, path: path.reversed())
    }

    /// The same proof from leaf hashes alone. Asks for each of the `newSize` leaves at most once.
    ///
    /// - Parameter leafHash: gives the hash of the leaf at an index.
    /// - Returns: nil where `oldSize` is 0 or above `newSize`, for which there is no proof.
    /// - Throws: only what `leafHash` throws.
    public static func consistencyProof<Failure: Error>(
        oldSize: UInt64, newSize: UInt64, leafHash: (UInt64) throws(Failure) -> Hash
    ) throws(Failure) -> ConsistencyProof? {
        try consistencyProof(
            oldSize: oldSize, newSize: newSize,
            subtreeRoot: { (node: MerkleNode) throws(Failure) -> Hash in
                try root(of: node, leafHash: leafHash)
            })
    }
}
