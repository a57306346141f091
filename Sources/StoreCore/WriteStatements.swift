import EventLog

/// The statements of the writing path, prepared once.
final class WriteStatements {
    private let entry: Statement
    private let body: Statement
    private let command: Statement
    private let checkpoint: Statement
    private let arrival: Statement
    private let log: Statement
    private let growth: Statement
    let begin: Statement
    let commit: Statement
    let savepoint: Statement
    let release: Statement

    init(_ connection: Connection) throws {
        entry = try connection.prepare("INSERT INTO entries (branch, leaf_index, header, leaf) VALUES (?1, ?2, ?3, ?4)")
        body = try connection.prepare("INSERT INTO bodies (branch, leaf_index, body) VALUES (?1, ?2, ?3)")
        command = try connection.prepare(
            """
            INSERT INTO commands (command, actor, branch, leaf_index, digest, is_request)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
        checkpoint = try connection.prepare("INSERT INTO checkpoints (branch, size, note) VALUES (?1, ?2, ?3)")
        arrival = try connection.prepare("INSERT INTO arrivals (branch, first, count) VALUES (?1, ?2, ?3)")
        log = try connection.prepare(
            """
            INSERT INTO logs (branch, id, log, node, stream, epoch, own, parent, first, first_leaf, size, root, frontier,
                status, byte_count, hybrid_time)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, ?11, ?12, 0, 0, 0)
            """)
        growth = try connection.prepare(
            """
            UPDATE logs SET status = ?2, reason = ?3, seen_head = ?4, size = ?5, root = ?6, frontier = ?7,
                byte_count = ?8, hybrid_time = ?9
            WHERE branch = ?1
            """)
        begin = try connection.prepare("BEGIN IMMEDIATE")
        commit = try connection.prepare("COMMIT")
        savepoint = try connection.prepare("SAVEPOINT command")
        release = try connection.prepare("RELEASE command")
    }

    /// Gives every statement back to SQLite, which can close a connection only then.
    func finalize() {
        for statement in [entry, body, command, checkpoint, arrival, log, growth, begin, commit, savepoint, release] {
            statement.finalize()
        }
    }

    func insertEntry(branch: Int64, index: UInt64, raw: RawEntry, leaf: Hash) throws(DatabaseFailure) {
        entry.bind(1, branch)
        entry.bind(2, index)
        entry.bind(3, raw.header)
        entry.bind(4, leaf)
        try entry.run()
        body.bind(1, branch)
        body.bind(2, index)
        body.bind(3, raw.body)
        try body.run()
    }

    func insertCommand(
        _ id: CommandID, actor: ActorID, branch: Int64, index: UInt64, digest: Hash, isRequest: Bool
    ) throws(DatabaseFailure) {
        command.bind(1, id.bytes)
        command.bind(2, actor.bytes)
        command.bind(3, branch)
        command.bind(4, index)
        command.bind(5, digest)
        command.bind(6, isRequest ? Int64(1) : 0)
        try command.run()
    }

    func insertCheckpoint(branch: Int64, size: UInt64, note: [UInt8]) throws(DatabaseFailure) {
        checkpoint.bind(1, branch)
        checkpoint.bind(2, size)
        checkpoint.bind(3, note)
        try checkpoint.run()
    }

    func insertArrival(branch: Int64, first: UInt64, count: UInt64) throws(DatabaseFailure) {
        arrival.bind(1, branch)
        arrival.bind(2, first)
        arrival.bind(3, count)
        try arrival.run()
    }

    func insertLog(_ state: LogState) throws(DatabaseFailure) {
        log.bind(1, state.branch)
        log.bind(2, state.name.id.hash)
        log.bind(3, state.name.log.hash)
        log.bind(4, state.name.node.text)
        log.bind(5, state.name.stream.description)
        log.bind(6, state.name.epoch.bytes)
        log.bind(7, state.isOwn ? Int64(1) : 0)
        if let parent = state.parent { log.bind(8, parent) } else { log.bindNull(8) }
        log.bind(9, state.name.start)
        if let fork = state.name.fork { log.bind(10, fork.leaf) } else { log.bindNull(10) }
        log.bind(11, state.frontier.root)
        log.bind(12, state.frontier.bytes)
        try log.run()
    }

    func updateLog(_ state: LogState, hybridTime: UInt64) throws(DatabaseFailure) {
        let columns = state.statusColumns
        growth.bind(1, state.branch)
        growth.bind(2, columns.status)
        if let reason = columns.reason { growth.bind(3, reason) } else { growth.bindNull(3) }
        if let head = state.seenHead { growth.bind(4, head) } else { growth.bindNull(4) }
        growth.bind(5, state.frontier.size)
        growth.bind(6, state.frontier.root)
        growth.bind(7, state.frontier.bytes)
        growth.bind(8, state.byteCount)
        growth.bind(9, Int64(bitPattern: hybridTime))
        try growth.run()
    }
}
