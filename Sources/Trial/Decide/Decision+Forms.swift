import EventLog

extension Decision {
    static func decideSave(
        _ entry: FormEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        guard let (content, definition) = context.definition else { throw .noDefinitions }
        let participant = try participant(entry.participant, at: entry.location, in: context)
        let seen = entry.seen.map { ValueID(entry: participant.standing(for: $0.entry), position: $0.position) }
        var table = InstanceTable(
            participant: participant, definition: definition, seen: seen, entryOfCommand: context.entryOfCommand)
        let form = try table.form(entry)
        var changes = try changes(entry.groups, in: form, &table, definition)
        try requireCurrent(Set(seen), for: changes, in: table)
        try requireRightToDecide(of: command.sender, for: changes, in: table)
        if !changes.isEmpty { try completeWholes(&changes, in: &table, definition) }
        guard !changes.isEmpty || table.beginsSomething else { throw .nothingToDo }
        var save = FormSave(participant: participant.id, instances: table.lines, changes: changes, seen: seen)
        save.prompts = entry.prompts
        save.calculated = entry.calculated
        save.comment = entry.comment
        save.reason = entry.reason
        return try forParticipant(
            .formSaved(save), at: entry.location, subject: participant.subject, definition: content, command,
            in: context)
    }

    /// The changes that entered groups make.
    static func changes(
        _ groups: [EnteredGroup], in form: Int, _ table: inout InstanceTable, _ definition: StudyDefinition
    ) throws(Refusal) -> [Change] {
        var changes: [Change] = []
        var written: Set<WrittenItem> = []
        for group in groups {
            let place = try table.group(group.group, in: form)
            let definitions = try items(of: group, in: definition)
            for (entered, item) in zip(group.items, definitions) {
                guard written.insert(WrittenItem(instance: place, item: item.oid)).inserted else {
                    throw .badValue(item.oid, reason: "it is entered twice in one save; enter it once")
                }
                changes.append(
                    table.change(
                        of: item.oid, at: place, to: try value(of: entered, item, in: definition),
                        reasonCode: entered.reasonCode, isFreeText: item.isFreeText && isDatum(entered.value)))
            }
        }
        return changes
    }

    /// The definitions of a group's items, in the order entered.
    static func items(
        of group: EnteredGroup, in definition: StudyDefinition
    ) throws(Refusal) -> [ItemDefinition] {
        guard let groupDefinition = definition.itemGroups[ItemGroupOID(group.group.oid)] else {
            throw .unknownOID(group.group.oid)
        }
        var items: [ItemDefinition] = []
        for entered in group.items {
            guard groupDefinition.items.contains(oid: entered.item), let item = definition.items[entered.item] else {
                throw .unknownOID(entered.item.text)
            }
            items.append(item)
        }
        return items
    }

    /// Refuses a save whose writer had not seen what stands at this node in an item it writes, and in a whole form or group
    /// in any item of it (DESIGN §5, "At one node there is no conflict").
    private static func requireCurrent(
        _ seen: Set<ValueID>, for changes: [Change], in table: InstanceTable
    ) throws(Refusal) {
        var stale: Set<ItemOID> = []
        for change in changes {
            let held = table.registers(at: change.instance)?[change.item]?.held ?? []
            if !held.allSatisfy({ seen.contains($0.id) }) { stale.insert(change.item) }
        }
        for registers in table.registersOfWholes {
            for (item, register) in registers where !register.held.allSatisfy({ seen.contains($0.id) }) {
                stale.insert(item)
            }
        }
        guard stale.isEmpty else { throw .newerValues(stale.sorted()) }
    }

    /// Refuses a save that would end a conflict where the sender may not decide one.
    private static func requireRightToDecide(
        of sender: Sender, for changes: [Change], in table: InstanceTable
    ) throws(Refusal) {
        guard !RoleTable.allows(sender.role.role, .decideConflicts) else { return }
        let conflicting = changes.filter { table.registers(at: $0.instance)?[$0.item]?.isConflict == true }
        guard conflicting.isEmpty else { throw .inConflict(conflicting.map(\.item)) }
    }

    /// Lets a save in a whole form or group hold every item of it, so that the version stands by itself (M34).
    private static func completeWholes(
        _ changes: inout [Change], in table: inout InstanceTable, _ definition: StudyDefinition
    ) throws(Refusal) {
        let written = Set(changes.map(WrittenItem.init))
        for (group, item, register) in table.itemsOfWholes {
            let place = try table.standing(group)
            guard !written.contains(WrittenItem(instance: place, item: item)) else { continue }
            guard !register.isConflict else { throw .inConflict([item]) }
            guard let held = register.current else { continue }
            changes.append(table.copy(of: held, item, at: place, definition))
        }
    }

    static func isDatum(_ value: EnteredValue) -> Bool {
        if case .datum = value { true } else { false }
    }

    /// The value that an item is to hold, checked against its definition.
    static func value(
        of entered: EnteredItem, _ item: ItemDefinition, in definition: StudyDefinition
    ) throws(Refusal) -> Value {
        switch item.itemClass {
        case .open: break
        case .identifying: throw .identifyingItem(item.oid)
        case .restricted: throw .restrictedItem(item.oid)
        }
        switch entered.value {
        case .missing(let reason): return .missing(reason)
        case .cleared(let reason): return .cleared(reason)
        case .datum(let typed, let unit):
            let judgement = ValueNormaliser.judge(
                typed, for: item, in: definition, unit: unit.map { MeasurementUnitOID($0) })
            guard let normal = judgement.normalForm, judgement.isAcceptable else {
                throw .badValue(item.oid, reason: judgement.errors.first?.reason ?? "the value may not stand here")
            }
            if let list = item.codeList {
                return Value(
                    kind: .codes, typed: typed, normalised: normal, unit: unit, codeList: list.text, codes: [normal])
            }
            return Value(kind: ValueKind(item.dataType), typed: typed, normalised: normal, unit: unit)
        }
    }
}

/// An item that a command writes, by its line in the table of instances.
struct WrittenItem: Hashable {
    let instance: Int
    let item: ItemOID

    init(instance: Int, item: ItemOID) {
        self.instance = instance
        self.item = item
    }

    init(_ change: Change) {
        self.init(instance: change.instance, item: change.item)
    }
}

extension ValueKind {
    /// The kind of the data of a type.
    init(_ type: ItemDataType) {
        self =
            switch type {
            case .text, .string, .uri, .hexBinary, .base64Binary, .hexFloat, .base64Float: .text
            case .integer: .integer
            case .float, .double: .decimal
            case .boolean: .boolean
            case .date: .date
            case .time: .time
            case .datetime: .dateTime
            case .partialDate, .partialTime, .partialDatetime, .incompleteDate, .incompleteTime, .incompleteDatetime:
                .partialDateTime
            case .durationDatetime, .intervalDatetime: .duration
            }
    }
}
