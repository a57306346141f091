public import EventLog

/// What the writer of one log knew at each of its places, as far as the log is here: by this it is judged whether an entry
/// knew less than one before it (law M60), and by which version of the charter the log was begun (law M61).
///
/// A function of the set of entries noted. While entries come in the order of the log, only what raises a number takes room.
/// Of a log that was forked, so that two entries have one place, no entry is before another: numbers of its histories may have
/// grown apart without anybody's doing wrong.
public struct LogKnowledge: Sendable {
    /// The places at which a number rose above all before it.
    ///
    /// Invariant: both index and value grow strictly.
    private struct Rises: Sendable {
        private var steps: [(index: UInt64, value: UInt64)] = []

        /// The highest value below `index`; nil where nothing is.
        func highest(below index: UInt64) -> UInt64? {
            steps.last { $0.index < index }?.value
        }

        /// Notes a value; true where it raised what holds behind its place.
        mutating func note(_ value: UInt64, at index: UInt64) -> Bool {
            let place = steps.lastIndex { $0.index <= index }.map { $0 + 1 } ?? 0
            if place > 0, steps[place - 1].value >= value { return false }
            steps.removeSubrange(place..<(steps[place...].firstIndex { $0.value > value } ?? steps.count))
            steps.insert((index, value), at: place)
            return true
        }
    }

    /// The node whose log it is.
    public let writer: NodeID
    /// The stream of the log.
    public let stream: StreamID
    /// The lowest and the highest place noted, and the version of the charter known at the lowest.
    private var first: (index: UInt64, charter: UInt64)?
    private var last: UInt64 = 0
    /// The places noted.
    private var places = HeldExtent()
    /// The first place that two entries have; nil where none does.
    private(set) var forkedFrom: UInt64?
    private var charter = Rises()
    private var participation = Rises()
    /// Delegation numbers by the participation number known with them, which says of which study site they are.
    private var delegations: [UInt64: Rises] = [:]

    /// A log of which nothing is here.
    public init(writer: NodeID, stream: StreamID) {
        self.writer = writer
        self.stream = stream
    }

    /// The version of the charter that the writer knew when it began the log, by the lowest entry that is here.
    var charterAtBeginning: UInt64? { first?.charter }

    /// The participation numbers with which delegation numbers were known.
    var participationsOfDelegations: [UInt64] { delegations.keys.sorted() }

    /// Takes in an entry, each once.
    ///
    /// - Returns: true where entries noted before may now be judged otherwise.
    @discardableResult
    public mutating func note(_ header: EntryHeader, at index: UInt64) -> Bool {
        let known = header.known
        let forksNow = places.contains(index) && index < forkedFrom ?? .max
        if forksNow { forkedFrom = index }
        places.insert(index)
        var isOtherwise = charter.note(known.charter, at: index)
        isOtherwise = participation.note(known.participation, at: index) || isOtherwise
        if known.delegation > 0 {
            isOtherwise =
                delegations[known.participation, default: Rises()].note(known.delegation, at: index) || isOtherwise
        }
        if first.map({ (index, known.charter) < ($0.index, $0.charter) }) ?? true {
            first = (index, known.charter)
            isOtherwise = true
        }
        defer { last = max(last, index) }
        return forksNow || isOtherwise && index < last
    }

    /// Whether an entry at `index` that knew this knew less than one before it.
    ///
    /// - Parameter isOneSite: whether two participation numbers put the stream's location into the same study site;
    ///   delegation numbers of different sites do not compare.
    func isAbove(_ known: KnownVersions, at index: UInt64, isOneSite: (UInt64, UInt64) -> Bool) -> Bool {
        if forkedFrom != nil { return false }
        if let highest = charter.highest(below: index), highest > known.charter { return true }
        if let highest = participation.highest(below: index), highest > known.participation { return true }
        // In the study's own stream no number is of a study site, so none compare.
        guard known.delegation > 0, stream.location != nil else { return false }
        return delegations.contains { number, rises in
            guard let highest = rises.highest(below: index), highest > known.delegation else { return false }
            return number == known.participation || isOneSite(number, known.participation)
        }
    }
}

extension StudyAuthority {
    /// Whether `entry` knew less of charter, participation or delegation than one before it in its log (law M60).
    func knewLess(_ header: EntryHeader, at index: UInt64, _ log: LogKnowledge) -> Bool {
        log.isAbove(header.known, at: index) { isOneSite($0, $1, in: log.stream) }
    }

    private func isOneSite(_ one: UInt64, _ other: UInt64, in stream: StreamID) -> Bool {
        guard let location = stream.location, let site = participation(numbered: one)?.site(of: location) else {
            return false
        }
        return participation(numbered: other)?.site(of: location)?.id == site.id
    }

    /// The study sites that the delegation numbers known in a log are of, where there may be several: while they stay the
    /// same, entries of the log compare as before.
    func sitesOfDelegations(in log: LogKnowledge) -> [StudySiteID?] {
        guard let location = log.stream.location, log.participationsOfDelegations.count > 1 else { return [] }
        return log.participationsOfDelegations.map { participation(numbered: $0)?.site(of: location)?.id }
    }

    /// Whether the entry at `index` lies beyond what the charter accepts of a log that was begun under a key which was
    /// revoked or replaced since (law M61).
    func isBeyondAccepted(_ log: LogKnowledge, _ id: LogID, at index: UInt64) -> Bool {
        guard let began = log.charterAtBeginning,
            let size = directory.acceptedSize(of: id, by: log.writer, begunKnowing: began)
        else { return false }
        return index >= size
    }
}
