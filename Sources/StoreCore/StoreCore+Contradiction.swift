import EventLog

extension StoreCore {
    /// Refuses a range that holds another entry than a row at `index`, and that does not follow from what both share; where
    /// the writer's signature stands on it, the proof of the fork is kept if one can be made. The histories may part earlier.
    func refuseContradiction(
        _ range: EntryRange, at index: UInt64, _ row: LogState, _ context: IngestContext
    ) throws -> Never {
        let shown = try RangeVerifier.checkpoint(of: range, name: context.name)
        let verifierKey: NoteVerifierKey
        do throws(NoteVerifierKeyError) {
            verifierKey = try context.name.verifierKey(publicKey: context.key)
        } catch {
            throw RangeRefusal(log: range.log, index: index, rule: .unusableKey(error))
        }
        let isSigned = (try? shown.verify(with: verifierKey)) != nil
        // Where the shown head is one that is held, the signature vouches for our entry, not for the one that came.
        guard isSigned, try !isHeld(shown, of: row.name.id) else {
            throw RangeRefusal(log: range.log, index: index, rule: .contradictsHeld(isSigned: false))
        }
        try recordContradiction(row, shown: shown, key: verifierKey, time: context.time)
        throw RangeRefusal(log: range.log, index: index, rule: .contradictsHeld(isSigned: true))
    }

    private func isHeld(_ shown: SignedCheckpoint, of log: LogID) throws -> Bool {
        guard let note = try checkpoint(of: log, size: shown.checkpoint.size) else { return false }
        return (try? SignedCheckpoint(bytes: note).checkpoint.root) == shown.checkpoint.root
    }

    /// Tries to prove that a validly signed head contradicts what is held, and keeps the proof where there is one. There is
    /// none yet where the head is the larger one and its entries are not here: they may only have been altered on the way.
    ///
    /// - Parameter key: the key of the log's writer.
    func recordContradiction(
        _ state: LogState, shown: SignedCheckpoint, key: NoteVerifierKey, time: NodeTime
    ) throws {
        guard let note = try newestCheckpoint(of: state.name.id), let held = try? SignedCheckpoint(bytes: note),
            shown.checkpoint.size <= held.checkpoint.size
        else { return }
        var leaves: [Hash] = []
        try forEachLeaf(along: state.stored, size: held.checkpoint.size) { leaves.append($0) }
        guard let proof = forkProof(smaller: shown, larger: held, leaves: leaves),
            (try? proof.verify(with: key)) != nil
        else { return }
        try storeForkProof(proof, log: state.name.log, time: time)
    }
}
