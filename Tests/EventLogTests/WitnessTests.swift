import EventLog
import Testing

/// What a witness vouches for, and what not (C2SP tlog-witness): the one rule on which all cosignatures rest.
struct WitnessTests {
    private static let leaves = (0..<40).map { Hash.sha256([UInt8($0)]) }
    private static let others = (0..<40).map { Hash.sha256([UInt8($0), $0 < 20 ? 0 : 1]) }
    private static let log = LogID(.sha256([7]))
    private static let origin = LogOrigin(network: NetworkID(unchecked: "helse"), log: log)
    private static let key = NoteSigningKey(name: origin.keyName, seed: Hash.sha256([1]).bytes)!
    private static let stranger = NoteSigningKey(name: origin.keyName, seed: Hash.sha256([2]).bytes)!

    private static func head(_ size: Int, _ leaves: [Hash] = leaves) -> StatedHead {
        StatedHead(log: log, size: UInt64(size), root: MerkleTree.root(of: leaves.prefix(size)))
    }

    private func shown(
        _ size: Int, from old: Int, leaves: [Hash] = leaves, key: NoteSigningKey = key
    ) throws -> WitnessedExtension {
        let proof = MerkleTree.consistencyProof(
            oldSize: UInt64(old), newSize: UInt64(size), leafHash: { leaves[Int($0)] })
        let head = Self.head(size, leaves)
        let signed = try SignedCheckpoint(
            signing: Checkpoint(log: Self.origin, size: head.size, root: head.root), with: key)
        return WitnessedExtension(oldSize: UInt64(old), path: proof?.path ?? [], checkpoint: signed.bytes)
    }

    private func judge(_ shown: WitnessedExtension, after newest: StatedHead?) throws -> StatedHead {
        try shown.head(
            of: SignedCheckpoint(bytes: shown.checkpoint), log: Self.log, key: Self.key.verifierKey, after: newest)
    }

    private func refusal(_ shown: WitnessedExtension, after newest: StatedHead?) -> WitnessRefusal? {
        do { _ = try judge(shown, after: newest) } catch { return error as? WitnessRefusal }
        return nil
    }

    @Test func `every head that extends the one cosigned last is vouched for, and no other`() throws {
        for old in 0...20 {
            for size in 1...20 {
                let newest = old == 0 ? nil : Self.head(old)
                let shown = try shown(size, from: min(old, size))
                if size >= old {
                    #expect(try judge(shown, after: newest) == Self.head(size))
                } else {
                    #expect(refusal(shown, after: newest) == .otherSize(newest: UInt64(old)))
                }
            }
        }
    }

    @Test func `a second history is refused at any size, whatever the proof`() throws {
        for old in 21...40 {
            for size in old...40 {
                let newest = Self.head(old)
                let found = refusal(try shown(size, from: old, leaves: Self.others), after: newest)
                if size == old {
                    #expect(found == .contradicts(newest))
                } else {
                    guard case .proof? = found else {
                        Issue.record("\(old) to \(size): \(String(describing: found))")
                        continue
                    }
                }
            }
        }
        // Nor does the first history's own proof help the second's head.
        var mixed = try shown(30, from: 25, leaves: Self.others)
        mixed.path = try shown(30, from: 25).path
        guard case .proof? = refusal(mixed, after: Self.head(25)) else {
            Issue.record("a proof of another tree was taken")
            return
        }
    }

    @Test func `what starts elsewhere, is signed by another, or is empty, is refused with the reason`() throws {
        #expect(refusal(try shown(9, from: 4), after: Self.head(5)) == .otherSize(newest: 5))
        #expect(refusal(try shown(9, from: 4), after: nil) == .otherSize(newest: 0))
        var padded = try shown(9, from: 0)
        padded.path = [.zero]
        guard case .proof? = refusal(padded, after: nil) else {
            Issue.record("a path from nowhere was taken")
            return
        }
        guard case .notSigned? = refusal(try shown(9, from: 5, key: Self.stranger), after: Self.head(5)) else {
            Issue.record("a stranger's signature was taken")
            return
        }
        let extended = try SignedCheckpoint(
            signing: Checkpoint(
                origin: Self.origin.text, size: 9, root: Self.head(9).root, extensionLines: ["more"]), with: Self.key)
        #expect(
            refusal(WitnessedExtension(oldSize: 0, path: [], checkpoint: extended.bytes), after: nil) == .extended)
    }

    @Test func `a kept cosignature is valid for its head, witness, key and time only`() throws {
        let name = WitnessName(network: NetworkID(unchecked: "helse"), node: NodeID(unchecked: "unn"), number: 2)
        let key = try #require(WitnessSigningKey(name: name.keyName, seed: Hash.sha256([3]).bytes))
        let publicKey = WitnessPublicKey(try #require(Hash(bytes: key.verifierKey.publicKey)))
        let row = KeptCosignature(cosigning: Self.head(9), as: name, with: key, unixSeconds: 1_700_000_000)
        #expect(row.isValid(for: publicKey))
        let verifier = try name.verifierKey(publicKey)
        try row.cosignature(of: publicKey).verify(over: row.checkpoint, with: verifier)
        let other = WitnessName(network: name.network, node: name.node, number: 1)
        for changed in [
            KeptCosignature(head: Self.head(8), witness: name, unixSeconds: row.unixSeconds, signature: row.signature),
            KeptCosignature(head: row.head, witness: name, unixSeconds: row.unixSeconds + 1, signature: row.signature),
            KeptCosignature(
                head: row.head, witness: name, unixSeconds: row.unixSeconds, signature: row.signature.dropLast() + [0]),
            KeptCosignature(head: row.head, witness: name, unixSeconds: row.unixSeconds, signature: []),
        ] { #expect(!changed.isValid(for: publicKey)) }
        // The number of the key stands in its name, which the checkpoint does not sign, but the line's key id tells it.
        let renamed = KeptCosignature(
            head: row.head, witness: other, unixSeconds: row.unixSeconds, signature: row.signature)
        #expect(try renamed.cosignature(of: publicKey).keyID != row.cosignature(of: publicKey).keyID)
    }
}
