import EventLog
import Node
import Replication
import StoreCore

/// What must hold of every message of an honest node, and of every machine at any time.
extension Simulation {
    /// Says nothing that is not durable, and names no stream to a node that may not hold it.
    func checkSent(_ bytes: [UInt8], from node: SimulatedNode, to peer: NodeID) {
        guard let running = node.running else { return }
        guard let message = try? ReplicationMessage(bytes: bytes) else {
            violate("\(node.id) sent what cannot be read")
            return
        }
        if bytes.count > ReplicationProtocol.messageBytes { violate("\(node.id) sent \(bytes.count) bytes") }
        switch message {
        case .have(let have):
            for row in have.rows {
                checkDurable(row.name(network: Cast.network), row.size, row.root, at: node)
                checkMayHold(row.stream, peer, running.policy)
            }
        case .receipt(let receipt):
            if let name = name(of: receipt.log, at: node) { checkDurable(name, receipt.size, nil, at: node) }
        case .range(let message):
            if let name = name(of: message.range.log, at: node) {
                checkDurable(name, message.range.end, nil, at: node)
                checkMayHold(name.stream, peer, running.policy)
            }
        case .forkProof(let message): checkMayHold(message.stream, peer, running.policy)
        default: break
        }
    }

    private func checkMayHold(_ stream: StreamID, _ peer: NodeID, _ policy: NodeHoldingPolicy) {
        for id in [peer, policy.node] where !policy.mayHold(id, stream) {
            violate("\(policy.node) named \(stream) to \(peer), which \(id) may not hold")
        }
    }

    private func name(of log: LogID, at node: SimulatedNode) -> LogName? {
        node.heads.first { $0.name.id == log }?.name
    }

    private func checkDurable(_ name: LogName, _ size: UInt64, _ root: Hash?, at node: SimulatedNode) {
        // The pieces of a forked log are cut anew when a branch comes, and the machine hears of that right after.
        if (try? node.core?.isForked(name.log)) ?? true { return }
        guard let head = (try? node.core?.head(of: name.id)) ?? nil, head.size >= size else {
            if !node.isDamaged {
                violate("\(node.id) claimed \(size) entries of log \(name.id), of which it holds less")
            }
            return
        }
        if let root, head.size == size, head.root != root {
            violate("\(node.id) claimed another root of log \(name.id) than it holds")
        }
    }

    /// Credit and memory stay within their limits.
    func check(_ id: NodeID) {
        guard let machine = self[id].running?.machine else { return }
        let limits = machine.configuration
        for peer in machine.status.peers {
            if peer.outstandingCreditBytes > limits.creditWindowBytes {
                violate("\(id) granted \(peer.outstandingCreditBytes) bytes to \(peer.node)")
            }
            if peer.bytesBeingStored > 3 * limits.creditWindowBytes + limits.pushWindowBytes + 2 * 131_072 {
                violate("\(id) holds \(peer.bytesBeingStored) bytes of \(peer.node) in memory")
            }
            if peer.logsInFlight > limits.logsInFlight {
                violate("\(id) pulls \(peer.logsInFlight) logs from \(peer.node)")
            }
        }
    }
}
