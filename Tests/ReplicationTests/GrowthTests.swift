import EventLog
import Replication
import Testing

/// How many messages a change costs in networks of up to hundreds of hospitals.
@Suite(.timeLimit(.minutes(5)))
struct GrowthTests {
    /// Who is linked with whom.
    enum Topology {
        /// Each with each.
        case mesh
        /// All with the first.
        case star
    }

    /// What one change cost.
    struct Cost {
        var messages = 0
        var bytes = 0
        /// Until the last holder had it durably.
        var milliseconds: UInt64 = 0
    }

    private static let stream = TestNetwork.studyStream

    /// A network with the limits that nodes run with, in which all hold the study's stream, and the first has written to it.
    private func network(of count: Int, _ topology: Topology) -> Simulation {
        let ids = (0..<count).map { NodeID(unchecked: "node-\($0)") }
        let chain = TestNetwork.chain(of: [TestNetwork.sign(TestNetwork.founding(ids))])
        let simulation = Simulation(
            seed: UInt64(count), nodes: ids, policy: TestNetwork.closed(ids), charter: chain,
            configuration: ReplicationConfiguration())
        switch topology {
        case .mesh: simulation.connectAll()
        case .star: for id in ids.dropFirst() { simulation.connect(ids[0], id) }
        }
        simulation.startAll()
        simulation.run(milliseconds: 3_000)
        #expect(simulation.append(3, to: GrowthTests.stream, at: ids[0]))
        #expect(simulation.run(atMost: 60_000) { isEverywhere(simulation) })
        simulation.run(milliseconds: 5_000)
        return simulation
    }

    private func isEverywhere(_ simulation: Simulation) -> Bool {
        let heads = Set(simulation.ids.map { simulation[$0].store.heads })
        return heads.count == 1
    }

    private func total(_ part: (SimulatedNode) -> Int, in simulation: Simulation) -> Int {
        simulation.ids.reduce(0) { $0 + part(simulation[$1]) }
    }

    /// Lets a node write one entry, and waits until everybody has said so.
    private func change(_ simulation: Simulation, at writer: NodeID) -> Cost {
        let messages = total(\.messagesReceived, in: simulation)
        let bytes = total(\.bytesReceived, in: simulation)
        let start = simulation.now
        #expect(simulation.append(1, to: GrowthTests.stream, at: writer))
        #expect(simulation.run(atMost: 60_000) { isEverywhere(simulation) })
        var cost = Cost(milliseconds: simulation.now - start)
        simulation.run(milliseconds: 1_000)
        cost.messages = total(\.messagesReceived, in: simulation) - messages
        cost.bytes = total(\.bytesReceived, in: simulation) - bytes
        #expect(simulation.violations.isEmpty)
        return cost
    }

    @Test func `what a change costs grows with the holders, and not with their pairs`() {
        for count in [8, 32, 64, 128] {
            let simulation = network(of: count, .mesh)
            let cost = change(simulation, at: simulation.ids[0])
            // An entry and a receipt for each, and what a few tell a few; up to 17 nodes each tells each.
            let most = count <= 17 ? count * count : count * (3 + count.bitWidth - count.leadingZeroBitCount)
            #expect(cost.messages <= most, "\(count) nodes: \(cost)")
            #expect(cost.milliseconds <= 50, "\(count) nodes: \(cost)")
        }
    }

    @Test func `where the writer does not reach all, each tells each, and nobody waits for a comparison`() {
        let simulation = network(of: 40, .star)
        for writer in [simulation.ids[0], simulation.ids[7]] {
            let cost = change(simulation, at: writer)
            #expect(cost.milliseconds <= 100, "\(cost)")
        }
    }

    @Test func `what the writer says to have sent to all, and sends to one only, comes to all at once`() {
        let simulation = network(of: 40, .mesh)
        let writer = simulation.ids[0]
        let friend = simulation.ids[11]
        simulation[writer].tamper = { message, peer in
            if case .range = message, peer != friend { [] } else { [message] }
        }
        let start = simulation.now
        #expect(simulation.append(1, to: GrowthTests.stream, at: writer))
        simulation.run(milliseconds: 40)
        simulation.stop(writer)
        #expect(
            simulation.run(atMost: 2_000) {
                Set(simulation.ids.map { simulation[$0].store.heads }).count == 1
            }, "\(simulation.now - start) ms")
    }
}
