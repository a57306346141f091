import EventLog
import Testing

struct MerkleTreeTests {
    @Test func `the empty tree has the hash of nothing as its root`() {
        #expect(MerkleTree.emptyRoot.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(MerkleTree.root(of: []) == MerkleTree.emptyRoot)
        #expect(MerkleFrontier().root == MerkleTree.emptyRoot)
    }

    @Test func `leaves and nodes are hashed behind different first bytes`() {
        let left = Hash.sha256([1])
        let right = Hash.sha256([2])
        #expect(MerkleTree.leafHash(of: []) == Hash.sha256([0]))
        #expect(MerkleTree.leafHash(of: [7, 8, 9]) == Hash.sha256([0, 7, 8, 9]))
        #expect(MerkleTree.nodeHash(left, right) == Hash.sha256([1] + left.bytes + right.bytes))
        #expect(MerkleTree.nodeHash(left, right) != MerkleTree.nodeHash(right, left))
    }

    @Test func `the roots of the certificate transparency reference tree come out`() {
        // The eight leaves that the reference implementations of RFC 6962 test with.
        let inputs = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
        ]
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        var frontier = MerkleFrontier()
        for (input, root) in zip(inputs, roots) {
            frontier.append(MerkleTree.leafHash(of: [UInt8](hex: input)!))
            #expect(frontier.root.hex == root)
        }
    }

    @Test func `frontier, list and subtrees give the root that the recursion defines`() {
        let tree = NaiveTree(size: 130)
        var frontier = MerkleFrontier()
        var wrong: [Int] = []
        for size in 0...tree.leaves.count {
            let expected = NaiveTree.root(tree.leaves[..<size])
            let fromSubtrees = MerkleTree.root(size: UInt64(size)) { node in
                NaiveTree.root(tree.leaves[Int(node.firstLeaf)..<Int(node.firstLeaf + node.leafCount)])
            }
            if frontier.root != expected || fromSubtrees != expected
                || MerkleTree.root(of: tree.leaves[..<size]) != expected || frontier.size != UInt64(size)
            {
                wrong.append(size)
            }
            if size < tree.leaves.count { frontier.append(tree.leaves[size]) }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `a frontier survives being written and read, and grows on alike`() throws {
        let tree = NaiveTree(size: 100)
        var frontier = MerkleFrontier()
        for leaf in tree.leaves {
            var copy = try #require(MerkleFrontier(bytes: frontier.bytes))
            #expect(copy == frontier)
            frontier.append(leaf)
            copy.append(leaf)
            #expect(copy.root == frontier.root)
        }
        #expect(frontier.bytes.count == 8 + 3 * 32)
    }

    @Test func `a frontier of any earlier size is made from subtree roots`() {
        let tree = NaiveTree(size: 70)
        for size in 0...70 {
            let made = MerkleFrontier(size: UInt64(size)) { node in
                MerkleTree.root(of: node) { tree.leaves[Int($0)] }
            }
            var grown = MerkleFrontier()
            grown.append(contentsOf: tree.leaves[..<size])
            #expect(made == grown)
        }
    }

    @Test func `an append tells of each subtree that it completes, once`() {
        let tree = NaiveTree(size: 64)
        var frontier = MerkleFrontier()
        var roots: [MerkleNode: Hash] = [:]
        for leaf in tree.leaves {
            frontier.append(leaf) { node, root in
                #expect(roots.updateValue(root, forKey: node) == nil)
            }
        }
        #expect(roots.count == 127)
        for (node, root) in roots {
            #expect(root == MerkleTree.root(of: node) { tree.leaves[Int($0)] })
        }
    }

    @Test func `bytes that are no frontier are refused`() {
        var frontier = MerkleFrontier()
        frontier.append(contentsOf: NaiveTree(size: 5).leaves)
        let bytes = frontier.bytes
        for count in 0..<bytes.count {
            #expect(MerkleFrontier(bytes: bytes[..<count]) == nil)
        }
        #expect(MerkleFrontier(bytes: bytes + [0]) == nil)
        #expect(MerkleFrontier(bytes: [UInt8](repeating: 0xFF, count: 8 + 64 * 32)) == nil, "size beyond 2^63 - 1")
        #expect(MerkleFrontier(bytes: [UInt8](repeating: 0, count: 8)) == MerkleFrontier())

        var generator = SplitMix64(seed: 1)
        for _ in 0..<2_000 {
            let random = generator.bytes(Int.random(in: 0...140, using: &generator))
            if let read = MerkleFrontier(bytes: random) { #expect(read.bytes == random) }
        }
    }
}
