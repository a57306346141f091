public import EventLog
import Foundation
import Synchronization
import Trial

/// A national network on this machine, with a trial in it: every node a process of its own, real sockets between them.
public final class Demonstration: Sendable {
    /// What is known of the demonstration at a moment.
    public struct Snapshot: Sendable {
        /// What is being done.
        public var step: String
        /// Forms recorded so far.
        public var forms: Int
        /// The nodes that answered.
        public var statuses: [NodeStatus]
        /// Where each node's page is, for those that have one.
        public var pages: [NodeID: String]
        /// How often each node was started again.
        public var restarts: [NodeID: Int]
        /// Since the start.
        public var seconds: Double
    }

    private let source: StudySource
    private let directory: String
    private let processes: [NodeProcess]
    private let started: ContinuousClock.Instant
    private let progress = Mutex(Progress())

    private struct Progress {
        var step = "starting"
        var forms = 0
    }

    /// Founds the network where the directory holds none yet.
    ///
    /// - Parameters:
    ///   - source: the study's files.
    ///   - directory: where the nodes' directories are, or go.
    ///   - executable: path of `varde`.
    ///   - started: when the process began.
    /// - Throws: ``DirectoryError``.
    public init(source: StudySource, directory: String, executable: String, started: ContinuousClock.Instant) throws {
        self.source = source
        self.directory = directory
        self.started = started
        let planned = source.plannedNodes
        let isFounded = planned.allSatisfy { NetworkFounding.directory(of: $0.id, in: directory).isNode }
        if !isFounded {
            guard let network = NetworkID("varde-demo") else {
                preconditionFailure("the demonstration's network has a name")
            }
            try NetworkFounding(network: network, nodes: planned, directory: directory).found()
        }
        processes = planned.map {
            NodeProcess(
                node: $0.id, directory: NetworkFounding.directory(of: $0.id, in: directory), executable: executable)
        }
    }

    private var directories: [NodeID: NodeDirectory] {
        Dictionary(uniqueKeysWithValues: processes.map { ($0.node, $0.directory) })
    }

    private var seconds: Double {
        let elapsed = ContinuousClock.now - started
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    }

    private func begin(_ step: String) {
        progress.withLock { $0.step = step }
    }

    /// Starts the nodes, sets the study up and loads it.
    ///
    /// - Throws: ``LocalClientError``, ``Trial/Refusal``, or what keeps a process from starting.
    public func load() async throws -> ImportOutcome {
        begin("starting \(processes.count) nodes")
        for process in processes { try process.start() }
        try await untilListening()
        let study = try await StudySetup(source: source, directories: directories).run { begin($0) }
        begin("loading")
        return try await StudyImport(study: study, source: source, directories: directories).run { [self] in
            progress.withLock { $0.forms += 1 }
        }
    }

    private func untilListening() async throws {
        for process in processes {
            let deadline = ContinuousClock.now + .seconds(60)
            while true {
                do {
                    _ = try await LocalClient.status(of: process.directory)
                    break
                } catch {
                    guard ContinuousClock.now < deadline else { throw error }
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }

    /// Asks every node how things stand; nodes that do not answer are left out.
    public func snapshot() async -> Snapshot {
        let statuses = await withTaskGroup(of: NodeStatus?.self) { group in
            for process in processes {
                group.addTask { await Self.status(of: process.directory, withinSeconds: 3) }
            }
            var found: [NodeID: NodeStatus] = [:]
            for await status in group {
                if let status { found[status.node] = status }
            }
            return processes.compactMap { found[$0.node] }
        }
        let (step, forms) = progress.withLock { ($0.step, $0.forms) }
        return Snapshot(
            step: step, forms: forms, statuses: statuses,
            pages: directories.compactMapValues(\.runningHTTPAddress),
            restarts: Dictionary(uniqueKeysWithValues: processes.map { ($0.node, $0.restarts) }), seconds: seconds)
    }

    /// A node's status; nil where it does not answer in time, so that one node that hangs does not hold up the others.
    private static func status(of directory: NodeDirectory, withinSeconds seconds: Int) async -> NodeStatus? {
        await withTaskGroup(of: NodeStatus?.self) { group in
            group.addTask { try? await LocalClient.status(of: directory) }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// Waits until all nodes hold the same, and says what they hold.
    ///
    /// - Parameter timeoutSeconds: after which the summary says that they have not converged.
    public func untilConverged(timeoutSeconds: Double = 300) async -> DemonstrationSummary {
        begin("converging")
        let deadline = seconds + timeoutSeconds
        while true {
            let snapshot = await snapshot()
            let isReached =
                snapshot.statuses.count == processes.count && Convergence.isReached(snapshot.statuses, of: source)
            if isReached || snapshot.seconds > deadline {
                if isReached { begin("converged") }
                return DemonstrationSummary(snapshot.statuses, converged: isReached, seconds: snapshot.seconds)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Ends every node.
    public func end() async {
        begin("ending")
        await withDiscardingTaskGroup { group in
            for process in processes { group.addTask { await process.end() } }
        }
    }
}
