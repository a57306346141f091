import Interchange
import Testing
import Trial

struct ComparisonTests {
    private func differences(_ change: (String) -> String) -> ODMComparisonResult {
        ODMComparison.differences(
            [NamedFile(name: "a", bytes: [UInt8](SmallStudy.clinical.utf8))],
            [NamedFile(name: "b", bytes: [UInt8](change(SmallStudy.clinical).utf8))])
    }

    @Test func `equal files are equal, whatever their order and division`() throws {
        #expect(differences { $0 }.areEqual)
        let (data, _) = ODMClinicalReader(definition: nil)
            .readAll(bytes: [UInt8](SmallStudy.clinical.utf8), fileName: "a")
        let header = ODMFileHeader(
            fileOID: "X", creationDateTime: "2026-01-01T00:00:00Z", studyOID: data.studyOID,
            metaDataVersionOID: data.metaDataVersionOID)
        let files = try data.subjects.reversed().map { subject in
            var turned = subject
            turned.events.reverse()
            return NamedFile(
                name: subject.subjectKey, bytes: try ODMWriter.document(header: header, subjects: [turned]))
        }
        let result = ODMComparison.differences(
            [NamedFile(name: "a", bytes: [UInt8](SmallStudy.clinical.utf8))], files)
        #expect(result.areEqual, "\(result.text)")
        #expect(result.itemsInFirst == 7)
    }

    @Test func `a record of the form is the record of each item`() {
        let record =
            "<AuditRecord><UserRef UserOID=\"U.1\"/><LocationRef LocationOID=\"L.1\"/>"
            + "<DateTimeStamp>2026-01-02T10:00:00.0+01:00</DateTimeStamp></AuditRecord>"
        let result = differences { text in
            var moved = text.replacing(/<AuditRecord>.*<\/AuditRecord>\n/, with: "", maxReplacements: 1)
            for item in [
                "IT.AGE\" Value=\"44\"", "IT.SEX\" Value=\"F\"", "IT.NOTE\" Value=\"SECRETVALUE\"",
                "IT.WHEN\" Value=\"2026-01\"",
            ] {
                moved = moved.replacing("\(item)/>", with: "\(item)>\(record)</ItemData>")
            }
            return moved.replacing("<MeasurementUnitRef", with: "\(record)<MeasurementUnitRef")
        }
        #expect(result.areEqual, "\(result.text)")
    }

    @Test func `each kind of difference is named by its key, without values`() {
        let value = differences { $0.replacing("\"SECRETVALUE\"", with: "\"SECRETVALUF\"") }
        #expect(value.counts == [.value: 1])
        #expect(value.differences.first?.path.last == ImportPathStep("ItemData", "IT.NOTE"))
        #expect(!value.text.contains("SECRET"))
        #expect(differences { $0.replacing("09:00:00Z", with: "09:00:01Z") }.counts == [.auditRecord: 5])
        #expect(differences { $0.replacing("IsNull=\"Yes\"", with: "Value=\"x\"") }.counts == [.value: 1])
        #expect(
            differences { $0.replacing("ItemOID=\"IT.SEX\"", with: "ItemOID=\"IT.NEW\"") }.counts == [
                .onlyInFirst: 1, .onlyInSecond: 1,
            ])
        #expect(
            differences { $0.replacing("FormRepeatKey=\"1\"", with: "FormRepeatKey=\"2\"") }.counts == [
                .onlyInFirst: 1, .onlyInSecond: 1,
            ])
        #expect(
            differences { $0.replacing("SiteRef LocationOID=\"L.1\"", with: "SiteRef LocationOID=\"L.2\"") }.counts == [
                .site: 2
            ])
        #expect(differences { String($0.prefix(900)) }.report.hasErrors)
    }
}
