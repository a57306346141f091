import EventLog
import Testing
import Trial

/// Laws M5 to M8 (Protocols/merge.md; DESIGN §2, rule 5): once means once, at whichever nodes a command was carried
/// out.
struct CommandLawTests {
    private func world(seed: UInt64 = 3) throws -> TrialTestWorld { try TrialTestWorld.open(seed: seed) }

    private func command(_ world: TrialTestWorld) -> CommandID { CommandID(using: &world.generator) }

    @Test func `a save sent to two nodes counts once, under the lower id`() throws {
        let world = try world()
        let participant = try world.register().id
        try world.spread()
        let id = command(world)
        let one = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse, command: id)
        let two = try world.saveVitals(
            participant, [(TestStudy.pulse, "70")], by: .bergenNurse, to: .stavanger, command: id)
        #expect(one.id != two.id)
        try world.spread()
        let register = try #require(world.register(TestStudy.pulse, of: participant, at: .norcrin))
        #expect(register.held.map(\.id.entry) == [min(one.id, two.id)])
        #expect(world.record(participant, at: .norcrin)?.findings == [:])
    }

    @Test func `who saw the value of one sending saw the value of both`() throws {
        // At each node somebody sees only that node's own value; one of the two has the id that does not stand.
        for person in [Person.bergenInvestigator, .stavangerNurse] {
            let world = try world()
            let participant = try world.register().id
            try world.spread()
            let id = command(world)
            try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse, command: id)
            try world.saveVitals(
                participant, [(TestStudy.pulse, "70")], by: .bergenNurse, to: .stavanger, command: id)
            try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: person)
            try world.spread()
            let register = try #require(world.register(TestStudy.pulse, of: participant, at: .unn))
            #expect(register.texts == ["71"])
            #expect(!register.isAwaiting)
        }
    }

    @Test func `the command counts once though the second node knew less of what stood there`() throws {
        let world = try world()
        let participant = try world.register().id
        try world.spread()
        // Stavanger has neither the first value nor the beginning of the visit.
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let seen = [SeenValue(entry: first.id, position: 0)]
        let id = command(world)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .bergenNurse, seen: seen, command: id)
        try world.saveVitals(
            participant, [(TestStudy.pulse, "71")], by: .bergenNurse, to: .stavanger, seen: seen, command: id)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.register(TestStudy.pulse)?.held.count == 1)
        #expect(record.findings == [:])
    }

    @Test func `a chain of commands sent to two nodes is one participant, one event and one value`() throws {
        let world = try world()
        let ids = (0..<4).map { _ in command(world) }
        let registered = ParticipantReference.registeredBy(ids[0])
        var entries: [NodeID: [WrittenEntry]] = [:]
        for node in [NodeID.haukeland, .stavanger] {
            entries[node] = [
                try world.register(by: .bergenNurse, to: node, command: ids[0]),
                try world.send(
                    world.adverseEvent(of: registered, term: "kvalme"), by: .bergenNurse, to: node, command: ids[1]),
                try world.send(
                    world.adverseEvent(of: registered, .begunBy(ids[1]), term: nil, severity: "2"), by: .bergenNurse,
                    to: node, command: ids[2]),
                try world.send(
                    .status(
                        location: .haukeland, participant: registered, status: .screened, eventDate: "2025-03",
                        replaces: []), by: .bergenNurse, to: node, command: ids[3]),
            ]
        }
        let bergen = try #require(entries[.haukeland])
        let stavanger = try #require(entries[.stavanger])
        // Different nurses go on with the event at each node, where it has another id.
        for (node, person) in [(NodeID.haukeland, Person.bergenInvestigator), (.stavanger, .stavangerNurse)] {
            let participant = entries[node]?[0].id ?? EntryID(.zero)
            let event = try #require(
                world.record(participant, at: node)?.instances(of: TestStudy.adverseEvent).keys.first)
            try world.send(
                world.adverseEvent(
                    of: .registration(participant), .existing(event), term: "kvalme, oppkast",
                    seen: world.screen(participant, at: node)), by: person, to: node)
        }
        var digests: Set<StreamDigest> = []
        for order in [world.entries, world.entries.reversed(), bergen + world.entries, stavanger + world.entries] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(order)
            digests.insert(folding.digests()[1])
            let fold = try #require(folding.fold.locations[.haukeland])
            #expect(fold.records.count == 1)
            let record = try #require(fold.participant(bergen[0].id))
            #expect(record == fold.participant(stavanger[0].id))
            #expect(record.id == min(bergen[0].id, stavanger[0].id))
            #expect(record.aliases == [max(bergen[0].id, stavanger[0].id)])
            #expect(record.instances(of: TestStudy.adverseEvent).count == 1)
            #expect(record.register(TestStudy.severity)?.texts == ["2"])
            #expect(record.register(TestStudy.term)?.texts == ["kvalme, oppkast", "kvalme, oppkast"])
            #expect(record.register(TestStudy.term)?.isConflict == false)
            #expect(record.reached.count == 1)
            #expect(record.findings == [:])
        }
        #expect(digests.count == 1)
    }

    @Test func `one command id with different content keeps all, and each is a finding`() throws {
        let world = try world()
        let participant = try world.register().id
        try world.spread()
        let id = command(world)
        let one = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse, command: id)
        let two = try world.saveVitals(
            participant, [(TestStudy.weight, "80")], by: .bergenNurse, to: .stavanger, command: id)
        try world.spread()
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.register(TestStudy.pulse)?.texts == ["70"])
        #expect(record.register(TestStudy.weight)?.texts == ["80"])
        let finding = FindingRule.commandRepeatedWithOtherContent
        #expect(record.findings == [one.id: finding, two.id: finding])
    }

    @Test func `different registrations under one command id are both kept, and each is a finding`() throws {
        let world = try world()
        let id = command(world)
        let one = try world.register(label: "S-1", command: id)
        let two = try world.register(by: .bergenNurse, to: .stavanger, label: "S-2", command: id)
        try world.spread()
        for node in [NodeID.haukeland, .stavanger] {
            for participant in [one.id, two.id] {
                let findings = world.record(participant, at: node)?.findings
                #expect(findings == [participant: .commandRepeatedWithOtherContent])
            }
        }
    }

    @Test func `two people may use one command id, and it means nothing`() throws {
        let world = try world()
        let participant = try world.register().id
        try world.spread()
        let id = command(world)
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse, command: id)
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse, command: id)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.register(TestStudy.pulse)?.held.count == 2)
        #expect(record.findings == [:])
    }

    @Test func `a copy that has no effect takes the place of nothing`() throws {
        // By chance the copy's id is lower in about half of the worlds.
        var lower = 0
        for seed in UInt64(0)..<16 {
            let world = try world(seed: seed)
            let participant = try world.register().id
            let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
            let copy = try world.write(#require(world.copy(of: save)), at: .unn)
            try world.spread()
            if copy.id < save.id { lower += 1 }
            let record = try #require(world.record(participant, at: .stavanger))
            #expect(record.register(TestStudy.pulse)?.held.map(\.id.entry) == [save.id])
            #expect(record.void == [copy.id: .foreignStream])
        }
        #expect(lower > 0)
    }

    @Test func `a restoration sent to two nodes counts once, though they list what they saw by different ids`() throws {
        let world = try world()
        let participant = try world.register().id
        try world.spread()
        let target = RemovalTarget(
            location: .haukeland, participant: .registration(participant), instance: nil, reason: "feil")
        let removal = command(world)
        let restoration = command(world)
        for node in [NodeID.haukeland, .stavanger] {
            try world.send(.remove(target), by: .bergenNurse, to: node, command: removal)
            try world.send(.restore(target), by: .bergenNurse, to: node, command: restoration)
        }
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(!record.isRemoved)
        #expect(record.findings == [:])
        #expect(record.applied.count == 3)
    }

    @Test func `a participation sent to two coordinating nodes counts once, and answers to either are answers to it`()
        throws
    {
        let world = try TrialTestWorld(seed: 4)
        try world.spread()
        try world.participate(with: [:], coordinating: [.norcrin, .unn])
        try world.spread()
        let id = command(world)
        let one = try world.participate(with: [:], coordinating: [.norcrin, .unn], command: id)
        let two = try world.participate(with: [:], to: .unn, coordinating: [.norcrin, .unn], command: id)
        try world.deliver([one], to: .haukeland)
        try world.deliver([two], to: .stavanger)
        let bergen = try world.accept([.haukeland], by: .bergenDirector)
        let stavanger = try world.accept([.stavanger], by: .stavangerDirector)
        try world.spread()
        let authority = world[.norcrin].fold.authority
        #expect(authority.participations.map(\.id).last == min(one.id, two.id))
        #expect(authority.participations.count == 2)
        #expect(Set(authority.acceptances.keys) == [bergen.id, stavanger.id])
        #expect(authority.void == [:])
        #expect(authority.waiting == [:])
        #expect(authority.findings == [:])
    }

    @Test func `an acceptance carried out twice opens the location, whichever of the two is named`() throws {
        let world = try TrialTestWorld(seed: 5)
        try world.spread()
        try world.participate(with: [:])
        try world.spread()
        let accepted = try world.accept([.haukeland], by: .bergenDirector)
        // The node was restored from a backup, and the command was sent again.
        let again = try world.write(#require(world.copy(of: accepted)), at: .haukeland)
        try world.spread()
        try world.participate(with: [.haukeland: max(accepted.id, again.id)])
        try world.spread()
        #expect(world[.norcrin].fold.authority.isOpen(.haukeland))
        #expect(world[.norcrin].fold.authority.acceptances.count == 1)
    }
}
