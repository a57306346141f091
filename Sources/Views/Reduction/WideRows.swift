import Trial

/// Collects a form instance's rows of the datamart.
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
    mutating func begin(_ instance: InstanceState) {
        group = places.groups[instance.shape.oid]
        groupStart = repeated.count
        for table in group?.ownTables ?? [] {
            repeated.append(Building(row: WideRow(table: table, groupRepeatKey: instance.repeatKey ?? "")))
        }
    }

    /// Takes an item of the instance at hand; one that the definitions do not know is only in the capture.
    ///
    /// - Parameter isConflict: whether something about it, or about what it stands in, is to be decided.
    mutating func take(_ item: ItemOID, _ register: Register, isConflict: Bool) {
        guard let group, let place = group.items[item] else { return }
        let column = layout.tables[place.table].columns[place.column].name
        if group.ownTables.isEmpty {
            guard let index = own.firstIndex(where: { $0.row.table == place.table }) else { return }
            WideRows.take(register, isConflict: isConflict, at: place, named: column, &own[index])
        } else {
            guard let index = repeated[groupStart...].firstIndex(where: { $0.row.table == place.table }) else { return }
            WideRows.take(register, isConflict: isConflict, at: place, named: column, &repeated[index])
        }
    }

    private static func take(
        _ register: Register, isConflict: Bool, at place: DatamartLayout.Place, named column: String,
        _ building: inout Building
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
        guard !isConflict else { return building.problems.append((column, "conflict")) }
        guard let held = register.current else { return }
        guard let value = held.value else { return building.problems.append((column, "dropped")) }
        switch value.kind {
        case .cleared: return
        case .missing: building.problems.append((column, "missing: \(value.reason ?? "")"))
        default: building.row.cells.append((place.column, cell(value, place.type)))
        }
    }

    /// The value as its column's type has it; one that does not fit is kept as text, which SQLite stores all the same.
    private static func cell(_ value: Value, _ type: DatamartLayout.ColumnType) -> WideRow.Cell {
        let text = value.normalised
        switch type {
        case .integer:
            if let number = Int64(text) { return .integer(number) }
            if value.kind == .boolean { return .integer(text == "true" ? 1 : 0) }
        case .real: if let number = Double(text), number.isFinite { return .real(number) }
        case .text: break
        }
        return .text(text)
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
