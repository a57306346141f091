public import EventLog
import Store
import StoreCore
public import Trial

extension NodeAccess {
    /// The studies of which something is held here, by id.
    public func studies() async throws -> [StudyReading] {
        try await store.read { _, state in
            state.folds.keys.sorted().compactMap { state.reading(of: $0) }
        }
    }

    /// One study; nil where nothing of it is held.
    public func study(_ study: StudyID) async throws -> StudyReading? {
        try await store.read { _, state in state.reading(of: study) }
    }

    /// The newest definitions of a study; nil where they have not come yet.
    public func definition(of study: StudyID) async throws -> DefinitionReading? {
        try await store.read { core, state in
            try state.definition(of: study, core: core).map {
                DefinitionReading(content: $0.content, definition: $0.study)
            }
        }
    }

    /// Whether a plan is here that says when visits and questionnaires are due, and the definitions that it is about.
    public func hasSchedule(_ study: StudyID) async throws -> Bool {
        try await store.read { core, state in
            try state.definition(of: study, core: core) != nil && state.plan(of: study)?.plan != nil
        }
    }

    /// One participant by the registering entry or any repetition of it; nil where it is not held.
    public func record(of participant: EntryID, in study: StudyID) async throws -> ParticipantReading? {
        try await store.read { _, state in
            for location in state.folds[study]?.locations.keys.sorted() ?? [] {
                if let reading = state.reading(of: participant, in: study, at: location) { return reading }
            }
            return nil
        }
    }

    /// The participant whom a registration names, where they were erased, and the location in whose stream; nil where nobody
    /// of that name was.
    public func erasedParticipant(
        _ participant: EntryID, in study: StudyID
    ) async throws -> (location: LocationID, participant: ErasedParticipant)? {
        try await store.read { _, state in
            for (location, fold) in state.folds[study]?.locations ?? [:] {
                if let erased = fold.erasedParticipant(participant) { return (location, erased) }
            }
            return nil
        }
    }

    /// An entry of a study by its place, with the nodes that hold it durably; nil where it is not held here.
    public func entry(at address: EntryAddress, in study: StudyID) async throws -> EntryReading? {
        let found: EntryReading? = try await store.read { core, _ in
            guard let name = try core.log(address.log)?.name, name.stream.study == study,
                let stored = try core.entry(at: address)
            else { return nil }
            return EntryReading(StoredEntries.written(stored, in: name))
        }
        guard let found else { return nil }
        return await knownElsewhere([found]).first
    }

    /// Where a command was recorded that came by one of the node's entrances; nil where it was not, or where another one has
    /// its id.
    ///
    /// - Parameter digest: what it was sent with (``SentCommand``).
    public func receipt(of command: CommandID, from actor: ActorID, digest: Hash) async throws -> CommandReceipt? {
        try await store.read { core, _ in
            let earlier = try CommandExecution.recorded(command, by: actor, core)
            return earlier?.digest == digest ? earlier?.receipt : nil
        }
    }

    /// The newest saves of forms that came here, newest first, as far as they are among the last 512 arrivals.
    public func recentSaves(limit: Int) async throws -> [EntryReading] {
        let found: [EntryReading] = try await store.read { core, _ in
            // Arrivals are numbered without gaps, so going back from the newest meets every one.
            var saves: [EntryReading] = []
            let newest = try core.latestArrival()
            var last = newest
            while last > 0, saves.count < limit, last > newest - 512 {
                let before = max(0, last - 16)
                let arrivals = try core.arrivals(after: before, limit: Int(last - before))
                for arrival in arrivals.reversed() where saves.count < limit {
                    guard let name = try core.log(arrival.log)?.name else { continue }
                    let end = arrival.first + arrival.count
                    let wanted = UInt64(limit - saves.count)
                    var entries: [EntryReading] = []
                    try core.forEachEntry(
                        in: arrival.log, from: max(arrival.first, end - min(end, wanted)), to: end
                    ) { stored in
                        let entry = EntryReading(StoredEntries.written(stored, in: name))
                        if entry.operation == .formSaved { entries.append(entry) }
                        return true
                    }
                    saves += entries.reversed()
                }
                last = before
            }
            return Array(saves.prefix(limit))
        }
        return await knownElsewhere(found)
    }

    /// Where a listener stands that wants nothing but what comes from now on.
    public func newestPosition() async throws -> ChangePosition {
        try await store.read { core, _ in
            ChangePosition(incarnation: core.identity.incarnation, arrival: try core.latestArrival())
        }
    }

    /// What came after a position, in the order in which it came; a part of it where it is much.
    ///
    /// - Parameter study: whose entries; nil for those of every study.
    public func changes(after position: ChangePosition, of study: StudyID?) async throws -> ChangeReading {
        try await store.read { core, _ in
            let incarnation = core.identity.incarnation
            let newest = try core.latestArrival()
            guard position.incarnation == incarnation, position.arrival <= newest else {
                let reached = ChangePosition(incarnation: incarnation, arrival: newest)
                return ChangeReading(arrivals: [], reached: reached, isOfAnotherStore: true, isComplete: true)
            }
            var arrivals: [(position: ChangePosition, entries: [EntryReading])] = []
            var reached = position.arrival
            for batch in try core.entries(sinceArrival: position.arrival, limit: 256) {
                reached = batch.arrival.number
                guard let name = try core.log(batch.arrival.log)?.name, study == nil || name.stream.study == study
                else { continue }
                arrivals.append(
                    (
                        ChangePosition(incarnation: incarnation, arrival: reached),
                        batch.entries.map { EntryReading(StoredEntries.written($0, in: name)) }
                    ))
            }
            return ChangeReading(
                arrivals: arrivals, reached: ChangePosition(incarnation: incarnation, arrival: reached),
                isOfAnotherStore: false, isComplete: reached == newest)
        }
    }

    /// Adds which other nodes are known to hold entries durably.
    private func knownElsewhere(_ entries: [EntryReading]) async -> [EntryReading] {
        var known: [EntryReading] = []
        for var entry in entries {
            entry.alsoAt = await knownElsewhere(entry.address)
            known.append(entry)
        }
        return known
    }

    /// The other nodes that are known to hold an entry durably.
    public func knownElsewhere(_ address: EntryAddress) async -> [NodeID] {
        var log = address.log
        // In a forked log the row that holds an entry here is told to others in pieces.
        if await driver.hasForks, let segment = try? await store.read({ core, _ in try core.segment(of: address) }) {
            log = segment.head.name.id
        }
        return await driver.knownAt([(log, address.index + 1)])[log] ?? []
    }
}

extension NodeState {
    fileprivate func reading(of study: StudyID) -> StudyReading? {
        folds[study].map { fold in
            StudyReading(
                study: study, founding: fold.authority.founding?.payload, authority: fold.authority,
                publication: fold.authority.definitions.last?.payload, heldLocations: fold.locations.keys.sorted())
        }
    }

    fileprivate func reading(
        of participant: EntryID, in study: StudyID, at location: LocationID
    ) -> ParticipantReading? {
        guard let fold = folds[study]?.locations[location], let record = fold.participant(participant) else {
            return nil
        }
        return ParticipantReading(
            state: record, isFullyUnderstood: fold.isFullyUnderstood(record), addresses: fold.addresses(of: record))
    }
}

extension EntryReading {
    /// What an entry says of itself, without any value.
    init(_ entry: WrittenEntry) {
        let operation = entry.action?.operation
        var forms: [String] = []
        if case .formSaved(let save)? = operation {
            forms = save.instances.filter { $0.kind == .form }.map(\.oid)
        }
        self.init(
            entry: entry.id, address: entry.address, stream: entry.stream, writer: entry.writer,
            time: entry.header?.nodeTime, operation: entry.header?.operation,
            participant: entry.header?.operation == .participantRegistered ? entry.id : operation?.participant,
            forms: forms, alsoAt: [])
    }
}
