import Foundation
import Interchange
import Node
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct CommandLineTests {
        /// A way in which a file can be wrong, and what a person must be told.
        struct Fault: CustomTestStringConvertible, Sendable {
            let name: String
            /// The first place that fits this regular expression is changed.
            let find: String
            let replacement: String
            /// What must be said beside file and line.
            let said: [String]
            /// How many lines below the change the problem stands.
            var linesBelow = 0

            var testDescription: String { name }
        }

        static let faults = [
            Fault(
                name: "an unknown OID", find: "ItemOID=\"IT.SYSBP\"", replacement: "ItemOID=\"IT.NOSUCH\"",
                said: ["IT.NOSUCH", "the study defines no ItemDef", "correct the OID"]),
            Fault(
                name: "a value of the wrong type", find: "ItemOID=\"IT.AGE\" Value=\"[^\"]*",
                replacement: "ItemOID=\"IT.AGE\" Value=\"old", said: ["IT.AGE", "not of type integer"]),
            Fault(
                name: "a value outside its code list", find: "ItemOID=\"IT.SEX\" Value=\"[^\"]*",
                replacement: "ItemOID=\"IT.SEX\" Value=\"X", said: ["IT.SEX", "no code of code list"]),
            Fault(
                name: "one key twice", find: "<ItemData ItemOID=\"IT.DIABP\"",
                replacement: "<ItemData ItemOID=\"IT.DIABP\" Value=\"70\"/>\n<ItemData ItemOID=\"IT.DIABP\"",
                said: ["IT.DIABP", "the same key stands here before"], linesBelow: 1),
            Fault(
                name: "a site that no node hosts", find: "LocationOID=\"SITE.haukeland\"/>",
                replacement: "LocationOID=\"SITE.ous\"/>", said: ["SITE.ous", "no row of sites.csv has this site"]),
        ]

        /// Files of two hospitals, Haukeland's with a fault.
        private func files(_ scratch: Scratch, _ source: StudySource, _ fault: Fault) throws -> (
            folder: String, line: Int
        ) {
            let folder = scratch.path + "/files"
            try TestStudies.write(source, to: folder)
            let path = folder + "/site-haukeland.xml"
            var text = try String(contentsOfFile: path, encoding: .utf8)
            let place = try required(
                text.range(of: fault.find, options: .regularExpression), "\(fault.find) in the file")
            let line = text[..<place.lowerBound].count { $0 == "\n" } + 1
            text.replaceSubrange(place, with: fault.replacement)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            return (folder, line + fault.linesBelow)
        }

        @Test(arguments: faults)
        func `a file with an error is named with line, OID and reason, and nothing is loaded`(_ fault: Fault)
            async throws
        {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 6)
                let network = try TestNetwork(scratch, for: source)
                let (folder, line) = try files(scratch, source, fault)
                let check = try await scratch.varde(
                    "study", "check", "--study", folder + "/study.xml", "--data", folder)
                let load = try await scratch.varde(
                    "import", "odm", "--network-dir", network.path, "--study", folder + "/study.xml", "--data", folder)
                for result in [check, load] {
                    #expect(result.status == 1)
                    #expect(result.text.contains("\(folder)/site-haukeland.xml:\(line)"), "\(result.text)")
                    for words in fault.said { #expect(result.text.contains(words), "\(result.text)") }
                    #expect(result.text.contains("1 error"), "\(result.text)")
                }
                #expect(load.errors.contains("nothing was loaded; --lenient loads what is right"))
                for node in network.nodes {
                    #expect(!FileManager.default.fileExists(atPath: network.directory(node).path + "/events.sqlite"))
                }
            }
        }

        @Test func `a file that is cut off is named with the line where it ends`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 6)
                let folder = scratch.path + "/files"
                try TestStudies.write(source, to: folder)
                let path = folder + "/site-haukeland.xml"
                let whole = try Data(contentsOf: URL(fileURLWithPath: path))
                let half = whole.prefix(whole.count / 2)
                try half.write(to: URL(fileURLWithPath: path))
                let lines = half.count { $0 == 0x0A } + 1
                let result = try await scratch.varde(
                    "study", "check", "--study", folder + "/study.xml", "--data", folder)
                #expect(result.status == 1)
                #expect(result.output.contains("\(path):\(lines)"), "\(result.text)")
                #expect(result.output.contains("get the whole file: it seems to be cut off"), "\(result.text)")
            }
        }

        @Test func `with lenient the rest is loaded, and the status says that something is missing`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 6)
                let totals = TestStudies.totals(source)
                let network = try TestNetwork(scratch, for: source)
                let fault = Self.faults[0]
                let (folder, line) = try files(scratch, source, fault)
                try await network.startAll()
                let result = try await scratch.varde(
                    "import", "odm", "--lenient", "--json", "--network-dir", network.path, "--study",
                    folder + "/study.xml", "--data", folder)
                #expect(result.status == 1)
                #expect(result.errors.contains("site-haukeland.xml:\(line)"), "\(result.errors)")
                let outcome = try result.json(ImportOutcome.self)
                #expect(outcome.participants == totals.participants)
                #expect(outcome.forms == totals.forms)
                #expect(outcome.values == totals.values - 1)
                #expect(outcome.refusals.isEmpty, "\(outcome.refusals)")
                let statuses = try await network.untilEqual(network.nodes) {
                    $0.values.allSatisfy { $0.counts.values == totals.values - 1 }
                }
                #expect(statuses.count == 3)
            }
        }

        // MARK: Help and advice

        private struct Help: Decodable {
            struct Command: Decodable {
                var commandName: String
                var subcommands: [Command]?
            }
            var command: Command
        }

        @Test func `the help of every command has an example`() async throws {
            try await withScratch { scratch in
                let dump = try await scratch.varde("--experimental-dump-help")
                var ways: [[String]] = []
                func walk(_ command: Help.Command, _ way: [String]) {
                    ways.append(way)
                    for next in command.subcommands ?? [] where next.commandName != "help" {
                        walk(next, way + [next.commandName])
                    }
                }
                walk(try dump.json(Help.self).command, [])
                #expect(ways.count > 15)
                for way in ways {
                    let result = try await scratch.start(way + ["--help"]).ended(withinSeconds: 20)
                    #expect(result.status == 0)
                    #expect(result.output.contains("Example:\n  varde "), "varde \(way.joined(separator: " ")) --help")
                }
            }
        }

        @Test func `whoever asks for what is not there is told what is`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 2)
                let network = try TestNetwork(scratch, for: source)
                let node = network.directory(TestStudies.norcrin).path
                let silent = try await scratch.varde("status", "--dir", node)
                #expect(silent.status == 1)
                #expect(silent.errors.contains("no node listens at \(node)/node.sock"), "\(silent.errors)")
                #expect(silent.errors.contains("varde node run"), "\(silent.errors)")

                try await network.startAll()
                try await network.load()
                let out = scratch.path + "/export.xml"
                let unknown = try await scratch.varde("export", "odm", "--dir", node, "--study", "NOPE", "--out", out)
                #expect(unknown.status == 1)
                #expect(unknown.errors.contains("no study 'NOPE'; it holds VARDE.SCIATICA"), "\(unknown.errors)")
                #expect(!FileManager.default.fileExists(atPath: out))
                let nobody = try await scratch.varde("status", "--dir", scratch.path)
                #expect(nobody.status == 1)
                #expect(nobody.errors.contains("is not a node's directory"), "\(nobody.errors)")
                let shown = try await scratch.varde("status", "--dir", node)
                #expect(shown.status == 0)
                #expect(shown.output.contains("node norcrin of network test.varde"), "\(shown.output)")
            }
        }

        @Test func `advice is given where a file, folder or directory is not what it should be`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 1)
                let folder = scratch.path + "/files"
                try TestStudies.write(source, to: folder)
                let study = folder + "/study.xml"
                let cases: [([String], String)] = [
                    (["study", "check", "--study", "absent.xml", "--data", folder], "absent.xml is missing"),
                    (
                        ["study", "check", "--study", study, "--data", "absent"],
                        "absent is missing: give the folder of sites.csv"
                    ),
                    (["study", "check", "--study", folder + "/sites.csv", "--data", folder], "sites.csv:1"),
                    (
                        ["import", "odm", "--network-dir", folder, "--study", study, "--data", folder],
                        "holds no directory of node haukeland"
                    ),
                    (["node", "run", "--dir", folder], "is not a node's directory"),
                    (
                        ["network", "init", "--dir", folder, "--network", "A B", "--sites", folder + "/sites.csv"],
                        "not 'A B'"
                    ),
                    (
                        [
                            "network", "init", "--dir", scratch.path + "/" + String(repeating: "long/", count: 20),
                            "--network", "test", "--sites", folder + "/sites.csv",
                        ], "use a directory with a shorter path"
                    ),
                ]
                for (arguments, words) in cases {
                    let result = try await scratch.start(arguments).ended(withinSeconds: 20)
                    #expect(result.status != 0, "\(arguments)")
                    #expect(result.text.contains(words), "\(arguments): \(result.text)")
                    #expect(!result.text.contains("NSError") && !result.text.contains("Error Domain"))
                }
            }
        }
    }
}
