import EventLog
import Testing

struct MerkleProofTests {
    static let largest = 70
    static let tree = NaiveTree(size: largest)
    static let roots = (0...largest).map { NaiveTree.root(tree.leaves[..<$0]) }

    @Test func `every inclusion proof is the one that the recursion defines, and verifies`() throws {
        var wrong: [String] = []
        for size in 1...Self.largest {
            for index in 0..<size {
                let proof = try #require(inclusion(index, size))
                let expected = NaiveTree.inclusionPath(index, Self.tree.leaves[..<size])
                if proof.path != expected || !accepts(proof, Self.tree.leaves[index], Self.roots[size]) {
                    wrong.append("\(index) of \(size)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `an inclusion proof with an altered hash, leaf, root or index is refused`() throws {
        var wrong: [String] = []
        for size in 1...Self.largest {
            for index in 0..<size {
                let proof = try #require(inclusion(index, size))
                let leaf = Self.tree.leaves[index]
                let root = Self.roots[size]
                let bit = (index * 31 + size * 7) % 256
                var altered = proof.path.indices.map { position in
                    var path = proof.path
                    path[position] = path[position].flipping(bit: bit)
                    return InclusionProof(index: proof.index, size: proof.size, path: path)
                }
                altered += (0...size + 2).filter { $0 != index }.map {
                    InclusionProof(index: UInt64($0), size: proof.size, path: proof.path)
                }
                altered.append(InclusionProof(index: .max, size: proof.size, path: proof.path))
                altered.append(InclusionProof(index: proof.index, size: proof.size, path: proof.path + [leaf]))
                altered.append(InclusionProof(index: proof.index, size: proof.size, path: [leaf] + proof.path))
                if size > 1 {
                    let shorter = Array(proof.path.dropLast())
                    altered.append(InclusionProof(index: proof.index, size: proof.size, path: shorter))
                }
                let accepted = altered.contains { accepts($0, leaf, root) }
                if accepted || accepts(proof, leaf.flipping(bit: bit), root)
                    || accepts(proof, leaf, root.flipping(bit: bit))
                {
                    wrong.append("\(index) of \(size)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `an inclusion proof fits another size only where the leaf has its neighbours on the same sides`() throws
    {
        var wrong: [String] = []
        for size in 1...40 {
            for index in 0..<size {
                let proof = try #require(inclusion(index, size))
                for other in 0...80 where other != size {
                    let moved = InclusionProof(index: proof.index, size: UInt64(other), path: proof.path)
                    let expected = index < other && NaiveTree.sides(index, other) == NaiveTree.sides(index, size)
                    if accepts(moved, Self.tree.leaves[index], Self.roots[size]) != expected {
                        wrong.append("\(index) of \(size) as of \(other)")
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `every consistency proof is the one that the recursion defines, and verifies`() throws {
        var wrong: [String] = []
        for new in 1...Self.largest {
            for old in 1...new {
                let proof = try #require(consistency(old, new))
                let expected = NaiveTree.consistencyPath(old, Self.tree.leaves[..<new])
                if proof.path != expected || !accepts(proof, Self.roots[old], Self.roots[new]) {
                    wrong.append("\(old) to \(new)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `a consistency proof with an altered hash or root is refused`() throws {
        var wrong: [String] = []
        for new in 1...Self.largest {
            for old in 1...new {
                let proof = try #require(consistency(old, new))
                let (oldRoot, newRoot) = (Self.roots[old], Self.roots[new])
                let bit = (old * 31 + new * 7) % 256
                var paths = proof.path.indices.map { position in
                    var path = proof.path
                    path[position] = path[position].flipping(bit: bit)
                    return path
                }
                paths.append(proof.path + [newRoot])
                paths.append([oldRoot] + proof.path)
                if !proof.path.isEmpty { paths.append(Array(proof.path.dropLast())) }
                let altered = paths.map {
                    ConsistencyProof(oldSize: proof.oldSize, newSize: proof.newSize, path: $0)
                }
                if altered.contains(where: { accepts($0, oldRoot, newRoot) })
                    || accepts(proof, oldRoot.flipping(bit: bit), newRoot)
                    || accepts(proof, oldRoot, newRoot.flipping(bit: bit))
                {
                    wrong.append("\(old) to \(new)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `a consistency proof fits other sizes only where they split alike`() throws {
        var wrong: [String] = []
        for new in 1...24 {
            for old in 1...new {
                let proof = try #require(consistency(old, new))
                let shape = NaiveTree.sides(old: old, new)
                for otherNew in 0...30 {
                    for otherOld in 0...30 where (otherOld, otherNew) != (old, new) {
                        let moved = ConsistencyProof(
                            oldSize: UInt64(otherOld), newSize: UInt64(otherNew), path: proof.path)
                        let expected =
                            otherOld > 0 && otherOld <= otherNew
                            && NaiveTree.sides(old: otherOld, otherNew) == shape
                        if accepts(moved, Self.roots[old], Self.roots[new]) != expected {
                            wrong.append("\(old) to \(new) as \(otherOld) to \(otherNew)")
                        }
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `each rule of a proof is named when it is broken`() {
        let (leaf, root) = (Self.tree.leaves[2], Self.roots[8])
        let path = inclusion(2, 8)!.path
        func error(_ index: UInt64, _ size: UInt64, _ path: [Hash], _ root: Hash) -> MerkleProofError? {
            let proof = InclusionProof(index: index, size: size, path: path)
            do throws(MerkleProofError) { try proof.verify(leafHash: leaf, root: root) } catch { return error }
            return nil
        }
        #expect(error(2, 8, path, root) == nil)
        #expect(error(8, 8, path, root) == .indexBeyondSize(index: 8, size: 8))
        #expect(error(0, 0, [], root) == .indexBeyondSize(index: 0, size: 0))
        #expect(error(2, 8, [], root) == .pathTooShort(count: 0))
        #expect(error(2, 8, path + path, root) == .pathTooLong(count: 6))
        #expect(error(2, 8, path, leaf) == .rootMismatch)

        let steps = consistency(6, 8)!.path
        func error(_ old: UInt64, _ new: UInt64, _ path: [Hash], _ roots: (Hash, Hash)) -> MerkleProofError? {
            let proof = ConsistencyProof(oldSize: old, newSize: new, path: path)
            do throws(MerkleProofError) { try proof.verify(oldRoot: roots.0, newRoot: roots.1) } catch { return error }
            return nil
        }
        let roots = (Self.roots[6], Self.roots[8])
        #expect(error(6, 8, steps, roots) == nil)
        #expect(error(0, 8, steps, roots) == .oldTreeIsEmpty)
        #expect(error(9, 8, steps, roots) == .treeShrinks(oldSize: 9, newSize: 8))
        #expect(error(8, 8, [], roots) == .rootsDifferAtEqualSize(8))
        #expect(error(8, 8, steps, (root, root)) == .pathTooLong(count: 3))
        #expect(error(6, 8, [], roots) == .pathTooShort(count: 0))
        #expect(error(6, 8, steps + steps, roots) == .pathTooLong(count: 6))
        #expect(error(6, 8, steps, (leaf, root)) == .oldRootMismatch)
        #expect(error(6, 8, steps, (roots.0, leaf)) == .newRootMismatch)
    }

    @Test func `there is no proof for an index or size outside the tree`() {
        #expect(inclusion(5, 5) == nil)
        #expect(inclusion(0, 0) == nil)
        #expect(consistency(0, 5) == nil)
        #expect(consistency(6, 5) == nil)
        #expect(consistency(5, 5)?.path == [])
    }

    @Test func `a proof asks for few subtrees, even in the largest of trees`() throws {
        var asked: Set<MerkleNode> = []
        func root(of node: MerkleNode) -> Hash {
            #expect(asked.insert(node).inserted)
            return Hash.sha256([node.level] + [UInt8]("\(node.index)".utf8))
        }
        let size = UInt64.max
        let proof = try #require(MerkleTree.inclusionProof(index: size / 3, size: size, subtreeRoot: root))
        #expect(proof.path.count == 64)
        #expect(asked.count <= 64 * 64 / 2)
        let leaf = root(of: MerkleNode(level: 0, index: size / 3))
        asked = []
        // These made-up subtree roots do not hash into each other, so only the length of the path can be judged.
        #expect(throws: MerkleProofError.rootMismatch) { try proof.verify(leafHash: leaf, root: .zero) }
        let steps = try #require(MerkleTree.consistencyProof(oldSize: size / 3, newSize: size, subtreeRoot: root))
        #expect(steps.path.count <= 65)
        #expect(throws: MerkleProofError.oldRootMismatch) { try steps.verify(oldRoot: .zero, newRoot: .zero) }
    }

    @Test func `an error of the source of leaves comes through`() {
        struct Missing: Error, Equatable { let index: UInt64 }
        func leaf(_ index: UInt64) throws(Missing) -> Hash { throw Missing(index: index) }
        #expect(throws: Missing(index: 1)) { try MerkleTree.inclusionProof(index: 0, size: 2, leafHash: leaf) }
        #expect(throws: Missing(index: 1)) { try MerkleTree.consistencyProof(oldSize: 1, newSize: 2, leafHash: leaf) }
    }

    private func inclusion(_ index: Int, _ size: Int) -> InclusionProof? {
        MerkleTree.inclusionProof(index: UInt64(index), size: UInt64(size), leafHash: { Self.tree.leaves[Int($0)] })
    }

    private func consistency(_ old: Int, _ new: Int) -> ConsistencyProof? {
        MerkleTree.consistencyProof(oldSize: UInt64(old), newSize: UInt64(new), leafHash: { Self.tree.leaves[Int($0)] })
    }

    private func accepts(_ proof: InclusionProof, _ leaf: Hash, _ root: Hash) -> Bool {
        (try? proof.verify(leafHash: leaf, root: root)) != nil
    }

    private func accepts(_ proof: ConsistencyProof, _ oldRoot: Hash, _ newRoot: Hash) -> Bool {
        (try? proof.verify(oldRoot: oldRoot, newRoot: newRoot)) != nil
    }
}
