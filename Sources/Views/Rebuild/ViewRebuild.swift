public import EventLog
import StoreCore
import Store
import Synchronization
import Trial

/// How far a rebuild has come.
public struct RebuildProgress: Hashable, Sendable, Codable {
    /// What is being done.
    public enum Phase: String, Sendable, Codable {
        /// Finding out which entries concern whom.
        case indexing
        /// Folding participants and writing their rows.
        case writing
        /// Making indexes.
        case finishing
    }

    /// What is being done.
    public var phase: Phase
    /// Entries indexed, or participants written.
    public var done: Int
    /// How many there are; nil where that is not known yet.
    public var total: Int?
}

/// What a rebuild made.
public struct BuiltGeneration: Sendable {
    /// The study.
    public let study: StudyID
    /// The generation.
    public let generation: Int
    /// Where it stands.
    public let position: ViewPosition
    /// What its rows come to.
    public let digest: ViewDigest
    /// What it holds.
    public let counts: ViewCounts
    /// Entries of the study's locations that were folded.
    public let entries: Int
    /// What it was built under.
    let context: StudyViewContext
}

/// How much a view holds.
public struct ViewCounts: Hashable, Sendable, Codable {
    /// Participants not flagged removed.
    public var participants = 0
    /// Forms with a current value.
    public var forms = 0
    /// Items with a current value; one in conflict counts once.
    public var values = 0
    /// Items in conflict.
    public var conflicts = 0
    /// Entries without effect, waiting or not understood, and findings.
    public var findings = 0

    /// Counts nothing.
    public init() {}
}

/// Builds a new generation of a study's view from the events file alone, beside whatever is in service.
///
/// Entries are indexed by participant first; then participants are folded one after another by the live fold and reduced
/// by the live reducer, on every core but shared with the one thread that writes. Memory holds the index and a few
/// participants, never all values. Blocks the calling thread, which writes.
public struct ViewRebuild: Sendable {
    private let dataDirectory: String
    private let context: StudyViewContext
    private let directory: ViewDirectory
    private let workers: Int

    /// Prepares a rebuild.
    ///
    /// - Parameters:
    ///   - dataDirectory: where `events.sqlite` and `views` lie.
    ///   - context: authority and definitions, as they are at or after the cut.
    ///   - workers: threads that read and fold.
    ///   - folder: where the generation is written, in a folder `views`; nil for the data directory.
    public init(
        dataDirectory: String, context: StudyViewContext, workers: Int = 2, viewsIn folder: String? = nil
    ) {
        self.dataDirectory = dataDirectory
        self.context = context
        self.workers = max(1, workers)
        directory = ViewDirectory(dataDirectory: folder ?? dataDirectory)
    }

    /// Builds the generation at the newest arrival; it is on the disk and whole when this returns, and not in service.
    ///
    /// - Throws: ``ViewError``, ``StoreCore/StoreError``. What was written is then deleted, or by the next rebuild.
    public func build(progress: (RebuildProgress) -> Void = { _ in }) throws -> BuiltGeneration {
        let reader = try StoreReader(directory: dataDirectory)
        let arrival = try reader.latestArrival()
        let position = ViewPosition(
            incarnation: reader.identity.incarnation, arrival: arrival,
            leaf: try reader.leafHash(atArrival: arrival) ?? .zero)
        let index = try StudyIndex(of: context.study, atArrival: arrival, reader) {
            progress(RebuildProgress(phase: .indexing, done: $0))
        }
        let generation = try directory.nextGeneration(context.study)
        do {
            let built = try write(index, reader, generation, at: position, progress: progress)
            return built
        } catch {
            directory.remove(context.study, generation)
            throw error is DatabaseFailure ? (error as? DatabaseFailure).map(ViewError.database) ?? error : error
        }
    }

    /// Builds the generation, compares it with the one in service where that stands at the same arrival and is of the same
    /// definitions, and switches: for a node that does not run.
    ///
    /// - Throws: ``ViewError``, ``StoreCore/StoreError``; what is in service then stays so.
    public func run(progress: (RebuildProgress) -> Void = { _ in }) throws -> RebuildOutcome {
        let start = ContinuousClock.now
        let before = StoredView(directory, context.study)
        let built = try build(progress: progress)
        let events = try StoreReader(directory: dataDirectory)
        var outcome = RebuildOutcome(
            study: context.study, generation: built.generation, arrival: built.position.arrival, digest: built.digest,
            digestBefore: nil, counts: built.counts, seconds: 0)
        // Changes none: then both stand at the same entries, whatever came for other studies.
        if let before, try before.changesSince(context, events)?.isEmpty == true {
            outcome.digestBefore = before.digest
        }
        let kept = outcome.comparison == .different ? Set([before?.generation].compactMap { $0 }) : []
        try directory.putInService(built, keeping: kept)
        outcome.seconds = (ContinuousClock.now - start).inSeconds
        return outcome
    }

    private func write(
        _ index: StudyIndex, _ reader: StoreReader, _ generation: Int, at position: ViewPosition,
        progress: (RebuildProgress) -> Void
    ) throws -> BuiltGeneration {
        let path = directory.file(context.study, generation)
        try SmallFile.makeFile(path)
        let connection = try Connection(path: path, access: .readWrite, vfs: nil)
        defer { connection.close() }
        try connection.execute(ViewSchema.commonPragmas + ViewSchema.buildingPragmas)
        try connection.execute("BEGIN")
        let reducer = ParticipantReducer(context)
        try ViewWriter.createTables(connection, layout: reducer.layout)
        let writer = try ViewWriter(connection, layout: reducer.layout)
        defer { writer.finish() }
        var counts = ViewCounts()
        var loose = try writeRest(index, reader, writer)
        try writeParticipants(index, reducer, writer, &counts, &loose, progress)
        progress(RebuildProgress(phase: .finishing, done: index.groupCount, total: index.groupCount))
        for (location, findings) in loose.findings {
            counts.findings += findings.count
            try writer.setLooseFindings(findings, in: location)
        }
        for (location, activity) in index.activity { try writer.setActivity(activity, in: location) }
        for (location, people) in loose.erased {
            try writer.setErased(ErasedRow.list(people.values), in: location)
        }
        try writer.setArrangement(context)
        try writer.setDefinitions(context)
        try writer.createIndexesAndViews()
        try writer.setGeneration(context, node: reader.identity.node, at: position, isComplete: true)
        try connection.execute("COMMIT")
        return BuiltGeneration(
            study: context.study, generation: generation, position: position, digest: writer.digest, counts: counts,
            entries: index.entryCount, context: context)
    }

    /// What belongs to no participant: there is little of it, and participants' rows depend on it.
    private func writeRest(
        _ index: StudyIndex, _ reader: StoreReader, _ writer: ViewWriter
    ) throws -> Rest {
        var fold = ParticipantwiseFold(authority: context.authority, knowledge: index.knowledge)
        var found = Rest()
        for location in index.locations {
            let entries = try index.entries(at: index.others[location] ?? [], reader)
            let rest = fold.fold(location: location, entries: entries)
            found.folds[location] = rest
            found.findings[location] = FindingRow.loose(of: rest)
            found.erased[location] = rest.erasedParticipants
        }
        return found
    }

    /// What belongs to no participant, by location.
    private struct Rest {
        var folds: [LocationID: LocationFold] = [:]
        var findings: [LocationID: [FindingRow]] = [:]
        var erased: [LocationID: [EntryID: ErasedParticipant]] = [:]
    }

    private func writeParticipants(
        _ index: StudyIndex, _ reducer: ParticipantReducer, _ writer: ViewWriter, _ counts: inout ViewCounts,
        _ loose: inout Rest, _ progress: (RebuildProgress) -> Void
    ) throws {
        let rest = loose.folds
        let handover = RowHandover(groups: index.groupCount, workers: workers)
        defer { handover.abandon() }
        for _ in 0..<workers {
            StoreThread.start { [context, dataDirectory] in
                let folder = GroupFolder(index: index, reducer: reducer, rest: rest, authority: context.authority)
                handover.work(Result { try StoreReader(directory: dataDirectory) }, folder)
            }
        }
        var done = 0
        while let group = try handover.take() {
            for rows in group.rows {
                try writer.insert(rows)
                counts.findings += rows.findings.count
                guard !rows.isRemoved else { continue }
                counts.participants += 1
                counts.forms += rows.filledForms
                counts.values += rows.values
                counts.conflicts += rows.conflicts.count
            }
            if !group.findings.isEmpty { loose.findings[group.location, default: []] += group.findings }
            // The orders were among the rest, so everybody they name is there.
            for person in group.erased { loose.erased[group.location]?[person.id]?.formUnion(person) }
            done += 1
            if done % 64 == 0 {
                progress(RebuildProgress(phase: .writing, done: done, total: index.groupCount))
            }
        }
    }
}

extension FindingRow {
    /// What a location's fold knows of entries that belong to no participant's record.
    static func loose(of fold: LocationFold) -> [FindingRow] {
        list(
            void: fold.void, waiting: fold.waiting, findings: fold.findings, notUnderstood: fold.notUnderstood)
    }
}
