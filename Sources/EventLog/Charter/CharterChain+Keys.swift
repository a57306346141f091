/// The keys that nodes have had, and how much counts of what was signed with those they have no more.
extension CharterChain {
    /// The key under which a node signed its logs by what counts of a version; nil where the version is not here or knows no
    /// such node. A log keeps the key of the version that its writer knew when it began the log: later keys never sign it.
    public func signingKey(of node: NodeID, at number: UInt64) -> SigningPublicKey? {
        charter(at: number)?.node(node)?.signingKey
    }

    /// The keys with which a node may have signed a log that it began knowing a version: the one that counts of it, and those of
    /// rivals of that number.
    public func signingKeys(of node: NodeID, begunKnowing number: UInt64) -> [SigningPublicKey] {
        let rivals = versions.filter { $0.charter.number == number }.compactMap { $0.charter.node(node)?.signingKey }
        guard let key = signingKey(of: node, at: number) else { return rivals }
        return [key] + rivals.filter { $0 != key }
    }

    /// All keys under which a node ever signed its logs, oldest first, each with the number of the version that brought it.
    /// Those that rival versions name are among them: what was signed with them stays signed, whether it counts or not.
    public func signingKeys(of node: NodeID) -> [(number: UInt64, key: SigningPublicKey)] {
        var keys: [(number: UInt64, key: SigningPublicKey)] = []
        for signed in versions {
            guard let key = signed.charter.node(node)?.signingKey, !keys.contains(where: { $0.key == key }) else {
                continue
            }
            keys.append((signed.charter.number, key))
        }
        return keys
    }

    /// The name of the key under which a node of the newest version cosigns; nil where it is not admitted.
    public func witness(_ node: NodeID) -> WitnessName? {
        guard let network, isAdmitted(node), let number = UInt32(exactly: witnessKeys(of: node).count) else {
            return nil
        }
        return WitnessName(network: network, node: node, number: number)
    }

    /// The public key of a witness's name; nil where no version gives it.
    public func witnessKey(named name: WitnessName) -> WitnessPublicKey? {
        let keys = witnessKeys(of: name.node)
        guard name.network == network, name.number >= 1, name.number <= UInt32(keys.count) else { return nil }
        return keys[Int(name.number) - 1]
    }

    /// Every witness key that the charter ever named, by node and number.
    public func witnessKeys() -> [WitnessKey] {
        guard let newest, let network else { return [] }
        // No node ever leaves the list.
        return newest.nodes.map(\.id).sorted().flatMap { id in
            witnessKeys(of: id).enumerated().compactMap { place, key in
                let name = WitnessName(network: network, node: id, number: UInt32(place + 1))
                guard let verifier = try? name.verifierKey(key) else { return nil }
                return WitnessKey(name: name, key: verifier, isCurrent: witness(id) == name)
            }
        }
    }

    /// Which of the keys that a log's writer ever had signed a head, and the same as verifiers of notes take it. Keys have ids
    /// of their own, so at most one fits.
    ///
    /// - Parameter keys: the keys to try; nil for all that the writer ever had.
    /// - Throws: why none of them vouches for the head.
    public func writerKey(
        of log: LogName, among keys: [SigningPublicKey]? = nil, thatSigned signed: SignedCheckpoint
    ) throws(CheckpointError) -> (key: SigningPublicKey, verifier: NoteVerifierKey) {
        var refusal = CheckpointError.note(.noKnownSignature)
        for key in keys ?? signingKeys(of: log.node).reversed().map(\.key) {
            // The rules of the charter refuse bytes that are no key; what came through all the same signs nothing.
            guard let verifier = try? log.verifierKey(publicKey: key.hash.bytes) else { continue }
            do throws(CheckpointError) {
                try signed.verify(with: verifier)
                return (key, verifier)
            } catch {
                if error != .note(.noKnownSignature) { refusal = error }
            }
        }
        throw refusal
    }

    /// What counts of a log by the newest version, where its writer was revoked or its key replaced; nil where nothing is
    /// accepted of it.
    public func acceptedHead(of log: LogID, by node: NodeID) -> StatedHead? {
        self.node(node)?.accepted.first { $0.log == log }
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
