import EventLog

/// A stretch of one log to be hashed: stretches need nothing of each other, so every core takes one.
struct Chunk: Sendable {
    let row: LogVerification.Row
    let from: UInt64
    let to: UInt64
}

/// What hashing a stretch came to.
struct ChunkOutcome: Sendable {
    /// The leaf hashes, computed from the headers; as many as there were before a row that is missing.
    var leaves: [Hash] = []
    /// The notes that stand at sizes within, in order, as far as they can be read.
    var heads: [(size: UInt64, root: Hash)] = []
    var byteCount: UInt64 = 0
    var checkpoints = 0
    var checkpointsWithoutKey = 0
    var entriesNotUnderstood: UInt64 = 0
    /// Parts that are gone, by the number of an order that lets them.
    var drops: [Int64: UInt64] = [:]
    var problems: [VerificationProblem] = []
    var problemCount = 0

    mutating func add(_ place: VerificationProblem.Place, _ text: String) {
        problemCount += 1
        if problems.count < VerificationReport.maximumProblems {
            problems.append(VerificationProblem(place: place, text: text))
        }
    }
}

/// Hashes one stretch again: leaves, parts, and signatures of the checkpoints in it; whether they lead to the roots is seen
/// when the stretches are put together.
struct ChunkCheck {
    let tables: EventTables
    let key: NoteVerifierKey?
    /// The orders as they were when the verification began, by stream.
    let orders: [StreamID: StreamOrders]
    private var outcome = ChunkOutcome()

    init(tables: EventTables, key: NoteVerifierKey?, orders: [StreamID: StreamOrders]) {
        self.tables = tables
        self.key = key
        self.orders = orders
    }

    static func run(
        _ chunk: Chunk, tables: EventTables, key: NoteVerifierKey?, orders: [StreamID: StreamOrders]
    ) throws -> ChunkOutcome {
        var check = ChunkCheck(tables: tables, key: key, orders: orders)
        try check.checkEntries(chunk)
        try check.checkNotes(chunk)
        return check.outcome
    }

    private mutating func checkEntries(_ chunk: Chunk) throws {
        let log = chunk.row.name.id
        let cursor = try tables.cursor(branch: chunk.row.branch, log: log, from: chunk.from, to: chunk.to)
        outcome.leaves.reserveCapacity(Int(chunk.to - chunk.from))
        while chunk.from + UInt64(outcome.leaves.count) < chunk.to {
            let stored: StoredEntry
            do {
                guard let next = try cursor.advance() else { return }
                stored = next
            } catch let error as StoreError {
                let index = chunk.from + UInt64(outcome.leaves.count)
                outcome.add(.entry(EntryAddress(log: log, index: index)), error.description)
                return
            }
            let id = stored.raw.id
            if id != stored.id {
                outcome.add(.entry(stored.address), "the leaf hash is not that of the header")
            }
            outcome.byteCount += UInt64(stored.raw.byteCount)
            outcome.leaves.append(id.hash)
            try checkParts(of: stored, chunk.row)
        }
    }

    /// Holds the parts that are here against the commitments, and those that are not against the orders.
    private mutating func checkParts(of stored: StoredEntry, _ row: LogVerification.Row) throws {
        guard let header = try? EntryHeader(bytes: stored.raw.header) else {
            outcome.entriesNotUnderstood += 1
            return
        }
        let body: EntryBody
        do throws(WireError) {
            body = try EntryBody(bytes: stored.raw.body, partCount: header.parts.count)
        } catch {
            outcome.add(.entry(stored.address), "the body cannot be read: \(error)")
            return
        }
        if header.log != row.name.log || header.index != stored.address.index { outcome.entriesNotUnderstood += 1 }
        let inForce = orders[row.name.stream]
        let place = EntryAddress(log: row.name.log, index: stored.address.index)
        for (position, part) in body.parts.enumerated() {
            let order = inForce?.order(on: header, stored.id, at: place, position: position)
            if let part {
                let committed = header.parts[position]
                if part.commitment(kind: committed.kind).commitment != committed.commitment {
                    outcome.add(.entry(stored.address), "part \(position) is not the one the header commits to")
                }
                if let order {
                    outcome.add(.entry(stored.address), "part \(position) is here although order \(order) drops it")
                }
            } else if let order {
                outcome.drops[order, default: 0] += 1
            } else if let order = try orderNow(header, stored.id, place, position, row.name.stream) {
                outcome.drops[order, default: 0] += 1
            } else {
                outcome.add(.entry(stored.address), "part \(position) is missing, and no order allows that")
            }
        }
    }

    /// An order that came since the verification began.
    private func orderNow(
        _ header: EntryHeader, _ id: EntryID, _ place: EntryAddress, _ position: Int, _ stream: StreamID
    ) throws -> Int64? {
        KnownOrders(try TablesReader(tables: tables).orders()).byStream[stream]?
            .order(on: header, id, at: place, position: position)
    }

    /// Signatures are the costly part where every commit brought few entries, so they are checked here, on every core.
    private mutating func checkNotes(_ chunk: Chunk) throws {
        let statement = try tables.connection.prepare(
            "SELECT size, note FROM checkpoints WHERE branch = ?1 AND size > ?2 AND size <= ?3 ORDER BY size")
        statement.bind(1, chunk.row.branch)
        statement.bind(2, chunk.from)
        statement.bind(3, chunk.to)
        while try statement.step() { check(note: statement.bytes(1), size: statement.uint64(0), chunk.row.name) }
    }

    private mutating func check(note: [UInt8], size: UInt64, _ name: LogName) {
        let place = VerificationProblem.Place.checkpoint(name.id, size: size)
        let signed: SignedCheckpoint
        do throws(CheckpointError) {
            signed = try SignedCheckpoint(bytes: note)
        } catch {
            outcome.add(place, error.description)
            return
        }
        guard signed.checkpoint.origin == name.origin, signed.checkpoint.size == size else {
            outcome.add(place, "the note is that of another head")
            return
        }
        outcome.heads.append((size, signed.checkpoint.root))
        guard let key else {
            outcome.checkpointsWithoutKey += 1
            return
        }
        do throws(CheckpointError) {
            try signed.verify(with: key)
            outcome.checkpoints += 1
        } catch {
            outcome.add(place, error.description)
        }
    }
}
