public import EventLog
import Foundation
import Trial

/// Founds a study and brings it to the point where data can be entered: definitions, participation, plan, delegations.
///
/// Every step has a command id that follows from the study's files, so that it may be done again after any interruption.
public struct StudySetup {
    /// The study's files.
    public let source: StudySource
    /// Every node's directory.
    public let directories: [NodeID: NodeDirectory]

    /// Prepares a set-up.
    public init(source: StudySource, directories: [NodeID: NodeDirectory]) {
        self.source = source
        self.directories = directories
    }

    private var coordinator: NodeID { source.plan.coordinatingNodes[0] }

    /// The sender of an import, the same for every run over the same definitions.
    static func importSender(for document: [UInt8]) -> Sender {
        let hash = Hash.sha256([UInt8]("varde/actor/import/".utf8) + Hash.sha256(document).bytes)
        return Sender(actor: ActorID(derivedFrom: hash), role: .dataImport, isSystem: true)
    }

    /// The actor that answers for the institution of a node in what this sets up.
    public static func institution(at node: NodeID) -> ActorID {
        ActorID(derivedFrom: Hash.sha256([UInt8]("varde/actor/\(RoleName.institution.rawValue)/\(node)".utf8)))
    }

    private func sender(_ role: RoleName, at node: NodeID) -> Sender {
        let hash = Hash.sha256([UInt8]("varde/actor/\(role.rawValue)/\(node)".utf8))
        return Sender(actor: ActorID(derivedFrom: hash), role: role, isSystem: true)
    }

    private func command(
        _ step: String, _ role: RoleName, at node: NodeID, study: StudyID?, _ request: Request
    ) -> Command {
        let hash = Hash.sha256(
            [UInt8]("varde/setup/\(step)/".utf8) + Hash.sha256(source.document).bytes
                + Hash.sha256([UInt8](source.planDocument.utf8)).bytes)
        return Command(
            id: CommandID(derivedFrom: hash), sender: sender(role, at: node), study: study,
            provenance: Provenance(source: .system), request: request)
    }

    private func conversation(_ node: NodeID) throws -> NodeConversation {
        guard let directory = directories[node] else {
            throw DirectoryError.missing(
                path: node.text, advice: "the plan names node \(node), which this network lacks")
        }
        return NodeConversation(directory: directory)
    }

    /// Sets the study up and gives its id.
    ///
    /// - Throws: ``Trial/Refusal``, ``LocalClientError`` or ``DirectoryError``.
    public func run(progress: (String) -> Void) async throws -> StudyID {
        guard !source.plan.coordinatingNodes.isEmpty else {
            throw DirectoryError.unreadable(path: "the plan", reason: "it names no coordinating node")
        }
        progress("founding study \(source.definition.studyOID)")
        let centre = try conversation(coordinator)
        let founding = command(
            "found", .dataManager, at: coordinator, study: nil,
            .found(mode: source.plan.mode, oid: source.definition.studyOID, name: source.definition.studyName))
        let study = try await centre.insist(founding) { _ in false }.study
        progress("publishing definitions \(source.definition.metaDataVersionOID)")
        let publication = command(
            "publish", .dataManager, at: coordinator, study: study,
            .publish(documentBase64: Data(source.document).base64EncodedString()))
        _ = try await centre.insist(publication) { _ in false }
        progress("inviting \(source.division.rows.count) locations")
        _ = try await centre.insist(participation("invite", study, acceptances: [:])) { _ in false }
        let acceptances = try await accept(study)
        progress("opening \(acceptances.count) locations")
        _ = try await centre.insist(participation("open", study, acceptances: acceptances)) { _ in false }
        let plan = command("plan", .dataManager, at: coordinator, study: study, .plan(document: source.planDocument))
        _ = try await centre.insist(plan) { _ in false }
        progress("delegating the import at \(source.plan.studySites.count) study sites")
        try await delegate(study)
        return study
    }

    private var sites: [StudySite] {
        source.plan.studySites.compactMap { planned in
            guard let first = planned.locations.first, let owner = source.division[first]?.node else { return nil }
            return StudySite(
                id: planned.id, name: planned.name, isRegional: planned.isRegional, locations: planned.locations,
                owner: owner)
        }
    }

    private func participation(_ step: String, _ study: StudyID, acceptances: [LocationID: EntryID]) -> Command {
        command(
            step, .dataManager, at: coordinator, study: study,
            .participate(
                sponsor: coordinator.text, coordinating: source.plan.coordinatingNodes,
                members: source.division.rows.map {
                    Member(location: $0.location, acceptance: acceptances[$0.location])
                },
                sites: sites))
    }

    /// Each institution accepts for its locations, at its own node, as soon as the invitation has come there.
    private func accept(_ study: StudyID) async throws -> [LocationID: EntryID] {
        var acceptances: [LocationID: EntryID] = [:]
        for node in source.division.nodes {
            let locations = source.division.locations(of: node)
            let acceptance = command(
                "accept/\(node)", .institution, at: node, study: study,
                .accept(
                    locations: locations, agreement: "agreement of \(node) with \(coordinator)", approval: "REK",
                    date: source.plan.recruitment.map { "\($0.start)" } ?? ""))
            let receipt = try await conversation(node).insist(acceptance) { refusal in
                switch refusal {
                case .unknownStudy, .notInvited: true
                default: false
                }
            }
            for location in locations { acceptances[location] = receipt.entry }
        }
        return acceptances
    }

    private func delegate(_ study: StudyID) async throws {
        let importer = StudySetup.importSender(for: source.document)
        for site in sites {
            let grant = command(
                "delegate/\(site.id)", .institution, at: site.owner, study: study,
                .delegate(
                    site: site.id, actor: importer.actor, name: "import of data recorded elsewhere",
                    role: importer.role,
                    from: source.plan.recruitment.map { "\($0.start)" } ?? "", to: nil))
            _ = try await conversation(site.owner).insist(grant) { refusal in
                if case .notOwningDelegations = refusal { true } else { false }
            }
        }
    }
}
