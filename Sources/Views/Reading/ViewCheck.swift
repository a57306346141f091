import EventLog
import StoreCore
import Trial

/// Checks a generation against itself: what is stored as entered gives the digest, and whatever else is stored has to follow
/// from it.
///
/// Reads every table once, in the order of its key, so that memory holds one participant and a number for each.
struct ViewCheck {
    private let reader: ViewReader
    private let path: String
    private let layout: StoredLayout

    /// What the forms of a participant come to.
    struct FormTotals {
        var values = 0
        var filled = 0
        var lastUTCMilliseconds: Int64?

        mutating func note(_ form: FormConsequences, _ times: EntryTimes) {
            values += form.values
            if form.values + form.conflicts > 0 { filled += 1 }
            lastUTCMilliseconds = [lastUTCMilliseconds, times.lastUTCMilliseconds].compactMap { $0 }.max()
        }
    }

    init(_ reader: ViewReader) throws {
        self.reader = reader
        path = reader.connection.path
        layout = try StoredLayout(reader)
    }

    /// The digest of all rows, as they are.
    ///
    /// - Throws: ``ViewError/unsoundRow(path:table:of:)``.
    func digest() throws -> ViewDigest {
        do {
            var sum = ViewDigest()
            for table in StudyTable.allCases { sum.add(try table.digest(reader.connection).sum) }
            let names = try participantNames()
            var totals: [Int64: FormTotals] = [:]
            try checkForms(names, &totals, &sum)
            try checkParticipants(totals, &sum)
            try addLooseFindings(&sum)
            try checkErased(&sum)
            return sum
        } catch let failure as DatabaseFailure {
            throw ViewError.database(failure)
        }
    }

    private func unsound(_ table: String, _ owner: String) -> ViewError {
        .unsoundRow(path: path, table: table, of: owner)
    }

    private func participantNames() throws -> [Int64: EntryID] {
        var names: [Int64: EntryID] = [:]
        try reader.forEach("SELECT participant, participant_id FROM participant") { row in
            guard let id: EntryID = row.identifier(1) else {
                throw unsound("participant", "participant number \(row.int64(0))")
            }
            names[row.int64(0)] = id
        }
        return names
    }

    private func checkErased(_ sum: inout ViewDigest) throws {
        try reader.forEach(
            "SELECT participant_id, location, orders, registrations, entries, digest FROM erased_participant"
        ) { row in
            guard let id: EntryID = row.identifier(0),
                let orders = try? JSONReader.list(in: row.bytes(2), { try $0.identifier() as EntryID }),
                let registrations = try? JSONReader.list(in: row.bytes(3), { try $0.identifier() as EntryID })
            else { throw unsound("erased_participant", "participant \(row.text(0))") }
            let erased = ErasedRow(
                participant: id, orders: orders, registrations: registrations, entries: Int(row.int64(4)))
            let digest = erased.digest(in: LocationID(unchecked: row.text(1)))
            guard digest == row.hash(5) else { throw unsound("erased_participant", "participant \(id)") }
            sum.add(digest)
        }
    }

    // MARK: Forms

    private func checkForms(
        _ names: [Int64: EntryID], _ totals: inout [Int64: FormTotals], _ sum: inout ViewDigest
    ) throws {
        var wide = try layout.tables.tables.map { try StoredWideRows($0, reader.connection) }
        defer { for rows in wide { rows.finish() } }
        let row = try reader.connection.prepare(
            """
            SELECT form, participant, event_id, event_oid, event_repeat_key, form_id, form_oid, form_repeat_key, state,
                entries, cells, item_values, conflicts, awaited, first_entry_utc_ms, last_entry_utc_ms, entered_at_node,
                performed_at, digest FROM form_instance ORDER BY form
            """)
        defer { row.finalize() }
        while try row.step() {
            let participant = row.int64(1)
            guard row.int64(0) >> ViewWriter.formBits == participant, let name = names[participant],
                let (stored, consequences) = try? form(in: row, of: name)
            else { throw unsound("form_instance", "form \(row.text(5))") }
            for table in wide.indices {
                guard try wide[table].take(form: row.int64(0), consequences.wide, table) else {
                    throw unsound(layout.tables.tables[table].name, "form \(stored.form)")
                }
            }
            sum.add(stored.digest)
            totals[participant, default: FormTotals()].note(consequences, stored.times)
        }
        for table in wide.indices where !wide[table].isAtEnd {
            throw unsound(layout.tables.tables[table].name, "a form that is not there")
        }
    }

    /// A form as it is stored, and what follows from it.
    ///
    /// - Throws: ``JSONFault`` where a column cannot be read, or is not what follows.
    private func form(in row: Statement, of participant: EntryID) throws -> (FormRow, FormConsequences) {
        guard row.isIdentifierOrNull(2), let form: InstanceID = row.identifier(5),
            let state = FormStatus(rawValue: row.text(8))
        else { throw JSONFault() }
        var stored = FormRow(
            event: row.identifier(2), eventOID: row.text(3), eventRepeatKey: row.optionalText(4), form: form,
            formOID: row.text(6), formRepeatKey: row.optionalText(7))
        stored.state = state
        stored.entries = row.bytes(9)
        stored.cells = row.bytes(10)
        stored.times = try StoredCells.times(stored.entries)
        stored.digest = stored.digest(of: participant)
        let consequences = try FormConsequences(
            cells: stored.cells, state: state, layout: layout.tables, places: layout.tables.forms[stored.formOID])
        guard row.int64(11) == consequences.values, row.int64(12) == consequences.conflicts,
            row.int64(13) == consequences.awaited, row.optionalNumber(14) == stored.times.firstUTCMilliseconds,
            row.optionalNumber(15) == stored.times.lastUTCMilliseconds,
            row.optionalText(16) == stored.times.node?.text, row.optionalText(17) == stored.times.performedAt,
            row.hash(18) == stored.digest
        else { throw JSONFault() }
        return (stored, consequences)
    }

    // MARK: Participants

    private func checkParticipants(_ totals: [Int64: FormTotals], _ sum: inout ViewDigest) throws {
        var parts = try StoredParticipantParts(reader.connection)
        defer { parts.finish() }
        let statuses = ParticipantStatus.allCases
        let row = try reader.connection.prepare(
            """
            SELECT participant, participant_id, location, label, screening_number, subject_number, randomisation_number,
                registered_utc_ms, registered_at_node, is_removed, is_fully_understood, forms, item_values, conflicts,
                findings, last_entry_utc_ms, digest, \(ViewSchema.statusColumns.joined(separator: ", "))
            FROM participant ORDER BY participant
            """)
        defer { row.finalize() }
        while try row.step() {
            let owner = "participant \(row.text(1))"
            guard let id: EntryID = row.identifier(1), let isRemoved = row.flag(9), let isUnderstood = row.flag(10)
            else {
                throw unsound("participant", owner)
            }
            let total = totals[row.int64(0)] ?? FormTotals()
            var rows = ParticipantRows(participant: id, location: LocationID(unchecked: row.text(2)))
            rows.registeredUTCMilliseconds = row.optionalNumber(7)
            rows.registeredAtNode = row.optionalText(8).map { NodeID(unchecked: $0) }
            rows.isRemoved = isRemoved
            rows.isFullyUnderstood = isUnderstood
            rows.values = total.values
            rows.filledForms = total.filled
            rows.lastFormUTCMilliseconds = total.lastUTCMilliseconds
            if let table = try parts.read(row.int64(0), into: &rows) { throw unsound(table, owner) }
            let labels = rows.standingLabels
            func text(_ kind: LabelKind) -> String? { labels.first { $0.kind == kind }?.text }
            let digest = rows.ownDigest
            guard row.text(3) == rows.label, row.optionalText(4) == text(.screening),
                row.optionalText(5) == text(.subject), row.optionalText(6) == text(.randomisation),
                row.int64(11) == rows.filledForms, row.int64(12) == rows.values,
                row.int64(13) == rows.conflicts.count, row.int64(14) == rows.findings.count,
                row.optionalNumber(15) == rows.lastEntryUTCMilliseconds, row.hash(16) == digest,
                statuses.enumerated().allSatisfy({ row.optionalText(Int32(17 + $0)) == rows.date(of: $1) })
            else { throw unsound("participant", owner) }
            sum.add(digest)
        }
        if let table = parts.unfinished { throw unsound(table, "a participant who is not there") }
    }

    private func addLooseFindings(_ sum: inout ViewDigest) throws {
        try reader.forEach(
            "SELECT location, entry_id, kind, rule, explanation FROM finding WHERE participant IS NULL"
        ) { row in
            guard let entry: EntryID = row.identifier(1), let kind = FindingRow.Kind(rawValue: row.text(2)) else {
                throw unsound("finding", "entry \(row.text(1))")
            }
            let finding = FindingRow(
                entry: entry, kind: kind, rule: row.optionalText(3), explanation: row.text(4))
            sum.add(finding.digest(in: LocationID(unchecked: row.text(0))))
        }
    }
}
