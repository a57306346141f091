import EventLog
import StoreCore
import Trial

/// Writes rows into one generation, whether it is being built or in service.
///
/// Used from one thread at a time. Invariants:
/// - `digest` is the sum of the digests of all rows of participants and forms, of findings of no participant, and of the
///   tables of ``StudyTable``, that were written;
/// - a form's number is its participant's number, shifted, plus its place; a row of the datamart has its form's number,
///   shifted, plus its place: so the rows of one participant lie together in every table and need no index.
final class ViewWriter {
    /// Forms of one participant.
    static let formBits: Int64 = 16
    /// Rows of one form in one table of the datamart.
    static let rowBits: Int64 = 20
    /// Participants.
    static let participantBits: Int64 = 26

    let connection: Connection
    let layout: DatamartLayout?
    var digest = ViewDigest()
    private var nextParticipant: Int64 = 1
    var insertWide: [Statement] = []
    /// The findings of no participant that stand in the file, by location.
    private var looseFindings: [LocationID: Set<FindingRow>] = [:]
    /// What the rows of each table come to that holds what belongs to no participant.
    private var studyTables: [StudyTable: ViewDigest] = [:]

    /// Takes up a file whose tables are there.
    init(_ connection: Connection, layout: DatamartLayout?) throws {
        self.connection = connection
        self.layout = layout
        for table in layout?.tables ?? [] {
            let count = table.columns.count + (table.group == nil ? 3 : 4)
            let marks = (1...count).map { "?\($0)" }.joined(separator: ", ")
            insertWide.append(
                try connection.prepare("INSERT INTO \(ViewSchema.quoted(table.rowsName)) VALUES (\(marks))"))
        }
        nextParticipant = try connection.number("SELECT max(participant) FROM participant") + 1
        let row = try connection.prepare("SELECT digest FROM generation")
        if try row.step(), let sum = row.hash(0) { digest = ViewDigest(sum: sum) }
        row.finalize()
        try loadLooseFindings()
        for table in StudyTable.allCases { studyTables[table] = try table.digest(connection) }
    }

    /// Takes into the digest what a table holds after it was written.
    func settle(_ tables: StudyTable...) throws {
        for table in tables {
            if let old = studyTables[table] { digest.remove(old.sum) }
            let new = try table.digest(connection)
            digest.add(new.sum)
            studyTables[table] = new
        }
    }

    /// Gives all statements back to SQLite, so that the connection can be closed.
    func finish() {
        for statement in insertWide { statement.finalize() }
        insertWide = []
    }

    private func loadLooseFindings() throws {
        let row = try connection.prepare(
            "SELECT location, entry_id, kind, rule, explanation FROM finding WHERE participant IS NULL")
        defer { row.finalize() }
        while try row.step() {
            guard let entry = EntryID(hex: row.text(1)), let kind = FindingRow.Kind(rawValue: row.text(2)) else {
                continue
            }
            looseFindings[LocationID(unchecked: row.text(0)), default: []].insert(
                FindingRow(
                    entry: entry, kind: kind, rule: row.isNull(3) ? nil : row.text(3), explanation: row.text(4)))
        }
    }

    // MARK: Participants

    /// Writes a participant who is not in the file.
    func insert(_ rows: ParticipantRows) throws {
        let number = nextParticipant
        guard number < 1 << ViewWriter.participantBits else {
            throw ViewError.tooMany(what: "participants", limit: 1 << Int(ViewWriter.participantBits), participant: nil)
        }
        nextParticipant += 1
        try insertParticipant(rows, number)
        for (place, form) in rows.forms.enumerated() { try insert(form, of: rows, number, place: Int64(place)) }
    }

    /// Writes a participant in the place of what is in the file; forms that are as they were stay untouched.
    func replace(_ rows: ParticipantRows) throws {
        guard let known = try number(of: rows.participant) else { return try insert(rows) }
        if known.digest != rows.digest {
            try removeParticipantRows(known.number, known.digest)
            try insertParticipant(rows, known.number)
        }
        var standing = try forms(of: known.number)
        var next = (standing.values.map(\.number).max() ?? (known.number << ViewWriter.formBits) - 1) + 1
        // Places of forms that went are not given out again: where they run out, the participant is written anew.
        let added = rows.forms.count { standing[$0.form] == nil }
        guard next + Int64(added) <= (known.number + 1) << ViewWriter.formBits else {
            try remove(rows.participant)
            return try insert(rows)
        }
        for form in rows.forms {
            if let old = standing.removeValue(forKey: form.form) {
                guard old.digest != form.digest else { continue }
                try remove(form: old.number, old.digest)
                try insert(form, of: rows, known.number, place: old.number & ((1 << ViewWriter.formBits) - 1))
            } else {
                try insert(form, of: rows, known.number, place: next - known.number << ViewWriter.formBits)
                next += 1
            }
        }
        for old in standing.values { try remove(form: old.number, old.digest) }
        // The newest entry follows the forms and is in no digest.
        try touch(rows, known.number)
    }

    /// Takes a participant out, who is none any more.
    func remove(_ participant: EntryID) throws {
        guard let known = try number(of: participant) else { return }
        for form in try forms(of: known.number).values { try remove(form: form.number, form.digest) }
        try removeParticipantRows(known.number, known.digest)
    }

    func addToDigest(_ row: Hash) { digest.add(row) }
    func removeFromDigest(_ row: Hash) { digest.remove(row) }

    // MARK: Findings of no participant

    /// Writes the findings of a location's stream that belong to no participant.
    func setLooseFindings(_ findings: [FindingRow], in location: LocationID) throws {
        let wanted = Set(findings)
        let standing = looseFindings[location] ?? []
        for finding in standing.subtracting(wanted) {
            let statement = try connection.cached(
                """
                DELETE FROM finding WHERE participant IS NULL AND location = ?1 AND entry_id = ?2 AND kind = ?3
                AND rule IS ?4 AND explanation = ?5
                """)
            statement.bind(1, location.text)
            statement.bind(2, finding.entry.hash.hex)
            statement.bind(3, finding.kind.rawValue)
            statement.bind(4, finding.rule)
            statement.bind(5, finding.explanation)
            try statement.run()
            digest.remove(finding.digest(in: location))
        }
        for finding in wanted.subtracting(standing) {
            try insert(finding, in: location, participant: nil)
            digest.add(finding.digest(in: location))
        }
        looseFindings[location] = wanted
    }

    func insert(_ finding: FindingRow, in location: LocationID, participant: Int64?) throws {
        let statement = try connection.cached("INSERT INTO finding VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)")
        statement.bind(1, location.text)
        statement.bind(2, participant)
        statement.bind(3, finding.entry.hash.hex)
        statement.bind(4, finding.kind.rawValue)
        statement.bind(5, finding.rule)
        statement.bind(6, finding.explanation)
        try statement.run()
    }
}

extension Statement {
    /// Binds a number, or NULL for nil.
    func bind(_ position: Int32, _ number: Int64?) {
        if let number { bind(position, number) } else { bindNull(position) }
    }

    /// Binds a text, or NULL for nil.
    func bind(_ position: Int32, _ text: String?) {
        if let text { bind(position, text) } else { bindNull(position) }
    }
}
