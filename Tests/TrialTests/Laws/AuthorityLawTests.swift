import EventLog
import Testing
import Trial
import TrialOracle

/// Laws M3, M9 and M23 to M30 (Protocols/merge.md; DESIGN §5, "Rights"): entries are judged from what their writer
/// knew.
struct AuthorityLawTests {
    private func world(seed: UInt64 = 6) throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: seed)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    /// A save that Haukeland's node would write, for changing its header.
    private func saveDraft(_ world: TrialTestWorld, _ participant: EntryID, text: String = "70") throws -> EntryDraft {
        let save = try world.saveVitals(participant, [(TestStudy.pulse, text)], by: .bergenNurse)
        var draft = try #require(world.copy(of: save))
        // Another command: not a repetition of the one whose entry it is made of.
        let action = try #require(save.action)
        draft.command = CommandID(using: &world.generator)
        draft.parts = Action(
            command: draft.command, provenance: action.provenance, operation: action.operation
        ).parts()
        return draft
    }

    @Test func `a validly signed entry in a foreign stream is void by V3 and changes nothing`() throws {
        let (world, participant) = try world()
        let draft = try saveDraft(world, participant)
        try world.spread()
        let before = try #require(world.record(participant, at: .norcrin))
        for node in [NodeID.unn, .ahus, .norcrin] {
            let foreign = try world.write(draft, at: node)
            try world.deliver([foreign], to: .norcrin)
            let record = try #require(world.record(participant, at: .norcrin))
            #expect(record.void[foreign.id] == .foreignStream)
            #expect(record.instances == before.instances)
            #expect(record.applied == before.applied)
        }
        // The same from a node of the regional arrangement has effect.
        let neighbour = try world.write(draft, at: .stavanger)
        try world.deliver([neighbour], to: .norcrin)
        #expect(world.record(participant, at: .norcrin)?.applied.contains(neighbour.id) == true)
    }

    @Test func `a node that its charter does not admit writes nothing that counts`() throws {
        let (world, participant) = try world()
        var draft = try saveDraft(world, participant)
        let stranger = try world.write(draft, at: .stranger)
        draft.known.charter = 0
        draft.stream = .location(.unn, in: world.study)
        let early = try world.write(draft, at: .unn)
        try world.spread()
        #expect(world.record(participant, at: .norcrin)?.void[stranger.id] == .writerNotInCharter)
        // In the stream of another location the participant is not known at all.
        #expect(world[.norcrin].fold.locations[.unn]?.waiting[early.id] == .participant(participant))
    }

    @Test(arguments: [Role.monitor, .dataManager, .node, .participant, .institution, Role(rawValue: 77)])
    func `a role that may not enter data enters none`(role: Role) throws {
        let (world, participant) = try world()
        var draft = try saveDraft(world, participant)
        draft.authority.role = role
        let entry = try world.write(draft, at: .haukeland)
        try world.deliver([entry], to: .stavanger)
        for node in [NodeID.haukeland, .stavanger] {
            let known = world.record(participant, at: node)?.void[entry.id]
            #expect(known == .roleMayNot)
        }
    }

    @Test func `a delegated monitor may not enter data, neither by command nor by entry`() throws {
        let (world, participant) = try world()
        #expect(throws: Refusal.roleMayNot(.monitor)) {
            try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .monitor, to: .haukeland)
        }
        let authority = world[.haukeland].fold.authority
        let grant = try #require(authority.delegation(of: Person.monitor.actor, as: .monitor, at: .helseVest))
        var draft = try saveDraft(world, participant)
        draft.authority = Authority(
            actor: Person.monitor.actor, kind: .person, role: .monitor, authentication: .localAccount,
            delegation: grant)
        let entry = try world.write(draft, at: .haukeland)
        #expect(world.record(participant, at: .haukeland)?.void == [entry.id: .roleMayNot])
        // Under a role that may, the grant is not theirs.
        draft.authority.role = .studyNurse
        let other = try world.write(draft, at: .haukeland)
        #expect(world.record(participant, at: .haukeland)?.void[other.id] == .notDelegated)
    }

    @Test func `an operation in a stream where it does not belong is void by V5`() throws {
        let (world, participant) = try world()
        var draft = try saveDraft(world, participant)
        draft.stream = .study(world.study)
        let inStudy = try world.write(draft, at: .haukeland)
        let plan = world.draft(
            .planSet(document: [1]), in: .location(.haukeland, in: world.study), by: .manager,
            known: KnownVersions(charter: 1, participation: 2))
        let inLocation = try world.write(plan, at: .haukeland)
        let fold = world[.haukeland].fold
        #expect(fold.authority.void[inStudy.id] == .wrongStream)
        #expect(fold.locations[.haukeland]?.void[inLocation.id] == .wrongStream)
    }

    @Test func `an end of delegation that the writer knew makes the entry void, one they did not know is a finding`()
        throws
    {
        let (world, participant) = try world()
        // Bergen ends the grant; Stavanger's node has not heard of it.
        let end = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        let unknowing = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        try world.spread()
        for node in [NodeID.haukeland, .stavanger, .norcrin] {
            let record = try #require(world.record(participant, at: node))
            #expect(record.register(TestStudy.pulse)?.texts == ["70"])
            #expect(record.findings == [unknowing.id: .delegationHadEnded])
        }
        var draft = try saveDraft(world, participant, text: "71")
        draft.authority = try #require(unknowing.header).authority
        let chain = try #require(world[.haukeland].fold.authority.delegations[.helseVest])
        #expect(chain.last?.id == end.id)
        draft.known.delegation = UInt64(chain.count)
        let knowing = try world.write(draft, at: .stavanger)
        try world.spread()
        #expect(world.record(participant, at: .norcrin)?.void == [knowing.id: .notDelegated])
    }

    @Test func `an entry that names a delegation number not here yet waits, and takes effect when it comes`() throws {
        let (world, participant) = try world()
        let grant = try world.delegate(.tromsoNurse, at: .helseVest, by: .bergenDirector)
        let entry = try world.send(
            .save(world.vitals(participant, [(TestStudy.pulse, "70")], node: .haukeland)), by: .tromsoNurse,
            to: .haukeland)
        try world.deliver([entry], to: .norcrin)
        let number = world[.haukeland].fold.authority.delegationNumber(of: .helseVest)
        #expect(world.record(participant, at: .norcrin)?.waiting == [entry.id: .delegation(.helseVest, number)])
        #expect(world.register(TestStudy.pulse, of: participant, at: .norcrin) == nil)
        try world.deliver([grant], to: .norcrin)
        #expect(world.record(participant, at: .norcrin)?.waiting == [:])
        #expect(world.register(TestStudy.pulse, of: participant, at: .norcrin)?.texts == ["70"])
    }

    @Test func `an entry that names a participation number or an acceptance not here yet waits`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        let number = try #require(world[.norcrin].fold.authority.participations.last?.id)
        let accepted = try #require(
            world[.norcrin].fold.authority.acceptances.first { $0.value.locations == [.stavanger] }?.key)
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries.filter { $0.id != number && $0.id != accepted })
        func waits(_ awaited: Awaited) -> Bool {
            let fold = folding.fold.locations[.haukeland]
            return fold.map { LocationSnapshot($0).marks.waiting.values.contains(awaited) } ?? false
        }
        #expect(waits(.participation(2)))
        #expect(folding.fold.locations[.haukeland]?.records.count == 0)
        try folding.take(world.entries.filter { $0.id == number })
        // Haukeland is open; that Stavanger shares its stream is not known yet.
        #expect(folding.fold.locations[.haukeland]?.records.count == 1)
        #expect(waits(.acceptance(accepted)))
        try folding.take(world.entries.filter { $0.id == accepted })
        let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
        #expect(record.register(TestStudy.pulse)?.texts == ["70"])
        #expect(record.waiting == [:])
    }

    @Test func `an entry that names a charter not here yet waits, and a participant likewise`() throws {
        let (world, participant) = try world()
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        var folding = Folding(study: world.study, charterVersions: 1)
        try folding.take(world.entries.filter { $0.id != participant })
        #expect(folding.fold.locations[.haukeland]?.waiting[save.id] == .participant(participant))
        #expect(folding.fold.authority.waiting.values.contains(.charter(1)))
        try folding.learn(charterVersions: 2)
        #expect(folding.fold.authority.waiting == [:])
        try folding.take(world.entries.filter { $0.id == participant })
        #expect(
            folding.fold.locations[.haukeland]?.participant(participant)?.register(TestStudy.pulse)?.texts == ["70"])
    }

    @Test func `a founding by another node is void, and founds nothing`() throws {
        let world = try TrialTestWorld(seed: 7)
        let founding = try #require(world.entries.last)
        let copy = try world.write(#require(world.copy(of: founding)), at: .haukeland)
        try world.spread()
        for node in [NodeID.norcrin, .haukeland, .unn] {
            let authority = world[node].fold.authority
            #expect(authority.founding?.id == founding.id)
            #expect(authority.founder == .norcrin)
            #expect(authority.void == [copy.id: .notTheFounding])
        }
        // Where the founding itself is not here, the study waits for it.
        try world.participate(with: [:])
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries.filter { $0.id != founding.id })
        #expect(folding.fold.authority.founding == nil)
        #expect(folding.fold.authority.participations.isEmpty)
        #expect(folding.fold.authority.waiting.values.contains(.participation(0)))
    }

    @Test func `of two entries with one participation number the lowest valid one wins everywhere`() throws {
        let world = try TrialTestWorld(seed: 8)
        try world.spread()
        try world.participate(with: [:], coordinating: [.norcrin, .unn])
        try world.spread()
        let entries = [
            try world.participate(with: [:], sites: [], coordinating: [.norcrin, .unn]),
            try world.participate(with: [:], to: .unn, coordinating: [.norcrin, .unn]),
        ].sorted { $0.id < $1.id }
        // A node that does not coordinate may have written a lower one; it counts for nothing.
        for _ in 0..<8 { try world.write(#require(world.copy(of: entries[1])), at: .ahus) }
        for order in [world.entries, world.entries.reversed()] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(order)
            #expect(folding.fold.authority.participations.last?.id == entries[0].id)
            #expect(folding.fold.authority.void[entries[1].id] == .numberTaken)
        }
        try world.spread()
        #expect(world[.unn].fold.authority.participations.last?.id == entries[0].id)
    }

    @Test func `what follows a number that lost counts no more, wherever it was written`() throws {
        let (world, _) = try world()
        // Two grants under one number can only come from two epochs of the owner's log: written by hand.
        let chain = try #require(world[.haukeland].fold.authority.delegations[.helseVest])
        let last = try #require(chain.last)
        func grant(number: UInt64, after previous: EntryID?) throws -> WrittenEntry {
            let delegation = Delegation(
                site: .helseVest, number: number, previous: previous, actor: ActorID(using: &world.generator),
                name: "N. N.", role: .studyNurse, from: "2025-01-01")
            return try world.write(
                world.draft(
                    .delegationNumbered(delegation), in: .study(world.study), by: .bergenDirector,
                    known: KnownVersions(charter: 1, participation: 2)), at: .haukeland)
        }
        let next = last.payload.number + 1
        let rivals = try (0..<2).map { _ in try grant(number: next, after: last.id) }.sorted { $0.id < $1.id }
        let afterLoser = try grant(number: next + 1, after: rivals[1].id)
        let far = try grant(number: next + 9, after: rivals[0].id)
        let none = try grant(number: 0, after: nil)
        let authority = world[.haukeland].fold.authority
        #expect(authority.delegations[.helseVest]?.last?.id == rivals[0].id)
        #expect(authority.void[rivals[1].id] == .numberTaken)
        #expect(authority.void[afterLoser.id] == .misplaced)
        #expect(authority.void[none.id] == .misplaced)
        #expect(authority.waiting == [far.id: .delegation(.helseVest, next + 8)])
    }

    @Test func `an acceptance by a node that does not host the location, or uninvited, is void by V9`() throws {
        let world = try TrialTestWorld(seed: 9)
        try world.participate(with: [:])
        try world.spread()
        let accepted = try world.accept([.haukeland], by: .bergenDirector)
        let copy = try world.write(#require(world.copy(of: accepted)), at: .unn)
        try world.spread()
        #expect(world[.norcrin].fold.authority.void == [copy.id: .notInvited])
        #expect(Set(world[.norcrin].fold.authority.acceptances.keys) == [accepted.id])
        try world.participate(with: [.haukeland: copy.id])
        #expect(!world[.norcrin].fold.authority.isOpen(.haukeland))
    }

    @Test func `opening a log is the trial's concern nowhere`() throws {
        let (world, _) = try world()
        let openings = world.entries.filter { $0.header?.operation == .logOpened }
        #expect(openings.count >= 4)
        #expect(openings.allSatisfy { $0.action?.operation == .log })
        for node in world.nodes.values {
            #expect(StudySnapshot(node.fold).marks == Marks())
            #expect(node.fold.locations[.haukeland].map { LocationSnapshot($0).marks } == Marks())
        }
    }

    @Test func `a log opened by a node outside the charter is void in whatever order it comes`() throws {
        let world = try TrialTestWorld(seed: 10)
        let stranger = LogOpening(
            name: LogName(
                network: TestNetwork.id, node: .stranger, stream: .study(world.study),
                epoch: Epoch(using: &world.generator)), reason: .first, command: CommandID(using: &world.generator),
            earlierHeads: [])
        let opening = try world.write(stranger.draft(known: KnownVersions(charter: 1)), at: .stranger)
        let digests = try [world.entries, world.entries.reversed()].map { order in
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(order)
            #expect(folding.fold.authority.void[opening.id] == .writerNotInCharter)
            return folding.digests()
        }
        #expect(digests[0] == digests[1])
    }
}
