import EventLog
import Testing

struct CosignatureTests {
    /// Signed by Python's cryptography package with the seed of RFC 8032 §7.1, test 2, over the tests' checkpoint.
    static let handMade =
        "— helse/witness/haukeland/1 TnK51QAAAABkGFDLTL7YrmpqiLlKw0Xh08w4hizVsMgimz0HsTFAenqHq2lNbe1iFRN5/VvoqQzrpnip/9"
        + "YmjMTzAfLUazO3OKzBBg=="

    static let time: UInt64 = 1_679_315_147

    @Test func `the message is the one in the standard`() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        let message = Cosignature.message(unixSeconds: Self.time, checkpointText: [UInt8](text.utf8))
        #expect(
            String(decoding: message, as: UTF8.self) == """
                cosignature/v1
                time 1679315147
                example.com/behind-the-sofa
                20852163
                CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

                """)
    }

    @Test func `the line in the standard's example is parted into its fields`() throws {
        let text =
            "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5"
            + "nNo0xUe+mbIUBkBIfZ+qnA=="
        let line = try #require(NoteSignature(line: [UInt8](text.utf8)))
        let cosignature = try Cosignature(line)
        #expect(cosignature.witness.text == "witness.example.com/w1")
        #expect(cosignature.keyID == 0x8D66_CF3F)
        #expect(cosignature.unixSeconds == Self.time)
        #expect(cosignature.noteSignature.line == [UInt8](text.utf8) + [0x0A])
    }

    @Test func `a cosignature made elsewhere verifies`() throws {
        let line = try #require(NoteSignature(line: [UInt8](Self.handMade.utf8)))
        let cosignature = try Cosignature(line)
        #expect(cosignature.unixSeconds == Self.time)
        try cosignature.verify(over: TestKeys.checkpoint, with: TestKeys.witness.verifierKey)
    }

    @Test func `a cosignature made here verifies, alone and under its checkpoint`() throws {
        let cosignature = TestKeys.witness.cosign(TestKeys.checkpoint, unixSeconds: Self.time)
        try cosignature.verify(over: TestKeys.checkpoint, with: TestKeys.witness.verifierKey)
        #expect(try Cosignature(cosignature.noteSignature) == cosignature)

        let signed = try SignedCheckpoint(signing: TestKeys.checkpoint, with: TestKeys.log)
        let cosigned = try SignedCheckpoint(bytes: signed.adding(cosignature).bytes)
        try cosigned.verify(with: TestKeys.log.verifierKey)
        #expect(cosigned.bytes.starts(with: signed.bytes))
        #expect(try cosigned.cosignatures(by: [TestKeys.witness.verifierKey]) == [cosignature])
        #expect(try cosigned.cosignatures(by: [TestKeys.otherWitness.verifierKey]) == [])
        #expect(try signed.cosignatures(by: [TestKeys.witness.verifierKey]) == [])
        let keys = [TestKeys.log.verifierKey, TestKeys.witness.verifierKey]
        #expect(try cosigned.note.verify(with: keys) == keys)
    }

    @Test func `a cosignature fits no other time, checkpoint, key or bytes`() throws {
        let key = TestKeys.witness.verifierKey
        let cosignature = TestKeys.witness.cosign(TestKeys.checkpoint, unixSeconds: Self.time)
        let invalid = CosignatureError.invalidSignature(name: key.name)
        let grown = Checkpoint(log: TestKeys.origin, size: 43, root: TestKeys.checkpoint.root)
        #expect(throws: invalid) { try cosignature.verify(over: grown, with: key) }
        #expect(throws: CosignatureError.otherKey(name: key.name)) {
            try cosignature.verify(over: TestKeys.checkpoint, with: TestKeys.otherWitness.verifierKey)
        }
        let asLog = try NoteVerifierKey(name: key.name, type: .ed25519, publicKey: key.publicKey)
        #expect(throws: CosignatureError.otherKey(name: key.name)) {
            try cosignature.verify(over: TestKeys.checkpoint, with: asLog)
        }
        let line = cosignature.noteSignature
        for bit in 0..<line.value.count * 8 {
            var value = line.value
            value[bit / 8] ^= 1 << UInt8(bit % 8)
            let altered = NoteSignature(name: line.name, keyID: line.keyID, value: value)
            #expect(throws: CosignatureError.self) {
                try Cosignature(altered).verify(over: TestKeys.checkpoint, with: key)
            }
        }
    }

    @Test func `a known witness's wrong line refuses the checkpoint`() throws {
        let signed = try SignedCheckpoint(signing: TestKeys.checkpoint, with: TestKeys.log)
        let grown = Checkpoint(log: TestKeys.origin, size: 43, root: TestKeys.checkpoint.root)
        let misplaced = try signed.adding(TestKeys.witness.cosign(grown, unixSeconds: Self.time))
        #expect(throws: CheckpointError.note(.invalidSignature(name: TestKeys.witness.name))) {
            try misplaced.cosignatures(by: [TestKeys.witness.verifierKey])
        }
        try misplaced.verify(with: TestKeys.log.verifierKey)
    }

    @Test func `a line of another length or a time beyond 2^63 is no cosignature`() {
        let name = TestKeys.witness.name
        for count in [1, 64, 71, 73, 2_428] {
            let line = NoteSignature(name: name, keyID: 1, value: [UInt8](repeating: 0, count: count))
            #expect(throws: CosignatureError.malformed(name: name)) { try Cosignature(line) }
        }
        let late = NoteSignature(name: name, keyID: 1, value: [0x80] + [UInt8](repeating: 0, count: 71))
        #expect(throws: CosignatureError.malformed(name: name)) { try Cosignature(late) }
    }
}
