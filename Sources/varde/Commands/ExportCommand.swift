import ArgumentParser
import Foundation
import Node

/// `varde export`.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write what a node holds of a study, or a log for public tools.",
        discussion: """
            Example:
              varde export odm --dir network/norcrin --study CDISCPILOT01 --out pilot.xml
              varde export log 3f2a91c4 --dir network/norcrin --to /srv/logs/3f2a91c4
            """, subcommands: [ODM.self, ExportLogCommand.self])

    /// `varde export odm`.
    struct ODM: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "odm",
            abstract: "Write a study's clinical data as an ODM 1.3.2 snapshot.",
            discussion: """
                Holds every current value with the audit record of the entry or import it came from. Items whose values \
                conflict are written as empty (IsNull); their number is told. May run beside the node.

                Example:
                  varde export odm --dir network/norcrin --study CDISCPILOT01 --out pilot.xml
                """)

        @OptionGroup var node: NodeOption
        @Option(help: "The study's OID, or its id.")
        var study: String
        @Option(name: .customLong("out"), help: "The file to write; '-' for standard output.")
        var output: String
        @Flag(help: "Print the counts as JSON.")
        var json = false

        func run() async throws {
            let offline = try OfflineNode(directory: try node.directory())
            let handle = try open()
            let outcome: ODMExport.Outcome
            do {
                outcome = try offline.exportODM(study: study) { try handle.write(contentsOf: Data($0)) }
                if output != "-" { try handle.close() }
            } catch {
                // Half a document must not be taken for a whole one.
                if output != "-" { try? FileManager.default.removeItem(atPath: temporary) }
                throw error
            }
            if output != "-", rename(temporary, output) != 0 {
                throw Failure("\(output) cannot be written: \(String(cString: strerror(errno)))")
            }
            if json { return try Output.json(outcome) }
            Output.note(
                "\(Output.grouped(outcome.participants)) participants, \(Output.grouped(outcome.forms)) forms, "
                    + "\(Output.grouped(outcome.items)) items"
                    + (outcome.conflicts > 0
                        ? ", \(outcome.conflicts) of them empty because their values conflict" : "")
                    + (outcome.erased > 0 ? ", \(outcome.erased) empty because an order dropped their values" : ""))
            if outcome.erasedParticipants > 0 {
                Output.note("\(outcome.erasedParticipants) participants were erased and are in no export")
            }
            if outcome.notUnderstood > 0 {
                throw Failure(
                    "\(outcome.notUnderstood) participants are left out: entries of a newer version concern them")
            }
        }

        private var temporary: String { output + ".part" }

        private func open() throws -> FileHandle {
            if output == "-" { return FileHandle.standardOutput }
            guard
                FileManager.default.createFile(
                    atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]),
                let handle = FileHandle(forWritingAtPath: temporary)
            else { throw Failure("\(output) cannot be written: \(String(cString: strerror(errno)))") }
            return handle
        }
    }
}
