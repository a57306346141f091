public import Crypto

/// The private key with which a log's writer signs its checkpoints, under the log's name.
public struct NoteSigningKey: Sendable {
    /// The key that verifies what this one signs.
    public let verifierKey: NoteVerifierKey
    private let privateKey: Curve25519.Signing.PrivateKey

    /// Names a private key. One private key may sign many logs, each under the log's own name.
    public init(name: NoteKeyName, privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
        verifierKey = NoteVerifierKey(
            name: name, type: .ed25519, checkedPublicKey: [UInt8](privateKey.publicKey.rawRepresentation))
    }

    /// Derives the key from a seed of 32 random bytes (RFC 8032 §5.1.5); nil for any other count.
    public init?(name: NoteKeyName, seed: [UInt8]) {
        guard let privateKey = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        self.init(name: name, privateKey: privateKey)
    }

    /// The name that stands in the signature lines.
    public var name: NoteKeyName { verifierKey.name }

    /// The signature line for a note with this text.
    public func sign(noteText text: [UInt8]) -> NoteSignature {
        NoteSignature(name: name, keyID: verifierKey.keyID, value: privateKey.signatureBytes(for: text))
    }
}

/// The private key with which a witness cosigns the checkpoints of other logs: a key of its own, never one that also
/// signs a log, because a cosignature names no signer (C2SP tlog-cosignature).
public struct WitnessSigningKey: Sendable {
    /// The key that verifies what this one signs.
    public let verifierKey: NoteVerifierKey
    private let privateKey: Curve25519.Signing.PrivateKey

    /// Names a private key.
    public init(name: NoteKeyName, privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
        verifierKey = NoteVerifierKey(
            name: name, type: .ed25519Cosignature, checkedPublicKey: [UInt8](privateKey.publicKey.rawRepresentation))
    }

    /// Derives the key from a seed of 32 random bytes (RFC 8032 §5.1.5); nil for any other count.
    public init?(name: NoteKeyName, seed: [UInt8]) {
        guard let privateKey = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        self.init(name: name, privateKey: privateKey)
    }

    /// The name that stands in the signature lines.
    public var name: NoteKeyName { verifierKey.name }

    /// States that at `unixSeconds` (seconds since 1970 UTC, at most 2^63 - 1) this head is the largest the witness has
    /// seen of its log, and extends all it saw before.
    ///
    /// The caller has checked that, and has stored the head durably, before it asks for the cosignature.
    public func cosign(_ checkpoint: Checkpoint, unixSeconds: UInt64) -> Cosignature {
        precondition(unixSeconds <= Cosignature.latestUnixSeconds, "the time of a cosignature is below 2^63 seconds")
        let message = Cosignature.message(unixSeconds: unixSeconds, checkpointText: checkpoint.text)
        return Cosignature(
            witness: name, keyID: verifierKey.keyID, unixSeconds: unixSeconds,
            signature: privateKey.signatureBytes(for: message))
    }
}

extension Curve25519.Signing.PrivateKey {
    /// The 64 bytes of an Ed25519 signature. Do not expect the same bytes for the same message: some builds of
    /// swift-crypto add randomness.
    fileprivate func signatureBytes(for message: [UInt8]) -> [UInt8] {
        do {
            return [UInt8](try signature(for: message))
        } catch {
            // Signing takes no input that could be wrong; it fails only where the cryptographic library is broken.
            preconditionFailure("Ed25519 signing failed: \(error)")
        }
    }
}
