import EventLog
import Testing
import Trial

/// Laws M60 and M61 (Protocols/merge.md): what other entries of its log, and keys that were taken away, make of an entry.
struct LogLawTests {
    private func world() throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: 71)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    private func orders<Element>(of elements: [Element]) -> [[Element]] {
        guard elements.count > 1 else { return [elements] }
        return elements.indices.flatMap { place in
            var rest = elements
            let first = rest.remove(at: place)
            return orders(of: rest).map { [first] + $0 }
        }
    }

    /// Folds everything with some entries last, in every order; all must come to the same.
    private func inEveryOrder(
        _ moved: [WrittenEntry], _ world: TrialTestWorld, last: NetworkDirectory.Version? = nil,
        _ check: (StudyFold) throws -> Void
    ) throws {
        let ids = Set(moved.map(\.id))
        let rest = world.entries.filter { !ids.contains($0.id) }
        var digests: Set<[StreamDigest]> = []
        for order in orders(of: moved) {
            for charterFirst in [true, false] {
                var folding = Folding(
                    study: world.study, charterVersions: charterFirst ? 4 : 2, last: last)
                try folding.take(rest + order)
                try folding.learn(charterVersions: 4)
                #expect(folding.difference(from: world.entries) == nil)
                try check(folding.fold)
                digests.insert(folding.digests())
            }
        }
        #expect(digests.count == 1)
    }

    /// The entry that says of its writer that it knew something else, in the same log.
    private func backdated(
        _ entry: WrittenEntry, _ world: TrialTestWorld, _ change: (inout KnownVersions) -> Void
    ) throws -> WrittenEntry {
        var draft = try #require(world.copy(of: entry))
        change(&draft.known)
        draft.command = CommandID(using: &world.generator)
        var action = try #require(entry.action)
        action.command = draft.command
        draft.parts = action.parts()
        return try world.write(draft, at: entry.writer, staysInLog: true)
    }

    @Test(arguments: 0..<3)
    func `an entry that knows less than one before it in its log has no effect, in every order`(number: Int) throws {
        let (world, participant) = try world()
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        let fallen = try backdated(first, world) { known in
            switch number {
            case 0: known.charter -= 1
            case 1: known.participation -= 1
            default: known.delegation -= 1
            }
        }
        let after = try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .stavangerNurse)
        #expect(fallen.address.log == first.address.log)
        #expect(after.address.log == first.address.log)
        try inEveryOrder([first, fallen, after], world) { fold in
            let record = try #require(fold.locations[.haukeland]?.participant(participant))
            #expect(record.void == [fallen.id: .knewLess])
            #expect(record.register(TestStudy.pulse)?.held.map(\.id.entry) == [first.id])
            #expect(record.register(TestStudy.weight)?.held.map(\.id.entry) == [after.id])
        }
    }

    @Test func `the delegation that had ended is not escaped by saying that nothing was known of its end`() throws {
        let (world, participant) = try world()
        let before = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        try world.spread()
        // The node knows of the end by now: another nurse's entry says so.
        try world.delegate(.stavangerNurse, at: .helseVest, by: .bergenDirector)
        try world.spread()
        let knowing = try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .stavangerNurse)
        let fallen = try backdated(before, world) { _ in }
        #expect(knowing.address.log == fallen.address.log)
        try inEveryOrder([before, knowing, fallen], world) { fold in
            let record = try #require(fold.locations[.haukeland]?.participant(participant))
            #expect(record.void[fallen.id] == .knewLess)
        }
    }

    @Test func `in the study's own stream a number that falls is void too`() throws {
        let (world, _) = try world()
        let grant = try world.delegate(.monitor, at: .helseVest, by: .bergenDirector)
        let fallen = try backdated(grant, world) { $0.participation -= 1 }
        try inEveryOrder([grant, fallen], world) { fold in
            #expect(fold.authority.void == [fallen.id: .knewLess])
        }
    }

    @Test(arguments: [false, true])
    func
        `what lies beyond the accepted head of a key that was taken away has no effect, also where the charter comes last`(
            isRevoked: Bool
        ) throws
    {
        let (world, participant) = try world()
        let accepted = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        let beyond = try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .stavangerNurse)
        let ours = try world.saveVitals(participant, [(TestStudy.note, "kvalme")], by: .bergenNurse)
        // Its acceptance stands in the study's own stream, and counts.
        var sizes = sizes(of: .stavanger, in: world)
        sizes[accepted.address.log] = accepted.address.index + 1
        let version = TestNetwork.withoutKey(of: .stavanger, isRevoked: isRevoked, accepted: sizes)
        try inEveryOrder([accepted, beyond, ours], world, last: version) { fold in
            let record = try #require(fold.locations[.haukeland]?.participant(participant))
            #expect(record.void == [beyond.id: .beyondAccepted])
            #expect(record.register(TestStudy.pulse)?.held.map(\.id.entry) == [accepted.id])
            #expect(record.register(TestStudy.weight)?.held.isEmpty ?? true)
            #expect(record.register(TestStudy.note)?.held.map(\.id.entry) == [ours.id])
            #expect(fold.authority.void.isEmpty)
        }
    }

    @Test func `an acceptance in a log of which nothing is accepted opens nothing`() throws {
        let (world, participant) = try world()
        let saved = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        let version = TestNetwork.withoutKey(
            of: .stavanger, isRevoked: true, accepted: [saved.address.log: saved.address.index + 1])
        try inEveryOrder([saved], world, last: version) { fold in
            #expect(fold.authority.void.values.contains(.beyondAccepted))
            #expect(fold.locations[.haukeland]?.participant(participant)?.void == [saved.id: .foreignStream])
        }
    }

    private func sizes(of node: NodeID, in world: TrialTestWorld) -> [LogID: UInt64] {
        world.entries.filter { $0.writer == node }.reduce(into: [:]) { sizes, entry in
            sizes[entry.address.log] = max(sizes[entry.address.log] ?? 0, entry.address.index + 1)
        }
    }

    @Test func `a log that was begun under the new key counts whole`() throws {
        let (world, participant) = try world()
        let old = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        let version = TestNetwork.withoutKey(
            of: .stavanger, isRevoked: false, accepted: sizes(of: .stavanger, in: world))
        // Who still has the old key cannot make an entry count by saying that it knows of the new one.
        let sneaked = try backdated(old, world) { $0.charter = 3 }
        #expect(sneaked.address.log == old.address.log)
        // A node that is given a new key begins a new log under it.
        world[.stavanger].giveUpLog(of: old.stream)
        let other = try backdated(old, world) { $0.charter = 3 }
        #expect(other.address.log != old.address.log)
        try inEveryOrder([old, sneaked, other], world, last: version) { fold in
            let record = try #require(fold.locations[.haukeland]?.participant(participant))
            #expect(record.void == [sneaked.id: .beyondAccepted])
            #expect(record.applied.contains(other.id))
        }
    }
}
