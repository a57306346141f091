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
/// - `held` and `setAside` are sorted by id, share no id, and hold none of `superseded`.
/// - `superseded` holds only values of entries that are not applied.
/// - The outcome depends on which entries were applied, not on their order.
public struct Register: Hashable, Sendable {
    /// The values that stand.
    public private(set) var held: [HeldValue] = []
    /// Values that are kept and shown and do not count: of versions of an answer that do not stand, and of what was
    /// collected after a withdrawal.
    public private(set) var setAside: [HeldValue] = []
    /// Whether the values that stand are parts of alternatives, so that no item of them counts before one is decided on.
    public private(set) var isAlternative = false
    /// Values that were seen and replaced before they came here.
    private var superseded: Set<ValueID> = []

    init() {}

    /// The register of an item in a whole, which the versions of the whole say (M34).
    init(held: [HeldValue], setAside: [HeldValue], awaited: Set<ValueID>) {
        self.held = held.sorted { $0.id < $1.id }
        self.setAside = setAside
        superseded = awaited
    }

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
    ///   - isApplied: whether an entry's values are here already, so that those seen elsewhere need not be remembered.
    /// - Returns: whether a value was seen whose entry is not applied; ``forget(_:)`` is due when it is.
    mutating func write(_ id: ValueID, _ value: Value?, seen: [ValueID], isApplied: (EntryID) -> Bool) -> Bool {
        var expects = false
        for other in seen where other != id {
            if let place = held.firstIndex(where: { $0.id == other }) {
                held.remove(at: place)
            } else if let place = setAside.firstIndex(where: { $0.id == other }) {
                setAside.remove(at: place)
            } else if !isApplied(other.entry) {
                superseded.insert(other)
                expects = true
            }
        }
        guard superseded.remove(id) == nil else { return expects }
        let place = held.firstIndex { $0.id > id } ?? held.endIndex
        held.insert(HeldValue(id: id, value: value), at: place)
        return expects
    }

    /// Lets one value stand and no other; what is set aside stays so.
    mutating func hold(_ value: HeldValue) {
        held = [value]
        superseded = []
    }

    /// Keeps a value that does not count.
    mutating func setAside(_ id: ValueID, _ value: Value?) {
        guard superseded.remove(id) == nil else { return }
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

    /// Drops what was remembered of an entry that is applied now: those of its values that stand elsewhere.
    mutating func forget(_ entry: EntryID) {
        superseded = superseded.filter { $0.entry != entry }
    }

    /// The values seen by writers and not here yet, sorted: while there are any, a conflict is waiting and not yet work.
    public var awaited: [ValueID] { superseded.sorted() }
}
