/// Why a checkpoint was refused; each case is one rule of C2SP tlog-checkpoint or of Varde's use of it.
public enum CheckpointError: Error, Hashable, Sendable {
    /// The whole signed checkpoint is longer than ``SignedCheckpoint/maximumByteCount``.
    case tooLong(byteCount: Int)
    /// The text is longer than ``Checkpoint/maximumTextByteCount``.
    case textTooLong(byteCount: Int)
    /// The last line of the text does not end with a newline.
    case lastLineNotEnded
    /// The text has fewer than the three lines origin, size and root.
    case tooFewLines(count: Int)
    /// A line of the text, counted from 1, is empty.
    case emptyLine(number: Int)
    /// A line of the text, counted from 1, holds a control character.
    case controlCharacter(lineNumber: Int)
    /// A line of the text, counted from 1, is not UTF-8.
    case notUTF8(lineNumber: Int)
    /// The second line is not a decimal number below 2^64 without zeros in front.
    case malformedSize
    /// The third line is not the base64 of 32 bytes.
    case malformedRoot
    /// The note around the checkpoint breaks a rule, or its signatures do.
    case note(SignedNoteError)
    /// The key is named otherwise than the checkpoint's origin.
    case originMismatch(origin: String, keyName: NoteKeyName)
    /// A witness's key was given where the key of the log is needed.
    case keyIsWitness(name: NoteKeyName)
}

extension CheckpointError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .tooLong(let byteCount):
            "the signed checkpoint has \(byteCount) bytes; at most \(SignedCheckpoint.maximumByteCount) are read"
        case .textTooLong(let byteCount):
            "the text of the checkpoint has \(byteCount) bytes; at most \(Checkpoint.maximumTextByteCount) are read"
        case .lastLineNotEnded:
            "the last line of the checkpoint does not end with a newline; is it complete?"
        case .tooFewLines(let count):
            "the checkpoint has \(count) lines; it needs origin, size and root: is it complete?"
        case .emptyLine(let number):
            "line \(number) of the checkpoint is empty"
        case .controlCharacter(let lineNumber):
            "line \(lineNumber) of the checkpoint holds a control character; "
                + "check that the file was not converted on its way"
        case .notUTF8(let lineNumber):
            "line \(lineNumber) of the checkpoint is not UTF-8 text"
        case .malformedSize:
            "line 2 of the checkpoint, the size, is not a plain decimal number"
        case .malformedRoot:
            "line 3 of the checkpoint, the root, is not the base64 of 32 bytes"
        case .note(let error):
            error.description
        case .originMismatch(let origin, let keyName):
            "the checkpoint is of log '\(origin)', but the key is that of '\(keyName)'; use the key of this log"
        case .keyIsWitness(let name):
            "'\(name)' is a witness's key; a log's checkpoint is checked with the key of the log"
        }
    }
}
