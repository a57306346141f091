import EventLog
import Foundation
import Node
import StoreCore
import Testing

extension AcceptanceTests {
    /// `varde backup` and `varde restore`, with real processes.
    @Suite struct BackupTests {
        private static let haukeland = TestStudies.haukeland
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, TestStudies.stavanger, norcrin]

        private func bytes(below folder: String) throws -> [(name: String, bytes: Data)] {
            try FileManager.default.subpathsOfDirectory(atPath: folder).compactMap { name in
                FileManager.default.contents(atPath: folder + "/" + name).map { (name, $0) }
            }
        }

        @Test func `a backup of a running node is checked, holds no keys, and gives no right to append`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 6)
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                let nurse = Nurse(study: try await network.load())
                try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
                try await network.untilEqual(all)
                let directory = network.directory(Self.haukeland)
                let backup = scratch.path + "/backup"
                let label = try TestStudies.included(in: source, at: "haukeland")

                // Saves go on while it is made.
                let seen = try await network.participant(label, of: nurse.study, at: Self.haukeland)
                async let saving = network.record(
                    nurse.vitalSigns(["IT.SYSBP": "141"], of: seen, seen: seen), at: Self.haukeland)
                let made = try await scratch.varde("backup", "--dir", directory.path, backup, "--json")
                _ = try await saving
                #expect(made.status == 0, "\(made.text)")
                #expect(made.text.contains("\"entries\""))
                try checkFolder(backup, of: directory)
                let again = try await scratch.varde("backup", "--dir", directory.path, backup)
                #expect(again.status != 0 && again.text.contains("is there already"))

                // What came after the backup is with the peers only.
                let now = try await network.participant(label, of: nurse.study, at: Self.haukeland)
                try await network.record(
                    nurse.vitalSigns(["IT.SYSBP": "142"], of: now, seen: now), at: Self.haukeland)
                try await network.untilEqual(all)
                try await network.stop(Self.haukeland)
                try FileManager.default.moveItem(atPath: directory.path, toPath: directory.path + ".lost")
                let restored = try await scratch.varde("restore", backup, "--to", directory.path)
                #expect(restored.status == 0, "\(restored.text)")
                let keyless = try await scratch.varde("node", "run", "--dir", directory.path)
                #expect(keyless.status != 0 && keyless.text.contains("administrators"))
                try FileManager.default.copyItem(
                    atPath: directory.path + ".lost/keys", toPath: directory.path + "/keys")

                try await network.start(Self.haukeland)
                let before = try await network.participant(label, of: nurse.study, at: Self.norcrin)
                try await until("it takes back what its peers hold") {
                    try await network.participant(label, of: nurse.study, at: Self.haukeland).typed("IT.SYSBP")
                        == ["142"]
                }
                let receipt = try await network.record(
                    nurse.vitalSigns(["IT.SYSBP": "143"], of: before, seen: before), at: Self.haukeland)
                // Entry 0 opens the epoch; the save stands after it.
                #expect(receipt.index == 1)
                let statuses = try await network.untilEqual(all)
                #expect(statuses.values.allSatisfy { $0.forkedLogs.isEmpty })
            }
        }

        private func checkFolder(_ backup: String, of directory: NodeDirectory) throws {
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: backup))
            #expect(names == ["events.sqlite", "backup.json", "charter", "node.json"])
            for (path, mode) in [("", 0o700)] + names.map({ ("/" + $0, 0o600) }) {
                let attributes = try FileManager.default.attributesOfItem(atPath: backup + path)
                #expect(attributes[.posixPermissions] as? Int == mode, "\(path)")
            }
            for (key, secret) in try bytes(below: directory.path + "/keys") {
                let text = String(decoding: secret, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                let raw = Data(try required([UInt8](hex: text), key))
                for (name, bytes) in try bytes(below: backup) {
                    #expect(bytes.range(of: Data(text.utf8)) == nil && bytes.range(of: raw) == nil, "\(key) in \(name)")
                }
            }
        }

        @Test func `a damaged backup is not restored, and a damaged node gives no backup`() async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 6))
                try await network.startAll()
                try await network.load()
                try await network.untilEqual(all)
                try await network.stop(Self.haukeland, TestStudies.stavanger, Self.norcrin)
                let directory = network.directory(Self.haukeland)
                let backup = scratch.path + "/backup"
                let made = try await scratch.varde("backup", "--dir", directory.path, backup)
                #expect(made.status == 0, "\(made.text)")

                let events = backup + "/events.sqlite"
                let whole = try Data(contentsOf: URL(filePath: events))
                var spoiled = whole
                spoiled[whole.count / 2] ^= 1
                try spoiled.write(to: URL(filePath: events))
                let target = scratch.path + "/again"
                let refused = try await scratch.varde("restore", backup, "--to", target)
                #expect(refused.status != 0 && refused.text.contains("SHA-256"), "\(refused.text)")
                #expect(!FileManager.default.fileExists(atPath: target))
                #expect(!FileManager.default.fileExists(atPath: target + ".unfinished"))
                try whole.write(to: URL(filePath: events))
                #expect(try await scratch.varde("restore", backup, "--to", target).status == 0)

                // A header in the node's own file loses a bit: the copy is faithful, and no backup.
                let own = StoreConfiguration.eventsFile(in: directory.path)
                var file = try Data(contentsOf: URL(filePath: own))
                let place = try required(file.range(of: Data("varde/0.1.0".utf8)), "header").lowerBound
                file[place] ^= 1
                try file.write(to: URL(filePath: own))
                let other = scratch.path + "/other"
                let unsound = try await scratch.varde("backup", "--dir", directory.path, other)
                #expect(unsound.status != 0 && unsound.text.contains("does not hold"), "\(unsound.text)")
                #expect(!FileManager.default.fileExists(atPath: other))
                #expect(!FileManager.default.fileExists(atPath: other + ".unfinished"))
            }
        }
    }
}
