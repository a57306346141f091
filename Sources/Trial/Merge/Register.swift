import EventLog

/// A value that no entry with effect has superseded.
public struct HeldValue: Hashable, Sendable {
    /// Which it is.
    public let id: ValueID
    /// What it says; nil where its datum was dropped by an order.
    public let value: Value?

    /// Whether both say the same; one whose datum was dropped does so only with another such one.
    func says(theSameAs other: HeldValue) -> Bool {
        guard let left = value, let right = other.value else { return value == other.value }
        return left.says(theSameAs: right)
    }
}

/// An item's multi-value register (DESIGN §5, "Register").
///
/// Invariants:
/// - `held` and `setAside` are sorted by id and share no id.
/// - `awaiting` names exactly those who wrote here of whom ``ParticipantState`` keeps an ``AwaitedSight``.
/// - The outcome depends on which entries were applied, not on their order.
public struct Register: Hashable, Sendable {
    /// The values that stand.
    public private(set) var held: [HeldValue] = []
    /// Values that are kept and shown and do not count: of versions of an answer that do not stand, and of what was
    /// collected after a withdrawal.
    public private(set) var setAside: [HeldValue] = []
    /// Whether the values that stand are parts of alternatives, so that no item of them counts before one is decided on.
    public private(set) var isAlternative = false
    /// The entries that wrote here and whose writers had seen values that are not here.
    private(set) var awaiting: Set<EntryID> = []

    init() {}

    /// The register of an item in a whole, which the versions of the whole say (M34).
    ///
    /// - Parameter held: the values that stand, in any order; those of several versions may be the same.
    init(held: [HeldValue], setAside: [HeldValue], awaiting: Set<EntryID>) {
        for value in held.sorted(by: { $0.id < $1.id }) where value.id != self.held.last?.id { self.held.append(value) }
        self.setAside = setAside
        self.awaiting = awaiting
    }

    /// Whether a writer saw what is not here: while that is so, a conflict is waiting and not yet work.
    public var isAwaiting: Bool { !awaiting.isEmpty }

    /// More than one value that do not all say the same, or a value of one alternative among several.
    public var isConflict: Bool {
        guard let first = held.first else { return false }
        if isAlternative { return true }
        return held.dropFirst().contains { !$0.says(theSameAs: first) }
    }

    /// The value, where it is not in conflict: of several that say the same, the one with the lowest id.
    public var current: HeldValue? { isConflict ? nil : held.first }

    /// Writes `value` over everything its writer saw.
    ///
    /// - Parameters:
    ///   - seen: all value ids that were on the writer's screen.
    ///   - isSuperseded: whether one who wrote here earlier had seen the value, which comes only now.
    mutating func write(_ id: ValueID, _ value: Value?, seen: Set<ValueID>, isSuperseded: Bool) {
        if !seen.isEmpty {
            held.removeAll { $0.id != id && seen.contains($0.id) }
            setAside.removeAll { $0.id != id && seen.contains($0.id) }
        }
        guard !isSuperseded else { return }
        let place = held.firstIndex { $0.id > id } ?? held.endIndex
        held.insert(HeldValue(id: id, value: value), at: place)
    }

    /// Lets one value stand and no other; what is set aside stays so.
    mutating func hold(_ value: HeldValue) {
        held = [value]
    }

    /// Keeps a value that does not count, unless one who wrote here earlier had seen it.
    mutating func setAside(_ id: ValueID, _ value: Value?, isSuperseded: Bool) {
        guard !isSuperseded else { return }
        let place = setAside.firstIndex { $0.id > id } ?? setAside.endIndex
        setAside.insert(HeldValue(id: id, value: value), at: place)
    }

    /// Lets the values of some entries stand, and of no others.
    mutating func arrange(standing: Set<EntryID>, isAlternative: Bool) {
        let all = (held + setAside).sorted { $0.id < $1.id }
        held = all.filter { standing.contains($0.id.entry) }
        setAside = all.filter { !standing.contains($0.id.entry) }
        self.isAlternative = isAlternative
    }

    /// Notes that one who wrote here had seen what is not here.
    mutating func expect(_ writer: EntryID) {
        awaiting.insert(writer)
    }

    /// Notes that all is here that one who wrote here had seen.
    mutating func settle(_ writer: EntryID) {
        awaiting.remove(writer)
    }
}
