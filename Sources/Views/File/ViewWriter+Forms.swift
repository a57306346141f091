import EventLog
import StoreCore
import Trial

/// The rows of one form instance.
extension ViewWriter {
    func insert(_ form: FormRow, of rows: ParticipantRows, _ participant: Int64, place: Int64) throws {
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
        statement.bind(13, form.times.firstUTCMilliseconds)
        statement.bind(14, form.times.lastUTCMilliseconds)
        statement.bind(15, form.times.node?.text)
        statement.bind(16, form.times.performedAt)
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
}
