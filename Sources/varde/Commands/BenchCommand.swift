import ArgumentParser
import Foundation
import Node
import Store
import Views
import Web

/// `varde bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: """
            Measure this machine: durable appends, catching up, how soon an entry is at another node, rebuilds of views, \
            reading over HTTP, and answers taken in.
            """,
        discussion: """
            Two nodes in this process talk over loopback, with real keys, sockets and stores. Beside each figure stands \
            what the disk, the processor and the encrypted transport can do at most, measured in the same run. Views of \
            invented studies are rebuilt beside the same written plainly on SQLite; a node with an invented trial is read \
            over HTTP and takes in batches of answers to questionnaires. Run it while nothing else does.

            Example:
              varde bench
              varde bench --json --entries 20000 --dir /var/lib/varde/bench
              varde bench --only-rebuild --rebuild-values 1000000,10000000
              varde bench --only-rebuild --rebuild-values 0 --rebuild-dir network/norcrin
            """)

    @Option(help: "Seconds for each measurement of appends.")
    var seconds = 3.0
    @Option(help: "Entries with which an empty node catches up.")
    var entries = 100_000
    @Option(help: "Entries written one by one to measure how soon they arrive.")
    var samples = 300
    @Option(help: "Values of the invented studies whose views are rebuilt, separated by commas; 0 for none.")
    var rebuildValues = "1000000"
    @Option(help: "The data directory of a stopped node whose views are rebuilt too.")
    var rebuildDir: String?
    @Option(help: "Values of a participant in these studies.")
    var valuesPerParticipant = 2_000
    @Option(help: "Invented participants of the study that is read through the HTTP interface; 0 for none.")
    var httpParticipants = 150
    @Flag(help: "Measure only rebuilds.")
    var onlyRebuild = false
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

        init(_ report: AppendBenchmarkReport) {
            writers = report.writers
            entriesPerSecond = report.entriesPerSecond
            entriesPerCommit = report.entriesPerCommit
            medianMilliseconds = report.medianMilliseconds
            percentile99Milliseconds = report.percentile99Milliseconds
            verifiedIngestPerSecond = report.ingestedPerSecond
            plainInsertsPerSecond = report.plainInsertsPerSecond
            fsyncMilliseconds = report.fsyncMilliseconds
            hashesPerSecond = report.hashesPerSecond
            bytesPerEntry = report.bytesPerEntry
        }
    }

    struct Figures: Encodable {
        var append: [Append]
        var replication: ReplicationBenchmarkReport?
        var rebuild: [Rebuild]
        var http: WebBenchmarkReport?
    }

    struct Rebuild: Encodable {
        var report: RebuildBenchmarkReport
        var valuesPerSecond: Double
        var secondsForNationalYear: Double

        init(_ report: RebuildBenchmarkReport) {
            self.report = report
            valuesPerSecond = report.valuesPerSecond
            secondsForNationalYear = report.secondsForNationalYear
        }
    }

    /// The sizes to rebuild; nil where the option cannot be read.
    private var rebuildSizes: [Int]? {
        let sizes = rebuildValues.split(separator: ",").map { Int($0) }
        guard sizes.allSatisfy({ $0.map { (0...100_000_000).contains($0) } ?? false }) else { return nil }
        return sizes.compactMap { $0 }.filter { $0 > 0 }
    }

    func validate() throws {
        guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds lies between 0 and 3600") }
        guard (1...10_000_000).contains(entries) else {
            throw ValidationError("--entries lies between 1 and 10 000 000")
        }
        guard rebuildSizes != nil else {
            throw ValidationError("--rebuild-values takes numbers up to 100 000 000, separated by commas")
        }
        guard (20...100_000).contains(valuesPerParticipant) else {
            throw ValidationError("--values-per-participant lies between 20 and 100 000")
        }
        guard (0...5_000).contains(httpParticipants) else {
            throw ValidationError("--http-participants lies between 0 and 5 000")
        }
        guard (1...100_000).contains(samples) else { throw ValidationError("--samples lies between 1 and 100 000") }
    }

    func run() async throws {
        let path = try directory ?? TemporaryDirectory.make()
        defer { if directory == nil { try? FileManager.default.removeItem(atPath: path) } }
        var rebuild =
            try rebuildDir.map { path in
                try OfflineNode(directory: NodeDirectory(path)).measureRebuild { Output.progress($0) }.map(
                    Rebuild.init)
            } ?? []
        rebuild += try (rebuildSizes ?? []).enumerated().map { place, values in
            Rebuild(
                try RebuildBenchmark.run(
                    directory: path + "/rebuild-\(place)", values: values, valuesPerParticipant: valuesPerParticipant
                ) { Output.progress($0) })
        }
        var append: [Append] = []
        var replication: ReplicationBenchmarkReport?
        var http: WebBenchmarkReport?
        if !onlyRebuild {
            for writers in [1, 64] {
                Output.progress("appending with \(writers) writers")
                append.append(
                    Append(
                        try await AppendBenchmark.run(
                            directory: path + "/append-\(writers)", writers: writers, seconds: seconds)))
            }
            replication = try await ReplicationBenchmark.run(
                directory: path + "/replication", entries: entries, liveSamples: samples
            ) { Output.progress($0) }
            if httpParticipants > 0 {
                http = try await WebBenchmark.run(
                    directory: path + "/http", participants: httpParticipants, samples: 10 * samples
                ) { Output.progress($0) }
            }
        }
        Output.endProgress()
        if json {
            return try Output.json(
                Figures(append: append, replication: replication, rebuild: rebuild, http: http))
        }
        if !append.isEmpty { show(append) }
        if let replication { show(replication) }
        show(rebuild)
        if let http { show(http) }
    }

    private func show(_ report: WebBenchmarkReport) {
        Output.line("reading through the HTTP interface, \(Output.grouped(report.participants)) participants")
        for reading in report.readings {
            Output.line(
                String(
                    format: "  %@: p50 %.2f ms, p99 %.2f ms (%d answers of %d bytes)", reading.request,
                    reading.medianMilliseconds, reading.percentile99Milliseconds, reading.samples, reading.bytes))
        }
        let responses = report.responses
        Output.line(
            String(
                format: "  answers of a partner app: %.0f/s, batches of %d p50 %.1f ms, p99 %.1f ms",
                responses.answersPerSecond, responses.answersPerBatch, responses.medianMilliseconds,
                responses.percentile99Milliseconds))
    }

    private func show(_ rebuild: [Rebuild]) {
        if !rebuild.isEmpty { Output.line("rebuilding a study's view from its entries") }
        for figures in rebuild {
            let report = figures.report
            Output.line(
                String(
                    format:
                        "  %8.0f values/s: %@ values of %@ participants in %.2f s (%.2f s of it indexing, %.2f processor s), "
                        + "%.0f MB at most",
                    figures.valuesPerSecond, Output.grouped(report.values), Output.grouped(report.participants),
                    report.seconds, report.indexSeconds, report.processorSeconds, Double(report.peakResidentBytes) / 1e6
                ))
            Output.line(
                String(
                    format:
                        "              beside: SQLite alone %.0f values/s; 27.6 M values would take %.0f s; digests %@",
                    report.plainValuesPerSecond, figures.secondsForNationalYear, report.isEqual ? "equal" : "NOT EQUAL")
            )
        }
    }

    private func show(_ append: [Append]) {
        Output.line("durable appends")
        for figures in append {
            Output.line(
                String(
                    format: "  %2d writers  %8.0f entries/s of %d bytes, p50 %.2f ms, p99 %.2f ms, %.1f to a commit",
                    figures.writers, figures.entriesPerSecond, figures.bytesPerEntry, figures.medianMilliseconds,
                    figures.percentile99Milliseconds, figures.entriesPerCommit))
            Output.line(
                String(
                    format: "              beside: bare SQLite %.0f rows/s, fsync %.2f ms",
                    figures.plainInsertsPerSecond, figures.fsyncMilliseconds))
        }
    }

    private func show(_ report: ReplicationBenchmarkReport) {
        Output.line("catching up over CURVE, checked, durable and folded")
        for figures in report.catchUp {
            Output.line(
                String(
                    format: "  %8.0f entries/s of %d bytes (%.1f MB/s): %@ %@ in %.2f s, %.0f to a commit",
                    figures.entriesPerSecond, figures.bytesPerEntry, figures.megabytesPerSecond,
                    Output.grouped(figures.entries), figures.content, figures.seconds, figures.entriesPerCommit))
            Output.line(
                String(
                    format: "              beside: bare SQLite %.0f rows/s; written before at %.0f commands/s",
                    figures.plainInsertsPerSecond, figures.commandsPerSecond))
        }
        Output.line("from durable at one node to durable and folded at the other")
        Output.line(
            String(
                format: "  p50 %.2f ms, p99 %.2f ms, at most %.2f ms (%d entries)", report.live.medianMilliseconds,
                report.live.percentile99Milliseconds, report.live.maximumMilliseconds, report.live.samples))
        Output.line("catching up beside a third node that does harm, on the same processors")
        for figures in report.besideHarm {
            Output.line(
                String(
                    format: "  %8.0f entries/s, alone %.0f/s, %.0f %%: it %@ (%.0f MB/s)", figures.entriesPerSecond,
                    figures.entriesPerSecondAlone, 100 * figures.entriesPerSecond / figures.entriesPerSecondAlone,
                    figures.behaviour.rawValue, figures.sentMegabytesPerSecond))
        }
        Output.line("this machine")
        Output.line(
            String(
                format: "  fsync %.2f ms, SHA-256 of 300 bytes %.0f/s, CURVE %.0f MB/s",
                report.limits.fsyncMilliseconds,
                report.limits.hashesPerSecond, report.limits.curveMegabytesPerSecond))
    }
}
