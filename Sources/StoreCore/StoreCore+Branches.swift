public import EventLog

/// Under what circumstances a range came.
struct IngestContext {
    /// The name that it came under.
    let name: LogName
    /// The row of the log's own name.
    let trunk: LogState
    /// The public key of the log's writer.
    let key: [UInt8]
    /// Who sent it.
    let peer: NodeID?
    /// The node's clock.
    let time: NodeTime
}

/// A row to which a range may belong.
struct Placement {
    /// The row.
    let row: LogState
    /// The first index at which the range holds another entry than the row's history; nil where it holds none.
    let fork: UInt64?
}

extension StoreCore {
    /// No more histories of one log are kept beside the first: a writer that signs more is beyond what people can mend.
    static let maximumBranches = 256

    /// The rows whose history a range may continue or leave, the likeliest first: those without a difference, the one that
    /// the name means before the others; then the others by how much they share with the range.
    func placements(of range: EntryRange, _ context: IngestContext) throws -> [Placement] {
        var rows = [context.trunk] + (forkRows[context.name.log] ?? []).compactMap { logsByBranch[$0] }
        if let fork = context.name.fork {
            // Within a log that is forked here the entries before a branch are the same in every row that has its first.
            let named = try rows.filter { row in
                try row.frontier.size > fork.index && leafHash(along: row.stored, at: fork.index) == fork.leaf
            }
            rows = named + rows.filter { row in !named.contains { $0.branch == row.branch } }
        }
        var placements: [Placement] = []
        for row in rows where range.start <= row.frontier.size {
            let overlap = Int(min(row.frontier.size, range.end) - range.start)
            placements.append(Placement(row: row, fork: try firstDifference(range, from: row, overlap: overlap)))
        }
        return placements.filter { $0.fork == nil }
            + placements.filter { $0.fork != nil }.sorted { ($0.fork ?? 0) > ($1.fork ?? 0) }
    }

    private func firstDifference(_ range: EntryRange, from row: LogState, overlap: Int) throws -> UInt64? {
        for offset in 0..<overlap {
            let index = range.start + UInt64(offset)
            if try leafHash(along: row.stored, at: index) != range.entries[offset].id.hash { return index }
        }
        return nil
    }

    /// Begins a row for a history that leaves the one of `row` at a fork point; a log of this node's own is closed.
    func openBranch(at fork: ForkPoint, from row: LogState, _ context: IngestContext) throws -> LogState {
        let log = context.trunk.name
        guard (forkRows[log.log] ?? []).count < StoreCore.maximumBranches else {
            throw RangeRefusal(log: context.name.id, index: fork.index, rule: .tooManyBranches)
        }
        // The history is shared with the rows above, too, down to the last that begins before the fork.
        var parent = row
        while parent.parent != nil, parent.name.start >= fork.index, let above = parent.parent,
            let state = logsByBranch[above]
        {
            parent = state
        }
        let frontier = try self.frontier(along: parent.stored, size: fork.index)
        let name = log.branch(at: fork)
        if let other = state(of: name.id) {
            throw RangeRefusal(log: other.name.id, index: fork.index, rule: .contradictsHeld(isSigned: true))
        }
        if context.trunk.isOwn, let state = state(of: log.id) { try giveUp(state, reason: .forked) }
        let branch = try insertRow {
            LogState(
                branch: $0, name: name, after: frontier, parent: parent.branch, isOwn: context.trunk.isOwn,
                status: context.trunk.isOwn ? .closed(.forked) : .open)
        }
        guard let state = logsByBranch[branch] else { preconditionFailure("a row was just added") }
        return state
    }

    /// The proof that a verified range, which leaves the history of a row, and that row's newest head contradict each other;
    /// nil where they do not.
    func proof(
        that verified: VerifiedRange, contradicts row: LogState, publicKey: [UInt8]
    ) throws -> ForkProof? {
        guard let note = try newestCheckpoint(of: row.name.id), let held = try? SignedCheckpoint(bytes: note),
            let key = try? row.name.verifierKey(publicKey: publicKey)
        else { return nil }
        let shown = verified.checkpoint
        var leaves: [Hash] = []
        if shown.checkpoint.size > held.checkpoint.size {
            try forEachLeaf(along: row.stored, size: verified.start) { leaves.append($0) }
            leaves += verified.ids.map(\.hash)
        } else {
            try forEachLeaf(along: row.stored, size: held.checkpoint.size) { leaves.append($0) }
        }
        let isShownSmaller = shown.checkpoint.size <= held.checkpoint.size
        let proof = forkProof(
            smaller: isShownSmaller ? shown : held, larger: isShownSmaller ? held : shown, leaves: leaves)
        return proof.flatMap { (try? $0.verify(with: key)) == nil ? nil : $0 }
    }

    /// Tells people of a new history.
    func reportFork(
        _ shown: SignedCheckpoint, of row: LogState, against other: LogState, _ context: IngestContext
    ) throws {
        try storeIncident(
            Incident(
                utcMilliseconds: context.time.utcMilliseconds, kind: "log forked", peer: context.peer,
                log: context.name.log,
                text: "node \(row.name.node) signed two histories of log \(row.name.log), which differ from entry "
                    + "\(row.name.start) on: both are kept and merged; find out which backup, copy or second machine of "
                    + "that node was run",
                heldHead: try newestCheckpoint(of: other.name.id), shownHead: shown.bytes))
    }

    /// Puts a proof together from the leaf hashes under the larger head; whether it proves anything is for its check.
    func forkProof(smaller: SignedCheckpoint, larger: SignedCheckpoint, leaves: [Hash]) -> ForkProof? {
        guard larger.checkpoint.size == UInt64(leaves.count) else { return nil }
        var prefix = MerkleFrontier()
        for leaf in leaves.prefix(Int(smaller.checkpoint.size)) { prefix.append(leaf) }
        return MerkleTree.consistencyProof(
            oldSize: smaller.checkpoint.size, newSize: larger.checkpoint.size, leafHash: { leaves[Int($0)] }
        ).map { ForkProof(smaller: smaller, larger: larger, prefixRoot: prefix.root, path: $0.path) }
    }

    /// Takes over the proof of a fork that a peer sent and the caller has checked: an own log is closed.
    ///
    /// - Parameter name: the log that was forked; it becomes known here where it was not.
    /// - Returns: false where a proof about the log was held already.
    public func takeForkProof(_ proof: ForkProof, of name: LogName, from peer: NodeID?, time: NodeTime) throws -> Bool {
        try requireWritable()
        try register(name)
        guard try !forkedLogs().contains(name.log) else { return false }
        try storeForkProof(proof, log: name.log, time: time)
        try storeIncident(
            Incident(
                utcMilliseconds: time.utcMilliseconds, kind: "log forked", peer: peer, log: name.log,
                text: "node \(name.node) signed two contradicting heads of log \(name.log), of sizes "
                    + "\(proof.smaller.checkpoint.size) and \(proof.larger.checkpoint.size): find out which backup, "
                    + "copy or second machine of that node was run",
                heldHead: proof.smaller.bytes, shownHead: proof.larger.bytes))
        return true
    }
}
