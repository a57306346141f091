public import EventLog

/// Why a command was not carried out. Nothing of it was recorded; what was typed is the client's to keep.
public enum Refusal: Error, Hashable, Sendable, Codable {
    /// The node does not know the study.
    case unknownStudy(StudyID?)
    /// The study has no definitions yet.
    case noDefinitions
    /// The document is not a study definition.
    case badDocument(String)
    /// The node does not coordinate the study.
    case notCoordinating
    /// The location's stream is not open, or not to this node.
    case locationNotOpen(LocationID)
    /// The node does not host the location.
    case notHosting(LocationID)
    /// There is no invitation to answer.
    case notInvited(LocationID)
    /// The node does not number the site's delegations.
    case notOwningDelegations(StudySiteID)
    /// No such grant stands.
    case noSuchDelegation(StudySiteID)
    /// The role may not do this.
    case roleMayNot(RoleName)
    /// The sender is not delegated in this role at the study site.
    case notDelegated(StudySiteID, RoleName)
    /// The participant is not known in this stream.
    case unknownParticipant
    /// An OID that the definitions do not have, or not in this place.
    case unknownOID(String)
    /// The one meant is not in the record, or repeats and so must be named.
    case unknownInstance(oid: String)
    /// The item is identifying and never enters a stream.
    case identifyingItem(ItemOID)
    /// The item belongs to a class that has streams of its own.
    case restrictedItem(ItemOID)
    /// The value may not stand in its item.
    case badValue(ItemOID, reason: String)
    /// The item holds newer values than those seen: read the form again.
    case newerValues([ItemOID])
    /// The form was begun elsewhere too: read it again.
    case newerBeginnings(oid: String)
    /// The items are in conflict, and this is no way to decide it.
    case inConflict([ItemOID])
    /// What the command resolves is not in conflict at this node.
    case noSuchConflict
    /// The participant has newer labels of the kind than those seen.
    case newerLabels(LabelKind)
    /// A date that a decision rests on cannot be read.
    case badDate(String)
    /// The answer lacks something, or is not what it is said to be.
    case badResponse(String)
    /// The form holds an answer that only the client system changes, by a further version.
    case onlyByClient(oid: String)
    /// The answer and its original document together are larger than an entry may be.
    case responseTooLarge(byteCount: Int)
    /// A text that is no value cannot stand where it was written.
    case badText(String)
    /// There is nothing to save, or nothing to restore.
    case nothingToDo
    /// The command id was used for something else.
    case commandUsedOtherwise(CommandID)
    /// The entry would be larger than the formats allow.
    case tooLarge(byteCount: Int)
    /// The entry is not one of the participant's that are known here.
    case unknownEntry(EntryID)
    /// An order to drop something lacks its ground, who decided, or why.
    case orderWithoutGrounds
    /// The study does not allow the order to the role.
    case orderNotAllowed(RoleName)
    /// The study is live, and the sender came with nothing but a token of this node's.
    case tokenInLiveStudy

    /// What was wrong and what to do, for people.
    public var explanation: String {
        switch self {
        case .unknownStudy(let id):
            "this node does not know the study\(id.map { " \($0)" } ?? ""); 'varde status' lists those it knows"
        case .noDefinitions: "the study has no definitions yet; publish them with 'varde study publish'"
        case .badDocument(let reason): "the document is not a study definition: \(reason)"
        case .notCoordinating: "this node does not coordinate the study; send the command to a coordinating node"
        case .locationNotOpen(let location): "location \(location) is not open in this study, or not to this node"
        case .notHosting(let location): "this node does not host location \(location)"
        case .notInvited(let location): "location \(location) was not invited to the study"
        case .notOwningDelegations(let site): "this node does not number the delegations of study site \(site)"
        case .noSuchDelegation(let site): "no such delegation stands at study site \(site)"
        case .roleMayNot(let role): "the role \(role.rawValue) may not do this"
        case .notDelegated(let site, let role):
            "the sender is not delegated as \(role.rawValue) at study site \(site); the site's investigator delegates"
        case .unknownParticipant: "the participant is not known in this location's stream"
        case .unknownOID(let oid): "the study's definitions have no \(oid) in this place"
        case .unknownInstance(let oid): "which \(oid) is meant is not known here; name one that stands, or begin one"
        case .identifyingItem(let item):
            "item \(item) identifies the participant and belongs in the identity vault only"
        case .restrictedItem(let item): "item \(item) is restricted, and this node has no stream for its class"
        case .badValue(let item, let reason): "item \(item): \(reason)"
        case .newerValues(let items):
            "newer values stand in \(items.map(\.text).joined(separator: ", ")); read the form again and decide with them in sight"
        case .newerBeginnings(let oid):
            "the form \(oid) has other beginnings than those named; read it again and decide with all of them in sight"
        case .inConflict(let items):
            "conflicts stand in \(items.map(\.text).joined(separator: ", ")); staff of the study site resolve them first, naming every side"
        case .noSuchConflict: "there is no such conflict at this node; list the open conflicts"
        case .newerLabels(let kind):
            "the participant has another \(kind.name) number than the ones seen; read the record again"
        case .badDate(let text): "'\(text)' is no date; write YYYY-MM-DD, or YYYY-MM or YYYY where more is not known"
        case .badResponse(let reason): "the answer cannot be recorded: \(reason)"
        case .onlyByClient(let oid):
            "form \(oid) holds an answer of a client system; only that system changes it, by sending it amended"
        case .responseTooLarge(let count):
            "the answer with its original document would take \(count) bytes, more than the \(FormatLimit.entryBytes) of an entry; send it without attachments"
        case .badText(let reason): reason
        case .nothingToDo: "there is nothing to record"
        case .commandUsedOtherwise(let id):
            "command id \(id) was used for another command; send this one under a new id"
        case .tooLarge(let count):
            "the entry would have \(count) bytes, more than \(FormatLimit.entryBytes); save the form in two steps"
        case .unknownEntry(let entry):
            "entry \(entry) is none of the participant's that are known here; 'varde participant' lists them"
        case .orderWithoutGrounds:
            "an order to drop something states its ground in law, who decided, and why"
        case .orderNotAllowed(let role):
            "the study's participation does not allow the role \(role.rawValue) to order this"
        case .tokenInLiveStudy:
            "a local token does not say well enough who enters data: in a live study use the node's own account"
        }
    }
}
