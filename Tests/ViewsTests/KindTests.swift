import EventLog
import StoreCore
import Testing
import Trial
import Views

/// What each kind of thing looks like in the views, kept live and built anew.
@Suite struct KindTests {
    /// A form in an event of its own, with an item of it written.
    private func save(
        _ participant: EntryID, event: String = "SE.EXTRA", _ values: [String: String], begins: Bool = false,
        seen: [ValueID] = [], isWhole: Bool = false
    ) -> Trial.Operation {
        .formSaved(
            FormSave(
                participant: participant, instances: lines(event, begins: begins, isWhole: isWhole),
                changes: values.sorted { $0.key < $1.key }.map {
                    Change(instance: 2, item: ItemOID($0.key), value: Value(kind: .integer, typed: $0.value))
                }, seen: seen))
    }

    private func lines(_ event: String, begins: Bool, isWhole: Bool = false) -> [InstanceDeclaration] {
        [(InstanceKind.studyEvent, nil as Int?, event), (.form, 0, "F.0"), (.itemGroup, 1, "IG.0")].map {
            InstanceDeclaration(
                kind: $0.0, parent: $0.1, oid: $0.2, identity: .natural, beginsHere: begins,
                isWhole: isWhole && $0.0 == .form)
        }
    }

    /// Writes something, and looks at the view that was kept and at the one that is then built anew.
    private func shows(
        _ write: (FoldedStore, EntryID) throws -> Int64, _ expect: (FoldedStore, EntryID) throws -> Void
    ) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 120)
            let study = store.generated.study
            let participant = try #require(store.participants.first)
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                let arrival = try write(store, participant)
                views.changed()
                try await views.wait(for: study, arrival: arrival)
                try expect(store, participant)
                let counts = try #require(store.counts)
                let reader = try ViewReader(ViewDirectory(dataDirectory: path), study: study)
                let kept = try reader.counts()
                #expect(kept.values == counts.values && kept.conflicts == counts.conflicts)
                #expect(kept.findings == counts.findings && kept.forms == counts.forms)
                let digest = try reader.check()
                let outcome = try await views.rebuild(study)
                #expect(outcome.comparison == .equal)
                #expect(try ViewReader(ViewDirectory(dataDirectory: path), study: study).check() == digest)
                try expect(store, participant)
            }
        }
    }

    @Test func `versions of a whole stand beside each other, are empty in the wide table, and are one decision`()
        async throws
    {
        try await shows { store, participant in
            try store.write(
                save(participant, ["IT.0.0": "1", "IT.0.1": "2"], begins: true, isWhole: true),
                save(participant, ["IT.0.0": "1", "IT.0.1": "3"], isWhole: true)
            ).arrival
        } _: { store, participant in
            let listed = try store.rows(
                "SELECT kind, form_oid, item_oid, json_array_length(sides) FROM conflict WHERE event_oid = 'SE.EXTRA'")
            #expect(listed == [[.text("whole"), .text("F.0"), .null, .integer(2)]])
            let wide = try store.rows("SELECT it_0_0, it_0_1, status FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'")
            #expect(wide == [[.null, .null, .text(#"{"it_0_0":"conflict","it_0_1":"conflict"}"#)]])
            let sides = try store.rows(
                """
                SELECT side, item_oid, normalised FROM conflict_side WHERE side_kind = 'version'
                ORDER BY side, item_oid
                """)
            #expect(sides.map { $0[1] } == ["IT.0.0", "IT.0.1", "IT.0.0", "IT.0.1"].map { .text($0) })
            #expect(Set(sides.map { $0[2] }) == [.text("1"), .text("2"), .text("3")])
        }
    }

    @Test func `a removal against what was not seen stays removed, and is listed until a person decides`() async throws
    {
        try await shows { store, participant in
            try store.write(
                save(participant, ["IT.0.0": "1"], begins: true),
                .removed(
                    Removal(
                        participant: participant,
                        instances: Array(lines("SE.EXTRA", begins: false).prefix(2))))
            ).arrival
        } _: { store, participant in
            let listed = try store.rows("SELECT kind, event_oid FROM conflict")
            #expect(listed == [[.text("removal"), .text("SE.EXTRA")]])
            #expect(try store.rows("SELECT state FROM capture WHERE event_oid = 'SE.EXTRA'") == [[.text("removed")]])
            #expect(try store.rows("SELECT count(*) FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'") == [[.integer(0)]])
            #expect(
                try store.rows("SELECT status, normalised FROM value WHERE event_oid = 'SE.EXTRA'")
                    == [[.text("removed"), .text("1")]])
            let sides = try store.rows("SELECT side_kind, normalised FROM conflict_side ORDER BY side")
            #expect(sides == [[.text("removal"), .null], [.text("value"), .text("1")]])
        }
    }

    private func answer(
        _ participant: EntryID, _ status: ResponseStatus, _ value: String, seen: [EntryID] = []
    ) -> Trial.Operation {
        let identifier = ResponseIdentifier(system: "urn:app", value: "a")
        let named = ResponseInstance(client: GeneratedStudy.app, identifier: identifier)
        var instances = lines("SE.EXTRA", begins: false)
        instances[1].identity = .response(named)
        let document = [UInt8]("\(status) \(value)".utf8)
        return .responseReceived(
            Response(
                participant: participant, identifier: identifier, status: status, authored: "2026-02-03",
                documentSHA256: .sha256(document), instances: instances,
                changes: [
                    Change(instance: 2, item: ItemOID("IT.0.0"), value: Value(kind: .integer, typed: value))
                ], seen: seen, document: document))
    }

    @Test
    func `versions of an answer apart from each other are alternatives, and a superseded one is set aside`()
        async throws
    {
        try await shows { store, participant in
            try store.write(
                answer(participant, .completed, "1"), answer(participant, .amended, "2"),
                answer(participant, .amended, "3")
            ).arrival
        } _: { store, participant in
            #expect(try store.rows("SELECT kind FROM conflict") == [[.text("answer")]])
            let wide = try store.rows("SELECT it_0_0, status FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'")
            #expect(wide == [[.null, .text(#"{"it_0_0":"conflict"}"#)]])
            let values = try store.rows(
                "SELECT status, normalised FROM value WHERE event_oid = 'SE.EXTRA' ORDER BY normalised")
            #expect(
                values == [
                    [.text("set aside"), .text("1")], [.text("conflict"), .text("2")], [.text("conflict"), .text("3")],
                ])
            #expect(
                Set(try store.rows("SELECT side_kind, normalised, position FROM conflict_side"))
                    == [[.text("answer"), .text("2"), .null], [.text("answer"), .text("3"), .null]])
        }
    }

    @Test func `a form whose values never stood together on a screen is listed as merged unseen`() async throws {
        try await shows { store, participant in
            try store.write(
                save(participant, ["IT.0.0": "1"], begins: true), save(participant, ["IT.0.1": "2"])
            ).arrival
        } _: { store, participant in
            let states = try store.rows("SELECT state FROM capture WHERE event_oid = 'SE.EXTRA'")
            #expect(states == [[.text("merged-unseen")]])
            // No conflict: the wide table has both.
            let wide = try store.rows("SELECT it_0_0, it_0_1, status FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'")
            #expect(wide == [[.integer(1), .real(2), .null]])
        }
    }

    @Test func `what was collected after a withdrawal is set aside and counts nowhere`() async throws {
        try await shows { store, participant in
            try store.write(
                save(participant, ["IT.0.0": "1"], begins: true),
                .statusRecorded(
                    StatusRecord(participant: participant, status: .withdrawn, eventDate: "2025-01-01"))
            ).arrival
        } _: { store, participant in
            let values = try store.rows(
                "SELECT DISTINCT status FROM value WHERE participant_id = '\(participant)'")
            #expect(values == [[.text("set aside")]])
            let counted = try store.rows(
                "SELECT item_values, forms, withdrawn FROM participant WHERE participant_id = '\(participant)'")
            #expect(counted == [[.integer(0), .integer(0), .text("2025-01-01")]])
            let wide = try store.rows("SELECT it_0_0, status FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'")
            #expect(wide == [[.null, .null]])
        }
    }

    @Test func `a conflict one of whose writers saw what is not here is marked as one that may yet be decided`()
        async throws
    {
        try await shows { store, participant in
            try store.write(
                save(participant, ["IT.0.0": "1"], begins: true),
                save(participant, ["IT.0.0": "2"], seen: [ValueID(entry: EntryID(.sha256([3])), position: 0)])
            ).arrival
        } _: { store, participant in
            let values = try store.rows(
                "SELECT DISTINCT status FROM value WHERE event_oid = 'SE.EXTRA' AND item_oid = 'IT.0.0'")
            #expect(values == [[.text("conflict, awaited")]])
            #expect(
                try store.rows("SELECT conflicts, awaited FROM form_instance WHERE event_oid = 'SE.EXTRA'")
                    == [[.integer(1), .integer(1)]])
            #expect(try store.rows("SELECT kind, is_waiting FROM conflict") == [[.text("item"), .integer(1)]])
        }
    }

    @Test
    func `an item with nothing observed is empty in the wide table, which says why, and one taken away is just empty`()
        async throws
    {
        try await shows { store, participant in
            let (entries, _) = try store.write(save(participant, ["IT.0.0": "1", "IT.0.1": "2"], begins: true))
            return try store.write(
                .formSaved(
                    FormSave(
                        participant: participant, instances: lines("SE.EXTRA", begins: false),
                        changes: [
                            Change(instance: 2, item: ItemOID("IT.0.0"), value: .missing("unknown")),
                            Change(instance: 2, item: ItemOID("IT.0.1"), value: .cleared("error")),
                        ], seen: (0..<2).map { ValueID(entry: entries[0], position: $0) }))
            ).arrival
        } _: { store, participant in
            let wide = try store.rows("SELECT it_0_0, it_0_1, status FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'")
            #expect(wide == [[.null, .null, .text(#"{"it_0_0":"missing: unknown"}"#)]])
            #expect(
                try store.rows("SELECT status, reason FROM value WHERE event_oid = 'SE.EXTRA' ORDER BY item_oid")
                    == [[.text("missing"), .text("unknown")], [.text("cleared"), .text("error")]])
        }
    }

    @Test func `what was decided leaves the views, and comes back where decisions differ`() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 120)
            let study = store.generated.study
            let participant = try #require(store.participants.first)
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                func write(_ operation: Trial.Operation) async throws -> EntryID {
                    let (entries, arrival) = try store.write(operation)
                    views.changed()
                    try await views.wait(for: study, arrival: arrival)
                    _ = try ViewReader(ViewDirectory(dataDirectory: path), study: study).check()
                    return entries[0]
                }
                func decide(_ verdicts: [(EntryID, InstanceVerdict)]) async throws {
                    _ = try await write(
                        .instancesDecided(
                            InstanceDecision(
                                participant: participant, instances: Array(lines("SE.EXTRA", begins: false).prefix(2)),
                                verdicts: verdicts.map {
                                    BeginningVerdict(Beginning(entry: $0.0, position: 1), $0.1)
                                })))
                }
                func forms() throws -> [QueryValue] {
                    try store.rows("SELECT state FROM capture WHERE event_oid = 'SE.EXTRA' ORDER BY state").map {
                        $0[0]
                    }
                }
                func conflicts() throws -> [[QueryValue]] { try store.rows("SELECT kind FROM conflict") }
                let one = try await write(save(participant, ["IT.0.0": "1"], begins: true))
                let two = try await write(save(participant, ["IT.0.0": "2"], begins: true))
                #expect(try conflicts() == [[.text("instance")]])
                #expect(try forms() == [.text("conflict")])
                try await decide([(one, .same), (two, .apart)])
                #expect(try conflicts() == [])
                #expect(try forms() == [.text("entered"), .text("entered")])
                // By one who had not seen that decision.
                try await decide([(one, .same), (two, .same)])
                #expect(try conflicts() == [[.text("instance")]])
                #expect(try forms() == [.text("conflict")])
                #expect(try await views.rebuild(study).comparison == .equal)
            }
        }
    }

    @Test func `a value that is not of its column's type is kept in the long table, and the wide one says so`()
        async throws
    {
        try await shows { store, participant in
            try store.write(save(participant, ["IT.0.0": "99999999999999999999", "IT.0.1": "1e999"], begins: true))
                .arrival
        } _: { store, participant in
            let wide = try store.rows("SELECT it_0_0, it_0_1, status FROM dm_f_0 WHERE event_oid = 'SE.EXTRA'")
            #expect(wide == [[.null, .null, .text(#"{"it_0_0":"of another type","it_0_1":"of another type"}"#)]])
            let values = try store.rows("SELECT normalised FROM value WHERE event_oid = 'SE.EXTRA' ORDER BY item_oid")
            #expect(values == [[.text("99999999999999999999")], [.text("1e999")]])
        }
    }
}
