import EventLog
import Testing
import Trial

/// Laws M34 to M37: wholes as alternatives, resolutions, forms merged unseen, and removals that did not see.
struct ResolutionLawTests {
    private static let everywhere = [NodeID.haukeland, .stavanger, .norcrin]

    /// A visit whose forms were begun before the nodes were parted.
    private func world(seed: UInt64 = 1) throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: seed)
        let participant = try world.register().id
        try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.send(
            world.diary(of: participant, [(TestStudy.pain, "1"), (TestStudy.mood, "1")], at: .haukeland),
            by: .bergenNurse)
        try world.spread()
        return (world, participant)
    }

    private func pulseApart() throws -> (world: TrialTestWorld, participant: EntryID, conflict: Conflict) {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        return (world, participant, try #require(world.open(participant, at: .stavanger).first))
    }

    @Test(arguments: [Person.bergenNurse, .stavangerNurse, .bergenInvestigator])
    func `one resolution by staff of the site, at any of its locations, ends a conflict everywhere`(
        person: Person
    ) throws {
        let (world, participant, conflict) = try pulseApart()
        let resolved = try world.send(
            .resolve(
                world.resolution(of: conflict, participant, at: person.home) {
                    $0.values.first?.held.value?.typed == "71"
                }), by: person)
        try world.spread()
        for node in Self.everywhere {
            #expect(world.open(participant, at: node).isEmpty)
            let register = try #require(world.register(TestStudy.pulse, of: participant, at: node))
            #expect(register.held.map(\.id.entry) == [resolved.id] && register.texts == ["71"])
        }
        guard case .conflictResolved(let said)? = resolved.action?.operation else {
            Issue.record("no resolution")
            return
        }
        #expect(said.sides.map(\.verdict).sorted { $0.rawValue < $1.rawValue } == [.chosen, .wrong])
        #expect(said.save.reason == "kildedata")
    }

    @Test func `a resolution may write what neither side said`() throws {
        let (world, participant, conflict) = try pulseApart()
        let outcome = world.vitals(participant, [(TestStudy.pulse, "72")], node: .haukeland).groups
        try world.send(
            .resolve(world.resolution(of: conflict, participant, at: .haukeland, outcome: outcome) { _ in false }),
            by: .bergenNurse)
        #expect(world.register(TestStudy.pulse, of: participant, at: .haukeland)?.texts == ["72"])
        // It writes the item it is about and no other.
        let (other, same, again) = try pulseApart()
        let foreign = other.vitals(same, [(TestStudy.weight, "72")], node: .haukeland).groups
        #expect(throws: Refusal.self) {
            try other.send(
                .resolve(other.resolution(of: again, same, at: .haukeland, outcome: foreign) { _ in false }),
                by: .bergenNurse)
        }
    }

    @Test func `a resolution that does not name every side here is refused with the newer values`() throws {
        let (world, participant, conflict) = try pulseApart()
        var entry = world.resolution(of: conflict, participant, at: .haukeland) { $0 == conflict.sides[0] }
        entry.sides.removeLast()
        #expect(throws: Refusal.newerValues([TestStudy.pulse])) {
            try world.send(.resolve(entry), by: .bergenNurse)
        }
        entry.item = TestStudy.weight
        #expect(throws: Refusal.noSuchConflict) { try world.send(.resolve(entry), by: .bergenNurse) }
    }

    @Test func `resolutions that had not seen each other and differ are a conflict again; equal ones are none`() throws
    {
        for (one, other, count) in [("70", "71", 1), ("70", "70", 0)] {
            let (world, participant, conflict) = try pulseApart()
            for (person, text) in [(Person.bergenNurse, one), (.stavangerNurse, other)] {
                try world.send(
                    .resolve(
                        world.resolution(of: conflict, participant, at: person.home) {
                            $0.values.first?.held.value?.typed == text
                        }), by: person)
            }
            try world.spread()
            for node in Self.everywhere { #expect(world.open(participant, at: node).count == count) }
        }
    }

    @Test(arguments: [Person.monitor, .manager, .bergenDirector])
    func `a monitor, and anybody at the coordinating centre, resolves nothing, and confirms nothing`(
        person: Person
    ) throws {
        let (world, participant, conflict) = try pulseApart()
        let request = Request.resolve(
            world.resolution(of: conflict, participant, at: .norcrin) { $0 == conflict.sides[0] })
        for node in [NodeID.norcrin, .haukeland] {
            #expect(throws: Refusal.roleMayNot(person.role)) { try world.send(request, by: person, to: node) }
        }
        #expect(throws: Refusal.locationNotOpen(.haukeland)) { try world.send(request, by: .bergenNurse, to: .norcrin) }
        // A faulty node writes it all the same.
        let (faulty, same, _) = try pulseApart()
        #expect(same == participant)
        let good = try world.send(request, by: .bergenNurse, to: .haukeland)
        var draft = try #require(world.copy(of: good))
        for (node, rule) in [(NodeID.norcrin, VoidRule.foreignStream), (.haukeland, .roleMayNot)] {
            draft.authority.role = person.role.role
            let void = try faulty.write(draft, at: node)
            try faulty.spread()
            let record = try #require(faulty.record(participant, at: .stavanger))
            #expect(record.void[void.id] == rule && record.openConflicts.list.count == 1)
        }
    }

    @Test func `a conflict whose writer saw what is not here waits, and is no work yet`() throws {
        let (world, participant) = try world()
        let hidden = try world.saveVitals(participant, [(TestStudy.pulse, "69")], by: .bergenNurse)
        let one = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let other = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.deliver([one, other], to: .norcrin)
        #expect(world.open(participant, at: .norcrin).map(\.isWaiting) == [true])
        try world.deliver([hidden], to: .norcrin)
        #expect(world.open(participant, at: .norcrin).map(\.isWaiting) == [false])
    }

    // MARK: Wholes

    @Test func `a save in a whole holds all of its items, and versions apart are alternatives as wholes`() throws {
        let (world, participant) = try world()
        let bergen = try world.send(
            world.diary(of: participant, [(TestStudy.pain, "3")], at: .haukeland), by: .bergenNurse)
        let stavanger = try world.send(
            world.diary(of: participant, [(TestStudy.mood, "4")], at: .stavanger), by: .stavangerNurse)
        guard case .formSaved(let save)? = bergen.action?.operation else {
            Issue.record("no save")
            return
        }
        #expect(Set(save.changes.map(\.item)) == [TestStudy.pain, TestStudy.mood])
        try world.spread()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            let open = record.openConflicts
            // By item, pain would be 3 and mood 4: what nobody ever said.
            #expect(open.list.map(\.kind) == [.whole])
            #expect(open.list[0].instance == record.instances(of: TestStudy.diaryForm).keys.first)
            let alternatives = open.list[0].sides.map { side in
                (side.name.entry, side.values.compactMap(\.held.value?.typed).sorted())
            }
            #expect(
                Dictionary(uniqueKeysWithValues: alternatives) == [bergen.id: ["1", "3"], stavanger.id: ["1", "4"]])
            let group = try #require(record.instances(of: TestStudy.diary).keys.first)
            #expect(open.cover(TestStudy.pain, of: group) && open.cover(TestStudy.mood, of: group))
        }
        let conflict = try #require(world.open(participant, at: .stavanger).first)
        try world.send(
            .resolve(
                world.resolution(of: conflict, participant, at: .stavanger) { $0.name.entry == bergen.id }),
            by: .stavangerNurse)
        try world.spread()
        for node in Self.everywhere {
            #expect(world.open(participant, at: node).isEmpty)
            #expect(world.register(TestStudy.pain, of: participant, at: node)?.texts == ["3"])
            #expect(world.register(TestStudy.mood, of: participant, at: node)?.texts == ["1"])
        }
    }

    @Test func `where no version of a whole is chosen, everything they differ in is to be said, and the rest stays`()
        throws
    {
        let (world, participant) = try world()
        try world.send(world.diary(of: participant, [(TestStudy.mood, "3")], at: .haukeland), by: .bergenNurse)
        try world.send(world.diary(of: participant, [(TestStudy.mood, "4")], at: .stavanger), by: .stavangerNurse)
        try world.spread()
        let conflict = try #require(world.open(participant, at: .haukeland).first)
        func resolve(_ items: [(ItemOID, String)]) throws {
            let groups = [
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.diary),
                    items: items.map { EnteredItem(item: $0.0, value: .datum($0.1, unit: nil)) })
            ]
            try world.send(
                .resolve(world.resolution(of: conflict, participant, at: .haukeland, outcome: groups) { _ in false }),
                by: .bergenNurse)
        }
        #expect {
            try resolve([(TestStudy.pain, "2")])
        } throws: {
            if case .badValue(TestStudy.mood, _)? = $0 as? Refusal { true } else { false }
        }
        try resolve([(TestStudy.mood, "5")])
        try world.spread()
        #expect(world.open(participant, at: .stavanger).isEmpty)
        #expect(world.register(TestStudy.mood, of: participant, at: .stavanger)?.texts == ["5"])
        #expect(world.register(TestStudy.pain, of: participant, at: .stavanger)?.texts == ["1"])
    }

    @Test func `versions of a whole that say the same are one, and one that saw another replaces all of it`() throws {
        let (world, participant) = try world()
        try world.send(world.diary(of: participant, [(TestStudy.pain, "3")], at: .haukeland), by: .bergenNurse)
        try world.send(world.diary(of: participant, [(TestStudy.pain, "03")], at: .stavanger), by: .stavangerNurse)
        try world.spread()
        #expect(world.open(participant, at: .norcrin).isEmpty)
        try world.send(world.diary(of: participant, [(TestStudy.mood, "5")], at: .haukeland), by: .bergenNurse)
        try world.spread()
        let whole = try #require(
            world.record(participant, at: .norcrin)?.instances(of: TestStudy.diaryForm).values.first)
        #expect(whole.versionsHeld.count == 1)
    }

    @Test func `a version of a whole is replaced only by one who had seen all of it`() throws {
        let (world, participant) = try world()
        let first = try #require(
            world.record(participant, at: .haukeland)?.instances(of: TestStudy.diaryForm).values.first?.versionsHeld)
        let saved = try world.send(
            world.diary(of: participant, [(TestStudy.pain, "3")], at: .haukeland), by: .bergenNurse)
        var draft = try #require(world.copy(of: saved))
        guard var action = saved.action, case .formSaved(var save) = action.operation else {
            Issue.record("no save")
            return
        }
        save.seen = save.seen.filter { $0.entry != first[0] || $0.position == 0 }
        action.operation = .formSaved(save)
        draft.parts = action.parts()
        let (other, same) = try self.world()
        #expect(same == participant)
        let partial = try other.write(draft, at: .haukeland)
        let whole = try #require(
            other.record(participant, at: .haukeland)?.instances(of: TestStudy.diaryForm).values.first)
        #expect(whole.versionsHeld == [first[0], partial.id].sorted())
    }

    // MARK: Merged, unseen

    @Test func `a form whose values never stood together is listed until a person who saw them all says so`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.sex, "F")], by: .stavangerNurse)
        try world.spread()
        let form = try #require(world.record(participant, at: .norcrin)?.instances(of: TestStudy.vitalsForm).keys.first)
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(record.openConflicts.list.isEmpty && record.isMergedUnseen(form))
            #expect(record.formStatuses[form] == .mergedUnseen)
            #expect(world[node].fold.locations[.haukeland]?.counts.formsMergedUnseen == 1)
        }
        var entry = FormConfirmationEntry(
            location: .haukeland, participant: .registration(participant), form: form,
            seen: Array(world.screen(participant, at: .stavanger).dropLast()))
        // All that stands in the form must be named; the last on the screen may be of another form.
        entry.seen = world.screen(participant, at: .stavanger).filter { $0.entry != world.entries.last?.id }
        #expect(throws: Refusal.newerValues([TestStudy.sex])) { try world.send(.confirm(entry), by: .stavangerNurse) }
        entry.seen = world.screen(participant, at: .stavanger)
        let confirmed = try world.send(.confirm(entry), by: .stavangerNurse)
        try world.spread()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(!record.isMergedUnseen(form) && record.formStatuses[form] == .entered)
            #expect(record.origins[confirmed.id] != nil)
        }
        #expect(throws: Refusal.nothingToDo) {
            try world.send(.confirm(entry), by: .stavangerNurse, command: CommandID(using: &world.generator))
        }
        // What comes later was not confirmed.
        try world.saveVitals(participant, [(TestStudy.note, "ny")], by: .bergenNurse, seen: [])
        #expect(world.record(participant, at: .haukeland)?.isMergedUnseen(form) == true)
    }

    @Test func `one writer's form, and one saved by who saw it all, is never merged unseen`() throws {
        let (world, participant) = try world()
        let form = try #require(world.record(participant, at: .norcrin)?.instances(of: TestStudy.vitalsForm).keys.first)
        #expect(world.record(participant, at: .norcrin)?.isMergedUnseen(form) == false)
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        #expect(world.record(participant, at: .haukeland)?.isMergedUnseen(form) == false)
    }

    // MARK: Removals

    @Test(arguments: [TestStudy.vitals, TestStudy.vitalsForm, TestStudy.baseline, nil])
    func `what was removed while another wrote in it stays removed and is shown until a person decides`(
        oid: String?
    ) throws {
        for restores in [false, true] {
            let (world, participant) = try world()
            try world.send(.remove(world.removal(of: participant, oid, at: .haukeland)), by: .bergenNurse)
            #expect(world.open(participant, at: .haukeland).isEmpty)
            let edit = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
            try world.spread()
            for node in Self.everywhere {
                let open = world.open(participant, at: node)
                #expect(open.map(\.kind) == [.removal])
                #expect(open.first?.sides.last?.name == .value(ValueID(entry: edit.id, position: 0)))
                let group = try #require(
                    world.record(participant, at: node)?.instances(of: TestStudy.vitals).keys.first)
                #expect(world.record(participant, at: node)?.isRemovedWithin(group) == true)
                #expect(world[node].fold.locations[.haukeland]?.counts.conflicts == 1)
            }
            let target = world.removal(of: participant, oid, at: .stavanger)
            try world.send(restores ? .restore(target) : .remove(target), by: .stavangerNurse)
            try world.spread()
            for node in Self.everywhere {
                #expect(world.open(participant, at: node).isEmpty)
                let group = try #require(
                    world.record(participant, at: node)?.instances(of: TestStudy.vitals).keys.first)
                #expect(world.record(participant, at: node)?.isRemovedWithin(group) == !restores)
            }
        }
    }

    @Test func `a removal that did not see what stands here is refused; a restoration that none saw is shown`() throws {
        let (world, participant) = try world()
        #expect(throws: Refusal.newerValues([TestStudy.weight])) {
            try world.send(
                .remove(world.removal(of: participant, TestStudy.vitalsForm, at: .haukeland, seen: [])),
                by: .bergenNurse)
        }
        let target = world.removal(of: participant, TestStudy.vitalsForm, at: .haukeland)
        let one = try world.send(.remove(target), by: .bergenNurse)
        try world.send(.remove(target), by: .stavangerNurse)
        try world.deliver([one], to: .haukeland)
        try world.send(.restore(target), by: .bergenNurse)
        try world.spread()
        let open = world.open(participant, at: .norcrin)
        #expect(open.map(\.kind) == [.removal])
        #expect(open.first?.sides.count { if case .restoration = $0.name { true } else { false } } == 1)
        // Removed after a restoration that was seen: nothing to decide.
        try world.send(.restore(target), by: .bergenNurse)
        try world.send(.remove(target), by: .bergenNurse)
        #expect(world.open(participant, at: .haukeland).isEmpty)
    }
}
