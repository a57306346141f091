import EventLog
import Trial

/// Entries in memory; asking for one that was not delivered is a fault.
struct MemorySource: EntrySource {
    struct Absent: Error {
        let address: EntryAddress
    }

    var entries: [EntryAddress: WrittenEntry] = [:]
    /// What is not any more as it was written.
    var damaged: Set<EntryAddress> = []

    func entries(at addresses: [EntryAddress]) throws -> [WrittenEntry] {
        try addresses.compactMap { address in
            guard let entry = entries[address] else { throw Absent(address: address) }
            return damaged.contains(address) ? nil : entry
        }
    }
}

/// A node: its own logs, and the fold of what it wrote and what was delivered to it.
final class TestNode {
    let id: NodeID
    private(set) var fold: StudyFold
    /// What the node holds, in the order in which it came.
    private(set) var held: [WrittenEntry] = []
    /// The bytes of what the node wrote itself, and where.
    private(set) var written: [EntryID: (name: LogName, raw: RawEntry)] = [:]
    /// The newest definitions that the node knows.
    var definition = TestStudy.definition
    private var source = MemorySource()
    private var heldIDs: Set<EntryID> = []
    private var logs: [StreamID: LogName] = [:]
    private var sizes: [LogID: UInt64] = [:]
    private var commands: [ActorID: [CommandID: WrittenEntry]] = [:]
    private var hybridTime: UInt64 = 1
    /// The most that any entry of each of the node's own logs says to have known.
    private var known: [LogID: KnownVersions] = [:]

    init(_ id: NodeID, study: StudyID, directory: NetworkDirectory) {
        self.id = id
        fold = StudyFold(study: study, directory: directory)
    }

    /// Takes in an entry that came from elsewhere, or one of the node's own.
    func take(_ entry: WrittenEntry) throws {
        if heldIDs.insert(entry.id).inserted {
            held.append(entry)
            source.entries[entry.address] = entry
            if entry.writer == id, let header = entry.header { note(header.known, in: entry.address.log) }
        }
        try fold.insert(entry, source: source)
    }

    /// Takes over a longer charter.
    func learn(_ directory: NetworkDirectory) throws {
        try fold.update(directory, source: source)
    }

    /// The entry that a command became here.
    func entry(of command: CommandID, by actor: ActorID) -> WrittenEntry? { commands[actor]?[command] }

    /// What a decision may look at.
    func context(for actor: ActorID, using generator: inout SplitMix64) -> DecisionContext {
        let mine = commands[actor] ?? [:]
        return DecisionContext(
            node: id, fold: fold, definition: (TestStudy.contentHash, definition),
            charterVersion: UInt64(max(1, fold.authority.directory.versions.count)) - 1,
            entryOfCommand: { mine[$0]?.id }, receivedUTCMilliseconds: Int64(hybridTime),
            randomName: RandomName(using: &generator), storedEntry: { [source = self.source] in source.entries[$0] })
    }

    /// Writes a draft into the node's own log of its stream, which is opened where there is none.
    ///
    /// - Parameter staysInLog: also where the log knew more already, which no well-behaved node does: it begins a new log.
    /// - Returns: what was written, the draft's entry last.
    func write(
        _ draft: EntryDraft, staysInLog: Bool = false, using generator: inout SplitMix64
    ) throws -> [WrittenEntry] {
        var written: [WrittenEntry] = []
        if !staysInLog, let log = logs[draft.stream]?.id, knewMore(than: draft.known, log, in: draft.stream) {
            logs[draft.stream] = nil
        }
        if logs[draft.stream] == nil {
            let opening = LogOpening(
                name: logName(of: draft.stream, using: &generator), reason: .first,
                command: CommandID(using: &generator), earlierHeads: [])
            written.append(try append(opening.draft(known: draft.known), using: &generator))
        }
        let entry = try append(draft, using: &generator)
        commands[draft.authority.actor, default: [:]][draft.command] = entry
        return written + [entry]
    }

    /// The next entry of the stream begins a new log.
    func giveUpLog(of stream: StreamID) {
        logs[stream] = nil
    }

    private func note(_ known: KnownVersions, in log: LogID) {
        let before = self.known[log] ?? KnownVersions()
        self.known[log] = KnownVersions(
            charter: max(before.charter, known.charter), participation: max(before.participation, known.participation),
            delegation: max(before.delegation, known.delegation))
    }

    private func knewMore(than known: KnownVersions, _ log: LogID, in stream: StreamID) -> Bool {
        guard let before = self.known[log] else { return false }
        return before.charter > known.charter || before.participation > known.participation
            || stream.location != nil && known.delegation > 0 && before.delegation > known.delegation
    }

    /// Seals a draft, reads it back from its bytes, and folds it.
    private func append(_ draft: EntryDraft, using generator: inout SplitMix64) throws -> WrittenEntry {
        let name = logName(of: draft.stream, using: &generator)
        let index = sizes[name.id, default: 0]
        sizes[name.id] = index + 1
        hybridTime += 1
        let raw = draft.sealed(
            log: name.id, index: index, hybridTime: hybridTime << 16,
            nodeTime: NodeTime(utcMilliseconds: Int64(hybridTime)), software: "test", using: &generator
        ).raw
        // A peer checks the bytes; the fold then reads what was stored.
        _ = try Entry(checking: raw, at: index, of: name.id)
        written[raw.id] = (name, raw)
        let entry = WrittenEntry(raw, id: raw.id, at: EntryAddress(log: name.id, index: index), in: name)
        try take(entry)
        return entry
    }

    /// The name of the node's log of a stream.
    func logName(of stream: StreamID, using generator: inout SplitMix64) -> LogName {
        if let name = logs[stream] { return name }
        let name = LogName(network: TestNetwork.id, node: id, stream: stream, epoch: Epoch(using: &generator))
        logs[stream] = name
        return name
    }

    /// Takes the place of the next entry of a log without writing one, for entries made by hand.
    func nextIndex(in name: LogName) -> UInt64 {
        defer { sizes[name.id, default: 0] += 1 }
        return sizes[name.id, default: 0]
    }
}
