/// A checkpoint with its signatures, as the bytes that its writer signed and others cosigned.
///
/// Invariant: `checkpoint` is what the text of `note` says.
public struct SignedCheckpoint: Hashable, Sendable {
    /// The head that is signed.
    public let checkpoint: Checkpoint
    /// The note around it, exactly as it was written.
    public let note: SignedNote

    /// No signed checkpoint is longer than this: 128 KiB, room for sixteen signatures of post-quantum size.
    public static let maximumByteCount = 1 << 17

    /// Reads a signed checkpoint. Its signatures are not checked yet: see ``verify(with:)``.
    ///
    /// - Throws: the rule that is broken.
    public init(bytes: [UInt8]) throws(CheckpointError) {
        guard bytes.count <= SignedCheckpoint.maximumByteCount else { throw .tooLong(byteCount: bytes.count) }
        let note: SignedNote
        do throws(SignedNoteError) { note = try SignedNote(bytes: bytes) } catch { throw .note(error) }
        try self.init(note: note)
    }

    /// Reads the checkpoint in a note.
    ///
    /// - Throws: the rule that is broken.
    public init(note: SignedNote) throws(CheckpointError) {
        guard note.bytes.count <= SignedCheckpoint.maximumByteCount else {
            throw .tooLong(byteCount: note.bytes.count)
        }
        checkpoint = try Checkpoint(text: note.text)
        self.note = note
    }

    /// Signs a head with the key of its log.
    ///
    /// - Throws: ``CheckpointError/originMismatch(origin:keyName:)`` where the key is named otherwise than the log.
    public init(signing checkpoint: Checkpoint, with key: NoteSigningKey) throws(CheckpointError) {
        try SignedCheckpoint.checkName(of: key.verifierKey, for: checkpoint)
        do throws(SignedNoteError) {
            note = try SignedNote(text: checkpoint.text, signatures: [key.sign(noteText: checkpoint.text)])
        } catch {
            throw .note(error)
        }
        self.checkpoint = checkpoint
    }

    /// The bytes as they were written.
    public var bytes: [UInt8] { note.bytes }

    /// Checks that the log's own key signed this head. Lines of other keys are ignored.
    ///
    /// - Throws: ``CheckpointError/originMismatch(origin:keyName:)`` where the key belongs to another log,
    ///   ``CheckpointError/keyIsWitness(name:)``, or ``CheckpointError/note(_:)`` where the signature is missing or
    ///   wrong.
    public func verify(with key: NoteVerifierKey) throws(CheckpointError) {
        try SignedCheckpoint.checkName(of: key, for: checkpoint)
        do throws(SignedNoteError) { try note.verify(with: [key]) } catch { throw .note(error) }
    }

    /// The same checkpoint with a witness's cosignature under it.
    ///
    /// - Throws: ``CheckpointError/note(_:)`` or ``CheckpointError/tooLong(byteCount:)`` where there is no room for it.
    public func adding(_ cosignature: Cosignature) throws(CheckpointError) -> SignedCheckpoint {
        let longer: SignedNote
        do throws(SignedNoteError) { longer = try note.adding(cosignature.noteSignature) } catch { throw .note(error) }
        return try SignedCheckpoint(note: longer)
    }

    /// The valid cosignatures of these witnesses under the checkpoint, in the order of their lines.
    ///
    /// - Throws: ``CheckpointError/note(_:)`` where the line of one of the witnesses does not verify.
    public func cosignatures(by witnesses: [NoteVerifierKey]) throws(CheckpointError) -> [Cosignature] {
        var found: [Cosignature] = []
        for line in note.signatures {
            let candidates = witnesses.filter {
                $0.type == .ed25519Cosignature && $0.name == line.name && $0.keyID == line.keyID
            }
            if candidates.isEmpty { continue }
            guard candidates.contains(where: { $0.isValid(line.value, forNoteText: checkpoint.text) }),
                let cosignature = try? Cosignature(line)
            else { throw .note(.invalidSignature(name: line.name)) }
            found.append(cosignature)
        }
        return found
    }

    /// C2SP only recommends that a log's key bears the name of its origin; in Varde nothing else ties the two.
    private static func checkName(
        of key: NoteVerifierKey, for checkpoint: Checkpoint
    ) throws(CheckpointError) {
        guard key.type == .ed25519 else { throw .keyIsWitness(name: key.name) }
        guard key.name.bytes.elementsEqual(checkpoint.origin.utf8) else {
            throw .originMismatch(origin: checkpoint.origin, keyName: key.name)
        }
    }
}
