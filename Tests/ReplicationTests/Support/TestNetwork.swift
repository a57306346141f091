import EventLog
import Replication

/// Names, keys and charters that the tests share.
enum TestNetwork {
    static let network = NetworkID("helse")!
    static let study = StudyID(RandomName(high: 1, low: 2))
    static let studyStream = StreamID.study(study)
    static let administrators = (0..<3).map { AdministratorKey(seed: seed("administrator \($0)"))! }

    static let nodes = ["ahus", "haukeland", "ous", "stavanger", "stolav", "unn"].map { NodeID($0)! }
    static let ahus = nodes[0]
    static let haukeland = nodes[1]
    static let ous = nodes[2]
    static let stavanger = nodes[3]

    /// The stream of the location that a node hosts.
    static func stream(of node: NodeID) -> StreamID { .location(LocationID(node.text)!, in: study) }

    static func seed(_ text: String) -> [UInt8] { Hash.sha256([UInt8](text.utf8)).bytes }

    static func signingSeed(of node: NodeID) -> [UInt8] { seed("\(node) signs") }

    static func publicKey(of node: NodeID) -> [UInt8] {
        NoteSigningKey(name: NoteKeyName("any")!, seed: signingSeed(of: node))!.verifierKey.publicKey
    }

    static func charterNode(_ node: NodeID) -> CharterNode {
        CharterNode(
            id: node, name: "Hospital \(node)", region: "Helse Vest",
            signingKey: SigningPublicKey(Hash(bytes: publicKey(of: node))!),
            curveKey: NodeCurvePublicKey(.sha256([UInt8]("\(node) connects".utf8))),
            witnessKey: witnessKey(of: node))
    }

    /// The public key under which a node cosigns, the first that it ever had.
    static func witnessKey(of node: NodeID, number: UInt32 = 1) -> WitnessPublicKey {
        let name = WitnessName(network: network, node: node, number: number)
        return WitnessPublicKey(Hash(bytes: witnessSigningKey(name).verifierKey.publicKey)!)
    }

    static func witnessSigningKey(_ name: WitnessName) -> WitnessSigningKey {
        WitnessSigningKey(name: name.keyName, seed: seed("\(name.node) witnesses \(name.number)"))!
    }

    /// A cosignature of a node over any head.
    static func cosignature(
        of node: NodeID, over head: StatedHead, number: UInt32 = 1, unixSeconds: UInt64 = 1
    ) -> KeptCosignature {
        let name = WitnessName(network: network, node: node, number: number)
        return KeptCosignature(cosigning: head, as: name, with: witnessSigningKey(name), unixSeconds: unixSeconds)
    }

    static func founding(_ nodes: [NodeID] = nodes, administrators: Int = 1) -> Charter {
        .founding(
            network: network, nodes: nodes.map(charterNode),
            locations: nodes.map { CharterLocation(id: LocationID($0.text)!, name: "Ward of \($0)", host: $0) },
            administrators: self.administrators.prefix(administrators).map(\.publicKey))
    }

    static func sign(_ charter: Charter, by count: Int = 1) -> SignedCharter {
        do throws(CharterError) {
            return try SignedCharter(signing: charter, with: Array(administrators.prefix(count)))
        } catch {
            fatalError("the test charter is wrong: \(error)")
        }
    }

    /// A chain of version 0 with all nodes; made once, since signing takes time.
    static let chain = chain(of: [sign(founding())])

    static func chain(of versions: [SignedCharter]) -> CharterChain {
        var chain = CharterChain(foundingHash: versions[0].hash)
        do throws(CharterError) {
            for version in versions { try chain.append(version) }
        } catch {
            fatalError("the test charter is wrong: \(error)")
        }
        return chain
    }

    /// Everybody may hold everything.
    static func open(_ nodes: [NodeID]) -> ListedHoldingPolicy {
        var holders: [StreamID: Set<NodeID>] = [studyStream: Set(nodes)]
        for node in nodes { holders[stream(of: node)] = Set(nodes) }
        return ListedHoldingPolicy(holders)
    }

    /// The study's stream is held by all, each location's only by its host.
    static func closed(_ nodes: [NodeID]) -> ListedHoldingPolicy {
        var holders: [StreamID: Set<NodeID>] = [studyStream: Set(nodes)]
        for node in nodes { holders[stream(of: node)] = [node] }
        return ListedHoldingPolicy(holders)
    }

    /// Small limits and short times, so that every limit is reached in a test of seconds.
    static var configuration: ReplicationConfiguration {
        var configuration = ReplicationConfiguration()
        configuration.logsInFlight = 4
        configuration.creditWindowBytes = 12_000
        configuration.rangeBytes = 3_000
        configuration.pushWindowBytes = 4_000
        configuration.pushesInFlight = 8
        configuration.logsPerPeer = 512
        configuration.peersToldDirectly = 2
        configuration.antiEntropyMilliseconds = 1_000
        configuration.retryMilliseconds = 200
        configuration.wantTimeoutMilliseconds = 600
        configuration.pushTimeoutMilliseconds = 400
        configuration.backOffMilliseconds = 400
        configuration.witnessMilliseconds = 300
        configuration.witnessPatienceMilliseconds = 1_200
        configuration.cosignatureMilliseconds = 50
        return configuration
    }
}
