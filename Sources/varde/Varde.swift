import ArgumentParser
import Foundation
import Node

/// The command line of Varde.
@main
struct Varde: AsyncParsableCommand {
    /// The moment at which the process began, as near as it can be told.
    static let started = ContinuousClock.now

    static let configuration = CommandConfiguration(
        commandName: "varde",
        abstract: "Electronic data capture for multicentre trials in which every hospital owns a node.",
        discussion: """
            Begin with the demonstration: it starts a national network on this machine, with a trial in it.

            Example:
              varde demo
            """,
        version: Software.name,
        subcommands: [
            DemoCommand.self, NetworkCommand.self, NodeCommand.self, StatusCommand.self, StudyCommand.self,
            ImportCommand.self, ExportCommand.self, ProveCommand.self, VerifyCommand.self, ParticipantCommand.self,
            RedactCommand.self, EraseCommand.self, OrdersCommand.self,
            RebuildCommand.self, QueryCommand.self, TokenCommand.self, BackupCommand.self, RestoreCommand.self,
            BenchCommand.self, SimulateCommand.self,
        ])

    static func main() async {
        _ = started
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }
}
