package import EventLog
import GRDBSQLite

/// A prepared statement, kept for as long as its connection lives.
///
/// Invariants:
/// - used on one thread, the connection's;
/// - between uses it is reset, so that it holds no lock and no snapshot.
package final class Statement {
    private var handle: OpaquePointer?
    private unowned let connection: Connection
    private let sql: String

    /// An empty text: a nil pointer would bind NULL.
    nonisolated(unsafe) private static let noText: UnsafePointer<CChar> = {
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        text.initialize(to: 0)
        return UnsafePointer(text)
    }()

    /// Tells SQLite to copy what is bound before the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(handle: OpaquePointer, connection: Connection, sql: String, isFollowed: Bool) {
        self.handle = handle
        self.isFollowed = isFollowed
        self.connection = connection
        self.sql = sql
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Gives the statement back to SQLite; it cannot be used after that.
    package func finalize() {
        sqlite3_finalize(handle)
        handle = nil
    }

    // MARK: Binding. A wrong position is a mistake in our own SQL, so it traps.

    package func bind(_ position: Int32, _ number: Int64) {
        precondition(sqlite3_bind_int64(handle, position, number) == SQLITE_OK, "no parameter \(position) in \(sql)")
    }

    /// Binds a size or index, all of which are below 2^63 (``MerkleFrontier/maximumSize``).
    package func bind(_ position: Int32, _ number: UInt64) {
        bind(position, Int64(number))
    }

    package func bind(_ position: Int32, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bind(position, $0) }
    }

    package func bind(_ position: Int32, _ buffer: UnsafeRawBufferPointer) {
        // A nil pointer would bind NULL, which is another value than no bytes.
        let code =
            buffer.isEmpty
            ? sqlite3_bind_zeroblob(handle, position, 0)
            : sqlite3_bind_blob64(
                handle, position, buffer.baseAddress, sqlite3_uint64(buffer.count), Statement.transient)
        precondition(code == SQLITE_OK, "cannot bind parameter \(position) in \(sql)")
    }

    package func bind(_ position: Int32, _ hash: Hash) {
        hash.withBytes { bind(position, $0) }
    }

    /// Binds a text whole, also one with U+0000 in it.
    package func bind(_ position: Int32, _ text: String) {
        var text = text
        let code = text.withUTF8 { buffer in
            sqlite3_bind_text(
                handle, position,
                UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self) ?? Statement.noText,
                Int32(buffer.count), Statement.transient)
        }
        precondition(code == SQLITE_OK, "cannot bind parameter \(position) in \(sql)")
    }

    package func bind(_ position: Int32, _ number: Double) {
        precondition(sqlite3_bind_double(handle, position, number) == SQLITE_OK, "no parameter \(position) in \(sql)")
    }

    /// Binds bytes that are UTF-8 as text.
    package func bind(_ position: Int32, utf8 bytes: [UInt8]) {
        let code = bytes.withUnsafeBytes { buffer in
            sqlite3_bind_text(
                handle, position, buffer.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Statement.noText,
                Int32(buffer.count), Statement.transient)
        }
        precondition(code == SQLITE_OK, "cannot bind parameter \(position) in \(sql)")
    }

    /// Makes every parameter NULL.
    package func clearBindings() {
        sqlite3_clear_bindings(handle)
    }

    package func bindNull(_ position: Int32) {
        precondition(sqlite3_bind_null(handle, position) == SQLITE_OK, "no parameter \(position) in \(sql)")
    }

    // MARK: Running

    /// Moves to the next row; false where there is none, or the statement gives none.
    package func step() throws(DatabaseFailure) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let failure = connection.failure(code, sql)
            // The reset repeats the error of the step.
            sqlite3_reset(handle)
            throw failure
        }
    }

    /// Runs a statement that gives no rows, and makes it ready for the next use.
    package func run() throws(DatabaseFailure) {
        _ = try step()
        sqlite3_reset(handle)
    }

    /// Gives up the current row and all that reading it holds.
    package func reset() {
        sqlite3_reset(handle)
    }

    // MARK: Columns of the current row

    package func int64(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    package func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// A size or index; a negative number, which only damage can put there, reads as a number that no log reaches.
    package func uint64(_ column: Int32) -> UInt64 {
        UInt64(bitPattern: int64(column))
    }

    package func bytes(_ column: Int32) -> [UInt8] {
        withBytes(column) { [UInt8]($0) }
    }

    package func hash(_ column: Int32) -> Hash? {
        withBytes(column) { Hash(buffer: $0) }
    }

    package func text(_ column: Int32) -> String {
        withBytes(column) { String(decoding: $0, as: UTF8.self) }
    }

    /// What kind of value a column holds: `SQLITE_INTEGER`, `SQLITE_FLOAT`, `SQLITE_TEXT`, `SQLITE_BLOB` or `SQLITE_NULL`.
    package func type(_ column: Int32) -> Int32 {
        sqlite3_column_type(handle, column)
    }

    package func double(_ column: Int32) -> Double {
        sqlite3_column_double(handle, column)
    }

    /// How many columns the statement gives.
    package var columnCount: Int32 { sqlite3_column_count(handle) }

    /// What a column is called.
    package func columnName(_ column: Int32) -> String {
        sqlite3_column_name(handle, column).map { String(cString: $0) } ?? ""
    }

    /// Whether running it changes nothing in any file.
    package var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }

    /// Whether text follows the statement in what it was prepared from, which would not be run.
    package let isFollowed: Bool

    private func withBytes<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        // The pointer must be asked for before the count: SQLite converts in the first call.
        let pointer = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return body(UnsafeRawBufferPointer(start: pointer, count: pointer == nil ? 0 : count))
    }
}
