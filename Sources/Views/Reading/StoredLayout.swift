import StoreCore
import Trial

/// The layout of the datamart as a generation has it, read from its own tables.
struct StoredLayout {
    let tables: DatamartLayout

    init(_ reader: ViewReader) throws {
        var tables: [DatamartLayout.Table] = []
        var numbers: [String: Int] = [:]
        // In the order in which they were made, which is the layout's.
        let names = try reader.rows(
            """
            SELECT name FROM sqlite_schema WHERE type = 'table'
                AND name IN (SELECT '\(DatamartLayout.rowsPrefix)' || datamart_table FROM item) ORDER BY rowid
            """
        ) { String($0.text(0).dropFirst(DatamartLayout.rowsPrefix.count)) }
        for name in names {
            let columns = try reader.rows(
                "SELECT name, type FROM pragma_table_info('\(DatamartLayout.rowsPrefix)\(name)') ORDER BY cid"
            ) { (name: $0.text(0), type: DatamartLayout.ColumnType(rawValue: $0.text(1)) ?? .text) }
            let isRow = columns.contains { $0.name == "group_repeat_key" }
            numbers[name] = tables.count
            var table = DatamartLayout.Table(
                name: name, form: FormOID(""), group: isRow ? ItemGroupOID("") : nil)
            table.columns = columns.filter { !["row", "form", "group_repeat_key", "status"].contains($0.name) }.map {
                DatamartLayout.Column(name: $0.name, type: $0.type, group: ItemGroupOID(""), item: ItemOID(""))
            }
            tables.append(table)
        }
        var forms: [String: DatamartLayout.FormPlaces] = [:]
        try reader.forEach(
            """
            SELECT form_oid, group_oid, item_oid, datamart_table, datamart_column FROM item
            WHERE datamart_table IS NOT NULL
            """
        ) { row in
            guard let number = numbers[row.text(3)],
                let column = tables[number].columns.firstIndex(where: { $0.name == row.text(4) })
            else { return }
            let (form, group, item) = (row.text(0), row.text(1), ItemOID(row.text(2)))
            tables[number].form = FormOID(form)
            let place = DatamartLayout.Place(table: number, column: column, type: tables[number].columns[column].type)
            var places = forms[form] ?? DatamartLayout.FormPlaces()
            var found = places.groups[group] ?? DatamartLayout.GroupPlaces()
            found.items[item] = place
            if tables[number].group == nil {
                if !places.tables.contains(number) { places.tables.append(number) }
            } else {
                tables[number].group = ItemGroupOID(group)
                if !found.ownTables.contains(number) { found.ownTables.append(number) }
            }
            places.groups[group] = found
            forms[form] = places
        }
        for form in forms.keys {
            forms[form]?.tables.sort()
            for group in forms[form]?.groups.keys.map({ $0 }) ?? [] { forms[form]?.groups[group]?.ownTables.sort() }
        }
        self.tables = DatamartLayout(tables: tables, forms: forms)
    }
}

/// The rows of one table of the datamart, read in the order of their numbers.
struct StoredWideRows {
    private let statement: Statement
    private let isRow: Bool
    private let columns: Int
    private(set) var isAtEnd: Bool

    init(_ table: DatamartLayout.Table, _ connection: Connection) throws {
        let keys = ["\"row\"", "\"form\""] + (table.group == nil ? [] : ["group_repeat_key"])
        let names = keys + table.columns.map { ViewSchema.quoted($0.name) } + ["\"status\""]
        statement = try connection.prepare(
            "SELECT \(names.joined(separator: ", ")) FROM \(ViewSchema.quoted(table.rowsName)) ORDER BY \"row\"")
        isRow = table.group != nil
        columns = table.columns.count
        isAtEnd = try !statement.step()
    }

    /// Gives the statement back.
    func finish() { statement.finalize() }

    /// Reads the rows of a form, and compares them with those of `expected` that are of table number `table`; false where
    /// they differ.
    mutating func take(form: Int64, _ expected: [WideRow], _ table: Int) throws -> Bool {
        for (place, row) in expected.enumerated() where row.table == table {
            guard !isAtEnd, statement.int64(0) == form << ViewWriter.rowBits | Int64(place),
                statement.int64(1) == form, isRow == (row.groupRepeatKey != nil), holds(row)
            else { return false }
            isAtEnd = try !statement.step()
        }
        // Whatever has a lower number than the next form belongs to this one, or to none.
        return isAtEnd || statement.int64(0) >= (form + 1) << ViewWriter.rowBits
    }

    private func holds(_ row: WideRow) -> Bool {
        var first: Int32 = 2
        if let key = row.groupRepeatKey {
            guard !statement.isNull(2), statement.text(2) == key else { return false }
            first = 3
        }
        let cells = Dictionary(row.cells.map { ($0.column, $0.cell) }) { _, last in last }
        for column in 0..<columns where StoredWideRows.cell(statement, first + Int32(column)) != cells[column] {
            return false
        }
        let status = first + Int32(columns)
        return statement.optionalText(status) == row.status.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func cell(_ row: Statement, _ column: Int32) -> WideRow.Cell? {
        switch StoredType(row, column) {
        case .null: nil
        case .integer: .integer(row.int64(column))
        case .real: .real(row.double(column))
        case .other: .text(row.text(column))
        }
    }
}
