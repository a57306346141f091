/// One signature line of a signed note: `— <name> base64(key id ‖ signature)` (C2SP signed-note, "Signatures").
public struct NoteSignature: Hashable, Sendable {
    /// The name of the key that is said to have signed.
    public let name: NoteKeyName
    /// The first four bytes of a hash over name, signature type and public key: with the name it says which key.
    public let keyID: UInt32
    /// The signature, at least one byte; what is in it depends on the type of the key.
    public let value: [UInt8]

    /// Em dash and space, as UTF-8.
    static let prefix: [UInt8] = [0xE2, 0x80, 0x94, 0x20]

    /// Joins the parts of a line; `value` is not empty.
    public init(name: NoteKeyName, keyID: UInt32, value: [UInt8]) {
        precondition(!value.isEmpty, "a signature has at least one byte")
        self.name = name
        self.keyID = keyID
        self.value = value
    }

    /// Reads a line without its newline; nil where it is not of that form.
    public init?(line: some Collection<UInt8>) {
        guard line.starts(with: NoteSignature.prefix) else { return nil }
        let rest = line.dropFirst(NoteSignature.prefix.count)
        guard let space = rest.firstIndex(of: 0x20), let name = NoteKeyName(utf8: rest[..<space]),
            let bytes = Base64.decode(rest[rest.index(after: space)...]), bytes.count > 4
        else { return nil }
        self.name = name
        keyID = bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) }
        value = Array(bytes[4...])
    }

    /// The line as UTF-8, with its newline.
    public var line: [UInt8] {
        let id = (0..<4).map { UInt8(truncatingIfNeeded: keyID >> UInt32(24 - 8 * $0)) }
        return NoteSignature.prefix + name.bytes + [0x20] + Base64.encode(id + value) + [0x0A]
    }
}
