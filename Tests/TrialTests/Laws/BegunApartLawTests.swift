import EventLog
import Testing
import Trial

/// Laws M31 to M33, M38, M39: forms that were begun apart, and who decides what they are.
struct BegunApartLawTests {
    private static let everywhere = [NodeID.haukeland, .stavanger, .norcrin]

    /// Two regional nodes apart begin the same scheduled form.
    private func begunApart(seed: UInt64 = 1) throws -> (
        world: TrialTestWorld, participant: EntryID, bergen: WrittenEntry, stavanger: WrittenEntry
    ) {
        let world = try TrialTestWorld.open(seed: seed)
        let participant = try world.register().id
        try world.spread()
        let bergen = try world.saveVitals(
            participant, [(TestStudy.pulse, "70"), (TestStudy.weight, "81")], by: .bergenNurse)
        let stavanger = try world.saveVitals(
            participant, [(TestStudy.pulse, "71"), (TestStudy.sex, "F")], by: .stavangerNurse)
        try world.spread()
        return (world, participant, bergen, stavanger)
    }

    private func decision(
        _ world: TrialTestWorld, _ participant: EntryID, _ choice: InstanceChoiceMade, at node: NodeID
    ) throws -> Request {
        let conflict = try #require(
            world.record(participant, at: node)?.openConflicts.list.first { $0.kind == .instance })
        return .decideInstances(
            InstanceDecisionEntry(
                location: .haukeland, participant: .registration(participant), form: try #require(conflict.instance),
                beginnings: conflict.sides.compactMap(\.beginning), choice: choice, reason: "avklart"))
    }

    private func pulses(_ record: ParticipantState) -> [String] {
        record.instances.filter { record.counts($0.key) }.flatMap { $0.value.registers[TestStudy.pulse]?.texts ?? [] }
            .sorted()
    }

    @Test func `a form begun apart is one conflict, both beginnings whole, and all its items are empty for now`() throws
    {
        let (world, participant, bergen, stavanger) = try begunApart()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            let open = record.openConflicts
            let conflict = try #require(open.list.first)
            #expect(open.list.count == 1 && conflict.kind == .instance && !conflict.isWaiting)
            let sides = Dictionary(
                uniqueKeysWithValues: conflict.sides.map { ($0.name.entry, $0.values.map(\.item.text).sorted()) })
            #expect(
                sides == [
                    bergen.id: ["I.PULSE", "I.WEIGHT"], stavanger.id: ["I.PULSE", "I.SEX"],
                ])
            #expect(conflict.sides.allSatisfy { record.origins[$0.name.entry] != nil })
            let group = try #require(record.instances(of: TestStudy.vitals).keys.first)
            for item in [TestStudy.pulse, TestStudy.weight, TestStudy.sex] { #expect(open.cover(item, of: group)) }
            #expect(record.formStatuses.values.map { $0 } == [.conflict])
            let counts = try #require(world[node].fold.locations[.haukeland]).counts
            #expect(counts.conflicts == 1 && counts.values == 0 && counts.itemsInConflict == 3 && counts.forms == 1)
        }
    }

    @Test(arguments: [InstanceChoiceMade.two, .wrong([])], [InstanceChoiceMade.same, .two])
    func `a third beginning that comes after a decision is decided by those that stand in the form`(
        first: InstanceChoiceMade, then: InstanceChoiceMade
    ) throws {
        let (world, participant, bergen, stavanger) = try begunApart(seed: 9)
        let highest = max(bergen.id, stavanger.id)
        var choice = first
        if case .wrong = first { choice = .wrong([Beginning(entry: highest, position: 1)]) }
        let before = world.entries.filter { $0.id != bergen.id && $0.id != stavanger.id }
        try world.send(try decision(world, participant, choice, at: .haukeland), by: .bergenNurse)
        // The other hospital's node was set back, and begins the form once more.
        try world.restore(.stavanger, from: before)
        let third = try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .stavangerNurse)
        try world.spread()
        let conflict = try #require(world.record(participant, at: .haukeland)?.openConflicts.list.first)
        let sides = Set(conflict.sides.compactMap(\.beginning?.entry))
        #expect(conflict.kind == .instance && sides == [min(bergen.id, stavanger.id), third.id])
        try world.send(try decision(world, participant, then, at: .stavanger), by: .stavangerNurse)
        try world.spread()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(record.openConflicts.list.allSatisfy { $0.kind != .instance })
            // What was decided first still holds.
            let form = InstanceID.begun(by: Beginning(entry: highest, position: 1))
            #expect(record.instances[form] != nil)
            if case .wrong = first { #expect(record.isWrongWithin(form)) } else { #expect(record.counts(form)) }
        }
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries.reversed())
        #expect(folding.difference(from: world.entries) == nil)
    }

    @Test func `a writer who had seen the beginning makes no conflict of the form`() throws {
        let world = try TrialTestWorld.open(seed: 2)
        let participant = try world.register().id
        try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.spread()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        #expect(world.record(participant, at: .norcrin)?.openConflicts.list.map(\.kind) == [.item])
    }

    @Test func `decided the same, the beginnings merge by item everywhere`() throws {
        let (world, participant, _, _) = try begunApart()
        try world.send(try decision(world, participant, .same, at: .stavanger), by: .stavangerNurse)
        try world.spread()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(record.openConflicts.list.map(\.item) == [TestStudy.pulse])
            #expect(record.register(TestStudy.weight)?.current?.value?.typed == "81")
            #expect(record.register(TestStudy.sex)?.current?.value?.typed == "F")
            #expect(record.instances(of: TestStudy.vitalsForm).count == 1)
        }
    }

    @Test func `decided two, the lowest beginning keeps the form and the other is a form by its own id`() throws {
        let (world, participant, bergen, stavanger) = try begunApart()
        try world.send(try decision(world, participant, .two, at: .stavanger), by: .stavangerNurse)
        try world.spread()
        let (low, high) = bergen.id < stavanger.id ? ("70", "71") : ("71", "70")
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(record.openConflicts.list.isEmpty)
            let forms = record.instances(of: TestStudy.vitalsForm)
            let natural = try #require(forms.first { $0.value.identity == .natural }).key
            let other = InstanceID.begun(by: Beginning(entry: max(bergen.id, stavanger.id), position: 1))
            #expect(Set(forms.keys) == [natural, other])
            for (form, text) in [(natural, low), (other, high)] {
                let group = try #require(record.instances.first { $0.value.shape.parent == form })
                #expect(group.value.registers[TestStudy.pulse]?.texts == [text])
                #expect(record.counts(form))
            }
        }
        // Each is then changed by itself.
        let record = try #require(world.record(participant, at: .haukeland))
        let other = InstanceID.begun(by: Beginning(entry: max(bergen.id, stavanger.id), position: 1))
        var entry = world.vitals(participant, [(TestStudy.pulse, "75")], node: .haukeland)
        entry.form.choice = .existing(other)
        try world.send(.save(entry), by: .bergenNurse)
        #expect(record.id == participant)
        #expect(pulses(try #require(world.record(participant, at: .haukeland))) == ["75", low].sorted())
    }

    @Test func `decided wrong, a beginning is kept and shown and does not count`() throws {
        let (world, participant, bergen, _) = try begunApart()
        let wrong = Beginning(entry: bergen.id, position: 1)
        try world.send(try decision(world, participant, .wrong([wrong]), at: .stavanger), by: .stavangerNurse)
        try world.spread()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(record.openConflicts.list.isEmpty)
            #expect(pulses(record) == ["71"])
            let group = try #require(record.instances.first { $0.value.shape.parent == .begun(by: wrong) })
            #expect(group.value.registers[TestStudy.pulse]?.texts == ["70"])
            #expect(record.isWrongWithin(group.key) && !record.counts(group.key))
            #expect(record.formStatuses[.begun(by: wrong)] == .wrong)
            let counts = try #require(world[node].fold.locations[.haukeland]).counts
            #expect(counts.conflicts == 0 && counts.values == 2 && counts.forms == 1)
        }
    }

    @Test func `a write that had seen only one beginning goes with it, though it comes after the decision`() throws {
        let (world, participant, bergen, stavanger) = try begunApart()
        let high = max(bergen.id, stavanger.id)
        // Someone at the node that wrote the higher beginning, who knew of no other, wrote once more.
        var draft = try #require(
            world.copy(of: try world.saveVitals(participant, [(TestStudy.note, "målt to ganger")], by: .bergenNurse)))
        guard var action = world.entries.last?.action, case .formSaved(var save) = action.operation else {
            Issue.record("no save")
            return
        }
        save.instances[1].seenBeginnings = [Beginning(entry: high, position: 1)]
        action.operation = .formSaved(save)
        action.command = CommandID(using: &world.generator)
        (draft.parts, draft.command) = (action.parts(), action.command)
        try world.spread()
        try world.send(try decision(world, participant, .two, at: .stavanger), by: .stavangerNurse)
        let late = try world.write(draft, at: .haukeland)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        let group = try #require(
            record.instances.first { $0.value.shape.parent == .begun(by: Beginning(entry: high, position: 1)) })
        #expect(group.value.registers[TestStudy.note]?.held.map(\.id.entry) == [late.id])
    }

    @Test func `a write that had seen an apart and a wrong beginning goes with the apart one`() throws {
        for isBergenWrong in [true, false] {
            let (world, participant, bergen, stavanger) = try begunApart()
            let saw = try world.saveVitals(participant, [(TestStudy.note, "ny")], by: .bergenNurse)
            let decided = try world.send(
                try decision(world, participant, .same, at: .haukeland), by: .bergenNurse)
            var action = try #require(decided.action)
            guard case .instancesDecided(var said) = action.operation else { return }
            let (wrong, apart) = isBergenWrong ? (bergen.id, stavanger.id) : (stavanger.id, bergen.id)
            said.verdicts = [
                BeginningVerdict(Beginning(entry: wrong, position: 1), .wrong),
                BeginningVerdict(Beginning(entry: apart, position: 1), .apart),
            ]
            said.seen = [decided.id]
            action.operation = .instancesDecided(said)
            action.command = CommandID(using: &world.generator)
            var draft = try #require(world.copy(of: decided))
            (draft.parts, draft.command) = (action.parts(), action.command)
            try world.write(draft, at: .haukeland)
            let record = try #require(world.record(participant, at: .haukeland))
            let group = try #require(
                record.instances.first { $0.value.shape.parent == .begun(by: Beginning(entry: apart, position: 1)) })
            #expect(group.value.registers[TestStudy.note]?.held.map(\.id.entry) == [saw.id])
        }
    }

    @Test func `told apart and then told the same, what was written in the form apart comes home with it`() throws {
        let (world, participant, bergen, stavanger) = try begunApart()
        try world.send(try decision(world, participant, .two, at: .haukeland), by: .bergenNurse)
        let other = InstanceID.begun(by: Beginning(entry: max(bergen.id, stavanger.id), position: 1))
        var entry = world.vitals(participant, [(TestStudy.note, "skrevet i det andre")], node: .haukeland)
        entry.form.choice = .existing(other)
        let written = try world.send(.save(entry), by: .bergenNurse)
        try world.send(
            .decideInstances(
                InstanceDecisionEntry(
                    location: .haukeland, participant: .registration(participant), form: other,
                    beginnings: [bergen, stavanger].map { Beginning(entry: $0.id, position: 1) }, choice: .same,
                    reason: "samme besøk likevel")), by: .bergenInvestigator)
        try world.spread()
        for node in Self.everywhere {
            let record = try #require(world.record(participant, at: node))
            #expect(record.instances(of: TestStudy.vitalsForm).count == 1)
            #expect(record.register(TestStudy.note)?.held.map(\.id.entry) == [written.id])
            #expect(record.register(TestStudy.pulse)?.texts == ["70", "71"])
        }
    }

    @Test func `one decision sent to two nodes, of which one knew an earlier one, counts once`() throws {
        let (world, participant, _, _) = try begunApart()
        let command = CommandID(using: &world.generator)
        let two = try decision(world, participant, .two, at: .haukeland)
        let earlier = try world.send(try decision(world, participant, .same, at: .haukeland), by: .bergenNurse)
        let sent = [
            try world.send(two, by: .bergenInvestigator, to: .haukeland, command: command).id,
            try world.send(two, by: .bergenInvestigator, to: .stavanger, command: command).id,
        ]
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.findings.isEmpty)
        #expect(Set(record.decisions.keys) == [earlier.id, sent[0] < sent[1] ? sent[0] : sent[1]])
    }

    @Test func `two decisions that had not seen each other and differ are a conflict again; the same ones are one`()
        throws
    {
        for (one, other, isAgain) in [(InstanceChoiceMade.same, InstanceChoiceMade.two, true), (.two, .two, false)] {
            let (world, participant, _, _) = try begunApart()
            let bergen = try decision(world, participant, one, at: .haukeland)
            let stavanger = try decision(world, participant, other, at: .stavanger)
            let decided = [
                try world.send(bergen, by: .bergenNurse).id, try world.send(stavanger, by: .stavangerNurse).id,
            ]
            try world.spread()
            let record = try #require(world.record(participant, at: .norcrin))
            let again = record.openConflicts.list.filter { $0.kind == .instance }
            #expect(again.count == (isAgain ? 1 : 0))
            guard isAgain else { continue }
            #expect(again.first?.decisions == decided.sorted())
            // Whoever saw both ends it everywhere.
            try world.send(try decision(world, participant, .two, at: .haukeland), by: .bergenInvestigator)
            try world.spread()
            for node in Self.everywhere { #expect(world.record(participant, at: node)?.openConflicts.list.count == 0) }
        }
    }

    @Test
    func `a beginning that comes after the decision is to be decided anew, and a node that knows it refuses less`()
        throws
    {
        let (world, participant, bergen, stavanger) = try begunApart()
        let decided = try decision(world, participant, .same, at: .stavanger)
        let copy = try #require(world.copy(of: bergen))
        var third = copy
        third.command = CommandID(using: &world.generator)
        if var action = bergen.action {
            action.command = third.command
            third.parts = action.parts()
        }
        let late = try world.write(third, at: .haukeland)
        try world.send(decided, by: .stavangerNurse)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.openConflicts.list.map(\.kind) == [.instance])
        #expect(
            Set(record.openConflicts.list.first?.sides.map(\.name.entry) ?? []) == [bergen.id, stavanger.id, late.id])
        #expect(throws: Refusal.newerBeginnings(oid: TestStudy.vitalsForm)) {
            try world.send(decided, by: .stavangerNurse, command: CommandID(using: &world.generator))
        }
    }

    @Test(arguments: [Person.monitor, .manager, .bergenDirector])
    func `who is not delegated for entry decides nothing: refused at a node, void from a faulty one`(
        person: Person
    ) throws {
        let (world, participant, _, _) = try begunApart()
        let request = try decision(world, participant, .two, at: .norcrin)
        #expect(throws: Refusal.roleMayNot(person.role)) { try world.send(request, by: person, to: .norcrin) }
        #expect(throws: Refusal.roleMayNot(person.role)) { try world.send(request, by: person, to: .haukeland) }
        let good = try world.send(request, by: .bergenNurse, to: .haukeland)
        var draft = try #require(world.copy(of: good))
        (draft.authority.actor, draft.authority.role) = (person.actor, person.role.role)
        let (other, same, _, _) = try begunApart()
        #expect(same == participant)
        for node in [NodeID.norcrin, .haukeland] {
            let void = try other.write(draft, at: node)
            try other.spread()
            let record = try #require(other.record(participant, at: .stavanger))
            #expect(record.openConflicts.list.map(\.kind) == [.instance])
            #expect([VoidRule.foreignStream, .roleMayNot].contains(record.void[void.id]))
        }
    }

    @Test func `what decides for others has no effect where the delegation had ended, known to the writer or not`()
        throws
    {
        let (world, participant, _, _) = try begunApart()
        let request = try decision(world, participant, .two, at: .stavanger)
        let ended = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        let decided = try world.send(request, by: .stavangerNurse)
        let saved = try world.saveVitals(participant, [(TestStudy.note, "ny")], by: .stavangerNurse)
        for order in [[ended, decided, saved], [saved, decided, ended]] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(world.entries.filter { entry in !order.contains { $0.id == entry.id } } + order)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(record.void[decided.id] == .delegationEnded)
            #expect(record.openConflicts.list.map(\.kind) == [.instance])
            #expect(record.findings[saved.id] == .delegationHadEnded)
        }
    }

    @Test func `both add an adverse event: two events, and nothing to decide`() throws {
        let world = try TrialTestWorld.open(seed: 3)
        let participant = try world.register().id
        try world.spread()
        let reference = ParticipantReference.registration(participant)
        try world.send(world.adverseEvent(of: reference, term: "kvalme"), by: .bergenNurse)
        try world.send(world.adverseEvent(of: reference, term: "kvalme"), by: .stavangerNurse)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.instances(of: TestStudy.adverseEvent).count == 2)
        #expect(record.openConflicts.list.isEmpty)
    }
}
