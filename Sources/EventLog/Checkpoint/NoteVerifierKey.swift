/// What kind of signature a key makes (C2SP signed-note, "Signature types").
public enum NoteSignatureType: UInt8, Hashable, Sendable {
    /// Ed25519 over the text of the note: how a log signs its checkpoints.
    case ed25519 = 0x01
    /// Ed25519 over a time and the text of the note: how a witness cosigns (C2SP tlog-cosignature v1).
    case ed25519Cosignature = 0x04
}

/// A public key that verifies notes, written `<name>+<key id>+base64(<type> ‖ <public key>)` (C2SP signed-note,
/// "Verifier keys").
public struct NoteVerifierKey: Hashable, Sendable {
    /// The name that stands in the key's signature lines.
    public let name: NoteKeyName
    /// What kind of signature the key makes.
    public let type: NoteSignatureType
    /// The Ed25519 public key, 32 bytes.
    public let publicKey: [UInt8]
    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian.
    public let keyID: UInt32

    /// No written key is longer than this.
    public static let maximumTextByteCount = 4_096

    /// Names a public key.
    ///
    /// - Throws: ``NoteVerifierKeyError/wrongKeyLength(byteCount:)`` or ``NoteVerifierKeyError/unacceptableKey``.
    public init(
        name: NoteKeyName, type: NoteSignatureType = .ed25519, publicKey: [UInt8]
    ) throws(NoteVerifierKeyError) {
        guard publicKey.count == Ed25519.publicKeyByteCount else {
            throw .wrongKeyLength(byteCount: publicKey.count)
        }
        guard Ed25519.isAcceptablePublicKey(publicKey) else { throw .unacceptableKey }
        self.init(name: name, type: type, checkedPublicKey: publicKey)
    }

    /// Takes a public key that is known to be good, because we hold its private key.
    init(name: NoteKeyName, type: NoteSignatureType, checkedPublicKey publicKey: [UInt8]) {
        self.name = name
        self.type = type
        self.publicKey = publicKey
        let hash = Hash.sha256(name.bytes + [0x0A, type.rawValue] + publicKey)
        keyID = UInt32(truncatingIfNeeded: hash.words.0 >> 32)
    }

    /// Reads the text that ``text`` wrote, and recomputes the key id in it.
    ///
    /// - Throws: the rule that is broken.
    public init(text: String) throws(NoteVerifierKeyError) {
        guard text.utf8.count <= NoteVerifierKey.maximumTextByteCount else {
            throw .tooLong(byteCount: text.utf8.count)
        }
        // Base64 may itself hold plus signs, so only the first two part the text.
        let parts = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .notThreeParts }
        guard let name = NoteKeyName(utf8: parts[0]) else { throw .malformedName }
        guard parts[1].count == 8, let id = [UInt8](hex: String(decoding: parts[1], as: UTF8.self)) else {
            throw .malformedKeyID
        }
        guard let material = Base64.decode(parts[2]), let typeByte = material.first else { throw .malformedKey }
        guard let type = NoteSignatureType(rawValue: typeByte) else { throw .unknownType(typeByte) }
        try self.init(name: name, type: type, publicKey: Array(material.dropFirst()))
        guard id.reduce(0, { $0 << 8 | UInt32($1) }) == keyID else { throw .keyIDMismatch }
    }

    /// `<name>+<key id, 8 hexadecimal digits>+base64(<type> ‖ <public key>)`.
    public var text: String {
        let id = (0..<4).map { UInt8(truncatingIfNeeded: keyID >> UInt32(24 - 8 * $0)) }
        let material = String(decoding: Base64.encode([type.rawValue] + publicKey), as: UTF8.self)
        return "\(name)+\(id.hex)+\(material)"
    }

    /// Whether the bytes of a signature line are this key's valid signature of a note's text.
    public func isValid(_ signature: [UInt8], forNoteText text: [UInt8]) -> Bool {
        switch type {
        case .ed25519:
            return Ed25519.isValidSignature(signature, for: text, publicKey: publicKey)
        case .ed25519Cosignature:
            guard let parts = Cosignature.parts(of: signature) else { return false }
            let message = Cosignature.message(unixSeconds: parts.unixSeconds, checkpointText: text)
            return Ed25519.isValidSignature(parts.signature, for: message, publicKey: publicKey)
        }
    }
}

extension NoteVerifierKey: CustomStringConvertible {
    /// The written form of the key.
    public var description: String { text }
}

/// Why a written or given public key was refused.
public enum NoteVerifierKeyError: Error, Hashable, Sendable {
    /// The text is longer than ``NoteVerifierKey/maximumTextByteCount``.
    case tooLong(byteCount: Int)
    /// The text has no two plus signs that part name, key id and key.
    case notThreeParts
    /// The name is empty or holds a space or control character.
    case malformedName
    /// The key id is not eight hexadecimal digits.
    case malformedKeyID
    /// The key is not base64 of at least one byte.
    case malformedKey
    /// The key makes signatures of a type that is not known here.
    case unknownType(UInt8)
    /// The public key does not have 32 bytes.
    case wrongKeyLength(byteCount: Int)
    /// The public key is not written canonically or is of small order; see ``Ed25519/isAcceptablePublicKey(_:)``.
    case unacceptableKey
    /// The key id does not follow from name, type and key.
    case keyIDMismatch
}

extension NoteVerifierKeyError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .tooLong(let byteCount):
            "the public key has \(byteCount) characters; at most \(NoteVerifierKey.maximumTextByteCount) are read"
        case .notThreeParts:
            "the public key is not of the form '<name>+<8 hexadecimal digits>+<base64>'; copy it again in full"
        case .malformedName:
            "the name in front of the public key is empty or holds a space; copy it again in full"
        case .malformedKeyID:
            "the key id between the plus signs of the public key is not 8 hexadecimal digits; copy it again in full"
        case .malformedKey:
            "the public key after the second plus sign is not base64; copy it again in full"
        case .unknownType(let type):
            "the public key is of signature type \(type), which this version does not know; it knows 1 and 4"
        case .wrongKeyLength(let byteCount):
            "an Ed25519 public key has 32 bytes, this one has \(byteCount)"
        case .unacceptableKey:
            "the public key is a weak or irregularly written Ed25519 key, under which signatures prove nothing; "
                + "make a new key"
        case .keyIDMismatch:
            "the key id does not fit the name and the public key: one of them was altered; copy it again in full"
        }
    }
}
