import EventLog
import Foundation
import Store
import StoreCore
import Trial

/// Measures two whole nodes in this process over loopback: real keys, sockets, stores and folds. What `varde bench` runs.
public enum ReplicationBenchmark {
    /// Why a measurement is worth nothing.
    enum Failure: Error, CustomStringConvertible {
        case differs
        case nothingWritten

        var description: String {
            switch self {
            case .differs:
                "the two nodes hold the same entries and come to different states: this is a fault of Varde's"
            case .nothingWritten: "the first node wrote nothing that the second could fetch"
            }
        }
    }

    /// Fills a node, lets an empty one catch up with it, then writes entry by entry and waits for each to arrive; then
    /// measures what the machine can do at most.
    ///
    /// - Parameters:
    ///   - directory: an empty or missing directory; what is written there stays.
    ///   - entries: entries of each catch-up.
    ///   - liveSamples: entries of the live measurement.
    ///   - progress: called with each step.
    /// - Throws: ``StoreCore/StoreError``, ``DirectoryError``, a transport's error.
    public static func run(
        directory: String, entries: Int, liveSamples: Int, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> ReplicationBenchmarkReport {
        precondition(entries > 0 && liveSamples > 0, "a benchmark measures something")
        var catchUp: [ReplicationBenchmarkReport.CatchUp] = []
        var live = ReplicationBenchmarkReport.Live(
            samples: 0, medianMilliseconds: 0, percentile99Milliseconds: 0, maximumMilliseconds: 0)
        for content in BenchmarkStudy.Content.allCases {
            let pair = try await NodePair.found(in: directory + "/\(catchUp.count)", content: content)
            progress("writing \(entries) \(content.rawValue)")
            let writingSeconds = try await pair.fill(entries)
            progress("catching up with \(entries) \(content.rawValue)")
            let watch = pair.watch { progress("catching up with \(content.rawValue): \($0)") }
            var measured = try await pair.catchUp()
            watch.cancel()
            measured.commandsPerSecond = Double(entries) / writingSeconds
            if content == .diaryDays {
                progress("writing \(liveSamples) entries one by one")
                live = try await pair.live(liveSamples, from: entries)
            }
            try await pair.stop()
            progress("measuring the disk")
            measured.plainInsertsPerSecond = try DiskLimits.measure(
                directory: directory + "/limits-\(catchUp.count)", bytesPerRow: measured.bytesPerEntry,
                rowsPerCommit: max(1, Int(measured.entriesPerCommit)), seconds: 1
            ).insertsPerSecond
            catchUp.append(measured)
        }
        var besideHarm: [ReplicationBenchmarkReport.BesideHarm] = []
        for behaviour in MisbehavingPeer.Behaviour.allCases {
            // A rate is known from fewer than a catch-up of millions.
            progress("catching up beside a node that \(behaviour.rawValue)")
            besideHarm.append(
                try await ReplicationBenchmark.catchUp(
                    beside: behaviour, directory: directory + "/harm", entries: min(entries, 100_000)))
        }
        progress("measuring the machine")
        let disk = try DiskLimits.measure(
            directory: directory + "/limits", bytesPerRow: 300, rowsPerCommit: 1, seconds: 1)
        return ReplicationBenchmarkReport(
            catchUp: catchUp, live: live, besideHarm: besideHarm,
            limits: ReplicationBenchmarkReport.Limits(
                fsyncMilliseconds: disk.fsyncMilliseconds,
                hashesPerSecond: MachineLimits.hashesPerSecond(byteCount: 300),
                curveMegabytesPerSecond: try await MachineLimits.curveMegabytesPerSecond()))
    }
}

extension ReplicationBenchmark {
    /// Catches up twice with the same number of entries: alone, and while a third node does harm to both.
    private static func catchUp(
        beside behaviour: MisbehavingPeer.Behaviour, directory: String, entries: Int
    ) async throws -> ReplicationBenchmarkReport.BesideHarm {
        let third = NodeID(unchecked: "third")
        var rates: [Double] = []
        var sentMegabytesPerSecond = 0.0
        for isDoingHarm in [false, true] {
            let home = directory + "/\(behaviour)-\(isDoingHarm)"
            let pair = try await NodePair.found(in: home, content: .statusRecords, third: third)
            _ = try await pair.fill(entries)
            var peer: MisbehavingPeer?
            if isDoingHarm {
                let harm = try MisbehavingPeer(
                    NetworkFounding.directory(of: third, in: home), behaviour: behaviour)
                // The writer first, so that the harm is being done when the catch-up begins.
                try await pair.writer.start()
                try await harm.start()
                while !harm.isDoingHarm { try await Task.sleep(for: .milliseconds(10)) }
                peer = harm
            }
            let sent = peer?.sentBytes ?? 0
            let figures = try await pair.catchUp(isWriterRunning: isDoingHarm)
            rates.append(figures.entriesPerSecond)
            sentMegabytesPerSecond = Double((peer?.sentBytes ?? 0) - sent) / 1e6 / figures.seconds
            await peer?.stop()
            try await pair.stop()
        }
        return ReplicationBenchmarkReport.BesideHarm(
            behaviour: behaviour, entriesPerSecond: rates[1], entriesPerSecondAlone: rates[0],
            sentMegabytesPerSecond: sentMegabytesPerSecond)
    }
}

/// Two nodes that share one location's stream, of which the first writes.
private struct NodePair {
    let writer: BenchmarkNode
    let reader: BenchmarkNode
    let benchmark: BenchmarkStudy
    let study: StudyID
    let content: BenchmarkStudy.Content

    private var stream: StreamID { .location(BenchmarkStudy.location, in: study) }

    /// Founds network and study; neither node listens yet.
    ///
    /// - Parameter third: a further node that may hold everything, of which only the directory is made.
    static func found(
        in directory: String, content: BenchmarkStudy.Content, third: NodeID? = nil
    ) async throws -> NodePair {
        let names = (NodeID(unchecked: "writer"), NodeID(unchecked: "reader"))
        try NetworkFounding(
            network: NetworkID(unchecked: "bench.varde"),
            nodes: [
                PlannedNode(
                    id: names.0, name: "Writer", region: nil,
                    locations: [PlannedLocation(id: BenchmarkStudy.location, name: "Ward")]),
                PlannedNode(id: names.1, name: "Reader", region: nil, locations: []),
            ] + [third].compactMap { $0 }.map { PlannedNode(id: $0, name: "Third", region: nil, locations: []) },
            directory: directory
        ).found()
        let writer = try await BenchmarkNode(NetworkFounding.directory(of: names.0, in: directory))
        let reader = try await BenchmarkNode(NetworkFounding.directory(of: names.1, in: directory))
        let benchmark = BenchmarkStudy(
            source: try ShippedStudy.sciatica(participants: 0), coordinator: names.0,
            holders: [names.0, names.1] + [third].compactMap { $0 })
        guard let study = try await writer.perform([benchmark.founding]).first?.study else {
            throw ReplicationBenchmark.Failure.nothingWritten
        }
        _ = try await writer.perform(benchmark.invitation(study))
        guard let acceptance = try await writer.perform([benchmark.acceptance(study)]).first?.entry else {
            throw ReplicationBenchmark.Failure.nothingWritten
        }
        _ = try await writer.perform(benchmark.opening(study, acceptance: acceptance))
        return NodePair(writer: writer, reader: reader, benchmark: benchmark, study: study, content: content)
    }

    /// Writes entries at the first node; gives the seconds that took.
    func fill(_ count: Int) async throws -> Double {
        let start = ContinuousClock.now
        var commands: [Command] = []
        for number in 0..<count {
            commands += benchmark.entry(number, content, in: study)
            if commands.count >= 256 || number == count - 1 {
                _ = try await writer.perform(commands)
                commands = []
            }
        }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// Tells twice a second how much of the whole the second node holds.
    func watch(_ tell: @escaping @Sendable (String) -> Void) -> Task<Void, Never> {
        let (writer, reader, stream) = (writer, reader, stream)
        return Task {
            guard let head = try? await writer.ownHead(of: stream)?.head else { return }
            while !Task.isCancelled {
                tell("\(reader.size(of: head.name.id)) of \(head.size) entries")
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Lets the second node fetch everything.
    func catchUp(isWriterRunning: Bool = false) async throws -> ReplicationBenchmarkReport.CatchUp {
        guard let (head, bytes) = try await writer.ownHead(of: stream) else {
            throw ReplicationBenchmark.Failure.nothingWritten
        }
        if !isWriterRunning { try await writer.start() }
        let start = ContinuousClock.now
        try await reader.start()
        let end = await reader.untilHolding(head.name.id, size: head.size)
        guard try await reader.digest(of: stream) == writer.digest(of: stream) else {
            throw ReplicationBenchmark.Failure.differs
        }
        let seconds = (end - start) / .seconds(1)
        return ReplicationBenchmarkReport.CatchUp(
            content: content.rawValue, entries: Int(head.size), bytesPerEntry: Int(bytes / head.size),
            commandsPerSecond: 0, seconds: seconds, entriesPerSecond: Double(head.size) / seconds,
            megabytesPerSecond: Double(bytes) / 1e6 / seconds,
            entriesPerCommit: Double(head.size) / Double(max(1, reader.commits(of: head.name.id))),
            plainInsertsPerSecond: 0)
    }

    /// Writes entries one by one, each after the one before has arrived and nothing is under way any more.
    func live(_ count: Int, from first: Int) async throws -> ReplicationBenchmarkReport.Live {
        guard let (head, _) = try await writer.ownHead(of: stream) else {
            throw ReplicationBenchmark.Failure.nothingWritten
        }
        let log = head.name.id
        var size = head.size
        var milliseconds: [Double] = []
        for number in first..<(first + count) {
            let commands = benchmark.entry(number, content, in: study)
            size += UInt64(commands.count)
            _ = try await writer.perform(commands)
            let written = await writer.untilHolding(log, size: size)
            let arrived = await reader.untilHolding(log, size: size)
            milliseconds.append((arrived - written) / .milliseconds(1))
            // Receipts come back, and whatever was set off comes to rest.
            try await Task.sleep(for: .milliseconds(5))
        }
        guard try await reader.digest(of: stream) == writer.digest(of: stream) else {
            throw ReplicationBenchmark.Failure.differs
        }
        milliseconds.sort()
        return ReplicationBenchmarkReport.Live(
            samples: count, medianMilliseconds: milliseconds[count / 2],
            percentile99Milliseconds: milliseconds[min(count - 1, count * 99 / 100)],
            maximumMilliseconds: milliseconds[count - 1])
    }

    func stop() async throws {
        try await reader.stop()
        try await writer.stop()
    }
}
