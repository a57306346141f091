public import EventLog
import StoreCore

/// Feeds a version of the charter into the files of a node that does not run.
public enum OfflineCharter {
    /// Stores a version that follows, signed by enough administrators.
    ///
    /// - Returns: the number of the newest version.
    /// - Throws: ``StoreCore/StoreError/locked(_:)`` where the node runs after all, ``EventLog/CharterError``,
    ///   ``DirectoryError``.
    public static func apply(_ signed: SignedCharter, in directory: NodeDirectory) throws -> UInt64 {
        let configuration = try NodeConfiguration.read(directory)
        let founding = try NodeStart.foundingChain(directory, configuration)
        let keys = try NodeKeys.read(directory)
        let core = try StoreCore(
            StoreConfiguration(
                directory: directory.path, network: configuration.network, node: configuration.node,
                signingSeed: keys.signingSeed, software: Software.name))
        defer { try? core.close() }
        var chain = try NodeStart.storedChain(core, founding: founding)
        if !chain.versions.contains(signed) {
            try chain.append(signed)
            try core.transaction {
                for version in chain.versions { try core.storeCharter(CharterRecord(version)) }
            }
        }
        return chain.newest?.number ?? 0
    }
}
