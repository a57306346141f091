import EventLog
import Testing
import Trial

/// Law M48 (Protocols/merge.md; DESIGN §5, "Rights"): what the end of a delegation does to entries before and after it.
struct DelegationEndLawTests {
    private func world() throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: 41)
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

    @Test
    func
        `a visit saved by a nurse whose delegation had ended elsewhere keeps its values and is a finding, by one who could know it has no effect, in every order`()
        throws
    {
        let (world, participant) = try world()
        let ended = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        // Stavanger's node has not heard of it.
        let unknowing = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        var draft = try #require(world.copy(of: unknowing))
        draft.known.delegation = world[.haukeland].fold.authority.delegationNumber(of: .helseVest)
        draft.command = CommandID(using: &world.generator)
        var action = try #require(unknowing.action)
        action.command = draft.command
        draft.parts = action.parts()
        let knowing = try world.write(draft, at: .stavanger)
        let other = try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        let moved = [ended, unknowing, knowing, other]
        let rest = world.entries.filter { entry in !moved.contains { $0.id == entry.id } }
        var digests: Set<StreamDigest> = []
        for order in orders(of: moved) {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(rest + order)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(record.register(TestStudy.pulse)?.held.map(\.id.entry) == [unknowing.id])
            #expect(record.findings == [unknowing.id: .delegationHadEnded])
            #expect(record.void == [knowing.id: .notDelegated])
            digests.insert(folding.digests()[1])
        }
        #expect(digests.count == 1)
        // At the nurse's own node it is refused once the end is known there.
        try world.spread()
        #expect(throws: Refusal.notDelegated(.helseVest, .studyNurse)) {
            try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .stavangerNurse)
        }
    }

    @Test func `what the one who ended a delegation held was written before, and is no finding`() throws {
        let (world, participant) = try world()
        let before = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        try world.deliver(world.entries, to: .haukeland)
        let notHeld = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        let ended = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        let after = try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .stavangerNurse)
        for order in orders(of: [before, notHeld, ended, after]) {
            let moved = Set(order.map(\.id))
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(world.entries.filter { !moved.contains($0.id) } + order)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(record.findings == [notHeld.id: .delegationHadEnded, after.id: .delegationHadEnded])
            #expect(record.register(TestStudy.pulse)?.held.map(\.id.entry) == [after.id])
        }
    }

    @Test func `in a log with two histories the end does not say which of them was held from where they part`() throws {
        let (world, participant) = try world()
        let before = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        let parting = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        let behind = try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .stavangerNurse)
        try world.deliver(world.entries, to: .haukeland)
        let ended = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        // Written afterwards, under a place that the end states as held.
        var draft = try #require(world.copy(of: parting))
        draft.command = CommandID(using: &world.generator)
        var action = try #require(parting.action)
        action.command = draft.command
        draft.parts = action.parts()
        let trunk = try #require(world.written(parting.id)).name
        let sealed = draft.sealed(
            log: trunk.log, index: parting.place.index, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 1),
            software: "test", using: &world.generator)
        let branch = trunk.branch(at: ForkPoint(index: parting.place.index, leaf: sealed.entry.id.hash))
        let other = WrittenEntry(
            sealed.raw, id: sealed.entry.id, at: EntryAddress(log: branch.id, index: parting.place.index), in: branch)
        let moved = [parting, behind, ended, other]
        let rest = world.entries.filter { entry in !moved.contains { $0.id == entry.id } }
        var digests: Set<StreamDigest> = []
        for order in orders(of: moved) {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(rest + order)
            #expect(folding.difference(from: rest + order) == nil)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(Set(record.findings.keys) == [parting.id, behind.id, other.id])
            #expect(record.findings[before.id] == nil)
            digests.insert(folding.digests()[1])
        }
        #expect(digests.count == 1)
    }

    @Test func `of two ends the first one counts, also where the second states more`() throws {
        let (world, participant) = try world()
        let first = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        let late = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        try world.deliver(world.entries, to: .haukeland)
        // Nobody ends what has ended; a faulty node does.
        var action = try #require(first.action)
        guard case .delegationNumbered(var end) = action.operation else { return }
        (end.number, end.previous) = (end.number + 1, first.id)
        end.held = world[.haukeland].fold.locations[.haukeland]?.heldExtents ?? []
        action.command = CommandID(using: &world.generator)
        action.operation = .delegationNumbered(end)
        var draft = try #require(world.copy(of: first))
        draft.command = action.command
        draft.parts = action.parts()
        try world.write(draft, at: .haukeland)
        try world.spread()
        #expect(world[.norcrin].fold.authority.void == [:])
        #expect(world.record(participant, at: .norcrin)?.findings == [late.id: .delegationHadEnded])
    }

    @Test func `a gap in what is held is not stated as held`() throws {
        let (world, participant) = try world()
        let entries = try ["70", "71", "72"].map {
            try world.saveVitals(participant, [(TestStudy.pulse, $0)], by: .stavangerNurse)
        }
        try world.deliver(
            [world.entries.first { $0.address.log == entries[0].address.log }, entries[0], entries[2]]
                .compactMap { $0 }, to: .haukeland)
        try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        try world.spread()
        let findings = try #require(world.record(participant, at: .norcrin)?.findings)
        #expect(Set(findings.keys) == [entries[1].id, entries[2].id])
    }

    @Test func `a withdrawn acceptance is given again by one that saw the withdrawal, and by a number that names it`()
        throws
    {
        let (world, _) = try world()
        func numbered(_ acceptance: EntryID) throws {
            try world.spread()
            var opened: [LocationID: EntryID] = [:]
            for (entry, answer) in world[.norcrin].fold.authority.acceptances {
                for location in answer.locations where location != .stavanger { opened[location] = entry }
            }
            opened[.stavanger] = acceptance
            try world.participate(with: opened)
            try world.spread()
        }
        let first = try #require(
            world[.norcrin].fold.authority.acceptances.first { $0.value.locations == [.stavanger] }?.key)
        try world.withdraw([.stavanger], by: .stavangerDirector)
        let again = try world.accept([.stavanger], by: .stavangerDirector)
        try world.spread()
        // The number in force still names the acceptance that was withdrawn.
        #expect(!world[.norcrin].fold.authority.isOpen(.stavanger))
        try numbered(again.id)
        #expect(world[.norcrin].fold.authority.isOpen(.stavanger))
        try world.register(at: .stavanger, by: .stavangerNurse)
        try numbered(first)
        #expect(!world[.norcrin].fold.authority.isOpen(.stavanger))
        try numbered(again.id)
        // A withdrawal that the acceptance did not see closes it again.
        try world.withdraw([.stavanger], by: .stavangerDirector)
        try world.spread()
        #expect(!world[.norcrin].fold.authority.isOpen(.stavanger))
    }
}
