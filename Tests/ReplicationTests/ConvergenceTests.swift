import EventLog
import Replication
import Testing

/// Whatever the network, the disks and the policies do: afterwards all that may hold a stream hold the same of it, and no
/// promise was broken on the way. One seed decides everything about a run.
struct ConvergenceTests {
    @Test(arguments: 0..<20)
    func `after any faults all holders of a stream hold the same`(block: UInt64) {
        for seed in (block * 100)..<(block * 100 + 100) {
            let failure = ConvergenceTests.run(seed: seed, signing: .quick)
            #expect(failure == nil, "seed \(seed)")
        }
    }

    @Test func `the same with real signatures`() {
        for seed in UInt64(0)..<12 {
            let failure = ConvergenceTests.run(seed: seed, signing: .real)
            #expect(failure == nil, "seed \(seed)")
        }
    }

    @Test func `the seeds reach everything that can go wrong`() {
        var counts: [String: Int] = [:]
        for seed in UInt64(0)..<150 {
            let simulation = ConvergenceTests.simulation(seed: seed, signing: .quick).simulation
            counts.merge(simulation.counts) { $0 + $1 }
            for id in simulation.ids where !simulation[id].closedLogs.isEmpty { counts["new epoch", default: 0] += 1 }
        }
        let expected = [
            "own log ahead", "own entries taken back", "new epoch", "log not sent", "stream refused",
            "asked to ask again", "range unavailable", "pushed", "sent on request", "news", "vector",
        ]
        #expect(expected.filter { counts[$0, default: 0] == 0 } == [])
        // Nothing but these: an honest node blames nobody for what a network or disk did.
        #expect(counts["other incident", default: 0] == 0)
    }

    /// Runs one seed; nil where all went well.
    static func run(seed: UInt64, signing: Signing) -> String? {
        let (simulation, policy) = simulation(seed: seed, signing: signing)
        let hasConverged = simulation.run(atMost: 20_000) { simulation.hasConverged(policy) }
        if let first = simulation.violations.first { return first }
        if let fork = simulation.forkedLogs().first { return "log \(fork) has forked" }
        return hasConverged ? nil : "not converged after \(simulation.now) ms"
    }

    /// A network to which much has happened and which has just been healed, and the policy that all know now.
    private static func simulation(
        seed: UInt64, signing: Signing
    ) -> (simulation: Simulation, policy: ListedHoldingPolicy) {
        var random = SplitMix64(seed: seed &+ 1_000_000)
        let ids = Array(TestNetwork.nodes.prefix(random.number(3...5)))
        // Where not every node is linked to every other, news must travel through nodes that may hold it.
        let isMesh = random.chance(70)
        // A node that no longer may hold a stream keeps what it has and is silent about it. If at the same time the writer
        // loses its disk's tail, nobody tells it; so disks lie only where rights never shrink.
        let mayLoseTails = isMesh && random.chance(50)
        let policies = randomPolicies(ids, isMesh: isMesh, grow: mayLoseTails, using: &random)
        let simulation = Simulation(seed: seed, nodes: ids, policy: policies[0], signing: signing)
        simulation.faults = randomFaults(using: &random)
        if isMesh {
            simulation.connectAll()
        } else {
            for place in 1..<ids.count { simulation.connect(ids[place], ids[random.number(0...place - 1)]) }
        }
        simulation.startAll()
        for _ in 0..<random.number(20...50) {
            simulation.run(milliseconds: UInt64(random.number(1...60)))
            act(on: simulation, policies: policies, mayLoseTails: mayLoseTails, using: &random)
        }

        simulation.faults = Faults()
        simulation.healAll()
        simulation.startAll()
        for id in ids { simulation.setPolicy(policies[2], at: id) }
        return (simulation, policies[2])
    }

    private static func act(
        on simulation: Simulation, policies: [ListedHoldingPolicy], mayLoseTails: Bool, using random: inout SplitMix64
    ) {
        let id = simulation.ids.randomElement(using: &random)!
        let other = simulation.ids.randomElement(using: &random)!
        switch random.number(0...99) {
        case 0..<60:
            let policy = simulation[id].policy
            let streams = policy.holders.keys.filter { policy.mayHold(id, $0) }.sorted()
            if let stream = streams.randomElement(using: &random) {
                simulation.append(random.number(1...6), to: stream, at: id)
            }
        case 60..<70:
            if id != other { simulation.cut(id, other) }
        case 70..<82:
            if id != other { simulation.heal(id, other) }
        case 82..<90:
            simulation.stop(id)
            if random.chance(70) { simulation.start(id) }
        case 90..<95:
            simulation.stop(id)
            // With a single way to each node, a second disk failure on it could hide what the first one lost.
            if mayLoseTails, simulation[id].store.loseTails(using: &simulation.random) {
                simulation[id].guardAgrees = false
            }
            simulation.start(id)
        default:
            // What a node knows of rights only ever gets newer.
            let known = policies.firstIndex(of: simulation[id].policy) ?? 0
            simulation.setPolicy(policies[random.number(known...policies.count - 1)], at: id)
        }
    }

    private static func randomFaults(using random: inout SplitMix64) -> Faults {
        var faults = Faults()
        if random.chance(50) { faults.dropPercent = random.number(0...20) }
        if random.chance(50) { faults.duplicatePercent = random.number(0...30) }
        faults.reorders = random.chance(30)
        faults.maximumDelayMilliseconds = random.chance(30) ? random.number(1...100) : random.number(1...10)
        if random.chance(30) { faults.sendFailurePercent = random.number(1...10) }
        faults.maximumStoreDelayMilliseconds = random.number(0...20)
        return faults
    }

    /// Three policies, one after the other.
    private static func randomPolicies(
        _ ids: [NodeID], isMesh: Bool, grow: Bool, using random: inout SplitMix64
    ) -> [ListedHoldingPolicy] {
        var policies: [ListedHoldingPolicy] = []
        for _ in 0..<3 {
            var policy = isMesh ? randomPolicy(ids, using: &random) : TestNetwork.open(ids)
            if grow, let last = policies.last { policy.holders.merge(last.holders) { $0.union($1) } }
            policies.append(policy)
        }
        return policies
    }

    /// Every stream is held by its host and by chance by others.
    private static func randomPolicy(_ ids: [NodeID], using random: inout SplitMix64) -> ListedHoldingPolicy {
        var holders: [StreamID: Set<NodeID>] = [:]
        for host in ids {
            var nodes: Set<NodeID> = [host]
            for id in ids where random.chance(50) { nodes.insert(id) }
            holders[TestNetwork.stream(of: host)] = nodes
        }
        holders[TestNetwork.studyStream] = Set(ids.filter { _ in random.chance(80) })
        return ListedHoldingPolicy(holders)
    }
}
