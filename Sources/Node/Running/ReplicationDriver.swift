package import EventLog
import Logging
import Replication
import Store
package import StoreCore
import Synchronization
import ZeroMQTransport

/// Runs the replication state machine on the polling thread: messages and ticks in, messages and store requests out.
///
/// Invariants:
/// - The machine is touched on the polling thread only; so is everything else here.
/// - Ranges go to the store in the order in which the machine asked, through one write at a time.
actor ReplicationDriver {
    let node: NodeID
    private let network: NetworkID
    let store: Store<NodeState>
    private let transport: ZeroMQTransport
    let clock: NodeClock
    let logger: Logger
    /// Called when a longer charter was stored, which no commit of entries tells of.
    let onCharter: @Sendable () -> Void
    private let configuration: NodeConfiguration
    var machine: ReplicationMachine
    let directory: NodeDirectory
    let signer: WitnessSigner
    /// In what way the node may witness while the charter names its key.
    let witnessModeAtStart: WitnessMode
    /// Why the witness key is not to be used any more; nil where it may be.
    var witnessTrouble: String?
    /// Called once the charter names keys that wait in the directory.
    var whenKeysNamed: (@Sendable () -> Void)?
    /// Why the node writes nothing for now, although the start is decided; nil where it may.
    var pauseReason: String?
    private var startRule: StartRule
    private var startVerdict: StartVerdict
    private var pendingIngests: [PendingIngest] = []
    private var isIngesting = false
    private var authorityRevision: UInt64 = 0
    /// Who waits for the start to be decided, each under a number of its own.
    private var startWaiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    private var waiterNumber: UInt64 = 0
    /// What the start rule last said, for `varde status`.
    private(set) var startText = "starting"
    /// Whether the start rule lets the node write.
    private(set) var mayAppend = false
    private var isConfirming = false

    /// What waits for the store, in the order in which it came.
    private struct PendingIngest {
        enum Content {
            case range(EntryRange, LogName)
            case orders([OrderAhead])
        }

        let token: IngestToken
        let content: Content
        let peer: NodeID

        var byteCount: Int {
            switch content {
            case .range(let range, _): range.byteCount
            case .orders(let orders): orders.reduce(0) { $0 + $1.byteCount }
            }
        }
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { transport.executor.asUnownedSerialExecutor() }

    init(
        configuration: NodeConfiguration, store: Store<NodeState>, transport: ZeroMQTransport,
        machine: ReplicationMachine, directory: NodeDirectory, witness: WitnessStart,
        startRule: StartRule, startVerdict: StartVerdict, onCharter: @escaping @Sendable () -> Void, logger: Logger
    ) {
        self.onCharter = onCharter
        node = configuration.node
        network = configuration.network
        self.configuration = configuration
        self.store = store
        self.transport = transport
        clock = NodeClock()
        self.logger = logger
        self.machine = machine
        self.directory = directory
        signer = witness.signer
        witnessModeAtStart = witness.mode
        witnessTrouble = witness.trouble
        pauseReason = KeyReplacement(directory).pauseReason
        self.startRule = startRule
        self.startVerdict = startVerdict
    }

    var now: MonotonicMilliseconds { NodeClock.monotonicMilliseconds() }

    // MARK: Inputs

    /// Takes what the transport saw. Called on the polling thread.
    func handle(_ events: [TransportEvent]) {
        for event in events {
            switch event {
            case .peerUp(let name):
                if let peer = NodeID(name) { perform(machine.peerUp(peer, now: now)) }
            case .peerDown(let name):
                if let peer = NodeID(name) { perform(machine.peerDown(peer, now: now)) }
            case .message(let name, let bytes):
                if let peer = NodeID(name) { perform(machine.receive(bytes, from: peer, now: now)) }
            case .writable(let name):
                if let peer = NodeID(name) { perform(machine.writable(peer, now: now)) }
            case .refusedKey(let key, let address):
                note(
                    "refused key", peer: nil,
                    "a key that the charter does not admit tried to connect from \(address): \(key)")
            case .refusedByPeer(let name):
                logger.warning("a peer does not admit this node's key", metadata: ["peer": "\(name)"])
            }
        }
    }

    /// Time has passed.
    func tick() {
        perform(machine.tick(now: now))
        decideStart()
    }

    /// Entries of this node are durable.
    ///
    /// Where they may have changed who may hold what, the machine learns that first: it must offer nothing by what held
    /// before.
    func committed(_ logs: [CommittedLog]) async {
        if logs.contains(where: { $0.head.name.stream.scope == .study }) { await refreshAuthority(revision: .max) }
        perform(machine.storeCommitted(logs.map(\.head), now: now))
    }

    /// Asks the store who may hold what, if authority may have changed since it was asked last.
    func refreshAuthority(revision: UInt64) async {
        guard revision > authorityRevision else { return }
        let node = node
        let known = try? await store.read { _, state in (state.authorityRevision, state.chain, state.holders(for: node))
        }
        // Two answers may come in either order: the older one must not undo the newer.
        guard let (reached, chain, holders) = known, reached > authorityRevision else { return }
        authorityRevision = reached
        perform(machine.charterChanged(chain, now: now))
        admit(chain)
        perform(machine.authorityChanged(NodeHoldingPolicy(node: node, holders: holders), now: now))
        reviewWitnessKey()
        lookForNamedKeys()
    }

    /// Tells the transport whose keys the newest charter admits, and where they are.
    private func admit(_ chain: CharterChain) {
        let (allowed, peers) = ReplicationDriver.addresses(of: chain, configuration: configuration)
        transport.assumeIsolated { transport in
            do {
                try transport.setAllowedPeers(allowed)
                try transport.setPeers(peers)
            } catch {
                logger.error("the peers of the charter cannot all be connected to: \(error)")
            }
        }
    }

    /// The admitted keys of a charter, and the configured addresses with the key expected there.
    static func addresses(
        of chain: CharterChain, configuration: NodeConfiguration
    ) -> (allowed: [CurvePublicKey: String], peers: [String: PeerAddress]) {
        var allowed: [CurvePublicKey: String] = [:]
        var peers: [String: PeerAddress] = [:]
        guard let newest = chain.newest else {
            // Whoever holds no charter yet knows only the keys that were given by hand.
            for (name, text) in configuration.peerKeys ?? [:] {
                guard let bytes = [UInt8](hex: text), let key = CurvePublicKey(bytes: bytes) else { continue }
                allowed[key] = name
                if let endpoint = configuration.peers[name] {
                    peers[name] = PeerAddress(endpoint: endpoint, publicKey: key)
                }
            }
            return (allowed, peers)
        }
        for other in newest.nodes where other.state == .admitted && other.id != configuration.node {
            guard let key = CurvePublicKey(bytes: other.curveKey.hash.bytes) else { continue }
            allowed[key] = other.id.text
            if let endpoint = configuration.peers[other.id.text] {
                peers[other.id.text] = PeerAddress(endpoint: endpoint, publicKey: key)
            }
        }
        return (allowed, peers)
    }

    // MARK: Questions

    /// How things stand between this node and its peers.
    func status() -> ReplicationStatus { machine.status }

    /// What the transport counted since the start.
    func transportMetrics() -> TransportMetrics { transport.assumeIsolated { $0.metrics() } }

    /// Whether any log is known to be forked.
    var hasForks: Bool { !machine.forkedLogs.isEmpty }

    /// The nodes known to hold a log durably up to a size.
    func knownAt(_ logs: [(LogID, UInt64)]) -> [LogID: [NodeID]] {
        Dictionary(logs.map { ($0.0, machine.knownAt(log: $0.0, size: $0.1)) }) { first, _ in first }
    }

    // MARK: Damage

    /// Asks peers for what is damaged here, each place under the name that it is told under.
    func repair(_ places: [DamagedPlace]) async {
        let named = try? await store.read { core, _ in
            try places.map { place in
                let address = EntryAddress(log: place.log, index: place.firstWanted)
                return (try core.segment(of: address)?.head.name.id ?? place.log, place.firstWanted)
            }
        }
        for (log, index) in named ?? [] { perform(machine.repair(log, from: index, now: now)) }
    }

    // MARK: The start

    /// Waits until own entries may be written (DESIGN §4, "Start, restore, clone, fork").
    ///
    /// - Throws: `CancellationError` where the caller is cancelled before, because the node is stopping.
    func untilMayAppend() async throws {
        if let pauseReason { throw WritingPaused(reason: pauseReason) }
        if mayAppend { return }
        waiterNumber += 1
        let number = waiterNumber
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    startWaiters[number] = continuation
                }
            }
        } onCancel: {
            Task { await self.stopWaiting(number) }
        }
    }

    private func stopWaiting(_ number: UInt64) {
        startWaiters.removeValue(forKey: number)?.resume(throwing: CancellationError())
    }

    private func decideStart() {
        guard !isConfirming else { return }
        switch startRule.decide(now: now) {
        case .waiting(let peers, let logs):
            let waits = peers.map(\.text) + logs.map { "own log \($0) to be taken back" }
            startText = "waiting to hear " + waits.joined(separator: ", ")
        case .mayAppend(.none):
            guard !mayAppend else { return }
            confirm(startVerdict == .agrees ? .guardAgrees : .peersHeard, closing: [])
        case .mayAppend(.logs(let logs)):
            confirm(.peersHeard, closing: logs.sorted())
        case .mayAppend(.all):
            confirm(.newEpochs, closing: [])
        }
    }

    private func confirm(_ ground: StartGround, closing logs: [LogID]) {
        isConfirming = true
        Task {
            do {
                try await store.write { core, _ in
                    for log in logs {
                        if try core.log(log)?.isOwn == true { try core.closeOwnLog(log, reason: .takenBack) }
                    }
                    try core.confirmStart(ground)
                }
                for log in logs { startRule.epochOpened(for: log) }
                if ground == .newEpochs { startRule.allEpochsOpened() }
                opened(ground, closed: logs)
            } catch {
                logger.critical("the node cannot begin to write: \(error)")
            }
            isConfirming = false
        }
    }

    private func opened(_ ground: StartGround, closed: [LogID]) {
        startText = "writing"
        if !closed.isEmpty || ground == .newEpochs {
            logger.warning("continuing in new epochs", metadata: ["closed": "\(closed.map(\.description))"])
        }
        mayAppend = true
        for waiter in startWaiters.values { waiter.resume() }
        startWaiters = [:]
    }

    // MARK: Effects

    func perform(_ effects: [ReplicationEffect]) {
        for effect in effects {
            startRule.observe(effect, now: now)
            switch effect {
            case .send(let bytes, let peer):
                let taken = transport.assumeIsolated { $0.send(bytes, to: peer.text) }
                if !taken { perform(machine.sendFailed(to: peer, now: now)) }
            case .holdBack(let peer, let milliseconds):
                transport.assumeIsolated { $0.holdBack(peer.text, milliseconds: milliseconds) }
            case .readRange(let token, let log, let from, let maximumBytes):
                read(token, log, from: from, maximumBytes: maximumBytes)
            case .ingest(let token, let range, let name, let peer):
                pendingIngests.append(PendingIngest(token: token, content: .range(range, name), peer: peer))
                ingestPending()
            case .takeOrders(let token, let orders, let peer):
                pendingIngests.append(PendingIngest(token: token, content: .orders(orders), peer: peer))
                ingestPending()
            case .storeCharter(let chain): store(chain)
            case .peerAnswered, .ownEntriesTakenBack: decideStart()
            case .ownLogAhead(let head, let peer):
                logger.warning(
                    "a peer holds more of an own log than this node",
                    metadata: ["peer": "\(peer)", "log": "\(head.name.id)", "size": "\(head.size)"])
            case .ownLogForked(let log, _):
                logger.critical(
                    "two histories of an own log are signed: a backup, a copy or a second machine of this node was run",
                    metadata: ["log": "\(log)"])
                decideStart()
            case .storeForkProof(let proof, let name, let peer): store(proof, of: name, from: peer)
            case .report(let incident): note(incident)
            case .cosign(let token, let head, let newest, let writer):
                cosign(token, head, after: newest, writer: writer)
            case .prove(let token, let log, let size): prove(token, log, from: size)
            case .keepCosignatures(let rows, let peer): keep(rows, from: peer)
            case .retireWitnessKey(let shown, let peer): retireWitnessKey(shown, from: peer)
            }
        }
    }

    private func read(_ token: ReadToken, _ log: LogID, from: UInt64, maximumBytes: Int) {
        Task {
            let read = try? await store.read { core, _ -> (EntryRange, [OrderAhead])? in
                guard let range = try core.readSegment(log, from: from, maximumBytes: maximumBytes) else {
                    return nil
                }
                return (range, try core.ordersNeeded(for: range, limit: ReplicationDriver.ordersAhead))
            }
            perform(machine.rangeRead(token, read?.0, orders: read?.1 ?? [], now: now))
        }
    }

    private func store(_ chain: CharterChain) {
        let time = clock.now()
        Task {
            do {
                let revision = try await store.write { core, state in
                    // One that was fed in here meanwhile stays; the machine is told of it afterwards.
                    try state.take(chain.versions, core: core, time: time)
                    return state.authorityRevision
                }
                onCharter()
                await refreshAuthority(revision: revision)
            } catch {
                logger.critical("a version of the charter could not be stored: \(error)")
            }
        }
    }

    private func store(_ proof: ForkProof, of name: LogName, from peer: NodeID) {
        let time = clock.now()
        Task {
            do {
                try await store.write { core, state in
                    if try core.takeForkProof(proof, of: name, from: peer, time: time) { state.insertFork(of: name) }
                }
                perform(machine.forkProven(proof, of: name, now: now))
            } catch {
                logger.critical("the proof of a fork could not be stored: \(error)")
            }
        }
    }

    /// Keeps an incident of replication; of a head that was shown, and the one it contradicts, the signed notes too.
    private func note(_ incident: ReplicationIncident) {
        guard case .witnessRefused(let log, _, let shown) = incident.kind else {
            note("replication", peer: incident.peer, incident.description)
            return
        }
        note("head not cosigned", peer: incident.peer, incident.description, log: log, shown: shown)
    }

    private func note(_ kind: String, peer: NodeID?, _ text: String, log: LogID? = nil, shown: [UInt8]? = nil) {
        logger.warning("\(text)")
        let time = clock.now()
        Task {
            try? await store.write { core, _ in
                try core.storeIncident(
                    Incident(
                        utcMilliseconds: time.utcMilliseconds, kind: kind, peer: peer, log: log, text: text,
                        shownHead: shown))
            }
        }
    }

    private func finished(_ pending: PendingIngest, _ answer: IngestAnswer?) {
        guard let answer, case .range(let range, _) = pending.content else {
            return perform(machine.ordersTaken(pending.token, now: now))
        }
        if let fork = answer.fork {
            if fork.pieces.count > 1 { perform(machine.logForked(fork.name.log, into: fork.pieces, now: now)) }
            if let proof = fork.proof { perform(machine.forkProven(proof, of: fork.name, now: now)) }
        }
        if answer.isRepair {
            perform(machine.repaired(range.log, from: range.start, now: now))
            logger.notice(
                "what was damaged is whole again", metadata: ["log": "\(range.log)", "from": "\(pending.peer)"])
        }
        perform(machine.ingestFinished(pending.token, answer.result, now: now))
    }

    /// Bytes of peers' entries that share a transaction: a person's save that comes meanwhile waits for no more than these.
    private static let ingestBytes = 1024 * 1024

    /// Gives the store what waits, several ranges in one transaction, and afterwards the rest and what came meanwhile.
    private func ingestPending() {
        guard !isIngesting, !pendingIngests.isEmpty else { return }
        isIngesting = true
        var byteCount = 0
        let batch = Array(
            pendingIngests.prefix { pending in
                defer { byteCount += pending.byteCount }
                return byteCount < ReplicationDriver.ingestBytes
            })
        pendingIngests.removeFirst(batch.count)
        let work = batch.map { ($0.content, $0.peer) }
        let time = clock.now()
        Task {
            var revision = authorityRevision
            do {
                let (results, reached) = try await store.write { core, state in
                    let results = try work.map { content, peer -> IngestAnswer? in
                        switch content {
                        case .range(let range, let name):
                            return try RangeIngest.ingest(range, name: name, from: peer, time: time, core, &state)
                        case .orders(let orders):
                            for order in orders { try RangeIngest.take(order, core, state) }
                            return nil
                        }
                    }
                    return (results, state.authorityRevision)
                }
                revision = reached
                for (pending, result) in zip(batch, results) { finished(pending, result) }
            } catch {
                logger.critical("entries of peers could not be stored: \(error)")
                for pending in batch { finished(pending, IngestAnswer(result: .failure(.failed("\(error)")))) }
            }
            await refreshAuthority(revision: revision)
            isIngesting = false
            ingestPending()
        }
    }
}

extension ReplicationDriver {
    /// Orders that are sent before one range.
    fileprivate static let ordersAhead = 256
}

extension CharterRecord {
    /// A signed version as the store keeps it.
    package init(_ signed: SignedCharter) {
        self.init(version: signed.charter.number, bytes: signed.charterBytes, signatures: signed.bytes)
    }
}
