import EventLog
import Testing

struct SignedNoteTests {
    /// The example of the Go package sumdb/note, made by another implementation than ours.
    static let foreignKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let foreignNote = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

        """

    static let log = TestKeys.log
    static let text = [UInt8]("first\n\nthird\n".utf8)

    @Test func `a note and key made by another implementation verify`() throws {
        let key = try NoteVerifierKey(text: Self.foreignKey)
        let note = try SignedNote(bytes: [UInt8](Self.foreignNote.utf8))
        #expect(try note.verify(with: [key]) == [key])
        #expect(note.signatures.map(\.name.text) == ["PeterNeumann"])
        #expect(note.signatures.map(\.keyID) == [0xC74F_20A3])
        #expect(String(decoding: note.text, as: UTF8.self).hasSuffix("your problem is.\n"))
        #expect(try SignedNote(text: note.text, signatures: note.signatures).bytes == note.bytes)
    }

    @Test func `the text of a note ends before its last empty line`() throws {
        let note = try SignedNote(text: Self.text, signatures: [Self.log.sign(noteText: Self.text)])
        #expect(note.text == Self.text)
        let read = try SignedNote(bytes: note.bytes)
        #expect(read == note)
        #expect(try read.verify(with: [Self.log.verifierKey]) == [Self.log.verifierKey])
        let newline = try SignedNote(text: [0x0A], signatures: [Self.log.sign(noteText: [0x0A])])
        #expect(newline.text == [0x0A])
    }

    @Test func `lines of unknown keys are ignored, even with a name or id of a known one`() throws {
        let good = Self.log.sign(noteText: Self.text)
        let key = Self.log.verifierKey
        let sameName = NoteSignature(name: good.name, keyID: good.keyID ^ 1, value: [1])
        let sameID = NoteSignature(name: NoteKeyName("somebody")!, keyID: good.keyID, value: good.value)
        let postQuantum = NoteSignature(name: good.name, keyID: 7, value: [UInt8](repeating: 9, count: 4_700))
        let note = try SignedNote(text: Self.text, signatures: [sameName, sameID, good, postQuantum])
        #expect(try note.verify(with: [key]) == [key])
        let unsigned = try SignedNote(text: Self.text, signatures: [sameName, sameID, postQuantum])
        #expect(throws: SignedNoteError.noKnownSignature) { try unsigned.verify(with: [key]) }
        #expect(throws: SignedNoteError.noKnownSignature) { try note.verify(with: []) }
    }

    @Test func `a wrong line of a known key refuses the note, even beside a right one`() throws {
        let good = Self.log.sign(noteText: Self.text)
        let bad = NoteSignature(name: good.name, keyID: good.keyID, value: good.value.reversed())
        let note = try SignedNote(text: Self.text, signatures: [good, bad])
        #expect(throws: SignedNoteError.invalidSignature(name: good.name)) {
            try note.verify(with: [Self.log.verifierKey])
        }
    }

    @Test func `each key is reported once, in the order it was asked for`() throws {
        let other = NoteSigningKey(name: NoteKeyName("other")!, seed: TestKeys.witnessSeed)!
        let lines = [other, Self.log, other].map { $0.sign(noteText: Self.text) }
        let note = try SignedNote(text: Self.text, signatures: lines)
        let keys = [Self.log.verifierKey, other.verifierKey]
        #expect(try note.verify(with: keys + keys) == keys)
    }

    @Test func `a note with any byte altered no longer verifies`() throws {
        let note = try SignedNote(text: Self.text, signatures: [Self.log.sign(noteText: Self.text)])
        for offset in note.bytes.indices {
            for change: UInt8 in [0x01, 0x20, 0x80] {
                var altered = note.bytes
                altered[offset] ^= change
                let read = try? SignedNote(bytes: altered)
                #expect((try? read?.verify(with: [Self.log.verifierKey])) == nil, "byte \(offset)")
            }
        }
    }

    @Test(arguments: [
        ("", SignedNoteError.noEmptyLine),
        ("text\n", .noEmptyLine),
        ("text\n— a AAAAAAE=\n", .noEmptyLine),
        ("text\n\n", .noSignatures),
        ("text\n\n— a AAAAAAE=", .lastLineNotEnded),
        ("text\n\n— a AAAAAAE=\n\n", .noSignatures),
        ("text\r\n\r\n— a AAAAAAE=\r\n", .controlCharacter(offset: 4)),
        ("te\u{0}xt\n\n— a AAAAAAE=\n", .controlCharacter(offset: 2)),
        ("text\n\n- a AAAAAAE=\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a AAAAAAE=\n—a AAAAAAE=\n", .malformedSignatureLine(number: 2)),
        ("text\n\n— a\n", .malformedSignatureLine(number: 1)),
        ("text\n\n—  AAAAAAE=\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a+b AAAAAAE=\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a\u{A0}b AAAAAAE=\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a b AAAAAAE=\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a AAAAAA==\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a AAAAAAE\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a AAAAAAF=\n", .malformedSignatureLine(number: 1)),
        ("text\n\n— a AAAAAAE= \n", .malformedSignatureLine(number: 1)),
    ])
    func `a note that breaks a rule is refused by its name`(note: String, expected: SignedNoteError) {
        #expect(throws: expected) { try SignedNote(bytes: [UInt8](note.utf8)) }
        #expect(!expected.description.isEmpty)
    }

    @Test func `a note that is not UTF-8, too long or too often signed is refused`() throws {
        let line = NoteSignature(name: NoteKeyName("a")!, keyID: 1, value: [1])
        let head: [UInt8] = [0xC3, 0x28, 0x0A]
        #expect(throws: SignedNoteError.notUTF8) { try SignedNote(text: head, signatures: [line]) }
        let full = try SignedNote(text: Self.text, signatures: [NoteSignature](repeating: line, count: 100))
        #expect(full.signatures.count == 100)
        #expect(throws: SignedNoteError.tooManySignatures) { try full.adding(line) }
        let long = [UInt8](repeating: 0x61, count: SignedNote.maximumByteCount) + [0x0A]
        #expect(throws: SignedNoteError.self) { try SignedNote(text: long, signatures: [line]) }
        #expect(throws: SignedNoteError.textNotEnded) { try SignedNote(text: [], signatures: [line]) }
        #expect(throws: SignedNoteError.textNotEnded) { try SignedNote(text: [0x61], signatures: [line]) }
        #expect(throws: SignedNoteError.noSignatures) { try SignedNote(text: Self.text, signatures: []) }
    }

    @Test func `names are compared as bytes, not as Unicode sees them`() {
        let composed = NoteKeyName("helse/\u{E5}")!
        let decomposed = NoteKeyName("helse/a\u{30A}")!
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
    }
}
