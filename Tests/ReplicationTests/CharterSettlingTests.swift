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

    /// Version 0 with another version 1 than ``versions(_:)`` has, and so many after it.
    private func rival(_ count: Int) -> [SignedCharter] {
        var versions = versions(1)
        while versions.count < count {
            var next = versions[versions.count - 1].successor
            next.nodes[0].name = "Another name \(versions.count)"
            versions.append(TestNetwork.sign(next))
        }
        return versions
    }

    @Test(arguments: [(2, 2), (2, 3), (3, 2), (5, 2), (2, 700)])
    func `two that hold rival versions hold both of them soon, say so, and go on`(mine: Int, others: Int) {
        let simulation = simulation(
            4, [TestNetwork.chain(of: versions(mine)), TestNetwork.chain(of: rival(others))])
        simulation.startAll()
        simulation.append(3, to: TestNetwork.studyStream, at: two[0])
        let all = mine + others - 1
        #expect(simulation.run(atMost: 20_000) { two.allSatisfy { simulation[$0].charter.count == UInt64(all) } })
        #expect(simulation.run(atMost: 5_000) { simulation.hasConverged(TestNetwork.open(two)) })
        #expect(simulation[two[0]].charter == simulation[two[1]].charter)
        #expect(simulation[two[0]].charter.dispute != nil)
        // Both get what is new to them from the other, so both may say it; whoever does says it once.
        for id in two {
            #expect(simulation[id].incidents.filter { $0.kind == .charterDisputed(after: 0) }.count == 1)
            #expect(simulation[id].machine?.status.peers.first?.phase == .exchanging)
        }
    }

    @Test func `a node that a rival revokes is let in no more, and a settlement spreads like every version`() {
        let all = versions(2)
        var revoking = all[0].successor
        revoking.nodes[revoking.nodes.firstIndex { $0.id == two[1] }!].state = .revoked
        let simulation = simulation(
            7, [TestNetwork.chain(of: all), TestNetwork.chain(of: [all[0], TestNetwork.sign(revoking)])])
        simulation.startAll()
        simulation.append(3, to: TestNetwork.studyStream, at: two[0])
        simulation.run(milliseconds: 5_000)
        #expect(simulation[two[1]].store.entryCount == 0)
        #expect(simulation[two[0]].machine?.status.peers.first?.phase == .notAdmitted)
        var settled = simulation[two[0]].charter
        guard let dispute = settled.dispute else {
            Issue.record("no dispute")
            return
        }
        // By mistake revoked: the administrators let it in again, as nothing was signed with keys that others have.
        var next = dispute.settlement(keeping: all[1])
        next.nodes[next.nodes.firstIndex { $0.id == two[1] }!] = all[1].charter.node(two[1])!
        #expect(throws: Never.self) { try settled.append(TestNetwork.sign(next)) }
        simulation.input(two[0]) { $0.charterChanged(settled, now: $1) }
        #expect(simulation.run(atMost: 20_000) { simulation[two[1]].charter == settled })
        #expect(simulation.run(atMost: 20_000) { simulation.hasConverged(TestNetwork.open(two)) })
    }

    @Test func `a charter of another founding version is an incident, and nothing is exchanged`() {
        var other = TestNetwork.founding()
        other.nodes[0].name = "Another name"
        let simulation = simulation(
            5, [TestNetwork.chain(of: versions(2)), TestNetwork.chain(of: [TestNetwork.sign(other)])])
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
        // The one that is asked first learns it, and tells the other.
        #expect(two.contains { simulation[$0].machine?.status.peers.first?.phase == .contradicting })
        for id in two { #expect(simulation[id].incidents.count <= 3) }
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
