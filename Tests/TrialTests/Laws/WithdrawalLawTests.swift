import EventLog
import Testing
import Trial

/// Laws M45 to M47 (Protocols/merge.md; DESIGN §5, "Participant"): data count by when they were collected.
struct WithdrawalLawTests {
    private func world() throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: 42)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    @discardableResult
    private func record(
        _ status: ParticipantStatus, _ date: String, of participant: EntryID, in world: TrialTestWorld,
        by person: Person = .bergenNurse, replaces: [EntryID] = []
    ) throws -> WrittenEntry {
        try world.send(
            .status(
                location: .haukeland, participant: .registration(participant), status: status, eventDate: date,
                replaces: replaces), by: person)
    }

    /// What a save collected on a date comes to beside a withdrawal: whether it counts, and its finding.
    private func outcome(
        collected: String?, recorded: DeviceTime? = nil, withdrawn: String
    ) throws -> (counts: Bool, finding: FindingRule?) {
        let (world, participant) = try world()
        (world.occurred, world.recorded) = (collected, recorded)
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try record(.withdrawn, withdrawn, of: participant, in: world)
        let state = try #require(world.record(participant, at: .haukeland))
        let register = try #require(state.register(TestStudy.pulse))
        let counts = register.current != nil
        #expect(state.quarantined == (counts ? [] : [save.id]))
        #expect(register.setAside.map(\.id.entry) == (counts ? [] : [save.id]))
        return (counts, state.findings[save.id])
    }

    @Test(arguments: [
        // The day itself counts; the day after does not.
        ("2025-03-15", "2025-03-15", true, false), ("2025-03-16", "2025-03-15", false, false),
        ("2025-03-16T00:30:00+02:00", "2025-03-15", false, false),
        // A partial date may mean any of its days.
        ("2025-03", "2025-03-15", true, true), ("2025-04", "2025-03-15", false, false),
        ("2025-02", "2025-03", true, false), ("2025-03-16", "2025-03", true, true), ("2025", "2025-12-30", true, true),
        ("2025-12-31", "2025", true, true), ("2026", "2025", false, false), ("2025-04-01", "2025-03", false, false),
        // February ends in time.
        ("2024-02-29", "2024-02", true, true), ("2024-03-01", "2024-02", false, false),
        // What cannot be read is passed over; the node's clock says 1970.
        ("i vår", "2025-03-15", true, false), ("2025-02-30", "2025-01-15", true, false),
        ("", "2025-03-15", true, false),
    ])
    func `what was certainly collected after a withdrawal does not count, and what is unclear is a finding`(
        collected: String, withdrawn: String, counts: Bool, isUnclear: Bool
    ) throws {
        let found = try outcome(collected: collected, withdrawn: withdrawn)
        #expect(found.counts == counts)
        #expect((found.finding == .collectionDateUnclear) == isUnclear)
    }

    @Test func `without a clinical date the device's day counts, in its own zone`() throws {
        // 2025-03-15T23:30 UTC.
        let time = DeviceTime(utcMilliseconds: 1_742_081_400_000, offsetMinutes: 0)
        #expect(try outcome(collected: nil, recorded: time, withdrawn: "2025-03-15").counts)
        let east = DeviceTime(utcMilliseconds: 1_742_081_400_000, offsetMinutes: 60)
        #expect(try !outcome(collected: nil, recorded: east, withdrawn: "2025-03-15").counts)
        let absurd = DeviceTime(utcMilliseconds: .max, offsetMinutes: .max)
        #expect(try outcome(collected: nil, recorded: absurd, withdrawn: "2025-03-15").counts)
        #expect(try outcome(collected: "2025-03-01", recorded: east, withdrawn: "2025-03-15").counts)
    }

    @Test
    func `earlier data entered later count, later data entered earlier do not, and a correction brings them back`()
        throws
    {
        let (world, participant) = try world()
        world.occurred = "2025-06-01"
        let later = try world.saveVitals(participant, [(TestStudy.pulse, "90")], by: .bergenNurse)
        let answer = try world.respond(world.diary(of: participant, pain: "4"))
        let withdrawn = try record(.withdrawn, "2025-05-01", of: participant, in: world)
        world.occurred = "2025-04-01"
        try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.spread()
        let state = try #require(world.record(participant, at: .norcrin))
        #expect(state.quarantined == [later.id, answer.id])
        #expect(state.register(TestStudy.weight)?.texts == ["80"])
        #expect(state.responses.values.first?.state(of: answer.id) == .quarantined)
        let counts = try #require(world[.norcrin].fold.locations[.haukeland]?.counts)
        #expect(counts.values == 1 && counts.forms == 1 && counts.quarantined == 2)
        try record(.withdrawn, "2025-07", of: participant, in: world, replaces: [withdrawn.id])
        try world.spread()
        let corrected = try #require(world.record(participant, at: .norcrin))
        #expect(corrected.quarantined == [])
        #expect(corrected.register(TestStudy.pulse)?.texts == ["90"])
        #expect(corrected.register(TestStudy.pain)?.texts == ["4"])
        #expect(corrected.findings == [:])
    }

    @Test func `what is quarantined supersedes nothing, and is superseded by one who saw it`() throws {
        let (world, participant) = try world()
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        world.occurred = "2025-06"
        let later = try world.saveVitals(participant, [(TestStudy.pulse, "90")], by: .bergenNurse)
        try world.spread()
        try record(.withdrawn, "2025-05-01", of: participant, in: world)
        #expect(world.register(TestStudy.pulse, of: participant, at: .haukeland)?.held.map(\.id.entry) == [first.id])
        world.occurred = "2025-04"
        let seen = [first, later].map { SeenValue(entry: $0.id, position: 0) }
        let decided = try world.saveVitals(participant, [(TestStudy.pulse, "75")], by: .bergenNurse, seen: seen)
        for order in [world.entries, world.entries.reversed()] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(order)
            let register = try #require(
                folding.fold.locations[.haukeland]?.participant(participant)?.register(TestStudy.pulse))
            #expect(register.held.map(\.id.entry) == [decided.id])
            #expect(register.setAside.isEmpty)
        }
    }

    @Test func `a withdrawal without a date that can be read is refused, and a finding where a faulty node writes it`()
        throws
    {
        let (world, participant) = try world()
        #expect(throws: Refusal.badDate("i vår")) { try record(.withdrawn, "i vår", of: participant, in: world) }
        let screened = try record(.screened, "i vår", of: participant, in: world)
        var action = try #require(screened.action)
        action.operation = .statusRecorded(
            StatusRecord(participant: participant, status: .withdrawn, eventDate: "i vår"))
        action.command = CommandID(using: &world.generator)
        var draft = try #require(world.copy(of: screened))
        draft.command = action.command
        draft.parts = action.parts()
        let undated = try world.write(draft, at: .haukeland)
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let state = try #require(world.record(participant, at: .haukeland))
        #expect(state.findings == [undated.id: .withdrawalDateUnreadable])
        #expect(state.register(TestStudy.pulse)?.held.map(\.id.entry) == [save.id])
    }

    @Test func `a status recorded at two nodes apart is a finding at both, until one is corrected`() throws {
        let (world, participant) = try world()
        let bergen = try record(.included, "2025-03-01", of: participant, in: world)
        let stavanger = try record(.included, "2025-03-02", of: participant, in: world, by: .stavangerNurse)
        try world.spread()
        let both = world.record(participant, at: .norcrin)?.findings
        #expect(both == [bergen.id: .statusRecordedTwice, stavanger.id: .statusRecordedTwice])
        try record(.included, "2025-03-02", of: participant, in: world, replaces: [bergen.id, stavanger.id])
        try world.spread()
        #expect(world.record(participant, at: .norcrin)?.findings == [:])
    }

    @Test func `included and failed screening contradict each other`() throws {
        let (world, participant) = try world()
        try record(.screened, "2025-03-01", of: participant, in: world)
        let included = try record(.included, "2025-03-01", of: participant, in: world)
        let failed = try record(.screenFailure, "2025-03-02", of: participant, in: world, by: .stavangerNurse)
        try world.spread()
        let findings = world.record(participant, at: .norcrin)?.findings
        #expect(findings == [included.id: .statusesContradict, failed.id: .statusesContradict])
    }
}
