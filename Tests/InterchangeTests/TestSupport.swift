import Foundation
import Interchange
import Testing
import Trial

/// Files of the package and beside it, found from this file's own place.
enum TestFiles {
    static let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// Real material beside the package, or one level up where the package is a working tree among others.
    static let sharedData =
        ["../shared/data", "../../shared/data"].map { packageRoot.appending(path: $0) }
        .first { FileManager.default.fileExists(atPath: $0.path) } ?? packageRoot.appending(path: "../shared/data")
    static let pilot = sharedData.appending(path: "cdiscpilot")
    static let odmExamples = sharedData.appending(path: "odm")
    static let refero = sharedData.appending(path: "fhir/refero")
    static let sciatica = packageRoot.appending(path: "Protocols/Studies/sciatica")

    /// Whether the CDISC pilot is beside the package.
    static var hasPilot: Bool { FileManager.default.fileExists(atPath: pilot.appending(path: "study.xml").path) }
    static var hasRefero: Bool {
        FileManager.default.fileExists(atPath: refero.appending(path: "syncQuestionnaireResponse.q.json").path)
    }
    static var hasODMExamples: Bool {
        FileManager.default.fileExists(atPath: odmExamples.appending(path: "protocol-study.odm1_3_2.xml").path)
    }

    static func bytes(_ url: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: url)) }

    /// The pilot's site files, by name.
    static func pilotSites() throws -> [NamedFile] {
        try FileManager.default.contentsOfDirectory(atPath: pilot.path).sorted().filter {
            $0.hasPrefix("site-") && $0.hasSuffix(".xml")
        }.map { NamedFile(name: $0, bytes: try bytes(pilot.appending(path: $0))) }
    }
}

/// A fault put into a file that is right: some text replaced by other text.
struct Fault: Sendable, CustomTestStringConvertible {
    var name: String
    var old: String
    var new: String
    var kind: ImportProblemKind
    /// Text on the line that is to be named; nil where the line does not matter.
    var lineOf: String?
    /// What the report's path or reason has to name.
    var names: String

    var testDescription: String { name }

    init(_ name: String, _ old: String, _ new: String, _ kind: ImportProblemKind, at lineOf: String?, names: String) {
        self.name = name
        self.old = old
        self.new = new
        self.kind = kind
        self.lineOf = lineOf
        self.names = names
    }

    func applied(to text: String) -> String {
        precondition(text.contains(old), "\(name): the text to replace is not there")
        return text.replacing(old, with: new, maxReplacements: 1)
    }

    /// The line, from 1, on which ``lineOf`` first stands in the faulty text.
    func line(in text: String) -> Int? {
        lineOf.flatMap { wanted in
            text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains(wanted) }
        }.map { $0 + 1 }
    }
}

extension ImportProblem {
    /// Everything a person reads of it but the place.
    var words: String { path.map(\.text).joined(separator: " / ") + " " + reason }
}

/// A small study with everything that checks look at, one element a line.
enum SmallStudy {
    static let metadata = """
        <?xml version="1.0" encoding="UTF-8"?>
        <ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:varde="https://varde.no/ns/odm/1" FileType="Snapshot" FileOID="F" CreationDateTime="2026-01-01T00:00:00Z" ODMVersion="1.3.2">
        <Study OID="S/1 a">
        <GlobalVariables><StudyName>Small</StudyName><StudyDescription>A study</StudyDescription><ProtocolName>P</ProtocolName></GlobalVariables>
        <BasicDefinitions>
        <MeasurementUnit OID="MU.KG" Name="kg"><Symbol><TranslatedText xml:lang="en">kg</TranslatedText></Symbol></MeasurementUnit>
        <MeasurementUnit OID="MU.LB" Name="lb"><Symbol><TranslatedText xml:lang="en">lb</TranslatedText></Symbol></MeasurementUnit>
        </BasicDefinitions>
        <MetaDataVersion OID="MDV.1" Name="One">
        <Protocol>
        <StudyEventRef StudyEventOID="SE.ONE" OrderNumber="1" Mandatory="Yes"/>
        <StudyEventRef StudyEventOID="SE.AE" OrderNumber="2" Mandatory="No"/>
        </Protocol>
        <StudyEventDef OID="SE.ONE" Name="Visit one" Repeating="No" Type="Scheduled">
        <FormRef FormOID="F.DM" OrderNumber="2" Mandatory="Yes"/>
        <FormRef FormOID="F.PRO" OrderNumber="1" Mandatory="No"/>
        </StudyEventDef>
        <StudyEventDef OID="SE.AE" Name="Events" Repeating="Yes" Type="Unscheduled">
        <FormRef FormOID="F.AE" Mandatory="No"/>
        </StudyEventDef>
        <FormDef OID="F.DM" Name="Demography" Repeating="No">
        <ItemGroupRef ItemGroupOID="IG.DM" OrderNumber="1" Mandatory="Yes"/>
        <ItemGroupRef ItemGroupOID="IG.ROW" OrderNumber="2" Mandatory="No"/>
        </FormDef>
        <FormDef OID="F.PRO" Name="Questionnaire" Repeating="No" varde:Whole="Yes">
        <ItemGroupRef ItemGroupOID="IG.ROW" Mandatory="Yes"/>
        </FormDef>
        <FormDef OID="F.AE" Name="Adverse event" Repeating="Yes">
        <ItemGroupRef ItemGroupOID="IG.ROW" Mandatory="Yes"/>
        </FormDef>
        <ItemGroupDef OID="IG.DM" Name="Demography" Repeating="No" Domain="DM">
        <ItemRef ItemOID="IT.AGE" OrderNumber="1" Mandatory="Yes"/>
        <ItemRef ItemOID="IT.SEX" OrderNumber="2" Mandatory="Yes" CollectionExceptionConditionOID="C.1"/>
        <ItemRef ItemOID="IT.WEIGHT" OrderNumber="3" Mandatory="No" MethodOID="M.1"/>
        <ItemRef ItemOID="IT.NAME" OrderNumber="4" Mandatory="No"/>
        <ItemRef ItemOID="IT.WHEN" OrderNumber="5" Mandatory="No"/>
        </ItemGroupDef>
        <ItemGroupDef OID="IG.ROW" Name="Row" Repeating="Yes">
        <ItemRef ItemOID="IT.NOTE" Mandatory="No"/>
        <ItemRef ItemOID="IT.WHEN" Mandatory="No"/>
        </ItemGroupDef>
        <ItemDef OID="IT.AGE" Name="Age" DataType="integer" Length="3">
        <Question><TranslatedText xml:lang="nb">Alder</TranslatedText><TranslatedText xml:lang="en">Age</TranslatedText></Question>
        <RangeCheck Comparator="GE" SoftHard="Hard">
        <CheckValue>18</CheckValue><ErrorMessage><TranslatedText xml:lang="en">Adults only</TranslatedText></ErrorMessage></RangeCheck>
        <RangeCheck Comparator="LE" SoftHard="Soft">
        <CheckValue>90</CheckValue></RangeCheck>
        </ItemDef>
        <ItemDef OID="IT.SEX" Name="Sex" DataType="text" Length="1">
        <CodeListRef CodeListOID="CL.SEX"/>
        </ItemDef>
        <ItemDef OID="IT.WEIGHT" Name="Weight" DataType="float" SignificantDigits="1">
        <MeasurementUnitRef MeasurementUnitOID="MU.KG"/>
        </ItemDef>
        <ItemDef OID="IT.NAME" Name="Name" DataType="text" varde:Class="identifying">
        </ItemDef>
        <ItemDef OID="IT.NOTE" Name="Note" DataType="text" Length="20" varde:Class="restricted:unblinding" varde:FreeText="No">
        </ItemDef>
        <ItemDef OID="IT.WHEN" Name="When" DataType="partialDatetime">
        </ItemDef>
        <CodeList OID="CL.SEX" Name="Sex" DataType="text">
        <CodeListItem CodedValue="F"><Decode><TranslatedText xml:lang="en">Female</TranslatedText></Decode></CodeListItem>
        <CodeListItem CodedValue="M"><Decode><TranslatedText xml:lang="en">Male</TranslatedText></Decode></CodeListItem>
        </CodeList>
        <ConditionDef OID="C.1" Name="Never"><Description><TranslatedText>Never</TranslatedText></Description></ConditionDef>
        <MethodDef OID="M.1" Name="Half"><Description><TranslatedText>Half</TranslatedText></Description></MethodDef>
        </MetaDataVersion>
        </Study>
        <AdminData StudyOID="S/1 a">
        <User OID="U.1"><FirstName>Kari</FirstName><LastName>Nordmann</LastName><LocationRef LocationOID="L.1"/></User>
        <Location OID="L.1" Name="Hospital" LocationType="Site"><MetaDataVersionRef StudyOID="S/1 a" MetaDataVersionOID="MDV.1" EffectiveDate="2026-01-01"/></Location>
        </AdminData>
        </ODM>
        """

    /// Clinical data that are right, one element a line.
    static let clinical = """
        <?xml version="1.0" encoding="UTF-8"?>
        <ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Snapshot" FileOID="C" CreationDateTime="2026-01-02T00:00:00Z" ODMVersion="1.3.2">
        <ClinicalData StudyOID="S/1 a" MetaDataVersionOID="MDV.1">
        <SubjectData SubjectKey="P-1">
        <SiteRef LocationOID="L.1"/>
        <StudyEventData StudyEventOID="SE.ONE">
        <FormData FormOID="F.DM">
        <AuditRecord><UserRef UserOID="U.1"/><LocationRef LocationOID="L.1"/><DateTimeStamp>2026-01-02T09:00:00Z</DateTimeStamp></AuditRecord>
        <ItemGroupData ItemGroupOID="IG.DM">
        <ItemData ItemOID="IT.AGE" Value="44"/>
        <ItemData ItemOID="IT.SEX" Value="F"/>
        <ItemData ItemOID="IT.WEIGHT" Value="71.50"><MeasurementUnitRef MeasurementUnitOID="MU.KG"/></ItemData>
        </ItemGroupData>
        <ItemGroupData ItemGroupOID="IG.ROW" ItemGroupRepeatKey="1">
        <ItemData ItemOID="IT.NOTE" Value="SECRETVALUE"/>
        <ItemData ItemOID="IT.WHEN" Value="2026-01"/>
        </ItemGroupData>
        </FormData>
        </StudyEventData>
        <StudyEventData StudyEventOID="SE.AE" StudyEventRepeatKey="1">
        <FormData FormOID="F.AE" FormRepeatKey="1">
        <ItemGroupData ItemGroupOID="IG.ROW" ItemGroupRepeatKey="1">
        <ItemData ItemOID="IT.NOTE" IsNull="Yes"/>
        </ItemGroupData>
        </FormData>
        </StudyEventData>
        </SubjectData>
        <SubjectData SubjectKey="P-2">
        <SiteRef LocationOID="L.1"/>
        <StudyEventData StudyEventOID="SE.ONE">
        <FormData FormOID="F.PRO">
        <ItemGroupData ItemGroupOID="IG.ROW" ItemGroupRepeatKey="1">
        <ItemData ItemOID="IT.WHEN" Value="2026"/>
        </ItemGroupData>
        </FormData>
        </StudyEventData>
        </SubjectData>
        </ClinicalData>
        </ODM>
        """

    static func definition() throws -> StudyDefinition {
        let (definition, report) = ODMMetadataReader.read(bytes: [UInt8](metadata.utf8), fileName: "small.xml")
        guard let definition else { throw TestFailure(report.text()) }
        return definition
    }
}

/// What a test's own preparation failed with.
struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Random numbers of a seed, the same on every machine.
typealias TestRandom = SeededGenerator
