import GRDBSQLite
import Glibc

/// SQLite's view of a ``MemoryDisk``: a virtual file system with the write-ahead log's shared memory.
///
/// SQLite asks for files by these functions of C; each finds its disk in the file system's own pointer, or its file in the
/// bytes after SQLite's.
final class MemoryFileSystem {
    private let table: UnsafeMutablePointer<sqlite3_vfs>
    private let cName: UnsafeMutablePointer<CChar>

    init(name: String) {
        guard let base = sqlite3_vfs_find(nil) else { preconditionFailure("SQLite has no file system") }
        cName = strdup(name)
        table = .allocate(capacity: 1)
        // Clock, randomness and the like are the system's.
        table.initialize(to: base.pointee)
        table.pointee.pNext = nil
        table.pointee.zName = UnsafePointer(cName)
        table.pointee.szOsFile = Int32(MemoryLayout<OpenFile>.stride)
        table.pointee.xOpen = { MemoryFileSystem.open($0, $1, $2, $3, $4) }
        table.pointee.xDelete = { MemoryFileSystem.delete($0, $1, $2) }
        table.pointee.xAccess = { vfs, path, _, result in
            guard let disk = MemoryFileSystem.disk(vfs), let path else { return SQLITE_IOERR }
            result?.pointee = disk.files[String(cString: path)] == nil ? 0 : 1
            return SQLITE_OK
        }
        table.pointee.xFullPathname = { _, path, size, result in
            guard let path, let result, strlen(path) < Int(size) else { return SQLITE_CANTOPEN }
            strcpy(result, path)
            return SQLITE_OK
        }
    }

    func register(_ disk: MemoryDisk) {
        table.pointee.pAppData = Unmanaged.passUnretained(disk).toOpaque()
        sqlite3_vfs_register(table, 0)
    }

    func unregister() {
        sqlite3_vfs_unregister(table)
        table.deinitialize(count: 1)
        table.deallocate()
        free(cName)
    }

    private static func disk(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> MemoryDisk? {
        vfs?.pointee.pAppData.map { Unmanaged<MemoryDisk>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func open(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?,
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let disk = disk(vfs), let file else { return SQLITE_CANTOPEN }
        file.pointee.pMethods = nil
        guard !disk.isStopped else { return SQLITE_IOERR }
        let opened: MemoryFile
        if let path {
            let path = String(cString: path)
            guard disk.files[path] != nil || flags & SQLITE_OPEN_CREATE != 0 else { return SQLITE_CANTOPEN }
            opened = disk.file(path)
        } else {
            opened = MemoryFile([])
        }
        let memory = UnsafeMutableRawPointer(file).assumingMemoryBound(to: OpenFile.self)
        memory.initialize(
            to: OpenFile(
                methods: OpenFile.methods, file: Unmanaged.passRetained(opened), disk: Unmanaged.passRetained(disk)))
        outFlags?.pointee = flags
        return SQLITE_OK
    }

    private static func delete(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ mustSync: Int32
    ) -> Int32 {
        guard let disk = disk(vfs), let path else { return SQLITE_IOERR }
        if disk.begin(.delete) != nil { return SQLITE_IOERR }
        disk.files[String(cString: path)] = nil
        return SQLITE_OK
    }
}

/// What lies behind SQLite's pointer to an open file. Its first field must be SQLite's own.
struct OpenFile {
    var methods: UnsafePointer<sqlite3_io_methods>?
    var file: Unmanaged<MemoryFile>
    var disk: Unmanaged<MemoryDisk>

    /// SQLite's extended codes, which Swift does not see because they are made by arithmetic in macros.
    private enum Code {
        static let shortRead: Int32 = SQLITE_IOERR | 2 << 8
        static let failedWrite: Int32 = SQLITE_IOERR | 3 << 8
        static let failedSync: Int32 = SQLITE_IOERR | 4 << 8
        static let powersafeOverwrite: Int32 = 0x1000
    }

    nonisolated(unsafe) static let methods: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        methods.pointee.iVersion = 2
        methods.pointee.xClose = { OpenFile.close($0) }
        methods.pointee.xRead = { OpenFile.read($0, $1, $2, $3) }
        methods.pointee.xWrite = { OpenFile.write($0, $1, $2, $3) }
        methods.pointee.xTruncate = { OpenFile.truncate($0, $1) }
        methods.pointee.xSync = { file, _ in OpenFile.sync(file) }
        methods.pointee.xFileSize = { file, size in
            size?.pointee = sqlite3_int64(OpenFile.of(file)?.memory.bytes.count ?? 0)
            return SQLITE_OK
        }
        // One process, so that locks of the file itself are held by nobody else.
        methods.pointee.xLock = { _, _ in SQLITE_OK }
        methods.pointee.xUnlock = { _, _ in SQLITE_OK }
        methods.pointee.xCheckReservedLock = { _, result in
            result?.pointee = 0
            return SQLITE_OK
        }
        methods.pointee.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        methods.pointee.xSectorSize = { _ in 4096 }
        methods.pointee.xDeviceCharacteristics = { _ in Code.powersafeOverwrite }
        methods.pointee.xShmMap = { file, number, byteCount, isMade, result in
            guard let memory = OpenFile.of(file)?.memory else { return SQLITE_IOERR }
            let region = memory.region(Int(number), byteCount: Int(byteCount), isMade: isMade != 0)
            result?.pointee = region
            return SQLITE_OK
        }
        methods.pointee.xShmLock = { OpenFile.lockIndex($0, Int($1), Int($2), $3) }
        methods.pointee.xShmBarrier = { _ in }
        methods.pointee.xShmUnmap = { _, _ in SQLITE_OK }
        return UnsafePointer(methods)
    }()

    private var memory: MemoryFile { file.takeUnretainedValue() }
    private var device: MemoryDisk { disk.takeUnretainedValue() }

    private static func of(_ file: UnsafeMutablePointer<sqlite3_file>?) -> OpenFile? {
        file.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: OpenFile.self).pointee }
    }

    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard let opened = of(file) else { return SQLITE_OK }
        opened.file.release()
        opened.disk.release()
        file?.pointee.pMethods = nil
        return SQLITE_OK
    }

    private static func read(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ bytes: UnsafeMutableRawPointer?, _ count: Int32,
        _ offset: sqlite3_int64
    ) -> Int32 {
        guard let opened = of(file), let bytes, !opened.memory.isGone, !opened.device.isStopped else {
            return SQLITE_IOERR
        }
        let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
        return opened.memory.read(into: buffer, at: Int(offset)) ? SQLITE_OK : Code.shortRead
    }

    private static func write(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ bytes: UnsafeRawPointer?, _ count: Int32,
        _ offset: sqlite3_int64
    ) -> Int32 {
        guard let opened = of(file), let bytes, !opened.memory.isGone else { return Code.failedWrite }
        let all = UnsafeRawBufferPointer(start: bytes, count: Int(count))
        switch opened.device.begin(.write) {
        case nil:
            opened.memory.write(Array(all), at: Int(offset))
            return SQLITE_OK
        case .stopping:
            // The write that the machine stops in comes to any part of itself.
            opened.memory.write(Array(all.prefix(Int(count) / 2)), at: Int(offset))
            return Code.failedWrite
        case .failure(.full): return SQLITE_FULL
        case .stopped, .failure: return Code.failedWrite
        }
    }

    private static func truncate(_ file: UnsafeMutablePointer<sqlite3_file>?, _ size: sqlite3_int64) -> Int32 {
        guard let opened = of(file), !opened.memory.isGone, opened.device.begin(.truncate) == nil else {
            return SQLITE_IOERR
        }
        opened.memory.truncate(to: Int(size))
        return SQLITE_OK
    }

    private static func sync(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard let opened = of(file), !opened.memory.isGone, opened.device.begin(.sync) == nil else {
            return Code.failedSync
        }
        opened.memory.sync()
        return SQLITE_OK
    }

    private static func lockIndex(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ first: Int, _ count: Int, _ flags: Int32
    ) -> Int32 {
        guard let memory = of(file)?.memory else { return SQLITE_IOERR }
        let isShared = flags & SQLITE_SHM_SHARED != 0
        let slots = first..<first + count
        if flags & SQLITE_SHM_UNLOCK != 0 {
            for slot in slots { memory.indexLocks[slot] = isShared ? max(0, memory.indexLocks[slot] - 1) : 0 }
            return SQLITE_OK
        }
        for slot in slots where isShared ? memory.indexLocks[slot] < 0 : memory.indexLocks[slot] != 0 {
            return SQLITE_BUSY
        }
        for slot in slots { memory.indexLocks[slot] = isShared ? memory.indexLocks[slot] + 1 : -1 }
        return SQLITE_OK
    }
}
