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
                let name = LogName(network: Cast.network, node: row.node, stream: row.stream, epoch: row.epoch)
                checkDurable(name.id, row.size, row.root, at: node)
                checkMayHold(row.stream, peer, running.policy)
            }
        case .receipt(let receipt): checkDurable(receipt.log, receipt.size, nil, at: node)
        case .range(let message):
            checkDurable(message.range.log, message.range.end, nil, at: node)
            if let name = (try? running.core.log(message.range.log))??.name {
                checkMayHold(name.stream, peer, running.policy)
            }
        default: break
        }
    }

    private func checkMayHold(_ stream: StreamID, _ peer: NodeID, _ policy: NodeHoldingPolicy) {
        for id in [peer, policy.node] where !policy.mayHold(id, stream) {
            violate("\(policy.node) named \(stream) to \(peer), which \(id) may not hold")
        }
    }

    private func checkDurable(_ log: LogID, _ size: UInt64, _ root: Hash?, at node: SimulatedNode) {
        guard let head = (try? node.core?.head(of: log)) ?? nil, head.size >= size else {
            if !node.isDamaged { violate("\(node.id) claimed \(size) entries of log \(log), of which it holds less") }
            return
        }
        if let root, head.size == size, head.root != root {
            violate("\(node.id) claimed another root of log \(log) than it holds")
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
