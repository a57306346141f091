import EventLog
import Glibc
import Store
import StoreCore
import Synchronization
import Testing

/// The concurrent shell: shared transactions, and answers only after they are durable.
struct GroupCommitTests {
    /// What the store's thread folds: the entries in order.
    struct Folded {
        var ids: [EntryID] = []
        var thread: pthread_t?
    }

    struct Refused: Error {}

    private func open(
        _ directory: TemporaryDirectory, fileSystem: String? = nil,
        onCommit: @escaping @Sendable ([CommittedLog]) -> Void = { _ in },
        onFailure: @escaping @Sendable (any Error) -> Void = { _ in }
    ) async throws -> Store<Folded> {
        try await Store(
            Fixture.configuration(directory, fileSystem: fileSystem), generator: SeededGenerator(seed: 1),
            companion: { core in
                var folded = Folded()
                for log in try core.logs() {
                    try core.forEachEntry(in: log.name.id) {
                        folded.ids.append($0.id)
                        return true
                    }
                }
                return folded
            }, onCommit: onCommit, onFailure: onFailure)
    }

    /// Appends and folds, as every body does: decide, append, apply.
    @Sendable private static func append(
        _ draft: EntryDraft, _ core: StoreCore, _ folded: inout Folded
    ) throws -> Receipt {
        let appended = try core.append(draft, time: Fixture.time())
        folded.ids += appended.written.map(\.id)
        return appended.receipt
    }

    /// Holds the store's thread with a write of its own until `count` further writes wait, so that they share the next
    /// transaction. Returns once the thread is held.
    private func hold(_ store: Store<Folded>, until count: Int) async -> Task<Void, any Error> {
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await store.write { core, folded in
                start.finish()
                while store.waitingWrites < count { sched_yield() }
                _ = try Self.append(Fixture.draft(1_000_000), core, &folded)
            }
        }
        for await _ in started {}
        return task
    }

    @Test(.timeLimit(.minutes(1))) func `writers that wait together share one transaction and one signature`()
        async throws
    {
        let directory = TemporaryDirectory()
        let commits = Mutex<[[CommittedLog]]>([])
        let store = try await open(directory) { committed in commits.withLock { $0.append(committed) } }
        let held = await hold(store, until: 64)
        let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
            for number in 0..<64 {
                group.addTask {
                    try await store.write { try Self.append(Fixture.draft(UInt64(number), actor: 5), $0, &$1) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await held.value
        #expect(Set(receipts.map(\.address.index)).count == 64)
        let (sizes, ids) = try await store.read { core, folded in
            (try core.checkpointSizes(of: try core.logs()[0].name.id), folded.ids)
        }
        #expect(sizes == [2, 66])
        #expect(ids.count == 66)
        #expect(commits.withLock { $0.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } } } == 66)
        try await store.close()
        let core = try Fixture.open(directory)
        #expect(try core.contents().values.first?.map(\.id) == ids)
        #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
    }

    @Test(.timeLimit(.minutes(1))) func `a failing body takes back only its own within a shared transaction`()
        async throws
    {
        let directory = TemporaryDirectory()
        let store = try await open(directory)
        let held = await hold(store, until: 20)
        let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
            for number in 0..<20 {
                group.addTask {
                    let receipt = try? await store.write { core, folded in
                        if number % 3 == 0 {
                            // Writes first, then finds out that it may not: the companion was not touched.
                            _ = try core.append(Fixture.draft(UInt64(number)), time: Fixture.time())
                            throw Refused()
                        }
                        return try Self.append(Fixture.draft(UInt64(number)), core, &folded)
                    }
                    return (number, receipt != nil)
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        try await held.value
        for (number, isWritten) in outcomes { #expect(isWritten == (number % 3 != 0)) }
        let (ids, stored) = try await store.read { core, folded in
            (folded.ids, try core.contents().values.first?.map(\.id))
        }
        #expect(ids == stored)
        #expect(ids.count == 2 + 13)
        try await store.close()
    }

    @Test func `a repeated command is answered with its receipt, whoever asks at the same time`() async throws {
        let directory = TemporaryDirectory()
        let store = try await open(directory)
        let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
            for _ in 0..<50 {
                group.addTask { try await store.write { try Self.append(Fixture.draft(7), $0, &$1) } }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(receipts.count == 1)
        #expect(try await store.read { core, _ in try core.heads()[0].size } == 2)
        try await store.close()
    }

    @Test func `a commit that fails is told to everybody, nothing is written any more, and reading goes on`()
        async throws
    {
        let faults = FaultFileSystem()
        let directory = TemporaryDirectory()
        let told = Mutex(0)
        let store = try await open(
            directory, fileSystem: faults.name, onFailure: { _ in told.withLock { $0 += 1 } })
        _ = try await store.write { try Self.append(Fixture.draft(1), $0, &$1) }
        faults.fail(from: faults.operations + 1)
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<30 {
                group.addTask {
                    do {
                        _ = try await store.write { try Self.append(Fixture.draft(UInt64(number + 10)), $0, &$1) }
                        return false
                    } catch StoreError.stopped {
                        return true
                    } catch {
                        return false
                    }
                }
            }
            for await isTold in group { #expect(isTold) }
        }
        faults.fail(from: .max)
        await #expect(throws: StoreError.self) {
            try await store.write { try Self.append(Fixture.draft(99), $0, &$1) }
        }
        // What is read is what is durable: the opening and the first entry, and nothing of what was not acknowledged.
        #expect(try await store.read { _, folded in folded.ids.count } == 2)
        #expect(try await store.read { core, _ in try core.heads()[0].size } == 2)
        #expect(try await store.read { core, _ in core.stoppedBy != nil })
        #expect(told.withLock { $0 } == 1)
        try await store.close()
    }

    @Test func `a cancelled caller does not tear its commit`() async throws {
        let directory = TemporaryDirectory()
        let store = try await open(directory)
        let tasks = (0..<40).map { number in
            Task { try await store.write { try Self.append(Fixture.draft(UInt64(number)), $0, &$1) } }
        }
        for task in tasks { task.cancel() }
        var written = 0
        for task in tasks where (try? await task.value) != nil { written += 1 }
        #expect(written == 40)
        #expect(try await store.read { core, _ in try core.heads()[0].size } == 41)
        try await store.close()
    }

    @Test func `large bodies do not share one endless transaction`() async throws {
        let directory = TemporaryDirectory()
        let commits = Mutex(0)
        let store = try await open(directory) { _ in commits.withLock { $0 += 1 } }
        let held = await hold(store, until: 80)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<80 {
                group.addTask {
                    _ = try await store.write {
                        try Self.append(Fixture.draft(UInt64(number), size: 120_000), $0, &$1)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await held.value
        // 80 × 120 kB are more than two groups of 4 MiB.
        #expect(commits.withLock { $0 } >= 3)
        try await store.close()
    }

    @Test func `everything runs on the store's own thread, and a closed store says so`() async throws {
        let directory = TemporaryDirectory()
        let store = try await open(directory)
        let first = try await store.write { _, folded in
            folded.thread = pthread_self()
            return UInt(pthread_self())
        }
        for _ in 0..<20 {
            #expect(try await store.read { _, folded in folded.thread == pthread_self() })
            #expect(try await store.write { _, _ in UInt(pthread_self()) } == first)
        }
        try await store.close()
        try await store.close()
        await #expect(throws: StoreClosed.self) { try await store.write { _, _ in } }
        await #expect(throws: StoreClosed.self) { try await store.read { _, _ in } }
    }

    @Test func `an unusable directory is an error of opening`() async throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        await #expect(throws: StoreError.self) { try await open(directory) }
        try core.close()
        let store = try await open(directory)
        #expect(try await store.read { core, _ in core.startVerdict } == .noLogYet)
        try await store.close()
    }

    @Test func `the benchmark measures what it says`() async throws {
        let directory = TemporaryDirectory()
        let report = try await AppendBenchmark.run(directory: directory.path, writers: 8, seconds: 0.2)
        #expect(report.entries >= 8 && report.commits > 0 && report.commits <= report.entries)
        #expect((250...400).contains(report.bytesPerEntry))
        #expect(report.medianMilliseconds <= report.percentile99Milliseconds)
        #expect(report.ingestedPerSecond > 0 && report.plainInsertsPerSecond > 0)
        #expect(report.fsyncMilliseconds > 0 && report.hashesPerSecond > 0)
    }
}
