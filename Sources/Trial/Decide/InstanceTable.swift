import EventLog

/// Builds an entry's table of instances from what a command selects and what stands in the record.
struct InstanceTable {
    let participant: ParticipantState
    let definition: StudyDefinition?
    let entryOfCommand: (CommandID) -> EntryID?
    private(set) var lines: [InstanceDeclaration] = []
    /// The id of each line; nil for what this entry begins, whose id is known only when the entry is.
    private(set) var ids: [InstanceID?] = []
    /// The values that were on the screen, each with its place in the entry's list.
    private let seen: [ValueID: UInt64]
    /// Where an instance that is known stands in the table.
    private var placesByID: [InstanceID: Int] = [:]
    /// Where what is named by what it is stands below something that this entry begins.
    private var placesByKey: [NaturalKey: Int] = [:]

    /// What names an instance that stands once, below another line.
    private struct NaturalKey: Hashable {
        let kind: InstanceKind
        let parent: Int?
        let oid: String
    }

    init(
        participant: ParticipantState, definition: StudyDefinition?, seen: [ValueID] = [],
        entryOfCommand: @escaping (CommandID) -> EntryID?
    ) {
        self.seen = Dictionary(
            seen.enumerated().map { ($0.element, UInt64($0.offset)) }, uniquingKeysWith: { first, _ in first })
        self.participant = participant
        self.definition = definition
        self.entryOfCommand = entryOfCommand
    }

    /// Whether the entry begins an instance.
    var beginsSomething: Bool { lines.contains { $0.beginsHere } }

    /// The instance of a line; nil for what this entry begins.
    func id(at place: Int) -> InstanceID? { ids[place] }

    /// The registers that stand in a line's instance.
    func registers(at place: Int) -> [ItemOID: Register]? {
        ids[place].flatMap { participant.instances[$0]?.registers }
    }

    /// The registers of every instance that is a whole, or stands in one, of those this entry is about.
    private var wholes: [(id: InstanceID, registers: [ItemOID: Register])] {
        var wholes: [InstanceID: [ItemOID: Register]] = [:]
        for (line, id) in zip(lines, ids) where line.isWhole {
            guard let id else { continue }
            wholes[id] = participant.instances[id]?.registers
            for (other, state) in participant.instances where state.shape.parent == id {
                wholes[other] = state.registers
            }
        }
        return wholes.sorted { $0.key < $1.key }.map { (id: $0.key, registers: $0.value) }
    }

    /// The registers of the wholes that this entry is about.
    var registersOfWholes: [[ItemOID: Register]] { wholes.map(\.registers) }

    /// Every item with a value in the wholes that this entry is about, in the order of group and item.
    var itemsOfWholes: [(group: InstanceID, item: ItemOID, register: Register)] {
        wholes.flatMap { id, registers in
            registers.filter { !$0.value.held.isEmpty }.sorted { $0.key < $1.key }
                .map { (group: id, item: $0.key, register: $0.value) }
        }
    }

    /// A change of an item at a line's instance.
    func change(
        of item: ItemOID, at place: Int, to value: Value?, reasonCode: String? = nil, isFreeText: Bool
    ) -> Change {
        let held = registers(at: place)?[item]?.held ?? []
        return Change(
            instance: place, item: item, value: value,
            replaces: held.compactMap { seen[$0.id] },
            reasonCode: reasonCode, isCorrection: !held.isEmpty, isFreeText: isFreeText)
    }

    /// A change that writes again what a value says.
    func copy(
        of held: HeldValue, _ item: ItemOID, at place: Int, _ definition: StudyDefinition
    ) -> Change {
        let hasDatum = held.value.map { $0.kind != .missing && $0.kind != .cleared } ?? false
        // An item that the definitions have no more was written as their version said; text is then best kept apart.
        let isFreeText = definition.items[item].map(\.isFreeText) ?? (held.value?.kind == .text)
        return change(of: item, at: place, to: held.value, isFreeText: hasDatum && isFreeText)
    }

    /// Enters the event and the form that a save is about; gives the form's place.
    mutating func form(_ entry: FormEntry) throws(Refusal) -> Int {
        let (eventPlace, form) = try event(entry.event, holding: FormOID(entry.form.oid))
        return try add(
            InstanceSelector(oid: form.oid.text, choice: entry.form.choice), kind: .form, parent: eventPlace,
            repeats: form.isRepeating, isWhole: form.isWhole)
    }

    /// Enters an event; gives its place, and the definition of a form that it holds.
    mutating func event(
        _ selector: InstanceSelector, holding oid: FormOID
    ) throws(Refusal) -> (place: Int, form: FormDefinition) {
        let (event, form) = try definitions(of: selector, holding: oid)
        // Written as the definition spells them, for ids are made of the bytes.
        let place = try add(
            InstanceSelector(oid: event.oid.text, choice: selector.choice), kind: .studyEvent, parent: nil,
            repeats: event.isRepeating || event.type == .unscheduled, isWhole: false)
        return (place, form)
    }

    /// The definitions of an event and of a form that it holds.
    func definitions(
        of selector: InstanceSelector, holding oid: FormOID
    ) throws(Refusal) -> (event: StudyEventDefinition, form: FormDefinition) {
        guard let definition, let event = definition.events[StudyEventOID(selector.oid)] else {
            throw .unknownOID(selector.oid)
        }
        guard event.forms.contains(oid: oid), let form = definition.forms[oid] else { throw .unknownOID(oid.text) }
        return (event, form)
    }

    /// Enters an item group; gives its place.
    mutating func group(_ selector: InstanceSelector, in form: Int) throws(Refusal) -> Int {
        let formOID = FormOID(lines[form].oid)
        guard let definition else { throw .unknownOID(selector.oid) }
        let group = try groupDefinition(selector.oid, in: form)
        return try add(
            InstanceSelector(oid: group.oid.text, choice: selector.choice), kind: .itemGroup, parent: form,
            repeats: group.isRepeating, isWhole: definition.isWhole(form: formOID, group: group.oid))
    }

    /// The definition of an item group of the form that stands at `form`.
    func groupDefinition(_ group: String, in form: Int) throws(Refusal) -> ItemGroupDefinition {
        guard let found = definition?.itemGroups[ItemGroupOID(group)],
            definition?.forms[FormOID(lines[form].oid)]?.itemGroups.contains(oid: found.oid) == true
        else { throw .unknownOID(group) }
        return found
    }

    private mutating func add(
        _ selector: InstanceSelector, kind: InstanceKind, parent: Int?, repeats: Bool, isWhole: Bool
    ) throws(Refusal) -> Int {
        var line = InstanceDeclaration(
            kind: kind, parent: parent, oid: selector.oid, identity: .natural, beginsHere: false, isWhole: isWhole)
        var id: InstanceID?
        switch selector.choice {
        case .once:
            guard !repeats else { throw .unknownInstance(oid: selector.oid) }
            if parent == nil || parent.flatMap({ ids[$0] }) != nil {
                let natural = InstanceID.natural(
                    participant: participant.id, parent: parent.flatMap { ids[$0] }, kind: kind, oid: selector.oid)
                line.seenBeginnings = participant.instances[natural]?.beginnings.keys.sorted() ?? []
                id = natural
            }
            line.beginsHere = line.seenBeginnings.isEmpty
        case .new(let repeatKey):
            guard repeats else { throw .unknownInstance(oid: selector.oid) }
            line.identity = .own
            line.beginsHere = true
            line.repeatKey = repeatKey
        case .existing(let existing):
            guard let state = participant.instances[existing], state.shape.kind == kind,
                state.shape.oid == selector.oid, state.shape.parent == parent.flatMap({ ids[$0] })
            else { throw .unknownInstance(oid: selector.oid) }
            if case .response = state.identity { throw .onlyByClient(oid: selector.oid) }
            (line.identity, line.seenBeginnings) = identity(of: state)
            id = existing
        case .begunBy(let command):
            guard let entry = entryOfCommand(command).map(participant.standing(for:)),
                let beginning = begun(
                    by: entry, InstanceState.Shape(kind: kind, oid: selector.oid, parent: parent.flatMap { ids[$0] }))
            else { throw .unknownInstance(oid: selector.oid) }
            line.identity = .begun(beginning)
            id = .begun(by: beginning)
        }
        line.isWhole = self.isWhole(line, id)
        return append(line, id)
    }

    /// Whether a line is to say that its instance is whole: also where only earlier entries say so of it or of its form, and
    /// the definitions do not, for that is what counts (M13), and a save in a whole holds all of it.
    private func isWhole(_ line: InstanceDeclaration, _ id: InstanceID?) -> Bool {
        line.isWhole || id.flatMap { participant.instances[$0]?.isWhole } ?? false
            || line.kind == .itemGroup && line.parent.map { lines[$0].isWhole } ?? false
    }

    mutating func append(_ line: InstanceDeclaration, _ id: InstanceID?) -> Int {
        // A group may be named twice in one save; its items then belong to the one line. Under what this entry begins, a
        // natural key says as much as an id does.
        let key = NaturalKey(kind: line.kind, parent: line.parent, oid: line.oid)
        if let id {
            if let same = placesByID[id] { return same }
            placesByID[id] = lines.count
        } else if line.identity == .natural {
            if let same = placesByKey[key] { return same }
        }
        if line.identity == .natural, placesByKey[key] == nil { placesByKey[key] = lines.count }
        lines.append(line)
        ids.append(id)
        return lines.count - 1
    }

    /// Enters the way down to the form that participant, visit and OID name, whether it stands or only beginnings apart from
    /// it do; gives its place.
    mutating func undivided(_ form: InstanceID) throws(Refusal) -> (place: Int, id: InstanceID) {
        let id = participant.undividedForm(of: form)
        if let state = participant.instances[id] {
            guard state.shape.kind == .form, state.identity == .natural else {
                throw .unknownInstance(oid: state.shape.oid)
            }
            return (try standing(id), id)
        }
        guard let state = participant.instances[form], let event = state.shape.parent else {
            throw .unknownInstance(oid: form.description)
        }
        let line = InstanceDeclaration(
            kind: .form, parent: try standing(event), oid: state.shape.oid, identity: .natural, beginsHere: false,
            isWhole: state.isWhole)
        return (append(line, id), id)
    }

    /// Enters the way down to an instance that stands; gives its place.
    mutating func standing(_ id: InstanceID) throws(Refusal) -> Int {
        guard let state = participant.instances[id] else { throw .unknownInstance(oid: id.description) }
        let parent: Int?
        if let above = state.shape.parent {
            // Of an instance whose beginning is not here a faulty entry can say anything; each step up is one level, so the
            // way ends.
            guard participant.instances[above]?.shape.kind.rawValue == state.shape.kind.rawValue - 1 else {
                throw .unknownInstance(oid: state.shape.oid)
            }
            parent = try standing(above)
        } else {
            parent = nil
        }
        var line = InstanceDeclaration(
            kind: state.shape.kind, parent: parent, oid: state.shape.oid, identity: .natural, beginsHere: false,
            isWhole: state.isWhole)
        (line.identity, line.seenBeginnings) = identity(of: state)
        return append(line, id)
    }

    /// By what an instance that stands is named: its beginning where that gives its id, else its natural key.
    private func identity(of state: InstanceState) -> (InstanceIdentity, [Beginning]) {
        // The entry that began it need not be here for it to be known by that entry.
        guard case .natural = state.identity else { return (state.identity, []) }
        return (.natural, state.beginnings.keys.sorted())
    }

    private func begun(by entry: EntryID, _ shape: InstanceState.Shape) -> Beginning? {
        // An entry has few lines, so its beginnings are found by asking for each in turn.
        for position in 0..<UInt64(256) {
            let beginning = Beginning(entry: entry, position: position)
            if participant.instances[.begun(by: beginning)]?.shape == shape { return beginning }
        }
        return nil
    }
}
