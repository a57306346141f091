public import EventLog

/// The truth of one node: `events.sqlite` behind one connection, with everything that must hold when it is written.
///
/// Synchronous, and used from one thread only; `Store` is the concurrent shell around it. It knows no clock and draws no
/// randomness: times and a generator are passed in.
///
/// Invariants:
/// - everything in a transaction becomes durable (fsync) with its commit, or nothing does;
/// - at every commit each own log that grew has a signed checkpoint over its new head, and no range is stored that its
///   writer's signed checkpoint does not vouch for;
/// - a log is held as a contiguous prefix, and nothing recorded is changed but a body that loses parts under a stored order;
/// - after a failed write, fsync or checkpoint nothing is written any more (``StoreError/stopped(_:)``);
/// - `logs`, `logByID` and `openLogs` in memory are what the database will say after the commit.
public final class StoreCore: EventReading {
    /// The kept statements.
    public let tables: EventTables
    /// The data directory.
    public let directory: String
    /// Whether the node may go on with its open logs without hearing a peer, judged before anything was written.
    public let startVerdict: StartVerdict
    /// What the last commit did, log by log: for whoever pushes it to peers.
    public internal(set) var lastCommit: [CommittedLog] = []
    /// True once own entries may be written after this start.
    public internal(set) var isStartConfirmed: Bool
    /// Bytes of the entries written in the transaction that runs, or in the last one.
    public internal(set) var bytesInTransaction = 0

    let connection: Connection
    let configuration: StoreConfiguration
    let directoryIdentity: DirectoryIdentity
    let headFile: any SmallFileWriting
    let statements: WriteStatements
    private var lock: (any DirectoryHold)?

    var logsByBranch: [Int64: LogState] = [:]
    var branchByLog: [LogID: Int64] = [:]
    /// The rows beside the first of every log that has several, by the log's id.
    var forkRows: [LogID: [Int64]] = [:]
    var openLogs: [StreamID: LogID] = [:]
    /// Epochs drawn for logs that are not opened yet, because something that is to stand in them names the epoch.
    var plannedEpochs: [StreamID: Epoch] = [:]
    var signingKeys: [LogID: NoteSigningKey] = [:]
    var clock: HybridClock
    var generator: any RandomNumberGenerator
    var knownOrders: KnownOrders?
    var subtreeRoots = SubtreeRoots()
    /// What the last entry of an open own log knew, where it was looked up or written since the start.
    var lastKnown: [LogID: KnownVersions] = [:]

    var isInTransaction = false
    var touched: Set<Int64> = []
    var undo: [Undo] = []
    var savepointSerial: UInt64 = 0
    /// The write-ahead log still holds bytes that an order has dropped.
    var mustTruncate = false
    /// The head file does not say what the last commit left.
    var headFileIsStale = true
    /// Pages of the write-ahead log beyond which it is copied into the file: about 8 MB.
    let checkpointPages: Int

    /// Opens the store in a directory, or founds one there.
    ///
    /// - Parameters:
    ///   - configuration: where, whose, and with which key.
    ///   - lock: the directory's lock where the caller holds it already; nil to take it here.
    ///   - generator: draws epochs, salts and the file's incarnation.
    /// - Throws: ``StoreError``; nothing is changed where the directory belongs to another node or the format is unknown.
    public init(
        _ configuration: StoreConfiguration, lock: DirectoryLock? = nil,
        generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) throws {
        self.lock = try lock ?? configuration.files.lock(configuration.directory)
        self.configuration = configuration
        directory = configuration.directory
        var generator = generator
        guard configuration.signingSeed.count == Ed25519.seedByteCount else { throw StoreError.unusableSigningKey }
        directoryIdentity = try configuration.files.identity(of: configuration.directory)
        let headPath = StoreConfiguration.headFile(in: configuration.directory)
        let lastHeads = configuration.files.read(headPath, maximumBytes: HeadFile.maximumBytes).map(
            HeadFile.init(bytes:))
        let opened = try StoreCore.open(configuration, generator: &generator)
        self.generator = generator
        connection = opened.connection
        tables = opened
        statements = try WriteStatements(connection)
        checkpointPages = 8 * 1024 * 1024 / max(Int(try connection.number("PRAGMA page_size")), 512)

        let loaded = try StoreCore.loadLogs(opened)
        for state in loaded.states {
            logsByBranch[state.branch] = state
            branchByLog[state.name.id] = state.branch
            if state.parent != nil { forkRows[state.name.log, default: []].append(state.branch) }
            if state.isOwn && state.status == .open { openLogs[state.name.stream] = state.name.id }
        }
        guard let clock = HybridClock(resumingAfter: HybridTimestamp(packed: loaded.hybridTime)) else {
            throw StoreError.clockExhausted
        }
        self.clock = clock
        let verdict = try StoreCore.judgeStart(
            lastHeads, states: loaded.states, directoryIdentity, configuration, opened)
        startVerdict = verdict
        isStartConfirmed = verdict == .noLogYet
        headFile = try configuration.files.writer(headPath)
        // The process may have ended between an order and the cutting of the write-ahead log.
        mustTruncate = try connection.number("SELECT count(*) FROM drops") > 0
    }

    /// Every log, in the order in which they came to be known.
    public func logs() throws -> [StoredLog] {
        logsByBranch.values.map(\.stored).sorted { $0.branch < $1.branch }
    }

    /// One log; nil where it is not known.
    public func log(_ log: LogID) throws -> StoredLog? {
        state(of: log)?.stored
    }

    /// The branches of a log beside the row of its own name.
    public func branches(of log: LogID) throws -> [StoredLog] {
        (forkRows[log] ?? []).compactMap { logsByBranch[$0]?.stored }
    }

    /// The failure that stopped the store; nil while it runs.
    public var stoppedBy: DatabaseFailure? { connection.fatalFailure }

    /// Copies the write-ahead log into the file, closes the file and gives up the directory's lock.
    ///
    /// A stopped store keeps its files as they are, and its lock: the process is to end.
    /// - Throws: ``DatabaseFailure`` where the last copying failed; the file is closed all the same.
    public func close() throws {
        precondition(!isInTransaction, "a store is not closed within a transaction")
        guard stoppedBy == nil else { return }
        defer {
            statements.finalize()
            connection.close()
            lock?.release()
            lock = nil
        }
        try connection.checkpoint(truncating: true)
    }

    /// Gives up the memory of a store whose disk is gone, whatever failed before. Only for disks in memory, with which the
    /// process does not end.
    package func discard() {
        statements.finalize()
        connection.discard()
        lock?.release()
        lock = nil
    }

    func state(of log: LogID) -> LogState? {
        branchByLog[log].flatMap { logsByBranch[$0] }
    }
}
