import EventLog
import Replication
import Testing

/// DESIGN §4, "Start, restore, clone, fork": when a node may append after a start, and where.
struct StartRuleTests {
    private let peers = [TestNetwork.ous, TestNetwork.ahus]
    private let mine = LogHead(name: SingleMachine.name(1), size: 10, root: .sha256([1]))
    private var log: LogID { mine.name.id }

    private func rule(_ guardResult: StartRule.GuardResult, peers: [NodeID]? = nil) -> StartRule {
        StartRule(guardResult: guardResult, configuredPeers: peers ?? self.peers, heads: [mine], now: 1_000)
    }

    @Test func `a node with no log yet need not ask`() {
        var rule = rule(.noLogYet)
        #expect(rule.decide(now: 1_000) == .mayAppend(openNewEpochFor: .none))
    }

    @Test(arguments: [StartRule.GuardResult.agrees, .differs])
    func `when all configured peers have answered and none shows more, it goes on`(guardResult: StartRule.GuardResult) {
        var rule = rule(guardResult)
        #expect(rule.decide(now: 1_000) == .waiting(for: peers.sorted(), takingBack: []))
        rule.peerAnswered(peers[0])
        #expect(rule.decide(now: 2_000) == .waiting(for: [peers[1]], takingBack: []))
        rule.peerAnswered(peers[1])
        #expect(rule.decide(now: 2_001) == .mayAppend(openNewEpochFor: .none))
    }

    @Test func `offline it waits ten seconds, then the guard decides`() {
        var agreeing = rule(.agrees)
        var differing = rule(.differs)
        for now in [UInt64(1_000), 5_000, 10_999] {
            #expect(agreeing.decide(now: now) == .waiting(for: peers.sorted(), takingBack: []))
            #expect(differing.decide(now: now) == .waiting(for: peers.sorted(), takingBack: []))
        }
        #expect(agreeing.decide(now: 11_000) == .mayAppend(openNewEpochFor: .none))
        #expect(differing.decide(now: 11_000) == .mayAppend(openNewEpochFor: .all))
        differing.allEpochsOpened()
        #expect(differing.decide(now: 11_001) == .mayAppend(openNewEpochFor: .none))
    }

    @Test func `where only some peers answered the guard still decides`() {
        var rule = rule(.differs)
        rule.peerAnswered(peers[0])
        #expect(rule.decide(now: 11_000) == .mayAppend(openNewEpochFor: .all))
    }

    @Test func `a directory that was set back, copied or restored writes on only in new epochs, whoever was heard`() {
        var rule = rule(.setBack)
        #expect(rule.decide(now: 1_000) == .waiting(for: peers.sorted(), takingBack: []))
        rule.ownLogAhead(log: log, size: 12)
        for peer in peers { rule.peerAnswered(peer) }
        #expect(rule.decide(now: 2_000) == .waiting(for: [], takingBack: [log]))
        rule.takenBack(log: log, size: 12, now: 2_100)
        #expect(rule.decide(now: 2_100) == .mayAppend(openNewEpochFor: .all))
        rule.allEpochsOpened()
        #expect(rule.decide(now: 2_200) == .mayAppend(openNewEpochFor: .none))
    }

    @Test func `with nobody to ask the guard decides at once`() {
        var agreeing = rule(.agrees, peers: [])
        var differing = rule(.differs, peers: [])
        #expect(agreeing.decide(now: 1_000) == .mayAppend(openNewEpochFor: .none))
        #expect(differing.decide(now: 1_000) == .mayAppend(openNewEpochFor: .all))
    }

    @Test func `entries a peer shows beyond the disk are taken back first, then a new epoch is opened`() {
        var rule = rule(.agrees)
        rule.ownLogAhead(log: log, size: 15)
        for peer in peers { rule.peerAnswered(peer) }
        #expect(rule.decide(now: 2_000) == .waiting(for: [], takingBack: [log]))
        rule.takenBack(log: log, size: 12, now: 2_500)
        #expect(rule.decide(now: 2_500) == .waiting(for: [], takingBack: [log]))
        rule.takenBack(log: log, size: 15, now: 2_600)
        #expect(rule.decide(now: 2_600) == .mayAppend(openNewEpochFor: .logs([log])))
        rule.epochOpened(for: log)
        #expect(rule.decide(now: 2_700) == .mayAppend(openNewEpochFor: .none))
    }

    @Test func `a log of ours that is not on disk at all is taken back too`() {
        var rule = rule(.agrees)
        let lost = SingleMachine.name(2).id
        rule.ownLogAhead(log: lost, size: 3)
        for peer in peers { rule.peerAnswered(peer) }
        #expect(rule.decide(now: 2_000) == .waiting(for: [], takingBack: [lost]))
        rule.takenBack(log: lost, size: 3, now: 2_100)
        #expect(rule.decide(now: 2_100) == .mayAppend(openNewEpochFor: .logs([lost])))
    }

    @Test func `a peer that shows more than it can send holds the start up for ten seconds only`() {
        var rule = rule(.agrees)
        rule.ownLogAhead(log: log, size: 1 << 39)
        for peer in peers { rule.peerAnswered(peer) }
        #expect(rule.decide(now: 10_999) == .waiting(for: [], takingBack: [log]))
        // Whether it lied or lost the entries: writing on in the same log is never safe.
        #expect(rule.decide(now: 11_000) == .mayAppend(openNewEpochFor: .logs([log])))
    }

    @Test func `while entries still come, taking them back may last longer`() {
        var rule = rule(.agrees)
        rule.ownLogAhead(log: log, size: 1_000)
        for peer in peers { rule.peerAnswered(peer) }
        for step in 1...5 {
            let now = UInt64(1_000 + step * 6_000)
            rule.takenBack(log: log, size: UInt64(10 + step), now: now)
            #expect(rule.decide(now: now) == .waiting(for: [], takingBack: [log]))
        }
        #expect(rule.decide(now: 41_000) == .mayAppend(openNewEpochFor: .logs([log])))
    }

    @Test func `after the start a claim alone changes nothing, entries do`() {
        var rule = rule(.agrees)
        for peer in peers { rule.peerAnswered(peer) }
        #expect(rule.decide(now: 2_000) == .mayAppend(openNewEpochFor: .none))
        rule.ownLogAhead(log: log, size: 99)
        #expect(rule.decide(now: 3_000) == .mayAppend(openNewEpochFor: .none))
        rule.takenBack(log: log, size: 11, now: 3_100)
        #expect(rule.decide(now: 3_100) == .mayAppend(openNewEpochFor: .logs([log])))
    }

    @Test func `the effects of the replication machine are understood as they are`() {
        var rule = rule(.agrees)
        let ahead = LogHead(name: mine.name, size: 12, root: .sha256([2]))
        rule.observe(.ownLogAhead(ahead, from: peers[0]), now: 1_100)
        for peer in peers { rule.observe(.peerAnswered(peer), now: 1_200) }
        #expect(rule.decide(now: 1_300) == .waiting(for: [], takingBack: [log]))
        rule.observe(.ownEntriesTakenBack(ahead, from: peers[0]), now: 1_400)
        #expect(rule.decide(now: 1_400) == .mayAppend(openNewEpochFor: .logs([log])))
    }

    @Test func `a restart with a lost tail takes the entries back and writes on in a new epoch`() {
        let ids = Array(TestNetwork.nodes.prefix(3))
        let policy = TestNetwork.open(ids)
        let simulation = Simulation(seed: 11, nodes: ids, policy: policy)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 100)
        let stream = TestNetwork.stream(of: ids[0])
        for _ in 0..<10 {
            #expect(simulation.append(3, to: stream, at: ids[0]))
            simulation.run(milliseconds: 20)
        }
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(policy) })
        let log = simulation[ids[0]].store.current[stream]!
        simulation.stop(ids[0])
        simulation[ids[0]].store.logs[log]?.cut(to: 12)
        // The disk lied and the guard does not know: only the peers can tell.
        simulation.start(ids[0])
        #expect(!simulation.append(1, to: stream, at: ids[0]))
        #expect(simulation.run(atMost: 1_000) { simulation[ids[0]].mayAppend(now: simulation.now) })
        #expect(simulation[ids[0]].store.logs[log]?.entries.count == 30)
        #expect(simulation[ids[0]].closedLogs == [log])
        #expect(simulation.append(2, to: stream, at: ids[0]))
        #expect(simulation[ids[0]].store.current[stream] != log)
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(policy) })
        #expect(simulation.forkedLogs().isEmpty)
        #expect(simulation[ids[1]].store.entryCount == 32)
    }

    @Test func `what a peer holds of us is told even where we may not ask it for the entries`() {
        let peer = TestNetwork.ous
        var single = SingleMachine(peers: [peer], policy: TestNetwork.closed(TestNetwork.nodes))
        single.exchange(with: peer)
        let head = LogHead(name: SingleMachine.name(1), size: 4, root: .sha256([4]))
        let vector = Have.Part(vector: 1, index: 0, count: 1)
        let effects = single.receive(.have(Have(part: vector, rows: [HaveRow(head)])), from: peer)
        #expect(effects == [.ownLogAhead(head, from: peer), .peerAnswered(peer)])
    }

    @Test func `a whole log that was lost comes back`() {
        let ids = Array(TestNetwork.nodes.prefix(2))
        let policy = TestNetwork.open(ids)
        let simulation = Simulation(seed: 12, nodes: ids, policy: policy)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 100)
        simulation.append(9, to: TestNetwork.studyStream, at: ids[0])
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(policy) })
        simulation.stop(ids[0])
        simulation[ids[0]].store.logs = [:]
        simulation[ids[0]].store.current = [:]
        simulation.start(ids[0])
        #expect(simulation.run(atMost: 1_000) { simulation[ids[0]].store.entryCount == 9 })
        #expect(simulation.append(1, to: TestNetwork.studyStream, at: ids[0]))
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(policy) })
        #expect(simulation[ids[1]].store.logs.count == 2)
    }
}
