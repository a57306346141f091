import EventLog
import Testing
import Trial
import TrialOracle

/// What an entry, or a batch of them, may cost a node that takes it in.
struct CostLawTests {
    /// Counts how often entries are asked for.
    private final class CountingSource: EntrySource {
        let entries: [EntryAddress: WrittenEntry]
        private(set) var count = 0

        init(_ entries: [WrittenEntry]) {
            self.entries = Dictionary(entries.map { ($0.address, $0) }) { first, _ in first }
        }

        func entries(at addresses: [EntryAddress]) -> [WrittenEntry] {
            count += 1
            return addresses.compactMap { entries[$0] }
        }
    }

    @Test func `an entry that changes thousands of items having seen thousands of values costs their sum`() throws {
        let world = try TrialTestWorld.open(seed: 71)
        let participant = try world.register().id
        let small = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        var draft = try #require(world.copy(of: small))
        var action = try #require(small.action)
        guard case .formSaved(var save) = action.operation else { return }
        let absent = EntryID(.sha256([1]))
        save.seen = (0..<16_384).map { ValueID(entry: absent, position: $0) }
        let change = save.changes[0]
        save.changes = (0..<3_500).map { number in
            var one = change
            one.item = ItemOID("I.\(number)")
            return one
        }
        action.operation = .formSaved(save)
        action.command = CommandID(using: &world.generator)
        (draft.parts, draft.command) = (action.parts(), action.command)
        #expect(draft.parts.reduce(0) { $0 + $1.bytes.count } < 120_000)
        let large = try world.write(draft, at: .haukeland)
        let record = try #require(world.record(participant, at: .haukeland))
        let register = try #require(record.register(ItemOID("I.17")))
        #expect(register.held.map(\.id.entry) == [large.id] && register.isAwaiting)
        #expect(record.awaited(in: register) == save.seen)
        var orders: [[StreamDigest]] = []
        for entries in [world.entries, world.entries.reversed()] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(entries)
            orders.append(folding.digests())
        }
        #expect(orders[0] == orders[1])
    }

    @Test func `many entries taken in together are each read once, however often they change what came before`() throws
    {
        let world = try TrialTestWorld.open(seed: 72)
        let participant = try world.register().id
        let command = CommandID(using: &world.generator)
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        for number in 0..<30 {
            var draft = try #require(world.copy(of: first))
            var action = try #require(first.action)
            guard case .formSaved(var save) = action.operation else { return }
            save.comment = "\(number)"
            action.operation = .formSaved(save)
            action.command = command
            (draft.parts, draft.command) = (action.parts(), command)
            try world.write(draft, at: .haukeland)
        }
        for number in 0..<20 {
            try world.register(to: .haukeland, label: "S-\(number)", command: CommandID(derivedFrom: .sha256([2])))
            try world.restore(.haukeland, from: world.entries)
        }
        let source = CountingSource(world.entries)
        var fold = StudyFold(study: world.study, directory: TestNetwork.directory(2))
        try fold.insert(contentsOf: world.entries, source: source)
        // Once for each of the 21 records, which is what they are, and once more where a record is of several commands.
        #expect(source.count <= 2 * 21)
        #expect(fold.locations[.haukeland]?.records.count == 21)
        let oracle = Oracle(world.entries, study: world.study, directory: TestNetwork.directory(2))
        #expect(StudySnapshot(fold).difference(from: oracle.snapshot) == nil)
    }
}
