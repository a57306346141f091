import Crypto
public import EventLog
import Foundation
import Store
import StoreCore

/// Why a backup could not be made, or cannot be restored.
public enum BackupError: Error, CustomStringConvertible {
    /// Another backup of the node is being made.
    case isRunning
    /// What was written, or is to be restored, does not hold.
    case unsound(path: String, problems: [String], count: Int)
    /// The copy lacks entries that the node held when the backup began.
    case incomplete(path: String, log: LogID)
    /// The file is not the one that was backed up.
    case altered(path: String)
    /// The backup was made by software that writes another format.
    case unknownFormat(path: String, found: UInt64)

    /// What was wrong and what to do.
    public var description: String {
        switch self {
        case .isRunning: "another backup of this node is being made: wait until it is done"
        case .unsound(let path, let problems, let count):
            "\(path) does not hold: \(count) problems, the first \(problems.prefix(3).joined(separator: "; ")); "
                + "it is no backup, keep an earlier one and run 'varde verify' on the node"
        case .incomplete(let path, let log):
            "\(path) lacks entries of log \(log) that the node held: it is no backup; make another"
        case .altered(let path):
            "\(path) is not the file that was backed up (its SHA-256 differs from the one in backup.json): "
                + "use another copy of the backup"
        case .unknownFormat(let path, let found):
            "\(path) is of format \(found), which this software does not know"
        }
    }
}

/// What lies beside the events file in a backup: `backup.json`.
struct BackupManifest: Codable {
    /// Format of this file.
    var format: UInt64
    /// The network.
    var network: NetworkID
    /// The node.
    var node: NodeID
    /// Name and version of the software that made the backup.
    var software: String
    /// When it was begun, ISO 8601.
    var time: String
    /// Logs held.
    var logs: Int
    /// Entries held.
    var entries: UInt64
    /// Bytes of `events.sqlite`.
    var bytes: Int
    /// SHA-256 of `events.sqlite`.
    var sha256: String

    static let currentFormat: UInt64 = 0
}

/// A backup that was made and checked.
public struct BackupReport: Hashable, Sendable, Codable {
    /// The folder.
    public var path: String
    /// Logs in it.
    public var logs: Int
    /// Entries in it, each hashed after it was written.
    public var entries: UInt64
    /// Checkpoints in it whose signature was checked after they were written.
    public var checkpoints: Int
    /// Bytes of its events file.
    public var bytes: Int
    /// How long it took.
    public var seconds: Double
}

/// How far a backup has come.
public struct BackupProgress: Hashable, Sendable, Codable {
    /// What is being done.
    public enum Phase: String, Sendable, Codable {
        /// The file is copied; counted in pages.
        case copying
        /// The copy is hashed and its signatures checked; counted in entries.
        case checking
    }

    /// What is being done.
    public var phase: Phase
    /// How much is done.
    public var done: UInt64
    /// How much there is.
    public var total: UInt64
}

/// The folder of a backup: the events file, and what a new directory of the node needs beside keys.
///
/// It holds no key and no head file: nobody who has it can sign or connect as the node, and a node that is started from it
/// writes only in new epochs.
struct BackupFolder {
    let path: String

    var events: String { StoreConfiguration.eventsFile(in: path) }
    var manifest: String { path + "/backup.json" }
    private var node: NodeDirectory { NodeDirectory(path) }

    /// The folder in which the backup grows until it is checked.
    var unfinished: BackupFolder { BackupFolder(path: path + ".unfinished") }

    /// Refuses a place where something stands, and makes the folder in which the backup grows; what an earlier attempt left
    /// there is removed.
    func prepare() throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw DirectoryError.alreadyThere(path: path, advice: "it is not overwritten; choose another folder")
        }
        try? FileManager.default.removeItem(atPath: unfinished.path)
        try OwnerOnlyFile.makeDirectory(unfinished.path)
    }

    /// Copies what the node's directory holds beside the events file and may leave it: addresses and founding charter.
    func copySettings(from directory: NodeDirectory) throws {
        for (source, target) in [(directory.configuration, node.configuration), (directory.charter, node.charter)] {
            let text = try OwnerOnlyFile.read(source, advice: "this is not a node's directory")
            try OwnerOnlyFile.write(text + "\n", to: target)
        }
    }

    /// Reads the copy back from the file and checks all of it; gives what was found.
    ///
    /// Blocks for as long as everything takes to be hashed.
    func check(progress: @escaping (BackupProgress) -> Void) throws -> VerificationReport {
        let directory = NodeDirectory(path)
        let configuration = try NodeConfiguration.read(directory)
        let founding = try NodeStart.foundingChain(directory, configuration)
        let reader = try StoreReader(directory: path)
        let chain = try NodeStart.storedChain(reader, founding: founding)
        let report = try LogVerification.run(
            on: reader, writerKeys: { chain.signingKeys(of: $0).reversed().map { $0.key.hash.bytes } }
        ) {
            progress(BackupProgress(phase: .checking, done: $0.entries, total: $0.total))
        }
        guard report.isSound else {
            throw BackupError.unsound(
                path: path, problems: report.problems.map(\.description), count: report.problemCount)
        }
        return report
    }

    /// Refuses the copy where it lacks any of these heads.
    func checkHolds(_ heads: [LogHead]) throws {
        let reader = try StoreReader(directory: path)
        for head in heads {
            guard let held = try reader.log(head.name.id)?.head, held.size >= head.size,
                try reader.frontier(of: head.name.id, size: head.size)?.root == head.root
            else { throw BackupError.incomplete(path: path, log: head.name.id) }
        }
    }

    /// Writes the manifest and gives the folder its name: only now is it a backup.
    func finish(_ report: VerificationReport, time: String, as finished: BackupFolder) throws -> BackupManifest {
        let configuration = try NodeConfiguration.read(node)
        let (bytes, hash) = try BackupFolder.digest(of: events)
        let manifest = BackupManifest(
            format: BackupManifest.currentFormat, network: configuration.network, node: configuration.node,
            software: Software.name, time: time, logs: report.logs, entries: report.entries, bytes: bytes,
            sha256: hash)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try OwnerOnlyFile.write(
            String(decoding: try encoder.encode(manifest), as: UTF8.self) + "\n", to: self.manifest)
        try BackupFolder.rename(path, to: finished.path)
        return manifest
    }

    /// Reads the manifest.
    func readManifest() throws -> BackupManifest {
        let text = try OwnerOnlyFile.read(manifest, advice: "this is no backup made by 'varde backup'")
        let manifest: BackupManifest
        do {
            manifest = try JSONDecoder().decode(BackupManifest.self, from: Data(text.utf8))
        } catch {
            throw DirectoryError.unreadable(path: self.manifest, reason: "\(error)")
        }
        guard manifest.format == BackupManifest.currentFormat else {
            throw BackupError.unknownFormat(path: self.manifest, found: manifest.format)
        }
        return manifest
    }

    /// Bytes and SHA-256 of a file, read piece by piece.
    static func digest(of path: String) throws -> (bytes: Int, sha256: String) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw DirectoryError.missing(path: path, advice: "the backup is not whole")
        }
        defer { try? handle.close() }
        var hash = SHA256()
        var count = 0
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(data: piece)
            count += piece.count
        }
        return (count, [UInt8](hash.finalize()).hex)
    }

    /// Makes what a folder holds durable, and then its new name.
    static func rename(_ path: String, to target: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) { try synchronise(path + "/" + name) }
        try synchronise(path)
        guard Glibc.rename(path, target) == 0 else {
            throw DirectoryError.unwritable(path: target, reason: String(cString: strerror(errno)))
        }
        try synchronise(URL(filePath: target).deletingLastPathComponent().path)
    }

    private static func synchronise(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw DirectoryError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
    }
}
