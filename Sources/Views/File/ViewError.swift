public import EventLog
public import StoreCore

/// Why a view could not be built, kept or read. Holds ids and names, never a patient's value.
public enum ViewError: Error, CustomStringConvertible {
    /// There is no view of the study yet.
    case noView(StudyID, directory: String)
    /// There is no view of any study yet.
    case noViews(directory: String)
    /// Several studies have views, and none was named.
    case severalStudies([StudyID])
    /// There are more rows than the numbers of a generation can tell apart.
    case tooMany(what: String, limit: Int, participant: EntryID?)
    /// A file or folder could not be made, read or renamed.
    case file(path: String, action: String, reason: String)
    /// SQLite refused.
    case database(DatabaseFailure)
    /// The query would change something, or asks for what a query may not.
    case notAQuery(reason: String)
    /// The query is wrong.
    case badQuery(message: String, tables: [String])
    /// The query took too long.
    case queryTooLong(seconds: Int)
    /// The rows of a file do not add up to the digest that it states.
    case unsoundRows(path: String, stated: ViewDigest, found: ViewDigest)
    /// A row is not what follows from the rows that it is made from, or cannot be read.
    case unsoundRow(path: String, table: String, of: String)
    /// Views are being stopped.
    case stopped

    /// What was wrong, where, and what to do.
    public var description: String {
        switch self {
        case .noView(let study, let directory):
            "there is no view of study \(study) in \(directory) yet: let the node run for a moment, or run 'varde rebuild'"
        case .noViews(let directory):
            "there is no view in \(directory) yet: let the node run for a moment, or run 'varde rebuild'"
        case .severalStudies(let studies):
            "there are views of several studies: name one with --study, "
                + studies.map(\.description).joined(separator: " or ")
        case .tooMany(let what, let limit, let participant):
            "a view has room for \(limit) \(what)" + (participant.map { ", and participant \($0) has more" } ?? "")
                + ": the entries are safe, but this software cannot show them"
        case .file(let path, let action, let reason): "cannot \(action) \(path): \(reason)"
        case .database(let failure): "\(failure)"
        case .notAQuery(let reason): "this is not a query: \(reason); 'varde query' only reads"
        case .badQuery(let message, let tables):
            "\(message); there are " + tables.joined(separator: ", ")
        case .queryTooLong(let seconds):
            "the query was ended after \(seconds) s: ask for less, or give it longer with --seconds"
        case .unsoundRows(let path, let stated, let found):
            "the rows of \(path) come to digest \(found), but it states \(stated): run 'varde rebuild'"
        case .unsoundRow(let path, let table, let owner):
            "what table \(table) of \(path) holds of \(owner) does not follow from the rest: run 'varde rebuild'"
        case .stopped: "views are not kept any more, because the node is stopping"
        }
    }
}
