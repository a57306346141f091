import Crypto

/// The Ed25519 public key under which a node signs the checkpoints of its logs.
public struct SigningPublicKey: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }
}

/// The Ed25519 public key under which a node, as a witness, cosigns checkpoints. Never the one that signs its logs.
public struct WitnessPublicKey: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }
}

/// The X25519 public key by which a node proves on the network who it is (ZeroMQ CURVE).
public struct NodeCurvePublicKey: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }
}

/// The Ed25519 public key of one of the people who sign the next version of the charter.
public struct AdministratorPublicKey: HashIdentifier {
    /// The 32 bytes.
    public let hash: Hash
    /// Wraps 32 bytes that name such a thing.
    public init(_ hash: Hash) { self.hash = hash }
}

/// The private key of an administrator. Its description shows the public half only.
public struct AdministratorKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// What the charter knows the administrator by.
    public let publicKey: AdministratorPublicKey
    private let privateKey: Curve25519.Signing.PrivateKey

    /// Derives the key from a seed of 32 random bytes (RFC 8032 §5.1.5); nil for any other count.
    public init?(seed: [UInt8]) {
        guard let privateKey = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let hash = Hash(bytes: [UInt8](privateKey.publicKey.rawRepresentation))
        else { return nil }
        self.privateKey = privateKey
        publicKey = AdministratorPublicKey(hash)
    }

    /// Signs the version of the charter that has this hash.
    public func sign(charterHash: Hash) -> CharterSignature {
        do {
            let value = [UInt8](try privateKey.signature(for: CharterSignature.message(charterHash: charterHash)))
            return CharterSignature(key: publicKey, value: value)
        } catch {
            // Signing takes no input that could be wrong; it fails only where the cryptographic library is broken.
            preconditionFailure("Ed25519 signing failed: \(error)")
        }
    }

    /// Names the public half only, so that no log line can show the secret.
    public var description: String { "administrator key \(publicKey)" }

    /// Shows the public half only, to debuggers and `dump` too.
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// One administrator's signature of a version of the charter.
public struct CharterSignature: Hashable, Sendable {
    /// Whose it is said to be.
    public let key: AdministratorPublicKey
    /// The 64 bytes of the Ed25519 signature.
    public let value: [UInt8]

    /// States a signature.
    public init(key: AdministratorPublicKey, value: [UInt8]) {
        self.key = key
        self.value = value
    }

    /// What is signed: the domain `varde/charter-signature/0`, then the 32 bytes of the charter's hash.
    public static func message(charterHash: Hash) -> [UInt8] {
        [UInt8]("varde/charter-signature/0".utf8) + charterHash.bytes
    }

    /// Whether it is the key's signature of the version that has this hash.
    public func isValid(forCharterHash charterHash: Hash) -> Bool {
        Ed25519.isValidSignature(
            value, for: CharterSignature.message(charterHash: charterHash), publicKey: key.hash.bytes)
    }
}
