import EventLog

extension StoreCore {
    /// Refuses a range that holds another entry than the store at `index`; where the writer's signature stands on it, the
    /// proof of the fork is kept if one can be made.
    func refuseContradiction(
        _ range: EntryRange, at index: UInt64, state: LogState, key: [UInt8], peer: NodeID?, time: NodeTime
    ) throws -> Never {
        let shown = try RangeVerifier.checkpoint(of: range, name: state.name)
        let verifierKey: NoteVerifierKey
        do throws(NoteVerifierKeyError) {
            verifierKey = try state.name.verifierKey(publicKey: key)
        } catch {
            throw RangeRefusal(log: range.log, index: index, rule: .unusableKey(error))
        }
        let isSigned = (try? shown.verify(with: verifierKey)) != nil
        // Where the shown head is one that is held, the signature vouches for our entry, not for the one that came.
        guard isSigned, try !isHeld(shown, of: state.name.id) else {
            throw RangeRefusal(log: range.log, index: index, rule: .contradictsHeld(isSigned: false))
        }
        let theirLeaves = (range.start, range.entries.map(\.id.hash))
        try recordContradiction(state, shown: shown, theirLeaves: theirLeaves, key: verifierKey, time: time)
        throw RangeRefusal(log: range.log, index: index, rule: .contradictsHeld(isSigned: true))
    }

    private func isHeld(_ shown: SignedCheckpoint, of log: LogID) throws -> Bool {
        guard let note = try checkpoint(of: log, size: shown.checkpoint.size) else { return false }
        return (try? SignedCheckpoint(bytes: note).checkpoint.root) == shown.checkpoint.root
    }

    /// Tries to prove that a validly signed head contradicts what is held, and keeps the proof where there is one: else the
    /// entries may only have been altered on the way.
    ///
    /// - Parameters:
    ///   - theirLeaves: the leaf hashes under the shown head from an index on, up to its end; before that index its tree is
    ///     taken to be the one held, which the root then confirms or does not. Nil where only the head was shown.
    ///   - key: the key of the log's writer.
    func recordContradiction(
        _ state: LogState, shown: SignedCheckpoint, theirLeaves: (start: UInt64, hashes: [Hash])?,
        key: NoteVerifierKey, time: NodeTime
    ) throws {
        guard let note = try newestCheckpoint(of: state.name.id), let held = try? SignedCheckpoint(bytes: note) else {
            return
        }
        let ours = { (index: UInt64) throws -> Hash in
            guard let leaf = try self.leafHash(of: state.name.id, at: index) else {
                throw StoreError.damaged("leaf \(index) of log \(state.name.id) is missing")
            }
            return leaf
        }
        let proof: ForkProof?
        if shown.checkpoint.size <= held.checkpoint.size {
            proof = try prove(smaller: shown, larger: held, leaves: ours)
        } else if let theirLeaves {
            proof = try prove(smaller: held, larger: shown) { index in
                guard index >= theirLeaves.start else { return try ours(index) }
                return theirLeaves.hashes[Int(index - theirLeaves.start)]
            }
        } else {
            proof = nil
        }
        guard let proof, (try? proof.verify(with: key)) != nil else { return }
        try storeForkProof(proof, log: state.name.id, time: time)
    }

    /// Puts a proof together from the leaf hashes under the larger head; whether it proves anything is for its check.
    private func prove(
        smaller: SignedCheckpoint, larger: SignedCheckpoint, leaves: (UInt64) throws -> Hash
    ) throws -> ForkProof? {
        var prefix = MerkleFrontier()
        for index in 0..<smaller.checkpoint.size { prefix.append(try leaves(index)) }
        let consistency = try MerkleTree.consistencyProof(
            oldSize: smaller.checkpoint.size, newSize: larger.checkpoint.size, leafHash: leaves)
        return consistency.map {
            ForkProof(smaller: smaller, larger: larger, prefixRoot: prefix.root, path: $0.path)
        }
    }
}
