public import EventLog

/// An order to drop parts (DESIGN §4, "Redaction and erasure").
public struct DropOrder: Hashable, Sendable {
    /// What goes.
    public enum Target: Hashable, Sendable {
        /// These parts of one entry, its structure excepted.
        case parts(PartSet, of: EntryID, at: EntryAddress)
        /// Every part of every entry with the handle, here or still to come; the registration says whose handle it is.
        case participant(EntryID, SubjectHandle)
    }

    /// What goes.
    public var target: Target
    /// The ground in law, such as `GDPR art. 17(1)(b)`; nothing about the participant.
    public var ground: String
    /// Who decided: an office or committee, with the number of the decision.
    public var decidedBy: String
    /// Why, in a person's words; nil where that was dropped by another order.
    public var reason: String?

    /// States an order.
    public init(target: Target, ground: String, decidedBy: String, reason: String?) {
        self.target = target
        self.ground = ground
        self.decidedBy = decidedBy
        self.reason = reason
    }
}

extension DropOrder {
    func write(into writer: inout WireWriter) {
        switch target {
        case .parts(let parts, let entry, let address):
            writer.identifier(50, entry)
            writer.unsigned(52, parts.rawValue)
            writer.identifier(53, address.log)
            writer.unsigned(54, address.index)
        case .participant(let registration, let subject):
            writer.identifier(50, registration)
            writer.name(51, subject)
        }
        writer.string(55, ground)
        writer.string(56, decidedBy)
    }
}

/// An order while it is being read.
struct DropOrderFields {
    private var entry: EntryID?
    private var subject: SubjectHandle?
    private var parts = PartSet()
    private var log: LogID?
    private var index: UInt64 = 0
    private var ground = ""
    private var decidedBy = ""

    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: entry = try reader.identifier()
        case 51: subject = try reader.name()
        case 52: parts = PartSet(rawValue: try reader.unsigned())
        case 53: log = try reader.identifier()
        case 54: index = try reader.unsigned()
        case 55: ground = try reader.string()
        case 56: decidedBy = try reader.string()
        default: try reader.skip()
        }
    }

    func finished(with entry: Entry) throws(WireError) -> DropOrder {
        guard let named = self.entry else { throw .missing(field: 50) }
        let target: DropOrder.Target
        if entry.header.operation == .erasureOrdered {
            guard let subject else { throw .missing(field: 51) }
            target = .participant(named, subject)
        } else {
            guard !parts.isEmpty else { throw .missing(field: 52) }
            guard let log else { throw .missing(field: 53) }
            guard index < MerkleFrontier.maximumSize else { throw .outOfRange(field: 54) }
            target = .parts(parts, of: named, at: EntryAddress(log: log, index: index))
        }
        return DropOrder(
            target: target, ground: ground, decidedBy: decidedBy, reason: try entry.text(of: .reason))
    }
}
