import EventLog
import Foundation
import Trial

/// The study of the simulations: a scheduled visit with a form of a once-only group and rows, a diary that is a whole, and
/// an unscheduled event for adverse events.
enum SimulatedStudy {
    static let baseline = "SE.BASELINE"
    static let adverseEvent = "SE.AE"
    static let vitalsForm = "F.VITALS"
    static let diaryForm = "F.DIARY"
    static let adverseEventForm = "F.AE"
    static let vitals = "IG.VITALS"
    static let medication = "IG.MED"
    static let diary = "IG.DIARY"
    static let adverseEventGroup = "IG.AE"

    /// The items that anybody may write, by group, each with what may be typed.
    static let items: [String: [(item: ItemOID, typed: [String])]] = [
        vitals: [
            ("I.PULSE", ["70", "71", "072"]), ("I.WEIGHT", ["70", "70.0", "71.5"]), ("I.SEX", ["F", "M"]),
            ("I.DATE", ["2025", "2025-03"]), ("I.NOTE", ["kvalme", "søvn", "e\u{301}", "\u{E9}"]),
        ],
        medication: [("I.DRUG", ["naproxen", "paracet"]), ("I.DOSE", ["500", "250.5"])],
        adverseEventGroup: [("I.TERM", ["hodepine", "kvalme"]), ("I.SEVERITY", ["1", "2", "03"])],
        diary: [("I.PAIN", ["0", "1", "2"]), ("I.MOOD", ["0", "1", "2"])],
    ]

    /// The definitions as they are published, in ODM; each version differs from the others.
    static func document(version: Int) -> String {
        Data(xml.replacing("MDV.1", with: "MDV.\(version)").utf8).base64EncodedString()
    }

    private static func item(_ oid: String, _ type: String, _ inner: String = "", _ attributes: String = "") -> String {
        """
        <ItemDef OID="\(oid)" Name="\(oid)" DataType="\(type)"\(attributes)>\(inner)</ItemDef>
        """
    }

    private static func group(_ oid: String, repeats: Bool, _ items: [String]) -> String {
        let references = items.map { "<ItemRef ItemOID=\"\($0)\" Mandatory=\"No\"/>" }.joined()
        return
            "<ItemGroupDef OID=\"\(oid)\" Name=\"\(oid)\" Repeating=\"\(repeats ? "Yes" : "No")\">\(references)</ItemGroupDef>"
    }

    private static func form(_ oid: String, isWhole: Bool, _ groups: [String]) -> String {
        let references = groups.map { "<ItemGroupRef ItemGroupOID=\"\($0)\" Mandatory=\"Yes\"/>" }.joined()
        let whole = isWhole ? " varde:Whole=\"Yes\"" : ""
        return "<FormDef OID=\"\(oid)\" Name=\"\(oid)\" Repeating=\"No\"\(whole)>\(references)</FormDef>"
    }

    private static func event(_ oid: String, repeats: Bool, _ type: String, _ forms: [String]) -> String {
        let references = forms.map { "<FormRef FormOID=\"\($0)\" Mandatory=\"Yes\"/>" }.joined()
        return """
            <StudyEventDef OID="\(oid)" Name="\(oid)" Repeating="\(repeats ? "Yes" : "No")" Type="\(type)">\(references)</StudyEventDef>
            """
    }

    private static func codes(_ oid: String, _ type: String, _ values: [String]) -> String {
        let items = values.map {
            "<CodeListItem CodedValue=\"\($0)\"><Decode><TranslatedText xml:lang=\"en\">\($0)</TranslatedText></Decode></CodeListItem>"
        }.joined()
        return "<CodeList OID=\"\(oid)\" Name=\"\(oid)\" DataType=\"\(type)\">\(items)</CodeList>"
    }

    private static let xml: String = """
        <?xml version="1.0" encoding="UTF-8"?>
        <ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:varde="https://varde.no/ns/odm/1" FileType="Snapshot" \
        Granularity="Metadata" FileOID="SIMULATION.1" CreationDateTime="2025-01-01T00:00:00Z" ODMVersion="1.3.2">
        <Study OID="SIMULATION"><GlobalVariables><StudyName>Simulation</StudyName><StudyDescription>Tries merge and \
        replication</StudyDescription><ProtocolName>SIM-1</ProtocolName></GlobalVariables>
        <BasicDefinitions><MeasurementUnit OID="MU.KG" Name="kg"><Symbol><TranslatedText xml:lang="en">kg\
        </TranslatedText></Symbol></MeasurementUnit></BasicDefinitions>
        <MetaDataVersion OID="MDV.1" Name="Version">
        <Protocol><StudyEventRef StudyEventOID="\(baseline)" OrderNumber="1" Mandatory="Yes"/></Protocol>
        \(event(baseline, repeats: false, "Scheduled", [vitalsForm, diaryForm]))
        \(event(adverseEvent, repeats: true, "Unscheduled", [adverseEventForm]))
        \(form(vitalsForm, isWhole: false, [vitals, medication]))
        \(form(diaryForm, isWhole: true, [diary]))
        \(form(adverseEventForm, isWhole: false, [adverseEventGroup]))
        \(group(vitals, repeats: false, ["I.PULSE", "I.WEIGHT", "I.SEX", "I.DATE", "I.NOTE"]))
        \(group(medication, repeats: true, ["I.DRUG", "I.DOSE"]))
        \(group(adverseEventGroup, repeats: false, ["I.TERM", "I.SEVERITY"]))
        \(group(diary, repeats: false, ["I.PAIN", "I.MOOD"]))
        \(item("I.PULSE", "integer"))
        \(item("I.WEIGHT", "float", "<MeasurementUnitRef MeasurementUnitOID=\"MU.KG\"/>"))
        \(item("I.SEX", "text", "<CodeListRef CodeListOID=\"CL.SEX\"/>"))
        \(item("I.DATE", "partialDate"))
        \(item("I.NOTE", "text"))
        \(item("I.DRUG", "text", "", " varde:FreeText=\"No\""))
        \(item("I.DOSE", "float"))
        \(item("I.TERM", "text"))
        \(item("I.SEVERITY", "integer", "<CodeListRef CodeListOID=\"CL.SEVERITY\"/>"))
        \(item("I.PAIN", "integer"))
        \(item("I.MOOD", "integer"))
        \(codes("CL.SEX", "text", ["F", "M"]))
        \(codes("CL.SEVERITY", "integer", ["1", "2", "3"]))
        </MetaDataVersion></Study></ODM>
        """
}
