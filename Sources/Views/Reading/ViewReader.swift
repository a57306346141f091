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

    /// What people call the study: its OID and its name.
    public func studyTitle() throws -> (oid: String, name: String) {
        let found = try rows("SELECT study_oid, study_name FROM generation") { row in (row.text(0), row.text(1)) }
        guard let title = found.first else { throw ViewError.noView(study, directory: connection.path) }
        return title
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

    /// Computes the digest anew from what the file holds, and everything that follows from other rows from these: rows of
    /// the datamart, counts, labels, dates.
    ///
    /// - Throws: ``ViewError/unsoundRow(path:table:of:)`` where a row is not what follows,
    ///   ``ViewError/unsoundRows(path:stated:found:)`` where all do not come to what the file states.
    public func check() throws -> ViewDigest {
        let sum = try ViewCheck(self).digest()
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

    func forEach(_ sql: String, _ bound: [String?] = [], _ body: (Statement) throws -> Void) throws {
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
    /// An id in the one spelling that is written; nil for anything else.
    func identifier<Identifier: HashIdentifier>(_ column: Int32) -> Identifier? {
        let text = text(column)
        return Identifier(hex: text).flatMap { $0.description == text ? $0 : nil }
    }
    /// Whether a column holds such an id or NULL.
    func isIdentifierOrNull(_ column: Int32) -> Bool { isNull(column) || (identifier(column) as InstanceID?) != nil }
    /// A truth value; nil for anything but 0 and 1.
    func flag(_ column: Int32) -> Bool? {
        switch optionalNumber(column) {
        case 0: false
        case 1: true
        default: nil
        }
    }
    /// A number; nil for NULL.
    func optionalNumber(_ column: Int32) -> Int64? { isNull(column) ? nil : int64(column) }
}
