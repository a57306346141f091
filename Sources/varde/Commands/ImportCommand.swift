import ArgumentParser
import EventLog
import Foundation
import Interchange
import Node
import Synchronization

/// `varde import`.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Load data recorded elsewhere.",
        discussion: """
            Example:
              varde import odm --network-dir network --study study.xml --data FOLDER
            """, subcommands: [ODM.self])

    /// `varde import odm`.
    struct ODM: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "odm",
            abstract: "Load ODM files, each location's at its own node, through the commands a person's save uses.",
            discussion: """
                The nodes must run. Files are checked first: where any has an error nothing is loaded, unless --lenient \
                loads what is right (and still ends with a status other than 0). Every command has an id that follows \
                from the file and the place in it, so the import may be interrupted and run again.

                Example:
                  varde import odm --network-dir network --study study.xml --data FOLDER
                """)

        @OptionGroup var files: StudyFiles
        @OptionGroup var network: NetworkOption
        @Flag(help: "Load what is right in files with errors.")
        var lenient = false
        @Flag(help: "Print the outcome as JSON.")
        var json = false

        func run() async throws {
            let source = try files.read()
            let directories = try network.directories(for: source)
            let report = try StudyImport.check(source)
            if report.hasErrors || report.warningCount > 0 { Output.note(report.text(atLeast: .warning)) }
            if report.hasErrors && !lenient {
                Output.note("nothing was loaded; --lenient loads what is right")
                throw ExitCode(1)
            }
            let study = try await StudySetup(source: source, directories: directories).run { Output.note($0) }
            let forms = Mutex(0)
            let outcome = try await StudyImport(study: study, source: source, directories: directories)
                .run(lenient: lenient) {
                    let count = forms.withLock {
                        $0 += 1
                        return $0
                    }
                    if count.isMultiple(of: 100) { Output.progress("\(Output.grouped(count)) forms") }
                }
            Output.endProgress()
            for refusal in outcome.refusals { Output.note("refused: \(refusal)") }
            if json {
                try Output.json(outcome)
            } else {
                Output.line(
                    "\(Output.grouped(outcome.participants)) participants, \(Output.grouped(outcome.forms)) forms, "
                        + "\(Output.grouped(outcome.values)) values; "
                        + (outcome.repeated > 0
                            ? "\(Output.grouped(outcome.repeated)) commands had been recorded before" : "all new"))
            }
            guard !report.hasErrors, outcome.refusals.isEmpty else { throw ExitCode(1) }
        }
    }
}
