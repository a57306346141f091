import ArgumentParser
import EventLog
import Foundation
import Node
import Trial

/// `varde status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how things stand at a running node.",
        discussion: """
            Example:
              varde status --dir network/haukeland
              varde status --dir network/haukeland --json
            """)

    @OptionGroup var node: NodeOption
    @Flag(help: "Print everything as JSON.")
    var json = false

    func run() async throws {
        let status = try await LocalClient.status(of: try node.directory())
        if json { return try Output.json(status) }
        Output.line("node \(status.node) of network \(status.network)\(status.region.map { ", \($0)" } ?? "")")
        Output.line(
            "  \(status.start) · charter version \(status.charterVersion) · \(Output.grouped(status.entries)) entries")
        Output.line(
            "  \(Output.grouped(status.counts.participants)) participants · \(Output.grouped(status.counts.forms)) forms · "
                + "\(Output.grouped(status.counts.values)) values · \(status.counts.conflicts) conflicts · "
                + "\(status.counts.findings) findings")
        for alert in status.alerts { Output.line("  ! \(alert)") }
        let reached = ParticipantStatus.allCases.compactMap { reached in
            status.counts.statuses[reached.rawValue].map { "\(reached.rawValue) \(Output.grouped($0))" }
        }
        if !reached.isEmpty { Output.line("  " + reached.joined(separator: " · ")) }
        Output.line("  witness: \(status.witness.state)")
        Output.line("\npeers")
        for peer in status.peers {
            Output.line(
                "  \(Output.cell(peer.node.text, 12)) \(Output.cell(peer.phase, 16)) "
                    + "it lacks \(peer.entriesItLacks), here lack \(peer.entriesLackingHere)"
                    + (peer.faults > 0 ? ", \(peer.faults) refused from it" : ""))
        }
        Output.line("\nstreams")
        for stream in status.streams { show(stream) }
        if !status.incidents.isEmpty {
            Output.line("\nincidents, newest first")
            for incident in status.incidents { Output.line("  \(incident)") }
        }
    }

    private func show(_ stream: StreamStatus) {
        Output.line("  \(stream.stream)  digest \(stream.digest.hex.prefix(16))")
        for log in stream.logs {
            let also =
                log.alsoAt.isEmpty
                ? "known nowhere else yet" : "also at " + log.alsoAt.map(\.text).joined(separator: ", ")
            Output.line(
                "    \(log.log.hash.hex.prefix(16)) by \(Output.cell(log.node.text, 10)) "
                    + "\(Output.cell(Output.grouped(log.size), 8, right: true)) entries, \(also)")
            for isHolder in [true, false] {
                let vouchers = log.vouchedBy.filter { $0.isHolder == isHolder }
                guard !vouchers.isEmpty else { continue }
                Output.line(
                    "      vouched for by \(isHolder ? "holders" : "others") "
                        + vouchers.map { "\($0.node) \(Output.grouped($0.size))" }.joined(separator: ", "))
            }
        }
        for finding in stream.findings { Output.line("    ! \(finding)") }
    }
}
