public import EventLog

/// What an entry does, with all it needs to be applied.
public enum Operation: Hashable, Sendable {
    /// The log was opened or closed: of no concern to the trial.
    case log
    case studyFounded(StudyFounding)
    case contentChunk(ContentChunk)
    case definitionPublished(DefinitionPublication)
    case participationNumbered(Participation)
    case participationAccepted(ParticipationAnswer)
    case participationWithdrawn(ParticipationAnswer)
    /// The plan's document, exactly as it was given; nil where it was dropped.
    case planSet(document: [UInt8]?)
    case delegationNumbered(Delegation)
    case participantRegistered(Registration)
    case statusRecorded(StatusRecord)
    case formSaved(FormSave)
    case removed(Removal)
    case restored(Removal)
    case instancesDecided(InstanceDecision)
    case conflictResolved(Resolution)
    case formConfirmed(Confirmation)
    case responseReceived(Response)
    case redactionOrdered(DropOrder)
    case erasureOrdered(DropOrder)

    /// The number in the header.
    public var type: OperationType {
        switch self {
        // Openings are written by ``LogOpening``; what is written as an action is the closing.
        case .log: .logClosed
        case .studyFounded: .studyFounded
        case .contentChunk: .contentChunk
        case .definitionPublished: .definitionPublished
        case .participationNumbered: .participationNumbered
        case .participationAccepted: .participationAccepted
        case .participationWithdrawn: .participationWithdrawn
        case .planSet: .planSet
        case .delegationNumbered: .delegationNumbered
        case .participantRegistered: .participantRegistered
        case .statusRecorded: .statusRecorded
        case .formSaved: .formSaved
        case .removed: .removed
        case .restored: .restored
        case .instancesDecided: .instancesDecided
        case .conflictResolved: .conflictResolved
        case .formConfirmed: .formConfirmed
        case .responseReceived: .responseReceived
        case .redactionOrdered: .redactionOrdered
        case .erasureOrdered: .erasureOrdered
        }
    }

    /// The participant that the operation names, if it names one.
    public var participant: EntryID? {
        switch self {
        case .statusRecorded(let record): record.participant
        case .formSaved(let save): save.participant
        case .removed(let removal), .restored(let removal): removal.participant
        case .instancesDecided(let decision): decision.participant
        case .conflictResolved(let resolution): resolution.save.participant
        case .formConfirmed(let confirmation): confirmation.participant
        case .responseReceived(let response): response.participant
        default: nil
        }
    }
}

/// An operation as a body holds it: with the sender's command id and where it came from.
public struct Action: Hashable, Sendable {
    /// The sender's id for the command.
    public var command: CommandID
    /// Where what it says came from.
    public var provenance: Provenance
    /// What it does.
    public var operation: Operation

    /// Joins them.
    public init(command: CommandID, provenance: Provenance, operation: Operation) {
        self.command = command
        self.provenance = provenance
        self.operation = operation
    }
}
