/// Why a validly signed entry is kept and relayed but cannot be applied by this software (DESIGN §4).
public enum EntryRemark: Hashable, Sendable, CustomStringConvertible {
    /// The header is of a later format version: carried as raw bytes until software that knows it reads it again.
    case unknownVersion(UInt64)
    /// The header is of a known version but cannot be read: void.
    case unreadable(WireError)
    /// The header names another log or another index than its leaf stands at: void.
    case misplaced(log: LogID, index: UInt64)
    /// The header states another length for a part than the part that it commits to has: void.
    case partLength(position: Int)

    /// A sentence for people.
    public var description: String {
        switch self {
        case .unknownVersion(let version):
            "written in format version \(version), which this software does not know: kept as it is"
        case .unreadable(let error): "void, because the header cannot be read: \(error)"
        case .misplaced(let log, let index): "void, because the header says that it stands at \(log)/\(index)"
        case .partLength(let position): "void, because the header states a wrong length for part \(position)"
        }
    }
}

/// An entry whose leaf is known to be in its log, with all of its bytes and what could be read of them.
public struct CheckedEntry: Hashable, Sendable {
    /// The bytes as they came.
    public let raw: RawEntry
    /// The leaf hash.
    public let id: EntryID
    /// The entry; nil where this software does not understand it or it is void.
    public let entry: Entry?
    /// Why ``entry`` is nil.
    public let remark: EntryRemark?

    /// True where a later version wrote the entry: nothing can be said of its parts.
    public var isNotUnderstood: Bool {
        if case .unknownVersion = remark { true } else { false }
    }

    package init(raw: RawEntry, entry: Entry) {
        self.raw = raw
        id = entry.id
        self.entry = entry
        remark = nil
    }

    package init(raw: RawEntry, id: EntryID, remark: EntryRemark) {
        self.raw = raw
        self.id = id
        entry = nil
        self.remark = remark
    }
}

/// Entries that were checked against a checkpoint signed by their log's writer. Only ``RangeVerifier`` makes one.
///
/// Invariants:
/// - the entries stand at `start`, `start + 1`, … of the log;
/// - `frontier` is that of the log after the last of them, and `checkpoint` is the writer's signed head of that size and
///   root.
public struct VerifiedRange: Sendable {
    /// The log.
    public let name: LogName
    /// Index of the first entry.
    public let start: UInt64
    /// The entries in order.
    public let entries: [CheckedEntry]
    /// The right edge of the tree after the last entry.
    public let frontier: MerkleFrontier
    /// The writer's head over all of it.
    public let checkpoint: SignedCheckpoint

    init(
        name: LogName, start: UInt64, entries: [CheckedEntry], frontier: MerkleFrontier, checkpoint: SignedCheckpoint
    ) {
        self.name = name
        self.start = start
        self.entries = entries
        self.frontier = frontier
        self.checkpoint = checkpoint
    }

    /// Index after the last entry.
    public var end: UInt64 { start + UInt64(entries.count) }
    /// The leaf hashes in order.
    public var ids: [EntryID] { entries.map(\.id) }
    /// How far the log is held once the range is stored.
    public var head: LogHead { LogHead(name: name, size: frontier.size, root: frontier.root) }
}
