public import EventLog

/// What time brings, and what a change of authority brings.
extension ReplicationMachine {
    /// Looks after one peer: repeats what was not answered, gives up what does not come.
    mutating func tick(_ peer: NodeID) {
        recover(peer)
        guard let phase = peers[peer]?.phase else { return }
        switch phase {
        case .down:
            break
        case .exchanging:
            if now >= peers[peer]?.nextDigest ?? 0 { sendDigest(to: peer, isAnswer: false) }
            repeatForkProofs(to: peer)
            answerLate(peer)
            checkPulls(from: peer)
            checkFlows(to: peer)
        default:
            if now >= peers[peer]?.nextHello ?? 0 { greet(peer, isAnswer: false) }
            if phase == .settlingCharter { settleCharter(with: peer) }
        }
    }

    /// After messages were not taken by the transport, both sides agree anew: what was being sent is asked for again, what
    /// was wanted is wanted again, heads are compared.
    mutating func recover(_ peer: NodeID) {
        guard let state = peers[peer], state.isBlocked else { return }
        peers[peer]?.isBlocked = false
        guard state.phase == .exchanging else {
            peers[peer]?.nextHello = now
            return
        }
        for (log, flow) in state.flows.sorted(by: { $0.key < $1.key }) {
            dropPushes(of: log, to: peer)
            if flow.isPush {
                peers[peer]?.hints.append(log)
            } else {
                send(.rangeUnavailable(RangeUnavailable(pull: flow.pull, isAgain: true)), to: peer)
            }
        }
        for log in state.pushes.keys.sorted() {
            dropPushes(of: log, to: peer)
            peers[peer]?.hints.append(log)
        }
        peers[peer]?.flows = [:]
        peers[peer]?.ready.removeAll()
        peers[peer]?.lastVector = nil
        repeatWants(to: peer)
        sendDigest(to: peer, isAnswer: false)
    }

    /// Charter or policy say something new: nothing more is sent or taken of what may no longer be shared, and heads are
    /// compared anew, which brings what has been gained.
    mutating func reviewAuthority() {
        headsVersion += 1
        for log in pulls.keys.sorted() {
            if let pull = pulls[log], !shares(pull.name.stream, with: pull.peer) { endPull(log) }
        }
        for peer in order {
            let known = (peers[peer]?.known ?? [:]).filter { policy.mayHold(node, $0.value.name.stream) }
            peers[peer]?.known = known
            guard peers[peer]?.phase == .exchanging else { continue }
            let sent = Set(peers[peer]?.flows.keys.map { $0 } ?? []).union(peers[peer]?.pushes.keys.map { $0 } ?? [])
            for log in sent where !(held[log].map { shares($0.name.stream, with: peer) } ?? false) {
                peers[peer]?.flows[log] = nil
                dropPushes(of: log, to: peer)
            }
            sendDigest(to: peer, isAnswer: false)
            considerAll(of: peer)
        }
        beginWitnessing()
    }
}

// MARK: - Asking the machine

extension ReplicationMachine {
    /// The peers that are known to hold a log durably up to a size, by id: what a screen shows as *known at*.
    public func knownAt(log: LogID, size: UInt64) -> [NodeID] {
        order.filter { (peers[$0]?.known[log]?.size ?? 0) >= size }
    }

    /// What this machine holds to be durable of a log; nil where it holds nothing.
    public func head(of log: LogID) -> LogHead? { held[log] }

    /// What `varde status` shows.
    public var status: ReplicationStatus {
        ReplicationStatus(
            node: node, charterNumber: charter.newest?.number, logs: held.count,
            entries: held.values.reduce(0) { $0 + $1.size - $1.name.start }, peers: order.compactMap(status(of:)))
    }

    private func status(of peer: NodeID) -> ReplicationStatus.Peer? {
        guard let state = peers[peer] else { return nil }
        var lacks: UInt64 = 0
        for (log, head) in held where shares(head.name.stream, with: peer) {
            let known = state.known[log]?.size ?? head.name.start
            if head.size > known { lacks += head.size - known }
        }
        var lackingHere: UInt64 = 0
        for (log, known) in state.known where !inner.contains(log) && shares(known.name.stream, with: peer) {
            let mine = held[log]?.size ?? known.name.start
            if known.size > mine { lackingHere += known.size - mine }
        }
        return ReplicationStatus.Peer(
            node: peer, phase: state.phase, hasAnswered: state.hasAnswered, entriesItLacks: lacks,
            entriesLackingHere: lackingHere, logsInFlight: state.pulling.count,
            outstandingCreditBytes: outstandingBytes(of: peer), bytesBeingStored: state.ingestingBytes,
            pushedBytes: state.pushedBytes, sentBytes: state.sentBytes, receivedBytes: state.receivedBytes,
            faults: state.faults, refusals: state.refusals, suppressedIncidents: state.suppressedIncidents,
            lastHeard: state.lastHeard)
    }

    /// How many things are kept in mind for all peers together; a hostile peer must not make it grow without bound.
    package var footprint: Int {
        peers.values.reduce(
            pulls.count + pending.count + ingests.count + reads.count + searches.count + waitingSearches.count
                + repairs.count
                + namedBranchCount + witness.footprint
        ) { $0 + $1.footprint }
    }
}
