import ArgumentParser
import Foundation
import Node
import StoreCore

/// `varde verify`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check everything that a node has stored, or the proof of one entry in a file.",
        discussion: """
            Of a node, every leaf, root, checkpoint signature and part is checked against what the charter and the headers \
            say; this may run beside the node. A file of 'varde prove' is checked with nothing else: no node, no network. \
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
    @Flag(help: "Print the result as JSON.")
    var json = false

    struct Result: Encodable {
        var logs: Int
        var entries: UInt64
        var checkpoints: Int
        var partsDropped: UInt64
        var entriesNotUnderstood: UInt64
        var problems: [String]
        var isSound: Bool
    }

    func validate() throws {
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
        let report = try OfflineNode(directory: directory).verify { progress in
            Output.progress("verified \(Output.grouped(progress.entries)) of \(Output.grouped(progress.total)) entries")
        }
        Output.endProgress()
        let result = Result(
            logs: report.logs, entries: report.entries, checkpoints: report.checkpoints,
            partsDropped: report.partsDropped, entriesNotUnderstood: report.entriesNotUnderstood,
            problems: report.problems.map(\.description), isSound: report.isSound)
        if json {
            try Output.json(result)
        } else {
            Output.line(
                "\(Output.grouped(result.entries)) entries in \(result.logs) logs, "
                    + "\(Output.grouped(result.checkpoints)) checkpoints, \(result.partsDropped) parts dropped by order"
            )
            for problem in result.problems { Output.line("  ! \(problem)") }
            Output.line(result.isSound ? "everything holds" : "\(report.problemCount) problems")
        }
        guard result.isSound else { throw ExitCode(1) }
    }
}
