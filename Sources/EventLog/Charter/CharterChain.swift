/// The versions of a network's charter as far as they are known here, each checked against the one before.
///
/// Mostly they are one chain. Where more than half of the administrators signed two versions that follow the same one, both
/// are kept as *rivals*: every revocation in them counts and no admission, until a later version settles between them
/// (DESIGN §3). What counts is a function of the set of versions, in whatever order they came.
///
/// Invariants:
/// - version 0 has the founding hash; every other version's predecessor is here too;
/// - every version fulfils ``Charter/checkAlone()``, follows the one before, and is signed by more than half of the
///   administrators of the one before (version 0: of its own);
/// - `versions` are in the order of their numbers and, where those are equal, of their hashes;
/// - there are at most ``CharterLimit/versions`` versions of at most ``CharterLimit/chainBytes`` bytes together.
public struct CharterChain: Hashable, Sendable {
    /// Hash of version 0: what a new node is given by hand, and all that it trusts.
    public let foundingHash: Hash
    /// All versions, rivals among them.
    public private(set) var versions: [SignedCharter] = []
    /// The versions that nothing disputes, from 0.
    private(set) var undisputed: [SignedCharter] = []
    /// The versions after the last undisputed one; empty where there is no dispute.
    private(set) var disputed: [SignedCharter] = []
    /// What counts now.
    public private(set) var newest: Charter?
    /// The nodes of what counts now.
    private var nodes: [NodeID: CharterNode] = [:]
    /// Whose the keys are of what counts now.
    private var keyOwners: [Hash: NodeID] = [:]
    /// All keys that were ever revoked or replaced by undisputed versions.
    private var retiredKeys: Set<Hash> = []
    /// The keys under which each node ever cosigned, oldest first: asked for with every cosignature that comes or goes.
    private var witnessHistory: [NodeID: [WitnessPublicKey]] = [:]
    private(set) var byteCount = 0

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

    /// Adds the version that follows what counts now, after checking every rule: where there is a dispute, one that settles it.
    /// This is what people do; it begins no dispute.
    ///
    /// - Throws: the rule that is broken; the chain is then as it was.
    public mutating func append(_ signed: SignedCharter) throws(CharterError) {
        let charter = signed.charter
        if let last = undisputed.last {
            // Which version it follows is judged first: a contradiction matters more than any fault within.
            guard disputed.isEmpty else {
                guard charter.previous == last.hash, settles(signed, among: successors(of: last.hash)) else {
                    throw .disputed(after: last.charter.number)
                }
                let highest = newestNumber
                guard charter.number > highest else {
                    throw .numberUnexpected(expected: highest + 1, found: charter.number)
                }
                try insert(signed)
                return
            }
            guard charter.number == last.charter.number + 1 || !charter.settles.isEmpty else {
                throw .numberUnexpected(expected: last.charter.number + 1, found: charter.number)
            }
            guard charter.previous == last.hash else { throw .previousMismatch(number: charter.number) }
        }
        try insert(signed)
    }

    /// Adds a version that may be a rival of others, after checking every rule: for versions that come from other nodes, or
    /// from where this one keeps them.
    ///
    /// - Returns: whether it was not here yet.
    /// - Throws: the rule that is broken; the chain is then as it was.
    ///   ``CharterError/previousMismatch(number:)`` where the version before it is not here.
    @discardableResult
    public mutating func insert(_ signed: SignedCharter) throws(CharterError) -> Bool {
        // Mostly it is the newest. The order is total, so one that is here already is the one found.
        let place = versions.lastIndex { !signed.isBefore($0) }
        if let place, versions[place] == signed { return false }
        let added = signed.bytes.count
        guard versions.count < CharterLimit.versions else { throw .tooMany(.versions, limit: CharterLimit.versions) }
        guard byteCount + added <= CharterLimit.chainBytes else {
            throw .tooLarge(byteCount: byteCount + added, limit: CharterLimit.chainBytes)
        }
        let charter = signed.charter
        if versions.isEmpty {
            guard signed.hash == foundingHash else {
                throw .foundingMismatch(expected: foundingHash, found: signed.hash)
            }
            guard charter.number == 0 else { throw .numberUnexpected(expected: 0, found: charter.number) }
            try charter.checkAlone()
            try signed.checkSignatures(by: charter)
        } else {
            guard charter.number > 0 else { throw .foundingMismatch(expected: foundingHash, found: signed.hash) }
            guard let before = versions.last(where: { $0.hash == charter.previous }) else {
                throw .previousMismatch(number: charter.number)
            }
            try charter.checkAlone()
            try charter.check(after: before.charter, hashBefore: before.hash, retired: retiredKeys(until: before))
            try signed.checkSignatures(by: before.charter)
        }
        let continues = disputed.isEmpty && charter.previous == undisputed.last?.hash
        versions.insert(signed, at: place.map { $0 + 1 } ?? 0)
        byteCount += added
        if continues { follow(signed) } else { deriveAnew() }
        takeOver(dispute?.charter ?? undisputed.last?.charter)
        return true
    }

    /// Adds every version of another chain of the same network.
    ///
    /// - Throws: the rule that is broken; those before it are added.
    public mutating func insert(contentsOf other: CharterChain) throws(CharterError) {
        guard other != self else { return }
        for signed in other.versions { try insert(signed) }
    }

    /// Equal founding hashes and versions.
    public static func == (left: CharterChain, right: CharterChain) -> Bool {
        left.foundingHash == right.foundingHash && left.versions == right.versions
    }

    /// Hashes what stands for all versions.
    public func hash(into hasher: inout Hasher) { hasher.combine(newestHash) }
}

// MARK: - What counts

extension CharterChain {
    /// Finds out which versions nothing disputes: from 0, each the only one that follows, or the one that settles between
    /// all that do.
    private mutating func deriveAnew() {
        undisputed = []
        disputed = []
        retiredKeys = []
        witnessHistory = [:]
        guard let first = versions.first else { return }
        follow(first)
        var last = first
        while true {
            let next = successors(of: last.hash)
            guard let settled = next.count == 1 ? next[0] : next.first(where: { settles($0, among: next) }) else {
                disputed = next.isEmpty ? [] : descendants(of: last.hash)
                return
            }
            follow(settled)
            last = settled
        }
    }

    /// Takes a version as the next that nothing disputes.
    private mutating func follow(_ signed: SignedCharter) {
        let charter = signed.charter
        if let last = undisputed.last?.charter {
            retiredKeys.formUnion(Charter.retired(from: last, to: charter))
        } else {
            // A node that is revoked from the start can never be admitted with the same keys.
            retiredKeys = Charter.revokedAtFounding(charter)
        }
        undisputed.append(signed)
        for node in charter.nodes where witnessHistory[node.id]?.last != node.witnessKey {
            witnessHistory[node.id, default: []].append(node.witnessKey)
        }
    }

    private mutating func takeOver(_ charter: Charter?) {
        newest = charter
        let listed = charter?.nodes ?? []
        nodes = Dictionary(listed.map { ($0.id, $0) }) { first, _ in first }
        keyOwners = Dictionary(listed.flatMap { node in node.keys.map { ($0, node.id) } }) { first, _ in first }
    }

    private func successors(of hash: Hash) -> [SignedCharter] {
        versions.filter { $0.charter.previous == hash }
    }

    /// Whether a version names every other one that follows the same version.
    private func settles(_ signed: SignedCharter, among successors: [SignedCharter]) -> Bool {
        let named = Set(signed.charter.settles)
        return successors.allSatisfy { $0.hash == signed.hash || named.contains($0.hash) }
    }

    private func descendants(of hash: Hash) -> [SignedCharter] {
        var found: Set<Hash> = [hash]
        // In the order of their numbers, so that each comes after the one it follows.
        return versions.filter { signed in
            guard let previous = signed.charter.previous, found.contains(previous) else { return false }
            found.insert(signed.hash)
            return true
        }
    }

    /// The keys that were revoked or replaced on the way to a version, by itself too.
    private func retiredKeys(until signed: SignedCharter) -> Set<Hash> {
        if signed == undisputed.last { return retiredKeys }
        var retired: Set<Hash> = []
        var later = signed
        while let previous = later.charter.previous, let before = versions.last(where: { $0.hash == previous }) {
            retired.formUnion(Charter.retired(from: before.charter, to: later.charter))
            later = before
        }
        return retired.union(Charter.revokedAtFounding(later.charter))
    }
}

// MARK: - Asking the chain

extension CharterChain {
    /// True where not even version 0 is here.
    public var isEmpty: Bool { versions.isEmpty }

    /// How many versions are here, rivals among them.
    public var count: UInt64 { UInt64(versions.count) }

    /// The highest number of a version; 0 where the chain is empty. What entries state that their writer knew.
    public var newestNumber: UInt64 { versions.last?.charter.number ?? 0 }

    /// Stands for all versions here: the hash of the newest, or the founding hash where the chain is empty; where there are
    /// rivals, a hash over the hashes of all.
    public var newestHash: Hash { newestHash(ofFirst: count) ?? foundingHash }

    /// What ``newestHash`` would be if only the first `count` of ``versions`` were here; nil where there are fewer.
    public func newestHash(ofFirst count: UInt64) -> Hash? {
        guard count <= self.count else { return nil }
        guard count > 0 else { return foundingHash }
        let first = versions[..<Int(count)]
        let isChain = zip(first, first.dropFirst()).allSatisfy { $0.hash == $1.charter.previous }
        guard !isChain else { return first.last?.hash }
        return Hash.sha256([UInt8]("varde/charter-set/0".utf8) + first.flatMap(\.hash.bytes))
    }

    /// The network; nil where the chain is empty.
    public var network: NetworkID? { newest?.network }

    /// What counts for what was written knowing version `number`; nil where no version has so high a number. Of rivals, what
    /// counts of them all; of those that were settled, the version that settled them.
    public func charter(at number: UInt64) -> Charter? {
        // Without settlements every version stands at its number.
        if number < undisputed.count, undisputed[Int(number)].charter.number == number {
            return undisputed[Int(number)].charter
        }
        if let signed = undisputed.first(where: { $0.charter.number >= number }) { return signed.charter }
        return number <= newestNumber ? newest : nil
    }

    /// What counts by each number from 0.
    public var charters: [Charter] {
        isEmpty ? [] : (0...newestNumber).compactMap { charter(at: $0) }
    }

    /// The rival versions between which nothing has settled yet, and what follows them; nil where there are none.
    public var dispute: CharterDispute? { CharterDispute(disputed, after: undisputed.last) }

    /// A node of what counts now; nil where there is none with this id.
    public func node(_ id: NodeID) -> CharterNode? { nodes[id] }

    /// Whether the node is admitted.
    public func isAdmitted(_ id: NodeID) -> Bool { nodes[id]?.state == .admitted }

    /// The node that signs its logs with this key now.
    public func node(forSigningKey key: SigningPublicKey) -> CharterNode? {
        node(owning: key.hash) { $0.signingKey == key }
    }

    /// The node that proves its identity with this key now.
    public func node(forCurveKey key: NodeCurvePublicKey) -> CharterNode? {
        node(owning: key.hash) { $0.curveKey == key }
    }

    /// The node that cosigns with this key now.
    public func node(forWitnessKey key: WitnessPublicKey) -> CharterNode? {
        node(owning: key.hash) { $0.witnessKey == key }
    }

    private func node(owning key: Hash, _ fits: (CharterNode) -> Bool) -> CharterNode? {
        guard let id = keyOwners[key], let node = nodes[id], fits(node) else { return nil }
        return node
    }

    /// All keys under which a node ever cosigned, oldest first; the first has number 1.
    public func witnessKeys(of node: NodeID) -> [WitnessPublicKey] { witnessHistory[node] ?? [] }
}
