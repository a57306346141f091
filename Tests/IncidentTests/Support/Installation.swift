import EventLog
import Foundation
import Node
import Replication
import StoreCore
import Trial

/// One directory of a node with what runs in it: a real store, the replication machine, the start rule and a fold.
final class Installation {
    let node: NodeID
    /// Where the node runs: an installation that was copied or restored has a path of its own.
    let path: String
    let number: Int
    var machine: ReplicationMachine?
    private(set) var core: StoreCore?
    private(set) var fold = StudyFold(study: Hospital.study, directory: Hospital.directory)
    private var rule: StartRule?
    private(set) var mayAppend = false
    private var random: SeededGenerator
    private var commands: UInt64 = 0
    /// The ids of entries that were acknowledged here.
    private(set) var acknowledged: Set<EntryID> = []

    init(_ node: NodeID, path: String, number: Int) {
        self.node = node
        self.path = path
        self.number = number
        random = SeededGenerator(seed: UInt64(number) + 1)
    }

    var isRunning: Bool { machine != nil }

    /// Starts in the directory as it is.
    func start(now: UInt64, peers: [NodeID], boot: String = "boot-1") throws {
        let core = try StoreCore(
            StoreConfiguration(
                directory: path, network: Hospital.network, node: node, signingSeed: Hospital.seed(node),
                software: "test", machine: MachineIdentity(machine: "machine-1", boot: boot)),
            generator: SeededGenerator(seed: random.next()))
        self.core = core
        fold = try Installation.folded(core)
        let verdict: StartRule.GuardResult =
            switch core.startVerdict {
            case .noLogYet: .noLogYet
            case .agrees: .agrees
            case .differs([.boot]): .differs
            case .differs: .setBack
            }
        let heads = try core.replicationHeads()
        var configuration = ReplicationConfiguration()
        configuration.antiEntropyMilliseconds = 1_000
        configuration.retryMilliseconds = 200
        configuration.backOffMilliseconds = 1_000
        configuration.rangeBytes = 4_000
        machine = ReplicationMachine(
            node: node, incarnation: random.next(), charter: Hospital.chain, heads: heads,
            forks: try ForkReport.all(core), policy: Hospital.policy, configuration: configuration)
        rule = StartRule(
            guardResult: verdict, configuredPeers: peers, heads: heads.filter { $0.name.node == node }, now: now)
        mayAppend = false
    }

    /// The fold of everything in a store.
    static func folded(_ core: any EventReading, withForks: Bool = true) throws -> StudyFold {
        var fold = StudyFold(study: Hospital.study, directory: Hospital.directory)
        let source = StoredEntries(core: core)
        for log in try core.logs() {
            try core.forEachEntry(in: log.name.id) { stored in
                // As the state of a node does: what was altered since it was checked is nobody's entry.
                guard stored.damage == nil else { return true }
                try fold.insert(
                    WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: log.name), source: source)
                return true
            }
        }
        for log in try core.forkedLogs() where withForks {
            if let name = try core.log(log)?.name { fold.insertFork(of: name.log, in: name.stream) }
        }
        return fold
    }

    /// Ends in good order, or as after a crash where the files stay as they are.
    func stop() throws {
        try core?.close()
        core = nil
        machine = nil
        rule = nil
        mayAppend = false
    }

    /// Writes entries and gives their ids; nil where nothing may be written yet.
    func append(_ count: Int, now: UInt64) throws -> (ids: [EntryID], heads: [LogHead])? {
        guard let core, mayAppend else { return nil }
        var ids: [EntryID] = []
        for _ in 0..<count {
            commands += 1
            let draft = Hospital.draft(
                CommandID(RandomName(high: UInt64(number) << 32 | 0xC0, low: commands)), of: node)
            let appended = try core.transaction { try core.append(draft, time: Hospital.time(now)) }
            let source = StoredEntries(core: core)
            for entry in appended.written {
                guard let name = try core.log(entry.header.log)?.name else { continue }
                try fold.insert(WrittenEntry(entry, in: name), source: source)
            }
            ids += appended.written.map(\.id)
        }
        acknowledged.formUnion(ids)
        return (ids, core.lastCommit.map(\.head))
    }

    // MARK: What the driver of a node does

    /// Stores a range; gives what the machine is to be told, in order.
    func ingest(_ range: EntryRange, name: LogName, from peer: NodeID, now: UInt64) throws -> IngestAnswer {
        guard let core else { return IngestAnswer(result: .failure(.failed("stopped"))) }
        var fold = fold
        defer { self.fold = fold }
        return try core.transaction {
            try RangeIngest.ingest(
                range, name: name, key: Hospital.publicKey(name.node), from: peer, time: Hospital.time(now), core
            ) {
                try fold.insert($0, source: StoredEntries(core: core))
            } onFork: {
                fold.insertFork(of: $0.log, in: $0.stream)
            }
        }
    }

    func takeForkProof(_ proof: ForkProof, of name: LogName, from peer: NodeID, now: UInt64) throws {
        guard let core else { return }
        _ = try core.transaction {
            try core.takeForkProof(proof, of: name, from: peer, time: Hospital.time(now))
        }
        fold.insertFork(of: name.log, in: name.stream)
    }

    func observe(_ effect: ReplicationEffect, now: UInt64) {
        rule?.observe(effect, now: now)
    }

    /// Lets the start rule decide, and does what it says.
    func decide(now: UInt64) throws {
        guard let core, let decision = rule?.decide(now: now) else { return }
        switch decision {
        case .waiting: return
        case .mayAppend(.none):
            if !mayAppend { try confirm(core, core.startVerdict == .agrees ? .guardAgrees : .peersHeard) }
        case .mayAppend(.logs(let logs)):
            try core.transaction {
                for log in logs.sorted() where try core.log(log)?.isOwn == true {
                    try core.closeOwnLog(log, reason: .takenBack)
                }
            }
            for log in logs { rule?.epochOpened(for: log) }
            try confirm(core, .peersHeard)
        case .mayAppend(.all):
            try confirm(core, .newEpochs)
            rule?.allEpochsOpened()
        }
        mayAppend = true
    }

    private func confirm(_ core: StoreCore, _ ground: StartGround) throws {
        try core.transaction { try core.confirmStart(ground) }
    }

    // MARK: Looking

    /// The ids of everything that is stored here.
    func entries() throws -> Set<EntryID> {
        guard let core else { return [] }
        var ids: Set<EntryID> = []
        for log in try core.logs() {
            try core.forEachEntry(in: log.name.id) { ids.insert($0.id).inserted }
        }
        return ids
    }

    /// The digests of all streams.
    func digests() -> [StreamID: Hash] {
        Dictionary(uniqueKeysWithValues: Hospital.streams.map { ($0, fold.digest(of: $0).digest) })
    }
}
