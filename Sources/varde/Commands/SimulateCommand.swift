import ArgumentParser
import Foundation
import Simulation

/// `varde simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "simulate", abstract: "Try.")

    @Option(help: "Seeds.")
    var seeds = "0..<20"

    func run() async throws {
        let bounds = seeds.components(separatedBy: "..<").compactMap { UInt64($0) }
        let start = ContinuousClock.now
        var counts: [FaultKind: Int] = [:]
        var tally: [String: Int] = [:]
        for seed in bounds[0]..<bounds[1] {
            let result = SimulationRun.run(seed: seed)
            counts.merge(result.counts) { $0 + $1 }
            tally.merge(result.tally) { $0 + $1 }
            Output.line("\(seed) \(result.entries) entries \(result.acknowledged)/\(result.commands) \(result.virtualMilliseconds) ms \(result.messages) messages \(result.trace) \(ContinuousClock.now - start)")
            for text in result.violations.prefix(1) { Output.line("   ! \(String(text.prefix(600)))") }
        }
        for kind in FaultKind.allCases { Output.line("\(kind.rawValue) \(counts[kind] ?? 0)") }
        for (name, count) in tally.sorted(by: { $0.key < $1.key }) { Output.line("\(name) \(count)") }
    }
}
