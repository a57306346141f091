import EventLog
import Replication
import Testing

/// What replication does where nothing goes wrong, and what it costs.
struct ExchangeTests {
    private let two = [TestNetwork.haukeland, TestNetwork.ous]
    private let three = [TestNetwork.ahus, TestNetwork.haukeland, TestNetwork.ous]

    @Test(arguments: [200, 5_000])
    func `equal peers find out in one round trip and under one kilobyte, however many logs they hold`(count: Int) {
        let policy = TestNetwork.open(two)
        let simulation = Simulation(seed: 1, nodes: two, policy: policy)
        // Logs that both hold already.
        var random = SplitMix64(seed: 9)
        for number in 0..<count {
            let writer = two[number % 2]
            _ = simulation[writer].store.append(3, to: TestNetwork.studyStream, using: &random)
            simulation[writer].store.current = [:]
        }
        let logs = simulation[two[0]].store.logs.merging(simulation[two[1]].store.logs) { first, _ in first }
        for id in two { simulation[id].store.logs = logs }
        var kinds: [String] = []
        simulation.observe = { message, _, _ in kinds.append("\(message)".prefix { $0 != "(" }.description) }
        simulation.faults.maximumDelayMilliseconds = 1
        simulation.connectAll()
        simulation.startAll()
        // Greetings take one way, digests the next: each message takes one millisecond.
        simulation.run(milliseconds: 2)
        for (id, peer) in [(two[0], two[1]), (two[1], two[0])] {
            #expect(simulation[id].machine?.status.peers.first?.hasAnswered == true)
            #expect(simulation[id].machine?.knownAt(log: logs.keys.sorted()[7], size: 3) == [peer])
        }
        simulation.run(milliseconds: 500)
        #expect(Set(kinds) == ["hello", "haveDigest"])
        // Each side greets and answers, asks and answers.
        #expect(kinds.count <= 8, "\(kinds)")
        #expect(simulation[two[0]].bytesReceived + simulation[two[1]].bytesReceived < 1_024)
    }

    @Test func `a new node gets every entry exactly once, from several nodes at a time`() {
        let ids = Array(TestNetwork.nodes.prefix(4))
        let policy = TestNetwork.open(ids)
        let simulation = Simulation(seed: 2, nodes: ids, policy: policy)
        simulation.connectAll()
        for id in ids.dropFirst() { simulation.start(id) }
        simulation.run(milliseconds: 100)
        for round in 0..<60 {
            let id = ids[1 + round % 3]
            simulation.append(20, to: TestNetwork.stream(of: ids[round % 4]), at: id)
            simulation.run(milliseconds: 20)
        }
        #expect(simulation.run(atMost: 5_000) { simulation.hasConverged(policy, among: Array(ids.dropFirst())) })
        var sources: Set<NodeID> = []
        simulation.observe = { message, from, to in
            if case .range = message, to == ids[0] { sources.insert(from) }
        }
        simulation.start(ids[0])
        #expect(simulation.run(atMost: 10_000) { simulation.hasConverged(policy) })
        #expect(simulation[ids[0]].storedEntries == 1_200)
        #expect(simulation[ids[0]].receivedEntries == 1_200)
        #expect(sources.count > 1)
        #expect(simulation.violations.isEmpty)
    }

    @Test func `catching up takes a message for many entries, however few each commit brought`() {
        let policy = TestNetwork.open(two)
        let simulation = Simulation(seed: 12, nodes: two, policy: policy)
        simulation.connectAll()
        simulation.start(two[0])
        simulation.run(milliseconds: 11_000)
        for _ in 0..<1_000 {
            simulation.append(1, to: TestNetwork.stream(of: two[0]), at: two[0], bodyBytes: 20...40)
        }
        #expect(simulation[two[0]].store.entryCount == 1_000)
        var messages = 0
        simulation.observe = { message, _, _ in messages += 1 }
        simulation.start(two[1])
        #expect(simulation.run(atMost: 20_000) { simulation.hasConverged(policy) })
        #expect(simulation[two[1]].receivedEntries == 1_000)
        #expect(messages < 200, "\(messages) messages")
    }

    @Test func `a new entry reaches a peer that is up to date in one message`() {
        let policy = TestNetwork.open(three)
        let simulation = Simulation(seed: 3, nodes: three, policy: policy)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 100)
        let stream = TestNetwork.stream(of: three[0])
        simulation.append(1, to: stream, at: three[0])
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(policy) })
        simulation.run(milliseconds: 200)
        var messages: [(ReplicationMessage, NodeID)] = []
        simulation.observe = { message, from, _ in messages.append((message, from)) }
        simulation.faults = Faults(maximumDelayMilliseconds: 4, maximumStoreDelayMilliseconds: 1)
        let before = simulation.now
        simulation.append(1, to: stream, at: three[0])
        #expect(simulation.run(atMost: 20) { simulation.hasConverged(policy) })
        // One reading, one way, one commit.
        #expect(simulation.now - before <= 10)
        simulation.run(milliseconds: 30)
        #expect(messages.filter { if case .range = $0.0 { true } else { false } }.count == 2)
        #expect(messages.allSatisfy { if case .want = $0.0 { false } else { true } })
        // Everyone knows where the entry is safe, not only its writer.
        let log = simulation[three[0]].store.current[stream]!
        for id in three {
            #expect(simulation[id].machine?.knownAt(log: log, size: 2) == three.filter { $0 != id })
        }
    }

    @Test func `entries travel through a node that is linked to both`() {
        let policy = TestNetwork.open(three)
        let simulation = Simulation(seed: 4, nodes: three, policy: policy)
        simulation.connect(three[0], three[1])
        simulation.connect(three[1], three[2])
        simulation.startAll()
        simulation.run(milliseconds: 100)
        for _ in 0..<10 {
            simulation.append(5, to: TestNetwork.stream(of: three[0]), at: three[0])
            simulation.run(milliseconds: 40)
        }
        #expect(simulation.run(atMost: 500) { simulation.hasConverged(policy) })
        #expect(simulation[three[2]].store.entryCount == 50)
        #expect(simulation[three[2]].receivedEntries == 50)
    }

    @Test func `what may not be held is neither sent nor named, in any byte`() {
        let policy = TestNetwork.closed(three)
        let simulation = Simulation(seed: 5, nodes: three, policy: policy)
        var sent: [(bytes: [UInt8], to: NodeID)] = []
        simulation.observe = { message, _, to in sent.append((message.bytes, to)) }
        simulation.connectAll()
        simulation.startAll()
        for _ in 0..<10 {
            simulation.run(milliseconds: 50)
            for id in three {
                simulation.append(3, to: TestNetwork.stream(of: id), at: id)
                simulation.append(1, to: TestNetwork.studyStream, at: id)
            }
        }
        #expect(simulation.run(atMost: 3_000) { simulation.hasConverged(policy) })
        for id in three {
            let foreign = three.filter { $0 != id }
            let names = foreign.map { [UInt8](TestNetwork.stream(of: $0).description.utf8) }
            let logs = foreign.map { simulation[$0].store.current[TestNetwork.stream(of: $0)]!.hash.bytes }
            let received = sent.filter { $0.to == id }
            #expect(!received.isEmpty)
            for needle in names + logs {
                #expect(!received.contains { contains($0.bytes, needle) })
            }
        }
        #expect(simulation.violations.isEmpty)
    }

    private func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard bytes.count >= needle.count else { return false }
        return (0...(bytes.count - needle.count)).contains { start in
            bytes[start] == needle[0] && bytes[start..<(start + needle.count)].elementsEqual(needle)
        }
    }

    @Test func `a stream gained is asked for from its first entry, one lost is no longer sent`() {
        let closed = TestNetwork.closed(two)
        let open = TestNetwork.open(two)
        let stream = TestNetwork.stream(of: two[0])
        let simulation = Simulation(seed: 6, nodes: two, policy: closed)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 50)
        for _ in 0..<5 { simulation.append(4, to: stream, at: two[0]) }
        simulation.run(milliseconds: 2_000)
        #expect(simulation[two[1]].store.entryCount == 0)

        // The receiver learns of it first: nothing may come before the sender knows too.
        simulation.setPolicy(open, at: two[1])
        simulation.run(milliseconds: 500)
        #expect(simulation[two[1]].store.entryCount == 0)
        simulation.setPolicy(open, at: two[0])
        #expect(simulation.run(atMost: 300) { simulation[two[1]].store.entryCount == 20 })

        simulation.setPolicy(closed, at: two[0])
        for _ in 0..<5 { simulation.append(4, to: stream, at: two[0]) }
        simulation.run(milliseconds: 3_000)
        #expect(simulation[two[1]].store.entryCount == 20)
        #expect(simulation.violations.isEmpty)
    }

    @Test func `a stream that the receiver may not hold is refused, and the incident says which`() {
        let simulation = Simulation(seed: 7, nodes: two, policy: TestNetwork.open(two))
        let stream = TestNetwork.stream(of: two[0])
        simulation[two[1]].policy = TestNetwork.closed(two)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 50)
        simulation.append(4, to: stream, at: two[0])
        simulation.run(milliseconds: 2_000)
        #expect(simulation[two[1]].store.entryCount == 0)
        #expect(simulation[two[1]].incidents.map(\.kind) == [.streamRefused(stream)])
    }

    @Test func `a link that takes nothing for a while is caught up with afterwards`() {
        let policy = TestNetwork.open(three)
        let simulation = Simulation(seed: 8, nodes: three, policy: policy)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 100)
        simulation.faults.sendFailurePercent = 40
        for round in 0..<30 {
            simulation.append(10, to: TestNetwork.stream(of: three[round % 3]), at: three[round % 3])
            simulation.run(milliseconds: 30)
        }
        simulation.faults.sendFailurePercent = 0
        #expect(simulation.run(atMost: 4_000) { simulation.hasConverged(policy) })
        #expect(simulation.violations.isEmpty)
        // Nobody was blamed for what the own transport did not take.
        #expect(
            simulation.ids.allSatisfy { simulation[$0].machine?.status.peers.allSatisfy { $0.faults == 0 } ?? false })
    }

    @Test func `status tells how far peers lag and what is lacking here`() {
        let policy = TestNetwork.open(two)
        let simulation = Simulation(seed: 9, nodes: two, policy: policy)
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 100)
        simulation.append(5, to: TestNetwork.studyStream, at: two[0])
        #expect(simulation.run(atMost: 500) { simulation.hasConverged(policy) })
        simulation.run(milliseconds: 100)
        #expect(simulation[two[0]].machine?.status.peers.first?.entriesItLacks == 0)
        simulation.cut(two[0], two[1])
        simulation.append(7, to: TestNetwork.studyStream, at: two[0])
        let status = simulation[two[0]].machine?.status
        #expect(status?.peers.first?.phase == .down)
        #expect(status?.peers.first?.entriesItLacks == 7)
        #expect(status?.entries == 12)
        #expect(status?.charterNumber == 0)
        simulation.heal(two[0], two[1])
        #expect(simulation.run(atMost: 500) { simulation.hasConverged(policy) })
        simulation.run(milliseconds: 50)
        #expect(simulation[two[0]].machine?.status.peers.first?.entriesItLacks == 0)
        #expect(simulation[two[1]].machine?.status.peers.first?.entriesLackingHere == 0)
    }
}
