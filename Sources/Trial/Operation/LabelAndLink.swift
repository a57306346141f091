public import EventLog

/// A participant gets a label; it corrects those that it names as seen.
public struct LabelAssignment: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The label.
    public var label: ParticipantLabel
    /// Whether the node issued the text; what a node issues is no part of what tells a repeated command from another one.
    public var isIssued: Bool
    /// The labels of its kind that were on the screen, by the entry that gave each and the place in it.
    public var seen: [ValueID]

    /// States an assignment.
    public init(participant: EntryID, label: ParticipantLabel, isIssued: Bool = false, seen: [ValueID] = []) {
        self.participant = participant
        self.label = label
        self.isIssued = isIssued
        self.seen = seen
    }
}

/// Two records are said to be of one person, or that is taken back. No data move.
public struct ParticipantLink: Hashable, Sendable {
    /// The participant in whose record it stands.
    public var participant: EntryID
    /// The other one's registration.
    public var other: EntryID
    /// The location in whose stream the other one stands.
    public var otherLocation: LocationID
    /// The links that were seen; an unlinking takes these back, and no others.
    public var seen: [EntryID]
    /// Why.
    public var reason: String?

    /// States a link.
    public init(
        participant: EntryID, other: EntryID, otherLocation: LocationID, seen: [EntryID] = [], reason: String? = nil
    ) {
        self.participant = participant
        self.other = other
        self.otherLocation = otherLocation
        self.seen = seen
        self.reason = reason
    }
}

extension ParticipantLabel {
    func write(into writer: inout WireWriter, isIssued: Bool) {
        writer.unsigned(1, kind.rawValue)
        writer.string(2, text)
        writer.boolean(3, isIssued)
    }

    /// The label as a command asks for it: of one that the node issues only the kind.
    func asSent(isIssued: Bool) -> ParticipantLabel {
        isIssued ? ParticipantLabel(kind: kind, text: "") : self
    }
}

/// A label while it is being read.
struct LabelFields {
    private var kind: LabelKind?
    private var text = ""
    private(set) var isIssued = false

    /// Reads a message, or one more of a field that stands twice, which protobuf takes for one.
    mutating func read(_ reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.enumeration(LabelKind.self)
            case 2: text = try reader.string()
            case 3: isIssued = try reader.boolean()
            default: try reader.skip()
            }
        }
    }

    func finished() throws(WireError) -> ParticipantLabel {
        guard let kind else { throw .missing(field: 1) }
        return ParticipantLabel(kind: kind, text: text)
    }
}

extension Registration {
    mutating func readLabel(_ reader: inout WireReader) throws(WireError) {
        var fields = LabelFields()
        try fields.read(&reader)
        if fields.isIssued { issued.insert(labels.count) }
        labels.append(try fields.finished())
    }

    func write(into writer: inout WireWriter) {
        for (place, label) in labels.enumerated() {
            writer.message(50) { label.write(into: &$0, isIssued: issued.contains(place)) }
        }
    }
}

extension LabelAssignment {
    func write(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        writer.message(51) { label.write(into: &$0, isIssued: isIssued) }
        for value in seen {
            writer.message(52) { Beginning(entry: value.entry, position: value.position).write(into: &$0) }
        }
    }
}

/// An assignment while it is being read.
struct AssignmentFields {
    private var participant = EntryID(.zero)
    private var label = LabelFields()
    private var seen: [ValueID] = []

    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: participant = try reader.identifier()
        case 51:
            var inner = try reader.message()
            try label.read(&inner)
        case 52:
            var inner = try reader.message()
            let place = try Beginning(from: &inner)
            seen.append(ValueID(entry: place.entry, position: place.position))
        default: try reader.skip()
        }
    }

    func finished() throws(WireError) -> LabelAssignment {
        LabelAssignment(participant: participant, label: try label.finished(), isIssued: label.isIssued, seen: seen)
    }
}

extension ParticipantLink {
    func write(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        writer.identifier(51, other)
        writer.string(52, otherLocation.text)
        for entry in seen { writer.identifier(53, entry) }
    }
}

/// A link while it is being read.
struct LinkFields {
    private var participant = EntryID(.zero)
    private var other: EntryID?
    private var otherLocation: LocationID?
    private var seen: [EntryID] = []

    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: participant = try reader.identifier()
        case 51: other = try reader.identifier()
        case 52: otherLocation = try reader.label()
        case 53: seen.append(try reader.identifier())
        default: try reader.skip()
        }
    }

    func finished(reason: String?) throws(WireError) -> ParticipantLink {
        guard let other else { throw .missing(field: 51) }
        guard let otherLocation else { throw .missing(field: 52) }
        return ParticipantLink(
            participant: participant, other: other, otherLocation: otherLocation, seen: seen, reason: reason)
    }
}
