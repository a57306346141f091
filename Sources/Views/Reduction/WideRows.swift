import Trial

/// What stands in an item, as far as the datamart shows it.
enum ItemStanding: Hashable, Sendable {
    /// Something about it, or about what it stands in, is to be decided.
    case conflict
    /// The datum was dropped by an order.
    case dropped
    /// It was taken away.
    case cleared
    /// Nothing was observed, for a reason.
    case missing(String)
    /// A datum in normal form.
    case datum(String, ValueKind)

    /// One value, or the first of several that say the same.
    init(_ held: HeldValue) {
        guard let value = held.value else {
            self = .dropped
            return
        }
        self.init(value)
    }

    /// A value.
    init(_ value: Value) {
        self =
            switch value.kind {
            case .cleared: .cleared
            case .missing: .missing(value.reason ?? "")
            default: .datum(value.normalised, value.kind)
            }
    }
}

/// Collects a form instance's rows of the datamart: from a record, and to check what is stored from the form's cells.
///
/// Invariant: a column holds a value only where exactly one row of the form's data gives it one and nothing is in conflict.
struct WideRows {
    private struct Building {
        var row: WideRow
        var problems: [(column: String, text: String)] = []
    }

    private let layout: DatamartLayout
    private let places: DatamartLayout.FormPlaces
    /// The form's own rows, one for each table of its once-only groups.
    private var own: [Building]
    private var repeated: [Building] = []
    private var group: DatamartLayout.GroupPlaces?
    /// Index in `repeated` of the first row of the group instance at hand.
    private var groupStart = 0

    init?(layout: DatamartLayout?, places: DatamartLayout.FormPlaces) {
        guard let layout else { return nil }
        self.layout = layout
        self.places = places
        own = places.tables.map { Building(row: WideRow(table: $0)) }
    }

    /// Goes on to another instance of a group.
    mutating func begin(group oid: String, repeatKey: String?) {
        group = places.groups[oid]
        groupStart = repeated.count
        for table in group?.ownTables ?? [] {
            repeated.append(Building(row: WideRow(table: table, groupRepeatKey: repeatKey ?? "")))
        }
    }

    /// Takes an item of the instance at hand; one that the definitions do not know is only in the capture.
    mutating func take(_ item: ItemOID, _ standing: ItemStanding) {
        guard let group, let place = group.items[item] else { return }
        let column = layout.tables[place.table].columns[place.column].name
        if group.ownTables.isEmpty {
            guard let index = own.firstIndex(where: { $0.row.table == place.table }) else { return }
            WideRows.take(standing, at: place, named: column, &own[index])
        } else {
            guard let index = repeated[groupStart...].firstIndex(where: { $0.row.table == place.table }) else { return }
            WideRows.take(standing, at: place, named: column, &repeated[index])
        }
    }

    private static func take(
        _ standing: ItemStanding, at place: DatamartLayout.Place, named column: String, _ building: inout Building
    ) {
        if building.problems.contains(where: { $0.column == column })
            || building.row.cells.contains(where: { $0.column == place.column })
        {
            // A group that is defined once only and is here twice, which only a faulty writer can bring about.
            building.row.cells.removeAll { $0.column == place.column }
            building.problems.removeAll { $0.column == column }
            building.problems.append((column, "several"))
            return
        }
        switch standing {
        case .conflict: building.problems.append((column, "conflict"))
        case .dropped: building.problems.append((column, "dropped"))
        case .cleared: return
        case .missing(let reason): building.problems.append((column, "missing: \(reason)"))
        case .datum(let text, let kind):
            if let cell = cell(text, kind, place.type) {
                building.row.cells.append((place.column, cell))
            } else {
                building.problems.append((column, "of another type"))
            }
        }
    }

    /// A datum as its column's type has it; nil for one that is not of that type. It is not kept as text, for SQLite would
    /// make a number of some of these, and another one than was entered.
    private static func cell(_ text: String, _ kind: ValueKind, _ type: DatamartLayout.ColumnType) -> WideRow.Cell? {
        switch type {
        case .integer:
            if kind == .boolean { return .integer(text == "true" ? 1 : 0) }
            return Int64(text).map(WideRow.Cell.integer)
        case .real: return Double(text).flatMap { $0.isFinite ? .real($0) : nil }
        case .text: return .text(text)
        }
    }

    /// The rows, the form's own first.
    func finished() -> [WideRow] {
        (own + repeated).map { building in
            var row = building.row
            guard !building.problems.isEmpty else { return row }
            var json = JSONText()
            json.object { json in
                for problem in building.problems {
                    json.member(problem.column)
                    json.text(problem.text)
                }
            }
            row.status = json.bytes
            return row
        }
    }
}
