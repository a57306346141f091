public import EventLog

/// What a person or system may be allowed to do in a study.
public enum Act: Hashable, Sendable, CaseIterable {
    /// Found the study, publish definitions, number participation, set the plan.
    case manageStudy
    /// Accept or withdraw for the institution.
    case answerForInstitution
    /// Number a study site's delegation chain.
    case delegate
    /// Register a participant and record their status.
    case registerParticipant
    /// Save forms, remove and restore.
    case enterData
    /// Say that two records are of one person, and take that back.
    case linkParticipants
    /// Decide conflicts, and confirm what nobody saw together: acts that decide for others.
    case decideConflicts
    /// Submit participants' answers to questionnaires.
    case submitResponses
    /// Order parts to be dropped.
    case orderDrop
    /// Open and close logs.
    case keepLog
}

/// The one table of what each role may do.
public enum RoleTable {
    /// Whether `role` may do `act`; an unknown role may do nothing.
    public static func allows(_ role: Role, _ act: Act) -> Bool {
        table[role]?.contains(act) ?? false
    }

    /// Whether the act needs a delegation of the study site, beside the role: all of people and systems who work there, but
    /// not what an institution does for itself.
    public static func needsDelegation(_ act: Act, as role: Role) -> Bool {
        switch act {
        case .registerParticipant, .enterData, .linkParticipants, .decideConflicts, .submitResponses: true
        case .orderDrop: role != .institution
        case .manageStudy, .answerForInstitution, .delegate, .keepLog: false
        }
    }

    /// Whether the act belongs in a location's stream and nowhere else.
    static func isAboutParticipants(_ act: Act) -> Bool {
        switch act {
        case .registerParticipant, .enterData, .linkParticipants, .decideConflicts, .submitResponses, .orderDrop: true
        case .manageStudy, .answerForInstitution, .delegate, .keepLog: false
        }
    }

    /// Whether the act decides for others, so that it has no effect where the delegation had ended, known to the writer or
    /// not (DESIGN §5, "Rights").
    public static func decidesForOthers(_ act: Act) -> Bool {
        act == .decideConflicts
    }

    /// The act that an operation is; nil for an operation this software does not know.
    public static func act(of operation: OperationType) -> Act? {
        switch operation {
        case .logOpened, .logClosed: .keepLog
        case .studyFounded, .contentChunk, .definitionPublished, .participationNumbered, .planSet: .manageStudy
        case .participationAccepted, .participationWithdrawn: .answerForInstitution
        case .delegationNumbered: .delegate
        case .participantRegistered, .statusRecorded, .labelAssigned: .registerParticipant
        case .participantsLinked, .participantsUnlinked: .linkParticipants
        case .formSaved, .removed, .restored: .enterData
        case .instancesDecided, .conflictResolved, .formConfirmed: .decideConflicts
        case .responseReceived: .submitResponses
        case .redactionOrdered, .erasureOrdered: .orderDrop
        default: nil
        }
    }

    /// What gives a role the sight of participants' records.
    enum Reading {
        /// Nothing does.
        case none
        /// A delegation at the study site.
        case delegated
        /// The node's coordinating the study; elsewhere a delegation.
        case coordinated
        /// The node's hosting the location.
        case hosted
    }

    /// What gives `role` the sight of participants' records; an unknown role has none.
    static func reading(_ role: Role) -> Reading {
        switch role {
        case .principalInvestigator, .investigator, .studyNurse, .monitor, .dataImport: .delegated
        case .dataManager: .coordinated
        case .institution: .hosted
        default: .none
        }
    }

    private static let table: [Role: Set<Act>] = [
        .node: [.keepLog],
        .institution: [.answerForInstitution, .delegate, .orderDrop],
        .principalInvestigator: [
            .delegate, .registerParticipant, .enterData, .linkParticipants, .decideConflicts, .orderDrop,
        ],
        .investigator: [.registerParticipant, .enterData, .linkParticipants, .decideConflicts],
        .studyNurse: [.registerParticipant, .enterData, .linkParticipants, .decideConflicts],
        .dataImport: [.registerParticipant, .enterData],
        .dataManager: [.manageStudy],
        .partnerApp: [.submitResponses],
        .monitor: [],
        .participant: [],
    ]
}
