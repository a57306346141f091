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
        return cases + (try orderCases())
    }

    private static func orderCases() throws -> [(name: String, given: [String: String])] {
        var cases: [(name: String, given: [String: String])] = []
        let redacted = try TrialTestWorld.open(seed: 105)
        let text = try redactedText(in: redacted)
        cases.append(("a free text that an order drops, its bytes still here", try given(redacted)))
        cases.append(("the same without the bytes", try given(redacted, without: text)))
        let erased = try TrialTestWorld.open(seed: 106)
        let participant = try erased.register().id
        try erased.spread()
        try erased.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        // Written where the order is not known yet.
        try erased.saveVitals(participant, [(TestStudy.weight, "81")], by: .stavangerNurse)
        try erased.erase(participant)
        cases.append(("an erased participant, with a save that comes after the order", try given(erased)))
        let refused = try TrialTestWorld.open(seed: 107)
        let kept = try refused.register().id
        let save = try refused.saveVitals(kept, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try refused.spread()
        var other = try #require(refused.copy(of: try refused.redact(save.id, of: kept)))
        other.authority.role = .monitor
        try refused.write(other, at: .haukeland)
        cases.append(("two orders on one entry, one of a role without the right", try given(refused)))
        return cases
    }

    /// Has a text dropped; returns what the order takes.
    private static func redactedText(in world: TrialTestWorld) throws -> DropOrders {
        let participant = try world.register().id
        let save = try world.saveVitals(
            participant, [(TestStudy.pulse, "70"), (TestStudy.note, "naboen heter Kari")], by: .bergenNurse)
        guard case .formSaved(let said)? = save.action?.operation,
            let place = said.changes.firstIndex(where: { $0.item == TestStudy.note })
        else { throw VectorError(name: "note") }
        try world.redact(save.id, of: participant, .text(position: UInt64(place)))
        return try #require(world[.haukeland].fold.locations[.haukeland]).drops
    }

    private static func given(
        _ world: TrialTestWorld, without drops: DropOrders = DropOrders()
    ) throws -> [String: String] {
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
                index: entry.address.index, header: raw.header.hex,
                body: try entry.carriedOut(drops).asRead?.body.bytes.hex ?? raw.body.hex)
        }
        return [
            "charter": String(decoding: try encoder.encode(versions), as: UTF8.self), "study": world.study.description,
            "entries": String(decoding: try encoder.encode(lines), as: UTF8.self),
        ]
    }
}
