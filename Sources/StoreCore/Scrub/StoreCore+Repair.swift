public import EventLog

extension StoreCore {
    /// Remembers places that were found damaged: until they are repaired they are not given to peers. Checkpoints of this
    /// node's own logs are signed anew at once, for a signature of Ed25519 is the same each time.
    ///
    /// The pages in memory are forgotten: the store may still hold what was read before it was altered, and SQLite does not
    /// write a row that is already, in memory, what it is to become.
    ///
    /// - Returns: those that are new and still damaged.
    @discardableResult
    public func markDamaged(_ places: [DamagedPlace], time: NodeTime) throws -> [DamagedPlace] {
        try requireWritable()
        // What was said of it is no part of where it is.
        struct Place: Hashable {
            let log: LogID
            let index: UInt64
            let kind: DamagedPlace.Kind

            init(_ place: DamagedPlace) { (log, index, kind) = (place.log, place.index, place.kind) }
        }
        let known = Set(try openDamage().map(Place.init))
        var marked: [DamagedPlace] = []
        connection.forgetCleanPages()
        for place in places where !known.contains(Place(place)) {
            guard let state = state(of: place.log) else { continue }
            let statement = try connection.cached(
                """
                INSERT INTO damage (branch, leaf_index, kind, found_milliseconds, text) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET found_milliseconds = ?4, text = ?5, repaired_milliseconds = NULL
                """)
            statement.bind(1, state.branch)
            statement.bind(2, place.index)
            statement.bind(3, place.kind.rawValue)
            statement.bind(4, time.utcMilliseconds)
            statement.bind(5, place.text)
            try statement.run()
            try storeIncident(
                Incident(
                    utcMilliseconds: time.utcMilliseconds, kind: "damage", log: state.name.log,
                    text:
                        "\(place); it was altered on this node's disk after it had been checked, and is asked of other nodes"
                ))
            if place.kind == .checkpoint, try signAnew(place, state, time: time) { continue }
            marked.append(place)
        }
        return marked
    }

    /// Signs the head of an own log again; false where that is not this node's to do, or its entries are damaged too.
    private func signAnew(_ place: DamagedPlace, _ state: LogState, time: NodeTime) throws -> Bool {
        guard state.isOwn, state.parent == nil, place.index <= state.frontier.size else { return false }
        let whole = try frontier(along: state.stored, size: state.frontier.size)
        guard whole.root == state.frontier.root else { return false }
        let root = try frontier(along: state.stored, size: place.index).root
        let head = Checkpoint(
            log: LogOrigin(network: configuration.network, log: state.name.log), size: place.index, root: root)
        guard let signed = try? SignedCheckpoint(signing: head, with: try signingKey(for: state.name)) else {
            return false
        }
        try replaceCheckpoint(of: state, size: place.index, note: signed.bytes, time: time)
        return true
    }

    /// Repairs what is damaged within a range that a peer sent, if the range is the one that was here: it leads from what
    /// comes before it to the head that was held, and its own head is over what is held then. A range of another history
    /// that the writer signed, too, is none of this.
    ///
    /// - Returns: how many places were repaired.
    public func repair(_ range: EntryRange, of name: LogName, key: [UInt8], time: NodeTime) throws -> Int {
        try requireWritable()
        guard let trunk = state(of: name.log) else { return 0 }
        var count = 0
        for row in rows(beside: trunk) {
            let places = try openDamage().filter { place in
                guard place.log == row.name.id else { return false }
                return place.kind == .entry
                    ? (range.start..<range.end).contains(place.index) : place.index == range.end
            }
            guard !places.isEmpty, range.start >= row.name.start, range.end <= row.frontier.size else { continue }
            struct OtherHistory: Error {}
            connection.forgetCleanPages()
            do {
                try savepoint {
                    let head = try put(range, into: row, places, name: name, key: key, time: time)
                    guard try frontier(along: row.stored, size: row.frontier.size).root == row.frontier.root,
                        try frontier(along: row.stored, size: range.end).root == head
                    else { throw OtherHistory() }
                }
                count += places.count
            } catch is OtherHistory {
                continue
            } catch is RangeRefusal {
                continue
            }
        }
        return count
    }

    /// Puts what is damaged back from the range; gives the root that the range leads to.
    private func put(
        _ range: EntryRange, into row: LogState, _ places: [DamagedPlace], name: LogName, key: [UInt8], time: NodeTime
    ) throws -> Hash {
        let orders = try orders(for: row.name.stream)
        let verified = try RangeVerifier.verify(
            range, extending: try frontier(along: row.stored, size: range.start), name: name, key: key
        ) { header, entry, position in
            orders.covers(header, entry, at: EntryAddress(log: row.name.log, index: header.index), position: position)
        }
        for place in places {
            guard place.kind == .entry else {
                try replaceCheckpoint(of: row, size: place.index, note: range.checkpoint, time: time)
                continue
            }
            let address = EntryAddress(log: row.name.log, index: place.index)
            let entry = orders.strip(verified.entries[Int(place.index - range.start)], at: address)
            let header = try connection.cached(
                "UPDATE entries SET header = ?3, leaf = ?4 WHERE branch = ?1 AND leaf_index = ?2")
            header.bind(1, row.branch)
            header.bind(2, place.index)
            header.bind(3, entry.raw.header)
            header.bind(4, entry.id.hash)
            try header.run()
            let body = try connection.cached("UPDATE bodies SET body = ?3 WHERE branch = ?1 AND leaf_index = ?2")
            body.bind(1, row.branch)
            body.bind(2, place.index)
            body.bind(3, entry.raw.body)
            try body.run()
            try close(place, in: row, time: time)
        }
        return verified.frontier.root
    }

    private func replaceCheckpoint(of row: LogState, size: UInt64, note: [UInt8], time: NodeTime) throws {
        let statement = try connection.cached("UPDATE checkpoints SET note = ?3 WHERE branch = ?1 AND size = ?2")
        statement.bind(1, row.branch)
        statement.bind(2, size)
        statement.bind(3, note)
        try statement.run()
        try close(
            DamagedPlace(log: row.name.id, index: size, kind: .checkpoint, text: ""), in: row, time: time)
    }

    private func close(_ place: DamagedPlace, in row: LogState, time: NodeTime) throws {
        let statement = try connection.cached(
            "UPDATE damage SET repaired_milliseconds = ?4 WHERE branch = ?1 AND leaf_index = ?2 AND kind = ?3")
        statement.bind(1, row.branch)
        statement.bind(2, place.index)
        statement.bind(3, place.kind.rawValue)
        statement.bind(4, time.utcMilliseconds)
        try statement.run()
    }
}
