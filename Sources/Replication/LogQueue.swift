import EventLog

/// Logs in the order in which they were put in, each at most once.
///
/// Invariant: `members` are exactly the items from `first` on.
struct LogQueue: Sendable {
    private var items: [LogID] = []
    private var first = 0
    private var members: Set<LogID> = []

    /// True where no log waits.
    var isEmpty: Bool { members.isEmpty }
    /// How many logs wait.
    var count: Int { members.count }

    /// Puts a log at the end; one that waits already keeps its place.
    mutating func append(_ log: LogID) {
        if members.insert(log).inserted { items.append(log) }
    }

    /// Takes the log that has waited longest.
    mutating func popFirst() -> LogID? {
        guard first < items.count else { return nil }
        let log = items[first]
        first += 1
        members.remove(log)
        // Moving the rest only when half is gone keeps the cost of taking one constant.
        if first * 2 > items.count {
            items.removeFirst(first)
            first = 0
        }
        return log
    }

    /// Takes all.
    mutating func removeAll() {
        self = LogQueue()
    }
}
