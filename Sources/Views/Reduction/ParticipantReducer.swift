import EventLog
import Trial

/// Makes rows of participants' records: the one reducer, live and in every rebuild.
struct ParticipantReducer: Sendable {
    /// Forms that a view holds of one participant, those with the lowest ids: thousands of times what a trial plans, but a
    /// few hostile entries can begin more, and one participant must not cost the others their view.
    static let maximumForms = 1 << Int(ViewWriter.formBits)
    /// Rows of the datamart that a view holds of one form.
    static let maximumRows = 1 << Int(ViewWriter.rowBits)

    let layout: DatamartLayout?
    private let definition: StudyDefinition?
    private let plan: TrialPlan?

    init(_ context: StudyViewContext) {
        layout = context.definition.map(DatamartLayout.init)
        definition = context.definition
        plan = context.plan
    }

    /// The rows of a participant.
    func rows(_ record: ParticipantState, isFullyUnderstood: Bool) -> ParticipantRows {
        let registration = record.origins[record.id]
        var rows = ParticipantRows(
            participant: record.id, location: record.location, registeredAtNode: registration?.node,
            registeredUTCMilliseconds: registration?.time.utcMilliseconds)
        rows.aliases = record.aliases.sorted()
        rows.labels = record.labelHistory.map(LabelRow.init)
        let standingLinks = record.links.isEmpty ? [:] : record.standingLinks
        rows.links = record.links.sorted { $0.key < $1.key }.map { entry, link in
            LinkRow(
                entry: entry, other: link.other, otherLocation: link.otherLocation,
                isUndone: standingLinks[entry] == nil)
        }
        rows.isRemoved = record.isRemoved
        rows.isFullyUnderstood = isFullyUnderstood
        rows.statuses = record.standingStatuses.map {
            StatusRow(entry: $0.entry, status: $0.record.status, eventDate: $0.record.eventDate)
        }
        rows.findings = FindingRow.list(void: record.void, waiting: record.waiting, findings: record.findings)
        var groups: [InstanceID: [(InstanceID, InstanceState)]] = [:]
        var forms: [(InstanceID, InstanceState)] = []
        for (id, instance) in record.instances {
            switch instance.shape.kind {
            case .form: forms.append((id, instance))
            case .itemGroup:
                if let form = instance.shape.parent { groups[form, default: []].append((id, instance)) }
            case .studyEvent: break
            }
        }
        forms.sort { $0.0 < $1.0 }
        if forms.count > ParticipantReducer.maximumForms {
            rows.findings.append(.leftOut(forms.count, "forms", ParticipantReducer.maximumForms, record.id))
            forms.removeLast(forms.count - ParticipantReducer.maximumForms)
        }
        let open = record.openConflicts
        rows.conflicts = open.list.map { ConflictRow($0, in: record) }
        rows.forms.reserveCapacity(forms.count)
        for (id, form) in forms {
            let reduction = FormReduction(record: record, id: id, form: form, layout: layout, open: open)
            var row = reduction.row(groups[id] ?? [])
            if row.wide.count > ParticipantReducer.maximumRows {
                rows.findings.append(
                    .leftOut(row.wide.count, "rows of form \(id)", ParticipantReducer.maximumRows, record.id))
                row.wide.removeLast(row.wide.count - ParticipantReducer.maximumRows)
            }
            rows.note(
                values: row.values, conflicts: row.conflicts, lastEntryUTCMilliseconds: row.times.lastUTCMilliseconds)
            rows.forms.append(row)
        }
        rows.visits = visits(of: record)
        rows.questionnaires = questionnaires(of: record)
        rows.digest = rows.ownDigest
        return rows
    }

    private func visits(of record: ParticipantState) -> [VisitRow] {
        guard let plan, let definition, !plan.visitRules.isEmpty else { return [] }
        return VisitSchedule.visits(of: record, plan: plan, definition: definition).map(VisitRow.init)
    }

    private func questionnaires(of record: ParticipantState) -> [QuestionnaireRow] {
        guard let plan, let definition, !plan.questionnaires.isEmpty else { return [] }
        let due = QuestionnaireSchedule.questionnaires(of: record, plan: plan, definition: definition)
        return due.enumerated().map { QuestionnaireRow($1, place: $0) }
    }
}

extension LabelRow {
    init(_ given: GivenLabel) {
        self.init(
            entry: given.id.entry, position: given.id.position,
            label: ParticipantLabel(kind: given.label.kind, text: composed(given.label.text)),
            isCorrected: given.isCorrected)
    }
}

extension VisitRow {
    init(_ visit: ScheduledVisit) {
        let outcome =
            switch visit.outcome {
            case .open: "open"
            case .done: "done"
            case .notApplicable(let exclusion): exclusion.rawValue
            }
        self.init(
            eventOID: visit.event.text, occurrence: visit.occurrence, due: visit.due?.description,
            windowStart: visit.window?.lowerBound.description, windowEnd: visit.window?.upperBound.description,
            outcome: outcome)
    }
}

extension QuestionnaireRow {
    init(_ due: QuestionnaireDue, place: Int) {
        var json = JSONText(capacity: 2 + due.answers.count * 150)
        json.array { json in
            for answer in due.answers {
                json.array { json in
                    json.hex(answer.form.hash)
                    json.hex(answer.event.hash)
                    json.text(answer.day?.description)
                }
            }
        }
        self.init(
            place: place, questionnaire: due.questionnaire.description, formOID: due.form.text,
            respondent: due.respondent.rawValue, visit: VisitRow(due.visit), answers: json.bytes,
            isAnsweredInWindow: due.isAnsweredInWindow)
    }
}

extension FindingRow {
    /// What a view leaves out of a participant who has more of something than it holds.
    fileprivate static func leftOut(_ count: Int, _ what: String, _ limit: Int, _ participant: EntryID) -> FindingRow {
        FindingRow(
            entry: participant, kind: .finding, rule: nil,
            explanation: "has \(count) \(what); the view holds the first \(limit), the rest is in the log only")
    }

    /// The findings of some entries, in the order of their ids.
    static func list(
        void: [EntryID: VoidRule], waiting: [EntryID: Awaited], findings: [EntryID: FindingRule] = [:],
        notUnderstood: Set<EntryID> = []
    ) -> [FindingRow] {
        guard !(void.isEmpty && waiting.isEmpty && findings.isEmpty && notUnderstood.isEmpty) else { return [] }
        var rows = void.map {
            FindingRow(entry: $0.key, kind: .void, rule: "V\($0.value.rawValue)", explanation: $0.value.explanation)
        }
        rows += waiting.map {
            FindingRow(entry: $0.key, kind: .waiting, rule: nil, explanation: "waits for \($0.value.explanation)")
        }
        rows += findings.map {
            FindingRow(entry: $0.key, kind: .finding, rule: "F\($0.value.rawValue)", explanation: $0.value.explanation)
        }
        rows += notUnderstood.map {
            FindingRow(
                entry: $0, kind: .notUnderstood, rule: nil, explanation: "is of a newer version and not understood here"
            )
        }
        return rows.sorted { ($0.entry, $0.kind.rawValue) < ($1.entry, $1.kind.rawValue) }
    }
}
