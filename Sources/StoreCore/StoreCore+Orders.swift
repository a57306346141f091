public import EventLog

/// The orders that act on one stream, in a form that entries are checked against.
struct StreamOrders: Sendable {
    /// Erased handles, with the first order on each.
    var erased: [SubjectHandle: Int64] = [:]
    /// Parts dropped from single entries, with the orders.
    var redacted: [EntryAddress: [(entry: EntryID, parts: PartSet, order: Int64)]] = [:]

    var isEmpty: Bool { erased.isEmpty && redacted.isEmpty }

    mutating func add(_ action: OrderAction, number: Int64 = 0) {
        switch action {
        case .erase(let subject): erased[subject] = min(number, erased[subject] ?? number)
        case .redact(let target, let entry, let parts):
            redacted[target, default: []].append((entry, parts, number))
        }
    }

    /// Whether the part at `position` of the entry is to be gone. An address is here that of the entry in its writer's log, also
    /// where it stands on a branch.
    func covers(_ header: EntryHeader, _ entry: EntryID, at address: EntryAddress, position: Int) -> Bool {
        order(on: header, entry, at: address, position: position) != nil
    }

    /// The number of an order by which the part at `position` of the entry is to be gone.
    func order(on header: EntryHeader, _ entry: EntryID, at address: EntryAddress, position: Int) -> Int64? {
        if let subject = header.subject, let number = erased[subject], !header.operation.ordersDrop { return number }
        guard header.parts[position].kind != .structure else { return nil }
        return redacted[address]?.first { $0.entry == entry && $0.parts.contains(position: position) }?.order
    }

    /// The body without the parts that an order drops; nil where it loses nothing, or cannot be read by this software.
    func strippedBody(of raw: RawEntry, at address: EntryAddress) -> (header: EntryHeader, body: EntryBody)? {
        if isEmpty { return nil }
        guard let header = try? EntryHeader(bytes: raw.header),
            var body = try? EntryBody(bytes: raw.body, partCount: header.parts.count)
        else { return nil }
        let id = raw.id
        var isChanged = false
        for position in body.parts.indices
        where body.parts[position] != nil && covers(header, id, at: address, position: position) {
            body.parts[position] = nil
            isChanged = true
        }
        return isChanged ? (header, body) : nil
    }

    /// The entry as it may be stored: parts under an order are left out, whoever still sent them.
    func strip(_ checked: CheckedEntry, at address: EntryAddress) -> CheckedEntry {
        guard let stripped = strippedBody(of: checked.raw, at: address) else { return checked }
        let raw = RawEntry(header: checked.raw.header, body: stripped.body.bytes)
        if let remark = checked.remark { return CheckedEntry(raw: raw, id: checked.id, remark: remark) }
        guard let entry = try? Entry(trusting: raw, id: checked.id) else { return checked }
        return CheckedEntry(raw: raw, entry: entry)
    }
}

/// The orders of every stream, as they were read from the database.
struct KnownOrders {
    var byStream: [StreamID: StreamOrders] = [:]

    init(_ orders: [StoredOrder]) {
        for order in orders { byStream[order.stream, default: StreamOrders()].add(order.action, number: order.number) }
    }
}

extension StoreCore {
    /// Whether an order is stored, and so carried out.
    public func isCarriedOut(_ order: EntryAddress) throws -> Bool {
        let known = try connection.cached("SELECT 1 FROM orders WHERE log = ?1 AND leaf_index = ?2")
        defer { known.reset() }
        known.bind(1, order.log.hash)
        known.bind(2, order.index)
        return try known.step()
    }

    /// Stores an order and carries it out: the parts it drops are removed from every entry held of its stream, and left out
    /// of every entry still to come. Whether the order has effect is for the caller to judge.
    ///
    /// Reads every header of the stream for an erasure. The dropped bytes are overwritten in the file (`secure_delete`),
    /// and the write-ahead log is cut after the commit.
    /// - Parameters:
    ///   - entry: where the order stands; its log must be known.
    ///   - action: what it drops.
    /// - Returns: how many entries lost parts. 0 also for an order that is stored already.
    /// - Throws: ``StoreError/unknownLog(_:)`` for the order's own log, ``StoreError/noSuchEntry(_:)`` or
    ///   ``StoreError/orderInOtherStream(order:)``. The log of what is redacted need not be known yet.
    @discardableResult
    public func carryOut(order entry: EntryAddress, _ action: OrderAction) throws -> Int {
        try requireWritable()
        guard let stream = state(of: entry.log)?.name.stream else { throw StoreError.unknownLog(entry.log) }
        guard entry.index < MerkleFrontier.maximumSize else { throw StoreError.noSuchEntry(entry) }
        if case .redact(let target, _, _) = action {
            guard target.index < MerkleFrontier.maximumSize else { throw StoreError.noSuchEntry(target) }
            if let other = state(of: target.log)?.name.stream, other != stream {
                throw StoreError.orderInOtherStream(order: entry)
            }
        }
        guard let number = try insertOrder(entry, stream: stream, action: action) else { return 0 }
        undo.append(.orders)
        knownOrders = nil

        var orders = StreamOrders()
        orders.add(action)
        var dropped = 0
        switch action {
        case .redact(let target, _, _):
            for row in logsByBranch.values.filter({ $0.name.log == target.log }).sorted(by: { $0.branch < $1.branch }) {
                guard let stored = try self.entry(at: EntryAddress(log: row.name.id, index: target.index)) else {
                    continue
                }
                dropped += try drop(stored, under: orders, order: number)
            }
        case .erase:
            let logs = logsByBranch.values.filter { $0.name.stream == stream }.map(\.name.id).sorted()
            for log in logs {
                var affected: [StoredEntry] = []
                try forEachEntry(in: log) { stored in
                    if orders.strippedBody(of: stored.raw, at: try place(of: stored)) != nil { affected.append(stored) }
                    return true
                }
                for stored in affected { dropped += try drop(stored, under: orders, order: number) }
            }
        }
        if dropped > 0 { mustTruncate = true }
        return dropped
    }

    /// The orders that act on a stream.
    func orders(for stream: StreamID) throws -> StreamOrders {
        if knownOrders == nil { knownOrders = KnownOrders(try orders()) }
        return knownOrders?.byStream[stream] ?? StreamOrders()
    }

    /// Where its writer put an entry.
    private func place(of stored: StoredEntry) throws -> EntryAddress {
        EntryAddress(
            log: state(of: stored.address.log)?.name.log ?? stored.address.log, index: stored.address.index)
    }

    /// Replaces a body by what an order leaves of it; 1 where it lost something.
    private func drop(_ stored: StoredEntry, under orders: StreamOrders, order number: Int64) throws -> Int {
        guard let stripped = orders.strippedBody(of: stored.raw, at: try place(of: stored)),
            let branch = branchByLog[stored.address.log]
        else { return 0 }
        let reason = try connection.cached("INSERT INTO drops (branch, leaf_index, order_number) VALUES (?1, ?2, ?3)")
        reason.bind(1, branch)
        reason.bind(2, stored.address.index)
        reason.bind(3, number)
        try reason.run()
        let update = try connection.cached("UPDATE bodies SET body = ?3 WHERE branch = ?1 AND leaf_index = ?2")
        update.bind(1, branch)
        update.bind(2, stored.address.index)
        update.bind(3, stripped.body.bytes)
        try update.run()
        return 1
    }

    /// Adds the row of an order; nil where it is there already.
    private func insertOrder(_ entry: EntryAddress, stream: StreamID, action: OrderAction) throws -> Int64? {
        if try isCarriedOut(entry) { return nil }
        let statement = try connection.cached(
            """
            INSERT INTO orders (log, leaf_index, stream, kind, subject, target_log, target_index, parts, target_leaf)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """)
        statement.bind(1, entry.log.hash)
        statement.bind(2, entry.index)
        statement.bind(3, stream.description)
        switch action {
        case .erase(let subject):
            statement.bind(4, Int64(1))
            statement.bind(5, subject.bytes)
            for position: Int32 in 6...9 { statement.bindNull(position) }
        case .redact(let target, let leaf, let parts):
            statement.bind(4, Int64(2))
            statement.bindNull(5)
            statement.bind(6, target.log.hash)
            statement.bind(7, target.index)
            statement.bind(8, Int64(bitPattern: parts.rawValue))
            statement.bind(9, leaf.hash)
        }
        try statement.run()
        return try connection.number("SELECT max(number) FROM orders")
    }
}
