public import EventLog
import Foundation
import StoreCore

/// What ``OfflineNode/exportLog(_:to:progress:)`` wrote.
public struct LogExportOutcome: Hashable, Sendable, Encodable {
    /// The log.
    public let log: LogID
    /// The origin of its checkpoints.
    public let origin: String
    /// The number of entries.
    public let size: UInt64
    /// The number of files, the checkpoint among them.
    public let files: Int
    /// The key that checks the checkpoint, for tools that know C2SP signed notes.
    public let verifierKey: String
}

extension OfflineNode {
    /// Writes a log as C2SP tlog-tiles into a folder, which any server of static files can host.
    ///
    /// A folder that holds an earlier export of the same log is brought up to date; the checkpoint is exchanged last, so
    /// that whoever reads it meanwhile finds every tile it calls for.
    ///
    /// - Parameter progress: called now and then with the number of entries written.
    /// - Throws: ``ProofMakingError``, ``DirectoryError``, ``StoreCore/StoreError``.
    public func exportLog(
        _ reference: String, to folder: String, progress: (UInt64, UInt64) -> Void
    ) throws -> LogExportOutcome {
        let log = try LogReference.find(reference, in: try reader.logs())
        guard let note = try reader.newestCheckpoint(of: log.name.id) else {
            throw ProofMakingError.noCheckpoint(log.name.id)
        }
        let checkpoint = try SignedCheckpoint(bytes: note)
        let key = try writerKey(of: log.name, signed: checkpoint)
        let size = checkpoint.checkpoint.size
        let target = TileFolder(path: folder)
        try target.prepare(for: log.name.origin, size: size)
        var tiles = LogTiles()
        var files = 1
        try reader.forEachEntry(alongHistoryOf: log.name.id, to: size) { stored in
            for file in tiles.append(stored.raw.header) {
                try target.write(file)
                files += 1
            }
            if tiles.size.isMultiple(of: 16_384) { progress(tiles.size, size) }
        }
        guard tiles.size == size, tiles.root == checkpoint.checkpoint.root else {
            throw StoreError.damaged("the entries of log \(log.name.id) do not lead to its newest checkpoint")
        }
        for file in tiles.partialFiles {
            try target.write(file)
            files += 1
        }
        try target.writeCheckpoint(note)
        return LogExportOutcome(
            log: log.name.id, origin: log.name.origin, size: size, files: files, verifierKey: key.text)
    }

    /// The key of the log's node that signed a head.
    private func writerKey(of log: LogName, signed: SignedCheckpoint) throws -> NoteVerifierKey {
        for (_, key) in chain.signingKeys(of: log.node).reversed() {
            let verifier = try chain.verifierKey(of: log, signingKey: key)
            if (try? signed.verify(with: verifier)) != nil { return verifier }
        }
        throw StoreError.damaged("the newest checkpoint of log \(log.id) is not signed by '\(log.node)'")
    }

    /// The verifier keys of every log held here, or of one, by each key that its node had; and of every witness.
    ///
    /// - Throws: ``ProofMakingError``, ``StoreCore/StoreError``.
    public func verifierKeys(ofLog reference: String?) throws -> VerifierKeys {
        let logs = try reader.logs()
        let asked = try reference.map { [try LogReference.find($0, in: logs)] } ?? logs
        // The branches of a forked log have its name and key.
        let names = asked.map(\.name.trunk)
        return try VerifierKeys(
            logs: names.enumerated().filter { names.firstIndex(of: $0.element) == $0.offset }.map(\.element),
            chain: chain)
    }
}

/// Standard C2SP verifier keys, to be given to tools that know signed notes.
public struct VerifierKeys: Hashable, Sendable, Encodable {
    /// A key of a log.
    public struct LogKey: Hashable, Sendable, Encodable {
        /// The log.
        public let log: LogID
        /// Its node.
        public let node: NodeID
        /// Its stream.
        public let stream: String
        /// The version of the charter that gave the node this key.
        public let charterVersion: UInt64
        /// `<origin>+<key id>+<base64>`.
        public let verifierKey: String
    }

    /// A key of a witness.
    public struct Witness: Hashable, Sendable, Encodable {
        /// Its node.
        public let node: NodeID
        /// Whether the newest charter still names it, at an admitted node.
        public let isCurrent: Bool
        /// `<key name>+<key id>+<base64>`.
        public let verifierKey: String
    }

    /// Of logs.
    public let logs: [LogKey]
    /// Of witnesses.
    public let witnesses: [Witness]

    /// What a charter gives for some logs, and for all witnesses.
    ///
    /// - Throws: ``EventLog/NoteVerifierKeyError`` for a key that is none.
    public init(logs: [LogName], chain: CharterChain) throws {
        self.logs = try logs.flatMap { log in
            try chain.signingKeys(of: log.node).map { number, key in
                LogKey(
                    log: log.id, node: log.node, stream: log.stream.description, charterVersion: number,
                    verifierKey: try chain.verifierKey(of: log, signingKey: key).text)
            }
        }
        witnesses = chain.witnessKeys().map {
            Witness(node: $0.name.node, isCurrent: $0.isCurrent, verifierKey: $0.key.text)
        }
    }
}

/// A folder of C2SP tlog-tiles. Its files may be read by others: a server has to.
private struct TileFolder {
    let path: String

    private var checkpoint: String { path + "/checkpoint" }

    /// Makes the folder; one that holds something else than an earlier, smaller export of the log is refused.
    func prepare(for origin: String, size: UInt64) throws {
        let manager = FileManager.default
        if let present = try? manager.contentsOfDirectory(atPath: path), !present.isEmpty {
            guard let data = manager.contents(atPath: checkpoint), data.count <= SignedCheckpoint.maximumByteCount,
                let earlier = try? SignedCheckpoint(bytes: [UInt8](data))
            else { throw ProofMakingError.folderInUse(path: path, reason: "there are files in it that are no export") }
            guard earlier.checkpoint.origin == origin else {
                throw ProofMakingError.folderInUse(path: path, reason: "it holds log '\(earlier.checkpoint.origin)'")
            }
            guard earlier.checkpoint.size <= size else {
                throw ProofMakingError.folderInUse(
                    path: path, reason: "it holds \(earlier.checkpoint.size) entries of the log, and here are \(size)")
            }
        }
        try makeFolder(path)
    }

    private func makeFolder(_ folder: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw DirectoryError.unwritable(path: folder, reason: error.localizedDescription)
        }
    }

    func write(_ file: LogTiles.File) throws {
        let target = path + "/" + file.path
        try makeFolder((target as NSString).deletingLastPathComponent)
        try exchange(file.bytes, at: target)
    }

    func writeCheckpoint(_ note: [UInt8]) throws { try exchange(note, at: checkpoint) }

    /// Puts a whole file in its place, so that nobody reads half of it.
    private func exchange(_ bytes: [UInt8], at target: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: target), options: .atomic)
        } catch {
            throw DirectoryError.unwritable(path: target, reason: error.localizedDescription)
        }
    }
}
