import EventLog
import Foundation
import Node
import Synchronization
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct CrashTests {
        private static let hospitals = [TestStudies.haukeland, TestStudies.stavanger]

        @Test(arguments: [1, 2, 3] as [UInt64])
        func `whatever is killed while data are loaded, in the end everything is there once`(seed: UInt64) async throws
        {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 150)
                let totals = TestStudies.totals(source)
                try TestStudies.write(source, to: scratch.path + "/files")
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                var generator = SeededGenerator(seed: seed)

                let first = try startImport(scratch, network)
                // Early, for on an idle machine all is loaded within two seconds; whoever is quicker still is not killed.
                try await killNodes(network, at: [0.05], of: totals.forms, using: &generator)
                if first.status == nil { first.signal(SIGKILL) }
                _ = try await first.ended(withinSeconds: 10)

                let second = try startImport(scratch, network)
                try await killNodes(network, at: [0.15, 0.25, 0.4, 0.6, 0.8], of: totals.forms, using: &generator)
                let outcome = try await second.ended(withinSeconds: 120)
                try check(outcome, totals)
                #expect(try outcome.json(ImportOutcome.self).repeated > 0)

                let third = try await startImport(scratch, network).ended(withinSeconds: 120)
                try check(third, totals)
                // Nothing was new: every registration, form and status had been recorded.
                let repeated = try third.json(ImportOutcome.self).repeated
                #expect(repeated >= totals.participants + totals.forms)
                try await checkNodes(scratch, network, totals)
            }
        }

        @Test func `what a node has acknowledged is there after any kill, and is acknowledged again in the same words`()
            async throws
        {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 2))
                try await network.startAll()
                let nurse = Nurse(study: try await network.load())
                try await network.record(nurse.delegation(at: TestStudies.west), at: TestStudies.haukeland)
                var acknowledged: [Acknowledged] = []
                for count in [1, 20, 75, 150] {
                    let clerk = Clerk(nurse: nurse, first: UInt64(1000 * count))
                    let working = Task { await clerk.register(at: network.directory(TestStudies.haukeland)) }
                    try await until("\(count) registrations are acknowledged") { clerk.count >= count }
                    try await network.kill(TestStudies.haukeland)
                    acknowledged += await working.value
                    try await network.start(TestStudies.haukeland)
                    for (command, receipt) in acknowledged {
                        var expected = receipt
                        expected.isRepeated = true
                        #expect(try await network.record(command, at: TestStudies.haukeland) == expected)
                    }
                }
                #expect(acknowledged.count >= 246)
                let result = try await scratch.varde("verify", "--dir", network.directory(TestStudies.haukeland).path)
                #expect(result.status == 0, "\(result.text)")
            }
        }

        private typealias Totals = (participants: Int, forms: Int, values: Int)

        private func startImport(_ scratch: Scratch, _ network: TestNetwork) throws -> RunningProgram {
            let files = scratch.path + "/files"
            return try scratch.start(
                [
                    "import", "odm", "--json", "--network-dir", network.path, "--study", files + "/study.xml", "--data",
                    files,
                ])
        }

        /// Kills one of the nodes, with a signal that it cannot notice, whenever another part of the forms is recorded.
        private func killNodes(
            _ network: TestNetwork, at shares: [Double], of forms: Int, using generator: inout SeededGenerator
        ) async throws {
            for share in shares {
                try await until("\(share) of the forms are recorded", withinSeconds: 90) {
                    var recorded = 0
                    for (node, location) in zip(Self.hospitals, ["haukeland", "stavanger"]) {
                        recorded +=
                            try await network.status(node).streams
                            .first { $0.location == LocationID(unchecked: location) }?.counts.forms ?? 0
                    }
                    return Double(recorded) >= share * Double(forms)
                }
                let victim = try required(network.nodes.randomElement(using: &generator), "node")
                try await network.kill(victim)
                try await network.start(victim)
            }
        }

        private func check(_ result: ProgramResult, _ totals: Totals) throws {
            #expect(result.status == 0, "\(result.text.suffix(2000))")
            let outcome = try result.json(ImportOutcome.self)
            #expect(outcome.participants == totals.participants)
            #expect(outcome.forms == totals.forms)
            #expect(outcome.values == totals.values)
            #expect(outcome.refusals.isEmpty)
        }

        private func checkNodes(_ scratch: Scratch, _ network: TestNetwork, _ totals: Totals) async throws {
            let statuses = try await network.untilEqual(network.nodes) {
                $0.values.allSatisfy { $0.counts.participants == totals.participants }
            }
            for (node, status) in statuses {
                #expect(status.counts.forms == totals.forms, "\(node)")
                #expect(status.counts.values == totals.values, "\(node)")
                #expect(status.counts.conflicts == 0, "\(node)")
                #expect(status.counts.findings == 0, "\(node)")
            }
            for node in network.nodes {
                let result = try await scratch.varde("verify", "--dir", network.directory(node).path)
                #expect(result.status == 0, "\(node): \(result.text)")
                #expect(result.output.contains("everything holds"))
            }
        }
    }
}

private typealias Acknowledged = (command: Command, receipt: CommandReceipt)

/// Registers one participant after the other until the node goes away, and keeps what was acknowledged.
private final class Clerk: Sendable {
    private let nurse: Nurse
    private let first: UInt64
    private let acknowledged = Mutex<[Acknowledged]>([])

    init(nurse: Nurse, first: UInt64) {
        self.nurse = nurse
        self.first = first
    }

    var count: Int { acknowledged.withLock { $0.count } }

    func register(at directory: NodeDirectory) async -> [Acknowledged] {
        try? await LocalClient.converse(with: directory) { conversation in
            while true {
                let number = first + UInt64(count)
                let command = nurse.registration("haukeland-\(number)", number: number)
                guard case .outcome(.recorded(let receipt)) = try await conversation.ask(.command(command)) else {
                    throw TestFailure("a registration was refused")
                }
                acknowledged.withLock { $0.append((command, receipt)) }
            }
        }
        return acknowledged.withLock { $0 }
    }
}
