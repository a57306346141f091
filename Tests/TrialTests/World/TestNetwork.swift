import EventLog
import Trial

extension NodeID {
    /// Coordinates.
    static let norcrin = NodeID(unchecked: "norcrin")
    /// Hosts Haukeland and its satellite Voss.
    static let haukeland = NodeID(unchecked: "haukeland")
    static let stavanger = NodeID(unchecked: "stavanger")
    static let unn = NodeID(unchecked: "unn")
    /// Admitted to the network and not invited to the study.
    static let ahus = NodeID(unchecked: "ahus")
    /// In no charter.
    static let stranger = NodeID(unchecked: "stranger")
}

extension LocationID {
    static let haukeland = LocationID(unchecked: "haukeland")
    static let voss = LocationID(unchecked: "voss")
    static let stavanger = LocationID(unchecked: "stavanger")
    static let unn = LocationID(unchecked: "unn")
    static let ahus = LocationID(unchecked: "ahus")
}

extension StudySiteID {
    /// The regional site: Haukeland, Voss and Stavanger.
    static let helseVest = StudySiteID(unchecked: "helse-vest")
    static let unn = StudySiteID(unchecked: "unn")
}

/// Someone who sends commands.
struct Person: Hashable {
    let actor: ActorID
    let role: RoleName
    /// The node at which they usually work.
    let home: NodeID

    init(_ number: UInt64, _ role: RoleName, at home: NodeID) {
        actor = ActorID(RandomName(high: 0xACC0_4D00, low: number))
        self.role = role
        self.home = home
    }

    static let manager = Person(1, .dataManager, at: .norcrin)
    static let monitor = Person(2, .monitor, at: .norcrin)
    static let bergenDirector = Person(3, .institution, at: .haukeland)
    static let stavangerDirector = Person(4, .institution, at: .stavanger)
    static let tromsoDirector = Person(5, .institution, at: .unn)
    static let bergenNurse = Person(6, .studyNurse, at: .haukeland)
    static let stavangerNurse = Person(7, .studyNurse, at: .stavanger)
    static let tromsoNurse = Person(8, .studyNurse, at: .unn)
    static let bergenInvestigator = Person(9, .principalInvestigator, at: .haukeland)
    static let ahusNurse = Person(10, .studyNurse, at: .ahus)
    /// A registered client system.
    static let app = Person(11, .partnerApp, at: .haukeland)
}

enum TestNetwork {
    static let id = NetworkID(unchecked: "varde.test")

    private static let hosts: [LocationID: NodeID] = [
        .haukeland: .haukeland, .voss: .haukeland, .stavanger: .stavanger, .unn: .unn,
    ]

    /// Version 1 admits UNN and Ahus; version 2 lets Ahus host a location.
    static let versions: [NetworkDirectory.Version] = [
        NetworkDirectory.Version(
            admitted: [.norcrin, .haukeland, .stavanger],
            hosts: [.haukeland: .haukeland, .voss: .haukeland, .stavanger: .stavanger], signingKeys: keys),
        NetworkDirectory.Version(
            admitted: [.norcrin, .haukeland, .stavanger, .unn, .ahus], hosts: hosts, signingKeys: keys),
        NetworkDirectory.Version(
            admitted: [.norcrin, .haukeland, .stavanger, .unn, .ahus],
            hosts: hosts.merging([.ahus: .ahus]) { first, _ in first }, signingKeys: keys),
    ]

    private static let keys: [NodeID: SigningPublicKey] = [
        .norcrin: key(1), .haukeland: key(2), .stavanger: key(3), .unn: key(4), .ahus: key(5),
    ]

    /// The version after all others, in which a node has another key, or none any more, and so much of its logs is accepted.
    static func withoutKey(
        of node: NodeID, isRevoked: Bool, accepted: [LogID: UInt64], after number: Int = 3
    ) -> NetworkDirectory.Version {
        var version = versions[number - 1]
        if isRevoked { version.admitted.remove(node) } else { version.signingKeys[node] = key(99) }
        version.accepted[node] = accepted
        return version
    }

    /// The first `count` versions, of which `last` is one more.
    static func directory(_ count: Int, last: NetworkDirectory.Version? = nil) -> NetworkDirectory {
        NetworkDirectory(network: id, versions: Array((versions + [last].compactMap { $0 }).prefix(count)))
    }

    /// A key that signs logs, as far as tests of rights need one.
    static func key(_ number: UInt8) -> SigningPublicKey { SigningPublicKey(.sha256([number])) }

    static let sites = [
        StudySite(
            id: .helseVest, name: "Helse Vest", isRegional: true, locations: [.haukeland, .voss, .stavanger],
            owner: .haukeland),
        StudySite(id: .unn, name: "UNN", isRegional: false, locations: [.unn], owner: .unn),
    ]
}
