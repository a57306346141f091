public import EventLog

/// One node's side of replication, without any input or output of its own (DESIGN §6).
///
/// Everything that happens is told by one of the inputs, each with the time; each answers with the effects to carry out,
/// in order. The same inputs always give the same effects. The machine sees the store only through effects: it keeps the
/// heads of the logs, never entries.
///
/// What is exchanged with a peer, in this order: greetings; the charter until both hold the same; one digest over all
/// heads both may hold; where it differs, the heads; then whatever is lacking is wanted, log by log, within a window of
/// bytes, and receipted when it is durable. Pull is the truth; new entries of this node are pushed to peers that are
/// known to hold all before them.
///
/// Invariants:
/// - nothing but greetings, versions of the charter and refusals is sent to a peer whose charter is not the one here,
///   or that the charter does not admit;
/// - no message names a stream that its receiver may not hold by the newest charter and policy here, nor a log of one, by
///   name or id; but for messages between a log's writer and its witness, which name the log by its id, a hash;
/// - a log is pulled from at most one peer at a time, and the outstanding credit of all pulls from one peer is at most
///   ``ReplicationConfiguration/creditWindowBytes``;
/// - for each peer at most one read of the store is under way, and no entries are kept in memory;
/// - a cosignature of this node leaves it only after the store said that it is durable, and of one log none is made within
///   ``ReplicationConfiguration/witnessMilliseconds`` of the one before, nor one over a head that does not extend it;
/// - a receipt for a size is sent only after the store said that so much is durable.
public struct ReplicationMachine: Sendable {
    /// This node.
    public let node: NodeID
    /// How much is taken at once and how long is waited.
    public let configuration: ReplicationConfiguration
    /// The charter as far as it is known here.
    public internal(set) var charter: CharterChain
    /// Drawn when this process started.
    let incarnation: UInt64
    /// Who may hold what.
    var policy: any HoldingPolicy
    /// The heads that are durable here. Invariant: sizes are above 0 and never fall.
    var held: [LogID: LogHead] = [:]
    /// The pieces of every forked log, by the log: all of them in `held`.
    var segments: [LogID: Set<LogID>] = [:]
    /// Those of the pieces that another follows: they never grow.
    var inner: Set<LogID> = []
    /// Branches that peers named, by their log.
    var namedBranches: [LogID: Set<LogID>] = [:]
    /// How many they are.
    var namedBranchCount = 0
    /// How often a peer's history of a log was looked at, each time from farther back, to find where it leaves ours.
    var searches: [ForkSearch: Int] = [:]
    /// Searches that begin, or go on, once their peer's window has room.
    var waitingSearches: Set<ForkSearch> = []
    /// Places of logs that are damaged here and are asked of peers, by log or segment.
    var repairs: [LogID: [UInt64]] = [:]
    /// One proof of every fork that is known here.
    var forkProofs: [LogID: (name: LogName, proof: ForkProof)] = [:]
    /// Counts changes of `held`, the policy and the charter, so that digests need not be computed twice.
    var headsVersion: UInt64 = 1
    /// The peers that ever had a link.
    var peers: [NodeID: PeerState] = [:]
    /// Their ids in order: effects must not depend on the order of a dictionary.
    var order: [NodeID] = []
    /// The logs being pulled.
    var pulls: [LogID: Pull] = [:]
    /// The logs of which the store holds ranges that it has not finished.
    var pending: [LogID: PendingIngest] = [:]
    var ingests: [IngestToken: IngestRecord] = [:]
    /// Orders that the store has not finished: who sent them, and how many bytes they take.
    var orderIngests: [IngestToken: (peer: NodeID, bytes: Int)] = [:]
    var reads: [ReadToken: ReadRecord] = [:]
    /// What it has vouched for, and who vouches for what.
    var witness = WitnessState()
    /// Gives tokens, pulls, vectors and generations their numbers.
    var counter: UInt64 = 0
    var now: MonotonicMilliseconds = 0
    var effects: [ReplicationEffect] = []

    /// A machine that has no peers yet.
    ///
    /// - Parameters:
    ///   - node: this node's id in the charter.
    ///   - incarnation: 64 random bits, drawn anew whenever the process starts.
    ///   - charter: what is stored of the charter; at least the founding hash.
    ///   - heads: what the store holds durably.
    ///   - forks: the pieces of every forked log, whose heads are not among `heads`, and its proof where there is one.
    ///   - policy: who may hold which stream.
    ///   - configuration: limits and times.
    ///   - witness: in what way this node takes part in witnessing.
    ///   - cosigned: the head that it cosigned last of each log, and who writes the log.
    ///   - kept: the cosignatures that are stored, this node's own among them.
    public init(
        node: NodeID, incarnation: UInt64, charter: CharterChain, heads: [LogHead], forks: [KnownFork] = [],
        policy: any HoldingPolicy, configuration: ReplicationConfiguration = ReplicationConfiguration(),
        witness mode: WitnessMode = .none, cosigned: [(head: StatedHead, writer: NodeID)] = [],
        kept: [KeptCosignature] = []
    ) {
        self.node = node
        self.incarnation = incarnation
        self.charter = charter
        self.policy = policy
        self.configuration = configuration
        for head in heads where head.size > 0 { held[head.name.id] = head }
        for fork in forks { take(fork) }
        witness.mode = mode
        for (head, writer) in cosigned { witness.newest[head.log] = (head, writer) }
        witness.cosignedBefore = Set(cosigned.map(\.head.log))
        for row in kept { keep(row) }
        beginWitnessing()
    }

    /// Applies one input and gives what it brought about.
    mutating func step(
        _ now: MonotonicMilliseconds, _ input: (inout ReplicationMachine) -> Void
    ) -> [ReplicationEffect] {
        self.now = max(self.now, now)
        for log in witness.cosignedBefore { witness.lastCosigned[log] = self.now }
        witness.cosignedBefore = []
        input(&self)
        advance()
        let result = effects
        effects = []
        return result
    }

    /// Starts whatever has become possible: wants, reads and hints.
    private mutating func advance() {
        // A second round, because a log may be handed to a peer whose turn is over.
        for _ in 0..<2 {
            var isHandedOn = false
            for node in order where peers[node]?.isExchanging == true {
                resumeSearches(at: node)
                if schedule(node) { isHandedOn = true }
            }
            if !isHandedOn { break }
        }
        for node in order where peers[node]?.isExchanging == true {
            serve(node)
            flushHints(node)
            askWitness(node)
            flushCosignatures(to: node)
        }
    }

    /// A number that was not given before.
    mutating func nextNumber() -> UInt64 {
        counter += 1
        return counter
    }
}

// MARK: - Inputs from the transport

extension ReplicationMachine {
    /// A link to a peer is up: it is greeted.
    public mutating func peerUp(_ peer: NodeID, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            guard peer != machine.node else { return }
            if machine.peers[peer] == nil {
                machine.peers[peer] = PeerState()
                let place = machine.order.firstIndex { $0 > peer } ?? machine.order.count
                machine.order.insert(peer, at: place)
            }
            machine.leaveExchange(peer, phase: .greeting)
            machine.peers[peer]?.endSession()
            machine.greet(peer, isAnswer: false)
        }
    }

    /// No link to a peer is up any more; what was under way counts as lost.
    public mutating func peerDown(_ peer: NodeID, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            machine.leaveExchange(peer, phase: .down)
            machine.peers[peer]?.endSession()
        }
    }

    /// Bytes came from a peer, whom the link has proven to be who it is. Any bytes at all may be given.
    public mutating func receive(
        _ message: [UInt8], from peer: NodeID, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { $0.take(message, from: peer) }
    }

    /// The transport did not take one or more messages to a peer. Nothing is sent to it until the next
    /// ``writable(_:now:)`` or ``tick(now:)``; then both sides agree anew on what is under way.
    public mutating func sendFailed(to peer: NodeID, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            guard let phase = machine.peers[peer]?.phase, phase != .down else { return }
            machine.peers[peer]?.isBlocked = true
        }
    }

    /// The transport takes messages to a peer again.
    public mutating func writable(_ peer: NodeID, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { $0.recover(peer) }
    }

    /// Time has passed. To be called every 20 to 100 milliseconds; less often only makes replication slower.
    public mutating func tick(now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            for peer in machine.order { machine.tick(peer) }
            machine.beginRepairs()
            machine.cosignHeld()
        }
    }

    private mutating func take(_ bytes: [UInt8], from peer: NodeID) {
        guard let phase = peers[peer]?.phase, phase != .down else { return }
        peers[peer]?.receivedBytes += UInt64(bytes.count)
        peers[peer]?.lastHeard = now
        let message: ReplicationMessage
        do throws(WireError) {
            message = try ReplicationMessage(bytes: bytes)
        } catch {
            refuseUnreadable(error, from: peer)
            return
        }
        switch message {
        case .hello(let hello): receive(hello, from: peer)
        case .charterRequest(let request): receive(request, from: peer)
        case .charterVersions(let versions): receive(versions, from: peer)
        case .refusal(let refusal): receive(refusal, from: peer)
        default:
            // A peer that thinks it exchanges with us has not heard of our new start, or a greeting was lost.
            guard phase == .exchanging else {
                if phase == .greeting { greetSparingly(peer) }
                return
            }
            takeExchanged(message, from: peer)
        }
    }

    private mutating func takeExchanged(_ message: ReplicationMessage, from peer: NodeID) {
        switch message {
        case .haveDigest(let digest): receive(digest, from: peer)
        case .have(let have): receive(have, from: peer)
        case .want(let want): receive(want, from: peer)
        case .range(let range): receive(range, from: peer)
        case .receipt(let receipt): receive(receipt, from: peer)
        case .rangeUnavailable(let unavailable): receive(unavailable, from: peer)
        case .witnessRequest(let request): receive(request, from: peer)
        case .witnessState(let state): receive(state, from: peer)
        case .cosignatures(let rows): receive(rows, from: peer)
        case .forkProof(let message): receive(message, from: peer)
        case .forkKnown(let known): receive(known, from: peer)
        case .orders(let orders): receive(orders, from: peer)
        default: break
        }
    }
}

// MARK: - Inputs from the store and the node

extension ReplicationMachine {
    /// These heads are durable: own appends, and ranges whose ``ingestFinished(_:_:now:)`` may or may not have been told.
    public mutating func storeCommitted(_ heads: [LogHead], now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { machine in
            for head in heads { machine.commit(head, from: nil) }
        }
    }

    /// The store has read a range, or has nothing to give there.
    ///
    /// - Parameter orders: those under which parts are missing in the range; they are sent before it.
    public mutating func rangeRead(
        _ token: ReadToken, _ range: EntryRange?, orders: [OrderAhead] = [], now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { $0.finishRead(token, range, orders) }
    }

    /// The store is done with orders that came ahead of their logs.
    public mutating func ordersTaken(_ token: IngestToken, now: MonotonicMilliseconds) -> [ReplicationEffect] {
        step(now) { $0.finishOrders(token) }
    }

    /// The store has made a range durable, and holds the log up to the head given; or it has not taken it.
    public mutating func ingestFinished(
        _ token: IngestToken, _ result: Result<LogHead, IngestFailure>, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { $0.finishIngest(token, result) }
    }

    /// Charter or participation have changed who may hold what. Streams gained are asked for from entry 0; of streams
    /// lost nothing more is sent or taken.
    public mutating func authorityChanged(
        _ policy: any HoldingPolicy, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { machine in
            machine.policy = policy
            machine.reviewAuthority()
        }
    }

    /// Versions of the charter were added at this node, and are stored: those that are not here yet are taken in.
    public mutating func charterChanged(
        _ chain: CharterChain, now: MonotonicMilliseconds
    ) -> [ReplicationEffect] {
        step(now) { machine in
            let before = machine.charter.count
            // What is stored was checked, so nothing is refused but what would pass the limits of both together.
            try? machine.charter.insert(contentsOf: chain)
            if machine.charter.count > before { machine.charterAdvanced() }
        }
    }
}
