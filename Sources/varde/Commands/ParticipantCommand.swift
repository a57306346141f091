import ArgumentParser
import EventLog
import Foundation
import Node
import Trial

/// `varde participant`.
struct ParticipantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "participant",
        abstract: "Show what a running node holds of one participant, conflicts with all their sides.",
        discussion: """
            Prints values of a participant: for the eyes of those who may see them.

            Example:
              varde participant --dir network/haukeland --study STUDY-ID --label 01-702-1082
            """)

    @OptionGroup var node: NodeOption
    @Option(help: "The study's id, as 'varde status' shows it in the names of streams.")
    var study: String
    @Option(help: "A label of the participant.")
    var label: String
    @Flag(help: "Print everything as JSON.")
    var json = false

    func validate() throws {
        guard StudyID(hex: study) != nil else {
            throw ValidationError("--study takes the 32 hexadecimal digits of a study's id, not '\(study)'")
        }
    }

    func run() async throws {
        guard let id = StudyID(hex: study) else { return try validate() }
        let reply = try await LocalClient.ask(try node.directory(), .participant(study: id, label: label))
        guard case .participant(let found) = reply, let report = found else {
            throw Failure("no participant of study \(study) has the label \(label) at this node")
        }
        if json { return try Output.json(report) }
        Output.line(
            "participant \(report.participant) at \(report.location): "
                + report.labels.map(\.text).joined(separator: ", ") + " · "
                + ParticipantStatus.allCases.filter(report.statuses.contains).map(\.rawValue).joined(separator: ", "))
        var place = ""
        for item in report.items {
            let current = "\(item.event) / \(item.form) / \(item.group)"
            if current != place { Output.line("  \(current)") }
            place = current
            let sides = item.values.map {
                "\($0.typed ?? "erased")\(item.isConflict ? " (\($0.node?.text ?? "?"))" : "")"
            }
            Output.line(
                "    \(Output.cell(item.item.text, 16)) \(item.isConflict ? "CONFLICT " : "")\(sides.joined(separator: " | "))"
            )
        }
    }
}
