import EventLog
import Replication
import StoreCore
import Trial

/// Stores a range of a peer's and folds what is new in it.
enum RangeIngest {
    static func ingest(
        _ range: EntryRange, name: LogName, from peer: NodeID, time: NodeTime, _ core: StoreCore,
        _ state: inout NodeState
    ) throws -> Result<LogHead, IngestFailure> {
        guard let writer = state.chain.node(name.node) else {
            return .failure(.refused("the charter does not know node \(name.node)"))
        }
        try core.register(name)
        let key = try signingKey(of: range, name: name, state.chain, core) ?? writer.signingKey
        let outcome: IngestOutcome
        do {
            let accepted = state.chain.acceptedHead(of: name.id, by: name.node)
            outcome = try core.savepoint {
                let outcome = try core.ingest(range, key: key.hash.bytes, from: peer, time: time)
                if case .stored(let stored) = outcome, let accepted, accepted.size > stored.first,
                    try AcceptedHeads.contradict(accepted, core)
                {
                    throw ContradictsAccepted(head: accepted)
                }
                return outcome
            }
        } catch let failure as ContradictsAccepted {
            return .failure(.contradicts("\(failure)"))
        }
        switch outcome {
        case .stored(let stored):
            for (offset, checked) in stored.entries.enumerated() {
                let address = EntryAddress(log: name.id, index: stored.first + UInt64(offset))
                let written =
                    checked.entry.map { WrittenEntry($0, in: name) }
                    ?? WrittenEntry(checked.raw, id: checked.id, at: address, in: name)
                try state.insert(written, core: core)
            }
            return .success(stored.head)
        case .alreadyHeld(let head): return .success(head)
        case .refused(let refusal): return .failure(IngestFailure(refusal))
        }
    }
}

extension RangeIngest {
    /// The key that must have signed a range of a log: the one that its writer had by the version of the charter that it knew
    /// when it began the log (`Protocols/log.md`, "Keys"). Where that cannot be read, the one of the writer's keys that did.
    private static func signingKey(
        of range: EntryRange, name: LogName, _ chain: CharterChain, _ core: StoreCore
    ) throws -> SigningPublicKey? {
        var begun = try LogBeginning.knownCharter(of: name.id, core)
        if begun == nil, range.start == 0, let first = range.entries.first {
            begun = (try? EntryHeader(bytes: first.header))?.known.charter
        }
        if let begun, let key = chain.signingKey(ofLogBy: name.node, begunKnowing: begun) { return key }
        let checkpoint = try? SignedCheckpoint(bytes: range.checkpoint)
        return chain.signingKeys(of: name.node).reversed().first { _, key in
            guard let verifier = try? name.verifierKey(publicKey: key.hash.bytes) else { return false }
            return (try? checkpoint?.verify(with: verifier)) != nil
        }?.key
    }
}

/// Entries of a log whose key was taken away do not lead to the head that the charter accepts of it: nothing of them is
/// stored.
private struct ContradictsAccepted: Error, CustomStringConvertible {
    let head: StatedHead

    var description: String {
        "the first \(head.size) entries are other ones than those that the charter accepts of log \(head.log)"
    }
}

/// The heads that the charter accepts of logs whose keys were taken away.
enum AcceptedHeads {
    /// Whether the log is held as far as a head, and has another root there.
    static func contradict(_ head: StatedHead, _ core: StoreCore) throws -> Bool {
        guard let held = try core.head(of: head.log), held.size >= head.size, head.size > 0 else { return false }
        return try core.root(of: head.log, size: head.size) != head.root
    }

    /// Keeps an incident of every head of a new version that the entries held here contradict.
    static func check(_ chain: CharterChain, _ core: StoreCore, time: NodeTime) throws {
        guard let newest = chain.newest else { return }
        let before = chain.version(newest.number &- 1)?.charter
        for node in newest.nodes {
            let known = Set(before?.node(node.id)?.accepted ?? [])
            for head in node.accepted where !known.contains(head) {
                guard try contradict(head, core) else { continue }
                try core.storeIncident(
                    Incident(
                        utcMilliseconds: time.utcMilliseconds, kind: "accepted head contradicts", peer: node.id,
                        log: head.log,
                        text: "the charter accepts other entries among the first \(head.size) of log \(head.log) than are "
                            + "held here: its writer signed two histories; run 'varde verify' here and elsewhere",
                        heldHead: try core.newestCheckpoint(of: head.log)))
            }
        }
    }
}

/// The node writes nothing for now.
struct WritingPaused: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}

extension CharterRecord {
    /// A signed version as the store keeps it.
    init(_ signed: SignedCharter) {
        self.init(version: signed.charter.number, bytes: signed.charterBytes, signatures: signed.bytes)
    }
}
