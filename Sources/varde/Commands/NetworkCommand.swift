import ArgumentParser
import EventLog
import Foundation
import Interchange
import Node

/// `varde network`.
struct NetworkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Found a network of nodes, and change its charter.",
        discussion: """
            A change of the charter is a proposal, a file. Administrators look at it ('show') and sign it ('sign'), more than \
            half of them; then it is fed in at any node ('apply') and spreads by itself.

            Example:
              varde network init --dir network --network training --sites sites.csv
              varde network admit stolav.request --dir network/norcrin --out stolav.proposal
            """,
        subcommands: [
            Initialise.self, Join.self, Admit.self, Rotate.self, Revoke.self, Administrators.self, Settle.self,
            Heads.self,
            Show.self, Sign.self, Apply.self,
        ])

    /// `varde network init`.
    struct Initialise: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Make the directories of a whole network on this machine: keys, charter, addresses.",
            discussion: """
                For demonstrations, tests and training. The nodes and the locations they host are read from a division \
                (columns site, node, hospital, region). The administrator's key lies beside the nodes' directories: take \
                it away from machines that run a node.

                Example:
                  varde network init --dir network --network training \
                    --sites sites.csv --coordinating norcrin
                """)

        @Option(name: .customLong("dir"), help: "Where the nodes' directories go, each under its node's name.")
        var directory: String
        @Option(help: "The network's name: a-z, 0-9, '.' and '-'.")
        var network: String
        @Option(help: "The division of locations over nodes, CSV.")
        var sites: String
        @Option(help: "A node that hosts no location, such as a coordinating centre; may be given several times.")
        var coordinating: [String] = []

        func validate() throws {
            guard NetworkID(network) != nil else {
                throw ValidationError("--network takes 1 to 63 of a-z, 0-9, '.' and '-', not '\(network)'")
            }
            for text in coordinating where NodeID(text) == nil {
                throw ValidationError("--coordinating takes 1 to 63 of a-z, 0-9, '.' and '-', not '\(text)'")
            }
        }

        func run() async throws {
            guard let network = NetworkID(network) else { return try validate() }
            let coordinating = coordinating.compactMap { NodeID($0) }
            let nodes = try NetworkFounding.plannedNodes(divisionFile: sites, coordinating: coordinating)
            try NetworkFounding(network: network, nodes: nodes, directory: directory).found()
            Output.line("founded network \(network) with \(nodes.count) nodes in \(directory)")
            for node in nodes { Output.line("  varde node run --dir \(directory)/\(node.id)") }
        }
    }
}
