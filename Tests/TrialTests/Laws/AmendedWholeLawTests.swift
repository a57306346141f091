import EventLog
import Testing
import Trial

/// Laws M13 and M34: a form that some entry wrote as a whole, and writers whose definitions do not say that it is one.
struct AmendedWholeLawTests {
    private static let everywhere = [NodeID.haukeland, .stavanger, .norcrin]

    /// A diary of two items, written as a whole and known everywhere.
    private func written(seed: UInt64 = 61) throws -> (world: TrialTestWorld, participant: EntryID, first: WrittenEntry)
    {
        let world = try TrialTestWorld.open(seed: seed)
        let participant = try world.register().id
        let first = try world.send(
            world.diary(of: participant, [(TestStudy.pain, "3"), (TestStudy.mood, "4")], at: .haukeland),
            by: .bergenNurse)
        try world.spread()
        return (world, participant, first)
    }

    private func texts(_ world: TrialTestWorld, _ participant: EntryID, at node: NodeID) -> [String] {
        let group = world.record(participant, at: node)?.instances(of: TestStudy.diary).values.first
        return [TestStudy.pain, TestStudy.mood].map { group?.registers[$0]?.current?.value?.typed ?? "-" }
    }

    /// What a node wrote that did not know the form to be whole: what changed, and all that was on the screen.
    private func piece(
        _ world: TrialTestWorld, _ participant: EntryID, _ item: ItemOID, _ text: String, by person: Person
    ) throws -> WrittenEntry {
        let whole = try world.send(world.diary(of: participant, [(item, text)], at: person.home), by: person)
        var draft = try #require(world.copy(of: whole))
        var action = try #require(whole.action)
        guard case .formSaved(var save) = action.operation else { throw Refusal.nothingToDo }
        for place in save.instances.indices { save.instances[place].isWhole = false }
        save.changes.removeAll { $0.item != item }
        action.operation = .formSaved(save)
        action.command = CommandID(using: &world.generator)
        (draft.parts, draft.command) = (action.parts(), action.command)
        // As if it had been written in its place.
        let before = world.entries.filter { $0.id != whole.id }
        try world.restore(person.home, from: before)
        return try world.write(draft, at: person.home)
    }

    @Test func `a correction under definitions by which the form is whole no more loses nothing`() throws {
        let (world, participant, _) = try written()
        world[.stavanger].definition = TestStudy.withoutWholes
        let save = try world.send(
            world.diary(of: participant, [(TestStudy.mood, "5")], at: .stavanger), by: .stavangerNurse)
        guard case .formSaved(let said)? = save.action?.operation else { return }
        #expect(said.instances.map(\.isWhole) == [false, true, true])
        #expect(said.changes.count == 2)
        try world.spread()
        for node in Self.everywhere {
            #expect(texts(world, participant, at: node) == ["3", "5"])
            #expect(world.open(participant, at: node).isEmpty)
        }
    }

    @Test func `definitions that change what is whole are refused`() throws {
        let (world, _, _) = try written()
        let command = Command(
            id: CommandID(using: &world.generator), sender: Sender(actor: Person.manager.actor, role: .dataManager),
            study: world.study, provenance: Provenance(source: .direct), request: .publish(documentBase64: ""))
        func publish(_ definition: StudyDefinition) throws -> EntryDraft {
            try Decision.publication(
                of: [1], definition: definition, chunks: [], command,
                in: world[.norcrin].context(for: Person.manager.actor, using: &world.generator))
        }
        _ = try publish(TestStudy.definition)
        var groups = TestStudy.definition
        groups.itemGroups = OIDTable(
            groups.itemGroups.map { group in
                var group = group
                if group.oid.text == TestStudy.vitals { group.isWhole = true }
                return group
            })
        for (changed, oid) in [(TestStudy.withoutWholes, TestStudy.diaryForm), (groups, TestStudy.vitals)] {
            #expect {
                _ = try publish(changed)
            } throws: {
                if case .badDocument(let reason)? = $0 as? Refusal { reason.contains(oid) } else { false }
            }
        }
        // Another form may well be whole.
        var more = TestStudy.definition
        var form = FormDefinition(oid: FormOID("F.NEW"), name: "New", isRepeating: false)
        form.isWhole = true
        more.forms = OIDTable(more.forms.map { $0 } + [form])
        _ = try publish(more)
    }

    @Test func `who wrote a part not knowing the whole takes the place of that part only`() throws {
        let (world, participant, first) = try written()
        let second = try piece(world, participant, TestStudy.mood, "5", by: .stavangerNurse)
        let all = world.entries.filter { entry in
            // But for the save after which the piece was made.
            entry.header?.operation != .formSaved || [first.id, second.id].contains(entry.id)
        }
        for order in [all, all.reversed()] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(order)
            #expect(folding.difference(from: all) == nil)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(record.register(TestStudy.pain)?.texts == ["3"])
            #expect(record.register(TestStudy.mood)?.texts == ["5"])
            #expect(record.openConflicts.list.isEmpty)
            #expect(record.instances(of: TestStudy.diaryForm).values.first?.versionsHeld == [second.id])
        }
        // One who saw both, and writes the whole, has said all.
        for node in Self.everywhere {
            try world.restore(node, from: all)
        }
        let third = try world.send(
            world.diary(of: participant, [(TestStudy.pain, "6")], at: .haukeland), by: .bergenNurse)
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take((all + [third]).reversed())
        let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
        #expect(record.instances(of: TestStudy.diaryForm).values.first?.versionsHeld == [third.id])
        #expect(record.register(TestStudy.mood)?.texts == ["5"])
    }

    @Test func `two who each wrote a part stand beside each other as wholes, and one can be chosen`() throws {
        let (world, participant, first) = try written()
        let second = try piece(world, participant, TestStudy.mood, "5", by: .stavangerNurse)
        let base = world.entries.filter { $0.header?.operation != .formSaved || $0.id == first.id }
        try world.restore(.haukeland, from: base)
        let third = try piece(world, participant, TestStudy.pain, "7", by: .bergenNurse)
        let all = world.entries.filter {
            $0.header?.operation != .formSaved || [first.id, second.id, third.id].contains($0.id)
        }
        try world.restore(.haukeland, from: all)
        let conflict = try #require(world.open(participant, at: .haukeland).first)
        #expect(conflict.kind == .whole)
        let sides = Dictionary(
            uniqueKeysWithValues: conflict.sides.map { ($0.name.entry, $0.values.map { $0.held.value?.typed }) })
        #expect(sides.mapValues { $0.compactMap { $0 }.sorted() } == [second.id: ["3", "5"], third.id: ["4", "7"]])
        let resolution = world.resolution(of: conflict, participant, at: .haukeland) { $0.name.entry == second.id }
        try world.send(.resolve(resolution), by: .bergenNurse)
        #expect(texts(world, participant, at: .haukeland) == ["3", "5"])
        #expect(world.open(participant, at: .haukeland).isEmpty)
    }
}
