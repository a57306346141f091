public import EventLog

extension EventReading {
    /// Every order that acts here, in the order in which they came.
    public func orders() throws -> [StoredOrder] {
        let statement = try tables.connection.cached(
            """
            SELECT number, log, leaf_index, stream, kind, subject, target_log, target_index, parts, target_leaf FROM orders
            ORDER BY number
            """)
        defer { statement.reset() }
        var orders: [StoredOrder] = []
        while try statement.step() {
            let number = statement.int64(0)
            guard let log = statement.hash(1), let stream = StreamID(statement.text(3)),
                let action = Self.action(statement)
            else { throw StoreError.damaged("order \(number) cannot be read") }
            orders.append(
                StoredOrder(
                    number: number, entry: EntryAddress(log: LogID(log), index: statement.uint64(2)), stream: stream,
                    action: action))
        }
        return orders
    }

    private static func action(_ row: Statement) -> OrderAction? {
        switch row.int64(4) {
        case 1: return SubjectHandle(bytes: row.bytes(5)).map { .erase($0) }
        case 2:
            guard let target = row.hash(6), let leaf = row.hash(9) else { return nil }
            return .redact(
                EntryAddress(log: LogID(target), index: row.uint64(7)), entry: EntryID(leaf),
                parts: PartSet(rawValue: row.uint64(8)))
        default: return nil
        }
    }

    /// Every version of the charter that is held, by version, then by hash.
    public func charters() throws -> [CharterRecord] {
        let statement = try tables.connection.cached(
            "SELECT version, bytes, signatures FROM charters ORDER BY version, hash")
        defer { statement.reset() }
        var charters: [CharterRecord] = []
        while try statement.step() {
            charters.append(
                CharterRecord(
                    version: statement.uint64(0), bytes: statement.bytes(1), signatures: statement.bytes(2)))
        }
        return charters
    }

    /// Every fork proof that is held, in the order in which they came.
    public func forkProofs() throws -> [ForkProof] {
        try proofsByNumber().map(\.proof)
    }

    /// The logs of which a fork is proven.
    public func forkedLogs() throws -> Set<LogID> {
        Set(try proofsByNumber().map(\.log))
    }

    /// The first proof of every fork, by log.
    public func forkProofsByLog() throws -> [LogID: ForkProof] {
        Dictionary(try proofsByNumber().map { ($0.log, $0.proof) }) { first, _ in first }
    }

    private func proofsByNumber() throws -> [(log: LogID, proof: ForkProof)] {
        let statement = try tables.connection.cached(
            "SELECT number, smaller, larger, prefix_root, path, log FROM fork_proofs ORDER BY number")
        defer { statement.reset() }
        var proofs: [(LogID, ForkProof)] = []
        while try statement.step() {
            let path = statement.bytes(4)
            let hashes = stride(from: 0, to: path.count, by: Hash.byteCount).compactMap {
                Hash(bytes: path[$0..<min($0 + Hash.byteCount, path.count)])
            }
            guard let smaller = try? SignedCheckpoint(bytes: statement.bytes(1)),
                let larger = try? SignedCheckpoint(bytes: statement.bytes(2)), let root = statement.hash(3),
                let log = statement.hash(5), hashes.count * Hash.byteCount == path.count
            else { throw StoreError.damaged("fork proof \(statement.int64(0)) cannot be read") }
            proofs.append(
                (LogID(log), ForkProof(smaller: smaller, larger: larger, prefixRoot: root, path: hashes)))
        }
        return proofs
    }

    /// The newest incidents, newest first, at most `limit` of them.
    public func incidents(limit: Int) throws -> [Incident] {
        let statement = try tables.connection.cached(
            """
            SELECT utc_milliseconds, kind, peer, log, text, held_head, shown_head FROM incidents
            ORDER BY number DESC LIMIT ?1
            """)
        defer { statement.reset() }
        statement.bind(1, Int64(max(0, limit)))
        var incidents: [Incident] = []
        while try statement.step() {
            incidents.append(
                Incident(
                    utcMilliseconds: statement.int64(0), kind: statement.text(1), peer: NodeID(statement.text(2)),
                    log: statement.hash(3).map { LogID($0) }, text: statement.text(4),
                    heldHead: statement.isNull(5) ? nil : statement.bytes(5),
                    shownHead: statement.isNull(6) ? nil : statement.bytes(6)))
        }
        return incidents
    }
}
