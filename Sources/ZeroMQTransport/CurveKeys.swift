import CZeroMQ

/// The public half of a node's CURVE key (X25519): 32 bytes that name the node to its peers.
///
/// It is no secret and may be shown. It has nothing to do with the Ed25519 key that signs a node's logs.
public struct CurvePublicKey: Hashable, Sendable {
    /// The 32 bytes of the key.
    public let bytes: [UInt8]

    /// The number of bytes in every CURVE key, public or secret.
    public static let byteCount = 32

    /// Takes exactly 32 bytes; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == CurvePublicKey.byteCount else { return nil }
        self.bytes = [UInt8](bytes)
    }

    /// Reads the 40 characters of ZeroMQ's Z85 form (ZeroMQ RFC 32); nil for anything else.
    public init?(z85 text: String) {
        guard let bytes = Z85.decode(text) else { return nil }
        self.bytes = bytes
    }

    /// The key in ZeroMQ's Z85 form: 40 printable characters.
    public var z85: String { Z85.encode(bytes) }
}

extension CurvePublicKey: CustomStringConvertible {
    /// The Z85 form.
    public var description: String { z85 }
}

/// A node's own CURVE key pair. Its description shows only the public half.
public struct CurveKeyPair: Sendable, CustomStringConvertible, CustomReflectable {
    /// What peers know this node by.
    public let publicKey: CurvePublicKey
    /// The 32 secret bytes. They belong in a file that only the node's user can read, and nowhere else.
    public let secretKeyBytes: [UInt8]

    /// Takes 32 secret bytes and computes the public key that belongs to them.
    ///
    /// Throws ``TransportError/invalidKey(reason:)`` for any other count.
    public init(secretKeyBytes: [UInt8]) throws(TransportError) {
        guard secretKeyBytes.count == CurvePublicKey.byteCount else {
            throw .invalidKey(
                reason: "a CURVE secret key has \(CurvePublicKey.byteCount) bytes, this one has \(secretKeyBytes.count)"
            )
        }
        var publicText = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        let status = zmq_curve_public(&publicText, Z85.encode(secretKeyBytes))
        guard status == 0, let publicKey = CurvePublicKey(z85: Z85.text(publicText)) else {
            throw .invalidKey(reason: "libzmq could not compute the public key (\(ErrorText.last))")
        }
        self.publicKey = publicKey
        self.secretKeyBytes = secretKeyBytes
    }

    /// Reads the secret key from its 40 characters in Z85.
    ///
    /// Throws ``TransportError/invalidKey(reason:)`` where the text is no such key; the text is not repeated there.
    public init(secretKeyZ85 text: String) throws(TransportError) {
        guard let bytes = Z85.decode(text) else {
            throw .invalidKey(reason: "a CURVE secret key is \(Z85.keyCharacterCount) characters of Z85, this is not")
        }
        try self.init(secretKeyBytes: bytes)
    }

    /// Draws a new key pair from the operating system's randomness.
    ///
    /// Throws ``TransportError/unsuitableLibrary(reason:)`` where libzmq was built without CURVE.
    public static func generate() throws(TransportError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        var secretText = [CChar](repeating: 0, count: Z85.keyCharacterCount + 1)
        guard zmq_curve_keypair(&publicText, &secretText) == 0 else {
            throw .unsuitableLibrary(
                reason:
                    "libzmq on this machine makes no CURVE keys (\(ErrorText.last)); install one built with libsodium")
        }
        return try CurveKeyPair(secretKeyZ85: Z85.text(secretText))
    }

    /// The secret key as 40 characters of Z85, for a key file.
    public var secretKeyZ85: String { Z85.encode(secretKeyBytes) }

    /// Names the public half only, so that no log line can show the secret.
    public var description: String { "CURVE key pair \(publicKey)" }

    /// Shows the public half only, to debuggers and `dump` too.
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// ZeroMQ's text form of binary keys (ZeroMQ RFC 32), for keys of 32 bytes only.
enum Z85 {
    /// The number of characters that spell 32 bytes.
    static let keyCharacterCount = 40

    static func encode(_ bytes: [UInt8]) -> String {
        precondition(bytes.count == CurvePublicKey.byteCount, "only keys of 32 bytes are spelled in Z85 here")
        var characters = [CChar](repeating: 0, count: keyCharacterCount + 1)
        let encoded = zmq_z85_encode(&characters, bytes, bytes.count)
        precondition(encoded != nil, "32 bytes always have a Z85 form")
        return text(characters)
    }

    static func decode(_ text: String) -> [UInt8]? {
        let characters = text.utf8
        // A zero byte would end the C string early, and only printable ASCII occurs in Z85.
        guard characters.count == keyCharacterCount, characters.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: CurvePublicKey.byteCount)
        guard zmq_z85_decode(&bytes, text) != nil else { return nil }
        // libzmq folds some texts that stand for more than 32 bits a group; only the one true spelling is a key.
        guard encode(bytes) == text else { return nil }
        return bytes
    }

    /// The characters before the closing zero byte.
    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
