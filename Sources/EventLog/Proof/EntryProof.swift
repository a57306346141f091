/// One entry with everything that shows what it says, where it stands and who signed for it.
public struct ProvenEntry: Hashable, Sendable {
    /// The log: node, stream and epoch, which its id is made of.
    public let log: LogName
    /// The leaf, as it was written.
    public let header: [UInt8]
    /// The parts that are here, by their place in the header; nil for one that is not.
    public let body: EntryBody
    /// That the leaf stands in the log under a signed head.
    public let logProof: LogProof
    /// Where the newest charter states a head of this log up to which it accepts the writer's key: the consistency proof
    /// (RFC 9162 §2.1.4) between that head and the one of ``logProof``, whichever is the larger one. Else nil.
    public let acceptedPath: [Hash]?

    /// A consistency proof in a log of at most 2^63 - 1 entries has no more hashes.
    public static let maximumAcceptedPathCount = 64

    /// Joins the pieces; nothing is checked.
    public init(log: LogName, header: [UInt8], body: EntryBody, logProof: LogProof, acceptedPath: [Hash]?) {
        self.log = log
        self.header = header
        self.body = body
        self.logProof = logProof
        self.acceptedPath = acceptedPath
    }

    /// Where the entry is said to stand.
    public var address: EntryAddress { EntryAddress(log: log.log, index: logProof.index) }

    /// The leaf hash.
    public var id: EntryID { EntryID(MerkleTree.leafHash(of: header)) }
}

/// What a proof file holds for one entry: the entry, the orders under which parts of it are missing, and the charter.
///
/// Everything in it is a claim until ``verify(foundingHash:)`` has returned.
public struct EntryProof: Hashable, Sendable {
    /// The entry that is to be proven.
    public let entry: ProvenEntry
    /// Entries by whose order parts of it were dropped, each proven like the entry.
    public let orders: [ProvenEntry]
    /// The versions of the charter from 0 on.
    public let charters: [SignedCharter]

    /// No proof holds more orders.
    public static let maximumOrders = 64

    /// Joins the pieces; nothing is checked.
    public init(entry: ProvenEntry, orders: [ProvenEntry] = [], charters: [SignedCharter]) {
        self.entry = entry
        self.orders = orders
        self.charters = charters
    }

    /// Checks everything that can be checked with this proof alone.
    ///
    /// - Parameter foundingHash: hash of version 0 of the network's charter, got by another way than the proof. Where it
    ///   is nil, whoever reads the result has to compare ``VerifiedProof/foundingHash`` by themselves.
    /// - Throws: ``EntryProofError``, the first rule that is broken.
    public func verify(foundingHash: Hash?) throws(EntryProofError) -> VerifiedProof {
        guard let first = charters.first else { throw .noCharter }
        guard orders.count <= EntryProof.maximumOrders else { throw .tooManyOrders }
        var chain = CharterChain(foundingHash: foundingHash ?? first.hash)
        for version in charters {
            do throws(CharterError) { _ = try chain.insert(version) } catch { throw .charter(error) }
        }
        let verified = try VerifiedEntry(checking: entry, charter: chain)
        var orders: [VerifiedEntry] = []
        for order in self.orders { orders.append(try VerifiedEntry(checking: order, charter: chain)) }
        return VerifiedProof(
            entry: verified, orders: orders, foundingHash: chain.foundingHash,
            charterVersion: chain.newest?.number ?? 0)
    }
}

/// What a proof has proven.
public struct VerifiedProof: Sendable {
    /// The entry.
    public let entry: VerifiedEntry
    /// The orders that stand beside it.
    public let orders: [VerifiedEntry]
    /// Hash of version 0 of the charter: whoever trusts the result must know it from elsewhere.
    public let foundingHash: Hash
    /// The newest version of the charter in the proof. What later versions revoke, nobody can tell from the proof.
    public let charterVersion: UInt64
}

/// Why the proof of an entry was refused.
public enum EntryProofError: Error, Hashable, Sendable {
    /// There is no charter.
    case noCharter
    /// The charter breaks a rule.
    case charter(CharterError)
    /// More orders than ``EntryProof/maximumOrders``.
    case tooManyOrders
    /// The header or a part cannot be read, or is not what is committed to.
    case entry(EntryError)
    /// The log's name is that of another log than the one in the header.
    case logMismatch(named: LogID, inHeader: LogID)
    /// The log proof is of another index than the header.
    case indexMismatch(proven: UInt64, inHeader: UInt64)
    /// The log proof is refused.
    case logProof(LogProofError)
    /// The log is of another network than the charter.
    case otherNetwork(NetworkID, charter: NetworkID)
    /// The charter does not know the node of the log.
    case unknownNode(NodeID)
    /// The charter ends before the version that the entry was written under.
    case charterTooShort(known: UInt64, newest: UInt64)
    /// The writer's key did not sign the checkpoint.
    case signature(CheckpointError)
    /// The key that signed was revoked or replaced, and the charter accepts nothing of the log.
    case keyRetired(NodeID, version: UInt64)
    /// The charter accepts the log up to a smaller size.
    case beyondAccepted(index: UInt64, acceptedSize: UInt64)
    /// The checkpoint is not shown to agree with the accepted head.
    case acceptedHead(MerkleProofError)
    /// There is no proof that the checkpoint agrees with the accepted head.
    case acceptedProofMissing(size: UInt64)
    /// There is such a proof, and the charter states no accepted head of the log.
    case acceptedProofUnexpected
    /// A cosignature of a witness of the charter is wrong.
    case cosignature(CheckpointError)
    /// There are more or fewer places for parts than the header has commitments.
    case partCount(found: Int, expected: Int)
    /// A part that the header commits to is not here.
    case partMissing(position: Int, kind: PartKind)
}

extension EntryProofError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .noCharter: "the proof holds no charter, so nobody can tell whose key signed"
        case .charter(let error): error.description
        case .tooManyOrders: "the proof holds more than \(EntryProof.maximumOrders) orders"
        case .entry(let error): error.description
        case .logMismatch(let named, let inHeader):
            "the log's name is that of log \(named), but the header is of log \(inHeader): one of them was altered"
        case .indexMismatch(let proven, let inHeader):
            "the log proof is of index \(proven), but the header says \(inHeader): one of them was altered"
        case .logProof(let error): error.description
        case .otherNetwork(let network, let charter):
            "the log is of network '\(network)', but the charter is that of '\(charter)'"
        case .unknownNode(let node): "the charter names no node '\(node)', so its key is not known"
        case .charterTooShort(let known, let newest):
            "the entry was written under version \(known) of the charter, but the proof ends at version \(newest): "
                + "versions were left out"
        case .signature(let error): error.description
        case .keyRetired(let node, let version):
            "the key of '\(node)' that signed was revoked or replaced, and version \(version) of the charter accepts "
                + "nothing of this log"
        case .beyondAccepted(let index, let size):
            "the charter accepts only the first \(size) entries of the log under the key that signed, and this is "
                + "entry \(index)"
        case .acceptedHead(let error): "the checkpoint does not agree with the head that the charter accepts: \(error)"
        case .acceptedProofMissing(let size):
            "the charter accepts the log up to a head of size \(size), and the proof does not show that its checkpoint "
                + "agrees with that head"
        case .acceptedProofUnexpected:
            "the proof compares its checkpoint with an accepted head, but the charter states none of this log"
        case .cosignature(let error): error.description
        case .partCount(let found, let expected):
            "the proof has \(found) parts, but the header commits to \(expected)"
        case .partMissing(let position, let kind):
            "part \(position) (\(kind)) is missing, and no order in the proof allows that"
        }
    }
}
