public import EventLog

extension Request {
    /// The location from whose range the node is to issue labels; nil where it issues none.
    public var issuesLabelsAt: LocationID? {
        switch self {
        case .register(let location, let labels): labels.contains { $0.text.isEmpty } ? location : nil
        case .assignLabel(let entry): entry.text == nil ? entry.location : nil
        default: nil
        }
    }
}

/// A statement that two records are of one person.
public struct LinkTarget: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose record.
    public var participant: ParticipantReference
    /// The other one's registration.
    public var other: EntryID
    /// In whose stream the other one stands.
    public var otherLocation: LocationID
    /// Why.
    public var reason: String

    /// States a target.
    public init(
        location: LocationID, participant: ParticipantReference, other: EntryID, otherLocation: LocationID,
        reason: String
    ) {
        self.location = location
        self.participant = participant
        self.other = other
        self.otherLocation = otherLocation
        self.reason = reason
    }
}

/// A label that a participant is to have.
public struct LabelEntry: Hashable, Sendable, Codable {
    /// In whose stream.
    public var location: LocationID
    /// Whose record.
    public var participant: ParticipantReference
    /// What it is for.
    public var kind: LabelKind
    /// The label; nil to have one issued.
    public var text: String?
    /// The labels of the kind that were on the screen.
    public var seen: [SeenValue]

    /// States a label.
    public init(
        location: LocationID, participant: ParticipantReference, kind: LabelKind, text: String?, seen: [SeenValue] = []
    ) {
        self.location = location
        self.participant = participant
        self.kind = kind
        self.text = text
        self.seen = seen
    }
}

extension Decision {
    /// A registration; labels without a text are issued.
    static func registration(
        _ labels: [ParticipantLabel], at location: LocationID, in context: DecisionContext
    ) -> Registration {
        var registration = Registration(labels: labels)
        for (place, label) in labels.enumerated() where label.text.isEmpty {
            // Two of one kind in one registration follow each other.
            let before = registration.issued.count { registration.labels[$0].kind == label.kind }
            registration.labels[place].text = issuedLabel(
                label.kind, at: location, skipping: UInt64(before), in: context)
            registration.issued.insert(place)
        }
        return registration
    }

    static func decideLabel(
        _ entry: LabelEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        let participant = try participant(entry.participant, at: entry.location, in: context)
        let seen = entry.seen.map { ValueID(entry: $0.entry, position: $0.position) }
        guard Set(participant.heldLabels(of: entry.kind)).isSubset(of: seen) else { throw .newerLabels(entry.kind) }
        if let text = entry.text {
            // To choose one of several that stand is something.
            let standing = participant.labels.filter { $0.kind == entry.kind }.map(\.text)
            guard !text.isEmpty, standing != [text] else { throw .nothingToDo }
        }
        let text = entry.text ?? issuedLabel(entry.kind, at: entry.location, skipping: 0, in: context)
        let assignment = LabelAssignment(
            participant: participant.id, label: ParticipantLabel(kind: entry.kind, text: text),
            isIssued: entry.text == nil, seen: seen)
        return try forParticipant(
            .labelAssigned(assignment), at: entry.location, subject: participant.subject, command, in: context)
    }

    /// The next label of the range of this node at a location (`Protocols/merge.md`, M49).
    private static func issuedLabel(
        _ kind: LabelKind, at location: LocationID, skipping count: UInt64, in context: DecisionContext
    ) -> String {
        var range = location.text + "/"
        if context.node.text != location.text { range += context.node.text + "/" }
        if let epoch = context.epoch { range += String(epoch.description.prefix(8)) + "/" }
        let records = context.fold.locations[location]?.records.values.map(\.givenLabels.values) ?? []
        var taken: Set<UInt64> = []
        for label in records.joined() where label.kind == kind && label.text.hasPrefix(range) {
            if let number = UInt64(label.text.dropFirst(range.count)) { taken.insert(number) }
        }
        var highest = taken.max() ?? 0
        var lowest: UInt64 = 0
        var next: UInt64 = 0
        for _ in 0...count {
            if highest < .max {
                highest += 1
                next = highest
            } else {
                // Somebody typed the highest number there is: from then on the lowest that nobody has.
                repeat { lowest += 1 } while taken.contains(lowest)
                next = lowest
            }
            taken.insert(next)
        }
        return range + String(next)
    }

    static func decideLink(
        _ target: LinkTarget, undoes: Bool, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        let participant = try participant(target.participant, at: target.location, in: context)
        let other = try Self.participant(.registration(target.other), at: target.otherLocation, in: context)
        let one = ParticipantPlace(target.location, participant.id)
        let two = ParticipantPlace(target.otherLocation, other.id)
        let standing = context.fold.links(of: one).filter { $0.record == two || $0.other == two }
        guard one != two, standing.isEmpty != undoes else { throw .nothingToDo }
        // A link is taken back in the record in which it stands; where both have one, in the named one first.
        let isHere = !undoes || standing.contains { $0.record == one }
        let holder = isHere ? one : two
        let far = isHere ? two : one
        let link = ParticipantLink(
            participant: holder.participant, other: far.participant, otherLocation: far.location,
            seen: undoes ? standing.filter { $0.record == holder }.map(\.entry) : [], reason: target.reason)
        return try forParticipant(
            undoes ? .participantsUnlinked(link) : .participantsLinked(link), at: holder.location,
            subject: isHere ? participant.subject : other.subject, command, in: context)
    }
}
