import Foundation
import GRDBSQLite
import Synchronization

/// SQLite's extended codes for a failing disk; Swift does not see them, because they are made by arithmetic in macros.
enum DiskFault {
    static let failedSync: Int32 = SQLITE_IOERR | 4 << 8
    static let failedWrite: Int32 = SQLITE_IOERR | 3 << 8
}

/// SQLite's own file system with faults: from a chosen operation on, every write, sync and truncation fails; and a picture
/// of every file as the disk would hold it if all that was not synced were lost.
final class FaultFileSystem: Sendable {
    /// What happened so far, and what is to happen.
    private struct State {
        var operations = 0
        var failing = Int.max...Int.max
        var failure = DiskFault.failedSync
        /// Files as they were at their last sync.
        var durable: [String: Data] = [:]
    }

    let name: String
    private let state = Mutex(State())

    /// Registers a file system of its own under a new name. It lives as long as the process.
    init() {
        name = "fault-\(UUID().uuidString)"
        guard let base = sqlite3_vfs_find(nil) else { preconditionFailure("SQLite has no file system") }
        let copy = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        copy.initialize(to: base.pointee)
        copy.pointee.pNext = nil
        copy.pointee.zName = UnsafePointer(strdup(name))
        copy.pointee.szOsFile = base.pointee.szOsFile + Int32(MemoryLayout<FileExtra>.stride)
        copy.pointee.pAppData = Unmanaged.passRetained(self).toOpaque()
        copy.pointee.xOpen = { vfs, name, file, flags, outFlags in
            FaultFileSystem.open(vfs, name, file, flags, outFlags)
        }
        copy.pointee.xDelete = { vfs, name, mustSyncDirectory in
            FaultFileSystem.delete(vfs, name, mustSyncDirectory)
        }
        sqlite3_vfs_register(copy, 0)
    }

    /// How many writes, syncs and truncations there were.
    var operations: Int { state.withLock { $0.operations } }

    /// From now on, operation number `number` (from 1, counted from the beginning) and all after it fail.
    func fail(from number: Int, with code: Int32 = DiskFault.failedSync) {
        state.withLock {
            $0.failing = number...Int.max
            $0.failure = code
        }
    }

    /// Operation number `number` (from 1, counted from the beginning) fails, and those after it succeed again.
    func fail(only number: Int, with code: Int32 = DiskFault.failedSync) {
        state.withLock {
            $0.failing = number...number
            $0.failure = code
        }
    }

    /// Writes a directory with every file as it was at its last sync: what a machine finds that lost its power.
    func writeDurableFiles(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (path, bytes) in state.withLock({ $0.durable }) {
            try bytes.write(to: URL(filePath: directory + "/" + URL(filePath: path).lastPathComponent))
        }
    }

    private func step() -> Int32? {
        state.withLock {
            $0.operations += 1
            return $0.failing.contains($0.operations) ? $0.failure : nil
        }
    }

    private func deleted(_ path: String) {
        state.withLock { $0.durable[path] = nil }
    }

    private func synced(_ path: String) {
        let bytes = FileManager.default.contents(atPath: path)
        state.withLock { $0.durable[path] = bytes }
    }
}

extension FaultFileSystem {
    /// What lies behind the file of SQLite's own.
    private struct FileExtra {
        var original: UnsafePointer<sqlite3_io_methods>
        var owner: UnsafeMutableRawPointer
        var path: UnsafeMutablePointer<CChar>
        var methods: UnsafeMutablePointer<sqlite3_io_methods>
    }

    private static let baseFileSize: Int = Int(sqlite3_vfs_find(nil)?.pointee.szOsFile ?? 0)

    private static func extra(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<FileExtra> {
        (UnsafeMutableRawPointer(file) + baseFileSize).assumingMemoryBound(to: FileExtra.self)
    }

    private static func open(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?,
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let vfs, let file, let base = sqlite3_vfs_find(nil) else { return SQLITE_CANTOPEN }
        let code = base.pointee.xOpen(base, name, file, flags, outFlags)
        guard code == SQLITE_OK, let original = file.pointee.pMethods, let name, let owner = vfs.pointee.pAppData else {
            return code
        }
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: original.pointee)
        extra(file).initialize(to: FileExtra(original: original, owner: owner, path: strdup(name), methods: methods))
        methods.pointee.xWrite = { file, bytes, count, offset in
            FaultFileSystem.run(file) { file, extra in extra.original.pointee.xWrite(file, bytes, count, offset) }
        }
        methods.pointee.xTruncate = { file, size in
            FaultFileSystem.run(file) { file, extra in extra.original.pointee.xTruncate(file, size) }
        }
        methods.pointee.xSync = { file, flags in
            FaultFileSystem.run(file) { file, extra in
                let code = extra.original.pointee.xSync(file, flags)
                if code == SQLITE_OK { FaultFileSystem.owner(of: extra).synced(String(cString: extra.path)) }
                return code
            }
        }
        methods.pointee.xClose = { file in
            guard let file else { return SQLITE_ERROR }
            let extra = FaultFileSystem.extra(file).pointee
            let code = extra.original.pointee.xClose(file)
            free(extra.path)
            extra.methods.deallocate()
            return code
        }
        file.pointee.pMethods = UnsafePointer(methods)
        return code
    }

    /// A file that is deleted without syncing its directory is back after a loss of power.
    private static func delete(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ mustSyncDirectory: Int32
    ) -> Int32 {
        guard let base = sqlite3_vfs_find(nil), let name, let owner = vfs?.pointee.pAppData else { return SQLITE_ERROR }
        let code = base.pointee.xDelete(base, name, mustSyncDirectory)
        if code == SQLITE_OK && mustSyncDirectory != 0 {
            Unmanaged<FaultFileSystem>.fromOpaque(owner).takeUnretainedValue().deleted(String(cString: name))
        }
        return code
    }

    private static func owner(of extra: FileExtra) -> FaultFileSystem {
        Unmanaged<FaultFileSystem>.fromOpaque(extra.owner).takeUnretainedValue()
    }

    /// Counts an operation, and lets it fail or happen.
    private static func run(
        _ file: UnsafeMutablePointer<sqlite3_file>?,
        _ body: (UnsafeMutablePointer<sqlite3_file>, FileExtra) -> Int32
    ) -> Int32 {
        guard let file else { return SQLITE_IOERR }
        let extra = extra(file).pointee
        if let failure = owner(of: extra).step() { return failure }
        return body(file, extra)
    }
}
