/// Entries of one log that follow one another, up to a checkpoint of the log's writer: what travels between nodes.
public struct EntryRange: Hashable, Sendable {
    /// The log.
    public let log: LogID
    /// Index of the first entry.
    public let start: UInt64
    /// The entries in order.
    public let entries: [RawEntry]
    /// The signed checkpoint of size `start + entries.count`, exactly as its note was written.
    public let checkpoint: [UInt8]

    /// Joins entries and the checkpoint that vouches for them.
    public init(log: LogID, start: UInt64, entries: [RawEntry], checkpoint: [UInt8]) {
        self.log = log
        self.start = start
        self.entries = entries
        self.checkpoint = checkpoint
    }

    /// Index after the last entry.
    public var end: UInt64 { start + UInt64(entries.count) }
    /// Bytes of all headers and bodies.
    public var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }
}

/// How far a node holds a log: it holds every entry before `size`.
public struct LogHead: Hashable, Sendable {
    /// The log and what its id is made of.
    public let name: LogName
    /// Number of entries.
    public let size: UInt64
    /// Root of the tree over them.
    public let root: Hash

    /// States a head.
    public init(name: LogName, size: UInt64, root: Hash) {
        self.name = name
        self.size = size
        self.root = root
    }
}

/// Where an entry stands.
public struct EntryAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The log.
    public let log: LogID
    /// The index in it.
    public let index: UInt64

    /// States an address.
    public init(log: LogID, index: UInt64) {
        self.log = log
        self.index = index
    }

    /// `<log id>/<index>`.
    public var description: String { "\(log)/\(index)" }

    /// Orders them in the same way everywhere.
    public static func < (left: EntryAddress, right: EntryAddress) -> Bool {
        (left.log, left.index) < (right.log, right.index)
    }
}
