/// Largest sizes of charters. Whatever is larger is refused before memory is taken for it.
public enum CharterLimit {
    /// Bytes of one version, without its signatures.
    public static let charterBytes = 384 * 1024
    /// Bytes of one version with its signatures.
    public static let signedBytes = charterBytes + 32 * 1024
    /// Nodes of a version.
    public static let nodes = 512
    /// Locations of a version.
    public static let locations = 4_096
    /// Administrators of a version.
    public static let administrators = 64
    /// Signatures under a version.
    public static let signatures = 128
    /// Accepted heads of all nodes of a version together.
    public static let acceptedHeads = 4_096
    /// Bytes of a name that people read.
    public static let nameBytes = 256
    /// Versions of a chain, rival ones counted, and one more than the highest number.
    public static let versions = 4_096
    /// Rival versions that one version settles.
    public static let settled = 64
    /// Bytes of a chain.
    public static let chainBytes = 64 * 1024 * 1024
}

/// One hospital's node as a version of the charter describes it.
public struct CharterNode: Hashable, Sendable {
    /// Whether the node takes part.
    public enum State: UInt64, Hashable, Sendable {
        /// It may connect, hold and write.
        case admitted = 1
        /// It may not any more; its logs count up to their accepted heads.
        case revoked = 2
    }

    /// The node's id, unique for all versions.
    public var id: NodeID
    /// The name that people read.
    public var name: String
    /// The region the node belongs to, if it belongs to one.
    public var region: String?
    /// Signs the checkpoints of the node's logs.
    public var signingKey: SigningPublicKey
    /// Proves the node's identity on the network.
    public var curveKey: NodeCurvePublicKey
    /// Cosigns the checkpoints of others.
    public var witnessKey: WitnessPublicKey
    /// Whether the node takes part.
    public var state: State
    /// How far the logs count that were signed with keys now revoked or replaced. A log not named does not count at all.
    public var accepted: [StatedHead]

    /// Describes a node.
    public init(
        id: NodeID, name: String, region: String? = nil, signingKey: SigningPublicKey, curveKey: NodeCurvePublicKey,
        witnessKey: WitnessPublicKey, state: State = .admitted, accepted: [StatedHead] = []
    ) {
        self.id = id
        self.name = name
        self.region = region
        self.signingKey = signingKey
        self.curveKey = curveKey
        self.witnessKey = witnessKey
        self.state = state
        self.accepted = accepted
    }

    /// The three keys as plain bytes: no two keys of a charter are equal, whatever they are for.
    var keys: [Hash] { [signingKey.hash, curveKey.hash, witnessKey.hash] }
}

/// A hospital or department where data are entered.
public struct CharterLocation: Hashable, Sendable {
    /// The location's id, unique for all versions.
    public var id: LocationID
    /// The name that people read.
    public var name: String
    /// The node that hosts it.
    public var host: NodeID
    /// The region it belongs to, if it belongs to one.
    public var region: String?

    /// Describes a location.
    public init(id: LocationID, name: String, host: NodeID, region: String? = nil) {
        self.id = id
        self.name = name
        self.host = host
        self.region = region
    }
}

/// One numbered version of the charter (DESIGN §3): which nodes, locations and administrators the network has.
///
/// A value to read or to prepare the next version in; what counts is the signed bytes in a ``SignedCharter`` that stands
/// in a ``CharterChain``.
public struct Charter: Hashable, Sendable {
    /// The network; the same in all versions.
    public var network: NetworkID
    /// The number of this version, from 0.
    public var number: UInt64
    /// Hash of the version before; nil in version 0.
    public var previous: Hash?
    /// The nodes, those revoked too: none ever leaves the list, because its entries stay.
    public var nodes: [CharterNode]
    /// The locations; none ever leaves the list.
    public var locations: [CharterLocation]
    /// Those who sign the next version, more than half of them.
    public var administrators: [AdministratorPublicKey]
    /// Hashes of the other successors of the version before, between which and itself this version decides.
    public var settles: [Hash]

    /// States a version.
    public init(
        network: NetworkID, number: UInt64, previous: Hash?, nodes: [CharterNode], locations: [CharterLocation],
        administrators: [AdministratorPublicKey], settles: [Hash] = []
    ) {
        self.network = network
        self.number = number
        self.previous = previous
        self.nodes = nodes
        self.locations = locations
        self.administrators = administrators
        self.settles = settles
    }

    /// Version 0 of a new network.
    public static func founding(
        network: NetworkID, nodes: [CharterNode], locations: [CharterLocation],
        administrators: [AdministratorPublicKey]
    ) -> Charter {
        Charter(
            network: network, number: 0, previous: nil, nodes: nodes, locations: locations,
            administrators: administrators)
    }

    /// The node with this id; nil where the version knows none.
    public func node(_ id: NodeID) -> CharterNode? { nodes.first { $0.id == id } }

    /// The location with this id; nil where the version knows none.
    public func location(_ id: LocationID) -> CharterLocation? { locations.first { $0.id == id } }

    /// How many administrators must sign the next version: more than half.
    public var signaturesNeeded: Int { administrators.count / 2 + 1 }

    /// The hash by which the next version names this one: SHA-256 over the domain `varde/charter/0` and the bytes.
    public static func hash(of bytes: [UInt8]) -> Hash {
        Hash.sha256([UInt8]("varde/charter/0".utf8) + bytes)
    }
}
