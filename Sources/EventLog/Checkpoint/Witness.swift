/// A witness's statement about a head of a log, as nodes keep and pass it on: what is needed to put the cosignature's line
/// under the checkpoint again.
public struct KeptCosignature: Hashable, Sendable {
    /// The head that is vouched for.
    public let head: StatedHead
    /// The witness's key, by its name.
    public let witness: WitnessName
    /// When the witness signed, in seconds since 1970 UTC.
    public let unixSeconds: UInt64
    /// The Ed25519 signature, 64 bytes.
    public let signature: [UInt8]

    /// States a cosignature; nothing is verified yet: see ``verify(with:)``.
    public init(head: StatedHead, witness: WitnessName, unixSeconds: UInt64, signature: [UInt8]) {
        self.head = head
        self.witness = witness
        self.unixSeconds = unixSeconds
        self.signature = signature
    }

    /// Makes the statement: the caller has checked and durably stored that the head extends all the witness saw before.
    ///
    /// - Parameters:
    ///   - witness: the name of the key, which must be `key`'s.
    ///   - unixSeconds: the witness's clock now, at most 2^63 - 1.
    public init(cosigning head: StatedHead, as witness: WitnessName, with key: WitnessSigningKey, unixSeconds: UInt64) {
        precondition(key.name == witness.keyName, "a witness signs under the name of its own key")
        let checkpoint = Checkpoint(
            log: LogOrigin(network: witness.network, log: head.log), size: head.size, root: head.root)
        self.init(
            head: head, witness: witness, unixSeconds: unixSeconds,
            signature: key.cosign(checkpoint, unixSeconds: unixSeconds).signature)
    }

    /// The text that was cosigned.
    public var checkpoint: Checkpoint {
        Checkpoint(log: LogOrigin(network: witness.network, log: head.log), size: head.size, root: head.root)
    }

    /// The cosignature, to be put under the checkpoint.
    ///
    /// - Parameter key: the witness's public key as the charter gives it.
    /// - Throws: ``NoteVerifierKeyError`` where that is no key.
    public func cosignature(of key: WitnessPublicKey) throws(NoteVerifierKeyError) -> Cosignature {
        let verifier = try witness.verifierKey(key)
        return Cosignature(
            witness: verifier.name, keyID: verifier.keyID, unixSeconds: unixSeconds, signature: signature)
    }

    /// Whether the key made this statement.
    public func isValid(for key: WitnessPublicKey) -> Bool {
        guard signature.count == Ed25519.signatureByteCount, unixSeconds <= Cosignature.latestUnixSeconds,
            let verifier = try? witness.verifierKey(key), let cosignature = try? cosignature(of: key)
        else { return false }
        return (try? cosignature.verify(over: checkpoint, with: verifier)) != nil
    }
}

extension WitnessName {
    /// The key that verifies cosignatures under this name.
    ///
    /// - Throws: ``NoteVerifierKeyError`` where the charter's bytes are no acceptable key.
    public func verifierKey(_ key: WitnessPublicKey) throws(NoteVerifierKeyError) -> NoteVerifierKey {
        try NoteVerifierKey(name: keyName, type: .ed25519Cosignature, publicKey: key.hash.bytes)
    }
}

/// What a log's writer shows a witness: a signed head, and that it extends the one the witness cosigned last (C2SP
/// tlog-witness, `add-checkpoint`).
public struct WitnessedExtension: Hashable, Sendable {
    /// The size that the proof starts from; 0 where the writer knows of no cosignature of the witness.
    public var oldSize: UInt64
    /// The path of the ``ConsistencyProof``; empty for an old size of 0 and for equal sizes.
    public var path: [Hash]
    /// The signed checkpoint.
    public var checkpoint: [UInt8]

    /// No proof in a log of 2^63 entries has more hashes.
    public static let maximumPathCount = 64

    /// States what is shown.
    public init(oldSize: UInt64, path: [Hash], checkpoint: [UInt8]) {
        self.oldSize = oldSize
        self.path = path
        self.checkpoint = checkpoint
    }

    /// Judges it by the head that the witness cosigned last of the log, nil where it never did: the rule that keeps a
    /// witness from ever vouching for two histories.
    ///
    /// - Parameters:
    ///   - signed: ``checkpoint`` as it was read.
    ///   - key: the key of the log's writer.
    /// - Returns: the head to be stored and cosigned; the one given where it has been cosigned already.
    /// - Throws: why it is not.
    public func head(
        of signed: SignedCheckpoint, log: LogID, key: NoteVerifierKey, after newest: StatedHead?
    ) throws(WitnessRefusal) -> StatedHead {
        do throws(CheckpointError) { try signed.verify(with: key) } catch { throw .notSigned(error) }
        let head = StatedHead(log: log, size: signed.checkpoint.size, root: signed.checkpoint.root)
        guard head.size > 0 else { throw .empty }
        // Extension lines would be signed too, and nobody here says what they mean.
        guard signed.checkpoint.extensionLines.isEmpty else { throw .extended }
        guard let newest else {
            guard oldSize == 0 else { throw .otherSize(newest: 0) }
            guard path.isEmpty else { throw .proof(.pathTooLong(count: path.count)) }
            return head
        }
        if head.size == newest.size, head.root != newest.root { throw .contradicts(newest) }
        guard oldSize == newest.size, head.size >= newest.size else { throw .otherSize(newest: newest.size) }
        let proof = ConsistencyProof(oldSize: oldSize, newSize: head.size, path: path)
        do throws(MerkleProofError) {
            try proof.verify(oldRoot: newest.root, newRoot: head.root)
        } catch {
            throw .proof(error)
        }
        return head
    }
}

/// Why a witness did not cosign a head.
public enum WitnessRefusal: Error, Hashable, Sendable {
    /// The writer's key did not sign the checkpoint.
    case notSigned(CheckpointError)
    /// There is nothing to vouch for.
    case empty
    /// The checkpoint has extension lines.
    case extended
    /// The proof starts elsewhere than at the head cosigned last, or leads to a smaller one; the size of that head.
    case otherSize(newest: UInt64)
    /// The same size with another root: the writer signed two histories.
    case contradicts(StatedHead)
    /// The proof does not show that the head extends the one cosigned last. Either it was put together wrongly, or the
    /// writer signed two histories.
    case proof(MerkleProofError)
}

extension WitnessRefusal: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .notSigned(let error): "the head is not signed by the log's writer: \(error)"
        case .empty: "the head is that of an empty log"
        case .extended: "the checkpoint has lines that this software cannot vouch for"
        case .otherSize(let newest): "the head does not go on from size \(newest), which was cosigned last"
        case .contradicts(let newest):
            "the head has another root at size \(newest.size) than the one that was cosigned: the writer signed two histories"
        case .proof(let error): "the head is not shown to extend the one that was cosigned last: \(error)"
        }
    }
}
