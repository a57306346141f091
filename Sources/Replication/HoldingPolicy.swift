public import EventLog

/// Who may hold which stream, by the newest charter and participation known here (DESIGN §6).
///
/// A value: when the answers change, a new policy is given to ``ReplicationMachine/authorityChanged(_:now:)``.
public protocol HoldingPolicy: Sendable {
    /// Whether `node`, which may be this node itself, may hold `stream`. Asked often, so it should answer from a table.
    func mayHold(_ node: NodeID, _ stream: StreamID) -> Bool
}

/// A policy that was written down: for each stream the nodes that may hold it. Streams not listed are held by nobody.
public struct ListedHoldingPolicy: HoldingPolicy, Hashable {
    /// The nodes that may hold each stream.
    public var holders: [StreamID: Set<NodeID>]

    /// Takes the list.
    public init(_ holders: [StreamID: Set<NodeID>]) {
        self.holders = holders
    }

    /// Whether the list names the node for the stream.
    public func mayHold(_ node: NodeID, _ stream: StreamID) -> Bool {
        holders[stream]?.contains(node) ?? false
    }
}
