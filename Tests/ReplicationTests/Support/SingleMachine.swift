import EventLog
import Replication

/// One machine whose peers are played by the test, message by message.
struct SingleMachine {
    var machine: ReplicationMachine
    var now: UInt64 = 1_000
    /// What the machine holds, by log id.
    private(set) var logs: [LogID] = []

    init(
        node: NodeID = TestNetwork.haukeland, peers: [NodeID], charter: CharterChain = TestNetwork.chain,
        policy: ListedHoldingPolicy = TestNetwork.open(TestNetwork.nodes),
        configuration: ReplicationConfiguration = ReplicationConfiguration()
    ) {
        machine = ReplicationMachine(
            node: node, incarnation: 1, charter: charter, heads: [], policy: policy, configuration: configuration)
        for peer in peers { _ = machine.peerUp(peer, now: now) }
    }

    /// Lets the machine hold so many logs of ten entries each.
    mutating func hold(logs count: Int) {
        let heads = (0..<count).map { number in
            LogHead(name: SingleMachine.name(number), size: 10, root: .sha256([UInt8](name(number).id.hash.bytes)))
        }
        _ = machine.storeCommitted(heads, now: now)
        logs = heads.map(\.name.id).sorted()
    }

    private func name(_ number: Int) -> LogName { SingleMachine.name(number) }

    static func name(_ number: Int, node: NodeID = TestNetwork.haukeland, stream: StreamID? = nil) -> LogName {
        LogName(
            network: TestNetwork.network, node: node, stream: stream ?? TestNetwork.stream(of: TestNetwork.haukeland),
            epoch: Epoch(RandomName(high: 7, low: UInt64(number))))
    }

    mutating func receive(_ message: ReplicationMessage, from peer: NodeID) -> [ReplicationEffect] {
        machine.receive(message.bytes, from: peer, now: now)
    }

    /// Greets as a peer with the same charter, so that heads are exchanged.
    @discardableResult
    mutating func exchange(with peer: NodeID, incarnation: UInt64 = 5) -> [ReplicationEffect] {
        receive(.hello(hello(of: peer, incarnation: incarnation)), from: peer)
    }

    func hello(of peer: NodeID, incarnation: UInt64 = 5) -> Hello {
        Hello(
            node: peer, network: machine.charter.network, charterCount: machine.charter.count,
            charterHash: machine.charter.newestHash, incarnation: incarnation, isAnswer: true)
    }

    /// The messages among effects.
    func messages(_ effects: [ReplicationEffect]) -> [ReplicationMessage] {
        effects.compactMap { effect in
            if case .send(let bytes, _) = effect { try? ReplicationMessage(bytes: bytes) } else { nil }
        }
    }
}
