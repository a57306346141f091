import ArgumentParser
import Foundation
import Node

/// `varde backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy what a node has recorded into a new folder, and check the copy.",
        discussion: """
            Works while the node runs, which then does it itself without holding anybody up, or while it is stopped. \
            Every entry of the copy is hashed and every signature checked before the folder gets its name; ends with a \
            status other than 0 where anything is wrong, and leaves nothing behind.

            The folder holds events.sqlite, node.json, charter and backup.json, for the owner only. It holds no keys: \
            keep copies of keys/ apart, under seal. It holds no views, which are built anew.

            Example:
              varde backup --dir /var/lib/varde /backup/haukeland-2026-11-24
            """)

    @OptionGroup var node: NodeOption
    @Argument(help: "The folder to be made; nothing may stand there.", transform: { URL(filePath: $0).path })
    var to: String
    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() async throws {
        let directory = try node.directory()
        let report: BackupReport
        if let made = try await askNode(directory) {
            report = made
        } else {
            report = try OfflineNode.backup(directory, to: to) { Progress.show($0) }
        }
        Output.endProgress()
        if json { return try Output.json(report) }
        Output.line(
            "\(report.path): \(Output.grouped(report.entries)) entries in \(report.logs) logs, "
                + "\(Output.grouped(report.bytes)) bytes, in \(String(format: "%.1f", report.seconds)) s")
        Output.line(
            "everything in it was read back: every entry hashed, \(Output.grouped(report.checkpoints)) signatures checked"
        )
    }

    /// What the running node made; nil where none runs.
    private func askNode(_ directory: NodeDirectory) async throws -> BackupReport? {
        let watching = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(500))
                if case .backupProgress(let progress?) = try await LocalClient.ask(directory, .backupProgress) {
                    Progress.show(progress)
                }
            }
        }
        defer { watching.cancel() }
        do {
            switch try await LocalClient.ask(directory, .backup(to: to)) {
            case .backedUp(let report): return report
            case .failed(let reason): throw Failure(reason)
            default: throw LocalClientError.unreadable
            }
        } catch LocalClientError.notRunning {
            return nil
        }
    }
}

/// `varde restore`.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a node's directory from a backup.",
        discussion: """
            The backup is checked before and after it is copied. The new directory has no keys: place the node's own \
            keys in it by hand, or let the network's administrators give the node new ones.

            A node that is started in it hears the other nodes first, takes back what they hold of its logs, and \
            writes on in new epochs. Redactions and erasures that were ordered since are carried out when they are \
            heard. Never run the old directory of the same node beside it.

            Example:
              varde restore /backup/haukeland-2026-11-24 --to /var/lib/varde
            """)

    @Argument(help: "The backup's folder.", transform: { URL(filePath: $0).path })
    var from: String
    @Option(help: "The directory to be made; nothing may stand there.", transform: { URL(filePath: $0).path })
    var to: String
    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        let report = try Restore.run(from: from, to: to) { Progress.show($0) }
        Output.endProgress()
        if json { return try Output.json(report) }
        Output.line(
            "\(report.directory): node \(report.node) of network \(report.network) as of \(report.time), "
                + "\(Output.grouped(report.entries)) entries in \(report.logs) logs")
        Output.line("next: place the node's keys in \(report.keys) (files 0600, folder 0700), then 'varde node run'")
    }
}

/// The progress line of both.
private enum Progress {
    static func show(_ progress: BackupProgress) {
        let unit = progress.phase == .copying ? "pages" : "entries"
        Output.progress(
            "\(progress.phase.rawValue) \(Output.grouped(progress.done)) of \(Output.grouped(progress.total)) \(unit)")
    }
}
