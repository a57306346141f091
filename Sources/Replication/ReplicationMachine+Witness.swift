public import EventLog

/// Vouching for logs: asking witnesses that may not hold a log, and cosigning (C2SP tlog-witness, tlog-cosignature).
///
/// A peer that may hold a log cosigns what it holds of it. One that may not is asked by the log's writer, and is shown the
/// signed head and a proof only: it learns the log's id, which is a hash, and no stream.
extension ReplicationMachine {
    // MARK: Inputs

    /// The witness key may be used from now on, or may not, as after a change of the charter.
    public mutating func setWitnessMode(_ mode: WitnessMode, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            machine.witness.mode = mode
            machine.witness.nextDue = 0
            machine.beginWitnessing()
        }
    }

    /// The store has made a head the newest that this node cosigned, and signed it; or it has not.
    public mutating func cosigned(
        _ token: WitnessToken, _ result: Result<KeptCosignature, CosigningFailure>, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { $0.finishCosigning(token, result) }
    }

    /// The store has made a proof, or cannot.
    public mutating func proved(
        _ token: WitnessToken, _ proof: WitnessedExtension?, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { machine in
            guard let (peer, log) = machine.witness.proving.removeValue(forKey: token) else { return }
            machine.peers[peer]?.witnessing.isProving = false
            guard let proof, machine.peers[peer]?.isExchanging == true, machine.asks(peer, for: log) else { return }
            machine.send(.witnessRequest(proof), to: peer)
        }
    }

    // MARK: Beginning

    /// Whether a log may be vouched for: it is not known to be forked, and the head is that of all of it.
    private func isWhole(_ head: LogHead) -> Bool {
        head.name.fork == nil && segments[head.name.log] == nil && forkProofs[head.name.log] == nil
    }

    /// Whether this node, writing the log, has to ask a peer to vouch for it, because the peer may not hold it.
    private func asks(_ peer: NodeID, for log: LogID) -> Bool {
        guard witness.mode != .none, let head = held[log], head.name.node == node, isWhole(head),
            let name = charter.witness(peer)
        else { return false }
        return !shares(head.name.stream, with: peer) && head.size > witness.kept[log]?[name]?.head.size ?? 0
    }

    /// Finds out anew what is to be cosigned and asked: charter, policy or mode have changed, or an exchange began.
    mutating func beginWitnessing() {
        guard witness.mode != .none else { return }
        witness.due = Set(
            held.values.filter { head in
                head.name.node != node && isWhole(head) && policy.mayHold(node, head.name.stream)
                    && head.size > witness.newest[head.name.id]?.head.size ?? 0
            }.map(\.name.id))
        let own = held.values.filter { $0.name.node == node }.map(\.name.id)
        for peer in order where peers[peer]?.phase == .exchanging {
            let before = peers[peer]?.witnessing.toAsk ?? [:]
            var toAsk: [LogID: PeerWitnessing.Asking] = [:]
            for log in own where asks(peer, for: log) { toAsk[log] = before[log] ?? asking(peer, for: log) }
            peers[peer]?.witnessing.toAsk = toAsk
            peers[peer]?.witnessing.nextAsk = 0
        }
    }

    /// How a log of this node's own that is to be asked for begins to be asked for: not sooner after the last time than a
    /// witness would answer.
    private func asking(_ peer: NodeID, for log: LogID) -> PeerWitnessing.Asking {
        PeerWitnessing.Asking(next: peers[peer]?.witnessing.notBefore[log] ?? 0)
    }

    /// A log has grown here: it is to be vouched for.
    mutating func noteForWitnesses(_ head: LogHead) {
        guard witness.mode != .none, isWhole(head) else { return }
        let log = head.name.id
        guard head.name.node == node else {
            guard policy.mayHold(node, head.name.stream) else { return }
            witness.due.insert(log)
            witness.nextDue = 0
            return
        }
        for peer in order where peers[peer]?.phase == .exchanging && asks(peer, for: log) {
            var asking = peers[peer]?.witnessing.toAsk[log] ?? asking(peer, for: log)
            // Whatever kept it from answering, there is something new to answer.
            asking.next = min(asking.next, now + configuration.witnessMilliseconds)
            asking.wait = 0
            peers[peer]?.witnessing.toAsk[log] = asking
            peers[peer]?.witnessing.nextAsk = 0
        }
    }

    // MARK: Cosigning what is held

    /// Cosigns the held logs that have grown, each at most once in the time between two cosignatures.
    mutating func cosignHeld() {
        guard mayCosign, now >= witness.nextDue, !witness.due.isEmpty else { return }
        var next = now + configuration.witnessMilliseconds
        for log in witness.due.sorted() {
            guard let head = held[log], head.size > witness.newest[log]?.head.size ?? 0,
                isWhole(head), policy.mayHold(node, head.name.stream)
            else {
                witness.due.remove(log)
                continue
            }
            guard !witness.cosigningLogs.contains(log) else { continue }
            let due = witness.lastCosigned[log].map { $0 + configuration.witnessMilliseconds } ?? 0
            guard now >= due, witness.cosigning.count < 64 else {
                next = min(next, max(due, now + 50))
                continue
            }
            witness.due.remove(log)
            cosign(StatedHead(log: log, size: head.size, root: head.root), writer: head.name.node, asker: nil)
        }
        witness.nextDue = next
    }

    private var mayCosign: Bool { witness.mode == .active && charter.isAdmitted(node) }

    private mutating func cosign(_ head: StatedHead, writer: NodeID, asker: NodeID?) {
        let token = WitnessToken(number: nextNumber())
        witness.cosigning[token] = (head.log, asker)
        witness.cosigningLogs.insert(head.log)
        witness.lastCosigned[head.log] = now
        effects.append(.cosign(token, head, after: witness.newest[head.log]?.head, writer: writer))
    }

    private mutating func finishCosigning(
        _ token: WitnessToken, _ result: Result<KeptCosignature, CosigningFailure>
    ) {
        guard let (log, asker) = witness.cosigning.removeValue(forKey: token) else { return }
        witness.cosigningLogs.remove(log)
        // The store may have been slow: the pause is one between statements, not between requests to make them.
        witness.lastCosigned[log] = now
        let writer = held[log]?.name.node ?? asker
        switch result {
        case .success(let cosignature):
            if let writer { witness.newest[log] = (cosignature.head, writer) }
            keep(cosignature)
            tell(cosignature, except: nil)
            if let asker, held[log] == nil { queue(CosignatureKey(log: log, witness: cosignature.witness), to: asker) }
        case .failure(.otherNewest(let newest)):
            if let newest, let writer { witness.newest[log] = (newest, writer) }
        case .failure(.contradictsHeld(let newest)):
            guard let name = charter.witness(node), let about = writer else { return }
            report(
                .cosignatureContradicts(log: log, size: newest.size, name), about: asker ?? about, isOnce: true)
            return
        case .failure(.failed):
            break
        }
        // What came meanwhile, or was not done, is due when the time has passed.
        if let head = held[log], isWhole(head), head.name.node != node, head.size > witness.newest[log]?.head.size ?? 0
        {
            witness.due.insert(log)
        }
    }

    // MARK: Asking, and being asked

    /// Shows a peer the heads of own logs that it may not hold, each at most once in the time between two cosignatures.
    mutating func askWitness(_ peer: NodeID) {
        guard witness.mode != .none, let state = peers[peer]?.witnessing, !state.isProving, now >= state.nextAsk,
            !state.toAsk.isEmpty, let name = charter.witness(peer)
        else { return }
        var next = now + configuration.witnessMilliseconds
        for (log, asking) in state.toAsk.sorted(by: { $0.key < $1.key }) {
            guard asks(peer, for: log) else {
                peers[peer]?.witnessing.toAsk[log] = nil
                continue
            }
            guard now >= asking.next else {
                next = min(next, asking.next)
                continue
            }
            var asked = asking
            asked.wait = min(
                max(asking.wait * 2, configuration.witnessMilliseconds), configuration.witnessPatienceMilliseconds)
            asked.next = now + asked.wait
            peers[peer]?.witnessing.toAsk[log] = asked
            let time = now
            var notBefore = state.notBefore.filter { $0.value > time }
            notBefore[log] = now + configuration.witnessMilliseconds
            peers[peer]?.witnessing.notBefore = notBefore
            peers[peer]?.witnessing.isProving = true
            let token = WitnessToken(number: nextNumber())
            witness.proving[token] = (peer, log)
            let size = max(asking.stated ?? 0, witness.kept[log]?[name]?.head.size ?? 0)
            effects.append(.prove(token, log: log, from: asking.stated ?? size))
            // One proof at a time: the next log's turn comes when this one is made.
            next = now
            break
        }
        peers[peer]?.witnessing.nextAsk = next
    }

    /// A log's writer asks this node to vouch for it.
    mutating func receive(_ request: WitnessedExtension, from peer: NodeID) {
        guard mayCosign, now >= peers[peer]?.witnessing.deafUntil ?? 0, let network = charter.network,
            let writer = charter.node(peer), let signed = try? SignedCheckpoint(bytes: request.checkpoint),
            let origin = signed.checkpoint.logOrigin, origin.network == network,
            signed.checkpoint.size <= ReplicationProtocol.logSize,
            let key = try? NoteVerifierKey(name: origin.keyName, publicKey: writer.signingKey.hash.bytes)
        else { return }
        let log = origin.log
        let known = witness.newest[log]
        // A log of somebody else's, or one more than is kept in mind for one writer.
        guard known == nil || known?.writer == peer, held[log].map({ $0.name.node == peer }) ?? true,
            known != nil || witness.newest.values.count(where: { $0.writer == peer }) < configuration.logsPerPeer
        else { return }
        let head: StatedHead
        do throws(WitnessRefusal) {
            head = try request.head(of: signed, log: log, key: key, after: known?.head)
        } catch {
            refuse(request, log: log, error, from: peer)
            return
        }
        if head == known?.head {
            // It was cosigned already, and the answer was lost.
            if let name = charter.witness(node) { queue(CosignatureKey(log: log, witness: name), to: peer) }
            return
        }
        let isTooSoon = witness.lastCosigned[log].map { now < $0 + configuration.witnessMilliseconds } ?? false
        guard !isTooSoon, !witness.cosigningLogs.contains(log), witness.cosigning.count < 64 else { return }
        cosign(head, writer: peer, asker: peer)
    }

    private mutating func refuse(
        _ request: WitnessedExtension, log: LogID, _ refusal: WitnessRefusal, from peer: NodeID
    ) {
        switch refusal {
        case .otherSize(let newest):
            send(.witnessState(WitnessedSize(log: log, size: newest)), to: peer)
            // A statement that the asker lost is told again: it need not be made again.
            if let name = charter.witness(node), newest > 0 {
                queue(CosignatureKey(log: log, witness: name), to: peer)
            }
        case .notSigned, .empty, .extended, .contradicts, .proof:
            // Told once: one that is not signed may be of a log from before the writer's key was replaced, or an error of ours.
            peers[peer]?.faults += 1
            refuse(peer, .headNotCosigned, "a head is not cosigned: \(refusal)")
            report(.witnessRefused(log: log, refusal, shown: request.checkpoint), about: peer, isOnce: true)
        }
    }

    /// A witness says how far it has cosigned a log, because the proof it was shown started elsewhere.
    mutating func receive(_ state: WitnessedSize, from peer: NodeID) {
        guard var asking = peers[peer]?.witnessing.toAsk[state.log], asks(peer, for: state.log),
            state.size <= held[state.log]?.size ?? 0, asking.stated != state.size
        else { return }
        asking.stated = state.size
        // At once, but only once for each answer that says something new.
        asking.next = now
        peers[peer]?.witnessing.toAsk[state.log] = asking
        peers[peer]?.witnessing.nextAsk = now
    }
}
