public import EventLog

/// An order that has effect.
public struct OrderInEffect: Hashable, Sendable {
    /// The entry that gave it.
    public let entry: EntryID
    /// Where that stands.
    public let address: EntryAddress
    /// The stream it acts on.
    public let stream: StreamID
    /// What it says.
    public let order: DropOrder

    /// States an order that was judged to have effect.
    public init(entry: EntryID, address: EntryAddress, stream: StreamID, order: DropOrder) {
        self.entry = entry
        self.address = address
        self.stream = stream
        self.order = order
    }
}

/// By what an order names the entry that loses parts.
public struct RedactionTarget: Hashable, Sendable {
    /// The entry.
    public let entry: EntryID
    /// Where its writer put it; of the entry at any other place nothing is taken.
    public let address: EntryAddress
}

/// What orders take from one entry.
public struct Redaction: Hashable, Sendable {
    /// The orders, sorted.
    public internal(set) var orders: [EntryID] = []
    /// The parts that any of them drops.
    public internal(set) var parts = PartSet()
}

/// A participant of whom nothing is known any more.
public struct ErasedParticipant: Hashable, Sendable {
    /// The registration by which the orders name them.
    public let id: EntryID
    /// Their handles.
    public internal(set) var handles: Set<SubjectHandle> = []
    /// The orders, sorted.
    public internal(set) var orders: [EntryID] = []
    /// Those of their registrations that are here.
    public internal(set) var registrations: Set<EntryID> = []
    /// Number of their entries that are here, registrations among them.
    public internal(set) var entryCount = 0

    init(id: EntryID) {
        self.id = id
    }

    /// Adds what another fold, of other entries of the same stream, knows of the same participant.
    public mutating func formUnion(_ other: ErasedParticipant) {
        handles.formUnion(other.handles)
        orders = Set(orders).union(other.orders).sorted()
        registrations.formUnion(other.registrations)
        entryCount += other.entryCount
    }
}

/// What the orders of one stream drop: a function of the set of orders with effect.
public struct DropOrders: Hashable, Sendable {
    /// For an erased handle the registration that each order on it names.
    public internal(set) var erasures: [SubjectHandle: [EntryID: EntryID]] = [:]
    /// For an entry what is taken from it.
    public internal(set) var redactions: [RedactionTarget: Redaction] = [:]

    /// Drops nothing.
    public init() {}

    /// Whether nothing is dropped.
    public var isEmpty: Bool { erasures.isEmpty && redactions.isEmpty }

    /// What is taken from an entry; nil where nothing is.
    public func redaction(of entry: WrittenEntry) -> Redaction? {
        if redactions.isEmpty { return nil }
        return redactions[RedactionTarget(entry: entry.id, address: entry.place)]
    }

    mutating func add(_ order: OrderInEffect) {
        switch order.order.target {
        case .participant(let registration, let subject):
            erasures[subject, default: [:]][order.entry] = registration
        case .parts(let parts, let entry, let address):
            let target = RedactionTarget(entry: entry, address: address)
            var redaction = redactions[target] ?? Redaction()
            redaction.parts.formUnion(parts)
            redaction.orders.append(order.entry)
            redaction.orders.sort()
            redactions[target] = redaction
        }
    }
}

/// An entry of an erased participant: what its header says.
struct ErasedEntry: Hashable, Sendable {
    let address: EntryAddress
    let isRegistration: Bool
}

/// An entry that names a registration under another handle than that one's.
struct StrayEntry: Hashable, Sendable {
    let address: EntryAddress
    let reference: EntryID
}
