import EventLog

/// Greetings, and the charter: nothing else is exchanged with a peer until both hold the same versions.
extension ReplicationMachine {
    // MARK: Greeting

    /// Tells a peer who we are and which charter we hold.
    mutating func greet(_ peer: NodeID, isAnswer: Bool) {
        guard let phase = peers[peer]?.phase else { return }
        let hello = Hello(
            node: node, network: charter.network, charterCount: charter.count, charterHash: charter.newestHash,
            incarnation: incarnation, isAnswer: isAnswer)
        let isHopeless = [.contradicting, .notAdmitted, .foreign].contains(phase)
        let wait = isHopeless ? configuration.antiEntropyMilliseconds : configuration.retryMilliseconds
        let next = now + wait
        peers[peer]?.lastHello = now
        peers[peer]?.nextHello = next
        send(.hello(hello), to: peer)
    }

    /// Greets a peer that seems not to know us, at most once in a retry time, so that stray messages cost little.
    mutating func greetSparingly(_ peer: NodeID) {
        if let last = peers[peer]?.lastHello, now < last + configuration.retryMilliseconds { return }
        greet(peer, isAnswer: false)
    }

    mutating func receive(_ hello: Hello, from peer: NodeID) {
        guard hello.node == peer else {
            turnAway(peer, .foreign, .wrongNode(hello.node), .wrongSender)
            return
        }
        if let mine = charter.network, let theirs = hello.network, mine != theirs {
            turnAway(peer, .foreign, .wrongNetwork(theirs), .wrongSender)
            return
        }
        if peers[peer]?.incarnation != hello.incarnation {
            if peers[peer]?.incarnation != nil {
                // The peer has started anew and knows nothing of what was under way.
                leaveExchange(peer, phase: .greeting)
                peers[peer]?.endSession()
            }
            peers[peer]?.incarnation = hello.incarnation
        }
        peers[peer]?.charter = (hello.charterCount, hello.charterHash)
        if !hello.isAnswer { greet(peer, isAnswer: true) }
        settleCharter(with: peer)
    }

    /// Ends all exchange with a peer and says why.
    private mutating func turnAway(
        _ peer: NodeID, _ phase: PeerPhase, _ kind: ReplicationIncident.Kind, _ code: RefusalCode
    ) {
        leaveExchange(peer, phase: phase)
        let next = now + configuration.antiEntropyMilliseconds
        peers[peer]?.nextHello = next
        report(kind, about: peer, isOnce: true)
        refuse(peer, code, "nothing is exchanged: \(code)")
    }

    // MARK: Settling

    /// Compares the peer's charter with ours and acts on the outcome.
    mutating func settleCharter(with peer: NodeID) {
        guard let state = peers[peer], state.phase != .down, let theirs = state.charter else { return }
        guard theirs.count == charter.count, theirs.hash == charter.newestHash, !charter.isEmpty else {
            leaveExchange(peer, phase: .settlingCharter)
            // A peer that only lacks versions asks for them when it has heard our greeting.
            if charter.newestHash(ofFirst: theirs.count) != theirs.hash { requestCharter(from: peer) }
            return
        }
        for id in [node, peer] where !charter.isAdmitted(id) {
            turnAway(peer, .notAdmitted, .notAdmitted(id), .notAdmitted)
            return
        }
        guard state.phase != .exchanging else { return }
        peers[peer]?.phase = .exchanging
        sendDigest(to: peer, isAnswer: false)
        considerAll(of: peer)
        beginWitnessing()
    }

    /// Asks for what the peer holds beyond what is here. Mostly its versions continue ours; where they do not, all of them are
    /// gone through once from the first.
    private mutating func requestCharter(from peer: NodeID) {
        guard let state = peers[peer], let theirs = state.charter else { return }
        if let last = state.lastCharterRequest, now < last + configuration.retryMilliseconds { return }
        if state.charterReading?.hash != theirs.hash {
            let continues = theirs.count > charter.count
            peers[peer]?.charterReading = CharterReading(
                hash: theirs.hash, next: continues ? charter.count : 0, isWhole: !continues || charter.count == 0)
        }
        guard let reading = peers[peer]?.charterReading, reading.next < theirs.count else { return }
        peers[peer]?.lastCharterRequest = now
        send(.charterRequest(CharterRequest(first: reading.next)), to: peer)
    }

    mutating func receive(_ request: CharterRequest, from peer: NodeID) {
        guard request.first < charter.count else { return }
        if let last = peers[peer]?.lastCharterAnswer, request.first <= last.first,
            now < last.time + configuration.answerMilliseconds
        {
            return
        }
        peers[peer]?.lastCharterAnswer = (now, request.first)
        var versions: [[UInt8]] = []
        var byteCount = 0
        for signed in charter.versions.dropFirst(Int(request.first)).prefix(ReplicationProtocol.charterVersions) {
            let bytes = signed.bytes
            guard versions.isEmpty || byteCount + bytes.count <= ReplicationProtocol.charterBytes else { break }
            versions.append(bytes)
            byteCount += bytes.count
        }
        send(.charterVersions(CharterVersions(first: request.first, versions: versions)), to: peer)
    }

    mutating func receive(_ message: CharterVersions, from peer: NodeID) {
        // Only what was asked for is looked at: verifying signatures is work.
        guard let state = peers[peer], state.phase == .settlingCharter, var reading = state.charterReading,
            message.first == reading.next, !message.versions.isEmpty
        else { return }
        let (count, rivals) = (charter.count, charter.dispute?.rivals)
        var failure: CharterError?
        for bytes in message.versions {
            do throws(CharterError) {
                try charter.insert(SignedCharter(bytes: bytes))
                reading.next += 1
            } catch {
                failure = error
                break
            }
        }
        if case .previousMismatch? = failure, !reading.isWhole { failure = nil }
        // What was left out between is only found by going through all of it.
        if !reading.isWhole, reading.next <= message.first || reading.next >= state.charter?.count ?? 0,
            charter.newestHash != state.charter?.hash
        {
            reading = CharterReading(hash: reading.hash, next: 0, isWhole: true)
        }
        peers[peer]?.charterReading = reading
        peers[peer]?.lastCharterRequest = nil
        if charter.count > count {
            effects.append(.storeCharter(charter))
            if let dispute = charter.dispute, dispute.rivals != rivals {
                report(.charterDisputed(after: dispute.before.charter.number), about: peer)
            }
            charterAdvanced()
        } else if failure == nil {
            settleCharter(with: peer)
        }
        if let failure { receiveFaultyCharter(failure, from: peer) }
    }

    private mutating func receiveFaultyCharter(_ failure: CharterError, from peer: NodeID) {
        switch failure {
        case .foundingMismatch:
            turnAway(
                peer, .contradicting, .charterContradiction(count: peers[peer]?.charter?.count ?? 0),
                .charterContradiction)
        default:
            peers[peer]?.faults += 1
            turnAway(peer, .settlingCharter, .charterRefused(failure), .charterRefused)
            // Not asked again before the next greeting is due.
            peers[peer]?.lastCharterRequest = now
        }
    }

    /// The charter has grown: everyone is told, and every agreement reached is judged again.
    mutating func charterAdvanced() {
        headsVersion += 1
        for peer in order {
            guard let phase = peers[peer]?.phase, phase != .down else { continue }
            greet(peer, isAnswer: false)
            settleCharter(with: peer)
        }
    }

    // MARK: Leaving

    /// Ends what is under way with a peer in both directions and sets its phase.
    mutating func leaveExchange(_ peer: NodeID, phase: PeerPhase) {
        guard let state = peers[peer] else { return }
        if state.phase == .exchanging {
            for log in state.pulling.sorted() {
                endPull(log)
                consider(log)
            }
            peers[peer]?.endExchange()
        }
        peers[peer]?.phase = phase
    }
}
