import EventLog
import Node
import Trial
import Views

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

    /// Whether everything that had come to this node is in it.
    var isCurrent: Bool
    /// The day as of which it is said.
    var asOf: String
    var questionnaires: [Due]
    /// To be sent as `cursor` for the next piece; absent where this is the last.
    var next: String?

    init(_ reading: ViewReading<ListPiece<QuestionnaireSummary>>, asOf day: CalendarDate, only state: Due.State?) {
        isCurrent = reading.isCurrent
        asOf = day.description
        next = reading.contents.next.map(Cursor.text)
        questionnaires = reading.contents.elements.map { Due($0, asOf: day) }
            .filter { state == nil || $0.state == state }
    }
}

extension QuestionnaireListDocument.Due {
    fileprivate init(_ due: QuestionnaireSummary, asOf day: CalendarDate) {
        participant = due.participant
        location = due.location
        labels = due.labels.map(LabelDocument.init)
        questionnaire = due.questionnaire
        form = due.form
        respondent = due.respondent
        event = due.event
        occurrence = due.occurrence
        switch due.state(asOf: day) {
        case .notYetDue: state = .notYetDue
        case .due: state = .due
        case .overdue: state = .overdue
        case .done: state = .done
        case .notApplicable(let reason):
            state = .notApplicable
            exclusion = reason
        }
        dueDate = due.due?.description
        windowFrom = due.windowStart?.description
        windowTo = due.windowEnd?.description
        answers = due.answers.map {
            QuestionnaireListDocument.Answer(form: $0.form, event: $0.event, day: $0.day)
        }
        isAnsweredInWindow = due.isAnsweredInWindow
    }
}
