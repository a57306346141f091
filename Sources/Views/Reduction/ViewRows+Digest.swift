import EventLog
import Trial

/// The digests of rows (`Protocols/views.md`, "Digest"): over what is stored, so that a check can compute them anew.
extension FormRow {
    /// The digest of everything published of the form, as the form of a participant. The counts, times and places beside
    /// `entries` and `cells`, and the rows of the datamart, follow from these two, which ``ViewCheck`` makes sure of.
    func digest(of participant: EntryID) -> Hash {
        var writer = WireWriter(capacity: cells.count + entries.count + 512)
        writer.string(1, "varde/view/form/0")
        writer.identifier(2, participant)
        writer.identifier(3, event)
        writer.string(4, eventOID)
        if let eventRepeatKey { writer.string(5, always: eventRepeatKey) }
        writer.identifier(6, form)
        writer.string(7, formOID)
        if let formRepeatKey { writer.string(8, always: formRepeatKey) }
        writer.string(9, state.rawValue)
        writer.data(10, entries)
        writer.data(11, cells)
        return .sha256(writer.bytes)
    }
}

extension ParticipantRows {
    /// The digest of everything but the forms.
    var ownDigest: Hash {
        var writer = WireWriter(capacity: 1024)
        writer.string(1, "varde/view/participant/1")
        writer.identifier(2, participant)
        writer.string(3, location.text)
        for alias in aliases { writer.identifier(4, alias) }
        for label in labels { writer.message(5) { label.write(into: &$0) } }
        for link in links { writer.message(6) { link.write(into: &$0) } }
        writer.string(7, registeredAtNode?.text ?? "")
        if let registeredUTCMilliseconds { writer.signed(8, registeredUTCMilliseconds) }
        writer.boolean(9, isRemoved)
        writer.boolean(10, isFullyUnderstood)
        for status in statuses { writer.message(11) { status.write(into: &$0) } }
        for finding in findings { writer.message(12) { finding.write(into: &$0) } }
        for conflict in conflicts { writer.message(13) { conflict.write(into: &$0) } }
        for visit in visits.sorted(by: VisitRow.comesBefore) { writer.message(14) { visit.write(into: &$0) } }
        for questionnaire in questionnaires { writer.message(15) { questionnaire.write(into: &$0) } }
        writer.unsigned(16, UInt64(filledForms))
        writer.unsigned(17, UInt64(values))
        return .sha256(writer.bytes)
    }
}

extension LabelRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(1, entry)
        writer.unsigned(2, position)
        writer.unsigned(3, label.kind.rawValue)
        writer.string(4, label.text)
        writer.boolean(5, isCorrected)
    }
}

extension LinkRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(1, entry)
        writer.identifier(2, other)
        writer.string(3, otherLocation.text)
        writer.boolean(4, isUndone)
    }
}

extension StatusRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(1, entry)
        writer.string(2, status.rawValue)
        writer.string(3, eventDate)
    }
}

extension FindingRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(1, entry)
        writer.string(2, kind.rawValue)
        writer.string(3, rule ?? "")
        writer.string(4, explanation)
    }

    /// The digest of a finding of a location's stream that belongs to no participant.
    func digest(in location: LocationID) -> Hash {
        var writer = WireWriter()
        writer.string(1, "varde/view/finding/1")
        writer.string(2, location.text)
        writer.message(3) { write(into: &$0) }
        return .sha256(writer.bytes)
    }
}

extension ConflictRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.string(1, kind)
        writer.identifier(2, form)
        writer.identifier(3, instance)
        writer.string(4, itemOID ?? "")
        writer.boolean(5, isWaiting)
        writer.data(6, decisions)
        writer.data(7, entries)
        writer.data(8, sides)
    }
}

extension VisitRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.string(1, eventOID)
        writer.unsigned(2, UInt64(occurrence))
        writer.string(3, due ?? "")
        writer.string(4, windowStart ?? "")
        writer.string(5, windowEnd ?? "")
        writer.string(6, outcome)
    }

    /// An order that is the same whatever order the rows were stored in.
    fileprivate static func comesBefore(_ left: VisitRow, _ right: VisitRow) -> Bool {
        (left.eventOID, left.occurrence) < (right.eventOID, right.occurrence)
    }
}

extension QuestionnaireRow {
    fileprivate func write(into writer: inout WireWriter) {
        writer.unsigned(1, UInt64(place))
        writer.string(2, questionnaire)
        writer.string(3, formOID)
        writer.string(4, respondent)
        writer.message(5) { visit.write(into: &$0) }
        writer.data(6, answers)
        if let isAnsweredInWindow { writer.unsigned(7, always: isAnsweredInWindow ? 1 : 0) }
    }
}
