public import EventLog

/// What became of a head that was to be vouched for.
public enum WitnessOutcome: Hashable, Sendable {
    /// It is the newest of its log now, as soon as the transaction is durable.
    case stored
    /// Another head than the one said is the newest: nothing was changed.
    case otherNewest(StatedHead?)
    /// The entries held here have another root at the size that was vouched for before: nothing was changed.
    case contradictsHeld(StatedHead)
}

/// A head that this node vouched for.
public struct WitnessedHead: Hashable, Sendable {
    /// The head.
    public let head: StatedHead
    /// Who writes the log.
    public let writer: NodeID
}

extension StoreCore {
    /// Makes a head the newest that this node has vouched for. It may be signed only once the transaction is durable.
    ///
    /// - Parameters:
    ///   - head: the head.
    ///   - newest: the head that is the newest now, as the caller believes; nil for none.
    ///   - writer: who writes the log.
    public func storeWitnessed(
        _ head: StatedHead, after newest: StatedHead?, writer: NodeID
    ) throws -> WitnessOutcome {
        try requireWritable()
        let stored = try witnessed(of: head.log)?.head
        guard stored == newest, head.size > newest?.size ?? 0 else { return .otherNewest(stored) }
        if let newest, let held = try log(head.log), held.head.size >= newest.size,
            try root(of: head.log, size: newest.size) != newest.root
        {
            return .contradictsHeld(newest)
        }
        let statement = try connection.cached(
            """
            INSERT INTO witnessed (log, writer, size, root) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root
            """)
        statement.bind(1, head.log.hash)
        statement.bind(2, writer.text)
        statement.bind(3, head.size)
        statement.bind(4, head.root)
        try statement.run()
        return .stored
    }

    /// Keeps a cosignature whose signature the caller has verified, unless one over as large a head is kept for its key.
    ///
    /// - Returns: false where the entries held contradict it: then it is not kept.
    public func storeCosignature(_ row: KeptCosignature) throws -> Bool {
        try requireWritable()
        if let held = try log(row.head.log), held.head.size >= row.head.size,
            try root(of: row.head.log, size: row.head.size) != row.head.root
        {
            return false
        }
        let statement = try connection.cached(
            """
            INSERT INTO cosignatures (log, node, key_number, size, root, unix_seconds, signature)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (log, node, key_number) DO UPDATE SET size = excluded.size, root = excluded.root,
                unix_seconds = excluded.unix_seconds, signature = excluded.signature
            WHERE excluded.size > size
            """)
        statement.bind(1, row.head.log.hash)
        statement.bind(2, row.witness.node.text)
        statement.bind(3, Int64(row.witness.number))
        statement.bind(4, row.head.size)
        statement.bind(5, row.head.root)
        statement.bind(6, row.unixSeconds)
        statement.bind(7, row.signature)
        try statement.run()
        return true
    }

    /// Remembers that a witness key of this node's is never to be used again.
    public func retireWitnessKey(_ key: WitnessPublicKey, reason: String, time: NodeTime) throws {
        try requireWritable()
        let statement = try connection.cached(
            """
            INSERT INTO retired_witness_keys (public_key, reason, utc_milliseconds) VALUES (?1, ?2, ?3)
            ON CONFLICT DO NOTHING
            """)
        statement.bind(1, key.hash)
        statement.bind(2, reason)
        statement.bind(3, time.utcMilliseconds)
        try statement.run()
    }
}

extension EventReading {
    /// Every cosignature that is kept, by log, witness and number of the key; of one log where one is given.
    public func cosignatures(of log: LogID? = nil) throws -> [KeptCosignature] {
        let statement = try tables.connection.prepare(
            """
            SELECT log, node, key_number, size, root, unix_seconds, signature FROM cosignatures
            WHERE ?1 IS NULL OR log = ?1 ORDER BY log, node, key_number
            """)
        if let log { statement.bind(1, log.hash) } else { statement.bindNull(1) }
        var rows: [KeptCosignature] = []
        while try statement.step() {
            guard let log = statement.hash(0), let node = NodeID(statement.text(1)),
                let number = UInt32(exactly: statement.int64(2)), let root = statement.hash(4)
            else { throw StoreError.damaged("a cosignature cannot be read") }
            rows.append(
                KeptCosignature(
                    head: StatedHead(log: LogID(log), size: statement.uint64(3), root: root),
                    witness: WitnessName(network: identity.network, node: node, number: number),
                    unixSeconds: statement.uint64(5), signature: statement.bytes(6)))
        }
        return rows
    }

    /// Every head that this node has vouched for last.
    public func witnessed() throws -> [WitnessedHead] {
        let statement = try tables.connection.prepare("SELECT log, writer, size, root FROM witnessed ORDER BY log")
        var heads: [WitnessedHead] = []
        while try statement.step() { heads.append(try Self.witnessedHead(statement)) }
        return heads
    }

    /// The head of a log that this node has vouched for last; nil where it never did.
    public func witnessed(of log: LogID) throws -> WitnessedHead? {
        let statement = try tables.connection.cached("SELECT log, writer, size, root FROM witnessed WHERE log = ?1")
        defer { statement.reset() }
        statement.bind(1, log.hash)
        return try statement.step() ? try Self.witnessedHead(statement) : nil
    }

    private static func witnessedHead(_ row: Statement) throws -> WitnessedHead {
        guard let log = row.hash(0), let writer = NodeID(row.text(1)), let root = row.hash(3) else {
            throw StoreError.damaged("a head that this node vouched for cannot be read")
        }
        return WitnessedHead(head: StatedHead(log: LogID(log), size: row.uint64(2), root: root), writer: writer)
    }

    /// Why a witness key is not to be used any more; nil where it may be.
    public func retirement(of key: WitnessPublicKey) throws -> String? {
        let statement = try tables.connection.cached(
            "SELECT reason FROM retired_witness_keys WHERE public_key = ?1")
        defer { statement.reset() }
        statement.bind(1, key.hash)
        return try statement.step() ? statement.text(0) : nil
    }
}
