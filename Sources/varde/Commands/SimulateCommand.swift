import ArgumentParser
import Foundation
import Simulation

/// `varde simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run whole networks on failing disks and links, one for each seed, and check every promise.",
        discussion: """
            Nodes, links, disks, clocks and people are in this process; what the nodes do is done by the code that runs in \
            hospitals. Protocols/simulation.md says what is drawn and what is checked. Ends with a status other than 0 \
            where a promise is broken; the shortest failing history that is found is printed, and with --save written to \
            a file that --history runs again.

            Example:
              varde simulate --seeds 0..<2000
              varde simulate --seeds 17 --save histories
              varde simulate --history histories/17.json
            """)

    @Option(help: "A seed, or a range of seeds such as 0..<2000.")
    var seeds = "0..<200"
    @Option(help: "How many seeds run at the same time; as many as there are processors where it is not given.")
    var jobs: Int?
    @Option(help: "Run the history in a file instead of seeds.")
    var history: String?
    @Option(help: "A folder to write the shortest failing histories to.")
    var save: String?
    @Flag(help: "End at the first seed that fails, without looking for a short history.")
    var stopAtFirst = false
    @Flag(help: "Print the result as JSON.")
    var json = false

    /// From so many seeds on every kind of fault must have come about.
    private static let seedsForAllFaults = 500

    struct FailureReport: Encodable {
        var seed: UInt64
        var violations: [String]
        var history: [String]
        var shrunkViolations: [String]
    }

    struct Report: Encodable {
        var seeds: Int
        var seedsPerMinute: Double
        var seconds: Double
        var store = "SQLite on a disk in memory, all seeds"
        var commands: Int
        var acknowledged: Int
        var messages: Int
        var virtualHours: Double
        var trace: String
        var faults: [String: Int]
        var missingFaults: [String]
        var events: [String: Int]
        var failures: [FailureReport]
    }

    func run() async throws {
        if let history { return try runHistory(history) }
        let range = try range()
        let batch = SimulationBatch(seeds: range, maximumShrunk: stopAtFirst ? 0 : 3, stopsAtFirst: stopAtFirst) {
            done, failed in
            Output.progress("\(done) of \(range.count) seeds, \(failed) failed")
        }
        let summary = await batch.run(jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount)
        Output.endProgress()
        let report = Report(
            seeds: summary.seeds, seedsPerMinute: summary.seedsPerMinute.rounded(), seconds: summary.seconds,
            commands: summary.commands, acknowledged: summary.acknowledged, messages: summary.messages,
            virtualHours: summary.virtualHours, trace: String(summary.trace, radix: 16),
            faults: Dictionary(uniqueKeysWithValues: summary.counts.map { ($0.rawValue, $1) }),
            missingFaults: summary.missing.map(\.rawValue), events: summary.tally,
            failures: summary.failures.map {
                FailureReport(
                    seed: $0.result.seed, violations: $0.result.violations, history: $0.history.lines,
                    shrunkViolations: $0.shrunkResult.violations)
            })
        if json { try Output.json(report) } else { print(report) }
        for failure in summary.failures { try write(failure) }
        let isLacking = !summary.missing.isEmpty && summary.seeds >= SimulateCommand.seedsForAllFaults
        guard summary.failures.isEmpty, !isLacking else { throw ExitCode(1) }
    }

    private func range() throws -> Range<UInt64> {
        if let seed = UInt64(seeds) { return seed..<seed + 1 }
        let bounds = seeds.components(separatedBy: "..<").compactMap { UInt64($0) }
        guard bounds.count == 2, bounds[0] < bounds[1] else {
            throw ValidationError("'\(seeds)' is neither a seed nor a range such as 0..<2000")
        }
        return bounds[0]..<bounds[1]
    }

    private func print(_ report: Report) {
        Output.line(
            """
            \(Output.grouped(report.seeds)) seeds in \(Int(report.seconds)) s \
            (\(Output.grouped(Int(report.seedsPerMinute))) a minute), all on SQLite on disks in memory; \
            \(String(format: "%.1f", report.virtualHours)) virtual hours
            \(Output.grouped(report.commands)) commands, \(Output.grouped(report.acknowledged)) acknowledged, \
            \(Output.grouped(report.messages)) messages; trace \(report.trace)
            """)
        Output.line("faults:")
        for (name, count) in report.faults.sorted(by: { $0.key < $1.key }) {
            Output.line("  \(Output.cell(name, 24))\(Output.cell(Output.grouped(count), 10, right: true))")
        }
        if !report.missingFaults.isEmpty {
            Output.line("never came about: \(report.missingFaults.joined(separator: ", "))")
        }
        Output.line("events:")
        for (name, count) in report.events.sorted(by: { $0.key < $1.key }) {
            Output.line("  \(Output.cell(name, 32))\(Output.cell(Output.grouped(count), 10, right: true))")
        }
        for failure in report.failures {
            Output.line("seed \(failure.seed) fails: \(failure.violations.first ?? "")")
            Output.line("  shortest history found, which fails with: \(failure.shrunkViolations.first ?? "")")
            for line in failure.history { Output.line("    \(line)") }
        }
        Output.line(report.failures.isEmpty ? "every promise was kept" : "\(report.failures.count) seeds failed")
    }

    private func write(_ failure: SimulationBatch.Failure) throws {
        guard let save else { return }
        try FileManager.default.createDirectory(atPath: save, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let path = "\(save)/\(failure.result.seed).json"
        try encoder.encode(failure.history).write(to: URL(fileURLWithPath: path))
        Output.note("wrote \(path)")
    }

    private func runHistory(_ path: String) throws {
        let scenario = try JSONDecoder().decode(Scenario.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        for line in scenario.lines { Output.line(line) }
        let result = scenario.run()
        for violation in result.violations { Output.line("  ! \(violation)") }
        Output.line(result.isSound ? "every promise was kept" : "the history fails")
        guard result.isSound else { throw ExitCode(1) }
    }
}
