public import EventLog

extension StoreCore {
    /// Appends an entry of this node's own to its open log of the draft's stream; where there is none, one is opened, with
    /// its ``OperationType/logOpened`` as entry 0.
    ///
    /// A command that its sender sent before is answered with the receipt of then.
    /// - Parameters:
    ///   - draft: what the entry says.
    ///   - requestDigest: a digest of the command as its sender sent it, where the draft holds things that another sending
    ///     would change (the time of receipt); nil to compare the drafts.
    ///   - time: the node's clock now.
    /// - Throws: ``StoreError/repeatedWithOtherContent(_:)`` where the sender used the id for something else;
    ///   ``StoreError/logSuspended(_:)``, ``StoreError/startNotConfirmed(_:)``, ``StoreError/entryTooLarge(headerBytes:entryBytes:)``,
    ///   ``StoreError/subjectErased(_:)``; ``StoreError/stopped(_:)``.
    public func append(_ draft: EntryDraft, requestDigest: Hash? = nil, time: NodeTime) throws -> Appended {
        try requireWritable()
        let digest = requestDigest ?? draft.contentDigest
        if let earlier = try receipt(actor: draft.authority.actor, command: draft.command) {
            guard earlier.contentDigest == digest else { throw StoreError.repeatedWithOtherContent(earlier) }
            return Appended(receipt: earlier, isRepeated: true, written: [])
        }
        guard isStartConfirmed else { throw StoreError.startNotConfirmed(startVerdict) }
        if let subject = draft.subject, try orders(for: draft.stream).erased[subject] != nil,
            !draft.operation.ordersDrop
        {
            throw StoreError.subjectErased(subject)
        }
        if let open = openLogs[draft.stream].flatMap({ state(of: $0) }), try lastKnown(in: open).isAbove(draft) {
            throw StoreError.knowledgeFell(open.name.id)
        }
        var written: [Entry] = []
        let branch = try openBranch(for: draft, time: time, written: &written)
        let entry = try write(draft, to: branch, time: time)
        written.append(entry)
        let address = EntryAddress(log: entry.header.log, index: entry.header.index)
        lastKnown[address.log] = (lastKnown[address.log] ?? KnownVersions()).raised(to: draft.known)
        try statements.insertCommand(
            draft.command, actor: draft.authority.actor, branch: branch, index: address.index, digest: digest,
            isRequest: requestDigest != nil)
        return Appended(
            receipt: Receipt(address: address, id: entry.id, contentDigest: digest), isRepeated: false,
            written: written)
    }

    /// The epoch in which the next own entry of a stream will stand, where it is not this node's first of the stream.
    ///
    /// What a node numbers in its first log of a stream no other node numbers likewise; in a later one, which follows a restore
    /// or a loss, only the epoch tells its numbers from those it may have given before.
    public func laterEpoch(of stream: StreamID) -> Epoch? {
        let own = logsByBranch.values.filter { $0.isOwn && $0.name.stream == stream }
        if let open = openLogs[stream].flatMap({ branchByLog[$0] }).flatMap({ logsByBranch[$0] }) {
            return own.contains { $0.branch < open.branch } ? open.name.epoch : nil
        }
        guard !own.isEmpty else { return nil }
        let epoch = plannedEpochs[stream] ?? Epoch(using: &generator)
        plannedEpochs[stream] = epoch
        return epoch
    }

    /// What the last entries of an own log knew: numbers below these are void in it (`Protocols/merge.md`, M60).
    func lastKnown(in log: LogState) throws -> KnownVersions {
        if let known = lastKnown[log.name.id] { return known }
        var known = KnownVersions()
        var index = log.frontier.size
        // Entries that rely on no delegation state none, so an earlier one may have known the highest.
        while index > 0, known.delegation == 0 {
            index -= 1
            guard let stored = try entry(at: EntryAddress(log: log.name.id, index: index)) else { break }
            if let header = try? EntryHeader(bytes: stored.raw.header) { known = known.raised(to: header.known) }
            if log.name.stream.location == nil { break }
        }
        lastKnown[log.name.id] = known
        return known
    }

    /// The branch of the stream's open log.
    private func openBranch(for draft: EntryDraft, time: NodeTime, written: inout [Entry]) throws -> Int64 {
        guard let log = openLogs[draft.stream], let branch = branchByLog[log], let state = logsByBranch[branch] else {
            if let suspended = logsByBranch.values.first(where: { $0.isSuspendedOwnLog(of: draft.stream) }) {
                throw StoreError.logSuspended(suspended.name.id)
            }
            return try openOwnLog(draft.stream, known: draft.known, time: time, written: &written)
        }
        guard state.status == .open else { throw StoreError.logSuspended(log) }
        return branch
    }

    /// Gives a draft its place and writes it; a checkpoint comes first where the entry would take too much under the next.
    private func write(_ draft: EntryDraft, to branch: Int64, time: NodeTime) throws -> Entry {
        guard var state = logsByBranch[branch] else { preconditionFailure("no log of branch \(branch)") }
        let index = state.frontier.size
        let stamp = clock.next(physicalMilliseconds: UInt64(max(0, time.utcMilliseconds)))
        let (entry, raw) = draft.sealed(
            log: state.name.id, index: index, hybridTime: stamp.packed, nodeTime: time,
            software: configuration.software, using: &generator)
        guard raw.header.count <= FormatLimit.headerBytes, raw.byteCount <= FormatLimit.entryBytes else {
            throw StoreError.entryTooLarge(headerBytes: raw.header.count, entryBytes: raw.byteCount)
        }
        let unsealed = index - state.sealedSize
        if unsealed >= UInt64(RangeLimit.entriesBetweenCheckpoints)
            || (unsealed > 0 && state.unsealedBytes + raw.byteCount > RangeLimit.bytesBetweenCheckpoints)
        {
            try seal(branch)
            state.sealedSize = index
        }
        try statements.insertEntry(branch: branch, index: index, raw: raw, leaf: entry.id.hash)
        bytesInTransaction += raw.byteCount
        change(branch) {
            $0.frontier.append(entry.id.hash)
            $0.byteCount += UInt64(raw.byteCount)
            $0.unsealedBytes += raw.byteCount
        }
        return entry
    }

    /// Begins a new epoch of this node's log of a stream.
    private func openOwnLog(
        _ stream: StreamID, known: KnownVersions, time: NodeTime, written: inout [Entry]
    ) throws -> Int64 {
        let earlier = logsByBranch.values.filter { $0.isOwn && $0.name.stream == stream }.sorted {
            $0.branch < $1.branch
        }
        var reason = LogOpeningReason.first
        if let last = earlier.last {
            guard case .closed(let closeReason) = last.status else { throw StoreError.logSuspended(last.name.id) }
            reason = closeReason.openingReason
        }
        let name = LogName(
            network: configuration.network, node: configuration.node, stream: stream,
            epoch: plannedEpochs.removeValue(forKey: stream) ?? Epoch(using: &generator))
        let opening = LogOpening(
            name: name, reason: reason, command: CommandID(using: &generator),
            earlierHeads: earlier.map { $0.lastKnownHead })
        let branch = try insertLog(name, isOwn: true, status: .open)
        undo.append(.openLog(stream, openLogs[stream]))
        openLogs[stream] = name.id
        written.append(try write(opening.draft(known: known), to: branch, time: time))
        return branch
    }

    /// Adds a log that holds nothing yet.
    func insertLog(_ name: LogName, isOwn: Bool, status: LogStatus) throws -> Int64 {
        try insertRow { LogState(branch: $0, name: name, isOwn: isOwn, status: status) }
    }

    /// Adds a row for a log or a branch of one.
    func insertRow(_ make: (Int64) -> LogState) throws -> Int64 {
        let branch = (logsByBranch.keys.max() ?? 0) + 1
        let state = make(branch)
        let name = state.name
        try statements.insertLog(state)
        if name.fork != nil { forkRows[name.log, default: []].append(branch) }
        undo.append(.newLog(name.id))
        logsByBranch[branch] = state
        branchByLog[name.id] = branch
        touched.insert(branch)
        return branch
    }
}

extension LogState {
    func isSuspendedOwnLog(of stream: StreamID) -> Bool {
        guard isOwn, name.stream == stream, case .suspended = status else { return false }
        return true
    }

    /// The last head known of the log: what is held, or what was seen signed beyond that.
    var lastKnownHead: StatedHead {
        var head = StatedHead(log: name.log, size: frontier.size, root: frontier.root)
        if let seenHead, let seen = try? SignedCheckpoint(bytes: seenHead).checkpoint, seen.size > head.size {
            head = StatedHead(log: name.log, size: seen.size, root: seen.root)
        }
        return head
    }
}

extension KnownVersions {
    /// Whether a draft knows less. In a study's own stream delegation numbers are of several study sites and do not compare;
    /// 0 stands for none that was relied on.
    fileprivate func isAbove(_ draft: EntryDraft) -> Bool {
        charter > draft.known.charter || participation > draft.known.participation
            || draft.stream.location != nil && draft.known.delegation > 0 && delegation > draft.known.delegation
    }

    /// The higher of each number.
    fileprivate func raised(to other: KnownVersions) -> KnownVersions {
        KnownVersions(
            charter: max(charter, other.charter), participation: max(participation, other.participation),
            delegation: max(delegation, other.delegation))
    }
}
