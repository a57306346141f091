public import EventLog

/// Gives back entries that were folded before, for a record that must be computed anew.
public protocol EntrySource {
    /// The entries at these addresses, all of which were inserted earlier or are being inserted. One that is not any more as it
    /// was written is left out; it is inserted again once it is.
    func entries(at addresses: [EntryAddress]) throws -> [WrittenEntry]
}

/// What is known of one study: authority, and the records of the participants in the streams that are here.
///
/// Entries may be inserted in any order and more than once. The state is a function of the set of them and of the charter:
/// while authority stands still a new entry is applied to its participant's record; when authority changes, the records
/// whose entries are judged otherwise by it are computed anew from all their entries.
///
/// Invariants:
/// - For every participant `state == ParticipantState.fold(all their entries)`.
/// - `judgements` holds the judgement under `authority` of every key of every entry of a location's stream.
public struct StudyFold {
    /// The study.
    public let study: StudyID
    /// What the study's own stream and the charter say.
    public internal(set) var authority: StudyAuthority
    /// The streams of locations that are here.
    public internal(set) var locations: [LocationID: LocationFold] = [:]
    /// The entries of the study's own stream; there are few of them.
    var studyEntries: [EntryID: WrittenEntry] = [:]
    /// The logs that their writers are proven to have forked, by stream: part of the state, like the entries.
    public private(set) var forkedLogs: [StreamID: Set<LogID>] = [:]
    var judgements: [JudgementKey: KeyedJudgement] = [:]
    /// What the writers of the locations' logs knew where.
    var knowledge: [LogID: LogKnowledge] = [:]

    /// A study of which nothing is known yet.
    public init(study: StudyID, directory: NetworkDirectory) {
        self.study = study
        authority = StudyAuthority(study: study, directory: directory)
    }

    /// Takes in an entry of one of the study's streams.
    ///
    /// - Returns: true where the entry changed authority, so that what may be held has to be asked anew.
    /// - Throws: what `source` throws.
    @discardableResult
    public mutating func insert(_ entry: WrittenEntry, source: some EntrySource) throws -> Bool {
        precondition(entry.stream.study == study, "an entry goes to the fold of its own study")
        switch entry.stream.scope {
        case .study:
            guard studyEntries.updateValue(entry, forKey: entry.id) == nil else { return false }
            let before = authority
            try refoldAuthority(authority.directory, source: source)
            return authority != before
        case .location(let location):
            // Taken out while it changes, so that nothing in it is copied.
            var fold = locations.removeValue(forKey: location) ?? LocationFold(location: location)
            defer { locations[location] = fold }
            if !fold.holds(entry.id), let header = entry.header, note(header, of: entry) {
                // It came after others that stand behind it, which may have known less, or shows that the log was forked.
                let affected = judgements.keys.filter { $0.writer == entry.writer && $0.stream == entry.stream }
                try fold.authorityChanged(Set(affected), source: source, judge: { judge($0) })
            }
            try fold.insert(entry, source: source, judge: { judge($0) })
            return false
        case .restricted:
            return false
        }
    }

    /// Takes in entries of the study's streams: the outcome is that of inserting each, but authority, and every record that
    /// must be computed anew, is worked out once for all of them and not once for each.
    ///
    /// - Returns: true where an entry changed authority.
    /// - Throws: what `source` throws.
    @discardableResult
    public mutating func insert(
        contentsOf entries: some Collection<WrittenEntry>, source: some EntrySource
    ) throws -> Bool {
        let before = authority
        var isAuthorityNew = false
        for entry in entries where entry.stream.scope == .study {
            precondition(entry.stream.study == study, "an entry goes to the fold of its own study")
            if studyEntries.updateValue(entry, forKey: entry.id) == nil { isAuthorityNew = true }
        }
        if isAuthorityNew { try refoldAuthority(authority.directory, source: source) }
        for (location, entries) in Dictionary(grouping: entries, by: \.stream.location) {
            guard let location else { continue }
            var fold = locations.removeValue(forKey: location) ?? LocationFold(location: location)
            defer { locations[location] = fold }
            var writers: Set<NodeID> = []
            // Noted once each: two entries in one place would show that the log was forked.
            var noted: Set<EntryID> = []
            for entry in entries where !fold.holds(entry.id) && noted.insert(entry.id).inserted {
                if let header = entry.header, note(header, of: entry) { writers.insert(entry.writer) }
            }
            if !writers.isEmpty {
                let stream = StreamID.location(location, in: study)
                let affected = judgements.keys.filter { writers.contains($0.writer) && $0.stream == stream }
                try fold.authorityChanged(Set(affected), source: source, judge: { judge($0) })
            }
            try fold.insert(contentsOf: entries, source: source, judge: { judge($0) })
        }
        return isAuthorityNew && authority != before
    }

    /// Takes in that a log of one of the study's streams is proven to be forked. The entries of all its histories count, as
    /// what was written apart.
    public mutating func insertFork(of log: LogID, in stream: StreamID) {
        precondition(stream.study == study, "a fork goes to the fold of its own study")
        forkedLogs[stream, default: []].insert(log)
    }

    /// Takes over a longer charter.
    public mutating func update(_ directory: NetworkDirectory, source: some EntrySource) throws {
        guard directory != authority.directory else { return }
        try refoldAuthority(directory, source: source)
    }

    /// Judges an entry of a location's stream, remembering the judgement by what it depends on.
    mutating func judge(_ entry: WrittenEntry) -> Judgement {
        authority.judge(entry, knowledge, remembering: &judgements)
    }

    /// Whether an entry of a location's stream that is here has effect.
    public func judgement(of entry: WrittenEntry) -> Judgement {
        var judgements = judgements
        return authority.judge(entry, knowledge, remembering: &judgements)
    }

    /// Notes what the writer of an entry knew; true where entries behind it may now be judged otherwise.
    private mutating func note(_ header: EntryHeader, of entry: WrittenEntry) -> Bool {
        knowledge[entry.place.log, default: LogKnowledge(writer: entry.writer, stream: entry.stream)]
            .note(header, at: entry.place.index)
    }

    /// What changed in the locations' streams since this was last asked: for whoever keeps rows by participant. A location
    /// that is not named is as it was; one that is may also have changed beside its participants' records.
    public mutating func takeChanges() -> [LocationID: Set<EntryID>] {
        var changes: [LocationID: Set<EntryID>] = [:]
        for location in Array(locations.keys) { changes[location] = locations[location]?.takeChanges() }
        return changes
    }

    private mutating func refoldAuthority(_ directory: NetworkDirectory, source: some EntrySource) throws {
        let before = authority
        authority = StudyAuthority.fold(studyEntries.values, study: study, directory: directory)
        var changed = judgedOtherwiseByTheirLogs(than: before)
        for (key, known) in judgements {
            let judgement = authority.keyedJudgement(of: key)
            guard judgement != known else { continue }
            judgements[key] = judgement
            changed.insert(key)
        }
        guard !changed.isEmpty else { return }
        for location in Array(locations.keys) {
            guard var fold = locations.removeValue(forKey: location) else { continue }
            defer { locations[location] = fold }
            try fold.authorityChanged(changed, source: source, judge: { judge($0) })
        }
    }

    /// The keys of entries that may be judged otherwise because of what else stands in their logs: of writers of whose logs
    /// another part is accepted, and of logs whose delegation numbers turn out to be of other study sites.
    private func judgedOtherwiseByTheirLogs(than before: StudyAuthority) -> Set<JudgementKey> {
        let writers =
            before.directory == authority.directory
            ? [] : authority.directory.writersOtherwiseAccepted(than: before.directory)
        let logs = knowledge.values.filter {
            before.sitesOfDelegations(in: $0) != authority.sitesOfDelegations(in: $0)
        }
        guard !writers.isEmpty || !logs.isEmpty else { return [] }
        return Set(
            judgements.keys.filter { key in
                writers.contains(key.writer) || logs.contains { $0.writer == key.writer && $0.stream == key.stream }
            })
    }
}
