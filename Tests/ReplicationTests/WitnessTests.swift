import EventLog
import Replication
import Testing

/// Witnesses (DESIGN §6; C2SP tlog-witness and tlog-cosignature): whoever may hold a log vouches for what it holds, others
/// for what its writer proves to them, and nobody ever for two histories.
struct WitnessTests {
    private static let three = Array(TestNetwork.nodes.prefix(3))

    /// Three nodes, each with a location that only its host may hold, all of them witnesses.
    private func closedNetwork(seed: UInt64 = 1) -> Simulation {
        let simulation = Simulation(
            seed: seed, nodes: Self.three, policy: TestNetwork.closed(Self.three), signing: .real)
        simulation.beginWitnessing()
        simulation.connectAll()
        simulation.startAll()
        simulation.run(milliseconds: 500)
        return simulation
    }

    @Test func `peers vouch for logs, also for those they may not hold, and all whom it concerns know`() {
        let simulation = closedNetwork()
        var names: Set<String> = []
        simulation.observe = { message, _, _ in names.insert("\(message)".prefix { $0 != "(" }.description) }
        for _ in 0..<3 {
            for id in Self.three {
                #expect(simulation.append(3, to: TestNetwork.stream(of: id), at: id))
                #expect(simulation.append(2, to: TestNetwork.studyStream, at: id))
            }
            simulation.run(milliseconds: 200)
        }
        let policy = TestNetwork.closed(Self.three)
        #expect(simulation.run(atMost: 5_000) { simulation.isWitnessed(policy) })
        simulation.checkCosignatures()
        #expect(simulation.violations == [])
        #expect(names.isSuperset(of: ["witnessRequest", "cosignatures"]))
        for id in Self.three { #expect(simulation[id].incidents.isEmpty) }
        // What is vouched for can be put under the writer's own checkpoint, for tools that know nothing of Varde.
        for log in simulation[Self.three[0]].store.logs.values where log.name.node == Self.three[0] {
            guard let note = log.checkpoints.last?.note, let signed = try? SignedCheckpoint(bytes: note) else {
                Issue.record("no checkpoint")
                continue
            }
            for row in simulation[Self.three[0]].machine?.cosignatures(of: log.name.id) ?? [] {
                let key = TestNetwork.witnessKey(of: row.witness.node)
                let cosigned = try? signed.adding(row.cosignature(of: key))
                let verifier = try? row.witness.verifierKey(key)
                #expect((try? cosigned?.cosignatures(by: [verifier].compactMap { $0 }))?.count == 1)
            }
        }
    }

    @Test func `a quiet network says nothing but that it is quiet`() {
        let simulation = closedNetwork()
        for id in Self.three { simulation.append(5, to: TestNetwork.stream(of: id), at: id) }
        let policy = TestNetwork.closed(Self.three)
        #expect(simulation.run(atMost: 5_000) { simulation.isWitnessed(policy) })
        simulation.run(milliseconds: 3_000)
        var others: [ReplicationMessage] = []
        var digests = 0
        simulation.observe = { message, _, _ in
            if case .haveDigest = message { digests += 1 } else { others.append(message) }
        }
        let made = simulation.counts["cosigned"]
        simulation.run(milliseconds: 60_000)
        #expect(others == [])
        #expect(digests <= 60 * 3 * 2 * 2)
        #expect(simulation.counts["cosigned"] == made)
    }

    @Test func `many commits cost few messages: one round of witnesses in a while`() {
        let simulation = closedNetwork()
        let writer = Self.three[0]
        var requests = 0
        var rows = 0
        simulation.observe = { message, _, _ in
            switch message {
            case .witnessRequest: requests += 1
            case .cosignatures: rows += 1
            default: break
            }
        }
        for _ in 0..<200 {
            simulation.append(1, to: TestNetwork.stream(of: writer), at: writer)
            simulation.run(milliseconds: 30)
        }
        // Six seconds at one round in 300 ms: twenty rounds with two witnesses.
        #expect((20...46).contains(requests), "\(requests) requests")
        #expect(rows <= 60, "\(rows) answers")
        simulation.checkCosignatures()
        #expect(simulation.violations == [])
    }

    @Test(arguments: 0..<8)
    func `whatever crashes, is lost, cut or late, no witness vouches for two histories or for less than before`(
        block: UInt64
    ) {
        for seed in (block * 6)..<(block * 6 + 6) {
            var random = SplitMix64(seed: seed &+ 77_000)
            let ids = Array(TestNetwork.nodes.prefix(random.number(3...4)))
            let policy = random.chance(50) ? TestNetwork.closed(ids) : TestNetwork.open(ids)
            let simulation = Simulation(seed: seed, nodes: ids, policy: policy, signing: .real)
            simulation.beginWitnessing()
            simulation.faults.dropPercent = random.chance(50) ? random.number(0...20) : 0
            simulation.faults.duplicatePercent = random.chance(50) ? random.number(0...30) : 0
            simulation.faults.reorders = random.chance(40)
            simulation.faults.maximumStoreDelayMilliseconds = random.number(0...40)
            simulation.connectAll()
            simulation.startAll()
            for _ in 0..<random.number(30...60) {
                simulation.run(milliseconds: UInt64(random.number(1...120)))
                let id = ids[random.number(0...ids.count - 1)]
                let other = ids[random.number(0...ids.count - 1)]
                switch random.number(0...9) {
                case 0..<6:
                    let stream = random.chance(50) ? TestNetwork.studyStream : TestNetwork.stream(of: id)
                    simulation.append(random.number(1...4), to: stream, at: id)
                case 6: if id != other { simulation.cut(id, other) }
                case 7: if id != other { simulation.heal(id, other) }
                default:
                    simulation.stop(id)
                    if random.chance(80) { simulation.start(id) }
                }
            }
            simulation.faults = Faults()
            simulation.healAll()
            simulation.startAll()
            let isDone = simulation.run(atMost: 30_000) {
                simulation.hasConverged(policy) && simulation.isWitnessed(policy)
            }
            simulation.checkCosignatures()
            #expect(simulation.violations == [], "seed \(seed)")
            #expect(isDone, "seed \(seed)")
            #expect(simulation.counts["witness key retired"] == nil, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<10)
    func `a witness whose disk was set back hears what it had said, and gives its key up`(seed: UInt64) {
        let simulation = closedNetwork(seed: seed)
        let (writer, witness) = (Self.three[0], Self.three[1])
        let backup = simulation[witness].witness
        let store = simulation[witness].store
        simulation.append(4, to: TestNetwork.stream(of: writer), at: writer)
        let policy = TestNetwork.closed(Self.three)
        #expect(simulation.run(atMost: 5_000) { simulation.isWitnessed(policy) })
        simulation.stop(witness)
        let made = simulation[witness].witness?.made ?? []
        simulation[witness].witness = backup
        simulation[witness].store = store
        simulation[witness].witness?.mustHear = Set(Self.three).subtracting([witness])
        simulation.start(witness)
        simulation.append(4, to: TestNetwork.stream(of: writer), at: writer)
        #expect(simulation.run(atMost: 20_000) { simulation[witness].witness?.isRetired == true })
        simulation.run(milliseconds: 5_000)
        #expect(simulation[witness].witness?.made.count == backup?.made.count)
        #expect(simulation[witness].machine?.witnessMode == .silent)
        #expect(
            simulation[witness].incidents.contains {
                if case .witnessStateLost = $0.kind { true } else { false }
            })
        #expect(made.count > backup?.made.count ?? 0)
        // The other witness goes on.
        #expect(simulation[Self.three[2]].witness?.made.last?.cosignature.head.size == 8)
    }

    @Test func `one whose disk may have been set back cosigns only when all peers have told what it had said`() {
        let simulation = closedNetwork()
        let (writer, witness, other) = (Self.three[0], Self.three[1], Self.three[2])
        simulation.stop(witness)
        simulation.stop(other)
        simulation[witness].witness?.mustHear = [writer, other]
        simulation.start(witness)
        simulation.append(4, to: TestNetwork.stream(of: writer), at: writer)
        simulation.run(milliseconds: 5_000)
        #expect(simulation[witness].witness?.made.isEmpty == true)
        #expect(simulation[witness].machine?.witnessMode == .afterHearing([other]))
        simulation.start(other)
        #expect(simulation.run(atMost: 5_000) { simulation[witness].witness?.made.isEmpty == false })
        #expect(simulation[witness].machine?.witnessMode == .active)
    }
}
