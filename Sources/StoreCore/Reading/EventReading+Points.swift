public import EventLog

extension EventReading {
    /// One entry of a log by the number that stands for the log in this file, without looking the log up again: for readers
    /// that ask for very many.
    ///
    /// - Throws: ``StoreError/damaged(_:)`` where it is not held.
    public func entry(in log: StoredLog, at index: UInt64) throws -> StoredEntry {
        let address = EntryAddress(log: log.name.id, index: index)
        let row = try tables.connection.cached(
            """
            SELECT entries.header, entries.leaf, bodies.body FROM entries JOIN bodies USING (branch, leaf_index)
            WHERE entries.branch = ?1 AND entries.leaf_index = ?2
            """)
        defer { row.reset() }
        row.bind(1, log.branch)
        row.bind(2, index)
        guard try row.step(), let leaf = row.hash(1) else {
            throw StoreError.damaged("entry \(address) or its body is missing")
        }
        return StoredEntry(
            address: address, raw: RawEntry(header: row.bytes(0), body: row.bytes(2)), id: EntryID(leaf))
    }

    /// How far every log was held at the end of an arrival, for logs of which anything was.
    public func heads(atArrival number: Int64) throws -> [LogID: UInt64] {
        let row = try tables.connection.cached(
            """
            SELECT logs.id, max(arrivals.first + arrivals.count) FROM arrivals JOIN logs USING (branch)
            WHERE arrivals.arrival <= ?1 GROUP BY branch
            """)
        defer { row.reset() }
        row.bind(1, number)
        var heads: [LogID: UInt64] = [:]
        while try row.step() {
            guard let log = row.hash(0) else { throw StoreError.damaged("an arrival names no log") }
            heads[LogID(log)] = row.uint64(1)
        }
        return heads
    }

    /// The leaf hash of the last entry of an arrival: says whether another file, or this one after a restore, had the same
    /// arrival. Nil where there is no such arrival.
    public func leafHash(atArrival number: Int64) throws -> Hash? {
        guard let arrival = try arrivals(after: number - 1, limit: 1).first, arrival.number == number else {
            return nil
        }
        return try leafHash(of: arrival.log, at: arrival.first + arrival.count - 1)
    }
}
