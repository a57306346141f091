/// A number in a header that later versions may add to: unknown ones are kept and shown as numbers.
public protocol HeaderCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible where RawValue == UInt64 {
    /// The names of the numbers this software knows.
    static var names: [UInt64: String] { get }
    /// Wraps a number, known or not.
    init(rawValue: UInt64)
}

extension HeaderCode {
    /// The name, or the bare number of an unknown one.
    public var description: String { Self.names[rawValue] ?? "unknown (\(rawValue))" }
}

/// What an entry does; the payloads are `Trial`'s.
public struct OperationType: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Entry 0 of every log.
    public static let logOpened = OperationType(rawValue: 1)
    /// The last entry a writer puts into a log it gives up.
    public static let logClosed = OperationType(rawValue: 2)
    /// A study begins.
    public static let studyFounded = OperationType(rawValue: 10)
    /// A piece of a large document that a later entry names by hash.
    public static let contentChunk = OperationType(rawValue: 11)
    /// A version of the study's definitions comes into force.
    public static let definitionPublished = OperationType(rawValue: 12)
    /// A number of the participation chain.
    public static let participationNumbered = OperationType(rawValue: 13)
    /// An institution accepts an invitation.
    public static let participationAccepted = OperationType(rawValue: 14)
    /// An institution withdraws its acceptance.
    public static let participationWithdrawn = OperationType(rawValue: 15)
    /// Targets, milestones and status rules.
    public static let planSet = OperationType(rawValue: 16)
    /// A number of a study site's delegation chain.
    public static let delegationNumbered = OperationType(rawValue: 17)
    /// A participant is registered.
    public static let participantRegistered = OperationType(rawValue: 30)
    /// A participant reaches a status.
    public static let statusRecorded = OperationType(rawValue: 31)
    /// A form is saved.
    public static let formSaved = OperationType(rawValue: 32)
    /// A row, form, event or participant is flagged removed.
    public static let removed = OperationType(rawValue: 33)
    /// The flag is taken back.
    public static let restored = OperationType(rawValue: 34)
    /// Whether several beginnings of a form are one form, several, or wrong.
    public static let instancesDecided = OperationType(rawValue: 35)
    /// The sides of a conflict are judged and its outcome is written.
    public static let conflictResolved = OperationType(rawValue: 36)
    /// A person who saw all of a form says that its values may stand together.
    public static let formConfirmed = OperationType(rawValue: 37)
    /// A version of an answer to a questionnaire arrives from a client system.
    public static let responseReceived = OperationType(rawValue: 40)
    /// A participant gets a label.
    public static let labelAssigned = OperationType(rawValue: 41)
    /// Two participants are said to be one person.
    public static let participantsLinked = OperationType(rawValue: 42)
    /// That is taken back.
    public static let participantsUnlinked = OperationType(rawValue: 43)
    /// Parts are to be dropped from one entry.
    public static let redactionOrdered = OperationType(rawValue: 50)
    /// All parts of all entries under a subject handle are to be dropped.
    public static let erasureOrdered = OperationType(rawValue: 51)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [
        1: "log opened", 2: "log closed", 10: "study founded", 11: "content chunk", 12: "definition published",
        13: "participation numbered", 14: "participation accepted", 15: "participation withdrawn", 16: "plan set",
        17: "delegation numbered", 30: "participant registered", 31: "status recorded", 32: "form saved", 33: "removed",
        34: "restored", 35: "instances decided", 36: "conflict resolved", 37: "form confirmed", 40: "response received",
        41: "label assigned", 42: "participants linked",
        43: "participants unlinked", 50: "redaction ordered", 51: "erasure ordered",
    ]
}

/// What kind of actor acted.
public struct ActorKind: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A member of staff.
    public static let person = ActorKind(rawValue: 1)
    /// A participant, for patient-reported data.
    public static let patient = ActorKind(rawValue: 2)
    /// Software on its own account, a node or an import.
    public static let system = ActorKind(rawValue: 3)
    /// A registered client system of a partner.
    public static let partnerApp = ActorKind(rawValue: 4)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [1: "person", 2: "patient", 3: "system", 4: "partner app"]
}

/// In what role the actor acted. What a role may do is one table in `Trial`.
public struct Role: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The node itself.
    public static let node = Role(rawValue: 1)
    /// Principal investigator of a study site.
    public static let principalInvestigator = Role(rawValue: 2)
    /// Investigator.
    public static let investigator = Role(rawValue: 3)
    /// Study nurse or study coordinator.
    public static let studyNurse = Role(rawValue: 4)
    /// Monitor (CRA).
    public static let monitor = Role(rawValue: 5)
    /// Data manager at a coordinating node.
    public static let dataManager = Role(rawValue: 6)
    /// The participant.
    public static let participant = Role(rawValue: 7)
    /// An import of data recorded elsewhere, delegated like a person.
    public static let dataImport = Role(rawValue: 8)
    /// Answers for an institution: accepts invitations and delegates.
    public static let institution = Role(rawValue: 9)
    /// A registered client system, which submits participants' answers and does nothing else; delegated like a person.
    public static let partnerApp = Role(rawValue: 10)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [
        1: "node", 2: "principal investigator", 3: "investigator", 4: "study nurse", 5: "monitor", 6: "data manager",
        7: "participant", 8: "data import", 9: "institution", 10: "partner app",
    ]
}

/// How the actor's identity was established for this entry.
public struct Authentication: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Nobody's identity was established.
    public static let none = Authentication(rawValue: 0)
    /// The operating system's account that may open the node's owner-only socket.
    public static let localAccount = Authentication(rawValue: 1)
    /// The node acts by its own key.
    public static let nodeKey = Authentication(rawValue: 2)
    /// A bearer token out of an owner-only file of the node: it says who was given the token, not who uses it.
    public static let localToken = Authentication(rawValue: 3)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [
        0: "none", 1: "local account", 2: "node key", 3: "local token",
    ]
}
