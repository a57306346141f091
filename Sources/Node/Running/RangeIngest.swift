import EventLog
import Replication
import StoreCore
import Trial

/// Stores a range of a peer's and folds what is new in it.
enum RangeIngest {
    /// Lets an order act that came ahead of its log, where it is what it is said to be and has effect. Where it cannot be
    /// judged yet, nothing happens: what comes under it is then not taken, and comes again.
    static func take(_ proven: ProvenEntry, _ core: StoreCore, _ state: NodeState) throws {
        guard let writer = state.chain.node(proven.name.node),
            let entry = try? proven.verify(key: writer.signingKey.hash.bytes)
        else { return }
        let written = WrittenEntry(entry, in: proven.name)
        guard let order = written.dropOrder, let fold = state.folds[written.stream.study],
            case .effect = fold.authority.judge(
                JudgementKey(writer: written.writer, stream: written.stream, header: entry.header),
                at: written.address)
        else { return }
        try core.register(proven.name)
        try OrderInEffect(
            entry: written.id, address: written.address, stream: written.stream, order: order
        ).carryOut(core)
    }

    static func ingest(
        _ range: EntryRange, name: LogName, from peer: NodeID, time: NodeTime, _ core: StoreCore,
        _ state: inout NodeState
    ) throws -> Result<LogHead, IngestFailure> {
        guard let writer = state.chain.node(name.node) else {
            return .failure(.refused("the charter does not know node \(name.node)"))
        }
        try core.register(name)
        switch try core.ingest(range, key: writer.signingKey.hash.bytes, from: peer, time: time) {
        case .stored(let stored):
            for (offset, checked) in stored.entries.enumerated() {
                let address = EntryAddress(log: name.id, index: stored.first + UInt64(offset))
                let written =
                    checked.entry.map { WrittenEntry($0, in: name) }
                    ?? WrittenEntry(checked.raw, id: checked.id, at: address, in: name)
                try state.insert(written, core: core)
            }
            try state.carryOutOrders(core)
            return .success(stored.head)
        case .alreadyHeld(let head): return .success(head)
        case .refused(let refusal): return .failure(IngestFailure(refusal))
        }
    }
}
