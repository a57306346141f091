import EventLog

/// A form that was answered.
public struct QuestionnaireAnswer: Hashable, Sendable {
    /// The form.
    public let form: InstanceID
    /// The event it stands in.
    public let event: InstanceID
    /// The day it is about: what the schedule's date item holds, else the day a client system says it was authored, else the
    /// clinical date stated when it was first entered, else the day it was recorded. Nil where the record does not tell.
    public let day: CalendarDate?
}

/// A questionnaire that a participant has to answer.
public struct QuestionnaireDue: Hashable, Sendable {
    /// The questionnaire.
    public let questionnaire: QuestionnaireCanonical
    /// The form it fills in.
    public let form: FormOID
    /// Who answers.
    public let respondent: QuestionnaireRespondent
    /// The occurrence it belongs to, done where the questionnaire was answered.
    public let visit: ScheduledVisit
    /// The answers that stand.
    public let answers: [QuestionnaireAnswer]

    /// How it stands on a day.
    public func state(asOf day: CalendarDate) -> VisitState { visit.state(asOf: day) }

    /// Whether any answer is about a day of the window; nil while the window is not known, or nothing was answered.
    public var isAnsweredInWindow: Bool? {
        guard let window = visit.window, !answers.isEmpty else { return nil }
        return answers.contains { $0.day.map(window.contains) ?? false }
    }
}

/// The event that a response is to stand in.
public enum ResponseEvent: Hashable, Sendable {
    /// This event; a repeating one is begun by the response.
    case event(InstanceSelector)
    /// Several events have the questionnaire, and the day that tells which is not known yet.
    case notScheduledYet
}

/// Which questionnaires are due for whom, and what has been answered (Protocols/trial-plan.md, "Questionnaires").
public enum QuestionnaireSchedule {
    /// Every scheduled occurrence of every questionnaire, in the plan's order; events without a visit rule have none.
    public static func questionnaires(
        of participant: ParticipantState, plan: TrialPlan, definition: StudyDefinition
    ) -> [QuestionnaireDue] {
        let record = ScheduledRecord(participant, plan: plan, definition: definition)
        return plan.questionnaires.flatMap { questionnaire in
            questionnaire.events.compactMap(plan.visitRule).flatMap { rule in
                record.questionnaires(questionnaire, rule)
            }
        }
    }

    /// The answers of a questionnaire that belong to no scheduled occurrence, sorted: nothing that was answered is left out.
    public static func unscheduledAnswers(
        to questionnaire: QuestionnairePlan, of participant: ParticipantState, plan: TrialPlan,
        definition: StudyDefinition
    ) -> [QuestionnaireAnswer] {
        let record = ScheduledRecord(participant, plan: plan, definition: definition)
        let scheduled = questionnaire.events.compactMap(plan.visitRule).flatMap { rule in
            record.questionnaires(questionnaire, rule).flatMap(\.answers)
        }
        let known = Set(scheduled.map(\.form))
        return questionnaire.events.flatMap { event in
            record.events(event).flatMap { record.answers(questionnaire.form, inEvent: $0, dateItem: nil) }
        }.filter { !known.contains($0.form) }
    }

    /// The event for a response of a day: a function of plan and anchor, never of what else was answered, so that the same
    /// response finds the same event at every node.
    ///
    /// 1. A questionnaire of one event stands in it. A repeating event is begun by each response.
    /// 2. Of several, the event in whose window the day lies, of several the one due nearest to it.
    /// 3. Where it lies in none, the event due nearest to it. Of two as near the earlier, then the first of the plan.
    /// 4. Where the day that an event is counted from is not known, that event takes no part in 2 and 3.
    ///
    /// - Parameter day: the day the response is about, see ``day(of:answers:authored:plan:)``.
    public static func event(
        for questionnaire: QuestionnairePlan, day: CalendarDate, participant: ParticipantState, plan: TrialPlan,
        definition: StudyDefinition
    ) -> ResponseEvent {
        if questionnaire.events.count == 1 { return selector(questionnaire.events[0], definition) }
        var best: (rank: (Int, Int, Int), event: StudyEventOID)?
        for event in questionnaire.events {
            guard let rule = plan.visitRule(of: event),
                let anchor = VisitSchedule.anchorDate(of: rule, for: participant)
            else { continue }
            let due = rule.due(rule.occurrence(closestTo: day, after: anchor), after: anchor)
            let rank = (
                rule.window(around: due).contains(day) ? 0 : 1, abs(due.dayNumber - day.dayNumber), due.dayNumber
            )
            if let best, best.rank <= rank { continue }
            best = (rank, event)
        }
        return best.map { selector($0.event, definition) } ?? .notScheduledYet
    }

    /// The day a response is about: what it answers to the date item of the one event's schedule, else when it was authored.
    public static func day(
        of questionnaire: QuestionnairePlan, answers: [EnteredGroup], authored: CalendarDate, plan: TrialPlan
    ) -> CalendarDate {
        guard questionnaire.events.count == 1,
            let item = plan.visitRule(of: questionnaire.events[0])?.repetition?.dateItem
        else { return authored }
        let days = answers.flatMap(\.items).compactMap { entered -> CalendarDate? in
            guard entered.item == item, case .datum(let text, _) = entered.value else { return nil }
            return CalendarDate(day: text)
        }
        return days.min() ?? authored
    }

    private static func selector(_ event: StudyEventOID, _ definition: StudyDefinition) -> ResponseEvent {
        let defined = definition.events[event]
        let repeats = defined?.isRepeating == true || defined?.type == .unscheduled
        return .event(InstanceSelector(oid: event.text, choice: repeats ? .new(repeatKey: nil) : .once))
    }
}

extension ScheduledRecord {
    /// The occurrences of a questionnaire in an event.
    func questionnaires(_ questionnaire: QuestionnairePlan, _ rule: VisitRule) -> [QuestionnaireDue] {
        occurrences(of: rule, stops: ScheduledRecord.questionnaireStops) { _ in false }.map { visit in
            let answers = visit.instances.flatMap {
                self.answers(questionnaire.form, inEvent: $0, dateItem: rule.repetition?.dateItem)
            }
            return QuestionnaireDue(
                questionnaire: questionnaire.canonical, form: questionnaire.form,
                respondent: questionnaire.respondent,
                visit: answers.isEmpty
                    ? visit
                    : ScheduledVisit(
                        event: visit.event, occurrence: visit.occurrence, due: visit.due, window: visit.window,
                        instances: visit.instances, outcome: .done), answers: answers)
        }
    }

    /// The forms of an OID in an event that hold any value.
    func answers(_ oid: FormOID, inEvent event: InstanceID, dateItem: ItemOID?) -> [QuestionnaireAnswer] {
        (forms[event] ?? []).compactMap { form in
            guard participant.instances[form]?.shape.oid == oid.text else { return nil }
            let values = values(inForm: form)
            guard !values.isEmpty else { return nil }
            let stated = dateItem.flatMap { date(of: $0, inForm: form) }
            return QuestionnaireAnswer(
                form: form, event: event, day: stated ?? authored(form) ?? firstEntered(form, values))
        }
    }

    /// The day on which what stands of an answer was authored, the earliest of alternatives.
    private func authored(_ form: InstanceID) -> CalendarDate? {
        guard let response = participant.response(in: form) else { return nil }
        return response.standing.compactMap { response.versions[$0].flatMap { CalendarDate(day: $0.authored) } }.min()
    }

    /// The day on which a form was first entered, as far as its beginnings and the values that stand tell.
    private func firstEntered(_ form: InstanceID, _ values: [ValueID]) -> CalendarDate? {
        let entries = (participant.instances[form]?.beginnings.keys.map(\.entry) ?? []) + values.map(\.entry)
        return entries.compactMap { participant.origins[$0]?.day }.min()
    }
}

extension EntryOrigin {
    /// The calendar day of what was entered: the clinical date stated, else the day on the device, else on the node.
    var day: CalendarDate? {
        if let occurred = provenance.occurred { return CalendarDate(day: occurred) }
        let (milliseconds, offsetMinutes) =
            provenance.recorded.map { ($0.utcMilliseconds, $0.offsetMinutes) }
            ?? (time.utcMilliseconds, time.offsetMinutes)
        let (shift, tooFar) = offsetMinutes.multipliedReportingOverflow(by: 60_000)
        let (local, beyond) = milliseconds.addingReportingOverflow(shift)
        guard !tooFar, !beyond else { return nil }
        // Down to midnight, also before 1970.
        let day = local >= 0 ? local / 86_400_000 : (local + 1) / 86_400_000 - 1
        return CalendarDate(dayNumber: Int(day))
    }
}
