import EventLog
import MemoryDisk
import Node
import Replication
import StoreCore
import Trial

/// One run of a scenario: nodes, links, disks, clocks and time, all in one process and all from one seed.
///
/// Everything a node does is done by the code that runs in hospitals; simulated are the transport, the disk, the clock,
/// chance, people, and the order in which things come about.
final class Simulation {
    enum Event {
        case tick(NodeID, run: UInt64)
        case deliver([UInt8], from: NodeID, to: NodeID, link: UInt64)
        case read(ReadToken, LogID, from: UInt64, maximumBytes: Int, NodeID, run: UInt64)
        case store(NodeID, run: UInt64)
        case step(Int)
        case restart(NodeID, loss: MemoryDisk.Loss?)
        case unblock(NodeID, NodeID, Block)
        case flap(NodeID, NodeID, left: Int)
        case wake(NodeID)
        case unfreeze(NodeID)
    }

    /// How a direction of a link is blocked.
    enum Block {
        case down, silent, clogged
    }

    struct Direction: Hashable {
        let from: NodeID
        let to: NodeID
    }

    struct Pair: Hashable {
        let low: NodeID
        let high: NodeID
        init(_ one: NodeID, _ other: NodeID) { (low, high) = one < other ? (one, other) : (other, one) }
    }

    let scenario: Scenario
    var random: SimulationGenerator
    /// What the step that is carried out draws from.
    var stepGenerator = SimulationGenerator(seed: 0)
    var now: UInt64 = 0
    let nodes: [NodeID: SimulatedNode]
    var study: StudyID?
    var counts: [FaultKind: Int] = [:]
    /// How often each kind of thing was done, by its name.
    var tally: [String: Int] = [:]
    /// What was found to break a promise. The first is told; the rest may follow from it.
    var violations: [String] = []
    /// Every command that was sent, in order.
    var commands: [SentByClient] = []
    /// Of the logs of a node that was set back: how much of each others held then, and who.
    var keptByOthers: [LogID: (size: UInt64, at: Set<NodeID>)] = [:]
    /// When a node first held each number of charter versions.
    var charterSince: [UInt64: UInt64] = [:]
    var network = Scenario.NetworkFaults()
    var isHealed = false
    /// Who is hostile, once the study is open.
    var hostile: NodeID?
    /// A digest of everything that happened, in order.
    private(set) var trace: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var messagesSent = 0
    private(set) var bytesSent = 0

    private var queue = EventQueue<Event>()
    private var wantedLinks: [Pair] = []
    private var links: [Pair: UInt64] = [:]
    private var linkCounter: UInt64 = 0
    /// How many reasons there are for which a direction is blocked, by the kind of block.
    private var blocks: [Direction: [Block: Int]] = [:]
    private var held: [Direction: [([UInt8], UInt64)]] = [:]
    private var lastArrival: [Direction: UInt64] = [:]

    /// Prepares the run of a scenario.
    init(_ scenario: Scenario) {
        self.scenario = scenario
        random = SimulationGenerator(seed: scenario.seed, purpose: 1)
        nodes = Dictionary(uniqueKeysWithValues: Cast.everybody.map { ($0, SimulatedNode($0, seed: scenario.seed)) })
    }

    subscript(id: NodeID) -> SimulatedNode {
        guard let node = nodes[id] else { preconditionFailure("no node \(id)") }
        return node
    }

    /// The nodes that are held to the promises: all but the hostile one.
    var honest: [SimulatedNode] {
        Cast.everybody.filter { $0 != hostile }.map { self[$0] }.filter(\.isSetUp)
    }

    func count(_ kind: FaultKind) { counts[kind, default: 0] += 1 }

    /// Notes that a promise was broken; the simulation ends soon after the first.
    func violate(_ text: String) {
        if violations.count < 5 { violations.append("at \(now) ms: \(text)") }
    }

    func note(_ words: UInt64...) {
        for word in words { trace = (trace ^ word) &* 0x0000_0100_0000_01B3 }
    }

    // MARK: Time

    func push(_ event: Event, after milliseconds: UInt64) {
        queue.push(event, at: now + milliseconds)
    }

    func run(milliseconds: UInt64) {
        let end = now + milliseconds
        while violations.isEmpty, let time = queue.nextTime, time <= end, let (_, event) = queue.pop() {
            now = max(now, time)
            handle(event)
        }
        now = end
    }

    /// Lets time pass until something holds; false if it does not within the time.
    func run(atMost milliseconds: UInt64, until isDone: () -> Bool) -> Bool {
        let end = now + milliseconds
        while !isDone() {
            guard now < end, violations.isEmpty else { return false }
            run(milliseconds: 100)
        }
        return true
    }

    private func handle(_ event: Event) {
        switch event {
        case .tick(let id, let run):
            guard self[id].run == run, self[id].isRunning else { return }
            push(.tick(id, run: run), after: 50)
            input(id) { $0.tick(now: $1) }
            decideStart(id)
        case .deliver(let bytes, let from, let to, let link):
            guard links[Pair(from, to)] == link else { return }
            receive(bytes, from: from, to: to)
        case .read(let token, let log, let from, let maximumBytes, let id, let run):
            guard self[id].run == run, let core = self[id].core else { return }
            let range = try? core.readSegment(log, from: from, maximumBytes: maximumBytes)
            input(id) { $0.rangeRead(token, range ?? nil, now: $1) }
        case .store(let id, let run):
            guard self[id].run == run, self[id].isRunning else { return }
            runStore(id)
        case .step(let place): perform(scenario.steps[place])
        case .restart(let id, let loss): restart(id, loss)
        case .unblock(let from, let to, let block): unblock(from, to, block)
        case .flap(let one, let other, let left): flap(one, other, left: left)
        case .wake(let id): self[id].slownessMilliseconds = 0
        case .unfreeze(let id): unfreeze(id)
        }
    }

    func unfreeze(_ id: NodeID) {
        self[id].clock.frozenAt = nil
    }

    // MARK: Links

    func connect(_ one: NodeID, _ other: NodeID) {
        let pair = Pair(one, other)
        guard one != other, !wantedLinks.contains(pair) else { return }
        wantedLinks.append(pair)
        for (node, peer) in [(one, other), (other, one)] where !self[node].configuredPeers.contains(peer) {
            self[node].configuredPeers.append(peer)
        }
        refreshLinks()
    }

    /// Nobody talks to the node any more.
    func disconnect(_ id: NodeID) {
        wantedLinks.removeAll { $0.low == id || $0.high == id }
        for pair in links.keys.filter({ $0.low == id || $0.high == id }).sorted(by: {
            ($0.low, $0.high) < ($1.low, $1.high)
        }) {
            links[pair] = nil
            for (node, peer) in [(pair.low, pair.high), (pair.high, pair.low)] {
                input(node) { $0.peerDown(peer, now: $1) }
            }
        }
    }

    /// Whether a node's transport admits another's key: by the charter it knows, and the addresses it was given.
    private func admits(_ node: NodeID, _ peer: NodeID) -> Bool {
        guard let chain = self[node].running?.state.chain else { return false }
        // A new node knows only the founding charter, and those who are in it.
        return chain.isAdmitted(peer)
    }

    func refreshLinks() {
        for pair in wantedLinks {
            let isBlocked =
                isBlocked(Direction(from: pair.low, to: pair.high), .down)
                || isBlocked(Direction(from: pair.high, to: pair.low), .down)
            let isUp = admits(pair.low, pair.high) && admits(pair.high, pair.low) && !isBlocked
            if isUp == (links[pair] != nil) { continue }
            linkCounter += 1
            links[pair] = isUp ? linkCounter : nil
            held[Direction(from: pair.low, to: pair.high)] = nil
            held[Direction(from: pair.high, to: pair.low)] = nil
            for (node, peer) in [(pair.low, pair.high), (pair.high, pair.low)] {
                input(node) { isUp ? $0.peerUp(peer, now: $1) : $0.peerDown(peer, now: $1) }
            }
        }
    }

    private func isBlocked(_ direction: Direction, _ block: Block) -> Bool {
        (blocks[direction]?[block] ?? 0) > 0
    }

    func block(_ from: NodeID, _ to: NodeID, _ block: Block, milliseconds: UInt64) {
        guard from != to, !isHealed else { return }
        blocks[Direction(from: from, to: to), default: [:]][block, default: 0] += 1
        push(.unblock(from, to, block), after: milliseconds)
        if block == .down { refreshLinks() }
    }

    private func unblock(_ from: NodeID, _ to: NodeID, _ block: Block) {
        let direction = Direction(from: from, to: to)
        guard let count = blocks[direction]?[block], count > 0 else { return }
        blocks[direction]?[block] = count - 1
        guard count == 1 else { return }
        if block == .down { refreshLinks() }
        if block == .clogged { release(direction) }
    }

    private func release(_ direction: Direction) {
        for (bytes, link) in held.removeValue(forKey: direction) ?? [] {
            push(.deliver(bytes, from: direction.from, to: direction.to, link: link), after: 1)
        }
    }

    private func flap(_ one: NodeID, _ other: NodeID, left: Int) {
        guard left > 0, !isHealed else { return }
        block(one, other, .down, milliseconds: 150)
        push(.flap(one, other, left: left - 1), after: 300)
    }

    /// All links are up and sound from now on.
    func healLinks() {
        isHealed = true
        network = Scenario.NetworkFaults()
        blocks = [:]
        for direction in held.keys.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) { release(direction) }
        refreshLinks()
    }

    /// Puts bytes on the way, as far as the faults let them.
    func transmit(_ bytes: [UInt8], from: NodeID, to: NodeID) {
        guard let link = links[Pair(from, to)] else { return }
        messagesSent += 1
        bytesSent += bytes.count
        note(now, UInt64(bytes.count), bytes.last.map(UInt64.init) ?? 0)
        let direction = Direction(from: from, to: to)
        if isBlocked(direction, .silent) { return }
        let copies = random.chance(network.duplicatePercent) ? 2 : 1
        if copies == 2 { count(.duplicated) }
        for _ in 0..<copies {
            if random.chance(network.dropPercent) {
                count(.dropped)
                continue
            }
            if isBlocked(direction, .clogged), held[direction]?.count ?? 0 < 2_000 {
                held[direction, default: []].append((bytes, link))
                continue
            }
            let delay = random.number(1...max(network.maximumDelayMilliseconds, 1))
            var time = now + UInt64(delay + self[to].slownessMilliseconds + self[from].slownessMilliseconds)
            if delay > 200 { count(.delayed) }
            if network.reorders {
                if time < lastArrival[direction] ?? 0 { count(.reordered) }
            } else {
                time = max(time, lastArrival[direction] ?? 0)
            }
            lastArrival[direction] = max(time, lastArrival[direction] ?? 0)
            queue.push(.deliver(bytes, from: from, to: to, link: link), at: time)
        }
    }
}
