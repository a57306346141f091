import Interchange
import Testing
import Trial

struct ClinicalReaderTests {
    private func read(
        _ text: String, mode: ODMReadingMode
    ) throws -> (subjects: [ODMSubjectData], summary: ODMClinicalSummary) {
        var subjects: [ODMSubjectData] = []
        let reader = ODMClinicalReader(definition: try SmallStudy.definition())
        let summary = try reader.read(bytes: [UInt8](text.utf8), fileName: "data.xml", mode: mode) {
            subjects.append($0)
        }
        return (subjects, summary)
    }

    @Test func `data that are right are delivered participant by participant`() throws {
        let (subjects, summary) = try read(SmallStudy.clinical, mode: .strict)
        #expect(summary.report.problems.isEmpty, "\(summary.report.text())")
        #expect(subjects.map(\.subjectKey) == ["P-1", "P-2"])
        #expect(summary.subjectCount == 2)
        #expect(summary.formCount == 3)
        #expect(summary.itemCount == 7)
        #expect(summary.fileOID == "C")
        let form = try #require(subjects.first?.events.first?.forms.first)
        #expect(form.form == "F.DM")
        #expect(form.position == 0)
        #expect(form.auditRecord?.user == "U.1")
        #expect(form.groups[0].items[2].measurementUnit == "MU.KG")
        #expect(form.groups[0].items[0].line.number == 10)
        #expect(subjects[0].events[1].forms[0].groups[0].items[0].isNull)
        #expect(subjects[1].events[0].forms[0].position == 2)
        #expect(subjects[1].site == "L.1")
    }

    static let faults = [
        Fault("another study", "StudyOID=\"S/1 a\"", "StudyOID=\"S2\"", .unknownOID, at: "S2", names: "S2"),
        Fault(
            "another version", "VersionOID=\"MDV.1\"", "VersionOID=\"MDV.2\"", .unknownOID, at: "MDV.2", names: "MDV.2"),
        Fault(
            "unknown visit", "StudyEventOID=\"SE.ONE\"", "StudyEventOID=\"SE.X\"", .unknownOID, at: "SE.X",
            names: "SE.X"),
        Fault("unknown form", "FormOID=\"F.DM\"", "FormOID=\"F.X\"", .unknownOID, at: "F.X", names: "F.X"),
        Fault(
            "form of another visit", "FormData FormOID=\"F.DM\"", "FormData FormOID=\"F.AE\"", .misplacedOID,
            at: "F.AE", names: "F.AE"),
        Fault(
            "unknown group", "ItemGroupOID=\"IG.DM\"", "ItemGroupOID=\"IG.X\"", .unknownOID, at: "IG.X", names: "IG.X"),
        Fault(
            "group of another form",
            "FormOID=\"F.AE\" FormRepeatKey=\"1\">\n<ItemGroupData ItemGroupOID=\"IG.ROW\" ItemGroupRepeatKey=\"1\">",
            "FormOID=\"F.AE\" FormRepeatKey=\"1\">\n<ItemGroupData ItemGroupOID=\"IG.DM\">", .misplacedOID, at: nil,
            names: "IG.DM"),
        Fault("unknown item", "ItemOID=\"IT.AGE\"", "ItemOID=\"IT.X\"", .unknownOID, at: "IT.X", names: "IT.X"),
        Fault(
            "item of another group", "ItemOID=\"IT.AGE\"", "ItemOID=\"IT.NOTE\"", .misplacedOID,
            at: "IT.NOTE\" Value=\"44\"", names: "IT.NOTE"),
        Fault(
            "unknown unit", "MeasurementUnitOID=\"MU.KG\"", "MeasurementUnitOID=\"MU.X\"", .unknownOID, at: "MU.X",
            names: "MU.X"),
        Fault(
            "unit of another item", "MeasurementUnitOID=\"MU.KG\"", "MeasurementUnitOID=\"MU.LB\"", .wrongUnit,
            at: "MU.LB", names: "MU.LB"),
        Fault(
            "unknown site", "SiteRef LocationOID=\"L.1\"", "SiteRef LocationOID=\"L.X\"", .unknownOID, at: "L.X",
            names: "L.X"),
        Fault("unknown user", "UserOID=\"U.1\"", "UserOID=\"U.X\"", .unknownOID, at: "U.X", names: "U.X"),
        Fault("wrong type", "Value=\"44\"", "Value=\"SECRET4\"", .wrongType, at: "SECRET4", names: "IT.AGE"),
        Fault("wrong date", "Value=\"2026-01\"", "Value=\"2026-13\"", .wrongType, at: "2026-13", names: "IT.WHEN"),
        Fault("outside the list", "Value=\"F\"", "Value=\"Q\"", .outsideCodeList, at: "Value=\"Q\"", names: "IT.SEX"),
        Fault(
            "against a hard check", "Value=\"44\"", "Value=\"17\"", .outsideRange, at: "Value=\"17\"", names: "IT.AGE"),
        Fault(
            "too long", "Value=\"SECRETVALUE\"", "Value=\"SECRETVALUE SECRETVALUE\"", .tooLong, at: "SECRETVALUE S",
            names: "IT.NOTE"),
        Fault(
            "item twice", "ItemOID=\"IT.SEX\" Value=\"F\"", "ItemOID=\"IT.AGE\" Value=\"45\"", .duplicateKey,
            at: "\"45\"", names: "IT.AGE"),
        Fault("participant twice", "SubjectKey=\"P-2\"", "SubjectKey=\"P-1\"", .duplicateKey, at: nil, names: "P-1"),
        Fault(
            "visit twice", "StudyEventOID=\"SE.AE\" StudyEventRepeatKey=\"1\"", "StudyEventOID=\"SE.ONE\"",
            .duplicateKey, at: nil, names: "SE.ONE"),
        Fault(
            "repeat key on a visit", "StudyEventData StudyEventOID=\"SE.ONE\"",
            "StudyEventData StudyEventOID=\"SE.ONE\" StudyEventRepeatKey=\"1\"", .repeatKey, at: "SE.ONE",
            names: "SE.ONE"),
        Fault("no repeat key on a form", " FormRepeatKey=\"1\"", "", .repeatKey, at: "FormOID=\"F.AE\"", names: "F.AE"),
        Fault(
            "repeat key on a group", "ItemGroupOID=\"IG.DM\"", "ItemGroupOID=\"IG.DM\" ItemGroupRepeatKey=\"1\"",
            .repeatKey, at: "IG.DM", names: "IG.DM"),
        Fault(
            "no repeat key on a group", " ItemGroupRepeatKey=\"1\"", "", .repeatKey, at: "ItemGroupOID=\"IG.ROW\"",
            names: "IG.ROW"),
        Fault("no value", " IsNull=\"Yes\"", "", .missingValue, at: "IT.NOTE\"/>", names: "IT.NOTE"),
        Fault(
            "value and no value", "IsNull=\"Yes\"", "IsNull=\"Yes\" Value=\"x\"", .missingValue, at: "IsNull",
            names: "IT.NOTE"),
        Fault(
            "no subject key", "SubjectData SubjectKey=\"P-1\"", "SubjectData", .missingAttribute, at: "<SubjectData>",
            names: "SubjectKey"),
        Fault(
            "removal", "FormOID=\"F.DM\"", "FormOID=\"F.DM\" TransactionType=\"Remove\"", .transaction, at: "Remove",
            names: "F.DM"),
        Fault("broken time stamp", "2026-01-02T09:00:00Z", "yesterday", .wrongType, at: "yesterday", names: "F.DM"),
        Fault(
            "no time stamp", "<DateTimeStamp>2026-01-02T09:00:00Z</DateTimeStamp>", "", .missingElement,
            at: "<AuditRecord>", names: "F.DM"),
        Fault(
            "tag mismatch", "</StudyEventData>", "</StudyEventDate>", .notWellFormed, at: "</StudyEventDate>",
            names: "end tag"),
        Fault("no clinical data", "ClinicalData", "Nothing", .missingElement, at: nil, names: "ClinicalData"),
    ]

    @Test(arguments: faults)
    func `bad data are refused with line, OID and reason, and nothing is delivered`(fault: Fault) throws {
        var text = fault.applied(to: SmallStudy.clinical)
        if fault.name == "no clinical data" { text = text.replacing("</ClinicalData>", with: "</Nothing>") }
        let (subjects, summary) = try read(text, mode: .strict)
        #expect(subjects.isEmpty)
        let errors = summary.report.problems.filter { $0.severity == .error }
        let found = try #require(errors.first { $0.kind == fault.kind }, "\(summary.report.text())")
        if fault.lineOf != nil { #expect(found.line == fault.line(in: text), "\(summary.report.text())") }
        #expect(found.words.contains(fault.names), "\(found.words)")
        #expect(!summary.report.text().contains("SECRET"), "a value is in the report")
    }

    @Test(arguments: faults) func `lenient reading delivers the rest and still has errors`(fault: Fault) throws {
        let text = fault.applied(to: SmallStudy.clinical)
        guard fault.kind != .notWellFormed, fault.name != "no clinical data" else { return }
        let (subjects, summary) = try read(text, mode: .lenient)
        #expect(summary.report.hasErrors)
        let items = subjects.reduce(0) { $0 + $1.itemCount }
        #expect(items == summary.itemCount)
        #expect(items < 7)
        #expect(subjects.isEmpty == ["another study", "another version"].contains(fault.name) || items > 0)
    }

    @Test func `lenient reading drops what an error concerns and nothing more`() throws {
        let text = SmallStudy.clinical.replacing("Value=\"44\"", with: "Value=\"x\"")
            .replacing("FormOID=\"F.AE\" FormRepeatKey", with: "FormOID=\"F.X\" FormRepeatKey")
        let (subjects, summary) = try read(text, mode: .lenient)
        #expect(subjects.count == 2)
        #expect(subjects[0].events[0].forms[0].groups[0].items.map(\.item) == ["IT.SEX", "IT.WEIGHT"])
        #expect(subjects[0].events[1].forms.isEmpty)
        #expect(subjects[1].events[0].forms[0].position == 2)
        #expect(summary.report.errorCount == 2)
        #expect(summary.formsInFile == 3)
    }

    @Test func `a file cut off anywhere is refused`() throws {
        let bytes = [UInt8](SmallStudy.clinical.utf8)
        let reader = ODMClinicalReader(definition: try SmallStudy.definition())
        for length in 0..<bytes.count {
            let summary = try reader.read(bytes: Array(bytes.prefix(length)), fileName: "cut.xml", mode: .strict) { _ in
                Issue.record("something was delivered of \(length) bytes")
            }
            #expect(summary.report.hasErrors, "\(length) bytes")
            let fault = summary.report.problems.last
            #expect(fault?.line != nil)
        }
    }

    @Test func `leniently, participants before the cut are delivered`() throws {
        let cut = try #require(SmallStudy.clinical.firstRange(of: "<ItemData ItemOID=\"IT.WHEN\" Value=\"2026\"/>"))
        let (subjects, summary) = try read(String(SmallStudy.clinical[..<cut.lowerBound]), mode: .lenient)
        #expect(subjects.map(\.subjectKey) == ["P-1"])
        #expect(summary.report.problems.map(\.kind) == [.notWellFormed])
        #expect(summary.report.problems.first?.path.contains(ImportPathStep("SubjectData", "P-2")) == true)
    }

    @Test func `soft checks, other transactions and what is not loaded are said and do not stop`() throws {
        let text = SmallStudy.clinical.replacing("Value=\"44\"", with: "Value=\"91\"")
            .replacing("SubjectKey=\"P-2\"", with: "SubjectKey=\"P-2\" TransactionType=\"Upsert\"")
            .replacing(
                "<ItemData ItemOID=\"IT.NOTE\" IsNull=\"Yes\"/>",
                with:
                    "<ItemData ItemOID=\"IT.NOTE\" IsNull=\"Yes\"><Annotation SeqNum=\"1\"/></ItemData>"
            )
            .replacing("</ClinicalData>", with: "<AuditRecords><AuditRecord ID=\"a\"/></AuditRecords></ClinicalData>")
        let (subjects, summary) = try read(text, mode: .strict)
        #expect(subjects.count == 2)
        #expect(summary.report.errorCount == 0)
        #expect(summary.report.problems.map(\.kind) == [.outsideRange, .transaction, .notLoaded, .notLoaded])
    }

    @Test func `typed item data are read`() throws {
        let text = SmallStudy.clinical
            .replacing(
                "<ItemData ItemOID=\"IT.AGE\" Value=\"44\"/>",
                with: "<ItemDataInteger ItemOID=\"IT.AGE\">44</ItemDataInteger>"
            )
            .replacing(
                "<ItemData ItemOID=\"IT.SEX\" Value=\"F\"/>", with: "<ItemDataAny ItemOID=\"IT.SEX\" IsNull=\"Yes\"/>")
        let (subjects, summary) = try read(text, mode: .strict)
        #expect(!summary.report.hasErrors, "\(summary.report.text())")
        #expect(subjects[0].events[0].forms[0].groups[0].items[0].value == "44")
        #expect(subjects[0].events[0].forms[0].groups[0].items[1].isNull)
    }

    @Test func `what the receiver throws stops the reading`() throws {
        let reader = ODMClinicalReader(definition: try SmallStudy.definition())
        var count = 0
        #expect(throws: TestFailure.self) {
            _ = try reader.read(bytes: [UInt8](SmallStudy.clinical.utf8), fileName: "d", mode: .strict) { _ in
                count += 1
                throw TestFailure("enough")
            }
        }
        #expect(count == 1)
    }

    @Test func `the report counts what it does not keep, and is JSON`() throws {
        var report = ImportReport()
        for number in 1...(ImportReport.maximumProblems + 5) {
            report.add(
                ImportProblem(
                    severity: .warning, kind: .notLoaded, file: "f", line: number, reason: "r", advice: "a"))
        }
        #expect(report.warningCount == ImportReport.maximumProblems + 5)
        #expect(report.omittedCount == 5)
        #expect(report.text().contains("5 further problems"))
        #expect(report.json().contains("\"warningCount\" : \(report.warningCount)"))
    }
}
