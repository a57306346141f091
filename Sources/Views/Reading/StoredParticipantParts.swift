import EventLog
import GRDBSQLite
import StoreCore
import Trial

/// How SQLite stores a value.
enum StoredType {
    case null, integer, real, other

    init(_ row: Statement, _ column: Int32) {
        self =
            switch row.type(column) {
            case SQLITE_NULL: .null
            case SQLITE_INTEGER: .integer
            case SQLITE_FLOAT: .real
            default: .other
            }
    }
}

/// The rows of the tables that belong to participants, read in the order of the participants' numbers.
struct StoredParticipantParts {
    /// The rows of one table.
    private struct Part {
        let table: String
        let statement: Statement
        var isAtEnd: Bool

        init(_ table: String, _ columns: String, order: String, _ connection: Connection) throws {
            self.table = table
            statement = try connection.prepare(
                "SELECT participant, \(columns) FROM \(table) WHERE participant IS NOT NULL ORDER BY participant, \(order)"
            )
            isAtEnd = try !statement.step()
        }

        /// Reads the rows of a participant; false where one cannot be read or is of nobody.
        mutating func take(_ number: Int64, _ read: (Statement) throws -> Bool) throws -> Bool {
            while !isAtEnd, statement.int64(0) <= number {
                guard statement.int64(0) == number, try read(statement) else { return false }
                isAtEnd = try !statement.step()
            }
            return true
        }
    }

    private var parts: [Part]
    private static let visitColumns = "event_oid, occurrence, due, window_start, window_end, outcome"

    init(_ connection: Connection) throws {
        let visit = StoredParticipantParts.visitColumns
        parts = [
            try Part("participant_alias", "entry_id", order: "entry_id", connection),
            try Part(
                "participant_label", "entry_id, position, kind, text, is_corrected", order: "entry_id, position",
                connection),
            try Part(
                "participant_link", "entry_id, other_id, other_location, is_undone", order: "entry_id", connection),
            try Part("participant_status", "entry_id, status, event_date", order: "entry_id", connection),
            try Part("finding", "entry_id, kind, rule, explanation, location", order: "entry_id, kind", connection),
            try Part(
                "open_conflict", "kind, form_id, instance_id, item_oid, is_waiting, decisions, entries, sides",
                order: "conflict", connection),
            try Part("planned_visit", visit, order: "event_oid, occurrence", connection),
            try Part(
                "planned_questionnaire",
                "\(visit), place, questionnaire, form_oid, respondent, answers, is_answered_in_window", order: "place",
                connection),
        ]
    }

    /// Gives the statements back.
    func finish() { for part in parts { part.statement.finalize() } }

    /// A table with rows of participants that no row of `participant` has.
    var unfinished: String? { parts.first { !$0.isAtEnd }?.table }

    /// Reads what belongs to a participant; gives the table whose rows cannot be read, nil where all can.
    mutating func read(_ number: Int64, into rows: inout ParticipantRows) throws -> String? {
        let location = rows.location.text
        let readers: [(Statement, inout ParticipantRows) -> Bool] = [
            { row, rows in StoredParticipantParts.readAlias(row, &rows) },
            { row, rows in StoredParticipantParts.readLabel(row, &rows) },
            { row, rows in StoredParticipantParts.readLink(row, &rows) },
            { row, rows in StoredParticipantParts.readStatus(row, &rows) },
            { row, rows in row.text(5) == location && StoredParticipantParts.readFinding(row, &rows) },
            { row, rows in StoredParticipantParts.readConflict(row, &rows) },
            { row, rows in StoredParticipantParts.readVisit(row, &rows) },
            { row, rows in StoredParticipantParts.readQuestionnaire(row, &rows) },
        ]
        for (place, read) in readers.enumerated() {
            guard try parts[place].take(number, { read($0, &rows) }) else { return parts[place].table }
        }
        return nil
    }

    private static func readAlias(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let entry: EntryID = row.identifier(1) else { return false }
        rows.aliases.append(entry)
        return true
    }

    private static func readLabel(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let entry: EntryID = row.identifier(1), let kind = LabelKind(word: row.text(3)),
            let isCorrected = row.flag(5)
        else { return false }
        rows.labels.append(
            LabelRow(
                entry: entry, position: row.uint64(2), label: ParticipantLabel(kind: kind, text: row.text(4)),
                isCorrected: isCorrected))
        return true
    }

    private static func readLink(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let entry: EntryID = row.identifier(1), let other: EntryID = row.identifier(2),
            let isUndone = row.flag(4)
        else { return false }
        rows.links.append(
            LinkRow(
                entry: entry, other: other, otherLocation: LocationID(unchecked: row.text(3)),
                isUndone: isUndone))
        return true
    }

    private static func readStatus(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let entry: EntryID = row.identifier(1), let status = ParticipantStatus(rawValue: row.text(2)) else {
            return false
        }
        rows.statuses.append(StatusRow(entry: entry, status: status, eventDate: row.text(3)))
        return true
    }

    private static func readFinding(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let entry: EntryID = row.identifier(1), let kind = FindingRow.Kind(rawValue: row.text(2)) else {
            return false
        }
        rows.findings.append(
            FindingRow(entry: entry, kind: kind, rule: row.optionalText(3), explanation: row.text(4)))
        return true
    }

    private static func readConflict(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard row.isIdentifierOrNull(2), row.isIdentifierOrNull(3), let isWaiting = row.flag(5) else { return false }
        rows.conflicts.append(
            ConflictRow(
                kind: row.text(1), form: row.identifier(2), instance: row.identifier(3), itemOID: row.optionalText(4),
                isWaiting: isWaiting, decisions: row.bytes(6), entries: row.bytes(7), sides: row.bytes(8)))
        return true
    }

    private static func readVisit(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let visit = visit(row) else { return false }
        rows.visits.append(visit)
        return true
    }

    /// A visit in ``visitColumns``, which stand first.
    private static func visit(_ row: Statement) -> VisitRow? {
        guard let occurrence = Int(exactly: row.int64(2)), occurrence >= 0 else { return nil }
        return VisitRow(
            eventOID: row.text(1), occurrence: occurrence, due: row.optionalText(3),
            windowStart: row.optionalText(4), windowEnd: row.optionalText(5), outcome: row.text(6))
    }

    private static func readQuestionnaire(_ row: Statement, _ rows: inout ParticipantRows) -> Bool {
        guard let visit = visit(row), let place = Int(exactly: row.int64(7)), place >= 0,
            row.isNull(12) || row.flag(12) != nil
        else { return false }
        rows.questionnaires.append(
            QuestionnaireRow(
                place: place, questionnaire: row.text(8), formOID: row.text(9), respondent: row.text(10),
                visit: visit, answers: row.bytes(11), isAnsweredInWindow: row.flag(12)))
        return true
    }
}
