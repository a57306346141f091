import EventLog
import Testing

struct NoteVerifierKeyTests {
    @Test(arguments: [
        // Keys that other implementations test with: the C2SP example, Go's sumdb/note, transparency-dev/formats.
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    ])
    func `keys of other implementations are read and written back`(text: String) throws {
        let key = try NoteVerifierKey(text: text)
        #expect(key.text == text)
        #expect(key.publicKey.count == 32)
        #expect(key.type == (text.hasPrefix("remora") ? .ed25519Cosignature : .ed25519))
    }

    @Test func `our own keys are written as computed by hand`() throws {
        // Computed with Python's hashlib and base64 from the definition.
        let log = TestKeys.log.verifierKey
        #expect(log.text == "\(TestKeys.origin)+8ebd6403+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea")
        #expect(
            TestKeys.witness.verifierKey.text
                == "helse/witness/haukeland/1+4e72b9d5+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM")
        #expect(try NoteVerifierKey(text: log.text) == log)
        #expect(try NoteVerifierKey(name: log.name, publicKey: log.publicKey) == log)
    }

    @Test(arguments: [
        ("", NoteVerifierKeyError.notThreeParts),
        ("a", .notThreeParts),
        ("a+530d903a", .notThreeParts),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .malformedName),
        ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .malformedName),
        ("example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .malformedKeyID),
        ("example.com/foo+530d903g+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .malformedKeyID),
        ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .keyIDMismatch),
        ("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .keyIDMismatch),
        ("example.com/foo+530d903a+", .malformedKey),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", .malformedKey),
        ("example.com/foo+530d903a+AQ==", .wrongKeyLength(byteCount: 0)),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv", .wrongKeyLength(byteCount: 29)),
        ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .unknownType(6)),
        ("example.com/foo+530d903a+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", .unacceptableKey),
    ])
    func `a written key that breaks a rule is refused by its name`(text: String, expected: NoteVerifierKeyError) {
        #expect(throws: expected) { try NoteVerifierKey(text: text) }
        #expect(!expected.description.isEmpty)
    }

    @Test func `an endless key is refused before it is read`() {
        let text = String(repeating: "a", count: 5_000)
        #expect(throws: NoteVerifierKeyError.tooLong(byteCount: 5_000)) { try NoteVerifierKey(text: text) }
    }

    @Test func `origins and witness names are read as they are written`() throws {
        #expect(TestKeys.origin.text == "helse/log/" + String(repeating: "ab", count: 32))
        #expect(LogOrigin(TestKeys.origin.text) == TestKeys.origin)
        #expect(TestKeys.witnessName.text == "helse/witness/haukeland/1")
        #expect(WitnessName(TestKeys.witnessName.text) == TestKeys.witnessName)
        #expect(TestKeys.origin.keyName.text == TestKeys.origin.text)
    }

    @Test(arguments: [
        "", "/", "helse", "helse/log", "helse/log/ab", "Helse/log/#", "helse/LOG/#", "/log/#", "helse/log/#/",
        "helse//#",
        "helse/log/#\u{301}", "helse/witness/#",
    ])
    func `any other origin names no log of a network`(pattern: String) {
        let id = String(repeating: "0a", count: 32)
        #expect(LogOrigin(pattern.split(separator: "#", omittingEmptySubsequences: false).joined(separator: id)) == nil)
    }

    @Test(arguments: [
        "", "helse/witness/haukeland", "helse/witness/haukeland/", "helse/witness/haukeland/01",
        "helse/witness/haukeland/+1", "helse/witness/haukeland/-1", "helse/witness/haukeland/4294967296",
        "helse/witness//1", "helse/witness/Haukeland/1", "helse/log/haukeland/1", "helse/witness/haukeland/1/1",
    ])
    func `any other name is no witness of a network`(text: String) {
        #expect(WitnessName(text) == nil)
    }

    @Test func `an origin in capitals is another text, so it names no log`() {
        #expect(LogOrigin("helse/log/" + String(repeating: "AB", count: 32)) == nil)
    }

    @Test func `a seed has 32 bytes`() {
        #expect(NoteSigningKey(name: TestKeys.origin.keyName, seed: [1, 2, 3]) == nil)
        #expect(WitnessSigningKey(name: TestKeys.origin.keyName, seed: []) == nil)
    }
}
