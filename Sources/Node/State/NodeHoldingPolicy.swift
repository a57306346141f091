import EventLog
import Replication

/// Who may hold which stream, as this node knows it (DESIGN §6).
///
/// A study's own stream is where a node learns that it was invited. So while nothing of a study's participation is here,
/// this node takes the stream from whoever offers it; whom it may be offered to the offering node judges.
struct NodeHoldingPolicy: HoldingPolicy, Hashable {
    /// This node.
    let node: NodeID
    /// The holders of every stream whose participation is known here.
    let holders: [StreamID: Set<NodeID>]

    func mayHold(_ node: NodeID, _ stream: StreamID) -> Bool {
        if let nodes = holders[stream] { return nodes.contains(node) }
        return stream.scope == .study
    }
}
