public import EventLog

/// Of which of a study's locations somebody may read the participants' records.
public enum ReadingScope: Hashable, Sendable {
    /// Of all that the node holds.
    case everything
    /// Of these; of none where there are none.
    case locations(Set<LocationID>)

    /// Whether the records of a location may be read.
    public func contains(_ location: LocationID) -> Bool {
        switch self {
        case .everything: true
        case .locations(let locations): locations.contains(location)
        }
    }

    /// Whether nothing may be read.
    public var isEmpty: Bool { self == .locations([]) }
}

extension StudyAuthority {
    /// Of which locations somebody may read records at a node, by what is known there now.
    ///
    /// Participation decides which node *holds* a stream, delegations which persons *see* it (DESIGN §3): whoever holds a
    /// standing delegation of their role at a study site sees the records of its locations. Those who manage the data of the
    /// study see everything that a coordinating node holds, and the institution the records of the locations that its node
    /// hosts. Client systems that submit answers, and nodes and participants, see no records.
    ///
    /// - Parameters:
    ///   - actor: the person or system.
    ///   - role: in what role.
    ///   - node: where they ask.
    public func readingScope(of actor: ActorID, as role: Role, at node: NodeID) -> ReadingScope {
        switch RoleTable.reading(role) {
        case .none: return .locations([])
        case .delegated: return .locations(delegatedLocations(of: actor, as: role))
        case .coordinated where participation?.coordinatingNodes.contains(node) == true: return .everything
        case .coordinated: return .locations(delegatedLocations(of: actor, as: role))
        case .hosted:
            let hosts = directory.newest?.hosts ?? [:]
            return .locations(Set(hosts.filter { $0.value == node }.keys))
        }
    }

    /// The locations of the study sites at which a role is delegated to somebody, as far as it has not ended.
    public func delegatedLocations(of actor: ActorID, as role: Role) -> Set<LocationID> {
        let sites = participation?.sites.filter { delegation(of: actor, as: role, at: $0.id) != nil } ?? []
        return Set(sites.flatMap(\.locations))
    }
}
