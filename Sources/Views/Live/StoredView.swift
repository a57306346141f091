import EventLog
import StoreCore
import Trial

/// What a generation in service says of itself, compared with the events file and the study as they are now.
struct StoredView {
    let generation: Int
    let position: ViewPosition
    let shape: Hash
    let charterVersions: Int64
    let digest: ViewDigest

    /// Reads the generation in service; nil where there is none, or it is of another version, half, or cannot be read.
    init?(_ directory: ViewDirectory, _ study: StudyID) {
        guard let reader = try? ViewReader(directory, study: study) else { return nil }
        let found = try? reader.rows(
            """
            SELECT version, study, incarnation, arrival, leaf, shape, charter_versions, digest FROM generation
            WHERE is_complete = 1
            """
        ) { row -> StoredView? in
            guard row.uint64(0) == ViewSchema.version, row.text(1) == study.description,
                let incarnation = RandomName(bytes: row.bytes(2)), let leaf = row.hash(4), let shape = row.hash(5),
                let digest = row.hash(7)
            else { return nil }
            return StoredView(
                generation: reader.generation,
                position: ViewPosition(incarnation: incarnation, arrival: row.int64(3), leaf: leaf), shape: shape,
                charterVersions: row.int64(6), digest: ViewDigest(sum: digest))
        }
        guard let stored = found?.first ?? nil else { return nil }
        self = stored
    }

    private init(
        generation: Int, position: ViewPosition, shape: Hash, charterVersions: Int64, digest: ViewDigest
    ) {
        self.digest = digest
        self.generation = generation
        self.position = position
        self.shape = shape
        self.charterVersions = charterVersions
    }

    /// The registrations whose records may have changed since; nil where the view has to be built anew: it is of another
    /// events file or of one that was restored, of other definitions, or authority has changed.
    func changesSince(_ context: StudyViewContext, _ events: StoreReader) throws -> [LocationID: Set<EntryID>]? {
        guard shape == context.shape, charterVersions == Int64(context.authority.directory.heldVersions),
            position.incarnation == events.identity.incarnation,
            try position.arrival == 0 || events.leafHash(atArrival: position.arrival) == position.leaf
        else { return nil }
        var changes: [LocationID: Set<EntryID>] = [:]
        var names: [LogID: LogName] = [:]
        var last = position.arrival
        while true {
            let batches = try events.entries(sinceArrival: last, limit: 4_096)
            guard let end = batches.last?.arrival.number else { return changes }
            for batch in batches {
                if names[batch.arrival.log] == nil {
                    names[batch.arrival.log] = try events.log(batch.arrival.log)?.name
                }
                guard let stream = names[batch.arrival.log]?.stream, stream.study == context.study else { continue }
                guard let location = stream.location else { return nil }
                for stored in batch.entries {
                    switch EntryConcern.read(
                        stored.raw, id: stored.id,
                        at: EntryAddress(
                            log: names[batch.arrival.log]?.log ?? batch.arrival.log, index: stored.address.index),
                        stream: stream
                    ).0 {
                    case .registration: changes[location, default: []].insert(stored.id)
                    case .participant(let name): changes[location, default: []].insert(name)
                    // What is not understood may concern anybody.
                    case .other: return nil
                    }
                }
            }
            last = end
        }
    }
}
