import EventLog
import Trial

/// Makes the row of one form instance.
struct FormReduction {
    let record: ParticipantState
    let id: InstanceID
    let form: InstanceState
    let layout: DatamartLayout?
    /// What is to be decided in the record.
    let open: OpenConflicts

    func row(_ groups: [(InstanceID, InstanceState)]) -> FormRow {
        let event = form.shape.parent.flatMap { record.instances[$0] }
        var row = FormRow(
            event: form.shape.parent, eventOID: composed(event?.shape.oid ?? ""), eventRepeatKey: event?.repeatKey,
            form: id, formOID: composed(form.shape.oid), formRepeatKey: form.repeatKey)
        let isRemoved = !record.counts(id)
        var entries = EntryTable(record)
        for beginning in form.beginnings.keys.sorted() { entries.note(beginning.entry) }
        var wide = isRemoved ? nil : layout?.forms[form.shape.oid].flatMap { WideRows(layout: layout, places: $0) }
        var cells = JSONText(capacity: 1024)
        let sorted = groups.sorted { ($0.1.shape.oid, $0.0) < ($1.1.shape.oid, $1.0) }
        cells.array { cells in
            for (groupID, group) in sorted {
                let isGroupRemoved = isRemoved || !record.counts(groupID)
                if !isGroupRemoved { wide?.begin(group: group.shape.oid, repeatKey: group.repeatKey) }
                cells.array { cells in
                    cells.text(composed(group.shape.oid))
                    cells.text(group.repeatKey)
                    cells.hex(groupID.hash)
                    cells.number(isGroupRemoved ? UInt64(1) : 0)
                    cells.array { cells in
                        write(group, groupID, isRemoved: isGroupRemoved, &row, &cells, &entries, &wide)
                    }
                }
            }
        }
        row.cells = cells.bytes
        row.state = record.status(ofForm: id, groups: groups.map(\.0), open)
        entries.finish(&row)
        row.digest = row.digest(of: record.id)
        row.wide = wide?.finished() ?? []
        return row
    }

    private func write(
        _ group: InstanceState, _ groupID: InstanceID, isRemoved: Bool, _ row: inout FormRow, _ cells: inout JSONText,
        _ entries: inout EntryTable, _ wide: inout WideRows?
    ) {
        for (item, register) in group.registers.sorted(by: { $0.key < $1.key }) {
            if !register.setAside.isEmpty {
                cells.array { cells in
                    cells.text(composed(item.text))
                    cells.number(CellMark.setAside.rawValue)
                    for value in register.setAside { cells.value(value, &entries) }
                }
            }
            if register.held.isEmpty { continue }
            // Alternatives may reach beyond the form that the decision is about: no item of them counts either.
            let isConflict = open.cover(item, of: groupID) || !isRemoved && register.isConflict
            let isAwaited = isConflict && register.isAwaiting
            if !isRemoved {
                if isConflict {
                    row.conflicts += 1
                    if isAwaited { row.awaited += 1 }
                } else if register.held[0].value?.kind != .cleared {
                    row.values += 1
                }
            }
            cells.array { cells in
                cells.text(composed(item.text))
                cells.number((isAwaited ? CellMark.awaitedConflict : isConflict ? .conflict : .standing).rawValue)
                for held in register.held { cells.value(held, &entries) }
            }
            if !isRemoved { wide?.take(item, isConflict ? .conflict : ItemStanding(register.held[0])) }
        }
    }
}

/// What stands before the values of an item in `cells`.
enum CellMark: UInt64 {
    /// One value stands, or several that say the same.
    case standing = 0
    /// Something about it, or about what it stands in, is to be decided.
    case conflict = 1
    /// The same, and it may yet be decided by what is on its way.
    case awaitedConflict = 2
    /// The values are kept and do not count.
    case setAside = 3
}

/// The number that stands for ``Trial/ValueKind`` of a value whose datum was dropped: no kind has it.
let droppedValueKind: UInt64 = 0

extension JSONText {
    /// `[entry, position, kind, normalised, typed, unit, reason, codes, file]`, without what is absent at the end.
    mutating func value(_ held: HeldValue, _ entries: inout EntryTable) {
        let entry = entries.note(held.id.entry)
        array { cells in
            cells.number(entry)
            cells.number(held.id.position)
            guard let value = held.value else { return cells.number(droppedValueKind) }
            cells.number(value.kind.rawValue)
            cells.text(value.normalised)
            let typed = value.typed.utf8.elementsEqual(value.normalised.utf8) ? nil : value.typed
            let codes = value.codes.count > 1 ? value.codes : []
            guard typed != nil || value.unit != nil || value.reason != nil || !codes.isEmpty || value.file != nil else {
                return
            }
            cells.text(typed)
            cells.text(value.unit)
            cells.text(value.reason)
            guard !codes.isEmpty || value.file != nil else { return }
            cells.array { cells in for code in codes { cells.text(code) } }
            guard let file = value.file else { return }
            cells.array { cells in
                cells.text(file.sha256)
                cells.text(file.mediaType)
                cells.number(file.byteCount)
            }
        }
    }
}

/// The entries that values came from, each once, in the order in which the values name them.
struct EntryTable {
    private let record: ParticipantState
    private var ids: [EntryID] = []

    init(_ record: ParticipantState) {
        self.record = record
    }

    /// The place of an entry, which it gets now where it has none yet.
    @discardableResult
    mutating func note(_ id: EntryID) -> UInt64 {
        // A form has few entries, most often one.
        if let place = ids.lastIndex(of: id) { return UInt64(place) }
        ids.append(id)
        return UInt64(ids.count - 1)
    }

    /// Writes the table, and what follows from it.
    func finish(_ row: inout FormRow) {
        row.entries = written
        for id in ids {
            guard let origin = record.origins[id] else { continue }
            row.times.note(
                id, origin.time.utcMilliseconds, node: origin.node, performedAt: origin.provenance.performedAt)
        }
    }

    /// The table as JSON: for each entry `[id, time, node, actor, role, performed at]`, with the orders that dropped
    /// parts of it where there are any; of one that is not here the id only.
    var written: [UInt8] {
        var json = JSONText(capacity: ids.count * 180 + 2)
        json.array { json in
            for id in ids {
                json.array { json in
                    json.hex(id.hash)
                    guard let origin = record.origins[id] else { return }
                    json.number(origin.time.utcMilliseconds)
                    json.text(origin.node.text)
                    json.text(origin.authority.actor.description)
                    json.text(origin.authority.role.description)
                    json.text(origin.provenance.performedAt)
                    let orders = record.redactions[id]?.orders ?? []
                    if !orders.isEmpty { json.array { json in for order in orders { json.hex(order.hash) } } }
                }
            }
        }
        return json.bytes
    }
}
