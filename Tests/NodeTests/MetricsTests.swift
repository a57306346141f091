import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct MetricsTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger

        @Test
        func `a monitoring system reads who is there, who lacks what, bytes and refusals, and nothing of a study`()
            async throws
        {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 4))
                try await network.startAll()
                let nurse = Nurse(study: try await network.load())
                try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
                try await network.untilEqual(network.nodes)
                let made = try await scratch.varde(
                    "token", "add", "--dir", network.directory(Self.haukeland).path, "--name", "Prometheus", "--role",
                    "monitor")
                let token = try required(
                    made.output.split(whereSeparator: \.isWhitespace).first.map(String.init), "token")
                let client = try NodeClient(network.directory(Self.haukeland), token: token)
                let equal = try figures(try await client.text("/metrics"))
                for peer in ["stavanger", "norcrin"] {
                    #expect(equal["varde_peer_exchanging{peer=\"\(peer)\"}"] == 1)
                    #expect(equal["varde_peer_entries_it_lacks{peer=\"\(peer)\"}"] == 0)
                    #expect(equal["varde_peer_received_bytes_total{peer=\"\(peer)\"}"] ?? 0 > 1_000)
                    #expect(equal["varde_peer_silence_seconds{peer=\"\(peer)\"}"] ?? 99 < 30)
                }
                let status = try await network.status(Self.haukeland)
                #expect(equal["varde_entries"] == Double(status.entries))
                #expect(equal["varde_may_append"] == 1)
                #expect(equal["process_resident_memory_bytes"] ?? 0 > 1_000_000)
                #expect(equal["varde_transport_handshakes_refused_total"] == 0)

                try await network.stop(Self.stavanger)
                for number in 0..<3 {
                    try await network.record(
                        nurse.registration("m-\(number)", number: UInt64(number)), at: Self.haukeland)
                }
                try await until("the figures say that stavanger is gone and what it lacks") {
                    let figures = try figures(try await client.text("/metrics"))
                    return figures["varde_peer_exchanging{peer=\"stavanger\"}"] == 0
                        && figures["varde_peer_entries_it_lacks{peer=\"stavanger\"}"] == 3
                        && figures["varde_peer_entries_it_lacks{peer=\"norcrin\"}"] == 0
                }
                let text = try await client.text("/metrics")
                for secret in [nurse.study.description, "helse-vest", "haukeland-0", "m-0", "SCIATICA"] {
                    #expect(!text.contains(secret), "\(secret)")
                }
                let stranger = try NodeClient(network.directory(Self.haukeland), token: "varde-0")
                await #expect(throws: TestFailure.self) { try await stranger.text("/metrics") }
            }
        }

        /// The samples, by name and labels; every one must belong to the metric described just before it.
        private func figures(_ text: String) throws -> [String: Double] {
            var figures: [String: Double] = [:]
            var described = ""
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                if line.hasPrefix("# TYPE ") {
                    described = String(words[2])
                    #expect((words[3] == "counter") == described.hasSuffix("_total"), "\(line)")
                } else if !line.hasPrefix("# HELP ") {
                    let name = try required(line.lastIndex(of: " "), "value in \(line)")
                    let key = String(line[..<name])
                    #expect(key.prefix { $0 != "{" } == described, "\(line)")
                    #expect(figures[key] == nil, "\(line)")
                    figures[key] = try required(Double(line[line.index(after: name)...]), "number in \(line)")
                }
            }
            return figures
        }
    }
}
