import EventLog
import Node
import Trial

/// Which questionnaires are due for whom, of a piece of the list of participants.
struct QuestionnaireListDocument: Codable {
    struct Answer: Codable {
        var form: InstanceID
        var event: InstanceID
        var day: String?
    }

    struct Due: Codable {
        enum State: String, Codable {
            case notYetDue, due, overdue, done, notApplicable
        }

        var participant: EntryID
        var location: LocationID
        var labels: [LabelDocument]
        var questionnaire: String
        var form: FormOID
        var respondent: QuestionnaireRespondent
        var event: StudyEventOID
        var occurrence: Int
        var state: State
        /// Why it does not have to be answered.
        var exclusion: VisitExclusion?
        var dueDate: String?
        var windowFrom: String?
        var windowTo: String?
        var answers: [Answer]
        /// Absent while the window is not known, or nothing was answered.
        var isAnsweredInWindow: Bool?
    }

    /// The day as of which it is said.
    var asOf: String
    var questionnaires: [Due]
    /// To be sent as `cursor` for the next piece; absent where this is the last.
    var next: String?

    init(_ page: ParticipantPage, _ schedule: ScheduleReading, asOf day: CalendarDate, only state: Due.State?) {
        asOf = day.description
        next = page.next.map(Cursor.text)
        questionnaires = page.records.flatMap { reading in
            QuestionnaireSchedule.questionnaires(
                of: reading.state, plan: schedule.plan, definition: schedule.definition
            ).map { Due($0, of: reading.state, asOf: day) }
        }.filter { state == nil || $0.state == state }
    }
}

extension QuestionnaireListDocument.Due {
    fileprivate init(_ due: QuestionnaireDue, of record: ParticipantState, asOf day: CalendarDate) {
        participant = record.id
        location = record.location
        labels = record.labels.map(LabelDocument.init)
        questionnaire = due.questionnaire.description
        form = due.form
        respondent = due.respondent
        event = due.visit.event
        occurrence = due.visit.occurrence
        switch due.state(asOf: day) {
        case .notYetDue: state = .notYetDue
        case .due: state = .due
        case .overdue: state = .overdue
        case .done: state = .done
        case .notApplicable(let reason):
            state = .notApplicable
            exclusion = reason
        }
        dueDate = due.visit.due?.description
        windowFrom = due.visit.window?.lowerBound.description
        windowTo = due.visit.window?.upperBound.description
        answers = due.answers.map {
            QuestionnaireListDocument.Answer(form: $0.form, event: $0.event, day: $0.day?.description)
        }
        isAnsweredInWindow = due.isAnsweredInWindow
    }
}
