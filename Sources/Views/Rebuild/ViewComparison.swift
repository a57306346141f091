public import EventLog
import StoreCore

/// What holding a study's view in service against one built anew came to.
public struct ViewComparison: Sendable {
    /// The study.
    public let study: StudyID
    /// The generation in service; nil where there is none.
    public let generation: Int?
    /// Rows compared.
    public let rows: Int
    /// Where the two differ, a line each, at most ``maximumDifferences``; ids and names of tables, no values.
    public let differences: [String]
    /// How many rows stand in only one of the two.
    public let differenceCount: Int
    /// False where the view in service holds other entries than those that were read, so that nothing was compared.
    public let isCompared: Bool

    /// No comparison lists more differences than this.
    public static let maximumDifferences = 100
}

/// Holds the view of a study that is in service against one that is built anew beside it, row by row, and leaves the one in
/// service as it is.
public struct ViewAudit {
    private let dataDirectory: String
    private let context: StudyViewContext
    private let scratch: String

    /// - Parameters:
    ///   - dataDirectory: where `events.sqlite` and `views` lie.
    ///   - context: authority and definitions as they are now.
    ///   - scratch: an owner-only folder in which the other generation is built; it is deleted again.
    public init(dataDirectory: String, context: StudyViewContext, scratch: String) {
        self.dataDirectory = dataDirectory
        self.context = context
        self.scratch = scratch
    }

    /// Builds and compares. Beside a running node the view may move on meanwhile; then it is tried again.
    ///
    /// - Throws: ``ViewError``, ``StoreCore/StoreError``.
    public func run(progress: (RebuildProgress) -> Void = { _ in }) throws -> ViewComparison {
        let directory = ViewDirectory(dataDirectory: dataDirectory)
        let built = ViewDirectory(dataDirectory: scratch)
        let events = try StoreReader(directory: dataDirectory)
        for _ in 0..<3 {
            guard let stored = StoredView(directory, context.study) else { break }
            let new = try ViewRebuild(dataDirectory: dataDirectory, context: context, viewsIn: scratch)
                .build(progress: progress)
            defer { built.remove(context.study, new.generation) }
            // Changes none: then both stand at the same entries, whatever came for other studies.
            guard try stored.changesSince(context, events)?.isEmpty == true,
                let use = try directory.use(context.study), use.generation == stored.generation
            else { continue }
            defer { use.lock.release() }
            var comparison = try compare(
                directory.file(context.study, stored.generation), built.file(context.study, new.generation),
                stored.generation)
            guard StoredView(directory, context.study)?.position.arrival == stored.position.arrival else { continue }
            if comparison.differences.isEmpty, stored.digest != new.digest {
                comparison = ViewComparison(
                    study: context.study, generation: stored.generation, rows: comparison.rows,
                    differences: ["the digest that the view states is not that of its rows"], differenceCount: 1,
                    isCompared: true)
            }
            return comparison
        }
        return ViewComparison(
            study: context.study, generation: directory.current(context.study), rows: 0, differences: [],
            differenceCount: 0, isCompared: false)
    }

    private func compare(_ stored: String, _ built: String, _ generation: Int) throws -> ViewComparison {
        let left = try ComparedRows(path: stored)
        let right = try ComparedRows(path: built)
        var rows = 0
        var differences: [String] = []
        var count = 0
        for table in Set(left.tables).union(right.tables).sorted() {
            guard left.tables.contains(table), right.tables.contains(table) else {
                count += 1
                differences.append("table \(table) is only in one of the two")
                continue
            }
            let (one, other) = (try left.sum(of: table), try right.sum(of: table))
            rows += other.rows
            guard one.digest != other.digest || one.rows != other.rows else { continue }
            for line in try left.differences(from: right, in: table) {
                count += 1
                if differences.count < ViewComparison.maximumDifferences { differences.append(line) }
            }
        }
        return ViewComparison(
            study: context.study, generation: generation, rows: rows, differences: differences, differenceCount: count,
            isCompared: true)
    }
}

/// The rows of one generation without the numbers that hold in that generation only.
private final class ComparedRows {
    let tables: [String]
    private let connection: Connection

    init(path: String) throws {
        connection = try Connection(path: path, access: .readOnly, vfs: nil)
        try connection.execute(ViewSchema.commonPragmas)
        let names = try connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'generation' AND name NOT LIKE 'sqlite_%'")
        var found: [String] = []
        while try names.step() { found.append(names.text(0)) }
        tables = found.sorted()
    }

    deinit { connection.close() }

    private struct Row {
        let digest: Hash
        let name: String
    }

    /// What a table's rows come to, whatever their order.
    func sum(of table: String) throws -> (digest: ViewDigest, rows: Int) {
        var digest = ViewDigest()
        var count = 0
        try forEachRow(of: table) { row in
            digest.add(row.digest)
            count += 1
        }
        return (digest, count)
    }

    /// The rows that stand in only one of two tables, named by their participants and forms.
    func differences(from other: ComparedRows, in table: String) throws -> [String] {
        var balance: [Hash: (count: Int, name: String)] = [:]
        try forEachRow(of: table) { balance[$0.digest, default: (0, $0.name)].count += 1 }
        try other.forEachRow(of: table) { balance[$0.digest, default: (0, $0.name)].count -= 1 }
        return balance.values.filter { $0.count != 0 }.map { found in
            "\(table)\(found.name): a row that is " + (found.count > 0 ? "not in a rebuild" : "in a rebuild is missing")
        }.sorted()
    }

    private func forEachRow(of table: String, _ body: (Row) -> Void) throws {
        let (columns, names) = try self.columns(of: table)
        let statement = try connection.prepare(
            "SELECT \(columns.joined(separator: ", ")) FROM \(ViewSchema.quoted(table)) AS t")
        defer { statement.finalize() }
        while try statement.step() {
            var writer = WireWriter(capacity: 256)
            for place in columns.indices {
                writer.unsigned(1, always: UInt64(statement.type(Int32(place))))
                writer.data(2, always: statement.bytes(Int32(place)))
            }
            let name = names.map { " of \($0.name) \(statement.text($0.place))" }.joined()
            body(Row(digest: .sha256(writer.bytes), name: name))
        }
    }

    /// What is compared of a table's rows, and which of it names them.
    private func columns(of table: String) throws -> ([String], names: [(name: String, place: Int32)]) {
        let info = try connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1)")
        info.bind(1, table)
        var columns: [String] = []
        var names: [(name: String, place: Int32)] = []
        while try info.step() {
            let name = info.text(0)
            let place = Int32(columns.count)
            switch name {
            case "participant" where table != "participant":
                columns.append("(SELECT participant_id FROM participant AS p WHERE p.participant = t.participant)")
                names.append(("participant", place))
            case "form" where table != "form_instance":
                columns.append("(SELECT form_id FROM form_instance AS f WHERE f.form = t.form)")
                names.append(("form", place))
            // Numbers of this generation.
            case _ where info.int64(2) == 1 && info.text(1) == "INTEGER": continue
            default:
                columns.append("t.\(ViewSchema.quoted(name))")
                if name == "participant_id" || name == "form_id" {
                    names.append((String(name.dropLast(3)), place))
                }
            }
        }
        return (columns, names)
    }
}
