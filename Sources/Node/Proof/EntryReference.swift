public import EventLog
import StoreCore

/// How a person names an entry: `LOG/INDEX` or by its id, ids in full or by their first digits.
public enum EntryReference: Hashable, Sendable {
    /// A log, by the first digits of its id, and an index.
    case place(log: String, index: UInt64)
    /// The id of the entry, in full.
    case id(EntryID)

    /// Reads what a person typed; nil for anything else.
    public init?(_ text: String) {
        if let id = EntryID(hex: text) {
            self = .id(id)
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, LogReference.isPossible(parts[0]), let index = UInt64(parts[1]) else { return nil }
        self = .place(log: parts[0].lowercased(), index: index)
    }
}

/// How a person names a log: by its id, in full or by the first digits of it.
enum LogReference {
    /// The fewest digits, so that nobody meets a log by chance.
    static let minimumDigits = 4

    static func isPossible(_ text: some StringProtocol) -> Bool {
        (minimumDigits...64).contains(text.utf8.count) && text.allSatisfy(\.isHexDigit)
    }

    /// The one log held whose id begins like this.
    ///
    /// - Throws: ``ProofMakingError``.
    static func find(_ text: String, in logs: [StoredLog]) throws -> StoredLog {
        guard isPossible(text) else { throw ProofMakingError.noLogID(text) }
        let prefix = text.lowercased()
        let found = logs.filter { $0.name.id.description.hasPrefix(prefix) }
        guard let log = found.first else { throw ProofMakingError.unknownLog(text) }
        guard found.count == 1 else { throw ProofMakingError.ambiguousLog(text, count: found.count) }
        return log
    }
}

/// Why no proof could be made, or no log be written as tiles.
public enum ProofMakingError: Error, CustomStringConvertible {
    /// The text is no id of a log.
    case noLogID(String)
    /// No log held here has such an id.
    case unknownLog(String)
    /// Several have.
    case ambiguousLog(String, count: Int)
    /// The entry is not held here.
    case unknownEntry(String)
    /// No checkpoint over the entry is held.
    case noCheckpoint(LogID)
    /// The entry is of a newer version, or breaks the format.
    case unreadable(EntryAddress, EntryError)
    /// The proof that was just made does not hold, so something is wrong with what is stored.
    case refused(EntryAddress, String)
    /// The folder holds something else.
    case folderInUse(path: String, reason: String)

    /// What was wrong and what to do.
    public var description: String {
        switch self {
        case .noLogID(let text):
            "'\(text)' is no id of a log: give at least \(LogReference.minimumDigits) of its 64 hexadecimal digits, "
                + "as 'varde status' shows them"
        case .unknownLog(let text): "this node holds no log whose id begins with '\(text)'; 'varde status' lists them"
        case .ambiguousLog(let text, let count):
            "\(count) logs have ids that begin with '\(text)': give more digits"
        case .unknownEntry(let text): "this node holds no entry \(text)"
        case .noCheckpoint(let log):
            "no signed head of log \(log) covers the entry here; run 'varde verify' for what is wrong"
        case .unreadable(let address, let error): "entry \(address) cannot be proven in words: \(error)"
        case .refused(let address, let reason):
            "the proof of entry \(address) does not hold (\(reason)); run 'varde verify' for what is wrong"
        case .folderInUse(let path, let reason): "\(path) is not written to: \(reason)"
        }
    }
}
