import EventLog
import Trial

/// One participant as the view holds them: everything below is a function of the participant's record and the definitions.
///
/// The columns of `participant` follow from it by the computed properties, for whoever writes them and for whoever checks
/// what is stored.
struct ParticipantRows: Sendable {
    var participant: EntryID
    var location: LocationID
    /// Other registrations of the same participant, sorted.
    var aliases: [EntryID] = []
    /// Every label ever given, by its id.
    var labels: [LabelRow] = []
    /// Every link to another record, by its entry.
    var links: [LinkRow] = []
    /// Where and when the participant was registered.
    var registeredAtNode: NodeID?
    var registeredUTCMilliseconds: Int64?
    var isRemoved = false
    var isFullyUnderstood = true
    var statuses: [StatusRow] = []
    var findings: [FindingRow] = []
    var forms: [FormRow] = []
    var conflicts: [ConflictRow] = []
    var visits: [VisitRow] = []
    var questionnaires: [QuestionnaireRow] = []
    /// Items with a current value; nothing that is removed or wrong.
    var values = 0
    /// Forms with such an item, or with one in conflict.
    var filledForms = 0
    /// The newest entry of any form.
    var lastFormUTCMilliseconds: Int64?
    /// Over everything above but the forms.
    var digest = Hash.zero

    /// Takes a form's row into account.
    mutating func note(values: Int, conflicts: Int, lastEntryUTCMilliseconds: Int64?) {
        self.values += values
        if values + conflicts > 0 { filledForms += 1 }
        lastFormUTCMilliseconds = [lastFormUTCMilliseconds, lastEntryUTCMilliseconds].compactMap { $0 }.max()
    }

    /// The labels that nobody corrected, each once, by kind and text.
    var standingLabels: [ParticipantLabel] {
        Set(labels.lazy.filter { !$0.isCorrected }.map(\.label)).sorted()
    }

    /// How people name the participant: subject number, else screening number, else the first label, else the id.
    var label: String {
        let labels = standingLabels
        return (labels.first { $0.kind == .subject } ?? labels.first { $0.kind == .screening } ?? labels.first)?.text
            ?? participant.description
    }

    /// When the participant's data were last written, by the writing nodes' clocks.
    var lastEntryUTCMilliseconds: Int64? {
        [lastFormUTCMilliseconds, registeredUTCMilliseconds].compactMap { $0 }.max()
    }

    /// The date of a status; nil where it was not reached, empty where records give several dates.
    func date(of status: ParticipantStatus) -> String? {
        let dates = Set(statuses.filter { $0.status == status }.map(\.eventDate))
        return dates.count > 1 ? "" : dates.first
    }
}

/// A label that a participant was ever given.
struct LabelRow: Hashable, Sendable {
    /// The entry that gave it, and the place in it.
    var entry: EntryID
    var position: UInt64
    /// Its text is composed: two spellings of one text under Unicode are one label.
    var label: ParticipantLabel
    /// Whether one who saw it gave another one.
    var isCorrected: Bool
}

/// A link to another record of the same person.
struct LinkRow: Hashable, Sendable {
    var entry: EntryID
    /// The other one's registration as the entry names it, and where it stands.
    var other: EntryID
    var otherLocation: LocationID
    /// Whether it was taken back.
    var isUndone: Bool
}

/// A questionnaire that a participant has to answer.
struct QuestionnaireRow: Sendable {
    /// Which of the participant's, in the plan's order.
    var place: Int
    var questionnaire: String
    var formOID: String
    var respondent: String
    var visit: VisitRow
    /// JSON: each answer's `[form id, event id, day]`.
    var answers: [UInt8]
    /// Whether any answer is about a day of the window; nil while that is not known, or nothing was answered.
    var isAnsweredInWindow: Bool?
}

/// A status that counts.
struct StatusRow: Sendable {
    var entry: EntryID
    var status: ParticipantStatus
    var eventDate: String
}

/// One occurrence of an event that the plan schedules.
struct VisitRow: Hashable, Sendable {
    var eventOID: String
    var occurrence: Int
    /// Days as `YYYY-MM-DD`; nil while the day they are counted from is not known.
    var due: String?
    var windowStart: String?
    var windowEnd: String?
    /// `open`, `done`, or why it does not have to take place.
    var outcome: String
}

/// What a person should know of an entry.
struct FindingRow: Hashable, Sendable {
    enum Kind: String {
        case void
        case waiting
        case notUnderstood = "not understood"
        case finding
    }

    var entry: EntryID
    var kind: Kind
    /// The rule's published number, as `V3` or `F1`.
    var rule: String?
    var explanation: String
}

/// Something that staff of the study site are to decide.
struct ConflictRow: Sendable {
    var kind: String
    /// The form that it is about or lies in; nil for an event or the participant.
    var form: InstanceID?
    /// The group, whole, form or removed instance; nil where the participant was removed.
    var instance: InstanceID?
    var itemOID: String?
    var isWaiting: Bool
    /// JSON, see `Protocols/views.md`.
    var decisions: [UInt8]
    var entries: [UInt8]
    var sides: [UInt8]
}

/// One form instance.
struct FormRow: Sendable {
    var event: InstanceID?
    var eventOID: String
    var eventRepeatKey: String?
    var form: InstanceID
    var formOID: String
    var formRepeatKey: String?
    var state = FormStatus.empty
    /// Items with a current value.
    var values = 0
    /// Items that are empty because something is to be decided.
    var conflicts = 0
    /// Conflicts whose sides have seen something that is not here yet.
    var awaited = 0
    /// When and where the form was entered.
    var times = EntryTimes()
    /// JSON, see `Protocols/views.md`.
    var entries: [UInt8] = []
    var cells: [UInt8] = []
    var digest = Hash.zero
    /// Its rows in the datamart.
    var wide: [WideRow] = []
}

/// When and where a form was entered, as the entries that its cells name tell.
struct EntryTimes: Hashable, Sendable {
    private(set) var firstUTCMilliseconds: Int64?
    private(set) var lastUTCMilliseconds: Int64?
    /// The node and, where it was stated, the location at which the form was first entered.
    private(set) var node: NodeID?
    private(set) var performedAt: String?
    private var first: EntryID?

    /// Takes an entry into account; of several at one moment the one with the lowest id is the first.
    mutating func note(_ entry: EntryID, _ utcMilliseconds: Int64, node: NodeID, performedAt: String?) {
        lastUTCMilliseconds = max(lastUTCMilliseconds ?? utcMilliseconds, utcMilliseconds)
        if let firstUTCMilliseconds, let first, (firstUTCMilliseconds, first) < (utcMilliseconds, entry) { return }
        firstUTCMilliseconds = utcMilliseconds
        first = entry
        self.node = node
        self.performedAt = performedAt
    }
}

/// A row of a table of the datamart.
struct WideRow: Sendable {
    enum Cell: Hashable, Sendable {
        case integer(Int64)
        case real(Double)
        case text(String)
    }

    var table: Int
    var groupRepeatKey: String?
    var cells: [(column: Int, cell: Cell)] = []
    /// JSON object: why a column is empty, by column name; nil where every item has a plain value or none.
    var status: [UInt8]?
}
