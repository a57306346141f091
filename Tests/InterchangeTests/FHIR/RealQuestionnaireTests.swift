import Foundation
import Interchange
import Testing
import Trial

/// A study, plan and links made from a FHIR `Questionnaire`: once-only questions in one group, each repeating group and
/// question as a repeating group of its own.
struct QuestionnaireStudy {
    static let url = "urn:example:questionnaire"
    private(set) var definition: StudyDefinition
    private(set) var plan: TrialPlan
    private var links: [String: QuestionnairePlan.ItemLink] = [:]
    private var headings: Set<String> = []
    private var groups: [(oid: ItemGroupOID, repeats: Bool, items: [ItemReference])] = []
    private var items: [ItemDefinition] = []
    private var lists: [CodeListDefinition] = []
    private let questionnaire: [String: Any]

    init(_ questionnaire: [String: Any]) throws {
        self.questionnaire = questionnaire
        definition = StudyDefinition(
            studyOID: "Q", metaDataVersionOID: "1", metaDataVersionName: "1", studyName: "Q", studyDescription: "",
            protocolName: "Q")
        groups = [("IG.MAIN", false, [])]
        plan = TrialPlan(
            studyOID: "Q", mode: .test, coordinatingNodes: [], studySites: [], recruitment: nil, statusRules: [])
        for item in questionnaire["item"] as? [[String: Any]] ?? [] { add(item, to: 0) }
        definition.items = OIDTable(items)
        definition.codeLists = OIDTable(lists)
        definition.measurementUnits = OIDTable(
            ["kg", "cm"].map { MeasurementUnitDefinition(oid: MeasurementUnitOID($0), name: $0) })
        definition.itemGroups = OIDTable(
            groups.map { group in
                var made = ItemGroupDefinition(oid: group.oid, name: "", isRepeating: group.repeats)
                made.items = OIDTable(group.items)
                return made
            })
        var form = FormDefinition(oid: "F", name: "F", isRepeating: false)
        form.isWhole = true
        form.itemGroups = OIDTable(groups.map { ItemGroupReference(oid: $0.oid, isMandatory: false) })
        definition.forms = OIDTable([form])
        var event = StudyEventDefinition(oid: "SE", name: "SE", isRepeating: false, type: .scheduled)
        event.forms = OIDTable([FormReference(oid: "F", isMandatory: true)])
        definition.events = OIDTable([event])
        let canonical = try #require(QuestionnaireCanonical(QuestionnaireStudy.url))
        plan = TrialPlan(
            studyOID: "Q", mode: .test, coordinatingNodes: [], studySites: [], recruitment: nil, statusRules: [],
            questionnaires: [
                QuestionnairePlan(
                    canonical: canonical, form: "F", events: ["SE"], respondent: .patient, items: links,
                    headings: headings)
            ])
    }

    private mutating func add(_ item: [String: Any], to place: Int) {
        guard let linkID = item["linkId"] as? String, let type = item["type"] as? String else { return }
        // Boxes to tick take several answers also where `repeats` is absent.
        let isBoxes = (item["extension"] as? [[String: Any]] ?? []).contains { "\($0)".contains("check-box") }
        let repeats = isBoxes || item["repeats"] as? Bool ?? false
        var place = place
        if repeats {
            groups.append((ItemGroupOID("IG.\(linkID)"), true, []))
            place = groups.count - 1
        }
        switch type {
        case "group" where repeats: links[linkID] = QuestionnairePlan.ItemLink(item: nil, group: groups[place].oid)
        case "group", "display", "attachment": headings.insert(linkID)
        default:
            let oid = ItemOID("I.\(linkID)")
            var defined = ItemDefinition(oid: oid, name: linkID, dataType: dataType(type))
            if type == "choice" { defined.codeList = codeList(item, linkID) }
            if type == "quantity" { defined.measurementUnits = ["kg", "cm"] }
            items.append(defined)
            groups[place].items.append(ItemReference(oid: oid, isMandatory: false))
            links[linkID] = QuestionnairePlan.ItemLink(item: oid, group: groups[place].oid)
        }
        for nested in item["item"] as? [[String: Any]] ?? [] { add(nested, to: place) }
    }

    private func dataType(_ type: String) -> ItemDataType {
        switch type {
        case "boolean": .boolean
        case "integer": .integer
        case "decimal", "quantity": .float
        case "date": .partialDate
        case "dateTime": .partialDatetime
        default: .text
        }
    }

    private mutating func codeList(_ item: [String: Any], _ linkID: String) -> CodeListOID {
        var codes = (item["answerOption"] as? [[String: Any]] ?? []).compactMap {
            ($0["valueCoding"] as? [String: Any])?["code"] as? String
        }
        let reference = ((item["answerValueSet"] as? String) ?? "").replacing("#", with: "")
        for set in questionnaire["contained"] as? [[String: Any]] ?? [] where set["id"] as? String == reference {
            for part in (set["compose"] as? [String: Any])?["include"] as? [[String: Any]] ?? [] {
                codes += (part["concept"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
            }
        }
        let oid = CodeListOID("CL.\(linkID)")
        lists.append(
            CodeListDefinition(
                oid: oid, name: linkID, dataType: .text, entries: codes.map { CodeListEntry(codedValue: $0) },
                external: codes.isEmpty ? ExternalCodeList(dictionary: reference, version: nil) : nil))
        return oid
    }
}

/// Questionnaires and responses that were made elsewhere (helsenorge/refero).
struct RealQuestionnaireTests {
    private static func object(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: TestFiles.refero.appending(path: name))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private static func questionnaire(_ name: String) throws -> QuestionnaireStudy {
        let found = try object("\(name).q.json")
        guard found["resourceType"] as? String == "Bundle" else { return try QuestionnaireStudy(found) }
        let resources = (found["entry"] as? [[String: Any]] ?? []).compactMap { $0["resource"] as? [String: Any] }
        return try QuestionnaireStudy(
            try #require(resources.first { $0["resourceType"] as? String == "Questionnaire" }))
    }

    /// The response with what a client has to add when it submits it.
    private static func completed(_ name: String) throws -> String {
        var response = try object("\(name).json")
        response["identifier"] = ["system": "urn:example:app", "value": name]
        response["subject"] = ["reference": "Patient/P-1"]
        response["authored"] = "2026-10-25"
        response["status"] = "completed"
        response["questionnaire"] = QuestionnaireStudy.url
        return String(decoding: try JSONSerialization.data(withJSONObject: response), as: UTF8.self)
    }

    /// Questionnaire, response, and the rows or the errors it gives.
    static let verdicts: [(questionnaire: String, response: String, verdict: [String])] = [
        ("syncQuestionnaireResponse", "syncQuestionnaireResponse.qr", ["IG.MAIN: I.3=42"]),
        (
            "syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-missingFieldFromTopLevelGroup",
            ["IG.MAIN: I.3=42"]
        ),
        (
            "syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-missingGroupFromTopLevelGroup",
            ["IG.MAIN: I.3=42"]
        ),
        (
            "syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-missingNestedFieldFromTopLevelField",
            ["IG.MAIN: I.3=42"]
        ),
        ("syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-missingTopLevelField", ["IG.MAIN: I.3=42"]),
        ("syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-missingTopLevelGroup", ["IG.MAIN: I.3=42"]),
        (
            "syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-superfluousNestedField",
            ["not-found QuestionnaireResponse.item[0].item[0].answer[0].item[1].linkId"]
        ),
        (
            "syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-superfluousTopLevelField",
            ["not-found QuestionnaireResponse.item[0].linkId"]
        ),
        (
            "syncQuestionnaireResponse", "syncQuestionnaireResponse.qr-typeChanged",
            ["value QuestionnaireResponse.item[0].item[0].answer[0].value"]
        ),
        (
            "removeOldLinkIds", "removeOldLinkIds.qr",
            [
                "IG.1.1.1: I.1.1.1=a1", "IG.1.1.1: I.1.1.1=a2", "IG.1.1.1: I.1.1.1=a3", "IG.2: I.2=x1",
                "IG.2.1: I.2.1=b1", "IG.2: I.2=x2",
            ]
        ),
        (
            "removeOldLinkIds", "removeOldLinkIds.qrWithOldLinkIds",
            [
                "not-found QuestionnaireResponse.item[0].item[0].linkId",
                "not-found QuestionnaireResponse.item[0].item[1].linkId",
                "not-found QuestionnaireResponse.item[1].linkId", "not-found QuestionnaireResponse.item[2].linkId",
            ]
        ),
        ("enableWhenAndWipingAnswers", "enableWhenAndWipingAnswers.qr", []),
        (
            "enableWhenBehaviorAll", "enableWhenBehaviorAll.qr",
            ["IG.MAIN: I.1.1=false, I.1.2=false, I.2.1=false"]
        ),
        (
            "enableWhenDeepTransitive", "enableWhenDeepTransitive.qr", ["IG.MAIN: I.A=false, I.B.1=false"]
        ),
        ("enableWhenExcists", "enableWhenExcists.qr", []),
        (
            "enableWhenRepeatMinOccurs", "enableWhenRepeatMinOccurs.qr",
            ["IG.MAIN: I.A=false", "IG.G: I.G.1=false", "IG.G: I.G.1=false", "IG.G: I.G.1=false"]
        ),
        // These responses are of other questionnaires than the ones of their names.
        (
            "enableWhenBooleanPersists", "enableWhenBooleanPersists.qr",
            ["not-found QuestionnaireResponse.item[0].linkId", "not-found QuestionnaireResponse.item[1].linkId"]
        ),
        (
            "enableWhenCodingWipe", "enableWhenCodingWipe.qr",
            (0..<3).map { "not-found QuestionnaireResponse.item[\($0)].linkId" }
        ),
        (
            "enableWhenExcists", "enableWhenAnyVsAll.qr",
            [
                "not-found QuestionnaireResponse.item[0].item[1].linkId",
                "value QuestionnaireResponse.item[0].item[0].answer[0].value",
                "value QuestionnaireResponse.item[1].item[0].answer[0].value",
            ]
        ),
    ]

    @Test(
        .enabled(if: TestFiles.hasRefero, "refero's questionnaires are not beside the package"),
        arguments: verdicts.indices)
    func `a real response is judged as its name says`(index: Int) throws {
        let (name, response, verdict) = RealQuestionnaireTests.verdicts[index]
        let study = try RealQuestionnaireTests.questionnaire(name)
        let report = TrialPlanCheck.check(study.plan, fileName: "p", definition: study.definition, division: nil)
        #expect(report.problems.isEmpty, "\(report.text())")
        let submission = try TestFHIR.read(try RealQuestionnaireTests.completed(response))
        do throws(FHIRRefusal) {
            let mapped = try QuestionnaireMapping.map(submission, plan: study.plan, definition: study.definition)
            #expect(mapped.short == verdict, "\(response)")
        } catch {
            #expect(error.errors.sorted() == verdict.sorted(), "\(response)")
        }
    }

    @Test(.enabled(if: TestFiles.hasRefero, "refero's questionnaires are not beside the package"))
    func `every real response as it is lacks what has to be there, and is refused for that`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: TestFiles.refero.path).filter {
            $0.contains(".qr")
        }
        #expect(names.count == 20)
        for name in names {
            let raw = String(decoding: try TestFiles.bytes(TestFiles.refero.appending(path: name)), as: UTF8.self)
            let errors = try #require(try TestFHIR.refusal(raw)).errors
            #expect(
                Set(errors).isSuperset(of: [
                    "required QuestionnaireResponse.identifier", "required QuestionnaireResponse.subject",
                    "required QuestionnaireResponse.authored",
                ]), "\(name)")
            #expect(errors.contains { $0.hasSuffix("QuestionnaireResponse.status") }, "\(name)")
        }
    }

    @Test(.enabled(if: TestFiles.hasRefero, "refero's questionnaires are not beside the package"))
    func `a long real response maps to its last answer`() throws {
        let name = "genereateQuestionnaireResponse"
        let study = try RealQuestionnaireTests.questionnaire(name)
        let submission = try TestFHIR.read(try RealQuestionnaireTests.completed("\(name).qr"))
        let mapped = try QuestionnaireMapping.map(submission, plan: study.plan, definition: study.definition)
        #expect(mapped.groups.flatMap(\.items).count == 26)
        let text = mapped.short.joined(separator: "; ")
        #expect(text.contains("=100 kg") && text.contains("=180 cm"))
    }

    @Test func `a depression questionnaire with a total score is mapped by code`() throws {
        var definition = try TestFHIR.definition()
        let codes = ["Not-at-all", "Several-days", "More than half the days", "Nearly every day"]
        definition.codeLists = OIDTable([
            CodeListDefinition(
                oid: "CL.OFTEN", name: "How often", dataType: .text,
                entries: codes.map { CodeListEntry(codedValue: $0) })
        ])
        let questions = (1...9).map { number in
            var item = ItemDefinition(oid: ItemOID("H1/T1/Q\(number)"), name: "Q\(number)", dataType: .text)
            item.codeList = "CL.OFTEN"
            return item
        }
        var score = ItemDefinition(oid: "H1/TS", name: "Score", dataType: .integer)
        score.measurementUnits = ["{score}"]
        definition.items = OIDTable(questions + [score])
        var group = ItemGroupDefinition(oid: "H1/T1", name: "Two weeks", isRepeating: false)
        group.items = OIDTable((questions + [score]).map { ItemReference(oid: $0.oid, isMandatory: true) })
        definition.itemGroups = OIDTable([group])
        var form = FormDefinition(oid: "F", name: "Depression", isRepeating: false)
        form.itemGroups = OIDTable([ItemGroupReference(oid: group.oid, isMandatory: true)])
        definition.forms = OIDTable([form])
        let canonical = try #require(QuestionnaireCanonical(TestFHIR.url))
        let plan = TrialPlan(
            studyOID: "Q", mode: .test, coordinatingNodes: [], studySites: [], recruitment: nil, statusRules: [],
            questionnaires: [
                QuestionnairePlan(canonical: canonical, form: "F", events: ["SE.ONE"], respondent: .patient)
            ])
        func response(_ answers: [(Int, String)]) -> String {
            let items = answers.map { number, code in
                "{\"linkId\": \"H1/T1/Q\(number)\", \"answer\": [{\"valueCoding\": {\"code\": \"\(code)\"}}]}"
            }
            return TestFHIR.response(
                item: """
                    [{"linkId": "H1/T1", "item": [\(items.joined(separator: ", "))]}, {"linkId": "H1/TS", "answer":
                    [{"valueQuantity": {"value": 13, "unit": "{score}"}}]}]
                    """, replacing: ["subject": "{\"reference\": \"http://example.org/fhir/Patient/proband\"}"])
        }
        let all = (1...9).map { ($0, codes[$0 % 4]) }
        let mapped = try QuestionnaireMapping.map(try TestFHIR.read(response(all)), plan: plan, definition: definition)
        #expect(mapped.groups.count == 1)
        #expect(mapped.groups[0].items.count == 10)
        #expect(mapped.groups[0].items.last?.short == "H1/TS=13 {score}")
        #expect(mapped.warnings.isEmpty)
        let eight = try QuestionnaireMapping.map(
            try TestFHIR.read(response(Array(all.dropLast()))), plan: plan, definition: definition)
        #expect(eight.warnings.map(\.code) == [.required])
        #expect(throws: FHIRRefusal.self) {
            try QuestionnaireMapping.map(
                try TestFHIR.read(response([(1, "Always")])), plan: plan, definition: definition)
        }
    }
}
