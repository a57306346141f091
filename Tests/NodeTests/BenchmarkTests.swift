import Node
import Testing

extension AcceptanceTests {
    @Suite struct BenchmarkTests {
        @Test func `an empty node that gains a stream has it at once, and live entries follow in milliseconds`()
            async throws
        {
            try await withScratch { scratch in
                let report = try await ReplicationBenchmark.run(
                    directory: scratch.path + "/b", entries: 2_000, liveSamples: 20)
                #expect(report.catchUp.count == 2)
                for figures in report.catchUp {
                    // The log's opening and twenty registrations stand beside the entries asked for.
                    #expect(figures.entries == 2_021)
                    #expect(figures.bytesPerEntry > 250)
                    // Anything near half a minute would mean that the stream was found only by the periodic comparison.
                    #expect(figures.seconds < 10)
                    #expect(figures.entriesPerSecond > 0)
                }
                #expect(report.live.samples == 20)
                #expect(report.live.medianMilliseconds < 500)
                #expect(report.besideHarm.map(\.behaviour) == MisbehavingPeer.Behaviour.allCases)
                // So few entries say nothing about speed; the flood was one, and the other peer kept still.
                #expect(report.besideHarm[0].sentMegabytesPerSecond == 0)
                #expect(report.besideHarm[1].sentMegabytesPerSecond > 1)
                #expect(report.limits.curveMegabytesPerSecond > 0)
            }
        }
    }
}
