import EventLog
import Testing

struct ForkProofTests {
    static let tree = NaiveTree(size: 20)
    static let key = TestKeys.log.verifierKey

    /// The head of a log whose entries are those of the tree, but for one.
    static func head(size: Int, replacing index: Int? = nil) throws -> SignedCheckpoint {
        var leaves = Array(tree.leaves[..<size])
        if let index { leaves[index] = Hash.sha256([UInt8(index)]) }
        let checkpoint = Checkpoint(log: TestKeys.origin, size: UInt64(size), root: MerkleTree.root(of: leaves))
        return try SignedCheckpoint(signing: checkpoint, with: TestKeys.log)
    }

    static func proof(_ smaller: SignedCheckpoint, _ larger: SignedCheckpoint) throws -> ForkProof {
        let (old, new) = (smaller.checkpoint.size, larger.checkpoint.size)
        let proof = try #require(
            MerkleTree.consistencyProof(oldSize: old, newSize: new, leafHash: { tree.leaves[Int($0)] }))
        let prefixRoot = MerkleTree.root(of: tree.leaves[..<Int(old)])
        return ForkProof(smaller: smaller, larger: larger, prefixRoot: prefixRoot, path: proof.path)
    }

    @Test func `two heads that contradict each other prove the fork`() throws {
        for new in 1...20 {
            for old in 1...new {
                try Self.proof(Self.head(size: old, replacing: old - 1), Self.head(size: new)).verify(with: Self.key)
            }
        }
    }

    @Test func `heads of a log that only grew prove nothing`() throws {
        for new in 1...20 {
            for old in 1...new {
                let proof = try Self.proof(Self.head(size: old), Self.head(size: new))
                #expect(throws: ForkProofError.headsAgree) { try proof.verify(with: Self.key) }
                let invented = ForkProof(
                    smaller: proof.smaller, larger: proof.larger, prefixRoot: .sha256([9]), path: proof.path)
                #expect(throws: ForkProofError.self) { try invented.verify(with: Self.key) }
            }
        }
    }

    @Test func `heads that somebody else signed prove nothing`() throws {
        let larger = try Self.head(size: 9)
        let forged = try SignedCheckpoint(
            signing: Self.head(size: 5, replacing: 0).checkpoint, with: TestKeys.otherLog)
        let proof = try Self.proof(forged, larger)
        #expect(throws: ForkProofError.checkpoint(.note(.noKnownSignature))) { try proof.verify(with: Self.key) }
        let backwards = try ForkProof(
            smaller: larger, larger: Self.head(size: 5, replacing: 0), prefixRoot: .zero, path: [])
        #expect(throws: ForkProofError.proof(.treeShrinks(oldSize: 9, newSize: 5))) {
            try backwards.verify(with: Self.key)
        }
    }
}
