import Foundation
import Synchronization

/// Runs many seeds on several threads.
public final class SimulationBatch: Sendable {
    /// A seed that failed, with the shortest history that was found.
    public struct Failure: Sendable {
        /// What became of the seed.
        public let result: SeedResult
        /// The shortest failing history.
        public let history: Scenario
        /// What becomes of that.
        public let shrunkResult: SeedResult
    }

    private struct State {
        var next: UInt64
        var summary: SimulationSummary
        var workers: Int
    }

    private let seeds: Range<UInt64>
    private let maximumShrunk: Int
    private let stopsAtFirst: Bool
    private let state: Mutex<State>
    private let progress: @Sendable (_ done: Int, _ failed: Int) -> Void

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - seeds: the seeds.
    ///   - maximumShrunk: of how many failing seeds a short history is looked for.
    ///   - stopsAtFirst: whether no further seed is begun once one has failed.
    ///   - progress: called after every seed, on any thread.
    public init(
        seeds: Range<UInt64>, maximumShrunk: Int = 3, stopsAtFirst: Bool = false,
        progress: @escaping @Sendable (_ done: Int, _ failed: Int) -> Void = { _, _ in }
    ) {
        self.seeds = seeds
        self.maximumShrunk = maximumShrunk
        self.stopsAtFirst = stopsAtFirst
        self.progress = progress
        state = Mutex(State(next: seeds.lowerBound, summary: SimulationSummary(), workers: 0))
    }

    /// Runs all seeds on threads of its own and answers when the last is done.
    ///
    /// - Parameter jobs: how many threads.
    public func run(jobs: Int) async -> SimulationSummary {
        let start = ContinuousClock.now
        state.withLock { $0.workers = max(jobs, 1) }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            for _ in 0..<max(jobs, 1) {
                let thread = Thread { [self] in
                    work()
                    let isLast = state.withLock { state in
                        state.workers -= 1
                        return state.workers == 0
                    }
                    if isLast { continuation.resume() }
                }
                thread.stackSize = 8 << 20
                thread.start()
            }
        }
        var summary = state.withLock(\.summary)
        let elapsed = ContinuousClock.now - start
        summary.seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        summary.failures.sort { $0.result.seed < $1.result.seed }
        return summary
    }

    private func work() {
        while let seed = takeSeed() {
            let scenario = Scenario.draw(seed: seed)
            let result = scenario.run()
            var failure: Failure?
            if !result.isSound {
                let isShrunk = state.withLock { $0.summary.failures.count < maximumShrunk }
                let shrunk = isShrunk ? scenario.shrunk() : (scenario, result)
                failure = Failure(result: result, history: shrunk.0, shrunkResult: shrunk.1)
            }
            let (done, failed) = state.withLock { state in
                state.summary.add(result)
                if let failure { state.summary.failures.append(failure) }
                return (state.summary.seeds, state.summary.failures.count)
            }
            progress(done, failed)
        }
    }

    private func takeSeed() -> UInt64? {
        state.withLock { state in
            guard state.next < seeds.upperBound, !(stopsAtFirst && !state.summary.failures.isEmpty) else {
                return nil
            }
            defer { state.next += 1 }
            return state.next
        }
    }
}

/// What became of many seeds.
public struct SimulationSummary: Sendable {
    /// Seeds run.
    public internal(set) var seeds = 0
    /// Seeds that broke a promise.
    public internal(set) var failures: [SimulationBatch.Failure] = []
    /// How often each fault came about.
    public internal(set) var counts: [FaultKind: Int] = [:]
    /// How often each kind of command and of event came about, by its name.
    public internal(set) var tally: [String: Int] = [:]
    /// Commands sent.
    public internal(set) var commands = 0
    /// Commands acknowledged.
    public internal(set) var acknowledged = 0
    /// Messages sent.
    public internal(set) var messages = 0
    /// Virtual hours.
    public internal(set) var virtualHours = 0.0
    /// How long it took.
    public internal(set) var seconds = 0.0
    /// A digest of what happened in all seeds, in any order.
    public internal(set) var trace: UInt64 = 0

    /// Seeds a minute.
    public var seedsPerMinute: Double { seconds > 0 ? Double(seeds) / seconds * 60 : 0 }
    /// The faults that never came about.
    public var missing: [FaultKind] { FaultKind.allCases.filter { counts[$0] == nil } }

    mutating func add(_ result: SeedResult) {
        seeds += 1
        counts.merge(result.counts) { $0 + $1 }
        tally.merge(result.tally) { $0 + $1 }
        commands += result.commands
        acknowledged += result.acknowledged
        messages += result.messages
        virtualHours += Double(result.virtualMilliseconds) / 3_600_000
        trace ^= result.trace
    }
}
