import EventLog
import Trial

/// A tiny study: a scheduled visit with a form of a once-only group and rows, a diary that is a whole, and an
/// unscheduled event for adverse events. One item identifies, one is restricted, two are free text.
enum TestStudy {
    static let baseline = "SE.BASELINE"
    static let adverseEvent = "SE.AE"
    static let vitalsForm = "F.VITALS"
    static let diaryForm = "F.DIARY"
    static let adverseEventForm = "F.AE"
    static let vitals = "IG.VITALS"
    static let medication = "IG.MED"
    static let diary = "IG.DIARY"
    static let adverseEventGroup = "IG.AE"

    static let pulse = ItemOID("I.PULSE")
    static let weight = ItemOID("I.WEIGHT")
    static let sex = ItemOID("I.SEX")
    static let visitDate = ItemOID("I.DATE")
    static let note = ItemOID("I.NOTE")
    static let name = ItemOID("I.NAME")
    static let arm = ItemOID("I.ARM")
    static let drug = ItemOID("I.DRUG")
    static let dose = ItemOID("I.DOSE")
    static let term = ItemOID("I.TERM")
    static let severity = ItemOID("I.SEVERITY")
    static let pain = ItemOID("I.PAIN")
    static let mood = ItemOID("I.MOOD")

    /// The items that anybody may write, by group.
    static let openItems: [String: [ItemOID]] = [
        vitals: [pulse, weight, sex, visitDate, note], medication: [drug, dose], adverseEventGroup: [term, severity],
        diary: [pain, mood],
    ]

    static let contentHash = Hash.sha256([UInt8]("the tiny study".utf8))

    static let definition: StudyDefinition = {
        var study = StudyDefinition(
            studyOID: "TINY", metaDataVersionOID: "1", metaDataVersionName: "First", studyName: "Tiny",
            studyDescription: "Tests merge", protocolName: "TINY-1")
        study.protocolEvents = OIDTable([DefinitionReference(oid: StudyEventOID(baseline), isMandatory: true)])
        study.events = OIDTable([
            event(baseline, repeats: false, .scheduled, [vitalsForm, diaryForm]),
            event(adverseEvent, repeats: true, .unscheduled, [adverseEventForm]),
        ])
        study.forms = OIDTable([
            form(vitalsForm, repeats: false, [vitals, medication]),
            form(diaryForm, repeats: false, isWhole: true, [diary]),
            form(adverseEventForm, repeats: false, [adverseEventGroup]),
        ])
        study.itemGroups = OIDTable([
            group(vitals, repeats: false, [pulse, weight, sex, visitDate, note, name, arm]),
            group(medication, repeats: true, [drug, dose]),
            group(adverseEventGroup, repeats: false, [term, severity]),
            group(diary, repeats: false, [pain, mood]),
        ])
        study.items = OIDTable(items())
        study.codeLists = OIDTable([
            CodeListDefinition(
                oid: "CL.SEX", name: "Sex", dataType: .text,
                entries: [CodeListEntry(codedValue: "F"), CodeListEntry(codedValue: "M")]),
            CodeListDefinition(
                oid: "CL.SEVERITY", name: "Severity", dataType: .integer,
                entries: ["1", "2", "3"].map { CodeListEntry(codedValue: $0) }),
        ])
        study.measurementUnits = OIDTable([
            MeasurementUnitDefinition(oid: "MU.KG", name: "kg"), MeasurementUnitDefinition(oid: "MU.G", name: "g"),
        ])
        return study
    }()

    /// The same study in which nothing is whole.
    static let withoutWholes: StudyDefinition = {
        var study = definition
        study.forms = OIDTable(
            study.forms.map { form in
                var form = form
                form.isWhole = false
                return form
            })
        return study
    }()

    private static func items() -> [ItemDefinition] {
        var pulse = ItemDefinition(oid: pulse, name: "Pulse", dataType: .integer)
        pulse.rangeChecks = [RangeCheck(comparator: .atMost, values: ["300"], severity: .hard)]
        var weight = ItemDefinition(oid: weight, name: "Weight", dataType: .float)
        weight.measurementUnits = ["MU.KG", "MU.G"]
        var sex = ItemDefinition(oid: sex, name: "Sex", dataType: .text)
        sex.codeList = "CL.SEX"
        var name = ItemDefinition(oid: name, name: "Name", dataType: .text)
        name.itemClass = .identifying
        var arm = ItemDefinition(oid: arm, name: "Arm", dataType: .text)
        arm.itemClass = .restricted(RestrictionClass(unchecked: "allocation"))
        var drug = ItemDefinition(oid: drug, name: "Drug", dataType: .text)
        drug.freeTextOverride = false
        var severity = ItemDefinition(oid: severity, name: "Severity", dataType: .integer)
        severity.codeList = "CL.SEVERITY"
        return [
            pulse, weight, sex, ItemDefinition(oid: visitDate, name: "Date", dataType: .partialDate),
            ItemDefinition(oid: note, name: "Note", dataType: .text), name, arm, drug,
            ItemDefinition(oid: dose, name: "Dose", dataType: .float),
            ItemDefinition(oid: term, name: "Term", dataType: .text), severity,
            ItemDefinition(oid: pain, name: "Pain", dataType: .integer),
            ItemDefinition(oid: mood, name: "Mood", dataType: .integer),
        ]
    }

    private static func event(
        _ oid: String, repeats: Bool, _ type: StudyEventType, _ forms: [String]
    ) -> StudyEventDefinition {
        var event = StudyEventDefinition(oid: StudyEventOID(oid), name: oid, isRepeating: repeats, type: type)
        event.forms = OIDTable(forms.map { DefinitionReference(oid: FormOID($0), isMandatory: true) })
        return event
    }

    private static func form(_ oid: String, repeats: Bool, isWhole: Bool = false, _ groups: [String]) -> FormDefinition
    {
        var form = FormDefinition(oid: FormOID(oid), name: oid, isRepeating: repeats)
        form.isWhole = isWhole
        form.itemGroups = OIDTable(groups.map { DefinitionReference(oid: ItemGroupOID($0), isMandatory: true) })
        return form
    }

    private static func group(_ oid: String, repeats: Bool, _ items: [ItemOID]) -> ItemGroupDefinition {
        var group = ItemGroupDefinition(oid: ItemGroupOID(oid), name: oid, isRepeating: repeats)
        group.items = OIDTable(items.map { ItemReference(oid: $0, isMandatory: false) })
        return group
    }
}
