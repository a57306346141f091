import EventLog
import Testing
import Trial

/// Law M4 and rule V4 (Protocols/merge.md; DESIGN §4): entries of newer software, entries that break the format, and
/// entries whose parts were dropped.
struct UnderstandingLawTests {
    /// Two participants, the first with a saved form, known everywhere.
    private func world() throws -> (world: TrialTestWorld, first: WrittenEntry, second: WrittenEntry) {
        let world = try TrialTestWorld.open(seed: 17)
        let first = try world.register(label: "S-1")
        let second = try world.register(label: "S-2")
        try world.saveVitals(first.id, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.spread()
        return (world, first, second)
    }

    private func isUnderstood(_ participant: WrittenEntry, in world: TrialTestWorld, at node: NodeID) throws -> Bool {
        let fold = try #require(world[node].fold.locations[.haukeland])
        return fold.isFullyUnderstood(try #require(fold.participant(participant.id)))
    }

    /// A save about the first participant.
    private func draft(_ world: TrialTestWorld, about participant: WrittenEntry) throws -> EntryDraft {
        let save = try world.saveVitals(participant.id, [(TestStudy.pulse, "71")], by: .bergenNurse)
        return try #require(world.copy(of: save))
    }

    @Test(arguments: [0, 1])
    func `an unknown operation, or newer merge rules, leaves that participant not fully understood, and nobody else`(
        variant: Int
    ) throws {
        let (world, first, second) = try world()
        var draft = try draft(world, about: first)
        if variant == 0 { draft.operation = OperationType(rawValue: 99) } else { draft.mergeRules = 1 }
        try world.spread()
        let before = try #require(world.record(first.id, at: .stavanger))
        let entry = try world.write(draft, at: .haukeland)
        try world.deliver([entry], to: .stavanger)
        for node in [NodeID.haukeland, .stavanger] {
            #expect(try !isUnderstood(first, in: world, at: node))
            #expect(try isUnderstood(second, in: world, at: node))
            #expect(world[node].fold.locations[.haukeland]?.notUnderstood == [entry.id])
            #expect(world[node].fold.locations[.haukeland]?.void == [:])
            #expect(world.record(first.id, at: node) == before)
        }
    }

    @Test func `a header that nobody can read may concern anybody in its stream`() throws {
        let (world, first, second) = try world()
        let other = try world.register(at: .stavanger, by: .stavangerNurse)
        let entry = try world.newerHeader(in: .location(.haukeland, in: world.study), at: .haukeland)
        #expect(try !isUnderstood(first, in: world, at: .haukeland))
        #expect(try !isUnderstood(second, in: world, at: .haukeland))
        #expect(world[.haukeland].fold.locations[.haukeland]?.notUnderstood == [entry.id])
        let elsewhere = try #require(world[.stavanger].fold.locations[.stavanger])
        #expect(elsewhere.isFullyUnderstood(try #require(elsewhere.participant(other.id))))
    }

    @Test func `a participant registered at two nodes is understood only where both their handles are`() throws {
        let world = try TrialTestWorld.open(seed: 18)
        let id = CommandID(using: &world.generator)
        let one = try world.register(command: id)
        let two = try world.register(by: .bergenNurse, to: .stavanger, command: id)
        #expect(one.header?.subject != two.header?.subject)
        try world.spread()
        let known = world.entries
        for registration in [one, two] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(known)
            var draft = try #require(world.copy(of: registration))
            draft.operation = OperationType(rawValue: 99)
            try folding.take([try world.write(draft, at: .haukeland)])
            let fold = try #require(folding.fold.locations[.haukeland])
            #expect(fold.records.count == 1)
            #expect(fold.isFullyUnderstood(try #require(fold.participant(one.id))) == false)
        }
    }

    @Test func `a structure dropped by an order is not understood`() throws {
        let (world, first, second) = try world()
        let draft = try draft(world, about: first)
        let entry = try world.dropping([.structure], from: draft, at: .haukeland)
        #expect(entry.content == .notUnderstood)
        #expect(try !isUnderstood(first, in: world, at: .haukeland))
        #expect(try isUnderstood(second, in: world, at: .haukeland))
    }

    @Test func `erased content reads as nothing, and what it replaced stays replaced`() throws {
        let (world, first, _) = try world()
        let save = try world.saveVitals(
            first.id, [(TestStudy.pulse, "71"), (TestStudy.note, "ringte naboen")], by: .bergenNurse)
        let draft = try #require(world.copy(of: save))
        let rest = world.entries.filter { $0.id != save.id }
        for kinds in [Set([PartKind.content]), [.content, .text]] {
            let erased = try world.dropping(kinds, from: draft, at: .haukeland)
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take([erased] + rest)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(first.id))
            let register = try #require(record.register(TestStudy.pulse))
            #expect(register.held.map(\.id.entry) == [erased.id])
            #expect(register.held.allSatisfy { $0.value == nil })
            #expect(register.current?.value == nil && !register.isConflict)
            #expect(record.register(TestStudy.note)?.texts == ["(dropped)"])
            #expect(folding.fold.locations[.haukeland]?.isFullyUnderstood(record) == true)
        }
    }

    @Test func `a free text is dropped alone, and its entry's other values stay`() throws {
        let (world, first, _) = try world()
        let save = try world.saveVitals(
            first.id, [(TestStudy.pulse, "71"), (TestStudy.note, "ringte naboen")], by: .bergenNurse)
        let entry = try world.dropping([.text], from: try #require(world.copy(of: save)), at: .haukeland)
        guard case .formSaved(let read)? = entry.action?.operation else {
            Issue.record("not read as a save")
            return
        }
        #expect(read.changes.map { $0.value?.typed } == ["71", nil])
    }

    @Test func `an erased value beside another is a conflict, two erased ones are none`() throws {
        let (world, first, _) = try world()
        let participant = try world.register(label: "S-3").id
        try world.spread()
        let one = try world.saveVitals(participant, [(TestStudy.sex, "F")], by: .bergenNurse)
        let two = try world.saveVitals(participant, [(TestStudy.sex, "M")], by: .stavangerNurse)
        let rest = world.entries.filter { $0.id != one.id && $0.id != two.id }
        let erased = try [one, two].map { entry in
            try world.dropping([.content], from: try #require(world.copy(of: entry)), at: entry.writer)
        }
        for (entries, isConflict) in [([erased[0], two], true), (erased, false)] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(rest + entries)
            let record = try #require(folding.fold.locations[.haukeland]?.participant(participant))
            #expect(record.register(TestStudy.sex)?.isConflict == isConflict)
        }
        #expect(world.record(first.id, at: .haukeland) != nil)
    }

    @Test(arguments: [0, 1, 3, 99])
    func `a value that stands in no item group of its entry makes the entry void by V4`(place: Int) throws {
        let (world, first, _) = try world()
        let save = try world.saveVitals(first.id, [(TestStudy.pulse, "71")], by: .bergenNurse)
        guard case .formSaved(var said)? = save.action?.operation, let header = save.header else { return }
        #expect(said.instances.count == 3)
        said.changes[0].instance = place
        let draft = world.draft(
            .formSaved(said), in: save.stream, by: .bergenNurse, known: header.known,
            grant: header.authority.delegation)
        let entry = try world.write(draft, at: .haukeland)
        #expect(world[.haukeland].fold.locations[.haukeland]?.void == [entry.id: .unreadable])
        #expect(world.register(TestStudy.pulse, of: first.id, at: .haukeland)?.texts == ["71"])
    }

    @Test func `a leaf that breaks the format is void by V4 and blocks nothing`() throws {
        let (world, first, _) = try world()
        var draft = try draft(world, about: first)
        let good = world.entries.count
        draft.parts[0].bytes = [0x08, 0x00, 0xFF, 0xFF]
        let structure = try world.write(draft, at: .haukeland)
        let header = try world.add(header: [0xFF], in: draft.stream, at: .haukeland)
        let inStudy = try world.add(header: [], in: .study(world.study), at: .haukeland)
        let fold = world[.haukeland].fold
        #expect(fold.locations[.haukeland]?.void == [structure.id: .unreadable, header.id: .unreadable])
        #expect(fold.authority.void == [inStudy.id: .unreadable])
        #expect(try isUnderstood(first, in: world, at: .haukeland))
        #expect(world.register(TestStudy.pulse, of: first.id, at: .haukeland)?.texts == ["71"])
        #expect(world.entries.count == good + 3)
    }
}
