import EventLog
import Trial

/// One participant as the view holds them: everything below is a function of the participant's record and the definitions.
struct ParticipantRows: Sendable {
    var participant: EntryID
    var location: LocationID
    var labels: [ParticipantLabel]
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
    /// Items with a current value; nothing that is removed or wrong.
    var values = 0
    /// Forms with such an item, or with one in conflict.
    var filledForms = 0
    /// Over everything above but the forms.
    var digest = Hash.zero
}

/// A status that counts.
struct StatusRow: Sendable {
    var entry: EntryID
    var status: ParticipantStatus
    var eventDate: String
}

/// One occurrence of an event that the plan schedules.
struct VisitRow: Sendable {
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
    var firstEntryUTCMilliseconds: Int64?
    var lastEntryUTCMilliseconds: Int64?
    /// The node and, where it was stated, the location at which the form was first entered.
    var node: NodeID?
    var performedAt: String?
    /// JSON, see `Protocols/views.md`.
    var entries: [UInt8] = []
    var cells: [UInt8] = []
    var digest = Hash.zero
    /// Its rows in the datamart.
    var wide: [WideRow] = []
}

/// A row of a table of the datamart.
struct WideRow: Sendable {
    enum Cell: Sendable {
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
