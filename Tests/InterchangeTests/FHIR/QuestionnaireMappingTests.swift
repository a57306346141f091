import Foundation
import Interchange
import Testing
import Trial

struct QuestionnaireMappingTests {
    private let plan: TrialPlan
    private let definition: StudyDefinition

    init() throws {
        plan = try TestFHIR.trialPlan()
        definition = try TestFHIR.definition()
        let report = TrialPlanCheck.check(plan, fileName: "p", definition: definition, division: nil)
        #expect(report.errorCount == 0, "\(report.text())")
    }

    private func map(_ item: String) throws -> MappedResponse {
        try TestFHIR.map(item, plan: plan, definition: definition)
    }

    private func errors(_ item: String) -> [String] {
        do {
            _ = try map(item)
            return []
        } catch {
            return (error as? FHIRRefusal)?.errors ?? ["\(error)"]
        }
    }

    private func answer(_ linkID: String, _ value: String) -> String {
        "[{\"linkId\": \"\(linkID)\", \"answer\": [{\(value)}]}]"
    }

    @Test func `answers become items of the form's groups, with digits and units as sent`() throws {
        let mapped = try map(
            """
            [{"linkId": "intro"}, {"linkId": "age", "answer": [{"valueInteger": 44}]},
            {"linkId": "sex", "answer": [{"valueCoding": {"system": "urn:example:sex", "code": "F"}}]},
            {"linkId": "IT.WEIGHT", "answer": [{"valueQuantity": {"value": 71.50, "unit": "kg"}}]},
            {"linkId": "rows", "item": [{"linkId": "IT.NOTE", "answer": [{"valueString": "one"}]},
            {"linkId": "row-when", "answer": [{"valueDate": "2026-03"}]}]},
            {"linkId": "rows", "item": [{"linkId": "IT.NOTE", "answer": [{"valueString": "two"}]}]}]
            """)
        #expect(
            mapped.short == [
                "IG.DM: IT.AGE=44, IT.SEX=F, IT.WEIGHT=71.50 MU.KG", "IG.ROW: IT.NOTE=one, IT.WHEN=2026-03",
                "IG.ROW: IT.NOTE=two",
            ])
        #expect(mapped.groups.map(\.group.choice) == [.once, .new(repeatKey: nil), .new(repeatKey: nil)])
        #expect(mapped.warnings.isEmpty)
        #expect(mapped.day.description == "2026-03-29")
    }

    @Test func `an answer that repeats in a repeating group is a row each, with what is nested under it`() throws {
        let mapped = try map(
            """
            [{"linkId": "IT.NOTE", "answer": [
            {"valueString": "one", "item": [{"linkId": "row-when", "answer": [{"valueDate": "2026"}]}]},
            {"valueString": "two"}]}, {"linkId": "IT.NOTE", "answer": [{"valueString": "three"}]}]
            """)
        #expect(
            mapped.short == ["IG.ROW: IT.NOTE=one, IT.WHEN=2026", "IG.ROW: IT.NOTE=two", "IG.ROW: IT.NOTE=three"])
    }

    @Test func `an item that is once only takes one answer`() {
        let twice = "[{\"linkId\": \"age\", \"answer\": [{\"valueInteger\": 44}, {\"valueInteger\": 45}]}]"
        #expect(errors(twice) == ["business-rule QuestionnaireResponse.item[0].answer[1]"])
        let again =
            "[{\"linkId\": \"age\", \"answer\": [{\"valueInteger\": 44}]}, {\"linkId\": \"age\", \"answer\": [{\"valueInteger\": 44}]}]"
        #expect(errors(again) == ["business-rule QuestionnaireResponse.item[1].answer[0]"])
        let inRow =
            "[{\"linkId\": \"rows\", \"item\": [{\"linkId\": \"IT.NOTE\", \"answer\": [{\"valueString\": \"a\"}, {\"valueString\": \"b\"}]}]}]"
        #expect(errors(inRow) == ["business-rule QuestionnaireResponse.item[0].item[0].answer[1]"])
    }

    static let faults: [(linkID: String, value: String, error: String)] = [
        ("shoe-size", "\"valueInteger\": 44", "not-found QuestionnaireResponse.item[0].linkId"),
        // The item has a linkId of its own, so its OID is none.
        ("IT.AGE", "\"valueInteger\": 44", "not-found QuestionnaireResponse.item[0].linkId"),
        ("intro", "\"valueString\": \"x\"", "structure QuestionnaireResponse.item[0].answer[0]"),
        ("rows", "\"valueString\": \"x\"", "structure QuestionnaireResponse.item[0].answer[0]"),
        ("age", "\"valueString\": \"44\"", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("age", "\"valueDecimal\": 44", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("age", "\"valueBoolean\": true", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("age", "\"valueInteger\": 17", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("age", "\"valueInteger\": 1000", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("age", "\"valueCoding\": {\"code\": \"44\"}", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("sex", "\"valueString\": \"F\"", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("sex", "\"valueCoding\": {\"code\": \"F\"}", "code-invalid QuestionnaireResponse.item[0].answer[0].value"),
        (
            "sex", "\"valueCoding\": {\"system\": \"urn:other\", \"code\": \"F\"}",
            "code-invalid QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "sex", "\"valueCoding\": {\"system\": \"urn:example:sex\", \"code\": \"X\"}",
            "code-invalid QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "IT.WEIGHT", "\"valueQuantity\": {\"value\": 71, \"unit\": \"lb\"}",
            "value QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "IT.WEIGHT", "\"valueQuantity\": {\"value\": 71, \"comparator\": \"<\"}",
            "not-supported QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "age", "\"valueQuantity\": {\"value\": 44, \"unit\": \"a\"}",
            "value QuestionnaireResponse.item[0].answer[0].value"
        ),
        ("when", "\"valueTime\": \"10:00:00\"", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("when", "\"valueDate\": \"2026-13\"", "value QuestionnaireResponse.item[0].answer[0].value"),
        (
            "IT.NOTE", "\"valueString\": \"longer than the twenty characters\"",
            "value QuestionnaireResponse.item[0].answer[0].value"
        ),
        ("IT.NOTE", "\"valueString\": \"\\u0001\"", "value QuestionnaireResponse.item[0].answer[0].value"),
        ("IT.NOTE", "\"valueUri\": \"urn:x\"", "value QuestionnaireResponse.item[0].answer[0].value"),
    ]

    @Test(arguments: faults.indices) func `an answer that is not of its item is refused where it stands`(index: Int) {
        let fault = QuestionnaireMappingTests.faults[index]
        #expect(errors(answer(fault.linkID, fault.value)) == [fault.error], "\(fault)")
    }

    @Test(arguments: [
        ("age", "\"valueInteger\": 44", "IT.AGE=44"), ("when", "\"valueDate\": \"2026\"", "IT.WHEN=2026"),
        ("when", "\"valueDateTime\": \"2026-03-29T02:30:00+01:00\"", "IT.WHEN=2026-03-29T02:30:00+01:00"),
        ("IT.WEIGHT", "\"valueDecimal\": 71.50", "IT.WEIGHT=71.50"),
        ("IT.WEIGHT", "\"valueInteger\": 71", "IT.WEIGHT=71"),
        ("IT.WEIGHT", "\"valueQuantity\": {\"value\": 71}", "IT.WEIGHT=71"),
        (
            "IT.WEIGHT", "\"valueQuantity\": {\"value\": 71, \"code\": \"MU.KG\", \"unit\": \"kilo\"}",
            "IT.WEIGHT=71 MU.KG"
        ),
        ("age", "\"valueQuantity\": {\"value\": 44}", "IT.AGE=44"),
    ]) func `kinds that are of the item's type are taken`(linkID: String, value: String, short: String) throws {
        #expect(try map(answer(linkID, value)).short == ["IG.DM: \(short)"])
    }

    @Test func `mandatory items without an answer are warned of, and the rest is taken`() throws {
        let empty = try map("[]")
        #expect(empty.groups.isEmpty)
        // Sex is mandatory under a condition, which the client judges.
        #expect(empty.warnings.map(\.severity) == [.warning])
        #expect(empty.warnings[0].text.contains("IT.AGE"))
        let partial = try map(answer("IT.WEIGHT", "\"valueDecimal\": 71"))
        #expect(partial.short == ["IG.DM: IT.WEIGHT=71"])
        #expect(partial.warnings.map(\.expression) == ["QuestionnaireResponse.item[0].answer[0]"])
        #expect(try map("[{\"linkId\": \"age\"}]").warnings.count == 1)
        #expect(try map(answer("age", "\"valueInteger\": 44")).warnings.isEmpty)
    }

    @Test func `a failed soft check is warned of, and the value is taken`() throws {
        let mapped = try map(answer("age", "\"valueInteger\": 95"))
        #expect(mapped.short == ["IG.DM: IT.AGE=95"])
        #expect(mapped.warnings.map(\.code) == [.businessRule])
    }

    @Test func `a response entered in error is taken back whatever its answers are`() throws {
        let resource = TestFHIR.response(
            item: answer("shoe-size", "\"valueInteger\": 44"), replacing: ["status": "\"entered-in-error\""])
        let mapped = try QuestionnaireMapping.map(
            try TestFHIR.read(resource), plan: plan, definition: definition)
        #expect(mapped.groups.isEmpty && mapped.warnings.isEmpty)
    }

    @Test func `questionnaire, version and identifier system have to be the plan's`() throws {
        func errors(_ replacing: [String: String], _ plan: TrialPlan) throws -> [String] {
            let submission = try TestFHIR.read(TestFHIR.response(replacing: replacing))
            do throws(FHIRRefusal) {
                _ = try QuestionnaireMapping.map(submission, plan: plan, definition: definition)
                return []
            } catch {
                return error.errors
            }
        }
        let unknown = ["not-found QuestionnaireResponse.questionnaire"]
        #expect(try errors(["questionnaire": "\"urn:other\""], plan) == unknown)
        // A plan without a version is for every version.
        #expect(try errors(["questionnaire": "\"\(TestFHIR.url)|7\""], plan).isEmpty)
        let versioned = try TestFHIR.trialPlan(TestFHIR.plan.replacing("nnaire/pain", with: "nnaire/pain|7"))
        #expect(try errors(["questionnaire": "\"\(TestFHIR.url)|7\""], versioned).isEmpty)
        #expect(try errors(["questionnaire": "\"\(TestFHIR.url)|8\""], versioned) == unknown)
        #expect(try errors(["questionnaire": "\"\(TestFHIR.url)\""], versioned) == unknown)
        let system = "{\"identifier\": {\"system\": \"urn:x\", \"value\": \"1\"}}"
        #expect(try errors(["subject": system], plan) == ["value QuestionnaireResponse.subject.identifier.system"])
        let open = try TestFHIR.trialPlan(
            TestFHIR.plan.replacing("subjectIdentifierSystem: urn:example:participant\n", with: ""))
        #expect(try errors(["subject": system], open).isEmpty)
    }

    @Test func `no issue holds an answer`() throws {
        let item = """
            [{"linkId": "age", "answer": [{"valueString": "SECRET"}]}, {"linkId": "sex", "answer": [{"valueCoding":
            {"system": "urn:example:sex", "code": "SECRET"}}]}, {"linkId": "IT.WEIGHT", "answer": [{"valueQuantity":
            {"value": 1, "unit": "SECRET"}}]}, {"linkId": "IT.NOTE", "answer": [{"valueString": "SECRET\\u0002"}]}]
            """
        do {
            _ = try map(item)
            Issue.record("it was taken")
        } catch let refusal as FHIRRefusal {
            // The code is too long beside being none of the list.
            #expect(refusal.errors.count == 5)
            #expect(!String(decoding: FHIRBatchResponse.document(refusal.outcome), as: UTF8.self).contains("SECRET"))
        }
    }
}

/// The shipped study's daily questionnaire for partner apps.
struct ShippedQuestionnaireTests {
    @Test func `the shipped questionnaire fits the shipped plan, and a day's answer maps to the diary`() throws {
        let (found, _) = ODMMetadataReader.read(
            bytes: try TestFiles.bytes(TestFiles.sciatica.appending(path: "study.xml")), fileName: "study.xml")
        let definition = try #require(found)
        let (planned, _) = TrialPlanReader.read(
            bytes: try TestFiles.bytes(TestFiles.sciatica.appending(path: "plan.yaml")), fileName: "plan.yaml")
        let plan = try #require(planned)
        let bytes = try TestFiles.bytes(TestFiles.sciatica.appending(path: "leg-pain-diary.questionnaire.json"))
        let root = try JSONDocument(bytes, limits: JSONReadingLimits(bytes: 1 << 20, depth: 32, values: 10_000)).root
        let questionnaire = try #require(plan.questionnaires.first)
        #expect(
            "\(root["url"]?.string ?? "")|\(root["version"]?.string ?? "")" == questionnaire.canonical.description)
        let items = try #require(root["item"]).elements
        var links = questionnaire.links(in: definition)
        links = links.filter { $0.key != "IG.DIARY" }
        #expect(Set(items.compactMap { $0["linkId"]?.string }) == Set(links.keys))
        for item in items {
            let linkID = try #require(item["linkId"]?.string)
            guard case .item(let oid, let group, let system) = try #require(links[linkID]) else {
                #expect(item["type"]?.string == "display")
                continue
            }
            let defined = try #require(definition.items[oid])
            let reference = definition.itemGroups[group]?.items[oid]
            #expect((item["required"]?.boolean ?? false) == reference?.isMandatory)
            #expect(item["text"]?.string == defined.question.text(preferring: ["nb"]))
            let english = item["_text"]?["extension"]?.elements.first?["extension"]?.elements.last?["valueString"]
            #expect(english?.string == defined.question.text(preferring: ["en"]))
            let options = item["answerOption"]?.elements.compactMap { $0["valueCoding"] } ?? []
            #expect(
                options.map { $0["code"]?.string } == definition.codeList(of: defined)?.entries.map(\.codedValue) ?? [])
            #expect(options.allSatisfy { $0["system"]?.string == system })
        }
        let resource = TestFHIR.response(
            item: """
                [{"linkId": "introduction"}, {"linkId": "day", "answer": [{"valueDate": "2026-03-28"}]},
                {"linkId": "leg-pain", "answer": [{"valueInteger": 6}]}, {"linkId": "study-drug", "answer": [{"valueCoding":
                {"system": "https://varde.no/fhir/CodeSystem/yes-no", "code": "Y"}}]},
                {"linkId": "painkillers", "answer": [{"valueInteger": 2}]}]
                """,
            replacing: [
                "questionnaire": "\"\(questionnaire.canonical)\"",
                "subject":
                    "{\"identifier\": {\"system\": \"\(plan.subjectIdentifierSystem ?? "")\", \"value\": \"OUS-1\"}}",
            ])
        let mapped = try QuestionnaireMapping.map(try TestFHIR.read(resource), plan: plan, definition: definition)
        #expect(mapped.short == ["IG.DIARY: IT.DIARYDAT=2026-03-28, IT.DIARYPAIN=6, IT.DIARYDRUG=Y, IT.DIARYRESC=2"])
        #expect(mapped.warnings.isEmpty)
        // It was authored the night after; the day is the one that was asked about.
        #expect(mapped.day.description == "2026-03-28")
        #expect(plan.visitRules.map(\.event) == ["SE.WEEK1", "SE.WEEK6", "SE.WEEK12", "SE.END", "SE.DIARY"])
    }
}
