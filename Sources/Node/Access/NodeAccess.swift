public import EventLog
import Replication
import Store
import StoreCore
import Trial
import Views

/// What a running node answers, whoever asks: the local socket and the HTTP interface go through this and nothing else.
///
/// Reading happens on the store's thread between two transactions, so every answer shows what is durable. What is taken
/// out there is small, or shared until it changes; it is put into words on the caller's side.
public struct NodeAccess: Sendable {
    let configuration: NodeConfiguration
    let store: Store<NodeState>
    let driver: ReplicationDriver
    let views: StudyViews
    let execution: CommandExecution
    let stopping: StopSignal
    let backups = NodeBackups()
    let scrub: Scrub
    /// Tells of every commit that brought entries.
    public let commits: CommitFeed

    init(_ node: OpenedNode, stopping: StopSignal, commits: CommitFeed) {
        configuration = node.configuration
        store = node.store
        driver = node.driver
        views = node.views
        scrub = node.scrub
        execution = CommandExecution(node: node.configuration.node, network: node.configuration.network)
        self.stopping = stopping
        self.commits = commits
    }

    /// The node.
    public var node: NodeID { configuration.node }

    /// Carries out commands in their order, and answers when they are durable.
    ///
    /// - Throws: what keeps the node from writing at all; whether anything was recorded is then unknown, and the commands
    ///   are to be sent again.
    public func perform(_ commands: [SentCommand]) async throws -> [CommandOutcome] {
        try await driver.untilMayAppend()
        do {
            let (outcomes, revision) = try await store.write { core, state in
                (try execution.perform(commands, core, &state), state.authorityRevision)
            }
            await driver.refreshAuthority(revision: revision)
            return outcomes
        } catch StoreError.stopped(let failure) {
            // The disk has failed. The node goes on showing what it holds, and says why it takes nothing in.
            throw StoreError.stopped(failure)
        } catch {
            // The fold may be ahead of the store, or the disk has failed: only a new start makes them agree again.
            stopping.stop()
            throw error
        }
    }

    /// When this node last heard from each other one since its start, by this node's clock, in milliseconds since
    /// 1970-01-01T00:00:00Z; of itself, now.
    public func lastHeard() async -> [NodeID: Int64] {
        let clock = NodeClock()
        let (time, now) = (clock.now().utcMilliseconds, NodeClock.monotonicMilliseconds())
        var moments = [configuration.node: time]
        for peer in await driver.status().peers {
            if let heard = peer.lastHeard { moments[peer.node] = time - Int64(now - min(heard, now)) }
        }
        return moments
    }

    /// How things stand.
    public func status() async throws -> NodeStatus {
        let held = try await store.read { core, _ in try core.replicationHeads() }
        let knownAt = await driver.knownAt(held.map { ($0.name.id, $0.size) })
        let vouchers = await driver.vouchers(of: held.map(\.name))
        let witness = await driver.witnessReport()
        let pause = await driver.pauseReason
        let replication = await driver.status()
        let transport = TransportStatus(await driver.transportMetrics())
        let startText = await driver.startText
        let start = pause ?? startText
        let scrub = try await scrub.status()
        let configuration = configuration
        return try await store.read { core, state in
            let streams = try state.streamStatus(core, vouchers: vouchers) { log, _ in knownAt[log] ?? [] }
            var counts = StreamCounts()
            for stream in streams { counts += stream.counts }
            return NodeStatus(
                node: configuration.node, network: configuration.network,
                region: state.chain.node(configuration.node)?.region, charterVersion: state.chain.newestNumber,
                charterDisputedAfter: state.chain.dispute?.before.charter.number,
                start: core.stoppedBy.map { "stopped: \($0)" } ?? start,
                storeFailure: core.stoppedBy?.description, forkedLogs: try core.forkedLogs().sorted(),
                scrub: scrub,
                entries: try core.logs().reduce(0) { $0 + $1.count }, counts: counts,
                streams: streams, peers: NodeAccess.peers(replication, state.chain, of: configuration.node),
                transport: transport,
                incidents: try core.incidents(limit: 20).map {
                    "\(UTCText.iso8601(milliseconds: $0.utcMilliseconds)) \($0.kind): \($0.text)"
                }, witness: witness)
        }
    }

    /// Every other admitted node, those too that no link ever came up to.
    static func peers(
        _ replication: ReplicationStatus, _ chain: CharterChain, of node: NodeID
    ) -> [PeerStatus] {
        let known = Dictionary(replication.peers.map { ($0.node, PeerStatus($0)) }) { first, _ in first }
        let admitted = (chain.newest?.nodes ?? []).filter { $0.state == .admitted && $0.id != node }.map(\.id)
        return Set(admitted).union(known.keys).sorted().map { known[$0] ?? PeerStatus(unseen: $0) }
    }

    /// What is known of the participant with a label; nil where nobody has it.
    public func participant(study: StudyID, label: String) async throws -> ParticipantReport? {
        try await store.read { _, state in state.report(study: study, label: label) }
    }

    /// The studies that are here, OIDs by id.
    func studyOIDs() async throws -> [StudyID: String] {
        try await store.read { _, state in state.studyOIDs }
    }

    /// Builds a study's view anew.
    func rebuild(_ study: StudyID) async throws -> RebuildOutcome {
        try await views.rebuild(study)
    }

    /// How far that has come; nil where none runs.
    func rebuildProgress(_ study: StudyID) async -> RebuildProgress? {
        await views.progress(of: study)
    }

    /// Takes in a version of the charter; gives the number of the newest.
    ///
    /// - Throws: ``EventLog/CharterError``.
    func apply(_ signed: SignedCharter) async throws -> UInt64 {
        try await driver.apply(signed)
    }

    /// Stops writing until the charter names the new signing key that waits in the node's directory, and closes all own logs.
    func closeLogsForNewKey() async throws {
        try await driver.closeLogsForNewKey()
    }

    /// Makes a backup in a new folder.
    func backup(to path: String) async throws -> BackupReport {
        guard path.hasPrefix("/") else {
            throw DirectoryError.unwritable(path: path, reason: "the folder of a backup is named by its whole path")
        }
        return try await backups.make(
            to: path, of: NodeDirectory(views.dataDirectory), store: store)
    }

    /// Begins to stop the node.
    public func stop() {
        stopping.stop()
    }
}

extension PeerStatus {
    /// A node that no link ever came up to since the start.
    init(unseen node: NodeID) {
        self.init(
            node: node, phase: PeerPhase.down.rawValue, entriesItLacks: 0, entriesLackingHere: 0,
            logsInFlight: 0, creditBytes: 0, bytesBeingStored: 0, pushedBytes: 0, sentBytes: 0, receivedBytes: 0,
            faults: 0, refusals: 0)
    }

    init(_ peer: ReplicationStatus.Peer) {
        let now = NodeClock.monotonicMilliseconds()
        self.init(
            node: peer.node, phase: peer.phase.rawValue, entriesItLacks: peer.entriesItLacks,
            entriesLackingHere: peer.entriesLackingHere, logsInFlight: peer.logsInFlight,
            creditBytes: peer.outstandingCreditBytes, bytesBeingStored: peer.bytesBeingStored,
            pushedBytes: peer.pushedBytes, sentBytes: peer.sentBytes, receivedBytes: peer.receivedBytes,
            faults: peer.faults, refusals: peer.refusals,
            silenceMilliseconds: peer.lastHeard.map { now - min($0, now) })
    }
}
