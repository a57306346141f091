import EventLog
import Foundation
import Node
import Synchronization
import Testing
import Trial

extension AcceptanceTests {
    /// Nodes that are killed again and again while people work at them: real processes, sockets and files.
    @Suite struct KillLoopTests {
        private static let kills = 100
        private let hospitals = [TestStudies.haukeland, TestStudies.stavanger]

        @Test func `a hundred kills while people enter data lose nothing acknowledged and double nothing`()
            async throws
        {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 2))
                try await network.startAll()
                let nurse = Nurse(study: try await network.load())
                try await network.record(nurse.delegation(at: TestStudies.west), at: TestStudies.haukeland)
                let before = try await network.untilEqual(network.nodes)
                let clerks = try hospitals.enumerated().map { place, node in
                    try Clerk(
                        nurse: nurse, own: network.directory(node), other: network.directory(hospitals[1 - place]),
                        location: node.text, generator: SeededGenerator(seed: UInt64(70 + place)))
                }
                let work = clerks.map { clerk in Task { try await clerk.work() } }
                var generator = SeededGenerator(seed: 7)
                do {
                    try await killNodes(network, clerks, using: &generator)
                } catch {
                    for clerk in clerks { clerk.finish() }
                    throw error
                }
                for clerk in clerks { clerk.finish() }
                for task in work { try await task.value }

                let entered = clerks.flatMap(\.entered)
                // Otherwise the kills would have hit a network at rest.
                #expect(entered.count > 2 * Self.kills, "\(entered.count)")
                #expect(clerks.allSatisfy { $0.moved > 0 }, "no registration was sent to both hospitals")
                let statuses = try await network.untilEqual(network.nodes, withinSeconds: 120) {
                    $0.values.allSatisfy { $0.counts.participants == 2 + entered.count }
                }
                for (node, status) in statuses {
                    let forms = try required(before[node], "status before").counts.forms + entered.count
                    #expect(status.counts.forms == forms, "\(node)")
                    #expect(status.counts.conflicts == 0 && status.counts.findings == 0, "\(node)")
                }
                try await checkAcknowledged(clerks)
                try await checkRows(network, entered)
            }
        }

        /// Kills nodes: one or two at work, some when they have just been started and answer nobody yet.
        private func killNodes(
            _ network: TestNetwork, _ clerks: [Clerk], using generator: inout SeededGenerator
        ) async throws {
            var killed = 0
            while killed < Self.kills {
                let target = clerks.reduce(0) { $0 + $1.acknowledgements } + Int.random(in: 1...16, using: &generator)
                try await until("\(target) answers come after kill \(killed)") {
                    if let failure = clerks.compactMap(\.failure).first { throw failure }
                    return clerks.reduce(0) { $0 + $1.acknowledgements } >= target
                }
                try await Task.sleep(for: .microseconds(Int.random(in: 0...20_000, using: &generator)))
                var victims = [try required(network.nodes.randomElement(using: &generator), "node")]
                // Both hospitals at once: nobody but the centre holds what they had just acknowledged, or nobody.
                if Int.random(in: 0..<6, using: &generator) == 0 { victims = hospitals }
                for victim in victims { try await network.kill(victim) }
                killed += victims.count
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    for victim in victims { try network.launch(victim) }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 1...150, using: &generator)))
                    for victim in victims { try await network.kill(victim) }
                    killed += victims.count
                }
                for victim in victims { try network.launch(victim) }
                for victim in victims { try await network.untilAnswers(victim) }
            }
        }

        /// Whoever acknowledged a command acknowledges it again in the same words.
        private func checkAcknowledged(_ clerks: [Clerk]) async throws {
            for clerk in clerks {
                for (directory, answers) in Dictionary(grouping: clerk.answers, by: \.directory.path) {
                    let repeated = try await LocalClient.converse(with: NodeDirectory(directory)) { conversation in
                        var outcomes: [LocalReply] = []
                        for answer in answers { outcomes.append(try await conversation.ask(.command(answer.command))) }
                        return outcomes
                    }
                    for (answer, reply) in zip(answers, repeated) {
                        var expected = answer.receipt
                        expected.isRepeated = true
                        guard case .outcome(.recorded(let receipt)) = reply else {
                            throw TestFailure("a command that was acknowledged is refused: \(reply)")
                        }
                        #expect(receipt == expected)
                    }
                }
            }
        }

        /// Every participant and form stands once in the views of every node, with what was entered.
        private func checkRows(_ network: TestNetwork, _ entered: [Clerk.Entered]) async throws {
            let expected = entered.map { "\($0.label) \($0.pulse)" }.sorted()
            for node in network.nodes {
                var found: [String] = []
                let deadline = ContinuousClock.now + .seconds(60)
                while found.count < expected.count {
                    let rows = try await network.scratch.varde(
                        "query", "--json", "--limit", "100000", "--dir", network.directory(node).path,
                        """
                        SELECT label || ' ' || it_pulse AS entered FROM dm_f_vs WHERE label LIKE 'kill-%'
                        """)
                    guard ContinuousClock.now < deadline else {
                        throw TestFailure("\(node) shows \(found.count) of \(expected.count): \(rows.text.suffix(500))")
                    }
                    if rows.status == 0 {
                        found = try JSONValue(rows.output).elements.compactMap { $0["entered"].text }
                    }
                }
                #expect(found.sorted() == expected, "\(node)")
                let result = try await network.scratch.varde("verify", "--dir", network.directory(node).path)
                #expect(result.status == 0, "\(node): \(result.text)")
            }
        }
    }
}

/// Registers participants and saves a form of each, one command after the other, and asks again until each is acknowledged.
///
/// A registration that was not answered may be sent to the other hospital of the region, as an app would that reaches only
/// that one: it may then be recorded at both.
private final class Clerk: Sendable {
    /// A participant with one form, both acknowledged.
    struct Entered {
        let label: String
        let pulse: Int
    }

    /// A command, who acknowledged it and in which words.
    struct Answer {
        let command: Command
        let directory: NodeDirectory
        let receipt: CommandReceipt
    }

    private struct State {
        var entered: [Entered] = []
        var answers: [Answer] = []
        var moved = 0
        var isFinishing = false
        var failure: TestFailure?
        var generator: SeededGenerator
    }

    private let nurse: Nurse
    private let own: NodeDirectory
    private let other: NodeDirectory
    private let location: LocationID
    private let state: Mutex<State>

    init(nurse: Nurse, own: NodeDirectory, other: NodeDirectory, location: String, generator: SeededGenerator) throws {
        self.nurse = nurse
        self.own = own
        self.other = other
        self.location = LocationID(unchecked: location)
        state = Mutex(State(generator: generator))
    }

    var entered: [Entered] { state.withLock { $0.entered } }
    var answers: [Answer] { state.withLock { $0.answers } }
    var acknowledgements: Int { state.withLock { $0.answers.count } }
    /// Registrations that were sent to the other hospital after the own one had left them unanswered.
    var moved: Int { state.withLock { $0.moved } }
    /// What ended the work too early.
    var failure: TestFailure? { state.withLock { $0.failure } }

    /// Asks for the end of the work after the participant under way.
    func finish() { state.withLock { $0.isFinishing = true } }

    func work() async throws {
        var number = 0
        while !state.withLock({ $0.isFinishing }) {
            do {
                try await enter(number)
            } catch {
                let failure = TestFailure("\(location): \(error)")
                state.withLock { $0.failure = failure }
                throw failure
            }
            number += 1
        }
    }

    private func enter(_ number: Int) async throws {
        let label = "kill-\(location)-\(number)"
        let registration = nurse.command(
            as: nurse.sender, .register(location: location, labels: [ParticipantLabel(kind: .subject, text: label)]))
        let registered = try await acknowledged(registration, mayMove: true)
        let pulse = 40 + number % 100
        let save = nurse.command(
            as: nurse.sender,
            .save(
                FormEntry(
                    location: location, participant: .registration(registered.entry),
                    event: InstanceSelector(oid: "SE.INCLUSION"), form: InstanceSelector(oid: "F.VS"),
                    groups: [
                        EnteredGroup(
                            group: InstanceSelector(oid: "IG.VS"),
                            items: [EnteredItem(item: ItemOID("IT.PULSE"), value: .datum("\(pulse)", unit: nil))])
                    ])))
        _ = try await acknowledged(save, mayMove: false)
        state.withLock { $0.entered.append(Entered(label: label, pulse: pulse)) }
    }

    /// Sends a command again and again until a node has acknowledged it.
    private func acknowledged(_ command: Command, mayMove: Bool) async throws -> CommandReceipt {
        let deadline = ContinuousClock.now + .seconds(60)
        var directory = own
        while ContinuousClock.now < deadline {
            let reply = try? await LocalClient.ask(directory, .command(command))
            switch reply {
            case .outcome(.recorded(let receipt)):
                state.withLock {
                    $0.answers.append(Answer(command: command, directory: directory, receipt: receipt))
                }
                return receipt
            // The registration may have been recorded at the other hospital, and has not come from there yet.
            case .outcome(.refused(.unknownParticipant)) where !mayMove: break
            case .outcome(.refused(let refusal)): throw TestFailure("refused: \(refusal.explanation)")
            default:
                guard mayMove, directory.path == own.path else { break }
                let moves = state.withLock { state in
                    let moves = Bool.random(using: &state.generator)
                    if moves { state.moved += 1 }
                    return moves
                }
                if moves { directory = other }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw TestFailure("no answer in a minute from \(directory.path)")
    }
}
