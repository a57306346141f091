import EventLog
import Foundation
import StoreCore
import Testing
import Trial
import Views

@Suite struct RebuildTests {
    @Test("A rebuild's rows add up to the digest that it states, and its counts are those of the live fold")
    func rebuildAgreesWithTheFold() async throws {
        try await withScratch { path in
            let core = try GeneratedStudy.store(in: path)
            let generated = try GeneratedStudy(in: core, values: 2_000, valuesPerParticipant: 100, itemsPerForm: 10)
            let built = try ViewRebuild(dataDirectory: path, context: generated.context).build()
            let directory = ViewDirectory(dataDirectory: path)
            #expect(directory.current(generated.study) == nil)
            try directory.putInService(built)
            let reader = try ViewReader(directory, study: generated.study)
            #expect(try reader.check() == built.digest)
            let counts = try reader.counts()
            #expect(counts == built.counts)
            let fold = try fold(core, generated)
            let expected = try #require(fold.locations[GeneratedStudy.location]?.counts)
            #expect(counts.participants == expected.participants)
            #expect(counts.forms == expected.forms)
            #expect(counts.values == expected.values)
            #expect(counts.values == generated.values)
            #expect(counts.conflicts == expected.conflicts)
            #expect(counts.findings == expected.findings)
            let monitoring = try reader.monitoring()
            #expect(monitoring.map(\.screened) == [20] && monitoring.map(\.included) == [16])
            #expect(monitoring.map(\.screenFailures) == [4])
        }
    }

    @Test("Nothing is lost where one piece of a long log ends and the next begins")
    func rebuildCrossesPieces() async throws {
        try await withScratch { path in
            let core = try GeneratedStudy.store(in: path)
            // One entry for each value: more than a rebuild reads at once, and no multiple of it.
            let generated = try GeneratedStudy(in: core, values: 9_000, valuesPerParticipant: 100, itemsPerForm: 1)
            let built = try ViewRebuild(dataDirectory: path, context: generated.context).build()
            #expect(built.entries > 8_192)
            #expect(built.counts.values == generated.values)
            let expected = try #require(try fold(core, generated).locations[GeneratedStudy.location])
            #expect(built.entries == expected.entryCount)
            #expect(built.counts.forms == expected.counts.forms)
            #expect(built.counts.participants == expected.counts.participants)
        }
    }
}

func fold(_ core: StoreCore, _ generated: GeneratedStudy) throws -> StudyFold {
    var fold = StudyFold(study: generated.study, directory: generated.context.authority.directory)
    let source = StoreSource(core: core)
    for log in try core.logs() {
        try core.forEachEntry(in: log.name.id) { stored in
            try fold.insert(
                WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: log.name), source: source)
            return true
        }
    }
    return fold
}

struct StoreSource: EntrySource {
    let core: StoreCore

    func entries(at addresses: [EntryAddress]) throws -> [WrittenEntry] {
        try addresses.compactMap { address in
            guard let stored = try core.entry(at: address), let name = try core.log(address.log)?.name else {
                return nil
            }
            return WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: name)
        }
    }
}

func withScratch(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "varde-views-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
}
