import EventLog
import Foundation
import StoreCore
import Testing
import Trial
import Views

/// What came while no views were kept is in them once they are taken up, whomever it concerns.
@Suite struct TakenUpTests {
    private func registered(_ text: String) -> Trial.Operation {
        .participantRegistered(Registration(labels: [ParticipantLabel(kind: .subject, text: text)]))
    }

    /// Writes the registration of a participant again in other epochs, as `text` or as it was, whose logs were begun before there was a view,
    /// and compares the view that is taken up with one built anew.
    private func repeated(
        in epochs: Int, as text: String? = nil, _ expect: (FoldedStore, EntryID) throws -> Void
    ) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path)
            let study = store.generated.study
            // The one with the highest id, so that a repetition is as good as certain to have a lower one.
            let first = try #require(store.participants.last)
            let label = try #require(store.record(first)?.labelHistory.first?.label.text)
            let number = store.generated.registrationNumber(of: try #require(Int(label.dropFirst("P-".count))))
            let folders = (0..<epochs).map { "\(path)-\($0)" }
            let writers = try folders.map { try GeneratedStudy.store(in: $0) }
            defer {
                for writer in writers { try? writer.close() }
                for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
            }
            let begun = try store.takeIn(registered("Another"), about: 300, number: 77_000, from: writers)
            store.forgetChanges()
            try await store.withViews { try await $0.wait(for: study, arrival: begun) }
            let generation = ViewDirectory(dataDirectory: path).current(study)
            let arrival = try store.takeIn(
                registered(text ?? label), about: 500, number: number, from: writers)
            store.forgetChanges()
            try await store.withViews { views in
                try await views.wait(for: study, arrival: arrival)
                let reader = try ViewReader(ViewDirectory(dataDirectory: path), study: study)
                #expect(reader.generation == generation)
                #expect(try reader.counts().participants == store.participants.count)
                try expect(store, first)
                let digest = try reader.check()
                #expect(try await views.rebuild(study).digest == digest)
            }
        }
    }

    @Test func `a registration that was repeated elsewhere is one participant, whichever of the two counts`()
        async throws
    {
        try await repeated(in: 12) { store, first in
            #expect(store.record(first)?.aliases.count == 12 && store.record(first)?.id != first)
        }
    }

    @Test func `a registration whose command was used for another one says so, too`() async throws {
        try await repeated(in: 1, as: "Somebody else") { store, _ in
            let findings = try store.rows("SELECT 1 FROM finding WHERE rule = 'F2'")
            #expect(findings.count == 2)
        }
    }

    @Test func `a file that is damaged is built anew by itself`() async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 60)
            let study = store.generated.study
            let directory = ViewDirectory(dataDirectory: path)
            try await store.withViews { try await $0.wait(for: study, arrival: 1) }
            let first = try #require(directory.current(study))
            let connection = try Connection(
                path: "\(path)/views/\(study)/\(first).sqlite", access: .readWrite, vfs: nil)
            try connection.execute("DROP TABLE finding")
            connection.close()
            store.forgetChanges()
            // What was wrong is said, and the view is there again.
            var failure: (any Error)?
            do {
                try await store.withViews { views in
                    try await views.wait(for: study, arrival: 1)
                    #expect(directory.current(study) == first + 1)
                    _ = try ViewReader(directory, study: study).check()
                }
            } catch {
                failure = error
            }
            #expect(failure != nil)
            #expect(directory.current(study) == first + 1)
        }
    }

    @Test
    func `a participant with more forms than a view holds has those with the lowest ids, and all others are whole`()
        async throws
    {
        try await withScratch { path in
            let store = try FoldedStore(path)
            let study = store.generated.study
            let participant = try #require(store.participants.first)
            try await store.withViews { views in
                try await views.wait(for: study, arrival: 1)
                var arrival: Int64 = 0
                for part in 0..<28 {
                    // Begun by the thousand in unscheduled visits, as no person would.
                    var lines = [
                        InstanceDeclaration(
                            kind: .studyEvent, parent: nil, oid: "SE.EXTRA", identity: .own, beginsHere: true)
                    ]
                    lines += (0..<2_400).map { _ in
                        InstanceDeclaration(kind: .form, parent: 0, oid: "F.0", identity: .own, beginsHere: true)
                    }
                    arrival = try store.commit { core in
                        _ = try store.generated.append(
                            .formSaved(FormSave(participant: participant, instances: lines, changes: [])), about: 0,
                            number: 5_000 + part, in: core)
                    }
                }
                views.changed()
                try await views.wait(for: study, arrival: arrival)
                let reader = try ViewReader(ViewDirectory(dataDirectory: path), study: study)
                let digest = try reader.check()
                #expect(
                    try store.rows(
                        "SELECT count(*) FROM form_instance JOIN participant USING (participant) WHERE "
                            + "participant_id = '\(participant)'") == [[.integer(1 << 16)]])
                #expect(try store.rows("SELECT 1 FROM finding WHERE explanation LIKE '%in the log only%'").count == 1)
                #expect(try reader.counts().participants == store.participants.count)
                #expect(try await views.rebuild(study).digest == digest)
            }
        }
    }

    @Test func `a text with a zero character in it is kept whole`() async throws {
        try await withScratch { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let file = path + "/text.sqlite"
            #expect(FileManager.default.createFile(atPath: file, contents: nil))
            let connection = try Connection(path: file, access: .readWrite, vfs: nil)
            defer { connection.close() }
            let statement = try connection.prepare("SELECT ?1, length(CAST(?1 AS BLOB))")
            statement.bind(1, "a\0b")
            #expect(try statement.step())
            #expect(statement.text(0) == "a\0b" && statement.int64(1) == 3)
            statement.finalize()
        }
    }
}
