/// The proof that a log's writer signed two heads that cannot both be true: neither extends the other.
///
/// The larger head is shown to have another root at the smaller head's size than the smaller head states.
public struct ForkProof: Hashable, Sendable {
    /// The head with fewer entries, or either of them where both have the same number.
    public let smaller: SignedCheckpoint
    /// The other head.
    public let larger: SignedCheckpoint
    /// The root that the larger head's tree has at the smaller head's size.
    public let prefixRoot: Hash
    /// The path that proves it, as in a ``ConsistencyProof``; empty where the sizes are equal.
    public let path: [Hash]

    /// Takes over a proof that came from elsewhere; only ``verify(with:)`` judges it.
    public init(smaller: SignedCheckpoint, larger: SignedCheckpoint, prefixRoot: Hash, path: [Hash]) {
        self.smaller = smaller
        self.larger = larger
        self.prefixRoot = prefixRoot
        self.path = path
    }

    /// Checks that the key of the log signed both heads, and that they contradict each other.
    ///
    /// - Throws: the rule that is broken: then nothing is proved against the writer.
    public func verify(with key: NoteVerifierKey) throws(ForkProofError) {
        for head in [smaller, larger] {
            do throws(CheckpointError) { try head.verify(with: key) } catch { throw .checkpoint(error) }
        }
        let proof = ConsistencyProof(
            oldSize: smaller.checkpoint.size, newSize: larger.checkpoint.size, path: path)
        do throws(MerkleProofError) {
            try proof.verify(oldRoot: prefixRoot, newRoot: larger.checkpoint.root)
        } catch {
            throw .proof(error)
        }
        guard prefixRoot != smaller.checkpoint.root else { throw .headsAgree }
    }
}

/// Why a fork proof proves nothing.
public enum ForkProofError: Error, Hashable, Sendable {
    /// One of the heads is not signed by the log's key.
    case checkpoint(CheckpointError)
    /// The path does not show what root the larger head has at the smaller one's size.
    case proof(MerkleProofError)
    /// The larger head extends the smaller one: there is no fork.
    case headsAgree
}

extension ForkProofError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .checkpoint(let error): "the fork proof holds a head that does not count: \(error)"
        case .proof(let error): "the fork proof does not connect its two heads: \(error)"
        case .headsAgree: "the two heads of the fork proof agree with each other: the log was not forked"
        }
    }
}
