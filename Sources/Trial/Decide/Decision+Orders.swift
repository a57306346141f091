public import EventLog

/// What of an entry is to be dropped.
public enum RedactionScope: Hashable, Sendable, Codable {
    /// The free text of the entry's change at this position, with the texts that share its part.
    case text(position: UInt64)
    /// The comment.
    case comment
    /// The reason.
    case reason
    /// The original document, or the piece of one.
    case document
    /// All its values, texts and documents; what it was about stays.
    case everything
}

/// The grounds of an order.
public struct OrderGrounds: Hashable, Sendable, Codable {
    /// The ground in law, such as `GDPR art. 17(1)(b)`.
    public var ground: String
    /// Who decided: an office or committee, with the number of the decision.
    public var decidedBy: String
    /// Why, in a person's words.
    public var reason: String

    /// States grounds.
    public init(ground: String, decidedBy: String, reason: String) {
        self.ground = ground
        self.decidedBy = decidedBy
        self.reason = reason
    }
}

/// A request to drop parts of one entry.
public struct RedactionEntry: Hashable, Sendable, Codable {
    /// The location in whose stream the entry stands.
    public var location: LocationID
    /// Whose record it belongs to.
    public var participant: ParticipantReference
    /// The entry.
    public var entry: EntryID
    /// What of it goes.
    public var scope: RedactionScope
    /// On what grounds.
    public var grounds: OrderGrounds

    /// States a request.
    public init(
        location: LocationID, participant: ParticipantReference, entry: EntryID, scope: RedactionScope,
        grounds: OrderGrounds
    ) {
        self.location = location
        self.participant = participant
        self.entry = entry
        self.scope = scope
        self.grounds = grounds
    }
}

/// A request to erase a participant.
public struct ErasureEntry: Hashable, Sendable, Codable {
    /// The location in whose stream the participant stands.
    public var location: LocationID
    /// Who.
    public var participant: ParticipantReference
    /// On what grounds.
    public var grounds: OrderGrounds

    /// States a request.
    public init(location: LocationID, participant: ParticipantReference, grounds: OrderGrounds) {
        self.location = location
        self.participant = participant
        self.grounds = grounds
    }
}

extension Decision {
    /// The orders that a command to redact or erase becomes: one for every sending of the entry that is known here, or for
    /// every handle of the participant; the first under the command's own id.
    ///
    /// - Throws: ``Refusal``.
    public static func orders(_ command: Command, in context: DecisionContext) throws(Refusal) -> [EntryDraft] {
        switch command.request {
        case .redact(let entry): try redactions(entry, command, in: context)
        case .erase(let entry): try erasures(entry, command, in: context)
        default: throw .nothingToDo
        }
    }

    private static func redactions(
        _ request: RedactionEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> [EntryDraft] {
        try requireGrounds(request.grounds)
        let record = try participant(request.participant, at: request.location, in: context)
        let addresses = context.fold.locations[request.location]?.addresses(of: record) ?? [:]
        guard addresses[request.entry] != nil else { throw .unknownEntry(request.entry) }
        // What was sent twice is dropped twice; else the other sending would say what this one may not.
        let standing = record.standing(for: request.entry)
        let sendings = addresses.filter { record.standing(for: $0.key) == standing }.sorted { $0.key < $1.key }
        var drafts: [EntryDraft] = []
        for (entry, address) in sendings {
            guard let stored = context.storedEntry(address), stored.id == entry else { continue }
            let parts = stored.parts(in: request.scope)
            guard !parts.isEmpty else { continue }
            let order = DropOrder(
                target: .parts(parts, of: entry, at: stored.place), ground: request.grounds.ground,
                decidedBy: request.grounds.decidedBy, reason: request.grounds.reason)
            drafts.append(
                try orderDraft(
                    .redactionOrdered(order), at: request.location, subject: stored.subject, number: drafts.count,
                    command, in: context))
        }
        guard !drafts.isEmpty else { throw .nothingToDo }
        return drafts
    }

    private static func erasures(
        _ request: ErasureEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> [EntryDraft] {
        try requireGrounds(request.grounds)
        let record = try participant(request.participant, at: request.location, in: context)
        let handles = context.fold.locations[request.location]?.handles(of: record) ?? []
        var drafts: [EntryDraft] = []
        for handle in handles.sorted() {
            let order = DropOrder(
                target: .participant(record.id, handle), ground: request.grounds.ground,
                decidedBy: request.grounds.decidedBy, reason: request.grounds.reason)
            drafts.append(
                try orderDraft(
                    .erasureOrdered(order), at: request.location, subject: handle, number: drafts.count, command,
                    in: context))
        }
        guard !drafts.isEmpty else { throw .nothingToDo }
        return drafts
    }

    /// An order is read for years by people who were not there.
    private static func requireGrounds(_ grounds: OrderGrounds) throws(Refusal) {
        for text in [grounds.ground, grounds.decidedBy, grounds.reason]
        where text.allSatisfy(\.isWhitespace) { throw .orderWithoutGrounds }
    }

    private static func orderDraft(
        _ operation: Operation, at location: LocationID, subject: SubjectHandle?, number: Int, _ command: Command,
        in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        let role = command.sender.role
        try require(.orderDrop, of: command.sender)
        let authority = context.authority
        guard let participation = authority.participation, authority.isOpen(location),
            authority.sharersToday(of: location).contains(context.node)
        else { throw .locationNotOpen(location) }
        if participation.orders?.allow(role.role, operation.type) == false { throw .orderNotAllowed(role) }
        var sent = command
        if number > 0 {
            let further = [UInt8]("varde/order/\(number)/".utf8) + command.id.bytes
            sent.id = CommandID(derivedFrom: .sha256(further))
        }
        guard RoleTable.needsDelegation(.orderDrop, as: role.role) else {
            return try draft(
                operation, stream: .location(location, in: context.fold.study), subject: subject, for: sent,
                in: context)
        }
        return try forParticipant(operation, at: location, subject: subject, sent, in: context)
    }
}

extension WrittenEntry {
    /// The parts that a scope means, of those that are still here.
    func parts(in scope: RedactionScope) -> PartSet {
        let kinds: [PartKind]
        switch scope {
        case .text(let position): return textPart(ofChange: position).map { PartSet(positions: [$0]) } ?? []
        case .comment: kinds = [.comment]
        case .reason: kinds = [.reason]
        case .document: kinds = [.document]
        case .everything: kinds = [.content, .text, .comment, .reason, .document]
        }
        return PartSet(positions: partsHere.filter { kinds.contains($0.kind) }.map(\.position))
    }
}
