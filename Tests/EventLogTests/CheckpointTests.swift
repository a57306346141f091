import EventLog
import Testing

struct CheckpointTests {
    /// Signed by Python's cryptography package with the seed of RFC 8032 §7.1, test 1.
    static let handMade = """
        helse/log/abababababababababababababababababababababababababababababababab
        42
        T4WyZeb0hFFImAN4DxmntxjaJfgU9fPiCK2pm0JdIrU=

        — helse/log/abababababababababababababababababababababababababababababababab \
        jr1kAzG5YTI2YzIcd0Gl3NIwCMP/UaTFzshgKtkRNl1LuBT/boBtaAykx6miDMKruQRCU4aIAEKPqa4zVFQfeAhouAo=

        """

    @Test func `a checkpoint signed elsewhere reads, verifies and is what we would write`() throws {
        let signed = try SignedCheckpoint(bytes: [UInt8](Self.handMade.utf8))
        #expect(signed.checkpoint == TestKeys.checkpoint)
        #expect(signed.checkpoint.logOrigin == TestKeys.origin)
        #expect(signed.checkpoint.size == 42)
        #expect(signed.bytes == [UInt8](Self.handMade.utf8))
        try signed.verify(with: TestKeys.log.verifierKey)
    }

    @Test func `the example of the standard reads`() throws {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        let checkpoint = try Checkpoint(text: [UInt8](text.utf8))
        #expect(checkpoint.origin == "example.com/behind-the-sofa")
        #expect(checkpoint.size == 20_852_163)
        #expect(checkpoint.root.hex == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62")
        #expect(checkpoint.extensionLines.isEmpty)
        #expect(checkpoint.logOrigin == nil)
        let again = try Checkpoint(origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root)
        #expect(again == checkpoint)
    }

    @Test func `what is signed here verifies here, and only with the key of that log`() throws {
        let signed = try SignedCheckpoint(signing: TestKeys.checkpoint, with: TestKeys.log)
        let read = try SignedCheckpoint(bytes: signed.bytes)
        #expect(read == signed)
        try read.verify(with: TestKeys.log.verifierKey)
        #expect(throws: CheckpointError.note(.noKnownSignature)) {
            try read.verify(with: TestKeys.otherLog.verifierKey)
        }
        #expect(throws: CheckpointError.keyIsWitness(name: TestKeys.witness.name)) {
            try read.verify(with: TestKeys.witness.verifierKey)
        }
    }

    @Test func `a node's key for one log cannot sign for another`() throws {
        let elsewhere = LogOrigin(network: TestKeys.network, log: LogID(.zero))
        let key = NoteSigningKey(name: elsewhere.keyName, seed: TestKeys.logSeed)!
        let expected = CheckpointError.originMismatch(origin: TestKeys.origin.text, keyName: elsewhere.keyName)
        #expect(throws: expected) { try SignedCheckpoint(signing: TestKeys.checkpoint, with: key) }
        let line = key.sign(noteText: TestKeys.checkpoint.text)
        let note = try SignedNote(text: TestKeys.checkpoint.text, signatures: [line])
        let forged = try SignedCheckpoint(note: note)
        #expect(throws: expected) { try forged.verify(with: key.verifierKey) }
        #expect(throws: CheckpointError.note(.noKnownSignature)) { try forged.verify(with: TestKeys.log.verifierKey) }
    }

    @Test func `any head with extension lines comes back as it was`() throws {
        var generator = SplitMix64(seed: 3)
        for count in 0..<200 {
            let lines = (0..<count % 4).map { "line \($0) — æøå \(generator.next())" }
            let size = [0, 1, UInt64.max, generator.next()][count % 4]
            let root = Hash(bytes: generator.bytes(32))!
            let checkpoint = try Checkpoint(origin: "a log + more", size: size, root: root, extensionLines: lines)
            let read = try Checkpoint(text: checkpoint.text)
            #expect(read == checkpoint)
            #expect(read.size == size)
            #expect(read.root == root)
            #expect(read.origin == "a log + more")
            #expect(read.extensionLines == lines)
        }
    }

    @Test func `a signed checkpoint with any bit altered is refused`() throws {
        let signed = try SignedCheckpoint(signing: TestKeys.checkpoint, with: TestKeys.log)
        var accepted: [Int] = []
        for bit in 0..<signed.bytes.count * 8 {
            var altered = signed.bytes
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let read = try? SignedCheckpoint(bytes: altered) else { continue }
            if (try? read.verify(with: TestKeys.log.verifierKey)) != nil { accepted.append(bit) }
        }
        #expect(accepted.isEmpty)
    }

    static let root = "T4WyZeb0hFFImAN4DxmntxjaJfgU9fPiCK2pm0JdIrU="

    @Test(arguments: [
        ("", CheckpointError.lastLineNotEnded),
        ("\n", .tooFewLines(count: 1)),
        ("a\n1\n", .tooFewLines(count: 2)),
        ("a\n1\n\(root)", .lastLineNotEnded),
        ("\n1\n\(root)\n", .emptyLine(number: 1)),
        ("a\n\n\(root)\n", .emptyLine(number: 2)),
        ("a\n1\n\n", .emptyLine(number: 3)),
        ("a\n1\n\(root)\n\n", .emptyLine(number: 4)),
        ("a\n1\n\(root)\n\nb\n", .emptyLine(number: 4)),
        ("a\n01\n\(root)\n", .malformedSize),
        ("a\n00\n\(root)\n", .malformedSize),
        ("a\n+1\n\(root)\n", .malformedSize),
        ("a\n-1\n\(root)\n", .malformedSize),
        ("a\n 1\n\(root)\n", .malformedSize),
        ("a\n1 \n\(root)\n", .malformedSize),
        ("a\n0x1\n\(root)\n", .malformedSize),
        ("a\n١\n\(root)\n", .malformedSize),
        ("a\n18446744073709551616\n\(root)\n", .malformedSize),
        ("a\n1\nT4WyZeb0hFFImAN4DxmntxjaJfgU9fPiCK2pm0JdIrU\n", .malformedRoot),
        ("a\n1\nT4WyZeb0hFFImAN4DxmntxjaJfgU9fPiCK2pm0JdIrV=\n", .malformedRoot),
        ("a\n1\nT4WyZeb0hFFImAN4DxmntxjaJfgU9fPiCK2pm0Jd\n", .malformedRoot),
        ("a\n1\n\(root)AAAA\n", .malformedRoot),
        ("a\r\n1\n\(root)\n", .controlCharacter(lineNumber: 1)),
        ("a\n1\n\(root)\n\t\n", .controlCharacter(lineNumber: 4)),
    ])
    func `a text that breaks a rule is refused by its name`(text: String, expected: CheckpointError) {
        #expect(throws: expected) { try Checkpoint(text: [UInt8](text.utf8)) }
        #expect(!expected.description.isEmpty)
    }

    @Test func `a text that is not UTF-8 or too long is refused`() {
        let tail = [UInt8]("\n1\n\(Self.root)\n".utf8)
        #expect(throws: CheckpointError.notUTF8(lineNumber: 1)) { try Checkpoint(text: [0xFF] + tail) }
        let long = [UInt8](repeating: 0x61, count: Checkpoint.maximumTextByteCount) + tail
        #expect(throws: CheckpointError.textTooLong(byteCount: long.count)) { try Checkpoint(text: long) }
        let note = [UInt8](repeating: 0x61, count: SignedCheckpoint.maximumByteCount + 1)
        #expect(throws: CheckpointError.tooLong(byteCount: note.count)) { try SignedCheckpoint(bytes: note) }
    }

    @Test func `lines that would break the text cannot be written`() {
        func make(_ origin: String, _ lines: [String] = []) throws(CheckpointError) -> Checkpoint {
            try Checkpoint(origin: origin, size: 1, root: .zero, extensionLines: lines)
        }
        #expect(throws: CheckpointError.emptyLine(number: 1)) { try make("") }
        #expect(throws: CheckpointError.controlCharacter(lineNumber: 1)) { try make("a\nb") }
        #expect(throws: CheckpointError.emptyLine(number: 5)) { try make("a", ["b", ""]) }
        #expect(throws: CheckpointError.controlCharacter(lineNumber: 4)) { try make("a", ["b\n"]) }
        #expect(throws: CheckpointError.self) { try make(String(repeating: "a", count: 20_000)) }
    }
}
