/// An entry whose proof holds: what it says, and who vouches for that.
///
/// Invariants, for a charter that was checked from its founding hash on:
/// - the header is the leaf at ``EntryHeader/index`` under ``checkpoint``, which ``writerKey`` signed;
/// - the log's node is a node of the charter, and the charter accepts what the key signed up to this entry;
/// - every part that is here is the one that the header commits to.
public struct VerifiedEntry: Sendable {
    /// What the charter says of the key that signed.
    public enum KeyState: Hashable, Sendable {
        /// It is the node's key in the newest version, and the node is admitted.
        case current
        /// The charter accepts what it signed up to this size of the log.
        case acceptedUpTo(size: UInt64)
    }

    /// The entry.
    public let entry: Entry
    /// Its log.
    public let log: LogName
    /// The head that it stands under.
    public let checkpoint: Checkpoint
    /// The key that signed the head.
    public let writerKey: NoteVerifierKey
    /// What the charter says of that key.
    public let keyState: KeyState
    /// The cosignatures of witnesses of the charter under the head, earliest first.
    public let witnesses: [WitnessStatement]
    /// Signature lines under the head by keys that the charter does not name; nothing is known of them.
    public let unknownSignatureCount: Int

    /// Where it stands.
    public var address: EntryAddress { EntryAddress(log: log.log, index: entry.header.index) }

    /// Positions of the parts that are not here.
    public var missingParts: [Int] { entry.body.parts.indices.filter { entry.body.parts[$0] == nil } }

    /// When the first independent witness had seen the entry at the latest: by a key that the newest charter still names,
    /// of another node than the writer's. Seconds since 1970 UTC; nil where there is none.
    public var firstCosigned: WitnessStatement? { witnesses.first { $0.isIndependent } }

    /// Checks one entry against a charter.
    ///
    /// - Throws: ``EntryProofError``; missing parts are no error here.
    init(checking proven: ProvenEntry, charter chain: CharterChain) throws(EntryProofError) {
        log = proven.log
        entry = try VerifiedEntry.read(proven)
        do throws(LogProofError) {
            try proven.logProof.verify(leafHash: entry.id.hash)
        } catch {
            throw .logProof(error)
        }
        let signed = proven.logProof.checkpoint
        checkpoint = signed.checkpoint
        writerKey = try VerifiedEntry.writerKey(of: log, signed: signed, chain: chain)
        let newest = chain.newest?.number ?? 0
        guard entry.header.known.charter <= newest else {
            throw .charterTooShort(known: entry.header.known.charter, newest: newest)
        }
        keyState = try VerifiedEntry.keyState(of: proven, signedWith: writerKey, chain: chain)
        let known = chain.witnessKeys()
        do throws(CheckpointError) {
            witnesses = try signed.cosignatures(by: known.map(\.key)).map { cosignature in
                WitnessStatement(cosignature, keys: known, writer: proven.log.node)
            }.sorted { ($0.unixSeconds, $0.witness.text) < ($1.unixSeconds, $1.witness.text) }
        } catch {
            throw .cosignature(error)
        }
        let keys = [writerKey] + known.map(\.key)
        unknownSignatureCount = signed.note.signatures.count { line in
            !keys.contains { $0.name == line.name && $0.keyID == line.keyID }
        }
    }

    private static func read(_ proven: ProvenEntry) throws(EntryProofError) -> Entry {
        let header: EntryHeader
        do throws(WireError) { header = try EntryHeader(bytes: proven.header) } catch {
            throw .entry(.unreadable(error))
        }
        guard header.log == proven.log.log else { throw .logMismatch(named: proven.log.log, inHeader: header.log) }
        guard header.index == proven.logProof.index else {
            throw .indexMismatch(proven: proven.logProof.index, inHeader: header.index)
        }
        guard proven.body.parts.count == header.parts.count else {
            throw .partCount(found: proven.body.parts.count, expected: header.parts.count)
        }
        do throws(EntryError) {
            return try Entry(
                checking: RawEntry(header: proven.header, body: proven.body.bytes), at: header.index, of: header.log)
        } catch {
            throw .entry(error)
        }
    }

    /// The key of the log's node, of all it ever had, that signed the head.
    private static func writerKey(
        of log: LogName, signed: SignedCheckpoint, chain: CharterChain
    ) throws(EntryProofError) -> NoteVerifierKey {
        guard let network = chain.network, network == log.network else {
            throw .otherNetwork(log.network, charter: chain.network ?? log.network)
        }
        let keys = chain.signingKeys(of: log.node)
        guard !keys.isEmpty else { throw .unknownNode(log.node) }
        var refusal = CheckpointError.note(.noKnownSignature)
        // The newest first: a key of its own has an id of its own, so at most one fits.
        for (_, key) in keys.reversed() {
            do throws(NoteVerifierKeyError) {
                let verifier = try chain.verifierKey(of: log, signingKey: key)
                do throws(CheckpointError) {
                    try signed.verify(with: verifier)
                    return verifier
                } catch {
                    if error != .note(.noKnownSignature) { refusal = error }
                }
            } catch {
                // The rules of the charter refuse such keys; one that came through signs nothing.
                continue
            }
        }
        throw .signature(refusal)
    }

    /// Holds the head against what the newest charter accepts of the log.
    private static func keyState(
        of proven: ProvenEntry, signedWith key: NoteVerifierKey, chain: CharterChain
    ) throws(EntryProofError) -> KeyState {
        guard let node = chain.node(proven.log.node) else { throw .unknownNode(proven.log.node) }
        let checkpoint = proven.logProof.checkpoint.checkpoint
        guard let accepted = node.accepted.first(where: { $0.log == proven.log.log }) else {
            guard node.state == .admitted, node.signingKey.hash.bytes == key.publicKey else {
                throw .keyRetired(node.id, version: chain.newest?.number ?? 0)
            }
            guard proven.acceptedPath == nil else { throw .acceptedProofUnexpected }
            return .current
        }
        // A key that is known to others can sign any tree: what the charter accepts is one tree, and the entry is in it.
        guard proven.logProof.index < accepted.size else {
            throw .beyondAccepted(index: proven.logProof.index, acceptedSize: accepted.size)
        }
        guard let path = proven.acceptedPath else { throw .acceptedProofMissing(size: accepted.size) }
        let isLater = checkpoint.size > accepted.size
        let (old, oldRoot) = isLater ? (accepted.size, accepted.root) : (checkpoint.size, checkpoint.root)
        let (new, newRoot) = isLater ? (checkpoint.size, checkpoint.root) : (accepted.size, accepted.root)
        do throws(MerkleProofError) {
            try ConsistencyProof(oldSize: old, newSize: new, path: path).verify(oldRoot: oldRoot, newRoot: newRoot)
        } catch {
            throw .acceptedHead(error)
        }
        return .acceptedUpTo(size: accepted.size)
    }
}

/// A witness's valid cosignature of a head, and what the charter says of the witness.
public struct WitnessStatement: Hashable, Sendable {
    /// The witness's key.
    public let witness: WitnessName
    /// When it cosigned, by its own clock, in seconds since 1970 UTC.
    public let unixSeconds: UInt64
    /// Whether the newest charter still names the key, at an admitted node.
    public let isCurrent: Bool
    /// Whether the witness is another node than the writer of the log.
    public let isOther: Bool

    /// Whether the statement says more than the writer's own signature.
    public var isIndependent: Bool { isCurrent && isOther }

    fileprivate init(_ cosignature: Cosignature, keys: [WitnessKey], writer: NodeID) {
        // Only cosignatures by these keys were asked for.
        guard let key = keys.first(where: { $0.key.name == cosignature.witness && $0.key.keyID == cosignature.keyID })
        else { preconditionFailure("a cosignature by a key that was not asked for") }
        witness = key.name
        unixSeconds = cosignature.unixSeconds
        isCurrent = key.isCurrent
        isOther = key.name.node != writer
    }
}

/// A key by which a node witnesses, or witnessed.
public struct WitnessKey: Hashable, Sendable {
    /// Its name, whose number counts the witness keys of the node in the charter, from 1.
    public let name: WitnessName
    /// The key, as verifiers of notes take it.
    public let key: NoteVerifierKey
    /// Whether the newest charter still names it, at an admitted node.
    public let isCurrent: Bool
}

extension CharterChain {
    /// Every witness key that the charter ever named, by node and number.
    public func witnessKeys() -> [WitnessKey] {
        var history: [NodeID: [WitnessPublicKey]] = [:]
        for signed in versions {
            for node in signed.charter.nodes where history[node.id]?.last != node.witnessKey {
                history[node.id, default: []].append(node.witnessKey)
            }
        }
        guard let network else { return [] }
        return history.sorted { $0.key < $1.key }.flatMap { id, keys in
            keys.enumerated().compactMap { place, key in
                let name = WitnessName(network: network, node: id, number: UInt32(place + 1))
                guard
                    let verifier = try? NoteVerifierKey(
                        name: name.keyName, type: .ed25519Cosignature, publicKey: key.hash.bytes)
                else { return nil }
                let isCurrent = node(id)?.state == .admitted && node(id)?.witnessKey == key
                return WitnessKey(name: name, key: verifier, isCurrent: isCurrent)
            }
        }
    }

    /// A node's signing key as the verifier key of one of its logs.
    ///
    /// - Throws: ``NoteVerifierKeyError`` for bytes that are no acceptable key.
    public func verifierKey(
        of log: LogName, signingKey: SigningPublicKey
    ) throws(NoteVerifierKeyError) -> NoteVerifierKey {
        let origin = LogOrigin(network: log.network, log: log.log)
        return try NoteVerifierKey(name: origin.keyName, publicKey: signingKey.hash.bytes)
    }
}
