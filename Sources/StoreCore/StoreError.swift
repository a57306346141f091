public import EventLog

/// Why the store did not do what it was asked.
public enum StoreError: Error, Sendable {
    /// Something went wrong of which nobody knows how much is on the disk; nothing is written until the node is started
    /// again.
    case stopped(DatabaseFailure)
    /// The database refused this one thing; the transaction was taken back, and the store goes on.
    case database(DatabaseFailure)
    /// The file system refused something outside the database.
    case file(path: String, action: String, reason: String)
    /// The directory is in use by another process.
    case locked(DirectoryLock.Holder)
    /// The file is no events file of Varde's.
    case notAnEventsFile(path: String)
    /// The file is of a format that this software does not know.
    case unknownFormat(path: String, found: Int64)
    /// The directory belongs to another node or network.
    case otherNode(found: String, expected: String)
    /// The signing key is not a seed of 32 bytes.
    case unusableSigningKey
    /// What was read from the file cannot be; said where.
    case damaged(String)
    /// Writing was asked for outside a transaction.
    case noTransaction
    /// Own entries are written only after the start was confirmed (DESIGN §4, "Start, restore, clone, fork").
    case startNotConfirmed(StartVerdict)
    /// The start guard does not agree, so it cannot be the ground to go on.
    case guardDisagrees(StartVerdict)
    /// The log is not known here.
    case unknownLog(LogID)
    /// The index is larger than any log can reach.
    case noSuchEntry(EntryAddress)
    /// The log belongs to another network.
    case otherNetwork(NetworkID)
    /// The log is another node's: only its writer does this.
    case notOwnLog(LogID)
    /// A head of the log was signed that is not held here; nothing is appended until a new epoch is opened.
    case logSuspended(LogID)
    /// An entry of the log knew a later charter, participation or delegation than this draft: the log is to be closed, and the
    /// draft written into a new one.
    case knowledgeFell(LogID)
    /// The entry does not fit the limits of the format.
    case entryTooLarge(headerBytes: Int, entryBytes: Int)
    /// The participant of this handle has been erased.
    case subjectErased(SubjectHandle)
    /// The same sender used the command id before, for something else.
    case repeatedWithOtherContent(Receipt)
    /// An order names a target in another stream than its own.
    case orderInOtherStream(order: EntryAddress)
    /// A head said to be this node's own is not signed by it.
    case headNotSigned(CheckpointError)
    /// The hybrid clock of an own log stands where no clock can go on.
    case clockExhausted
}

extension StoreError: CustomStringConvertible {
    /// A sentence for people: what was wrong, where, and what to do.
    public var description: String {
        switch self {
        case .stopped(let failure):
            "the store has stopped, and nothing more is written until the node is started again: \(failure)"
        case .database(let failure): failure.description
        case .file(let path, let action, let reason): "cannot \(action) \(path): \(reason)"
        case .locked(let holder): holder.description
        case .notAnEventsFile(let path):
            "\(path) is not an events file of Varde's: check the data directory in the configuration"
        case .unknownFormat(let path, let found):
            "\(path) is of format version \(found), which this software does not know (it knows \(Schema.formatVersion)): "
                + "a newer Varde is needed to open it"
        case .otherNode(let found, let expected):
            "the data directory belongs to \(found), not to \(expected): check network, node and data directory in the configuration"
        case .unusableSigningKey: "the signing key is not a seed of 32 bytes: check the key file of the node"
        case .damaged(let what): "the events file is damaged: \(what); run 'varde verify' for all that is wrong"
        case .noTransaction: "nothing is written outside a transaction"
        case .startNotConfirmed(let verdict):
            "the node has not yet confirmed its start and writes no entries of its own (start guard: \(verdict))"
        case .guardDisagrees(let verdict):
            "the start guard does not agree (\(verdict)): hear the peers, or open new epochs"
        case .unknownLog(let log): "log \(log) is not known here"
        case .noSuchEntry(let address): "there is no entry \(address): no log can be that long"
        case .otherNetwork(let network): "the log belongs to network \(network)"
        case .notOwnLog(let log): "log \(log) is another node's: only its writer may do that"
        case .logSuspended(let log):
            "log \(log) is suspended: a later head of it was signed that is not held here; take the entries back and "
                + "open a new epoch"
        case .knowledgeFell(let log):
            "an entry of log \(log) knew more than this one: close the log and write into a new one"
        case .entryTooLarge(let header, let entry):
            "the entry is too large (header \(header) bytes of at most \(FormatLimit.headerBytes), together \(entry) of "
                + "at most \(FormatLimit.entryBytes)): put large content into chunks"
        case .subjectErased(let subject):
            "the participant of handle \(subject) has been erased: nothing more is written about them"
        case .repeatedWithOtherContent(let receipt):
            "the command id was used before by the same sender, for something else (entry \(receipt.address)): "
                + "use a new id for a new command"
        case .orderInOtherStream(let order): "order \(order) names a target in another stream than its own"
        case .headNotSigned(let error): "the head is not one that this node signed: \(error)"
        case .clockExhausted: "the hybrid time of an own log is at its end: the log is damaged, open a new epoch"
        }
    }
}
