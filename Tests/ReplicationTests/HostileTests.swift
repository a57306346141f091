import EventLog
import Replication
import Testing

/// Peers that lie, stay silent or forge: nothing wrong is stored, they are blamed, the others go on.
struct HostileTests {
    private let liar = TestNetwork.ahus
    private let honest = [TestNetwork.haukeland, TestNetwork.ous]
    private var all: [NodeID] { [liar] + honest }

    private func simulation(seed: UInt64) -> Simulation {
        let simulation = Simulation(seed: seed, nodes: all, policy: TestNetwork.open(all))
        simulation.connectAll()
        return simulation
    }

    /// Alters an entry without touching the checkpoint.
    private static func forged(_ message: RangeMessage) -> ReplicationMessage {
        var entries = message.range.entries
        let last = entries[entries.count - 1]
        entries[entries.count - 1] = RawEntry(header: last.header.map { $0 ^ 1 }, body: last.body)
        let range = message.range
        return .range(
            RangeMessage(
                pull: message.pull,
                range: EntryRange(log: range.log, start: range.start, entries: entries, checkpoint: range.checkpoint)))
    }

    @Test func `a forged range is not stored, its sender is blamed, another is asked`() {
        let simulation = simulation(seed: 1)
        let stream = TestNetwork.stream(of: honest[0])
        // The liar and one honest node hold everything before the other one starts.
        for id in [liar, honest[0]] { simulation.start(id) }
        simulation.run(milliseconds: 50)
        for _ in 0..<20 { simulation.append(4, to: stream, at: honest[0]) }
        #expect(simulation.run(atMost: 2_000) { simulation[liar].store.entryCount == 80 })
        simulation[liar].tamper = { message, _ in
            if case .range(let range) = message { [HostileTests.forged(range)] } else { [message] }
        }
        // The first link the new node gets is the liar's.
        simulation.cut(honest[0], honest[1])
        simulation.start(honest[1])
        simulation.run(milliseconds: 100)
        #expect(simulation[honest[1]].store.entryCount == 0)
        let blamed = simulation[honest[1]].incidents.filter {
            if case .rangeRefused = $0.kind { $0.peer == liar } else { false }
        }
        #expect(!blamed.isEmpty)
        #expect(simulation[honest[1]].machine?.status.peers.first { $0.node == liar }?.faults ?? 0 > 0)
        simulation.heal(honest[0], honest[1])
        #expect(simulation.run(atMost: 500) { simulation[honest[1]].store.entryCount == 80 })
        #expect(simulation[honest[1]].store.heads == simulation[honest[0]].store.heads)
    }

    @Test func `ranges forged and pushed at every chance do not keep honest ones out`() {
        let simulation = simulation(seed: 2)
        simulation.startAll()
        simulation.run(milliseconds: 50)
        let stream = TestNetwork.stream(of: honest[0])
        // Whatever the liar hears of, it sends on, forged, as soon as it has it.
        simulation[liar].tamper = { message, peer in
            switch message {
            case .range(let range): return [HostileTests.forged(range), HostileTests.forged(range)]
            case .receipt(let receipt):
                guard let log = simulation[self.liar].store.logs[receipt.log],
                    let range = log.range(from: receipt.size - 1, maximumBytes: 10_000)
                        ?? log.range(from: 0, maximumBytes: 10_000)
                else { return [message] }
                return [HostileTests.forged(RangeMessage(pull: 0, range: range)), message]
            default: return [message]
            }
        }
        for _ in 0..<40 {
            simulation.append(2, to: stream, at: honest[0])
            simulation.run(milliseconds: 30)
        }
        #expect(
            simulation.run(atMost: 2_000) { simulation.hasConverged(TestNetwork.open(self.all), among: self.honest) })
        #expect(simulation.forkedLogs().isEmpty)
    }

    @Test func `a peer that claims much and never answers does not stall the others`() {
        let simulation = simulation(seed: 3)
        simulation[liar].tamper = { message, _ in
            switch message {
            case .have(let have):
                var rows = have.rows
                for index in rows.indices { rows[index].size = 1 << 39 }
                return [.have(Have(part: have.part, rows: rows))]
            case .receipt(let receipt):
                return [.receipt(Receipt(log: receipt.log, size: 1 << 39, root: receipt.root))]
            case .haveDigest(let digest):
                return [.haveDigest(HaveDigest(digest: .zero, count: digest.count + 1, isAnswer: digest.isAnswer))]
            case .range, .rangeUnavailable: return []
            default: return [message]
            }
        }
        simulation.startAll()
        simulation.run(milliseconds: 50)
        var slowest: UInt64 = 0
        for round in 0..<60 {
            let writer = honest[round % 2]
            simulation.append(3, to: TestNetwork.stream(of: all[round % 3]), at: writer)
            let before = simulation.now
            #expect(
                simulation.run(atMost: 2_000) {
                    simulation.hasConverged(TestNetwork.open(self.all), among: self.honest)
                })
            slowest = max(slowest, simulation.now - before)
            simulation.run(milliseconds: 20)
        }
        // At the worst one want has to time out before the honest node is asked.
        #expect(slowest <= 1_000)
        #expect(simulation[honest[0]].incidents.contains { $0.peer == liar })
        #expect(simulation.violations.isEmpty)
    }

    @Test func `logs that do not exist cost a bounded number of wants and little memory`() {
        let simulation = simulation(seed: 4)
        var random = SplitMix64(seed: 4)
        let rows = (0..<2_000).map { _ in
            HaveRow(
                node: self.honest[0], stream: TestNetwork.studyStream, epoch: Epoch(using: &random), size: 1_000,
                root: .sha256(random.bytes(8)))
        }
        simulation[liar].tamper = { message, _ in
            switch message {
            case .haveDigest:
                return [.have(Have(part: .init(vector: simulation.now + 1, index: 0, count: 1), rows: rows)), message]
            case .range, .rangeUnavailable: return []
            default: return [message]
            }
        }
        simulation.startAll()
        var wants = 0
        simulation.observe = { message, _, to in
            if case .want = message, to == self.liar { wants += 1 }
        }
        // The bogus logs are in the registry of none, so naming them back to the liar is expected here.
        for round in 0..<200 {
            simulation.append(1, to: TestNetwork.stream(of: honest[0]), at: honest[round % 2])
            simulation.run(milliseconds: 50)
        }
        #expect(
            simulation.run(atMost: 1_000) { simulation.hasConverged(TestNetwork.open(self.all), among: self.honest) })
        for id in honest {
            #expect(simulation[id].machine?.footprint ?? .max < 3 * TestNetwork.configuration.logsPerPeer)
            #expect(simulation[id].incidents.contains { $0.kind == .tooManyLogs(limit: 512) })
        }
        // Ten seconds; four logs at a time, each given up after 0.6 s; suspended for 0.4 s after 32, then after 16 failures.
        #expect(wants < 200)
    }

    @Test func `a peer that asks for everything at once gets one range at a time`() {
        var machine = SingleMachine(peers: [liar])
        machine.hold(logs: 40)
        var random = SplitMix64(seed: 5)
        machine.exchange(with: liar)
        var reads = 0
        for log in machine.logs {
            let want = Want(log: log, from: 0, pull: random.next() >> 1 + 1, creditBytes: .max)
            reads +=
                machine.receive(.want(want), from: liar).filter { if case .readRange = $0 { true } else { false } }
                .count
        }
        #expect(reads == 1)
    }

    @Test func `a search for the place where histories part waits for room among the pulls, and then begins`() throws {
        var machine = SingleMachine(peers: [liar])
        machine.hold(logs: 2)
        machine.exchange(with: liar)
        let limits = machine.machine.configuration
        let claimed = (100..<100 + limits.logsInFlight).map { number in
            HaveRow(
                LogHead(
                    name: SingleMachine.name(number, node: TestNetwork.stavanger), size: 1_000,
                    root: .sha256([UInt8(number)])))
        }
        let wants = machine.messages(machine.receive(.have(Have(part: nil, rows: claimed)), from: liar))
            .compactMap { if case .want(let want) = $0 { want } else { nil } }
        #expect(wants.count == limits.logsInFlight)
        let contradicting = (0..<2).map { number in
            HaveRow(LogHead(name: SingleMachine.name(number), size: 10, root: .sha256([0])))
        }
        let effects = machine.receive(.have(Have(part: nil, rows: contradicting)), from: liar)
        #expect(effects.contains { if case .report = $0 { true } else { false } })
        let peer = try #require(machine.machine.status.peers.first { $0.node == liar })
        #expect(peer.outstandingCreditBytes <= limits.creditWindowBytes && peer.logsInFlight <= limits.logsInFlight)
        let first = try #require(wants.first)
        let then = machine.messages(
            machine.receive(.rangeUnavailable(RangeUnavailable(pull: first.pull, isAgain: false)), from: liar))
        #expect(then.contains { if case .want(let want) = $0 { machine.logs.contains(want.log) } else { false } })
    }

    @Test func `more wants than are served at once are refused, not remembered`() {
        var machine = SingleMachine(peers: [liar])
        machine.hold(logs: 300)
        machine.exchange(with: liar)
        var refusals = 0
        for (number, log) in machine.logs.enumerated() {
            let want = Want(log: log, from: 0, pull: UInt64(number + 1), creditBytes: 1_000)
            for case .refusal(let refusal) in machine.messages(machine.receive(.want(want), from: liar)) {
                #expect(refusal.code == .tooMuch)
                refusals += 1
            }
        }
        #expect(refusals == 1)
        #expect(machine.machine.footprint <= 256 * 2 + 400)
    }

    @Test func `what is held and not to be shared looks like what is not held`() {
        var machine = SingleMachine(peers: [liar])
        machine.hold(logs: 1)
        machine.exchange(with: liar)
        let log = machine.logs[0]
        _ = machine.machine.authorityChanged(TestNetwork.closed(TestNetwork.nodes), now: machine.now)
        let forbidden = machine.messages(
            machine.receive(.want(Want(log: log, from: 0, pull: 7, creditBytes: 1_000)), from: liar))
        let unknown = machine.messages(
            machine.receive(
                .want(Want(log: LogID(.sha256([1])), from: 0, pull: 7, creditBytes: 1_000)), from: liar))
        #expect(forbidden == [.rangeUnavailable(RangeUnavailable(pull: 7, isAgain: false))])
        #expect(unknown == forbidden)
    }

    @Test func `a message of an unknown version is refused once in clear words`() {
        var machine = SingleMachine(peers: [liar])
        machine.exchange(with: liar)
        var writer = WireWriter()
        writer.unsigned(1, always: 3)
        writer.message(2) { $0.unsigned(1, always: 1) }
        let effects = machine.machine.receive(writer.bytes, from: liar, now: machine.now)
        guard case .refusal(let refusal)? = machine.messages(effects).first else {
            Issue.record("no refusal was sent")
            return
        }
        #expect(refusal.code == .unknownProtocolVersion)
        #expect(refusal.text.contains("version 0, not 3"))
        #expect(
            effects.contains {
                if case .report(let incident) = $0 { incident.kind == .unknownProtocolVersion(3) } else { false }
            })
        // Its own refusals will be of that version too: they are not answered for ever.
        machine.now += 10_000
        #expect(machine.messages(machine.machine.receive(writer.bytes, from: liar, now: machine.now)).isEmpty)
    }
}
