import EventLog
import Foundation
import Node
import Testing
import Trial
import Views
import Web

/// What is read of views in these tests.
enum NodeViews {
    /// The views of a node.
    static func directory(_ network: TestNetwork, _ node: NodeID) -> ViewDirectory {
        ViewDirectory(dataDirectory: network.directory(node).path)
    }

    /// Reads the one study's view of a node, once it is there and `condition` holds.
    static func read<Value>(
        _ network: TestNetwork, _ node: NodeID, _ body: (ViewReader) throws -> Value,
        where condition: (Value) -> Bool = { _ in true }
    ) async throws -> Value {
        var value: Value?
        try await until("the view of \(node) holds everything") {
            value = try? body(try ViewReader.open(directory(network, node), study: nil))
            return value.map(condition) ?? false
        }
        return try required(value, "view")
    }

    /// Builds the views of a node anew, by the program.
    static func rebuild(_ scratch: Scratch, _ network: TestNetwork, _ node: NodeID) async throws -> RebuildOutcome {
        let result = try await scratch.varde(
            "rebuild", "--json", "--dir", network.directory(node).path, withinSeconds: 120)
        guard result.status == 0 else { throw TestFailure("\(result.text.suffix(2000))") }
        return try required(try result.json([RebuildOutcome].self).first, "outcome")
    }
}

extension AcceptanceTests {
    @Suite struct ViewTests {
        @Test func `a view is the same live, at another node that heard it otherwise, and built anew`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 60)
                let totals = TestStudies.totals(source)
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                try await network.load()
                try await network.untilEqual([TestStudies.haukeland, TestStudies.stavanger, TestStudies.norcrin])
                var digests: Set<String> = []
                for node in [TestStudies.haukeland, TestStudies.stavanger, TestStudies.norcrin] {
                    let digest = try await NodeViews.read(
                        network, node,
                        { reader in
                            let counts = try reader.counts()
                            return (counts, try reader.check())
                        }, where: { $0.0.participants == totals.participants && $0.0.values == totals.values }
                    ).1
                    let status = try await network.status(node)
                    let monitoring = try await NodeViews.read(network, node) { try $0.monitoring() }
                    #expect(monitoring.reduce(0) { $0 + $1.screened } == status.counts.statuses["screened"] ?? 0)
                    #expect(monitoring.reduce(0) { $0 + $1.included } == status.counts.statuses["included"] ?? 0)
                    // While the node runs it does it itself, and compares with what it kept.
                    let outcome = try await NodeViews.rebuild(scratch, network, node)
                    #expect(outcome.digest == digest && outcome.digestBefore == digest)
                    #expect(outcome.counts.forms == totals.forms)
                    digests.insert(digest.description)
                }
                #expect(digests.count == 1)
                try await network.stop(TestStudies.haukeland)
                let offline = try await NodeViews.rebuild(scratch, network, TestStudies.haukeland)
                #expect(offline.digestBefore == offline.digest)
                #expect(digests == [offline.digest.description])
            }
        }

        @Test func `a rebuild that is killed at any moment leaves what was in service`() async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 150))
                try await network.startAll()
                try await network.load()
                try await network.untilEqual([TestStudies.haukeland, TestStudies.stavanger, TestStudies.norcrin])
                for node in network.nodes { try await network.stop(node) }
                let node = TestStudies.haukeland
                let first = try await NodeViews.rebuild(scratch, network, node)
                let path = network.directory(node).path
                var generator = SeededGenerator(seed: 5)
                let directory = NodeViews.directory(network, node)
                var wholeOnes = 0
                for _ in 0..<12 {
                    let before = directory.current(first.study)
                    let program = try scratch.start(["rebuild", "--dir", path])
                    try await Task.sleep(for: .milliseconds(Int.random(in: 5...450, using: &generator)))
                    program.signal(SIGKILL)
                    let ended = try await program.ended(withinSeconds: 20)
                    if ended.status == 0 { wholeOnes += 1 } else { #expect(directory.current(first.study) != nil) }
                    let reader = try ViewReader(directory, study: first.study)
                    #expect(try reader.check() == first.digest)
                    if reader.generation != before { wholeOnes += 1 }
                }
                #expect(wholeOnes < 24, "no rebuild was killed")
                let last = try await NodeViews.rebuild(scratch, network, node)
                #expect(last.digest == first.digest && last.digestBefore == first.digest)
                #expect(directory.generations(first.study) == [last.generation])
                // The node takes the view up where it stands.
                try await network.start(node)
                let counts = try await NodeViews.read(network, node) { try $0.counts() }
                #expect(counts == last.counts)
            }
        }

        @Test func `a query reads while the node runs, refuses to write, and names the tables there are`() async throws
        {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 4))
                try await network.startAll()
                try await network.load()
                let path = network.directory(TestStudies.norcrin).path
                _ = try await NodeViews.read(network, TestStudies.norcrin, { try $0.counts() }) { $0.participants == 4 }
                let rows = try await scratch.varde(
                    "query", "SELECT count(*) AS n FROM participant", "--json", "--dir", path)
                #expect(rows.status == 0, "\(rows.text)")
                #expect(try rows.json([[String: Int]].self) == [["n": 4]])
                let table = try await scratch.varde(
                    "query", "SELECT * FROM value", "--csv", "--limit", "3", "--dir", path)
                #expect(table.status == 0)
                #expect(table.output.split(separator: "\n").count == 4)
                #expect(table.errors.contains("only the first 3 rows"))
                for name in ["VARDE.SCIATICA", "\(network.source.definition.studyName)"] {
                    let named = try await scratch.varde(
                        "query", "SELECT count(*) FROM participant", "--study", name, "--csv", "--dir", path)
                    #expect(named.status == 0 && named.output.contains("4"), "\(name): \(named.text)")
                }
                let other = try await scratch.varde("query", "SELECT 1", "--study", "NOPE", "--dir", path)
                #expect(other.status != 0 && other.text.contains("it holds VARDE.SCIATICA"), "\(other.text)")
                let write = try await scratch.varde("query", "DELETE FROM participant", "--dir", path)
                #expect(write.status != 0 && write.text.contains("this is not a query"))
                let unknown = try await scratch.varde("query", "SELECT * FROM patients", "--dir", path)
                #expect(unknown.status != 0 && unknown.text.contains("monitoring"))
            }
        }

        @Test func `the page says when each other node was last heard from`() async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 1))
                try await network.start(TestStudies.haukeland, TestStudies.norcrin)
                let directory = network.directory(TestStudies.haukeland)
                let port = try required(directory.runningHTTPAddress.flatMap { URL(string: $0)?.port }, "port")
                let host = ("Host", "127.0.0.1:\(port)")
                func ask(_ method: String, _ path: String, _ more: (String, String), _ body: String = "") async throws
                    -> LoopbackResponse
                {
                    try await LoopbackClient.connect(port: UInt16(port)) {
                        try await $0.ask(method, path, headers: [host, more], body: [UInt8](body.utf8))
                    }
                }
                let code = try BrowserSessions.makeCode(in: directory, at: SessionClock.system.utcSeconds())
                let opened = try await ask(
                    "POST", "/session", ("Content-Type", "application/x-www-form-urlencoded"), "code=\(code)")
                let cookie = String((opened.headers["set-cookie"] ?? "").prefix { $0 != ";" })
                func lastHeard(_ node: NodeID) async throws -> String? {
                    let page = try await ask("GET", "/page/main", ("Cookie", cookie)).text
                    let row = page.components(separatedBy: "<tr>").first { $0.contains("<th scope=\"row\">\(node)<") }
                    return row?.components(separatedBy: "<td>").dropFirst(2).first.map {
                        String($0.prefix { $0 != "<" })
                    }
                }
                try await until("the page names the moment") {
                    try await lastHeard(TestStudies.norcrin)?.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d.*Z/)
                        != nil
                }
                #expect(try await lastHeard(TestStudies.stavanger) == "–")
            }
        }
    }
}
