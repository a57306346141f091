import Crypto
import EventLog
import Foundation
import Interchange
import Testing

/// Names, trees, heads, cosignatures, fork proofs, tiles and proofs of entries as published vectors.
struct LogVectorTests {
    private func hash(_ text: String) throws -> Hash {
        guard let hash = Hash(hex: text) else { throw VectorError(name: text) }
        return hash
    }

    private func hashes(_ values: [Hash]) -> String { values.map(\.description).joined(separator: " ") }

    @Test func `ids of logs are made as published`() throws {
        try TestVectors.check(
            "log-ids.json",
            about:
                "given: network, node, stream, epoch. expected: log = the id; origin = the first line of its checkpoints.",
            make: {
                let study = "00000000000000010000000000000002"
                let location = "study/\(study)/loc/haukeland"
                return [
                    ("the study's own stream", ["stream": "study/\(study)"]),
                    ("a location's stream", ["stream": location]),
                    ("a restricted stream", ["stream": "study/\(study)/unblinding/haukeland"]),
                    (
                        "a branch",
                        ["stream": location, "fork index": "258", "fork leaf": "\(Hash.sha256([7]))"]
                    ),
                    ("longest names", ["stream": location, "node": String(repeating: "a", count: 63)]),
                    ("no stream", ["stream": "study/1"]),
                ].map { name, given in
                    (name, given.merging(["network": "helse", "node": "haukeland", "epoch": study]) { own, _ in own })
                }
            }
        ) { given in
            guard let network = NetworkID(try given.text("network")), let node = NodeID(try given.text("node")),
                let stream = StreamID(try given.text("stream")), let epoch = Epoch(bytes: try given.bytes("epoch"))
            else { throw VectorError(name: "name") }
            let name = LogName(network: network, node: node, stream: stream, epoch: epoch)
            guard given["fork index"] != nil else { return ["log": "\(name.id)", "origin": name.origin] }
            let fork = ForkPoint(index: try given.number("fork index"), leaf: try hash(given.text("fork leaf")))
            let branch = name.branch(at: fork)
            return ["log": "\(branch.log)", "origin": branch.origin, "branch": "\(branch.id)"]
        }
    }

    @Test func `trees and their proofs are those published`() throws {
        let sizes = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 255, 256, 257]
        try TestVectors.check(
            "trees.json",
            about: """
                given: size = number of leaves, leaf i is the text 'leaf <i>'; index, old = places in it. expected: root; \
                inclusion = the proof of leaf index; consistency = the proof from the first old leaves; tiles = path and \
                SHA-256 of each file of C2SP tlog-tiles.
                """,
            make: {
                sizes.flatMap { size in
                    Set([0, 1, size / 2, size - 1]).filter { (0..<size).contains($0) }.sorted().map { index in
                        (
                            "leaf \(index) of \(size)",
                            ["size": "\(size)", "index": "\(index)", "old": "\(max(1, size - index))"]
                        )
                    } + (size == 0 ? [("no leaf", ["size": "0", "index": "0", "old": "1"])] : [])
                }
            }
        ) { given in
            let size: UInt64 = try given.number("size")
            let index: UInt64 = try given.number("index")
            let old: UInt64 = try given.number("old")
            let leaf = { (index: UInt64) in [UInt8]("leaf \(index)".utf8) }
            let hashed = { (index: UInt64) in MerkleTree.leafHash(of: leaf(index)) }
            var tiles = LogTiles()
            var files: [LogTiles.File] = []
            for index in 0..<size { files += tiles.append(leaf(index)) }
            files += tiles.partialFiles
            let root = MerkleTree.root(of: (0..<size).map(hashed))
            var expected = [
                "root": "\(root)",
                "tiles": files.map { "\($0.path)=\(Hash.sha256($0.bytes))" }.sorted().joined(separator: " "),
            ]
            guard tiles.root == root else { throw VectorError(name: "the tiles have another root") }
            if let proof = MerkleTree.inclusionProof(index: index, size: size, leafHash: hashed) {
                try proof.verify(leafHash: hashed(index), root: root)
                expected["inclusion"] = hashes(proof.path)
            }
            if let proof = MerkleTree.consistencyProof(oldSize: old, newSize: size, leafHash: hashed) {
                try proof.verify(oldRoot: MerkleTree.root(of: (0..<old).map(hashed)), newRoot: root)
                expected["consistency"] = hashes(proof.path)
            }
            return expected
        }
    }

    @Test func `heads are signed and cosigned as published`() throws {
        let note = "helse/log/" + String(repeating: "ab", count: 32)
        try TestVectors.check(
            "checkpoints.json",
            about: """
                given: origin, size, root; seed, witness seed = Ed25519 seeds (RFC 8032); witness = its key name; time = \
                seconds since 1970. expected: text = what is signed; note = the signed head; cosigned = with the witness's \
                line; vkey, witness vkey = the verifier keys.
                """,
            make: {
                [(UInt64(0), UInt64(1)), (1, 1_790_000_000), (1_048_576, 253_402_300_799), (.max, UInt64(Int64.max))]
                    .map {
                        size, time in
                        (
                            "size \(size) at \(time)",
                            [
                                "origin": note, "size": "\(size)", "root": "\(Hash.sha256([UInt8]("\(size)".utf8)))",
                                "seed": ProofFixture.seed("log").hex, "witness": "helse/witness/ous/1",
                                "witness seed": ProofFixture.seed("witness").hex, "time": "\(time)",
                            ]
                        )
                    }
            }
        ) { given in
            guard let name = NoteKeyName(try given.text("origin")),
                let witness = NoteKeyName(try given.text("witness")),
                let key = NoteSigningKey(name: name, seed: try given.bytes("seed")),
                let cosigner = WitnessSigningKey(name: witness, seed: try given.bytes("witness seed"))
            else { throw VectorError(name: "key") }
            let head = try Checkpoint(
                origin: given.text("origin"), size: given.number("size"), root: hash(given.text("root")))
            let signed = try SignedCheckpoint(signing: head, with: key).adding(
                cosigner.cosign(head, unixSeconds: given.number("time")))
            guard signed.checkpoint == head else { throw VectorError(name: "another head") }
            try signed.verify(with: key.verifierKey)
            let cosignatures = try signed.cosignatures(by: [cosigner.verifierKey])
            guard cosignatures.count == 1, try cosignatures[0].unixSeconds == given.number("time") else {
                throw VectorError(name: "cosignature")
            }
            guard try SignedCheckpoint(bytes: signed.bytes).bytes == signed.bytes else {
                throw VectorError(name: "written again it is other bytes")
            }
            return [
                "text": String(decoding: head.text, as: UTF8.self),
                "note": String(decoding: signed.bytes, as: UTF8.self),
                "vkey": key.verifierKey.text, "witness vkey": cosigner.verifierKey.text,
            ]
        }
    }

    @Test func `fork proofs are judged as published`() throws {
        try TestVectors.check(
            "fork-proofs.json",
            about: """
                given: vkey; smaller, larger = signed heads; prefix root, path = what connects them. expected: forked = true; \
                or refused, where the proof does not hold.
                """, make: forkCases
        ) { given in
            let proof = try ForkProof(
                smaller: SignedCheckpoint(bytes: Array(given.text("smaller").utf8)),
                larger: SignedCheckpoint(bytes: Array(given.text("larger").utf8)),
                prefixRoot: hash(given.text("prefix root")), path: given.list("path").map(hash))
            try proof.verify(with: NoteVerifierKey(text: given.text("vkey")))
            return ["forked": "true"]
        }
    }

    private func forkCases() throws -> [(name: String, given: [String: String])] {
        let fixture = try ProofFixture()
        var other = fixture.leaves
        other[3] = Hash.sha256([1])
        let name = LogOrigin(network: ProofFixture.network, log: ProofFixture.log.id).keyName
        let key = NoteSigningKey(name: name, seed: ProofFixture.seed("haukeland signs 1"))!.verifierKey
        func given(_ leaves: [Hash]) throws -> [String: String] {
            let path = MerkleTree.consistencyProof(oldSize: 5, newSize: 9, leafHash: { leaves[Int($0)] })!.path
            return [
                "vkey": key.text, "smaller": String(decoding: try fixture.head(5).bytes, as: UTF8.self),
                "larger": String(decoding: try fixture.head(9, of: leaves).bytes, as: UTF8.self),
                "prefix root": "\(MerkleTree.root(of: leaves.prefix(5)))", "path": hashes(path),
            ]
        }
        return [
            ("two heads that contradict each other", try given(other)),
            ("two heads that agree", try given(fixture.leaves)),
        ]
    }

    @Test func `proof files are judged as published`() throws {
        try TestVectors.check(
            "proofs.json",
            about: """
                given: file = a file of 'varde prove'; charter hash = the founding hash given by hand. expected: entry, log, \
                index; head size and root; witness and time of the first cosignature that counts, or none; key = current or \
                the accepted size; or refused.
                """, make: proofCases
        ) { given in
            let file = try ProofFile(bytes: Array(given.text("file").utf8))
            guard file.bytes == Array(try given.text("file").utf8) else {
                throw VectorError(name: "written again it is other bytes")
            }
            let proof = try file.proof.verify(foundingHash: hash(given.text("charter hash")))
            let orders = try proof.ordersForMissingParts()
            let entry = proof.entry
            let key =
                switch entry.keyState {
                case .current: "current"
                case .acceptedUpTo(let size): "accepted up to \(size)"
                }
            return [
                "entry": "\(entry.entry.id)", "log": "\(entry.log.id)", "index": "\(entry.entry.header.index)",
                "head": "\(entry.checkpoint.size) \(entry.checkpoint.root)", "key": key,
                "first cosigned": entry.firstCosigned.map { "\($0.witness) \($0.unixSeconds)" } ?? "none",
                "charter version": "\(proof.charterVersion)", "dropped": "\(orders.keys.sorted())",
            ]
        }
    }

    private func proofCases() throws -> [(name: String, given: [String: String])] {
        let fixture = try ProofFixture()
        func given(_ proof: EntryProof, founding: Hash? = nil) -> [String: String] {
            let file = ProofFile(proof: proof, readable: ["a line"], names: ProofNames(objects: ["IT.SEX": "Sex"]))
            return [
                "file": String(decoding: file.bytes, as: UTF8.self),
                "charter hash": "\(founding ?? fixture.chain.foundingHash)",
            ]
        }
        let rotated = try fixture.chain { charter in
            charter.nodes[0].signingKey = ProofFixture.node(ProofFixture.haukeland, generation: 2).signingKey
            charter.nodes[0].accepted = [StatedHead(log: ProofFixture.log.id, size: 9, root: fixture.root(9))]
        }
        let path = fixture.consistency(9, 11)
        let whole = try fixture.proven(4)
        let fewer = ProvenEntry(
            log: whole.log, header: whole.header,
            body: EntryBody(parts: [whole.body.parts[0], nil, whole.body.parts[2]]),
            logProof: whole.logProof, acceptedPath: nil)
        return [
            ("an entry with two cosignatures", given(try fixture.proof(4))),
            (
                "an entry without cosignatures",
                given(
                    EntryProof(entry: try fixture.proven(0, head: fixture.head(11)), charters: fixture.chain.versions))
            ),
            (
                "an entry under a key that was rotated, within what is accepted",
                given(EntryProof(entry: try fixture.proven(8, accepted: path), charters: rotated.versions))
            ),
            (
                "an entry under a key that was rotated, beyond what is accepted",
                given(EntryProof(entry: try fixture.proven(9, accepted: path), charters: rotated.versions))
            ),
            ("another network's charter", given(try fixture.proof(4), founding: .sha256([]))),
            ("a part that is missing", given(EntryProof(entry: fewer, charters: fixture.chain.versions))),
        ]
    }
}
