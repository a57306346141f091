public import EventLog

/// What a person decides of a form that was begun more than once.
public enum InstanceChoiceMade: Hashable, Sendable, Codable {
    /// All beginnings are one form, merged by item.
    case same
    /// Each beginning is a form of its own; the lowest keeps the form's id.
    case two
    /// These beginnings are wrong and do not count; the others are one form.
    case wrong([Beginning])
}

/// A decision on a form that was begun more than once.
public struct InstanceDecisionEntry: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose form.
    public var participant: ParticipantReference
    /// The form.
    public var form: InstanceID
    /// Every beginning that was on the screen.
    public var beginnings: [Beginning]
    /// What they are.
    public var choice: InstanceChoiceMade
    /// Why.
    public var reason: String

    /// States a decision.
    public init(
        location: LocationID, participant: ParticipantReference, form: InstanceID, beginnings: [Beginning],
        choice: InstanceChoiceMade, reason: String
    ) {
        self.location = location
        self.participant = participant
        self.form = form
        self.beginnings = beginnings
        self.choice = choice
        self.reason = reason
    }
}

/// The verdict on one side of a conflict; a version of a whole is named by the lowest of its values.
public struct JudgedSideEntry: Hashable, Sendable, Codable {
    /// The side.
    public var side: SeenValue
    /// What it is.
    public var verdict: SideVerdict

    /// States a verdict.
    public init(side: SeenValue, verdict: SideVerdict) {
        self.side = side
        self.verdict = verdict
    }
}

/// The resolution of a conflict of an item or of a whole.
public struct ResolutionEntry: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose record.
    public var participant: ParticipantReference
    /// The item group, or the whole form or group.
    public var instance: InstanceID
    /// The item; nil where a whole is resolved.
    public var item: ItemOID?
    /// A verdict on every side.
    public var sides: [JudgedSideEntry]
    /// What is to stand; empty where that is the chosen side. Of an item just that item, of a whole what differs from the
    /// chosen version, or all of it where none is chosen.
    public var outcome: [EnteredGroup]
    /// Every value that was on the screen.
    public var seen: [SeenValue]
    /// Why.
    public var reason: String

    /// States a resolution.
    public init(
        location: LocationID, participant: ParticipantReference, instance: InstanceID, item: ItemOID?,
        sides: [JudgedSideEntry], outcome: [EnteredGroup] = [], seen: [SeenValue], reason: String
    ) {
        self.location = location
        self.participant = participant
        self.instance = instance
        self.item = item
        self.sides = sides
        self.outcome = outcome
        self.seen = seen
        self.reason = reason
    }
}

/// A confirmation that the values of a form may stand together.
public struct FormConfirmationEntry: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose form.
    public var participant: ParticipantReference
    /// The form.
    public var form: InstanceID
    /// Every value that was on the screen.
    public var seen: [SeenValue]

    /// States a confirmation.
    public init(location: LocationID, participant: ParticipantReference, form: InstanceID, seen: [SeenValue]) {
        self.location = location
        self.participant = participant
        self.form = form
        self.seen = seen
    }
}
