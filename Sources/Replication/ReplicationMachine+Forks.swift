public import EventLog

/// A piece of a forked log, as the store holds it.
public struct ForkedPiece: Hashable, Sendable {
    /// Its name, and how far it is held.
    public let head: LogHead
    /// Whether another piece follows it: then it never grows.
    public let isInner: Bool

    /// States a piece.
    public init(head: LogHead, isInner: Bool) {
        self.head = head
        self.isInner = isInner
    }
}

/// A forked log as it was known at the start.
public struct KnownFork: Sendable {
    /// The log.
    public let name: LogName
    /// Its pieces; one where another history was never here.
    public let pieces: [ForkedPiece]
    /// Why it is known to be forked; nil where that could not be put into a proof.
    public let proof: ForkProof?

    /// States what is known.
    public init(name: LogName, pieces: [ForkedPiece], proof: ForkProof?) {
        self.name = name
        self.pieces = pieces
        self.proof = proof
    }
}

/// The comparison of a peer's history of a log with the one here.
struct ForkSearch: Hashable, Sendable {
    let log: LogID
    let peer: NodeID
}

/// Logs whose writer signed two histories.
///
/// Where a peer's history of a log contradicts ours, it is asked for entries that are held here already, each time from
/// farther back, until a range comes that begins before the two part: the store makes a branch of it. From then on the
/// pieces between fork points are announced and pulled like logs of their own, under names that every node gives them alike.
extension ReplicationMachine {
    /// Takes over what was known of a fork at the start.
    mutating func take(_ fork: KnownFork) {
        if let proof = fork.proof { forkProofs[fork.name.log] = (fork.name.trunk, proof) }
        for piece in fork.pieces where piece.head.size > 0 { held[piece.head.name.id] = piece.head }
        guard fork.pieces.count > 1 else { return }
        segments[fork.name.log] = Set(fork.pieces.map(\.head.name.id))
        inner.formUnion(fork.pieces.filter(\.isInner).map(\.head.name.id))
    }

    // MARK: Inputs

    /// The store holds several histories of a log, in these pieces; at the start, and whenever they have changed other than
    /// by growing.
    public mutating func logForked(
        _ log: LogID, into pieces: [ForkedPiece], now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { $0.split(log, into: pieces) }
    }

    /// A fork is proven, by what the store found or by what a peer sent and the store has kept.
    public mutating func forkProven(
        _ proof: ForkProof, of name: LogName, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { machine in
            guard machine.forkProofs.updateValue((name.trunk, proof), forKey: name.log) == nil else { return }
            for peer in machine.order where machine.peers[peer]?.isExchanging == true {
                machine.sendForkProof(name.log, to: peer)
            }
        }
    }

    /// The logs that are known to be forked.
    public var forkedLogs: Set<LogID> { Set(forkProofs.keys).union(segments.keys) }

    private mutating func split(_ log: LogID, into pieces: [ForkedPiece]) {
        let before = segments[log] ?? [log]
        let names = Set(pieces.map(\.head.name.id))
        let isNew = segments[log] != names
        for id in before.union(names) {
            held[id] = nil
            inner.remove(id)
        }
        segments[log] = names
        for piece in pieces {
            held[piece.head.name.id] = piece.head
            if piece.isInner { inner.insert(piece.head.name.id) }
        }
        headsVersion += 1
        if pieces.first?.head.name.node == node { effects.append(.ownLogForked(log, pieces.map(\.head))) }
        guard isNew else { return }
        // What was under way belongs to pieces that are cut otherwise now.
        for id in before.union(names) {
            endPull(id)
            pending[id] = nil
        }
        searches = searches.filter { !before.contains($0.key.log) && !names.contains($0.key.log) }
        waitingSearches = waitingSearches.filter { !before.contains($0.log) && !names.contains($0.log) }
        for peer in order {
            for id in before.union(names).union(namedBranches[log] ?? []) {
                peers[peer]?.backOffs[id] = nil
                peers[peer]?.flows[id] = nil
                dropPushes(of: id, to: peer)
            }
            guard peers[peer]?.phase == .exchanging else { continue }
            for id in names.sorted() { peers[peer]?.hints.append(id) }
            peers[peer]?.nextDigest = 0
        }
        for id in names.sorted() { consider(id) }
        considerBranches(of: log)
    }

    // MARK: Branches that peers name

    /// Remembers that a branch was named; false where no more can be kept in mind.
    mutating func noteBranch(_ name: LogName) -> Bool {
        guard name.fork != nil else { return true }
        if namedBranches[name.log]?.contains(name.id) == true { return true }
        if namedBranchCount >= configuration.logsPerPeer { forgetBranches() }
        guard namedBranchCount < configuration.logsPerPeer else { return false }
        namedBranches[name.log, default: []].insert(name.id)
        namedBranchCount += 1
        return true
    }

    /// Keeps in mind only the branches that some peer says to hold now.
    private mutating func forgetBranches() {
        namedBranches = [:]
        for name in order.flatMap({ peers[$0]?.known.values.map(\.name) ?? [] }) where name.fork != nil {
            namedBranches[name.log, default: []].insert(name.id)
        }
        namedBranchCount = namedBranches.values.reduce(0) { $0 + $1.count }
    }

    /// Whether the entries before a branch are here, without which it cannot be checked.
    func holdsAllBefore(_ name: LogName) -> Bool {
        guard let fork = name.fork, fork.index > 0 else { return true }
        if held[name.log]?.size ?? 0 >= fork.index || held[name.id] != nil { return true }
        return segments[name.log]?.contains { held[$0]?.size ?? 0 >= fork.index } ?? false
    }

    /// Puts the branches of a log in line again: what comes before them may have come.
    mutating func considerBranches(of log: LogID) {
        for branch in (namedBranches[log] ?? []).sorted() { consider(branch) }
    }

    // MARK: Finding where histories part

    /// Looks at a peer's history of a log from farther back than the last time.
    ///
    /// - Returns: false where it was looked at from its beginning and found to be no history that could be kept.
    @discardableResult
    mutating func search(_ log: LogID, at peer: NodeID) -> Bool {
        guard let known = peers[peer]?.known[log], peers[peer]?.isExchanging == true,
            shares(known.name.stream, with: peer)
        else { return false }
        let key = ForkSearch(log: log, peer: peer)
        if let pull = pulls[log] {
            // What is under way does not tell where the histories part, unless it is this search.
            if pull.peer != peer || pull.searchedFrom == nil { waitingSearches.insert(key) }
            return true
        }
        let step = searches[key] ?? 0
        let end = min(held[log]?.size ?? known.size, known.size)
        let from = searchStart(step, end: end, start: known.name.start)
        if step > 0, searchStart(step - 1, end: end, start: known.name.start) == known.name.start {
            searches[key] = nil
            // They may have parted before the branch began.
            return known.name.fork == nil ? false : search(known.name.log, at: peer)
        }
        // What is granted for a search counts like any other credit; until there is some, it waits.
        guard hasRoom(at: peer, forBytes: min(configuration.rangeBytes, configuration.creditWindowBytes)) else {
            waitingSearches.insert(key)
            return true
        }
        searches[key] = step + 1
        waitingSearches.remove(key)
        let grant = share(of: peer, count: 1)
        let pull = Pull(
            name: known.name, peer: peer, number: nextNumber(), from: from, grantedBytes: UInt64(grant),
            lastProgress: now, searchedFrom: from)
        pulls[log] = pull
        peers[peer]?.pulling.insert(log)
        sendWant(log, pull)
        return true
    }

    /// Goes on with the searches that waited for room in a peer's window.
    mutating func resumeSearches(at peer: NodeID) {
        guard !waitingSearches.isEmpty else { return }
        for log in waitingSearches.filter({ $0.peer == peer }).map(\.log).sorted() where pulls[log] == nil {
            guard hasRoom(at: peer, forBytes: min(configuration.rangeBytes, configuration.creditWindowBytes)) else {
                return
            }
            waitingSearches.remove(ForkSearch(log: log, peer: peer))
            search(log, at: peer)
        }
    }

    /// Where a search begins to look: each time four times as far before the end as the time before.
    private func searchStart(_ step: Int, end: UInt64, start: UInt64) -> UInt64 {
        let back = UInt64(32) << UInt64(min(2 * step, 40))
        return max(start, end > back ? end - back : 0)
    }

    /// Hands a range to the store that is compared with what is held.
    mutating func compare(_ range: EntryRange, name: LogName, from peer: NodeID) {
        guard let from = pulls[range.log]?.searchedFrom, range.start == from else { return }
        let bytes = range.transferBytes
        pulls[range.log]?.searchedFrom = range.end
        pulls[range.log]?.lastProgress = now
        let token = IngestToken(number: nextNumber())
        ingests[token] = IngestRecord(
            log: range.log, name: name, peer: peer, pull: pulls[range.log]?.number ?? 0, start: range.start,
            end: range.end, bytes: bytes, generation: 0, isSearch: true)
        peers[peer]?.ingestingBytes += bytes
        effects.append(.ingest(token, range, name: name, from: peer))
    }

    /// The store has compared a range.
    mutating func finishSearch(_ item: IngestRecord, _ result: Result<LogHead, IngestFailure>) {
        if finishRepair(item) { return }
        // Where it made a branch, the pull has ended already.
        guard let pull = pulls[item.log], pull.number == item.pull, pull.searchedFrom != nil else { return }
        switch result {
        case .success(let head):
            if head.size > held[item.log]?.size ?? 0, !inner.contains(item.log) { commit(head, from: item.peer) }
            if item.end >= peers[item.peer]?.known[item.log]?.size ?? 0 {
                // No difference after all: what was claimed of the root, or seen before, is gone.
                endPull(item.log)
                searches[ForkSearch(log: item.log, peer: item.peer)] = nil
                peers[item.peer]?.known[item.log] = nil
                let next = now + configuration.antiEntropyMilliseconds
                peers[item.peer]?.nextDigest = next
                consider(item.log)
            } else {
                settle(item.log, bytes: item.bytes)
            }
        case .failure(.contradicts):
            endPull(item.log)
            if !search(item.log, at: item.peer) {
                backOff(item.peer, item.log, isFault: true)
                consider(item.log)
            }
        case .failure(.refused(let reason)):
            peers[item.peer]?.faults += 1
            report(.rangeRefused(log: item.log, start: item.start, reason: reason), about: item.peer)
            endSearch(item, isFault: true)
        case .failure:
            endSearch(item, isFault: false)
        }
    }

    private mutating func endSearch(_ item: IngestRecord, isFault: Bool) {
        endPull(item.log)
        searches[ForkSearch(log: item.log, peer: item.peer)] = nil
        backOff(item.peer, item.log, isFault: isFault)
        consider(item.log)
    }

    // MARK: Proofs

    /// Sends every proof that the peer is not known to hold, of logs in streams that it may hold.
    mutating func sendForkProofs(to peer: NodeID) {
        peers[peer]?.lastProofs = now
        for log in forkProofs.keys.sorted() { sendForkProof(log, to: peer) }
    }

    /// Proofs may be lost on the way, like everything.
    mutating func repeatForkProofs(to peer: NodeID) {
        guard !forkProofs.isEmpty, peers[peer]?.hasAnswered == true,
            now >= (peers[peer]?.lastProofs ?? 0) + configuration.antiEntropyMilliseconds
        else { return }
        sendForkProofs(to: peer)
    }

    private mutating func sendForkProof(_ log: LogID, to peer: NodeID) {
        guard let (name, proof) = forkProofs[log], peers[peer]?.knownForks.contains(log) == false,
            shares(name.stream, with: peer)
        else { return }
        send(
            .forkProof(ForkProofMessage(node: name.node, stream: name.stream, epoch: name.epoch, proof: proof)),
            to: peer)
    }

    mutating func receive(_ message: ForkProofMessage, from peer: NodeID) {
        guard let network = charter.network, let writer = charter.node(message.node),
            shares(message.stream, with: peer)
        else { return }
        let name = LogName(network: network, node: message.node, stream: message.stream, epoch: message.epoch)
        if forkProofs[name.log] == nil {
            do {
                try message.proof.verify(with: try name.verifierKey(publicKey: writer.signingKey.hash.bytes))
            } catch {
                peers[peer]?.faults += 1
                report(.forkProofRefused(log: name.log, reason: "\(error)"), about: peer, isOnce: true)
                return
            }
            effects.append(.storeForkProof(message.proof, name: name, from: peer))
        }
        receive(ForkKnown(log: name.log), from: peer)
        send(.forkKnown(ForkKnown(log: name.log)), to: peer)
    }

    mutating func receive(_ known: ForkKnown, from peer: NodeID) {
        // A peer can only tell of forks that are known here, so that it cannot fill the memory.
        guard forkProofs[known.log] != nil else { return }
        peers[peer]?.knownForks.insert(known.log)
    }
}
