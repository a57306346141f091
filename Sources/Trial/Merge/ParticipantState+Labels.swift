public import EventLog

/// A label that a participant was ever given.
public struct GivenLabel: Hashable, Sendable {
    /// The entry that gave it, and the place in it.
    public let id: ValueID
    /// The label.
    public let label: ParticipantLabel
    /// Whether one who saw it gave another one.
    public let isCorrected: Bool

    /// States a label.
    package init(id: ValueID, label: ParticipantLabel, isCorrected: Bool) {
        self.id = id
        self.label = label
        self.isCorrected = isCorrected
    }
}

/// A link to another record of the same person.
public struct LinkState: Hashable, Sendable {
    /// The other one's registration.
    public let other: EntryID
    /// The location in whose stream the other one stands.
    public let otherLocation: LocationID

    /// States a link.
    package init(other: EntryID, otherLocation: LocationID) {
        self.other = other
        self.otherLocation = otherLocation
    }
}

/// The labels and links of a participant (`Protocols/merge.md`, M49).
extension ParticipantState {
    /// Every label that was ever given, by its id: the small register of each kind with its history.
    public var labelHistory: [GivenLabel] {
        givenLabels.sorted { $0.key < $1.key }.map { id, label in
            GivenLabel(id: id, label: label, isCorrected: isCorrected(id, label))
        }
    }

    /// The labels that nobody corrected, each once, by kind and text.
    public var labels: [ParticipantLabel] {
        guard givenLabels.count > 1 else { return Array(givenLabels.values) }
        var labels: [ParticipantLabel] = []
        for given in labelHistory where !given.isCorrected && !labels.contains(given.label) {
            labels.append(given.label)
        }
        return labels.sorted()
    }

    /// The ids of the labels of a kind that nobody corrected: what one who gives another has to have seen.
    public func heldLabels(of kind: LabelKind) -> [ValueID] {
        labelHistory.filter { $0.label.kind == kind && !$0.isCorrected }.map(\.id)
    }

    /// The kinds of which more than one label stands.
    public var labelConflicts: [LabelKind] {
        let counts = Dictionary(labels.map { ($0.kind, 1) }, uniquingKeysWith: +)
        return counts.filter { $0.value > 1 }.keys.sorted { $0.rawValue < $1.rawValue }
    }

    /// Whether an assignment of the kind saw the label, or the same one by another sending of the command that gave it.
    private func isCorrected(_ id: ValueID, _ label: ParticipantLabel) -> Bool {
        guard let seen = correctedLabels[label.kind] else { return false }
        return seen.contains { other in
            guard other.position == id.position, standing(for: other.entry) == standing(for: id.entry) else {
                return false
            }
            return other == id || givenLabels[other] == label
        }
    }

    mutating func apply(_ assignment: LabelAssignment, by entry: EntryID) {
        givenLabels[ValueID(entry: entry, position: 0)] = assignment.label
        correctedLabels[assignment.label.kind, default: []].formUnion(assignment.seen)
    }

    /// Enters the labels of a registration, or of another sending of it, whose node may have issued another text.
    mutating func enterLabels(of registration: WrittenEntry) {
        guard case .participantRegistered(let payload)? = registration.action?.operation else { return }
        for (place, label) in payload.labels.enumerated() {
            givenLabels[ValueID(entry: registration.id, position: UInt64(place))] = label
        }
    }

    /// The links of this record that nobody took back, by entry.
    public var standingLinks: [EntryID: LinkState] { links.filter { !undoneLinks.contains($0.key) } }

    /// The part of the digest that is about labels and links.
    func writeLabelsAndLinks(into writer: inout WireWriter) {
        for given in labelHistory {
            writer.message(47) { inner in
                inner.identifier(1, given.id.entry)
                inner.unsigned(2, given.id.position)
                inner.unsigned(3, given.label.kind.rawValue)
                inner.string(4, given.label.text)
                inner.boolean(5, given.isCorrected)
            }
        }
        for (entry, link) in links.sorted(by: { $0.key < $1.key }) {
            writer.message(48) { inner in
                inner.identifier(1, entry)
                inner.identifier(2, link.other)
                inner.string(3, link.otherLocation.text)
                inner.boolean(4, undoneLinks.contains(entry))
            }
        }
    }
}
