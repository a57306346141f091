import EventLog
import Foundation
import Interchange
import Node
import Testing
import Trial

extension AcceptanceTests {
    /// What an inspector does: a proof of one entry, the public tools, and a checker that shares nothing with Varde.
    @Suite struct ProofTests {
        private struct Listed: Decodable {
            var place: String
            var operation: String
        }

        private struct Verdict: Decodable {
            struct Meaning: Decodable {
                struct Line: Decodable {
                    var label: String
                    var text: String
                }
                var operation: String
                var lines: [Line]
            }
            var isProven: Bool
            var node: NodeID
            var meaning: Meaning
            var charterFoundingHash: String
            var sentence: String
        }

        private struct Keys: Decodable {
            struct Log: Decodable {
                var log: String
                var stream: String
                var verifierKey: String
            }
            struct Witness: Decodable {
                var verifierKey: String
            }
            var logs: [Log]
            var witnesses: [Witness]
        }

        private static let checker = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Protocols/check-proof.py").path

        private static let hasPython: Bool = {
            [["python3", "--version"], ["openssl", "version"]].allSatisfy { (try? run($0))?.status == 0 }
        }()

        /// Runs another program to its end.
        private static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = arguments
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            process.standardInput = FileHandle.nullDevice
            try process.run()
            let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: output, as: UTF8.self))
        }

        @Test func `an entry is proven to whoever has the file, and to nobody who has another one`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 4)
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                let study = try await network.load()
                let node = try required(network.nodes.first { $0.text == "haukeland" }, "haukeland")
                let directory = network.directory(node).path

                // While the node runs: its entries are listed and one is proven.
                let label = try await anyLabel(in: scratch, directory: directory, study: study)
                let listed = try await scratch.varde(
                    "prove", "--dir", directory, "--study", "\(study)", "--participant", label, "--json"
                ).json([Listed].self)
                let place = try required(listed.last { $0.operation == "form saved" }, "a form saved").place
                let file = scratch.path + "/entry.json"
                let made = try await scratch.varde("prove", place, "--dir", directory, "--out", file)
                #expect(made.status == 0, "\(made.text)")
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600)

                let found = try await scratch.varde("verify", file, "--json")
                #expect(found.status == 0, "\(found.text)")
                let verdict = try found.json(Verdict.self)
                #expect(verdict.isProven && verdict.node == node && verdict.meaning.operation == "form saved")
                #expect(verdict.meaning.lines.contains { $0.label == "value" })
                #expect(verdict.sentence.hasPrefix("Node haukeland ("))
                let text = try await scratch.varde("verify", file)
                #expect(text.output.contains("Compare the founding hash"))
                let trusted = try await scratch.varde(
                    "verify", file, "--charter-hash", verdict.charterFoundingHash)
                #expect(trusted.status == 0 && !trusted.output.contains("Compare the founding hash"))
                let other = try await scratch.varde(
                    "verify", file, "--charter-hash", String(repeating: "0", count: 64))
                #expect(other.status == 1 && other.errors.contains("another network's charter"), "\(other.text)")

                try await checkApart(file, verdict.charterFoundingHash)
                try await checkAltered(file, scratch)
                try await network.stop(node)
                // And when it does not run.
                let later = try await scratch.varde("prove", place, "--dir", directory)
                #expect(later.status == 0)
                #expect(try ProofFile(bytes: Array(later.output.utf8)).proof.entry.id.description.count == 64)
            }
        }

        private func anyLabel(in scratch: Scratch, directory: String, study: StudyID) async throws -> String {
            let result = try await scratch.varde(
                "query", "--dir", directory, "--study", "\(study)",
                "SELECT label FROM participant ORDER BY label LIMIT 1")
            return try required(
                result.output.split(separator: "\n").dropFirst().first.map(String.init), "label in \(result.text)")
        }

        private func checkApart(_ file: String, _ founding: String) async throws {
            guard Self.hasPython else { return }
            let apart = try Self.run(["python3", Self.checker, "proof", file, "--charter-hash", founding])
            #expect(apart.status == 0 && apart.text.contains("proven: node haukeland"), "\(apart.text)")
            let foreign = try Self.run([
                "python3", Self.checker, "proof", file, "--charter-hash", String(repeating: "0", count: 64),
            ])
            #expect(foreign.status == 1 && foreign.text.contains("another network's charter"), "\(foreign.text)")
        }

        /// Alters a character in each member: both checkers refuse.
        private func checkAltered(_ file: String, _ scratch: Scratch) async throws {
            let whole = try String(contentsOfFile: file, encoding: .utf8)
            let altered = scratch.path + "/altered.json"
            let places = [
                #""header": "CAAa"#, #""salt": ""#, #""bytes": ""#, #"tlog-proof@v1\nindex "#, #""epoch": ""#,
                #""charter": ["#,
            ]
            for place in places {
                let range = try required(whole.range(of: place), place)
                var text = whole
                // A few characters further, within base64 or digits; another digit or letter takes its place.
                let index = text.index(range.upperBound, offsetBy: place.hasSuffix("[") ? 40 : 2)
                let old = text[index]
                text.replaceSubrange(index...index, with: old == "b" ? "c" : "b")
                try text.write(toFile: altered, atomically: true, encoding: .utf8)
                let result = try await scratch.varde("verify", altered)
                #expect(result.status == 1 && result.errors.contains("proves nothing"), "\(place): \(result.text)")
                guard Self.hasPython else { continue }
                let apart = try Self.run(["python3", Self.checker, "proof", altered])
                #expect(apart.status == 1 && apart.text.hasPrefix("refused"), "\(place): \(apart.text)")
            }
        }

        @Test func `a log is exported as tiles that lead to its signed head, and grows with it`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 12)
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                try await network.load()
                let node = try required(network.nodes.first { $0.text == "haukeland" }, "haukeland")
                let directory = network.directory(node).path
                let keys = try await scratch.varde("verify", "--vkey", "--dir", directory, "--json").json(Keys.self)
                #expect(keys.witnesses.count == network.nodes.count)
                for witness in keys.witnesses { _ = try NoteVerifierKey(text: witness.verifierKey) }
                let log = try required(keys.logs.first { $0.stream.hasSuffix("/loc/haukeland") }, "haukeland's log")
                let key = try NoteVerifierKey(text: log.verifierKey)
                let folder = scratch.path + "/tiles"
                for _ in 0..<2 {
                    // The second time brings the folder up to date.
                    let result = try await scratch.varde(
                        "export", "log", String(log.log.prefix(8)), "--dir", directory, "--to", folder)
                    #expect(result.status == 0 && result.output.contains(log.verifierKey), "\(result.text)")
                }
                let note = try Data(contentsOf: URL(fileURLWithPath: folder + "/checkpoint"))
                let head = try SignedCheckpoint(bytes: [UInt8](note))
                try head.verify(with: key)
                #expect(head.checkpoint.size > 0)
                if Self.hasPython {
                    let apart = try Self.run([
                        "python3", Self.checker, "tiles", folder, "--vkey", log.verifierKey,
                    ])
                    #expect(
                        apart.status == 0 && apart.text.hasPrefix("proven: \(head.checkpoint.size)"), "\(apart.text)")
                    try spoilBundle(in: folder)
                    let spoiled = try Self.run([
                        "python3", Self.checker, "tiles", folder, "--vkey", log.verifierKey,
                    ])
                    #expect(spoiled.status == 1 && spoiled.text.hasPrefix("refused"), "\(spoiled.text)")
                }
                // Another log's folder is not written to.
                let foreign = try required(keys.logs.first { $0.log != log.log }, "another log")
                let refused = try await scratch.varde(
                    "export", "log", foreign.log, "--dir", directory, "--to", folder)
                #expect(refused.status == 1 && refused.errors.contains("it holds log"), "\(refused.text)")
                let unknown = try await scratch.varde(
                    "export", "log", "0000000000", "--dir", directory, "--to", folder)
                #expect(unknown.status == 1 && unknown.errors.contains("holds no log"), "\(unknown.text)")
            }
        }

        /// Turns one bit of the last byte of a bundle.
        private func spoilBundle(in folder: String) throws {
            let paths =
                FileManager.default.enumerator(atPath: folder + "/tile/entries")?.compactMap { $0 as? String } ?? []
            var isFolder: ObjCBool = false
            let file = try required(
                paths.map { folder + "/tile/entries/" + $0 }.first {
                    FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
                }, "a bundle")
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
            bytes[bytes.count - 1] ^= 1
            try Data(bytes).write(to: URL(fileURLWithPath: file))
        }
    }
}
