public import EventLog

/// The roots of complete subtrees of the logs, so that proofs and earlier roots of long logs are made from a few of them and
/// at most 2 048 leaf hashes.
///
/// Made when they are first needed, kept in memory: 32 bytes for every 1 024 entries. A subtree that is complete never
/// changes.
struct SubtreeRoots {
    /// Subtrees of 2^level leaves are kept.
    private static let level: UInt8 = 10

    private var roots: [LogID: [Hash]] = [:]

    /// The root of a complete subtree of a log.
    ///
    /// - Parameter leaves: gives so many leaf hashes from an index on.
    mutating func root(
        of node: MerkleNode, in log: LogID, leaves: (_ from: UInt64, _ count: UInt64) throws -> [Hash]
    ) throws -> Hash {
        guard node.level >= SubtreeRoots.level else {
            return MerkleTree.root(of: try leaves(node.firstLeaf, node.leafCount))
        }
        let step = UInt64(1) << SubtreeRoots.level
        let first = Int(node.firstLeaf / step)
        let count = Int(node.leafCount / step)
        var known = roots[log] ?? []
        while known.count < first + count {
            known.append(MerkleTree.root(of: try leaves(UInt64(known.count) * step, step)))
        }
        roots[log] = known
        // The roots of equal complete subtrees fold like leaves: the inner nodes above them are the same.
        return MerkleTree.root(of: known[first..<first + count])
    }
}

extension StoreCore {
    /// The root of the first entries of a log; nil where fewer are held.
    public func root(of log: LogID, size: UInt64) throws -> Hash? {
        guard let stored = try self.log(log), size <= stored.head.size else { return nil }
        if size == stored.head.size { return stored.head.root }
        return try MerkleTree.root(size: size) { (node: MerkleNode) throws -> Hash in
            try subtreeRoot(node, of: stored)
        }
    }

    /// What is shown to a witness of an own log: its newest signed head, and that it extends an earlier size (0 for none);
    /// nil where the log is not this node's, or is not so long.
    public func witnessedExtension(of log: LogID, from oldSize: UInt64) throws -> WitnessedExtension? {
        guard let stored = try self.log(log), stored.isOwn, oldSize <= stored.head.size,
            let note = try checkpoint(of: log, size: stored.head.size)
        else { return nil }
        let proof = try MerkleTree.consistencyProof(
            oldSize: oldSize, newSize: stored.head.size,
            subtreeRoot: { (node: MerkleNode) throws -> Hash in try subtreeRoot(node, of: stored) })
        return WitnessedExtension(oldSize: oldSize, path: proof?.path ?? [], checkpoint: note)
    }

    private func subtreeRoot(_ node: MerkleNode, of log: StoredLog) throws -> Hash {
        try subtreeRoots.root(of: node, in: log.name.id) { from, count in
            let statement = try connection.cached(
                """
                SELECT leaf FROM entries WHERE branch = ?1 AND leaf_index >= ?2 AND leaf_index < ?3
                ORDER BY leaf_index
                """)
            defer { statement.reset() }
            statement.bind(1, log.branch)
            statement.bind(2, from)
            statement.bind(3, from + count)
            var leaves: [Hash] = []
            leaves.reserveCapacity(Int(count))
            while try statement.step() {
                guard let leaf = statement.hash(0) else {
                    throw StoreError.damaged("a leaf hash of log \(log.name.id) has not 32 bytes")
                }
                leaves.append(leaf)
            }
            guard UInt64(leaves.count) == count else {
                throw StoreError.damaged("leaf hashes of log \(log.name.id) are missing")
            }
            return leaves
        }
    }
}
