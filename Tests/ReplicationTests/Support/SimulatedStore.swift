import EventLog
import Replication

/// How entries are made and verified: with real signatures, or quickly with hashes only, which no test forges.
enum Signing: Sendable {
    case quick, real
}

/// One log of a simulated store.
struct SimulatedLog {
    let name: LogName
    var entries: [RawEntry] = []
    var frontier = MerkleFrontier()
    /// Checkpoints in order of their size.
    var checkpoints: [(size: UInt64, note: [UInt8])] = []

    var head: LogHead { LogHead(name: name, size: frontier.size, root: frontier.root) }

    /// Keeps only what the checkpoint of a size covers.
    mutating func cut(to size: UInt64) {
        entries.removeLast(entries.count - Int(size))
        checkpoints.removeAll { $0.size > size }
        frontier = MerkleFrontier()
        for entry in entries { frontier.append(entry.id.hash) }
    }

    func range(from: UInt64, maximumBytes: Int) -> EntryRange? {
        guard from < frontier.size else { return nil }
        var chosen: (size: UInt64, note: [UInt8])?
        for checkpoint in checkpoints where checkpoint.size > from {
            let bytes = entries[Int(from)..<Int(checkpoint.size)].reduce(0) { $0 + $1.byteCount }
            if chosen != nil && bytes > maximumBytes { break }
            chosen = checkpoint
        }
        return chosen.map {
            EntryRange(
                log: name.id, start: from, entries: Array(entries[Int(from)..<Int($0.size)]), checkpoint: $0.note)
        }
    }
}

/// What a node holds durably.
struct SimulatedStore {
    let node: NodeID
    let signing: Signing
    var logs: [LogID: SimulatedLog] = [:]
    /// The logs this node writes to.
    var current: [StreamID: LogID] = [:]

    var heads: [LogHead] { logs.values.map(\.head).sorted { $0.name.id < $1.name.id } }
    var ownHeads: [LogHead] { heads.filter { $0.name.node == node } }
    var entryCount: Int { logs.values.reduce(0) { $0 + $1.entries.count } }

    // MARK: Writing

    /// Appends one group of entries to the node's log of a stream, beginning the log where there is none.
    mutating func append(
        _ count: Int, to stream: StreamID, bodyBytes: ClosedRange<Int> = 10...400, using random: inout SplitMix64
    ) -> LogHead {
        if current[stream] == nil {
            let name = LogName(
                network: TestNetwork.network, node: node, stream: stream, epoch: Epoch(using: &random))
            current[stream] = name.id
            logs[name.id] = SimulatedLog(name: name)
        }
        var log = logs[current[stream]!]!
        for _ in 0..<count {
            let entry = makeEntry(log, bodyBytes: random.number(bodyBytes), using: &random)
            log.entries.append(entry)
            log.frontier.append(entry.id.hash)
        }
        log.checkpoints.append((log.frontier.size, SimulatedStore.note(log.head, signing)))
        logs[log.name.id] = log
        return log.head
    }

    private func makeEntry(_ log: SimulatedLog, bodyBytes: Int, using random: inout SplitMix64) -> RawEntry {
        let body = random.bytes(bodyBytes)
        switch signing {
        case .quick:
            return RawEntry(header: random.bytes(8) + Hash.sha256(body).bytes, body: body)
        case .real:
            let draft = EntryDraft(
                stream: log.name.stream, operation: .formSaved,
                authority: Authority(
                    actor: ActorID(using: &random), kind: .person, role: .init(rawValue: 1),
                    authentication: .init(rawValue: 1)),
                known: KnownVersions(), command: CommandID(using: &random), parts: [(.content, body)])
            return draft.sealed(
                log: log.name.id, index: log.frontier.size, hybridTime: log.frontier.size + 1,
                nodeTime: NodeTime(utcMilliseconds: 0), software: "test", using: &random
            ).raw
        }
    }

    static func note(_ head: LogHead, _ signing: Signing) -> [UInt8] {
        switch signing {
        case .quick:
            return quickNote(head)
        case .real:
            let origin = LogOrigin(network: head.name.network, log: head.name.id)
            let key = NoteSigningKey(name: origin.keyName, seed: TestNetwork.signingSeed(of: head.name.node))!
            let checkpoint = Checkpoint(log: origin, size: head.size, root: head.root)
            guard let signed = try? SignedCheckpoint(signing: checkpoint, with: key) else {
                fatalError("a test checkpoint cannot be signed")
            }
            return signed.bytes
        }
    }

    /// Stands for a signature: nobody in the tests computes it for another node's log.
    private static func quickNote(_ head: LogHead) -> [UInt8] {
        let text = "\(head.name.node) \(head.name.id) \(head.size) \(head.root)"
        return [UInt8](text.utf8) + Hash.sha256([UInt8]("secret \(text)".utf8)).bytes
    }

    // MARK: Taking

    mutating func ingest(_ range: EntryRange, name: LogName) -> Result<LogHead, IngestFailure> {
        var log = logs[name.id] ?? SimulatedLog(name: name)
        switch signing {
        case .real:
            let verified: VerifiedRange
            do throws(RangeRefusal) {
                verified = try RangeVerifier.verify(
                    range, extending: log.frontier, name: name, key: TestNetwork.publicKey(of: name.node),
                    isDropAllowed: { _, _, _ in false })
            } catch {
                return .failure(IngestFailure(error))
            }
            log.frontier = verified.frontier
        case .quick:
            guard range.start == log.frontier.size else { return .failure(.outOfPlace) }
            var frontier = log.frontier
            for entry in range.entries {
                guard entry.header.suffix(32).elementsEqual(Hash.sha256(entry.body).bytes) else {
                    return .failure(.refused("a body is not the one its header commits to"))
                }
                frontier.append(entry.id.hash)
            }
            let head = LogHead(name: name, size: frontier.size, root: frontier.root)
            guard range.checkpoint == SimulatedStore.quickNote(head) else {
                return .failure(.refused("the checkpoint is not signed"))
            }
            log.frontier = frontier
        }
        log.entries += range.entries
        log.checkpoints.append((range.end, range.checkpoint))
        logs[name.id] = log
        return .success(log.head)
    }

    // MARK: Losing

    /// What a disk that lied may have left: each log cut back to one of its checkpoints, or gone.
    mutating func loseTails(using random: inout SplitMix64) -> Bool {
        var hasLost = false
        for id in logs.keys.sorted() where random.chance(70) {
            guard var log = logs[id] else { continue }
            let sizes = [0] + log.checkpoints.map(\.size)
            let size = sizes[random.number(0...sizes.count - 1)]
            guard size < log.frontier.size else { continue }
            hasLost = hasLost || log.name.node == node
            log.cut(to: size)
            logs[id] = size == 0 ? nil : log
        }
        current = current.filter { logs[$0.value] != nil }
        return hasLost
    }
}
