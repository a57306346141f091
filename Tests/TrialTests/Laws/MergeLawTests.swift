import EventLog
import Testing
import Trial

/// Laws M10 to M22 (Protocols/merge.md; DESIGN §5): what becomes of values that people entered apart from each other.
struct MergeLawTests {
    /// A participant of the regional site, known at Haukeland and Stavanger.
    private func world(seed: UInt64 = 1) throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: seed)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    @Test func `different items of one form changed apart merge, and nobody is asked`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.weight, "81.5")], by: .stavangerNurse)
        try world.spread()
        for node in [NodeID.haukeland, .stavanger, .norcrin] {
            let record = try #require(world.record(participant, at: node))
            #expect(record.register(TestStudy.pulse)?.current?.value?.typed == "70")
            #expect(record.register(TestStudy.weight)?.current?.value?.typed == "81.5")
            #expect(record.conflicts.isEmpty)
            // The scheduled visit, its form and its group are one each, whoever wrote first.
            #expect(record.instances.count == 3)
        }
    }

    @Test func `the same item changed apart becomes a conflict in which both values stand`() throws {
        let (world, participant) = try world()
        let bergen = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let stavanger = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        let register = try #require(world.register(TestStudy.pulse, of: participant, at: .norcrin))
        #expect(register.isConflict)
        #expect(register.current == nil)
        #expect(register.texts == ["70", "71"])
        #expect(Set(register.held.map(\.id.entry)) == [bergen.id, stavanger.id])
        #expect(world.record(participant, at: .norcrin)?.conflicts.map(\.item) == [TestStudy.pulse])
    }

    @Test func `a save that saw both sides ends the conflict`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .stavangerNurse)
        try world.spread()
        let register = try #require(world.register(TestStudy.pulse, of: participant, at: .haukeland))
        #expect(register.texts == ["72"])
        #expect(!register.isConflict)
    }

    @Test func `two decisions of one conflict that differ are a conflict again`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        let register = try #require(world.register(TestStudy.pulse, of: participant, at: .haukeland))
        #expect(register.texts == ["70", "71"])
        #expect(register.isConflict)
    }

    @Test(arguments: [("70", "070"), ("70", "70"), ("-0", "0")])
    func `equal values entered apart are no conflict`(bergen: String, stavanger: String) throws {
        let (world, participant) = try world()
        let one = try world.saveVitals(participant, [(TestStudy.pulse, bergen)], by: .bergenNurse)
        let two = try world.saveVitals(participant, [(TestStudy.pulse, stavanger)], by: .stavangerNurse)
        try world.spread()
        let register = try #require(world.register(TestStudy.pulse, of: participant, at: .norcrin))
        #expect(register.held.count == 2)
        #expect(!register.isConflict)
        #expect(register.current?.id.entry == min(one.id, two.id))
    }

    @Test func `equal numbers in different units, and different reasons for no number, are conflicts`() throws {
        let (world, participant) = try world()
        func save(_ value: EnteredValue, _ item: ItemOID, by person: Person) throws {
            var entry = world.vitals(participant, [], node: person.home)
            entry.groups[0].items = [EnteredItem(item: item, value: value)]
            try world.send(.save(entry), by: person)
        }
        try save(.datum("80", unit: "MU.KG"), TestStudy.weight, by: .bergenNurse)
        try save(.datum("80", unit: "MU.G"), TestStudy.weight, by: .stavangerNurse)
        try save(.missing(reason: "ND"), TestStudy.pulse, by: .bergenNurse)
        try save(.missing(reason: "REFUSED"), TestStudy.pulse, by: .stavangerNurse)
        try save(.missing(reason: "UNK"), TestStudy.sex, by: .bergenNurse)
        try save(.cleared(reason: "UNK"), TestStudy.sex, by: .stavangerNurse)
        try world.spread()
        let conflicts = try #require(world.record(participant, at: .unn)).conflicts.map(\.item)
        #expect(Set(conflicts) == [TestStudy.weight, TestStudy.pulse, TestStudy.sex])
    }

    @Test func `a save replaces nothing in items it does not write, though it saw them`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70"), (TestStudy.weight, "80")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .bergenNurse)
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.register(TestStudy.pulse)?.texts == ["71"])
        #expect(record.register(TestStudy.weight)?.texts == ["80"])
    }

    @Test func `what was replaced stays replaced, in whatever order it comes`() throws {
        let (world, participant) = try world()
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let second = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .bergenNurse)
        try world.deliver([second], to: .stavanger)
        let before = try #require(world.register(TestStudy.pulse, of: participant, at: .stavanger))
        #expect(before.texts == ["71"])
        // Known to have seen something that is not here: not yet work for anybody.
        #expect(
            world.record(participant, at: .stavanger)?.awaited(in: before) == [ValueID(entry: first.id, position: 0)])
        try world.deliver([first], to: .stavanger)
        let after = try #require(world.register(TestStudy.pulse, of: participant, at: .stavanger))
        #expect(after.texts == ["71"])
        #expect(!after.isAwaiting)
    }

    @Test func `seeing a value takes it away only where one's own entry has effect`() throws {
        let (world, participant) = try world()
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.spread()
        var draft = try #require(
            world.copy(
                of: try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .bergenNurse, to: .stavanger)))
        draft.authority.role = .monitor
        draft.command = CommandID(using: &world.generator)
        let void = try world.write(draft, at: .unn)
        try world.deliver([void], to: .haukeland)
        #expect(world.register(TestStudy.pulse, of: participant, at: .haukeland)?.held.map(\.id.entry) == [first.id])
    }

    @Test func `an adverse event added at both nodes is two adverse events`() throws {
        let (world, participant) = try world()
        let reference = ParticipantReference.registration(participant)
        try world.send(world.adverseEvent(of: reference, term: "kvalme"), by: .bergenNurse)
        try world.send(world.adverseEvent(of: reference, term: "kvalme"), by: .stavangerNurse)
        try world.spread()
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.instances(of: TestStudy.adverseEvent).count == 2)
        #expect(record.conflicts.isEmpty)
        let terms = record.instances(of: TestStudy.adverseEventGroup).values.compactMap {
            $0.registers[TestStudy.term]?.current?.value?.typed
        }
        #expect(terms == ["kvalme", "kvalme"])
    }

    @Test func `rows added at both nodes, two in one save, are as many rows, each with its own repeat key`() throws {
        let (world, participant) = try world()
        try world.send(
            world.medication(
                of: participant, [(.new(repeatKey: "1"), "paracet"), (.new(repeatKey: "2"), "ibux")]), by: .bergenNurse)
        try world.send(
            world.medication(of: participant, [(.new(repeatKey: "1"), "paracet")]), by: .stavangerNurse)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        let rows = record.instances(of: TestStudy.medication).values
        #expect(rows.compactMap(\.repeatKey).sorted() == ["1", "1", "2"])
        #expect(record.instances(of: TestStudy.baseline).count == 1)
        #expect(record.instances(of: TestStudy.baseline).values.first?.beginnings.count == 2)
    }

    @Test func `a row is changed where it stands, also by a node that does not have the entry that began it`() throws {
        let (world, participant) = try world()
        let backup = world.entries
        func change(_ row: InstanceID, to drug: String, by person: Person) throws -> WrittenEntry {
            try world.send(
                world.medication(
                    of: participant, [(.existing(row), drug)], seen: world.screen(participant, at: person.home)),
                by: person)
        }
        func row(at node: NodeID) throws -> InstanceID {
            try #require(world.record(participant, at: node)?.instances(of: TestStudy.medication).keys.first)
        }
        let began = try world.send(
            world.medication(of: participant, [(.new(repeatKey: nil), "paracet")]), by: .bergenNurse)
        try world.deliver([began], to: .stavanger)
        let changed = try change(row(at: .stavanger), to: "ibux", by: .stavangerNurse)
        // Haukeland is restored from a backup, and hears of the change before it gets its own entry back.
        try world.restore(.haukeland, from: backup + [changed])
        _ = try change(row(at: .haukeland), to: "pinex", by: .bergenNurse)
        try world.spread()
        for node in [NodeID.haukeland, .stavanger] {
            let record = try #require(world.record(participant, at: node))
            #expect(record.instances(of: TestStudy.medication).count == 1)
            #expect(record.register(TestStudy.drug)?.texts == ["pinex"])
        }
    }

    @Test func `removed against a concurrent edit stays removed, and the edit is kept`() throws {
        let (world, participant) = try world()
        let began = try world.send(
            world.medication(of: participant, [(.new(repeatKey: nil), "paracet")]), by: .bergenNurse)
        try world.deliver([began], to: .stavanger)
        let row = try #require(
            world.record(participant, at: .haukeland)?.instances(of: TestStudy.medication).keys.first)
        let target = RemovalTarget(
            location: .haukeland, participant: .registration(participant), instance: row, reason: "dobbelt")
        try world.send(.remove(target), by: .bergenNurse)
        try world.send(
            world.medication(
                of: participant, [(.existing(row), "ibux")], seen: world.screen(participant, at: .stavanger)),
            by: .stavangerNurse)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.isRemovedWithin(row))
        #expect(!record.isRemoved)
        #expect(record.instances[row]?.registers[TestStudy.drug]?.texts == ["ibux"])
    }

    @Test func `a restoration takes back the removals it had seen and no others`() throws {
        let (world, participant) = try world()
        let target = RemovalTarget(
            location: .haukeland, participant: .registration(participant), instance: nil, reason: "feil person")
        let seen = try world.send(.remove(target), by: .bergenNurse)
        let unseen = try world.send(.remove(target), by: .stavangerNurse)
        let restored = try world.send(.restore(target), by: .bergenNurse)
        #expect(world.record(participant, at: .haukeland)?.isRemoved == false)
        try world.spread()
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.isRemoved)
        #expect(record.standingRemovals(of: nil) == [unseen.id])
        // The restoration may come before what it takes back.
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries.filter { ![seen.id, unseen.id, restored.id].contains($0.id) })
        try folding.take([restored, seen])
        #expect(folding.fold.locations[.haukeland]?.participant(participant)?.isRemoved == false)
    }

    @Test func `what stands in something removed is removed with it`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let visit = try #require(
            world.record(participant, at: .haukeland)?.instances(of: TestStudy.baseline).keys.first)
        let target = RemovalTarget(
            location: .haukeland, participant: .registration(participant), instance: visit, reason: "feil besøk")
        try world.send(.remove(target), by: .bergenNurse)
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.instances.keys.allSatisfy { record.isRemovedWithin($0) })
        #expect(world[.haukeland].fold.locations[.haukeland]?.counts.values == 0)
    }

    @Test func `a status that corrects another takes its place, whichever comes first`() throws {
        let (world, participant) = try world()
        func status(_ status: ParticipantStatus, replacing: [EntryID] = []) throws -> WrittenEntry {
            try world.send(
                .status(
                    location: .haukeland, participant: .registration(participant), status: status,
                    eventDate: "2025-03-01", replaces: replacing), by: .bergenNurse)
        }
        let wrong = try status(.screenFailure)
        let right = try status(.included, replacing: [wrong.id])
        try world.deliver([right, wrong], to: .stavanger)
        for node in [NodeID.haukeland, .stavanger] {
            #expect(world.record(participant, at: node)?.reached.map(\.status) == [.included])
            #expect(world.record(participant, at: node)?.statuses.count == 2)
        }
    }

    @Test func `an item spelled in two ways of Unicode is one item, and the digest does not tell which came first`()
        throws
    {
        let (world, participant) = try world()
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        guard case .formSaved(let save)? = first.action?.operation, let header = first.header else { return }
        let spellings = ["I.M\u{E5}l", "I.Ma\u{30A}l"]
        let entries = try spellings.map { spelling in
            var save = save
            save.changes[0].item = ItemOID(spelling)
            return try world.write(
                world.draft(
                    .formSaved(save), in: first.stream, by: .bergenNurse, known: header.known,
                    grant: header.authority.delegation), at: .haukeland)
        }
        let rest = world.entries.filter { !entries.map(\.id).contains($0.id) }
        let digests = try [entries, entries.reversed()].map { order in
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(rest + order)
            #expect(folding.fold.locations[.haukeland]?.participant(participant)?.conflicts.count == 0)
            return folding.digests()
        }
        #expect(digests[0] == digests[1])
    }
}
