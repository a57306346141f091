import EventLog
import Foundation
import Interchange
import Trial

/// A study of one location with invented entries, as commands: what a benchmark loads.
struct BenchmarkStudy {
    /// What the entries are about.
    enum Content: String, CaseIterable {
        /// The smallest entries there are about a participant.
        case statusRecords = "status records"
        /// Patients' diaries: a visit, a form and four values in each.
        case diaryDays = "diary days of four values"
    }

    static let location = LocationID(unchecked: "ward")
    private static let site = StudySiteID(unchecked: "ward")
    /// Entries about one participant.
    private static let entriesPerParticipant = 100

    let source: StudySource
    let coordinator: NodeID
    /// Every node that holds the location's stream.
    let holders: [NodeID]

    private let nurse = Sender(
        actor: ActorID(RandomName(high: 0xBE, low: 1)), role: .studyNurse, isSystem: false)

    private func command(
        _ number: UInt64, of kind: UInt64, _ sender: Sender, _ study: StudyID?, _ request: Request
    ) -> Command {
        Command(
            id: CommandID(RandomName(high: kind, low: number)), sender: sender, study: study,
            provenance: Provenance(source: .direct), request: request)
    }

    private func system(_ role: RoleName) -> Sender {
        Sender(actor: ActorID(RandomName(high: 0xBE, low: 2)), role: role, isSystem: true)
    }

    /// Founds the study.
    var founding: Command {
        command(
            0, of: 1, system(.dataManager), nil,
            .found(mode: .test, oid: source.definition.studyOID, name: source.definition.studyName))
    }

    /// Publishes the definitions and invites the location.
    func invitation(_ study: StudyID) -> [Command] {
        [
            command(
                1, of: 1, system(.dataManager), study,
                .publish(documentBase64: Data(source.document).base64EncodedString())),
            command(2, of: 1, system(.dataManager), study, participation(acceptance: nil)),
        ]
    }

    /// Accepts for the location.
    func acceptance(_ study: StudyID) -> Command {
        command(
            3, of: 1, system(.institution), study,
            .accept(locations: [BenchmarkStudy.location], agreement: "", approval: "", date: "2026-01-12"))
    }

    /// Opens the location and delegates the nurse who enters everything.
    func opening(_ study: StudyID, acceptance: EntryID) -> [Command] {
        [
            command(4, of: 1, system(.dataManager), study, participation(acceptance: acceptance)),
            command(
                5, of: 1, system(.institution), study,
                .delegate(
                    site: BenchmarkStudy.site, actor: nurse.actor, name: "benchmark", role: nurse.role,
                    from: "2026-01-12", to: nil)),
        ]
    }

    private func participation(acceptance: EntryID?) -> Request {
        .participate(
            sponsor: coordinator.text, coordinating: holders,
            members: [Member(location: BenchmarkStudy.location, acceptance: acceptance)],
            sites: [
                StudySite(
                    id: BenchmarkStudy.site, name: "Ward", isRegional: false, locations: [BenchmarkStudy.location],
                    owner: coordinator)
            ])
    }

    /// Entry number `number` about a participant; before the first about each participant comes the registration.
    func entry(_ number: Int, _ content: Content, in study: StudyID) -> [Command] {
        let (participant, turn) = number.quotientAndRemainder(dividingBy: BenchmarkStudy.entriesPerParticipant)
        let registration = command(
            UInt64(participant), of: 2, nurse, study,
            .register(
                location: BenchmarkStudy.location,
                labels: [ParticipantLabel(kind: .subject, text: "P-\(participant)")]))
        let reference = ParticipantReference.registeredBy(registration.id)
        let request: Request =
            switch content {
            case .statusRecords:
                .status(
                    location: BenchmarkStudy.location, participant: reference, status: .screened,
                    eventDate: "2026-01-12", replaces: [])
            case .diaryDays: .save(diary(of: reference, day: turn))
            }
        let entry = command(UInt64(number), of: 3, nurse, study, request)
        return turn == 0 ? [registration, entry] : [entry]
    }

    private func diary(of participant: ParticipantReference, day: Int) -> FormEntry {
        func item(_ oid: String, _ value: String) -> EnteredItem {
            EnteredItem(item: ItemOID(oid), value: .datum(value, unit: nil))
        }
        return FormEntry(
            location: BenchmarkStudy.location, participant: participant,
            event: InstanceSelector(oid: "SE.DIARY", choice: .new(repeatKey: "\(day + 1)")),
            form: InstanceSelector(oid: "F.DIARY"),
            groups: [
                EnteredGroup(
                    group: InstanceSelector(oid: "IG.DIARY"),
                    items: [
                        item("IT.DIARYDAT", "2026-02-\(day % 18 + 10)"), item("IT.DIARYPAIN", "\(day % 11)"),
                        item("IT.DIARYDRUG", "Y"), item("IT.DIARYRESC", "\(day % 4)"),
                    ])
            ])
    }
}
