import EventLog
import Testing
import Trial

/// Answers that begin the repeating event they stand in (Protocols/merge.md, M40).
struct RepeatingAnswerTests {
    private let world: TrialTestWorld
    private let participant: EntryID

    init() throws {
        world = try TrialTestWorld.open(seed: 47)
        participant = try world.register().id
        try world.spread()
    }

    /// An answer about an adverse event, which a participant may have several of.
    private func answer(
        _ value: String, _ status: ResponseStatus = .completed, term: String
    ) -> ResponseEntry {
        var entry = world.answer(
            of: participant, TestStudy.adverseEventForm, value, status,
            [
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.adverseEventGroup),
                    items: [EnteredItem(item: TestStudy.term, value: .datum(term, unit: nil))])
            ], document: "\(status.rawValue) \(term)")
        entry.event = InstanceSelector(oid: TestStudy.adverseEvent, choice: .new(repeatKey: nil))
        return entry
    }

    private func record(_ node: NodeID = .norcrin) throws -> ParticipantState {
        try #require(world.record(participant, at: node))
    }

    @Test func `versions sent to nodes apart meet in one event, in any order`() throws {
        let sent = [
            try world.respond(answer("q-1", term: "2026-03-29")),
            try world.respond(answer("q-1", term: "2026-03-29"), to: .stavanger),
            try world.respond(answer("q-1", .amended, term: "2026-03-30"), to: .stavanger),
            try world.respond(answer("q-2", term: "2026-03-29"), to: .stavanger),
        ]
        let before = world.entries.filter { entry in !sent.contains { $0.id == entry.id } }
        var digests: Set<[Hash]> = []
        for first in sent.indices {
            for last in sent.indices where last != first {
                let between = sent.indices.filter { $0 != first && $0 != last }
                for order in [[first] + between + [last], [first] + between.reversed() + [last]] {
                    var folding = Folding(study: world.study, charterVersions: 2)
                    let entries = before + order.map { sent[$0] }
                    try folding.take(entries)
                    #expect(folding.difference(from: entries) == nil, "order \(order)")
                    digests.insert(folding.digests().map(\.digest))
                }
            }
        }
        #expect(digests.count == 1)
        try world.spread()
        let record = try record()
        #expect(record.findings == [:])
        #expect(record.instances(of: TestStudy.adverseEvent).count == 2)
        #expect(record.instances(of: TestStudy.adverseEventForm).count == 2)
        let terms = record.instances.values.compactMap { $0.registers[TestStudy.term]?.texts }
        #expect(terms.sorted { $0[0] < $1[0] } == [["2026-03-29"], ["2026-03-30"]])
        #expect(try self.record(.stavanger) == record)
    }

    @Test func `an answer that begins an event is an occurrence of the schedule, and due again when it was an error`()
        throws
    {
        let event = StudyEventOID(TestStudy.adverseEvent)
        let plan = TrialPlan(
            studyOID: "TINY", mode: .test, coordinatingNodes: [], studySites: [], recruitment: nil, statusRules: [],
            visitRules: [
                VisitRule(
                    event: event, anchor: .status(.included), dueAfterDays: 1, daysAfter: 1,
                    repetition: VisitRepetition(everyDays: 1, occurrences: 3, dateItem: TestStudy.term))
            ],
            questionnaires: [
                QuestionnairePlan(
                    canonical: try #require(QuestionnaireCanonical("urn:diary")),
                    form: FormOID(TestStudy.adverseEventForm), events: [event], respondent: .patient)
            ])
        try world.send(
            .status(
                location: .haukeland, participant: .registration(participant), status: .included,
                eventDate: "2026-03-27", replaces: []), by: .bergenNurse)
        func outcomes() throws -> [ScheduledVisit.Outcome] {
            QuestionnaireSchedule.questionnaires(
                of: try record(.haukeland), plan: plan, definition: TestStudy.definition
            ).map(\.visit.outcome)
        }
        #expect(try outcomes() == [.open, .open, .open])
        try world.respond(answer("q-1", term: "2026-03-29"))
        #expect(try outcomes() == [.open, .done, .open])
        var error = answer("q-1", .enteredInError, term: "")
        error.groups = []
        try world.respond(error)
        #expect(try outcomes() == [.open, .open, .open])
        #expect(
            VisitSchedule.due(
                for: try record(.haukeland), plan: plan, definition: TestStudy.definition,
                asOf: try #require(CalendarDate("2026-03-29"))
            ).map(\.state) == [.due, .due, .notYetDue])
    }

    @Test func `an answer tells its day by when it was authored, where no item does`() throws {
        let baseline = StudyEventOID(TestStudy.baseline)
        let plan = TrialPlan(
            studyOID: "TINY", mode: .test, coordinatingNodes: [], studySites: [], recruitment: nil, statusRules: [],
            questionnaires: [
                QuestionnairePlan(
                    canonical: try #require(QuestionnaireCanonical("urn:diary")), form: FormOID(TestStudy.diaryForm),
                    events: [baseline], respondent: .patient)
            ])
        try world.respond(world.diary(of: participant, pain: "3"))
        let answers = QuestionnaireSchedule.unscheduledAnswers(
            to: plan.questionnaires[0], of: try record(.haukeland), plan: plan, definition: TestStudy.definition)
        #expect(answers.map(\.day?.description) == ["2025-03-02"])
    }

    @Test func `only an event that repeats is begun by an answer, and only with its own form`() throws {
        var once = world.diary(of: participant, pain: "3")
        once.event.choice = .new(repeatKey: nil)
        #expect(throws: Refusal.unknownInstance(oid: TestStudy.baseline)) { try world.respond(once) }
        var other = answer("q-1", term: "x")
        other.form = FormOID(TestStudy.diaryForm)
        #expect(throws: Refusal.unknownOID(TestStudy.diaryForm)) { try world.respond(other) }
    }

    @Test func `versions in several forms are one conflict that empties them all, until the client sends one`() throws {
        let about = { (form: String, group: String, item: ItemOID, status: ResponseStatus) in
            world.answer(
                of: participant, form, "q-1", status,
                [
                    EnteredGroup(
                        group: InstanceSelector(oid: group),
                        items: [EnteredItem(item: item, value: .datum("4", unit: nil))])
                ], document: "\(form) \(status.rawValue)")
        }
        let sent = [
            try world.respond(about(TestStudy.diaryForm, TestStudy.diary, TestStudy.pain, .completed)),
            try world.respond(
                about(TestStudy.vitalsForm, TestStudy.vitals, TestStudy.pulse, .completed), to: .stavanger),
        ]
        var digests: Set<[Hash]> = []
        let before = world.entries.filter { entry in !sent.contains { $0.id == entry.id } }
        for order in [sent, sent.reversed()] {
            var folding = Folding(study: world.study, charterVersions: 2)
            try folding.take(before + order)
            #expect(folding.difference(from: before + order) == nil)
            digests.insert(folding.digests().map(\.digest))
        }
        #expect(digests.count == 1)
        try world.spread()
        let open = try record().openConflicts
        #expect(open.list.map(\.kind) == [.answer])
        #expect(open.list.first?.sides.count == 2)
        let forms = try [TestStudy.diaryForm, TestStudy.vitalsForm].map { form in
            try #require(
                record().responses.values.first?.versions.values.first { version in
                    try record().instances[version.form]?.shape.oid == form
                }
            ).form
        }
        for (form, items) in zip(forms, [[TestStudy.pain], [TestStudy.pulse]]) {
            let group = try #require(record().instances.first { $0.value.shape.parent == form })
            #expect(open.touch(form: form))
            for item in items { #expect(open.cover(item, of: group.key)) }
        }
        // Where one of the forms is removed, the conflict is told by the other.
        let lowest = try #require(open.list.first?.instance)
        let oid = try #require(record().instances[lowest]).shape.oid
        try world.send(.remove(world.removal(of: participant, oid, at: .haukeland)), by: .bergenNurse)
        try world.spread()
        let left = try record().openConflicts.list.filter { $0.kind == .answer }
        #expect(left.map(\.instance) == forms.filter { $0 != lowest })

        try world.respond(about(TestStudy.diaryForm, TestStudy.diary, TestStudy.pain, .amended))
        try world.spread()
        #expect(try record().openConflicts.list.filter { $0.kind != .removal }.isEmpty)
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries)
        #expect(folding.difference(from: world.entries) == nil)
    }
}
