import EventLog
import Foundation
import Testing
import Trial

/// The laws of merge as published vectors: a set of entries, what the charter says, and the digests that follow.
struct MergeVectorTests {
    private static let about = """
        given: charter = versions of the charter by number, each the admitted nodes and the hosts of locations, as JSON; \
        study = the study's id; entries = JSON array of node, stream, epoch, index, header and body, in no particular \
        order. expected: digest of <stream> = the state digest of each stream (merge.md), whatever the order of entries.
        """

    private struct Version: Codable {
        var admitted: [String]
        var hosts: [String: String]
    }

    private struct Line: Codable {
        var node: String
        var stream: String
        var epoch: String
        var index: UInt64
        var header: String
        var body: String
    }

    @Test func `small sets of entries have the digests that were published`() throws {
        try TestVectors.check("merge.json", about: Self.about, make: Self.cases) { given in
            let versions = try JSONDecoder().decode([Version].self, from: Data(try given.text("charter").utf8))
            let directory = NetworkDirectory(
                network: TestNetwork.id,
                versions: versions.map { version in
                    NetworkDirectory.Version(
                        admitted: Set(version.admitted.map { NodeID(unchecked: $0) }),
                        hosts: Dictionary(
                            uniqueKeysWithValues: version.hosts.map {
                                (LocationID(unchecked: $0.key), NodeID(unchecked: $0.value))
                            }))
                })
            guard let study = StudyID(hex: try given.text("study")) else { throw VectorError(name: "study") }
            let lines = try JSONDecoder().decode([Line].self, from: Data(try given.text("entries").utf8))
            let entries = try lines.map(Self.entry)
            // As given, backwards, and by id: the order never counts.
            let orders = [entries, entries.reversed(), entries.sorted { $0.id < $1.id }]
            let digests = try orders.map { try Self.digests(of: $0, study, directory) }
            guard digests.allSatisfy({ $0 == digests[0] }) else { return ["digest": "depends on the order"] }
            return digests[0]
        }
    }

    private static func entry(_ line: Line) throws -> WrittenEntry {
        guard let stream = StreamID(line.stream), let epoch = Epoch(hex: line.epoch),
            let header = [UInt8](vectorHex: line.header), let body = [UInt8](vectorHex: line.body)
        else { throw VectorError(name: "entries") }
        let name = LogName(network: TestNetwork.id, node: NodeID(unchecked: line.node), stream: stream, epoch: epoch)
        let raw = RawEntry(header: header, body: body)
        _ = try Entry(checking: raw, at: line.index, of: name.id)
        return WrittenEntry(raw, id: raw.id, at: EntryAddress(log: name.id, index: line.index), in: name)
    }

    private static func digests(
        of entries: [WrittenEntry], _ study: StudyID, _ directory: NetworkDirectory
    ) throws -> [String: String] {
        var fold = StudyFold(study: study, directory: directory)
        var source = MemorySource()
        for entry in entries {
            source.entries[entry.address] = entry
            try fold.insert(entry, source: source)
        }
        let streams = [StreamID.study(study)] + fold.locations.keys.sorted().map { .location($0, in: study) }
        var found: [String: String] = [:]
        for stream in streams { found["digest of \(stream)"] = fold.digest(of: stream).digest.description }
        return found
    }

    // MARK: Making

    private static func cases() throws -> [(name: String, given: [String: String])] {
        var cases: [(name: String, given: [String: String])] = []
        func add(_ name: String, _ seed: UInt64, _ body: (TrialTestWorld) throws -> Void) throws {
            let world = try TrialTestWorld.open(seed: seed)
            try body(world)
            cases.append((name, try given(world)))
        }
        try add("a registration and a save", 101) { world in
            let participant = try world.register()
            try world.saveVitals(
                participant.id, [(TestStudy.pulse, "70"), (TestStudy.note, "rolig")], by: .bergenNurse)
        }
        try add("two saves that had not seen each other are a conflict", 102) { world in
            let participant = try world.register()
            try world.spread()
            try world.saveVitals(participant.id, [(TestStudy.pulse, "70")], by: .bergenNurse)
            try world.saveVitals(participant.id, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        }
        try add("a save that saw the earlier one supersedes it", 103) { world in
            let participant = try world.register()
            try world.saveVitals(participant.id, [(TestStudy.pulse, "70")], by: .bergenNurse)
            try world.saveVitals(participant.id, [(TestStudy.pulse, "72")], by: .bergenNurse)
        }
        try add("repeating forms begun apart are two", 104) { world in
            let participant = try world.register()
            try world.spread()
            try world.send(
                world.adverseEvent(of: .registration(participant.id), term: "kvalme"), by: .bergenNurse)
            try world.send(
                world.adverseEvent(of: .registration(participant.id), term: "hodepine"), by: .stavangerNurse)
        }
        return cases
    }

    private static func given(_ world: TrialTestWorld) throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let versions = TestNetwork.directory(2).versions.map { version in
            Version(
                admitted: version.admitted.map(\.text).sorted(),
                hosts: Dictionary(uniqueKeysWithValues: version.hosts.map { ($0.key.text, $0.value.text) }))
        }
        let lines = try world.entries.map { entry in
            guard let (name, raw) = world.written(entry.id) else { throw VectorError(name: "entries") }
            return Line(
                node: name.node.text, stream: name.stream.description, epoch: name.epoch.description,
                index: entry.address.index, header: raw.header.hex, body: raw.body.hex)
        }
        return [
            "charter": String(decoding: try encoder.encode(versions), as: UTF8.self), "study": world.study.description,
            "entries": String(decoding: try encoder.encode(lines), as: UTF8.self),
        ]
    }
}
