import ArgumentParser
import EventLog
import Foundation
import Node
import Views

/// `varde rebuild`.
struct RebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Build the views of a node's studies anew from its entries.",
        discussion: """
            The new generation is built beside the one in service, brought to the same entries, compared with it by \
            digest, and only then put into service. May run beside the node, which then does it itself. Ends with a \
            status other than 0 where the digests differ; both generations are then kept. Where there is none at the \
            same entries and definitions it says that there was nothing to compare.

            Example:
              varde rebuild --dir network/norcrin
              varde rebuild --dir network/norcrin --study CDISCPILOT01 --json
            """)

    @OptionGroup var node: NodeOption
    @Option(help: "The study's OID, or its id; without it every study of the node.")
    var study: String?
    @Flag(help: "Print the outcome as JSON.")
    var json = false

    func run() async throws {
        let directory = try node.directory()
        let outcomes: [RebuildOutcome]
        if let studies = try await runningStudies(directory) {
            outcomes = try await askNode(directory, studies)
        } else {
            outcomes = try OfflineNode(directory: directory).rebuild(study: study) { study, progress in
                show(progress, study)
            }
        }
        Output.endProgress()
        if json { try Output.json(outcomes) } else { for outcome in outcomes { show(outcome) } }
        guard !outcomes.contains(where: { $0.comparison == .different }) else {
            throw Failure("the view in service did not come to what the entries give: keep both files and report it")
        }
    }

    /// The studies of the running node; nil where none runs.
    private func runningStudies(_ directory: NodeDirectory) async throws -> [StudyID: String]? {
        let reply: LocalReply
        do {
            reply = try await LocalClient.ask(directory, .studies)
        } catch LocalClientError.notRunning {
            return nil
        }
        guard case .studies(let studies) = reply else { throw LocalClientError.unreadable }
        return studies
    }

    private func askNode(_ directory: NodeDirectory, _ studies: [StudyID: String]) async throws -> [RebuildOutcome] {
        let wanted = try study.map { [try OfflineNode.study($0, of: studies)] } ?? studies.keys.sorted()
        var outcomes: [RebuildOutcome] = []
        for study in wanted {
            let watching = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(500))
                    if case .rebuildProgress(let progress?) =
                        try await LocalClient.ask(directory, .rebuildProgress(study: study))
                    {
                        show(progress, study)
                    }
                }
            }
            defer { watching.cancel() }
            switch try await LocalClient.ask(directory, .rebuild(study: study)) {
            case .rebuilt(let outcome): outcomes.append(outcome)
            case .failed(let reason): throw Failure(reason)
            default: throw LocalClientError.unreadable
            }
        }
        return outcomes
    }

    private func show(_ progress: RebuildProgress, _ study: StudyID) {
        let total = progress.total.map { " of \(Output.grouped($0)) participants" } ?? " entries"
        Output.progress("\(study): \(progress.phase.rawValue), \(Output.grouped(progress.done))\(total)")
    }

    private func show(_ outcome: RebuildOutcome) {
        let before =
            switch outcome.comparison {
            case .equal: "equal to the one before"
            case .different: "NOT EQUAL to \(outcome.digestBefore.map(\.description) ?? "")"
            case .nothingToCompare: "nothing at the same entries to compare with"
            }
        Output.line(
            "study \(outcome.study): generation \(outcome.generation) in \(String(format: "%.1f", outcome.seconds)) s, "
                + "\(Output.grouped(outcome.counts.participants)) participants, "
                + "\(Output.grouped(outcome.counts.forms)) forms, \(Output.grouped(outcome.counts.values)) values")
        Output.line("  digest \(outcome.digest), \(before)")
    }
}
