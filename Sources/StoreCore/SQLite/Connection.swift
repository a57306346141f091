import GRDBSQLite

/// One connection to an SQLite file through the C interface of the system's library; for the modules of this package that
/// keep files of their own.
///
/// Invariants:
/// - used on one thread (SQLite's own locking is off);
/// - `fatalFailure` is the first failure after which nothing on this connection may be trusted to be durable; it never
///   becomes nil again.
package final class Connection {
    /// What the connection may do.
    package enum Access {
        /// Read and write, and make the file where there is none.
        case readWrite
        /// Read a file that is there.
        case readOnly
    }

    /// The path of the file.
    package let path: String
    private var handle: OpaquePointer?
    /// SQLite's own connection, for functions of the library that this type does not wrap; nil once it is closed.
    var sqlite: OpaquePointer? { handle }
    /// Pages in the write-ahead log after the last commit, told by SQLite.
    private let walPagesBox: UnsafeMutablePointer<Int32>
    private var statements: [String: Statement] = [:]
    private var authoriser: Authoriser?
    private var patience: Patience?
    private(set) var fatalFailure: DatabaseFailure?

    /// Opens the file through the virtual file system named `vfs`, or SQLite's own where nil.
    package init(path: String, access: Access, vfs: String?) throws(DatabaseFailure) {
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
    package func execute(_ sql: String) throws(DatabaseFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    /// Prepares one statement.
    package func prepare(_ sql: String) throws(DatabaseFailure) -> Statement {
        var statement: OpaquePointer?
        var isFollowed = false
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, &tail)
            let blanks: Set<CChar> = [0x20, 0x09, 0x0A, 0x0D, 0x3B]
            if let tail { isFollowed = String(cString: tail).utf8CString.dropLast().contains { !blanks.contains($0) } }
            return code
        }
        guard code == SQLITE_OK else { throw failure(code, sql) }
        guard let statement else { throw DatabaseFailure(code: SQLITE_MISUSE, message: "no statement", action: sql) }
        return Statement(handle: statement, connection: self, sql: sql, isFollowed: isFollowed)
    }

    /// The statement for `sql`, prepared on first use and kept. Never used by two readers at once.
    package func cached(_ sql: String) throws(DatabaseFailure) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try prepare(sql)
        statements[sql] = statement
        return statement
    }

    /// Forgets the pages kept in memory that are as they were read, so that what is read next is what is on the disk.
    func forgetCleanPages() {
        sqlite3_db_release_memory(handle)
    }

    /// The first column of the first row as a number; 0 where there is no row.
    package func number(_ sql: String) throws(DatabaseFailure) -> Int64 {
        let statement = try prepare(sql)
        return try statement.step() ? statement.int64(0) : 0
    }

    /// The first column of the first row as text; empty where there is no row.
    package func text(_ sql: String) throws(DatabaseFailure) -> String {
        let statement = try prepare(sql)
        defer { statement.finalize() }
        guard try statement.step() else { return "" }
        let text = statement.text(0)
        // To its end: `PRAGMA journal_mode` commits only after the row that says what it has done, and that may fail.
        while try statement.step() {}
        return text
    }

    /// True outside every transaction.
    package var isAutocommit: Bool {
        handle.map { sqlite3_get_autocommit($0) != 0 } ?? true
    }

    /// Asks `isAllowed` of every action of every statement prepared from now on; what it denies cannot be prepared.
    ///
    /// - Parameter isAllowed: gets SQLite's number of the action (`SQLITE_SELECT` and others) and its two texts.
    package func authorise(_ isAllowed: @escaping (Int32, String?, String?) -> Bool) {
        let box = Authoriser(isAllowed: isAllowed)
        authoriser = box
        sqlite3_set_authorizer(
            handle,
            { context, action, first, second, _, _ in
                guard let context else { return SQLITE_DENY }
                let box = Unmanaged<Authoriser>.fromOpaque(context).takeUnretainedValue()
                return box.isAllowed(action, first.map { String(cString: $0) }, second.map { String(cString: $0) })
                    ? SQLITE_OK : SQLITE_DENY
            }, Unmanaged.passUnretained(box).toOpaque())
    }

    /// Ends whatever statement runs once `mayGoOn` says no; asked about every hundred thousand steps of SQLite's machine.
    package func interrupt(unless mayGoOn: @escaping () -> Bool) {
        let box = Patience(mayGoOn: mayGoOn)
        patience = box
        sqlite3_progress_handler(
            handle, 100_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Patience>.fromOpaque(context).takeUnretainedValue().mayGoOn() ? 0 : 1
            }, Unmanaged.passUnretained(box).toOpaque())
    }

    // MARK: Write-ahead log

    /// Asks SQLite to tell the size of the write-ahead log after every commit.
    package func watchWriteAheadLog() {
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, walPagesBox)
    }

    /// Pages in the write-ahead log after the last commit.
    package var writeAheadLogPages: Int { Int(walPagesBox.pointee) }

    /// Copies the write-ahead log into the file: as much as readers allow, or all of it and cuts it to nothing.
    ///
    /// - Returns: false where readers were in the way of cutting.
    @discardableResult
    package func checkpoint(truncating: Bool) throws(DatabaseFailure) -> Bool {
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
    package func close() {
        for statement in statements.values { statement.finalize() }
        statements = [:]
        if fatalFailure == nil { sqlite3_close_v2(handle) }
        handle = nil
    }

    /// Closes the connection after a fatal failure too, where nothing can be written any more and the process goes on.
    package func discard() {
        for statement in statements.values { statement.finalize() }
        statements = [:]
        sqlite3_close_v2(handle)
        handle = nil
    }
}

/// Holds a function for SQLite's pointer to it.
private final class Authoriser {
    let isAllowed: (Int32, String?, String?) -> Bool

    init(isAllowed: @escaping (Int32, String?, String?) -> Bool) {
        self.isAllowed = isAllowed
    }
}

/// Holds a function for SQLite's pointer to it.
private final class Patience {
    let mayGoOn: () -> Bool

    init(mayGoOn: @escaping () -> Bool) {
        self.mayGoOn = mayGoOn
    }
}
