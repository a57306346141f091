package import EventLog
import Foundation
public import Logging
public import ServiceLifecycle
package import StoreCore
import Synchronization
import UnixSignals

/// The name and version that entries say they were written by.
public enum Software {
    /// `varde/0.1.0`.
    public static let name = "varde/0.1.0"
}

/// A hospital's node at work: its store, its links to other nodes, and its local socket, under one service group.
public struct RunningNode {
    private let directory: NodeDirectory
    private let logger: Logger
    private let services: @Sendable (NodeAccess, NodeConfiguration) throws -> [any Service]

    /// Prepares the node in `directory`; nothing is opened yet.
    ///
    /// - Parameter services: makes what runs beside the node and asks it, such as the HTTP interface. They are ended before
    ///   the store is closed.
    public init(
        directory: NodeDirectory, logger: Logger,
        services: @escaping @Sendable (NodeAccess, NodeConfiguration) throws -> [any Service] = { _, _ in [] }
    ) {
        self.directory = directory
        self.logger = logger
        self.services = services
    }

    /// Opens everything and works until a signal or `varde node stop` ends it. Where the charter gives the node keys that it
    /// has made, it ends and opens everything anew with them.
    ///
    /// - Parameter onReady: called when the local socket is about to listen.
    /// - Throws: what keeps the node from starting: ``DirectoryError``, ``StoreCore/StoreError``, a transport's error; and
    ///   after it was stopped, what had ended all writing before.
    public func run(onReady: @escaping @Sendable () -> Void = {}) async throws {
        while try await runOnce(onReady: onReady) {
            logger.notice("going on with the keys that the charter names")
        }
    }

    /// - Returns: whether to open everything anew.
    private func runOnce(onReady: @escaping @Sendable () -> Void) async throws -> Bool {
        let commits = CommitFeed()
        let failed = StoreFailure()
        let node = try await OpenedNode.open(
            directory, logger: logger, onCommit: { _ in commits.tell() }, onFailure: { failed.keep($0) })
        let configuration = node.configuration
        try OwnerOnlyFile.write("\(getpid())\n", to: directory.processID, replacing: true)
        defer { unlink(directory.processID) }
        let stopping = StopSignal()
        let access = NodeAccess(node, stopping: stopping, commits: commits)
        await node.driver.onKeysNamed { stopping.stop(restarting: true) }
        let server = LocalServer(path: directory.socket, access: access, logger: logger)
        let others = try services(access, configuration)
        onReady()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: StoreService(store: node.store)),
                    .init(service: ViewService(views: node.views)),
                    .init(service: ReplicationService(driver: node.driver, transport: node.transport)),
                    .init(service: node.scrub),
                    .init(service: server),
                ] + others.map { .init(service: $0) } + [
                    .init(
                        service: StopService(signal: stopping), successTerminationBehavior: .gracefullyShutdownGroup)
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        // What supervises the process is told by its status that somebody has to look at the disk.
        if let error = failed.error { throw error }
        return stopping.isRestarting
    }
}

/// Why the store of a running node writes nothing any more.
final class StoreFailure: Sendable {
    private let kept = Mutex<(any Error)?>(nil)

    /// What happened; nil while all is well.
    var error: (any Error)? { kept.withLock { $0 } }

    func keep(_ error: any Error) {
        kept.withLock { $0 = $0 ?? error }
    }
}

/// What a node needs to know before it starts.
package enum NodeStart {
    /// The charter as the directory was given it, checked against the hash in the configuration.
    static func foundingChain(_ directory: NodeDirectory, _ configuration: NodeConfiguration) throws -> CharterChain {
        guard FileManager.default.fileExists(atPath: directory.charter) else {
            // A node that is to join gets the charter from a peer, and checks it by the hash that it was given by hand.
            guard let founding = Hash(hex: configuration.charterFounding) else {
                throw DirectoryError.unreadable(
                    path: directory.configuration, reason: "charterFounding is not the hash of a charter")
            }
            return CharterChain(foundingHash: founding)
        }
        let text = try OwnerOnlyFile.read(
            directory.charter, advice: "a node is given the charter when its directory is made")
        guard let bytes = [UInt8](hex: text) else {
            throw DirectoryError.unreadable(path: directory.charter, reason: "it is not hexadecimal")
        }
        let chain: CharterChain
        do {
            chain = try CharterChain(bytes: bytes)
        } catch {
            throw DirectoryError.unreadable(path: directory.charter, reason: "\(error)")
        }
        guard chain.foundingHash.hex == configuration.charterFounding else {
            throw DirectoryError.unreadable(
                path: directory.charter, reason: "it is not the charter whose hash stands in node.json")
        }
        return chain
    }

    /// The events file of a directory; nil where the node has never run.
    static func reader(_ directory: NodeDirectory) throws -> StoreReader? {
        guard FileManager.default.fileExists(atPath: StoreConfiguration.eventsFile(in: directory.path)) else {
            return nil
        }
        return try StoreReader(directory: directory.path)
    }

    /// Folds what the store holds.
    package static func state(
        _ core: StoreCore, founding: CharterChain, network: NetworkID
    ) throws -> NodeState {
        let chain = try storedChain(core, founding: founding)
        // Logs that were signed with a key the node has no more are continued under the one it has.
        let ended = try core.openLogsOfOtherKeys()
        if !ended.isEmpty {
            try core.transaction { for log in ended { try core.closeOwnLog(log, reason: .givenUp) } }
        }
        if try core.charters().count < Int(chain.count) {
            try core.transaction {
                for signed in chain.versions { try core.storeCharter(CharterRecord(signed)) }
            }
        }
        var state = NodeState(chain: chain, network: network)
        try state.catchUp(core)
        state.forgetChanges()
        // Those that took effect while they were applied were carried out then; this is for whatever was not.
        try core.transaction { try state.carryOutOrders(core) }
        return state
    }

    /// The founding charter with the later versions that the store holds.
    static func storedChain(_ reading: any EventReading, founding: CharterChain) throws -> CharterChain {
        var chain = founding
        for record in try reading.charters() { try chain.insert(try SignedCharter(bytes: record.signatures)) }
        return chain
    }
}
