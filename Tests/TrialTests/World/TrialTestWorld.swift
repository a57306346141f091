import EventLog
import Trial

/// A small network with one study, in which nodes know only what was delivered to them.
///
/// Every entry is made the way a node makes it: decided, sealed, checked against its bytes, folded.
final class TrialTestWorld {
    var generator: SplitMix64
    let study: StudyID
    private(set) var nodes: [NodeID: TestNode] = [:]
    /// Every entry that was ever written, in the order of writing.
    private(set) var entries: [WrittenEntry] = []
    /// Every command that was carried out, in that order.
    private(set) var commands: [Command] = []

    /// The clinical date of what is sent from now on.
    var occurred: String? = "2025-03"
    /// The device's time of what is sent from now on.
    var recorded: DeviceTime?

    /// A network in which norcrin founded the study and nobody was invited yet.
    init(seed: UInt64, charterVersions: Int = 2, mode: StudyMode = .test) throws {
        var generator = SplitMix64(seed: seed)
        let nonce = RandomName(using: &generator)
        study = StudyFounding.studyID(network: TestNetwork.id, founder: .norcrin, nonce: nonce)
        self.generator = generator
        let directory = TestNetwork.directory(charterVersions)
        for id in [NodeID.norcrin, .haukeland, .stavanger, .unn, .ahus, .stranger] {
            nodes[id] = TestNode(id, study: study, directory: directory)
        }
        let founding = Command(
            id: CommandID(using: &self.generator), sender: Sender(actor: Person.manager.actor, role: .dataManager),
            study: nil, provenance: Provenance(source: .direct),
            request: .found(mode: mode, oid: "TINY", name: "Tiny"))
        let context = DecisionContext(
            node: .norcrin, fold: self[.norcrin].fold, definition: nil, charterVersion: UInt64(charterVersions) - 1,
            entryOfCommand: { _ in nil }, receivedUTCMilliseconds: 0, randomName: nonce)
        try write(try Decision.decide(founding, in: context), at: .norcrin)
    }

    /// A network whose study is open at all four locations, with everybody delegated and everything known everywhere.
    static func open(seed: UInt64, charterVersions: Int = 2) throws -> TrialTestWorld {
        let world = try TrialTestWorld(seed: seed, charterVersions: charterVersions)
        try world.openStudy()
        try world.delegateEverybody()
        return world
    }

    subscript(node: NodeID) -> TestNode {
        guard let found = nodes[node] else { preconditionFailure("no node \(node)") }
        return found
    }

    // MARK: Writing

    /// Sends a command to a node and gives the entry that it became there, now or earlier.
    ///
    /// - Parameters:
    ///   - node: the person's own node where none is given.
    ///   - command: the command's id; a new one where none is given.
    @discardableResult
    func send(
        _ request: Request, by person: Person, to node: NodeID? = nil, command: CommandID? = nil
    ) throws -> WrittenEntry {
        var provenance = Provenance(source: .paper)
        provenance.occurred = occurred
        provenance.recorded = recorded
        return try send(
            Command(
                id: command ?? CommandID(using: &generator),
                sender: Sender(actor: person.actor, role: person.role), study: study, provenance: provenance,
                request: request), to: node ?? person.home)
    }

    /// Sends a command as it is.
    @discardableResult
    func send(_ command: Command, to node: NodeID) throws -> WrittenEntry {
        // A command already accepted gets its receipt before anything else is judged.
        if let earlier = self[node].entry(of: command.id, by: command.sender.actor) { return earlier }
        let draft = try Decision.decide(command, in: self[node].context(for: command.sender.actor, using: &generator))
        commands.append(command)
        return try write(draft, at: node)
    }

    /// Writes a draft at a node, whatever that node may do.
    @discardableResult
    func write(_ draft: EntryDraft, at node: NodeID, staysInLog: Bool = false) throws -> WrittenEntry {
        let written = try self[node].write(draft, staysInLog: staysInLog, using: &generator)
        entries += written
        return written[written.count - 1]
    }

    /// Adds an entry that was made by hand.
    func add(_ entry: WrittenEntry, at node: NodeID) throws {
        entries.append(entry)
        try self[node].take(entry)
    }

    /// The bytes of an entry that a node wrote, and its log; nil for one made by hand.
    func written(_ id: EntryID) -> (name: LogName, raw: RawEntry)? {
        nodes.values.lazy.compactMap { $0.written[id] }.first
    }

    // MARK: Delivering

    /// Delivers entries to a node, in their order.
    func deliver(_ entries: [WrittenEntry], to node: NodeID) throws {
        for entry in entries { try self[node].take(entry) }
    }

    /// Delivers everything to everybody, in the order of writing.
    func spread() throws {
        for node in nodes.keys { try deliver(entries, to: node) }
    }

    /// Replaces a node by one that was restored from a backup: it knows what the backup holds and writes new logs.
    func restore(_ node: NodeID, from backup: [WrittenEntry]) throws {
        nodes[node] = TestNode(node, study: study, directory: self[node].fold.authority.directory)
        try deliver(backup, to: node)
    }

    // MARK: Opening the study

    /// Invites, lets accept, and opens.
    func openStudy() throws {
        try participate(with: [:])
        try spread()
        let acceptances = [
            try accept([.haukeland, .voss], by: .bergenDirector), try accept([.stavanger], by: .stavangerDirector),
            try accept([.unn], by: .tromsoDirector),
        ]
        try spread()
        try participate(with: [
            .haukeland: acceptances[0].id, .voss: acceptances[0].id, .stavanger: acceptances[1].id,
            .unn: acceptances[2].id,
        ])
        try spread()
    }

    /// Numbers the participation chain with all four locations, open where an acceptance is given.
    @discardableResult
    func participate(
        with acceptances: [LocationID: EntryID], sites: [StudySite] = TestNetwork.sites, to node: NodeID = .norcrin,
        coordinating: [NodeID] = [.norcrin], command: CommandID? = nil
    ) throws -> WrittenEntry {
        let members = [LocationID.haukeland, .voss, .stavanger, .unn].map {
            Member(location: $0, acceptance: acceptances[$0])
        }
        return try send(
            .participate(sponsor: "Helse Bergen", coordinating: coordinating, members: members, sites: sites),
            by: .manager, to: node, command: command)
    }

    /// Accepts for locations.
    @discardableResult
    func accept(_ locations: [LocationID], by director: Person, command: CommandID? = nil) throws -> WrittenEntry {
        try send(
            .accept(locations: locations, agreement: "A-1", approval: "REK 1", date: "2025-01-01"), by: director,
            command: command)
    }

    /// Withdraws for locations.
    @discardableResult
    func withdraw(_ locations: [LocationID], by director: Person) throws -> WrittenEntry {
        try send(
            .withdraw(locations: locations, agreement: "A-1", approval: "REK 1", date: "2025-06-01"), by: director)
    }

    /// Delegates the nurses, the investigator and the monitor.
    func delegateEverybody() throws {
        for person in [Person.bergenNurse, .stavangerNurse, .bergenInvestigator, .monitor, .app] {
            try delegate(person, at: .helseVest, by: .bergenDirector)
        }
        try delegate(.tromsoNurse, at: .unn, by: .tromsoDirector)
        try spread()
    }

    /// Delegates a person in their role.
    @discardableResult
    func delegate(_ person: Person, at site: StudySiteID, by director: Person) throws -> WrittenEntry {
        try send(
            .delegate(
                site: site, actor: person.actor, name: "N. N.", role: person.role, from: "2025-01-01", to: nil),
            by: director)
    }

    /// Ends a person's delegation.
    @discardableResult
    func endDelegation(of person: Person, at site: StudySiteID, by director: Person) throws -> WrittenEntry {
        try send(.endDelegation(site: site, actor: person.actor, role: person.role, from: "2025-06-01"), by: director)
    }
}
