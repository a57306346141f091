public import EventLog

/// What a signed head of an own log meant.
public enum SeenHeadOutcome: Hashable, Sendable {
    /// The head lies in what is held: nothing to do.
    case alreadyHeld
    /// The head lies beyond what is held: nothing is appended to the log any more.
    case suspended
    /// The head contradicts what is held: the log is closed, and the proof is kept.
    case forked
}

extension StoreCore {
    /// Makes a log known, so that ranges of it may be stored. A log that is known already stays as it is.
    ///
    /// A log of this node's own that was not known (its disk was lost) is closed from the first: it is taken back, and
    /// never written to again.
    /// - Throws: ``StoreError/otherNetwork(_:)``.
    public func register(_ name: LogName) throws {
        _ = try registered(name)
    }

    /// The row of a log, which is added where the log was not known.
    func registered(_ name: LogName) throws -> LogState {
        try requireWritable()
        guard name.network == configuration.network else { throw StoreError.otherNetwork(name.network) }
        precondition(name.fork == nil, "a branch comes to be known by its first range")
        if let state = state(of: name.id) { return state }
        let isOwn = name.node == configuration.node
        let branch = try insertLog(name, isOwn: isOwn, status: .open)
        if isOwn { change(branch) { $0.status = .closed(.takenBack) } }
        guard let state = logsByBranch[branch] else { preconditionFailure("a row was just added") }
        return state
    }

    /// Takes note of a head that this node is shown as its own: where it lies beyond what is held, the log is suspended at
    /// once, until its entries are taken back and a new epoch is opened (DESIGN §4).
    ///
    /// - Parameters:
    ///   - log: the own log.
    ///   - note: the signed head as it was shown.
    ///   - peer: who showed it.
    ///   - time: the node's clock now.
    /// - Throws: ``StoreError/headNotSigned(_:)`` where this node did not sign it, ``StoreError/notOwnLog(_:)`` or
    ///   ``StoreError/unknownLog(_:)``.
    public func suspendOwnLog(
        _ log: LogID, seen note: [UInt8], from peer: NodeID?, time: NodeTime
    ) throws -> SeenHeadOutcome {
        try requireWritable()
        guard let state = state(of: log) else { throw StoreError.unknownLog(log) }
        guard state.isOwn else { throw StoreError.notOwnLog(log) }
        let seen: SignedCheckpoint
        do throws(CheckpointError) {
            seen = try SignedCheckpoint(bytes: note)
        } catch {
            throw StoreError.headNotSigned(error)
        }
        let key = try signingKey(for: state.name).verifierKey
        do throws(CheckpointError) {
            try seen.verify(with: key)
        } catch {
            throw StoreError.headNotSigned(error)
        }
        if seen.checkpoint.size <= state.frontier.size {
            let held = try frontier(of: log, size: seen.checkpoint.size)
            if held?.root == seen.checkpoint.root { return .alreadyHeld }
            try recordContradiction(state, shown: seen, key: key, time: time)
            try storeIncident(
                Incident(
                    utcMilliseconds: time.utcMilliseconds, kind: "own log forked", peer: peer, log: log,
                    text:
                        "a head of size \(seen.checkpoint.size) is signed by this node that contradicts what is held: "
                        + "the log is closed, and nothing of it is dropped",
                    heldHead: try newestCheckpoint(of: log), shownHead: note))
            try giveUp(state, reason: .forked)
            return .forked
        }
        try suspend(state, seen: seen, peer: peer, time: time)
        return .suspended
    }

    func suspend(_ state: LogState, seen: SignedCheckpoint, peer: NodeID?, time: NodeTime) throws {
        let head = LogHead(name: state.name, size: seen.checkpoint.size, root: seen.checkpoint.root)
        switch state.status {
        case .suspended(let earlier) where earlier.size >= head.size: return
        case .suspended: change(state.branch) { $0.remember(head, note: seen.bytes) }
        case .closed: change(state.branch) { $0.seenHead = seen.bytes }
        case .open:
            change(state.branch) { $0.remember(head, note: seen.bytes) }
            undo.append(.openLog(state.name.stream, openLogs[state.name.stream]))
            openLogs[state.name.stream] = nil
            try storeIncident(
                Incident(
                    utcMilliseconds: time.utcMilliseconds, kind: "own log suspended", peer: peer, log: state.name.id,
                    text: "a head of size \(head.size) is signed by this node, but only \(state.frontier.size) entries "
                        + "are held: nothing is appended until they are taken back and a new epoch is opened",
                    heldHead: try newestCheckpoint(of: state.name.id), shownHead: seen.bytes))
        }
    }

    /// Gives up an own log: it gets no more entries but those taken back from peers, and the next entry of its stream opens
    /// a new epoch, which names the heads known of this one. Whoever gives a log up in good order appends
    /// ``OperationType/logClosed`` just before. A log that is closed already stays as it is.
    ///
    /// - Throws: ``StoreError/notOwnLog(_:)`` or ``StoreError/unknownLog(_:)``.
    public func closeOwnLog(_ log: LogID, reason: LogCloseReason) throws {
        try requireWritable()
        guard let state = state(of: log) else { throw StoreError.unknownLog(log) }
        guard state.isOwn else { throw StoreError.notOwnLog(log) }
        try giveUp(state, reason: reason)
    }

    /// Closes an open own log in good order: its last entry says so, and the next entry of its stream opens a new one.
    ///
    /// - Parameter time: the node's clock now.
    /// - Returns: that last entry.
    /// - Throws: as ``append(_:requestDigest:time:)`` does, and ``StoreError/notOwnLog(_:)``.
    public func closeInGoodOrder(_ log: LogID, time: NodeTime) throws -> Entry {
        try requireWritable()
        guard let state = state(of: log), state.isOwn, state.status == .open else { throw StoreError.notOwnLog(log) }
        let closing = LogClosing(name: state.name, command: CommandID(using: &generator))
        let appended = try append(closing.draft(known: try lastKnown(in: state)), time: time)
        try closeOwnLog(log, reason: .givenUp)
        guard let entry = appended.entry else { preconditionFailure("a closing with a new command id was repeated") }
        return entry
    }

    /// The open own logs that another key than the one in use has signed: they were begun before it was replaced, and are to be
    /// closed.
    public func openLogsOfOtherKeys() throws -> [LogID] {
        try openLogs.values.sorted().filter { log in
            guard let state = state(of: log), let note = try newestCheckpoint(of: log),
                let signed = try? SignedCheckpoint(bytes: note)
            else { return false }
            return (try? signed.verify(with: signingKey(for: state.name).verifierKey)) == nil
        }
    }

    func giveUp(_ state: LogState, reason: LogCloseReason) throws {
        if case .closed = state.status { return }
        change(state.branch) { $0.status = .closed(reason) }
        if openLogs[state.name.stream] == state.name.id {
            undo.append(.openLog(state.name.stream, state.name.id))
            openLogs[state.name.stream] = nil
        }
    }

    /// Says on what ground own entries are written after this start (DESIGN §4, "Start, restore, clone, fork"). Until then
    /// the store takes ranges and gives answers, but appends nothing of its own, and leaves the head file as it was.
    ///
    /// - Throws: ``StoreError/guardDisagrees(_:)`` where the ground is ``StartGround/guardAgrees`` and it does not.
    public func confirmStart(_ ground: StartGround) throws {
        try requireWritable()
        if isStartConfirmed { return }
        switch ground {
        case .peersHeard: break
        case .guardAgrees:
            guard startVerdict == .agrees else { throw StoreError.guardDisagrees(startVerdict) }
        case .newEpochs:
            // Suspended logs too: what was shown of them may be all that will ever come, and no epoch follows an open end.
            for state in logsByBranch.values.filter(\.isOwn).sorted(by: { $0.branch < $1.branch }) {
                try giveUp(state, reason: state.status == .open ? .guardFailed : .takenBack)
            }
        }
        // A log that was suspended when the process ended is never written to again, whatever becomes of its entries.
        for state in logsByBranch.values where state.isOwn {
            if case .suspended = state.status { try giveUp(state, reason: .takenBack) }
        }
        undo.append(.startConfirmed)
        isStartConfirmed = true
        headFileIsStale = true
    }
}

extension LogState {
    fileprivate mutating func remember(_ head: LogHead, note: [UInt8]) {
        status = .suspended(seen: head)
        seenHead = note
    }
}
