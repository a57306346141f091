import EventLog
import Replication

/// What must hold of every message, of every machine at any time, and of all nodes in the end.
extension Simulation {
    /// What every message of an honest node must fulfil.
    func checkSent(_ message: ReplicationMessage, _ bytes: [UInt8], from node: SimulatedNode, to peer: NodeID) {
        if bytes.count > ReplicationProtocol.messageBytes { violations.append("\(node.id) sent \(bytes.count) bytes") }
        var named: [StreamID?] = []
        switch message {
        case .have(let have):
            named = have.rows.map(\.stream)
            for row in have.rows {
                let name = LogName(
                    network: TestNetwork.network, node: row.node, stream: row.stream, epoch: row.epoch)
                checkDurable(name.id, row.size, at: node)
                if row.fork != nil { violations.append("\(node.id) named a branch where nothing forked") }
            }
        case .want(let want): named = [streams[want.log]]
        case .range(let range): named = [streams[range.range.log]]
        case .receipt(let receipt):
            named = [streams[receipt.log]]
            checkDurable(receipt.log, receipt.size, at: node)
        case .orders(let orders): named = orders.entries.map(\.stream)
        case .forkProof(let message): named = [message.stream]
        case .forkKnown(let known): named = [streams[known.log]]
        case .hello, .charterRequest, .charterVersions, .refusal, .haveDigest, .rangeUnavailable: break
        case .witnessRequest, .witnessState, .cosignatures: checkWitnessing(message, from: node, to: peer)
        }
        for stream in named {
            guard let stream else {
                violations.append("\(node.id) named a log that nobody wrote")
                continue
            }
            if !node.policy.mayHold(peer, stream) { violations.append("\(node.id) named \(stream) to \(peer)") }
            if !node.policy.mayHold(node.id, stream) { violations.append("\(node.id) spoke of \(stream) itself") }
        }
    }

    func checkDurable(_ log: LogID, _ size: UInt64, at node: SimulatedNode) {
        if node.store.logs[log]?.frontier.size ?? 0 < size {
            violations.append("\(node.id) claimed \(size) entries of a log it holds less of")
        }
    }

    /// What a machine must fulfil at any time.
    func check(_ id: NodeID) {
        guard let machine = self[id].machine else { return }
        let limits = machine.configuration
        for peer in machine.status.peers {
            if peer.outstandingCreditBytes > limits.creditWindowBytes {
                violations.append("\(id) granted \(peer.outstandingCreditBytes) bytes to \(peer.node)")
            }
            if peer.bytesBeingStored > 3 * limits.creditWindowBytes + limits.pushWindowBytes {
                violations.append("\(id) holds \(peer.bytesBeingStored) bytes of \(peer.node) in memory")
            }
            if peer.logsInFlight > limits.logsInFlight {
                violations.append("\(id) pulls \(peer.logsInFlight) logs from \(peer.node)")
            }
        }
    }

    /// Whether all nodes that may hold a stream, by a policy that all know, hold the same of it.
    func hasConverged(_ policy: ListedHoldingPolicy, among ids: [NodeID]? = nil) -> Bool {
        let ids = ids ?? self.ids
        for stream in policy.holders.keys {
            let holders = ids.filter { policy.mayHold($0, stream) }
            guard let first = holders.first else { continue }
            let heads = Set(self[first].store.heads.filter { $0.name.stream == stream })
            for holder in holders.dropFirst()
            where Set(self[holder].store.heads.filter { $0.name.stream == stream }) != heads {
                return false
            }
        }
        return true
    }

    /// Logs of which two nodes hold different entries at the same index.
    func forkedLogs() -> [LogID] {
        var longest: [LogID: SimulatedLog] = [:]
        var forked: Set<LogID> = []
        for id in ids {
            for (log, held) in self[id].store.logs {
                guard let other = longest[log] else {
                    longest[log] = held
                    continue
                }
                let count = min(other.entries.count, held.entries.count)
                if other.entries[..<count] != held.entries[..<count] { forked.insert(log) }
                if held.entries.count > count { longest[log] = held }
            }
        }
        return forked.sorted()
    }
}
