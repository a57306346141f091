/// Largest sizes of what travels between nodes, and the distances of checkpoints that make them possible (DESIGN §4).
public enum RangeLimit {
    /// Entries in one range.
    public static let entries = 1024
    /// Bytes of all headers and bodies in one range.
    public static let bytes = 512 * 1024
    /// A writer's checkpoint stands at the latest after this many entries.
    public static let entriesBetweenCheckpoints = 1024
    /// A writer's checkpoint stands at the latest after this many bytes of headers and bodies.
    public static let bytesBetweenCheckpoints = 256 * 1024
}

/// Why a range was refused: the rule, and the place where it was broken. Nothing of a refused range is stored, and the
/// peer that sent it is blamed.
///
/// Only hashes, signature, charter (the key) and limits lead here. Whatever else is wrong in a validly signed leaf makes
/// that entry void and is a ``EntryRemark``.
public struct RangeRefusal: Error, Hashable, Sendable {
    /// The rule that was broken.
    public enum Rule: Hashable, Sendable {
        /// The range names another log than the one it was to extend.
        case wrongLog(LogID)
        /// There are no entries.
        case empty
        /// More entries than ``RangeLimit/entries``.
        case tooManyEntries(count: Int)
        /// More bytes than ``RangeLimit/bytes``.
        case tooManyBytes(count: Int)
        /// The indices leave 63 bits.
        case indexOverflow
        /// The range begins elsewhere than where the held entries end.
        case wrongStart(expected: UInt64)
        /// A header of more than ``FormatLimit/headerBytes``.
        case headerTooLong(byteCount: Int)
        /// An entry of more than ``FormatLimit/entryBytes``.
        case entryTooLong(byteCount: Int)
        /// A body that cannot be read, so that its parts cannot be checked.
        case bodyUnreadable(WireError)
        /// A part that is not the one the header commits to.
        case partMismatch(position: Int)
        /// A part is missing although no order held here allows that.
        case partMissing(position: Int)
        /// The checkpoint cannot be read.
        case checkpointUnreadable(CheckpointError)
        /// The checkpoint is another log's.
        case checkpointOfOtherLog(origin: String)
        /// The checkpoint does not stand at the end of the range.
        case checkpointSize(UInt64)
        /// The held entries and those of the range do not lead to the root of the checkpoint. Where that is validly
        /// signed all the same, either the entries were altered on the way or the writer signed two histories.
        case rootMismatch(isSigned: Bool)
        /// What the charter gives as the writer's key is no key.
        case unusableKey(NoteVerifierKeyError)
        /// The writer's key did not sign the checkpoint.
        case signature(CheckpointError)
        /// An entry is not the one that is held at its index. Where the checkpoint is validly signed, this may be a fork.
        case contradictsHeld(isSigned: Bool)
        /// The entry is another one than the one held here, under heads that do not contradict each other: what is held was
        /// altered after it had been checked.
        case heldIsDamaged
        /// The writer signed more histories of the log than are kept.
        case tooManyBranches
        /// The log is this node's own and open: only this node writes there.
        case ownLogIsOpen
    }

    /// The log that was to be extended.
    public let log: LogID
    /// The entry concerned, or where none is, the first of the range.
    public let index: UInt64
    /// The rule.
    public let rule: Rule

    /// States a refusal.
    public init(log: LogID, index: UInt64, rule: Rule) {
        self.log = log
        self.index = index
        self.rule = rule
    }

    /// Whether the writer's own signature stands against what is held: the one kind of refusal for which the writer, and
    /// not only the sending peer, may be to blame.
    public var isPossibleFork: Bool {
        switch rule {
        case .rootMismatch(let isSigned), .contradictsHeld(let isSigned): isSigned
        default: false
        }
    }
}

extension RangeRefusal: CustomStringConvertible {
    /// A sentence for people, naming log and index.
    public var description: String { "log \(log), entry \(index): \(rule)" }
}

extension RangeRefusal.Rule: CustomStringConvertible {
    /// What was wrong, without the place.
    public var description: String {
        switch self {
        case .wrongLog(let log): "the range is of log \(log)"
        case .empty: "the range holds no entry"
        case .tooManyEntries(let count): "the range has \(count) entries, more than the \(RangeLimit.entries) allowed"
        case .tooManyBytes(let count): "the range has \(count) bytes, more than the \(RangeLimit.bytes) allowed"
        case .indexOverflow: "the indices of the range are larger than any log can reach"
        case .wrongStart(let expected): "the range does not begin at \(expected), where the entries held here end"
        case .headerTooLong(let count):
            "the header has \(count) bytes, more than the \(FormatLimit.headerBytes) allowed"
        case .entryTooLong(let count): "the entry has \(count) bytes, more than the \(FormatLimit.entryBytes) allowed"
        case .bodyUnreadable(let error): "the body cannot be read: \(error)"
        case .partMismatch(let position): "part \(position) is not the one the header commits to"
        case .partMissing(let position): "part \(position) is missing, and no order held here allows that"
        case .checkpointUnreadable(let error): "the checkpoint cannot be read: \(error)"
        case .checkpointOfOtherLog(let origin): "the checkpoint is that of '\(origin)'"
        case .checkpointSize(let size):
            "the checkpoint is for \(size) entries and does not stand at the end of the range"
        case .rootMismatch(false): "the entries do not lead to the root of the checkpoint"
        case .rootMismatch(true):
            "the entries do not lead to the root of the checkpoint, which the writer signed: they were altered on the "
                + "way, or the writer signed two histories"
        case .unusableKey(let error): "the writer's key in the charter cannot be used: \(error)"
        case .signature(let error): "the checkpoint is not signed by the log's writer: \(error)"
        case .contradictsHeld(false): "the entry is another one than the one held here, and no signature vouches for it"
        case .contradictsHeld(true):
            "the entry is another one than the one held here, and the writer signed both: the log may be forked"
        case .heldIsDamaged:
            "the entry held here is another one, though the writer signed one history only: the disk of this node has "
                + "altered it; run 'varde verify'"
        case .tooManyBranches: "the writer signed more histories of the log than are kept"
        case .ownLogIsOpen: "the log is this node's own, and open: only this node writes there"
        }
    }
}
