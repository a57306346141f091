import EventLog
import Node
import Trial
import Views

/// A piece of what people have to decide in a study.
struct ConflictListDocument: Codable {
    /// Whether everything that had come to this node is in it.
    var isCurrent: Bool
    var conflicts: [ConflictDocument]
    /// To be sent as `cursor` for the next piece; absent where this is the last.
    var next: String?

    init(
        _ reading: ViewReading<ListPiece<ConflictSummary>>, _ definition: StudyDefinition?,
        preferring languages: [String]
    ) {
        isCurrent = reading.isCurrent
        conflicts = reading.contents.elements.map { ConflictDocument($0, definition, preferring: languages) }
        next = reading.contents.next.map(Cursor.text)
    }
}

/// Something that an entitled person is to decide, with every side.
struct ConflictDocument: Codable {
    struct Value: Codable {
        var group: InstanceID
        var item: ItemOID
        var value: ValueDocument
    }

    struct Side: Codable {
        /// `value`, `version`, `beginning`, `removal`, `restoration` or `answer`.
        var kind: String
        /// By what a resolution, or a decision on beginnings, names it.
        var id: SeenValue?
        var entry: EntryID
        var node: NodeID?
        var actor: ActorID?
        var role: String?
        var utcMilliseconds: Int64?
        var values: [Value]
    }

    var participant: EntryID
    var location: LocationID
    var labels: [LabelDocument]
    /// `item`, `whole`, `instance`, `removal` or `answer`.
    var kind: String
    /// The item group, whole, form or removed instance; absent where the participant was removed.
    var instance: InstanceID?
    var item: ItemOID?
    var event: String?
    var form: String?
    /// To be read with all its sides in sight.
    var formInstance: InstanceID?
    /// True while a side's writer saw something that is not here yet: it may be decided already, and is not yet work.
    var isWaiting: Bool
    var sides: [Side]
    /// Decisions that stand and differ.
    var decisions: [EntryID]

    init(_ conflict: ConflictSummary, _ definition: StudyDefinition?, preferring languages: [String]) {
        participant = conflict.participant
        location = conflict.location
        labels = conflict.labels.map(LabelDocument.init)
        kind = conflict.kind
        instance = conflict.instance
        item = conflict.item
        event = conflict.event
        form = conflict.form
        formInstance = conflict.formInstance
        isWaiting = conflict.isWaiting
        decisions = conflict.decisions
        sides = conflict.sides.map { side in
            Side(
                kind: side.kind, id: side.position.map { SeenValue(entry: side.entry, position: $0) },
                entry: side.entry, node: side.origin?.node, actor: side.origin?.actor, role: side.origin?.role,
                utcMilliseconds: side.origin?.utcMilliseconds,
                values: side.values.map { placed in
                    let list = definition?.items[placed.item].flatMap { definition?.codeList(of: $0) }
                    let label = placed.value.flatMap {
                        list?.entry(for: $0.normalised)?.label(preferring: languages)
                    }
                    return Value(group: placed.group, item: placed.item, value: ValueDocument(placed, label: label))
                })
        }
    }
}

extension ParticipantState {
    /// The form that an instance is or stands in; nil for an event.
    func form(around id: InstanceID) -> InstanceID? {
        guard let shape = instances[id]?.shape else { return nil }
        return switch shape.kind {
        case .studyEvent: nil
        case .form: id
        case .itemGroup: shape.parent
        }
    }
}

/// Resolves a conflict of an item or of a whole.
struct ResolutionDocument: CommandDocument {
    enum Verdict: String, Codable {
        case chosen, wrong, elsewhere

        var verdict: SideVerdict {
            switch self {
            case .chosen: .chosen
            case .wrong: .wrong
            case .elsewhere: .elsewhere
            }
        }
    }

    struct Side: Codable {
        var side: SeenValue
        var verdict: Verdict
    }

    var command: CommandID
    /// The item group, or the whole form or group.
    var instance: InstanceID
    /// The item; absent where a whole is resolved.
    var item: ItemOID?
    /// A verdict on every side.
    var sides: [Side]
    /// What is to stand; absent where that is the chosen side.
    var outcome: [FormEntryDocument.Group]?
    var seen: [SeenValue]
    var reason: String
    var provenance: ProvenanceDocument?

    func entry(of participant: EntryID, at location: LocationID) throws -> ResolutionEntry {
        ResolutionEntry(
            location: location, participant: .registration(participant), instance: instance, item: item,
            sides: sides.map { JudgedSideEntry(side: $0.side, verdict: $0.verdict.verdict) },
            outcome: try (outcome ?? []).map { try $0.entered() }, seen: seen, reason: reason)
    }
}

/// Decides what the beginnings of a form are.
struct InstanceDecisionDocument: CommandDocument {
    enum Choice: String, Codable {
        case same, two, wrong
    }

    var command: CommandID
    var form: InstanceID
    /// Every beginning that was on the screen.
    var beginnings: [SeenValue]
    var choice: Choice
    /// Of the choice `wrong` those that are.
    var wrong: [SeenValue]?
    var reason: String
    var provenance: ProvenanceDocument?

    func entry(of participant: EntryID, at location: LocationID) throws -> InstanceDecisionEntry {
        func beginning(_ named: SeenValue) -> Beginning { Beginning(entry: named.entry, position: named.position) }
        let made: InstanceChoiceMade
        switch (choice, wrong) {
        case (.same, nil): made = .same
        case (.two, nil): made = .two
        case (.wrong, let wrong?): made = .wrong(wrong.map(beginning))
        default: throw Problem.badRequest("'wrong' goes with the choice wrong, and with no other")
        }
        return InstanceDecisionEntry(
            location: location, participant: .registration(participant), form: form,
            beginnings: beginnings.map(beginning), choice: made, reason: reason)
    }
}

/// Confirms a form whose values never stood together before a person.
struct FormConfirmationDocument: CommandDocument {
    var command: CommandID
    var form: InstanceID
    var seen: [SeenValue]
    var provenance: ProvenanceDocument?
}
