public import EventLog

/// What a label is for.
public enum LabelKind: UInt64, Sendable, Codable {
    case screening = 1
    case subject = 2
    case randomisation = 3

    /// The kind, in words.
    var name: String {
        switch self {
        case .screening: "screening"
        case .subject: "subject"
        case .randomisation: "randomisation"
        }
    }
}

/// A number by which people name a participant. A label, never an identity.
public struct ParticipantLabel: Hashable, Comparable, Sendable, Codable {
    /// What it is for.
    public var kind: LabelKind
    /// The label.
    public var text: String

    /// States a label.
    public init(kind: LabelKind, text: String) {
        self.kind = kind
        self.text = text
    }

    /// Orders them in the same way everywhere.
    public static func < (left: ParticipantLabel, right: ParticipantLabel) -> Bool {
        (left.kind.rawValue, left.text) < (right.kind.rawValue, right.text)
    }
}

/// A participant comes into being; the entry's id is theirs.
public struct Registration: Hashable, Sendable {
    /// The labels given.
    public var labels: [ParticipantLabel]
    /// The places of those whose text the node issued.
    public var issued: Set<Int>

    /// States a registration.
    public init(labels: [ParticipantLabel], issued: Set<Int> = []) {
        self.labels = labels
        self.issued = issued
    }
}

extension ParticipantStatus {
    /// The number in entries, from 1, in the order of declaration; new statuses are added at the end.
    var number: UInt64 {
        switch self {
        case .screened: 1
        case .consented: 2
        case .included: 3
        case .randomised: 4
        case .screenFailure: 5
        case .treatmentDiscontinued: 6
        case .followUpDiscontinued: 7
        case .contactDiscontinued: 8
        case .completed: 9
        case .withdrawn: 10
        }
    }

    /// The status of a number; nil for one that this software does not know.
    init?(number: UInt64) {
        guard let status = ParticipantStatus.allCases.first(where: { $0.number == number }) else { return nil }
        self = status
    }
}

/// A participant reaches a status.
public struct StatusRecord: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The status.
    public var status: ParticipantStatus
    /// When it was reached, ISO 8601, possibly partial.
    public var eventDate: String
    /// Earlier status entries that this one corrects.
    public var replaces: [EntryID]
    /// Why, in a person's words.
    public var reason: String?

    /// States a record.
    public init(
        participant: EntryID, status: ParticipantStatus, eventDate: String, replaces: [EntryID] = [],
        reason: String? = nil
    ) {
        self.participant = participant
        self.status = status
        self.eventDate = eventDate
        self.replaces = replaces
        self.reason = reason
    }
}

/// Something is flagged removed, or the flag is taken back. Nothing is deleted.
public struct Removal: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The way down to what is meant; its last line is the target. Empty where the participant is.
    public var instances: [InstanceDeclaration]
    /// The removals that were seen; a restoration takes these back, and no others.
    public var seen: [EntryID]
    /// The values of the target that were seen, so that an edit apart from it is noticed.
    public var seenValues: [ValueID]
    /// Why.
    public var reason: String?

    /// States a removal.
    public init(
        participant: EntryID, instances: [InstanceDeclaration], seen: [EntryID] = [], seenValues: [ValueID] = [],
        reason: String? = nil
    ) {
        self.participant = participant
        self.instances = instances
        self.seen = seen
        self.seenValues = seenValues
        self.reason = reason
    }
}
