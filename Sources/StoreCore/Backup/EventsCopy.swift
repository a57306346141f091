import GRDBSQLite

/// A copy of an events file in the making, taken through a connection that is open already, some pages at a time.
///
/// Where the connection is the one that writes, what it commits between two steps is in the copy too: SQLite brings pages
/// that were copied before up to date. So the copy shows one moment, the last step's, and nobody waits longer than a step.
///
/// Invariants:
/// - used on the thread of the connection it copies from;
/// - a failure of the copy's own file is told to whoever copies, and never stops the connection it copies from;
/// - until ``step(pages:)`` gave false the copy is not whole; one that is given up is to be deleted.
public final class EventsCopy {
    /// How far a copy has come.
    public struct Progress: Hashable, Sendable {
        /// Pages copied.
        public let pages: Int
        /// Pages there are.
        public let total: Int
    }

    private let path: String
    private var target: OpaquePointer?
    private var copying: OpaquePointer?

    /// Opens the copy's file, which must not be there yet.
    init(from source: Connection, to path: String) throws {
        self.path = path
        var opened: OpaquePointer?
        let mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, mode, nil)
        target = opened
        guard code == SQLITE_OK else { throw failure(code, "open") }
        // A copy that was not finished is thrown away, so nothing need bring it back to where it was.
        try execute("PRAGMA journal_mode = OFF")
        try execute("PRAGMA synchronous = FULL")
        copying = sqlite3_backup_init(opened, "main", source.sqlite, "main")
        guard copying != nil else { throw failure(sqlite3_extended_errcode(opened), "begin") }
    }

    deinit {
        abandon()
    }

    /// How far the copy has come; all zeros before the first step.
    public var progress: Progress {
        let total = copying.map { Int(sqlite3_backup_pagecount($0)) } ?? 0
        return Progress(pages: total - (copying.map { Int(sqlite3_backup_remaining($0)) } ?? 0), total: total)
    }

    /// Copies at most so many pages more. With the last of them the copy is durable in a file that needs no other beside it.
    ///
    /// - Returns: false once the copy is whole.
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    public func step(pages: Int) throws -> Bool {
        guard let copying else { return false }
        let code = sqlite3_backup_step(copying, Int32(clamping: max(1, pages)))
        switch code & 0xFF {
        case SQLITE_OK, SQLITE_BUSY, SQLITE_LOCKED: return true
        case SQLITE_DONE: break
        default: throw failure(code, "copy to")
        }
        self.copying = nil
        let finished = sqlite3_backup_finish(copying)
        guard finished == SQLITE_OK else { throw failure(finished, "finish") }
        // The pages say that a write-ahead log lies beside them; a backup is one file.
        try execute("PRAGMA journal_mode = DELETE")
        let closed = sqlite3_close(target)
        guard closed == SQLITE_OK else { throw failure(closed, "close") }
        target = nil
        return false
    }

    /// Gives the copy up; nothing where it is whole.
    public func abandon() {
        if let copying { sqlite3_backup_finish(copying) }
        copying = nil
        if let target { sqlite3_close(target) }
        target = nil
    }

    private func execute(_ sql: String) throws {
        let code = sqlite3_exec(target, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    private func failure(_ code: Int32, _ action: String) -> StoreError {
        .file(path: path, action: "\(action) the copy", reason: String(cString: sqlite3_errstr(code)))
    }
}

extension EventReading {
    /// Begins a copy of the whole file.
    ///
    /// - Parameter path: a file that is not there yet, or is empty.
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    public func beginCopy(to path: String) throws -> EventsCopy {
        try SmallFile.makeFile(path)
        return try EventsCopy(from: tables.connection, to: path)
    }
}
