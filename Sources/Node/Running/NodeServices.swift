import EventLog
import Replication
import ServiceLifecycle
import Store
import StoreCore
import Trial
import Views
import ZeroMQTransport

/// Closes the store when everything that uses it has ended.
struct StoreService: Service {
    let store: Store<NodeState>

    func run() async throws {
        try? await gracefulShutdown()
        try await store.close()
    }
}

/// Keeps the views until the node stops.
struct ViewService: Service {
    let views: StudyViews

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await views.run()
        } onGracefulShutdown: {
            Task { await views.stop() }
        }
    }
}

/// Opens the links to other nodes and keeps time for replication.
struct ReplicationService: Service {
    let driver: ReplicationDriver
    let transport: ZeroMQTransport

    func run() async throws {
        try await transport.start()
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await driver.tick()
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        await transport.stop()
    }
}

/// Ends the node when it is asked to, or when its store has failed.
final class StopSignal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func stop() {
        continuation.yield()
        continuation.finish()
    }

    func wait() async {
        for await _ in stream { return }
    }
}

/// Waits for the signal; its end ends the group.
struct StopService: Service {
    let signal: StopSignal

    func run() async throws {
        await cancelWhenGracefulShutdown { await signal.wait() }
    }
}

/// Answers the local socket.
struct NodeRequests: LocalRequestHandling {
    let configuration: NodeConfiguration
    let store: Store<NodeState>
    let driver: ReplicationDriver
    let views: StudyViews
    let execution: CommandExecution
    let stopping: StopSignal

    func perform(_ commands: [SentCommand]) async throws -> [CommandOutcome] {
        try await driver.untilMayAppend()
        do {
            let (outcomes, revision) = try await store.write { core, state in
                (try execution.perform(commands, core, &state), state.authorityRevision)
            }
            await driver.refreshAuthority(revision: revision)
            return outcomes
        } catch {
            // The fold may be ahead of the store, or the disk has failed: only a new start makes them agree again.
            stopping.stop()
            throw error
        }
    }

    func status() async throws -> NodeStatus {
        let logs = try await store.read { core, _ in try core.logs().map { ($0.name.id, $0.head.size) } }
        let knownAt = await driver.knownAt(logs)
        let replication = await driver.status()
        let start = await driver.startText
        let configuration = configuration
        return try await store.read { core, state in
            let streams = try state.streamStatus(core) { log, _ in knownAt[log] ?? [] }
            var counts = StreamCounts()
            for stream in streams { counts += stream.counts }
            return NodeStatus(
                node: configuration.node, network: configuration.network,
                region: state.chain.node(configuration.node)?.region, charterVersion: state.chain.count - 1,
                start: start, entries: try core.logs().reduce(0) { $0 + $1.head.size }, counts: counts,
                streams: streams, peers: NodeRequests.peers(replication, state.chain, of: configuration.node),
                incidents: try core.incidents(limit: 20).map {
                    "\(UTCText.iso8601(milliseconds: $0.utcMilliseconds)) \($0.kind): \($0.text)"
                })
        }
    }

    /// Every other admitted node, those too that no link ever came up to.
    private static func peers(
        _ replication: ReplicationStatus, _ chain: CharterChain, of node: NodeID
    ) -> [PeerStatus] {
        let known = Dictionary(replication.peers.map { ($0.node, PeerStatus($0)) }) { first, _ in first }
        let admitted = (chain.newest?.nodes ?? []).filter { $0.state == .admitted && $0.id != node }.map(\.id)
        return Set(admitted).union(known.keys).sorted().map { known[$0] ?? PeerStatus(unseen: $0) }
    }

    func participant(study: StudyID, label: String) async throws -> ParticipantReport? {
        try await store.read { _, state in state.report(study: study, label: label) }
    }

    func studies() async throws -> [StudyID: String] {
        try await store.read { _, state in state.studyOIDs }
    }

    func rebuild(_ study: StudyID) async throws -> RebuildOutcome {
        try await views.rebuild(study)
    }

    func rebuildProgress(_ study: StudyID) async -> RebuildProgress? {
        await views.progress(of: study)
    }

    func stop() {
        stopping.stop()
    }
}

extension PeerStatus {
    /// A node that no link ever came up to since the start.
    init(unseen node: NodeID) {
        self.init(
            node: node, phase: PeerPhase.down.rawValue, entriesItLacks: 0, entriesLackingHere: 0,
            logsInFlight: 0, bytesBeingStored: 0, sentBytes: 0, receivedBytes: 0, faults: 0)
    }

    init(_ peer: ReplicationStatus.Peer) {
        self.init(
            node: peer.node, phase: peer.phase.rawValue, entriesItLacks: peer.entriesItLacks,
            entriesLackingHere: peer.entriesLackingHere, logsInFlight: peer.logsInFlight,
            bytesBeingStored: peer.bytesBeingStored, sentBytes: peer.sentBytes, receivedBytes: peer.receivedBytes,
            faults: peer.faults)
    }
}
