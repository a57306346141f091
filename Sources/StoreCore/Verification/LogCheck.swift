import EventLog

/// Hashes one log again: leaves, parts, roots and signatures.
struct LogCheck {
    private let row: LogVerification.Row
    private let key: NoteVerifierKey?
    private var frontier = MerkleFrontier()
    private var byteCount: UInt64 = 0
    private var notes: ArraySlice<(size: UInt64, note: [UInt8])> = []

    init(row: LogVerification.Row, key: NoteVerifierKey?) {
        self.row = row
        self.key = key
    }

    private var log: LogID { row.name.id }

    mutating func run(in verification: inout LogVerification) throws {
        if row.parent != nil, try !readPrefix(in: &verification) { return }
        while frontier.size < row.size {
            let from = frontier.size
            let to = min(row.size, from + LogVerification.step)
            try readNotes(verification.tables, from: from, to: to)
            guard try checkEntries(from: from, to: to, in: &verification) else { return }
            verification.progress(
                VerificationProgress(entries: verification.report.entries, total: verification.total))
        }
        try checkEnd(in: &verification)
    }

    /// Hashes what comes before a branch along the rows that hold it; false where they do not lead to its beginning.
    private mutating func readPrefix(in verification: inout LogVerification) throws -> Bool {
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
        if below.parent == nil && frontier.size == row.name.start { return true }
        verification.report.add(.log(log), "what comes before the branch is not here")
        return false
    }

    /// Checks the entries of one step; false where a row is missing, so that no later root can be computed.
    private mutating func checkEntries(
        from: UInt64, to: UInt64, in verification: inout LogVerification
    ) throws -> Bool {
        let cursor = try verification.tables.cursor(branch: row.branch, log: log, from: from, to: to)
        while frontier.size < to {
            let stored: StoredEntry
            do {
                guard let next = try cursor.advance() else { return true }
                stored = next
            } catch let error as StoreError {
                verification.report.add(.entry(EntryAddress(log: log, index: frontier.size)), error.description)
                return false
            }
            try check(stored, in: &verification)
        }
        return true
    }

    private mutating func check(_ stored: StoredEntry, in verification: inout LogVerification) throws {
        let id = stored.raw.id
        if id != stored.id {
            verification.report.add(.entry(stored.address), "the leaf hash is not that of the header")
        }
        byteCount += UInt64(stored.raw.byteCount)
        try checkParts(of: stored, in: &verification)
        frontier.append(id.hash)
        verification.report.entries += 1
        while let next = notes.first, next.size <= frontier.size {
            notes = notes.dropFirst()
            check(note: next.note, size: next.size, in: &verification)
        }
    }

    /// Holds the parts that are here against the commitments, and those that are not against the orders.
    private func checkParts(of stored: StoredEntry, in verification: inout LogVerification) throws {
        guard let header = try? EntryHeader(bytes: stored.raw.header) else {
            verification.report.entriesNotUnderstood += 1
            return
        }
        let body: EntryBody
        do throws(WireError) {
            body = try EntryBody(bytes: stored.raw.body, partCount: header.parts.count)
        } catch {
            verification.report.add(.entry(stored.address), "the body cannot be read: \(error)")
            return
        }
        if header.log != row.name.log || header.index != stored.address.index {
            verification.report.entriesNotUnderstood += 1
        }
        for (position, part) in body.parts.enumerated() {
            let committed = header.parts[position]
            if let part {
                if part.commitment(kind: committed.kind).commitment != committed.commitment {
                    verification.report.add(
                        .entry(stored.address), "part \(position) is not the one the header commits to")
                }
            } else if try isCovered(header, stored.address, position, in: &verification) {
                verification.report.partsDropped += 1
            } else {
                verification.report.add(.entry(stored.address), "part \(position) is missing, and no order allows that")
            }
        }
    }

    private func isCovered(
        _ header: EntryHeader, _ address: EntryAddress, _ position: Int, in verification: inout LogVerification
    ) throws -> Bool {
        let stream = row.name.stream
        if verification.orders[stream]?.covers(header, at: address, position: position) == true { return true }
        // An order may have come since the verification began.
        return try verification.ordersNow(for: stream).covers(header, at: address, position: position)
    }

    private func check(note: [UInt8], size: UInt64, in verification: inout LogVerification) {
        let place = VerificationProblem.Place.checkpoint(log, size: size)
        let signed: SignedCheckpoint
        do throws(CheckpointError) {
            signed = try SignedCheckpoint(bytes: note)
        } catch {
            verification.report.add(place, error.description)
            return
        }
        guard signed.checkpoint.origin == row.name.origin, signed.checkpoint.size == size else {
            verification.report.add(place, "the note is that of another head")
            return
        }
        if signed.checkpoint.size != frontier.size || signed.checkpoint.root != frontier.root {
            verification.report.add(place, "the entries do not lead to its root")
        }
        guard let key else {
            verification.report.checkpointsWithoutKey += 1
            return
        }
        do throws(CheckpointError) {
            try signed.verify(with: key)
            verification.report.checkpoints += 1
        } catch {
            verification.report.add(place, error.description)
        }
    }

    private mutating func readNotes(_ tables: EventTables, from: UInt64, to: UInt64) throws {
        let statement = try tables.connection.prepare(
            "SELECT size, note FROM checkpoints WHERE branch = ?1 AND size > ?2 AND size <= ?3 ORDER BY size")
        statement.bind(1, row.branch)
        statement.bind(2, from)
        statement.bind(3, to)
        notes = []
        while try statement.step() { notes.append((statement.uint64(0), statement.bytes(1))) }
    }

    /// The row of the log must say what its entries say, and its end must be signed.
    private func checkEnd(in verification: inout LogVerification) throws {
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
