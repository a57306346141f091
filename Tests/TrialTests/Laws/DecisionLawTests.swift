import EventLog
import Testing
import Trial

/// What a node refuses to write (DESIGN §5, "At one node there is no conflict"; §3, items that enter no stream).
struct DecisionLawTests {
    private func world() throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: 2)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    @Test func `at one node a save that did not see what stands is refused with the newer items`() throws {
        let (world, participant) = try world()
        try world.saveVitals(participant, [(TestStudy.pulse, "70"), (TestStudy.weight, "80")], by: .bergenNurse)
        let count = world.entries.count
        #expect(throws: Refusal.newerValues([TestStudy.pulse])) {
            try world.saveVitals(
                participant, [(TestStudy.pulse, "71"), (TestStudy.sex, "F")], by: .bergenNurse, seen: [])
        }
        #expect(world.entries.count == count)
        // An item that nobody else wrote is no hindrance, whatever else was not seen.
        try world.saveVitals(participant, [(TestStudy.sex, "F")], by: .bergenNurse, seen: [])
        let screen = world.screen(participant, at: .haukeland)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .bergenNurse, seen: screen)
        #expect(world.register(TestStudy.pulse, of: participant, at: .haukeland)?.texts == ["71"])
    }

    @Test(arguments: ["S\u{1}1", " S1", "S1\n", String(repeating: "S", count: 201), "\u{FFFF}"])
    func `a label or repeat key that no export could carry, or nobody could read, is refused`(text: String) throws {
        let (world, participant) = try world()
        let count = world.entries.count
        func isRefused(_ request: Request) {
            #expect {
                try world.send(request, by: .bergenNurse)
            } throws: {
                if case .badText? = $0 as? Refusal { true } else { false }
            }
        }
        isRefused(
            .register(location: .haukeland, labels: [ParticipantLabel(kind: .screening, text: text)]))
        isRefused(
            .assignLabel(
                LabelEntry(
                    location: .haukeland, participant: .registration(participant), kind: .subject, text: text)))
        isRefused(world.adverseEvent(of: .registration(participant), .new(repeatKey: text), term: "fall"))
        #expect(world.entries.count == count)
        var save = world.vitals(participant, [(TestStudy.pulse, "70")], node: .haukeland)
        save.comment = text
        if ValueNormaliser.isLegal(text) {
            try world.send(.save(save), by: .bergenNurse)
        } else {
            isRefused(.save(save))
        }
    }

    @Test(arguments: [StudyMode.live, .training, .test])
    func `only a study in mode live takes nothing of who is known by a local token`(mode: StudyMode) throws {
        let world = try TrialTestWorld(seed: 3, mode: mode)
        let command = Command(
            id: CommandID(RandomName(high: 1, low: 2)), sender: Sender(actor: Person.manager.actor, role: .dataManager),
            study: world.study, provenance: Provenance(source: .direct), request: .plan(document: "study: TINY"))
        func decide(_ authentication: Authentication) throws {
            _ = try Decision.decide(
                command,
                in: DecisionContext(
                    node: .norcrin, fold: world[.norcrin].fold, definition: nil, charterVersion: 1,
                    entryOfCommand: { _ in nil }, receivedUTCMilliseconds: 0, randomName: RandomName(high: 0, low: 1),
                    authentication: authentication))
        }
        try decide(.localAccount)
        if mode == .live {
            #expect(throws: Refusal.tokenInLiveStudy) { try decide(.localToken) }
        } else {
            try decide(.localToken)
        }
    }

    @Test func `a conflict is decided only by one who saw every side`() throws {
        let (world, participant) = try world()
        let mine = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        #expect(throws: Refusal.newerValues([TestStudy.pulse])) {
            try world.saveVitals(
                participant, [(TestStudy.pulse, "70")], by: .bergenNurse, seen: [SeenValue(entry: mine.id, position: 0)]
            )
        }
    }

    @Test func `in a whole form, what stands anywhere in it must have been seen`() throws {
        let (world, participant) = try world()
        func diary(_ item: ItemOID, _ text: String, seen: [SeenValue]) -> Request {
            .save(
                FormEntry(
                    location: .haukeland, participant: .registration(participant),
                    event: InstanceSelector(oid: TestStudy.baseline), form: InstanceSelector(oid: TestStudy.diaryForm),
                    groups: [
                        EnteredGroup(
                            group: InstanceSelector(oid: TestStudy.diary),
                            items: [EnteredItem(item: item, value: .datum(text, unit: nil))])
                    ], seen: seen))
        }
        try world.send(diary(TestStudy.pain, "3", seen: []), by: .bergenNurse)
        #expect(throws: Refusal.newerValues([TestStudy.pain])) {
            try world.send(diary(TestStudy.mood, "4", seen: []), by: .bergenNurse)
        }
        try world.send(
            diary(TestStudy.mood, "4", seen: world.screen(participant, at: .haukeland)), by: .bergenNurse)
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.instances(of: TestStudy.diary).values.allSatisfy { $0.isWhole })
        #expect(record.instances(of: TestStudy.diaryForm).values.allSatisfy { $0.isWhole })
    }

    @Test func `an identifying or restricted item is refused and reaches no entry`() throws {
        let (world, participant) = try world()
        let count = world.entries.count
        #expect(throws: Refusal.identifyingItem(TestStudy.name)) {
            try world.saveVitals(
                participant, [(TestStudy.pulse, "70"), (TestStudy.name, "Kari Nordmann")], by: .bergenNurse)
        }
        #expect(throws: Refusal.restrictedItem(TestStudy.arm)) {
            try world.saveVitals(participant, [(TestStudy.arm, "A")], by: .bergenNurse)
        }
        // No datum at all says something too.
        var entry = world.vitals(participant, [], node: .haukeland)
        entry.groups[0].items = [EnteredItem(item: TestStudy.name, value: .missing(reason: "REFUSED"))]
        #expect(throws: Refusal.identifyingItem(TestStudy.name)) { try world.send(.save(entry), by: .bergenNurse) }
        #expect(world.entries.count == count)
    }

    @Test(arguments: [(TestStudy.pulse, "sytti"), (TestStudy.pulse, "301"), (TestStudy.sex, "kvinne")])
    func `a value that may not stand in its item is refused`(item: ItemOID, text: String) throws {
        let (world, participant) = try world()
        let refusal = #expect(throws: Refusal.self) {
            try world.saveVitals(participant, [(item, text)], by: .bergenNurse)
        }
        guard case .badValue(item, let reason)? = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(!reason.contains(text))
    }

    @Test func `an item entered twice in one save is refused, for it would be a conflict with oneself`() throws {
        let (world, participant) = try world()
        let refusal = #expect(throws: Refusal.self) {
            try world.saveVitals(participant, [(TestStudy.pulse, "70"), (TestStudy.pulse, "71")], by: .bergenNurse)
        }
        guard case .badValue(TestStudy.pulse, _)? = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        // Also where the group is named twice, and nothing of the visit stands yet.
        var entry = world.vitals(participant, [(TestStudy.pulse, "70")], node: .haukeland)
        entry.groups += world.vitals(participant, [(TestStudy.pulse, "71")], node: .haukeland).groups
        #expect(throws: Refusal.self) { try world.send(.save(entry), by: .bergenNurse) }
        // Naming it twice for different items is one group.
        entry.groups[1].items[0].item = TestStudy.weight
        try world.send(.save(entry), by: .bergenNurse)
        #expect(world.record(participant, at: .haukeland)?.instances(of: TestStudy.vitals).count == 1)
    }

    @Test func `what is begun, named and where it stands must fit the definition and the record`() throws {
        let (world, participant) = try world()
        let reference = ParticipantReference.registration(participant)
        func refuses(_ request: Request, _ refusal: Refusal, by person: Person = .bergenNurse) {
            #expect(throws: refusal) { try world.send(request, by: person) }
        }
        refuses(
            world.adverseEvent(of: reference, .once, term: "kvalme"), .unknownInstance(oid: TestStudy.adverseEvent))
        refuses(
            world.medication(of: participant, [(.existing(InstanceID(.zero)), "ibux")]),
            .unknownInstance(oid: TestStudy.medication))
        refuses(
            world.adverseEvent(of: reference, .begunBy(CommandID(RandomName(high: 0, low: 0))), term: "kvalme"),
            .unknownInstance(oid: TestStudy.adverseEvent))
        var entry = world.vitals(participant, [(TestStudy.pulse, "70")], node: .haukeland)
        entry.event.choice = .new(repeatKey: nil)
        refuses(.save(entry), .unknownInstance(oid: TestStudy.baseline))
        entry.event = InstanceSelector(oid: "SE.NONE")
        refuses(.save(entry), .unknownOID("SE.NONE"))
        entry.event = InstanceSelector(oid: TestStudy.baseline)
        entry.form = InstanceSelector(oid: TestStudy.adverseEventForm)
        refuses(.save(entry), .unknownOID(TestStudy.adverseEventForm))
        entry.form = InstanceSelector(oid: TestStudy.vitalsForm)
        entry.groups[0].items[0].item = TestStudy.term
        refuses(.save(entry), .unknownOID(TestStudy.term.text))
        refuses(.save(world.vitals(EntryID(.zero), [(TestStudy.pulse, "70")], node: .haukeland)), .unknownParticipant)
    }

    @Test func `who may not write at a location is refused`() throws {
        let (world, participant) = try world()
        func refuses(_ refusal: Refusal, by person: Person, to node: NodeID, at location: LocationID = .haukeland) {
            #expect(throws: refusal) { try world.register(at: location, by: person, to: node) }
        }
        refuses(.roleMayNot(.monitor), by: .monitor, to: .haukeland)
        refuses(.locationNotOpen(.haukeland), by: .tromsoNurse, to: .unn)
        refuses(.locationNotOpen(.unn), by: .bergenNurse, to: .haukeland, at: .unn)
        refuses(.locationNotOpen(.ahus), by: .ahusNurse, to: .ahus, at: .ahus)
        refuses(.notDelegated(.helseVest, .studyNurse), by: .tromsoNurse, to: .haukeland)
        try world.endDelegation(of: .bergenNurse, at: .helseVest, by: .bergenDirector)
        #expect(throws: Refusal.notDelegated(.helseVest, .studyNurse)) {
            try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        }
        #expect(throws: Refusal.notCoordinating) { try world.participate(with: [:], to: .unn) }
        #expect(throws: Refusal.notHosting(.unn)) { try world.accept([.unn], by: .bergenDirector) }
        #expect(throws: Refusal.notOwningDelegations(.unn)) {
            try world.delegate(.tromsoNurse, at: .unn, by: .bergenDirector)
        }
    }

    @Test func `an entry spells names as the definition does, whatever the client sent`() throws {
        var definition = TestStudy.definition
        let composed = ItemOID("I.M\u{E5}l")
        var group = ItemGroupDefinition(oid: ItemGroupOID(TestStudy.vitals), name: "Vitals", isRepeating: false)
        group.items = OIDTable([ItemReference(oid: composed, isMandatory: false)])
        definition.itemGroups = OIDTable([group])
        definition.items = OIDTable([ItemDefinition(oid: composed, name: "Length", dataType: .integer)])
        let (world, participant) = try world()
        let context = world[.haukeland].context(for: Person.bergenNurse.actor, using: &world.generator)
        let command = Command(
            id: CommandID(using: &world.generator), sender: Sender(actor: Person.bergenNurse.actor, role: .studyNurse),
            study: world.study, provenance: Provenance(source: .direct),
            request: .save(world.vitals(participant, [(ItemOID("I.Ma\u{30A}l"), "7")], node: .haukeland)))
        let draft = try Decision.decide(
            command,
            in: DecisionContext(
                node: .haukeland, fold: context.fold, definition: (TestStudy.contentHash, definition),
                charterVersion: context.charterVersion, entryOfCommand: context.entryOfCommand,
                receivedUTCMilliseconds: 0, randomName: context.randomName))
        guard case .formSaved(let save)? = try world.write(draft, at: .haukeland).action?.operation else {
            Issue.record("no save")
            return
        }
        #expect(save.changes.map { [UInt8]($0.item.text.utf8) } == [[UInt8](composed.text.utf8)])
    }
}
