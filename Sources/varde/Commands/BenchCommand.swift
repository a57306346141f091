import ArgumentParser
import Foundation
import Store

/// `varde bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: appends with one and many writers, beside the raw limits in the same run.",
        discussion: """
            Example:
              varde bench --json
            """)

    @Option(help: "Seconds for each measurement.")
    var seconds = 3.0
    @Option(name: .customLong("dir"), help: "Where to write; without it a temporary folder, which is removed.")
    var directory: String?
    @Flag(help: "Print the figures as JSON.")
    var json = false

    struct Append: Encodable {
        var writers: Int
        var entriesPerSecond: Double
        var entriesPerCommit: Double
        var medianMilliseconds: Double
        var percentile99Milliseconds: Double
        var verifiedIngestPerSecond: Double
        var plainInsertsPerSecond: Double
        var fsyncMilliseconds: Double
        var hashesPerSecond: Double
        var bytesPerEntry: Int
    }

    struct Figures: Encodable {
        var append: [Append]
    }

    func run() async throws {
        let path = try directory ?? TemporaryDirectory.make()
        defer { if directory == nil { try? FileManager.default.removeItem(atPath: path) } }
        var figures = Figures(append: [])
        for writers in [1, 64] {
            Output.progress("appending with \(writers) writers")
            let report = try await AppendBenchmark.run(
                directory: path + "/append-\(writers)", writers: writers, seconds: seconds)
            figures.append.append(
                Append(
                    writers: writers, entriesPerSecond: report.entriesPerSecond,
                    entriesPerCommit: report.entriesPerCommit, medianMilliseconds: report.medianMilliseconds,
                    percentile99Milliseconds: report.percentile99Milliseconds,
                    verifiedIngestPerSecond: report.ingestedPerSecond,
                    plainInsertsPerSecond: report.plainInsertsPerSecond, fsyncMilliseconds: report.fsyncMilliseconds,
                    hashesPerSecond: report.hashesPerSecond, bytesPerEntry: report.bytesPerEntry))
        }
        Output.endProgress()
        if json { return try Output.json(figures) }
        for append in figures.append {
            Output.line(
                String(
                    format: "append, %2d writers: %8.0f entries/s  p50 %.2f ms  p99 %.2f ms  (%.1f a commit)",
                    append.writers, append.entriesPerSecond, append.medianMilliseconds, append.percentile99Milliseconds,
                    append.entriesPerCommit))
            Output.line(
                String(
                    format:
                        "  beside: plain insert %.0f rows/s, fsync %.2f ms, SHA-256 %.0f/s; verified ingest %.0f entries/s",
                    append.plainInsertsPerSecond, append.fsyncMilliseconds, append.hashesPerSecond,
                    append.verifiedIngestPerSecond))
        }
    }
}
