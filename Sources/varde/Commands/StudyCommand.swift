import ArgumentParser
import EventLog
import Foundation
import Interchange
import Node
import Trial

/// `varde study`.
struct StudyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study", abstract: "Check or publish a study.",
        discussion: """
            Example:
              varde study check --study study.xml --data FOLDER
            """, subcommands: [Check.self, Publish.self])

    /// `varde study check`.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check a study's definitions, plan and data files; change nothing.",
            discussion: """
                Prints one report that names file, line, OID and reason of every problem.

                Example:
                  varde study check --study study.xml --data FOLDER
                """)

        @OptionGroup var files: StudyFiles
        @Flag(help: "Print the report as JSON.")
        var json = false

        func run() async throws {
            let source: StudySource
            do {
                source = try files.read()
            } catch let error as StudySourceError {
                Output.line(json ? error.report.json() : error.report.text())
                throw ExitCode(1)
            }
            let report = try StudyImport.check(source)
            Output.line(json ? report.json() : report.text())
            if report.hasErrors { throw ExitCode(1) }
        }
    }

    /// `varde study publish`.
    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "publish",
            abstract: "Found a study at its coordinating node, publish its definitions, and open its locations.",
            discussion: """
                For networks whose nodes' directories lie on this machine and run: each institution's acceptance is \
                written at its own node. May be interrupted and run again.

                Example:
                  varde study publish --network-dir network --study study.xml --data FOLDER
                """)

        @OptionGroup var files: StudyFiles
        @OptionGroup var network: NetworkOption

        func run() async throws {
            let source = try files.read()
            let study = try await StudySetup(source: source, directories: try network.directories(for: source))
                .run { Output.note($0) }
            Output.line(study.description)
        }
    }
}

/// The files of a study.
struct StudyFiles: ParsableArguments {
    @Option(help: "The study's definitions, ODM 1.3.2.")
    var study: String
    @Option(help: "Folder of sites.csv and of the ODM files with clinical data.")
    var data: String
    @Option(help: "The trial's plan; without it plan.yaml in the folder of --data.")
    var plan: String?

    func read() throws -> StudySource {
        try StudySource.read(study: study, directory: data, plan: plan)
    }
}

/// `--network-dir`, under which every node has its directory.
struct NetworkOption: ParsableArguments {
    @Option(name: .customLong("network-dir"), help: "The folder in which every node has its directory.")
    var path: String

    func directories(for source: StudySource) throws -> [NodeID: NodeDirectory] {
        var directories: [NodeID: NodeDirectory] = [:]
        for node in source.plannedNodes {
            let directory = NetworkFounding.directory(of: node.id, in: path)
            guard directory.isNode else {
                throw Failure(
                    "\(path) holds no directory of node \(node.id), which the study needs: give the folder of all its "
                        + "nodes, or make them with 'varde network init'")
            }
            directories[node.id] = directory
        }
        return directories
    }
}
