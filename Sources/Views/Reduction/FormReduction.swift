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

    /// Numbers in the JSON of cells: no item of ``ValueKind`` has 0.
    private static let droppedKind: UInt64 = 0
    /// Marks values that are kept and do not count, beside 0, 1 and 2 for none, a conflict, and one that is awaited.
    private static let setAsideMark: UInt64 = 3

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
                if !isGroupRemoved { wide?.begin(group) }
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
                    cells.number(FormReduction.setAsideMark)
                    for value in register.setAside { write(value, &cells, &entries) }
                }
            }
            if register.held.isEmpty { continue }
            let isConflict = open.cover(item, of: groupID)
            let isAwaited = isConflict && !register.awaited.isEmpty
            if !isRemoved {
                if isConflict {
                    row.conflicts += 1
                    if isAwaited { row.awaited += 1 }
                } else if register.current?.value?.kind != .cleared {
                    row.values += 1
                }
            }
            cells.array { cells in
                cells.text(composed(item.text))
                cells.number(isAwaited ? UInt64(2) : isConflict ? 1 : 0)
                for held in register.held { write(held, &cells, &entries) }
            }
            if !isRemoved { wide?.take(item, register, isConflict: isConflict) }
        }
    }

    /// `[entry, position, kind, normalised, typed, unit, reason, codes, file]`, without what is absent at the end.
    private func write(_ held: HeldValue, _ cells: inout JSONText, _ entries: inout EntryTable) {
        let entry = entries.note(held.id.entry)
        cells.array { cells in
            cells.number(entry)
            cells.number(held.id.position)
            guard let value = held.value else { return cells.number(FormReduction.droppedKind) }
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

extension FormRow {
    /// The digest of everything published of the form, as the form of a participant.
    func digest(of participant: EntryID) -> Hash {
        var writer = WireWriter(capacity: cells.count + entries.count + 512)
        writer.string(1, "varde/view/form/0")
        writer.identifier(2, participant)
        writer.identifier(3, event)
        writer.string(4, eventOID)
        if let eventRepeatKey { writer.string(5, always: eventRepeatKey) }
        writer.identifier(6, form)
        writer.string(7, formOID)
        if let formRepeatKey { writer.string(8, always: formRepeatKey) }
        writer.string(9, state.rawValue)
        writer.data(10, entries)
        writer.data(11, cells)
        return .sha256(writer.bytes)
    }
}

/// The entries that a form's values came from, each once, in the order in which the cells name them.
private struct EntryTable {
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
        var json = JSONText(capacity: ids.count * 180 + 2)
        var first: (Int64, EntryID, EntryOrigin)?
        json.array { json in
            for id in ids {
                json.array { json in
                    json.hex(id.hash)
                    guard let origin = record.origins[id] else { return }
                    let time = origin.time.utcMilliseconds
                    json.number(time)
                    json.text(origin.node.text)
                    json.text(origin.authority.actor.description)
                    json.text(origin.authority.role.description)
                    json.text(origin.provenance.performedAt)
                    let orders = record.redactions[id]?.orders ?? []
                    if !orders.isEmpty { json.array { json in for order in orders { json.hex(order.hash) } } }
                    if first.map({ (time, id) < ($0.0, $0.1) }) ?? true { first = (time, id, origin) }
                    row.lastEntryUTCMilliseconds = max(row.lastEntryUTCMilliseconds ?? time, time)
                }
            }
        }
        row.entries = json.bytes
        row.firstEntryUTCMilliseconds = first?.0
        row.node = first?.2.node
        row.performedAt = first?.2.provenance.performedAt
    }
}
