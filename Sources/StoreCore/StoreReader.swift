public import EventLog

/// Reads an events file beside the store that writes it, from any process: it can neither write nor copy the write-ahead
/// log, so it never is a second writer (DESIGN §7). Used from one thread.
///
/// Each call sees the file as it is then; entries, checkpoints and logs never change, so several calls add up, except that
/// an order may drop parts in between.
public final class StoreReader: EventReading {
    /// The kept statements.
    public let tables: EventTables

    /// Opens the events file of a data directory for reading.
    ///
    /// - Parameters:
    ///   - directory: the data directory.
    ///   - fileSystem: SQLite's virtual file system by name; nil for the system's own.
    /// - Throws: ``StoreError`` where there is no such file, or it is not of a format that this software knows.
    public convenience init(directory: String, fileSystem: String? = nil) throws {
        try self.init(path: StoreConfiguration.eventsFile(in: directory), fileSystem: fileSystem)
    }

    /// Opens an events file by its own path.
    init(path: String, fileSystem: String? = nil) throws {
        do {
            let connection = try Connection(path: path, access: .readOnly, vfs: fileSystem)
            try connection.execute(Schema.commonPragmas)
            try connection.execute("PRAGMA query_only = ON")
            guard try !StoreCore.isNew(connection) else { throw StoreError.notAnEventsFile(path: path) }
            tables = EventTables(connection: connection, identity: try StoreCore.readIdentity(connection))
        } catch let failure as DatabaseFailure {
            throw StoreError.database(failure)
        }
    }

    /// Every log, in the order in which they came to be known.
    public func logs() throws -> [StoredLog] {
        let statement = try tables.connection.cached("SELECT \(EventTables.logColumns) FROM logs ORDER BY branch")
        defer { statement.reset() }
        var logs: [StoredLog] = []
        while try statement.step() { logs.append(try tables.storedLog(statement).log) }
        return logs
    }

    /// One log; nil where it is not known.
    public func log(_ log: LogID) throws -> StoredLog? {
        let statement = try tables.connection.cached(
            "SELECT \(EventTables.logColumns) FROM logs WHERE id = ?1")
        defer { statement.reset() }
        statement.bind(1, log.hash)
        return try statement.step() ? try tables.storedLog(statement).log : nil
    }

    /// The branches of a log beside the row of its own name.
    public func branches(of log: LogID) throws -> [StoredLog] {
        let statement = try tables.connection.cached(
            "SELECT \(EventTables.logColumns) FROM logs WHERE log = ?1 AND parent IS NOT NULL ORDER BY branch")
        defer { statement.reset() }
        statement.bind(1, log.hash)
        var branches: [StoredLog] = []
        while try statement.step() { branches.append(try tables.storedLog(statement).log) }
        return branches
    }
}
