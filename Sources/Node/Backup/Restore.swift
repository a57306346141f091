public import EventLog
import Foundation
import StoreCore

/// What a restored directory holds.
public struct RestoreReport: Hashable, Sendable, Codable {
    /// The new directory of the node.
    public var directory: String
    /// The node.
    public var node: NodeID
    /// The network.
    public var network: NetworkID
    /// When the backup was made, ISO 8601.
    public var time: String
    /// Logs in it.
    public var logs: Int
    /// Entries in it.
    public var entries: UInt64
    /// Where the node's keys have to be placed by hand.
    public var keys: String
}

/// Makes a node's directory from a backup.
///
/// The directory has no keys and no head file. A node that is started in it hears its peers, takes back what they show of
/// its logs, and writes on only in new epochs (``Replication/StartRule``).
public enum Restore {
    /// Checks a backup, copies it into a new directory, and checks the copy.
    ///
    /// - Parameters:
    ///   - path: the backup's folder.
    ///   - target: a directory that is not there yet.
    ///   - progress: called now and then.
    /// - Throws: ``BackupError``, ``DirectoryError``, ``StoreCore/StoreError``; nothing stands at `target` then.
    public static func run(
        from path: String, to target: String, progress: @escaping (BackupProgress) -> Void
    ) throws -> RestoreReport {
        let backup = BackupFolder(path: path)
        let manifest = try backup.readManifest()
        let folder = BackupFolder(path: target)
        try folder.prepare()
        let unfinished = folder.unfinished
        do {
            try unfinished.copySettings(from: NodeDirectory(path))
            try SmallFile.makeFile(unfinished.events)
            try copy(backup.events, to: unfinished.events)
            guard try BackupFolder.digest(of: unfinished.events) == (manifest.bytes, manifest.sha256) else {
                throw BackupError.altered(path: backup.events)
            }
            _ = try unfinished.check(progress: progress)
            try BackupFolder.rename(unfinished.path, to: target)
        } catch {
            try? FileManager.default.removeItem(atPath: unfinished.path)
            throw error
        }
        return RestoreReport(
            directory: target, node: manifest.node, network: manifest.network, time: manifest.time,
            logs: manifest.logs, entries: manifest.entries, keys: NodeDirectory(target).keys)
    }

    /// Copies a file piece by piece into one that is there.
    private static func copy(_ source: String, to target: String) throws {
        guard let reading = FileHandle(forReadingAtPath: source) else {
            throw DirectoryError.missing(path: source, advice: "the backup is not whole")
        }
        guard let writing = FileHandle(forWritingAtPath: target) else {
            throw DirectoryError.unwritable(path: target, reason: String(cString: strerror(errno)))
        }
        defer {
            try? reading.close()
            try? writing.close()
        }
        do {
            while let piece = try reading.read(upToCount: 1 << 20), !piece.isEmpty {
                try writing.write(contentsOf: piece)
            }
        } catch {
            throw DirectoryError.unwritable(path: target, reason: error.localizedDescription)
        }
    }
}
