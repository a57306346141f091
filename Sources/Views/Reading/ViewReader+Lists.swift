public import EventLog
import StoreCore
import Trial

/// Lists in pieces: each piece is read by an index from where the one before ended, whatever came or was renamed between.
extension ViewReader {
    /// A piece of the list of participants.
    ///
    /// - Parameters:
    ///   - locations: only those of these; nil for all.
    ///   - position: what the piece before gave as next; nil for the first.
    ///   - limit: how many at most, at least 1.
    public func participants(
        at locations: Set<LocationID>? = nil, from position: ParticipantPosition? = nil, limit: Int
    ) throws -> ListPiece<ParticipantSummary> {
        try participants(where: nil, at: locations, from: position, limit: limit)
    }

    /// What is to be decided of a piece of the participants in whose records anything is.
    ///
    /// - Parameters:
    ///   - locations: only those of these; nil for all.
    ///   - position: what the piece before gave as next; nil for the first.
    ///   - limit: how many participants at most, at least 1.
    public func openConflicts(
        at locations: Set<LocationID>? = nil, from position: ParticipantPosition? = nil, limit: Int
    ) throws -> ListPiece<ConflictSummary> {
        let piece = try participants(where: "conflicts > 0", at: locations, from: position, limit: limit)
        return ListPiece(elements: try piece.elements.flatMap(conflicts), next: piece.next)
    }

    /// The questionnaires of a piece of the list of participants, in the plan's order.
    ///
    /// - Parameters: as of ``participants(at:from:limit:)``.
    public func questionnaires(
        at locations: Set<LocationID>? = nil, from position: ParticipantPosition? = nil, limit: Int
    ) throws -> ListPiece<QuestionnaireSummary> {
        let piece = try participants(where: nil, at: locations, from: position, limit: limit)
        return ListPiece(elements: try piece.elements.flatMap(questionnaires), next: piece.next)
    }

    private func participants(
        where condition: String?, at locations: Set<LocationID>?, from position: ParticipantPosition?, limit: Int
    ) throws -> ListPiece<ParticipantSummary> {
        precondition(limit >= 1, "a piece has at least one participant")
        var conditions = condition.map { [$0] } ?? []
        // One parameter for all of them: JSON, as the statement is the same for any number.
        if locations != nil { conditions.append("location IN (SELECT value FROM json_each(?4))") }
        if position != nil { conditions.append("(location, label, participant_id) >= (?1, ?2, ?3)") }
        var found = try rows(
            """
            SELECT participant, participant_id, location, label, is_removed, is_fully_understood, conflicts,
                (SELECT count(*) FROM form_instance WHERE form BETWEEN participant.participant << \(ViewWriter.formBits)
                    AND ((participant.participant + 1) << \(ViewWriter.formBits)) - 1)
            FROM participant \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
            ORDER BY location, label, participant_id LIMIT \(limit + 1)
            """, parameters(position, locations)
        ) { row -> ParticipantSummary? in
            guard let id = EntryID(hex: row.text(1)) else { return nil }
            return ParticipantSummary(
                participant: id, location: LocationID(unchecked: row.text(2)), label: row.text(3), labels: [],
                statuses: [], forms: Int(row.int64(7)), conflicts: Int(row.int64(6)),
                isFullyUnderstood: row.int64(5) != 0, isRemoved: row.int64(4) != 0, number: row.int64(0))
        }.compactMap { $0 }
        let next = found.count > limit ? found.removeLast().position : nil
        for place in found.indices {
            found[place].labels = try labels(of: found[place].number)
            found[place].statuses = try statuses(of: found[place].number)
        }
        return ListPiece(elements: found, next: next)
    }

    /// What is bound to the numbered parameters, as far as the statement has them.
    private func parameters(_ position: ParticipantPosition?, _ locations: Set<LocationID>?) -> [String?] {
        if locations == nil, position == nil { return [] }
        let texts = [position?.location.text, position?.label, position?.participant.description]
        guard let locations else { return texts }
        var json = JSONText(capacity: locations.count * 24 + 2)
        json.array { json in
            for location in locations.sorted() { json.text(location.text) }
        }
        return texts + [String(decoding: json.bytes, as: UTF8.self)]
    }

    private func labels(of participant: Int64) throws -> [ParticipantLabel] {
        let found = try rows(
            "SELECT kind, text FROM participant_label WHERE participant = ?1 AND NOT is_corrected",
            [String(participant)]
        ) { row in LabelKind(word: row.text(0)).map { ParticipantLabel(kind: $0, text: row.text(1)) } }
        return Set(found.compactMap { $0 }).sorted()
    }

    private func statuses(of participant: Int64) throws -> [ParticipantSummary.Status] {
        try rows(
            """
            SELECT entry_id, status, event_date FROM participant_status WHERE participant = ?1
            ORDER BY entry_id
            """, [String(participant)]
        ) { row in
            guard let entry = EntryID(hex: row.text(0)), let status = ParticipantStatus(rawValue: row.text(1)) else {
                return nil as ParticipantSummary.Status?
            }
            return ParticipantSummary.Status(entry: entry, status: status, eventDate: row.text(2))
        }.compactMap { $0 }
    }

    // MARK: Conflicts

    private func conflicts(of participant: ParticipantSummary) throws -> [ConflictSummary] {
        try rows(
            """
            SELECT kind, event_oid, form_oid, open_conflict.form_id, instance_id, item_oid, is_waiting, decisions,
                open_conflict.entries, sides
            FROM open_conflict LEFT JOIN form_instance
                ON form BETWEEN open_conflict.participant << \(ViewWriter.formBits)
                    AND ((open_conflict.participant + 1) << \(ViewWriter.formBits)) - 1
                    AND form_instance.form_id = open_conflict.form_id
            WHERE open_conflict.participant = ?1 ORDER BY conflict
            """, [String(participant.number)]
        ) { row in
            do {
                let entries = try StoredCells.entries(row.bytes(8))
                return ConflictSummary(
                    participant: participant.participant, location: participant.location, labels: participant.labels,
                    kind: row.text(0), instance: row.identifier(4), item: row.optionalText(5).map { ItemOID($0) },
                    event: row.optionalText(1), form: row.optionalText(2), formInstance: row.identifier(3),
                    isWaiting: row.int64(6) != 0, decisions: try ConflictSummary.decisions(row.bytes(7)),
                    sides: try ConflictSummary.sides(row.bytes(9), entries))
            } catch is JSONFault {
                throw ViewError.unsoundRow(
                    path: connection.path, table: "open_conflict", of: "participant \(participant.participant)")
            }
        }
    }

    // MARK: Questionnaires

    private func questionnaires(of participant: ParticipantSummary) throws -> [QuestionnaireSummary] {
        try rows(
            """
            SELECT questionnaire, form_oid, respondent, event_oid, occurrence, due, window_start, window_end, outcome,
                answers, is_answered_in_window
            FROM planned_questionnaire WHERE participant = ?1 ORDER BY place
            """, [String(participant.number)]
        ) { row in
            let outcome: ScheduledVisit.Outcome? =
                switch row.text(8) {
                case "open": .open
                case "done": .done
                case let word: VisitExclusion(rawValue: word).map { .notApplicable($0) }
                }
            let days = [6, 7].map { row.optionalText($0).flatMap { CalendarDate($0) } }
            var window: ClosedRange<CalendarDate>?
            if let first = days[0], let last = days[1], first <= last { window = first...last }
            guard let outcome, let respondent = QuestionnaireRespondent(rawValue: row.text(2)),
                let answers = try? QuestionnaireSummary.answers(row.bytes(9))
            else {
                throw ViewError.unsoundRow(
                    path: connection.path, table: "planned_questionnaire", of: "participant \(participant.participant)")
            }
            return QuestionnaireSummary(
                participant: participant.participant, location: participant.location, labels: participant.labels,
                questionnaire: row.text(0), form: FormOID(row.text(1)), respondent: respondent,
                event: StudyEventOID(row.text(3)), occurrence: Int(row.int64(4)),
                due: row.optionalText(5).flatMap { CalendarDate($0) }, window: window, outcome: outcome,
                answers: answers, isAnsweredInWindow: row.flag(10))
        }
    }
}

extension QuestionnaireSummary {
    fileprivate static func answers(_ bytes: [UInt8]) throws -> [Answer] {
        try JSONReader.list(in: bytes) { list in
            try list.array { answer in
                Answer(form: try answer.identifier(), event: try answer.identifier(), day: try answer.optionalText())
            }
        }
    }
}

extension ConflictSummary {
    fileprivate static func decisions(_ bytes: [UInt8]) throws -> [EntryID] {
        try JSONReader.list(in: bytes) { try $0.identifier() }
    }

    fileprivate static func sides(_ bytes: [UInt8], _ entries: [StoredCells.StoredEntry]) throws -> [Side] {
        try JSONReader.list(in: bytes) { list in
            try list.array { side in
                let kind = try side.text()
                let entry = try StoredCells.entry(try side.unsigned(), of: entries)
                let position = try side.isNull() ? nil : side.unsigned()
                let values = try side.list { try value(&$0, entries) }
                return Side(
                    kind: kind, entry: entry.id, position: position, origin: entry.origin.map { OriginSummary($0) },
                    values: values)
            }
        }
    }

    private static func value(
        _ values: inout JSONReader, _ entries: [StoredCells.StoredEntry]
    ) throws -> PlacedValue {
        try values.array { placed in
            let group: InstanceID = try placed.identifier()
            let item = ItemOID(try placed.text())
            let stored = try StoredCells.value(&placed)
            let entry = try StoredCells.entry(UInt64(stored.entry), of: entries)
            return PlacedValue(
                group: group, item: item, id: ValueID(entry: entry.id, position: stored.position),
                value: stored.value, origin: entry.origin.map { OriginSummary($0) })
        }
    }
}

extension StoredCells {
    /// The entry that stands at a place of the table.
    fileprivate static func entry(_ place: UInt64, of entries: [StoredEntry]) throws -> StoredEntry {
        guard place < UInt64(entries.count) else { throw JSONFault() }
        return entries[Int(place)]
    }
}

extension OriginSummary {
    fileprivate init(_ origin: StoredCells.StoredOrigin) {
        self.init(
            node: origin.node, utcMilliseconds: origin.utcMilliseconds, actor: ActorID(hex: origin.actor),
            role: origin.role)
    }
}
