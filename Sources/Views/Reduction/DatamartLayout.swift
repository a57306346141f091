import EventLog
import Trial

/// The tables of the datamart, as the definitions give them: for each form one table of its once-only groups, one row for
/// each form instance, and for each repeating group a table of its own, one row for each row of the group.
///
/// Invariants:
/// - names of tables, and of the columns of one table, are distinct, also without regard to case;
/// - every item of every group of every form has exactly one place.
struct DatamartLayout: Sendable {
    enum ColumnType: String, Sendable {
        case integer = "INTEGER"
        case real = "REAL"
        case text = "TEXT"
    }

    struct Column: Sendable {
        var name: String
        var type: ColumnType
        var group: ItemGroupOID
        var item: ItemOID
    }

    struct Table: Sendable {
        var name: String
        var form: FormOID
        /// The repeating group; nil for the form's once-only groups.
        var group: ItemGroupOID?
        var columns: [Column] = []
        var columnNames = DistinctNames(reserved: DatamartLayout.keyColumns)
    }

    /// Where an item's value goes.
    struct Place: Sendable {
        var table: Int
        var column: Int
        var type: ColumnType
    }

    /// The places of a form's items, by group.
    struct FormPlaces: Sendable {
        /// The tables of the once-only groups: several where one would have too many columns.
        var tables: [Int] = []
        var groups: [String: GroupPlaces] = [:]
    }

    struct GroupPlaces: Sendable {
        /// The tables of a repeating group; empty for a once-only one.
        var ownTables: [Int] = []
        var items: [ItemOID: Place] = [:]
    }

    /// What every table has beside the items' columns.
    static let keyColumns = [
        "row", "form", "participant", "study_site", "location", "label", "event_oid", "event_repeat_key", "form_oid",
        "form_repeat_key", "form_instance", "group_repeat_key", "status",
    ]
    /// How names of views begin, and how the tables behind them.
    static let prefix = "dm_"
    static let rowsPrefix = "rows_"
    /// SQLite's own bound is 2 000 columns; what does not fit goes on in a further table of the same rows.
    static let maximumItemColumns = 1_900

    private(set) var tables: [Table] = []
    private(set) var forms: [String: FormPlaces] = [:]

    /// A layout that was read.
    init(tables: [Table], forms: [String: FormPlaces]) {
        self.tables = tables
        self.forms = forms
    }

    init(_ definition: StudyDefinition) {
        var names = DistinctNames(reserved: [])
        for form in definition.forms {
            var places = FormPlaces()
            for reference in form.itemGroups {
                guard let group = definition.itemGroups[reference.oid] else { continue }
                add(group, of: form, definition, &places, &names)
            }
            forms[form.oid.text] = places
        }
    }

    private mutating func add(
        _ group: ItemGroupDefinition, of form: FormDefinition, _ definition: StudyDefinition,
        _ places: inout FormPlaces, _ names: inout DistinctNames
    ) {
        var found = GroupPlaces()
        for reference in group.items {
            guard let item = definition.items[reference.oid] else { continue }
            let list = group.isRepeating ? found.ownTables : places.tables
            let table: Int
            if let last = list.last, tables[last].columns.count < DatamartLayout.maximumItemColumns {
                table = last
            } else {
                table = tables.count
                let oids = [form.oid.text] + (group.isRepeating ? [group.oid.text] : [])
                let wanted = DatamartLayout.prefix + oids.map(sanitised).joined(separator: "_")
                tables.append(
                    Table(name: names.take(wanted), form: form.oid, group: group.isRepeating ? group.oid : nil))
                if group.isRepeating { found.ownTables.append(table) } else { places.tables.append(table) }
            }
            let type = DatamartLayout.type(of: item)
            let name = tables[table].columnNames.take(sanitised(item.oid.text))
            found.items[item.oid] = Place(table: table, column: tables[table].columns.count, type: type)
            tables[table].columns.append(Column(name: name, type: type, group: group.oid, item: item.oid))
        }
        places.groups[group.oid.text] = found
    }

    private static func type(of item: ItemDefinition) -> ColumnType {
        switch item.dataType {
        case .integer, .boolean: .integer
        case .float, .double: .real
        default: .text
        }
    }
}

/// Gives out names, each once: a name that is taken gets `_2`, `_3` and so on.
struct DistinctNames: Sendable {
    private var taken: Set<String>

    init(reserved: [String]) {
        taken = Set(reserved)
    }

    mutating func take(_ wanted: String) -> String {
        var name = wanted
        var number = 2
        while !taken.insert(name).inserted {
            name = "\(wanted)_\(number)"
            number += 1
        }
        return name
    }
}

/// An OID as a name in SQL: lower-case letters, digits and single low lines.
private func sanitised(_ oid: String) -> String {
    var name = ""
    for byte in oid.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            name.unicodeScalars.append(Unicode.Scalar(byte))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.unicodeScalars.append(Unicode.Scalar(byte + 32))
        default: if !name.hasSuffix("_") { name += "_" }
        }
    }
    return name.isEmpty ? "_" : name
}
