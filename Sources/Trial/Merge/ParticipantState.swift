public import EventLog

/// An event, form or item group of a participant.
public struct InstanceState: Hashable, Sendable {
    /// What entries say of its place (`Protocols/merge.md`, M11).
    public struct Shape: Hashable, Comparable, Sendable {
        /// Event, form or item group.
        public let kind: InstanceKind
        /// OID of its definition.
        public let oid: String
        /// The instance it stands in.
        public let parent: InstanceID?

        /// Orders them in the same way everywhere.
        public static func < (left: Shape, right: Shape) -> Bool {
            if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
            if left.oid != right.oid { return left.oid < right.oid }
            switch (left.parent, right.parent) {
            case (let left?, let right?): return left < right
            case (nil, _?): return true
            default: return false
            }
        }
    }

    /// What an entry that began it says of it.
    public struct Start: Hashable, Sendable {
        /// An import's repeat key.
        public let repeatKey: String?
        /// Other beginnings its writer had seen.
        public let seen: [Beginning]
    }

    /// Its place: as the line says that gives its id, and before that came, the lowest that any line says.
    public internal(set) var shape: Shape
    /// Whether a line said its place that gives its id.
    var isPlaced = false
    /// By what entries name it: its natural key, or the beginning that gives its id, whether that entry is here or not.
    public let identity: InstanceIdentity
    /// The entries that began it.
    public internal(set) var beginnings: [Beginning: Start] = [:]
    /// The items that were ever written.
    public internal(set) var registers: [ItemOID: Register] = [:]
    /// Whether its concurrent versions are alternatives as wholes.
    public internal(set) var isWhole = false
    /// Of a form, what those had seen who wrote in it or confirmed it; without those who began it and had seen nothing.
    var sights: [EntryID: Sight] = [:]
    /// Of a whole, what each entry wrote in it.
    var versions: [EntryID: WholeVersion] = [:]

    init(shape: Shape, identity: InstanceIdentity) {
        self.shape = shape
        self.identity = identity
    }

    /// The instance in its place, with nothing written in it.
    var emptied: InstanceState {
        var state = InstanceState(shape: shape, identity: identity)
        state.isWhole = isWhole
        state.isPlaced = isPlaced
        return state
    }

    /// The repeat key to show and export: the first beginning's, or the number of an answer's row.
    public var repeatKey: String? {
        if case .response(let response) = identity, response.row > 0 { return String(response.row) }
        return beginnings.min { $0.key < $1.key }?.value.repeatKey
    }
}

/// Where a form's values came from, for display and export; not part of any digest, for the entry's id stands for it.
public struct EntryOrigin: Hashable, Sendable {
    /// Provenance as the body has it.
    public let provenance: Provenance
    /// Who acted.
    public let authority: Authority
    /// The writing node.
    public let node: NodeID
    /// The node's clock.
    public let time: NodeTime
}

/// An item of an instance.
struct RegisterPlace: Hashable {
    let instance: InstanceID
    let item: ItemOID
}

/// A participant's record: f(entries, authority), never of the order in which they came (DESIGN §5, "Late authority").
///
/// Invariants:
/// - Applying the same set of entries in any order gives the same state.
/// - An entry is in at most one of `applied`, `void` and `waiting`.
public struct ParticipantState: Hashable, Sendable {
    /// The registering entry, the lowest of equal repetitions.
    public let id: EntryID
    /// The other entries that registered the same participant by the same command.
    public internal(set) var aliases: Set<EntryID> = []
    /// The location's stream the participant stands in.
    public let location: LocationID
    /// The handle in headers.
    public let subject: SubjectHandle?
    /// Every label ever given, by the entry that gave it and the place in it; of a command sent twice every sending's.
    var givenLabels: [ValueID: ParticipantLabel] = [:]
    /// The labels that an assignment of their kind saw.
    var correctedLabels: [LabelKind: Set<ValueID>] = [:]
    /// Links to other records of the same person, by the entry that says so.
    public internal(set) var links: [EntryID: LinkState] = [:]
    /// Links that were taken back, also ones that are not here yet.
    var undoneLinks: Set<EntryID> = []
    /// Status entries that count.
    public internal(set) var statuses: [EntryID: StatusRecord] = [:]
    /// Status entries that a later one corrects.
    var correctedStatuses: Set<EntryID> = []
    /// Events, forms and item groups.
    public internal(set) var instances: [InstanceID: InstanceState] = [:]
    /// Removals, by entry; the target is nil for the participant.
    public internal(set) var removals: [EntryID: InstanceID?] = [:]
    /// Removals that were taken back, also ones that are not here yet.
    var restoredRemovals: Set<EntryID> = []
    /// Restorations, by entry; the target is nil for the participant.
    var restorations: [EntryID: InstanceID?] = [:]
    /// What those had seen who removed something.
    var removalSights: [EntryID: RemovalSight] = [:]
    /// Decisions on forms that were begun more than once.
    public internal(set) var decisions: [EntryID: FormDecision] = [:]
    /// What the standing decisions come to, by the form that participant, visit and OID name.
    var rulings: [InstanceID: Ruling] = [:]
    /// For a beginning that a standing decision leaves in its form, that form.
    var homes: [Beginning: InstanceID] = [:]
    /// Where the registration and every entry came from that wrote, removed, restored, decided or confirmed.
    public internal(set) var origins: [EntryID: EntryOrigin] = [:]
    /// Entries without effect.
    public internal(set) var void: [EntryID: VoidRule] = [:]
    /// Entries that wait for authority.
    public internal(set) var waiting: [EntryID: Awaited] = [:]
    /// Saves and answers whose data were collected after a withdrawal that stands: kept and shown, and not counted.
    public internal(set) var quarantined: Set<EntryID> = []
    /// Of which of its entries orders dropped parts.
    public internal(set) var redactions: [EntryID: Redaction] = [:]
    /// Findings that stay while withdrawals and authority do.
    var notedFindings: [EntryID: FindingRule] = [:]
    /// Answers to questionnaires, with all their versions.
    public internal(set) var responses: [ResponseID: ResponseState] = [:]
    /// Entries with effect.
    public internal(set) var applied: Set<EntryID> = []
    /// For an entry that repeats a command the one that stands for it, which repeats none.
    var canonical: [EntryID: EntryID] = [:]
    /// For entries that were seen and are not applied, who had seen values of theirs.
    var expecting: [EntryID: Set<EntryID>] = [:]
    /// For entries whose writers had seen what is not here, what that is.
    var awaitedSights: [EntryID: AwaitedSight] = [:]
    /// Of a decision on beginnings, the earlier ones that every sending of it names.
    var decisionSights: [EntryID: Set<EntryID>] = [:]

    init(id: EntryID, location: LocationID, subject: SubjectHandle?) {
        self.id = id
        self.location = location
        self.subject = subject
    }

    /// The orders that dropped parts of the entry that wrote a value, sorted; where the value itself was dropped it reads
    /// "erased by order …".
    public func orders(on value: HeldValue) -> [EntryID] { redactions[value.id.entry]?.orders ?? [] }

    /// The statuses reached, without those that were corrected.
    public var reached: [StatusRecord] { standingStatuses.map(\.record) }

    /// The status entries that nobody corrected, by entry.
    public var standingStatuses: [(entry: EntryID, record: StatusRecord)] {
        statuses.filter { !correctedStatuses.contains($0.key) }.sorted { $0.key < $1.key }
            .map { (entry: $0.key, record: $0.value) }
    }

    /// Whether the participant was flagged removed.
    public var isRemoved: Bool { isRemoved(nil) }

    /// Whether an instance, or anything it stands in, was flagged removed.
    public func isRemovedWithin(_ id: InstanceID) -> Bool {
        var next: InstanceID? = id
        // Parents stand above children by kind, so three steps reach the participant.
        for _ in 0..<3 {
            guard let current = next else { break }
            if isRemoved(current) { return true }
            next = instances[current]?.shape.parent
        }
        return isRemoved
    }

    private func isRemoved(_ target: InstanceID?) -> Bool {
        removals.contains { $0.value == target && !restoredRemovals.contains($0.key) }
    }

    /// Whether an instance counts: it is in nothing that was removed or decided to be wrong.
    public func counts(_ id: InstanceID) -> Bool {
        !isWrongWithin(id) && !isRemovedWithin(id)
    }

    /// The removals of a target that nobody took back, which a restoration names.
    public func standingRemovals(of target: InstanceID?) -> [EntryID] {
        removals.filter { $0.value == target && !restoredRemovals.contains($0.key) }.map(\.key).sorted()
    }

    /// Every register whose values are in conflict, whatever it stands in. What is work for people is in
    /// ``openConflicts``.
    public var conflicts: [(instance: InstanceID, item: ItemOID, register: Register)] {
        instances.sorted { $0.key < $1.key }.flatMap { id, instance in
            instance.registers.filter(\.value.isConflict).sorted { $0.key < $1.key }
                .map { (instance: id, item: $0.key, register: $0.value) }
        }
    }
}
