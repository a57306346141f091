import Interchange
import Testing
import Trial

struct PlanTests {
    static let plan = """
        study: S/1 a
        mode: training
        coordinating: [norcrin]
        studySites:
          - {id: west, name: "West: both", regional: true, locations: [a, b], target: 10}
          - id: east
            name: East
            locations: ["701"]
        recruitment: {start: 2026-01-01, end: 2026-12-31, target: 12}
        status:
          screened: {when: event, event: SE.ONE, dateItem: IT.WHEN}
          screenFailure: {when: item, item: IT.SEX, equals: F}
        """

    private func read(_ text: String) -> (TrialPlan?, ImportReport) {
        TrialPlanReader.read(bytes: [UInt8](text.utf8), fileName: "plan.yaml")
    }

    @Test func `a plan that is right is read whole`() throws {
        let (found, report) = read(PlanTests.plan)
        let plan = try #require(found, "\(report.text())")
        #expect(report.problems.isEmpty)
        #expect(plan.studyOID == "S/1 a")
        #expect(plan.mode == .training)
        #expect(plan.coordinatingNodes.map { "\($0)" } == ["norcrin"])
        #expect(plan.studySites.map { "\($0.id)" } == ["west", "east"])
        #expect(plan.studySites[0].isRegional)
        #expect(plan.studySites[0].name == "West: both")
        #expect(plan.studySites[1].locations.map { "\($0)" } == ["701"])
        #expect(plan.studySites[1].target == nil)
        #expect(plan.recruitment?.start.description == "2026-01-01")
        #expect(plan.recruitment?.target == 12)
        #expect(plan.statusRules.map(\.status) == [.screened, .screenFailure])
        #expect(plan.statusRules[0].dateItem == "IT.WHEN")
        #expect(plan.statusRules[1].condition == .item("IT.SEX", equals: "F"))
    }

    static let faults = [
        Fault(
            "unknown key", "mode: training", "mode: training\ncolour: red", .unknownKey, at: "colour", names: "colour"),
        Fault("no study", "study: S/1 a\n", "", .missingAttribute, at: nil, names: "study"),
        Fault("unknown mode", "training", "play", .invalidAttribute, at: "play", names: "mode"),
        Fault("key twice", "mode: training", "mode: training\nmode: test", .notWellFormed, at: nil, names: "mode"),
        Fault("bad id", "id: east", "id: East!", .invalidAttribute, at: "East!", names: "studySites"),
        Fault("site twice", "id: east", "id: west", .duplicateKey, at: "id: west\n", names: "west"),
        Fault("location twice", "\"701\"", "a", .duplicateKey, at: nil, names: "location a"),
        Fault("no locations", "    locations: [\"701\"]\n", "", .missingAttribute, at: "id: east", names: "locations"),
        Fault("empty locations", "[\"701\"]", "[]", .missingElement, at: "locations: []", names: "studySites"),
        Fault("bad number", "target: 10", "target: ten", .wrongType, at: "ten", names: "ten"),
        Fault("bad truth", "regional: true", "regional: yes", .wrongType, at: "regional", names: "yes"),
        Fault("bad date", "2026-12-31", "2026-31-12", .wrongType, at: "2026-31-12", names: "recruitment"),
        Fault(
            "end before start", "end: 2026-12-31", "end: 2025-12-31", .contradiction, at: "recruitment",
            names: "recruitment"),
        Fault("unknown status", "screenFailure:", "failed:", .unknownKey, at: "failed", names: "failed"),
        Fault("bad when", "when: item", "when: always", .invalidAttribute, at: "always", names: "screenFailure"),
        Fault("item without value", ", equals: F", "", .missingAttribute, at: "screenFailure", names: "equals"),
        Fault(
            "event with value", "event: SE.ONE", "event: SE.ONE, equals: F", .unknownKey, at: "SE.ONE", names: "equals"),
        Fault("list for text", "study: S/1 a", "study: [a]", .invalidAttribute, at: "study:", names: "study"),
        Fault(
            "text for list", "coordinating: [norcrin]", "coordinating: norcrin", .invalidAttribute, at: "coordinating",
            names: "coordinating"),
        Fault("no YAML", "mode: training", "mode: [training", .notWellFormed, at: nil, names: "YAML"),
    ]

    @Test(arguments: faults) func `a bad plan is refused with line and key`(fault: Fault) throws {
        let text = fault.applied(to: PlanTests.plan)
        let (plan, report) = read(text)
        #expect(plan == nil)
        let found = try #require(report.problems.first { $0.kind == fault.kind }, "\(report.text())")
        if fault.lineOf != nil, let line = fault.line(in: text) { #expect(found.line == line, "\(report.text())") }
        #expect(found.words.contains(fault.names), "\(found.words)")
    }

    @Test func `an empty plan and one that is no mapping are refused`() {
        #expect(read("").0 == nil)
        #expect(read("").1.hasErrors)
        #expect(read("- a\n- b").1.problems.map(\.kind) == [.invalidAttribute])
        #expect(TrialPlanReader.read(bytes: [0xFF, 0xFE], fileName: "p").1.problems.map(\.kind) == [.notWellFormed])
    }

    @Test func `a plan is checked against study and division`() throws {
        let study = try SmallStudy.definition()
        let good = try #require(read(PlanTests.plan).0)
        let csv = "site,node,hospital,region\na,n,A,R\nb,n,B,R\n701,m,C,R\n"
        let division = try #require(SiteDivisionReader.read(bytes: [UInt8](csv.utf8), fileName: "s").0)
        let report = TrialPlanCheck.check(good, fileName: "p", definition: study, division: division)
        #expect(report.problems.isEmpty, "\(report.text())")
        let text = PlanTests.plan.replacing("SE.ONE", with: "SE.X").replacing("equals: F", with: "equals: Q")
            .replacing("IT.WHEN", with: "IT.AGE").replacing("[a, b]", with: "[a, c]")
        let bad = try #require(read(text).0)
        let found = TrialPlanCheck.check(bad, fileName: "p", definition: study, division: division)
        #expect(
            Set(found.problems.map(\.kind)) == [.wrongType, .unknownOID, .outsideCodeList, .contradiction],
            "\(found.text())")
        #expect(found.errorCount == 4)
    }

    @Test func `statuses follow from saved forms, each once, with their day`() throws {
        let plan = try #require(read(PlanTests.plan).0)
        func implied(_ event: StudyEventOID, _ values: [ItemOID: [String]]) -> [ImpliedStatus] {
            plan.impliedStatuses(event: event) { values[$0] ?? [] }
        }
        #expect(implied("SE.AE", [:]).isEmpty)
        #expect(implied("SE.ONE", [:]) == [ImpliedStatus(status: .screened, date: nil)])
        #expect(implied("SE.ONE", ["IT.WHEN": ["2026-02"]]) == [ImpliedStatus(status: .screened, date: "2026-02")])
        #expect(implied("SE.AE", ["IT.SEX": ["M", "F"]]) == [ImpliedStatus(status: .screenFailure, date: nil)])
        let form = ODMFormData(
            form: "F.DM", auditRecord: ODMAuditRecord(user: "U", location: "L", dateTimeStamp: "2026-03-04T10:00:00Z"),
            groups: [ODMItemGroupData(group: "IG.DM", items: [ODMItemData(item: "IT.SEX", value: "F")])], position: 0)
        #expect(
            plan.impliedStatuses(of: form, event: "SE.ONE") == [
                ImpliedStatus(status: .screened, date: "2026-03-04"),
                ImpliedStatus(status: .screenFailure, date: "2026-03-04"),
            ])
    }
}

struct PlanScheduleTests {
    static let plan =
        PlanTests.plan + """

            visits:
              - {event: SE.ONE, after: included, dueAfterDays: 42, daysBefore: 3, daysAfter: 5}
            subjectIdentifierSystem: urn:example:participant
            questionnaires:
              - questionnaire: http://example.org/q|1
                form: F.PRO
                events: [SE.ONE]
                answeredBy: patient
                items:
                  "1.1": IT.WHEN
                  note: {item: IT.NOTE, group: IG.ROW}
                  rows: {group: IG.ROW}
                headings: [intro]
            """

    private func read(_ text: String) -> (TrialPlan?, ImportReport) {
        TrialPlanReader.read(bytes: [UInt8](text.utf8), fileName: "plan.yaml")
    }

    @Test func `visits and questionnaires are read whole`() throws {
        let (found, report) = read(PlanScheduleTests.plan)
        let plan = try #require(found, "\(report.text())")
        #expect(
            plan.visitRules == [
                VisitRule(
                    event: "SE.ONE", anchor: .status(.included), dueAfterDays: 42, daysBefore: 3, daysAfter: 5)
            ])
        #expect(plan.subjectIdentifierSystem == "urn:example:participant")
        let questionnaire = try #require(plan.questionnaires.first)
        #expect(questionnaire.canonical.url == "http://example.org/q")
        #expect(questionnaire.canonical.version == "1")
        #expect(questionnaire.events == ["SE.ONE"])
        #expect(questionnaire.respondent == .patient)
        let definition = try TestFHIR.definition()
        #expect(
            questionnaire.links(in: definition) == [
                "1.1": .item("IT.WHEN", group: "IG.ROW", codeSystem: nil),
                "note": .item("IT.NOTE", group: "IG.ROW", codeSystem: nil), "rows": .group("IG.ROW"), "intro": .heading,
            ])
        #expect(TrialPlanCheck.check(plan, fileName: "p", definition: definition, division: nil).problems.isEmpty)
        let diary = PlanScheduleTests.plan.replacing(
            "after: included, dueAfterDays: 42",
            with:
                "after: {event: SE.TWO, dateItem: IT.X}, dueAfterDays: -2, everyDays: 7, occurrences: 3, dateItem: IT.D"
        )
        #expect(
            read(diary).0?.visitRules == [
                VisitRule(
                    event: "SE.ONE", anchor: .event("SE.TWO", dateItem: "IT.X"), dueAfterDays: -2, daysBefore: 3,
                    daysAfter: 5, repetition: VisitRepetition(everyDays: 7, occurrences: 3, dateItem: "IT.D"))
            ])
    }

    static let faults = [
        Fault("bad status", "after: included", "after: soon", .invalidAttribute, at: "soon", names: "visits"),
        Fault("no anchor", "after: included, ", "", .missingAttribute, at: "SE.ONE, dueA", names: "after"),
        Fault(
            "no date item", "after: included", "after: {event: SE.TWO}", .missingAttribute, at: "SE.TWO",
            names: "dateItem"),
        Fault("too far", "dueAfterDays: 42", "dueAfterDays: 99999", .wrongType, at: "99999", names: "36525"),
        Fault("negative width", "daysBefore: 3", "daysBefore: -1", .wrongType, at: "daysBefore: -1", names: "from 0"),
        Fault(
            "half a repetition", "daysAfter: 5", "everyDays: 1", .missingAttribute, at: "everyDays",
            names: "occurrences"),
        Fault(
            "too often", "daysAfter: 5", "everyDays: 1, occurrences: 1001, dateItem: IT.D", .wrongType, at: "1001",
            names: "1000"),
        Fault(
            "event twice", "visits:\n", "visits:\n  - {event: SE.ONE, after: included, dueAfterDays: 1}\n",
            .duplicateKey,
            at: "dueAfterDays: 42", names: "SE.ONE"),
        Fault("no canonical", "http://example.org/q|1", "\"a b\"", .wrongType, at: "a b", names: "canonical"),
        Fault("empty version", "q|1", "q|", .wrongType, at: "q|", names: "canonical"),
        Fault(
            "nobody answers", "answeredBy: patient", "answeredBy: cat", .invalidAttribute, at: "answeredBy: cat",
            names: "questionnaires"),
        Fault("no events", "events: [SE.ONE]", "events: []", .missingElement, at: "events: []", names: "no event"),
        Fault(
            "event again", "events: [SE.ONE]", "events: [SE.ONE, SE.ONE]", .duplicateKey, at: "SE.ONE, SE.ONE",
            names: "twice"),
        Fault("both", "headings: [intro]", "headings: [note]", .contradiction, at: "headings", names: "note"),
        Fault("no item", "{group: IG.ROW}", "{codeSystem: urn:x}", .missingAttribute, at: "urn:x", names: "rows"),
        Fault("unknown key", "{group: IG.ROW}", "{grp: IG.ROW}", .unknownKey, at: "grp", names: "grp"),
    ]

    @Test(arguments: faults) func `a bad schedule or questionnaire is refused with line and key`(fault: Fault) throws {
        let text = fault.applied(to: PlanScheduleTests.plan)
        let (plan, report) = read(text)
        #expect(plan == nil)
        let found = try #require(report.problems.first { $0.kind == fault.kind }, "\(report.text())")
        if fault.lineOf != nil, let line = fault.line(in: text) { #expect(found.line == line, "\(report.text())") }
        #expect(found.words.contains(fault.names), "\(found.words)")
    }

    /// What replaces what in the plan, and what the check then finds.
    static let contradictions: [(old: String, new: String, kind: ImportProblemKind)] = [
        ("- {event: SE.ONE, after", "- {event: SE.X, after", .unknownOID),
        ("- {event: SE.ONE, after", "- {event: SE.AE, after", .contradiction),
        ("daysAfter: 5", "everyDays: 1, occurrences: 2, dateItem: IT.WHEN", .contradiction),
        ("after: included", "after: {event: SE.ONE, dateItem: IT.WHEN}", .contradiction),
        ("after: included", "after: {event: SE.X, dateItem: IT.WHEN}", .unknownOID),
        ("after: included", "after: {event: SE.AE, dateItem: IT.AGE}", .misplacedOID),
        ("after: included", "after: {event: SE.AE, dateItem: IT.NOTE}", .wrongType),
        ("form: F.PRO", "form: F.X", .unknownOID), ("events: [SE.ONE]", "events: [SE.AE]", .misplacedOID),
        ("events: [SE.ONE]", "events: [SE.X]", .unknownOID),
        ("events: [SE.ONE]", "events: [SE.ONE, SE.AE]", .missingElement),
        ("\"1.1\": IT.WHEN", "\"1.1\": IT.X", .unknownOID), ("\"1.1\": IT.WHEN", "\"1.1\": IT.AGE", .misplacedOID),
        ("\"1.1\": IT.WHEN", "\"1.1\": IT.NOTE", .duplicateKey),
        ("group: IG.ROW}\n      rows", "group: IG.DM}\n      rows", .misplacedOID),
        ("group: IG.ROW}\n      rows", "group: IG.ROW, codeSystem: urn:x}\n      rows", .contradiction),
    ]

    @Test(arguments: contradictions.indices)
    func `a schedule or questionnaire that does not fit the study is an error`(index: Int) throws {
        let (old, new, kind) = PlanScheduleTests.contradictions[index]
        #expect(PlanScheduleTests.plan.contains(old), "\(old)")
        let (found, report) = read(PlanScheduleTests.plan.replacing(old, with: new))
        let plan = try #require(found, "\(report.text())")
        let check = TrialPlanCheck.check(plan, fileName: "p", definition: try TestFHIR.definition(), division: nil)
        #expect(check.problems.contains { $0.severity == .error && $0.kind == kind }, "\(new): \(check.text())")
    }

    @Test func `an item that may not leave the node cannot be asked for, and a form that is not whole is warned of`()
        throws
    {
        let plan = try #require(read(PlanScheduleTests.plan).0)
        // In this definition the note is restricted.
        let check = TrialPlanCheck.check(plan, fileName: "p", definition: try SmallStudy.definition(), division: nil)
        #expect(check.problems.map(\.kind) == [.contradiction])
        #expect(check.problems[0].words.contains("restricted:unblinding"))
        let other = try TestFHIR.trialPlan()
        let warned = TrialPlanCheck.check(other, fileName: "p", definition: try TestFHIR.definition(), division: nil)
        #expect(warned.problems.map(\.severity) == [.warning])
        #expect(warned.problems[0].words.contains("whole"))
    }

    @Test(arguments: [
        ("a", "a", nil), ("a|1", "a", "1"), ("http://x/y|2.0", "http://x/y", "2.0"),
    ]) func `a canonical is a URL with or without version`(text: String, url: String, version: String?) {
        let canonical = QuestionnaireCanonical(text)
        #expect(canonical?.url == url && canonical?.version == version)
        #expect(canonical?.description == text)
        for bad in ["", "|1", "a|", "a|1|2", "a b", "a|b c"] { #expect(QuestionnaireCanonical(bad) == nil) }
    }
}

struct CSVTests {
    private func fields(_ text: String) -> [[String]] {
        CSVReader.records(bytes: [UInt8](text.utf8), fileName: "f").0.map(\.fields)
    }

    @Test func `fields are read as RFC 4180 writes them`() {
        #expect(fields("a,b\r\nc,d\n") == [["a", "b"], ["c", "d"]])
        #expect(fields("\"a,\"\"b\"\"\nc\",d") == [["a,\"b\"\nc", "d"]])
        #expect(fields(",,\n\n,") == [["", "", ""], ["", ""]])
        #expect(fields("\u{FEFF}a") == [["a"]])
        #expect(fields("") == [])
        #expect(CSVReader.records(bytes: [UInt8]("a\n\"b\nb\",c\nd".utf8), fileName: "f").0.map(\.line) == [1, 2, 4])
    }

    @Test(arguments: [("a\"b", 1), ("x\n\"a\"b", 2), ("x\ny\n\"a", 3)])
    func `broken quotes are refused with their line`(text: String, line: Int) {
        let (_, report) = CSVReader.records(bytes: [UInt8](text.utf8), fileName: "f")
        #expect(report.problems.map(\.line) == [line])
        #expect(report.hasErrors)
    }

    @Test func `random records come back`() {
        var random = TestRandom(seed: 2)
        let alphabet = Array("ab,\"\n\r é")
        for _ in 0..<500 {
            let records = (0..<3).map { _ in
                (0..<3).map { _ in
                    String(
                        (0..<Int.random(in: 0...5, using: &random)).map { _ in
                            alphabet.randomElement(using: &random) ?? "a"
                        })
                }
            }
            let text = records.map { record in
                record.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + "\r\n"
            }.joined()
            #expect(fields(text) == records)
        }
    }

    @Test func `a division is read, and a bad one refused with its line`() throws {
        let good =
            "site,node,hospital,region\n701,haukeland,\"Haukeland, Bergen\",Helse Vest\n702,ous,OUS,Helse Sør-Øst\n703,haukeland,H,V"
        let (found, report) = SiteDivisionReader.read(bytes: [UInt8](good.utf8), fileName: "sites.csv")
        let division = try #require(found, "\(report.text())")
        #expect(division.rows.map { "\($0.location)" } == ["701", "702", "703"])
        #expect(division.rows[0].hospital == "Haukeland, Bergen")
        #expect(division.nodes.map { "\($0)" } == ["haukeland", "ous"])
        #expect(division.locations(of: division.rows[0].node).map { "\($0)" } == ["701", "703"])
        #expect(division.location(of: "SITE.701") == division.rows[0].location)
        #expect(division.location(of: "702") == division.rows[1].location)
        #expect(division.location(of: "SITE.704") == nil)
        #expect(division[division.rows[1].location]?.region == "Helse Sør-Øst")
        let faults = [
            ("site,node,hospital\n", 1), ("site,node,hospital,region\n", 1),
            ("site,node,hospital,region\na,n,H\n", 2), ("site,node,hospital,region\na,n,H,R\nA b,n,H,R\n", 3),
            ("site,node,hospital,region\na,n,H,R\na,n,H,R\n", 3), ("site,node,hospital,region\na,n,,R\n", 2),
        ]
        for (text, line) in faults {
            let (none, refusal) = SiteDivisionReader.read(bytes: [UInt8](text.utf8), fileName: "sites.csv")
            #expect(none == nil)
            #expect(refusal.problems.contains { $0.line == line }, "\(text): \(refusal.text())")
        }
        #expect(SiteDivisionReader.read(bytes: [], fileName: "s").1.hasErrors)
    }
}
