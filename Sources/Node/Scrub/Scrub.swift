import EventLog
import Foundation
import Logging
import ServiceLifecycle
import Store
import StoreCore
import Synchronization

/// When a node reads everything it has stored again.
public struct ScrubSettings: Hashable, Sendable, Codable {
    /// Seconds after the start at which the first pass begins.
    public var firstAfterSeconds: Double
    /// Hours between the end of a pass and the next.
    public var everyHours: Double
    /// Entries looked at in a second at most.
    public var entriesPerSecond: Double

    /// States settings; the defaults are those of a node whose configuration says nothing.
    public init(firstAfterSeconds: Double = 300, everyHours: Double = 24, entriesPerSecond: Double = 20_000) {
        self.firstAfterSeconds = firstAfterSeconds
        self.everyHours = everyHours
        self.entriesPerSecond = entriesPerSecond
    }
}

/// What the reading of stored bytes has found.
public struct ScrubStatus: Hashable, Sendable, Codable {
    /// When the last pass ended, ISO 8601; nil before the first.
    public var lastPass: String?
    /// Entries that it looked at.
    public var entries: UInt64 = 0
    /// Entries and checkpoints that are damaged and were not repaired yet, a sentence each.
    public var damaged: [String] = []
    /// What else does not hold, which no other node can mend.
    public var problems: [String] = []
}

/// Reads everything that is stored again in the background, and has repaired what was altered since it was checked.
///
/// It reads through a connection of its own that cannot write, so that a damaged page stops nobody; not faster than it was
/// set, and not at all while writes wait.
final class Scrub: Service {
    private let directory: String
    private let store: Store<NodeState>
    private let driver: ReplicationDriver
    private let settings: ScrubSettings
    private let logger: Logger
    private let state = Mutex(ScrubStatus())
    private let isStopping = Mutex(false)

    init(
        directory: String, store: Store<NodeState>, driver: ReplicationDriver, settings: ScrubSettings, logger: Logger
    ) {
        self.directory = directory
        self.store = store
        self.driver = driver
        self.settings = settings
        self.logger = logger
    }

    /// What was found, and what of it is still damaged.
    func status() async throws -> ScrubStatus {
        var status = state.withLock { $0 }
        status.damaged = try await store.read { core, _ in try core.openDamage().map(\.description) }
        return status
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskCancellationHandler {
                await takeUpOpenDamage()
                var pause = settings.firstAfterSeconds
                while !Task.isCancelled {
                    await wait(seconds: pause)
                    if Task.isCancelled { return }
                    await pass()
                    pause = settings.everyHours * 3600
                }
            } onCancel: {
                isStopping.withLock { $0 = true }
            }
        }
    }

    /// Waits for the next pass, and meanwhile marks what is found damaged when it is to be folded again.
    private func wait(seconds: Double) async {
        let end = ContinuousClock.now + .seconds(seconds)
        while !Task.isCancelled, ContinuousClock.now < end {
            try? await Task.sleep(until: min(end, .now + .seconds(10)))
            await markFound()
        }
    }

    /// Marks what was found damaged when it was to be folded.
    private func markFound() async {
        await mark((try? await store.read { _, state in state.takeDamaged() }) ?? [])
    }

    /// Damage that an earlier run or the start has found.
    private func takeUpOpenDamage() async {
        await markFound()
        let open = try? await store.read { core, _ in try core.openDamage() }
        await driver.repair(open ?? [])
    }

    /// One pass over everything.
    private func pass() async {
        do {
            let chain = try await store.read { _, state in state.chain }
            let report = try await onOwnThread { [self] in
                try LogVerification.run(
                    on: try StoreReader(directory: directory), charter: chain, checksFile: false, progress: paced())
            }
            let problems = report.otherProblems.map(\.description)
            state.withLock {
                $0.lastPass = UTCText.iso8601(milliseconds: NodeClock().now().utcMilliseconds / 1000 * 1000)
                $0.entries = report.entries
                $0.problems = Array(problems.prefix(20))
            }
            for problem in problems.prefix(20) { logger.critical("what is stored does not hold: \(problem)") }
            await mark(report.damagedPlaces)
        } catch {
            state.withLock { $0.problems = ["what is stored cannot be read: \(error)"] }
            logger.critical("what is stored cannot be read: \(error)")
        }
    }

    /// Keeps the pace: sleeps, on the thread of the pass, for as long as the entries since the last call may take, and for as
    /// long as writes wait.
    private func paced() -> (VerificationProgress) -> Void {
        var done: UInt64 = 0
        return { [self] progress in
            let seconds = Double(progress.entries - done) / max(1, settings.entriesPerSecond)
            done = progress.entries
            let end = ContinuousClock.now + .seconds(seconds)
            while !isStopping.withLock({ $0 }) && (ContinuousClock.now < end || store.waitingWrites > 0) {
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
    }

    private func mark(_ places: [DamagedPlace]) async {
        guard !places.isEmpty else { return }
        let time = NodeClock().now()
        let marked = try? await store.write { core, _ in try core.markDamaged(places, time: time) }
        for place in marked ?? [] { logger.critical("damaged on this disk, asked of other nodes: \(place)") }
        await driver.repair(marked ?? [])
    }
}
