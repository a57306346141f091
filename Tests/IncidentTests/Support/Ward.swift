import EventLog
import Foundation
import Node
import Replication
import StoreCore
import Testing
import Trial

/// Three hospitals in one process: real files, the real replication machine, a network that carries every message in a
/// millisecond, and disasters.
final class Ward {
    let path = FileManager.default.temporaryDirectory.appending(path: "varde-\(UUID().uuidString)").path
    private(set) var now: UInt64 = 1_000
    /// The installation that runs under each node's name, or last ran.
    private(set) var current: [NodeID: Installation] = [:]
    /// Every installation that there ever was.
    private(set) var all: [Installation] = []
    private var queue: [(bytes: [UInt8], from: Installation, to: NodeID)] = []
    private var cut: Set<NodeID> = []
    private var linked: Set<Set<NodeID>> = []

    static let ous = NodeID(unchecked: "ous")
    static let haukeland = NodeID(unchecked: "haukeland")
    static let unn = NodeID(unchecked: "unn")

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for node in Hospital.nodes { try start(install(node)) }
    }

    deinit {
        for installation in all { try? installation.stop() }
        try? FileManager.default.removeItem(atPath: path)
    }

    subscript(_ node: NodeID) -> Installation { current[node].unsafelyUnwrapped }

    // MARK: Installations

    /// A new, empty directory of a node.
    func install(_ node: NodeID) -> Installation {
        let installation = Installation(node, path: "\(path)/\(node)-\(all.count)", number: all.count)
        all.append(installation)
        return installation
    }

    /// A directory with a copy of the files in a folder.
    func install(_ node: NodeID, from folder: String) throws -> Installation {
        let installation = install(node)
        try FileManager.default.createDirectory(atPath: installation.path, withIntermediateDirectories: true)
        try Ward.copyFiles(from: folder, to: installation.path)
        return installation
    }

    /// Copies the files of a directory, as they are now, into a new folder.
    func snapshot(of installation: Installation) throws -> String {
        let folder = path + "/snapshot-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Ward.copyFiles(from: installation.path, to: folder)
        return folder
    }

    /// Takes a backup of a running installation, as `varde backup` does.
    func backup(of installation: Installation) throws -> String {
        let folder = path + "/backup-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let copy = try #require(installation.core).beginCopy(to: StoreConfiguration.eventsFile(in: folder))
        while try copy.step(pages: 4) {}
        return folder
    }

    /// Sets the files of a stopped installation to what they were: the directory itself, and so its inode, stays.
    func revert(_ installation: Installation, to folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: installation.path) where name != "lock" {
            try FileManager.default.removeItem(atPath: installation.path + "/" + name)
        }
        try Ward.copyFiles(from: folder, to: installation.path)
    }

    private static func copyFiles(from source: String, to target: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: source) where name != "lock" {
            try FileManager.default.copyItem(atPath: source + "/" + name, toPath: target + "/" + name)
        }
    }

    // MARK: Running

    /// Starts an installation under its node's name; another one of that name is stopped, or taken off the network.
    func start(_ installation: Installation, boot: String = "boot-1") throws {
        if let running = current[installation.node], running !== installation, running.isRunning {
            try disconnect(running.node)
        }
        current[installation.node] = installation
        if !installation.isRunning {
            try installation.start(
                now: now, peers: Hospital.nodes.filter { $0 != installation.node }, boot: boot)
        }
        try link()
    }

    func stop(_ node: NodeID) throws {
        try disconnect(node)
        try self[node].stop()
    }

    /// Takes a node off the network, or puts it on again.
    func cut(_ node: NodeID) throws {
        cut.insert(node)
        try disconnect(node)
    }

    func heal(_ node: NodeID) throws {
        cut.remove(node)
        try link()
    }

    private func disconnect(_ node: NodeID) throws {
        for pair in linked where pair.contains(node) {
            linked.remove(pair)
            for one in pair {
                guard let other = pair.first(where: { $0 != one }) else { continue }
                try input(self[one]) { $0.peerDown(other, now: $1) }
            }
        }
    }

    private func link() throws {
        for one in Hospital.nodes {
            for other in Hospital.nodes where one < other {
                let pair: Set<NodeID> = [one, other]
                guard !linked.contains(pair), cut.isDisjoint(with: pair), current[one]?.isRunning == true,
                    current[other]?.isRunning == true
                else { continue }
                linked.insert(pair)
                try input(self[one]) { $0.peerUp(other, now: $1) }
                try input(self[other]) { $0.peerUp(one, now: $1) }
            }
        }
    }

    /// Lets time pass.
    func run(milliseconds: UInt64) throws {
        let end = now + milliseconds
        while now < end {
            now += 1
            let due = queue
            queue = []
            for message in due where linked.contains([message.from.node, message.to]) {
                guard self[message.from.node] === message.from else { continue }
                try input(self[message.to]) { $0.receive(message.bytes, from: message.from.node, now: $1) }
            }
            guard now % 25 == 0 else { continue }
            for installation in all where installation.isRunning {
                try input(installation) { $0.tick(now: $1) }
                try installation.decide(now: now)
            }
        }
    }

    /// Lets time pass until something holds.
    func run(atMost milliseconds: UInt64, until isDone: () throws -> Bool) throws -> Bool {
        let end = now + milliseconds
        while !(try isDone()) {
            guard now < end else { return false }
            try run(milliseconds: 50)
        }
        return true
    }

    /// Entries written at a node, once it may write.
    @discardableResult
    func append(_ count: Int, at node: NodeID) throws -> [EntryID] {
        let installation = self[node]
        #expect(try run(atMost: 30_000) { installation.mayAppend }, "\(node) may write")
        guard let appended = try installation.append(count, now: now) else { return [] }
        try input(installation) { $0.storeCommitted(appended.heads, now: $1) }
        return appended.ids
    }

    // MARK: What a node's driver does

    private func input(
        _ installation: Installation, _ body: (inout ReplicationMachine, UInt64) -> [ReplicationEffect]
    ) throws {
        guard var machine = installation.machine else { return }
        installation.machine = nil
        let effects = body(&machine, now)
        installation.machine = machine
        for effect in effects { try perform(effect, at: installation) }
    }

    private func perform(_ effect: ReplicationEffect, at installation: Installation) throws {
        installation.observe(effect, now: now)
        switch effect {
        case .send(let bytes, let peer): queue.append((bytes, installation, peer))
        case .readRange(let token, let log, let from, let maximumBytes):
            let range = try installation.core?.readSegment(log, from: from, maximumBytes: maximumBytes)
            try input(installation) { $0.rangeRead(token, range, now: $1) }
        case .ingest(let token, let range, let name, let peer):
            let answer = try installation.ingest(range, name: name, from: peer, now: now)
            if let fork = answer.fork {
                if fork.pieces.count > 1 {
                    try input(installation) { $0.logForked(fork.name.log, into: fork.pieces, now: $1) }
                }
                if let proof = fork.proof {
                    try input(installation) { $0.forkProven(proof, of: fork.name, now: $1) }
                }
            }
            if answer.isRepair { try input(installation) { $0.repaired(range.log, from: range.start, now: $1) } }
            try input(installation) { $0.ingestFinished(token, answer.result, now: $1) }
        case .storeForkProof(let proof, let name, let peer):
            try installation.takeForkProof(proof, of: name, from: peer, now: now)
            try input(installation) { $0.forkProven(proof, of: name, now: $1) }
        default: break
        }
    }

    /// Reads everything at a node again and has repaired what is damaged, as a node's scrub does.
    func scrub(_ node: NodeID) throws -> [DamagedPlace] {
        let installation = self[node]
        let core = try #require(installation.core)
        let report = try LogVerification.run(
            on: try StoreReader(directory: installation.path), writerKeys: { [Hospital.publicKey($0)] },
            checksFile: false)
        let marked = try core.transaction {
            try core.markDamaged(report.damagedPlaces, time: Hospital.time(now))
        }
        for place in marked {
            let address = EntryAddress(log: place.log, index: place.firstWanted)
            let log = try core.segment(of: address)?.head.name.id ?? place.log
            try input(installation) { $0.repair(log, from: place.firstWanted, now: $1) }
        }
        return marked
    }

    // MARK: Promises

    /// The logs of which two different histories were written anywhere, found by looking into every directory.
    func writtenTwice() throws -> Set<LogID> {
        var leaves: [EntryAddress: EntryID] = [:]
        var forked: Set<LogID> = []
        for installation in all {
            guard FileManager.default.fileExists(atPath: StoreConfiguration.eventsFile(in: installation.path)) else {
                continue
            }
            let reader: any EventReading =
                try installation.core ?? StoreReader(directory: installation.path)
            for log in try reader.logs() {
                try reader.forEachEntry(in: log.name.id) { stored in
                    let place = EntryAddress(log: log.name.log, index: stored.address.index)
                    if leaves[place, default: stored.id] != stored.id { forked.insert(log.name.log) }
                    leaves[place] = stored.id
                    return true
                }
            }
        }
        return forked
    }

    /// Waits until all running nodes hold the same, and checks everything that was promised.
    ///
    /// - Parameter kept: entries that must be everywhere.
    func settle(keeping kept: Set<EntryID>, at nodes: [NodeID] = Hospital.nodes) throws {
        let isEqual = try run(atMost: 60_000) {
            let heads = Set(try nodes.map { Set(try self[$0].core?.replicationHeads() ?? []) })
            return heads.count == 1 && Set(nodes.map { self[$0].digests() }).count == 1
        }
        #expect(isEqual, "all nodes come to hold the same")
        let forked = try writtenTwice()
        for node in nodes {
            let installation = self[node]
            let missing = kept.subtracting(try installation.entries())
            #expect(missing.isEmpty, "\(missing.count) acknowledged entries are missing at \(node)")
            let core = try #require(installation.core)
            #expect(try core.forkedLogs() == forked, "every fork is proven at \(node), and nothing else")
            for log in forked {
                #expect(try core.isForked(log), "both histories are kept at \(node)")
                #expect(try core.incidents(limit: 100).contains { $0.kind == "log forked" && $0.log == log })
                if try core.log(log)?.isOwn == true { #expect(try core.log(log)?.status == .closed(.forked)) }
            }
            let report = try LogVerification.run(on: core, writerKey: { Hospital.publicKey($0) })
            #expect(report.isSound, "\(node): \(report.problems)")
            // That a log is forked is part of the state.
            var unaware = try Installation.folded(core, withForks: false)
            let digests = Hospital.streams.map { unaware.digest(of: $0).digest }
            #expect((digests != Hospital.streams.map { installation.digests()[$0] }) == !forked.isEmpty)
            // What was folded as it came is what a start folds.
            var again = try Installation.folded(core)
            for stream in Hospital.streams {
                #expect(again.digest(of: stream).digest == installation.digests()[stream])
            }
        }
    }
}
