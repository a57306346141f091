import EventLog
import Testing

/// Whatever bytes come in, the parsers answer; and what they accept is what they would write.
struct NoteParserFuzzTests {
    private static func sample() throws -> [UInt8] {
        let signed = try SignedCheckpoint(signing: TestKeys.checkpoint, with: TestKeys.log)
        return try signed.adding(TestKeys.witness.cosign(TestKeys.checkpoint, unixSeconds: 1_700_000_000)).bytes
    }

    private static func feed(_ bytes: [UInt8]) {
        if let note = try? SignedNote(bytes: bytes) {
            #expect(note.bytes == bytes)
            #expect((try? SignedNote(text: note.text, signatures: note.signatures))?.bytes == bytes)
            _ = try? note.verify(with: [TestKeys.log.verifierKey, TestKeys.witness.verifierKey])
            for line in note.signatures { _ = try? Cosignature(line) }
        }
        if let signed = try? SignedCheckpoint(bytes: bytes) {
            #expect(signed.bytes == bytes)
            _ = try? signed.cosignatures(by: [TestKeys.witness.verifierKey])
        }
        if let checkpoint = try? Checkpoint(text: bytes) {
            let again = try? Checkpoint(
                origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root,
                extensionLines: checkpoint.extensionLines)
            #expect(again?.text == bytes)
        }
        if let line = NoteSignature(line: bytes) { #expect(line.line == bytes + [0x0A]) }
        if let decoded = Base64.decode(bytes) { #expect(Base64.encode(decoded) == bytes) }
        let text = String(decoding: bytes, as: UTF8.self)
        if let key = try? NoteVerifierKey(text: text) {
            // Only the case of the hexadecimal digits may differ.
            #expect(key.text.lowercased() == text.lowercased())
        }
        if let origin = LogOrigin(text) { #expect(origin.text.utf8.elementsEqual(text.utf8)) }
        if let name = WitnessName(text) { #expect(name.text.utf8.elementsEqual(text.utf8)) }
        if let name = NoteKeyName(utf8: bytes) { #expect(name.bytes == bytes) }
    }

    @Test func `random bytes never trap a parser`() {
        var generator = SplitMix64(seed: 4)
        for _ in 0..<3_000 {
            Self.feed(generator.bytes(Int.random(in: 0...200, using: &generator)))
        }
    }

    @Test func `random pieces of notes never trap a parser`() throws {
        var generator = SplitMix64(seed: 5)
        let pieces: [[UInt8]] = [
            "\n", "\n\n", "— ", " ", "a", "AAAAAAE=", "AAAA", "=", "+", "0", "1", "/", "\u{301}", "æ", "\r", "\u{85}",
            "helse/log/", TestKeys.origin.text, CheckpointTests.root, TestKeys.log.verifierKey.text,
        ].map { [UInt8]($0.utf8) }
        for _ in 0..<5_000 {
            let count = Int.random(in: 0...14, using: &generator)
            Self.feed((0..<count).flatMap { _ in pieces.randomElement(using: &generator)! })
        }
    }

    @Test func `mutated notes, keys and names never trap a parser`() throws {
        var generator = SplitMix64(seed: 6)
        let samples =
            try [Self.sample(), TestKeys.checkpoint.text]
            + [
                TestKeys.log.verifierKey.text, TestKeys.witness.verifierKey.text, TestKeys.origin.text,
                TestKeys.witnessName.text, CosignatureTests.handMade,
            ].map { [UInt8]($0.utf8) }
        for sample in samples {
            Self.feed(sample)
            for _ in 0..<1_000 {
                Self.feed(Self.mutate(sample, using: &generator))
            }
        }
    }

    private static func mutate(_ sample: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var bytes = sample
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: position)
            case 2: bytes.insert([0x0A, 0x20, 0x2B, 0x3D, 0xE2].randomElement(using: &generator)!, at: position)
            case 3: bytes.removeSubrange(position...)
            default: bytes.insert(contentsOf: bytes[position...].prefix(40), at: position)
            }
        }
        return bytes
    }
}
