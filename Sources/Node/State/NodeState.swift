package import EventLog
import Interchange
package import StoreCore
package import Trial

/// What the node knows by its entries: the charter, and the fold of every study it holds something of.
///
/// Lives on the store's thread and changes in the order in which the store does; after a start it is folded anew from
/// the store, so nothing in it needs to be saved.
///
/// Invariants:
/// - `arrival` is the last arrival whose entries are folded, and everything before it is.
/// - `folds` holds every study of which an entry is here.
package struct NodeState {
    /// The charter.
    package private(set) var chain: CharterChain
    /// What the charter says of nodes and hosts.
    package private(set) var directory: NetworkDirectory
    /// What is known of each study.
    package private(set) var folds: [StudyID: StudyFold] = [:]
    private(set) var arrival: Int64 = 0
    /// Counts up when who may hold what may have changed.
    package private(set) var authorityRevision: UInt64 = 1
    /// Definitions read, by the hash of their document.
    private var definitions: [Hash: StudyDefinition] = [:]
    /// Plans read, by the hash of their document; nil for one that cannot be read.
    var plans: [Hash: TrialPlan?] = [:]
    private var logNames: [LogID: LogName] = [:]
    /// Entries that were found damaged when they were to be folded, and were not; see ``takeDamaged()``.
    private var damaged: Set<DamagedPlace> = []

    /// The state of a node that holds a charter and no entry.
    package init(chain: CharterChain, network: NetworkID) {
        self.chain = chain
        directory = NodeState.directory(of: chain, network: network)
    }

    /// What the charter's versions say of nodes and hosts.
    private static func directory(of chain: CharterChain, network: NetworkID) -> NetworkDirectory {
        NetworkDirectory(
            network: network,
            versions: chain.charters.map { charter in
                NetworkDirectory.Version(
                    admitted: Set(charter.nodes.filter { $0.state == .admitted }.map(\.id)),
                    hosts: Dictionary(charter.locations.map { ($0.id, $0.host) }) { first, _ in first },
                    signingKeys: Dictionary(charter.nodes.map { ($0.id, $0.signingKey) }) { first, _ in first },
                    accepted: charter.nodes.reduce(into: [:]) { accepted, node in
                        guard !node.accepted.isEmpty else { return }
                        accepted[node.id] = Dictionary(node.accepted.map { ($0.log, $0.size) }) { first, _ in first }
                    })
            }, heldVersions: Int(chain.count))
    }

    /// Takes over a charter that has grown.
    package mutating func update(_ chain: CharterChain, core: any EventReading) throws {
        guard chain != self.chain else { return }
        self.chain = chain
        directory = NodeState.directory(of: chain, network: directory.network)
        let source = StoredEntries(core: core)
        let directory = directory
        for study in Array(folds.keys) {
            try withFold(study) { try $0.update(directory, source: source) }
        }
        damaged.formUnion(source.damaged)
        authorityRevision += 1
    }

    /// Folds everything that came since the last arrival folded; gives how many entries that were.
    @discardableResult
    package mutating func catchUp(_ core: any EventReading) throws -> Int {
        try catchUpForks(core)
        var count = 0
        while true {
            let batches = try core.entries(sinceArrival: arrival, limit: 4096)
            guard !batches.isEmpty else { return count }
            var written: [WrittenEntry] = []
            var last = arrival
            for batch in batches {
                guard let name = try name(of: batch.arrival.log, core) else { continue }
                for stored in batch.entries {
                    // What was altered since it was checked is nobody's entry: it waits until a peer gives it back.
                    if let place = stored.damagedPlace {
                        damaged.insert(place)
                        continue
                    }
                    written.append(StoredEntries.written(stored, in: name))
                }
                last = batch.arrival.number
            }
            try insert(contentsOf: written, core: core)
            arrival = last
            count += written.count
        }
    }

    /// Takes in every fork that is proven.
    mutating func catchUpForks(_ core: any EventReading) throws {
        for log in try core.forkedLogs() {
            if let name = try core.log(log)?.name { insertFork(of: name) }
        }
    }

    /// Takes in that a log is proven to be forked.
    package mutating func insertFork(of name: LogName) {
        withFold(name.stream.study) { $0.insertFork(of: name.log, in: name.stream) }
    }

    /// Folds only what the studies' own streams hold: enough to know definitions, plans and who may do what.
    mutating func catchUpAuthority(_ core: any EventReading) throws {
        var written: [WrittenEntry] = []
        for log in try core.logs() where log.name.stream.scope == .study {
            try core.forEachEntry(in: log.name.id) { stored in
                if stored.damage == nil { written.append(StoredEntries.written(stored, in: log.name)) }
                return true
            }
        }
        try insert(contentsOf: written, core: core)
    }

    /// Folds many entries that are stored, each study's together, so that what they change is worked out once.
    private mutating func insert(contentsOf entries: [WrittenEntry], core: any EventReading) throws {
        let source = StoredEntries(core: core)
        for (study, entries) in Dictionary(grouping: entries, by: \.stream.study) {
            let changed = try withFold(study) { try $0.insert(contentsOf: entries, source: source) }
            if changed { authorityRevision += 1 }
        }
        damaged.formUnion(source.damaged)
    }

    /// Folds one entry that was just written or is about to be committed.
    mutating func insert(_ entry: WrittenEntry, core: any EventReading) throws {
        let study = entry.stream.study
        let source = StoredEntries(core: core)
        let changed = try withFold(study) { try $0.insert(entry, source: source) }
        if changed { authorityRevision += 1 }
        damaged.formUnion(source.damaged)
    }

    /// The entries that were found damaged since this was last asked: for whoever has them repaired.
    mutating func takeDamaged() -> [DamagedPlace] {
        defer { damaged = [] }
        return Array(damaged)
    }

    /// Changes a study's fold in place.
    mutating func withFold<Result>(_ study: StudyID, _ body: (inout StudyFold) throws -> Result) rethrows
        -> Result
    {
        // Taken out while it changes, so that nothing in it is copied.
        var fold = folds.removeValue(forKey: study) ?? StudyFold(study: study, directory: directory)
        defer { folds[study] = fold }
        return try body(&fold)
    }

    private mutating func name(of log: LogID, _ core: any EventReading) throws -> LogName? {
        if let name = logNames[log] { return name }
        let name = try core.log(log)?.name
        logNames[log] = name
        return name
    }

    /// The digest of one of a study's streams; nil where nothing of the study is here.
    package mutating func digest(of stream: StreamID) -> StreamDigest? {
        guard folds[stream.study] != nil else { return nil }
        return withFold(stream.study) { $0.digest(of: stream) }
    }

    /// The newest definitions of a study, once all pieces of their document are here.
    mutating func definition(of study: StudyID, core: any EventReading) throws -> (
        content: Hash, study: StudyDefinition
    )? {
        guard let published = folds[study]?.authority.definitions.last?.payload else { return nil }
        if let known = definitions[published.content] { return (published.content, known) }
        guard let document = try document(published, of: study, core: core) else { return nil }
        guard let definition = ODMMetadataReader.read(bytes: document, fileName: "published definitions").0 else {
            return nil
        }
        definitions[published.content] = definition
        return (published.content, definition)
    }

    /// The document that a publication names; nil where a piece is missing or the hash differs.
    func document(_ publication: DefinitionPublication, of study: StudyID, core: any EventReading) throws -> [UInt8]? {
        var pieces: [EntryID: [UInt8]] = [:]
        for log in try core.logs() where log.name.stream == .study(study) {
            try core.forEachEntry(in: log.name.id) { stored in
                guard publication.chunks.contains(stored.id) else { return true }
                if case .contentChunk(let chunk)? = StoredEntries.written(stored, in: log.name).action?.operation {
                    pieces[stored.id] = chunk.bytes
                }
                return pieces.count < publication.chunks.count
            }
        }
        let parts = publication.chunks.compactMap { pieces[$0] }
        guard parts.count == publication.chunks.count else { return nil }
        let document = parts.flatMap { $0 }
        return Hash.sha256(document) == publication.content ? document : nil
    }

    /// Which nodes may hold which of the streams whose participation is known here (DESIGN §6).
    ///
    /// Before the first participation number a study is its founder's alone. A study's own stream is always `node`'s too: a
    /// number that is not here yet may have invited it, and where the numbers that are here came first, it would else never
    /// take the others. Whether it is given them the giving node judges.
    package func holders(for node: NodeID) -> [StreamID: Set<NodeID>] {
        var holders: [StreamID: Set<NodeID>] = [:]
        for (study, fold) in folds where fold.authority.founder != nil {
            holders[.study(study)] = fold.authority.holders(of: .study(study))
            holders[.study(study)]?.insert(node)
            for member in fold.authority.participation?.members ?? [] {
                let stream = StreamID.location(member.location, in: study)
                holders[stream] = fold.authority.holders(of: stream)
            }
        }
        return holders
    }
}

/// The entries of a store, as the fold asks for them: none that was altered since it was checked.
package struct StoredEntries: EntrySource {
    /// What was found while entries were asked for.
    private final class Found {
        var damaged: [DamagedPlace] = []
    }

    let core: any EventReading
    private let found = Found()

    /// Asks a store.
    package init(core: any EventReading) { self.core = core }

    /// The entries that were left out.
    package var damaged: [DamagedPlace] { found.damaged }

    /// The entries at these addresses, without those that are damaged.
    package func entries(at addresses: [EntryAddress]) throws -> [WrittenEntry] {
        try addresses.compactMap { address in
            guard let stored = try core.entry(at: address), let name = try core.log(address.log)?.name else {
                throw StoreError.damaged("entry \(address) was here and is not any more; run 'varde verify'")
            }
            if let place = stored.damagedPlace {
                found.damaged.append(place)
                return nil
            }
            return StoredEntries.written(stored, in: name)
        }
    }

    /// A stored entry as the fold takes it.
    static func written(_ stored: StoredEntry, in name: LogName) -> WrittenEntry {
        WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: name)
    }
}
