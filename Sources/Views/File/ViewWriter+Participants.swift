import EventLog
import StoreCore
import Trial

/// The rows of one participant.
extension ViewWriter {
    func number(of participant: EntryID) throws -> (number: Int64, digest: Hash)? {
        let row = try connection.cached("SELECT participant, digest FROM participant WHERE participant_id = ?1")
        defer { row.reset() }
        row.bind(1, participant.hash.hex)
        guard try row.step(), let digest = row.hash(1) else { return nil }
        return (row.int64(0), digest)
    }

    func forms(of number: Int64) throws -> [InstanceID: (number: Int64, digest: Hash)] {
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

    func removeParticipantRows(_ number: Int64, _ old: Hash) throws {
        for table in ViewSchema.participantTables {
            let statement = try connection.cached("DELETE FROM \(table) WHERE participant = ?1")
            statement.bind(1, number)
            try statement.run()
        }
        digest.remove(old)
    }

    func remove(form number: Int64, _ old: Hash) throws {
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

    func touch(_ rows: ParticipantRows, _ number: Int64) throws {
        let statement = try connection.cached(
            "UPDATE participant SET last_entry_utc_ms = ?2 WHERE participant = ?1 AND last_entry_utc_ms IS NOT ?2")
        statement.bind(1, number)
        statement.bind(2, rows.lastEntryUTCMilliseconds)
        try statement.run()
    }

    func insertParticipant(_ rows: ParticipantRows, _ number: Int64) throws {
        let count = 17 + ViewSchema.statusColumns.count
        let marks = (1...count).map { "?\($0)" }.joined(separator: ", ")
        let statement = try connection.cached("INSERT INTO participant VALUES (\(marks))")
        statement.bind(1, number)
        statement.bind(2, rows.participant.hash.hex)
        statement.bind(3, rows.location.text)
        statement.bind(4, rows.label)
        let labels = rows.standingLabels
        for (place, kind) in [LabelKind.screening, .subject, .randomisation].enumerated() {
            statement.bind(Int32(5 + place), labels.first { $0.kind == kind }?.text)
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
        for alias in rows.aliases { try insert(alias, "participant_alias", number) { _ in } }
        for label in rows.labels {
            try insert(label.entry, "participant_label", number) { statement in
                statement.bind(3, label.position)
                statement.bind(4, label.label.kind.word)
                statement.bind(5, label.label.text)
                statement.bind(6, label.isCorrected ? Int64(1) : 0)
            }
        }
        for link in rows.links {
            try insert(link.entry, "participant_link", number) { statement in
                statement.bind(3, link.other.hash.hex)
                statement.bind(4, link.otherLocation.text)
                statement.bind(5, link.isUndone ? Int64(1) : 0)
            }
        }
        for status in rows.statuses {
            try insert(status.entry, "participant_status", number) { statement in
                statement.bind(3, status.status.rawValue)
                statement.bind(4, status.eventDate)
            }
        }
        for conflict in rows.conflicts { try insert(conflict, participant: number) }
        for visit in rows.visits { try insert(visit, participant: number) }
        for questionnaire in rows.questionnaires { try insert(questionnaire, participant: number) }
        for finding in rows.findings { try insert(finding, in: rows.location, participant: number) }
    }

    /// Writes a row that begins with the participant's number and an entry.
    private func insert(
        _ entry: EntryID, _ table: String, _ participant: Int64, _ bind: (Statement) -> Void
    ) throws {
        let count = ViewSchema.columnCounts[table] ?? 2
        let marks = (1...count).map { "?\($0)" }.joined(separator: ", ")
        let statement = try connection.cached("INSERT INTO \(table) VALUES (\(marks))")
        statement.bind(1, participant)
        statement.bind(2, entry.hash.hex)
        bind(statement)
        try statement.run()
    }

    private func insert(_ conflict: ConflictRow, participant: Int64) throws {
        let statement = try connection.cached(
            """
            INSERT INTO open_conflict
                (participant, kind, form_id, instance_id, item_oid, is_waiting, decisions, entries, sides)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """)
        statement.bind(1, participant)
        statement.bind(2, conflict.kind)
        statement.bind(3, conflict.form?.hash.hex)
        statement.bind(4, conflict.instance?.hash.hex)
        statement.bind(5, conflict.itemOID)
        statement.bind(6, conflict.isWaiting ? Int64(1) : 0)
        statement.bind(7, utf8: conflict.decisions)
        statement.bind(8, utf8: conflict.entries)
        statement.bind(9, utf8: conflict.sides)
        try statement.run()
    }

    private func insert(_ visit: VisitRow, participant: Int64) throws {
        let statement = try connection.cached("INSERT INTO planned_visit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        statement.bind(1, participant)
        visit.bind(statement, from: 2)
        try statement.run()
    }

    private func insert(_ row: QuestionnaireRow, participant: Int64) throws {
        let statement = try connection.cached(
            "INSERT INTO planned_questionnaire VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
        statement.bind(1, participant)
        statement.bind(2, Int64(row.place))
        statement.bind(3, row.questionnaire)
        statement.bind(4, row.formOID)
        statement.bind(5, row.respondent)
        row.visit.bind(statement, from: 6)
        statement.bind(12, utf8: row.answers)
        statement.bind(13, row.isAnsweredInWindow.map { $0 ? Int64(1) : 0 })
        try statement.run()
    }
}

extension VisitRow {
    fileprivate func bind(_ statement: Statement, from first: Int32) {
        statement.bind(first, eventOID)
        statement.bind(first + 1, Int64(occurrence))
        statement.bind(first + 2, due)
        statement.bind(first + 3, windowStart)
        statement.bind(first + 4, windowEnd)
        statement.bind(first + 5, outcome)
    }
}

extension LabelKind {
    /// The word for it in `participant_label`.
    var word: String { "\(self)" }

    /// What a word stands for.
    init?(word: String) {
        guard let kind = [LabelKind.screening, .subject, .randomisation].first(where: { $0.word == word }) else {
            return nil
        }
        self = kind
    }
}
