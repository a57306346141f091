import EventLog
import Foundation
import Interchange
import Testing
import Trial

/// Batches and responses made by hand.
enum TestFHIR {
    static let url = "https://example.org/Questionnaire/pain"
    static let plan = """
        study: S/1 a
        mode: training
        coordinating: [norcrin]
        studySites:
          - {id: west, name: West, locations: [a]}
        subjectIdentifierSystem: urn:example:participant
        questionnaires:
          - questionnaire: https://example.org/Questionnaire/pain
            form: F.DM
            events: [SE.ONE]
            answeredBy: patient
            items:
              age: IT.AGE
              sex: {item: IT.SEX, group: IG.DM, codeSystem: urn:example:sex}
              when: {item: IT.WHEN, group: IG.DM}
              rows: {group: IG.ROW}
              row-when: {item: IT.WHEN, group: IG.ROW}
            headings: [intro]
        """

    /// A small study like the one of the other tests, in which nothing is restricted or identifying.
    static func definition() throws -> StudyDefinition {
        let text = SmallStudy.metadata.replacing(
            "<ItemRef ItemOID=\"IT.NAME\" OrderNumber=\"4\" Mandatory=\"No\"/>\n", with: ""
        )
        .replacing(" varde:Class=\"restricted:unblinding\"", with: "")
        let (definition, report) = ODMMetadataReader.read(bytes: [UInt8](text.utf8), fileName: "small.xml")
        return try #require(definition, "\(report.text())")
    }

    static func trialPlan(_ text: String = plan) throws -> TrialPlan {
        let (plan, report) = TrialPlanReader.read(bytes: [UInt8](text.utf8), fileName: "plan.yaml")
        return try #require(plan, "\(report.text())")
    }

    /// A response that is right, with `item` as given; members can be left out, or replaced by other JSON.
    static func response(
        item: String = "[]", without: Set<String> = [], replacing: [String: String] = [:], adding: String = ""
    ) -> String {
        let members = [
            ("resourceType", "\"QuestionnaireResponse\""),
            ("identifier", "{\"system\": \"urn:example:app\", \"value\": \"r-1\"}"),
            ("questionnaire", "\"\(url)\""), ("status", "\"completed\""),
            ("subject", "{\"identifier\": {\"system\": \"urn:example:participant\", \"value\": \"P-1\"}}"),
            ("authored", "\"2026-03-29T02:30:00+01:00\""), ("item", item),
        ]
        let kept = members.filter { !without.contains($0.0) }.map { "  \"\($0.0)\": \(replacing[$0.0] ?? $0.1)" }
        return "{\n" + kept.joined(separator: ",\n") + adding + "\n}"
    }

    static func entry(_ resource: String) -> String {
        "{\"request\": {\"method\": \"POST\", \"url\": \"QuestionnaireResponse\"}, \"resource\":  \(resource) }"
    }

    static func bundle(_ resources: [String]) -> [UInt8] {
        [UInt8](
            "{\"resourceType\": \"Bundle\", \"type\": \"batch\", \"entry\": [\(resources.map(entry).joined(separator: ", "))]}"
                .utf8)
    }

    /// Reads one response in a batch of its own.
    static func read(_ resource: String) throws -> QuestionnaireResponseSubmission {
        try #require(try FHIRBatchReader.read(bundle([resource])).entries.first).get()
    }

    /// The refusal of one response, or nil where it is taken.
    static func refusal(_ resource: String) throws -> FHIRRefusal? {
        let entry = try #require(try FHIRBatchReader.read(bundle([resource])).entries.first)
        guard case .failure(let refusal) = entry else { return nil }
        return refusal
    }

    /// Maps one response.
    static func map(_ item: String, plan: TrialPlan, definition: StudyDefinition) throws -> MappedResponse {
        try QuestionnaireMapping.map(try read(response(item: item)), plan: plan, definition: definition)
    }
}

extension FHIRRefusal {
    /// The errors' codes with where they are.
    var errors: [String] {
        outcome.issues.filter { $0.severity == .error }.map { "\($0.code.rawValue) \($0.expression ?? "")" }
    }
}

extension EnteredItem {
    /// Item, value and unit in short.
    var short: String {
        guard case .datum(let text, let unit) = value else { return "\(item)=?" }
        return "\(item)=\(text)" + (unit.map { " \($0)" } ?? "")
    }
}

extension MappedResponse {
    /// Groups with their items in short.
    var short: [String] {
        groups.map { "\($0.group.oid): " + $0.items.map(\.short).joined(separator: ", ") }
    }
}
