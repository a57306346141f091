import EventLog
import Trial

/// Makes rows of participants' records: the one reducer, live and in every rebuild.
struct ParticipantReducer: Sendable {
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
            participant: record.id, location: record.location, labels: record.labels,
            registeredAtNode: registration?.node, registeredUTCMilliseconds: registration?.time.utcMilliseconds)
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
        let open = record.openConflicts
        rows.conflicts = open.list.map { ConflictRow($0, in: record) }
        rows.forms.reserveCapacity(forms.count)
        for (id, form) in forms {
            let reduction = FormReduction(record: record, id: id, form: form, layout: layout, open: open)
            let row = reduction.row(groups[id] ?? [])
            rows.values += row.values
            if row.values + row.conflicts > 0 { rows.filledForms += 1 }
            rows.forms.append(row)
        }
        rows.visits = visits(of: record)
        rows.digest = rows.ownDigest
        return rows
    }

    private func visits(of record: ParticipantState) -> [VisitRow] {
        guard let plan, let definition, !plan.visitRules.isEmpty else { return [] }
        return VisitSchedule.visits(of: record, plan: plan, definition: definition).map { visit in
            let outcome =
                switch visit.outcome {
                case .open: "open"
                case .done: "done"
                case .notApplicable(let exclusion): exclusion.rawValue
                }
            return VisitRow(
                eventOID: visit.event.text, occurrence: visit.occurrence, due: visit.due?.description,
                windowStart: visit.window?.lowerBound.description, windowEnd: visit.window?.upperBound.description,
                outcome: outcome)
        }
    }
}

extension FindingRow {
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

    /// The digest of a finding of a location's stream that belongs to no participant.
    func digest(in location: LocationID) -> Hash {
        var writer = WireWriter()
        writer.string(1, "varde/view/finding/0")
        writer.string(2, location.text)
        writer.identifier(3, entry)
        writer.string(4, kind.rawValue)
        writer.string(5, rule ?? "")
        return .sha256(writer.bytes)
    }
}

extension ParticipantRows {
    fileprivate var ownDigest: Hash {
        var writer = WireWriter(capacity: 512)
        writer.string(1, "varde/view/participant/0")
        writer.identifier(2, participant)
        writer.string(3, location.text)
        for label in labels {
            writer.unsigned(4, label.kind.rawValue)
            writer.string(5, label.text)
        }
        writer.boolean(6, isRemoved)
        writer.boolean(7, isFullyUnderstood)
        for status in statuses {
            writer.identifier(8, status.entry)
            writer.string(9, status.status.rawValue)
            writer.string(10, status.eventDate)
        }
        for finding in findings {
            writer.identifier(11, finding.entry)
            writer.string(12, finding.kind.rawValue)
            writer.string(13, finding.rule ?? "")
        }
        for visit in visits {
            writer.string(17, visit.eventOID)
            writer.unsigned(18, UInt64(visit.occurrence))
            writer.string(19, visit.due ?? "")
            writer.string(20, visit.windowStart ?? "")
            writer.string(21, visit.windowEnd ?? "")
            writer.string(22, visit.outcome)
        }
        writer.unsigned(14, UInt64(filledForms))
        writer.unsigned(15, UInt64(values))
        for conflict in conflicts {
            writer.string(16, conflict.kind)
            writer.identifier(23, conflict.instance)
            writer.string(24, conflict.itemOID ?? "")
            writer.boolean(25, conflict.isWaiting)
            writer.data(26, conflict.sides)
        }
        return .sha256(writer.bytes)
    }
}

extension ConflictRow {
    /// The row of something that is to be decided.
    init(_ conflict: Conflict, in record: ParticipantState) {
        var json = JSONText()
        json.array { json in
            for side in conflict.sides {
                json.array { json in
                    json.text(side.name.kind)
                    json.hex(side.name.entry.hash)
                    let origin = record.origins[side.name.entry]
                    json.text(origin?.node.text)
                    json.text(origin?.authority.actor.description)
                    json.array { json in
                        for value in side.values { json.text(value.held.value?.normalised) }
                    }
                }
            }
        }
        let shape = conflict.instance.flatMap { record.instances[$0]?.shape }
        self.init(
            kind: "\(conflict.kind)",
            form: shape?.kind == .form ? conflict.instance : shape?.kind == .itemGroup ? shape?.parent : nil,
            instance: conflict.instance, itemOID: conflict.item.map { composed($0.text) },
            isWaiting: conflict.isWaiting, sides: json.bytes)
    }
}

extension ConflictSideName {
    /// The word for it in `open_conflict`.
    fileprivate var kind: String {
        switch self {
        case .value: "value"
        case .version: "version"
        case .beginning: "beginning"
        case .removal: "removal"
        case .restoration: "restoration"
        case .answer: "answer"
        }
    }
}
