/// A witness's statement that, at a time, a checkpoint was the largest head it had seen of that log, and extends all
/// that it saw before (C2SP tlog-cosignature, v1 with Ed25519).
public struct Cosignature: Hashable, Sendable {
    /// The name of the witness's key.
    public let witness: NoteKeyName
    /// The id of the witness's key.
    public let keyID: UInt32
    /// When the witness signed, in seconds since 1970 UTC; at most 2^63 - 1.
    public let unixSeconds: UInt64
    /// The Ed25519 signature, 64 bytes.
    public let signature: [UInt8]

    /// The latest time that a cosignature can bear.
    public static let latestUnixSeconds = UInt64(Int64.max)

    init(witness: NoteKeyName, keyID: UInt32, unixSeconds: UInt64, signature: [UInt8]) {
        self.witness = witness
        self.keyID = keyID
        self.unixSeconds = unixSeconds
        self.signature = signature
    }

    /// Reads a signature line as a cosignature. Nothing is verified yet: see ``verify(over:with:)``.
    ///
    /// - Throws: ``CosignatureError/malformed(name:)``.
    public init(_ line: NoteSignature) throws(CosignatureError) {
        guard let parts = Cosignature.parts(of: line.value) else { throw .malformed(name: line.name) }
        self.init(
            witness: line.name, keyID: line.keyID, unixSeconds: parts.unixSeconds, signature: parts.signature)
    }

    /// The signature line, to be put under the checkpoint: time ‖ signature, the time as 8 bytes, big-endian.
    public var noteSignature: NoteSignature {
        NoteSignature(name: witness, keyID: keyID, value: BigEndian64.bytes(of: unixSeconds) + signature)
    }

    /// Checks that the witness's key made this statement about `checkpoint`. No clock is asked: whether the time is
    /// believable is the caller's to judge.
    ///
    /// - Throws: ``CosignatureError/otherKey(name:)`` where `key` is not the key that the cosignature names,
    ///   ``CosignatureError/invalidSignature(name:)``.
    public func verify(over checkpoint: Checkpoint, with key: NoteVerifierKey) throws(CosignatureError) {
        guard key.type == .ed25519Cosignature, key.name == witness, key.keyID == keyID else {
            throw .otherKey(name: witness)
        }
        let message = Cosignature.message(unixSeconds: unixSeconds, checkpointText: checkpoint.text)
        guard Ed25519.isValidSignature(signature, for: message, publicKey: key.publicKey) else {
            throw .invalidSignature(name: witness)
        }
    }

    /// The bytes that a witness signs: `cosignature/v1`, `time <seconds>`, then the text of the checkpoint.
    public static func message(unixSeconds: UInt64, checkpointText: [UInt8]) -> [UInt8] {
        [UInt8]("cosignature/v1\ntime \(unixSeconds)\n".utf8) + checkpointText
    }

    /// Parts the value of a signature line: 8 bytes of time, 64 of signature; nil for other lengths or a time of 2^63
    /// and later.
    static func parts(of value: [UInt8]) -> (unixSeconds: UInt64, signature: [UInt8])? {
        guard value.count == 8 + Ed25519.signatureByteCount,
            let unixSeconds = BigEndian64.number(in: value.prefix(8)), unixSeconds <= latestUnixSeconds
        else { return nil }
        return (unixSeconds, Array(value.dropFirst(8)))
    }
}

/// Why a cosignature was refused.
public enum CosignatureError: Error, Hashable, Sendable {
    /// The line does not hold a time and an Ed25519 signature.
    case malformed(name: NoteKeyName)
    /// The given key is not the one the cosignature names, or is no witness's key.
    case otherKey(name: NoteKeyName)
    /// The signature does not fit time, checkpoint and key.
    case invalidSignature(name: NoteKeyName)
}

extension CosignatureError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .malformed(let name):
            "the signature line of '\(name)' is no cosignature: it needs 8 bytes of time and 64 of signature"
        case .otherKey(let name):
            "the cosignature names the key of '\(name)', another key was given; use the key in the charter"
        case .invalidSignature(let name):
            "the cosignature of '\(name)' does not fit the checkpoint: one of them was altered, "
                + "or the public key is not the one that signed"
        }
    }
}
