import EventLog
import Foundation
import Interchange
import Node
import Testing
import Trial
import Web

/// Readers of documents: ODM, plans, divisions, FHIR, and what lies in a node's directory or comes through its socket.
struct DocumentFuzzTests {
    private func expectBoth(_ outcome: Fuzzing.Outcome, location: SourceLocation = #_sourceLocation) {
        #expect(outcome.read > 0 && outcome.refused > 0, "\(outcome)", sourceLocation: location)
    }

    @Test func `definitions, ODM`() throws {
        expectBoth(
            Fuzzing.run([try Corpus.study("study.xml")], rounds: 60, seed: 21) { bytes in
                let (definition, report) = ODMMetadataReader.read(bytes: bytes, fileName: "study.xml")
                return definition != nil && !report.hasErrors
            })
    }

    @Test func `clinical data, ODM, with definitions and without`() throws {
        let study = try Corpus.study("study.xml")
        let definition = try #require(ODMMetadataReader.read(bytes: study, fileName: "study.xml").0)
        for (known, seed) in [(StudyDefinition?.some(definition), UInt64(22)), (nil, 23)] {
            expectBoth(
                Fuzzing.run([try Corpus.file("clinical.xml")], rounds: 400, seed: seed) { bytes in
                    let (data, summary) = ODMClinicalReader(definition: known).readAll(
                        bytes: bytes, fileName: "data.xml", mode: .strict)
                    #expect(!summary.report.hasErrors || data.subjects.isEmpty)
                    return !summary.report.hasErrors
                })
        }
    }

    @Test func `plans, YAML`() throws {
        expectBoth(
            Fuzzing.run([try Corpus.study("plan.yaml")], rounds: 2_000, seed: 24) { bytes in
                let (plan, report) = TrialPlanReader.read(bytes: bytes, fileName: "plan.yaml")
                return plan != nil && !report.hasErrors
            })
    }

    @Test func `divisions, CSV`() throws {
        expectBoth(
            Fuzzing.run([try Corpus.study("sites.csv")], rounds: 5_000, seed: 25) { bytes in
                SiteDivisionReader.read(bytes: bytes, fileName: "sites.csv").0 != nil
            })
    }

    @Test func `batches of answers, FHIR`() throws {
        expectBoth(
            Fuzzing.run([try Corpus.file("bundle.json")], rounds: 5_000, seed: 26) { bytes in
                let batch = try FHIRBatchReader.read(bytes)
                return batch.entries.contains {
                    if case .success = $0 { true } else { false }
                }
            })
    }

    @Test func `requests and replies of the local socket`() throws {
        let decoder = JSONDecoder()
        var (requests, replies) = (0, 0)
        expectBoth(
            Fuzzing.run(try Corpus.lines("local-socket.jsonl"), rounds: 6_000, seed: 27) { bytes in
                let data = Data(bytes)
                if let request = try? decoder.decode(LocalRequest.self, from: data) {
                    requests += 1
                    return try !JSONEncoder().encode(request).isEmpty
                }
                _ = try decoder.decode(LocalReply.self, from: data)
                replies += 1
                return true
            })
        #expect(requests > 0 && replies > 0)
    }

    /// A directory of a node that is gone after the test.
    private func withDirectory(_ body: (NodeDirectory) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "varde-fuzz-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(NodeDirectory(path))
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw VectorError(name: path) }
    }

    @Test func `node.json`() throws {
        try withDirectory { directory in
            expectBoth(
                Fuzzing.run([try Corpus.file("node.json")], rounds: 1_500, seed: 28) { bytes in
                    try write(bytes, to: directory.path + "/node.json")
                    return try NodeConfiguration.read(directory).format == 0
                })
        }
    }

    @Test func `the file of tokens`() throws {
        try withDirectory { directory in
            expectBoth(
                Fuzzing.run([try Corpus.file("tokens.json")], rounds: 1_500, seed: 29) { bytes in
                    try write(bytes, to: directory.tokens)
                    // A new reader each time: one that stays notices a change by the file's time.
                    return try !TokenFile(directory).tokens().isEmpty
                })
        }
    }

    @Test func `the directory's charter and its events file, as they might be after a disk failed`() throws {
        try withDirectory { directory in
            try write(Corpus.file("node.json"), to: directory.path + "/node.json")
            let charter = try Corpus.vectors("charters.json", "versions").compactMap {
                try? CharterChain(founding: SignedCharter(bytes: $0)).bytes.hex
            }.map { Array($0.utf8) }
            let outcome = Fuzzing.run(charter, rounds: 500, seed: 30) { bytes in
                try write(bytes, to: directory.path + "/charter")
                try write(bytes, to: directory.path + "/events.sqlite")
                _ = try OfflineNode(directory: directory)
                return true
            }
            // The network in node.json is another one: nothing of this may be taken for a node.
            #expect(outcome.read == 0 && outcome.refused > 500)
        }
    }
}
