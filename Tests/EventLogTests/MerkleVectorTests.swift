import EventLog
import Foundation
import Testing

/// The published proofs of transparency-dev/merkle: each gets the verdict that is listed for it.
struct MerkleVectorTests {
    static let inclusionPath = "vectors/rfc6962-inclusion.json"
    static let consistencyPath = "vectors/rfc6962-consistency.json"

    /// Two equal roots of 12 bytes, at equal sizes, with an empty path. The reference implementation compares them as
    /// they are and accepts; here a root of 12 bytes cannot be a ``Hash``, so the question cannot even be asked.
    static let exceptionWithShortRoots = "consistency/additional/sizes-are-equal-one-and-proof-is-empty"

    struct InclusionCase: Decodable {
        let `case`: String
        let leafIdx: UInt64
        let treeSize: UInt64
        let root: Data?
        let leafHash: Data?
        let proof: [Data]?
        let wantErr: Bool

        var isAccepted: Bool {
            guard let root = Hash(data: root), let leaf = Hash(data: leafHash), let path = Hash.path(proof) else {
                return false
            }
            let proof = InclusionProof(index: leafIdx, size: treeSize, path: path)
            return (try? proof.verify(leafHash: leaf, root: root)) != nil
        }
    }

    struct ConsistencyCase: Decodable {
        let `case`: String
        let size1: UInt64
        let size2: UInt64
        let root1: Data?
        let root2: Data?
        let proof: [Data]?
        let wantErr: Bool

        var isAccepted: Bool {
            guard let root1 = Hash(data: root1), let root2 = Hash(data: root2), let path = Hash.path(proof) else {
                return false
            }
            let proof = ConsistencyProof(oldSize: size1, newSize: size2, path: path)
            return (try? proof.verify(oldRoot: root1, newRoot: root2)) != nil
        }
    }

    @Test(.enabled(if: SharedData.isPresent(inclusionPath), SharedData.absent))
    func `every published inclusion proof gets its verdict`() throws {
        let cases = try SharedData.decode([InclusionCase].self, from: Self.inclusionPath)
        #expect(cases.count == 98)
        #expect(cases.count(where: \.wantErr) == 92)
        for vector in cases {
            #expect(vector.isAccepted == !vector.wantErr, "\(vector.case)")
        }
    }

    @Test(.enabled(if: SharedData.isPresent(consistencyPath), SharedData.absent))
    func `every published consistency proof gets its verdict, but for one with roots that are no hashes`() throws {
        let cases = try SharedData.decode([ConsistencyCase].self, from: Self.consistencyPath)
        #expect(cases.count == 98)
        #expect(cases.count(where: \.wantErr) == 92)
        for vector in cases where vector.case != Self.exceptionWithShortRoots {
            #expect(vector.isAccepted == !vector.wantErr, "\(vector.case)")
        }
        let exception = try #require(cases.first { $0.case == Self.exceptionWithShortRoots })
        #expect(!exception.wantErr)
        #expect(!exception.isAccepted)
        #expect(exception.root1?.count == 12)
        // The same case with roots that are hashes is accepted, so the rule itself is the published one.
        let root = Hash.sha256([1])
        try ConsistencyProof(oldSize: exception.size1, newSize: exception.size2, path: [])
            .verify(oldRoot: root, newRoot: root)
    }
}

extension Hash {
    fileprivate init?(data: Data?) {
        guard let data else { return nil }
        self.init(bytes: data)
    }

    fileprivate static func path(_ proof: [Data]?) -> [Hash]? {
        let hashes = (proof ?? []).compactMap { Hash(data: $0) }
        return hashes.count == (proof ?? []).count ? hashes : nil
    }
}
