import Foundation
import Interchange
import Testing
import Trial

struct ShippedStudyTests {
    private func study() throws -> (StudyDefinition, TrialPlan, SiteDivision) {
        let (definition, first) = ODMMetadataReader.read(
            bytes: try TestFiles.bytes(TestFiles.sciatica.appending(path: "study.xml")), fileName: "study.xml")
        let (plan, second) = TrialPlanReader.read(
            bytes: try TestFiles.bytes(TestFiles.sciatica.appending(path: "plan.yaml")), fileName: "plan.yaml")
        let (division, third) = SiteDivisionReader.read(
            bytes: try TestFiles.bytes(TestFiles.sciatica.appending(path: "sites.csv")), fileName: "sites.csv")
        var report = first
        report.add(second)
        report.add(third)
        guard let definition, let plan, let division, report.problems.isEmpty else { throw TestFailure(report.text()) }
        return (definition, plan, division)
    }

    @Test func `the shipped trial is right and its parts fit`() throws {
        let (definition, plan, division) = try study()
        let report = TrialPlanCheck.check(plan, fileName: "plan.yaml", definition: definition, division: division)
        #expect(report.problems.isEmpty, "\(report.text())")
        #expect(plan.recruitment?.target == 150)
        #expect(division.nodes.count == 6)
        #expect(plan.studySites.filter(\.isRegional).map(\.locations.count) == [4])
        #expect(definition.forms["F.DIARY"]?.isWhole == true)
        #expect(definition.events["SE.DIARY"]?.isRepeating == true)
        #expect(definition.items.filter { $0.itemClass == .identifying }.count == 3)
        for row in division.rows {
            #expect(definition.locations.contains { division.location(of: $0.oid) == row.location })
        }
    }

    @Test func `everything people read is there in Norwegian and English`() throws {
        let (definition, _, _) = try study()
        var texts: [TranslatedTexts] = definition.items.map(\.question)
        texts += definition.items.flatMap(\.rangeChecks).map(\.message)
        texts += definition.codeLists.flatMap(\.entries).map(\.decode)
        texts += definition.events.map(\.description) + definition.forms.map(\.description)
        texts += definition.itemGroups.map(\.description) + definition.conditions.map(\.description)
        texts += definition.measurementUnits.map(\.symbol)
        for text in texts { #expect(text.all.map(\.language) == ["nb", "en"], "\(text)") }
    }

    @Test func `made-up participants are right, as many as asked for, and the same for a seed`() throws {
        let (definition, plan, division) = try study()
        func make(_ count: Int, _ seed: UInt64) -> [SyntheticSite] {
            SyntheticParticipants.make(definition: definition, plan: plan, division: division, count: count, seed: seed)
        }
        let sites = make(150, 7)
        #expect(sites == make(150, 7))
        #expect(sites != make(150, 8))
        #expect(sites.reduce(0) { $0 + $1.clinicalData.subjects.count } == 150)
        #expect(sites.map { "\($0.location)" } == plan.studySites.flatMap(\.locations).map { "\($0)" })
        #expect(make(0, 1).allSatisfy { $0.clinicalData.subjects.isEmpty })
        #expect(make(7, 1).reduce(0) { $0 + $1.clinicalData.subjects.count } == 7)
        var statuses: [ParticipantStatus: Int] = [:]
        for site in sites {
            let header = ODMFileHeader(
                fileOID: "made up", creationDateTime: "2026-01-01T00:00:00Z", studyOID: definition.studyOID,
                metaDataVersionOID: definition.metaDataVersionOID)
            let bytes = try ODMWriter.document(header: header, subjects: site.clinicalData.subjects)
            let (data, summary) = ODMClinicalReader(definition: definition).readAll(bytes: bytes, fileName: "made up")
            #expect(summary.report.problems.isEmpty, "\(summary.report.text())")
            #expect(data == site.clinicalData)
            for subject in data.subjects {
                var reached: Set<ParticipantStatus> = []
                for event in subject.events {
                    for form in event.forms {
                        reached.formUnion(plan.impliedStatuses(of: form, event: event.event).map(\.status))
                        for item in form.groups.flatMap(\.items) {
                            #expect(definition.items[item.item]?.itemClass == .open)
                        }
                    }
                }
                #expect(reached.isSuperset(of: [.screened, .consented]))
                #expect(reached.contains(.included) != reached.contains(.screenFailure))
                for status in reached { statuses[status, default: 0] += 1 }
            }
        }
        #expect(statuses[.screened] == 150)
        #expect((100...140).contains(statuses[.included] ?? 0))
        for status in [ParticipantStatus.completed, .treatmentDiscontinued, .followUpDiscontinued, .withdrawn] {
            #expect((statuses[status] ?? 0) > 0)
        }
    }

    @Test func `nothing is made up after the last day asked for`() throws {
        let (definition, plan, division) = try study()
        let last = try #require(CalendarDate("2026-03-31"))
        let sites = SyntheticParticipants.make(
            definition: definition, plan: plan, division: division, count: 40, seed: 1, until: last)
        let times = sites.flatMap(\.clinicalData.subjects).flatMap(\.events).flatMap(\.forms).compactMap {
            $0.auditRecord?.dateTimeStamp
        }
        #expect(times.count > 100)
        #expect(times.allSatisfy { $0 < "2026-04-01" })
    }

    @Test(.enabled(if: TestFiles.hasPilot, "the CDISC pilot is not beside the package"))
    func `participants can be made up for a study of others`() throws {
        let (definition, _) = ODMMetadataReader.read(
            bytes: try TestFiles.bytes(TestFiles.pilot.appending(path: "study.xml")), fileName: "study.xml")
        let (plan, _) = TrialPlanReader.read(
            bytes: try TestFiles.bytes(TestFiles.pilot.appending(path: "plan.yaml")), fileName: "plan.yaml")
        let (division, _) = SiteDivisionReader.read(
            bytes: try TestFiles.bytes(TestFiles.pilot.appending(path: "sites.csv")), fileName: "sites.csv")
        let study = try #require(definition)
        let sites = SyntheticParticipants.make(
            definition: study, plan: try #require(plan), division: try #require(division), count: 60, seed: 3)
        for site in sites {
            let header = ODMFileHeader(
                fileOID: "made up", creationDateTime: "2026-01-01T00:00:00Z", studyOID: study.studyOID,
                metaDataVersionOID: study.metaDataVersionOID)
            let bytes = try ODMWriter.document(header: header, subjects: site.clinicalData.subjects)
            let summary = ODMClinicalReader(definition: study).check(bytes: bytes, fileName: "made up")
            #expect(summary.report.problems.isEmpty, "\(summary.report.text())")
        }
    }
}
