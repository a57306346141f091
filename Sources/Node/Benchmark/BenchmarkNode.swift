import EventLog
import Foundation
import Logging
import Store
import StoreCore
import Synchronization
import Trial
import ZeroMQTransport

/// A whole node in this process, without its local socket.
final class BenchmarkNode: Sendable {
    let parts: OpenedNode
    private let commits: CommitWatch
    private let execution: CommandExecution
    private let ticking = Mutex<Task<Void, Never>?>(nil)

    /// Opens the node in a directory; nothing listens yet.
    init(_ directory: NodeDirectory) async throws {
        var logger = Logger(label: "varde.bench")
        logger.logLevel = .error
        let commits = CommitWatch()
        parts = try await OpenedNode.open(directory, logger: logger) { commits.take($0) }
        self.commits = commits
        execution = CommandExecution(node: parts.configuration.node, network: parts.configuration.network)
    }

    /// Begins to listen and to talk to others.
    func start() async throws {
        try await parts.transport.start()
        let driver = parts.driver
        ticking.withLock {
            $0 = Task {
                while !Task.isCancelled {
                    await driver.tick()
                    try? await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }

    /// Stops talking and closes the store.
    func stop() async throws {
        ticking.withLock { $0 }?.cancel()
        await parts.transport.stop()
        try await parts.store.close()
    }

    /// Carries out commands, as the local socket would.
    ///
    /// - Throws: the first refusal.
    func perform(_ commands: [Command]) async throws -> [CommandReceipt] {
        let execution = execution
        let sent = commands.map {
            SentCommand(command: $0, digest: .sha256($0.id.bytes), authentication: .localAccount)
        }
        let (outcomes, revision) = try await parts.store.write { core, state in
            (try execution.perform(sent, core, &state), state.authorityRevision)
        }
        await parts.driver.refreshAuthority(revision: revision)
        return try outcomes.map { outcome in
            switch outcome {
            case .recorded(let receipt): return receipt
            case .refused(let refusal): throw refusal
            }
        }
    }

    /// The digest of a stream's state.
    func digest(of stream: StreamID) async throws -> StreamDigest? {
        try await parts.store.read { _, state in state.digest(of: stream) }
    }

    /// The log of a stream that this node writes.
    func ownHead(of stream: StreamID) async throws -> (head: LogHead, bytes: UInt64)? {
        try await parts.store.read { core, _ in
            try core.ownLogs().first { $0.name.stream == stream }.map { ($0.head, $0.byteCount) }
        }
    }

    /// Waits until `size` entries of a log are durable here, and says when they were.
    func untilHolding(_ log: LogID, size: UInt64) async -> ContinuousClock.Instant {
        await commits.until(log, size: size)
    }

    /// How much of a log was durable here after the last commit that brought some of it.
    func size(of log: LogID) -> UInt64 {
        commits.size(of: log)
    }

    /// When an entry was durable here, and how many commits brought entries of its log.
    func commits(of log: LogID) -> Int {
        commits.count(of: log)
    }
}

/// What the store said of its commits.
private final class CommitWatch: Sendable {
    private struct State {
        var sizes: [LogID: UInt64] = [:]
        var counts: [LogID: Int] = [:]
        var moments: [LogID: ContinuousClock.Instant] = [:]
        var waiters: [(log: LogID, size: UInt64, continuation: CheckedContinuation<ContinuousClock.Instant, Never>)] =
            []
    }

    private let state = Mutex(State())

    func take(_ logs: [CommittedLog]) {
        let now = ContinuousClock.now
        let reached = state.withLock { state in
            for log in logs {
                state.sizes[log.head.name.id] = log.head.size
                state.counts[log.head.name.id, default: 0] += 1
                state.moments[log.head.name.id] = now
            }
            let reached = state.waiters.filter { state.sizes[$0.log] ?? 0 >= $0.size }
            state.waiters.removeAll { state.sizes[$0.log] ?? 0 >= $0.size }
            return reached
        }
        for waiter in reached { waiter.continuation.resume(returning: now) }
    }

    /// The moment of the commit that reached `size`, or of the newest one where that had come before.
    func until(_ log: LogID, size: UInt64) async -> ContinuousClock.Instant {
        await withCheckedContinuation { continuation in
            let moment: ContinuousClock.Instant? = state.withLock { state in
                if state.sizes[log] ?? 0 >= size { return state.moments[log] }
                state.waiters.append((log, size, continuation))
                return nil
            }
            if let moment { continuation.resume(returning: moment) }
        }
    }

    func size(of log: LogID) -> UInt64 {
        state.withLock { $0.sizes[log] ?? 0 }
    }

    func count(of log: LogID) -> Int {
        state.withLock { $0.counts[log] ?? 0 }
    }
}
