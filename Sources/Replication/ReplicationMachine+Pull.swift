import EventLog

/// Asking for what peers hold beyond us: one source for each log, within each peer's window of credit.
extension ReplicationMachine {
    /// Index of the next entry of a log to ask for: after those that the store has been handed.
    /// Nothing of what never grows.
    func expected(_ log: LogID) -> UInt64 {
        if inner.contains(log) { return .max }
        return max(pending[log]?.end ?? 0, held[log]?.size ?? start(of: log))
    }

    /// Index of the first entry of a log, or of a branch that a peer has named.
    private func start(of log: LogID) -> UInt64 {
        for peer in order { if let name = peers[peer]?.known[log]?.name { return name.start } }
        return 0
    }

    // MARK: Choosing

    /// Puts a log in line with every peer that holds more of it than we do.
    mutating func consider(_ log: LogID) {
        let expected = expected(log)
        for peer in order where peers[peer]?.phase == .exchanging {
            if (peers[peer]?.known[log]?.size ?? 0) > expected { peers[peer]?.candidates.append(log) }
        }
    }

    /// Puts everything in line that a peer holds more of than we do.
    mutating func considerAll(of peer: NodeID) {
        let known = (peers[peer]?.known ?? [:]).values.filter { $0.size > expected($0.name.id) }
        for log in known.map(\.name.id).sorted() { peers[peer]?.candidates.append(log) }
    }

    /// Begins as many pulls from a peer as limits and credit allow.
    ///
    /// - Returns: true where a log was left to a better source, which then wants a turn.
    mutating func schedule(_ peer: NodeID) -> Bool {
        guard now >= peers[peer]?.suspendedUntil ?? 0 else { return false }
        var isHandedOn = false
        while let counts = peers[peer].map({ (active: $0.pulling.count, waiting: $0.candidates.count) }),
            counts.waiting > 0, counts.active < configuration.logsInFlight
        {
            let grant = share(of: peer, count: counts.active + counts.waiting)
            // A want for less than a range would only bring small ranges.
            guard grant >= min(configuration.rangeBytes, configuration.creditWindowBytes) else { break }
            guard let log = peers[peer]?.candidates.popFirst() else { break }
            guard pulls[log] == nil, canPull(log, from: peer), let name = peers[peer]?.known[log]?.name else {
                continue
            }
            if let better = betterSource(than: peer, for: log) {
                peers[better]?.candidates.append(log)
                isHandedOn = true
                continue
            }
            let pull = Pull(
                name: name, peer: peer, number: nextNumber(), from: expected(log), grantedBytes: UInt64(grant),
                lastProgress: now)
            pulls[log] = pull
            peers[peer]?.pulling.insert(log)
            sendWant(log, pull)
        }
        return isHandedOn
    }

    /// Whether a peer holds more of a log than we do, may be asked, and has not just failed.
    func canPull(_ log: LogID, from peer: NodeID) -> Bool {
        guard let state = peers[peer], state.isExchanging, now >= state.suspendedUntil, let known = state.known[log],
            known.size > expected(log), shares(known.name.stream, with: peer), holdsAllBefore(known.name)
        else { return false }
        return (state.backOffs[log]?.until ?? 0) <= now
    }

    /// A peer that has failed less often and has the log too.
    private func betterSource(than peer: NodeID, for log: LogID) -> NodeID? {
        let strikes = peers[peer]?.strikes ?? 0
        guard strikes > 0 else { return nil }
        return order.first { other in
            (peers[other]?.strikes ?? strikes) < strikes && canPull(log, from: other)
        }
    }

    // MARK: Credit

    /// Bytes that may be granted to one of `count` logs of a peer now, so that all of them get a fair part of the window.
    func share(of peer: NodeID, count: Int) -> Int {
        let logs = min(max(count, 1), configuration.logsInFlight)
        let fair = max(configuration.rangeBytes, configuration.creditWindowBytes / logs)
        return min(fair, max(configuration.creditWindowBytes - outstandingBytes(of: peer), 0))
    }

    /// Whether one log more may be asked of a peer, with so much credit.
    func hasRoom(at peer: NodeID, forBytes bytes: Int) -> Bool {
        (peers[peer]?.pulling.count ?? 0) < configuration.logsInFlight
            && outstandingBytes(of: peer) + bytes <= configuration.creditWindowBytes
    }

    /// Bytes that a peer may still send of what was asked for.
    func outstandingBytes(of peer: NodeID) -> Int {
        (peers[peer]?.pulling ?? []).reduce(0) { $0 + Int(clamping: pulls[$1]?.outstandingBytes ?? 0) }
    }

    mutating func sendWant(_ log: LogID, _ pull: Pull) {
        let want = Want(log: log, from: pull.from, pull: pull.number, creditBytes: pull.grantedBytes)
        send(.want(want), to: pull.peer)
    }

    /// Counts bytes of a pull as done with, and grants new ones once half of the log's part is used up.
    mutating func settle(_ log: LogID, bytes: Int) {
        guard var pull = pulls[log] else { return }
        pull.settledBytes += UInt64(bytes)
        pull.lastProgress = now
        pulls[log] = pull
        guard pull.searchedFrom != nil || !endPullIfDone(log),
            let count = peers[pull.peer].map({ $0.pulling.count + $0.candidates.count })
        else {
            return
        }
        let logs = min(max(count, 1), configuration.logsInFlight)
        let fair = UInt64(max(configuration.rangeBytes, configuration.creditWindowBytes / logs))
        guard pull.outstandingBytes <= fair / 2 else { return }
        let free = UInt64(max(configuration.creditWindowBytes - outstandingBytes(of: pull.peer), 0))
        let more = min(fair - pull.outstandingBytes, free)
        guard more > 0 else { return }
        // What came beyond the grant (a range may overshoot it) must not eat into the new one.
        pull.grantedBytes = max(pull.grantedBytes, pull.settledBytes) + more
        pulls[log] = pull
        sendWant(log, pull)
    }

    // MARK: Ending

    /// Ends a pull whose source holds no more than is durable here.
    @discardableResult
    mutating func endPullIfDone(_ log: LogID) -> Bool {
        guard let pull = pulls[log] else { return true }
        guard pull.searchedFrom == nil else { return false }
        guard (held[log]?.size ?? 0) >= peers[pull.peer]?.known[log]?.size ?? 0 else { return false }
        endPull(log)
        consider(log)
        return true
    }

    /// Forgets a pull. Whoever calls it considers the log again.
    mutating func endPull(_ log: LogID) {
        guard let pull = pulls.removeValue(forKey: log) else { return }
        peers[pull.peer]?.pulling.remove(log)
    }

    /// Begins a pull anew at the place where we are now: what is under way of it will not fit any more.
    mutating func restartPull(_ log: LogID) {
        guard var pull = pulls[log] else { return }
        guard pull.searchedFrom == nil, canPull(log, from: pull.peer) else {
            endPull(log)
            consider(log)
            return
        }
        let outstanding = pull.outstandingBytes
        let free = UInt64(max(configuration.creditWindowBytes - outstandingBytes(of: pull.peer), 0))
        let grant = min(max(outstanding, UInt64(configuration.rangeBytes)), outstanding + free)
        guard grant > 0 else {
            endPull(log)
            consider(log)
            return
        }
        pull.number = nextNumber()
        pull.from = expected(log)
        pull.settledBytes = 0
        pull.grantedBytes = grant
        pulls[log] = pull
        sendWant(log, pull)
    }

    /// Tells a peer again of all that is wanted from it, after messages may have been lost.
    mutating func repeatWants(to peer: NodeID) {
        for log in (peers[peer]?.pulling ?? []).sorted() {
            if let pull = pulls[log] { sendWant(log, pull) }
        }
    }

    mutating func receive(_ unavailable: RangeUnavailable, from peer: NodeID) {
        let number = unavailable.pull
        guard let log = peers[peer]?.pulling.first(where: { pulls[$0]?.number == number }) else { return }
        if unavailable.isAgain {
            restartPull(log)
            return
        }
        // The peer has less than it said; the next vector will tell how much.
        peers[peer]?.known[log] = nil
        peers[peer]?.equalAt = nil
        endPull(log)
        consider(log)
    }

    // MARK: Failing

    /// Asks a peer for a log no more for a time that doubles with every failure.
    ///
    /// - Parameter isFault: whether the peer is to blame; many faults suspend all asking for a time.
    mutating func backOff(_ peer: NodeID, _ log: LogID, isFault: Bool) {
        guard var state = peers[peer] else { return }
        defer { peers[peer] = state }
        let failures = (state.backOffs[log]?.failures ?? 0) + 1
        let time = configuration.backOffMilliseconds << UInt64(min(failures - 1, 5))
        state.backOffs[log] = BackOff(failures: failures, until: now + time)
        guard isFault else { return }
        state.strikes += 1
        if state.strikes >= configuration.strikesBeforeSuspension {
            state.suspendedUntil = now + configuration.backOffMilliseconds
            state.strikes = configuration.strikesBeforeSuspension / 2
        }
    }

    /// Ends pulls that bring nothing, and lets back-offs run out.
    mutating func checkPulls(from peer: NodeID) {
        for log in (peers[peer]?.pulling ?? []).sorted() {
            guard let pull = pulls[log], now >= pull.lastProgress + configuration.wantTimeoutMilliseconds,
                pending[log] == nil
            else { continue }
            report(.logNotSent(log), about: peer)
            endPull(log)
            backOff(peer, log, isFault: true)
            consider(log)
        }
        for (log, wait) in (peers[peer]?.backOffs ?? [:]).sorted(by: { $0.key < $1.key }) where wait.until <= now {
            if now >= wait.until + 20 * configuration.backOffMilliseconds {
                // Long enough ago to count as made good.
                peers[peer]?.backOffs[log] = nil
            }
            if (peers[peer]?.known[log]?.size ?? 0) > expected(log) {
                peers[peer]?.candidates.append(log)
            }
        }
    }
}
