import EventLog

/// Why a scheduled event does not have to take place.
public enum VisitExclusion: String, Sendable, Codable, CaseIterable {
    /// The participant was looked at and does not take part.
    case screenFailure
    /// Consent was withdrawn.
    case withdrawn
    /// The participant is not followed up any more.
    case followUpDiscontinued
    /// The participant may not be contacted any more; concerns questionnaires only.
    case contactDiscontinued
    /// The participant was flagged removed.
    case removed
}

/// How a scheduled event stands on a day.
public enum VisitState: Hashable, Sendable {
    /// Its window has not begun, or the day it is counted from is not known.
    case notYetDue
    /// Its window is open.
    case due
    /// Its window is over and nothing was entered.
    case overdue
    /// It was entered.
    case done
    /// It does not have to take place.
    case notApplicable(VisitExclusion)
}

/// One occurrence of an event that the plan schedules, for one participant.
public struct ScheduledVisit: Hashable, Sendable {
    /// What is known of it, whatever the day.
    public enum Outcome: Hashable, Sendable {
        /// Nothing was entered.
        case open
        /// It was entered.
        case done
        /// It does not have to take place.
        case notApplicable(VisitExclusion)
    }

    /// The event.
    public let event: StudyEventOID
    /// Which occurrence, from 1; always 1 for an event that is once only.
    public let occurrence: Int
    /// The day it is due; nil while the day it is counted from is not known.
    public let due: CalendarDate?
    /// The days on which it may take place; nil where ``due`` is.
    public let window: ClosedRange<CalendarDate>?
    /// The events of the record that are this occurrence, sorted; several where one day was entered twice.
    public let instances: [InstanceID]
    /// What is known of it.
    public let outcome: Outcome

    /// How it stands on a day.
    public func state(asOf day: CalendarDate) -> VisitState {
        switch outcome {
        case .done: return .done
        case .notApplicable(let exclusion): return .notApplicable(exclusion)
        case .open:
            guard let window, day >= window.lowerBound else { return .notYetDue }
            return day > window.upperBound ? .overdue : .due
        }
    }
}

/// When a participant's visits are due, and which were entered (Protocols/trial-plan.md, "Visit schedule").
///
/// A pure function of the record and the plan. It counts days of the calendar as people wrote them and knows no clock, so
/// that no change to summer time can lose or double a day.
public enum VisitSchedule {
    /// Every occurrence of every event that the plan schedules, in the plan's order.
    ///
    /// A visit is done where a form of it stands that was begun, and neither removed nor decided to be wrong. A form that a questionnaire fills in
    /// counts only in events that have no other: a patient's answer is not the visit.
    public static func visits(of participant: ParticipantState, plan: TrialPlan, definition: StudyDefinition)
        -> [ScheduledVisit]
    {
        let record = ScheduledRecord(participant, plan: plan, definition: definition)
        return plan.visitRules.flatMap { rule in
            let counting = record.formsThatCount(for: rule.event)
            return record.occurrences(of: rule, stops: ScheduledRecord.visitStops) { form in counting.contains(form) }
        }
    }

    /// Every occurrence with its state on a day.
    public static func due(
        for participant: ParticipantState, plan: TrialPlan, definition: StudyDefinition, asOf day: CalendarDate
    ) -> [(visit: ScheduledVisit, state: VisitState)] {
        visits(of: participant, plan: plan, definition: definition).map { ($0, $0.state(asOf: day)) }
    }

    /// The day a rule counts from; nil where the record gives no full date, or what gives it is to be decided first.
    public static func anchorDate(of rule: VisitRule, for participant: ParticipantState) -> CalendarDate? {
        ScheduledRecord.anchorDate(rule.anchor, in: participant, OpenConflictsOnce(participant))
    }
}

/// What is to be decided in a record, worked out when a schedule first asks for it: most never do.
final class OpenConflictsOnce {
    private let participant: ParticipantState
    /// The conflicts.
    private(set) lazy var value = participant.openConflicts

    init(_ participant: ParticipantState) {
        self.participant = participant
    }
}

/// What a schedule looks at in a participant's record.
struct ScheduledRecord {
    /// The statuses after which no visit has to take place, the first that is reached being the reason given.
    static let visitStops: [(ParticipantStatus, VisitExclusion)] = [
        (.withdrawn, .withdrawn), (.followUpDiscontinued, .followUpDiscontinued),
    ]
    /// The statuses after which no questionnaire has to be answered.
    static let questionnaireStops = visitStops + [(.contactDiscontinued, .contactDiscontinued)]

    let participant: ParticipantState
    let plan: TrialPlan
    let definition: StudyDefinition
    /// What is to be decided: an item that is empty for now tells no day.
    private let open: OpenConflictsOnce
    /// Events that stand, by OID, sorted.
    private var events: [String: [InstanceID]] = [:]
    /// Forms that stand and were begun or hold an answer, by event, sorted.
    private(set) var forms: [InstanceID: [InstanceID]] = [:]
    /// Item groups that stand, by form.
    private(set) var groups: [InstanceID: [InstanceID]] = [:]

    init(_ participant: ParticipantState, plan: TrialPlan, definition: StudyDefinition) {
        self.participant = participant
        self.plan = plan
        self.definition = definition
        open = OpenConflictsOnce(participant)
        let mayNotCount = !participant.removals.isEmpty || !participant.rulings.isEmpty
        for (id, instance) in participant.instances.sorted(by: { $0.key < $1.key }) {
            if mayNotCount && !participant.counts(id) { continue }
            switch (instance.shape.kind, instance.shape.parent) {
            case (.studyEvent, _): events[instance.shape.oid, default: []].append(id)
            case (.form, let event?): forms[event, default: []].append(id)
            case (.itemGroup, let form?): groups[form, default: []].append(id)
            default: break
            }
        }
        forms = forms.mapValues { $0.filter { isBegun($0) } }
    }

    /// Whether a form was begun; one that is named by an answer is while any version of that holds values.
    private func isBegun(_ form: InstanceID) -> Bool {
        participant.instances[form]?.beginnings.isEmpty == false || !values(inForm: form).isEmpty
    }

    /// The ids of all values that stand in a form.
    func values(inForm form: InstanceID) -> [ValueID] {
        (groups[form] ?? []).flatMap { group in
            participant.instances[group]?.registers.values.flatMap { $0.held.map(\.id) } ?? []
        }
    }

    /// Events of an OID that stand, sorted.
    func events(_ oid: StudyEventOID) -> [InstanceID] { events[oid.text] ?? [] }

    /// The forms by which an event is done: those no questionnaire fills in, or all where every form is a questionnaire's.
    func formsThatCount(for event: StudyEventOID) -> Set<FormOID> {
        let all = Set((definition.events[event]?.forms ?? OIDTable()).map(\.oid))
        let answered = Set(plan.questionnaires.filter { $0.events.contains(event) }.map(\.form))
        let others = all.subtracting(answered)
        return others.isEmpty ? all : others
    }

    /// The occurrences of a rule's event.
    /// - Parameters:
    ///   - stops: the statuses after which the event does not have to take place.
    ///   - counts: whether a form of the event that stands makes it done.
    func occurrences(
        of rule: VisitRule, stops: [(ParticipantStatus, VisitExclusion)], counts: (FormOID) -> Bool
    ) -> [ScheduledVisit] {
        let anchor = ScheduledRecord.anchorDate(rule.anchor, in: participant, open)
        let standing = instances(of: rule, after: anchor)
        return (1...rule.occurrences).map { occurrence in
            let due = anchor.map { rule.due(occurrence, after: $0) }
            let window = due.map(rule.window(around:))
            let events = standing[occurrence] ?? []
            let isDone = events.contains { event in
                (forms[event] ?? []).contains { form in
                    participant.instances[form].map { counts(FormOID($0.shape.oid)) } ?? false
                }
            }
            let outcome: ScheduledVisit.Outcome =
                isDone ? .done : exclusion(before: window, stops: stops).map { .notApplicable($0) } ?? .open
            return ScheduledVisit(
                event: rule.event, occurrence: occurrence, due: due, window: window, instances: events,
                outcome: outcome)
        }
    }

    /// The events that stand by the occurrence they are.
    private func instances(of rule: VisitRule, after anchor: CalendarDate?) -> [Int: [InstanceID]] {
        let standing = events(rule.event)
        guard let repetition = rule.repetition else { return [1: standing] }
        guard let anchor else { return [:] }
        var found: [Int: [InstanceID]] = [:]
        for event in standing {
            let day = (forms[event] ?? []).compactMap { date(of: repetition.dateItem, inForm: $0) }.min()
            guard let day, let occurrence = rule.occurrence(holding: day, after: anchor) else { continue }
            found[occurrence, default: []].append(event)
        }
        return found
    }

    /// The day an item holds in a form; the earliest of several, nil where none is a full date.
    func date(of item: ItemOID, inForm form: InstanceID) -> CalendarDate? {
        (groups[form] ?? []).filter { !open.value.cover(item, of: $0) }.compactMap { group in
            (participant.instances[group]?.registers[item]?.current?.value?.normalised).flatMap(CalendarDate.init(day:))
        }.min()
    }

    /// Why an event that was not entered does not have to be, nil where it has to.
    private func exclusion(
        before window: ClosedRange<CalendarDate>?, stops: [(ParticipantStatus, VisitExclusion)]
    ) -> VisitExclusion? {
        if participant.isRemoved { return .removed }
        let reached = participant.reached
        if reached.contains(where: { $0.status == .screenFailure }) { return .screenFailure }
        for (status, exclusion) in stops {
            // A window that was over before has been missed, whatever came afterwards.
            let applies = reached.contains { record in
                guard record.status == status else { return false }
                guard let window, let day = DaySpan(record.eventDate)?.first else { return true }
                return day <= window.upperBound
            }
            if applies { return exclusion }
        }
        return nil
    }

    static func anchorDate(
        _ anchor: ScheduleAnchor, in participant: ParticipantState, _ open: OpenConflictsOnce
    ) -> CalendarDate? {
        switch anchor {
        case .status(let status):
            return participant.reached.filter { $0.status == status }.compactMap { CalendarDate(day: $0.eventDate) }
                .min()
        case .event(let event, let item):
            var days: [CalendarDate] = []
            for (id, instance) in participant.instances where instance.shape.kind == .itemGroup {
                guard let register = instance.registers[item], let form = instance.shape.parent,
                    let parent = participant.instances[form]?.shape.parent,
                    participant.instances[parent]?.shape.oid == event.text, participant.counts(id)
                else { continue }
                if open.value.cover(item, of: id) { return nil }
                if let day = register.current?.value.flatMap({ CalendarDate(day: $0.normalised) }) { days.append(day) }
            }
            return days.min()
        }
    }
}

extension CalendarDate {
    /// The calendar day of an ISO 8601 date or date and time, as written and whatever its zone; nil where no full date
    /// stands at the beginning.
    public init?(day text: String) {
        guard let span = DaySpan(text), span.first == span.last else { return nil }
        self = span.first
    }
}
