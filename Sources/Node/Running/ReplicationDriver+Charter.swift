import EventLog
import Logging
import Replication
import Store
import StoreCore
import Trial

/// Versions of the charter that people feed in at this node, and keys of its own that are replaced.
extension ReplicationDriver {
    /// Takes in a version that follows, signed by enough administrators.
    ///
    /// - Returns: the number of the newest version.
    /// - Throws: ``EventLog/CharterError``, or what the store fails with.
    func apply(_ signed: SignedCharter) async throws -> UInt64 {
        let time = clock.now()
        let (revision, number) = try await store.write { core, state -> (UInt64, UInt64) in
            var chain = state.chain
            // Only what follows may be fed in by people: one that does not would begin a dispute.
            if !chain.versions.contains(signed) { try chain.append(signed) }
            try state.take([signed], core: core, time: time)
            return (state.authorityRevision, state.chain.newestNumber)
        }
        onCharter()
        await refreshAuthority(revision: revision)
        return number
    }

    /// Called once the charter names keys that wait in the node's directory.
    func onKeysNamed(_ body: @escaping @Sendable () -> Void) {
        whenKeysNamed = body
        lookForNamedKeys()
    }

    /// Whether the charter names keys that wait: then the node is to be opened anew with them.
    func lookForNamedKeys() {
        do {
            let replacement = KeyReplacement(directory)
            guard !(try replacement.named(by: machine.charter, for: node)).isEmpty else { return }
            whenKeysNamed?()
        } catch {
            logger.error("the keys that are to replace this node's cannot be read: \(error)")
        }
    }

    /// Stops writing for as long as a new signing key waits, closes all own logs in good order, and gives their heads.
    func closeLogsForNewKey() async throws {
        try await untilMayAppend()
        pauseReason = KeyReplacement(directory).pauseReason
        guard pauseReason != nil else { return }
        let time = clock.now()
        let revision = try await store.write { core, state in
            for log in try core.ownLogs() where log.status == .open && log.head.size > 0 {
                let entry = try core.closeInGoodOrder(log.name.id, time: time)
                try state.insert(WrittenEntry(entry, in: log.name), core: core)
            }
            return state.authorityRevision
        }
        await refreshAuthority(revision: revision)
    }
}
