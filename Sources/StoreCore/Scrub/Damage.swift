public import EventLog

/// Something in the file that was altered since it was checked: a flipped bit, a page that was not written.
public struct DamagedPlace: Hashable, Sendable {
    /// What is damaged.
    public enum Kind: Int64, Hashable, Sendable {
        /// The entry at ``index``: its header, leaf hash or body.
        case entry = 1
        /// The checkpoint of size ``index``.
        case checkpoint = 2
    }

    /// The log, or branch of a forked one.
    public let log: LogID
    /// Which entry, or the checkpoint of which size.
    public let index: UInt64
    /// What of it.
    public let kind: Kind
    /// What is wrong; ids but no values.
    public let text: String

    /// States a place.
    public init(log: LogID, index: UInt64, kind: Kind, text: String) {
        self.log = log
        self.index = index
        self.kind = kind
        self.text = text
    }

    /// Index of the first entry that a peer must send for a repair.
    public var firstWanted: UInt64 { kind == .entry ? index : index - min(index, 1) }
}

extension DamagedPlace: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        (kind == .entry ? "entry \(log)/\(index)" : "the checkpoint of size \(index) of log \(log)") + ": \(text)"
    }
}

extension EventReading {
    /// What is damaged and not repaired yet: it is neither folded nor given to peers.
    public func openDamage() throws -> [DamagedPlace] {
        let statement = try tables.connection.cached(
            """
            SELECT logs.id, damage.leaf_index, damage.kind, damage.text FROM damage JOIN logs USING (branch)
            WHERE repaired_milliseconds IS NULL ORDER BY branch, leaf_index, kind
            """)
        defer { statement.reset() }
        var places: [DamagedPlace] = []
        while try statement.step() {
            guard let log = statement.hash(0), let kind = DamagedPlace.Kind(rawValue: statement.int64(2)) else {
                continue
            }
            places.append(
                DamagedPlace(log: LogID(log), index: statement.uint64(1), kind: kind, text: statement.text(3)))
        }
        return places
    }

    /// The damaged entries and checkpoints of a row from an index on, where nothing may be given to peers.
    func damage(in row: StoredLog, from index: UInt64) throws -> (firstEntry: UInt64, checkpoints: Set<UInt64>) {
        let statement = try tables.connection.cached(
            """
            SELECT leaf_index, kind FROM damage WHERE branch = ?1 AND leaf_index >= ?2 AND repaired_milliseconds IS NULL
            ORDER BY leaf_index
            """)
        defer { statement.reset() }
        statement.bind(1, row.branch)
        statement.bind(2, index)
        var first = UInt64.max
        var checkpoints: Set<UInt64> = []
        while try statement.step() {
            if statement.int64(1) == 1 {
                first = min(first, statement.uint64(0))
            } else {
                checkpoints.insert(statement.uint64(0))
            }
        }
        return (first, checkpoints)
    }
}

extension StoredEntry {
    /// What does not hold of the entry as it was read: nil where header, leaf hash and the parts that are here fit together.
    /// Costs a hash over everything.
    public var damage: String? {
        if raw.id != id { return "the leaf hash is not that of the header" }
        guard let header = try? EntryHeader(bytes: raw.header) else { return nil }
        guard let body = try? EntryBody(bytes: raw.body, partCount: header.parts.count) else {
            return "the body cannot be read"
        }
        for (position, part) in body.parts.enumerated() {
            let committed = header.parts[position]
            if let part, part.commitment(kind: committed.kind).commitment != committed.commitment {
                return "part \(position) is not the one the header commits to"
            }
        }
        return nil
    }

    /// Where it stands, if it is damaged.
    public var damagedPlace: DamagedPlace? {
        damage.map { DamagedPlace(log: address.log, index: address.index, kind: .entry, text: $0) }
    }
}

extension VerificationReport {
    /// The entries and checkpoints that are damaged, by what a verification found. Where entries of a log are, the roots
    /// over them say nothing of its checkpoints.
    public var damagedPlaces: [DamagedPlace] {
        var places: [DamagedPlace] = []
        var withEntries: Set<LogID> = []
        for problem in problems {
            if case .entry(let address) = problem.place {
                withEntries.insert(address.log)
                places.append(
                    DamagedPlace(log: address.log, index: address.index, kind: .entry, text: problem.text))
            }
        }
        for problem in problems {
            if case .checkpoint(let log, let size) = problem.place, !withEntries.contains(log), size > 0 {
                places.append(DamagedPlace(log: log, index: size, kind: .checkpoint, text: problem.text))
            }
        }
        return places
    }

    /// What is wrong beside entries and checkpoints, which no peer can mend.
    public var otherProblems: [VerificationProblem] {
        problems.filter {
            switch $0.place {
            case .entry, .checkpoint: false
            // What a log's own row says follows from its entries.
            case .log(let log): !damagedPlaces.contains { $0.log == log }
            default: true
            }
        }
    }
}
