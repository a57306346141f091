import EventLog

/// Puts the stretches of one log together: their leaves must lead to the roots of its checkpoints, and its row must say what
/// its entries say.
struct LogCheck {
    private let row: LogVerification.Row
    private var frontier = MerkleFrontier()
    private var byteCount: UInt64 = 0
    /// Whether a row is missing, so that no later root can be computed.
    private var isBroken = false

    init(row: LogVerification.Row) {
        self.row = row
    }

    /// Hashes what comes before a branch along the rows that hold it; where they do not lead to its beginning, no root of
    /// the branch can be computed.
    mutating func readPrefix(in verification: inout LogVerification) throws {
        guard row.parent != nil else { return }
        var sections: [(row: LogVerification.Row, end: UInt64)] = []
        var below = row
        while let parent = below.parent, let above = verification.logs[parent], sections.count < 4096 {
            sections.insert((above, below.name.start), at: 0)
            below = above
        }
        for section in sections {
            let statement = try verification.tables.connection.prepare(
                "SELECT header FROM entries WHERE branch = ?1 AND leaf_index >= ?2 AND leaf_index < ?3 ORDER BY leaf_index"
            )
            statement.bind(1, section.row.branch)
            statement.bind(2, frontier.size)
            statement.bind(3, section.end)
            while try statement.step() {
                frontier.append(RawEntry(header: statement.bytes(0), body: []).id.hash)
            }
        }
        if below.parent == nil && frontier.size == row.name.start { return }
        verification.report.add(.log(log), "what comes before the branch is not here")
        isBroken = true
    }

    private var log: LogID { row.name.id }

    /// Takes the next stretch.
    mutating func take(_ outcome: ChunkOutcome, of chunk: Chunk, into report: inout VerificationReport) {
        byteCount += outcome.byteCount
        if !isBroken {
            var heads = outcome.heads[...]
            for leaf in outcome.leaves {
                frontier.append(leaf)
                while let head = heads.first, head.size <= frontier.size {
                    heads = heads.dropFirst()
                    if head.size != frontier.size || head.root != frontier.root {
                        report.add(.checkpoint(log, size: head.size), "the entries do not lead to its root")
                    }
                }
            }
        }
        isBroken = isBroken || UInt64(outcome.leaves.count) < chunk.to - chunk.from
        report.add(outcome)
    }

    /// The row of the log must say what its entries say, and its end must be signed.
    func checkEnd(in verification: inout LogVerification) throws {
        guard !isBroken else { return }
        if row.frontier != frontier {
            verification.report.add(.log(log), "the row's size and frontier are not those of the entries")
        }
        if row.byteCount < byteCount {
            verification.report.add(.log(log), "the entries have \(byteCount) bytes, more than the row says")
        }
        let statement = try verification.tables.connection.prepare(
            "SELECT count(*) FROM checkpoints WHERE branch = ?1 AND size = ?2")
        statement.bind(1, row.branch)
        statement.bind(2, row.size)
        if row.size > 0, try statement.step(), statement.int64(0) == 0 {
            verification.report.add(.log(log), "the last entries are under no signed checkpoint")
        }
        let beyond = try verification.tables.connection.prepare(
            "SELECT count(*) FROM checkpoints WHERE branch = ?1 AND size = 0")
        beyond.bind(1, row.branch)
        if try beyond.step(), beyond.int64(0) > 0 {
            verification.report.add(.log(log), "there is a checkpoint of size 0")
        }
    }
}
