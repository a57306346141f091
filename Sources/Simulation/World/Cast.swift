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
    /// Admitted by a later version of the charter.
    static let fonna = NodeID(unchecked: "fonna")
}

extension LocationID {
    static let haukeland = LocationID(unchecked: "haukeland")
    static let voss = LocationID(unchecked: "voss")
    static let stavanger = LocationID(unchecked: "stavanger")
    static let unn = LocationID(unchecked: "unn")
    static let fonna = LocationID(unchecked: "fonna")
}

extension StudySiteID {
    /// The regional site: Haukeland, Voss and Stavanger.
    static let helseVest = StudySiteID(unchecked: "helse-vest")
    static let unn = StudySiteID(unchecked: "unn")
    static let fonna = StudySiteID(unchecked: "fonna")
}

/// Someone who sends commands.
struct Person: Hashable {
    let actor: ActorID
    let role: RoleName
    /// The node at which they work.
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
    static let fonnaDirector = Person(10, .institution, at: .fonna)
    static let fonnaNurse = Person(11, .studyNurse, at: .fonna)
    /// A registered client system.
    static let app = Person(12, .partnerApp, at: .haukeland)
}

/// The network of the simulations: names, keys and the versions of its charter, made once for all seeds.
enum Cast {
    static let network = NetworkID(unchecked: "varde.simulation")
    /// The nodes of the first version of the charter, in order.
    static let founders: [NodeID] = [.ahus, .haukeland, .norcrin, .stavanger, .unn]
    /// All nodes there ever are.
    static let everybody: [NodeID] = [.ahus, .fonna, .haukeland, .norcrin, .stavanger, .unn]

    static let sites = [
        StudySite(
            id: .helseVest, name: "Helse Vest", isRegional: true, locations: [.haukeland, .voss, .stavanger],
            owner: .haukeland),
        StudySite(id: .unn, name: "UNN", isRegional: false, locations: [.unn], owner: .unn),
    ]
    static let fonnaSite = StudySite(
        id: .fonna, name: "Helse Fonna", isRegional: false, locations: [.fonna], owner: .fonna)

    static let hosts: [(LocationID, NodeID)] = [
        (.haukeland, .haukeland), (.voss, .haukeland), (.stavanger, .stavanger), (.unn, .unn),
    ]

    static func seed(_ text: String) -> [UInt8] { Hash.sha256([UInt8](text.utf8)).bytes }

    static func signingSeed(of node: NodeID) -> [UInt8] { seed("\(node) signs") }

    private static func publicKey(_ text: String) -> Hash {
        guard let name = NoteKeyName("simulation"), let key = NoteSigningKey(name: name, seed: seed(text)),
            let hash = Hash(bytes: key.verifierKey.publicKey)
        else { preconditionFailure("the cast has no keys") }
        return hash
    }

    static func charterNode(_ node: NodeID) -> CharterNode {
        CharterNode(
            id: node, name: "Hospital \(node)", region: "Helse Vest",
            signingKey: SigningPublicKey(publicKey("\(node) signs")),
            curveKey: NodeCurvePublicKey(.sha256([UInt8]("\(node) connects".utf8))),
            witnessKey: WitnessPublicKey(publicKey("\(node) witnesses")))
    }

    private static let administrator: AdministratorKey = {
        guard let key = AdministratorKey(seed: seed("the administrator")) else {
            preconditionFailure("the cast has no administrator")
        }
        return key
    }()

    static func sign(_ charter: Charter) -> SignedCharter {
        do throws(CharterError) {
            return try SignedCharter(signing: charter, with: [administrator])
        } catch {
            preconditionFailure("the charter of the cast breaks a rule: \(error)")
        }
    }

    /// Version 0 of the charter.
    static let founding: CharterChain = chain([
        sign(
            .founding(
                network: network, nodes: founders.map(charterNode),
                locations: hosts.map { CharterLocation(id: $0, name: "Ward of \($0)", host: $1) },
                administrators: [administrator.publicKey]))
    ])

    /// Version 1 admits Fonna with a location of its own.
    static let admission: SignedCharter = {
        guard var next = founding.versions.last?.successor else { preconditionFailure("the cast has no charter") }
        next.nodes.append(charterNode(.fonna))
        next.locations.append(CharterLocation(id: .fonna, name: "Ward of fonna", host: .fonna))
        return sign(next)
    }()

    static func chain(_ versions: [SignedCharter]) -> CharterChain {
        var chain = CharterChain(foundingHash: versions[0].hash)
        do throws(CharterError) {
            for version in versions { try chain.append(version) }
        } catch {
            preconditionFailure("the charter of the cast breaks a rule: \(error)")
        }
        return chain
    }
}
