import EventLog

/// What reads `events.sqlite`: a connection with its kept statements. Opaque outside this module.
public final class EventTables {
    let connection: Connection
    /// Roots in the middle of rows at which branches begin: they never change, and each costs a pass over the leaves.
    var rootsBeforeForks: [Int64: [UInt64: Hash]] = [:]
    /// Whose file it is.
    public let identity: StoreIdentity

    init(connection: Connection, identity: StoreIdentity) {
        self.connection = connection
        self.identity = identity
    }

    /// The columns of `logs` that ``storedLog(_:)`` reads, in its order.
    static let logColumns =
        "branch, log, node, stream, epoch, own, status, reason, seen_head, size, root, byte_count, frontier, hybrid_time, "
        + "parent, first, first_leaf"

    /// Reads the name of a row of `logs`, which may be wrong; nil where its parts cannot be read.
    func name(_ row: Statement) -> LogName? {
        guard let node = NodeID(row.text(2)), let stream = StreamID(row.text(3)), let epoch = Epoch(bytes: row.bytes(4))
        else { return nil }
        let name = LogName(network: identity.network, node: node, stream: stream, epoch: epoch)
        if row.isNull(14) { return name }
        guard let leaf = row.hash(16), row.uint64(15) <= MerkleFrontier.maximumSize else { return nil }
        return name.branch(at: ForkPoint(index: row.uint64(15), leaf: leaf))
    }

    /// Reads a row of `logs`.
    ///
    /// - Throws: ``StoreError/damaged(_:)`` where the row cannot be.
    func storedLog(_ row: Statement) throws -> (log: StoredLog, frontier: MerkleFrontier, hybridTime: UInt64) {
        let branch = row.int64(0)
        func damaged(_ what: String) -> StoreError { .damaged("log row \(branch): \(what)") }
        guard let name = name(row) else { throw damaged("the name cannot be read") }
        guard row.hash(1) == name.log.hash else { throw damaged("the log id is not that of its name") }
        guard let root = row.hash(10), row.uint64(9) <= MerkleFrontier.maximumSize else {
            throw damaged("size or root cannot be read")
        }
        guard let frontier = MerkleFrontier(bytes: row.bytes(12)), frontier.size == row.uint64(9), frontier.root == root
        else { throw damaged("frontier, size and root do not agree") }
        let log = StoredLog(
            branch: branch, head: LogHead(name: name, size: row.uint64(9), root: root),
            parent: row.isNull(14) ? nil : row.int64(14), byteCount: row.uint64(11), isOwn: row.int64(5) == 1,
            status: try status(row, name: name, damaged: damaged))
        return (log, frontier, row.uint64(13))
    }

    private func status(_ row: Statement, name: LogName, damaged: (String) -> StoreError) throws -> LogStatus {
        switch row.int64(6) {
        case 0: return .open
        case 1:
            guard let head = try? SignedCheckpoint(bytes: row.bytes(8)).checkpoint else {
                throw damaged("the head that suspended it cannot be read")
            }
            return .suspended(seen: LogHead(name: name, size: head.size, root: head.root))
        case 2:
            guard let reason = LogCloseReason(rawValue: row.int64(7)) else {
                throw damaged("the reason for closing it is not known")
            }
            return .closed(reason)
        default: throw damaged("the status is not known")
        }
    }

    /// The log id of a branch; nil for an unknown one.
    func logID(of branch: Int64) throws -> LogID? {
        let statement = try connection.cached("SELECT id FROM logs WHERE branch = ?1")
        defer { statement.reset() }
        statement.bind(1, branch)
        return try statement.step() ? statement.hash(0).map { LogID($0) } : nil
    }

    /// Opens a cursor over entries `from` up to, but not with, `to` of a branch. Each cursor has statements of its own.
    func cursor(branch: Int64, log: LogID, from: UInt64, to: UInt64) throws -> EntryCursor {
        try EntryCursor(tables: self, branch: branch, log: log, from: from, to: to)
    }
}

/// Steps through headers and bodies side by side: two scans in key order are cheaper than a join.
final class EntryCursor {
    private let headers: Statement
    private let bodies: Statement
    private let log: LogID
    private var next: UInt64
    private let end: UInt64

    init(tables: EventTables, branch: Int64, log: LogID, from: UInt64, to: UInt64) throws {
        headers = try tables.connection.prepare(
            "SELECT leaf_index, header, leaf FROM entries WHERE branch = ?1 AND leaf_index >= ?2 ORDER BY leaf_index")
        bodies = try tables.connection.prepare(
            "SELECT leaf_index, body FROM bodies WHERE branch = ?1 AND leaf_index >= ?2 ORDER BY leaf_index")
        for statement in [headers, bodies] {
            statement.bind(1, branch)
            statement.bind(2, from)
        }
        self.log = log
        next = from
        end = to
    }

    /// The next entry; nil at the end.
    ///
    /// - Throws: ``StoreError/damaged(_:)`` where a row is missing or its leaf hash has no 32 bytes.
    func advance() throws -> StoredEntry? {
        guard next < end else { return nil }
        guard try headers.step(), headers.uint64(0) == next else {
            throw StoreError.damaged("entry \(log)/\(next) is missing")
        }
        guard try bodies.step(), bodies.uint64(0) == next else {
            throw StoreError.damaged("the body of entry \(log)/\(next) is missing")
        }
        guard let leaf = headers.hash(2) else {
            throw StoreError.damaged("the leaf hash of entry \(log)/\(next) has not 32 bytes")
        }
        let entry = StoredEntry(
            address: EntryAddress(log: log, index: next),
            raw: RawEntry(header: headers.bytes(1), body: bodies.bytes(1)), id: EntryID(leaf))
        next += 1
        return entry
    }
}
