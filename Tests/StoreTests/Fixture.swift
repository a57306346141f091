import EventLog
import Foundation
import StoreCore

/// A directory that is gone when the test is.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "varde-\(UUID().uuidString)").path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var eventsFile: String { StoreConfiguration.eventsFile(in: path) }
    var headFile: String { StoreConfiguration.headFile(in: path) }

    /// A copy of all files but the lock, as a backup or a clone would have them.
    func copy() throws -> TemporaryDirectory {
        let other = TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: other.path, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: path) where name != "lock" {
            try FileManager.default.copyItem(atPath: path + "/" + name, toPath: other.path + "/" + name)
        }
        return other
    }
}

/// What the tests share: one network, nodes with keys made of their names, and drafts.
enum Fixture {
    static let network = NetworkID(unchecked: "test.varde")
    static let study = StudyID(RandomName(high: 0x5D, low: 1))
    static let ward = StreamID.location(LocationID(unchecked: "ward"), in: study)
    static let clinic = StreamID.location(LocationID(unchecked: "clinic"), in: study)
    static let machine = MachineIdentity(machine: "machine-1", boot: "boot-1")

    static func seed(_ node: String) -> [UInt8] {
        Hash.sha256([UInt8](node.utf8)).bytes
    }

    static func signingKey(_ node: String, log: LogID) throws -> NoteSigningKey {
        try required(NoteSigningKey(name: LogOrigin(network: network, log: log).keyName, seed: seed(node)))
    }

    static func publicKey(_ node: String) throws -> [UInt8] {
        try signingKey(node, log: LogID(.zero)).verifierKey.publicKey
    }

    static func publicKey(_ node: NodeID) -> [UInt8]? {
        try? publicKey(node.text)
    }

    static func configuration(
        _ directory: TemporaryDirectory, node: String = "ous", fileSystem: String? = nil,
        machine: MachineIdentity = Fixture.machine
    ) -> StoreConfiguration {
        StoreConfiguration(
            directory: directory.path, network: network, node: NodeID(unchecked: node), signingSeed: seed(node),
            software: "test", fileSystem: fileSystem, machine: machine)
    }

    static func open(
        _ directory: TemporaryDirectory, node: String = "ous", fileSystem: String? = nil,
        machine: MachineIdentity = Fixture.machine, seed: UInt64 = 1
    ) throws -> StoreCore {
        try StoreCore(
            configuration(directory, node: node, fileSystem: fileSystem, machine: machine),
            generator: SeededGenerator(seed: seed))
    }

    static func time(_ milliseconds: Int64 = 1_000_000) -> NodeTime {
        NodeTime(utcMilliseconds: milliseconds)
    }

    static func command(_ number: UInt64) -> CommandID {
        CommandID(RandomName(high: 0xC0, low: number))
    }

    static func actor(_ number: UInt64) -> ActorID {
        ActorID(RandomName(high: 0xAC, low: number))
    }

    static func subject(_ number: UInt64) -> SubjectHandle {
        SubjectHandle(RandomName(high: 0x5B, low: number))
    }

    static func draft(
        _ number: UInt64, in stream: StreamID = ward, actor: UInt64 = 1, content: String? = nil, size: Int? = nil,
        subject: SubjectHandle? = nil, operation: OperationType = .formSaved
    ) -> EntryDraft {
        let bytes = size.map { [UInt8](repeating: 0x78, count: $0) } ?? [UInt8]((content ?? "value \(number)").utf8)
        return EntryDraft(
            stream: stream, operation: operation,
            authority: Authority(
                actor: self.actor(actor), kind: .person, role: .studyNurse, authentication: .localAccount),
            known: KnownVersions(charter: 1), subject: subject, command: command(number),
            parts: [(.structure, [UInt8]("structure \(number)".utf8)), (.content, bytes)])
    }

    /// The value, or an error where there is none: tests do not trap.
    static func required<Value>(_ value: Value?, _ what: String = "a value") throws -> Value {
        guard let value else { throw Missing(what: what) }
        return value
    }

    struct Missing: Error {
        let what: String
    }
}

extension StoreCore {
    /// One draft in a transaction of its own.
    @discardableResult
    func appendOne(_ draft: EntryDraft, at milliseconds: Int64 = 1_000_000) throws -> Appended {
        try transaction { try append(draft, time: Fixture.time(milliseconds)) }
    }

    /// One range in a transaction of its own, its log registered before.
    func ingestOne(_ range: EntryRange, of name: LogName, key: [UInt8]? = nil) throws -> IngestOutcome {
        let key = try key ?? Fixture.publicKey(name.node.text)
        return try transaction {
            try ingest(range, of: name, key: key, from: NodeID(unchecked: "peer"), time: Fixture.time())
        }
    }
}

extension EventReading {
    /// Everything that two stores of the same logs must have in common.
    func contents() throws -> [LogID: [RawEntry]] {
        var contents: [LogID: [RawEntry]] = [:]
        for log in try logs() {
            var entries: [RawEntry] = []
            try forEachEntry(in: log.name.id) {
                entries.append($0.raw)
                return true
            }
            contents[log.name.id] = entries
        }
        return contents
    }

    /// The whole of one log as ranges of at most `maximumBytes`.
    func ranges(of log: LogID, maximumBytes: Int = .max) throws -> [EntryRange] {
        var ranges: [EntryRange] = []
        while let range = try readRange(log: log, from: ranges.last?.end ?? 0, maximumBytes: maximumBytes) {
            ranges.append(range)
        }
        return ranges
    }
}

extension IngestOutcome {
    var refusal: RangeRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }

    var stored: StoredRange? {
        if case .stored(let range) = self { range } else { nil }
    }
}

/// A writer of logs that may write anything, signed as it should be.
struct FreeWriter {
    let name: LogName
    let key: NoteSigningKey
    private(set) var frontier = MerkleFrontier()
    private(set) var entries: [RawEntry] = []

    init(node: String = "haukeland", stream: StreamID = Fixture.ward, epoch: UInt64 = 1) throws {
        name = LogName(
            network: Fixture.network, node: NodeID(unchecked: node), stream: stream,
            epoch: Epoch(RandomName(high: 0xE0, low: epoch)))
        key = try Fixture.signingKey(node, log: name.id)
    }

    mutating func add(_ raw: RawEntry) {
        entries.append(raw)
        frontier.append(raw.id.hash)
    }

    /// Adds an entry of a draft; `change` may spoil its header before it is hashed.
    mutating func add(_ draft: EntryDraft, seed: UInt64 = 7, change: (inout EntryHeader) -> Void = { _ in }) {
        var generator = SeededGenerator(seed: seed)
        let sealed = draft.sealed(
            log: name.id, index: UInt64(entries.count), hybridTime: UInt64(entries.count + 1),
            nodeTime: Fixture.time(), software: "test", using: &generator)
        var header = sealed.entry.header
        change(&header)
        add(RawEntry(header: header.bytes, body: sealed.raw.body))
    }

    /// The signed head of the first `size` entries.
    func checkpoint(size: Int? = nil, key: NoteSigningKey? = nil) throws -> [UInt8] {
        let size = size ?? entries.count
        let root = MerkleTree.root(of: entries[..<size].map(\.id.hash))
        let head = Checkpoint(log: LogOrigin(network: name.network, log: name.id), size: UInt64(size), root: root)
        return try SignedCheckpoint(signing: head, with: key ?? self.key).bytes
    }

    func range(_ places: Range<Int>? = nil) throws -> EntryRange {
        let places = places ?? 0..<entries.count
        return EntryRange(
            log: name.id, start: UInt64(places.lowerBound), entries: Array(entries[places]),
            checkpoint: try checkpoint(size: places.upperBound))
    }
}
