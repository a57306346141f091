import EventLog
import Foundation
import Interchange
import Node
import Testing
import Trial

extension AcceptanceTests {
    struct ExportTests {
        /// An adverse event as a file has it.
        private func adverseEvent(_ key: String, _ term: String, position: Int) -> ODMStudyEventData {
            ODMStudyEventData(
                event: "SE.AE", repeatKey: key,
                forms: [
                    ODMFormData(
                        form: "F.AE",
                        groups: [
                            ODMItemGroupData(group: "IG.AE", items: [ODMItemData(item: "IT.AETERM", value: term)])
                        ], position: position)
                ])
        }

        /// The adverse events of an export: key and term, in their order.
        private func adverseEvents(_ document: String) -> [String] {
            document.components(separatedBy: "StudyEventOID=\"SE.AE\"").dropFirst().map { event in
                let key = event.components(separatedBy: "StudyEventRepeatKey=\"").dropFirst().first ?? ""
                let value = event.components(separatedBy: "ItemOID=\"IT.AETERM\" Value=\"").dropFirst().first ?? ""
                return "\(key.prefix { $0 != "\"" }) \(value.prefix { $0 != "\"" })"
            }
        }

        @Test func `imported keys keep their order and the entered ones get free numbers, whatever keys are`()
            async throws
        {
            try await withScratch { scratch in
                var source = try TestStudies.western(participants: 1)
                let filled = source.invented.first(where: { !$0.clinicalData.subjects.isEmpty })
                let site = try required(filled, "site with a participant")
                var data = site.clinicalData
                var subject = try required(data.subjects.first, "participant")
                let label = subject.subjectKey
                subject.events.removeAll { $0.event == "SE.AE" }
                let imported = [("10", "ten"), ("B", "bee"), ("2", "two"), ("1x", "text"), ("1", "one"), ("A", "ay")]
                for (place, event) in imported.enumerated() {
                    subject.events.append(adverseEvent(event.0, event.1, position: subject.formCount + place))
                }
                data.subjects = [subject]
                source.invented = [SyntheticSite(location: site.location, clinicalData: data)]
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                let study = try await network.load()
                try await network.untilEqual(network.nodes)

                let nurse = Nurse(study: study)
                let centre = TestStudies.norcrin
                try await network.record(nurse.delegation(at: TestStudies.west), at: TestStudies.haukeland)
                let report = try await network.participant(label, of: study, at: TestStudies.haukeland)
                for term in ["entered first", "entered second"] {
                    try await network.record(nurse.adverseEvent(term, of: report), at: TestStudies.haukeland)
                }
                try await network.untilEqual(network.nodes)
                func export(at node: NodeID) async throws -> String {
                    let file = scratch.path + "/\(node).xml"
                    let result = try await scratch.varde(
                        "export", "odm", "--dir", network.directory(node).path, "--study", "VARDE.SCIATICA", "--out",
                        file)
                    #expect(result.status == 0, "\(result.text)")
                    return try String(contentsOfFile: file, encoding: .utf8)
                }
                let document = try await export(at: centre)
                let lines = adverseEvents(document)
                #expect(
                    lines.filter { !$0.contains("entered") } == [
                        "1 one", "2 two", "10 ten", "1x text", "A ay", "B bee",
                    ])
                // 1 and 2 are taken.
                #expect(Set(lines.filter { $0.contains("entered") }.map { $0.prefix(1) }) == ["3", "4"])
                #expect(lines.count == imported.count + 2)
                #expect(adverseEvents(try await export(at: TestStudies.stavanger)) == lines)
            }
        }
    }
}
