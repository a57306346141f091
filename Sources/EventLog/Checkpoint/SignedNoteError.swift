/// Why a signed note was refused; each case is one rule of C2SP signed-note.
public enum SignedNoteError: Error, Hashable, Sendable {
    /// The note is longer than ``SignedNote/maximumByteCount``.
    case tooLong(byteCount: Int)
    /// A byte below 0x20 that is no newline stands at `offset`.
    case controlCharacter(offset: Int)
    /// The bytes are not UTF-8.
    case notUTF8
    /// No empty line parts the text from the signatures.
    case noEmptyLine
    /// Nothing follows the last empty line.
    case noSignatures
    /// The last line does not end with a newline.
    case lastLineNotEnded
    /// There are more than ``SignedNote/maximumSignatureCount`` signature lines.
    case tooManySignatures
    /// A line under the text, counted from 1, is not a signature line.
    case malformedSignatureLine(number: Int)
    /// The text to be signed does not end with a newline.
    case textNotEnded
    /// The line of a known key does not verify.
    case invalidSignature(name: NoteKeyName)
    /// No line is of a known key.
    case noKnownSignature
}

extension SignedNoteError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .tooLong(let byteCount):
            "the signed note has \(byteCount) bytes; at most \(SignedNote.maximumByteCount) are read"
        case .controlCharacter(let offset):
            "the signed note has a control character at byte \(offset); only newlines are allowed: "
                + "check that the file was not converted on its way"
        case .notUTF8:
            "the signed note is not UTF-8 text; check that the file was not converted on its way"
        case .noEmptyLine:
            "the signed note has no empty line between text and signatures; is it complete?"
        case .noSignatures:
            "the signed note has no signature line after its text; is it complete?"
        case .lastLineNotEnded:
            "the last line of the signed note does not end with a newline; is it complete?"
        case .tooManySignatures:
            "the signed note has more than \(SignedNote.maximumSignatureCount) signature lines"
        case .malformedSignatureLine(let number):
            "signature line \(number) of the note is not of the form '— <key name> <base64>'"
        case .textNotEnded:
            "the text of a note must end with a newline before it can be signed"
        case .invalidSignature(let name):
            "the signature of '\(name)' does not fit the text of the note: one of them was altered, "
                + "or the public key is not the one that signed"
        case .noKnownSignature:
            "none of the given keys has signed the note; check the key's name and id against the signature lines"
        }
    }
}
