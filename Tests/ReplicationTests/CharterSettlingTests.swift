import EventLog
import Replication
import Testing

/// Before anything else is exchanged, both sides hold the same charter.
struct CharterSettlingTests {
    private let two = [TestNetwork.haukeland, TestNetwork.ous]

    /// Versions 0 … count - 1; each later one adds a location at Haukeland.
    private func versions(_ count: Int) -> [SignedCharter] {
        var versions = [TestNetwork.sign(TestNetwork.founding())]
        while versions.count < count {
            var next = versions[versions.count - 1].successor
            let id = LocationID("ward-\(versions.count)")!
            next.locations.append(CharterLocation(id: id, name: "Ward \(versions.count)", host: TestNetwork.haukeland))
            versions.append(TestNetwork.sign(next))
        }
        return versions
    }

    private func simulation(_ seed: UInt64, _ chains: [CharterChain]) -> Simulation {
        let simulation = Simulation(seed: seed, nodes: two, policy: TestNetwork.open(two))
        for (id, chain) in zip(two, chains) { simulation[id].charter = chain }
        simulation.connectAll()
        return simulation
    }

    @Test(arguments: [1, 2, 5, 700])
    func `a node that knows only the founding hash fetches and checks the whole chain`(count: Int) {
        let chain = TestNetwork.chain(of: versions(count))
        let simulation = simulation(1, [chain, CharterChain(foundingHash: chain.foundingHash)])
        simulation.start(two[0])
        simulation.append(3, to: TestNetwork.studyStream, at: two[0])
        simulation.start(two[1])
        #expect(simulation.run(atMost: 5_000) { simulation[two[1]].charter == chain })
        #expect(simulation[two[1]].machine?.charter == chain)
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(TestNetwork.open(two)) })
        #expect(simulation[two[1]].incidents.isEmpty)
    }

    @Test func `nothing but greetings and charters is sent before both chains agree`() {
        let chain = TestNetwork.chain(of: versions(3))
        let simulation = simulation(2, [chain, CharterChain(foundingHash: chain.foundingHash)])
        simulation.faults.maximumDelayMilliseconds = 30
        var isSettled: [NodeID: Bool] = [:]
        var early = 0
        simulation.observe = { message, from, _ in
            switch message {
            case .hello(let hello): isSettled[from] = hello.charterCount == 3
            case .charterRequest, .charterVersions, .refusal: break
            default: if isSettled != [two[0]: true, two[1]: true] { early += 1 }
            }
        }
        simulation.startAll()
        simulation.append(3, to: TestNetwork.studyStream, at: two[0])
        #expect(simulation.run(atMost: 3_000) { simulation.hasConverged(TestNetwork.open(two)) })
        #expect(early == 0)
    }

    @Test func `a charter that grows while nodes run is passed on, and exchange goes on`() {
        let all = versions(3)
        let simulation = simulation(3, [TestNetwork.chain(of: [all[0]]), TestNetwork.chain(of: [all[0]])])
        simulation.startAll()
        simulation.run(milliseconds: 100)
        let grown = TestNetwork.chain(of: all)
        simulation.input(two[0]) { $0.charterChanged(grown, now: $1) }
        simulation.append(2, to: TestNetwork.studyStream, at: two[1])
        #expect(simulation.run(atMost: 500) { simulation[two[1]].charter == grown })
        #expect(simulation.run(atMost: 1_000) { simulation.hasConverged(TestNetwork.open(two)) })
    }

    @Test func `two charters that contradict each other are an incident, and nothing is exchanged`() {
        let all = versions(2)
        var other = all[0].successor
        other.nodes[0].name = "Another name"
        let contradicting = TestNetwork.chain(of: [all[0], TestNetwork.sign(other)])
        let simulation = simulation(4, [TestNetwork.chain(of: all), contradicting])
        var exchanged = 0
        simulation.observe = { message, _, _ in
            switch message {
            case .hello, .charterRequest, .charterVersions, .refusal: break
            default: exchanged += 1
            }
        }
        simulation.startAll()
        simulation.append(3, to: TestNetwork.studyStream, at: two[0])
        simulation.run(milliseconds: 10_000)
        #expect(exchanged == 0)
        for id in two {
            #expect(simulation[id].incidents.contains { $0.kind == .charterContradiction(count: 2) })
            #expect(simulation[id].machine?.status.peers.first?.phase == .contradicting)
            // Reported once, not with every greeting.
            #expect(simulation[id].incidents.count <= 2)
        }
    }

    @Test func `a longer chain that does not continue ours is a contradiction`() {
        let all = versions(2)
        var other = all[0].successor
        other.nodes[0].name = "Another name"
        let second = TestNetwork.sign(other)
        let longer = TestNetwork.chain(of: [all[0], second, TestNetwork.sign(second.successor)])
        let simulation = simulation(5, [TestNetwork.chain(of: all), longer])
        simulation.startAll()
        simulation.run(milliseconds: 1_000)
        for id in two { #expect(simulation[id].machine?.status.peers.first?.phase == .contradicting) }
        #expect(simulation[two[0]].charter == TestNetwork.chain(of: all))
    }

    @Test func `a node that the newest charter revokes gets the charter and nothing more`() {
        let all = versions(1)
        var revoking = all[0].successor
        let place = revoking.nodes.firstIndex { $0.id == two[1] }!
        revoking.nodes[place].state = .revoked
        let chain = TestNetwork.chain(of: [all[0], TestNetwork.sign(revoking)])
        let simulation = simulation(6, [chain, TestNetwork.chain(of: all)])
        simulation.startAll()
        simulation.append(3, to: TestNetwork.studyStream, at: two[0])
        simulation.run(milliseconds: 3_000)
        #expect(simulation[two[1]].charter == chain)
        #expect(simulation[two[1]].store.entryCount == 0)
        #expect(simulation[two[0]].machine?.status.peers.first?.phase == .notAdmitted)
        #expect(simulation[two[1]].incidents.contains { $0.kind == .notAdmitted(two[1]) })
    }

    @Test func `a forged version of the charter is refused and changes nothing`() {
        let all = versions(2)
        let chain = TestNetwork.chain(of: [all[0]])
        var machine = SingleMachine(peers: [two[1]], charter: chain)
        var hello = machine.hello(of: two[1])
        hello.charterCount = 2
        hello.charterHash = all[1].hash
        let asked = machine.messages(machine.receive(.hello(hello), from: two[1]))
        #expect(asked.contains(.charterRequest(CharterRequest(first: 1))))
        // Signed by somebody who is no administrator.
        let stranger = AdministratorKey(seed: TestNetwork.seed("stranger"))!
        let forged = try? SignedCharter(signing: all[0].successor, with: [stranger])
        let effects = machine.receive(
            .charterVersions(CharterVersions(first: 1, versions: [forged?.bytes ?? []])), from: two[1])
        #expect(machine.machine.charter == chain)
        #expect(
            effects.contains {
                if case .report(let incident) = $0 {
                    incident.kind == .charterRefused(.signaturesMissing(valid: 0, needed: 1))
                } else {
                    false
                }
            })
        #expect(!effects.contains { if case .storeCharter = $0 { true } else { false } })
    }

    @Test func `versions that nobody asked for are not even looked at`() {
        let all = versions(2)
        var machine = SingleMachine(peers: [two[1]], charter: TestNetwork.chain(of: [all[0]]))
        machine.exchange(with: two[1])
        let effects = machine.receive(
            .charterVersions(CharterVersions(first: 1, versions: [all[1].bytes])), from: two[1])
        #expect(effects.isEmpty)
        #expect(machine.machine.charter.count == 1)
    }

    @Test func `a peer of another network or under another name is turned away`() {
        var machine = SingleMachine(peers: two.dropFirst() + [])
        var foreign = machine.hello(of: two[1])
        foreign.network = NetworkID("elsewhere")
        let effects = machine.receive(.hello(foreign), from: two[1])
        #expect(
            effects.contains {
                if case .report(let incident) = $0 {
                    incident.kind == .wrongNetwork(NetworkID("elsewhere")!)
                } else {
                    false
                }
            })
        #expect(machine.machine.status.peers.first?.phase == .foreign)
        let named = machine.hello(of: TestNetwork.stavanger)
        _ = machine.receive(.hello(named), from: two[1])
        #expect(machine.machine.status.peers.first?.phase == .foreign)
        // A right greeting afterwards is taken.
        machine.exchange(with: two[1])
        #expect(machine.machine.status.peers.first?.phase == .exchanging)
    }
}
