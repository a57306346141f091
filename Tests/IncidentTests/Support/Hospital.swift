import EventLog
import Foundation
import Replication
import Trial

/// The network of the tests: three hospitals that may hold everything.
enum Hospital {
    static let network = NetworkID(unchecked: "test.varde")
    static let study = StudyID(RandomName(high: 0x5D, low: 1))
    static let nodes = ["haukeland", "ous", "unn"].map { NodeID(unchecked: $0) }
    static let streams = nodes.map { StreamID.location(LocationID(unchecked: $0.text), in: study) }

    static func seed(_ node: NodeID) -> [UInt8] { Hash.sha256([UInt8]("\(node) signs".utf8)).bytes }

    static func publicKey(_ node: NodeID) -> [UInt8] {
        NoteSigningKey(name: NoteKeyName("any").unsafelyUnwrapped, seed: seed(node)).unsafelyUnwrapped.verifierKey
            .publicKey
    }

    static let policy = ListedHoldingPolicy(Dictionary(uniqueKeysWithValues: streams.map { ($0, Set(nodes)) }))

    static let chain: CharterChain = {
        let administrator = AdministratorKey(seed: Hash.sha256([UInt8]("administrator".utf8)).bytes).unsafelyUnwrapped
        let charter = Charter.founding(
            network: network,
            nodes: nodes.map { node in
                CharterNode(
                    id: node, name: node.text, region: nil,
                    signingKey: SigningPublicKey(Hash(bytes: publicKey(node)).unsafelyUnwrapped),
                    curveKey: NodeCurvePublicKey(.sha256([UInt8]("\(node) connects".utf8))),
                    witnessKey: WitnessPublicKey(.sha256([UInt8]("\(node) witnesses".utf8))))
            },
            locations: nodes.map { CharterLocation(id: LocationID(unchecked: $0.text), name: $0.text, host: $0) },
            administrators: [administrator.publicKey])
        do {
            return try CharterChain(founding: SignedCharter(signing: charter, with: [administrator]))
        } catch {
            preconditionFailure("the charter of the tests is wrong: \(error)")
        }
    }()

    static let directory = NetworkDirectory(
        network: network,
        versions: [
            NetworkDirectory.Version(
                admitted: Set(nodes),
                hosts: Dictionary(uniqueKeysWithValues: nodes.map { (LocationID(unchecked: $0.text), $0) }))
        ])

    static func time(_ now: UInt64) -> NodeTime { NodeTime(utcMilliseconds: 1_000_000 + Int64(now)) }

    /// A save whose structure says nothing: it is stored, told and folded like any other entry.
    static func draft(_ command: CommandID, of node: NodeID) -> EntryDraft {
        EntryDraft(
            stream: .location(LocationID(unchecked: node.text), in: study), operation: .formSaved,
            authority: Authority(
                actor: ActorID(RandomName(high: 0xAC, low: 1)), kind: .person, role: .studyNurse,
                authentication: .localAccount),
            known: KnownVersions(charter: 0), command: command,
            parts: [
                (.structure, [UInt8]("structure \(command)".utf8)), (.content, [UInt8](repeating: 0x78, count: 60)),
            ])
    }
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
