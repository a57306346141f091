public import EventLog
public import Trial

/// Where a participant stands in a study's list: ordered by location, then by label, then by id, all by their UTF-8 bytes.
public struct ParticipantPosition: Hashable, Sendable, Codable {
    /// The location.
    public let location: LocationID
    /// How people name the participant.
    public let label: String
    /// The participant.
    public let participant: EntryID

    /// States a position.
    public init(location: LocationID, label: String, participant: EntryID) {
        self.location = location
        self.label = label
        self.participant = participant
    }
}

/// A piece of a list that goes by participants.
public struct ListPiece<Element: Sendable>: Sendable {
    /// What it holds.
    public var elements: [Element]
    /// The participant with whom the next piece begins; nil where there is none.
    public var next: ParticipantPosition?
}

/// A participant in a list.
public struct ParticipantSummary: Hashable, Sendable {
    /// A status that counts.
    public struct Status: Hashable, Sendable {
        /// The entry that recorded it.
        public var entry: EntryID
        /// The status.
        public var status: ParticipantStatus
        /// The day it was reached on, as recorded.
        public var eventDate: String
    }

    /// The participant.
    public var participant: EntryID
    /// Where the participant belongs.
    public var location: LocationID
    /// How people name the participant.
    public var label: String
    /// The labels that nobody corrected, by kind and text.
    public var labels: [ParticipantLabel]
    /// The statuses that nobody corrected, by entry.
    public var statuses: [Status]
    /// Form instances, also empty ones.
    public var forms: Int
    /// What is to be decided.
    public var conflicts: Int
    /// Whether everything that concerns the participant is understood here.
    public var isFullyUnderstood: Bool
    /// Whether the participant is flagged removed.
    public var isRemoved: Bool
    /// Its number in this generation.
    let number: Int64

    /// Where it stands in the list.
    var position: ParticipantPosition {
        ParticipantPosition(location: location, label: label, participant: participant)
    }
}

/// Where an entry came from.
public struct OriginSummary: Hashable, Sendable {
    /// The writing node.
    public var node: NodeID
    /// The writing node's clock, milliseconds since 1970-01-01T00:00:00Z.
    public var utcMilliseconds: Int64
    /// Who acted.
    public var actor: ActorID?
    /// In which role.
    public var role: String
}

/// Something that is to be decided, in a list.
public struct ConflictSummary: Hashable, Sendable {
    /// A value of a side.
    public struct PlacedValue: Hashable, Sendable {
        /// The item group.
        public var group: InstanceID
        /// The item.
        public var item: ItemOID
        /// The value's id.
        public var id: ValueID
        /// What it says; nil where the datum was dropped.
        public var value: Value?
        /// Where its entry came from; nil where that is not known.
        public var origin: OriginSummary?
    }

    /// A side.
    public struct Side: Hashable, Sendable {
        /// `value`, `version`, `beginning`, `removal`, `restoration` or `answer`.
        public var kind: String
        /// The entry that brought it.
        public var entry: EntryID
        /// With the entry what a resolution or a decision names it by; nil of what none names.
        public var position: UInt64?
        /// Where the entry came from.
        public var origin: OriginSummary?
        /// Its values, in the order of group, item and id.
        public var values: [PlacedValue]
    }

    /// The participant.
    public var participant: EntryID
    /// Where the participant belongs.
    public var location: LocationID
    /// The participant's labels.
    public var labels: [ParticipantLabel]
    /// What kind it is: a word of ``Trial/ConflictKind``.
    public var kind: String
    /// The item group, whole, form or removed instance; nil where the participant was removed.
    public var instance: InstanceID?
    /// The item, of a conflict of an item.
    public var item: ItemOID?
    /// OID of the event that the form stands in.
    public var event: String?
    /// OID of the form.
    public var form: String?
    /// The form; nil for an event or the participant.
    public var formInstance: InstanceID?
    /// Whether it may yet be decided by what is on its way.
    public var isWaiting: Bool
    /// Decisions that stand and differ.
    public var decisions: [EntryID]
    /// The sides.
    public var sides: [Side]
}

/// A questionnaire that a participant has to answer, in a list.
public struct QuestionnaireSummary: Hashable, Sendable {
    /// An answer that stands.
    public struct Answer: Hashable, Sendable {
        /// The form.
        public var form: InstanceID
        /// The event it stands in.
        public var event: InstanceID
        /// The day it is about, `YYYY-MM-DD`; nil where the record does not tell.
        public var day: String?
    }

    /// What is known of it, whatever the day.
    public enum Outcome: Hashable, Sendable {
        /// Nothing was answered.
        case open
        /// It was answered.
        case done
        /// It does not have to be answered.
        case notApplicable(VisitExclusion)
    }

    /// The participant.
    public var participant: EntryID
    /// Where the participant belongs.
    public var location: LocationID
    /// The participant's labels.
    public var labels: [ParticipantLabel]
    /// The questionnaire, `url` or `url|version`.
    public var questionnaire: String
    /// The form it fills in.
    public var form: FormOID
    /// Who answers.
    public var respondent: QuestionnaireRespondent
    /// The event.
    public var event: StudyEventOID
    /// Which occurrence, from 1.
    public var occurrence: Int
    /// The day it is due; nil while the day it is counted from is not known. The window goes with it.
    public var due: CalendarDate?
    /// The first day.
    public var windowStart: CalendarDate?
    /// The last day.
    public var windowEnd: CalendarDate?
    /// What is known of it.
    public var outcome: Outcome
    /// The answers that stand.
    public var answers: [Answer]
    /// Whether any answer is about a day of the window; nil while that is not known, or nothing was answered.
    public var isAnsweredInWindow: Bool?

    /// How it stands on a day.
    public func state(asOf day: CalendarDate) -> VisitState {
        switch outcome {
        case .done: return .done
        case .notApplicable(let exclusion): return .notApplicable(exclusion)
        case .open:
            guard let windowStart, let windowEnd, day >= windowStart else { return .notYetDue }
            return day > windowEnd ? .overdue : .due
        }
    }
}
