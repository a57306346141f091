import EventLog
import Testing

/// C2SP tlog-proof: what is written is what the specification says, and nothing else is read.
struct LogProofTests {
    @Test func `a proof is written as the specification shows it`() throws {
        let fixture = try ProofFixture()
        let head = try fixture.head(3)
        let proof = try LogProof(index: 1, path: fixture.inclusion(1, 3), checkpoint: head)
        let hashes = fixture.inclusion(1, 3).map { String(decoding: Base64.encode($0.bytes), as: UTF8.self) }
        let text =
            "c2sp.org/tlog-proof@v1\nindex 1\n\(hashes[0])\n\(hashes[1])\n\n"
            + String(decoding: head.bytes, as: UTF8.self)
        #expect(proof.bytes == [UInt8](text.utf8))
        #expect(try LogProof(bytes: proof.bytes) == proof)
        try proof.verify(leafHash: fixture.leaves[1])
    }

    @Test func `extra data and a log of one entry are read as they were written`() throws {
        let fixture = try ProofFixture()
        let alone = try LogProof(extra: [1, 2, 3], index: 0, path: [], checkpoint: fixture.head(1))
        #expect(alone.bytes.starts(with: "c2sp.org/tlog-proof@v1\nextra AQID\nindex 0\n\nhelse/log/".utf8))
        let read = try LogProof(bytes: alone.bytes)
        #expect(read == alone && read.extra == [1, 2, 3])
        try read.verify(leafHash: fixture.leaves[0])
    }

    @Test func `every proof in every tree is read again and holds, for its own leaf alone`() throws {
        let fixture = try ProofFixture()
        for size in 1...ProofFixture.size {
            for index in 0..<size {
                let proof = try LogProof(
                    index: UInt64(index), path: fixture.inclusion(index, size), checkpoint: fixture.head(size))
                try LogProof(bytes: proof.bytes).verify(leafHash: fixture.leaves[index])
                for other in 0..<size where other != index {
                    #expect(throws: LogProofError.inclusion(.rootMismatch)) {
                        try proof.verify(leafHash: fixture.leaves[other])
                    }
                }
            }
        }
    }

    @Test(arguments: [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2", LogProofError.otherFormat),
        ("index 1\n", "index 01\n", .malformedIndex), ("index 1\n", "index +1\n", .malformedIndex),
        ("index 1\n", "", .malformedIndex), ("index 1\n", "extra =\nindex 1\n", .malformedExtra),
        ("index 1\n", "index 1\nAAAA\n", .malformedHash(number: 1)),
        (
            "index 1\n", "index 1\n" + String(repeating: String(repeating: "A", count: 43) + "=\n", count: 64),
            .pathTooLong
        ),
        ("\n\nhelse", "\n\n\nhelse", .checkpoint(.emptyLine(number: 1))),
    ])
    func `what breaks a rule is refused by name`(_ old: String, _ new: String, _ refusal: LogProofError) throws {
        let fixture = try ProofFixture()
        let proof = try LogProof(index: 1, path: fixture.inclusion(1, 3), checkpoint: fixture.head(3))
        var text = String(decoding: proof.bytes, as: UTF8.self)
        let place = try #require(text.firstRange(of: old))
        text.replaceSubrange(place, with: new)
        #expect(throws: refusal) { try LogProof(bytes: [UInt8](text.utf8)) }
    }

    @Test func `a proof cut off anywhere, or too long, is refused`() throws {
        let fixture = try ProofFixture()
        let bytes = try fixture.proven(4).logProof.bytes
        for count in 0..<bytes.count {
            // Behind a whole signature line, what is left is a proof with fewer cosignatures.
            guard let shorter = try? LogProof(bytes: Array(bytes.prefix(count))) else { continue }
            #expect(shorter.checkpoint.note.signatures.count < 3)
        }
        #expect(throws: LogProofError.tooLong(byteCount: LogProof.maximumByteCount + 1)) {
            try LogProof(bytes: [UInt8](repeating: 65, count: LogProof.maximumByteCount + 1))
        }
    }
}
