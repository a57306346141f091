import GRDBSQLite

/// One connection to an SQLite file through the C interface of the system's library.
///
/// Invariants:
/// - used on one thread (SQLite's own locking is off);
/// - `fatalFailure` is the first failure after which nothing on this connection may be trusted to be durable; it never
///   becomes nil again.
final class Connection {
    /// What the connection may do.
    enum Access {
        /// Read and write, and make the file where there is none.
        case readWrite
        /// Read a file that is there.
        case readOnly
    }

    /// The path of the file.
    let path: String
    private var handle: OpaquePointer?
    /// Pages in the write-ahead log after the last commit, told by SQLite.
    private let walPagesBox: UnsafeMutablePointer<Int32>
    private var statements: [String: Statement] = [:]
    private(set) var fatalFailure: DatabaseFailure?

    /// Opens the file through the virtual file system named `vfs`, or SQLite's own where nil.
    init(path: String, access: Access, vfs: String?) throws(DatabaseFailure) {
        self.path = path
        let mode =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readOnly: SQLITE_OPEN_READONLY
            }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(opened)
            throw DatabaseFailure(code: code, message: message, action: "open \(path)")
        }
        handle = opened
        walPagesBox = .allocate(capacity: 1)
        walPagesBox.initialize(to: 0)
    }

    deinit {
        close()
        walPagesBox.deallocate()
    }

    /// Makes a failure of what the library answered, and remembers it where it is fatal.
    func failure(_ code: Int32, _ action: String) -> DatabaseFailure {
        let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        let failure = DatabaseFailure(code: code, message: message, action: action)
        if failure.isFatal && fatalFailure == nil { fatalFailure = failure }
        return failure
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(DatabaseFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    /// Prepares one statement.
    func prepare(_ sql: String) throws(DatabaseFailure) -> Statement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(code, sql) }
        return Statement(handle: statement, connection: self, sql: sql)
    }

    /// The statement for `sql`, prepared on first use and kept. Never used by two readers at once.
    func cached(_ sql: String) throws(DatabaseFailure) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try prepare(sql)
        statements[sql] = statement
        return statement
    }

    /// The first column of the first row as a number; 0 where there is no row.
    func number(_ sql: String) throws(DatabaseFailure) -> Int64 {
        let statement = try prepare(sql)
        return try statement.step() ? statement.int64(0) : 0
    }

    /// The first column of the first row as text; empty where there is no row.
    func text(_ sql: String) throws(DatabaseFailure) -> String {
        let statement = try prepare(sql)
        return try statement.step() ? statement.text(0) : ""
    }

    /// True outside every transaction.
    var isAutocommit: Bool {
        handle.map { sqlite3_get_autocommit($0) != 0 } ?? true
    }

    // MARK: Write-ahead log

    /// Asks SQLite to tell the size of the write-ahead log after every commit.
    func watchWriteAheadLog() {
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, walPagesBox)
    }

    /// Pages in the write-ahead log after the last commit.
    var writeAheadLogPages: Int { Int(walPagesBox.pointee) }

    /// Copies the write-ahead log into the file: as much as readers allow, or all of it and cuts it to nothing.
    ///
    /// - Returns: false where readers were in the way of cutting.
    @discardableResult
    func checkpoint(truncating: Bool) throws(DatabaseFailure) -> Bool {
        let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
        if code & 0xFF == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else { throw failure(code, "checkpoint") }
        walPagesBox.pointee = 0
        return true
    }

    // MARK: Closing

    /// Closes the connection. After a fatal failure the handle is left to the end of the process instead: closing the
    /// last connection copies the write-ahead log into the file, and after a failed fsync nobody knows what of the log
    /// the disk holds.
    func close() {
        for statement in statements.values { statement.finalize() }
        statements = [:]
        if fatalFailure == nil { sqlite3_close_v2(handle) }
        handle = nil
    }
}
