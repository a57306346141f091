import GRDBSQLite

/// What SQLite answered where it could not do what was asked.
public struct DatabaseFailure: Error, Hashable, Sendable {
    /// SQLite's extended result code.
    public let code: Int32
    /// SQLite's own words.
    public let message: String
    /// What was to be done: a statement, or "open".
    public let action: String

    package init(code: Int32, message: String, action: String) {
        self.code = code
        self.message = message
        self.action = action
    }

    /// The primary result code, without the detail in the upper bits.
    private var primaryCode: Int32 { code & 0xFF }

    /// True where a trigger or a constraint refused a change: the database is as it was.
    public var isRefusal: Bool { primaryCode == SQLITE_CONSTRAINT }

    /// True where another connection holds the file: it may be tried again.
    public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }

    /// True where the file is no database at all.
    package var isForeignFile: Bool { primaryCode == SQLITE_NOTADB }

    /// True for everything after which nobody may trust that what was written is on the disk.
    var isFatal: Bool { !isRefusal && !isBusy }
}

extension DatabaseFailure: CustomStringConvertible {
    /// A sentence for people, with what to do where that is known.
    public var description: String {
        let advice =
            switch primaryCode {
            case SQLITE_FULL: "; make room on the disk, then start the node again"
            case SQLITE_IOERR: "; check the disk, then start the node again and run 'varde verify'"
            case SQLITE_CORRUPT, SQLITE_NOTADB:
                "; the file is damaged: restore it, or let the node take its entries back from its peers"
            case SQLITE_BUSY, SQLITE_LOCKED: "; another program has the file open: close it"
            case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM: "; check that the directory exists and may be written"
            default: ""
            }
        return "the database refused '\(action)': \(message) (SQLite code \(code))\(advice)"
    }
}
