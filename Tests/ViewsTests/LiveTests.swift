import EventLog
import Foundation
import StoreCore
import Testing
import Trial
import Views

@Suite struct LiveTests {
    @Test("A view that was kept through entries, conflicts, corrections and removals equals one built anew")
    func liveEqualsRebuilt() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path)
            let generated = store.generated
            try await store.withViews { views in
                try await views.wait(for: generated.study, arrival: 1)
                var arrival: Int64 = 0
                for (place, participant) in store.participants.prefix(6).enumerated() {
                    arrival = try store.commit { core in try change(participant, place, generated, core) }
                    views.changed()
                }
                try await views.wait(for: generated.study, arrival: arrival)
                let directory = ViewDirectory(dataDirectory: path)
                let kept = try ViewReader(directory, study: generated.study)
                let digest = try kept.check()
                let counts = try kept.counts()
                let expected = try #require(store.counts)
                #expect(counts.conflicts == expected.conflicts && counts.conflicts > 0)
                #expect(counts.values == expected.values && counts.forms == expected.forms)
                #expect(counts.participants == expected.participants && counts.findings == expected.findings)
                let outcome = try await views.rebuild(generated.study)
                #expect(outcome.digestBefore == digest)
                #expect(outcome.digest == digest)
                #expect(outcome.generation == kept.generation + 1)
                #expect(try ViewReader(directory, study: generated.study).check() == digest)
            }
        }
    }

    /// Does one of several things to a participant.
    private func change(_ participant: EntryID, _ place: Int, _ generated: GeneratedStudy, _ core: StoreCore) throws {
        var save = generated.save(0, of: participant, number: 1_000 + place)
        switch place % 3 {
        case 0:
            // Nothing was seen, so both sides stand.
            _ = try generated.append(.formSaved(save), about: place, number: 10_000 + place, in: core)
        case 1:
            save.instances[0].oid = "SE.UNPLANNED"
            let first = try generated.append(.formSaved(save), about: place, number: 10_000 + place, in: core)
            save.seen = save.changes.indices.map { ValueID(entry: first, position: UInt64($0)) }
            save.changes[0].value = .missing("unknown")
            save.changes[1].value = .cleared("error")
            _ = try generated.append(.formSaved(save), about: place, number: 20_000 + place, in: core)
        default:
            let removal = Removal(participant: participant, instances: Array(save.instances.prefix(2)))
            _ = try generated.append(.removed(removal), about: place, number: 10_000 + place, in: core)
        }
    }

    @Test("A conflicting item is empty and marked in its wide table, and both sides are in the long one")
    func conflictsAreEmptyInWideTables() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path)
            let participant = try #require(store.participants.first)
            try await store.withViews { views in
                try await views.wait(for: store.generated.study, arrival: 1)
                let arrival = try store.commit { core in
                    var save = store.generated.save(0, of: participant, number: 0)
                    // By one who knew of the form, but had not seen the value.
                    for line in save.instances.indices { save.instances[line].beginsHere = false }
                    save.changes = [save.changes[0]]
                    save.changes[0].value = Value(kind: .integer, typed: "-77")
                    _ = try store.generated.append(.formSaved(save), about: 0, number: 9_999, in: core)
                }
                views.changed()
                try await views.wait(for: store.generated.study, arrival: arrival)
                let wide = try store.rows(
                    """
                    SELECT it_0_0, it_0_1, typeof(it_0_1), status FROM dm_f_0 JOIN participant USING (participant)
                    WHERE participant_id = '\(participant)' AND event_oid = 'SE.V0'
                    """)
                #expect(wide.count == 1)
                #expect(wide.first?[0] == .null)
                #expect(wide.first?[2] == .text("real"))
                #expect(wide.first?[3] == .text(#"{"it_0_0":"conflict"}"#))
                let sides = try store.rows(
                    "SELECT typed, side FROM value WHERE participant_id = '\(participant)' AND status = 'conflict'")
                #expect(sides.count == 2)
                #expect(sides.contains { $0[0] == .text("-77") })
                let states = try store.rows(
                    "SELECT count(*) FROM capture WHERE participant_id = '\(participant)' AND state = 'conflict'")
                #expect(states == [[.integer(1)]])
                let others = try store.rows("SELECT count(*) FROM dm_f_0 WHERE status IS NOT NULL")
                #expect(others == [[.integer(1)]])
            }
        }
    }

    @Test(
        "A form that was begun twice is empty in its wide table, listed with both sides, and shown whole in the long one"
    )
    func formsBegunApartAreEmptyInWideTables() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path)
            let participant = try #require(store.participants.first)
            try await store.withViews { views in
                try await views.wait(for: store.generated.study, arrival: 1)
                let arrival = try store.commit { core in
                    let save = store.generated.save(0, of: participant, number: 0)
                    _ = try store.generated.append(.formSaved(save), about: 0, number: 9_999, in: core)
                }
                views.changed()
                try await views.wait(for: store.generated.study, arrival: arrival)
                let conflicts = try store.rows(
                    """
                    SELECT kind, event_oid, form_oid, is_waiting, json_array_length(sides) FROM conflict
                    WHERE participant_id = '\(participant)'
                    """)
                #expect(conflicts == [[.text("instance"), .text("SE.V0"), .text("F.0"), .integer(0), .integer(2)]])
                let wide = try store.rows(
                    """
                    SELECT coalesce(it_0_0, it_0_1, it_0_2), state FROM dm_f_0 JOIN form_instance USING (form)
                    JOIN participant ON participant.participant = form_instance.participant
                    WHERE participant_id = '\(participant)' AND dm_f_0.event_oid = 'SE.V0'
                    """)
                #expect(wide == [[.null, .text("conflict")]])
                let sides = try store.rows(
                    """
                    SELECT count(*), count(DISTINCT entry_id) FROM value
                    WHERE participant_id = '\(participant)' AND status = 'conflict'
                    """)
                #expect(sides.first?[1] == .integer(2))
                let monitored = try store.rows("SELECT sum(conflicts) FROM monitoring")
                #expect(monitored == [[.integer(1)]])
            }
        }
    }

    @Test("A bounded wait says whether the view came to hold what was asked for, and holds nobody up who is to stop")
    func waitIsBounded() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60)
            let study = store.generated.study
            let participant = try #require(store.participants.first)
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                // Committed, and the views were not told.
                let arrival = try store.commit { core in try change(participant, 0, store.generated, core) }
                #expect(await views.wait(for: study, arrival: arrival, atMost: .milliseconds(30)) == false)
                async let waited = views.wait(for: study, arrival: arrival, atMost: .seconds(30))
                views.changed()
                #expect(await waited)
                #expect(await views.wait(for: study, arrival: arrival, atMost: .zero))
                async let stopped = views.wait(for: study, arrival: arrival + 1, atMost: .seconds(30))
                while await !views.isWaitedFor { await Task.yield() }
                await views.stop()
                #expect(await stopped == false)
            }
        }
    }

    @Test("A view is taken up where it stood, and what came meanwhile is written")
    func viewIsTakenUp() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path)
            let study = store.generated.study
            try await store.withViews { try await $0.wait(for: study, arrival: 1) }
            let first = ViewDirectory(dataDirectory: path).current(study)
            let participant = try #require(store.participants.last)
            let arrival = try store.commit { core in try change(participant, 0, store.generated, core) }
            store.forgetChanges()
            try await store.withViews { views in
                try await views.wait(for: study, arrival: arrival)
                #expect(ViewDirectory(dataDirectory: path).current(study) == first)
                let digest = try ViewReader(ViewDirectory(dataDirectory: path), study: study).check()
                #expect(try await views.rebuild(study).digest == digest)
            }
        }
    }

    @Test(
        "A view of another version, events file, arrival or of other definitions is built anew by itself",
        arguments: [
            "version = 0", "incarnation = zeroblob(16)", "leaf = zeroblob(32)", "shape = zeroblob(32)",
            "charter_versions = 9", "is_complete = 0",
        ])
    func foreignViewIsBuiltAnew(change: String) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60)
            let study = store.generated.study
            try await store.withViews { try await $0.wait(for: study, arrival: 1) }
            let directory = ViewDirectory(dataDirectory: path)
            let first = try #require(directory.current(study))
            let connection = try Connection(
                path: "\(path)/views/\(study)/\(first).sqlite", access: .readWrite, vfs: nil)
            try connection.execute("UPDATE generation SET \(change)")
            connection.close()
            store.forgetChanges()
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                #expect(directory.current(study) == first + 1)
                #expect(directory.generations(study) == [first + 1])
                _ = try ViewReader(directory, study: study).check()
            }
        }
    }

    @Test("A generation that somebody reads is kept until nobody does")
    func generationInUseIsKept() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60)
            let study = store.generated.study
            let directory = ViewDirectory(dataDirectory: path)
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                var reader: ViewReader? = try ViewReader(directory, study: study)
                let first = try #require(reader?.generation)
                _ = try await views.rebuild(study)
                #expect(directory.generations(study) == [first, first + 1])
                #expect(try reader?.counts().participants == 1)
                reader = nil
                _ = try await views.rebuild(study)
                #expect(directory.generations(study) == [first + 2])
            }
        }
    }
}

extension FoldedStore {
    /// The rows of a query.
    func rows(_ sql: String) throws -> [[QueryValue]] {
        var rows: [[QueryValue]] = []
        let reader = try ViewReader(ViewDirectory(dataDirectory: path), study: generated.study)
        _ = try reader.query(sql, limit: 10_000, seconds: 60) { rows.append($0) }
        return rows
    }
}
