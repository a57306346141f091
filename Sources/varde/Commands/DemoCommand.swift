import ArgumentParser
import EventLog
import Foundation
import Interchange
import Node
import Trial

/// `varde demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start a national network of seven nodes on this machine, with a trial in it.",
        discussion: """
            Every node is a process of its own with keys, store and sockets of its own. Without --study the sciatica \
            trial that ships with Varde is used, with invented participants. The nodes end when the demonstration does; \
            with --dir they can be looked at afterwards, and started again.

            Example:
              varde demo
              varde demo --once --json --study study.xml --data FOLDER
            """)

    @Option(help: "The study's definitions, ODM 1.3.2.")
    var study: String?
    @Option(help: "Folder of sites.csv and of the ODM files with clinical data.")
    var data: String?
    @Option(help: "The trial's plan; without it plan.yaml in the folder of --data.")
    var plan: String?
    @Option(name: .customLong("dir"), help: "Where the nodes' directories go; without it a temporary folder.")
    var directory: String?
    @Flag(help: "End when all nodes hold the same.")
    var once = false
    @Flag(help: "Print a summary as JSON when all nodes hold the same.")
    var json = false
    @Option(help: "Invented participants of the shipped trial.")
    var participants = 150

    func validate() throws {
        guard (study == nil) == (data == nil) else { throw ValidationError("--study and --data go together") }
        guard (1...20_000).contains(participants) else {
            throw ValidationError("--participants lies between 1 and 20 000")
        }
    }

    func run() async throws {
        let source = try loadSource()
        let isTemporary = directory == nil
        let path = try directory ?? TemporaryDirectory.make()
        defer { if isTemporary { try? FileManager.default.removeItem(atPath: path) } }
        let demonstration = try Demonstration(
            source: source, directory: path, executable: ExecutablePath.current, started: Varde.started)
        let interruption = Interruption()
        let showing = Task { await show(demonstration) }
        var failure: (any Error)?
        do {
            try await interruption.race { try await carryOut(demonstration, in: path) }
        } catch {
            failure = error
        }
        showing.cancel()
        await showing.value
        await demonstration.end()
        if let failure { throw failure }
    }

    private func loadSource() throws -> StudySource {
        guard let study, let data else { return try ShippedStudy.sciatica(participants: participants) }
        let source = try StudySource.read(study: study, directory: data, plan: plan)
        let report = try StudyImport.check(source)
        if report.hasErrors { throw Failure(report.text(atLeast: .warning)) }
        return source
    }

    private func carryOut(_ demonstration: Demonstration, in path: String) async throws {
        let outcome = try await demonstration.load()
        for refusal in outcome.refusals.prefix(20) { Output.note("refused: \(refusal)") }
        let summary = await demonstration.untilConverged()
        if json { try Output.json(summary) }
        guard summary.converged else {
            throw Failure("the nodes do not hold the same after five minutes; their logs (node.log) say more")
        }
        guard outcome.refusals.isEmpty else { throw Failure("\(outcome.refusals.count) commands were refused") }
        if once {
            if !json { Output.line(DemoTable.text(await demonstration.snapshot())) }
            return
        }
        Output.note("a node's page opens with: varde node open --dir \(path)/haukeland")
        // Until interrupted the table goes on showing the nodes.
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
    }

    /// Draws the table anew every half second, on a terminal; elsewhere says each step once.
    private func show(_ demonstration: Demonstration) async {
        var lines = 0
        var said = ""
        while !Task.isCancelled {
            let snapshot = await demonstration.snapshot()
            if Output.isTerminal && !json {
                let text = DemoTable.text(snapshot)
                let clear = lines > 0 ? "\u{1B}[\(lines)A\u{1B}[J" : ""
                FileHandle.standardError.write(Data((clear + text + "\n").utf8))
                lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
            } else if Output.isTerminal {
                Output.progress("\(snapshot.step) · \(Output.grouped(snapshot.forms)) forms")
            } else if snapshot.step != said {
                said = snapshot.step
                Output.note("\(snapshot.step)")
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
        if json { Output.endProgress() }
    }
}

/// The live table of nodes.
enum DemoTable {
    static func text(_ snapshot: Demonstration.Snapshot) -> String {
        var lines = [
            "Varde · \(snapshot.step) · \(Output.grouped(snapshot.forms)) forms loaded · "
                + String(format: "%.1f s", snapshot.seconds),
            "",
            [
                Output.cell("node", 12), Output.cell("region", 18), Output.cell("entries", 8, right: true),
                Output.cell("people", 7, right: true), Output.cell("forms", 7, right: true),
                Output.cell("values", 8, right: true), Output.cell("conflicts", 10, right: true),
                Output.cell("peers", 6, right: true), Output.cell("lag", 6, right: true), "  digest    page",
            ].joined(),
        ]
        for status in snapshot.statuses {
            let up = status.peers.count { $0.phase == "exchanging" }
            let lag = status.peers.map(\.entriesLackingHere).max() ?? 0
            let restarts = snapshot.restarts[status.node] ?? 0
            lines.append(
                [
                    Output.cell(status.node.text, 12), Output.cell(status.region ?? "–", 18),
                    Output.cell(Output.grouped(status.entries), 8, right: true),
                    Output.cell(Output.grouped(status.counts.participants), 7, right: true),
                    Output.cell(Output.grouped(status.counts.forms), 7, right: true),
                    Output.cell(Output.grouped(status.counts.values), 8, right: true),
                    Output.cell(Output.grouped(status.counts.conflicts), 10, right: true),
                    Output.cell("\(up)/\(status.peers.count)", 6, right: true),
                    Output.cell(Output.grouped(lag), 6, right: true),
                    "  " + digest(status), "  " + (snapshot.pages[status.node] ?? ""),
                    restarts > 0 ? "  restarted \(restarts)×" : "",
                ].joined())
        }
        return lines.joined(separator: "\n")
    }

    /// The first digits of a hash over the digests of all streams of a node.
    private static func digest(_ status: NodeStatus) -> String {
        String(Hash.sha256(status.streams.flatMap(\.digest.bytes)).hex.prefix(8))
    }
}

/// Where this program lies.
enum ExecutablePath {
    static var current: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}

/// A folder that only its owner may enter, gone when the demonstration ends.
enum TemporaryDirectory {
    static func make() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("varde-demo-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return path
    }
}

/// Turns an interrupt of the keyboard or a request to end into cancellation, so that the nodes are ended in order.
struct Interruption {
    private let signals: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        signals = stream
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
    }

    /// Runs `body` until it ends or a signal comes.
    func race(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let signals = signals
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask { for await _ in signals { return } }
            try await group.next()
            group.cancelAll()
        }
    }
}
