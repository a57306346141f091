import EventLog
import StoreCore
import Synchronization

/// What ``AppendBenchmark`` measured, with the limits of the same machine in the same run beside it.
public struct AppendBenchmarkReport: Hashable, Sendable {
    /// Concurrent writers.
    public var writers: Int
    /// Entries written and answered.
    public var entries: Int
    /// Time taken.
    public var seconds: Double
    /// Bytes of an entry, header and body.
    public var bytesPerEntry: Int
    /// Transactions that were needed.
    public var commits: Int
    /// Half of the writes were answered within this many milliseconds.
    public var medianMilliseconds: Double
    /// All but one in a hundred writes were answered within this many milliseconds.
    public var percentile99Milliseconds: Double
    /// Verified and durably stored entries a second when another store takes the same log over.
    public var ingestedPerSecond: Double
    /// Rows a second of a bare SQLite table with the same settings, bytes and rows in a transaction.
    public var plainInsertsPerSecond: Double
    /// Milliseconds of writing one page and fsync.
    public var fsyncMilliseconds: Double
    /// SHA-256 of as many bytes as an entry has, a second, on one core.
    public var hashesPerSecond: Double

    /// Entries a second.
    public var entriesPerSecond: Double { seconds > 0 ? Double(entries) / seconds : 0 }
    /// Entries that shared a transaction, on average.
    public var entriesPerCommit: Double { commits > 0 ? Double(entries) / Double(commits) : 0 }
}

/// Measures durable appends: what `varde bench` runs.
public enum AppendBenchmark {
    /// What the store's thread counts.
    private struct Counts {
        var entries = 0
    }

    /// Appends small entries from `writers` tasks for about `seconds`, then takes the log over into a second store, then
    /// measures what the disk and the processor could do at most.
    ///
    /// - Parameters:
    ///   - directory: an empty or missing directory; what is written there stays.
    ///   - writers: concurrent tasks, each of which waits for its answer before it writes again.
    ///   - seconds: how long the appends go on.
    ///   - hasRandomCommands: true for command ids out of nothing but randomness, as foreign senders may draw them; false
    ///     for ids that begin with the time, which lie together in the table of commands and cost less.
    /// - Throws: ``StoreError``.
    public static func run(
        directory: String, writers: Int, seconds: Double, hasRandomCommands: Bool = false
    ) async throws -> AppendBenchmarkReport {
        precondition(writers > 0 && seconds > 0, "a benchmark has writers and takes time")
        let network = NetworkID(unchecked: "bench.varde")
        let seed = [UInt8](repeating: 7, count: Ed25519.seedByteCount)
        let configuration = StoreConfiguration(
            directory: directory + "/writer", network: network, node: NodeID(unchecked: "writer"), signingSeed: seed,
            software: "varde bench")
        let commits = Mutex(0)
        let store = try await Store<Counts>(
            configuration, companion: { _ in Counts() }, onCommit: { _ in commits.withLock { $0 += 1 } })
        let stream = StreamID.location(
            LocationID(unchecked: "ward"), in: StudyID(RandomName(high: 1, low: 2)))
        let clock = ContinuousClock()
        let start = clock.now
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for number in 0..<writers {
                group.addTask {
                    try await write(
                        to: store, stream: stream, number: number, until: start + .seconds(seconds),
                        hasRandomCommands: hasRandomCommands)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let elapsed = (clock.now - start).inSeconds
        let bytes = try await store.read { core, _ in
            (try core.ownLogs().first).map { Int($0.byteCount / max(1, $0.head.size)) } ?? 0
        }
        let ingested = try await takeOver(store, directory: directory, network: network, seed: seed)
        try await store.close()

        let commitCount = commits.withLock { $0 }
        let sorted = latencies.sorted()
        let perCommit = max(1, latencies.count / max(1, commitCount))
        let limits = try DiskLimits.measure(
            directory: directory + "/limits", bytesPerRow: bytes, rowsPerCommit: perCommit, seconds: min(seconds, 2))
        return AppendBenchmarkReport(
            writers: writers, entries: latencies.count, seconds: elapsed, bytesPerEntry: bytes, commits: commitCount,
            medianMilliseconds: percentile(sorted, 0.5), percentile99Milliseconds: percentile(sorted, 0.99),
            ingestedPerSecond: ingested, plainInsertsPerSecond: limits.insertsPerSecond,
            fsyncMilliseconds: limits.fsyncMilliseconds, hashesPerSecond: hashes(of: bytes))
    }

    /// One writer: appends until the time is up; gives the milliseconds that each write took.
    private static func write(
        to store: Store<Counts>, stream: StreamID, number: Int, until end: ContinuousClock.Instant,
        hasRandomCommands: Bool
    ) async throws -> [Double] {
        let clock = ContinuousClock()
        let actor = ActorID(RandomName(high: 0xAC7, low: UInt64(number)))
        var latencies: [Double] = []
        while clock.now < end {
            let begin = clock.now
            let counter = UInt64(latencies.count)
            try await store.write { core, counts in
                let sequence = UInt64(counts.entries)
                let high = hasRandomCommands ? UInt64.random(in: 0 ... .max) : sequence << 16
                let command = CommandID(RandomName(high: high, low: UInt64(number) << 32 | counter))
                let draft = EntryDraft(
                    stream: stream, operation: .formSaved,
                    authority: Authority(
                        actor: actor, kind: .person, role: .studyNurse, authentication: .localAccount),
                    known: KnownVersions(charter: 1, participation: 1, delegation: 1),
                    subject: SubjectHandle(RandomName(high: 5, low: counter)), command: command,
                    parts: [
                        (.structure, [UInt8](repeating: UInt8(truncatingIfNeeded: counter), count: 40)),
                        (.content, [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 20)),
                    ])
                _ = try core.append(draft, time: NodeTime(utcMilliseconds: Int64(sequence)))
                counts.entries += 1
            }
            latencies.append((clock.now - begin).inMilliseconds)
        }
        return latencies
    }

    /// Takes the log over into a second store, range by range, eight ranges to a transaction; gives entries a second.
    private static func takeOver(
        _ store: Store<Counts>, directory: String, network: NetworkID, seed: [UInt8]
    ) async throws -> Double {
        guard let head = try await store.read({ core, _ in try core.heads().first }) else { return 0 }
        let keyName = LogOrigin(network: network, log: head.name.id).keyName
        guard let key = NoteSigningKey(name: keyName, seed: seed)?.verifierKey.publicKey else { return 0 }
        let other = try await Store<Void>(
            StoreConfiguration(
                directory: directory + "/reader", network: network, node: NodeID(unchecked: "reader"),
                signingSeed: [UInt8](repeating: 8, count: Ed25519.seedByteCount), software: "varde bench"),
            companion: { _ in })
        let clock = ContinuousClock()
        let limit = min(head.size, 200_000)
        var position: UInt64 = 0
        var spent: Duration = .zero
        while position < limit {
            let from = position
            let ranges = try await store.read { core, _ in
                var ranges: [EntryRange] = []
                var next = from
                while ranges.count < 8,
                    let range = try core.readRange(log: head.name.id, from: next, maximumBytes: .max)
                {
                    ranges.append(range)
                    next = range.end
                }
                return ranges
            }
            guard let last = ranges.last else { break }
            let begin = clock.now
            try await other.write { core, _ in
                for range in ranges {
                    let outcome = try core.ingest(
                        range, of: head.name, key: key, from: nil, time: NodeTime(utcMilliseconds: 0))
                    if case .refused(let refusal) = outcome { throw refusal }
                }
            }
            spent += clock.now - begin
            position = last.end
        }
        try await other.close()
        return spent > .zero ? Double(position) / spent.inSeconds : 0
    }

    private static func percentile(_ sorted: [Double], _ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Hashes a second of `byteCount` bytes each, on one core, over a quarter of a second.
    private static func hashes(of byteCount: Int) -> Double {
        let clock = ContinuousClock()
        var bytes = [UInt8](repeating: 0, count: max(1, byteCount))
        var count = 0
        let start = clock.now
        while clock.now - start < .milliseconds(250) {
            for _ in 0..<1000 {
                bytes[0] = Hash.sha256(bytes).bytes[0]
                count += 1
            }
        }
        return Double(count) / (clock.now - start).inSeconds
    }
}

extension Duration {
    fileprivate var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    fileprivate var inMilliseconds: Double { inSeconds * 1000 }
}
