import EventLog
import Node
import Trial
import Views

/// Which event, form or group something is about, as a save names it.
struct SelectorDocument: Codable {
    /// What a save begins.
    struct Beginning: Codable {
        var repeatKey: String?
    }

    /// OID of the definition.
    var oid: String
    /// One that stands in the record.
    var instance: InstanceID?
    /// One that the save begins.
    var begin: Beginning?
    /// One that an earlier command of the same sender began.
    var begunBy: CommandID?

    /// Names one; without more than the OID the only one of its kind is meant.
    init(oid: String, instance: InstanceID? = nil) {
        self.oid = oid
        self.instance = instance
    }

    /// The selector that the node takes.
    func selector() throws -> InstanceSelector {
        switch (instance, begin, begunBy) {
        case (nil, nil, nil): return InstanceSelector(oid: oid, choice: .once)
        case (let instance?, nil, nil): return InstanceSelector(oid: oid, choice: .existing(instance))
        case (nil, let begin?, nil): return InstanceSelector(oid: oid, choice: .new(repeatKey: begin.repeatKey))
        case (nil, nil, let command?): return InstanceSelector(oid: oid, choice: .begunBy(command))
        default:
            throw Problem.badRequest("'\(oid)' is named in two ways; name it by one of instance, begin and begunBy")
        }
    }
}

/// One form of a participant: what stands in it, and all that is needed to draw it on a screen.
struct FormDocument: Codable {
    struct Place: Codable {
        var instance: InstanceID
        var label: String
        var repeatKey: String?
        var isBegun: Bool
        var isRemoved: Bool
        /// How a save names it.
        var selector: SelectorDocument
    }

    struct Group: Codable {
        var oid: String
        var label: String
        var isRepeating: Bool
        var isWhole: Bool
        /// The rows that stand; a group that does not repeat has one, begun or not.
        var rows: [Row]
        /// Its items, in their order, with what may stand in them.
        var items: [DefinitionsDocument.Item]
    }

    struct Row: Codable {
        /// Absent for a group that is not begun.
        var instance: InstanceID?
        var repeatKey: String?
        var isRemoved: Bool
        var selector: SelectorDocument
        var cells: [Cell]
    }

    /// What stands in an item.
    struct Cell: Codable {
        enum Status: String, Codable {
            /// Nothing was entered.
            case empty
            /// One value stands, or several that say the same.
            case current
            /// Something about it is to be decided: several stand that differ, or what it stands in is a conflict.
            case conflict
        }

        var item: ItemOID
        var status: Status
        var values: [ValueDocument]
    }

    /// A node that wrote something of the form, and where that is durable.
    struct Save: Codable {
        var entry: EntryID
        var log: LogID
        var index: UInt64
        var node: NodeID?
        var utcMilliseconds: Int64?
        var alsoAt: [NodeID]
    }

    var study: StudyID
    var participant: EntryID
    var location: LocationID
    var labels: [LabelDocument]
    var definitions: Hash
    var event: Place
    var form: Place
    var isWhole: Bool
    var isFullyUnderstood: Bool
    /// Absent for a form that is not begun.
    var status: FormStatus?
    var groups: [Group]
    /// Every value shown here: what a save names as seen.
    var seen: [SeenValue]
    /// The entries whose values stand here.
    var saves: [Save]
}

/// A value that stands in an item.
struct ValueDocument: Codable {
    var id: SeenValue
    /// Absent where the datum was dropped by an order.
    var kind: String?
    /// The orders that dropped it; absent where it is here.
    var erasedBy: [EntryID]?
    var typed: String?
    var normalised: String?
    var unit: String?
    /// What a code means.
    var label: String?
    /// Why there is no datum.
    var reason: String?
    var node: NodeID?
    var actor: ActorID?
    var role: String?
    var utcMilliseconds: Int64?

    init(_ held: HeldValue, _ record: ParticipantState, label: String?) {
        self.init(held.id, held.value, label: label)
        erasedBy = held.value == nil ? record.orders(on: held) : nil
        let origin = record.origins[held.id.entry]
        node = origin?.node
        actor = origin?.authority.actor
        role = origin?.authority.role.description
        utcMilliseconds = origin?.time.utcMilliseconds
    }

    init(_ placed: ConflictSummary.PlacedValue, label: String?) {
        self.init(placed.id, placed.value, label: label)
        node = placed.origin?.node
        actor = placed.origin?.actor
        role = placed.origin?.role
        utcMilliseconds = placed.origin?.utcMilliseconds
    }

    private init(_ id: ValueID, _ value: Value?, label: String?) {
        self.id = SeenValue(entry: id.entry, position: id.position)
        kind = value.map { "\($0.kind)" }
        let isDatum = value.map { $0.kind != .missing && $0.kind != .cleared } ?? false
        typed = isDatum ? value?.typed : nil
        normalised = isDatum ? value?.normalised : nil
        unit = value?.unit
        self.label = label
        reason = value?.reason
    }
}

extension FormDocument {
    /// Reads a form out of a record; nil where the record has no such form and can have none.
    ///
    /// - Parameter alsoAt: the other nodes that hold an entry durably, by the entry.
    init?(
        _ instance: InstanceID, of reading: ParticipantReading, in study: StudyID, _ definitions: DefinitionReading,
        preferring languages: [String]
    ) {
        let definition = definitions.definition
        let record = reading.state
        let outline = RecordOutline(record, definition)
        guard let (event, form) = outline.place(of: instance),
            let formDefinition = definition.forms[FormOID(form.oid)]
        else { return nil }
        self.study = study
        participant = record.id
        location = record.location
        labels = record.labels.map(LabelDocument.init)
        self.definitions = definitions.content
        self.event = Place(
            event.instance, event.state, oid: event.oid, record,
            label: definition.events[StudyEventOID(event.oid)]?.label(preferring: languages) ?? event.oid)
        self.form = Place(
            form.instance, form.state, oid: form.oid, record, label: formDefinition.label(preferring: languages))
        isWhole = formDefinition.isWhole
        isFullyUnderstood = reading.isFullyUnderstood
        status = record.formStatuses[instance]
        let conflicts = record.openConflicts
        let standing = outline.groups(of: instance)
        let shown = DefinitionsDocument.form(formDefinition, in: definition, preferring: languages)
        groups = shown.groups.map { group in
            let rows = standing.filter { $0.value.shape.oid == group.oid.text }
            return Group(group, rows: rows, record, conflicts, definition, preferring: languages)
        }
        seen = groups.flatMap(\.rows).flatMap(\.cells).flatMap(\.values).map(\.id)
        saves = Set(seen.map(\.entry)).sorted().compactMap { entry in
            reading.addresses[entry].map { address in
                let origin = record.origins[entry]
                return Save(
                    entry: entry, log: address.log, index: address.index, node: origin?.node,
                    utcMilliseconds: origin?.time.utcMilliseconds, alsoAt: [])
            }
        }
    }
}

extension FormDocument.Place {
    fileprivate init(
        _ instance: InstanceID, _ state: InstanceState?, oid: String, _ record: ParticipantState, label: String
    ) {
        self.instance = instance
        self.label = label
        repeatKey = state?.repeatKey
        isBegun = state != nil
        isRemoved = record.isRemovedWithin(instance)
        selector = SelectorDocument(oid: oid, instance: state)
    }
}

extension SelectorDocument {
    /// How a save names what stands, or the only one of its kind.
    fileprivate init(oid: String, instance state: InstanceState?) {
        self.init(oid: oid)
        if case .begun(let beginning)? = state?.identity { instance = .begun(by: beginning) }
    }
}

extension FormDocument.Group {
    fileprivate init(
        _ group: DefinitionsDocument.Group, rows: [(key: InstanceID, value: InstanceState)],
        _ record: ParticipantState, _ conflicts: OpenConflicts, _ definition: StudyDefinition,
        preferring languages: [String]
    ) {
        oid = group.oid.text
        label = group.label
        isRepeating = group.isRepeating
        isWhole = group.isWhole
        items = group.items
        self.rows = rows.map { id, state in
            FormDocument.Row(
                instance: id, repeatKey: state.repeatKey, isRemoved: record.isRemovedWithin(id),
                selector: SelectorDocument(oid: group.oid.text, instance: state),
                cells: group.items.map { item in
                    FormDocument.Cell(
                        item, state.registers[item.oid], isConflict: conflicts.cover(item.oid, of: id), record,
                        definition, preferring: languages)
                })
        }
        if rows.isEmpty, !group.isRepeating {
            self.rows = [
                FormDocument.Row(
                    isRemoved: false, selector: SelectorDocument(oid: group.oid.text),
                    cells: group.items.map { FormDocument.Cell(item: $0.oid, status: .empty, values: []) })
            ]
        }
    }
}

extension FormDocument.Cell {
    fileprivate init(
        _ item: DefinitionsDocument.Item, _ register: Register?, isConflict: Bool, _ record: ParticipantState,
        _ definition: StudyDefinition, preferring languages: [String]
    ) {
        let list = definition.items[item.oid].flatMap { definition.codeList(of: $0) }
        self.item = item.oid
        let held = register?.held ?? []
        status = held.isEmpty ? .empty : isConflict || register?.isConflict == true ? .conflict : .current
        values = held.map { held in
            ValueDocument(
                held, record,
                label: held.value.flatMap { list?.entry(for: $0.normalised)?.label(preferring: languages) })
        }
    }
}
