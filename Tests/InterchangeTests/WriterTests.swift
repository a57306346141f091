import Interchange
import Testing
import Trial

struct WriterTests {
    private static let header = ODMFileHeader(
        fileOID: "X", creationDateTime: "2026-01-01T00:00:00Z", studyOID: "S", metaDataVersionOID: "M")

    /// A participant with everything that the model can say, awkward characters in every place that allows them.
    private static let subject: ODMSubjectData = {
        let record = ODMAuditRecord(
            user: "U <&>\"'", location: "L/1", dateTimeStamp: "2026-01-01T10:00:00+01:00",
            reasonForChange: "typed <wrong> & \"late\"\r\nsecond line", sourceID: "paper ]]> 7",
            editPoint: "Monitoring",
            usedImputationMethod: "No", id: "a1")
        let items = [
            ODMItemData(item: "I.1", value: "  tab\t, line\n, return\r, <&>\"' æøå 👩‍⚕️ e\u{301} "),
            ODMItemData(item: "I.2", value: nil, auditRecord: record),
            ODMItemData(item: "I.3", value: "", measurementUnit: "MU"),
            ODMItemData(item: "I.4", value: "1.50", measurementUnit: "MU & more", auditRecord: record),
        ]
        let groups = [
            ODMItemGroupData(group: "G", repeatKey: "k \"1\"", auditRecord: record, items: items),
            ODMItemGroupData(group: "G", repeatKey: "2", items: []),
        ]
        let forms = [
            ODMFormData(form: "F", repeatKey: nil, auditRecord: record, groups: groups, position: 0),
            ODMFormData(form: "F.EMPTY", groups: [], position: 1),
        ]
        return ODMSubjectData(
            subjectKey: "P 1", site: "L/1", auditRecord: record,
            events: [
                ODMStudyEventData(event: "E", repeatKey: "1", auditRecord: record, forms: forms),
                ODMStudyEventData(event: "E", repeatKey: "2", forms: []),
            ])
    }()

    @Test func `what is written is read back equal`() throws {
        let bare = ODMSubjectData(subjectKey: "P 2", site: nil, events: [])
        let bytes = try ODMWriter.document(header: WriterTests.header, subjects: [WriterTests.subject, bare])
        let (data, summary) = ODMClinicalReader(definition: nil).readAll(bytes: bytes, fileName: "w")
        #expect(summary.report.problems.isEmpty, "\(summary.report.text())")
        #expect(data.subjects == [WriterTests.subject, bare])
        #expect(data.studyOID == "S")
        // Swift compares strings by canonical equivalence; a value has to come back byte for byte.
        let first = try #require(data.subjects.first?.events.first?.forms.first?.groups.first?.items.first?.value)
        let written = try #require(WriterTests.subject.events.first?.forms.first?.groups.first?.items.first?.value)
        #expect(Array(first.utf8) == Array(written.utf8))
    }

    @Test func `equal data give equal bytes in the schema's order`() throws {
        let form = ODMFormData(
            form: "F", repeatKey: "2",
            auditRecord: ODMAuditRecord(user: "U", location: "L", dateTimeStamp: "2026-01-01T00:00:00Z"),
            groups: [
                ODMItemGroupData(
                    group: "G",
                    items: [
                        ODMItemData(item: "A", value: "a<b"), ODMItemData(item: "B", value: nil),
                        ODMItemData(item: "C", value: "1", measurementUnit: "MU"),
                    ])
            ], position: 0)
        let subject = ODMSubjectData(
            subjectKey: "P", site: "L", events: [ODMStudyEventData(event: "E", repeatKey: "1", forms: [form])])
        let bytes = try ODMWriter.document(header: WriterTests.header, subjects: [subject])
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                <?xml version="1.0" encoding="UTF-8"?>
                <ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Snapshot" FileOID="X" CreationDateTime="2026-01-01T00:00:00Z" ODMVersion="1.3.2">
                <ClinicalData StudyOID="S" MetaDataVersionOID="M">
                <SubjectData SubjectKey="P"><SiteRef LocationOID="L"/>
                <StudyEventData StudyEventOID="E" StudyEventRepeatKey="1">
                <FormData FormOID="F" FormRepeatKey="2">
                <AuditRecord><UserRef UserOID="U"/><LocationRef LocationOID="L"/><DateTimeStamp>2026-01-01T00:00:00Z</DateTimeStamp></AuditRecord>
                <ItemGroupData ItemGroupOID="G">
                <ItemData ItemOID="A" Value="a&lt;b"/>
                <ItemData ItemOID="B" IsNull="Yes"/>
                <ItemData ItemOID="C" Value="1"><MeasurementUnitRef MeasurementUnitOID="MU"/></ItemData>
                </ItemGroupData>
                </FormData>
                </StudyEventData>
                </SubjectData>
                </ClinicalData></ODM>

                """)
    }

    @Test(arguments: ["\u{0}", "\u{B}", "a\u{1F}b", "\u{FFFE}", "x\u{FFFF}"])
    func `a character that XML cannot hold is an error, and nothing of the participant is written`(value: String) throws
    {
        let form = ODMFormData(
            form: "F", groups: [ODMItemGroupData(group: "G", items: [ODMItemData(item: "I", value: value)])],
            position: 0)
        let subject = ODMSubjectData(
            subjectKey: "P", site: nil, events: [ODMStudyEventData(event: "E", forms: [form])])
        var pieces: [[UInt8]] = []
        var writer = ODMWriter(header: WriterTests.header) { pieces.append($0) }
        try writer.begin()
        let error = #expect(throws: ODMWriterError.self) { try writer.write(subject) }
        #expect(pieces.count == 1)
        #expect(error?.description.contains("ItemData I") == true)
        try writer.finish()
        let (data, summary) = ODMClinicalReader(definition: nil).readAll(bytes: pieces.flatMap(\.self), fileName: "w")
        #expect(!summary.report.hasErrors)
        #expect(data.subjects.isEmpty)
    }

    @Test func `an empty key is an error`() {
        let subject = ODMSubjectData(subjectKey: "", site: nil, events: [])
        #expect(throws: ODMWriterError.emptyKey([ImportPathStep("SubjectData", "")], attribute: "SubjectKey")) {
            _ = try ODMWriter.document(header: WriterTests.header, subjects: [subject])
        }
    }

    @Test func `random text in every place comes back`() throws {
        let alphabet = Array("ab<>&\"' \t\n\r]é\u{301}\u{85}\u{2028}\u{E000}😀;#x0")
        var random = TestRandom(seed: 5)
        func text(_ random: inout TestRandom) -> String {
            String(
                (0..<Int.random(in: 1...12, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
        }
        for _ in 0..<300 {
            let item = ODMItemData(item: ItemOID(text(&random)), value: text(&random))
            let form = ODMFormData(
                form: FormOID(text(&random)), repeatKey: text(&random),
                groups: [ODMItemGroupData(group: ItemGroupOID(text(&random)), items: [item])], position: 0)
            let subject = ODMSubjectData(
                subjectKey: text(&random), site: nil,
                events: [ODMStudyEventData(event: StudyEventOID(text(&random)), forms: [form])])
            let bytes = try ODMWriter.document(header: WriterTests.header, subjects: [subject])
            let (data, summary) = ODMClinicalReader(definition: nil).readAll(bytes: bytes, fileName: "w")
            #expect(summary.report.problems.isEmpty, "\(summary.report.text())")
            #expect(data.subjects == [subject])
        }
    }
}
