public import EventLog

extension EventReading {
    /// The entries of a log from `from` on, up to a checkpoint held: what is sent to a peer that asked for them.
    ///
    /// The range ends at the last checkpoint that keeps it within `maximumBytes` and the limits of ``RangeLimit``; where
    /// even the first checkpoint after `from` lies beyond `maximumBytes`, it ends there, so that every answer gets on.
    /// - Returns: nil where nothing is held from `from` on, what is held is damaged, or the log is not known.
    public func readRange(log: LogID, from: UInt64, maximumBytes: Int) throws -> EntryRange? {
        guard let stored = try self.log(log), (stored.start..<stored.head.size).contains(from) else { return nil }
        let last = min(stored.head.size, from + UInt64(RangeLimit.entries))
        let damage = try damage(in: stored, from: from)
        let sizes = try checkpointSizes(of: log, after: from, through: min(last, damage.firstEntry))
            .filter { !damage.checkpoints.contains($0) }
        guard let farthest = sizes.last else { return nil }
        let budget = min(maximumBytes, RangeLimit.bytes)

        var entries: [RawEntry] = []
        var cut: (count: Int, size: UInt64)?
        var byteCount = 0
        var remaining = sizes[...]
        let cursor = try tables.cursor(branch: stored.branch, log: log, from: from, to: farthest)
        while let entry = try cursor.advance(), let checkpoint = remaining.first {
            byteCount += entry.raw.byteCount
            if byteCount > RangeLimit.bytes || (byteCount > budget && cut != nil) { break }
            entries.append(entry.raw)
            if entry.address.index + 1 == checkpoint {
                remaining = remaining.dropFirst()
                cut = (entries.count, checkpoint)
                if byteCount > budget { break }
            }
        }
        guard let cut, let note = try checkpoint(of: log, size: cut.size) else { return nil }
        return EntryRange(log: log, start: from, entries: Array(entries[..<cut.count]), checkpoint: note)
    }

    /// The number of the newest arrival; 0 before the first.
    public func latestArrival() throws -> Int64 {
        let statement = try tables.connection.cached("SELECT max(arrival) FROM arrivals")
        defer { statement.reset() }
        return try statement.step() ? statement.int64(0) : 0
    }

    /// The arrivals after number `number`, in order, at most `limit` of them: where the entries are that came since.
    public func arrivals(after number: Int64, limit: Int) throws -> [Arrival] {
        let statement = try tables.connection.cached(
            """
            SELECT arrivals.arrival, logs.id, arrivals.first, arrivals.count FROM arrivals JOIN logs USING (branch)
            WHERE arrivals.arrival > ?1 ORDER BY arrivals.arrival LIMIT ?2
            """)
        defer { statement.reset() }
        statement.bind(1, number)
        statement.bind(2, Int64(max(0, limit)))
        var arrivals: [Arrival] = []
        while try statement.step() {
            guard let log = statement.hash(1) else {
                throw StoreError.damaged("arrival \(statement.int64(0)) names no log")
            }
            arrivals.append(
                Arrival(
                    number: statement.int64(0), log: LogID(log), first: statement.uint64(2), count: statement.uint64(3))
            )
        }
        return arrivals
    }

    /// The entries that came after arrival `number`, arrival by arrival, until about `limit` entries are read (one arrival
    /// at least, whole). Empty where nothing came.
    public func entries(sinceArrival number: Int64, limit: Int) throws -> [ArrivedEntries] {
        var batches: [ArrivedEntries] = []
        var count = 0
        var last = number
        while count < limit || batches.isEmpty {
            let next = try arrivals(after: last, limit: 64)
            if next.isEmpty { break }
            for arrival in next where count < limit || batches.isEmpty {
                var entries: [StoredEntry] = []
                try forEachEntry(in: arrival.log, from: arrival.first, to: arrival.first &+ arrival.count) {
                    entries.append($0)
                    return true
                }
                guard UInt64(entries.count) == arrival.count else {
                    throw StoreError.damaged("arrival \(arrival.number) names entries that are not held")
                }
                batches.append(ArrivedEntries(arrival: arrival, entries: entries))
                count += entries.count
                last = arrival.number
            }
        }
        return batches
    }
}
