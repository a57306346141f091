import EventLog
import StoreCore
import Trial

/// Writes rows into one generation, whether it is being built or in service.
///
/// Used from one thread at a time. Invariants:
/// - `digest` is the sum of the digests of all rows of participants, forms and findings of no participant that were written;
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
    private(set) var digest = ViewDigest()
    private var nextParticipant: Int64 = 1
    private var insertWide: [Statement] = []
    /// The findings of no participant that stand in the file, by location.
    private var looseFindings: [LocationID: Set<FindingRow>] = [:]

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
        // What is no part of any digest follows the forms.
        try touch(rows, known.number)
    }

    /// Takes a participant out, who is none any more.
    func remove(_ participant: EntryID) throws {
        guard let known = try number(of: participant) else { return }
        for form in try forms(of: known.number).values { try remove(form: form.number, form.digest) }
        try removeParticipantRows(known.number, known.digest)
    }

    private func number(of participant: EntryID) throws -> (number: Int64, digest: Hash)? {
        let row = try connection.cached("SELECT participant, digest FROM participant WHERE participant_id = ?1")
        defer { row.reset() }
        row.bind(1, participant.hash.hex)
        guard try row.step(), let digest = row.hash(1) else { return nil }
        return (row.int64(0), digest)
    }

    private func forms(of number: Int64) throws -> [InstanceID: (number: Int64, digest: Hash)] {
        let row = try connection.cached(
            "SELECT form, form_id, digest FROM form_instance WHERE form >= ?1 AND form < ?2")
        defer { row.reset() }
        row.bind(1, number << ViewWriter.formBits)
        row.bind(2, (number + 1) << ViewWriter.formBits)
        var forms: [InstanceID: (number: Int64, digest: Hash)] = [:]
        while try row.step() {
            guard let id = InstanceID(hex: row.text(1)), let digest = row.hash(2) else { continue }
            forms[id] = (row.int64(0), digest)
        }
        return forms
    }

    private func removeParticipantRows(_ number: Int64, _ old: Hash) throws {
        for table in ["participant", "participant_status", "planned_visit", "finding", "open_conflict"] {
            let statement = try connection.cached("DELETE FROM \(table) WHERE participant = ?1")
            statement.bind(1, number)
            try statement.run()
        }
        digest.remove(old)
    }

    private func remove(form number: Int64, _ old: Hash) throws {
        let statement = try connection.cached("DELETE FROM form_instance WHERE form = ?1")
        statement.bind(1, number)
        try statement.run()
        digest.remove(old)
        for table in layout?.tables ?? [] {
            let statement = try connection.cached(
                "DELETE FROM \(ViewSchema.quoted(table.rowsName)) WHERE \"row\" >= ?1 AND \"row\" < ?2")
            statement.bind(1, number << ViewWriter.rowBits)
            statement.bind(2, (number + 1) << ViewWriter.rowBits)
            try statement.run()
        }
    }

    private func touch(_ rows: ParticipantRows, _ number: Int64) throws {
        let statement = try connection.cached(
            "UPDATE participant SET last_entry_utc_ms = ?2 WHERE participant = ?1 AND last_entry_utc_ms IS NOT ?2")
        statement.bind(1, number)
        statement.bind(2, rows.lastEntryUTCMilliseconds)
        try statement.run()
    }

    private func insertParticipant(_ rows: ParticipantRows, _ number: Int64) throws {
        let count = 17 + ViewSchema.statusColumns.count
        let marks = (1...count).map { "?\($0)" }.joined(separator: ", ")
        let statement = try connection.cached("INSERT INTO participant VALUES (\(marks))")
        statement.bind(1, number)
        statement.bind(2, rows.participant.hash.hex)
        statement.bind(3, rows.location.text)
        statement.bind(4, rows.label)
        for (place, kind) in [LabelKind.screening, .subject, .randomisation].enumerated() {
            statement.bind(Int32(5 + place), rows.labels.first { $0.kind == kind }?.text)
        }
        statement.bind(8, rows.registeredUTCMilliseconds)
        statement.bind(9, rows.registeredAtNode?.text)
        statement.bind(10, rows.isRemoved ? Int64(1) : 0)
        statement.bind(11, rows.isFullyUnderstood ? Int64(1) : 0)
        var place: Int32 = 12
        for status in ParticipantStatus.allCases {
            statement.bind(place, rows.date(of: status))
            place += 1
        }
        let tail = [rows.filledForms, rows.values, rows.conflicts.count, rows.findings.count]
        for number in tail {
            statement.bind(place, Int64(number))
            place += 1
        }
        statement.bind(place, rows.lastEntryUTCMilliseconds)
        statement.bind(place + 1, rows.digest)
        try statement.run()
        digest.add(rows.digest)
        for status in rows.statuses {
            let statement = try connection.cached("INSERT INTO participant_status VALUES (?1, ?2, ?3, ?4)")
            statement.bind(1, number)
            statement.bind(2, status.entry.hash.hex)
            statement.bind(3, status.status.rawValue)
            statement.bind(4, status.eventDate)
            try statement.run()
        }
        for conflict in rows.conflicts { try insert(conflict, participant: number) }
        for visit in rows.visits { try insert(visit, participant: number) }
        for finding in rows.findings { try insert(finding, in: rows.location, participant: number) }
    }

    private func insert(_ conflict: ConflictRow, participant: Int64) throws {
        let statement = try connection.cached(
            """
            INSERT INTO open_conflict (participant, kind, form_id, instance_id, item_oid, is_waiting, sides)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """)
        statement.bind(1, participant)
        statement.bind(2, conflict.kind)
        statement.bind(3, conflict.form?.hash.hex)
        statement.bind(4, conflict.instance?.hash.hex)
        statement.bind(5, conflict.itemOID)
        statement.bind(6, conflict.isWaiting ? Int64(1) : 0)
        statement.bind(7, utf8: conflict.sides)
        try statement.run()
    }

    private func insert(_ visit: VisitRow, participant: Int64) throws {
        let statement = try connection.cached("INSERT INTO planned_visit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        statement.bind(1, participant)
        statement.bind(2, visit.eventOID)
        statement.bind(3, Int64(visit.occurrence))
        statement.bind(4, visit.due)
        statement.bind(5, visit.windowStart)
        statement.bind(6, visit.windowEnd)
        statement.bind(7, visit.outcome)
        try statement.run()
    }

    // MARK: Forms

    private func insert(_ form: FormRow, of rows: ParticipantRows, _ participant: Int64, place: Int64) throws {
        guard place < 1 << ViewWriter.formBits else {
            throw ViewError.tooMany(
                what: "forms of a participant", limit: 1 << Int(ViewWriter.formBits), participant: rows.participant)
        }
        let number = participant << ViewWriter.formBits | place
        let statement = try connection.cached(
            """
            INSERT INTO form_instance VALUES
            (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
            """)
        statement.bind(1, number)
        statement.bind(2, participant)
        statement.bind(3, form.eventOID)
        statement.bind(4, form.eventRepeatKey)
        statement.bind(5, form.event?.hash.hex)
        statement.bind(6, form.formOID)
        statement.bind(7, form.formRepeatKey)
        statement.bind(8, form.form.hash.hex)
        statement.bind(9, form.state.rawValue)
        statement.bind(10, Int64(form.values))
        statement.bind(11, Int64(form.conflicts))
        statement.bind(12, Int64(form.awaited))
        statement.bind(13, form.firstEntryUTCMilliseconds)
        statement.bind(14, form.lastEntryUTCMilliseconds)
        statement.bind(15, form.node?.text)
        statement.bind(16, form.performedAt)
        statement.bind(17, utf8: form.entries)
        statement.bind(18, utf8: form.cells)
        statement.bind(19, form.digest)
        try statement.run()
        digest.add(form.digest)
        try insert(form.wide, form: number, of: rows)
    }

    private func insert(_ wide: [WideRow], form: Int64, of rows: ParticipantRows) throws {
        guard wide.count < 1 << ViewWriter.rowBits else {
            throw ViewError.tooMany(
                what: "rows of a form", limit: 1 << Int(ViewWriter.rowBits), participant: rows.participant)
        }
        for (place, row) in wide.enumerated() {
            let statement = insertWide[row.table]
            statement.clearBindings()
            statement.bind(1, form << ViewWriter.rowBits | Int64(place))
            statement.bind(2, form)
            var first: Int32 = 3
            if let key = row.groupRepeatKey {
                statement.bind(3, key)
                first = 4
            }
            for (column, cell) in row.cells {
                switch cell {
                case .integer(let number): statement.bind(first + Int32(column), number)
                case .real(let number): statement.bind(first + Int32(column), number)
                case .text(let text): statement.bind(first + Int32(column), text)
                }
            }
            if let status = row.status, let table = layout?.tables[row.table] {
                statement.bind(first + Int32(table.columns.count), utf8: status)
            }
            try statement.run()
        }
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

    private func insert(_ finding: FindingRow, in location: LocationID, participant: Int64?) throws {
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

extension ParticipantRows {
    /// How people name the participant: subject number, else screening number, else the first label, else the id.
    var label: String {
        (labels.first { $0.kind == .subject } ?? labels.first { $0.kind == .screening } ?? labels.first)?.text
            ?? participant.description
    }

    /// When the participant's data were last written, by the writing nodes' clocks.
    var lastEntryUTCMilliseconds: Int64? {
        (forms.compactMap(\.lastEntryUTCMilliseconds) + [registeredUTCMilliseconds].compactMap { $0 }).max()
    }

    /// The date of a status; nil where it was not reached, empty where records give several dates.
    func date(of status: ParticipantStatus) -> String? {
        let dates = Set(statuses.filter { $0.status == status }.map(\.eventDate))
        return dates.count > 1 ? "" : dates.first
    }
}
