public import EventLog
import StoreCore
import Trial

/// Reads the generation in service of one study's view. Used from one thread; blocks it while SQLite reads.
///
/// What is read stays readable while a newer generation comes into service: the file is not deleted before the reader is
/// gone.
public final class ViewReader {
    /// The study.
    public let study: StudyID
    /// The generation.
    public let generation: Int
    let connection: Connection
    private let lock: UseLock

    /// Opens the generation in service.
    ///
    /// - Throws: ``ViewError``.
    public init(_ directory: ViewDirectory, study: StudyID) throws {
        guard let (generation, lock) = try directory.use(study) else {
            throw ViewError.noView(study, directory: directory.path)
        }
        self.study = study
        self.generation = generation
        self.lock = lock
        do throws(DatabaseFailure) {
            connection = try Connection(path: directory.file(study, generation), access: .readOnly, vfs: nil)
            // SQLite 3.40 holds its own JSON functions for unsafe in views of a schema that is not trusted; what a query may
            // call is barred one by one instead.
            try connection.execute(
                ViewSchema.commonPragmas
                    + "PRAGMA trusted_schema = ON; PRAGMA query_only = ON; PRAGMA cache_size = -16384;")
        } catch {
            throw ViewError.database(error)
        }
    }

    /// Opens the generation in service of the one study that there is a view of, or of a study named by id or OID.
    ///
    /// - Throws: ``ViewError``.
    public static func open(_ directory: ViewDirectory, study: StudyID?) throws -> ViewReader {
        if let study { return try ViewReader(directory, study: study) }
        let studies = directory.studies()
        guard let only = studies.first, studies.count == 1 else {
            if studies.isEmpty { throw ViewError.noViews(directory: directory.path) }
            throw ViewError.severalStudies(studies)
        }
        return try ViewReader(directory, study: only)
    }

    deinit {
        connection.close()
        lock.release()
    }

    /// Where the view stands, and the digest it states.
    public func state() throws -> (position: ViewPosition, digest: ViewDigest) {
        let found = try rows("SELECT incarnation, arrival, leaf, digest FROM generation WHERE is_complete = 1") { row in
            guard let incarnation = RandomName(bytes: row.bytes(0)), let leaf = row.hash(2), let digest = row.hash(3)
            else { return nil as (ViewPosition, ViewDigest)? }
            return (
                ViewPosition(incarnation: incarnation, arrival: row.int64(1), leaf: leaf), ViewDigest(sum: digest)
            )
        }.compactMap { $0 }
        guard let state = found.first else { throw ViewError.noView(study, directory: connection.path) }
        return state
    }

    /// How much the view holds.
    public func counts() throws -> ViewCounts {
        let found = try rows(
            """
            SELECT count(*), coalesce(sum(forms), 0), coalesce(sum(item_values), 0), coalesce(sum(conflicts), 0),
                (SELECT count(*) FROM finding) FROM participant WHERE NOT is_removed
            """
        ) { row in
            var counts = ViewCounts()
            counts.participants = Int(row.int64(0))
            counts.forms = Int(row.int64(1))
            counts.values = Int(row.int64(2))
            counts.conflicts = Int(row.int64(3))
            counts.findings = Int(row.int64(4))
            return counts
        }
        return found.first ?? ViewCounts()
    }

    /// Adds up the digests of all rows, having computed those of the forms anew from what the file holds of them.
    ///
    /// - Throws: ``ViewError/unsoundRows(path:stated:found:)`` where they do not come to what the file states.
    public func check() throws -> ViewDigest {
        var sum = ViewDigest()
        for digest in try rows("SELECT digest FROM participant", [], { $0.hash(0) ?? .zero }) { sum.add(digest) }
        let loose = try rows("SELECT location, entry_id, kind, rule FROM finding WHERE participant IS NULL") { row in
            EntryID(hex: row.text(1)).flatMap { entry in
                FindingRow.Kind(rawValue: row.text(2)).map {
                    FindingRow(entry: entry, kind: $0, rule: row.optionalText(3), explanation: "")
                        .digest(in: LocationID(unchecked: row.text(0)))
                }
            } ?? .zero
        }
        for digest in loose { sum.add(digest) }
        for digest in try rows("SELECT digest FROM erased_participant", [], { $0.hash(0) ?? .zero }) { sum.add(digest) }
        try forEach(
            """
            SELECT participant_id, event_id, event_oid, event_repeat_key, form_id, form_oid, form_repeat_key, state,
                entries, cells FROM form_instance JOIN participant USING (participant)
            """
        ) { row in
            guard let participant = EntryID(hex: row.text(0)), let form = InstanceID(hex: row.text(4)),
                let state = FormStatus(rawValue: row.text(7))
            else { return }
            var stored = FormRow(
                event: row.optionalText(1).flatMap { InstanceID(hex: $0) }, eventOID: row.text(2),
                eventRepeatKey: row.optionalText(3), form: form, formOID: row.text(5),
                formRepeatKey: row.optionalText(6))
            stored.state = state
            stored.entries = row.bytes(8)
            stored.cells = row.bytes(9)
            sum.add(stored.digest(of: participant))
        }
        let stated = try state().digest
        guard sum == stated else { throw ViewError.unsoundRows(path: connection.path, stated: stated, found: sum) }
        return sum
    }

    /// Reads rows.
    func rows<Row>(_ sql: String, _ bound: [String?] = [], _ read: (Statement) throws -> Row) throws -> [Row] {
        var found: [Row] = []
        try forEach(sql, bound) { found.append(try read($0)) }
        return found
    }

    private func forEach(_ sql: String, _ bound: [String?] = [], _ body: (Statement) throws -> Void) throws {
        do {
            let row = try connection.cached(sql)
            defer { row.reset() }
            for (place, text) in bound.enumerated() { row.bind(Int32(place + 1), text) }
            while try row.step() { try body(row) }
        } catch let failure as DatabaseFailure {
            throw ViewError.database(failure)
        }
    }
}

extension Statement {
    /// A text; nil for NULL.
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    /// A number; nil for NULL.
    func optionalNumber(_ column: Int32) -> Int64? { isNull(column) ? nil : int64(column) }
}
