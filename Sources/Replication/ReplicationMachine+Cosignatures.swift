public import EventLog

/// Keeping cosignatures and passing them on: they are no entries and never state, so of each witness's key only the newest
/// is kept, and a lost one is made good by the next or by the comparison of digests.
extension ReplicationMachine {
    // MARK: Which concern a peer

    /// Whether a cosignature is told to a peer: where both hold the log; where the peer is the witness of an own log, for
    /// it must hear of what it has said; and where this node is the witness of a log that the peer writes.
    private func concerns(_ cosignature: KeptCosignature, _ peer: NodeID) -> Bool {
        let log = cosignature.head.log
        guard charter.witness(cosignature.witness.node) == cosignature.witness else { return false }
        if let head = held[log] {
            if peers[peer]?.known[log] != nil, shares(head.name.stream, with: peer) { return true }
            return head.name.node == node && cosignature.witness.node == peer
        }
        return cosignature.witness.node == node && witness.newest[log]?.writer == peer
    }

    private func cosignatures(concerning peer: NodeID) -> [KeptCosignature] {
        witness.kept.values.flatMap { $0.values.filter { concerns($0, peer) } }
            .sorted { CosignatureKey($0) < CosignatureKey($1) }
    }

    /// The digest over the cosignatures that concern a peer; nil where this node takes no part.
    mutating func cosignatureDigest(for peer: NodeID) -> Hash? {
        guard witness.mode != .none else { return nil }
        if let known = peers[peer]?.witnessing.digest, known.heads == headsVersion, known.kept == witness.version {
            return known.hash
        }
        var bytes = [UInt8]("varde/cosignatures/0".utf8)
        for kept in cosignatures(concerning: peer) {
            bytes += kept.head.log.hash.bytes
            bytes.append(UInt8(kept.witness.node.text.utf8.count))
            bytes += kept.witness.node.text.utf8
            bytes += BigEndian64.bytes(of: UInt64(kept.witness.number)) + BigEndian64.bytes(of: kept.head.size)
        }
        let hash = Hash.sha256(bytes)
        peers[peer]?.witnessing.digest = (headsVersion, witness.version, hash)
        return hash
    }

    /// Compares the peer's digest over cosignatures with ours; where the same two still differ after a while, nothing that
    /// makes them equal is under way, and all are told.
    mutating func compareCosignatures(_ theirs: Hash?, with peer: NodeID) {
        guard let theirs, let mine = cosignatureDigest(for: peer) else { return }
        if mine == theirs {
            hear(allCosignaturesOf: peer)
        } else {
            guard let before = peers[peer]?.witnessing.differing, before.mine == mine, before.theirs == theirs else {
                peers[peer]?.witnessing.differing = (mine, theirs, now)
                return
            }
            guard now >= before.since + 3 * configuration.cosignatureMilliseconds else { return }
            let pause = configuration.antiEntropyMilliseconds
            if let last = peers[peer]?.witnessing.lastAll, now < last + pause { return }
            peers[peer]?.witnessing.owesAll = true
        }
    }

    private mutating func hear(allCosignaturesOf peer: NodeID) {
        guard peers[peer]?.witnessing.hasTold == false else { return }
        peers[peer]?.witnessing.hasTold = true
        guard case .afterHearing(var others) = witness.mode, others.remove(peer) != nil else { return }
        witness.mode = others.isEmpty ? .active : .afterHearing(others)
        witness.nextDue = 0
    }

    // MARK: Telling

    /// Tells all whom a cosignature concerns, but for the peer it came from.
    mutating func tell(_ cosignature: KeptCosignature, except source: NodeID?) {
        let key = CosignatureKey(cosignature)
        for peer in order where peer != source && peer != cosignature.witness.node && concerns(cosignature, peer) {
            queue(key, to: peer)
        }
    }

    mutating func queue(_ key: CosignatureKey, to peer: NodeID) {
        guard peers[peer]?.phase == .exchanging else { return }
        peers[peer]?.witnessing.queue.insert(key)
    }

    /// Sends what is to be told, at most one batch of messages in a while.
    mutating func flushCosignatures(to peer: NodeID) {
        guard let state = peers[peer], state.isExchanging, now >= state.witnessing.nextFlush,
            state.witnessing.owesAll || !state.witnessing.queue.isEmpty
        else { return }
        let isAll = state.witnessing.owesAll
        let told =
            isAll
            ? cosignatures(concerning: peer)
            : state.witnessing.queue.sorted().compactMap { witness.kept[$0.log]?[$0.witness] }
        let next = now + configuration.cosignatureMilliseconds
        peers[peer]?.witnessing.nextFlush = next
        peers[peer]?.witnessing.queue = []
        if isAll {
            peers[peer]?.witnessing.owesAll = false
            peers[peer]?.witnessing.lastAll = now
        }
        guard isAll || !told.isEmpty else { return }
        let most = ReplicationProtocol.cosignatures
        let batches = stride(from: 0, to: max(told.count, 1), by: most).map {
            Array(told[min($0, told.count)..<min($0 + most, told.count)])
        }
        for (number, batch) in batches.enumerated() {
            let isLast = isAll && number == batches.count - 1
            send(.cosignatures(CosignatureRows(rows: batch, isAll: isLast)), to: peer)
        }
    }

    // MARK: Taking

    mutating func receive(_ message: CosignatureRows, from peer: NodeID) {
        guard witness.mode != .none, now >= peers[peer]?.witnessing.deafUntil ?? 0 else { return }
        var taken: [KeptCosignature] = []
        for row in message.rows {
            // What a retired key says now may be anybody's word.
            guard charter.witness(row.witness.node) == row.witness, let key = charter.witnessKey(named: row.witness)
            else { continue }
            if row.witness.node == node {
                guard takeOwn(row, key: key, from: peer) else { return }
                continue
            }
            guard let head = held[row.head.log], isNews(row, from: peer, head) else { continue }
            guard row.isValid(for: key) else {
                disbelieve(row.witness, peer)
                return
            }
            if row.head.size == head.size, row.head.root != head.root {
                report(
                    .cosignatureContradicts(log: row.head.log, size: row.head.size, row.witness), about: peer,
                    isOnce: true)
                continue
            }
            witness.keeping[row.head.log, default: [:]][row.witness] = row.head.size
            taken.append(row)
        }
        if !taken.isEmpty { effects.append(.keepCosignatures(taken, from: peer)) }
        if message.isAll { hear(allCosignaturesOf: peer) }
    }

    /// Whether a cosignature says more than what is known of its key, or something else.
    private mutating func isNews(_ row: KeptCosignature, from peer: NodeID, _ head: LogHead) -> Bool {
        let log = row.head.log
        // A peer may know the log where it may hold it, and where it has vouched for it itself.
        guard row.witness.node == peer || shares(head.name.stream, with: peer) else { return false }
        if let pending = witness.keeping[log]?[row.witness], pending >= row.head.size { return false }
        guard let known = witness.kept[log]?[row.witness] else { return true }
        return row.head.size > known.head.size
    }

    /// A peer shows a cosignature of this node's own. One that is not known here was given before the disk was set back.
    ///
    /// - Returns: false where the rest of the message is not looked at.
    private mutating func takeOwn(_ row: KeptCosignature, key: WitnessPublicKey, from peer: NodeID) -> Bool {
        let newest = witness.newest[row.head.log]?.head
        if let newest, row.head.size < newest.size || row.head == newest { return true }
        // One that is under way is durable before it leaves; its answer may only come a little later.
        if witness.cosigningLogs.contains(row.head.log) { return true }
        guard row.isValid(for: key) else {
            disbelieve(row.witness, peer)
            return false
        }
        witness.mode = .silent
        report(.witnessStateLost(log: row.head.log, size: row.head.size), about: peer, isOnce: true)
        effects.append(.retireWitnessKey(row, from: peer))
        return true
    }

    private mutating func disbelieve(_ witness: WitnessName, _ peer: NodeID) {
        peers[peer]?.faults += 1
        let until = now + configuration.backOffMilliseconds
        peers[peer]?.witnessing.deafUntil = until
        report(.cosignatureInvalid(witness), about: peer, isOnce: true)
    }

    /// The store has made cosignatures durable; others contradict the entries held, and are not kept.
    public mutating func cosignaturesKept(
        _ rows: [KeptCosignature], contradicting others: [KeptCosignature], from peer: NodeID,
        now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { machine in
            for row in rows + others where machine.witness.keeping[row.head.log]?[row.witness] == row.head.size {
                machine.witness.keeping[row.head.log]?[row.witness] = nil
                if machine.witness.keeping[row.head.log]?.isEmpty == true {
                    machine.witness.keeping[row.head.log] = nil
                }
            }
            for row in rows {
                machine.keep(row)
                machine.tell(row, except: peer)
            }
            for row in others {
                machine.report(
                    .cosignatureContradicts(log: row.head.log, size: row.head.size, row.witness), about: peer,
                    isOnce: true)
            }
        }
    }

    /// Keeps the newest of each key, and lets what it settles be settled.
    mutating func keep(_ row: KeptCosignature) {
        let log = row.head.log
        if let known = witness.kept[log]?[row.witness], known.head.size >= row.head.size { return }
        witness.kept[log, default: [:]][row.witness] = row
        witness.version += 1
        guard let head = held[log], head.name.node == node, !shares(head.name.stream, with: row.witness.node) else {
            return
        }
        // It made this no later than now, and makes no other before its pause is over.
        let next = now + configuration.witnessMilliseconds
        peers[row.witness.node]?.witnessing.notBefore[log] = next
        guard row.head.size < head.size else {
            peers[row.witness.node]?.witnessing.toAsk[log] = nil
            return
        }
        if let asking = peers[row.witness.node]?.witnessing.toAsk[log], asking.next < next {
            peers[row.witness.node]?.witnessing.toAsk[log]?.next = next
        }
    }
}

extension CosignatureKey {
    init(_ cosignature: KeptCosignature) {
        self.init(log: cosignature.head.log, witness: cosignature.witness)
    }
}
