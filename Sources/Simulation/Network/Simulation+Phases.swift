import EventLog
import MemoryDisk
import Node
import StoreCore
import Trial

/// A run from the founding of the study to the comparison of all nodes.
extension Simulation {
    /// How long the nodes have to become equal once everything works.
    private static let healingMilliseconds: UInt64 = 240_000

    /// Runs the scenario and gives what was found.
    func run() -> SeedResult {
        setUp()
        if violations.isEmpty {
            network = scenario.network
            hostile = scenario.hostile
            scheduleSteps()
            run(milliseconds: UInt64(Scenario.faultMilliseconds))
        }
        if violations.isEmpty { heal() }
        if violations.isEmpty { checkInTheEnd() }
        return result
    }

    private var result: SeedResult {
        var result = SeedResult(seed: scenario.seed)
        result.violations = violations
        result.counts = counts
        result.tally = tally
        result.commands = commands.count
        result.acknowledged = acknowledged.count
        result.entries = honest.map { node in node.heads.reduce(0) { $0 + Int($1.size) } }.max() ?? 0
        result.virtualMilliseconds = now
        result.messages = messagesSent
        result.messageBytes = bytesSent
        result.trace = trace
        return result
    }

    // MARK: Opening the study

    private func setUp() {
        // In a ring those who share a stream must be neighbours: who may not hold it does not relay it.
        let order: [NodeID] = [.norcrin, .haukeland, .stavanger, .ahus, .unn]
        for (place, one) in order.enumerated() {
            for other in order[(place + 1)...] {
                switch scenario.topology {
                case .mesh: connect(one, other)
                case .star: if one == .norcrin || other == .norcrin { connect(one, other) }
                case .ring: break
                }
            }
            if scenario.topology == .ring { connect(one, order[(place + 1) % order.count]) }
        }
        for id in order { start(self[id]) }
        guard run(atMost: 10_000, until: { order.allSatisfy { self[$0].running?.mayAppend == true } }) else {
            return violate("the nodes do not begin to write")
        }
        openStudy()
    }

    /// Founds the study, opens it at four locations and delegates everybody, as people do when all works.
    private func openStudy() {
        stepGenerator = SimulationGenerator(seed: scenario.seed, purpose: 3)
        send(.found(mode: .test, oid: "SIMULATION", name: "Simulation"), by: .manager, to: .norcrin)
        settle()
        guard case .recorded(let receipt)? = commands.last?.outcome else { return violate("no study was founded") }
        study = receipt.study
        send(.publish(documentBase64: SimulatedStudy.document(version: 1)), by: .manager, to: .norcrin)
        settle()
        participate()
        settle()
        accept([.haukeland, .voss], by: .bergenDirector, to: .haukeland)
        accept([.stavanger], by: .stavangerDirector, to: .stavanger)
        accept([.unn], by: .tromsoDirector, to: .unn)
        settle()
        participate()
        settle()
        for person in [Person.bergenNurse, .stavangerNurse, .bergenInvestigator, .monitor, .app] {
            delegate(person, at: .helseVest, by: .bergenDirector)
        }
        delegate(.tromsoNurse, at: .unn, by: .tromsoDirector)
        settle()
        for (place, person) in [
            (LocationID.haukeland, Person.bergenNurse), (.stavanger, .stavangerNurse), (.unn, .tromsoNurse),
        ] {
            send(
                .register(location: place, labels: [ParticipantLabel(kind: .screening, text: "S-0")]), by: person,
                to: person.home)
        }
        settle()
        if let refused = commands.first(where: { $0.isRefused }) {
            violate("the study could not be opened: \(String(describing: refused.outcome)) of \(refused.command)")
        }
    }

    private func participate() {
        guard let study, let fold = fold(at: .norcrin) else { return }
        participate(fold, study: study)
    }

    private func settle() {
        let isSettled = run(atMost: 30_000) {
            self.commands.allSatisfy { $0.outcome != nil } && self.hasConverged
        }
        if !isSettled { violate("nodes that nothing keeps apart do not become equal") }
    }

    // MARK: Healing

    /// Everything works again: nodes run, links are up, every client has had its answer.
    private func heal() {
        if let hostile {
            self[hostile].end()
            disconnect(hostile)
        }
        healLinks()
        for node in honest {
            node.disk.repair()
            node.disk.stop(after: nil)
            node.isDownUntil = now
            node.slownessMilliseconds = 0
            unfreeze(node.id)
            if node.disk.isStopped { end(node, loss: node.powerLossComes ? .power : .process, after: 50) }
        }
        let all = honest.map(\.id)
        for (place, one) in all.enumerated() {
            for other in all[(place + 1)...] { connect(one, other) }
        }
        repeat {
            guard run(atMost: 30_000, until: { self.honest.allSatisfy { $0.running?.mayAppend == true } }) else {
                return violate(
                    "after healing \(honest.filter { $0.running?.mayAppend != true }.map(\.id)) do not write")
            }
        } while replacesDamaged()
        answerEverybody()
        guard violations.isEmpty else { return }
        if !run(atMost: Simulation.healingMilliseconds, until: { self.hasConverged }) {
            violate("the nodes do not become equal: \(difference ?? "nothing differs")")
        }
    }

    /// Every client that got no answer asks again, until it gets one.
    private func answerEverybody() {
        for _ in 0..<20 {
            let lost = commands.indices.filter { commands[$0].outcome == nil && commands[$0].node != hostile }
            if lost.isEmpty { return }
            for place in lost where commands[place].isLost { hand(place) }
            _ = run(atMost: 5_000) { lost.allSatisfy { self.commands[$0].outcome != nil } }
            guard violations.isEmpty else { return }
        }
        violate("a client gets no answer")
    }

    /// Lets `varde verify` look at disks that may be damaged. A node whose disk is, gets another one.
    ///
    /// - Returns: whether there was one.
    private func replacesDamaged() -> Bool {
        let damaged = honest.filter { node in
            guard node.isDamaged, let core = node.core else { return false }
            return (try? LogVerification.run(on: core, writerKey: Simulation.writerKey))?.isSound != true
        }
        for node in damaged {
            tally["damage found by verification", default: 0] += 1
            forget(node, to: nil, .backup, downMilliseconds: 50)
        }
        return !damaged.isEmpty
    }

    static func writerKey(_ node: NodeID) -> [UInt8]? {
        Cast.charterNode(node).signingKey.hash.bytes
    }
}

extension SentByClient {
    var isRefused: Bool {
        if case .refused? = outcome { true } else { false }
    }
}
