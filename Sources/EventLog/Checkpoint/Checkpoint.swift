/// The head of a log: its size and root, as the text of a C2SP tlog-checkpoint.
///
/// ```
/// <origin>
/// <size, decimal>
/// <root, base64>
/// <extension lines, if any>
/// ```
///
/// Invariant: `text` is the only spelling of the other properties, so checkpoints are equal when their texts are.
public struct Checkpoint: Hashable, Sendable {
    /// The name of the log, the first line.
    public let origin: String
    /// The number of entries of the log at this head.
    public let size: UInt64
    /// The root of the Merkle tree over those entries.
    public let root: Hash
    /// Further lines that are signed with the head; Varde writes none and keeps those of others.
    public let extensionLines: [String]
    /// The text that is signed: UTF-8, each line ended by a newline.
    public let text: [UInt8]

    /// No checkpoint's text is longer than this.
    public static let maximumTextByteCount = 16_384

    /// The head of a log of a Varde network.
    public init(log: LogOrigin, size: UInt64, root: Hash) {
        self.init(checkedOrigin: log.text, size: size, root: root, extensionLines: [])
    }

    /// The head of any log.
    ///
    /// - Throws: ``CheckpointError/emptyLine(number:)``, ``CheckpointError/controlCharacter(lineNumber:)`` or
    ///   ``CheckpointError/textTooLong(byteCount:)``.
    public init(
        origin: String, size: UInt64, root: Hash, extensionLines: [String] = []
    ) throws(CheckpointError) {
        for (position, line) in ([origin, "0", "0"] + extensionLines).enumerated() {
            guard !line.isEmpty else { throw .emptyLine(number: position + 1) }
            guard line.utf8.allSatisfy({ $0 >= 0x20 }) else { throw .controlCharacter(lineNumber: position + 1) }
        }
        self.init(checkedOrigin: origin, size: size, root: root, extensionLines: extensionLines)
        guard text.count <= Checkpoint.maximumTextByteCount else { throw .textTooLong(byteCount: text.count) }
    }

    private init(checkedOrigin origin: String, size: UInt64, root: Hash, extensionLines: [String]) {
        self.origin = origin
        self.size = size
        self.root = root
        self.extensionLines = extensionLines
        let head = [UInt8]("\(origin)\n\(size)\n".utf8) + Base64.encode(root.bytes) + [0x0A]
        text = extensionLines.reduce(into: head) { $0 += $1.utf8 + [0x0A] }
    }

    /// Reads the text of a checkpoint.
    ///
    /// - Throws: the rule that is broken.
    public init(text: [UInt8]) throws(CheckpointError) {
        guard text.count <= Checkpoint.maximumTextByteCount else { throw .textTooLong(byteCount: text.count) }
        guard text.last == 0x0A else { throw .lastLineNotEnded }
        let lines = text.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 3 else { throw .tooFewLines(count: lines.count) }
        var strings: [String] = []
        for (position, line) in lines.enumerated() {
            guard !line.isEmpty else { throw .emptyLine(number: position + 1) }
            guard line.allSatisfy({ $0 >= 0x20 }) else { throw .controlCharacter(lineNumber: position + 1) }
            guard let string = String(validating: line, as: UTF8.self) else { throw .notUTF8(lineNumber: position + 1) }
            strings.append(string)
        }
        // Only the spelling that we would write ourselves is the size: no sign, no zeros in front.
        guard let size = UInt64(strings[1]), "\(size)".utf8.elementsEqual(lines[1]) else { throw .malformedSize }
        guard let rootBytes = Base64.decode(lines[2]), let root = Hash(bytes: rootBytes) else {
            throw .malformedRoot
        }
        origin = strings[0]
        self.size = size
        self.root = root
        extensionLines = Array(strings[3...])
        self.text = text
    }

    /// The log of a Varde network that the origin names; nil for other origins.
    public var logOrigin: LogOrigin? { LogOrigin(origin) }

    /// Equal texts.
    public static func == (left: Checkpoint, right: Checkpoint) -> Bool { left.text == right.text }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
