import EventLog
import Foundation
import Node
import Testing
import Trial
import Web

extension AcceptanceTests {
    @Suite struct LiveTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let samples = 21

        /// What a monitor's page does: it listens, and reads the form that it is told of.
        @Test func `a form saved over HTTP at one hospital can be read at another within 100 ms (median)`() async throws
        {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 6)
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                let nurse = Nurse(study: try await network.load())
                try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
                try await network.untilEqual(network.nodes) { $0.values.allSatisfy { $0.counts.participants == 6 } }
                let label = try TestStudies.included(in: source, at: "haukeland")
                let study = "/api/v0/studies/\(nurse.study)"
                let token = try await token(
                    scratch, network, Self.stavanger, ["--role", "study-nurse", "--actor", "\(nurse.sender.actor)"])
                let listener = try NodeClient(network.directory(Self.stavanger), token: token)
                var milliseconds: [Double] = []
                try await listener.listen(study + "/events") { events in
                    // The first lines say where the stream begins.
                    _ = try await events.next()
                    for number in 0..<Self.samples {
                        let seen = try await network.participant(label, of: nurse.study, at: Self.haukeland)
                        let start = ContinuousClock.now
                        let receipt = try await network.record(
                            nurse.vitalSigns(["IT.PULSE": "\(50 + number)"], of: seen, seen: seen),
                            at: Self.haukeland)
                        while true {
                            let event = try await events.next()
                            if event.contains("\(receipt.entry)") { break }
                        }
                        let form = try required(
                            seen.vitalSigns.first { $0.item == ItemOID("IT.PULSE") }?.formInstance, "form")
                        let shown = try await listener.text(
                            study + "/participants/\(seen.participant)/forms/\(form)")
                        milliseconds.append((ContinuousClock.now - start) / .milliseconds(1))
                        #expect(shown.contains("\"\(50 + number)\""))
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                milliseconds.sort()
                print("a form from save to reading at another node: \(milliseconds[Self.samples / 2]) ms (median)")
                #expect(milliseconds[Self.samples / 2] < 100, "\(milliseconds)")
            }
        }

        private func token(
            _ scratch: Scratch, _ network: TestNetwork, _ node: NodeID, _ options: [String]
        ) async throws -> String {
            let program = try scratch.start(
                ["token", "add", "--dir", network.directory(node).path, "--name", "Nurse"] + options)
            let result = try await program.ended(withinSeconds: 30)
            return try required(result.output.split(whereSeparator: \.isWhitespace).first.map(String.init), "token")
        }
    }
}
