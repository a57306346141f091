import EventLog
import Foundation
import Node
import StoreCore
import Testing
import Trial
import Views

extension AcceptanceTests {
    /// What is ordered to be dropped is gone from every file of every node, and what is left can be proven as before.
    @Suite struct OrderTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, stavanger, norcrin]
        private static let text = "naboen Kari Nordmann ringte 815 493 00"
        private static let secret = "ukjent-legemiddel-4711-hovne-knær"
        private static let grounds = OrderGrounds(
            ground: "GDPR art. 17(1)(b)", decidedBy: "ombudet, sak 12/25", reason: "ba om sletting")

        /// Three nodes with two participants, one of whose adverse events holds a text, as has one of the other's.
        private struct Region {
            let network: TestNetwork
            let study: StudyID
            let nurse: Nurse
        }

        private func region(_ scratch: Scratch) async throws -> Region {
            let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 6))
            try await network.startAll()
            let nurse = Nurse(study: try await network.load())
            try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
            for (number, label) in ["gone", "kept"].enumerated() {
                try await network.record(nurse.registration(label, number: UInt64(number)), at: Self.haukeland)
                let participant = try await network.participant(label, of: nurse.study, at: Self.haukeland)
                // Saves of other sizes between them, so that the texts move about in the pages of the files.
                for round in 0..<8 {
                    try await network.record(
                        nurse.adverseEvent(
                            String(repeating: "hodepine ", count: 1 + round * 3), of: participant),
                        at: Self.haukeland)
                }
                try await network.record(
                    nurse.adverseEvent(number == 0 ? Self.secret : Self.text, of: participant), at: Self.haukeland)
            }
            try await network.untilEqual(all) { $0.values.allSatisfy { $0.counts.participants == 8 } }
            for node in all { try await untilViewHolds(network, node, Self.text) }
            return Region(network: network, study: nurse.study, nurse: nurse)
        }

        /// Waits until the views of a node hold a text.
        private func untilViewHolds(_ network: TestNetwork, _ node: NodeID, _ text: String) async throws {
            try await until("the view of \(node) holds the text") {
                files(of: network, node, holding: text).contains { $0.hasPrefix("views/") }
            }
        }

        /// Files below a node's directory that hold a text.
        private func files(of network: TestNetwork, _ node: NodeID, holding text: String) -> [String] {
            files(below: network.directory(node).path, holding: text)
        }

        private func files(below path: String, holding text: String) -> [String] {
            let files = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
            return files.filter { name in
                FileManager.default.contents(atPath: path + "/" + name)?.range(of: Data(text.utf8)) != nil
            }
        }

        private func untilGone(_ network: TestNetwork, _ nodes: [NodeID], _ text: String) async throws {
            for node in nodes {
                var found: [String] = []
                do {
                    try await until("the text leaves the files of \(node)", withinSeconds: 30) {
                        found = files(of: network, node, holding: text)
                        return found.isEmpty
                    }
                } catch {
                    throw TestFailure("\(node) still holds the text in \(found)")
                }
            }
        }

        private func entry(
            of label: String, holding text: String, _ region: Region
        ) async throws -> (participant: ParticipantReport, value: SeenValue) {
            let participant = try await region.network.participant(label, of: region.study, at: Self.haukeland)
            let values = participant.items.flatMap(\.values)
            return (participant, try required(values.first { $0.typed == text }, "value").id)
        }

        private func verify(_ scratch: Scratch, _ network: TestNetwork, _ node: NodeID) async throws -> [String: Any] {
            let result = try await scratch.varde(
                "verify", "--json", "--dir", network.directory(node).path, withinSeconds: 120)
            guard result.status == 0 else { throw TestFailure("\(node): \(result.text.suffix(3000))") }
            return try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any] ?? [:]
        }

        @Test
        func
            `a text and a participant that were ordered to be dropped are in no file of any node, also of one that was away`()
            async throws
        {
            try await withScratch { scratch in
                let region = try await region(scratch)
                let network = region.network
                for node in all {
                    #expect(!files(of: network, node, holding: Self.text).isEmpty)
                    #expect(!files(of: network, node, holding: Self.secret).isEmpty)
                }
                let before = try await network.status(Self.haukeland)
                let backup = scratch.path + "/backup"
                let made = try await scratch.varde("backup", "--dir", network.directory(Self.stavanger).path, backup)
                #expect(made.status == 0, "\(made.text)")
                try await network.stop(Self.stavanger)

                // One text, by its entry and position, at the hospital; and one participant, by the program.
                let (kept, value) = try await entry(of: "kept", holding: Self.text, region)
                try await network.record(
                    region.nurse.command(
                        as: region.nurse.institution,
                        .redact(
                            RedactionEntry(
                                location: kept.location, participant: .registration(kept.participant),
                                entry: value.entry, scope: .text(position: value.position), grounds: Self.grounds))),
                    at: Self.haukeland)
                let erased = try await scratch.varde(
                    "erase", "--dir", network.directory(Self.haukeland).path, "--study", region.study.description,
                    "--label", "gone", "--ground", Self.grounds.ground, "--decided-by", Self.grounds.decidedBy,
                    "--reason", Self.grounds.reason)
                #expect(erased.status == 0, "\(erased.text)")
                try await untilGone(network, [Self.haukeland, Self.norcrin], Self.text)
                try await untilGone(network, [Self.haukeland, Self.norcrin], Self.secret)

                // The node that was away learns of it when it returns.
                #expect(!files(of: network, Self.stavanger, holding: Self.secret).isEmpty)
                try await network.start(Self.stavanger)
                try await network.untilEqual(all) { $0.values.allSatisfy { $0.counts.erased == 1 } }
                try await untilGone(network, [Self.stavanger], Self.text)
                try await untilGone(network, [Self.stavanger], Self.secret)

                // Counts say what became of them, and nothing else was lost.
                let after = try await network.status(Self.haukeland)
                #expect(after.counts.participants == before.counts.participants - 1)
                #expect(after.counts.valuesErased == 1)
                let left = try await network.participant("kept", of: region.study, at: Self.stavanger)
                #expect(left.items.count == kept.items.count)
                #expect(left.items.flatMap(\.values).count { $0.typed == nil } == 1)
                try await checkProofs(scratch, region)
                try await checkCopies(scratch, region)
                try await checkNewNode(scratch, region)
                try await checkRestored(scratch, region, from: backup)
            }
        }

        /// Everything is still provable at every node, and says what was dropped by which order.
        private func checkProofs(_ scratch: Scratch, _ region: Region) async throws {
            let network = region.network
            for node in all {
                let report = try await verify(scratch, network, node)
                let orders = report["orders"] as? [[String: Any]] ?? []
                #expect(orders.count == 2)
                #expect(orders.map { $0["partsDropped"] as? Int ?? 0 }.sorted().first == 1)
                #expect(report["partsDropped"] as? Int ?? 0 > 10)
                let listed = try await scratch.varde(
                    "orders", "--dir", network.directory(node).path, "--study", region.study.description)
                #expect(listed.status == 0 && listed.output.contains(Self.grounds.decidedBy), "\(listed.text)")
                #expect(listed.output.contains(Self.grounds.reason))
            }
        }

        /// What is backed up and exported after the orders holds nothing of what they drop.
        private func checkCopies(_ scratch: Scratch, _ region: Region) async throws {
            let node = region.network.directory(Self.haukeland).path
            let backup = scratch.path + "/later-backup"
            let made = try await scratch.varde("backup", "--dir", node, backup)
            #expect(made.status == 0, "\(made.text)")
            let export = try await scratch.varde(
                "export", "odm", "--dir", node, "--study", region.study.description, "--out", "-")
            #expect(export.status == 0 && export.output.contains("hodepine"), "\(export.text.suffix(500))")
            for text in [Self.text, Self.secret] {
                #expect(files(below: backup, holding: text).isEmpty)
                #expect(!export.output.contains(text))
            }
        }

        /// A node restored from a backup of before the orders holds what they drop until it hears of them.
        private func checkRestored(_ scratch: Scratch, _ region: Region, from backup: String) async throws {
            let network = region.network
            let path = network.directory(Self.stavanger).path
            try await network.stop(Self.stavanger)
            try FileManager.default.moveItem(atPath: path, toPath: path + ".lost")
            let restored = try await scratch.varde("restore", backup, "--to", path)
            #expect(restored.status == 0, "\(restored.text)")
            try FileManager.default.copyItem(atPath: path + ".lost/keys", toPath: path + "/keys")
            #expect(!files(of: network, Self.stavanger, holding: Self.secret).isEmpty)
            try await network.start(Self.stavanger)
            try await network.untilEqual(all, withinSeconds: 90) { $0.values.allSatisfy { $0.counts.erased == 1 } }
            try await untilGone(network, [Self.stavanger], Self.text)
            try await untilGone(network, [Self.stavanger], Self.secret)
            _ = try await verify(scratch, network, Self.stavanger)
        }

        /// A node that begins anew with nothing gets the logs without what was dropped, and the orders before it.
        private func checkNewNode(_ scratch: Scratch, _ region: Region) async throws {
            let network = region.network
            try await network.stop(Self.norcrin)
            let path = network.directory(Self.norcrin).path
            for name in ["events.sqlite", "events.sqlite-wal", "events.sqlite-shm", "events.head", "views"] {
                try? FileManager.default.removeItem(atPath: path + "/" + name)
            }
            try await network.start(Self.norcrin)
            try await network.untilEqual(all, withinSeconds: 90) { $0.values.allSatisfy { $0.counts.erased == 1 } }
            #expect(files(of: network, Self.norcrin, holding: Self.text).isEmpty)
            #expect(files(of: network, Self.norcrin, holding: Self.secret).isEmpty)
            _ = try await verify(scratch, network, Self.norcrin)
        }
    }
}
