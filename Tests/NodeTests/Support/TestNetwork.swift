import EventLog
import Foundation
import Interchange
import Node
import Synchronization
import Trial

/// A network of nodes that are processes, founded in a folder of the test's.
final class TestNetwork: Sendable {
    let scratch: Scratch
    let source: StudySource
    /// The folder of all nodes' directories.
    let path: String
    /// The network namespace that each node is started in; those that are not named are started in the test's own.
    let namespaces: [NodeID: String]
    private let running = Mutex<[NodeID: RunningProgram]>([:])

    /// Founds the network that a study needs; no node runs yet.
    init(
        _ scratch: Scratch, for source: StudySource, folder: String = "net", namespaces: [NodeID: String] = [:]
    ) throws {
        self.namespaces = namespaces
        self.scratch = scratch
        self.source = source
        path = scratch.path + "/" + folder
        try NetworkFounding(
            network: NetworkID(unchecked: "test.varde"), nodes: source.plannedNodes, directory: path
        ).found()
    }

    /// Finds a network that stands in a folder already.
    init(_ scratch: Scratch, for source: StudySource, at path: String) {
        namespaces = [:]
        self.scratch = scratch
        self.source = source
        self.path = path
    }

    /// The nodes' ids.
    var nodes: [NodeID] { source.plannedNodes.map(\.id) }

    func directory(_ node: NodeID) -> NodeDirectory {
        NetworkFounding.directory(of: node, in: path)
    }

    private var directories: [NodeID: NodeDirectory] {
        Dictionary(uniqueKeysWithValues: nodes.map { ($0, directory($0)) })
    }

    // MARK: Processes

    /// Starts nodes and waits until each answers.
    func start(_ nodes: NodeID...) async throws {
        for node in nodes { try launch(node) }
        for node in nodes { try await untilAnswers(node) }
    }

    /// Starts a node and waits for nothing.
    func launch(_ node: NodeID) throws {
        let program = try scratch.start(
            ["node", "run", "--dir", directory(node).path, "--end-with-parent"], in: namespaces[node])
        running.withLock { $0[node] = program }
    }

    /// Waits until a started node answers.
    func untilAnswers(_ node: NodeID) async throws {
        let program = running.withLock { $0[node] }
        try await until("\(node) answers") {
            if let program, program.status != nil {
                throw TestFailure("\(node) ended at once: \(program.result().text)")
            }
            return (try? await status(node)) != nil
        }
    }

    /// Starts all nodes.
    func startAll() async throws {
        for node in nodes { try await start(node) }
    }

    /// Asks nodes to stop, and waits until they have, in good order.
    func stop(_ nodes: NodeID...) async throws {
        for node in nodes {
            let result = try await end(node, SIGTERM)
            guard result.status == 0 else {
                throw TestFailure("\(node) stopped with status \(result.status): \(result.text.prefix(500))")
            }
        }
    }

    /// Kills a node as a power cut would.
    func kill(_ node: NodeID) async throws {
        _ = try await end(node, SIGKILL)
    }

    private func end(_ node: NodeID, _ signal: Int32) async throws -> ProgramResult {
        let program = try required(running.withLock { $0.removeValue(forKey: node) }, "running \(node)")
        program.signal(signal)
        return try await program.ended(withinSeconds: 20)
    }

    /// The process of a running node.
    func processID(_ node: NodeID) throws -> Int32 {
        try required(running.withLock { $0[node]?.processID }, "running \(node)")
    }

    // MARK: Asking

    func status(_ node: NodeID) async throws -> NodeStatus {
        try await LocalClient.status(of: directory(node))
    }

    func participant(_ label: String, of study: StudyID, at node: NodeID) async throws -> ParticipantReport {
        guard
            case .participant(let report?) = try await LocalClient.ask(
                directory(node), .participant(study: study, label: label))
        else { throw TestFailure("\(node) knows no participant \(label)") }
        return report
    }

    func perform(_ command: Command, at node: NodeID) async throws -> CommandOutcome {
        guard case .outcome(let outcome) = try await LocalClient.ask(directory(node), .command(command)) else {
            throw TestFailure("\(node) did not answer the command")
        }
        return outcome
    }

    /// Sends a command that must be recorded.
    @discardableResult
    func record(_ command: Command, at node: NodeID) async throws -> CommandReceipt {
        switch try await perform(command, at: node) {
        case .recorded(let receipt): return receipt
        case .refused(let refusal): throw TestFailure("\(node) refused: \(refusal.explanation)")
        }
    }

    // MARK: Loading and waiting

    /// Founds the study and loads its invented participants; all nodes must run.
    @discardableResult
    func load() async throws -> StudyID {
        let study = try await StudySetup(source: source, directories: directories).run { _ in }
        let outcome = try await StudyImport(study: study, source: source, directories: directories).run()
        guard outcome.refusals.isEmpty else { throw TestFailure("refused: \(outcome.refusals.prefix(3))") }
        return study
    }

    /// Waits until these nodes hold the same of everything that more than one of them holds, and have heard each other.
    @discardableResult
    func untilEqual(
        _ nodes: [NodeID], withinSeconds seconds: Double = 60,
        where condition: ([NodeID: NodeStatus]) -> Bool = { _ in true }
    ) async throws -> [NodeID: NodeStatus] {
        var statuses: [NodeID: NodeStatus] = [:]
        var lacking: String? = "not asked yet"
        do {
            try await until("\(nodes) hold the same", withinSeconds: seconds) {
                for node in nodes { statuses[node] = try await status(node) }
                lacking = Agreement.lacking(in: Array(statuses.values))
                return lacking == nil && condition(statuses)
            }
        } catch let failure as TestFailure {
            let counts = statuses.map { "\($0): \($1.counts) \($1.streams.flatMap(\.findings).prefix(3))" }
            throw TestFailure("\(failure): \(lacking ?? "they do, but it is not what was expected") \(counts)")
        }
        return statuses
    }
}

/// Whether nodes hold the same.
enum Agreement {
    /// What keeps nodes from holding the same: nil where every stream that several of them hold has the same logs and digest
    /// at each, they are all in exchange with each other, and none lacks what another shows.
    static func lacking(in statuses: [NodeStatus]) -> String? {
        var seen: [String: StreamStatus] = [:]
        for stream in statuses.flatMap(\.streams) {
            guard let other = seen[stream.stream] else {
                seen[stream.stream] = stream
                continue
            }
            guard isSame(stream, other) else { return "\(stream.stream) differs" }
        }
        let nodes = Set(statuses.map(\.node))
        for status in statuses {
            for peer in status.peers where nodes.contains(peer.node) {
                guard peer.phase == "exchanging" else { return "\(status.node) and \(peer.node) are \(peer.phase)" }
                guard peer.entriesLackingHere == 0, peer.entriesItLacks == 0 else {
                    return "\(status.node) lacks \(peer.entriesLackingHere) of \(peer.node), which lacks "
                        + "\(peer.entriesItLacks)"
                }
            }
        }
        return nil
    }

    static func isSame(_ left: StreamStatus, _ right: StreamStatus) -> Bool {
        func heads(_ stream: StreamStatus) -> [[String]] {
            stream.logs.map { [$0.log.description, "\($0.size)", $0.root.hex] }.sorted { $0[0] < $1[0] }
        }
        return left.digest == right.digest && left.studyDigest == right.studyDigest && heads(left) == heads(right)
    }
}
