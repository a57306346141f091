public import EventLog

/// By what a command names a participant.
public enum ParticipantReference: Hashable, Sendable, Codable {
    /// By the registering entry.
    case registration(EntryID)
    /// By the same sender's command that registered them.
    case registeredBy(CommandID)
}

/// Which event, form or item group a command means.
public enum InstanceChoice: Hashable, Sendable, Codable {
    /// The only one of its kind: scheduled visits, forms and groups that do not repeat.
    case once
    /// One that this command begins.
    case new(repeatKey: String?)
    /// One that stands in the record.
    case existing(InstanceID)
    /// The one of this OID that an earlier command of the same sender began.
    case begunBy(CommandID)
}

/// An event or form that a save is about.
public struct InstanceSelector: Hashable, Sendable, Codable {
    /// OID of its definition.
    public var oid: String
    /// Which one.
    public var choice: InstanceChoice

    /// Selects.
    public init(oid: String, choice: InstanceChoice = .once) {
        self.oid = oid
        self.choice = choice
    }
}

/// What an item is to hold.
public enum EnteredValue: Hashable, Sendable, Codable {
    /// A datum as typed, with a unit where one was chosen.
    case datum(String, unit: String?)
    /// Nothing was observed, for a reason of the study's list.
    case missing(reason: String)
    /// What stands is to be taken away, for a reason.
    case cleared(reason: String)
}

/// An item as a person changed or confirmed it.
public struct EnteredItem: Hashable, Sendable, Codable {
    /// The item.
    public var item: ItemOID
    /// What it is to hold.
    public var value: EnteredValue
    /// Why, for a correction.
    public var reasonCode: String?

    /// States an item.
    public init(item: ItemOID, value: EnteredValue, reasonCode: String? = nil) {
        self.item = item
        self.value = value
        self.reasonCode = reasonCode
    }
}

/// An item group's items in a save.
public struct EnteredGroup: Hashable, Sendable, Codable {
    /// The group, or the row of a repeating one.
    public var group: InstanceSelector
    /// Its changed items.
    public var items: [EnteredItem]

    /// States a group.
    public init(group: InstanceSelector, items: [EnteredItem]) {
        self.group = group
        self.items = items
    }
}

/// A value id as a client names it.
public struct SeenValue: Hashable, Sendable, Codable {
    /// The entry.
    public var entry: EntryID
    /// The position in it.
    public var position: UInt64

    /// Names a value.
    public init(entry: EntryID, position: UInt64) {
        self.entry = entry
        self.position = position
    }
}

/// A form that a person, patient or import saves.
public struct FormEntry: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose form.
    public var participant: ParticipantReference
    /// The visit.
    public var event: InstanceSelector
    /// The form.
    public var form: InstanceSelector
    /// What was changed or confirmed.
    public var groups: [EnteredGroup]
    /// Every value that was on the screen.
    public var seen: [SeenValue]
    /// Checks that spoke.
    public var prompts: [CheckPrompt]
    /// Calculated values shown.
    public var calculated: [CalculatedValue]
    /// A comment.
    public var comment: String?
    /// The reason in words.
    public var reason: String?

    /// States a form.
    public init(
        location: LocationID, participant: ParticipantReference, event: InstanceSelector, form: InstanceSelector,
        groups: [EnteredGroup], seen: [SeenValue] = []
    ) {
        self.location = location
        self.participant = participant
        self.event = event
        self.form = form
        self.groups = groups
        self.seen = seen
        prompts = []
        calculated = []
    }
}

/// A part of a record that is to be flagged removed, or restored.
public struct RemovalTarget: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose record.
    public var participant: ParticipantReference
    /// The event, form or row; nil for the participant.
    public var instance: InstanceID?
    /// Why.
    public var reason: String
    /// Every value that was on the screen; nil where the sender goes by what the node holds.
    public var seen: [SeenValue]?

    /// States a target.
    public init(
        location: LocationID, participant: ParticipantReference, instance: InstanceID?, reason: String,
        seen: [SeenValue]? = nil
    ) {
        self.location = location
        self.participant = participant
        self.instance = instance
        self.reason = reason
        self.seen = seen
    }
}

/// What is asked of a node.
public enum Request: Hashable, Sendable, Codable {
    /// Founds a study.
    case found(mode: StudyMode, oid: StudyOID, name: String)
    /// Publishes a version of the definitions, an ODM document in Base64.
    case publish(documentBase64: String)
    /// Numbers the participation chain.
    case participate(
        sponsor: String, coordinating: [NodeID], members: [Member], sites: [StudySite],
        orders: OrderPermissions? = nil)
    /// Accepts the newest invitation for locations hosted here.
    case accept(locations: [LocationID], agreement: String, approval: String, date: String)
    /// Withdraws for locations hosted here.
    case withdraw(locations: [LocationID], agreement: String, approval: String, date: String)
    /// Sets the plan, a YAML document.
    case plan(document: String)
    /// Grants a role at a study site.
    case delegate(site: StudySiteID, actor: ActorID, name: String, role: RoleName, from: String, to: String?)
    /// Ends a grant.
    case endDelegation(site: StudySiteID, actor: ActorID, role: RoleName, from: String)
    /// Registers a participant; a label with an empty text is issued.
    case register(location: LocationID, labels: [ParticipantLabel])
    /// Records a status.
    case status(
        location: LocationID, participant: ParticipantReference, status: ParticipantStatus, eventDate: String,
        replaces: [EntryID])
    /// Saves a form.
    case save(FormEntry)
    /// Flags something removed.
    case remove(RemovalTarget)
    /// Takes such a flag back.
    case restore(RemovalTarget)
    /// Decides what the beginnings of a form are.
    case decideInstances(InstanceDecisionEntry)
    /// Resolves a conflict of an item or of a whole.
    case resolve(ResolutionEntry)
    /// Confirms a form whose values never stood together.
    case confirm(FormConfirmationEntry)
    /// Submits a version of an answer to a questionnaire.
    case respond(ResponseEntry)
    /// Gives a participant a label, or corrects one.
    case assignLabel(LabelEntry)
    /// Says that two records are of one person.
    case link(LinkTarget)
    /// Takes that back.
    case unlink(LinkTarget)
    /// Orders parts of one entry to be dropped, everywhere and for good.
    case redact(RedactionEntry)
    /// Orders everything about a participant to be dropped, everywhere and for good.
    case erase(ErasureEntry)
}

/// A role by its name in commands.
public enum RoleName: String, Sendable, Codable, CaseIterable {
    case institution
    case principalInvestigator = "principal-investigator"
    case investigator
    case studyNurse = "study-nurse"
    case monitor
    case dataManager = "data-manager"
    case dataImport = "data-import"
    case partnerApp = "partner-app"

    /// The number in headers.
    public var role: Role {
        switch self {
        case .institution: .institution
        case .principalInvestigator: .principalInvestigator
        case .investigator: .investigator
        case .studyNurse: .studyNurse
        case .monitor: .monitor
        case .dataManager: .dataManager
        case .dataImport: .dataImport
        case .partnerApp: .partnerApp
        }
    }
}

/// Who sends a command.
public struct Sender: Hashable, Sendable, Codable {
    /// The person or system.
    public var actor: ActorID
    /// In what role.
    public var role: RoleName
    /// True for software on its own account.
    public var isSystem: Bool

    /// States a sender.
    public init(actor: ActorID, role: RoleName, isSystem: Bool = false) {
        self.actor = actor
        self.role = role
        self.isSystem = isSystem
    }
}

/// A command: a request with the sender's id for it, by which a repetition is recognised.
public struct Command: Hashable, Sendable, Codable {
    /// The sender's id for it.
    public var id: CommandID
    /// Who sends it.
    public var sender: Sender
    /// The study; nil only where one is founded.
    public var study: StudyID?
    /// Where what it says came from.
    public var provenance: Provenance
    /// What is asked.
    public var request: Request

    /// States a command.
    public init(id: CommandID, sender: Sender, study: StudyID?, provenance: Provenance, request: Request) {
        self.id = id
        self.sender = sender
        self.study = study
        self.provenance = provenance
        self.request = request
    }
}
