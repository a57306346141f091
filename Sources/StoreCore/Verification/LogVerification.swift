public import EventLog

/// Hashes everything in an events file again and holds it against what its writers signed.
///
/// May run beside the store that writes the file: it looks at what was committed when it began, in steps that hold no
/// snapshot for long.
public struct LogVerification {
    let tables: EventTables
    let writerKeys: (NodeID) -> [[UInt8]]
    let progress: (VerificationProgress) -> Void
    var report = VerificationReport()
    /// The logs as they were when the verification began, by branch; nil names are unreadable rows.
    var logs: [Int64: Row] = [:]
    var total: UInt64 = 0
    var newestArrival: Int64 = 0

    /// A row of `logs` as far as it can be read.
    struct Row: Sendable {
        var branch: Int64
        var name: LogName
        var size: UInt64
        /// For a branch the row before it.
        var parent: Int64?
        var frontier: MerkleFrontier?
        var byteCount: UInt64
        /// How far there are rows of entries.
        var held: UInt64 = 0
    }

    /// Entries of one stretch: between two the write-ahead log may be cut.
    static let step: UInt64 = 8_192
    /// Threads that hash.
    private let workers: Int

    /// Verifies all of a file.
    ///
    /// - Parameters:
    ///   - reader: the store, or a ``StoreReader`` beside it.
    ///   - writerKeys: the Ed25519 public keys that a node has had by the charter, the newest first; empty where none is known.
    ///   - workers: threads that hash, each with a connection of its own; 1 for the reader's own connection alone.
    ///   - checksFile: whether SQLite checks its pages and keys too, in one statement over all of them.
    ///   - progress: called now and then.
    /// - Throws: ``StoreError`` or ``DatabaseFailure`` where the file cannot be read; what is read and is wrong is in the
    ///   report instead.
    public static func run(
        on reader: some EventReading, writerKeys: @escaping (NodeID) -> [[UInt8]], workers: Int = 1,
        checksFile: Bool = true, progress: @escaping (VerificationProgress) -> Void = { _ in }
    ) throws -> VerificationReport {
        var verification = LogVerification(
            tables: reader.tables, writerKeys: writerKeys, workers: workers, progress: progress)
        if checksFile { try verification.checkFile() }
        try verification.capture()
        try verification.checkLogs()
        try verification.checkArrivals()
        try verification.checkCommands()
        try verification.checkOrders()
        try verification.checkCharters()
        try verification.checkForkProofs()
        return verification.report
    }

    /// Verifies all of a file by the keys that a charter has ever given its writers.
    ///
    /// - Throws: as ``run(on:writerKeys:workers:checksFile:progress:)``.
    public static func run(
        on reader: some EventReading, charter: CharterChain, workers: Int = 1, checksFile: Bool = true,
        progress: @escaping (VerificationProgress) -> Void = { _ in }
    ) throws -> VerificationReport {
        try run(
            on: reader, writerKeys: { charter.signingKeys(of: $0).reversed().map { $0.key.hash.bytes } },
            workers: workers, checksFile: checksFile, progress: progress)
    }

    /// Verifies all of a file whose writers have had one key each.
    ///
    /// - Throws: as ``run(on:writerKeys:workers:checksFile:progress:)``.
    public static func run(
        on reader: some EventReading, writerKey: @escaping (NodeID) -> [UInt8]?, workers: Int = 1,
        progress: @escaping (VerificationProgress) -> Void = { _ in }
    ) throws -> VerificationReport {
        try run(
            on: reader, writerKeys: { writerKey($0).map { [$0] } ?? [] }, workers: workers, progress: progress)
    }

    private init(
        tables: EventTables, writerKeys: @escaping (NodeID) -> [[UInt8]], workers: Int,
        progress: @escaping (VerificationProgress) -> Void
    ) {
        self.workers = max(1, workers)
        self.tables = tables
        self.writerKeys = writerKeys
        self.progress = progress
    }

    /// SQLite's own check of pages, keys and types.
    private mutating func checkFile() throws {
        let statement = try tables.connection.prepare("PRAGMA integrity_check(100)")
        while try statement.step() {
            let text = statement.text(0)
            if text != "ok" { report.add(.file, text) }
        }
    }

    /// Reads, in one snapshot, which logs there are and how far they are held.
    private mutating func capture() throws {
        let isAlone = tables.connection.isAutocommit
        if isAlone { try tables.connection.execute("BEGIN") }
        defer { if isAlone { try? tables.connection.execute("COMMIT") } }
        newestArrival = try tables.connection.number("SELECT max(arrival) FROM arrivals")
        let statement = try tables.connection.prepare("SELECT \(EventTables.logColumns) FROM logs ORDER BY branch")
        while try statement.step() {
            report.logs += 1
            let branch = statement.int64(0)
            do {
                _ = try tables.storedLog(statement)
            } catch let error as StoreError {
                report.add(.branch(branch), error.description)
            }
            guard let name = tables.name(statement) else { continue }
            let row = Row(
                branch: branch, name: name, size: min(statement.uint64(9), MerkleFrontier.maximumSize),
                parent: statement.isNull(14) ? nil : statement.int64(14),
                frontier: MerkleFrontier(bytes: statement.bytes(12)), byteCount: statement.uint64(11))
            total += min(row.size - min(row.size, name.start), MerkleFrontier.maximumSize / 1024)
            logs[branch] = try counted(row)
        }
    }

    /// The rows of a branch must be as many as its row says.
    private mutating func counted(_ row: Row) throws -> Row {
        var row = row
        for table in ["entries", "bodies"] {
            let statement = try tables.connection.prepare("SELECT max(leaf_index) FROM \(table) WHERE branch = ?1")
            statement.bind(1, row.branch)
            let count = try statement.step() && !statement.isNull(0) ? statement.int64(0) + 1 : 0
            if table == "entries" { row.held = min(UInt64(clamping: count), MerkleFrontier.maximumSize) }
            if UInt64(bitPattern: count) != row.size {
                report.add(.log(row.name.id), "\(count) rows in \(table), but the log is said to have \(row.size)")
            }
        }
        return row
    }

    private mutating func checkLogs() throws {
        do {
            report.orders = try TablesReader(tables: tables).orders()
        } catch is StoreError {
            // Said where the orders are checked.
            report.orders = []
        }
        let orders = KnownOrders(report.orders).byStream
        var chunks: [Chunk] = []
        for row in logs.values.sorted(by: { $0.branch < $1.branch }) {
            // A row that claims to hold what is not there is not followed beyond the first stretch that lacks something.
            let end = min(row.size, row.held + LogVerification.step)
            for from in stride(from: row.name.start, to: max(end, row.name.start), by: Int(LogVerification.step)) {
                chunks.append(Chunk(row: row, from: from, to: min(end, from + LogVerification.step)))
            }
        }
        let keys = logs.mapValues { verifierKey(of: $0.name) }
        let hashing = ParallelHashing(tables: tables, workers: workers) { chunk, tables in
            try ChunkCheck.run(chunk, tables: tables, key: keys[chunk.row.branch] ?? nil, orders: orders)
        }
        var checks = logs.mapValues(LogCheck.init)
        for branch in logs.keys.sorted() { try checks[branch]?.readPrefix(in: &self) }
        for start in stride(from: 0, to: chunks.count, by: 4 * workers) {
            let wave = Array(chunks[start..<min(chunks.count, start + 4 * workers)])
            for (chunk, outcome) in zip(wave, try hashing.outcomes(of: wave)) {
                checks[chunk.row.branch]?.take(outcome, of: chunk, into: &report)
            }
            progress(VerificationProgress(entries: report.entries, total: total))
        }
        for branch in logs.keys.sorted() { try checks[branch]?.checkEnd(in: &self) }
    }

    /// The key that verifies a log's checkpoints; nil where none was given, or what was given is no key. A log has one key
    /// from its beginning to its end: the one of its writer's that signed its first checkpoint, else the newest.
    func verifierKey(of name: LogName) -> NoteVerifierKey? {
        let keys = writerKeys(name.node).compactMap { try? name.verifierKey(publicKey: $0) }
        guard keys.count > 1, let note = try? firstCheckpoint(of: name.id),
            let signed = try? SignedCheckpoint(bytes: note)
        else { return keys.first }
        return keys.first { (try? signed.verify(with: $0)) != nil } ?? keys.first
    }

    private func firstCheckpoint(of log: LogID) throws -> [UInt8]? {
        let statement = try tables.connection.prepare(
            "SELECT note FROM checkpoints JOIN logs USING (branch) WHERE log = ?1 ORDER BY checkpoints.size LIMIT 1")
        statement.bind(1, log.hash)
        return try statement.step() ? statement.bytes(0) : nil
    }
}

/// Reads what needs no log: so that a damaged row of `logs` does not hide the rest.
final class TablesReader: EventReading {
    let tables: EventTables

    init(tables: EventTables) {
        self.tables = tables
    }

    func logs() throws -> [StoredLog] { [] }
    func log(_ log: LogID) throws -> StoredLog? { nil }
    func branches(of log: LogID) throws -> [StoredLog] { [] }
}
