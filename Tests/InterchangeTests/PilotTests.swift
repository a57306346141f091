import Foundation
import Interchange
import Testing
import Trial

@Suite(.enabled(if: TestFiles.hasPilot, "the CDISC pilot is not beside the package"))
struct PilotTests {
    private struct Totals: Decodable {
        struct Counts: Decodable, Equatable {
            var subjects: Int
            var forms: Int
            var values: Int
        }
        var subjects: Int
        var forms: Int
        var values: Int
        var sites: [String: Counts]
    }

    private func definition() throws -> StudyDefinition {
        let bytes = try TestFiles.bytes(TestFiles.pilot.appending(path: "study.xml"))
        let (definition, report) = ODMMetadataReader.read(bytes: bytes, fileName: "study.xml")
        guard let definition else { throw TestFailure(report.text()) }
        return definition
    }

    private func plan() throws -> (TrialPlan, SiteDivision) {
        let (plan, planReport) = TrialPlanReader.read(
            bytes: try TestFiles.bytes(TestFiles.pilot.appending(path: "plan.yaml")), fileName: "plan.yaml")
        let (division, divisionReport) = SiteDivisionReader.read(
            bytes: try TestFiles.bytes(TestFiles.pilot.appending(path: "sites.csv")), fileName: "sites.csv")
        guard let plan, let division else { throw TestFailure(planReport.text() + divisionReport.text()) }
        return (plan, division)
    }

    @Test func `every site's file is right, and its counts are those of totals json`() throws {
        let definition = try definition()
        let totals = try JSONDecoder().decode(
            Totals.self, from: Data(contentsOf: TestFiles.pilot.appending(path: "totals.json")))
        var counted = Totals(subjects: 0, forms: 0, values: 0, sites: [:])
        for file in try TestFiles.pilotSites() {
            let summary = ODMClinicalReader(definition: definition).check(bytes: file.bytes, fileName: file.name)
            #expect(summary.report.problems.isEmpty, "\(summary.report.text())")
            let site = String(file.name.dropFirst("site-".count).dropLast(".xml".count))
            counted.sites[site] = .init(
                subjects: summary.subjectCount, forms: summary.formCount, values: summary.itemCount)
            counted.subjects += summary.subjectCount
            counted.forms += summary.formCount
            counted.values += summary.itemCount
        }
        #expect(counted.sites == totals.sites)
        #expect(counted.subjects == totals.subjects)
        #expect(counted.forms == totals.forms)
        #expect(counted.values == totals.values)
    }

    @Test func `reading, writing and reading again gives the same, and the sets compare equal`() throws {
        let definition = try definition()
        let files = try TestFiles.pilotSites()
        var written: [NamedFile] = []
        for file in files {
            let reader = ODMClinicalReader(definition: definition)
            let (data, _) = reader.readAll(bytes: file.bytes, fileName: file.name)
            let header = ODMFileHeader(
                fileOID: "again", creationDateTime: "2026-01-01T00:00:00Z", studyOID: data.studyOID,
                metaDataVersionOID: data.metaDataVersionOID)
            let bytes = try ODMWriter.document(header: header, subjects: data.subjects)
            let (again, summary) = reader.readAll(bytes: bytes, fileName: file.name)
            #expect(summary.report.problems.isEmpty)
            #expect(again == data)
            written.append(NamedFile(name: file.name, bytes: bytes))
        }
        let result = ODMComparison.differences(files, written)
        #expect(result.areEqual, "\(result.text)")
        #expect(result.itemsInFirst == 163_074)
    }

    @Test func `the normal form of every value's normal form is itself`() throws {
        let definition = try definition()
        for file in try TestFiles.pilotSites() {
            let (data, _) = ODMClinicalReader(definition: definition).readAll(bytes: file.bytes, fileName: file.name)
            for subject in data.subjects {
                for group in subject.events.flatMap(\.forms).flatMap(\.groups) {
                    for datum in group.items {
                        let item = try #require(definition.items[datum.item])
                        let once = try ValueNormaliser.normalForm(of: datum.value ?? "", as: item.dataType)
                        let twice = try ValueNormaliser.normalForm(of: once, as: item.dataType)
                        if once != twice { Issue.record("\(datum.item) of \(subject.subjectKey)") }
                    }
                }
            }
        }
    }

    @Test func `plan, division and study fit, and the rules give the known numbers`() throws {
        let definition = try definition()
        let (plan, division) = try plan()
        let report = TrialPlanCheck.check(plan, fileName: "plan.yaml", definition: definition, division: division)
        #expect(report.problems.isEmpty, "\(report.text())")
        var statuses: [ParticipantStatus: Int] = [:]
        var includedInWest = 0
        var screenedInWest = 0
        for file in try TestFiles.pilotSites() {
            let (data, _) = ODMClinicalReader(definition: definition).readAll(bytes: file.bytes, fileName: file.name)
            for subject in data.subjects {
                var reached: Set<ParticipantStatus> = []
                for event in subject.events {
                    for form in event.forms {
                        reached.formUnion(plan.impliedStatuses(of: form, event: event.event).map(\.status))
                    }
                }
                for status in reached { statuses[status, default: 0] += 1 }
                let location = try #require(subject.site.flatMap { division.location(of: $0) })
                if plan.studySite(of: location)?.isRegional == true {
                    screenedInWest += reached.contains(.screened) ? 1 : 0
                    includedInWest += reached.contains(.included) ? 1 : 0
                }
            }
        }
        #expect(statuses == [.screened: 306, .screenFailure: 52, .included: 254])
        #expect(screenedInWest == 79)
        #expect(includedInWest == 65)
    }
}
