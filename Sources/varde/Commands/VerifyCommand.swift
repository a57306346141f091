import ArgumentParser
import EventLog
import Foundation
import Node
import StoreCore
import Views

/// `varde verify`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check everything that a node has stored, or the proof of one entry in a file.",
        discussion: """
            Of a node, every leaf, root, checkpoint signature and part is hashed again, on every core, and checked against \
            what the charter and the headers say; rights and orders are recomputed from the entries, and the views are held \
            against ones built anew; this may run beside the node. A file of 'varde prove' is checked with nothing else: no node, no network. \
            Ends with a status other than 0 where anything is wrong, and names it.

            Example:
              varde verify --dir network/norcrin
              varde verify entry.varde-proof.json --charter-hash HASH
              varde verify --vkey --dir network/norcrin --log 3f2a91c4
            """)

    @Argument(help: "A proof file; without one, a whole node is checked.")
    var file: String?
    @Option(name: .customLong("dir"), help: "The node's data directory.")
    var directory: String?
    @Option(help: "Of a proof file: the hash of version 0 of the network's charter, got by another way than the file.")
    var charterHash: String?
    @Flag(help: "Print the standard C2SP verifier keys of logs and witnesses, and check nothing.")
    var vkey = false
    @Option(help: "With --vkey and --dir: only this log, by the first digits of its id.")
    var log: String?
    @Option(help: "Of a node: threads that hash; all of the machine's where none are given.")
    var threads: Int?
    @Flag(help: "Print the result as JSON.")
    var json = false

    struct Result: Encodable {
        struct View: Encodable {
            var study: StudyID
            var generation: Int?
            var rows: Int
            var isCompared: Bool
            var differences: Int
        }

        var logs: Int
        var entries: UInt64
        var checkpoints: Int
        var partsDropped: UInt64
        var entriesNotUnderstood: UInt64
        var orders: [AuditedOrder]
        var streams: [AuditedStream]
        var views: [View]
        var problems: [String]
        var problemCount: Int
        var isSound: Bool
        var hashingSeconds: Double
        var seconds: Double
    }

    func validate() throws {
        guard threads.map({ (1...256).contains($0) }) ?? true else {
            throw ValidationError("--threads takes a number from 1 to 256")
        }
        guard (file != nil) != (directory != nil) else {
            throw ValidationError("give either a proof file, or a node with --dir")
        }
        guard charterHash == nil || (file != nil && !vkey) else {
            throw ValidationError("--charter-hash belongs to the check of a proof file")
        }
        guard log == nil || (vkey && directory != nil) else {
            throw ValidationError("--log belongs to --vkey with --dir")
        }
    }

    func run() async throws {
        let directory = try directory.map { try NodeOption.directory($0) }
        if vkey { return try VerifierKeysReport(file: file, directory: directory, log: log).run(json: json) }
        if let file { return try ProofVerification(file: file, charterHash: charterHash).run(json: json) }
        guard let directory else { return try validate() }
        let start = ContinuousClock.now
        let watch = Watch()
        let report = try OfflineNode(directory: directory).verify(workers: threads) { watch.show($0) }
        Output.endProgress()
        let result = Result(
            report, hashingSeconds: (watch.hashed ?? start).seconds(since: start),
            seconds: ContinuousClock.now.seconds(since: start))
        if json { try Output.json(result) } else { show(result) }
        guard result.isSound else { throw ExitCode(1) }
    }

    private func show(_ result: Result) {
        let rate = result.hashingSeconds > 0 ? Double(result.entries) / result.hashingSeconds : 0
        Output.line(
            "\(Output.grouped(result.entries)) entries in \(result.logs) logs, "
                + "\(Output.grouped(result.checkpoints)) checkpoints, hashed in "
                + String(format: "%.1f", result.hashingSeconds) + " s (\(Output.grouped(Int(rate)))/s)")
        for order in result.orders {
            Output.line(
                "  order \(order.order?.description ?? order.address): \(Output.grouped(order.partsDropped)) parts dropped"
            )
        }
        for stream in result.streams where stream.isRemarkable {
            Output.line("  \(stream.stream): \(stream.remarks)")
        }
        for view in result.views {
            let state =
                !view.isCompared
                ? "was not compared, because the node writes it: try again"
                : view.differences == 0 ? "equals a rebuild" : "differs from a rebuild in \(view.differences) rows"
            Output.line("  view of study \(view.study), \(Output.grouped(view.rows)) rows: \(state)")
        }
        for problem in result.problems { Output.line("  ! \(problem)") }
        Output.line(result.isSound ? "everything holds" : "\(result.problemCount) problems")
    }

    /// Shows progress, and keeps when hashing ended.
    private final class Watch {
        private(set) var hashed: ContinuousClock.Instant?

        func show(_ progress: AuditProgress) {
            switch progress {
            case .hashing(let done):
                Output.progress("hashed \(Output.grouped(done.entries)) of \(Output.grouped(done.total)) entries")
            case .folding:
                hashed = .now
                Output.progress("recomputing rights")
            case .views(let study, let done):
                Output.progress("\(study): \(done.phase.rawValue), \(Output.grouped(done.done))")
            }
        }
    }
}

extension VerifyCommand.Result {
    fileprivate init(_ report: AuditReport, hashingSeconds: Double, seconds: Double) {
        let verification = report.verification
        self.init(
            logs: verification.logs, entries: verification.entries, checkpoints: verification.checkpoints,
            partsDropped: verification.partsDropped, entriesNotUnderstood: verification.entriesNotUnderstood,
            orders: report.orders, streams: report.streams,
            views: report.views.map {
                View(
                    study: $0.study, generation: $0.generation, rows: $0.rows, isCompared: $0.isCompared,
                    differences: $0.differenceCount)
            }, problems: report.problems, problemCount: report.problemCount, isSound: report.isSound,
            hashingSeconds: hashingSeconds, seconds: seconds)
    }
}

extension AuditedStream {
    fileprivate var isRemarkable: Bool {
        !void.isEmpty || waiting > 0 || notUnderstood > 0 || !findings.isEmpty || erased > 0
    }

    /// What is to be known of the stream's entries, in one line.
    fileprivate var remarks: String {
        var parts: [String] = []
        func list(_ rules: [String: Int]) -> String {
            rules.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }
        if !void.isEmpty { parts.append("without effect \(list(void))") }
        if waiting > 0 { parts.append("waiting \(waiting)") }
        if notUnderstood > 0 { parts.append("not understood \(notUnderstood)") }
        if !findings.isEmpty { parts.append("findings \(list(findings))") }
        if erased > 0 { parts.append("erased participants \(erased)") }
        return parts.joined(separator: "; ")
    }
}

extension ContinuousClock.Instant {
    fileprivate func seconds(since start: ContinuousClock.Instant) -> Double {
        let duration = self - start
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
