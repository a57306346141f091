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
/// - `held` is sorted by id and holds no id of `superseded`.
/// - `superseded` holds only values of entries that are not applied.
/// - The outcome depends on which entries were applied, not on their order.
public struct Register: Hashable, Sendable {
    /// The values that stand.
    public private(set) var held: [HeldValue] = []
    /// Values that were seen and replaced before they came here.
    private var superseded: Set<ValueID> = []

    init() {}

    /// The register of an item in a whole, which the versions of the whole say (M34).
    init(held: [HeldValue], awaited: Set<ValueID>) {
        self.held = held.sorted { $0.id < $1.id }
        superseded = awaited
    }

    /// More than one value that do not all say the same.
    public var isConflict: Bool {
        guard let first = held.first, held.count > 1 else { return false }
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

    /// Drops what was remembered of an entry that is applied now: those of its values that stand elsewhere.
    mutating func forget(_ entry: EntryID) {
        superseded = superseded.filter { $0.entry != entry }
    }

    /// The values seen by writers and not here yet, sorted: while there are any, a conflict is waiting and not yet work.
    public var awaited: [ValueID] { superseded.sorted() }
}
