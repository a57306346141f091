import EventLog
import Trial

/// Reads `entries` and `cells` of a form as they are stored.
enum StoredCells {
    /// A value in `cells`.
    struct StoredValue {
        /// Place of its entry in `entries`.
        var entry: Int
        var position: UInt64
        /// Nil where the datum was dropped.
        var value: Value?
    }

    /// An entry in `entries`.
    struct StoredEntry {
        var id: EntryID
        /// Nil for one that is not here.
        var origin: StoredOrigin?
    }

    /// Where an entry came from.
    struct StoredOrigin {
        var utcMilliseconds: Int64
        var node: NodeID
        var actor: String
        var role: String
        var performedAt: String?
        /// The orders that dropped parts of it.
        var orders: [EntryID] = []
    }

    /// The table of entries.
    static func entries(_ bytes: [UInt8]) throws -> [StoredEntry] {
        try JSONReader.list(in: bytes) { list in
            try list.array { entry in
                let id: EntryID = try entry.identifier()
                guard entry.hasMore else { return StoredEntry(id: id, origin: nil) }
                return StoredEntry(
                    id: id,
                    origin: StoredOrigin(
                        utcMilliseconds: try entry.number(), node: NodeID(unchecked: try entry.text()),
                        actor: try entry.text(), role: try entry.text(), performedAt: try entry.optionalText(),
                        orders: try orders(&entry)))
            }
        }
    }

    private static func orders(_ entry: inout JSONReader) throws -> [EntryID] {
        guard entry.hasMore else { return [] }
        return try entry.array { list in
            var orders: [EntryID] = []
            while list.hasMore { orders.append(try list.identifier()) }
            return orders
        }
    }

    /// When and where a form was entered, from its table of entries.
    static func times(_ bytes: [UInt8]) throws -> EntryTimes {
        var times = EntryTimes()
        for entry in try entries(bytes) {
            guard let origin = entry.origin else { continue }
            times.note(entry.id, origin.utcMilliseconds, node: origin.node, performedAt: origin.performedAt)
        }
        return times
    }

    /// A value as cells and sides of conflicts hold it.
    static func value(_ list: inout JSONReader) throws -> StoredValue {
        try list.array { value in
            let entry = try value.unsigned()
            let position = try value.unsigned()
            let number = try value.unsigned()
            var stored = StoredValue(entry: Int(clamping: entry), position: position, value: nil)
            if number == droppedValueKind { return stored }
            guard let kind = ValueKind(rawValue: number) else { throw JSONFault() }
            let normalised = try value.text()
            // A single code is its own normal form, so only several are listed.
            var read = Value(
                kind: kind, typed: normalised, normalised: normalised, codes: kind == .codes ? [normalised] : [])
            guard value.hasMore else {
                stored.value = read
                return stored
            }
            if let typed = try value.optionalText() { read.typed = typed }
            read.unit = try value.optionalText()
            read.reason = try value.optionalText()
            if value.hasMore {
                read.codes = try value.list { try $0.text() }
            }
            if value.hasMore {
                read.file = try value.array { file in
                    FileReference(
                        sha256: try file.text(), mediaType: try file.text(), byteCount: try file.unsigned())
                }
            }
            stored.value = read
            return stored
        }
    }
}

/// What follows from the cells of a form: its counts, and its rows of the datamart.
struct FormConsequences {
    var values = 0
    var conflicts = 0
    var awaited = 0
    var wide: [WideRow] = []

    /// Computes them anew from what is stored.
    ///
    /// - Parameters:
    ///   - places: where the form's items go; nil where the definitions do not have the form.
    ///   - state: how the form stands.
    /// - Throws: ``JSONFault``.
    init(cells: [UInt8], state: FormStatus, layout: DatamartLayout?, places: DatamartLayout.FormPlaces?) throws {
        let isRemoved = state == .removed || state == .wrong
        var rows = isRemoved ? nil : places.flatMap { WideRows(layout: layout, places: $0) }
        var reader = JSONReader(cells)
        try reader.array { groups in
            while groups.hasMore {
                try groups.array { group in
                    let oid = try group.text()
                    let repeatKey = try group.optionalText()
                    _ = try group.identifier(InstanceID.self)
                    let isGroupRemoved = try group.number() != 0
                    if !isGroupRemoved { rows?.begin(group: oid, repeatKey: repeatKey) }
                    try group.array { items in
                        while items.hasMore { try take(&items, isRemoved: isGroupRemoved, &rows) }
                    }
                }
            }
        }
        try reader.end()
        wide = rows?.finished() ?? []
    }

    private mutating func take(_ items: inout JSONReader, isRemoved: Bool, _ rows: inout WideRows?) throws {
        try items.array { item in
            let oid = ItemOID(try item.text())
            guard let mark = CellMark(rawValue: try item.unsigned()) else { throw JSONFault() }
            let first = try StoredCells.value(&item).value
            while item.hasMore { _ = try StoredCells.value(&item) }
            guard mark != .setAside, !isRemoved else { return }
            if mark == .standing {
                if first?.kind != .cleared { values += 1 }
            } else {
                conflicts += 1
                if mark == .awaitedConflict { awaited += 1 }
            }
            let standing: ItemStanding =
                if mark != .standing { .conflict } else { first.map { ItemStanding($0) } ?? .dropped }
            rows?.take(oid, standing)
        }
    }
}
