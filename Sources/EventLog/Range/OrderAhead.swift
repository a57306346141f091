/// Why an entry that was sent ahead of its log is not taken.
public enum OrderAheadError: Error, Hashable, Sendable {
    /// The checkpoint cannot be read, is another log's, or is not signed by the log's writer.
    case checkpoint(CheckpointError)
    /// The checkpoint is that of another log.
    case otherLog
    /// The entry does not stand under the checkpoint.
    case proof(MerkleProofError)
    /// The entry cannot be read, stands elsewhere, or lacks a part.
    case entry(EntryError)
    /// A part of it is not here.
    case partMissing(position: Int)
    /// The key of the writer cannot be used.
    case key(NoteVerifierKeyError)
}

/// An entry with the proof that it stands in its writer's log: for one that has to be known before those in front of it.
public struct OrderAhead: Hashable, Sendable {
    /// The log.
    public let name: LogName
    /// Where in it.
    public let index: UInt64
    /// Its bytes.
    public let raw: RawEntry
    /// A signed checkpoint of the log above the entry.
    public let checkpoint: [UInt8]
    /// The inclusion proof (RFC 9162 §2.1.3), from the leaf up.
    public let path: [Hash]

    /// States an entry; only ``verify(key:)`` judges it.
    public init(name: LogName, index: UInt64, raw: RawEntry, checkpoint: [UInt8], path: [Hash]) {
        self.name = name
        self.index = index
        self.raw = raw
        self.checkpoint = checkpoint
        self.path = path
    }

    /// Its address.
    public var address: EntryAddress { EntryAddress(log: name.id, index: index) }

    /// Bytes of entry, checkpoint and proof.
    public var byteCount: Int { raw.byteCount + checkpoint.count + path.count * Hash.byteCount }

    /// The longest proof: a log has at most 2^63 entries.
    public static let maximumPathLength = 64

    /// Checks everything: that the writer signed the checkpoint, that the entry stands under it, and that all its parts are
    /// here and are those that the header commits to.
    ///
    /// - Parameter key: the Ed25519 public key of the log's writer as the charter gives it, 32 bytes.
    public func verify(key: [UInt8]) throws(OrderAheadError) -> Entry {
        let signed: SignedCheckpoint
        do throws(CheckpointError) {
            signed = try SignedCheckpoint(bytes: checkpoint)
        } catch {
            throw .checkpoint(error)
        }
        guard signed.checkpoint.origin == name.origin else { throw .otherLog }
        let verifierKey: NoteVerifierKey
        do throws(NoteVerifierKeyError) {
            verifierKey = try name.verifierKey(publicKey: key)
        } catch {
            throw .key(error)
        }
        let entry: Entry
        do throws(EntryError) {
            entry = try Entry(checking: raw, at: index, of: name.id)
        } catch {
            throw .entry(error)
        }
        if let missing = entry.body.parts.firstIndex(where: { $0 == nil }) { throw .partMissing(position: missing) }
        do throws(MerkleProofError) {
            try InclusionProof(index: index, size: signed.checkpoint.size, path: path)
                .verify(leafHash: entry.id.hash, root: signed.checkpoint.root)
        } catch {
            throw .proof(error)
        }
        do throws(CheckpointError) {
            try signed.verify(with: verifierKey)
        } catch {
            throw .checkpoint(error)
        }
        return entry
    }
}
