import Foundation
import Interchange
import Testing
import Trial

struct MetadataReaderTests {
    @Test func `a study that is right is read whole`() throws {
        let study = try SmallStudy.definition()
        #expect(study.studyOID == "S/1 a")
        #expect(study.metaDataVersionOID == "MDV.1")
        #expect(study.studyName == "Small")
        #expect(study.eventsInOrder.map(\.oid) == ["SE.ONE", "SE.AE"])
        #expect(study.events["SE.ONE"]?.forms.map(\.oid) == ["F.PRO", "F.DM"])
        #expect(study.events["SE.AE"]?.isRepeating == true)
        #expect(study.events["SE.AE"]?.type == .unscheduled)
        #expect(study.itemGroups["IG.DM"]?.items["IT.SEX"]?.collectionExceptionCondition == "C.1")
        #expect(study.itemGroups["IG.DM"]?.items["IT.WEIGHT"]?.method == "M.1")
        let age = try #require(study.items["IT.AGE"])
        #expect(age.label(preferring: ["nb"]) == "Alder")
        #expect(age.label(preferring: ["en-GB"]) == "Age")
        #expect(age.rangeChecks.map(\.severity) == [.hard, .soft])
        #expect(study.users["U.1"]?.displayName == "Kari Nordmann")
        #expect(study.users["U.1"]?.locations == ["L.1"])
        #expect(study.locations["L.1"]?.name == "Hospital")
        #expect(study.items["IT.NONE"] == nil)
    }

    @Test func `classes, whole forms and free text come from the extension`() throws {
        let study = try SmallStudy.definition()
        #expect(study.items["IT.AGE"]?.itemClass == .open)
        #expect(study.items["IT.NAME"]?.itemClass == .identifying)
        #expect(study.items["IT.NOTE"]?.itemClass.text == "restricted:unblinding")
        #expect(study.items["IT.NAME"]?.isFreeText == true)
        #expect(study.items["IT.NOTE"]?.isFreeText == false)
        #expect(study.items["IT.SEX"]?.isFreeText == false)
        #expect(study.forms["F.PRO"]?.isWhole == true)
        #expect(study.forms["F.DM"]?.isWhole == false)
        #expect(study.isWhole(form: "F.PRO", group: "IG.ROW"))
        #expect(!study.isWhole(form: "F.DM", group: "IG.ROW"))
    }

    static let faults = [
        Fault("unknown form", "FormOID=\"F.AE\"", "FormOID=\"F.GONE\"", .unknownOID, at: "F.GONE", names: "F.GONE"),
        Fault(
            "unknown visit", "StudyEventOID=\"SE.AE\"", "StudyEventOID=\"SE.X\"", .unknownOID, at: "SE.X", names: "SE.X"
        ),
        Fault(
            "unknown group", "ItemGroupOID=\"IG.DM\"", "ItemGroupOID=\"IG.X\"", .unknownOID, at: "IG.X", names: "IG.X"),
        Fault("unknown item", "ItemOID=\"IT.SEX\"", "ItemOID=\"IT.X\"", .unknownOID, at: "IT.X", names: "IT.X"),
        Fault("unknown list", "CodeListOID=\"CL.SEX\"", "CodeListOID=\"CL.X\"", .unknownOID, at: "CL.X", names: "CL.X"),
        Fault(
            "unknown unit", "MeasurementUnitOID=\"MU.KG\"", "MeasurementUnitOID=\"MU.X\"", .unknownOID, at: "MU.X",
            names: "MU.X"),
        Fault(
            "unknown condition", "ConditionOID=\"C.1\"", "ConditionOID=\"C.2\"", .unknownOID, at: "C.2", names: "C.2"),
        Fault("unknown method", "MethodOID=\"M.1\"", "MethodOID=\"M.2\"", .unknownOID, at: "\"M.2\"", names: "M.2"),
        Fault(
            "unknown location", "LocationRef LocationOID=\"L.1\"", "LocationRef LocationOID=\"L.2\"", .unknownOID,
            at: "L.2", names: "L.2"),
        Fault(
            "item twice", "<ItemDef OID=\"IT.WHEN\"", "<ItemDef OID=\"IT.AGE\"", .duplicateOID,
            at: "OID=\"IT.AGE\" Name=\"When\"", names: "IT.AGE"),
        Fault(
            "reference twice", "ItemOID=\"IT.NAME\"", "ItemOID=\"IT.AGE\"", .duplicateOID, at: "OrderNumber=\"4\"",
            names: "IT.AGE"),
        Fault("code twice", "CodedValue=\"M\"", "CodedValue=\"F\"", .duplicateOID, at: ">Male<", names: "CL.SEX"),
        Fault(
            "unknown type", "DataType=\"integer\"", "DataType=\"number\"", .invalidAttribute, at: "number",
            names: "IT.AGE"),
        Fault(
            "bad type of list", "Name=\"Sex\" DataType=\"text\">\n<Code", "Name=\"Sex\" DataType=\"date\">\n<Code",
            .invalidAttribute, at: "CodeList OID", names: "CL.SEX"),
        Fault(
            "no data type", " DataType=\"integer\"", "", .missingAttribute, at: "ItemDef OID=\"IT.AGE\"",
            names: "IT.AGE"),
        Fault(
            "no mandatory", "OrderNumber=\"2\" Mandatory=\"No\"", "OrderNumber=\"2\"", .missingAttribute,
            at: "SE.AE\" OrderNumber", names: "SE.AE"),
        Fault(
            "bad repeating", "Repeating=\"Yes\" Type", "Repeating=\"Maybe\" Type", .invalidAttribute, at: "Maybe",
            names: "SE.AE"),
        Fault(
            "bad visit type", "Type=\"Unscheduled\"", "Type=\"Sometimes\"", .invalidAttribute, at: "Sometimes",
            names: "SE.AE"),
        Fault("empty OID", "OID=\"IT.NAME\" Name", "OID=\"\" Name", .invalidAttribute, at: "OID=\"\"", names: "OID"),
        Fault(
            "bad comparator", "Comparator=\"GE\"", "Comparator=\"ABOUT\"", .invalidAttribute, at: "ABOUT",
            names: "IT.AGE"),
        Fault(
            "bad severity", "SoftHard=\"Soft\"", "SoftHard=\"Medium\"", .invalidAttribute, at: "Medium", names: "IT.AGE"
        ),
        Fault(
            "check value of another type", "<CheckValue>18<", "<CheckValue>adult<", .wrongType, at: "Comparator=\"GE\"",
            names: "IT.AGE"),
        Fault(
            "check without value", "<CheckValue>90</CheckValue>", "", .missingElement, at: "Comparator=\"LE\"",
            names: "IT.AGE"),
        Fault("bad length", "Length=\"20\"", "Length=\"0\"", .invalidAttribute, at: "Length=\"0\"", names: "IT.NOTE"),
        Fault(
            "misspelt extension", "varde:Class=\"identifying\"", "varde:Clas=\"identifying\"", .unknownKey, at: "Clas=",
            names: "IT.NAME"),
        Fault(
            "misplaced extension", "ItemOID=\"IT.NAME\"", "varde:Class=\"identifying\" ItemOID=\"IT.NAME\"",
            .unknownKey, at: "OrderNumber=\"4\"", names: "ItemRef"),
        Fault(
            "bad class", "\"restricted:unblinding\"", "\"restricted:Un Blinding\"", .invalidAttribute,
            at: "Un Blinding", names: "IT.NOTE"),
        Fault(
            "bad whole", "varde:Whole=\"Yes\"", "varde:Whole=\"yes\"", .invalidAttribute, at: "\"yes\"", names: "F.PRO"),
        Fault(
            "no study name", "<StudyName>Small</StudyName>", "", .missingElement, at: "GlobalVariables",
            names: "StudyName"),
        Fault("another ODM", "ns/odm/v1.3", "ns/odm/v2.0", .unsupported, at: "ns/odm/v2.0", names: "v2.0"),
        Fault("another version", "ODMVersion=\"1.3.2\"", "ODMVersion=\"1.1\"", .unsupported, at: "1.1", names: "1.1"),
        Fault(
            "include", "<Protocol>", "<Include StudyOID=\"S\" MetaDataVersionOID=\"M\"/><Protocol>", .unsupported,
            at: "<Include", names: "Include"),
        Fault(
            "second version", "</MetaDataVersion>", "</MetaDataVersion><MetaDataVersion OID=\"MDV.2\" Name=\"Two\"/>",
            .unsupported, at: "MDV.2", names: "second"),
        Fault("tag mismatch", "</Protocol>", "</Protokoll>", .notWellFormed, at: "</Protokoll>", names: "end tag"),
        Fault(
            "attribute twice", "Name=\"One\"", "Name=\"One\" Name=\"Two\"", .notWellFormed, at: "Name=\"Two\"",
            names: "twice"),
        Fault("undefined entity", ">Alder<", ">&nbsp;<", .notWellFormed, at: "&nbsp;", names: "entity"),
        Fault(
            "undeclared prefix", "OID=\"SE.ONE\" Name", "q:OID=\"SE.ONE\" Name", .notWellFormed, at: "q:OID",
            names: "prefix"),
    ]

    @Test(arguments: faults) func `bad metadata are refused with line, OID and reason`(fault: Fault) throws {
        let text = fault.applied(to: SmallStudy.metadata)
        let (definition, report) = ODMMetadataReader.read(bytes: [UInt8](text.utf8), fileName: "bad.xml")
        #expect(definition == nil)
        let errors = report.problems.filter { $0.severity == .error }
        let found = try #require(errors.first { $0.kind == fault.kind }, "\(report.text())")
        #expect(found.line == fault.line(in: text), "\(report.text())")
        #expect(found.words.contains(fault.names), "\(found.words)")
        #expect(!found.advice.isEmpty)
        #expect(found.file == "bad.xml")
    }

    @Test func `all faults of a file are reported at once`() {
        var text = SmallStudy.metadata
        let some = MetadataReaderTests.faults.filter { [.unknownOID, .duplicateOID].contains($0.kind) }
        for fault in some where text.contains(fault.old) { text = fault.applied(to: text) }
        let (_, report) = ODMMetadataReader.read(bytes: [UInt8](text.utf8), fileName: "bad.xml")
        #expect(report.errorCount >= some.count - 2)
    }

    @Test func `foreign namespaces are noted once and change nothing`() throws {
        let text = SmallStudy.metadata
            .replacing("FileType=\"Snapshot\"", with: "xmlns:v=\"urn:vendor\" v:a=\"1\" FileType=\"Snapshot\"")
            .replacing(
                "<ItemDef OID=\"IT.AGE\"",
                with: "<v:Thing OID=\"x\"><v:Inner/></v:Thing><ItemDef v:b=\"2\" OID=\"IT.AGE\"")
        let (definition, report) = ODMMetadataReader.read(bytes: [UInt8](text.utf8), fileName: "vendor.xml")
        let expected = try SmallStudy.definition()
        #expect(definition == expected)
        #expect(report.problems.map(\.kind) == [.foreignNamespace])
        #expect(report.problems.first?.severity == .information)
        #expect(report.problems.first?.reason.contains("urn:vendor") == true)
    }

    @Test func `the extension is known by its namespace, not by its prefix`() throws {
        let text = SmallStudy.metadata.replacing("xmlns:varde=", with: "xmlns:x=").replacing("varde:", with: "x:")
        let (definition, _) = ODMMetadataReader.read(bytes: [UInt8](text.utf8), fileName: "prefix.xml")
        let expected = try SmallStudy.definition()
        #expect(definition == expected)
    }

    @Test(.enabled(if: TestFiles.hasPilot, "the CDISC pilot is not beside the package"))
    func `the pilot's study is read without a remark`() throws {
        let bytes = try TestFiles.bytes(TestFiles.pilot.appending(path: "study.xml"))
        let (definition, report) = ODMMetadataReader.read(bytes: bytes, fileName: "study.xml")
        let study = try #require(definition)
        #expect(report.problems.isEmpty)
        #expect(study.events.count == 37)
        #expect(study.forms.count == 8)
        #expect(study.itemGroups.count == 8)
        #expect(study.items.count == 104)
        #expect(study.codeLists.count == 36)
        #expect(study.users.count == 17)
        #expect(study.locations.count == 17)
        #expect(study.events["SE.V3"]?.plannedDay == 1)
        #expect(study.items["IT.AETERM"]?.isFreeText == true)
    }

    @Test(.enabled(if: TestFiles.hasODMExamples, "the ODM examples are not beside the package"))
    func `the CDISC example study is read, and its ODM 2 twin refused by name`() throws {
        let bytes = try TestFiles.bytes(TestFiles.odmExamples.appending(path: "protocol-study.odm1_3_2.xml"))
        let (definition, report) = ODMMetadataReader.read(bytes: bytes, fileName: "protocol-study")
        let study = try #require(definition)
        #expect(!report.hasErrors)
        #expect(study.items.count == 63)
        #expect(study.conditions.count == 13)
        #expect(study.methods["METH.001"]?.expressions.count == 2)
        #expect(study.items["I_SYSBP"]?.label(preferring: ["de"]) == "Systolischer Blutdruck")
        let second = try TestFiles.bytes(TestFiles.odmExamples.appending(path: "protocol-study.odm2.xml"))
        let (none, refusal) = ODMMetadataReader.read(bytes: second, fileName: "odm2")
        #expect(none == nil)
        #expect(refusal.problems.map(\.kind) == [.unsupported])
    }
}
