package import EventLog
package import Replication
package import StoreCore
package import Trial

/// What became of a range.
package struct IngestAnswer {
    /// What the replication machine is told.
    package var result: Result<LogHead, IngestFailure>
    /// What the range brought to light of its log: nil where it is forked no more than before.
    package var fork: KnownFork?
    /// Whether something that was damaged here is whole again.
    package var isRepair = false

    /// States what became of a range.
    package init(result: Result<LogHead, IngestFailure>, fork: KnownFork? = nil) {
        self.result = result
        self.fork = fork
    }
}

/// Stores a range of a peer's and folds what is new in it.
package enum RangeIngest {
    /// Stores a range and folds what is new in it into the node's state.
    ///
    /// - Throws: what stops the store.
    package static func ingest(
        _ range: EntryRange, name: LogName, from peer: NodeID, time: NodeTime, _ core: StoreCore,
        _ state: inout NodeState
    ) throws -> IngestAnswer {
        guard let writer = state.chain.node(name.node) else {
            return IngestAnswer(result: .failure(.refused("the charter does not know node \(name.node)")))
        }
        let key = try signingKey(of: range, name: name, state.chain, core) ?? writer.signingKey
        let answer = try ingest(range, name: name, key: key.hash.bytes, from: peer, time: time, core) {
            try state.insert($0, core: core)
        } onFork: {
            state.insertFork(of: $0)
        }
        try state.carryOutOrders(core)
        return answer
    }

    /// Lets an order act that came ahead of its log, where it is what it is said to be and has effect. Where it cannot be
    /// judged yet, nothing happens: what comes under it is then not taken, and comes again.
    static func take(_ proven: OrderAhead, _ core: StoreCore, _ state: NodeState) throws {
        for key in state.chain.signingKeys(of: proven.name.node).reversed() {
            guard let entry = try? proven.verify(key: key.key.hash.bytes) else { continue }
            let written = WrittenEntry(entry, in: proven.name)
            guard let order = written.dropOrder, let fold = state.folds[written.stream.study],
                case .effect = fold.judgement(of: written)
            else { return }
            try core.register(proven.name)
            return try OrderInEffect(
                entry: written.id, address: written.address, stream: written.stream, order: order
            ).carryOut(core)
        }
    }

    /// Stores a range.
    ///
    /// - Parameters:
    ///   - name: the log, or the branch, that it came under.
    ///   - key: the public key of the log's writer.
    ///   - fold: takes each new entry.
    ///   - onFork: takes a log that is proven to be forked.
    package static func ingest(
        _ range: EntryRange, name: LogName, key: [UInt8], from peer: NodeID, time: NodeTime, _ core: StoreCore,
        fold: (WrittenEntry) throws -> Void, onFork: (LogName) -> Void
    ) throws -> IngestAnswer {
        let repaired = try repair(range, name: name, key: key, time: time, core, fold: fold)
        let wasForked = try core.isForked(name.log)
        var answer = try take(
            try core.ingest(range, of: name, key: key, from: peer, time: time), name: name, wasForked: wasForked, core,
            fold: fold, onFork: onFork)
        answer.isRepair = repaired > 0
        return answer
    }

    /// Puts what is damaged here back from the range, and folds it, which was not folded as it was.
    private static func repair(
        _ range: EntryRange, name: LogName, key: [UInt8], time: NodeTime, _ core: StoreCore,
        fold: (WrittenEntry) throws -> Void
    ) throws -> Int {
        let places = try core.openDamage()
        guard !places.isEmpty else { return 0 }
        let count = try core.repair(range, of: name, key: key, time: time)
        guard count > 0 else { return 0 }
        for place in Set(places).subtracting(try core.openDamage()) where place.kind == .entry {
            let address = EntryAddress(log: place.log, index: place.index)
            guard let stored = try core.entry(at: address), let row = try core.log(place.log) else { continue }
            try fold(WrittenEntry(stored.raw, id: stored.id, at: address, in: row.name))
        }
        return count
    }

    /// Folds what is new, and says what the machine is told.
    private static func take(
        _ outcome: IngestOutcome, name: LogName, wasForked: Bool, _ core: StoreCore,
        fold: (WrittenEntry) throws -> Void, onFork: (LogName) -> Void
    ) throws -> IngestAnswer {
        switch outcome {
        case .stored(let stored):
            for (offset, checked) in stored.entries.enumerated() {
                let address = EntryAddress(log: stored.head.name.id, index: stored.first + UInt64(offset))
                let written =
                    checked.entry.map { WrittenEntry($0, in: stored.head.name) }
                    ?? WrittenEntry(checked.raw, id: checked.id, at: address, in: stored.head.name)
                try fold(written)
            }
            guard stored.isNewBranch || wasForked else { return IngestAnswer(result: .success(stored.head)) }
            let fork = stored.isNewBranch ? try ForkReport.of(name.trunk, core) : nil
            if fork?.proof != nil { onFork(name.trunk) }
            return IngestAnswer(result: try head(of: name, otherwise: .outOfPlace, core), fork: fork)
        case .alreadyHeld(let head):
            guard wasForked || name.fork != nil else { return IngestAnswer(result: .success(head)) }
            return IngestAnswer(result: try self.head(of: name, otherwise: .isNoBranch, core))
        case .refused(let refusal):
            // A head alone may have proven the fork, before any entry of the other history could be kept.
            let fork = refusal.isPossibleFork ? try ForkReport.of(name.trunk, core) : nil
            if fork?.proof != nil { onFork(name.trunk) }
            return IngestAnswer(result: .failure(IngestFailure(refusal)), fork: fork?.proof == nil ? nil : fork)
        }
    }

    /// How far that is held which goes under a name.
    private static func head(
        of name: LogName, otherwise failure: IngestFailure, _ core: StoreCore
    ) throws -> Result<LogHead, IngestFailure> {
        let segment = try core.segments(of: name.log).first { $0.head.name.id == name.id }
        return segment.map { .success($0.head) } ?? .failure(failure)
    }
}

/// What a store knows of forks, as the replication machine takes it.
package enum ForkReport {
    /// One log.
    package static func of(_ name: LogName, _ core: any EventReading) throws -> KnownFork {
        KnownFork(
            name: name,
            pieces: try core.segments(of: name.log).map { ForkedPiece(head: $0.head, isInner: $0.isInner) },
            proof: try core.forkProofsByLog()[name.log])
    }

    /// Every log that is forked.
    package static func all(_ core: any EventReading) throws -> [KnownFork] {
        let branched = try core.logs().filter { $0.parent != nil }.map(\.name.log)
        return try Set(branched).union(try core.forkedLogs()).sorted().compactMap { log in
            try core.log(log).map { try of($0.name, core) }
        }
    }
}

extension RangeIngest {
    /// The key that must have signed a range of a log: the one that its writer had by the version of the charter that it knew
    /// when it began the log (`Protocols/log.md`, "Keys"), of rival versions the one that did. Where that cannot be read, the one
    /// of the writer's keys that did.
    private static func signingKey(
        of range: EntryRange, name: LogName, _ chain: CharterChain, _ core: StoreCore
    ) throws -> SigningPublicKey? {
        var begun = try LogBeginning.knownCharter(of: name.log, core)
        if begun == nil, range.start == 0, let first = range.entries.first {
            begun = (try? EntryHeader(bytes: first.header))?.known.charter
        }
        let keys = begun.map { chain.signingKeys(of: name.node, begunKnowing: $0) } ?? []
        if keys.count == 1 { return keys[0] }
        guard let checkpoint = try? SignedCheckpoint(bytes: range.checkpoint) else { return keys.first }
        return (try? chain.writerKey(of: name, among: keys.isEmpty ? nil : keys, thatSigned: checkpoint).key)
            ?? keys.first
    }
}

/// The node writes nothing for now.
struct WritingPaused: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}
