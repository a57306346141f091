public import EventLog

/// A registration with effect that no equal, lower one stands for.
struct StandingRegistration: Sendable {
    let entry: WrittenEntry
    /// Equal registrations that it stands for.
    var aliases: [WrittenEntry] = []
    /// Whether another one has the same command id and other content.
    var isCommandReused = false
}

/// How far a log is here.
///
/// Invariant: every entry below `size` is here, the one at `size` is not, and `beyond` holds those above it that are.
struct HeldExtent {
    private(set) var size: UInt64 = 0
    private var beyond: Set<UInt64> = []

    func contains(_ index: UInt64) -> Bool { index < size || beyond.contains(index) }

    mutating func insert(_ index: UInt64) {
        guard index == size else {
            if index > size { beyond.insert(index) }
            return
        }
        size += 1
        while beyond.remove(size) != nil { size += 1 }
    }
}

/// What is to be computed once all of many entries are taken in.
private struct DeferredWork {
    /// The commands of registrations that came.
    var registrations: Set<CommandKey> = []
    /// Records that applying an entry alone does not bring up to date.
    var records: Set<EntryID> = []
}

/// What each record adds to the counts of its stream.
///
/// Invariant: `total` is the sum of `parts`, and `parts` holds every record as it is that is not in `changed`.
private struct RecordCounts {
    private(set) var total = StreamCounts()
    private var parts: [EntryID: StreamCounts] = [:]
    var changed: Set<EntryID> = []

    /// Counts the records that changed.
    mutating func settle(_ records: [EntryID: ParticipantState]) {
        for id in changed {
            if let old = parts.removeValue(forKey: id) { total -= old }
            guard let new = records[id]?.contribution else { continue }
            total += new
            parts[id] = new
        }
        changed = []
    }
}

/// What one node wrote into a stream, as far as it is here.
public struct NodeActivity: Hashable, Sendable {
    /// Number of entries.
    public private(set) var entries = 0
    /// The latest of the node's own clock, milliseconds since 1970-01-01T00:00:00Z.
    public private(set) var newestUTCMilliseconds = Int64.min

    /// Nothing came from it.
    public init() {}

    /// Takes an entry into account.
    public mutating func note(_ header: EntryHeader) {
        entries += 1
        newestUTCMilliseconds = max(newestUTCMilliseconds, header.nodeTime.utcMilliseconds)
    }
}

/// The records of the participants in one location's stream.
///
/// Invariants:
/// - Every key of `records` is a registration with effect that no equal, lower one stands for.
/// - `references[r]` holds every entry that names registration `r`, whether `r` is here or not.
/// - No entry whose handle `drops` erases is anywhere but in `erased`, orders excepted; entries of which `drops` takes parts
///   are folded without these, whether they are still here or not.
public struct LocationFold: Sendable {
    /// The location.
    public let location: LocationID
    /// Records by the registration that stands for the participant.
    public internal(set) var records: [EntryID: ParticipantState] = [:]
    /// Entries without effect that belong to no participant's record.
    public internal(set) var void: [EntryID: VoidRule] = [:]
    /// Entries that belong to no participant's record yet.
    public internal(set) var waiting: [EntryID: Awaited] = [:]
    /// Entries that this software does not understand, of whatever participant.
    public internal(set) var notUnderstood: Set<EntryID> = []
    /// Number of distinct entries taken in.
    public private(set) var entryCount = 0
    /// What came from each writing node; where data came from is in no digest.
    public private(set) var activity: [NodeID: NodeActivity] = [:]

    /// Orders with effect, by entry.
    public internal(set) var orders: [EntryID: OrderInEffect] = [:]
    /// Things to know of orders that keep their effect.
    public internal(set) var findings: [EntryID: FindingRule] = [:]
    /// What the orders with effect, and those given from elsewhere, drop.
    public internal(set) var drops = DropOrders()
    /// The entries of erased participants, by handle; of nothing in them more is known than their headers say.
    var erased: [SubjectHandle: [EntryID: ErasedEntry]] = [:]
    /// Orders of the whole stream, where only a part of its entries is folded here.
    let givenDrops: DropOrders
    /// Orders that came into effect since they were last asked for.
    var newOrders: [OrderInEffect] = []
    /// Whether what is dropped changed since ``takeDropsChanged()``.
    var haveDropsChanged = false

    private var seen: Set<EntryID> = []
    /// Entries that were taken in, and could not be given again when a record was computed anew.
    var leftOut: Set<EntryID> = []
    var registrations: [CommandKey: [WrittenEntry]] = [:]
    /// For every registration with effect the one that stands for it, itself or a lower one.
    var standing: [EntryID: EntryID] = [:]
    /// The standing registrations, with those that each stands for beside itself.
    var standingEntries: [EntryID: StandingRegistration] = [:]
    /// The handle that every registration drew; repetitions at several nodes drew several for one participant.
    var handles: [EntryID: SubjectHandle] = [:]
    var references: [EntryID: [EntryID: EntryAddress]] = [:]
    private var commands: [EntryID: [CommandKey: EntryID]] = [:]
    var keys: [EntryID: Set<JudgementKey>] = [:]
    var handlesNotUnderstood: Set<SubjectHandle> = []
    /// Whether an entry is here of which not even the header can be read, so that it may concern anybody.
    private var hasUnreadableHeader = false
    var otherEntries: [EntryID: WrittenEntry] = [:]
    private var changedRecords: Set<EntryID> = []
    /// How far every log of the stream is here.
    private var extents: [LogID: HeldExtent] = [:]
    /// While many entries are taken in, what is to be computed once they are; nil while each is taken in by itself.
    private var deferred: DeferredWork?
    /// What changed since ``takeChanges()``; nil where nothing at all came.
    var unreported: Set<EntryID>?
    private var digests: [EntryID: Hash] = [:]
    private var counting = RecordCounts()
    /// Entries that carry a handle which is not, or not known to be, that of the registration they name.
    var strays: [SubjectHandle: [EntryID: StrayEntry]] = [:]

    init(location: LocationID, drops: DropOrders = DropOrders()) {
        self.location = location
        givenDrops = drops
        self.drops = drops
    }

    /// Whether the entry was taken in.
    func holds(_ entry: EntryID) -> Bool { seen.contains(entry) }

    typealias Judge = (WrittenEntry) -> Judgement

    /// The participant that an entry's registration id or any repetition of it names.
    public func participant(_ reference: EntryID) -> ParticipantState? {
        standing[reference].flatMap { records[$0] }
    }

    /// The registrations with effect that share sender and command with one, itself among them: which participants they are,
    /// and under which of their ids, may change with every further one of them.
    public func repetitions(of registration: EntryID) -> [EntryID] {
        guard let id = standing[registration], let key = standingEntries[id]?.entry.commandKey else {
            return [registration]
        }
        return registrations[key, default: []].map(\.id)
    }

    /// How many entries of each log are here from its beginning on without a gap, by log.
    public var heldExtents: [LogExtent] {
        extents.map { LogExtent(log: $0.key, size: $0.value.size) }.filter { $0.size > 0 }
            .sorted { $0.log < $1.log }
    }

    /// Whether everything that carries a handle of the participant's is understood here, and nothing is here that may carry
    /// one unseen. Where not, nothing of the record may be signed, locked or exported as complete.
    public func isFullyUnderstood(_ participant: ParticipantState) -> Bool {
        understands(handles(of: participant))
    }

    /// The handles drawn for a participant: several where the registration was repeated at several nodes.
    package func handles(of participant: ParticipantState) -> Set<SubjectHandle> {
        Set(participant.aliases.union([participant.id]).compactMap { handles[$0] })
    }

    /// Whether nothing is here that carries one of the handles, or may carry any, and is not understood.
    package func understands(_ handles: Set<SubjectHandle>) -> Bool {
        !hasUnreadableHeader && handlesNotUnderstood.isDisjoint(with: handles)
    }

    /// Where the entries stand that concern a participant, other than registrations.
    public func addresses(of participant: ParticipantState) -> [EntryID: EntryAddress] {
        participant.aliases.union([participant.id]).reduce(into: [:]) { addresses, registration in
            addresses.merge(references[registration] ?? [:]) { first, _ in first }
        }
    }

    mutating func insert(_ entry: WrittenEntry, source: some EntrySource, judge: Judge) throws {
        guard seen.insert(entry.id).inserted else {
            if leftOut.remove(entry.id) != nil { try enter(entry, source: source, judge: judge) }
            return
        }
        entryCount += 1
        extents[entry.place.log, default: HeldExtent()].insert(entry.place.index)
        if let header = entry.header { activity[entry.writer, default: NodeActivity()].note(header) }
        if unreported == nil { unreported = [] }
        try enter(entry, source: source, judge: judge)
    }

    /// Puts an entry where it belongs, once it was counted.
    mutating func enter(_ entry: WrittenEntry, source: some EntrySource, judge: Judge) throws {
        if isErased(entry) { return noteErased(entry) }
        let entry = redacted(entry)
        if case .participantRegistered? = entry.action?.operation, let key = entry.commandKey {
            let isRepeated = registrations[key] != nil
            registrations[key, default: []].append(entry)
            handles[entry.id] = entry.header?.subject
            // What follows a first registration is applied to its record as it comes, which is cheaper than reading it again.
            if !isRepeated || deferred?.registrations.insert(key) == nil {
                try regroup(key, source: source, judge: judge)
            }
        } else if let reference = entry.action?.operation.participant {
            references[reference, default: [:]][entry.id] = entry.address
            if let subject = entry.subject, handles[reference] != subject {
                strays[subject, default: [:]][entry.id] = StrayEntry(address: entry.address, reference: reference)
            }
            try place(entry, under: reference, source: source, judge: judge)
        } else {
            otherEntries[entry.id] = entry
            settle(entry, judge: judge)
            if entry.dropOrder != nil { try dropsMayHaveChanged(source: source, judge: judge) }
        }
    }

    /// Takes in many entries: what several of them would have computed anew is computed once.
    mutating func insert(contentsOf entries: [WrittenEntry], source: some EntrySource, judge: Judge) throws {
        deferred = DeferredWork()
        defer { deferred = nil }
        for entry in entries { try insert(entry, source: source, judge: judge) }
        let work = deferred
        deferred = nil
        for key in work?.registrations ?? [] { try regroup(key, source: source, judge: judge) }
        for id in work?.records ?? [] { try recompute(id, source: source, judge: judge) }
    }

    /// Applies an entry to its participant's record, or computes that anew where applying alone would not do.
    private mutating func place(
        _ entry: WrittenEntry, under reference: EntryID, source: some EntrySource, judge: Judge
    ) throws {
        guard let id = standing[reference], var record = records.removeValue(forKey: id) else {
            waiting[entry.id] = .participant(reference)
            return
        }
        if let header = entry.header {
            keys[id, default: []].insert(JudgementKey(writer: entry.writer, stream: entry.stream, header: header))
        }
        markChanged(id)
        record.redactions[entry.id] = drops.redaction(of: entry)
        if deferred?.records.contains(id) == true {
            // It is computed from all its entries in any case.
            records[id] = record
            return
        }
        if record.admits(entry, judge: judge), let key = entry.commandKey {
            // Decisions and withdrawals say what of earlier writes counts where, so applying them alone would not do.
            if commands[id]?[key] != nil || entry.header?.operation == .instancesDecided
                || record.mayChangeWithdrawals(entry)
            {
                records[id] = record
                return try recomputeInTime(id, source: source, judge: judge)
            }
            commands[id, default: [:]][key] = entry.id
            guard record.apply(entry) else {
                records[id] = record
                return try recomputeInTime(id, source: source, judge: judge)
            }
        }
        records[id] = record
    }

    /// Computes a record anew, now or once all of many entries are here.
    private mutating func recomputeInTime(_ id: EntryID, source: some EntrySource, judge: Judge) throws {
        if deferred?.records.insert(id) == nil { try recompute(id, source: source, judge: judge) }
    }

    /// Decides which of the registrations that share a command stand, and computes their participants' records.
    mutating func regroup(_ key: CommandKey, source: some EntrySource, judge: Judge) throws {
        let group = registrations[key, default: []].sorted { $0.id < $1.id }
        for entry in group {
            void[entry.id] = nil
            waiting[entry.id] = nil
            if let id = standing.removeValue(forKey: entry.id) { forget(id) }
        }
        var stands: [WrittenEntry] = []
        var lowest: [Action: EntryID] = [:]
        for entry in group {
            if let header = entry.header {
                keys[entry.id, default: []].insert(
                    JudgementKey(writer: entry.writer, stream: entry.stream, header: header))
            }
            switch judge(entry) {
            case .effect: break
            case .void(let rule):
                void[entry.id] = rule
                continue
            case .waiting(let awaited):
                waiting[entry.id] = awaited
                continue
            }
            guard let action = entry.action?.asSent else { continue }
            if let lower = lowest[action] {
                standing[entry.id] = lower
                standingEntries[lower]?.aliases.append(entry)
            } else {
                lowest[action] = entry.id
                stands.append(entry)
                standing[entry.id] = entry.id
                standingEntries[entry.id] = StandingRegistration(entry: entry)
            }
        }
        // Registrations that share a command id and differ are all kept, and each says so.
        if stands.count > 1 {
            for entry in stands { standingEntries[entry.id]?.isCommandReused = true }
        }
        for entry in stands { try recompute(entry.id, source: source, judge: judge) }
        for entry in group where standing[entry.id] == nil {
            for reference in references[entry.id, default: [:]].keys { waiting[reference] = .participant(entry.id) }
        }
    }

    mutating func forget(_ id: EntryID) {
        records[id] = nil
        standingEntries[id] = nil
        commands[id] = nil
        digests[id] = nil
        changedRecords.remove(id)
        counting.changed.insert(id)
        unreported?.insert(id)
    }

    private mutating func markChanged(_ id: EntryID) {
        changedRecords.insert(id)
        counting.changed.insert(id)
        unreported?.insert(id)
    }

    /// The participants whose records changed, came to be or ceased to be since this was last asked; nil where no entry
    /// came and nothing was judged otherwise.
    public mutating func takeChanges() -> Set<EntryID>? {
        defer { unreported = nil }
        return unreported
    }

    /// Computes a participant's record from all entries that concern it.
    mutating func recompute(_ id: EntryID, source: some EntrySource, judge: Judge) throws {
        guard let standing = standingEntries[id] else { return }
        var addresses: [EntryID: EntryAddress] = references[id] ?? [:]
        for alias in standing.aliases { addresses.merge(references[alias.id] ?? [:]) { first, _ in first } }
        let entries = try given(addresses, by: source).map(redacted)
        for entry in entries {
            waiting[entry.id] = nil
            guard let header = entry.header else { continue }
            keys[id, default: []].insert(JudgementKey(writer: entry.writer, stream: entry.stream, header: header))
        }
        let record = ParticipantState.fold(
            registration: standing.entry, location: location, aliases: standing.aliases,
            isCommandReused: standing.isCommandReused, entries: entries,
            redactions: redactions(of: entries), judge: judge)
        // The registration's own command is among those that a later entry may repeat.
        commands[id] = [:]
        if let key = standing.entry.commandKey { commands[id]?[key] = id }
        for entry in entries where record.applied.contains(entry.id) {
            if let key = entry.commandKey { commands[id]?[key] = entry.id }
        }
        records[id] = record
        markChanged(id)
    }

    /// An entry of no participant: it opens or closes a log, orders something, or is not understood.
    mutating func settle(_ entry: WrittenEntry, judge: Judge) {
        void[entry.id] = nil
        waiting[entry.id] = nil
        switch entry.content {
        case .notUnderstood:
            guard notUnderstood.insert(entry.id).inserted else { return }
            if let handle = entry.header?.subject, handlesNotUnderstood.insert(handle).inserted {
                for (registration, drawn) in handles where drawn == handle {
                    if let id = standing[registration] { unreported?.insert(id) }
                }
            }
            if entry.header == nil, !hasUnreadableHeader {
                hasUnreadableHeader = true
                unreported?.formUnion(records.keys)
            }
        case .unreadable: void[entry.id] = .unreadable
        case .action:
            let judgement = judge(entry)
            settleOrder(entry, judgement)
            switch judgement {
            case .effect: break
            case .void(let rule): void[entry.id] = rule
            case .waiting(let awaited): waiting[entry.id] = awaited
            }
        }
    }

    /// Computes anew what depends on judgements that came out otherwise.
    mutating func authorityChanged(_ changed: Set<JudgementKey>, source: some EntrySource, judge: Judge) throws {
        if unreported == nil { unreported = [] }
        for entry in otherEntries.values { settle(entry, judge: judge) }
        try dropsMayHaveChanged(source: source, judge: judge)
        var regrouped: Set<EntryID> = []
        for (key, group) in registrations where group.contains(where: { isChanged($0, changed) }) {
            try regroup(key, source: source, judge: judge)
            regrouped.formUnion(group.map(\.id))
        }
        for id in Array(records.keys) where !regrouped.contains(id) && !(keys[id] ?? []).isDisjoint(with: changed) {
            try recompute(id, source: source, judge: judge)
        }
    }

    private func isChanged(_ entry: WrittenEntry, _ changed: Set<JudgementKey>) -> Bool {
        guard let header = entry.header else { return false }
        return changed.contains(JudgementKey(writer: entry.writer, stream: entry.stream, header: header))
    }

    /// How much the stream's state holds.
    public var counts: StreamCounts {
        var counting = counting
        counting.settle(records)
        var counts = counting.total
        counts.findings += void.count + waiting.count + notUnderstood.count + findings.count
        counts.erased = erasedParticipants.values.count { !$0.registrations.isEmpty }
        return counts
    }

    /// Counts the records that changed since the last time, so that ``counts`` need not.
    mutating func settleCounts() { counting.settle(records) }

    /// SHA-256 over every record and over what belongs to none; records that did not change keep their part of it.
    mutating func digest() -> Hash {
        for id in changedRecords {
            digests[id] = records[id]?.digest
        }
        changedRecords = []
        var writer = WireWriter(capacity: 64 * digests.count + 1024)
        writer.string(1, "varde/location/0")
        for (id, digest) in digests.sorted(by: { $0.key < $1.key }) {
            writer.identifier(2, id)
            writer.hash(3, digest)
        }
        for (entry, rule) in void.sorted(by: { $0.key < $1.key }) {
            writer.identifier(4, entry)
            writer.unsigned(5, rule.rawValue)
        }
        for entry in waiting.keys.sorted() { writer.identifier(6, entry) }
        for entry in notUnderstood.sorted() { writer.identifier(7, entry) }
        writeOrders(into: &writer)
        return .sha256(writer.bytes)
    }
}
