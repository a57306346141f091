import EventLog
import Testing
import Trial

/// When visits and questionnaires are due, and which stand (Protocols/trial-plan.md).
struct VisitScheduleTests {
    private let world: TrialTestWorld
    private let participant: EntryID

    init() throws {
        world = try TrialTestWorld.open(seed: 21)
        participant = try world.register().id
    }

    // MARK: Preparation

    private static func plan(
        _ rules: [VisitRule], diaryIn events: [StudyEventOID] = []
    ) throws -> TrialPlan {
        var questionnaires: [QuestionnairePlan] = []
        if !events.isEmpty {
            questionnaires.append(
                QuestionnairePlan(
                    canonical: try #require(QuestionnaireCanonical("urn:diary")), form: FormOID(TestStudy.diaryForm),
                    events: events, respondent: .patient))
        }
        return TrialPlan(
            studyOID: "TINY", mode: .test, coordinatingNodes: [], studySites: [], recruitment: nil, statusRules: [],
            visitRules: rules, questionnaires: questionnaires)
    }

    private static let baseline = VisitRule(
        event: StudyEventOID(TestStudy.baseline), anchor: .status(.included), dueAfterDays: 7, daysBefore: 2,
        daysAfter: 3)

    /// Adverse events as something that is due every week; the term holds the day.
    private static let weekly = VisitRule(
        event: StudyEventOID(TestStudy.adverseEvent), anchor: .status(.included), dueAfterDays: 7, daysBefore: 1,
        daysAfter: 2, repetition: VisitRepetition(everyDays: 7, occurrences: 3, dateItem: TestStudy.term))

    private func status(_ status: ParticipantStatus, _ date: String, replaces: [EntryID] = []) throws -> EntryID {
        try world.send(
            .status(
                location: .haukeland, participant: .registration(participant), status: status, eventDate: date,
                replaces: replaces), by: .bergenNurse
        ).id
    }

    private func record() throws -> ParticipantState { try #require(world.record(participant, at: .haukeland)) }

    private func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

    private func states(_ plan: TrialPlan, _ day: String) throws -> [VisitState] {
        VisitSchedule.due(
            for: try record(), plan: plan, definition: TestStudy.definition, asOf: try date(day)
        ).map(\.state)
    }

    private func questionnaires(_ plan: TrialPlan) throws -> [QuestionnaireDue] {
        QuestionnaireSchedule.questionnaires(of: try record(), plan: plan, definition: TestStudy.definition)
    }

    /// Answers the diary of the baseline visit, on a day.
    private func answerDiary(occurred: String?) throws {
        var provenance = Provenance(source: .patient)
        provenance.occurred = occurred
        let entry = FormEntry(
            location: .haukeland, participant: .registration(participant),
            event: InstanceSelector(oid: TestStudy.baseline), form: InstanceSelector(oid: TestStudy.diaryForm),
            groups: [
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.diary),
                    items: [EnteredItem(item: TestStudy.pain, value: .datum("3", unit: nil))])
            ])
        try world.send(
            Command(
                id: CommandID(using: &world.generator),
                sender: Sender(actor: Person.bergenNurse.actor, role: Person.bergenNurse.role), study: world.study,
                provenance: provenance, request: .save(entry)), to: .haukeland)
    }

    // MARK: Visits

    @Test func `a visit is not yet due, due, overdue as its window comes and goes`() throws {
        let plan = try VisitScheduleTests.plan([VisitScheduleTests.baseline])
        #expect(try states(plan, "2026-12-31") == [.notYetDue])
        _ = try status(.included, "2026-03-22T23:30:00+01:00")
        // Due on the day on which summer time begins.
        let visit = try #require(
            VisitSchedule.visits(of: try record(), plan: plan, definition: TestStudy.definition).first)
        #expect(visit.due?.description == "2026-03-29")
        #expect(visit.window?.lowerBound.description == "2026-03-27")
        #expect(visit.window?.upperBound.description == "2026-04-01")
        for (day, state) in [
            ("2026-03-26", VisitState.notYetDue), ("2026-03-27", .due), ("2026-03-29", .due), ("2026-04-01", .due),
            ("2026-04-02", .overdue),
        ] { #expect(try states(plan, day) == [state], "\(day)") }
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        #expect(try states(plan, "2026-04-02") == [.done])
        #expect(try states(plan, "2026-03-01") == [.done])
    }

    @Test func `a form that was removed does not make a visit done`() throws {
        let plan = try VisitScheduleTests.plan([VisitScheduleTests.baseline])
        _ = try status(.included, "2026-03-01")
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let form = try #require(try record().instances(of: TestStudy.vitalsForm).keys.first)
        try world.send(
            .remove(
                RemovalTarget(
                    location: .haukeland, participant: .registration(participant), instance: form, reason: "wrong")),
            by: .bergenNurse)
        #expect(try states(plan, "2026-06-01") == [.overdue])
    }

    @Test func `an answer to a questionnaire is not the visit`() throws {
        let plan = try VisitScheduleTests.plan(
            [VisitScheduleTests.baseline], diaryIn: [StudyEventOID(TestStudy.baseline)])
        _ = try status(.included, "2026-03-01")
        try answerDiary(occurred: "2026-03-08")
        #expect(try states(plan, "2026-06-01") == [.overdue])
        #expect(try questionnaires(plan).map(\.visit.outcome) == [.done])
        // Without a questionnaire the diary is a form like others.
        #expect(try states(try VisitScheduleTests.plan([VisitScheduleTests.baseline]), "2026-06-01") == [.done])
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        #expect(try states(plan, "2026-06-01") == [.done])
    }

    @Test func `the earliest status record that stands and has a full day is the anchor`() throws {
        let rule = VisitScheduleTests.baseline
        let partial = try status(.included, "2026-03")
        #expect(VisitSchedule.anchorDate(of: rule, for: try record()) == nil)
        let late = try status(.included, "2026-03-20", replaces: [partial])
        _ = try status(.included, "2026-03-10")
        #expect(VisitSchedule.anchorDate(of: rule, for: try record())?.description == "2026-03-10")
        let earliest = try #require(try record().statuses.first { $0.value.eventDate == "2026-03-10" }).key
        _ = try status(.included, "2026-04-01", replaces: [earliest])
        #expect(VisitSchedule.anchorDate(of: rule, for: try record())?.description == "2026-03-20")
        _ = late
    }

    @Test func `an item's day may be the anchor, and gives none while it is in conflict`() throws {
        let rule = VisitRule(
            event: StudyEventOID(TestStudy.adverseEvent),
            anchor: .event(StudyEventOID(TestStudy.baseline), dateItem: TestStudy.visitDate), dueAfterDays: 1)
        #expect(VisitSchedule.anchorDate(of: rule, for: try record()) == nil)
        try world.saveVitals(participant, [(TestStudy.visitDate, "2026-10-24")], by: .bergenNurse)
        let plan = try VisitScheduleTests.plan([rule])
        let visits = VisitSchedule.visits(of: try record(), plan: plan, definition: TestStudy.definition)
        #expect(visits.map(\.due?.description) == ["2026-10-25"])
        // Another nurse, who has not heard of it, writes another day.
        try world.deliver(world.entries.filter { $0.id == participant }, to: .stavanger)
        try world.saveVitals(participant, [(TestStudy.visitDate, "2026-10-20")], by: .stavangerNurse, seen: [])
        try world.spread()
        #expect(VisitSchedule.anchorDate(of: rule, for: try record()) == nil)
    }

    @Test func `who is a screen failure or left in time does not have to come`() throws {
        let plan = try VisitScheduleTests.plan(
            [VisitScheduleTests.baseline], diaryIn: [StudyEventOID(TestStudy.baseline)])
        _ = try status(.included, "2026-03-01")
        // The window ends on 2026-03-11.
        let after = try status(.withdrawn, "2026-03-12")
        #expect(try states(plan, "2026-06-01") == [.overdue])
        let inTime = try status(.withdrawn, "2026-03-11", replaces: [after])
        #expect(try states(plan, "2026-06-01") == [.notApplicable(.withdrawn)])
        // A part of a date counts as the earliest day it may mean.
        let month = try status(.withdrawn, "2026-04", replaces: [inTime])
        #expect(try states(plan, "2026-06-01") == [.overdue])
        let again = try status(.withdrawn, "2026-03", replaces: [month])
        #expect(try states(plan, "2026-06-01") == [.notApplicable(.withdrawn)])
        _ = try status(.withdrawn, "2026-05-01", replaces: [again])
        _ = try status(.contactDiscontinued, "2026-03-02")
        #expect(try states(plan, "2026-06-01") == [.overdue])
        #expect(try questionnaires(plan).map(\.visit.outcome) == [.notApplicable(.contactDiscontinued)])
        let stopped = try status(.followUpDiscontinued, "2026-03-02")
        #expect(try states(plan, "2026-06-01") == [.notApplicable(.followUpDiscontinued)])
        _ = try status(.followUpDiscontinued, "2026-05-02", replaces: [stopped])
        _ = try status(.screenFailure, "2026-05-02")
        #expect(try states(plan, "2026-06-01") == [.notApplicable(.screenFailure)])
        // What was entered was entered.
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        #expect(try states(plan, "2026-06-01") == [.done])
    }

    @Test func `a participant who was removed has nothing to come to`() throws {
        let plan = try VisitScheduleTests.plan([VisitScheduleTests.baseline])
        try world.send(
            .remove(
                RemovalTarget(
                    location: .haukeland, participant: .registration(participant), instance: nil, reason: "twice")),
            by: .bergenNurse)
        #expect(try states(plan, "2026-06-01") == [.notApplicable(.removed)])
    }

    @Test func `a repeating event is the occurrence that its day says, whatever its repeat key`() throws {
        let plan = try VisitScheduleTests.plan([VisitScheduleTests.weekly])
        _ = try status(.included, "2026-03-22")
        for (key, day) in [("7", "2026-04-07"), ("1", "2026-03-29"), ("2", "2026-03-28"), ("3", "2026-05-30")] {
            try world.send(
                world.adverseEvent(of: .registration(participant), .new(repeatKey: key), term: day), by: .bergenNurse)
        }
        let visits = VisitSchedule.visits(of: try record(), plan: plan, definition: TestStudy.definition)
        #expect(visits.map(\.due?.description) == ["2026-03-29", "2026-04-05", "2026-04-12"])
        #expect(visits.map(\.instances.count) == [2, 1, 0])
        #expect(visits.map { $0.state(asOf: CalendarDate(dayNumber: 30_000)) } == [.done, .done, .overdue])
    }

    // MARK: Questionnaires

    @Test func `an answer is told to be inside or outside its window`() throws {
        let plan = try VisitScheduleTests.plan(
            [VisitScheduleTests.baseline], diaryIn: [StudyEventOID(TestStudy.baseline)])
        _ = try status(.included, "2026-03-01")
        var due = try #require(try questionnaires(plan).first)
        #expect(due.answers.isEmpty && due.isAnsweredInWindow == nil)
        #expect(due.state(asOf: try date("2026-03-08")) == .due)
        #expect(due.questionnaire.description == "urn:diary")
        try answerDiary(occurred: "2026-03-11T22:00:00+01:00")
        due = try #require(try questionnaires(plan).first)
        #expect(due.answers.map(\.day?.description) == ["2026-03-11"])
        #expect(due.isAnsweredInWindow == true)
        #expect(due.state(asOf: try date("2026-03-08")) == .done)
        let earlier = try VisitScheduleTests.plan(
            [
                VisitRule(
                    event: StudyEventOID(TestStudy.baseline), anchor: .status(.included), dueAfterDays: 7, daysAfter: 2)
            ], diaryIn: [StudyEventOID(TestStudy.baseline)])
        #expect(try questionnaires(earlier).first?.isAnsweredInWindow == false)
    }

    @Test func `an answer that belongs to nothing scheduled is listed apart`() throws {
        let plan = try VisitScheduleTests.plan([], diaryIn: [StudyEventOID(TestStudy.baseline)])
        try answerDiary(occurred: nil)
        #expect(try questionnaires(plan).isEmpty)
        let answers = QuestionnaireSchedule.unscheduledAnswers(
            to: plan.questionnaires[0], of: try record(), plan: plan, definition: TestStudy.definition)
        // Without a date stated, the node's clock tells the day.
        #expect(answers.map(\.day?.description) == ["1970-01-01"])
        let scheduled = try VisitScheduleTests.plan(
            [VisitScheduleTests.baseline], diaryIn: [StudyEventOID(TestStudy.baseline)])
        #expect(
            QuestionnaireSchedule.unscheduledAnswers(
                to: plan.questionnaires[0], of: try record(), plan: scheduled, definition: TestStudy.definition
            ).isEmpty)
    }

    @Test func `the event of a response is the one whose window holds its day, else the nearest`() throws {
        var definition = TestStudy.definition
        let events: [StudyEventOID] = ["SE.A", "SE.B", "SE.C"]
        definition.events = OIDTable(
            events.map { StudyEventDefinition(oid: $0, name: $0.text, isRepeating: false, type: .scheduled) })
        func rule(_ event: StudyEventOID, _ day: Int, _ before: Int, _ after: Int) -> VisitRule {
            VisitRule(
                event: event, anchor: .status(.included), dueAfterDays: day, daysBefore: before, daysAfter: after)
        }
        let plan = try VisitScheduleTests.plan(
            [rule("SE.A", 10, 2, 8), rule("SE.B", 20, 1, 2), rule("SE.C", 40, 0, 0)], diaryIn: events)
        func event(_ day: Int) throws -> String {
            let date = try date("2026-03-15").adding(days: day)
            guard
                case .event(let selector) = QuestionnaireSchedule.event(
                    for: plan.questionnaires[0], day: date, participant: try record(), plan: plan,
                    definition: definition)
            else { return "-" }
            #expect(selector.choice == .once)
            return selector.oid
        }
        #expect(try event(10) == "-")
        _ = try status(.included, "2026-03-15")
        // 16 to 18 are nearer to B, and in the window of A alone; 24 to 39 are in none, and 30 as near to B as to C.
        let expected = [
            (-100, "SE.A"), (10, "SE.A"), (14, "SE.A"), (15, "SE.A"), (16, "SE.A"), (18, "SE.A"), (19, "SE.B"),
            (22, "SE.B"), (29, "SE.B"), (30, "SE.B"), (31, "SE.C"), (40, "SE.C"), (400, "SE.C"),
        ]
        for (day, wanted) in expected { #expect(try event(day) == wanted, "day \(day)") }
    }

    @Test func `a questionnaire of one event stands in it, and begins it anew where it repeats`() throws {
        func event(_ oid: String) throws -> ResponseEvent {
            let plan = try VisitScheduleTests.plan([], diaryIn: [StudyEventOID(oid)])
            return QuestionnaireSchedule.event(
                for: plan.questionnaires[0], day: try date("2026-03-15"), participant: try record(), plan: plan,
                definition: TestStudy.definition)
        }
        #expect(try event(TestStudy.baseline) == .event(InstanceSelector(oid: TestStudy.baseline)))
        #expect(
            try event(TestStudy.adverseEvent)
                == .event(InstanceSelector(oid: TestStudy.adverseEvent, choice: .new(repeatKey: nil))))
    }

    @Test func `the day of a response is the one it was asked about, else the day it was authored`() throws {
        let event = StudyEventOID(TestStudy.adverseEvent)
        let plan = try VisitScheduleTests.plan([VisitScheduleTests.weekly], diaryIn: [event])
        let authored = try date("2026-10-25")
        func day(_ value: EnteredValue?) -> String {
            let items = value.map { [EnteredItem(item: TestStudy.term, value: $0)] } ?? []
            return QuestionnaireSchedule.day(
                of: plan.questionnaires[0],
                answers: [EnteredGroup(group: InstanceSelector(oid: "IG"), items: items)], authored: authored,
                plan: plan
            ).description
        }
        #expect(day(.datum("2026-10-24", unit: nil)) == "2026-10-24")
        #expect(day(.datum("2026-10", unit: nil)) == "2026-10-25")
        #expect(day(.missing(reason: "UNKNOWN")) == "2026-10-25")
        #expect(day(nil) == "2026-10-25")
    }

    @Test func `a form begun wrongly neither is a visit nor says when one is due, and an undecided one says nothing`()
        throws
    {
        let rule = VisitRule(
            event: StudyEventOID(TestStudy.adverseEvent),
            anchor: .event(StudyEventOID(TestStudy.baseline), dateItem: TestStudy.visitDate), dueAfterDays: 7,
            daysAfter: 2)
        try world.spread()
        let dates = ["2025-03-01", "2025-01-01"]
        let begun = try zip(dates, [Person.bergenNurse, .stavangerNurse]).map { date, nurse in
            try world.saveVitals(participant, [(TestStudy.visitDate, date)], by: nurse)
        }
        try world.spread()
        #expect(VisitSchedule.anchorDate(of: rule, for: try record()) == nil)
        let conflict = try #require(world.open(participant, at: .haukeland).first)
        let beginnings = conflict.sides.compactMap { side -> Beginning? in
            if case .beginning(let beginning) = side.name { beginning } else { nil }
        }
        func decide(_ wrong: [Beginning]) throws {
            try world.send(
                .decideInstances(
                    InstanceDecisionEntry(
                        location: .haukeland, participant: .registration(participant),
                        form: try #require(conflict.instance), beginnings: beginnings, choice: .wrong(wrong),
                        reason: "feil pasient")), by: .bergenNurse)
        }
        for (date, entry) in zip(dates, begun) {
            try decide(beginnings.filter { $0.entry != entry.id })
            #expect(VisitSchedule.anchorDate(of: rule, for: try record()) == CalendarDate(date))
            #expect(try states(try Self.plan([Self.baseline]), "2025-06-01") == [.done])
        }
        try decide(beginnings)
        #expect(VisitSchedule.anchorDate(of: rule, for: try record()) == nil)
        #expect(try states(try Self.plan([Self.baseline]), "2025-06-01") == [.notYetDue])
    }
}
