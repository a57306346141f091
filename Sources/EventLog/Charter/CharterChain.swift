/// The versions of a network's charter as far as they are known here, each checked against the one before.
///
/// Invariants:
/// - version `n` stands at position `n`; version 0 has the founding hash;
/// - every version fulfils ``Charter/checkAlone()``, follows the one before, and is signed by more than half of the
///   administrators of the one before (version 0: of its own);
/// - there are at most ``CharterLimit/versions`` versions of at most ``CharterLimit/chainBytes`` bytes together.
public struct CharterChain: Hashable, Sendable {
    /// Hash of version 0: what a new node is given by hand, and all that it trusts.
    public let foundingHash: Hash
    /// The versions from 0.
    public private(set) var versions: [SignedCharter] = []
    /// The nodes of the newest version.
    private var nodes: [NodeID: CharterNode] = [:]
    /// Whose the keys of the newest version are.
    private var keyOwners: [Hash: NodeID] = [:]
    /// All keys that were ever revoked or replaced.
    private var retiredKeys: Set<Hash> = []
    /// The keys under which each node ever cosigned, oldest first: asked for with every cosignature that comes or goes.
    private var witnessHistory: [NodeID: [WitnessPublicKey]] = [:]
    private var byteCount = 0

    /// A chain that has only been told the hash of its version 0.
    public init(foundingHash: Hash) {
        self.foundingHash = foundingHash
    }

    /// A chain of version 0, which is trusted as it is.
    ///
    /// - Throws: the rule that version 0 breaks.
    public init(founding signed: SignedCharter) throws(CharterError) {
        self.init(foundingHash: signed.hash)
        try append(signed)
    }

    /// Adds the version that follows, after checking every rule.
    ///
    /// - Throws: the rule that is broken; the chain is then as it was.
    public mutating func append(_ signed: SignedCharter) throws(CharterError) {
        let added = signed.bytes.count
        guard versions.count < CharterLimit.versions else { throw .tooMany(.versions, limit: CharterLimit.versions) }
        guard byteCount + added <= CharterLimit.chainBytes else {
            throw .tooLarge(byteCount: byteCount + added, limit: CharterLimit.chainBytes)
        }
        let charter = signed.charter
        if let last = versions.last {
            // Which version it follows is judged first: a contradiction matters more than any fault within.
            guard charter.number == last.charter.number + 1 else {
                throw .numberUnexpected(expected: last.charter.number + 1, found: charter.number)
            }
            guard charter.previous == last.hash else { throw .previousMismatch(number: charter.number) }
            try charter.checkAlone()
            try charter.check(after: last.charter, hashBefore: last.hash, retired: retiredKeys)
            try signed.checkSignatures(by: last.charter)
            retiredKeys.formUnion(Charter.retired(from: last.charter, to: charter))
        } else {
            guard signed.hash == foundingHash else {
                throw .foundingMismatch(expected: foundingHash, found: signed.hash)
            }
            guard charter.number == 0 else { throw .numberUnexpected(expected: 0, found: charter.number) }
            try charter.checkAlone()
            try signed.checkSignatures(by: charter)
            // A node that is revoked from the start can never be admitted with the same keys.
            for node in charter.nodes where node.state == .revoked { retiredKeys.formUnion(node.keys) }
        }
        versions.append(signed)
        byteCount += added
        for node in charter.nodes where witnessHistory[node.id]?.last != node.witnessKey {
            witnessHistory[node.id, default: []].append(node.witnessKey)
        }
        nodes = Dictionary(charter.nodes.map { ($0.id, $0) }) { first, _ in first }
        keyOwners = Dictionary(charter.nodes.flatMap { node in node.keys.map { ($0, node.id) } }) { first, _ in first }
    }

    /// Equal founding hashes and versions.
    public static func == (left: CharterChain, right: CharterChain) -> Bool {
        left.foundingHash == right.foundingHash && left.versions == right.versions
    }

    /// Hashes the newest version, which stands for all before it.
    public func hash(into hasher: inout Hasher) { hasher.combine(newestHash) }
}

// MARK: - Asking the chain

extension CharterChain {
    /// True where not even version 0 is here.
    public var isEmpty: Bool { versions.isEmpty }

    /// The number of versions, which is one more than the number of the newest.
    public var count: UInt64 { UInt64(versions.count) }

    /// The newest version; nil where the chain is empty.
    public var newest: Charter? { versions.last?.charter }

    /// Hash of the newest version, or the founding hash where the chain is empty.
    public var newestHash: Hash { versions.last?.hash ?? foundingHash }

    /// The network; nil where the chain is empty.
    public var network: NetworkID? { newest?.network }

    /// The version with this number; nil where it is not here.
    public func version(_ number: UInt64) -> SignedCharter? {
        number < count ? versions[Int(number)] : nil
    }

    /// What ``newestHash`` was when the chain had `count` versions; nil where it never had so many.
    public func newestHash(ofFirst count: UInt64) -> Hash? {
        count == 0 ? foundingHash : version(count - 1)?.hash
    }

    /// A node of the newest version; nil where it knows none with this id.
    public func node(_ id: NodeID) -> CharterNode? { nodes[id] }

    /// Whether the newest version admits the node.
    public func isAdmitted(_ id: NodeID) -> Bool { nodes[id]?.state == .admitted }

    /// The node of the newest version that signs its logs with this key.
    public func node(forSigningKey key: SigningPublicKey) -> CharterNode? {
        node(owning: key.hash) { $0.signingKey == key }
    }

    /// The node of the newest version that proves its identity with this key.
    public func node(forCurveKey key: NodeCurvePublicKey) -> CharterNode? {
        node(owning: key.hash) { $0.curveKey == key }
    }

    /// The node of the newest version that cosigns with this key.
    public func node(forWitnessKey key: WitnessPublicKey) -> CharterNode? {
        node(owning: key.hash) { $0.witnessKey == key }
    }

    private func node(owning key: Hash, _ fits: (CharterNode) -> Bool) -> CharterNode? {
        guard let id = keyOwners[key], let node = nodes[id], fits(node) else { return nil }
        return node
    }

    /// All keys under which a node ever cosigned, oldest first; the first has number 1.
    public func witnessKeys(of node: NodeID) -> [WitnessPublicKey] { witnessHistory[node] ?? [] }

    /// The key under which a node signed its logs by a version; nil where the version is not here or knows no such node. A
    /// log keeps the key of the version that its writer knew when it began the log: later keys never sign it.
    public func signingKey(of node: NodeID, at number: UInt64) -> SigningPublicKey? {
        version(number)?.charter.node(node)?.signingKey
    }

    /// All keys under which a node ever signed its logs, oldest first, each with the number of the version that brought it.
    public func signingKeys(of node: NodeID) -> [(number: UInt64, key: SigningPublicKey)] {
        var keys: [(number: UInt64, key: SigningPublicKey)] = []
        for signed in versions {
            guard let key = signed.charter.node(node)?.signingKey, keys.last?.key != key else { continue }
            keys.append((signed.charter.number, key))
        }
        return keys
    }
}

// MARK: - Bytes

extension CharterChain {
    /// The bytes of a file: `varde.v0.CharterChain`, its format version first.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: byteCount + versions.count * 8 + 64)
        writer.unsigned(1, always: Charter.formatVersion)
        writer.hash(2, foundingHash)
        for signed in versions { writer.data(3, always: signed.bytes) }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote and checks every version again.
    ///
    /// - Throws: the rule that is broken.
    public init(bytes: [UInt8]) throws(CharterError) {
        let limit = CharterLimit.chainBytes + CharterLimit.versions * 8 + 64
        guard bytes.count <= limit else { throw .tooLarge(byteCount: bytes.count, limit: limit) }
        var founding: Hash?
        var signed: [[UInt8]] = []
        do throws(WireError) {
            var reader = WireReader(bytes)
            try reader.readFormatVersion(Charter.formatVersion)
            // One more than allowed is read, so that appending can say what is wrong.
            while signed.count <= CharterLimit.versions, let field = try reader.next() {
                switch field {
                case 2: founding = try reader.hash()
                case 3: signed.append(try reader.data())
                default: try reader.skip()
                }
            }
        } catch {
            throw .unreadable(error)
        }
        guard let founding else { throw .unreadable(.missing(field: 2)) }
        self.init(foundingHash: founding)
        for bytes in signed { try append(SignedCharter(bytes: bytes)) }
    }
}
