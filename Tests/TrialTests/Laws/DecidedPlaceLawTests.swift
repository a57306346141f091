import EventLog
import Testing
import Trial

/// Laws M11, M32 and M33: where a row stands whose form was begun apart, and which of several decisions stands.
struct DecidedPlaceLawTests {
    private struct Apart {
        let world: TrialTestWorld
        let participant: EntryID
        let bergen: WrittenEntry
        let stavanger: WrittenEntry

        /// Two nodes apart begin the same form; stavanger's beginning has a row.
        init(seed: UInt64) throws {
            world = try TrialTestWorld.open(seed: seed)
            participant = try world.register().id
            try world.spread()
            bergen = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
            stavanger = try world.send(
                world.medication(of: participant, [(.new(repeatKey: nil), "Paracet")]), by: .stavangerNurse)
            try world.spread()
        }

        func decision(_ choice: InstanceChoiceMade, at node: NodeID) throws -> Request {
            let record = try #require(world.record(participant, at: node))
            let form = try #require(
                record.instances(of: TestStudy.vitalsForm).first { $0.value.identity == .natural }?.key)
            return .decideInstances(
                InstanceDecisionEntry(
                    location: .haukeland, participant: .registration(participant), form: form,
                    beginnings: [bergen, stavanger].map { Beginning(entry: $0.id, position: 1) }, choice: choice,
                    reason: "avklart"))
        }
    }

    private func agrees(_ world: TrialTestWorld) throws -> Bool {
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries.shuffled(using: &world.generator))
        return folding.difference(from: world.entries) == nil
    }

    @Test func `a row goes with the beginning it was begun in, whoever changed it where before it was decided`() throws
    {
        for seed in UInt64(0)..<8 {
            let apart = try Apart(seed: seed)
            let (world, participant) = (apart.world, apart.participant)
            let row = try #require(
                world.record(participant, at: .haukeland)?.instances(of: TestStudy.medication).keys.first)
            // One who sees both beginnings in one form changes the row there.
            try world.send(
                world.medication(
                    of: participant, [(.existing(row), "Ibux")], seen: world.screen(participant, at: .haukeland)),
                by: .bergenNurse)
            let wrong = Beginning(entry: apart.stavanger.id, position: 1)
            try world.send(try apart.decision(.wrong([wrong]), at: .stavanger), by: .stavangerNurse)
            try world.spread()
            let record = try #require(world.record(participant, at: .norcrin))
            #expect(record.instances[row]?.shape.parent == .begun(by: wrong), "seed \(seed)")
            #expect(!record.counts(row), "seed \(seed)")
            #expect(record.instances[row]?.registers[TestStudy.drug]?.texts == ["Ibux"])
            #expect(try agrees(world))
        }
    }

    @Test func `nobody says of a row that another began what it is, or where`() throws {
        let world = try TrialTestWorld.open(seed: 62)
        let participant = try world.register().id
        try world.spread()
        let begun = try world.send(
            world.medication(of: participant, [(.new(repeatKey: nil), "Paracet")]), by: .bergenNurse)
        let row = Beginning(entry: begun.id, position: 2)
        var draft = try #require(world.copy(of: begun))
        var action = try #require(begun.action)
        guard case .formSaved(var save) = action.operation else { return }
        save.instances = [
            InstanceDeclaration(
                kind: .studyEvent, parent: nil, oid: "A", identity: .begun(row), beginsHere: false),
            InstanceDeclaration(kind: .form, parent: 0, oid: "A", identity: .natural, beginsHere: true),
            InstanceDeclaration(kind: .itemGroup, parent: 1, oid: "A", identity: .natural, beginsHere: true),
        ]
        action.operation = .formSaved(save)
        action.command = CommandID(using: &world.generator)
        (draft.parts, draft.command) = (action.parts(), action.command)
        try world.write(draft, at: .haukeland)
        for order in [world.entries, world.entries.reversed()] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(order)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            let state = try #require(record.instances[.begun(by: row)])
            #expect(state.shape.kind == .itemGroup && state.shape.oid == TestStudy.medication)
            #expect(folding.difference(from: world.entries) == nil)
        }
    }

    @Test func `a decision sent again to a node that holds a later one does not replace that`() throws {
        var lower = 0
        for seed in UInt64(0)..<12 {
            let apart = try Apart(seed: seed)
            let (world, participant) = (apart.world, apart.participant)
            let base = world.entries
            let command = CommandID(using: &world.generator)
            let first = try world.send(
                try apart.decision(.same, at: .haukeland), by: .bergenNurse, command: command)
            try world.deliver([first], to: .stavanger)
            let later = try world.send(try apart.decision(.two, at: .stavanger), by: .stavangerNurse)
            // The first node was set back, and hears of the later decision before of its own.
            try world.restore(.haukeland, from: base + [later])
            let again = try world.send(
                try apart.decision(.same, at: .haukeland), by: .bergenNurse, command: command)
            if again.id < first.id { lower += 1 }
            try world.spread()
            let record = try #require(world.record(participant, at: .norcrin))
            let forms = record.instances(of: TestStudy.vitalsForm).keys.filter(record.counts)
            #expect(forms.count == 2, "seed \(seed)")
            #expect(record.openConflicts.list.isEmpty, "seed \(seed)")
            #expect(record.findings.isEmpty)
            #expect(try agrees(world))
        }
        #expect(lower > 0)
    }

    @Test func `a beginning sent again to a node that holds another one is a conflict of the form all the same`() throws
    {
        var lower = 0
        for seed in UInt64(20)..<32 {
            let world = try TrialTestWorld.open(seed: seed)
            let participant = try world.register().id
            try world.spread()
            let base = world.entries
            let command = CommandID(using: &world.generator)
            let first = try world.saveVitals(
                participant, [(TestStudy.pulse, "70")], by: .bergenNurse, seen: [], command: command)
            let other = try world.saveVitals(participant, [(TestStudy.weight, "81")], by: .stavangerNurse)
            try world.restore(.haukeland, from: base + [other])
            let again = try world.saveVitals(
                participant, [(TestStudy.pulse, "70")], by: .bergenNurse, seen: [], command: command)
            if again.id < first.id { lower += 1 }
            try world.spread()
            #expect(world.open(participant, at: .norcrin).map(\.kind) == [.instance], "seed \(seed)")
            #expect(try agrees(world))
        }
        #expect(lower > 0)
    }

    @Test func `a form whose only row was removed is empty`() throws {
        let world = try TrialTestWorld.open(seed: 63)
        let participant = try world.register().id
        try world.spread()
        try world.send(world.medication(of: participant, [(.new(repeatKey: nil), "Paracet")]), by: .bergenNurse)
        #expect(world.record(participant, at: .haukeland)?.formStatuses.values.map { $0 } == [.entered])
        try world.send(
            .remove(world.removal(of: participant, TestStudy.medication, at: .haukeland)), by: .bergenNurse)
        #expect(world.record(participant, at: .haukeland)?.formStatuses.values.map { $0 } == [.empty])
    }
}
