import ArgumentParser
import Node

/// `varde export log`.
struct ExportLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Write a log as C2SP tlog-tiles, for any server of static files.",
        discussion: """
            Writes tiles of hashes, bundles of the entries' headers, and the newest signed head. Headers say who did what \
            kind of thing when, under random ids; they hold no participant, item or value, and no body is written. A folder \
            that holds an earlier export of the log is brought up to date. May run beside the node.

            Example:
              varde export log 3f2a91c4 --dir network/norcrin --to /srv/logs/3f2a91c4
            """)

    @Argument(help: "The log: the first digits of its id.")
    var log: String
    @OptionGroup var node: NodeOption
    @Option(name: .customLong("to"), help: "The folder to write to.")
    var folder: String
    @Flag(help: "Print what was written as JSON.")
    var json = false

    func run() async throws {
        let outcome = try OfflineNode(directory: try node.directory()).exportLog(log, to: folder) { done, total in
            Output.progress("wrote \(Output.grouped(done)) of \(Output.grouped(total)) entries")
        }
        Output.endProgress()
        if json { return try Output.json(outcome) }
        Output.line(
            "\(Output.grouped(outcome.size)) entries of log \(outcome.origin), "
                + "in \(Output.grouped(outcome.files)) files")
        Output.line("key for its checkpoint: \(outcome.verifierKey)")
    }
}
