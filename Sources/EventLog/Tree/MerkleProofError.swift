/// Why a Merkle proof was refused; each case is one rule of RFC 9162 §2.1.3.2 and §2.1.4.2.
public enum MerkleProofError: Error, Hashable, Sendable {
    /// The index of the leaf is not below the size of the tree.
    case indexBeyondSize(index: UInt64, size: UInt64)
    /// A consistency proof from the empty tree says nothing: every tree extends it.
    case oldTreeIsEmpty
    /// The new tree has fewer leaves than the old one.
    case treeShrinks(oldSize: UInt64, newSize: UInt64)
    /// Both heads have this size, but their roots differ: the log was forked.
    case rootsDifferAtEqualSize(UInt64)
    /// The path has fewer hashes than the sizes call for.
    case pathTooShort(count: Int)
    /// The path has more hashes than the sizes call for.
    case pathTooLong(count: Int)
    /// The leaf and the path do not give the root of the tree.
    case rootMismatch
    /// The path does not give the root of the old tree.
    case oldRootMismatch
    /// The path does not give the root of the new tree.
    case newRootMismatch
}

extension MerkleProofError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .indexBeyondSize(let index, let size):
            "leaf \(index) is not in a tree of \(size) leaves; ask for a proof in a larger tree"
        case .oldTreeIsEmpty:
            "a consistency proof from the empty tree proves nothing; start from a head with at least one leaf"
        case .treeShrinks(let oldSize, let newSize):
            "the newer head has \(newSize) leaves and the older one \(oldSize): a log never shrinks; check their order"
        case .rootsDifferAtEqualSize(let size):
            "two heads of size \(size) have different roots: the log was forked; keep both heads as the proof of it"
        case .pathTooShort(let count):
            "the path of the proof has only \(count) hashes, too few for the sizes it names"
        case .pathTooLong(let count):
            "the path of the proof has \(count) hashes, too many for the sizes it names"
        case .rootMismatch:
            "the leaf and the path of the proof do not lead to the root of the tree"
        case .oldRootMismatch:
            "the path of the proof does not lead to the root of the older head"
        case .newRootMismatch:
            "the path of the proof does not lead to the root of the newer head"
        }
    }
}
