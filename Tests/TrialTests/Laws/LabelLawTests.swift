import EventLog
import Testing
import Trial

/// Law M49 (Protocols/merge.md; DESIGN §5, "Participant"): labels, and records that are of one person.
struct LabelLawTests {
    private func world() throws -> TrialTestWorld { try TrialTestWorld.open(seed: 43) }

    private func text(_ participant: EntryID, _ world: TrialTestWorld, at node: NodeID = .norcrin) -> [String] {
        world.record(participant, at: node)?.labels.map(\.text) ?? []
    }

    private func assign(
        _ text: String?, _ participant: EntryID, in world: TrialTestWorld, by person: Person = .bergenNurse,
        seen: [ValueID]
    ) throws -> WrittenEntry {
        try world.send(
            .assignLabel(
                LabelEntry(
                    location: .haukeland, participant: .registration(participant), kind: .screening, text: text,
                    seen: seen.map { SeenValue(entry: $0.entry, position: $0.position) })), by: person)
    }

    @Test func `two nodes apart never issue the same number, and each goes on counting`() throws {
        let world = try world()
        var texts: [String] = []
        for person in [Person.bergenNurse, .stavangerNurse, .bergenNurse, .stavangerNurse] {
            let participant = try world.register(by: person, label: "").id
            texts += text(participant, world, at: person.home)
        }
        #expect(texts == ["haukeland/1", "haukeland/stavanger/1", "haukeland/2", "haukeland/stavanger/2"])
        try world.spread()
        let next = try world.register(by: .stavangerNurse, label: "")
        #expect(text(next.id, world, at: .stavanger) == ["haukeland/stavanger/3"])
        #expect(world[.stavanger].fold.labelFindings.isEmpty)
    }

    @Test func `a node in a new epoch issues from a new range`() throws {
        let world = try world()
        let epoch = Epoch(RandomName(high: 0x0123_4567_0000_0000, low: 1))
        let plain = world[.haukeland].context(for: Person.bergenNurse.actor, using: &world.generator)
        let context = DecisionContext(
            node: plain.node, fold: plain.fold, definition: plain.definition, charterVersion: plain.charterVersion,
            entryOfCommand: { _ in nil }, receivedUTCMilliseconds: 0, randomName: plain.randomName, epoch: epoch)
        let command = Command(
            id: CommandID(using: &world.generator),
            sender: Sender(actor: Person.bergenNurse.actor, role: .studyNurse), study: world.study,
            provenance: Provenance(source: .direct),
            request: .register(
                location: .haukeland,
                labels: [
                    ParticipantLabel(kind: .screening, text: ""), ParticipantLabel(kind: .screening, text: ""),
                    ParticipantLabel(kind: .subject, text: ""),
                ]))
        let entry = try world.write(try Decision.decide(command, in: context), at: .haukeland)
        #expect(
            Set(text(entry.id, world, at: .haukeland)) == ["haukeland/01234567/1", "haukeland/01234567/2"])
    }

    @Test func `one registration carried out at two nodes is one participant, with both numbers that were given out`()
        throws
    {
        let world = try world()
        let command = CommandID(using: &world.generator)
        let one = try world.register(by: .bergenNurse, label: "", command: command)
        let two = try world.register(by: .bergenNurse, to: .stavanger, label: "", command: command)
        try world.spread()
        let record = try #require(world.record(one.id, at: .norcrin))
        #expect(record == world.record(two.id, at: .norcrin))
        #expect(record.findings == [:])
        #expect(record.labels.map(\.text) == ["haukeland/1", "haukeland/stavanger/1"])
        #expect(record.labelConflicts == [.screening])
        // One who saw both decides.
        #expect(throws: Refusal.newerLabels(.screening)) {
            try assign("S-7", record.id, in: world, seen: [ValueID(entry: one.id, position: 0)])
        }
        let both = [one, two].map { ValueID(entry: $0.id, position: 0) }
        _ = try assign("S-7", record.id, in: world, seen: both)
        try world.spread()
        #expect(text(one.id, world) == ["S-7"])
        #expect(world.record(one.id, at: .norcrin)?.labelHistory.count == 3)
    }

    @Test func `corrections made apart stand beside each other until one saw both`() throws {
        let world = try world()
        let participant = try world.register(label: "S-1").id
        try world.spread()
        let first = [ValueID(entry: participant, position: 0)]
        let bergen = try assign("S-2", participant, in: world, seen: first)
        let stavanger = try assign("S-3", participant, in: world, by: .stavangerNurse, seen: first)
        try world.spread()
        #expect(text(participant, world) == ["S-2", "S-3"])
        let seen = [bergen, stavanger].map { ValueID(entry: $0.id, position: 0) }
        _ = try assign("S-2", participant, in: world, seen: seen + first) as WrittenEntry?
        try world.spread()
        #expect(text(participant, world) == ["S-2"])
    }

    @Test func `two people under one label are a finding of the study until one is corrected or they are linked`()
        throws
    {
        let world = try world()
        let one = try world.register(label: "S-1").id
        let two = try world.register(at: .stavanger, by: .stavangerNurse, label: "S-1").id
        let alone = try world.register(label: "S-2").id
        try world.spread()
        let places = [ParticipantPlace(.haukeland, one), ParticipantPlace(.stavanger, two)]
        let finding = LabelFinding(label: ParticipantLabel(kind: .screening, text: "S-1"), participants: places)
        #expect(world[.norcrin].fold.labelFindings == [finding])
        let target = LinkTarget(
            location: .haukeland, participant: .registration(one), other: two, otherLocation: .stavanger,
            reason: "flyttet")
        let linked = try world.send(.link(target), by: .bergenNurse)
        #expect(throws: Refusal.nothingToDo) { try world.send(.link(target), by: .bergenNurse) }
        try world.spread()
        // Both records show it, and no data moved.
        for place in places { #expect(world[.norcrin].fold.links(of: place).map(\.entry) == [linked.id]) }
        #expect(world[.norcrin].fold.links(of: ParticipantPlace(.haukeland, alone)).isEmpty)
        #expect(world[.norcrin].fold.labelFindings.isEmpty)
        #expect(text(one, world) == ["S-1"])
        // It is taken back from the other side too.
        let back = LinkTarget(
            location: .stavanger, participant: .registration(two), other: one, otherLocation: .haukeland,
            reason: "to personer")
        try world.send(.unlink(back), by: .stavangerNurse)
        try world.spread()
        #expect(world[.norcrin].fold.peopleLinks.isEmpty)
        #expect(world[.norcrin].fold.labelFindings == [finding])
        #expect(throws: Refusal.nothingToDo) { try world.send(.unlink(back), by: .stavangerNurse) }
    }

    @Test func `linking is for staff of the site, not for monitors, managers or client systems`() throws {
        let world = try world()
        let one = try world.register(label: "S-1").id
        let two = try world.register(label: "S-2").id
        try world.spread()
        let target = LinkTarget(
            location: .haukeland, participant: .registration(one), other: two, otherLocation: .haukeland,
            reason: "samme")
        for person in [Person.monitor, .manager, .app] {
            #expect(throws: Refusal.roleMayNot(person.role)) {
                try world.send(.link(target), by: person, to: .haukeland)
            }
        }
        let linked = try world.send(.link(target), by: .bergenNurse)
        var draft = try #require(world.copy(of: linked))
        draft.authority.role = .monitor
        draft.command = CommandID(using: &world.generator)
        let void = try world.write(draft, at: .haukeland)
        #expect(world.record(one, at: .haukeland)?.void == [void.id: .roleMayNot])
    }

    @Test(arguments: ["18446744073709551613", "18446744073709551614", "18446744073709551615", "007"])
    func `whatever somebody typed in a node's range, the node issues no label twice`(typed: String) throws {
        let world = try world()
        let participant = try world.register(label: "").id
        let seen = world.record(participant, at: .haukeland)?.labelHistory ?? []
        try world.send(
            .assignLabel(
                LabelEntry(
                    location: .haukeland, participant: .registration(participant), kind: .screening,
                    text: "haukeland/" + typed,
                    seen: seen.map { SeenValue(entry: $0.id.entry, position: $0.id.position) })), by: .bergenNurse)
        var texts = world.record(participant, at: .haukeland)?.labelHistory.map(\.label.text) ?? []
        for _ in 0..<5 {
            // Two of one kind, as one command may ask for.
            let labels = [ParticipantLabel(kind: .screening, text: ""), ParticipantLabel(kind: .screening, text: "")]
            let issued = try world.send(.register(location: .haukeland, labels: labels), by: .bergenNurse)
            texts += world.record(issued.id, at: .haukeland)?.labelHistory.map(\.label.text) ?? []
        }
        #expect(texts.count == 12 && Set(texts).count == 12)
    }
}
