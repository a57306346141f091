package import EventLog
import Replication

/// Who may hold which stream, as this node knows it (DESIGN §6).
///
/// A study's own stream is where a node learns that it was invited. So a node to which a study is wholly unknown takes the
/// stream from whoever offers it; to whom it may be offered the offering node judges, which knows the study.
package struct NodeHoldingPolicy: HoldingPolicy, Hashable {
    /// This node.
    package let node: NodeID
    /// The holders of every stream of the studies known here.
    let holders: [StreamID: Set<NodeID>]

    /// States who holds what, as ``NodeState/holders(for:)`` gives it.
    package init(node: NodeID, holders: [StreamID: Set<NodeID>]) {
        self.node = node
        self.holders = holders
    }

    /// Whether `node` may hold `stream`.
    package func mayHold(_ node: NodeID, _ stream: StreamID) -> Bool {
        if let nodes = holders[stream] { return nodes.contains(node) }
        return stream.scope == .study
    }
}
