public import EventLog

/// What a person decides of one beginning of a form that was begun more than once.
public enum InstanceVerdict: UInt64, Sendable, Codable {
    /// It is the form that participant, visit and OID name; several of these are merged by item.
    case same = 1
    /// It is another form, whose id is that of the beginning.
    case apart = 2
    /// It does not count; it is kept and shown.
    case wrong = 3
}

/// The verdict on one beginning.
public struct BeginningVerdict: Hashable, Sendable {
    /// The beginning.
    public var beginning: Beginning
    /// What it is.
    public var verdict: InstanceVerdict

    /// States a verdict.
    public init(_ beginning: Beginning, _ verdict: InstanceVerdict) {
        self.beginning = beginning
        self.verdict = verdict
    }
}

/// A person decides what the beginnings of a form are that had not seen each other (`Protocols/merge.md`, M32).
public struct InstanceDecision: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The way down to the form, which is the last line and named by what it is.
    public var instances: [InstanceDeclaration]
    /// The beginnings decided about; each once, at least one.
    public var verdicts: [BeginningVerdict]
    /// The earlier decisions on this form that this one replaces.
    public var seen: [EntryID]
    /// Why, in a person's words.
    public var reason: String?

    /// States a decision.
    public init(
        participant: EntryID, instances: [InstanceDeclaration], verdicts: [BeginningVerdict], seen: [EntryID] = [],
        reason: String? = nil
    ) {
        self.participant = participant
        self.instances = instances
        self.verdicts = verdicts
        self.seen = seen
        self.reason = reason
    }
}

/// What a person says of one side of a conflict.
public enum SideVerdict: UInt64, Sendable, Codable {
    /// It is what holds.
    case chosen = 1
    /// It is wrong.
    case wrong = 2
    /// It is true of another item, form or participant.
    case elsewhere = 3
}

/// The verdict on one side; a version of a whole is named by the lowest of its values.
public struct JudgedSide: Hashable, Sendable {
    /// The side.
    public var side: ValueID
    /// What it is.
    public var verdict: SideVerdict

    /// States a verdict.
    public init(_ side: ValueID, _ verdict: SideVerdict) {
        self.side = side
        self.verdict = verdict
    }
}

/// A conflict is resolved: every side is judged, and the outcome is written as a save writes it (M35).
public struct Resolution: Hashable, Sendable {
    /// The outcome and what was seen, every side among it.
    public var save: FormSave
    /// The verdicts; at least one.
    public var sides: [JudgedSide]

    /// States a resolution.
    public init(save: FormSave, sides: [JudgedSide]) {
        self.save = save
        self.sides = sides
    }
}

/// A person who saw every value of a form says that they may stand together (M36).
public struct Confirmation: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The way down to the form, which is the last line.
    public var instances: [InstanceDeclaration]
    /// Every value that was on the screen.
    public var seen: [ValueID]

    /// States a confirmation.
    public init(participant: EntryID, instances: [InstanceDeclaration], seen: [ValueID]) {
        self.participant = participant
        self.instances = instances
        self.seen = seen
    }
}

extension InstanceDecision {
    func write(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        for line in instances { writer.message(51) { line.write(into: &$0) } }
        for verdict in verdicts {
            writer.message(52) { inner in
                verdict.beginning.write(into: &inner)
                inner.unsigned(3, verdict.verdict.rawValue)
            }
        }
        for entry in seen { writer.identifier(53, entry) }
    }
}

extension Resolution {
    func writeStructure(into writer: inout WireWriter) {
        save.writeStructure(into: &writer)
        for side in sides {
            writer.message(54) { inner in
                inner.identifier(1, side.side.entry)
                inner.unsigned(2, side.side.position)
                inner.unsigned(3, side.verdict.rawValue)
            }
        }
    }
}

extension Confirmation {
    func write(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        for line in instances { writer.message(51) { line.write(into: &$0) } }
        writeSeen(seen, field: 52, into: &writer)
    }
}

/// Collects the fields of the operations on conflicts.
struct ConflictPayload {
    private var save = FormSave(participant: EntryID(.zero), instances: [], changes: [])
    private var verdicts: [BeginningVerdict] = []
    private var decisions: [EntryID] = []
    private var sides: [JudgedSide] = []

    mutating func read(_ field: Int, _ reader: inout WireReader, of type: OperationType) throws(WireError) {
        switch (type, field) {
        case (_, 50), (_, 51), (.conflictResolved, 52), (.conflictResolved, 53):
            try save.readStructure(field, &reader)
        case (.conflictResolved, 54):
            let (entry, position, verdict) = try judged(SideVerdict.self, &reader)
            sides.append(JudgedSide(ValueID(entry: entry, position: position), verdict))
        case (.instancesDecided, 52):
            let (entry, position, verdict) = try judged(InstanceVerdict.self, &reader)
            verdicts.append(BeginningVerdict(Beginning(entry: entry, position: position), verdict))
        case (.instancesDecided, 53): decisions.append(try reader.identifier())
        case (.formConfirmed, 52): try readSeen(&save.seen, &reader)
        default: try reader.skip()
        }
    }

    /// Reads a message of an entry, a position and a verdict.
    private func judged<Verdict: RawRepresentable>(
        _ type: Verdict.Type, _ reader: inout WireReader
    ) throws(WireError) -> (EntryID, UInt64, Verdict) where Verdict.RawValue == UInt64 {
        var inner = try reader.message()
        var entry: EntryID?
        var position: UInt64 = 0
        var verdict: Verdict?
        while let field = try inner.next() {
            switch field {
            case 1: entry = try inner.identifier()
            case 2: position = try inner.unsigned()
            case 3: verdict = try inner.enumeration(type)
            default: try inner.skip()
            }
        }
        guard let entry else { throw .missing(field: 1) }
        guard let verdict else { throw .missing(field: 3) }
        return (entry, position, verdict)
    }

    mutating func finished(with entry: Entry, of type: OperationType) throws(WireError) -> Operation {
        switch type {
        case .instancesDecided:
            // Only a form that participant, visit and OID name can be begun twice.
            guard let form = save.instances.last, form.kind == .form, form.identity == .natural else {
                throw .outOfRange(field: 51)
            }
            guard !verdicts.isEmpty, Set(verdicts.map(\.beginning)).count == verdicts.count else {
                throw .outOfRange(field: 52)
            }
            return .instancesDecided(
                InstanceDecision(
                    participant: save.participant, instances: save.instances, verdicts: verdicts, seen: decisions,
                    reason: try entry.text(of: .reason)))
        case .conflictResolved:
            try save.readContent(of: entry)
            let seen = Set(save.seen)
            guard !sides.isEmpty, !save.changes.isEmpty, sides.allSatisfy({ seen.contains($0.side) }) else {
                throw .outOfRange(field: 54)
            }
            return .conflictResolved(Resolution(save: save, sides: sides))
        default:
            guard save.instances.last?.kind == .form else { throw .outOfRange(field: 51) }
            return .formConfirmed(
                Confirmation(participant: save.participant, instances: save.instances, seen: save.seen))
        }
    }
}
