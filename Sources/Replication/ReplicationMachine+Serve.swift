import EventLog

/// Sending: what peers want, and own new entries unasked. Nothing is queued: entries are read when credit allows.
extension ReplicationMachine {
    // MARK: Wants

    mutating func receive(_ want: Want, from peer: NodeID) {
        guard let head = held[want.log], shares(head.name.stream, with: peer), want.from < head.size else {
            // Whether the log is unknown, forbidden or shorter makes no difference to the answer.
            send(.rangeUnavailable(RangeUnavailable(pull: want.pull, isAgain: false)), to: peer)
            return
        }
        let flow = peers[peer]?.flows[want.log]
        if var flow, !flow.isPush {
            guard want.pull >= flow.pull else { return }
            if want.pull == flow.pull {
                flow.creditBytes = max(flow.creditBytes, want.creditBytes)
                flow.lastActive = now
                peers[peer]?.flows[want.log] = flow
                peers[peer]?.ready.append(want.log)
                return
            }
        } else if flow == nil, peers[peer]?.flows.count ?? 0 >= configuration.wantsPerPeer {
            refuse(peer, .tooMuch, "at most \(configuration.wantsPerPeer) logs are sent to one node at the same time")
            return
        }
        // Whatever was pushed of the log has not arrived, or crossed the want: it will be receipted or sent again.
        dropPushes(of: want.log, to: peer)
        peers[peer]?.flows[want.log] = Flow(
            pull: want.pull, next: want.from, creditBytes: want.creditBytes, lastActive: now)
        peers[peer]?.ready.append(want.log)
    }

    // MARK: Reading and sending

    /// Begins the next read for a peer, log by log in turn, if none is under way.
    mutating func serve(_ peer: NodeID) {
        while let state = peers[peer], state.reading == nil, let log = peers[peer]?.ready.popFirst() {
            guard let flow = state.flows[log], let head = held[log] else { continue }
            guard shares(head.name.stream, with: peer) else {
                peers[peer]?.flows[log] = nil
                continue
            }
            guard flow.next < head.size, flow.creditLeft > 0 else { continue }
            if flow.isPush && !hasPushRoom(state) {
                peers[peer]?.flows[log] = nil
                peers[peer]?.hints.append(log)
                continue
            }
            let token = ReadToken(number: nextNumber())
            reads[token] = ReadRecord(peer: peer, log: log, pull: flow.pull, from: flow.next)
            peers[peer]?.reading = token
            effects.append(
                .readRange(
                    token, log: log, from: flow.next,
                    maximumBytes: Int(clamping: min(flow.creditLeft, UInt64(configuration.rangeBytes)))))
        }
    }

    /// The store has read what was asked for, or could not.
    mutating func finishRead(_ token: ReadToken, _ range: EntryRange?, _ orders: [OrderAhead]) {
        guard let read = reads.removeValue(forKey: token) else { return }
        if peers[read.peer]?.reading == token { peers[read.peer]?.reading = nil }
        // The peer may have gone or lost its right meanwhile, or asked for something else: then that is read next.
        guard peers[read.peer]?.isExchanging == true, var flow = peers[read.peer]?.flows[read.log],
            let head = held[read.log], shares(head.name.stream, with: read.peer)
        else { return }
        guard flow.pull == read.pull, flow.next == read.from else {
            peers[read.peer]?.ready.append(read.log)
            return
        }
        guard let range, range.log == read.log, range.start == read.from, !range.entries.isEmpty,
            range.entries.count <= ReplicationProtocol.rangeEntries
        else {
            giveUp(read)
            return
        }
        let message = ReplicationMessage.range(
            RangeMessage(
                pull: flow.pull, range: range, isSentToAll: flow.isPush && isLinkedToAll(whoHold: head.name.stream)))
        guard range.transferBytes + 16 * range.entries.count + 128 <= ReplicationProtocol.messageBytes else {
            giveUp(read)
            return
        }
        flow.next = range.end
        flow.sentBytes += UInt64(range.transferBytes)
        flow.lastActive = now
        if flow.isPush { notePush(range, to: read.peer) }
        // A flow that was wanted stays at the head: it is ended by the receipt, so that a late want does not begin it anew.
        let isAtHead = flow.next >= head.size
        peers[read.peer]?.flows[read.log] = flow.isPush && isAtHead ? nil : flow
        if !isAtHead { peers[read.peer]?.ready.append(read.log) }
        send(orders, to: read.peer)
        send(message, to: read.peer)
    }

    /// The store cannot give what it should hold: the peer may ask another node.
    private mutating func giveUp(_ read: ReadRecord) {
        peers[read.peer]?.flows[read.log] = nil
        report(.rangeNotReadable(log: read.log, from: read.from), about: read.peer)
        if read.pull != 0 {
            send(.rangeUnavailable(RangeUnavailable(pull: read.pull, isAgain: false)), to: read.peer)
        }
    }

    // MARK: New heads

    /// Tells a peer of a head that has just become durable here: by a receipt where it holds as much, by pushing own
    /// entries where it holds all before them, else by a hint.
    mutating func spread(_ head: LogHead, start: UInt64, isOwn: Bool, to peer: NodeID) {
        guard let state = peers[peer] else { return }
        let log = head.name.id
        if let known = state.known[log], known.size >= head.size {
            sendReceipt(head, to: peer)
            return
        }
        if let flow = state.flows[log], flow.creditLeft > 0 {
            peers[peer]?.ready.append(log)
            if isOwn { return }
        } else if isOwn, state.flows[log] == nil, start > 0, hasPushRoom(state),
            state.pushes[log]?.end ?? state.known[log]?.size == start
        {
            peers[peer]?.flows[log] = Flow(pull: 0, next: start, creditBytes: .max, lastActive: now)
            peers[peer]?.ready.append(log)
            return
        }
        // A peer that has spoken of the log knows its id, so the short message will do.
        if !isOwn, state.known[log] != nil { sendReceipt(head, to: peer) } else { peers[peer]?.hints.append(log) }
    }

    /// Sends the heads whose news the peer is owed, in one message, not more often than every hint time.
    mutating func flushHints(_ peer: NodeID) {
        guard peers[peer]?.hints.isEmpty == false, now >= peers[peer]?.nextHint ?? 0 else { return }
        let next = now + configuration.hintMilliseconds
        peers[peer]?.nextHint = next
        var rows: [HaveRow] = []
        var byteCount = 0
        while byteCount < ReplicationProtocol.havePartBytes, let log = peers[peer]?.hints.popFirst() {
            guard let head = held[log], shares(head.name.stream, with: peer),
                (peers[peer]?.known[log]?.size ?? 0) < head.size
            else { continue }
            let row = HaveRow(head)
            rows.append(row)
            byteCount += row.encodedBytes
        }
        if !rows.isEmpty { send(.have(Have(part: nil, rows: rows)), to: peer) }
    }

    // MARK: Pushes

    private func hasPushRoom(_ state: PeerState) -> Bool {
        state.pushedBytes < configuration.pushWindowBytes && state.pushCount < configuration.pushesInFlight
    }

    private mutating func notePush(_ range: EntryRange, to peer: NodeID) {
        guard var state = peers[peer] else { return }
        var push = state.pushes[range.log] ?? Push(ranges: [], lastActive: now)
        push.ranges.append((range.end, range.transferBytes))
        push.lastActive = now
        state.pushes[range.log] = push
        state.pushedBytes += range.transferBytes
        state.pushCount += 1
        peers[peer] = state
    }

    /// A peer holds a log durably up to a size: what was sent to it up to there is done with.
    mutating func acknowledge(_ log: LogID, size: UInt64, by peer: NodeID) {
        guard let flow = peers[peer]?.flows[log] else {
            acknowledgePushes(of: log, size: size, by: peer)
            return
        }
        acknowledgePushes(of: log, size: size, by: peer)
        if size >= held[log]?.size ?? 0 {
            peers[peer]?.flows[log] = nil
        } else if flow.next < size {
            // It got these elsewhere; sending them again would be a waste.
            peers[peer]?.flows[log]?.next = size
        }
    }

    private mutating func acknowledgePushes(of log: LogID, size: UInt64, by peer: NodeID) {
        guard var state = peers[peer], var push = state.pushes[log] else { return }
        let count = push.ranges.prefix { $0.end <= size }.count
        guard count > 0 else { return }
        state.pushedBytes -= push.ranges.prefix(count).reduce(0) { $0 + $1.bytes }
        state.pushCount -= count
        push.ranges.removeFirst(count)
        push.lastActive = now
        state.pushes[log] = push.ranges.isEmpty ? nil : push
        peers[peer] = state
    }

    /// Counts what was pushed of a log as lost.
    mutating func dropPushes(of log: LogID, to peer: NodeID) {
        guard var state = peers[peer], let push = state.pushes.removeValue(forKey: log) else { return }
        state.pushedBytes -= push.ranges.reduce(0) { $0 + $1.bytes }
        state.pushCount -= push.ranges.count
        peers[peer] = state
    }

    /// Gives up what has had no receipt, and what nobody asks for any more.
    mutating func checkFlows(to peer: NodeID) {
        guard let state = peers[peer] else { return }
        for (log, push) in state.pushes.sorted(by: { $0.key < $1.key })
        where now >= push.lastActive + configuration.pushTimeoutMilliseconds {
            dropPushes(of: log, to: peer)
            peers[peer]?.hints.append(log)
        }
        for (log, flow) in state.flows where now >= flow.lastActive + 3 * configuration.wantTimeoutMilliseconds {
            peers[peer]?.flows[log] = nil
        }
    }
}
