import EventLog

/// Taking ranges, asked for or not, and what the store says of them.
extension ReplicationMachine {
    mutating func receive(_ message: RangeMessage, from peer: NodeID) {
        let range = message.range
        let log = range.log
        // A suspended peer, or one that just sent something wrong of this log, is not listened to.
        guard now >= peers[peer]?.suspendedUntil ?? 0, now >= peers[peer]?.backOffs[log]?.until ?? 0,
            let name = held[log]?.name ?? peers[peer]?.known[log]?.name
        else { return }
        guard policy.mayHold(node, name.stream) else {
            report(.streamRefused(name.stream), about: peer, isOnce: true)
            refuse(peer, .streamNotHeld, "entries came of a stream that is not to be held here")
            return
        }
        guard shares(name.stream, with: peer), charter.node(name.node) != nil else { return }
        let isOfCurrentPull = pulls[log].map { $0.peer == peer && $0.number == message.pull } ?? false
        let expected = expected(log)
        if isOfCurrentPull, pulls[log]?.searchedFrom != nil {
            compare(range, name: name, from: peer)
        } else if range.start == expected {
            take(message, name: name, from: peer)
        } else if range.end <= expected {
            if isOfCurrentPull { settle(log, bytes: range.transferBytes) }
            // Tells the sender that we have it, where it does not know that.
            if let mine = held[log], range.end <= mine.size { sendReceipt(mine, to: peer) }
        } else if isOfCurrentPull {
            // Something before it was lost or came by another way.
            restartPull(log)
        } else if pulls[log] == nil {
            // Nothing is thrown away for good: the sender holds more than we do, so it is asked.
            learn(LogHead(name: name, size: range.end, root: .zero), from: peer, isWhole: false)
            peers[peer]?.candidates.append(log)
        }
    }

    /// Hands a range that begins where we are to the store, unless too much is with it already.
    private mutating func take(_ message: RangeMessage, name: LogName, from peer: NodeID) {
        let (range, pull) = (message.range, message.pull)
        let bytes = range.transferBytes
        // Ranges that overshoot their credit and those of a pull begun anew included, an honest peer has no more under way.
        let limit = 3 * configuration.creditWindowBytes + configuration.pushWindowBytes
        guard let ingestingBytes = peers[peer]?.ingestingBytes, ingestingBytes + bytes <= limit else { return }
        let generation = pending[range.log]?.generation ?? nextNumber()
        pending[range.log] = PendingIngest(writer: name.node, end: range.end, generation: generation)
        let token = IngestToken(number: nextNumber())
        ingests[token] = IngestRecord(
            log: range.log, name: name, peer: peer, pull: pull, start: range.start, end: range.end, bytes: bytes,
            generation: generation, isSentToAll: message.isSentToAll && peer == name.node)
        peers[peer]?.ingestingBytes += bytes
        if pulls[range.log]?.number == pull { pulls[range.log]?.lastProgress = now }
        effects.append(.ingest(token, range, name: name, from: peer))
    }

    /// The store is done with a range.
    mutating func finishIngest(_ token: IngestToken, _ result: Result<LogHead, IngestFailure>) {
        guard let item = ingests.removeValue(forKey: token) else { return }
        peers[item.peer]?.ingestingBytes -= item.bytes
        if item.isSearch { return finishSearch(item, result) }
        // False where an earlier range of the same run failed, so that this one could not succeed.
        let isLive = pending[item.log]?.generation == item.generation
        switch result {
        case .success(let head):
            if isLive, pending[item.log]?.end == item.end { pending[item.log] = nil }
            stored(head, item)
        case .failure(let failure):
            if isLive { failed(failure, item) }
        }
    }

    private mutating func stored(_ head: LogHead, _ item: IngestRecord) {
        peers[item.peer]?.backOffs[item.log] = nil
        if peers[item.peer]?.strikes ?? 0 > 0 { peers[item.peer]?.strikes -= 1 }
        if head.size > peers[item.peer]?.known[item.log]?.size ?? 0 { peers[item.peer]?.known[item.log] = head }
        acknowledge(item.log, size: head.size, by: item.peer)
        if head.size > held[item.log]?.size ?? 0 {
            commit(head, from: item.peer, isSentToAll: item.isSentToAll)
        } else if let mine = held[item.log] {
            // The store told of the new head before it told of the range.
            sendReceipt(mine, to: item.peer)
        }
        if item.name.node == node { effects.append(.ownEntriesTakenBack(head, from: item.peer)) }
        if pulls[item.log]?.number == item.pull { settle(item.log, bytes: item.bytes) }
    }

    private mutating func failed(_ failure: IngestFailure, _ item: IngestRecord) {
        pending[item.log] = nil
        switch failure {
        case .refused(let reason):
            peers[item.peer]?.faults += 1
            report(.rangeRefused(log: item.log, start: item.start, reason: reason), about: item.peer)
            backOff(item.peer, item.log, isFault: true)
        case .contradicts(let reason):
            report(
                .rangeContradicts(log: item.log, start: item.start, reason: reason), about: item.peer, isOnce: true)
            if pulls[item.log]?.number == item.pull { endPull(item.log) }
            if search(item.log, at: item.peer) { return }
            // Who altered what cannot be told from here, so many of these count like any other fault.
            backOff(item.peer, item.log, isFault: true)
        case .isNoBranch:
            peers[item.peer]?.known[item.log] = nil
            backOff(item.peer, item.log, isFault: false)
        case .failed(let reason):
            report(.storeFailed(log: item.log, reason: reason), about: item.peer)
            backOff(item.peer, item.log, isFault: false)
        case .outOfPlace:
            break
        }
        // Where the peer now backs off, this ends the pull and asks another; where another peer's ranges were dropped
        // because these seemed to be there already, it asks that peer for them again.
        if pulls[item.log] == nil { consider(item.log) } else { restartPull(item.log) }
    }

    // MARK: New heads

    /// A head is durable here: who may know of it is told, and what it completes is ended.
    ///
    /// - Parameters:
    ///   - source: the peer the entries came from; nil for own appends and for ranges told of by the store.
    ///   - isSentToAll: whether the log's writer sends them to all who may hold them.
    mutating func commit(_ head: LogHead, from source: NodeID?, isSentToAll: Bool = false) {
        let log = head.name.id
        let start = held[log]?.size ?? 0
        // What was durable before the log was found to be forked is told late.
        guard head.size > start, !inner.contains(log) else { return }
        held[log] = head
        headsVersion += 1
        noteForWitnesses(head)
        let linked = linkedPeers(sharing: head.name.stream)
        for peer in isSentToAll ? neighbours(among: linked, and: source) : linked {
            spread(head, start: start, isOwn: source == nil && head.name.node == node, to: peer)
        }
        endPullIfDone(log)
        considerBranches(of: head.name.log)
    }

    // MARK: Whom to tell

    /// The peers to which what is new in a stream may be told, in the order of their ids.
    private func linkedPeers(sharing stream: StreamID) -> [NodeID] {
        order.filter { peers[$0]?.isExchanging == true && shares(stream, with: $0) }
    }

    /// Whether all who may hold a stream are linked with this node. Not asked where so few hold it that it saves nothing.
    func isLinkedToAll(whoHold stream: StreamID) -> Bool {
        let linked = linkedPeers(sharing: stream)
        guard linked.count > configuration.peersToldDirectly else { return false }
        let holders = charter.newest?.nodes.count {
            $0.id != node && $0.state == .admitted && policy.mayHold($0.id, stream)
        }
        return holders == linked.count
    }

    /// Where the writer sends its entries to all, it would cost as many messages as there are pairs of holders if each told
    /// each that it has them. A few tell a few, by places on the circle of all that are one, two, four, eight … apart, so that
    /// what the writer did not manage comes to all in as many steps as that number of places has binary digits. The others
    /// are known to hold it when digests are compared.
    ///
    /// - Parameter source: told in any case.
    private func neighbours(among linked: [NodeID], and source: NodeID?) -> [NodeID] {
        guard linked.count > configuration.peersToldDirectly else { return linked }
        // `linked` does not have this node, so the next of it stands at its own place.
        let place = linked.firstIndex { $0 > node } ?? 0
        var told: Set<NodeID> = Set(source.map { [$0] } ?? [])
        var distance = 1
        while distance <= linked.count {
            told.insert(linked[(place + distance - 1) % linked.count])
            distance *= 2
        }
        return linked.filter(told.contains)
    }

    /// Tells a peer that a head is durable here.
    mutating func sendReceipt(_ head: LogHead, to peer: NodeID) {
        guard peers[peer]?.isExchanging == true, shares(head.name.stream, with: peer) else { return }
        send(.receipt(Receipt(log: head.name.id, size: head.size, root: head.root)), to: peer)
    }
}
