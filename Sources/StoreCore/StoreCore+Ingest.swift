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
    /// Whether they begin a history of the log beside those that were held: the log is forked, and cut into other segments.
    public var isNewBranch = false
}

extension StoreCore {
    /// Checks a range against what is held and its writer's signed checkpoint, and stores what is new of it: all, or
    /// nothing. Entries that are held already are passed over where they are the same.
    ///
    /// An own log that is open takes no ranges. Where this node's own signature stands on the range's checkpoint beyond
    /// what is held, the log is suspended first, and then its entries are taken back.
    ///
    /// A log that is not known becomes known by the first range that is stored; one that is refused leaves no row of it, or
    /// whoever invents logs could fill the store with their names, and nodes that hold the same would differ.
    ///
    /// Where the range holds another entry than the one held, and the writer signed it, the log is forked: the range
    /// becomes a branch beside what is held, the proof is kept, and an own log is closed.
    /// - Parameters:
    ///   - range: what came.
    ///   - name: under what name it came: the log's or a branch's; nil for that of a log that is known here.
    ///   - key: the Ed25519 public key of the log's writer as the charter gives it, 32 bytes.
    ///   - peer: who sent it.
    ///   - time: the node's clock now.
    ///   - isDropAllowed: whether an order that the caller has checked, but that is not stored here yet, lets a part be
    ///     missing; orders stored here are known without it.
    /// - Throws: ``StoreError/unknownLog(_:)`` where no name is given and the log is not known,
    ///   ``StoreError/otherNetwork(_:)``, and what the database fails with. What is wrong with the range is no error but
    ///   ``IngestOutcome/refused(_:)``.
    public func ingest(
        _ range: EntryRange, of name: LogName? = nil, key: [UInt8], from peer: NodeID?, time: NodeTime,
        isDropAllowed: (_ header: EntryHeader, _ entry: EntryID, _ position: Int) -> Bool = { _, _, _ in false }
    ) throws -> IngestOutcome {
        try requireWritable()
        guard let name = name ?? state(of: range.log)?.name else { throw StoreError.unknownLog(range.log) }
        do {
            if let trunk = state(of: name.log) {
                let context = IngestContext(name: name, trunk: trunk, key: key, peer: peer, time: time)
                return try take(range, context, isDropAllowed: isDropAllowed)
            }
            return try savepoint {
                let trunk = try registered(name.trunk)
                let context = IngestContext(name: name, trunk: trunk, key: key, peer: peer, time: time)
                return try take(range, context, isDropAllowed: isDropAllowed)
            }
        } catch let refusal as RangeRefusal {
            try noteRefusal(refusal, of: range, log: name.log, from: peer, time: time)
            return .refused(refusal)
        }
    }

    /// Everything of ``ingest(_:of:key:from:time:isDropAllowed:)`` but the book-keeping of refusals. A refusal is thrown
    /// before anything is written.
    private func take(
        _ range: EntryRange, _ context: IngestContext, isDropAllowed: (EntryHeader, EntryID, Int) -> Bool
    ) throws -> IngestOutcome {
        try RangeVerifier.checkLimits(of: range, log: context.name.id)
        let placements = try placements(of: range, context)
        guard !placements.isEmpty else {
            throw RangeRefusal(
                log: range.log, index: range.start, rule: .wrongStart(expected: context.trunk.frontier.size))
        }
        if let holder = placements.first(where: { $0.fork == nil && $0.row.frontier.size >= range.end }) {
            return .alreadyHeld(holder.row.head)
        }
        let orders = try orders(for: context.name.stream)
        var refusal: RangeRefusal?
        for placement in placements {
            if placement.fork == nil && placement.row.isOwn && placement.row.status == .open {
                try suspendForRange(range, state: placement.row, context)
            }
            do {
                let verified = try verify(range, placement, context, orders, isDropAllowed)
                let stored = try store(verified, placement, range, context, orders)
                try closeTakenBack(range.log)
                return .stored(stored)
            } catch let error as RangeRefusal {
                // That our own disk altered what is held says more than any other reason, and blames nobody.
                if refusal?.rule != .heldIsDamaged { refusal = error.rule == .heldIsDamaged ? error : refusal ?? error }
            }
        }
        if let refusal, refusal.rule == .heldIsDamaged { throw refusal }
        if let placement = placements.first(where: { $0.fork != nil }), let index = placement.fork {
            try refuseContradiction(range, at: index, placement.row, context)
        }
        throw refusal ?? RangeRefusal(log: range.log, index: range.start, rule: .empty)
    }

    private func verify(
        _ range: EntryRange, _ placement: Placement, _ context: IngestContext, _ orders: StreamOrders,
        _ isDropAllowed: (EntryHeader, EntryID, Int) -> Bool
    ) throws -> VerifiedRange {
        let row = placement.row
        let start = placement.fork ?? row.frontier.size
        let frontier = try placement.fork.map { try self.frontier(along: row.stored, size: $0) } ?? row.frontier
        let rest = EntryRange(
            log: context.name.id, start: start, entries: Array(range.entries[Int(start - range.start)...]),
            checkpoint: range.checkpoint)
        return try RangeVerifier.verify(rest, extending: frontier, name: context.name, key: context.key) {
            header, entry, position in
            orders.covers(
                header, entry, at: EntryAddress(log: row.name.log, index: header.index), position: position)
                || isDropAllowed(header, entry, position)
        }
    }

    private func store(
        _ verified: VerifiedRange, _ placement: Placement, _ range: EntryRange, _ context: IngestContext,
        _ orders: StreamOrders
    ) throws -> StoredRange {
        guard let index = placement.fork else {
            return try store(verified, in: placement.row, orders: orders, time: context.time)
        }
        guard let first = verified.entries.first else { preconditionFailure("a verified range has entries") }
        // Two true histories under two signed heads can always be proven to contradict each other. Where that fails, it is
        // what is held here that was altered since it was checked.
        let held = placement.row
        guard let proof = try proof(that: verified, contradicts: held, publicKey: context.key) else {
            throw RangeRefusal(log: context.name.id, index: index, rule: .heldIsDamaged)
        }
        let row = try openBranch(at: ForkPoint(index: index, leaf: first.id.hash), from: held, context)
        var stored = try store(verified, in: row, orders: orders, time: context.time)
        stored.isNewBranch = true
        try storeForkProof(proof, log: context.name.log, time: context.time)
        try reportFork(verified.checkpoint, of: row, against: held, context)
        return stored
    }

    private func store(
        _ verified: VerifiedRange, in row: LogState, orders: StreamOrders, time: NodeTime
    ) throws -> StoredRange {
        var entries: [CheckedEntry] = []
        entries.reserveCapacity(verified.entries.count)
        var byteCount = 0
        var latest: UInt64 = 0
        for (offset, checked) in verified.entries.enumerated() {
            let index = verified.start + UInt64(offset)
            let entry = orders.strip(checked, at: EntryAddress(log: row.name.log, index: index))
            try statements.insertEntry(branch: row.branch, index: index, raw: entry.raw, leaf: entry.id.hash)
            byteCount += entry.raw.byteCount
            if let header = entry.entry?.header { latest = max(latest, header.hybridTime) }
            entries.append(entry)
        }
        try statements.insertCheckpoint(
            branch: row.branch, size: verified.frontier.size, note: verified.checkpoint.bytes)
        clock.observe(
            HybridTimestamp(packed: latest), physicalMilliseconds: UInt64(max(0, time.utcMilliseconds)))
        bytesInTransaction += byteCount
        change(row.branch) {
            $0.frontier = verified.frontier
            $0.byteCount += UInt64(byteCount)
            $0.sealedSize = verified.frontier.size
            $0.unsealedBytes = 0
        }
        let head = LogHead(name: row.name, size: verified.frontier.size, root: verified.frontier.root)
        return StoredRange(head: head, first: verified.start, entries: entries)
    }

    /// Suspends an open own log where the range's checkpoint is signed by this node itself, beyond what it holds.
    private func suspendForRange(_ range: EntryRange, state: LogState, _ context: IngestContext) throws {
        let checkpoint = try RangeVerifier.checkpoint(of: range, name: state.name)
        let key = try signingKey(for: state.name).verifierKey
        do throws(CheckpointError) {
            try checkpoint.verify(with: key)
        } catch {
            throw RangeRefusal(log: range.log, index: range.start, rule: .ownLogIsOpen)
        }
        try suspend(state, seen: checkpoint, peer: context.peer, time: context.time)
    }

    /// Closes an own log once all of it that was seen is held again, in the transaction that brought it: a command that comes
    /// next begins a new epoch.
    private func closeTakenBack(_ log: LogID) throws {
        guard let state = state(of: log), case .suspended(let seen) = state.status, state.frontier.size >= seen.size
        else {
            return
        }
        try giveUp(state, reason: .takenBack)
    }

    /// Keeps a refused range as an incident; where the writer may have signed two histories, with both heads.
    private func noteRefusal(
        _ refusal: RangeRefusal, of range: EntryRange, log: LogID, from peer: NodeID?, time: NodeTime
    ) throws {
        try storeIncident(
            Incident(
                utcMilliseconds: time.utcMilliseconds,
                kind: refusal.isPossibleFork ? "possible fork" : "range refused", peer: peer, log: log,
                text: refusal.description,
                heldHead: refusal.isPossibleFork ? try newestCheckpoint(of: log) : nil,
                shownHead: refusal.isPossibleFork ? range.checkpoint : nil))
    }
}
