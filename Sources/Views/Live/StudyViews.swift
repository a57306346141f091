public import EventLog
import Store
import StoreCore
import Trial

/// What became of a rebuild.
public struct RebuildOutcome: Hashable, Sendable, Codable {
    /// The study.
    public var study: StudyID
    /// The generation now in service.
    public var generation: Int
    /// The last arrival that it holds.
    public var arrival: Int64
    /// What its rows come to.
    public var digest: ViewDigest
    /// What the rows of the generation before came to at the same arrival; nil where there was none, or it stood elsewhere.
    public var digestBefore: ViewDigest?
    /// What it holds.
    public var counts: ViewCounts
    /// Time taken, from the first entry read to the switch.
    public var seconds: Double

    /// What comparing the two generations gave.
    public var comparison: RebuildComparison {
        guard let digestBefore else { return .nothingToCompare }
        return digestBefore == digest ? .equal : .different
    }
}

/// What comparing a rebuilt generation with the one before gave.
public enum RebuildComparison: String, Sendable, Codable {
    /// Both come to the same.
    case equal
    /// They stand at the same entries and differ.
    case different
    /// There was none before, or it stood at other entries or definitions: nothing is known of it.
    case nothingToCompare = "nothing to compare"
}

/// Keeps the views of all studies of a running node up to date, on a thread of its own.
///
/// One loop asks the folds what changed, writes it, and puts finished rebuilds into service: so updates are never written
/// out of their order. Invariants:
/// - `live` holds at most one view of a study, the generation that the pointer names;
/// - while a study is in `building`, every change of it that is written is also remembered there;
/// - `arrival` is the last arrival that every live view holds.
public actor StudyViews {
    /// Asks the folds: what changed since the last time, and beside that the records of the registrations named.
    public typealias Ask = @Sendable ([StudyID: [LocationID: Set<EntryID>]]) async throws -> FoldReport

    private struct Building {
        /// Changed since the rebuild began.
        var changes: [LocationID: Set<EntryID>] = [:]
        var built: BuiltGeneration?
        /// The question that is out names every change since the rebuild began.
        var isAsked = false
        var began: ContinuousClock.Instant
        var waiters: [CheckedContinuation<RebuildOutcome, any Error>] = []
        var progress: RebuildProgress?
    }

    private let executor = ThreadExecutor()
    /// Where `events.sqlite` and `views` lie.
    public nonisolated let dataDirectory: String
    private let node: NodeID
    private let directory: ViewDirectory
    private let ask: Ask
    private let onFailure: @Sendable (StudyID, any Error) -> Void
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    private var live: [StudyID: LiveView] = [:]
    private var building: [StudyID: Building] = [:]
    private var contexts: [StudyID: StudyViewContext] = [:]
    /// Studies whose views failed: they are built anew by hand or at the next start.
    private var failed: Set<StudyID> = []
    /// What the next question names beside.
    private var asked: [StudyID: [LocationID: Set<EntryID>]] = [:]
    private var arrival: Int64 = 0
    private var isStopped = false
    private struct Waiter {
        var number: UInt64
        var study: StudyID
        var arrival: Int64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private var waiters: [Waiter] = []
    private var lastWaiter: UInt64 = 0

    /// The views' own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Prepares; nothing is read before ``run()``.
    ///
    /// - Parameters:
    ///   - dataDirectory: where `events.sqlite` and `views` lie.
    ///   - node: whose views they are.
    ///   - ask: asks the folds; never called twice at once.
    ///   - onFailure: told where a view could not be kept; the node works on without it.
    public init(
        dataDirectory: String, node: NodeID, ask: @escaping Ask,
        onFailure: @escaping @Sendable (StudyID, any Error) -> Void
    ) {
        self.dataDirectory = dataDirectory
        self.node = node
        self.ask = ask
        self.onFailure = onFailure
        directory = ViewDirectory(dataDirectory: dataDirectory)
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Tells that something was committed; never waits.
    public nonisolated func changed() {
        signal.yield()
    }

    /// Keeps the views until ``stop()``.
    ///
    /// - Throws: what asking the folds threw.
    public func run() async throws {
        signal.yield()
        for await _ in signals {
            if isStopped { break }
            let named = question()
            let report = try await ask(named)
            take(report)
        }
        for view in live.values { view.close() }
        live = [:]
        for waiter in waiters { waiter.continuation.resume(throwing: ViewError.stopped) }
        waiters = []
        for building in building.values {
            for waiter in building.waiters { waiter.resume(throwing: ViewError.stopped) }
        }
        building = [:]
    }

    private func question() -> [StudyID: [LocationID: Set<EntryID>]] {
        var named = asked
        asked = [:]
        for (study, state) in building where state.built != nil {
            named[study, default: [:]].merge(state.changes) { $0.union($1) }
            building[study]?.isAsked = true
        }
        return named
    }

    /// Lets ``run()`` end; rebuilds that have not ended come to nothing.
    public func stop() {
        isStopped = true
        signal.finish()
    }

    /// Whether a study's view holds everything up to an arrival.
    public func holds(_ study: StudyID, arrival wanted: Int64) -> Bool {
        live[study] != nil && asked[study] == nil && arrival >= wanted
    }

    /// Waits until a study's view holds everything up to an arrival.
    ///
    /// - Throws: ``ViewError/stopped``, or what the view failed with.
    public func wait(for study: StudyID, arrival wanted: Int64) async throws {
        if isStopped || failed.contains(study) { throw ViewError.stopped }
        if live[study] != nil, asked[study] == nil, arrival >= wanted { return }
        lastWaiter += 1
        let number = lastWaiter
        try await withCheckedThrowingContinuation { continuation in
            waiters.append(Waiter(number: number, study: study, arrival: wanted, continuation: continuation))
        }
    }

    /// Waits until a study's view holds everything up to an arrival, or a time is over; whether it then holds that.
    ///
    /// Never throws: where the view failed or the node stops it gives false at once.
    public func wait(for study: StudyID, arrival wanted: Int64, atMost duration: Duration) async -> Bool {
        if isStopped || failed.contains(study) { return false }
        if holds(study, arrival: wanted) { return true }
        lastWaiter += 1
        let number = lastWaiter
        let end = Task {
            try await Task.sleep(for: duration)
            giveUp(number)
        }
        defer { end.cancel() }
        do {
            try await withCheckedThrowingContinuation { continuation in
                waiters.append(Waiter(number: number, study: study, arrival: wanted, continuation: continuation))
            }
            return true
        } catch {
            return false
        }
    }

    /// Whether anybody waits for a view.
    package var isWaitedFor: Bool { !waiters.isEmpty }

    private func giveUp(_ number: UInt64) {
        guard let place = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: place).continuation.resume(throwing: CancellationError())
    }

    /// Builds a study's view anew beside the one in service, compares the two where they stand at the same arrival, and
    /// switches. A second call while one runs waits for the same.
    ///
    /// - Throws: ``ViewError``, ``StoreCore/StoreError``; what is in service stays so.
    public func rebuild(_ study: StudyID) async throws -> RebuildOutcome {
        guard !isStopped, contexts[study] != nil else { throw ViewError.noView(study, directory: directory.path) }
        return try await withCheckedThrowingContinuation { continuation in
            startBuilding(study)
            building[study]?.waiters.append(continuation)
        }
    }

    /// How far the rebuild of a study has come; nil where none runs.
    public func progress(of study: StudyID) -> RebuildProgress? { building[study]?.progress }

    // MARK: What the folds say

    private func take(_ report: FoldReport) {
        let updates = Dictionary(grouping: report.updates, by: \.study)
        for (study, context) in report.contexts {
            let isNew = contexts.updateValue(context, forKey: study) == nil
            if isNew { open(study, context) }
            let changes = updates[study] ?? []
            if !isNew { apply(changes, context, report) }
            for update in changes where building[study] != nil {
                for (location, ids) in update.changes { building[study]?.changes[location, default: []].formUnion(ids) }
            }
            if let state = building[study], let built = state.built, state.isAsked {
                finish(study, built, context, changes, report)
            }
            let isOutdated = live[study].map { $0.context.shape != context.shape } ?? true
            if isOutdated, asked[study] == nil, !failed.contains(study) { startBuilding(study) }
        }
        arrival = report.arrival
        forgetDropped()
        let ready = waiters.filter { holds($0.study, arrival: $0.arrival) }
        waiters.removeAll { holds($0.study, arrival: $0.arrival) }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Tries again where a reader kept a write-ahead log from being cut, and deletes generations that were only read.
    private func forgetDropped() {
        var isDue = false
        for (study, view) in live where view.mustForget {
            if building[study] == nil { directory.removeOthers(study, keeping: []) }
            do { try view.forget() } catch { fail(study, error) }
            isDue = isDue || view.mustForget
        }
        guard isDue else { return }
        let signal = signal
        Task {
            try? await Task.sleep(for: .milliseconds(200))
            signal.yield()
        }
    }

    private func position(_ report: FoldReport, like built: ViewPosition) -> ViewPosition {
        ViewPosition(incarnation: built.incarnation, arrival: report.arrival, leaf: report.leaf)
    }

    private func apply(_ updates: [StudyUpdate], _ context: StudyViewContext, _ report: FoldReport) {
        guard let view = live[context.study] else { return }
        // A commit that does not concern the study moves nothing in its file.
        guard !updates.isEmpty || !context.hasArrangement(of: view.context) || asked[context.study] != nil else {
            return
        }
        do {
            try view.apply(updates, context, at: position(report, like: view.position))
        } catch {
            fail(context.study, error)
        }
    }

    /// Takes up the generation in service where it still is a view of this events file; what changed since is asked for. One
    /// that cannot be taken up, because its file is damaged, is built anew like one that is missing.
    private func open(_ study: StudyID, _ context: StudyViewContext) {
        do {
            let events = try StoreReader(directory: dataDirectory)
            guard let stored = StoredView(directory, study),
                let changes = try stored.changesSince(context, events)
            else { return }
            directory.removeOthers(study, keeping: [])
            live[study] = try LiveView(
                directory, generation: stored.generation, context: context, position: stored.position, node: node)
            live[study]?.noteDrops()
            asked[study] = changes
            signal.yield()
        } catch {
            onFailure(study, error)
        }
    }

    private func fail(_ study: StudyID, _ error: any Error) {
        live.removeValue(forKey: study)?.close()
        failed.insert(study)
        onFailure(study, error)
        for waiter in waiters where waiter.study == study { waiter.continuation.resume(throwing: error) }
        waiters.removeAll { $0.study == study }
    }

    // MARK: Rebuilding

    private func startBuilding(_ study: StudyID) {
        guard building[study] == nil, let context = contexts[study], !isStopped else { return }
        building[study] = Building(began: .now)
        let rebuild = ViewRebuild(dataDirectory: dataDirectory, context: context)
        let views = self
        StoreThread.start {
            let result = Result {
                try rebuild.build { progress in Task { await views.note(progress, study) } }
            }
            Task { await views.ended(result, study) }
        }
    }

    private func note(_ progress: RebuildProgress, _ study: StudyID) {
        building[study]?.progress = progress
    }

    private func ended(_ result: Result<BuiltGeneration, any Error>, _ study: StudyID) {
        guard building[study] != nil else { return }
        switch result {
        case .success(let built):
            building[study]?.built = built
            signal.yield()
        case .failure(let error): endBuilding(study, .failure(error))
        }
    }

    /// Brings a generation that was built up to where the folds are, compares it, and puts it into service.
    private func finish(
        _ study: StudyID, _ built: BuiltGeneration, _ context: StudyViewContext, _ updates: [StudyUpdate],
        _ report: FoldReport
    ) {
        guard let state = building[study] else { return }
        do {
            try directory.prepareForService(built)
            let view = try LiveView(
                directory, generation: built.generation,
                context: built.context, position: built.position, node: node)
            try view.apply(updates, context, at: position(report, like: built.position))
            // What an order dropped since the rebuild began may be in the file it built.
            view.noteDrops()
            try view.forget()
            let before = live[study]
            // What is in service was brought to the same arrival just before.
            let isSame = before.map { $0.context.shape == view.context.shape } ?? false
            try directory.point(study, to: built.generation)
            live[study] = view
            failed.remove(study)
            before?.close()
            let outcome = RebuildOutcome(
                study: study, generation: built.generation, arrival: view.position.arrival, digest: view.digest,
                digestBefore: isSame ? before?.digest : nil, counts: built.counts,
                seconds: (ContinuousClock.now - state.began).inSeconds)
            // Two that should be equal and are not are both kept, for whoever looks into it.
            let kept = outcome.comparison == .different ? Set([before?.generation].compactMap { $0 }) : []
            directory.removeOthers(study, keeping: kept)
            endBuilding(study, .success(outcome))
        } catch {
            endBuilding(study, .failure(error))
        }
    }

    private func endBuilding(_ study: StudyID, _ result: Result<RebuildOutcome, any Error>) {
        let ended = building.removeValue(forKey: study)
        for waiter in ended?.waiters ?? [] { waiter.resume(with: result) }
        if case .failure(let error) = result {
            if live[study] == nil { fail(study, error) } else { onFailure(study, error) }
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
