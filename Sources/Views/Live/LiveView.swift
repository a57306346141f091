import EventLog
import StoreCore
import Trial

/// The generation of one study's view that is in service, with its one writer. Lives on the views' thread.
///
/// Invariants:
/// - rows and position change in one transaction;
/// - after `apply` threw the view is of no use any more: what its writer remembers may differ from the file.
final class LiveView {
    let study: StudyID
    let generation: Int
    /// What the tables were made from; definitions that came later need a new generation.
    private(set) var context: StudyViewContext
    private(set) var position: ViewPosition
    private let node: NodeID
    private let connection: Connection
    private let writer: ViewWriter
    private let reducer: ParticipantReducer
    /// Whether the write-ahead log may hold what an order dropped; readers may keep it from being cut for a while.
    private(set) var mustForget = false

    /// Pages of the write-ahead log beyond which it is copied into the file.
    private static let checkpointPages = 1_000

    /// Takes up a generation whose file is whole.
    init(
        _ directory: ViewDirectory, generation: Int, context: StudyViewContext, position: ViewPosition, node: NodeID
    ) throws {
        study = context.study
        self.generation = generation
        self.context = context
        self.position = position
        self.node = node
        reducer = ParticipantReducer(context)
        do {
            connection = try ViewFile.openForWriting(directory.file(context.study, generation))
            writer = try ViewWriter(connection, layout: reducer.layout)
        } catch let failure as DatabaseFailure {
            throw ViewError.database(failure)
        }
    }

    /// What the rows come to.
    var digest: ViewDigest { writer.digest }

    /// Writes what changed, and where the view now stands.
    func apply(_ updates: [StudyUpdate], _ newest: StudyViewContext, at position: ViewPosition) throws {
        do {
            try connection.execute("BEGIN IMMEDIATE")
            for location in updates.flatMap(\.locations) {
                for participant in location.gone { try writer.remove(participant) }
                for (record, isFullyUnderstood) in location.records {
                    try writer.replace(reducer.rows(record, isFullyUnderstood: isFullyUnderstood))
                }
                try writer.setLooseFindings(location.findings, in: location.location)
                try writer.setActivity(location.activity, in: location.location)
                try writer.setErased(location.erased, in: location.location)
            }
            if !newest.hasArrangement(of: context) { try writer.setArrangement(newest) }
            context = context.arranged(as: newest)
            try writer.setGeneration(context, node: node, at: position, isComplete: true)
            try connection.execute("COMMIT")
            self.position = position
            if updates.contains(where: \.mustForget) { mustForget = true }
            try forget()
            if connection.writeAheadLogPages >= LiveView.checkpointPages {
                try connection.checkpoint(truncating: false)
            }
        } catch let failure as DatabaseFailure {
            throw ViewError.database(failure)
        }
    }

    /// Cuts the write-ahead log where it may hold what an order dropped. Rows that went are overwritten in the file.
    func forget() throws {
        guard mustForget else { return }
        do throws(DatabaseFailure) {
            if try connection.checkpoint(truncating: true) { mustForget = false }
        } catch {
            throw ViewError.database(error)
        }
    }

    /// Has the write-ahead log cut with the next update or attempt.
    func noteDrops() { mustForget = true }

    /// Closes the file; readers go on.
    func close() {
        writer.finish()
        connection.close()
    }
}

extension StudyViewContext {
    /// Whether sites, locations and hosts are the same.
    func hasArrangement(of other: StudyViewContext) -> Bool {
        authority.participation == other.authority.participation && locations == other.locations
            && authority.withdrawals == other.authority.withdrawals
            && authority.acceptances == other.authority.acceptances
            && authority.directory.newest?.hosts == other.authority.directory.newest?.hosts
            && authority.directory.heldVersions == other.authority.directory.heldVersions
    }

    /// The definitions of this with the authority and locations of another.
    func arranged(as other: StudyViewContext) -> StudyViewContext {
        StudyViewContext(
            study: study, authority: other.authority, definition: definition, definitionHash: definitionHash,
            plan: plan,
            planHash: planHash, locations: other.locations)
    }
}
