/// The keys that nodes have had, and how much counts of what was signed with those they have no more.
extension CharterChain {
    /// All keys under which a node ever cosigned, oldest first; the first has number 1.
    public func witnessKeys(of node: NodeID) -> [WitnessPublicKey] {
        var keys: [WitnessPublicKey] = []
        for signed in versions {
            guard let key = signed.charter.node(node)?.witnessKey, keys.last != key else { continue }
            keys.append(key)
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

    /// The key under which a node signs a log that it began knowing a version of the charter: later keys never sign it.
    public func signingKey(ofLogBy node: NodeID, begunKnowing number: UInt64) -> SigningPublicKey? {
        signingKey(of: node, at: number)
    }

    /// What counts of a log by the newest version, where its writer was revoked or its key replaced; nil where nothing is
    /// accepted of it.
    public func acceptedHead(of log: LogID, by node: NodeID) -> StatedHead? {
        self.node(node)?.accepted.first { $0.log == log }
    }
}
