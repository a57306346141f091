public import EventLog

/// What can be read of an events file: by the store itself on its thread, or by a ``StoreReader`` beside it.
///
/// All functions throw ``StoreError`` or ``DatabaseFailure``. Within a transaction of the store they show what the
/// transaction has done so far, which is not durable yet: what leaves the node is read between transactions.
public protocol EventReading: AnyObject {
    /// The file.
    var tables: EventTables { get }
    /// Every log, in the order in which they came to be known.
    func logs() throws -> [StoredLog]
    /// One log, or branch of a forked log by its own id; nil where it is not known.
    func log(_ log: LogID) throws -> StoredLog?
    /// The branches of a log beside the row of its own name, in the order in which they came; none where it is not forked.
    func branches(of log: LogID) throws -> [StoredLog]
}

extension EventReading {
    /// Whose file it is.
    public var identity: StoreIdentity { tables.identity }

    /// How far every log is held.
    public func heads() throws -> [LogHead] {
        try logs().map(\.head)
    }

    /// How far one log is held; nil where it is not known.
    public func head(of log: LogID) throws -> LogHead? {
        try self.log(log)?.head
    }

    /// The logs that this node writes or wrote.
    public func ownLogs() throws -> [StoredLog] {
        try logs().filter(\.isOwn)
    }

    /// One entry; nil where it is not held.
    public func entry(at address: EntryAddress) throws -> StoredEntry? {
        guard let log = try log(address.log), (log.start..<log.head.size).contains(address.index) else { return nil }
        return try tables.cursor(
            branch: log.branch, log: address.log, from: address.index, to: address.index + 1
        ).advance()
    }

    /// Streams entries `from` up to, but not with, `to` (where nil: to the end) of a log, until `body` gives false. Of a
    /// branch of a forked log only its own entries come, not those before its first.
    public func forEachEntry(
        in log: LogID, from: UInt64 = 0, to: UInt64? = nil, _ body: (StoredEntry) throws -> Bool
    ) throws {
        guard let stored = try self.log(log) else { throw StoreError.unknownLog(log) }
        let from = max(from, stored.start)
        let end = min(to ?? stored.head.size, stored.head.size)
        guard from < end else { return }
        let cursor = try tables.cursor(branch: stored.branch, log: log, from: from, to: end)
        while let entry = try cursor.advance() {
            guard try body(entry) else { return }
        }
    }

    /// The leaf hash at an index of a log or branch; nil where it is not held. Proofs are made of these.
    public func leafHash(of log: LogID, at index: UInt64) throws -> Hash? {
        guard let stored = try self.log(log), index < stored.head.size else { return nil }
        return try leafHash(along: stored, at: index)
    }

    /// The frontier of the first `size` entries of a log or branch, from their leaf hashes; nil where fewer are held.
    public func frontier(of log: LogID, size: UInt64) throws -> MerkleFrontier? {
        guard let stored = try self.log(log), size <= stored.head.size else { return nil }
        return try frontier(along: stored, size: size)
    }

    /// The note of the checkpoint of exactly this size; nil where none is held.
    public func checkpoint(of log: LogID, size: UInt64) throws -> [UInt8]? {
        guard let stored = try self.log(log), size <= MerkleFrontier.maximumSize else { return nil }
        let statement = try tables.connection.cached("SELECT note FROM checkpoints WHERE branch = ?1 AND size = ?2")
        defer { statement.reset() }
        statement.bind(1, stored.branch)
        statement.bind(2, size)
        return try statement.step() ? statement.bytes(0) : nil
    }

    /// What SQLite says of a setting of the connection, such as `synchronous`.
    public func pragma(_ name: String) throws -> String {
        precondition(name.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) }, "no name of a pragma")
        return try tables.connection.text("PRAGMA \(name)")
    }

    /// The note of the newest checkpoint of a log; nil where none is held.
    public func newestCheckpoint(of log: LogID) throws -> [UInt8]? {
        guard let stored = try self.log(log) else { return nil }
        let statement = try tables.connection.cached(
            "SELECT note FROM checkpoints WHERE branch = ?1 ORDER BY size DESC LIMIT 1")
        defer { statement.reset() }
        statement.bind(1, stored.branch)
        return try statement.step() ? statement.bytes(0) : nil
    }

    /// The sizes of the checkpoints held of a log above `after` and up to `through`, growing.
    public func checkpointSizes(of log: LogID, after: UInt64 = 0, through: UInt64? = nil) throws -> [UInt64] {
        guard let stored = try self.log(log), after < MerkleFrontier.maximumSize else { return [] }
        let statement = try tables.connection.cached(
            "SELECT size FROM checkpoints WHERE branch = ?1 AND size > ?2 AND size <= ?3 ORDER BY size")
        defer { statement.reset() }
        statement.bind(1, stored.branch)
        statement.bind(2, after)
        statement.bind(3, min(through ?? stored.head.size, stored.head.size))
        var sizes: [UInt64] = []
        while try statement.step() { sizes.append(statement.uint64(0)) }
        return sizes
    }

    /// The answer that a command got; nil where this node has accepted none of this sender and id.
    public func receipt(actor: ActorID, command: CommandID) throws -> Receipt? {
        let statement = try tables.connection.cached(
            """
            SELECT logs.id, commands.leaf_index, entries.leaf, commands.digest FROM commands
            JOIN logs USING (branch) JOIN entries USING (branch, leaf_index)
            WHERE commands.command = ?1 AND commands.actor = ?2
            """)
        defer { statement.reset() }
        statement.bind(1, command.bytes)
        statement.bind(2, actor.bytes)
        guard try statement.step() else { return nil }
        guard let log = statement.hash(0), let leaf = statement.hash(2), let digest = statement.hash(3) else {
            throw StoreError.damaged("the receipt of command \(command) of actor \(actor) cannot be read")
        }
        return Receipt(
            address: EntryAddress(log: LogID(log), index: statement.uint64(1)), id: EntryID(leaf),
            contentDigest: digest)
    }
}
