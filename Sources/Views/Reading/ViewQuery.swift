import GRDBSQLite
import StoreCore

/// A value in the answer to a query.
public enum QueryValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// What a query gave beside its rows.
public struct QueryOutcome: Hashable, Sendable {
    /// The names of the columns.
    public var columns: [String]
    /// Rows that were given out.
    public var rows: Int
    /// Whether there would have been more.
    public var isCut: Bool
}

extension ViewReader {
    /// What a query may do, of SQLite's actions.
    private static let allowedActions: Set<Int32> = [SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE]
    /// Functions that reach beyond the file.
    private static let deniedFunctions: Set<String> = [
        "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer",
    ]
    /// Pragmas that only tell what there is.
    private static let allowedPragmas: Set<String> = ["table_info", "table_xinfo", "table_list"]

    /// Runs one statement that only reads, and gives out its rows one after another.
    ///
    /// The reader is of no other use after that: it stays barred from everything that is no query.
    /// - Parameters:
    ///   - sql: one statement.
    ///   - limit: rows at most.
    ///   - seconds: time at most.
    ///   - onColumns: gets the names of the columns before the first row.
    ///   - onRow: gets each row.
    /// - Throws: ``ViewError``, what the closures throw.
    public func query(
        _ sql: String, limit: Int, seconds: Int, onColumns: ([String]) throws -> Void = { _ in },
        onRow: ([QueryValue]) throws -> Void
    ) throws -> QueryOutcome {
        let tables = try tables()
        connection.authorise { action, first, second in
            switch action {
            case SQLITE_FUNCTION: !ViewReader.deniedFunctions.contains((second ?? "").lowercased())
            case SQLITE_PRAGMA: ViewReader.allowedPragmas.contains((first ?? "").lowercased())
            default: ViewReader.allowedActions.contains(action)
            }
        }
        let statement: Statement
        do {
            statement = try connection.prepare(sql)
        } catch {
            if error.code == SQLITE_AUTH || error.message.hasPrefix("not authorized") {
                throw ViewError.notAQuery(reason: error.message)
            }
            throw ViewError.badQuery(message: error.message, tables: tables)
        }
        defer { statement.finalize() }
        guard statement.isReadOnly else { throw ViewError.notAQuery(reason: "it would change something") }
        guard !statement.isFollowed else { throw ViewError.notAQuery(reason: "it is more than one statement") }
        let end = ContinuousClock.now + .seconds(seconds)
        connection.interrupt { ContinuousClock.now < end }
        return try run(statement, limit: limit, seconds: seconds, tables: tables, onColumns: onColumns, onRow: onRow)
    }

    private func run(
        _ statement: Statement, limit: Int, seconds: Int, tables: [String], onColumns: ([String]) throws -> Void,
        onRow: ([QueryValue]) throws -> Void
    ) throws -> QueryOutcome {
        let columns = 0..<statement.columnCount
        var outcome = QueryOutcome(columns: columns.map(statement.columnName), rows: 0, isCut: false)
        try onColumns(outcome.columns)
        do {
            while try statement.step() {
                guard outcome.rows < limit else {
                    outcome.isCut = true
                    break
                }
                outcome.rows += 1
                try onRow(columns.map(statement.value))
            }
        } catch let failure as DatabaseFailure {
            if failure.code == SQLITE_INTERRUPT { throw ViewError.queryTooLong(seconds: seconds) }
            throw ViewError.badQuery(message: failure.message, tables: tables)
        }
        return outcome
    }

    /// The names of the published tables and views.
    public func tables() throws -> [String] {
        try rows(
            """
            SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'
            AND name NOT GLOB '\(DatamartLayout.rowsPrefix)*' ORDER BY name
            """
        ) { $0.text(0) }
    }
}

extension Statement {
    fileprivate func value(_ column: Int32) -> QueryValue {
        switch type(column) {
        case SQLITE_INTEGER: .integer(int64(column))
        case SQLITE_FLOAT: .real(double(column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .blob(bytes(column))
        default: .null
        }
    }
}
