public import EventLog
public import Trial

/// What changed in one study, taken from its fold.
public struct StudyUpdate: Sendable {
    struct Location: Sendable {
        var location: LocationID
        /// Participants' records with whether all about them is understood.
        var records: [(record: ParticipantState, isFullyUnderstood: Bool)]
        /// Participants that are none any more.
        var gone: [EntryID]
        var findings: [FindingRow]
        var activity: [NodeID: NodeActivity]
        var erased: [ErasedRow]
    }

    let study: StudyID
    let locations: [Location]
    /// Whether orders have changed what may be in the file: then nothing of the old may be left in the write-ahead log.
    let mustForget: Bool

    /// Takes the changed participants out of a fold.
    ///
    /// - Parameters:
    ///   - changes: registrations, or repetitions of them, by location.
    ///   - mustForget: whether what orders drop has changed since the last update.
    public init(_ fold: StudyFold, changes: [LocationID: Set<EntryID>], mustForget: Bool = false) {
        study = fold.study
        self.mustForget = mustForget
        locations = changes.sorted { $0.key < $1.key }.compactMap { location, names in
            guard let held = fold.locations[location] else { return nil }
            var records: [EntryID: ParticipantState] = [:]
            var gone: [EntryID] = []
            // What a view has of any repetition may be another participant now, or a part of one.
            for name in Set(names.flatMap(held.repetitions)) {
                if let record = held.records[name] { records[name] = record } else { gone.append(name) }
            }
            return Location(
                location: location,
                records: records.values.map { ($0, held.isFullyUnderstood($0)) }, gone: gone,
                findings: FindingRow.loose(of: held), activity: held.activity,
                erased: ErasedRow.list(held.erasedParticipants.values))
        }
    }

    /// The participants concerned, by location.
    var changes: [LocationID: Set<EntryID>] {
        Dictionary(uniqueKeysWithValues: locations.map { ($0.location, Set($0.records.map(\.record.id) + $0.gone)) })
    }
}

/// All that a node's folds tell its views at one moment.
public struct FoldReport: Sendable {
    /// What the view of every study depends on.
    public var contexts: [StudyID: StudyViewContext]
    /// What changed since the last report, and what was asked for.
    public var updates: [StudyUpdate]
    /// The last arrival that is folded.
    public var arrival: Int64
    /// The leaf hash there.
    public var leaf: Hash

    /// Joins them.
    public init(contexts: [StudyID: StudyViewContext], updates: [StudyUpdate], arrival: Int64, leaf: Hash) {
        self.contexts = contexts
        self.updates = updates
        self.arrival = arrival
        self.leaf = leaf
    }
}
