import EventLog

extension StoreCore {
    /// Opens the file, or founds it, with every setting of the one connection that writes.
    static func open(
        _ configuration: StoreConfiguration, generator: inout any RandomNumberGenerator
    ) throws -> EventTables {
        let path = StoreConfiguration.eventsFile(in: configuration.directory)
        try configuration.files.makeFile(path)
        do {
            let connection = try Connection(path: path, access: .readWrite, vfs: configuration.fileSystem)
            try connection.execute(Schema.commonPragmas)
            let isNew = try StoreCore.isNew(connection)
            // The change of the journal mode is the one transaction with a rollback journal. Its deletion must reach the
            // disk before anything is committed to the write-ahead log: else a loss of power could bring the journal back,
            // and with it the empty file. EXTRA syncs the directory; FULL is enough from then on.
            try connection.execute("PRAGMA synchronous = EXTRA")
            guard try connection.text("PRAGMA journal_mode = WAL") == "wal" else {
                throw StoreError.file(
                    path: path, action: "keep a write-ahead log for", reason: "SQLite cannot do so here")
            }
            try connection.execute(Schema.writerPragmas)
            if isNew { try found(connection, configuration, generator: &generator) }
            try connection.execute(WitnessTables.create)
            let identity = try readIdentity(connection)
            guard identity.network == configuration.network, identity.node == configuration.node else {
                throw StoreError.otherNode(
                    found: "node \(identity.node) of network \(identity.network)",
                    expected: "node \(configuration.node) of network \(configuration.network)")
            }
            connection.watchWriteAheadLog()
            return EventTables(connection: connection, identity: identity)
        } catch let failure as DatabaseFailure {
            throw StoreError.database(failure)
        }
    }

    /// Whether the file holds nothing yet.
    ///
    /// - Throws: ``StoreError/notAnEventsFile(path:)`` or ``StoreError/unknownFormat(path:found:)`` before anything is
    ///   changed.
    static func isNew(_ connection: Connection) throws -> Bool {
        let applicationID: Int64
        do throws(DatabaseFailure) {
            applicationID = try connection.number("PRAGMA application_id")
            if applicationID == 0, try connection.number("SELECT count(*) FROM sqlite_schema") == 0 { return true }
        } catch {
            throw error.isForeignFile ? StoreError.notAnEventsFile(path: connection.path) : StoreError.database(error)
        }
        guard applicationID == Schema.applicationID else { throw StoreError.notAnEventsFile(path: connection.path) }
        let version = try connection.number("PRAGMA user_version")
        guard version == Schema.formatVersion else {
            throw StoreError.unknownFormat(path: connection.path, found: version)
        }
        return false
    }

    private static func found(
        _ connection: Connection, _ configuration: StoreConfiguration, generator: inout any RandomNumberGenerator
    ) throws {
        try connection.execute("BEGIN IMMEDIATE")
        try connection.execute(Schema.create)
        let statement = try connection.prepare(
            "INSERT INTO meta (id, format, incarnation, network, node) VALUES (1, ?1, ?2, ?3, ?4)")
        statement.bind(1, Schema.formatVersion)
        statement.bind(2, RandomName(using: &generator).bytes)
        statement.bind(3, configuration.network.text)
        statement.bind(4, configuration.node.text)
        try statement.run()
        try connection.execute("PRAGMA application_id = \(Schema.applicationID)")
        try connection.execute("PRAGMA user_version = \(Schema.formatVersion)")
        try connection.execute("COMMIT")
    }

    /// Reads whose file it is.
    static func readIdentity(_ connection: Connection) throws -> StoreIdentity {
        let statement = try connection.prepare("SELECT format, incarnation, network, node FROM meta")
        guard try statement.step() else { throw StoreError.damaged("the file does not say whose it is") }
        guard statement.int64(0) == Schema.formatVersion else {
            throw StoreError.unknownFormat(path: connection.path, found: statement.int64(0))
        }
        guard let incarnation = RandomName(bytes: statement.bytes(1)), let network = NetworkID(statement.text(2)),
            let node = NodeID(statement.text(3))
        else { throw StoreError.damaged("the file does not say whose it is") }
        return StoreIdentity(incarnation: incarnation, network: network, node: node)
    }

    /// Every log with its frontier, and the latest hybrid time that any of them knew.
    static func loadLogs(_ tables: EventTables) throws -> (states: [LogState], hybridTime: UInt64) {
        let statement = try tables.connection.prepare("SELECT \(EventTables.logColumns) FROM logs ORDER BY branch")
        var states: [LogState] = []
        var hybridTime: UInt64 = 0
        while try statement.step() {
            let row = try tables.storedLog(statement)
            states.append(
                LogState(
                    row.log, frontier: row.frontier, seenHead: statement.isNull(8) ? nil : statement.bytes(8)))
            hybridTime = max(hybridTime, row.hybridTime)
        }
        return (states, hybridTime)
    }

    static func judgeStart(
        _ lastHeads: HeadFile??, states: [LogState], _ directory: DirectoryIdentity,
        _ configuration: StoreConfiguration, _ tables: EventTables
    ) throws -> StartVerdict {
        var heads: [LogID: HeadFile.Head] = [:]
        var branches: [LogID: Int64] = [:]
        for state in states where state.isOwn && state.status == .open {
            heads[state.name.id] = HeadFile.Head(size: state.frontier.size, root: state.frontier.root)
            branches[state.name.id] = state.branch
        }
        return try StartGuard.judge(
            lastHeads, directory: directory, machine: configuration.machine, heads: heads
        ) { log, size in
            guard let branch = branches[log], size <= MerkleFrontier.maximumSize else { return nil }
            let statement = try tables.connection.prepare(
                "SELECT note FROM checkpoints WHERE branch = ?1 AND size = ?2")
            statement.bind(1, branch)
            statement.bind(2, size)
            guard try statement.step() else { return nil }
            return try? SignedCheckpoint(bytes: statement.bytes(0)).checkpoint.root
        }
    }
}
