import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct CrashTests {
        private static let hospitals = [TestStudies.haukeland, TestStudies.stavanger]

        @Test func `whatever is killed while data are loaded, in the end everything is there once`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 60)
                let totals = TestStudies.totals(source)
                try TestStudies.write(source, to: scratch.path + "/files")
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                var generator = SeededGenerator(seed: 3)

                let first = try startImport(scratch, network)
                try await killNodes(network, at: [0.05, 0.15, 0.25, 0.4], of: totals.forms, using: &generator)
                first.signal(SIGKILL)
                _ = try await first.ended(withinSeconds: 10)

                let second = try startImport(scratch, network)
                try await killNodes(network, at: [0.6, 0.8], of: totals.forms, using: &generator)
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

        private typealias Totals = (participants: Int, forms: Int, values: Int)

        private func startImport(_ scratch: Scratch, _ network: TestNetwork) throws -> RunningProgram {
            let files = scratch.path + "/files"
            return try scratch.start(
                [
                    "import", "odm", "--json", "--network-dir", network.path, "--study", files + "/study.xml", "--data",
                    files,
                ])
        }

        /// Kills one of the hospitals, with a signal that it cannot notice, whenever another part of the forms is recorded.
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
                let victim = try required(Self.hospitals.randomElement(using: &generator), "node")
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
