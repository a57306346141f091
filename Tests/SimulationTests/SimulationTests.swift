import Foundation
import Simulation
import Testing

/// Whole networks, one for each seed (Protocols/simulation.md). CI runs thousands by `varde simulate`; here are some, and
/// every history that ever failed.
struct SimulationTests {
    @Test(arguments: 0..<8)
    func `every promise is kept whatever goes wrong`(batch: Int) {
        for seed in UInt64(batch * 8)..<UInt64(batch * 8 + 8) {
            let result = Scenario.draw(seed: seed).run()
            #expect(result.isSound, "seed \(seed): \(result.violations)")
            #expect(result.acknowledged > 10, "seed \(seed)")
        }
    }

    @Test func `a seed always runs the same way`() {
        for seed in UInt64(500)..<506 {
            let scenario = Scenario.draw(seed: seed)
            let (first, second) = (scenario.run(), scenario.run())
            #expect(first.trace == second.trace && first.messages == second.messages, "seed \(seed)")
            #expect(first.counts == second.counts && first.tally == second.tally, "seed \(seed)")
        }
    }

    @Test func `other seeds run other ways`() {
        let traces = (0..<6).map { Scenario.draw(seed: $0 + 900).run().trace }
        #expect(Set(traces).count == traces.count)
    }

    @Test func `what once failed does so no more`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Histories")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
        #expect(!files.isEmpty)
        for file in files.sorted(by: { $0.path < $1.path }) {
            let scenario = try JSONDecoder().decode(Scenario.self, from: Data(contentsOf: file))
            let result = scenario.run()
            #expect(result.isSound, "\(file.lastPathComponent): \(result.violations)")
        }
    }

    @Test func `a history reads as it was written`() throws {
        let scenario = Scenario.draw(seed: 12)
        let read = try JSONDecoder().decode(Scenario.self, from: JSONEncoder().encode(scenario))
        #expect(read.lines == scenario.lines)
        #expect(read.run().trace == scenario.run().trace)
    }
}
