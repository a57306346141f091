import EventLog
import Replication

/// What a node has made durable as a witness.
struct SimulatedWitness {
    var cosigned: [LogID: (head: StatedHead, writer: NodeID)] = [:]
    var kept: [CosignatureName: KeptCosignature] = [:]
    var isRetired = false
    /// Whom it must hear before it cosigns after a start, where its disk may have been set back.
    var mustHear: Set<NodeID> = []
    /// Every cosignature it ever made, with the run and time it was made in.
    var made: [(cosignature: KeptCosignature, run: UInt64, time: UInt64)] = []

    var mode: WitnessMode {
        isRetired ? .silent : mustHear.isEmpty ? .active : .afterHearing(mustHear)
    }

    struct CosignatureName: Hashable {
        let log: LogID
        let witness: WitnessName
    }

    mutating func keep(_ row: KeptCosignature) {
        let name = CosignatureName(log: row.head.log, witness: row.witness)
        if let known = kept[name], known.head.size >= row.head.size { return }
        kept[name] = row
    }
}

/// What a store is asked for.
enum WitnessWork {
    case cosign(WitnessToken, StatedHead, StatedHead?, NodeID)
    case prove(WitnessToken, LogID, UInt64)
    case keep([KeptCosignature], NodeID)
}

extension SimulatedLog {
    /// The root of the first entries.
    func root(ofFirst size: UInt64) -> Hash? {
        guard size <= entries.count else { return nil }
        var frontier = MerkleFrontier()
        for entry in entries.prefix(Int(size)) { frontier.append(entry.id.hash) }
        return frontier.root
    }

    /// What the writer shows a witness.
    func proof(from oldSize: UInt64) -> WitnessedExtension? {
        guard let note = checkpoints.last, note.size == frontier.size, oldSize <= frontier.size else { return nil }
        let proof = MerkleTree.consistencyProof(
            oldSize: oldSize, newSize: frontier.size, leafHash: { entries[Int($0)].id.hash })
        return WitnessedExtension(oldSize: oldSize, path: proof?.path ?? [], checkpoint: note.note)
    }
}

extension Simulation {
    /// Lets all nodes take part in witnessing. Signatures must be real.
    func beginWitnessing() {
        for id in ids { self[id].witness = SimulatedWitness() }
    }

    func perform(_ work: WitnessWork, at node: SimulatedNode) {
        switch work {
        case .cosign(let token, let head, let after, let writer):
            let result = cosign(head, after: after, writer: writer, at: node)
            input(node.id) { $0.cosigned(token, result, now: $1) }
        case .prove(let token, let log, let from):
            let proof = node.store.logs[log]?.proof(from: from)
            input(node.id) { $0.proved(token, proof, now: $1) }
        case .keep(let rows, let peer):
            var kept: [KeptCosignature] = []
            var others: [KeptCosignature] = []
            for row in rows {
                let root = node.store.logs[row.head.log]?.root(ofFirst: row.head.size)
                if root == nil || root == row.head.root { kept.append(row) } else { others.append(row) }
            }
            for row in kept { node.witness?.keep(row) }
            input(node.id) { $0.cosignaturesKept(kept, contradicting: others, from: peer, now: $1) }
        }
    }

    private func cosign(
        _ head: StatedHead, after: StatedHead?, writer: NodeID, at node: SimulatedNode
    ) -> Result<KeptCosignature, CosigningFailure> {
        guard let witness = node.witness, !witness.isRetired else { return .failure(.failed("no key")) }
        let newest = witness.cosigned[head.log]?.head
        guard newest == after else { return .failure(.otherNewest(newest)) }
        if let newest, let log = node.store.logs[head.log], let root = log.root(ofFirst: newest.size),
            root != newest.root
        {
            return .failure(.contradictsHeld(newest))
        }
        guard let name = node.charter.witness(node.id) else { return .failure(.failed("not in the charter")) }
        let row = KeptCosignature(
            cosigning: head, as: name, with: TestNetwork.witnessSigningKey(name), unixSeconds: now)
        node.witness?.cosigned[head.log] = (head, writer)
        node.witness?.keep(row)
        node.witness?.made.append((row, node.run, now))
        counts["cosigned", default: 0] += 1
        return .success(row)
    }

    /// What every message about witnessing must fulfil.
    func checkWitnessing(_ message: ReplicationMessage, from node: SimulatedNode, to peer: NodeID) {
        switch message {
        case .witnessRequest(let request):
            guard let log = (try? SignedCheckpoint(bytes: request.checkpoint))?.checkpoint.logOrigin?.log,
                node.store.logs[log]?.name.node == node.id
            else {
                violations.append("\(node.id) asked \(peer) to vouch for what it does not write")
                return
            }
            if let stream = streams[log], node.policy.mayHold(peer, stream), node.policy.mayHold(node.id, stream) {
                violations.append("\(node.id) asked \(peer), which may hold the log")
            }
        case .witnessState(let state):
            if node.witness?.cosigned[state.log].map({ $0.writer != peer }) ?? false {
                violations.append("\(node.id) told \(peer) of a log it does not write")
            }
        case .cosignatures(let message):
            for row in message.rows { checkRow(row, from: node, to: peer) }
        default: break
        }
    }

    private func checkRow(_ row: KeptCosignature, from node: SimulatedNode, to peer: NodeID) {
        if row.witness.node == node.id, node.witness?.cosigned[row.head.log]?.head.size ?? 0 < row.head.size {
            violations.append("\(node.id) gave out a cosignature that is not durable")
        }
        guard let stream = streams[row.head.log] else {
            violations.append("\(node.id) named a log that nobody wrote")
            return
        }
        let isShared = node.policy.mayHold(peer, stream) && node.policy.mayHold(node.id, stream)
        let writer = node.store.logs[row.head.log]?.name.node ?? node.witness?.cosigned[row.head.log]?.writer
        let isBetweenTheTwo =
            writer == node.id && row.witness.node == peer || writer == peer && row.witness.node == node.id
        if !isShared && !isBetweenTheTwo { violations.append("\(node.id) named a log of \(stream) to \(peer)") }
    }

    /// What must hold of all cosignatures that were ever made: none is about a smaller head than one before it by the same
    /// key, none contradicts the log, and none came too soon.
    func checkCosignatures() {
        var logs: [LogID: SimulatedLog] = [:]
        for log in ids.flatMap({ self[$0].store.logs.values })
        where log.frontier.size > logs[log.name.id]?.frontier.size ?? 0 {
            logs[log.name.id] = log
        }
        for id in ids {
            var last: [LogID: (cosignature: KeptCosignature, run: UInt64, time: UInt64)] = [:]
            for made in self[id].witness?.made ?? [] {
                let log = made.cosignature.head.log
                if let before = last[log] {
                    if before.cosignature.head.size >= made.cosignature.head.size {
                        violations.append("\(id) vouched for a head that is no larger than one before")
                    }
                    if made.time < before.time + self[id].configuration.witnessMilliseconds {
                        violations.append("\(id) cosigned again after \(made.time - before.time) ms")
                    }
                }
                last[log] = made
                if logs[log]?.root(ofFirst: made.cosignature.head.size) != made.cosignature.head.root {
                    violations.append("\(id) vouched for entries that were never in the log")
                }
            }
        }
    }

    /// Whether everybody vouches for all there is, and everybody whom it concerns knows.
    func isWitnessed(_ policy: ListedHoldingPolicy) -> Bool {
        for id in ids {
            for log in self[id].store.logs.values where log.name.node == id {
                for holder in ids where holder == id || policy.mayHold(holder, log.name.stream) {
                    let rows = self[holder].machine?.cosignatures(of: log.name.id) ?? []
                    let vouching = Set(rows.filter { $0.head.size == log.frontier.size }.map(\.witness.node))
                    if vouching != Set(ids).subtracting([id]) { return false }
                }
            }
        }
        return true
    }
}
