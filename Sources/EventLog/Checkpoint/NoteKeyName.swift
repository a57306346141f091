/// The name of a key that signs notes: not empty, without Unicode spaces, plus signs and control characters
/// (C2SP signed-note, "Format").
///
/// Names are equal when their UTF-8 bytes are, not when Unicode calls them equivalent: they are hashed as bytes.
public struct NoteKeyName: Hashable, Sendable {
    /// The UTF-8 bytes of the name.
    public let bytes: [UInt8]

    /// Nil where `text` breaks a rule for names.
    public init?(_ text: some StringProtocol) {
        let allowed = text.unicodeScalars.allSatisfy { $0 != "+" && $0.value >= 0x20 && !$0.properties.isWhitespace }
        guard allowed, !text.isEmpty else { return nil }
        bytes = [UInt8](text.utf8)
    }

    /// Reads UTF-8; nil where it is not well formed or breaks a rule for names.
    public init?(utf8 bytes: some Collection<UInt8>) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(text)
    }

    /// The name as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension NoteKeyName: CustomStringConvertible {
    /// The name itself.
    public var description: String { text }
}
