public import EventLog

/// The published rules by which a validly signed entry has no effect (`Protocols/merge.md`, "Void entries").
public enum VoidRule: UInt64, Hashable, Sendable, Codable, CaseIterable {
    /// V1: the charter version that the writer knew does not admit the writer.
    case writerNotInCharter = 1
    /// V2: the participation number that the writer knew does not open the location's stream.
    case streamNotOpen = 2
    /// V3: the writer neither hosts the location nor belongs to its regional arrangement.
    case foreignStream = 3
    /// V4: the structure cannot be read as the operation it is said to be.
    case unreadable = 4
    /// V5: the operation does not belong in this kind of stream.
    case wrongStream = 5
    /// V6: the founding does not give this study's id, or another founding stands.
    case notTheFounding = 6
    /// V7: the writer does not coordinate the study.
    case notCoordinating = 7
    /// V8: another entry has this number of the chain.
    case numberTaken = 8
    /// V9: the writer does not host the locations it answers for, or was not invited.
    case notInvited = 9
    /// V10: the writer does not own the study site's delegation chain.
    case notOwningDelegations = 10
    /// V11: the role may not do this.
    case roleMayNot = 11
    /// V12: no delegation that the writer knew gives the actor this role.
    case notDelegated = 12
    /// V13: an instance, value or group is named that does not fit where it stands.
    case misplaced = 13
    /// V14: the act decides for others, and the delegation had ended, which the writer did not know (known: V12).
    case delegationEnded = 14
    /// V16: a form save, removal apart, is about a form that only its client system writes.
    case foreignResponse = 16
    /// V17: by the participation number that the writer knew the study does not allow this order to the role.
    case orderNotAllowed = 17
    /// V20: it lies beyond what the charter accepts of a log signed with a key that was revoked or replaced.
    case beyondAccepted = 20
    /// V21: an entry before it in its log knew more of charter, participation or delegation.
    case knewLess = 21

    /// A sentence for people.
    public var explanation: String {
        switch self {
        case .writerNotInCharter: "the node was not admitted by the charter it knew"
        case .streamNotOpen: "the location's stream was not open by the participation the node knew"
        case .foreignStream: "the node may not write in this location's stream"
        case .unreadable: "the entry's structure cannot be read"
        case .wrongStream: "the operation does not belong in this stream"
        case .notTheFounding: "this is not the founding of the study"
        case .notCoordinating: "the node does not coordinate the study"
        case .numberTaken: "another entry has this number of the chain"
        case .notInvited: "the node was not invited for these locations"
        case .notOwningDelegations: "the node does not number this study site's delegations"
        case .roleMayNot: "the role may not do this"
        case .notDelegated: "the actor was not delegated in this role"
        case .misplaced: "the entry names something that does not fit where it stands"
        case .delegationEnded: "the delegation had ended, and the entry decides for others"
        case .foreignResponse: "the entry writes into an answer that only its client system may change"
        case .orderNotAllowed: "the study does not allow this order to the role"
        case .beyondAccepted: "it lies beyond what the charter accepts of logs under a key that was revoked or replaced"
        case .knewLess: "an entry before it in its log knew a later charter, participation or delegation"
        }
    }
}

/// What an entry waits for before it can be judged or applied.
public enum Awaited: Hashable, Sendable, Comparable {
    /// A version of the charter.
    case charter(UInt64)
    /// A number of the participation chain.
    case participation(UInt64)
    /// An institution's acceptance.
    case acceptance(EntryID)
    /// A number of a study site's delegation chain.
    case delegation(StudySiteID, UInt64)
    /// A participant's registration.
    case participant(EntryID)

    /// What is waited for, in words.
    public var explanation: String {
        switch self {
        case .charter(let number): "charter version \(number)"
        case .participation(let number): "participation number \(number)"
        case .acceptance(let entry): "acceptance \(entry)"
        case .delegation(let site, let number): "delegation number \(number) of study site \(site)"
        case .participant(let entry): "the registration of participant \(entry)"
        }
    }
}

/// What keeps its effect although something was wrong, and what a person should know of.
public enum FindingRule: UInt64, Hashable, Sendable, Codable, CaseIterable {
    /// F1: the delegation had ended, which the writer did not know; the investigator decides.
    case delegationHadEnded = 1
    /// F2: one command id with unequal content.
    case commandRepeatedWithOtherContent = 2
    /// F6: one of several completed versions of an answer, with different bytes.
    case severalCompletedResponses = 6
    /// F7: one status was recorded more than once, and nobody corrected that.
    case statusRecordedTwice = 7
    /// F8: one of several statuses of which nobody can reach both.
    case statusesContradict = 8
    /// F9: by their dates the data may have been collected before or after the participant's withdrawal.
    case collectionDateUnclear = 9
    /// F10: the date of a withdrawal cannot be read, so that it quarantines nothing.
    case withdrawalDateUnreadable = 10

    /// A sentence for people.
    public var explanation: String {
        switch self {
        case .delegationHadEnded: "entered under a delegation that had ended, unknown to the writer"
        case .commandRepeatedWithOtherContent: "one command id was used with different content; all are kept"
        case .severalCompletedResponses: "one answer was sent as completed with different bytes; all are kept"
        case .statusRecordedTwice: "the status was recorded more than once; correct the ones that are wrong"
        case .statusesContradict: "the participant failed screening and went on; correct the status that is wrong"
        case .collectionDateUnclear: "the data may have been collected after the withdrawal; state the day"
        case .withdrawalDateUnreadable: "the date of the withdrawal cannot be read; correct it"
        }
    }
}

/// Whether an entry has effect.
public enum Judgement: Hashable, Sendable {
    /// It has, and perhaps something is to be known of it.
    case effect(FindingRule?)
    /// It has none.
    case void(VoidRule)
    /// It cannot be told yet.
    case waiting(Awaited)
}

/// What the key of an entry says of it; where its grant was ended, its place in the log decides the rest.
struct KeyedJudgement: Hashable {
    /// The judgement of an entry of which the end does not say that it was there before.
    let afterEnd: Judgement
    /// The judgement of one that was; nil where the grant has no end that the writer did not know.
    let beforeEnd: Judgement?
    /// That end.
    let end: EntryID?

    /// The judgement of the entry that its writer put at `place`.
    ///
    /// - Parameter forkedFrom: the first place of the log that two entries have; from there on the end does not tell which
    ///   of them were held.
    func judgement(at place: EntryAddress, forkedFrom: UInt64?, in authority: StudyAuthority) -> Judgement {
        guard let end, let beforeEnd else { return afterEnd }
        let size = min(authority.statedExtents[end]?[place.log] ?? 0, forkedFrom ?? .max)
        return place.index < size ? beforeEnd : afterEnd
    }
}

/// All that a judgement depends on, the end of a delegation apart (``KeyedJudgement``). Entries that agree in these are judged alike, so there are few distinct ones.
public struct JudgementKey: Hashable, Sendable {
    /// The node whose log the entry stands in.
    public let writer: NodeID
    /// The stream.
    public let stream: StreamID
    /// What the writer knew.
    public let known: KnownVersions
    /// Who acted.
    public let authority: Authority
    /// What was done.
    public let operation: OperationType

    /// What the judgement of an entry with `header`, written by `writer` in `stream`, depends on.
    public init(writer: NodeID, stream: StreamID, header: EntryHeader) {
        self.writer = writer
        self.stream = stream
        known = header.known
        authority = header.authority
        operation = header.operation
    }
}
