import ArgumentParser
import Foundation
import Node
import StoreCore

/// `varde verify`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hash and check everything that a node has stored.",
        discussion: """
            Every leaf, root, checkpoint signature and part is checked against what the charter and the headers say. May \
            run beside the node. Ends with a status other than 0 where anything is wrong, and names it by entry.

            Example:
              varde verify --dir network/norcrin
            """)

    @OptionGroup var node: NodeOption
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

    func run() async throws {
        let report = try OfflineNode(directory: try node.directory()).verify { progress in
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
