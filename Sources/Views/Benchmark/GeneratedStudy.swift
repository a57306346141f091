public import EventLog
public import StoreCore
package import Trial

/// An invented study of one location in a data directory: what rebuilds are measured and tried on. The same numbers give the
/// same data, but for the random ids.
public struct GeneratedStudy: Sendable {
    /// Network, node and location.
    public static let network = NetworkID(unchecked: "bench.varde")
    /// The one node.
    public static let node = NodeID(unchecked: "bench")
    /// The one location.
    public static let location = LocationID(unchecked: "ward")
    /// The one study site.
    public static let site = StudySiteID(unchecked: "ward")
    /// Forms of a visit.
    private static let formsPerVisit = 5
    package static let signingSeed = [UInt8](repeating: 11, count: 32)

    /// The study.
    public let study: StudyID
    /// What its view depends on.
    public let context: StudyViewContext
    /// Participants written.
    public let participants: Int
    /// Values written.
    public let values: Int
    private let itemsPerForm: Int
    private let nurse = ActorID(RandomName(high: 0xBE, low: 1))
    private let delegation: EntryID
    /// The registered client system that sends answers.
    package static let app = ActorID(RandomName(high: 0xBE, low: 3))
    private let appDelegation: EntryID
    private static let known = KnownVersions(charter: 0, participation: 2, delegation: 2)

    /// A store for the generated study in a data directory.
    public static func store(in directory: String) throws -> StoreCore {
        try StoreCore(
            StoreConfiguration(
                directory: directory, network: network, node: node, signingSeed: signingSeed, software: "varde bench"))
    }

    /// Writes a study of `values` values, or somewhat more, into a new data directory.
    ///
    /// - Parameters:
    ///   - core: the store of ``store(in:)``.
    ///   - values: how many values.
    ///   - valuesPerParticipant: how many of them a participant has.
    ///   - itemsPerForm: how many of them a form has; each form is saved by one entry.
    ///   - progress: gets the number of values written.
    public init(
        in core: StoreCore, values: Int, valuesPerParticipant: Int, itemsPerForm: Int = 20,
        progress: (Int) -> Void = { _ in }
    ) throws {
        let forms = max(1, valuesPerParticipant / itemsPerForm)
        let count = max(1, (values + forms * itemsPerForm - 1) / (forms * itemsPerForm))
        self.itemsPerForm = itemsPerForm
        participants = count
        self.values = count * forms * itemsPerForm
        let directory = NetworkDirectory(
            network: GeneratedStudy.network,
            versions: [
                NetworkDirectory.Version(
                    admitted: [GeneratedStudy.node], hosts: [GeneratedStudy.location: GeneratedStudy.node])
            ])
        let founded = try GeneratedStudy.found(core)
        study = founded.study
        delegation = founded.delegation
        appDelegation = founded.appDelegation
        let definition = GeneratedStudy.definition(forms: forms, itemsPerForm: itemsPerForm)
        let authority = StudyAuthority.fold(
            try GeneratedStudy.written(core, founded.study), study: study, directory: directory)
        context = StudyViewContext(
            study: study, authority: authority, definition: definition,
            definitionHash: .sha256([UInt8]("\(forms) \(itemsPerForm)".utf8)), plan: nil, planHash: nil, locations: [:])
        var counter = 0
        for first in stride(from: 0, to: count, by: 4) {
            try core.transaction {
                for number in first..<min(first + 4, count) {
                    try write(participant: number, forms: forms, core, &counter)
                }
            }
            progress(min(first + 4, count) * forms * itemsPerForm)
        }
    }

    /// What names a command: of an answer what it says of itself (`merge.md`, M40), else its number.
    private static func command(of operation: Operation, _ number: UInt64) -> CommandID {
        guard case .responseReceived(let response) = operation else {
            return CommandID(RandomName(high: operation.type.rawValue, low: number))
        }
        return ResponseIdentity.command(
            client: app, identifier: response.identifier, documentSHA256: response.documentSHA256)
    }

    private static func draft(
        _ stream: StreamID, _ operation: Operation, _ number: UInt64, role: Role, actor: ActorID,
        kind: ActorKind = .person, known: KnownVersions, delegation: EntryID? = nil, subject: SubjectHandle? = nil
    ) -> EntryDraft {
        let action = Action(
            command: command(of: operation, number), provenance: Provenance(source: .direct), operation: operation)
        return EntryDraft(
            stream: stream, operation: operation.type,
            authority: Authority(
                actor: actor, kind: kind, role: role, authentication: .localAccount, delegation: delegation),
            known: known, subject: subject, command: action.command, parts: action.parts())
    }

    /// Founds the study, opens its location and delegates the nurse and the client system.
    private static func found(
        _ core: StoreCore
    ) throws -> (study: StudyID, delegation: EntryID, appDelegation: EntryID) {
        var generator = SystemRandomNumberGenerator()
        let nonce = RandomName(using: &generator)
        let study = StudyFounding.studyID(network: network, founder: node, nonce: nonce)
        let manager = ActorID(RandomName(high: 0xBE, low: 2))
        var number: UInt64 = 0
        func write(_ operation: Operation, _ role: Role, _ participation: UInt64) throws -> EntryID {
            number += 1
            let draft = draft(
                .study(study), operation, number, role: role, actor: manager,
                known: KnownVersions(charter: 0, participation: participation))
            return try core.append(draft, time: NodeTime(utcMilliseconds: 1_760_000_000_000)).receipt.id
        }
        func participation(_ number: UInt64, _ previous: EntryID?, _ acceptance: EntryID?) -> Operation {
            .participationNumbered(
                Participation(
                    number: number, previous: previous, sponsor: "bench", coordinatingNodes: [node],
                    members: [Member(location: location, acceptance: acceptance)],
                    sites: [
                        StudySite(id: site, name: "Ward", isRegional: false, locations: [location], owner: node)
                    ]))
        }
        func delegated(_ number: UInt64, _ previous: EntryID?, _ actor: ActorID, _ role: Role) throws -> EntryID {
            try write(
                .delegationNumbered(
                    Delegation(
                        site: site, number: number, previous: previous, actor: actor, name: "Somebody", role: role,
                        from: "2026-01-01")), .institution, 2)
        }
        return try core.transaction {
            _ = try write(
                .studyFounded(StudyFounding(nonce: nonce, mode: .test, oid: "BENCH", name: "Bench")), .dataManager, 0)
            let invitation = try write(participation(1, nil, nil), .dataManager, 0)
            let acceptance = try write(
                .participationAccepted(
                    ParticipationAnswer(
                        invitation: invitation, locations: [location], agreement: "", approval: "", date: "2026-01-01")),
                .institution, 1)
            _ = try write(participation(2, invitation, acceptance), .dataManager, 1)
            let nurse = try delegated(1, nil, ActorID(RandomName(high: 0xBE, low: 1)), .studyNurse)
            return (study, nurse, try delegated(2, nurse, app, .partnerApp))
        }
    }

    private static func written(_ core: StoreCore, _ study: StudyID) throws -> [WrittenEntry] {
        var entries: [WrittenEntry] = []
        for log in try core.logs() where log.name.stream == .study(study) {
            try core.forEachEntry(in: log.name.id) { stored in
                entries.append(WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: log.name))
                return true
            }
        }
        return entries
    }

    /// Writes an entry about a participant, within a transaction, as the nurse would; an answer as the client system
    /// would, and an order as the institution would.
    ///
    /// - Parameter number: names the command, and moves the clock.
    package func append(
        _ operation: Operation, about participant: Int, number: Int, in core: StoreCore
    ) throws -> EntryID {
        let isAnswer = operation.type == .responseReceived
        let draft = GeneratedStudy.draft(
            StreamID.location(GeneratedStudy.location, in: study), operation, UInt64(number),
            role: isAnswer ? .partnerApp : operation.type.ordersDrop ? .institution : .studyNurse,
            actor: isAnswer ? GeneratedStudy.app : nurse,
            kind: isAnswer ? .system : .person, known: GeneratedStudy.known,
            delegation: isAnswer ? appDelegation : delegation,
            subject: SubjectHandle(RandomName(high: 0x5B, low: UInt64(participant))))
        let time = NodeTime(utcMilliseconds: 1_760_000_000_000 + Int64(number) * 1_000)
        return try core.append(draft, time: time).receipt.id
    }

    /// The number of the command that registered a participant, by the number in its label: each has two statuses beside its
    /// forms.
    package func registrationNumber(of participant: Int) -> Int {
        1 + participant * (3 + values / participants / itemsPerForm)
    }

    /// Writes one participant.
    private func write(participant number: Int, forms: Int, _ core: StoreCore, _ counter: inout Int) throws {
        func append(_ operation: Operation) throws -> EntryID {
            counter += 1
            return try self.append(operation, about: number, number: counter, in: core)
        }
        let registration = try append(
            .participantRegistered(Registration(labels: [ParticipantLabel(kind: .subject, text: "P-\(number)")])))
        for status in [ParticipantStatus.screened, number % 5 == 0 ? .screenFailure : .included] {
            _ = try append(
                .statusRecorded(
                    StatusRecord(participant: registration, status: status, eventDate: "2026-02-0\(number % 9 + 1)")))
        }
        for form in 0..<forms {
            _ = try append(.formSaved(save(form, of: registration, number: number)))
        }
    }

    /// A save of all items of a form.
    package func save(_ form: Int, of registration: EntryID, number: Int) -> FormSave {
        let (visit, kind) = form.quotientAndRemainder(dividingBy: GeneratedStudy.formsPerVisit)
        func line(_ level: InstanceKind, _ parent: Int?, _ oid: String) -> InstanceDeclaration {
            InstanceDeclaration(kind: level, parent: parent, oid: oid, identity: .natural, beginsHere: true)
        }
        let changes = (0..<itemsPerForm).map { item in
            Change(
                instance: 2, item: ItemOID("IT.\(kind).\(item)"),
                value: GeneratedStudy.value(item, seed: number &* 31 &+ form &* 7 &+ item))
        }
        return FormSave(
            participant: registration,
            instances: [
                line(.studyEvent, nil, "SE.V\(visit)"), line(.form, 0, "F.\(kind)"), line(.itemGroup, 1, "IG.\(kind)"),
            ], changes: changes)
    }

    private static func value(_ item: Int, seed: Int) -> Value {
        switch item % 4 {
        case 0: Value(kind: .integer, typed: "\(seed % 200)")
        case 1: Value(kind: .decimal, typed: "\(seed % 90).\(seed % 10)")
        case 2: Value(kind: .date, typed: "2026-0\(seed % 9 + 1)-1\(seed % 10)")
        default: Value(kind: .codes, typed: "\(seed % 4)", codeList: "CL.4", codes: ["\(seed % 4)"])
        }
    }

    private static func definition(forms: Int, itemsPerForm: Int) -> StudyDefinition {
        var definition = StudyDefinition(
            studyOID: "BENCH", metaDataVersionOID: "1", metaDataVersionName: "1", studyName: "Bench",
            studyDescription: "", protocolName: "Bench")
        let visits = (forms + formsPerVisit - 1) / formsPerVisit
        definition.events = OIDTable(
            (0..<visits).map {
                StudyEventDefinition(
                    oid: StudyEventOID("SE.V\($0)"), name: "Visit", isRepeating: false, type: .scheduled)
            })
        definition.forms = OIDTable(
            (0..<formsPerVisit).map { kind in
                var form = FormDefinition(oid: FormOID("F.\(kind)"), name: "Form", isRepeating: false)
                form.itemGroups = OIDTable([ItemGroupReference(oid: ItemGroupOID("IG.\(kind)"), isMandatory: true)])
                return form
            })
        definition.itemGroups = OIDTable(
            (0..<formsPerVisit).map { kind in
                var group = ItemGroupDefinition(oid: ItemGroupOID("IG.\(kind)"), name: "Group", isRepeating: false)
                group.items = OIDTable(
                    (0..<itemsPerForm).map { ItemReference(oid: ItemOID("IT.\(kind).\($0)"), isMandatory: false) })
                return group
            })
        let types: [ItemDataType] = [.integer, .float, .date, .integer]
        definition.items = OIDTable(
            (0..<formsPerVisit).flatMap { kind in
                (0..<itemsPerForm).map { item in
                    var definition = ItemDefinition(
                        oid: ItemOID("IT.\(kind).\(item)"), name: "Item", dataType: types[item % 4])
                    if item % 4 == 3 { definition.codeList = "CL.4" }
                    return definition
                }
            })
        definition.codeLists = OIDTable([
            CodeListDefinition(
                oid: "CL.4", name: "Four", dataType: .integer,
                entries: (0..<4).map { CodeListEntry(codedValue: "\($0)") })
        ])
        return definition
    }
}
