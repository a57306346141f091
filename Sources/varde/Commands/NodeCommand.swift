public import ArgumentParser
import Foundation
public import Logging
import Node

/// `varde node`.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run or stop a node.",
        discussion: """
            Example:
              varde node run --dir network/haukeland
            """, subcommands: [Run.self, Stop.self])

    /// `varde node run`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Run the node of a directory until it is stopped.",
            discussion: """
                The node listens where node.json says (loopback unless it was set otherwise) and answers commands of \
                this account through node.sock. Its log goes to standard error.

                Example:
                  varde node run --dir network/haukeland
                """)

        @OptionGroup var node: NodeOption
        @Flag(help: "End when the process that started this one ends.")
        var endWithParent = false
        @Option(help: "Least grave messages to log: trace, debug, info, notice, warning, error, critical.")
        var logLevel = Logger.Level.notice

        func run() async throws {
            if endWithParent { ParentWatch.endWithParent() }
            var logger = Logger(label: "varde") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = logLevel
            try await RunningNode(directory: try node.directory(), logger: logger).run()
        }
    }

    /// `varde node stop`.
    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Stop the running node of a directory.",
            discussion: """
                Example:
                  varde node stop --dir network/haukeland
                """)

        @OptionGroup var node: NodeOption

        func run() async throws {
            _ = try await LocalClient.ask(try node.directory(), .stop)
            Output.line("the node stops")
        }
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
