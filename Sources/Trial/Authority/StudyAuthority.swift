public import EventLog

/// One link of a numbered chain.
public struct ChainLink<Payload: Hashable & Sendable>: Hashable, Sendable {
    /// The entry.
    public let id: EntryID
    /// What it says.
    public let payload: Payload
}

/// All that the study's own stream and the charter say about who holds, writes and does what: a pure function of a set.
///
/// Invariants:
/// - `participations[k].payload.number == k + 1`, and each names the one before.
/// - `delegations[site]![k].payload.number == k + 1`, and each names the one before.
/// - An entry is in at most one of `void` and `waiting`.
public struct StudyAuthority: Hashable, Sendable {
    /// The study.
    public let study: StudyID
    /// The charter's versions.
    public let directory: NetworkDirectory
    /// The founding and the node that wrote it.
    public internal(set) var founding: ChainLink<StudyFounding>?
    /// The founder.
    public internal(set) var founder: NodeID?
    /// The participation chain.
    public internal(set) var participations: [ChainLink<Participation>] = []
    /// Acceptances that count, with the node that gave them.
    public internal(set) var acceptances: [EntryID: ParticipationAnswer] = [:]
    /// Locations whose acceptance was withdrawn, with the entries that did it, also those that a later acceptance took back.
    public internal(set) var withdrawals: [LocationID: Set<EntryID>] = [:]
    /// Publications of definitions, ordered by hybrid time and then id: for display of which is newest, never for merging.
    public internal(set) var definitions: [ChainLink<DefinitionPublication>] = []
    /// Plans, ordered likewise.
    public internal(set) var plans: [ChainLink<[UInt8]>] = []
    /// The delegation chain of every study site.
    public internal(set) var delegations: [StudySiteID: [ChainLink<Delegation>]] = [:]
    /// For every link that ends a grant, how far its writer held the logs of the site's locations.
    var statedExtents: [EntryID: [LogID: UInt64]] = [:]
    /// Entries without effect.
    public internal(set) var void: [EntryID: VoidRule] = [:]
    /// Entries that cannot be judged yet.
    public internal(set) var waiting: [EntryID: Awaited] = [:]
    /// Entries this software does not understand.
    public internal(set) var notUnderstood: Set<EntryID> = []
    /// Things to know about entries that keep their effect.
    public internal(set) var findings: [EntryID: FindingRule] = [:]
    /// For an entry that repeats a command the one that stands for it, which repeats none.
    var canonical: [EntryID: EntryID] = [:]

    init(study: StudyID, directory: NetworkDirectory) {
        self.study = study
        self.directory = directory
    }

    /// The participation in force; nil before the first number.
    public var participation: Participation? { participations.last?.payload }

    /// A number of the participation chain, from 1; nil where it is not here.
    public func participation(numbered number: UInt64) -> Participation? {
        guard number >= 1, number <= UInt64(participations.count) else { return nil }
        return participations[Int(number) - 1].payload
    }

    /// Whether `node` coordinates the study by the number that it knew; before the first number the founder does.
    func coordinates(_ node: NodeID, knowing number: UInt64) -> Bool {
        number == 0 ? node == founder : participation(numbered: number)?.coordinatingNodes.contains(node) ?? false
    }

    /// Whether `location`'s stream is open: the newest number names an acceptance that counts and that saw every withdrawal.
    public func isOpen(_ location: LocationID) -> Bool {
        guard let participation, openness(of: location, in: participation) == .open,
            let acceptance = participation.members.first(where: { $0.location == location })?.acceptance
        else { return false }
        let seen = Set(acceptances[standing(for: acceptance)]?.seen.map(standing(for:)) ?? [])
        return withdrawals[location, default: []].isSubset(of: seen)
    }

    enum Openness: Equatable {
        case open
        case closed
        case waiting(EntryID)
    }

    /// Whether a participation opens a location.
    func openness(of location: LocationID, in participation: Participation) -> Openness {
        guard let member = participation.members.first(where: { $0.location == location }),
            let acceptance = member.acceptance
        else { return .closed }
        if let answer = acceptances[standing(for: acceptance)] {
            return answer.locations.contains(location) ? .open : .closed
        }
        return void[acceptance] == nil ? .waiting(acceptance) : .closed
    }

    /// The nodes of the locations that share `location`'s stream: its host, and in a regional site the hosts of the other
    /// locations that are open.
    func sharers(
        of location: LocationID, in participation: Participation, hosts: [LocationID: NodeID],
        isOpen: (LocationID) -> Bool
    ) -> Set<NodeID> {
        var nodes: Set<NodeID> = []
        if let host = hosts[location] { nodes.insert(host) }
        if let site = participation.site(of: location), site.isRegional {
            for other in site.locations where isOpen(other) {
                if let host = hosts[other] { nodes.insert(host) }
            }
        }
        return nodes
    }

    /// The nodes that share `location`'s stream today: whoever withdrew shares nothing of the others' any more.
    func sharersToday(of location: LocationID) -> Set<NodeID> {
        guard let participation, let hosts = directory.newest?.hosts else { return [] }
        return sharers(of: location, in: participation, hosts: hosts, isOpen: isOpen)
    }

    /// Which nodes may hold `stream` today (DESIGN §3, "Participation"; §6, "Who may hold").
    public func holders(of stream: StreamID) -> Set<NodeID> {
        guard stream.study == study, let hosts = directory.newest?.hosts, let admitted = directory.newest?.admitted
        else {
            return []
        }
        guard let participation else {
            return Set([founder].compactMap { $0 }).intersection(admitted)
        }
        var nodes = Set(participation.coordinatingNodes)
        switch stream.scope {
        case .study:
            for member in participation.members {
                if let host = hosts[member.location] { nodes.insert(host) }
            }
        case .location(let location):
            // A location that has not accepted, or has withdrawn, opens nothing, also to those who coordinate.
            guard isOpen(location) else { return [] }
            nodes.formUnion(sharersToday(of: location))
        case .restricted:
            // No class names its holders yet, so nobody may hold such a stream.
            return []
        }
        return nodes.intersection(admitted)
    }

    /// The number of the newest delegation of a site; 0 before the first.
    public func delegationNumber(of site: StudySiteID) -> UInt64 {
        UInt64(delegations[site]?.count ?? 0)
    }

    /// The grant of `role` to `actor` at `site` that has not been ended.
    public func delegation(of actor: ActorID, as role: Role, at site: StudySiteID) -> EntryID? {
        let chain = delegations[site] ?? []
        let ended = Set(chain.compactMap { $0.payload.ends.map(standing(for:)) })
        return chain.last {
            $0.payload.ends == nil && $0.payload.actor == actor && $0.payload.role == role && !ended.contains($0.id)
        }?.id
    }
}
