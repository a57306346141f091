import EventLog
import Interchange
import Node
import Testing
import Trial

/// Readers of signed notes, proofs and ids.
struct TextFuzzTests {
    private func expectBoth(_ outcome: Fuzzing.Outcome, location: SourceLocation = #_sourceLocation) {
        #expect(outcome.read > 0 && outcome.refused > 0, "\(outcome)", sourceLocation: location)
    }

    @Test func `heads, cosignatures and verifier keys`() throws {
        let notes = try Corpus.texts("checkpoints.json", "note")
        let keys = try Corpus.texts("checkpoints.json", "vkey") + Corpus.texts("checkpoints.json", "witness vkey")
        let known = keys.compactMap { try? NoteVerifierKey(text: String(decoding: $0, as: UTF8.self)) }
        #expect(!known.isEmpty)
        expectBoth(
            Fuzzing.run(notes, rounds: 4_000, seed: 11) { bytes in
                let signed = try SignedCheckpoint(bytes: bytes)
                for key in known.prefix(2) { _ = try? signed.verify(with: key) }
                for line in signed.note.signatures { _ = try? Cosignature(line) }
                _ = try? signed.cosignatures(by: known)
                return signed.bytes == bytes
            })
        expectBoth(
            Fuzzing.run(keys, rounds: 4_000, seed: 12) { bytes in
                try NoteVerifierKey(text: String(decoding: bytes, as: UTF8.self)).keyID > 0
            })
    }

    @Test func `log proofs and proof files, which are verified too`() throws {
        let files = try Corpus.texts("proofs.json", "file")
        var verified = 0
        expectBoth(
            Fuzzing.run(files, rounds: 2_500, seed: 13) { bytes in
                let file = try ProofFile(bytes: bytes)
                if let proof = try? file.proof.verify(foundingHash: nil) {
                    verified += 1
                    _ = try? proof.ordersForMissingParts()
                    let meaning = EntryMeaning(
                        of: proof.entry.entry, in: proof.entry.log, charter: file.proof.charters.last?.charter,
                        names: file.names)
                    return !meaning.lines.isEmpty
                }
                return true
            })
        #expect(verified > 0)
        let proofs = files.compactMap { try? ProofFile(bytes: $0).proof.entry.logProof.bytes }
        expectBoth(
            Fuzzing.run(proofs, rounds: 4_000, seed: 14) { bytes in
                let proof = try LogProof(bytes: bytes)
                _ = try? proof.verify(leafHash: .sha256([1]))
                return proof.bytes == bytes
            })
    }

    @Test func `names of streams, logs, entries and witnesses`() throws {
        let study = "00000000000000010000000000000002"
        let samples = [
            "study/\(study)", "study/\(study)/loc/haukeland", "study/\(study)/unblinding/haukeland",
            "helse/log/" + String(repeating: "ab", count: 32), "helse/witness/ous/1", "abcd/17",
            String(repeating: "0f", count: 32),
        ].map { Array($0.utf8) }
        expectBoth(
            Fuzzing.run(samples, rounds: 6_000, seed: 15) { bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                var isRead = false
                if let stream = StreamID(text) {
                    #expect(stream.description.lowercased() == text.lowercased())
                    isRead = true
                }
                if let origin = LogOrigin(text) {
                    #expect(origin.text == text)
                    isRead = true
                }
                if let witness = WitnessName(text) {
                    #expect(witness.text == text)
                    isRead = true
                }
                return isRead || EntryReference(text) != nil || CalendarDate(text) != nil
            })
    }
}
