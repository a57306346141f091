public import ArgumentParser
import Foundation
public import Logging
import Node
import Web

/// `varde node`.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run, open or stop a node.",
        discussion: """
            Example:
              varde node run --dir network/haukeland
            """, subcommands: [Run.self, Open.self, Stop.self])

    /// `varde node run`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Run the node of a directory until it is stopped.",
            discussion: """
                The node listens where node.json says (loopback unless it was set otherwise) and answers commands of \
                this account through node.sock. Where node.json has "http", it also serves its HTTP interface and page \
                on loopback, at the address in http.address. Its log goes to standard error.

                Where the disk fails, the node writes nothing more and goes on showing what it holds; 'varde status' \
                says so, and once it is stopped it ends with a status other than 0. Whatever supervises it should not \
                start it again before somebody has looked at the disk.

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
            let directory = try node.directory()
            try await RunningNode(directory: directory, logger: logger) { [logger] access, configuration in
                guard let listener = configuration.http else { return [] }
                return [
                    try WebService(access: access, directory: directory, listener: listener, logger: logger)
                ]
            }.run()
        }
    }

    /// `varde node open`.
    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "open",
            abstract: "Print the address of a running node's page, with a code that lets a browser in.",
            discussion: """
                The code is good once, for two minutes.

                Example:
                  varde node open --dir network/haukeland
                """)

        @OptionGroup var node: NodeOption

        func run() async throws {
            let directory = try node.directory()
            guard let address = directory.runningHTTPAddress else {
                throw Failure(
                    "the node has no HTTP interface that runs: start it with 'varde node run', with \"http\" in node.json"
                )
            }
            let code = try BrowserSessions.makeCode(
                in: directory, at: SessionClock.system.utcSeconds())
            Output.line("\(address)/session?code=\(code)")
            Output.note("The code is good once, for two minutes.")
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
