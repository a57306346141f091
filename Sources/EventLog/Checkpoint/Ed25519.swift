import Crypto

/// Ed25519 (RFC 8032): the one place where signatures of logs, witnesses, charters and actors are checked.
public enum Ed25519 {
    /// The bytes of a public key.
    public static let publicKeyByteCount = 32
    /// The bytes of a signature.
    public static let signatureByteCount = 64
    /// The bytes of the seed that a private key is derived from.
    public static let seedByteCount = 32

    /// Whether `signature` is a valid Ed25519 signature of `message` under `publicKey` (RFC 8032 §5.1.7).
    ///
    /// BoringSSL checks that S is below the group order and compares R byte for byte, without the cofactor; so a
    /// signature cannot be rewritten into another valid one. It reads a public key leniently, however, so a key that
    /// ``isAcceptablePublicKey(_:)`` refuses validates nothing here. False for wrong lengths.
    public static func isValidSignature(
        _ signature: [UInt8], for message: [UInt8], publicKey: [UInt8]
    ) -> Bool {
        guard signature.count == signatureByteCount, isAcceptablePublicKey(publicKey),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature, for: message)
    }

    /// Whether 32 bytes may serve as somebody's public key: written canonically (y below 2^255 - 19, RFC 8032 §5.1.3)
    /// and not one of the points of small order.
    ///
    /// Implementations differ on keys that are not canonical, so two nodes might not agree whether a log is signed.
    /// Under a key of small order, signatures fit many messages, so that "this node signed that" would mean nothing.
    /// Whether the bytes are a point of the curve at all shows only when a signature is checked.
    public static func isAcceptablePublicKey(_ publicKey: [UInt8]) -> Bool {
        guard publicKey.count == publicKeyByteCount else { return false }
        var y = publicKey
        y[31] &= 0x7F
        let isCanonical = y[31] != 0x7F || y[0] < 0xED || y[1..<31].contains { $0 != 0xFF }
        return isCanonical && !smallOrderCoordinates.contains(y)
    }

    /// The y coordinates, little-endian, of the eight points whose order divides 8: order 4, 1, 8, 8 and 2.
    private static let smallOrderCoordinates: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
    ]
}
