package import EventLog
import Replication
package import StoreCore

extension NodeState {
    /// Stores versions of the charter that are not here yet, and takes them in.
    ///
    /// - Throws: ``EventLog/CharterError`` where one breaks a rule, ``StoreCore/StoreError``; nothing is stored then where the
    ///   caller's transaction ends with it.
    package mutating func take(_ versions: [SignedCharter], core: StoreCore, time: NodeTime) throws {
        var chain = chain
        for signed in versions where try chain.insert(signed) { try core.storeCharter(CharterRecord(signed)) }
        guard chain != self.chain else { return }
        try AcceptedHeads.check(chain, since: self.chain, core, time: time)
        try update(chain, core: core)
        try carryOutOrders(core)
    }
}

/// The heads that the charter accepts of logs whose keys were taken away.
enum AcceptedHeads {
    /// Keeps an incident of every head of a new version that the entries held here contradict.
    static func check(
        _ chain: CharterChain, since before: CharterChain, _ core: StoreCore, time: NodeTime
    ) throws {
        for node in chain.newest?.nodes ?? [] {
            let known = Set(before.node(node.id)?.accepted ?? [])
            for head in node.accepted where !known.contains(head) {
                guard try core.contradicts(head) else { continue }
                try core.storeIncident(
                    Incident(
                        utcMilliseconds: time.utcMilliseconds, kind: "accepted head contradicts", peer: node.id,
                        log: head.log,
                        text:
                            "the charter accepts other entries among the first \(head.size) of log \(head.log) than are "
                            + "held here: its writer signed two histories; run 'varde verify' here and elsewhere",
                        heldHead: try core.newestCheckpoint(of: head.log)))
            }
        }
    }
}
