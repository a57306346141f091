import StoreCore
import Testing
import Trial
import Views

@Suite struct QueryTests {
    @Test(
        "A query that would write, open another file or run further statements is refused",
        arguments: [
            "DELETE FROM participant", "INSERT INTO code VALUES ('a', 'b', 'c', NULL, NULL)", "DROP VIEW value",
            "ATTACH '/tmp/other.sqlite' AS other", "PRAGMA query_only = OFF", "PRAGMA journal_mode = DELETE",
            "SELECT 1; DELETE FROM participant", "BEGIN", "VACUUM INTO '/tmp/copy.sqlite'", "CREATE TEMP TABLE t (a)",
            "SELECT load_extension('x')",
        ])
    func writingIsRefused(sql: String) async throws {
        try await withStore { store in
            let error = #expect(throws: ViewError.self) { try store.rows(sql) }
            guard case .notAQuery = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("A query of a table that is not there is told which there are")
    func unknownTableNamesOthers() async throws {
        try await withStore { store in
            let error = #expect(throws: ViewError.self) { try store.rows("SELECT * FROM nothing") }
            let text = error?.description ?? ""
            for name in ["monitoring", "capture", "value", "dm_f_0", "participant"] { #expect(text.contains(name)) }
        }
    }

    @Test("The output ends at the limit and says so, and a query that takes too long is ended")
    func outputIsBounded() async throws {
        try await withStore { store in
            let directory = ViewDirectory(dataDirectory: store.path)
            let reader = try ViewReader(directory, study: store.generated.study)
            var count = 0
            let outcome = try reader.query("SELECT * FROM value", limit: 7, seconds: 60) { _ in count += 1 }
            #expect(outcome.isCut && outcome.rows == 7 && count == 7)
            let other = try ViewReader(directory, study: store.generated.study)
            let error = #expect(throws: ViewError.self) {
                try other.query(
                    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", limit: 1,
                    seconds: 0
                ) { _ in }
            }
            guard case .queryTooLong = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(
        "Every published view can be read",
        arguments: [
            "monitoring", "regional", "performed", "regional_performed",
            "regional_member", "capture", "value", "dm_f_0", "item", "code", "finding", "planned_visit", "writer",
            "location",
        ])
    func viewsCanBeRead(name: String) async throws {
        try await withStore { store in
            let rows = try store.rows("SELECT * FROM \(name)")
            if !["finding", "planned_visit"].contains(name) { #expect(!rows.isEmpty) }
        }
    }

    private func withStore(_ body: (FoldedStore) async throws -> Void) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60)
            let built = try ViewRebuild(dataDirectory: path, context: store.generated.context).build()
            try ViewDirectory(dataDirectory: path).putInService(built)
            try await body(store)
        }
    }

    @Test func `names that come to the same, or to what the views use themselves, are told apart`() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60) { definition in
                for name in ["F 0", "f-0", "F.0 rows", "rows", "_rows"] {
                    var group = ItemGroupDefinition(oid: ItemGroupOID("IG \(name)"), name: "Group", isRepeating: true)
                    let oids = [
                        "FORM_ID", "form-id", "ROW", "rows", "Participant", "group_repeat_key", "location", "digest",
                    ]
                    for oid in oids where definition.items[ItemOID(oid)] == nil {
                        add(&definition.items, ItemDefinition(oid: ItemOID(oid), name: oid, dataType: .text))
                    }
                    group.items = OIDTable(oids.map { ItemReference(oid: ItemOID($0), isMandatory: false) })
                    add(&definition.itemGroups, group)
                    var once = ItemGroupDefinition(
                        oid: ItemGroupOID("IG once \(name)"), name: "Once", isRepeating: false)
                    once.items = group.items
                    add(&definition.itemGroups, once)
                    var form = FormDefinition(oid: FormOID(name), name: name, isRepeating: false)
                    form.itemGroups = OIDTable(
                        [group.oid, once.oid].map { ItemGroupReference(oid: $0, isMandatory: false) })
                    add(&definition.forms, form)
                }
            }
            try await store.withViews { views in
                try await views.wait(for: store.generated.study, arrival: 1)
                let reader = try ViewReader(ViewDirectory(dataDirectory: path), study: store.generated.study)
                let names = try reader.tables().filter { $0.hasPrefix("dm_") }
                let forms = store.context.definition?.forms.count ?? 0
                #expect(names.count == forms + 5, "\(names)")
                for name in names {
                    let outcome = try reader.query("SELECT * FROM \"\(name)\"", limit: 10, seconds: 10) { _ in }
                    #expect(Set(outcome.columns).count == outcome.columns.count)
                }
                _ = try ViewReader(ViewDirectory(dataDirectory: path), study: store.generated.study).check()
            }
        }
    }

    private func add<Element>(_ table: inout OIDTable<Element>, _ element: Element) {
        table = OIDTable(table.map { $0 } + [element])
    }
}
