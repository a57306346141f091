import EventLog
import GRDBSQLite
import StoreCore
import Testing
import Trial
import Views

/// A view that says something else than its entries do is found out, whatever cell it is in.
@Suite struct CheckTests {
    /// A plan by which a visit and a questionnaire are due.
    private var plan: TrialPlan {
        let event = StudyEventOID("SE.V0")
        return TrialPlan(
            studyOID: StudyOID("BENCH"), mode: .test, coordinatingNodes: [GeneratedStudy.node],
            studySites: [
                StudySitePlan(
                    id: GeneratedStudy.site, name: "Ward", isRegional: false, locations: [GeneratedStudy.location],
                    target: 10)
            ], recruitment: nil, statusRules: [],
            visitRules: [VisitRule(event: event, anchor: .status(.included), dueAfterDays: 7, daysAfter: 3)],
            questionnaires: [
                QuestionnairePlan(
                    canonical: QuestionnaireCanonical("urn:q|1")!, form: FormOID("F.0"), events: [event],
                    respondent: .patient)
            ])
    }

    /// A generation with something in every table.
    private func withGeneration(_ body: (FoldedStore, ViewDirectory) throws -> Void) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 180, plan: plan)
            let all = store.participants
            let handle = SubjectHandle(RandomName(high: 0x5B, low: 2))
            _ = try store.commit { core in
                let order = DropOrder(
                    target: .participant(all[0], handle), ground: "GDPR art. 17", decidedBy: "ombudet", reason: nil)
                _ = try store.generated.append(.erasureOrdered(order), about: 2, number: 900_000, in: core)
            }
            let people = store.participants
            #expect(people.count == all.count - 1)
            var save = store.generated.save(0, of: people[0], number: 7)
            for line in save.instances.indices { save.instances[line].beginsHere = false }
            let first = ValueID(entry: people[0], position: 0)
            _ = try store.write(
                .formSaved(save),
                .labelAssigned(
                    LabelAssignment(
                        participant: people[0], label: ParticipantLabel(kind: .screening, text: "S-1"), seen: [first])),
                .participantsLinked(
                    ParticipantLink(participant: people[0], other: people[1], otherLocation: GeneratedStudy.location)),
                // Of nobody who is here, and of somebody whose form is not there.
                .statusRecorded(
                    StatusRecord(participant: EntryID(.sha256([9])), status: .screened, eventDate: "2026-01-01")),
                .statusRecorded(
                    StatusRecord(participant: people[1], status: .withdrawn, eventDate: "2025-01-01")))
            let built = try ViewRebuild(dataDirectory: path, context: store.context).build()
            let directory = ViewDirectory(dataDirectory: path)
            try directory.putInService(built)
            #expect(try ViewReader(directory, study: store.generated.study).check() == built.digest)
            try body(store, directory)
        }
    }

    @Test func `altering any cell of any table is found, and so are rows taken out and put in`() async throws {
        try await withGeneration { store, directory in
            let study = store.generated.study
            let path = directory.path + "/\(study)/\(directory.current(study) ?? 0).sqlite"
            let connection = try Connection(path: path, access: .readWrite, vfs: nil)
            defer { connection.close() }
            func isFound(_ what: String, _ change: String, undo: String) throws {
                try connection.execute(change)
                #expect(throws: ViewError.self, "\(what): \(change)") {
                    try ViewReader(directory, study: study).check()
                }
                try connection.execute(undo)
            }
            var altered = 0
            // Nothing in this study was registered twice; a row of that table is put in below.
            for table in try tables(connection) where table != "participant_alias" {
                let columns = try self.columns(of: table, connection)
                // Numbers that mean nothing beside telling rows apart.
                let free = ["finding": "finding", "open_conflict": "conflict"][table]
                try connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM \(table)")
                let restore = "DELETE FROM \(table); INSERT INTO \(table) SELECT * FROM kept"
                #expect(try connection.number("SELECT count(*) FROM kept") > 0, "\(table)")
                for column in columns where column != free {
                    let one = "\"\(column)\""
                    // The first row, told by all its columns, for most tables have no rowid.
                    let first = columns.map { "\"\($0)\" IS (SELECT \"\($0)\" FROM kept LIMIT 1)" }
                        .joined(separator: " AND ")
                    let other = """
                        CASE typeof(\(one)) WHEN 'integer' THEN \(one) + 4000 WHEN 'real' THEN \(one) + 1
                        WHEN 'blob' THEN zeroblob(32) WHEN 'null' THEN 'x' ELSE \(one) || 'x' END
                        """
                    try isFound(
                        "\(table).\(column)", "UPDATE \(table) SET \(one) = \(other) WHERE \(first)", undo: restore)
                    altered += 1
                }
                let keys = columns.filter { $0 != free }.map { "\"\($0)\"" }.joined(separator: ", ")
                try isFound(
                    "\(table) without its first row",
                    "DELETE FROM \(table); INSERT INTO \(table) SELECT * FROM kept LIMIT -1 OFFSET 1", undo: restore)
                if free != nil {
                    try isFound(
                        "\(table) with a row twice",
                        "INSERT INTO \(table) (\(keys)) SELECT \(keys) FROM kept LIMIT 1", undo: restore)
                }
                try connection.execute("DROP TABLE temp.kept")
            }
            try isFound(
                "another registration",
                "INSERT INTO participant_alias SELECT participant, participant_id FROM participant",
                undo: "DELETE FROM participant_alias")
            try isFound(
                "a wide row of nobody",
                "INSERT INTO rows_dm_f_0 SELECT max(\"row\") + 1, max(form), 1, 2, '3', '4', 5, 6, NULL FROM rows_dm_f_0",
                undo: "DELETE FROM rows_dm_f_0 WHERE \"row\" = (SELECT max(\"row\") FROM rows_dm_f_0)")
            #expect(altered > 100, "\(altered)")
            // Everything was put back.
            _ = try ViewReader(directory, study: study).check()
        }
    }

    private func tables(_ connection: Connection) throws -> [String] {
        let row = try connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('generation', 'kept') ORDER BY name")
        defer { row.finalize() }
        var names: [String] = []
        while try row.step() { names.append(row.text(0)) }
        return names
    }

    private func columns(of table: String, _ connection: Connection) throws -> [String] {
        let row = try connection.prepare("SELECT name FROM pragma_table_info('\(table)')")
        defer { row.finalize() }
        var names: [String] = []
        while try row.step() { names.append(row.text(0)) }
        return names
    }

    @Test func `without a generation at the same entries a rebuild says that there was nothing to compare`()
        async throws
    {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60)
            let rebuild = ViewRebuild(dataDirectory: path, context: store.context)
            #expect(try rebuild.run().comparison == .nothingToCompare)
            #expect(try rebuild.run().comparison == .equal)
            _ = try store.write(.formSaved(store.generated.save(0, of: store.participants[0], number: 3)))
            let later = try rebuild.run()
            #expect(later.comparison == .nothingToCompare && later.digestBefore == nil)
            let connection = try Connection(
                path: "\(path)/views/\(store.generated.study)/\(later.generation).sqlite", access: .readWrite, vfs: nil)
            try connection.execute("UPDATE generation SET digest = zeroblob(32)")
            connection.close()
            let last = try rebuild.run()
            #expect(last.comparison == .different)
            // Both are kept for whoever looks into it.
            #expect(
                ViewDirectory(dataDirectory: path).generations(store.generated.study)
                    == [later.generation, last.generation])
        }
    }

    @Test func `entries that come while a view is built anew are in it, and both views come to the same`() async throws
    {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60_000, valuesPerParticipant: 120, itemsPerForm: 30)
            let study = store.generated.study
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                let before = try #require(store.counts)
                var (arrival, written, meanwhile) = (Int64(0), 0, 0)
                // On a busy machine a rebuild may be over before anything came; then it is tried again.
                for _ in 0..<10 where meanwhile == 0 {
                    let rebuilding = Task { try await views.rebuild(study) }
                    let patience = ContinuousClock.now + .seconds(10)
                    while await views.progress(of: study) == nil, ContinuousClock.now < patience { await Task.yield() }
                    for participant in store.participants.dropFirst(written).prefix(40) {
                        var save = store.generated.save(0, of: participant, number: written)
                        save.instances[0].oid = "SE.MEANWHILE"
                        arrival = try store.write(.formSaved(save)).arrival
                        written += 1
                        views.changed()
                        // Written into the view in service on its own, so the rebuild has to learn of it.
                        try await views.wait(for: study, arrival: arrival)
                        guard await views.progress(of: study) != nil else { break }
                        meanwhile += 1
                    }
                    #expect(try await rebuilding.value.comparison == .equal)
                }
                #expect(meanwhile > 0, "nothing came meanwhile")
                try await views.wait(for: study, arrival: arrival)
                let reader = try ViewReader(ViewDirectory(dataDirectory: path), study: study)
                let counts = try reader.counts()
                #expect(counts.values == before.values + 30 * written)
                let digest = try reader.check()
                #expect(try ViewRebuild(dataDirectory: path, context: store.context).build().digest == digest)
            }
        }
    }
}
