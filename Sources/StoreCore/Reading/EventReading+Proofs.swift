public import EventLog

extension EventReading {
    /// That an entry stands in the tree of the first `size` entries of its log; nil where fewer are held, or the entry is
    /// not among them. Reads the leaf hashes once.
    public func inclusionProof(of address: EntryAddress, size: UInt64) throws -> InclusionProof? {
        guard let row = try log(address.log), address.index < size, size <= row.head.size else { return nil }
        return try withSubtreeRoots(along: row, size: size) { root in
            MerkleTree.inclusionProof(index: address.index, size: size, subtreeRoot: root)
        }
    }

    /// That the tree of the first `newSize` entries of a log extends the one of the first `oldSize`; nil where fewer are
    /// held, or the sizes are no such two. Reads the leaf hashes once.
    public func consistencyProof(of log: LogID, oldSize: UInt64, newSize: UInt64) throws -> ConsistencyProof? {
        guard let row = try self.log(log), oldSize > 0, oldSize <= newSize, newSize <= row.head.size else { return nil }
        return try withSubtreeRoots(along: row, size: newSize) { root in
            MerkleTree.consistencyProof(oldSize: oldSize, newSize: newSize, subtreeRoot: root)
        }
    }

    /// Makes a proof in two rounds: the first says which subtrees it needs, then one pass over the leaf hashes finds their
    /// roots. So nothing but those is held, however long the log is.
    private func withSubtreeRoots<Proof>(
        along row: StoredLog, size: UInt64, _ make: ((MerkleNode) -> Hash) -> Proof
    ) throws -> Proof {
        var needed: Set<MerkleNode> = []
        _ = make { node in
            needed.insert(node)
            return .zero
        }
        var roots: [MerkleNode: Hash] = [:]
        var frontier = MerkleFrontier()
        try forEachLeaf(along: row, size: size) { leaf in
            frontier.append(leaf) { node, root in
                if needed.contains(node) { roots[node] = root }
            }
        }
        guard frontier.size == size, roots.count == needed.count else {
            throw StoreError.damaged("leaf hashes of log \(row.name.id) are missing")
        }
        return make { roots[$0] ?? .zero }
    }

    /// Streams the entries of a history from its first on, up to, but not with, `to`: of a branch of a forked log those
    /// before its first entry too.
    public func forEachEntry(
        alongHistoryOf log: LogID, to end: UInt64, _ body: (StoredEntry) throws -> Void
    ) throws {
        guard let row = try self.log(log) else { throw StoreError.unknownLog(log) }
        for section in try sections(along: row) {
            try forEachEntry(in: section.row.name.id, to: min(section.end, end)) { entry in
                try body(entry)
                return true
            }
        }
    }

    /// Where the entry of an id stands; nil where none is held. There is no index over ids: every leaf hash is looked at.
    public func address(of id: EntryID) throws -> EntryAddress? {
        let statement = try tables.connection.prepare(
            """
            SELECT logs.id, entries.leaf_index FROM entries JOIN logs USING (branch) WHERE entries.leaf = ?1 LIMIT 1
            """)
        statement.bind(1, id.hash)
        guard try statement.step() else { return nil }
        guard let log = statement.hash(0) else { throw StoreError.damaged("entry \(id) is of no log") }
        return EntryAddress(log: LogID(log), index: statement.uint64(1))
    }

    /// The heads held of a log, or of one history of it, that lie over an index and that somebody cosigned, with the
    /// cosignatures put under them; smallest first.
    ///
    /// - Parameter key: the witness's public key by its name; nil for one that is not known.
    public func cosignedCheckpoints(
        of log: LogID, over index: UInt64, key: (WitnessName) -> WitnessPublicKey?
    ) throws -> [SignedCheckpoint] {
        guard let row = try self.log(log) else { return [] }
        let kept = try cosignatures(of: row.name.log).filter { $0.head.size > index }
        return try Dictionary(grouping: kept, by: \.head.size).sorted { $0.key < $1.key }.compactMap { size, rows in
            guard let note = try checkpoint(of: log, size: size), var head = try? SignedCheckpoint(bytes: note) else {
                return nil
            }
            let known = Set(head.note.signatures.map(\.name))
            for row in rows where row.head.root == head.checkpoint.root && !known.contains(row.witness.keyName) {
                guard let key = key(row.witness), row.isValid(for: key), let line = try? row.cosignature(of: key) else {
                    continue
                }
                head = try head.adding(line)
            }
            return head.note.signatures.count > 1 ? head : nil
        }
    }
}
