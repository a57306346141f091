import Crypto
import EventLog

/// A network of three nodes with a log of some entries, signed and cosigned, from which proofs are made.
struct ProofFixture {
    static let network = NetworkID(unchecked: "helse")
    static let haukeland = NodeID(unchecked: "haukeland")
    static let ous = NodeID(unchecked: "ous")
    static let unn = NodeID(unchecked: "unn")
    static let administrators = (0..<3).map { AdministratorKey(seed: seed("administrator \($0)"))! }
    static let study = StudyID(RandomName(high: 0x5741, low: 0x5244))
    static let log = LogName(
        network: network, node: haukeland, stream: .location(LocationID(unchecked: "haukeland"), in: study),
        epoch: Epoch(RandomName(high: 7, low: 9)))
    static let size = 11
    static let time: UInt64 = 1_790_000_000

    /// The bytes of header and body of each entry, and the leaf hashes.
    let entries: [RawEntry]
    let leaves: [Hash]
    /// The founding charter alone.
    let chain: CharterChain

    static func seed(_ text: String) -> [UInt8] { Hash.sha256([UInt8](text.utf8)).bytes }

    private static func publicKey(_ text: String) -> Hash {
        let key = try! Curve25519.Signing.PrivateKey(rawRepresentation: seed(text))
        return Hash(bytes: [UInt8](key.publicKey.rawRepresentation))!
    }

    static func node(_ id: NodeID, generation: Int = 1) -> CharterNode {
        CharterNode(
            id: id, name: "Hospital \(id)", region: "Helse Vest",
            signingKey: SigningPublicKey(publicKey("\(id) signs \(generation)")),
            curveKey: NodeCurvePublicKey(publicKey("\(id) connects \(generation)")),
            witnessKey: WitnessPublicKey(publicKey("\(id) witnesses \(generation)")))
    }

    init() throws {
        chain = try CharterChain(
            founding: SignedCharter(
                signing: .founding(
                    network: Self.network, nodes: [Self.haukeland, Self.ous, Self.unn].map { Self.node($0) },
                    locations: [
                        CharterLocation(
                            id: LocationID(unchecked: "haukeland"), name: "Haukeland", host: Self.haukeland)
                    ], administrators: Self.administrators.map(\.publicKey)), with: Array(Self.administrators.prefix(2))
            )
        )
        var generator = SplitMix64(seed: 77)
        var entries: [RawEntry] = []
        for index in 0..<UInt64(Self.size) {
            let draft = EntryDraft(
                stream: Self.log.stream, operation: .formSaved,
                authority: Authority(
                    actor: ActorID(using: &generator), kind: .person, role: .studyNurse, authentication: .localAccount),
                known: KnownVersions(), definition: .sha256([1]), subject: SubjectHandle(using: &generator),
                command: CommandID(using: &generator),
                parts: [
                    (.structure, [8, 0] + generator.bytes(20)), (.content, generator.bytes(30)),
                    (.text, [UInt8]("free text".utf8)),
                ])
            entries.append(
                draft.sealed(
                    log: Self.log.id, index: index, hybridTime: index + 1,
                    nodeTime: NodeTime(utcMilliseconds: 1_790_000_000_000), software: "test", using: &generator
                ).raw)
        }
        self.entries = entries
        leaves = entries.map(\.id.hash)
    }

    func root(_ size: Int) -> Hash { MerkleTree.root(of: leaves.prefix(size)) }

    /// The signed head of the first `size` entries.
    func head(
        _ size: Int, generation: Int = 1, of leaves: [Hash]? = nil, cosignedBy witnesses: [(NodeID, UInt64)] = []
    ) throws -> SignedCheckpoint {
        let origin = LogOrigin(network: Self.network, log: Self.log.id)
        let key = NoteSigningKey(name: origin.keyName, seed: Self.seed("\(Self.haukeland) signs \(generation)"))!
        let root = MerkleTree.root(of: (leaves ?? self.leaves).prefix(size))
        let checkpoint = Checkpoint(log: origin, size: UInt64(size), root: root)
        var signed = try SignedCheckpoint(signing: checkpoint, with: key)
        for (node, time) in witnesses {
            signed = try signed.adding(Self.witnessKey(node).cosign(checkpoint, unixSeconds: time))
        }
        return signed
    }

    static func witnessKey(_ node: NodeID) -> WitnessSigningKey {
        WitnessSigningKey(
            name: WitnessName(network: network, node: node, number: 1).keyName, seed: seed("\(node) witnesses 1"))!
    }

    func inclusion(_ index: Int, _ size: Int, of leaves: [Hash]? = nil) -> [Hash] {
        let leaves = leaves ?? self.leaves
        return MerkleTree.inclusionProof(index: UInt64(index), size: UInt64(size), leafHash: { leaves[Int($0)] })!.path
    }

    func consistency(_ old: Int, _ new: Int) -> [Hash] {
        MerkleTree.consistencyProof(
            oldSize: UInt64(old), newSize: UInt64(new), leafHash: { [leaves] in leaves[Int($0)] })!.path
    }

    /// The entry at an index under the head of a size.
    func proven(
        _ index: Int, under size: Int = ProofFixture.size, head: SignedCheckpoint? = nil, accepted: [Hash]? = nil
    ) throws -> ProvenEntry {
        let header = try EntryHeader(bytes: entries[index].header)
        let signed = try head ?? self.head(size, cosignedBy: [(Self.ous, Self.time), (Self.unn, Self.time - 5)])
        return ProvenEntry(
            log: Self.log, header: entries[index].header,
            body: try EntryBody(bytes: entries[index].body, partCount: header.parts.count),
            logProof: try LogProof(index: UInt64(index), path: inclusion(index, size), checkpoint: signed),
            acceptedPath: accepted)
    }

    func proof(_ index: Int, charters: [SignedCharter]? = nil) throws -> EntryProof {
        EntryProof(entry: try proven(index), charters: charters ?? chain.versions)
    }

    /// The chain with a further version.
    func chain(_ change: (inout Charter) -> Void) throws -> CharterChain {
        var longer = chain
        var next = longer.versions[longer.versions.count - 1].successor
        change(&next)
        try longer.append(SignedCharter(signing: next, with: Array(Self.administrators.prefix(2))))
        return longer
    }
}
