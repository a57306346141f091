public import EventLog

/// Comparing heads: one digest, and on difference the vector of heads.
extension ReplicationMachine {
    /// Whether both this node and the peer may hold a stream: only of such streams is spoken with the peer.
    func shares(_ stream: StreamID, with peer: NodeID) -> Bool {
        charter.isAdmitted(node) && charter.isAdmitted(peer) && policy.mayHold(node, stream)
            && policy.mayHold(peer, stream)
    }

    /// Whether a node may hold a stream, by the charter and policy here.
    public func mayHold(_ peer: NodeID, _ stream: StreamID) -> Bool {
        charter.isAdmitted(peer) && policy.mayHold(peer, stream)
    }

    /// The heads held here in streams shared with a peer, by log id.
    func sharedHeads(with peer: NodeID) -> [LogHead] {
        held.values.filter { shares($0.name.stream, with: peer) }.sorted { $0.name.id < $1.name.id }
    }

    // MARK: Digests

    /// The digest over the shared heads; computed anew only when heads, charter or policy have changed.
    private mutating func digest(for peer: NodeID) -> (hash: Hash, count: UInt64) {
        if let known = peers[peer]?.digest, known.version == headsVersion { return (known.hash, known.count) }
        let heads = sharedHeads(with: peer)
        var bytes = [UInt8]("varde/heads/0".utf8)
        bytes.reserveCapacity(bytes.count + heads.count * 72)
        for head in heads {
            bytes += head.name.id.hash.bytes
            bytes += BigEndian64.bytes(of: head.size)
            bytes += head.root.bytes
        }
        let hash = Hash.sha256(bytes)
        peers[peer]?.digest = (headsVersion, hash, UInt64(heads.count))
        return (hash, UInt64(heads.count))
    }

    /// Whether the store is being handed entries that the peer itself wrote. Until they are durable or refused the peer
    /// is not told our heads: it may just have lost these entries, and takes our heads for all there is.
    private func isStoringLogs(of peer: NodeID) -> Bool {
        pending.values.contains { $0.writer == peer }
    }

    /// Tells a peer what all we both may hold comes to; on the next tick where it may not be told now.
    mutating func sendDigest(to peer: NodeID, isAnswer: Bool) {
        if isStoringLogs(of: peer) {
            peers[peer]?.nextDigest = 0
            return
        }
        let mine = digest(for: peer)
        let hasAnswered = peers[peer]?.hasAnswered ?? false
        let next = now + (hasAnswered ? configuration.antiEntropyMilliseconds : configuration.retryMilliseconds)
        peers[peer]?.nextDigest = next
        let cosignatures = cosignatureDigest(for: peer)
        send(
            .haveDigest(
                HaveDigest(digest: mine.hash, count: mine.count, isAnswer: isAnswer, cosignatures: cosignatures)),
            to: peer)
    }

    mutating func receive(_ digest: HaveDigest, from peer: NodeID) {
        if let last = peers[peer]?.lastDigest, now < last + configuration.answerMilliseconds, !digest.isAnswer {
            // Comparing may cost a pass over all heads: the newest question waits for the next tick.
            peers[peer]?.digestToAnswer = digest
            return
        }
        compare(digest, with: peer)
    }

    private mutating func compare(_ theirs: HaveDigest, with peer: NodeID) {
        let mine = digest(for: peer)
        if !theirs.isAnswer {
            if isStoringLogs(of: peer) {
                peers[peer]?.digestToAnswer = theirs
                return
            }
            peers[peer]?.lastDigest = now
            sendDigest(to: peer, isAnswer: true)
        }
        compareCosignatures(theirs.cosignatures, with: peer)
        if mine.hash == theirs.digest && mine.count == theirs.count {
            learnEqual(peer)
        } else {
            if peers[peer]?.differingDigest != theirs.digest {
                // Its heads have changed, or what it may hold: it may want now what it passed over before.
                peers[peer]?.differingDigest = theirs.digest
                peers[peer]?.lastVector?.version = 0
            }
            peers[peer]?.owesVector = true
            flushVector(to: peer)
        }
    }

    /// The peer holds exactly what is held here.
    private mutating func learnEqual(_ peer: NodeID) {
        if peers[peer]?.equalAt != headsVersion {
            let heads = sharedHeads(with: peer)
            peers[peer]?.known = Dictionary(heads.map { ($0.name.id, $0) }) { first, _ in first }
            peers[peer]?.equalAt = headsVersion
            for head in heads { acknowledge(head.name.id, size: head.size, by: peer) }
        }
        peers[peer]?.owesVector = false
        hear(allHeadsOf: peer)
    }

    private mutating func hear(allHeadsOf peer: NodeID) {
        guard peers[peer]?.hasAnswered == false else { return }
        let next = now + configuration.antiEntropyMilliseconds
        peers[peer]?.hasAnswered = true
        peers[peer]?.nextDigest = next
        effects.append(.peerAnswered(peer))
        sendForkProofs(to: peer)
    }

    /// Answers what had to wait: a digest, or the vector.
    mutating func answerLate(_ peer: NodeID) {
        if let digest = peers[peer]?.digestToAnswer,
            now >= (peers[peer]?.lastDigest ?? 0) + configuration.answerMilliseconds
        {
            peers[peer]?.digestToAnswer = nil
            compare(digest, with: peer)
        }
        flushVector(to: peer)
    }

    // MARK: Vectors

    /// Sends all shared heads if the peer is owed them. The same vector is not sent twice in a retry time to a peer that
    /// has not changed, and no two large ones within a second.
    private mutating func flushVector(to peer: NodeID) {
        guard let state = peers[peer], state.owesVector, state.isExchanging, !isStoringLogs(of: peer) else { return }
        if let last = state.lastVector {
            if last.version == headsVersion && now < last.time + configuration.retryMilliseconds {
                peers[peer]?.owesVector = false
                return
            }
            let isSmall = state.digest.map { $0.count <= 256 } ?? false
            let pause = isSmall ? configuration.answerMilliseconds : min(1_000, configuration.retryMilliseconds)
            guard now >= last.time + pause else { return }
        }
        peers[peer]?.owesVector = false
        peers[peer]?.lastVector = (now, headsVersion)
        var parts: [[HaveRow]] = [[]]
        var byteCount = 0
        for head in sharedHeads(with: peer).prefix(configuration.logsPerPeer) {
            let row = HaveRow(head)
            if byteCount + row.encodedBytes > ReplicationProtocol.havePartBytes {
                parts.append([])
                byteCount = 0
            }
            parts[parts.count - 1].append(row)
            byteCount += row.encodedBytes
        }
        let vector = nextNumber()
        for (index, rows) in parts.enumerated() {
            let part = Have.Part(vector: vector, index: index, count: parts.count)
            send(.have(Have(part: part, rows: rows)), to: peer)
        }
    }

    mutating func receive(_ have: Have, from peer: NodeID) {
        guard let network = charter.network else { return }
        var logs: [LogID] = []
        for row in have.rows {
            let name = row.name(network: network)
            // The name that is held already is kept, so that its strings are not in memory once for each peer.
            let head = LogHead(name: held[name.id]?.name ?? name, size: row.size, root: row.root)
            learn(head, from: peer, isWhole: true)
            logs.append(name.id)
        }
        if let part = have.part { receive(part, naming: logs, from: peer) }
    }

    /// Counts the parts of a vector; when all have come, the peer holds nothing but what they name.
    private mutating func receive(_ part: Have.Part, naming logs: [LogID], from peer: NodeID) {
        var vector = peers[peer]?.vector ?? IncomingVector(number: part.vector, partCount: part.count)
        if part.vector > vector.number { vector = IncomingVector(number: part.vector, partCount: part.count) }
        guard part.vector == vector.number, part.count == vector.partCount, vector.received.insert(part.index).inserted
        else { return }
        if vector.named.count + logs.count <= configuration.logsPerPeer { vector.named.formUnion(logs) }
        guard vector.received.count == vector.partCount else {
            peers[peer]?.vector = vector
            return
        }
        let known = (peers[peer]?.known ?? [:]).filter { vector.named.contains($0.key) }
        peers[peer]?.known = known
        vector.named = []
        peers[peer]?.vector = vector
        hear(allHeadsOf: peer)
    }

    // MARK: Learning

    /// Takes notice of what a peer says to hold; a root of zeros stands for one that is not known.
    ///
    /// - Parameter isWhole: true where this is all it holds of the log, even if more was known; false for a lower bound.
    mutating func learn(_ head: LogHead, from peer: NodeID, isWhole: Bool) {
        let log = head.name.id
        guard charter.node(head.name.node) != nil else { return }
        if head.name.node == node, !inner.contains(log),
            head.size > max(held[log]?.size ?? 0, peers[peer]?.known[log]?.size ?? 0),
            peers[peer]?.hasAnswered == false || shares(head.name.stream, with: peer)
        {
            // Told also where we may not ask for the entries: whoever holds them, they have been written.
            effects.append(.ownLogAhead(head, from: peer))
        }
        guard policy.mayHold(node, head.name.stream) else {
            report(.streamRefused(head.name.stream), about: peer, isOnce: true)
            return
        }
        guard policy.mayHold(peer, head.name.stream) else { return }
        let before = peers[peer]?.known[log]
        if before == nil, peers[peer]?.known.count ?? 0 >= configuration.logsPerPeer {
            report(.tooManyLogs(limit: configuration.logsPerPeer), about: peer, isOnce: true)
            return
        }
        if !isWhole, let before, before.size >= head.size { return }
        guard noteBranch(head.name) else { return }
        if before != head {
            peers[peer]?.known[log] = head
            peers[peer]?.equalAt = nil
        }
        acknowledge(log, size: head.size, by: peer)
        let mine = held[log]
        if let mine, mine.size == head.size, mine.root != head.root, head.root != .zero {
            report(.headContradicts(log: log, size: head.size), about: peer, isOnce: true)
            // Said again, it is looked at again: the search may have been lost on the way.
            let isDue = before != head || (peers[peer]?.backOffs[log]?.until ?? 0) <= now
            if isDue, !search(log, at: peer) { backOff(peer, log, isFault: true) }
        }
        if head.size > expected(log) { peers[peer]?.candidates.append(log) }
    }

    mutating func receive(_ receipt: Receipt, from peer: NodeID) {
        guard let name = held[receipt.log]?.name ?? peers[peer]?.known[receipt.log]?.name else { return }
        learn(LogHead(name: name, size: receipt.size, root: receipt.root), from: peer, isWhole: false)
    }
}
