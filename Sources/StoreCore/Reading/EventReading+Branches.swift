public import EventLog

/// A piece of a forked log that is told to peers under a name of its own.
public struct LogSegment: Hashable, Sendable {
    /// Its name, and how far it reaches: the name is the same at every node that holds the same histories.
    public let head: LogHead
    /// Whether another piece follows: then it never grows.
    public let isInner: Bool
    /// The row that holds it.
    let row: Int64
}

/// A log that its writer forked has a row for each history: the first that came is the row of the log's own name, each other
/// one a row that begins at the first entry that is another. Which history came first differs from node to node, and so do
/// the rows; the *segments* between the fork points do not, and they are what nodes compare, announce and pull.
extension EventReading {
    /// The rows of a log, the one under its own name first.
    func rows(of log: LogID) throws -> [StoredLog] {
        guard let trunk = try self.log(log) else { return [] }
        return [trunk] + (try branches(of: log))
    }

    /// Whether two histories of the log are held.
    public func isForked(_ log: LogID) throws -> Bool {
        try !branches(of: log).isEmpty
    }

    /// The segments of a log in the order in which they begin; the log itself where it is not forked.
    public func segments(of log: LogID) throws -> [LogSegment] {
        let rows = try rows(of: log)
        guard rows.count > 1 else {
            return rows.map { LogSegment(head: $0.head, isInner: false, row: $0.branch) }
        }
        return try rows.flatMap { row in try segments(of: row, among: rows) }
            .sorted { ($0.head.name.start, $0.head.name.id) < ($1.head.name.start, $1.head.name.id) }
    }

    private func segments(of row: StoredLog, among rows: [StoredLog]) throws -> [LogSegment] {
        let cuts = Set(rows.filter { $0.parent == row.branch }.map(\.start)).sorted()
        var segments: [LogSegment] = []
        var start = row.start
        for end in cuts + [row.head.size] {
            defer { start = end }
            guard end > start else { continue }
            let isInner = end < row.head.size
            let root = isInner ? try rootBeforeFork(row, size: end) : row.head.root
            let head = LogHead(name: try name(ofSegmentAt: start, in: row, cuts: cuts), size: end, root: root)
            segments.append(LogSegment(head: head, isInner: isInner, row: row.branch))
        }
        return segments
    }

    private func name(ofSegmentAt start: UInt64, in row: StoredLog, cuts: [UInt64]) throws -> LogName {
        if start == row.start && (row.parent != nil || start != cuts.first) { return row.name }
        return row.name.trunk.branch(at: ForkPoint(index: start, leaf: try leafHash(along: row, at: start)))
    }

    private func rootBeforeFork(_ row: StoredLog, size: UInt64) throws -> Hash {
        if let known = tables.rootsBeforeForks[row.branch]?[size] { return known }
        let root = try frontier(along: row, size: size).root
        tables.rootsBeforeForks[row.branch, default: [:]][size] = root
        return root
    }

    /// The heads of everything that is told to peers: of every log, or of every segment of a forked one.
    public func replicationHeads() throws -> [LogHead] {
        let rows = try logs()
        let forked = Set(rows.filter { $0.parent != nil }.map(\.name.log))
        return try rows.filter { !forked.contains($0.name.log) }.map(\.head)
            + forked.sorted().flatMap { try segments(of: $0).map(\.head) }
    }

    /// Under which name the entry at an address is told to peers, and how far that reaches; nil where it is not held.
    public func segment(of address: EntryAddress) throws -> LogSegment? {
        guard let row = try log(address.log) else { return nil }
        return try segments(of: row.name.log).last { segment in
            segment.row == row.branch && (segment.head.name.start..<segment.head.size).contains(address.index)
        }
    }

    /// The entries of a log or segment from `from` on, as ``readRange(log:from:maximumBytes:)`` gives them. Where a segment
    /// ends between two checkpoints, the range goes on to the next in the same history, which vouches for both.
    ///
    /// - Parameter id: the log's, or the segment's.
    public func readSegment(_ id: LogID, from: UInt64, maximumBytes: Int) throws -> EntryRange? {
        if let row = try log(id), try !isForked(row.name.log) {
            return try readRange(log: id, from: from, maximumBytes: maximumBytes)
        }
        guard let segment = try segment(id), let row = try tables.logID(of: segment.row), from < segment.head.size,
            let range = try readRange(log: row, from: from, maximumBytes: maximumBytes)
        else { return nil }
        return EntryRange(log: id, start: range.start, entries: range.entries, checkpoint: range.checkpoint)
    }

    /// The segment of an id; nil where there is none.
    private func segment(_ id: LogID) throws -> LogSegment? {
        for log in Set(try logs().filter { $0.parent != nil }.map(\.name.log)).sorted() {
            if let segment = try segments(of: log).first(where: { $0.head.name.id == id }) { return segment }
        }
        return nil
    }

    /// Where the entry with an id stands that its writer put at a place of a log: in a forked log several have the place.
    ///
    /// - Returns: nil where it is not held.
    public func address(of entry: EntryID, at place: EntryAddress) throws -> EntryAddress? {
        for row in try rows(of: place.log) where (row.start..<row.head.size).contains(place.index) {
            if try leafHash(along: row, at: place.index) == entry.hash {
                return EntryAddress(log: row.name.id, index: place.index)
            }
        }
        return nil
    }

    // MARK: Along a history

    /// The rows that hold a history, from the log's own on, each with the index at which the next takes over.
    func sections(along row: StoredLog) throws -> [(row: StoredLog, end: UInt64)] {
        var sections = [(row: row, end: row.head.size)]
        while let first = sections.first?.row, let parent = first.parent {
            guard sections.count < 4096, let id = try tables.logID(of: parent), let above = try log(id),
                above.start <= first.start
            else { throw StoreError.damaged("log row \(first.branch) names no row that it could continue") }
            sections.insert((above, first.start), at: 0)
        }
        return sections
    }

    /// The leaf hash at an index of a row or of what comes before it.
    func leafHash(along row: StoredLog, at index: UInt64) throws -> Hash {
        let holder =
            index >= row.start ? row : try sections(along: row).first { index < $0.end }?.row ?? row
        let statement = try tables.connection.cached("SELECT leaf FROM entries WHERE branch = ?1 AND leaf_index = ?2")
        defer { statement.reset() }
        statement.bind(1, holder.branch)
        statement.bind(2, index)
        guard try statement.step(), let leaf = statement.hash(0) else {
            throw StoreError.damaged("the leaf hash of entry \(row.name.id)/\(index) is missing")
        }
        return leaf
    }

    /// Streams the leaf hashes of the first `size` entries of a history.
    func forEachLeaf(along row: StoredLog, size: UInt64, _ body: (Hash) throws -> Void) throws {
        var next: UInt64 = 0
        for section in try sections(along: row) where next < size {
            let statement = try tables.connection.prepare(
                "SELECT leaf FROM entries WHERE branch = ?1 AND leaf_index >= ?2 AND leaf_index < ?3 ORDER BY leaf_index"
            )
            statement.bind(1, section.row.branch)
            statement.bind(2, next)
            statement.bind(3, min(section.end, size))
            while try statement.step() {
                guard let leaf = statement.hash(0) else {
                    throw StoreError.damaged("the leaf hash of entry \(row.name.id)/\(next) has not 32 bytes")
                }
                try body(leaf)
                next += 1
            }
        }
        guard next == size else { throw StoreError.damaged("leaf hashes of log \(row.name.id) are missing") }
    }

    /// The frontier of the first `size` entries of a history.
    func frontier(along row: StoredLog, size: UInt64) throws -> MerkleFrontier {
        var frontier = MerkleFrontier()
        try forEachLeaf(along: row, size: size) { frontier.append($0) }
        return frontier
    }
}
