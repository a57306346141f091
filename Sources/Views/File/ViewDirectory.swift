public import EventLog
import Glibc
import StoreCore

/// Where a node's views lie: `views/<study>/<generation>.sqlite`, and beside them a pointer that says which one is in
/// service.
///
/// Invariants:
/// - a generation's file is never renamed and never written anew: only the pointer is replaced, atomically;
/// - the pointer names only generations that were complete and on the disk when it did;
/// - a generation that somebody reads, which a shared lock on its `.use` file says, is not deleted.
public struct ViewDirectory: Sendable {
    /// The folder.
    public let path: String

    /// The views of a data directory; nothing is read or made.
    public init(dataDirectory: String) {
        path = dataDirectory + "/views"
    }

    func folder(_ study: StudyID) -> String { "\(path)/\(study)" }
    func file(_ study: StudyID, _ generation: Int) -> String { "\(folder(study))/\(generation).sqlite" }
    private func pointer(_ study: StudyID) -> String { "\(folder(study))/current" }
    private func useFile(_ study: StudyID, _ generation: Int) -> String { "\(folder(study))/\(generation).use" }

    /// The studies that a generation is in service of.
    public func studies() -> [StudyID] {
        names(in: path).compactMap { StudyID(hex: $0) }.filter { current($0) != nil }.sorted()
    }

    /// The generation in service; nil where there is none.
    public func current(_ study: StudyID) -> Int? {
        SmallFile.read(pointer(study), maximumBytes: 32).flatMap {
            Int(String(decoding: $0, as: UTF8.self).filter { !$0.isNewline })
        }
    }

    /// All generations that have a file, whether whole or left by a rebuild that did not end.
    public func generations(_ study: StudyID) -> [Int] {
        names(in: folder(study)).filter { $0.hasSuffix(".sqlite") }.compactMap { Int($0.dropLast(7)) }.sorted()
    }

    /// The number for a new generation: above every one that there is or was in service.
    func nextGeneration(_ study: StudyID) throws -> Int {
        try SmallFile.makeDirectory(folder(study))
        return max(generations(study).last ?? 0, current(study) ?? 0) + 1
    }

    /// Puts a generation into service: from here on every reader opens it.
    func point(_ study: StudyID, to generation: Int) throws {
        let target = pointer(study)
        let temporary = target + ".new"
        try synchronise(file(study, generation))
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        let text = [UInt8]("\(generation)\n".utf8)
        let isWritten = write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten else { throw failure("write", temporary) }
        guard rename(temporary, target) == 0 else { throw failure("rename", temporary) }
        try synchronise(folder(study))
    }

    private func synchronise(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("write to the disk", path) }
    }

    /// Deletes generations that are neither in service nor read nor `kept`.
    func removeOthers(_ study: StudyID, keeping kept: Set<Int>) {
        for generation in generations(study) where !kept.contains(generation) && generation != current(study) {
            // Who comes to read it between the lock and the deletion sees by the pointer that it was replaced.
            guard let lock = UseLock(useFile(study, generation), isExclusive: true) else { continue }
            remove(study, generation)
            unlink(useFile(study, generation))
            lock.release()
        }
    }

    /// Deletes the files of a generation that is not in service.
    func remove(_ study: StudyID, _ generation: Int) {
        let file = file(study, generation)
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(file + suffix) }
    }

    /// Takes the generation in service for reading: it is not deleted before the lock is given back.
    func use(_ study: StudyID) throws -> (generation: Int, lock: UseLock)? {
        // The pointer may move between reading it and locking; then what it names now is taken.
        for _ in 0..<100 {
            guard let generation = current(study) else { return nil }
            guard let lock = UseLock(useFile(study, generation), isExclusive: false) else { continue }
            if current(study) == generation { return (generation, lock) }
            lock.release()
        }
        throw ViewError.file(path: pointer(study), action: "follow", reason: "it does not come to rest")
    }

    private func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private func failure(_ action: String, _ path: String) -> ViewError {
        .file(path: path, action: action, reason: String(cString: strerror(errno)))
    }
}

/// A lock on a small file beside a generation. Not on the generation itself: closing any descriptor of that would give up
/// SQLite's own locks.
final class UseLock {
    private var descriptor: Int32

    /// Takes the lock without waiting; nil where another holds one that forbids it.
    init?(_ path: String, isExclusive: Bool) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, (isExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit { release() }

    /// Gives the lock back; a second call does nothing.
    func release() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}

extension ViewDirectory {
    /// Puts a generation that was built into service, and deletes those that nobody needs any more.
    ///
    /// - Parameter kept: a generation to leave in any case.
    public func putInService(_ built: BuiltGeneration, keeping kept: Set<Int> = []) throws {
        try prepareForService(built)
        try point(built.study, to: built.generation)
        removeOthers(built.study, keeping: kept)
    }

    /// Makes the file of a generation that was built one that readers and a writer can share.
    func prepareForService(_ built: BuiltGeneration) throws {
        try ViewFile.prepareForService(file(built.study, built.generation))
    }
}
