/// A text with signatures under it, as C2SP signed-note writes it: the text, an empty line, signature lines.
///
/// Invariants:
/// - `bytes` is the note exactly as it was written; nothing is encoded again to check it;
/// - the bytes are UTF-8 without control characters but newlines, at most ``maximumByteCount`` of them;
/// - there are 1 to ``maximumSignatureCount`` well-formed signature lines.
public struct SignedNote: Hashable, Sendable {
    /// The whole note as it was written.
    public let bytes: [UInt8]
    /// The signature lines, in order. Nothing is said about them until ``verify(with:)``.
    public let signatures: [NoteSignature]
    private let textByteCount: Int

    /// No note is longer than this: 1 MiB, room for 100 signatures of post-quantum size.
    public static let maximumByteCount = 1 << 20
    /// No note has more signature lines than this.
    public static let maximumSignatureCount = 100

    /// Reads a note.
    ///
    /// - Throws: the rule that is broken, before memory beyond that of `bytes` is taken where it is too long.
    public init(bytes: [UInt8]) throws(SignedNoteError) {
        guard bytes.count <= SignedNote.maximumByteCount else { throw .tooLong(byteCount: bytes.count) }
        if let offset = bytes.firstIndex(where: { $0 < 0x20 && $0 != 0x0A }) {
            throw .controlCharacter(offset: offset)
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        guard let blank = SignedNote.lastEmptyLine(in: bytes) else { throw .noEmptyLine }
        guard blank + 1 < bytes.count else { throw .noSignatures }
        guard bytes.last == 0x0A else { throw .lastLineNotEnded }
        let lines = bytes[(blank + 1)..<(bytes.count - 1)]
            .split(separator: 0x0A, maxSplits: SignedNote.maximumSignatureCount, omittingEmptySubsequences: false)
        guard lines.count <= SignedNote.maximumSignatureCount else { throw .tooManySignatures }
        var signatures: [NoteSignature] = []
        for (position, line) in lines.enumerated() {
            guard let signature = NoteSignature(line: line) else {
                throw .malformedSignatureLine(number: position + 1)
            }
            signatures.append(signature)
        }
        self.bytes = bytes
        self.signatures = signatures
        textByteCount = blank
    }

    /// Writes a note; `text` ends with a newline, and there is at least one signature.
    ///
    /// - Throws: the rule that the note would break.
    public init(text: [UInt8], signatures: [NoteSignature]) throws(SignedNoteError) {
        guard text.last == 0x0A else { throw .textNotEnded }
        try self.init(bytes: text + [0x0A] + signatures.flatMap(\.line))
    }

    /// The same note with one more signature line at its end.
    ///
    /// - Throws: ``SignedNoteError/tooManySignatures`` or ``SignedNoteError/tooLong(byteCount:)``.
    public func adding(_ signature: NoteSignature) throws(SignedNoteError) -> SignedNote {
        try SignedNote(bytes: bytes + signature.line)
    }

    /// The text, with the newline that ends it.
    public var text: [UInt8] { Array(bytes[..<textByteCount]) }

    /// Checks the signatures of known keys and ignores the lines of all others (C2SP signed-note, "Signatures").
    ///
    /// - Returns: the keys that signed, each once, in the order of `keys`.
    /// - Throws: ``SignedNoteError/invalidSignature(name:)`` where a line of a known key does not verify, even if
    ///   another does; ``SignedNoteError/noKnownSignature`` where no known key signed.
    @discardableResult
    public func verify(with keys: [NoteVerifierKey]) throws(SignedNoteError) -> [NoteVerifierKey] {
        let text = text
        var signers: Set<NoteVerifierKey> = []
        for signature in signatures {
            let candidates = keys.filter { $0.name == signature.name && $0.keyID == signature.keyID }
            if candidates.isEmpty { continue }
            guard let signer = candidates.first(where: { $0.isValid(signature.value, forNoteText: text) }) else {
                throw .invalidSignature(name: signature.name)
            }
            signers.insert(signer)
        }
        guard !signers.isEmpty else { throw .noKnownSignature }
        return keys.filter { signers.remove($0) != nil }
    }

    /// The offset of the newline that is the last empty line.
    private static func lastEmptyLine(in bytes: [UInt8]) -> Int? {
        var offset = bytes.count - 1
        while offset > 0 {
            if bytes[offset] == 0x0A && bytes[offset - 1] == 0x0A { return offset }
            offset -= 1
        }
        return nil
    }
}
