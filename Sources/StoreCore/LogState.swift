import EventLog

/// A log as the writing store keeps it in memory.
///
/// Invariants:
/// - `frontier.size >= sealedSize`, and `frontier.size >= committedSize`;
/// - between transactions all three are equal for own logs, and the row in `logs` says the same.
struct LogState {
    let branch: Int64
    let name: LogName
    /// The row that holds the entries before a branch's own; nil for a log itself.
    let parent: Int64?
    let isOwn: Bool
    var status: LogStatus
    var frontier: MerkleFrontier
    var byteCount: UInt64
    /// The size of the newest checkpoint.
    var sealedSize: UInt64
    /// Bytes of the entries after the newest checkpoint.
    var unsealedBytes = 0
    /// The size after the last commit.
    var committedSize: UInt64
    /// The note that suspended the log.
    var seenHead: [UInt8]?
    /// Which savepoint has kept a copy of this state last.
    var keptAt: UInt64 = 0
    /// Whether the row differs from what is in the database.
    var isChanged = false

    init(_ stored: StoredLog, frontier: MerkleFrontier, seenHead: [UInt8]?) {
        branch = stored.branch
        name = stored.name
        parent = stored.parent
        isOwn = stored.isOwn
        status = stored.status
        self.frontier = frontier
        byteCount = stored.byteCount
        sealedSize = frontier.size
        committedSize = frontier.size
        self.seenHead = seenHead
    }

    init(branch: Int64, name: LogName, isOwn: Bool, status: LogStatus) {
        self.init(branch: branch, name: name, after: MerkleFrontier(), parent: nil, isOwn: isOwn, status: status)
    }

    /// A log or branch that holds nothing of its own yet.
    init(
        branch: Int64, name: LogName, after frontier: MerkleFrontier, parent: Int64?, isOwn: Bool, status: LogStatus
    ) {
        precondition(frontier.size == name.start, "a branch begins where what it shares with another ends")
        self.branch = branch
        self.name = name
        self.parent = parent
        self.isOwn = isOwn
        self.status = status
        self.frontier = frontier
        byteCount = 0
        sealedSize = frontier.size
        committedSize = frontier.size
        isChanged = true
    }

    var head: LogHead { LogHead(name: name, size: frontier.size, root: frontier.root) }

    var stored: StoredLog {
        StoredLog(branch: branch, head: head, parent: parent, byteCount: byteCount, isOwn: isOwn, status: status)
    }

    /// The numbers that stand for the status in the row.
    var statusColumns: (status: Int64, reason: Int64?) {
        switch status {
        case .open: (0, nil)
        case .suspended: (1, nil)
        case .closed(let reason): (2, reason.rawValue)
        }
    }
}

/// What a rolled-back savepoint or transaction puts back.
enum Undo {
    /// The log was as this says.
    case log(LogState)
    /// The log was not known.
    case newLog(LogID)
    /// The stream had this open log, or none.
    case openLog(StreamID, LogID?)
    /// Orders were added: they are read from the database again.
    case orders
    /// The start was not confirmed.
    case startConfirmed
}
