public import EventLog

/// What became of a range.
public enum IngestOutcome: Sendable {
    /// The entries that were not held yet are stored.
    case stored(StoredRange)
    /// Every entry was held already.
    case alreadyHeld(LogHead)
    /// Nothing is stored; the refusal is kept as an incident.
    case refused(RangeRefusal)
}

/// What a stored range brought.
public struct StoredRange: Sendable {
    /// How far the log is held now.
    public let head: LogHead
    /// Index of the first new entry.
    public let first: UInt64
    /// The new entries in order, as they are stored: parts under an order that is held here are gone.
    public let entries: [CheckedEntry]
}

extension StoreCore {
    /// Checks a range against what is held and its writer's signed checkpoint, and stores what is new of it: all, or
    /// nothing. Entries that are held already are passed over where they are the same.
    ///
    /// An own log that is open takes no ranges. Where this node's own signature stands on the range's checkpoint beyond
    /// what is held, the log is suspended first, and then its entries are taken back.
    /// - Parameters:
    ///   - range: what came.
    ///   - key: the Ed25519 public key of the log's writer as the charter gives it, 32 bytes.
    ///   - peer: who sent it.
    ///   - time: the node's clock now.
    ///   - isDropAllowed: whether an order that the caller has checked, but that is not stored here yet, lets a part be
    ///     missing; orders stored here are known without it.
    /// - Throws: ``StoreError/unknownLog(_:)`` for a log that was not registered, and what the database fails with. What is
    ///   wrong with the range is no error but ``IngestOutcome/refused(_:)``.
    public func ingest(
        _ range: EntryRange, key: [UInt8], from peer: NodeID?, time: NodeTime,
        isDropAllowed: (_ header: EntryHeader, _ entry: EntryID, _ position: Int) -> Bool = { _, _, _ in false }
    ) throws -> IngestOutcome {
        try requireWritable()
        guard let state = state(of: range.log) else { throw StoreError.unknownLog(range.log) }
        do {
            return try take(range, state: state, key: key, peer: peer, time: time, isDropAllowed: isDropAllowed)
        } catch let refusal as RangeRefusal {
            try noteRefusal(refusal, of: range, state: state, peer: peer, time: time)
            return .refused(refusal)
        }
    }

    /// Everything of ``ingest(_:key:from:time:isDropAllowed:)`` but the book-keeping of refusals. Throws before anything
    /// is written.
    private func take(
        _ range: EntryRange, state: LogState, key: [UInt8], peer: NodeID?, time: NodeTime,
        isDropAllowed: (EntryHeader, EntryID, Int) -> Bool
    ) throws -> IngestOutcome {
        try RangeVerifier.checkLimits(of: range, log: state.name.id)
        let size = state.frontier.size
        guard range.start <= size else {
            throw RangeRefusal(log: range.log, index: range.start, rule: .wrongStart(expected: size))
        }
        let overlap = Int(min(size, range.end) - range.start)
        if let index = try firstDifference(range, overlap: overlap) {
            try refuseContradiction(range, at: index, state: state, key: key, peer: peer, time: time)
        }
        if range.end <= size { return .alreadyHeld(state.head) }
        if state.isOwn && state.status == .open {
            try suspendForRange(range, state: state, peer: peer, time: time)
        }

        let orders = try orders(for: state.name.stream)
        let rest = EntryRange(
            log: range.log, start: size, entries: Array(range.entries[overlap...]), checkpoint: range.checkpoint)
        let verified = try RangeVerifier.verify(rest, extending: state.frontier, name: state.name, key: key) {
            header, entry, position in
            orders.covers(
                header, entry, at: EntryAddress(log: header.log, index: header.index), position: position)
                || isDropAllowed(header, entry, position)
        }
        return .stored(try store(verified, branch: state.branch, orders: orders, time: time))
    }

    private func store(
        _ verified: VerifiedRange, branch: Int64, orders: StreamOrders, time: NodeTime
    ) throws -> StoredRange {
        var entries: [CheckedEntry] = []
        entries.reserveCapacity(verified.entries.count)
        var byteCount = 0
        var latest: UInt64 = 0
        for (offset, checked) in verified.entries.enumerated() {
            let index = verified.start + UInt64(offset)
            let entry = orders.strip(checked, at: EntryAddress(log: verified.name.id, index: index))
            try statements.insertEntry(branch: branch, index: index, raw: entry.raw, leaf: entry.id.hash)
            byteCount += entry.raw.byteCount
            if let header = entry.entry?.header { latest = max(latest, header.hybridTime) }
            entries.append(entry)
        }
        try statements.insertCheckpoint(
            branch: branch, size: verified.frontier.size, note: verified.checkpoint.bytes)
        clock.observe(
            HybridTimestamp(packed: latest), physicalMilliseconds: UInt64(max(0, time.utcMilliseconds)))
        bytesInTransaction += byteCount
        change(branch) {
            $0.frontier = verified.frontier
            $0.byteCount += UInt64(byteCount)
            $0.sealedSize = verified.frontier.size
            $0.unsealedBytes = 0
        }
        return StoredRange(head: verified.head, first: verified.start, entries: entries)
    }

    /// The first index at which the range holds another entry than the store.
    private func firstDifference(_ range: EntryRange, overlap: Int) throws -> UInt64? {
        for offset in 0..<overlap {
            let index = range.start + UInt64(offset)
            if try leafHash(of: range.log, at: index) != range.entries[offset].id.hash { return index }
        }
        return nil
    }

    /// Suspends an open own log where the range's checkpoint is signed by this node itself, beyond what it holds.
    private func suspendForRange(_ range: EntryRange, state: LogState, peer: NodeID?, time: NodeTime) throws {
        let checkpoint = try RangeVerifier.checkpoint(of: range, name: state.name)
        let key = try signingKey(for: state.name).verifierKey
        do throws(CheckpointError) {
            try checkpoint.verify(with: key)
        } catch {
            throw RangeRefusal(log: range.log, index: range.start, rule: .ownLogIsOpen)
        }
        try suspend(state, seen: checkpoint, peer: peer, time: time)
    }

    /// Keeps a refused range as an incident; where the writer may have signed two histories, with both heads.
    private func noteRefusal(
        _ refusal: RangeRefusal, of range: EntryRange, state: LogState, peer: NodeID?, time: NodeTime
    ) throws {
        try storeIncident(
            Incident(
                utcMilliseconds: time.utcMilliseconds,
                kind: refusal.isPossibleFork ? "possible fork" : "range refused", peer: peer, log: state.name.id,
                text: refusal.description,
                heldHead: refusal.isPossibleFork ? try newestCheckpoint(of: state.name.id) : nil,
                shownHead: refusal.isPossibleFork ? range.checkpoint : nil))
    }
}
