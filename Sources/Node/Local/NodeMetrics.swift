public import EventLog
import Foundation
import Replication
import Store
import ZeroMQTransport

/// What a node's transport counted since the start: connections and frames that came to nothing.
public struct TransportStatus: Hashable, Sendable, Codable {
    /// Connections refused because the charter does not admit their key.
    public var handshakesRefused: Int
    /// Connections to this node that failed before a key was proven, for any other reason.
    public var handshakesFailed: Int
    /// Connections to this node that ended.
    public var connectionsLost: Int
    /// Frames ignored because their sender's key is no longer admitted.
    public var framesIgnored: Int
    /// Frames that do not follow the transport's format.
    public var framesMalformed: Int
    /// Messages dropped because their link was not up.
    public var messagesDropped: Int
    /// Times that a link was left alone for a moment, because only messages came that nobody can use.
    public var pauses: Int
    /// Sends that a full link, or none, did not take; they are made good when there is room.
    public var sendsRefused: Int

    init(_ metrics: TransportMetrics) {
        handshakesRefused = metrics.handshakesRefused
        handshakesFailed = metrics.handshakesFailed
        connectionsLost = metrics.connectionsLost
        framesIgnored = metrics.framesIgnored
        framesMalformed = metrics.framesMalformed
        messagesDropped = metrics.messagesDropped
        pauses = metrics.pauses
        sendsRefused = metrics.peers.values.reduce(0) { $0 + $1.sendsRefused }
    }
}

/// The figures of a running node that a monitoring system asks for every few seconds.
///
/// Cheaper than ``NodeStatus``: no digest is computed and nothing of any study is looked at, so there is nothing about a
/// patient, a participant or a study in it.
public struct NodeMetrics: Hashable, Sendable {
    /// The node.
    public var node: NodeID
    /// Its network.
    public var network: NetworkID
    /// Name and version of the software.
    public var software: String
    /// Whether the start rule lets the node write.
    public var mayAppend: Bool
    /// Entries held, of all streams.
    public var entries: UInt64
    /// Logs held.
    public var logs: Int
    /// Version of the charter it knows.
    public var charterVersion: UInt64
    /// Every other node of the charter.
    public var peers: [PeerStatus]
    /// What the transport counted.
    public var transport: TransportStatus
    /// Bytes of memory that this process holds resident.
    public var residentBytes: Int
}

extension NodeAccess {
    /// The figures for a monitoring system.
    public func metrics() async throws -> NodeMetrics {
        let replication = await driver.status()
        let transport = await driver.transportMetrics()
        let start = await driver.mayAppend
        let chain = try await store.read { _, state in state.chain }
        return NodeMetrics(
            node: configuration.node, network: configuration.network, software: Software.name, mayAppend: start,
            entries: replication.entries, logs: replication.logs, charterVersion: chain.newestNumber,
            peers: NodeAccess.peers(replication, chain, of: configuration.node),
            transport: TransportStatus(transport), residentBytes: ResidentMemory.bytes(of: "self") ?? 0)
    }
}

/// How much memory a process holds.
public enum ResidentMemory {
    /// Bytes resident now, of a process of this machine; nil where there is none.
    ///
    /// - Parameter process: its id, or `self`.
    public static func bytes(of process: String) -> Int? {
        // proc(5): size and resident, in pages.
        let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
        let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return pages.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }
}
