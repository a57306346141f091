import EventLog
import Replication

/// What the network and the stores of a simulation do wrong.
struct Faults {
    var dropPercent = 0
    var duplicatePercent = 0
    /// Messages of one link may overtake each other.
    var reorders = false
    var maximumDelayMilliseconds = 5
    /// The transport does not take a message.
    var sendFailurePercent = 0
    var maximumStoreDelayMilliseconds = 3
}

/// Nodes, the links between them and time, all in one process and all from one seed.
final class Simulation {
    enum Event {
        case tick(NodeID)
        case deliver([UInt8], from: NodeID, to: NodeID, link: UInt64)
        case read(ReadToken, log: LogID, from: UInt64, maximumBytes: Int, node: NodeID, run: UInt64)
        case ingest(IngestToken, EntryRange, LogName, node: NodeID, run: UInt64)
        case witness(WitnessWork, node: NodeID, run: UInt64)
    }

    /// Two nodes, the lower id first.
    struct Link: Hashable {
        let low: NodeID
        let high: NodeID
        init(_ one: NodeID, _ other: NodeID) {
            low = min(one, other)
            high = max(one, other)
        }
    }

    var random: SplitMix64
    var now: UInt64 = 0
    var faults = Faults()
    let ids: [NodeID]
    private(set) var nodes: [NodeID: SimulatedNode] = [:]
    /// How often each kind of thing came about, so that a test can see that it tests something.
    var counts: [String: Int] = [:]
    /// What was found to break a promise.
    var violations: [String] = []
    /// The stream of every log that was ever written.
    private(set) var streams: [LogID: StreamID] = [:]
    /// Looks at every message that honest nodes send.
    var observe: ((ReplicationMessage, _ from: NodeID, _ to: NodeID) -> Void)?
    let tickMilliseconds: UInt64

    private var queue = EventQueue<Event>()
    private var wantedLinks: Set<Link> = []
    private var cutLinks: Set<Link> = []
    /// The links that are up, each with its number.
    private var links: [Link: UInt64] = [:]
    private var linkCounter: UInt64 = 0
    /// When the last message sent each way will arrive.
    private var lastArrival: [NodeID: [NodeID: UInt64]] = [:]

    init(
        seed: UInt64, nodes ids: [NodeID], policy: ListedHoldingPolicy, charter: CharterChain = TestNetwork.chain,
        signing: Signing = .quick, configuration: ReplicationConfiguration = TestNetwork.configuration,
        tickMilliseconds: UInt64 = 40
    ) {
        random = SplitMix64(seed: seed)
        self.ids = ids
        self.tickMilliseconds = tickMilliseconds
        for id in ids {
            nodes[id] = SimulatedNode(
                id: id, signing: signing, charter: charter, policy: policy, configuration: configuration)
        }
    }

    subscript(id: NodeID) -> SimulatedNode { nodes[id]! }

    // MARK: Nodes and links

    func start(_ id: NodeID) {
        self[id].start(now: now, using: &random)
        queue.push(.tick(id), at: now + UInt64(random.number(1...Int(tickMilliseconds))))
        refreshLinks()
    }

    func startAll() {
        for id in ids where !self[id].isRunning { start(id) }
    }

    func stop(_ id: NodeID) {
        self[id].stop()
        refreshLinks()
    }

    /// Connects two nodes, now or as soon as both run.
    func connect(_ one: NodeID, _ other: NodeID) {
        configure(one, other)
        refreshLinks()
    }

    func connectAll() {
        for (place, one) in ids.enumerated() {
            for other in ids[(place + 1)...] { configure(one, other) }
        }
        refreshLinks()
    }

    private func configure(_ one: NodeID, _ other: NodeID) {
        wantedLinks.insert(Link(one, other))
        self[one].configuredPeers.append(other)
        self[other].configuredPeers.append(one)
    }

    func cut(_ one: NodeID, _ other: NodeID) {
        cutLinks.insert(Link(one, other))
        refreshLinks()
    }

    func heal(_ one: NodeID, _ other: NodeID) {
        cutLinks.remove(Link(one, other))
        refreshLinks()
    }

    func healAll() {
        cutLinks = []
        refreshLinks()
    }

    private func refreshLinks() {
        for link in wantedLinks.sorted(by: { ($0.low, $0.high) < ($1.low, $1.high) }) {
            let isUp = self[link.low].isRunning && self[link.high].isRunning && !cutLinks.contains(link)
            if isUp == (links[link] != nil) { continue }
            linkCounter += 1
            links[link] = isUp ? linkCounter : nil
            for (node, peer) in [(link.low, link.high), (link.high, link.low)] {
                input(node) { isUp ? $0.peerUp(peer, now: $1) : $0.peerDown(peer, now: $1) }
            }
        }
    }

    // MARK: Time

    /// Lets time pass.
    func run(milliseconds: UInt64) {
        let end = now + milliseconds
        while let time = queue.nextTime, time <= end, let (_, event) = queue.pop() {
            now = max(now, time)
            handle(event)
        }
        now = end
    }

    /// Lets time pass until something holds; false if it does not within the time.
    func run(atMost milliseconds: UInt64, until isDone: () -> Bool) -> Bool {
        let end = now + milliseconds
        while !isDone() {
            guard now < end else { return false }
            run(milliseconds: 10)
        }
        return true
    }

    private func handle(_ event: Event) {
        switch event {
        case .tick(let id):
            guard self[id].isRunning else { return }
            queue.push(.tick(id), at: now + tickMilliseconds)
            input(id) { $0.tick(now: $1) }
            check(id)
        case .deliver(let bytes, let from, let to, let link):
            guard links[Link(from, to)] == link else { return }
            receive(bytes, from: from, to: to)
        case .read(let token, let log, let from, let maximumBytes, let id, let run):
            guard self[id].run == run, self[id].isRunning else { return }
            let range = self[id].store.logs[log]?.range(from: from, maximumBytes: maximumBytes)
            input(id) { $0.rangeRead(token, range, now: $1) }
        case .ingest(let token, let range, let name, let id, let run):
            guard self[id].run == run, self[id].isRunning else { return }
            let result = self[id].store.ingest(range, name: name)
            if case .failure(.outOfPlace) = result { counts["out of place", default: 0] += 1 }
            if case .success = result { self[id].storedEntries += range.entries.count }
            input(id) { $0.ingestFinished(token, result, now: $1) }
        case .witness(let work, let id, let run):
            guard self[id].run == run, self[id].isRunning else { return }
            perform(work, at: self[id])
        }
    }

    private func receive(_ bytes: [UInt8], from: NodeID, to: NodeID) {
        self[to].messagesReceived += 1
        self[to].bytesReceived += bytes.count
        if case .range(let message)? = try? ReplicationMessage(bytes: bytes) {
            self[to].receivedEntries += message.range.entries.count
        }
        input(to) { $0.receive(bytes, from: from, now: $1) }
    }

    // MARK: Appending

    /// Appends entries at a node that runs and may append; false where it may not.
    @discardableResult
    func append(_ count: Int, to stream: StreamID, at id: NodeID, bodyBytes: ClosedRange<Int> = 10...400) -> Bool {
        let node = self[id]
        guard node.isRunning, node.mayAppend(now: now) else { return false }
        let head = node.store.append(count, to: stream, bodyBytes: bodyBytes, using: &random)
        streams[head.name.id] = stream
        input(id) { $0.storeCommitted([head], now: $1) }
        return true
    }

    /// Tells a node who may hold what.
    func setPolicy(_ policy: ListedHoldingPolicy, at id: NodeID) {
        self[id].policy = policy
        input(id) { $0.authorityChanged(policy, now: $1) }
    }

    // MARK: Effects

    /// Gives a node's machine an input and carries out what follows.
    func input(_ id: NodeID, _ body: (inout ReplicationMachine, UInt64) -> [ReplicationEffect]) {
        guard var machine = self[id].machine else { return }
        self[id].machine = nil
        let effects = body(&machine, now)
        self[id].machine = machine
        var failed: Set<NodeID> = []
        for effect in effects { perform(effect, at: self[id], failed: &failed) }
        for peer in failed.sorted() { input(peer, failedAt: id) }
    }

    private func input(_ peer: NodeID, failedAt id: NodeID) {
        input(id) { $0.sendFailed(to: peer, now: $1) }
    }

    private func perform(_ effect: ReplicationEffect, at node: SimulatedNode, failed: inout Set<NodeID>) {
        node.startRule?.observe(effect, now: now)
        count(effect)
        switch effect {
        case .send(let bytes, let peer):
            send(bytes, from: node, to: peer, failed: &failed)
        case .readRange(let token, let log, let from, let maximumBytes):
            let delay = UInt64(random.number(0...faults.maximumStoreDelayMilliseconds))
            queue.push(
                .read(token, log: log, from: from, maximumBytes: maximumBytes, node: node.id, run: node.run),
                at: now + delay)
        case .ingest(let token, let range, let name, _):
            let delay = UInt64(random.number(0...faults.maximumStoreDelayMilliseconds))
            node.storeBusyUntil = max(node.storeBusyUntil, now) + delay
            queue.push(.ingest(token, range, name, node: node.id, run: node.run), at: node.storeBusyUntil)
        case .storeCharter(let chain):
            node.charter = chain
        case .report(let incident):
            node.incidents.append(incident)
        case .storeForkProof, .ownLogForked:
            violations.append("\(node.id) found a fork where nothing forked")
        case .peerAnswered, .ownLogAhead, .ownEntriesTakenBack, .takeOrders:
            // Nothing is ordered in the simulated network, so no honest node sends orders.
            break
        case .holdBack(let peer, _):
            violations.append("\(node.id) holds \(peer) back, which sends messages")
        case .cosign(let token, let head, let after, let writer): later(.cosign(token, head, after, writer), node)
        case .prove(let token, let log, let from): later(.prove(token, log, from), node)
        case .keepCosignatures(let rows, let peer): later(.keep(rows, peer), node)
        case .retireWitnessKey:
            counts["witness key retired", default: 0] += 1
            node.witness?.isRetired = true
        }
    }

    /// What the store is asked for as a witness comes after whatever it was handed before.
    private func later(_ work: WitnessWork, _ node: SimulatedNode) {
        let delay = UInt64(random.number(0...faults.maximumStoreDelayMilliseconds))
        node.storeBusyUntil = max(node.storeBusyUntil, now) + delay
        queue.push(.witness(work, node: node.id, run: node.run), at: node.storeBusyUntil)
    }

    /// Counts the effects that only come about where something went wrong.
    private func count(_ effect: ReplicationEffect) {
        switch effect {
        case .ownLogAhead: counts["own log ahead", default: 0] += 1
        case .ownEntriesTakenBack: counts["own entries taken back", default: 0] += 1
        case .report(let incident):
            switch incident.kind {
            case .logNotSent: counts["log not sent", default: 0] += 1
            case .streamRefused: counts["stream refused", default: 0] += 1
            default: counts["other incident", default: 0] += 1
            }
        default: break
        }
    }

    private func count(_ message: ReplicationMessage) {
        switch message {
        case .rangeUnavailable(let unavailable):
            counts[unavailable.isAgain ? "asked to ask again" : "range unavailable", default: 0] += 1
        case .range(let range): counts[range.pull == 0 ? "pushed" : "sent on request", default: 0] += 1
        case .have(let have): counts[have.part == nil ? "news" : "vector", default: 0] += 1
        default: break
        }
    }

    private func send(_ bytes: [UInt8], from node: SimulatedNode, to peer: NodeID, failed: inout Set<NodeID>) {
        guard let message = try? ReplicationMessage(bytes: bytes) else {
            violations.append("\(node.id) sent what cannot be read")
            return
        }
        if let tamper = node.tamper {
            for altered in tamper(message, peer) { transmit(altered.bytes, from: node.id, to: peer) }
            return
        }
        checkSent(message, bytes, from: node, to: peer)
        count(message)
        observe?(message, node.id, peer)
        if failed.contains(peer) { return }
        if random.chance(faults.sendFailurePercent) {
            failed.insert(peer)
            return
        }
        transmit(bytes, from: node.id, to: peer)
    }

    /// Puts bytes on the way, as far as the faults let them.
    func transmit(_ bytes: [UInt8], from: NodeID, to: NodeID) {
        guard let link = links[Link(from, to)] else { return }
        let copies = random.chance(faults.duplicatePercent) ? 2 : 1
        for _ in 0..<copies where !random.chance(faults.dropPercent) {
            var time = now + UInt64(random.number(1...max(faults.maximumDelayMilliseconds, 1)))
            if !faults.reorders {
                time = max(time, lastArrival[from]?[to] ?? 0)
                lastArrival[from, default: [:]][to] = time
            }
            queue.push(.deliver(bytes, from: from, to: to, link: link), at: time)
        }
    }
}
