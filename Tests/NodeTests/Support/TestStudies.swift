import EventLog
import Foundation
import Interchange
import Node
import Trial

/// The studies that the tests load.
enum TestStudies {
    static let haukeland = NodeID(unchecked: "haukeland")
    static let stavanger = NodeID(unchecked: "stavanger")
    static let norcrin = NodeID(unchecked: "norcrin")
    static let unn = NodeID(unchecked: "unn")
    static let west = StudySiteID(unchecked: "helse-vest")

    /// The shipped trial at two hospitals that are one regional study site, and at the hospitals of `others`.
    ///
    /// - Parameter others: a study site each, of one location at the node of the same name.
    static func western(participants: Int, others: [String] = []) throws -> StudySource {
        let shipped = try ShippedStudy.sciatica(participants: 0)
        let rules = try required(
            shipped.planDocument.range(of: "\nstatus:").map { String(shipped.planDocument[$0.lowerBound...]) },
            "part of the plan with status rules")
        let sites =
            ["  - {id: helse-vest, name: Helse Vest, regional: true, locations: [haukeland, stavanger], target: 20}"]
            + others.map { "  - {id: \($0), name: \($0), locations: [\($0)], target: 10}" }
        let plan = """
            study: VARDE.SCIATICA
            mode: test
            coordinating: [norcrin]
            studySites:
            \(sites.joined(separator: "\n"))
            recruitment: {start: 2026-01-12, end: 2027-06-30, target: \(20 + 10 * others.count)}
            """ + rules
        let rows =
            [
                "haukeland,haukeland,Haukeland universitetssjukehus,Helse Vest",
                "stavanger,stavanger,Stavanger universitetssjukehus,Helse Vest",
            ]
            + others.map { "\($0),\($0),\($0),Helse Nord" }
        let division = "site,node,hospital,region\n" + rows.joined(separator: "\n") + "\n"
        var source = try StudySource.make(
            document: shipped.document, documentName: "study.xml", plan: [UInt8](plan.utf8), planName: "plan.yaml",
            division: [UInt8](division.utf8), divisionName: "sites.csv", dataFiles: [])
        source.invented = SyntheticParticipants.make(
            definition: source.definition, plan: source.plan, division: source.division, count: participants, seed: 7)
        return source
    }

    /// What the invented participants of a source come to.
    static func totals(_ source: StudySource) -> (participants: Int, forms: Int, values: Int) {
        let subjects = source.invented.flatMap(\.clinicalData.subjects)
        return (
            subjects.count, subjects.reduce(0) { $0 + $1.formCount }, subjects.reduce(0) { $0 + $1.itemCount }
        )
    }

    /// A participant of a location whose vital signs at inclusion were recorded.
    static func included(in source: StudySource, at location: String) throws -> String {
        let subjects = source.invented.filter { $0.location == LocationID(unchecked: location) }
            .flatMap(\.clinicalData.subjects)
        let subject = subjects.first { subject in
            subject.events.contains { event in
                event.event.text == "SE.INCLUSION"
                    && event.forms.contains { $0.form.text == "F.VS" && $0.itemCount > 2 }
            }
        }
        return try required(subject?.subjectKey, "included participant at \(location)")
    }

    /// Writes a source's files as they would come from elsewhere: `study.xml`, `plan.yaml`, `sites.csv` and one ODM file a
    /// location.
    static func write(_ source: StudySource, to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        try write("study.xml", source.document)
        try write("plan.yaml", [UInt8](source.planDocument.utf8))
        let rows = source.division.rows.map { "\($0.location),\($0.node),\($0.hospital),\($0.region)" }
        try write("sites.csv", [UInt8](("site,node,hospital,region\n" + rows.joined(separator: "\n") + "\n").utf8))
        for site in source.invented {
            let header = ODMFileHeader(
                fileOID: "test.\(site.location)", creationDateTime: "2026-01-01T00:00:00Z",
                studyOID: source.definition.studyOID, metaDataVersionOID: source.definition.metaDataVersionOID)
            try write(
                "site-\(site.location).xml",
                try ODMWriter.document(header: header, subjects: site.clinicalData.subjects))
        }
    }
}

/// A nurse at a study site, and what she enters.
struct Nurse {
    let sender = Sender(
        actor: ActorID(RandomName(high: 0x4E, low: 1)), role: .studyNurse, isSystem: false)
    let study: StudyID

    /// Who delegates for the institution.
    let institution = Sender(actor: ActorID(RandomName(high: 0x4E, low: 3)), role: .institution, isSystem: true)

    /// A command with an id of its own.
    func command(as sender: Sender, _ request: Request) -> Command {
        var generator = SystemRandomNumberGenerator()
        return Command(
            id: CommandID(using: &generator), sender: sender, study: study, provenance: Provenance(source: .direct),
            request: request)
    }

    /// The institution's delegation, to be sent to the site's owner.
    func delegation(at site: StudySiteID) -> Command {
        Command(
            id: CommandID(RandomName(high: 0x4E, low: 2)), sender: institution, study: study,
            provenance: Provenance(source: .direct),
            request: .delegate(
                site: site, actor: sender.actor, name: "Nurse", role: sender.role, from: "2026-01-12", to: nil))
    }

    /// A participant's registration at Haukeland.
    func registration(_ label: String, number: UInt64) -> Command {
        Command(
            id: CommandID(RandomName(high: 0x5E, low: number)), sender: sender, study: study,
            provenance: Provenance(source: .direct),
            request: .register(
                location: LocationID(unchecked: "haukeland"),
                labels: [ParticipantLabel(kind: .subject, text: label)]))
    }

    /// Vital signs at inclusion, by item OID; `seen` is what was on the screen.
    func vitalSigns(_ values: [String: String], of participant: ParticipantReport, seen: ParticipantReport) -> Command {
        let entry = FormEntry(
            location: participant.location, participant: .registration(participant.participant),
            event: InstanceSelector(oid: "SE.INCLUSION"), form: InstanceSelector(oid: "F.VS"),
            groups: [
                EnteredGroup(
                    group: InstanceSelector(oid: "IG.VS"),
                    items: values.sorted { $0.key < $1.key }.map {
                        EnteredItem(item: ItemOID($0.key), value: .datum($0.value, unit: nil))
                    })
            ], seen: seen.vitalSigns.flatMap(\.values).map(\.id))
        return command(as: sender, .save(entry))
    }

    /// An adverse event, by its term.
    func adverseEvent(_ term: String, of participant: ParticipantReport) -> Command {
        command(
            as: sender,
            .save(
                FormEntry(
                    location: participant.location, participant: .registration(participant.participant),
                    event: InstanceSelector(oid: "SE.AE", choice: .new(repeatKey: nil)),
                    form: InstanceSelector(oid: "F.AE"),
                    groups: [
                        EnteredGroup(
                            group: InstanceSelector(oid: "IG.AE"),
                            items: [EnteredItem(item: ItemOID("IT.AETERM"), value: .datum(term, unit: nil))])
                    ])))
    }

    /// The visit in the first week, by its date.
    func visit(_ date: String, of participant: ParticipantReport, as sender: Sender) -> Command {
        command(
            as: sender,
            .save(
                FormEntry(
                    location: participant.location, participant: .registration(participant.participant),
                    event: InstanceSelector(oid: "SE.WEEK1"), form: InstanceSelector(oid: "F.VISIT"),
                    groups: [
                        EnteredGroup(
                            group: InstanceSelector(oid: "IG.VISIT"),
                            items: [EnteredItem(item: ItemOID("IT.VISDAT"), value: .datum(date, unit: nil))])
                    ])))
    }
}

extension ParticipantReport {
    /// The items of the vital signs at inclusion.
    var vitalSigns: [Item] { items.filter { $0.event == "SE.INCLUSION" && $0.form == "F.VS" } }

    /// What stands in one of them, sorted.
    func typed(_ item: String) -> [String] {
        vitalSigns.filter { $0.item == ItemOID(item) }.flatMap(\.values).compactMap(\.typed).sorted()
    }
}
