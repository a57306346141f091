import EventLog

extension LogVerification {
    /// The arrivals of a branch must cover its entries, each once and in order.
    mutating func checkArrivals() throws {
        var covered: [Int64: UInt64] = [:]
        let statement = try tables.connection.prepare(
            "SELECT arrival, branch, first, count FROM arrivals WHERE arrival <= ?1 ORDER BY arrival")
        statement.bind(1, newestArrival)
        var expected: Int64 = 1
        while try statement.step() {
            let number = statement.int64(0)
            let branch = statement.int64(1)
            if number != expected { report.add(.arrival(number), "the number before it is missing") }
            expected = number &+ 1
            if logs[branch] == nil { report.add(.arrival(number), "it names no log that can be read") }
            if statement.uint64(2) != covered[branch, default: logs[branch]?.name.start ?? 0] {
                report.add(.arrival(number), "it begins at \(statement.uint64(2)), not where the one before it ended")
            }
            covered[branch] = statement.uint64(2) &+ statement.uint64(3)
        }
        for row in logs.values.sorted(by: { $0.branch < $1.branch })
        where covered[row.branch, default: row.name.start] != row.size {
            report.add(.log(row.name.id), "the arrivals do not cover its \(row.size) entries")
        }
    }

    /// Commands must point to entries of their actor, and their digests must be those of the entries where they were made
    /// of them.
    mutating func checkCommands() throws {
        let commands = try tables.connection.prepare(
            "SELECT command, actor, branch, leaf_index, digest, is_request FROM commands")
        while try commands.step() {
            let branch = commands.int64(2)
            let index = commands.uint64(3)
            let place = VerificationProblem.Place.command(commands.bytes(0).hex)
            guard let row = logs[branch] else {
                // A log may have been opened since the verification began.
                if branch <= logs.keys.max() ?? 0 { report.add(place, "it names no log that can be read") }
                continue
            }
            guard index < row.size else {
                if index > MerkleFrontier.maximumSize { report.add(place, "it names no entry") }
                continue
            }
            guard let stored = try readEntry(row, index), let entry = try? stored.parsed() else {
                report.add(place, "its entry \(row.name.id)/\(index) cannot be read")
                continue
            }
            guard let command = CommandID(bytes: commands.bytes(0)), let actor = ActorID(bytes: commands.bytes(1))
            else {
                report.add(place, "command or actor is no id")
                continue
            }
            if entry.header.authority.actor != actor { report.add(place, "its entry is another actor's") }
            if commands.int64(5) == 0, let digest = digest(of: entry, command: command, stream: row.name.stream),
                digest != commands.hash(4)
            {
                report.add(place, "its digest is not that of its entry")
            }
        }
    }

    /// The digest that the draft of an entry had; nil where a part is gone.
    private func digest(of entry: Entry, command: CommandID, stream: StreamID) -> Hash? {
        var parts: [(PartKind, [UInt8])] = []
        for (position, part) in entry.body.parts.enumerated() {
            guard let part else { return nil }
            parts.append((entry.header.parts[position].kind, part.bytes))
        }
        return ContentDigest.of(
            command: command, actor: entry.header.authority.actor, stream: stream, operation: entry.header.operation,
            subject: entry.header.subject, definition: entry.header.definition, parts: parts)
    }

    private func readEntry(_ row: Row, _ index: UInt64) throws -> StoredEntry? {
        do {
            return try tables.cursor(branch: row.branch, log: row.name.id, from: index, to: index + 1).advance()
        } catch is StoreError {
            return nil
        }
    }

    /// Orders must be given by entries of the right kind, about the subject that the entry names.
    mutating func checkOrders() throws {
        let orders: [StoredOrder]
        do {
            orders = try TablesReader(tables: tables).orders()
        } catch let error as StoreError {
            report.add(.file, error.description)
            return
        }
        let branches = Dictionary(logs.values.map { ($0.name.id, $0) }, uniquingKeysWith: { first, _ in first })
        for order in orders {
            let place = VerificationProblem.Place.order(order.number)
            guard let row = branches[order.entry.log] else {
                report.add(place, "its log is not known")
                continue
            }
            if row.name.stream != order.stream { report.add(place, "it is of another stream than its log") }
            guard order.entry.index < row.size else { continue }
            guard let entry = try readEntry(row, order.entry.index).flatMap({ try? $0.parsed() }) else {
                report.add(place, "its entry \(order.entry) cannot be read")
                continue
            }
            switch order.action {
            case .erase(let subject):
                if entry.header.operation != .erasureOrdered { report.add(place, "its entry orders no erasure") }
                if entry.header.subject != subject { report.add(place, "its entry is about another subject handle") }
            case .redact(let target, _, _):
                if entry.header.operation != .redactionOrdered { report.add(place, "its entry orders no redaction") }
                if let other = branches[target.log]?.name.stream, other != order.stream {
                    report.add(place, "its target is in another stream")
                }
            }
        }
    }

    mutating func checkCharters() throws {
        let statement = try tables.connection.prepare("SELECT version, hash, bytes FROM charters")
        while try statement.step() {
            if statement.hash(1) == Hash.sha256(statement.bytes(2)) { continue }
            report.add(.charter(statement.uint64(0)), "its bytes do not have its hash")
        }
    }

    mutating func checkForkProofs() throws {
        let proofs: [ForkProof]
        do {
            proofs = try TablesReader(tables: tables).forkProofs()
        } catch let error as StoreError {
            report.add(.file, error.description)
            return
        }
        let names = Dictionary(
            logs.values.map { ($0.name.origin, $0.name.trunk) }, uniquingKeysWith: { first, _ in first })
        for (position, proof) in proofs.enumerated() {
            guard let name = names[proof.larger.checkpoint.origin], let key = verifierKey(of: name) else { continue }
            do throws(ForkProofError) {
                try proof.verify(with: key)
            } catch {
                report.add(.forkProof(Int64(position + 1)), error.description)
            }
        }
    }
}
