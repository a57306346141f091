import EventLog
import Foundation
import Testing
import Trial

/// Laws M40 to M44 (Protocols/merge.md): answers that client systems send.
struct ResponseLawTests {
    private func world() throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: 40)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    /// The states of some versions of a participant's only answer.
    private func states(
        _ entries: [WrittenEntry], of participant: EntryID, in world: TrialTestWorld, at node: NodeID = .norcrin
    ) throws -> [ResponseVersionState?] {
        let record = try #require(world.record(participant, at: node))
        #expect(record.responses.count == 1)
        let response = try #require(record.responses.values.first)
        return entries.map { response.state(of: $0.id) }
    }

    @Test func `the same answer sent to two nodes apart is there once with the same receipt`() throws {
        let (world, participant) = try world()
        let answer = world.diary(of: participant, pain: "4")
        let one = try world.respond(answer)
        let two = try world.respond(answer, to: .stavanger)
        let again = try world.respond(answer)
        #expect(again.id == one.id && one.id != two.id)
        let receipts = Set(
            [one, two].map { entry in
                guard case .responseReceived(let response)? = entry.action?.operation else { return "" }
                return ResponseIdentity.receipt(
                    client: Person.app.actor, identifier: response.identifier,
                    documentSHA256: response.documentSHA256)
            })
        #expect(receipts.count == 1)
        #expect(receipts.first?.count == 64)
        try world.spread()
        for node in [NodeID.haukeland, .stavanger, .norcrin] {
            let record = try #require(world.record(participant, at: node))
            #expect(record.findings == [:])
            #expect(record.register(TestStudy.pain)?.held.map(\.id.entry) == [min(one.id, two.id)])
            #expect(record.responses.values.map(\.versions.count) == [1])
            // Whoever asks again is told the same.
            #expect(record.responseOutcome(of: one.id) == .recorded)
            #expect(record.responseOutcome(of: two.id) == .recorded)
        }
    }

    @Test func `receipt and command follow from client, system, value and bytes, and from nothing else`() throws {
        let client = Person.app.actor
        let identifier = ResponseIdentifier(system: "urn:app", value: "q-1")
        let hash = Hash.sha256([1])
        let variants: [(ActorID, ResponseIdentifier, Hash)] = [
            (client, identifier, hash), (Person.monitor.actor, identifier, hash),
            (client, ResponseIdentifier(system: "urn:other", value: "q-1"), hash),
            (client, ResponseIdentifier(system: "urn:app", value: "q-2"), hash),
            (client, ResponseIdentifier(system: "urn:appq", value: "-1"), hash), (client, identifier, .sha256([2])),
        ]
        let commands = variants.map { ResponseIdentity.command(client: $0.0, identifier: $0.1, documentSHA256: $0.2) }
        let receipts = variants.map { ResponseIdentity.receipt(client: $0.0, identifier: $0.1, documentSHA256: $0.2) }
        #expect(Set(commands).count == variants.count)
        #expect(Set(receipts).count == variants.count)
    }

    @Test func `an answer sent again where it is known by replication is answered as the first time`() throws {
        let (world, participant) = try world()
        let answer = world.diary(of: participant, pain: "4")
        let first = try world.respond(answer)
        try world.spread()
        let again = try world.respond(answer, to: .stavanger)
        #expect(again.id != first.id)
        try world.spread()
        for node in [NodeID.haukeland, .stavanger, .norcrin] {
            let record = try #require(world.record(participant, at: node))
            for sending in [first, again] { #expect(record.responseOutcome(of: sending.id) == .recorded) }
            #expect(record.findings == [:])
        }
        // A version of it that came meanwhile does not change what its repetition is told.
        let other = try world.respond(world.diary(of: participant, pain: "5"))
        try world.spread()
        let third = try world.respond(answer, to: .stavanger)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.responseOutcome(of: third.id) == .recorded)
        #expect(record.responseOutcome(of: other.id) == .anotherCompleted)
    }

    @Test func `an answer that two nodes placed by different plans is there once, and that is a finding`() throws {
        let (world, participant) = try world()
        var answer = world.answer(
            of: participant, TestStudy.adverseEventForm, "q-1", .completed,
            [
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.adverseEventGroup),
                    items: [EnteredItem(item: TestStudy.severity, value: .datum("2", unit: nil))])
            ], document: "the same bytes")
        answer.event = InstanceSelector(oid: TestStudy.adverseEvent, choice: .new(repeatKey: nil))
        let one = try world.respond(answer)
        // The other node's definitions have the group's item elsewhere.
        answer.groups[0].items = [EnteredItem(item: TestStudy.term, value: .datum("2", unit: nil))]
        let other = try world.respond(answer, to: .stavanger)
        var digests: Set<[Hash]> = []
        let before = world.entries.filter { ![one.id, other.id].contains($0.id) }
        for order in [[one, other], [other, one]] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(before + order)
            #expect(folding.difference(from: before + order) == nil)
            digests.insert(folding.digests().map(\.digest))
        }
        #expect(digests.count == 1)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        let answers = try #require(record.responses.values.first)
        #expect(answers.versions.count == 1 && answers.standing.count == 1)
        #expect(record.openConflicts.list.isEmpty)
        #expect(
            record.findings == [one.id: .commandRepeatedWithOtherContent, other.id: .commandRepeatedWithOtherContent])
        let places = [TestStudy.severity, .init("I.TERM")].map { item in
            record.instances.values.flatMap { $0.registers[item]?.texts ?? [] }
        }
        #expect(places.flatMap { $0 } == ["2"])
        #expect(places[one.id < other.id ? 0 : 1] == ["2"])
    }

    @Test func `versions sent to two nodes apart meet in one form, with rows by their number`() throws {
        let (world, participant) = try world()
        func answer(_ drugs: [String], _ status: ResponseStatus) -> ResponseEntry {
            world.answer(
                of: participant, TestStudy.vitalsForm, "q-1", status,
                drugs.map { drug in
                    EnteredGroup(
                        group: InstanceSelector(oid: TestStudy.medication, choice: .new(repeatKey: nil)),
                        items: [EnteredItem(item: TestStudy.drug, value: .datum(drug, unit: nil))])
                }, document: drugs.joined())
        }
        try world.respond(answer(["paracet", "ibux"], .completed))
        try world.respond(answer(["paracet"], .amended), to: .stavanger)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.instances(of: TestStudy.vitalsForm).count == 1)
        let rows = record.instances(of: TestStudy.medication).values
        #expect(rows.compactMap(\.repeatKey).sorted() == ["1", "2"])
        #expect(rows.flatMap { $0.registers[TestStudy.drug]?.texts ?? [] } == ["paracet"])
        #expect(rows.flatMap { $0.registers[TestStudy.drug]?.setAside ?? [] }.count == 2)
        #expect(record.conflicts.isEmpty)
    }

    @Test func `an amended version supersedes every completed one, here and still to come`() throws {
        let (world, participant) = try world()
        let first = try world.respond(world.diary(of: participant, pain: "4"))
        let amended = try world.respond(world.diary(of: participant, "q-1", .amended, pain: "5"), to: .stavanger)
        let late = try world.respond(world.diary(of: participant, pain: "6"))
        for order in [[first, amended, late], [late, amended, first], [amended, late, first]] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(world.entries.filter { $0.header?.operation != .responseReceived } + order)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(record.register(TestStudy.pain)?.texts == ["5"])
            #expect(record.conflicts.isEmpty)
            let answer = try #require(record.responses.values.first)
            #expect(answer.current?.entry == amended.id)
            // That the client completed it twice is still to be known.
            #expect(Set(record.findings.keys) == [first.id, late.id])
        }
    }

    @Test(arguments: [ResponseStatus.amended, .enteredInError])
    func `two later versions that had not seen each other are alternatives until one saw both`(other: ResponseStatus)
        throws
    {
        let (world, participant) = try world()
        try world.respond(world.diary(of: participant, pain: "4"))
        try world.spread()
        let bergen = try world.respond(world.diary(of: participant, "q-1", .amended, pain: "5"))
        let stavanger = try world.respond(
            world.diary(of: participant, "q-1", other, pain: "6", mood: "1"), to: .stavanger)
        try world.spread()
        #expect(try states([bergen, stavanger], of: participant, in: world) == [.alternative, .alternative])
        let between = try #require(world.record(participant, at: .unn))
        // Also what only one of them says does not count.
        let isError = other == .enteredInError
        #expect(between.register(TestStudy.pain)?.texts == (isError ? ["5"] : ["5", "6"]))
        #expect(between.register(TestStudy.pain)?.isConflict == true)
        #expect(between.register(TestStudy.mood)?.isConflict == !isError)
        #expect(between.register(TestStudy.mood)?.current == nil)
        #expect(between.responses.values.first?.current == nil)
        let decided = try world.respond(world.diary(of: participant, "q-1", .amended, pain: "7"))
        try world.spread()
        #expect(
            try states([bergen, stavanger, decided], of: participant, in: world) == [
                .superseded, .superseded, .current,
            ])
        #expect(world.record(participant, at: .unn)?.register(TestStudy.pain)?.texts == ["7"])
        #expect(world.record(participant, at: .unn)?.conflicts.isEmpty == true)
    }

    @Test func `a later version that saw an amended one supersedes it`() throws {
        let (world, participant) = try world()
        let entries = [
            try world.respond(world.diary(of: participant, "q-1", .amended, pain: "5")),
            try world.respond(world.diary(of: participant, "q-1", .amended, pain: "6")),
        ]
        try world.spread()
        #expect(try states(entries, of: participant, in: world) == [.superseded, .current])
    }

    @Test func `a version sent again to a node that holds a later one does not overrule that`() throws {
        let (world, participant) = try world()
        let first = try world.respond(world.diary(of: participant, "q-1", .amended, pain: "5"))
        try world.deliver([first], to: .stavanger)
        let second = try world.respond(world.diary(of: participant, "q-1", .amended, pain: "6"), to: .stavanger)
        // The other hospital's node has heard of the second one only, when the first is sent to it again.
        let restored = world.entries.filter { $0.id != first.id }
        try world.restore(.haukeland, from: restored)
        let again = try world.respond(world.diary(of: participant, "q-1", .amended, pain: "5"))
        #expect(again.id != first.id)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.register(TestStudy.pain)?.texts == ["6"])
        #expect(record.responses.values.first?.current?.entry == second.id)
    }

    @Test func `after entered in error the form has no values, and its version is kept`() throws {
        let (world, participant) = try world()
        let first = try world.respond(world.diary(of: participant, pain: "4"))
        let error = try world.respond(world.diary(of: participant, "q-1", .enteredInError, pain: "4"))
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.responses.values.first?.isEnteredInError == true)
        #expect(try states([first, error], of: participant, in: world) == [.superseded, .current])
        #expect(record.register(TestStudy.pain)?.held.isEmpty == true)
        #expect(record.register(TestStudy.pain)?.setAside.count == 2)
        let counts = try #require(world[.norcrin].fold.locations[.haukeland]?.counts)
        #expect(counts.forms == 0 && counts.values == 0 && counts.conflicts == 0)
    }

    @Test func `two completed versions that meet are alternatives, and each is a finding`() throws {
        let (world, participant) = try world()
        let bergen = try world.respond(world.diary(of: participant, pain: "4"))
        let stavanger = try world.respond(world.diary(of: participant, pain: "4", mood: "2"), to: .stavanger)
        try world.spread()
        let record = try #require(world.record(participant, at: .unn))
        #expect(try states([bergen, stavanger], of: participant, in: world) == [.alternative, .alternative])
        let finding = FindingRule.severalCompletedResponses
        #expect(record.findings == [bergen.id: finding, stavanger.id: finding])
        #expect(record.conflicts.map(\.item) == [TestStudy.mood, TestStudy.pain].sorted())
        // Neither node knew, so both were told that it was recorded.
        #expect([bergen, stavanger].map { record.responseOutcome(of: $0.id) } == [.recorded, .recorded])
    }

    @Test func `a second completed version at one node is kept and told as such, however often it is sent`() throws {
        let (world, participant) = try world()
        let second = world.diary(of: participant, pain: "5")
        let entries = [
            try world.respond(world.diary(of: participant, pain: "4")), try world.respond(second),
            try world.respond(world.diary(of: participant, "q-1", .amended, pain: "6")), try world.respond(second),
        ]
        #expect(entries[3].id == entries[1].id)
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(
            entries.map { record.responseOutcome(of: $0.id) } == [
                .recorded, .anotherCompleted, .recordedAsVersion, .anotherCompleted,
            ])
        #expect(record.responseOutcome(of: participant) == nil)
    }

    @Test func `another client's answer under the same identifier is another answer`() throws {
        let (world, participant) = try world()
        let other = Person(12, .partnerApp, at: .haukeland)
        try world.delegate(other, at: .helseVest, by: .bergenDirector)
        try world.respond(world.diary(of: participant, pain: "4"))
        try world.respond(world.diary(of: participant, pain: "4"), by: other)
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.responses.count == 2)
        #expect(record.instances(of: TestStudy.diaryForm).count == 2)
        #expect(record.findings == [:])
    }

    @Test func `an answer whose original bytes were dropped is still the same answer`() throws {
        let (world, participant) = try world()
        let one = try world.respond(world.diary(of: participant, pain: "4"))
        let two = try world.dropping([.document], from: #require(world.copy(of: one)), at: .stavanger)
        try world.spread()
        let record = try #require(world.record(participant, at: .norcrin))
        #expect(record.responses.values.map(\.versions.count) == [1])
        #expect(record.findings == [:])
        #expect(one.id != two.id)
    }

    @Test func `only a delegated client system answers, and it does nothing else`() throws {
        let (world, participant) = try world()
        #expect(throws: Refusal.roleMayNot(.studyNurse)) {
            try world.respond(world.diary(of: participant, pain: "4"), by: .bergenNurse)
        }
        #expect(throws: Refusal.roleMayNot(.partnerApp)) {
            try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .app)
        }
        #expect(throws: Refusal.notDelegated(.helseVest, .partnerApp)) {
            try world.respond(
                world.diary(of: participant, pain: "4"), by: Person(12, .partnerApp, at: .haukeland))
        }
        let entry = try world.respond(world.diary(of: participant, pain: "4"))
        #expect(entry.header?.authority.kind == .partnerApp)
        var draft = try #require(world.copy(of: entry))
        draft.authority.role = .studyNurse
        let void = try world.write(draft, at: .haukeland)
        #expect(world.record(participant, at: .haukeland)?.void == [void.id: .roleMayNot])
    }

    @Test func `a form save into an answer is refused, and void where a faulty node writes it`() throws {
        let (world, participant) = try world()
        let entry = try world.respond(world.diary(of: participant, pain: "4"))
        let form = try #require(
            world.record(participant, at: .haukeland)?.instances(of: TestStudy.diaryForm).keys.first)
        let save = FormEntry(
            location: .haukeland, participant: .registration(participant),
            event: InstanceSelector(oid: TestStudy.baseline),
            form: InstanceSelector(oid: TestStudy.diaryForm, choice: .existing(form)),
            groups: [
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.diary),
                    items: [EnteredItem(item: TestStudy.pain, value: .datum("9", unit: nil))])
            ], seen: world.screen(participant, at: .haukeland))
        #expect(throws: Refusal.onlyByClient(oid: TestStudy.diaryForm)) {
            try world.send(.save(save), by: .bergenNurse)
        }
        guard case .responseReceived(let response)? = entry.action?.operation else { return }
        let nurse = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        var draft = try #require(world.copy(of: nurse))
        draft.command = CommandID(using: &world.generator)
        draft.parts = Action(
            command: draft.command, provenance: Provenance(source: .direct),
            operation: .formSaved(
                FormSave(participant: participant, instances: response.instances, changes: response.changes))
        ).parts()
        let void = try world.write(draft, at: .haukeland)
        let record = try #require(world.record(participant, at: .haukeland))
        #expect(record.void == [void.id: .foreignResponse])
        #expect(record.register(TestStudy.pain)?.held.map(\.id.entry) == [entry.id])
        // Staff may flag it removed, as any form.
        try world.send(
            .remove(
                RemovalTarget(
                    location: .haukeland, participant: .registration(participant), instance: form, reason: "feil")),
            by: .bergenNurse)
        let removed = try #require(world.record(participant, at: .haukeland))
        #expect(removed.isRemovedWithin(form))
        #expect(removed.instances(of: TestStudy.diaryForm).count == 1)
    }

    @Test func `an answer that lacks what makes it one is refused with the reason`() throws {
        let (world, participant) = try world()
        let whole = world.diary(of: participant, pain: "4")
        var variants = [whole, whole, whole, whole]
        variants[0].identifier.system = ""
        variants[1].identifier.value = ""
        variants[2].authored = ""
        variants[3].documentSHA256 = .sha256([])
        for variant in variants {
            #expect {
                try world.respond(variant)
            } throws: {
                if case .badResponse? = $0 as? Refusal { true } else { false }
            }
        }
        var large = whole
        large.document = [UInt8](repeating: 32, count: FormatLimit.entryBytes)
        large.documentSHA256 = .sha256(large.document)
        #expect {
            try world.respond(large)
        } throws: {
            if case .responseTooLarge? = $0 as? Refusal { true } else { false }
        }
        #expect(throws: Refusal.self) { try world.send(.respond(whole), by: .app) }
        var begun = whole
        begun.event = InstanceSelector(oid: TestStudy.adverseEvent, choice: .new(repeatKey: nil))
        #expect(throws: Refusal.unknownOID(TestStudy.diaryForm)) { try world.respond(begun) }
    }

    @Test func `an entry whose command id is not that of its answer is void`() throws {
        let (world, participant) = try world()
        let entry = try world.respond(world.diary(of: participant, pain: "4"))
        var draft = try #require(world.copy(of: entry))
        draft.command = CommandID(using: &world.generator)
        var action = try #require(entry.action)
        action.command = draft.command
        draft.parts = action.parts()
        let void = try world.write(draft, at: .haukeland)
        #expect(world[.haukeland].fold.locations[.haukeland]?.void == [void.id: .unreadable])
    }

    @Test func `a submitted answer is the same after a journey as JSON`() throws {
        let (world, participant) = try world()
        let request = Request.respond(world.diary(of: participant, pain: "4", document: "{\"æ\": 1}"))
        let text = try JSONEncoder().encode(request)
        #expect(try JSONDecoder().decode(Request.self, from: text) == request)
        #expect(String(decoding: text, as: UTF8.self).contains("eyLDpiI6IDF9"))
    }
}
