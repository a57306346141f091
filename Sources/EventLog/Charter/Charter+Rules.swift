extension Charter {
    /// Checks what one version must fulfil by itself: sizes, names, unique ids and keys, hosts that exist.
    ///
    /// - Throws: the rule that is broken.
    public func checkAlone() throws(CharterError) {
        try checkCounts()
        guard (number == 0) == (previous == nil) else { throw .previousMisplaced(number: number) }
        guard number < UInt64(CharterLimit.versions) else { throw .tooMany(.versions, limit: CharterLimit.versions) }
        guard Set(settles).count == settles.count, settles.isEmpty || number > 0 else { throw .settledMisplaced }
        guard !administrators.isEmpty else { throw .noAdministrators }
        try checkKeys()
        var nodeIDs: Set<NodeID> = []
        for node in nodes {
            guard nodeIDs.insert(node.id).inserted else { throw .nodeRepeated(node.id) }
            try Charter.check(name: node.name, region: node.region, of: node.id.text)
            var logs: Set<LogID> = []
            for head in node.accepted where !logs.insert(head.log).inserted {
                throw .acceptedHeadRepeated(node.id, head.log)
            }
        }
        var locationIDs: Set<LocationID> = []
        for location in locations {
            guard locationIDs.insert(location.id).inserted else { throw .locationRepeated(location.id) }
            guard nodeIDs.contains(location.host) else { throw .hostUnknown(location.id, host: location.host) }
            try Charter.check(name: location.name, region: location.region, of: location.id.text)
        }
        if number == 0, let node = nodes.first(where: { !$0.accepted.isEmpty && $0.state == .admitted }) {
            throw .acceptedHeadsUnexpected(node.id)
        }
    }

    private func checkCounts() throws(CharterError) {
        let counts: [(Int, CharterError.Part, Int)] = [
            (nodes.count, .nodes, CharterLimit.nodes),
            (locations.count, .locations, CharterLimit.locations),
            (administrators.count, .administrators, CharterLimit.administrators),
            (nodes.reduce(0) { $0 + $1.accepted.count }, .acceptedHeads, CharterLimit.acceptedHeads),
            (settles.count, .settled, CharterLimit.settled),
        ]
        for (count, part, limit) in counts where count > limit { throw .tooMany(part, limit: limit) }
    }

    /// Every key occurs once, and those that verify signatures are sound. CURVE keys are no Ed25519 keys.
    private func checkKeys() throws(CharterError) {
        var seen: Set<Hash> = []
        let all = nodes.flatMap(\.keys) + administrators.map(\.hash)
        for key in all where !seen.insert(key).inserted { throw .keyRepeated(key) }
        let verifying = nodes.flatMap { [$0.signingKey.hash, $0.witnessKey.hash] } + administrators.map(\.hash)
        for key in verifying where !Ed25519.isAcceptablePublicKey(key.bytes) { throw .keyUnacceptable(key) }
    }

    /// Names are shown in terminals and pages, so control characters have no place in them.
    private static func check(name: String, region: String?, of owner: String) throws(CharterError) {
        for text in [name, region ?? name] {
            let isPrintable = text.unicodeScalars.allSatisfy { scalar in
                scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
            }
            guard (1...CharterLimit.nameBytes).contains(text.utf8.count), isPrintable else {
                throw .malformedName(of: owner)
            }
        }
    }

    /// Checks what a version must fulfil to follow `before`, whose hash is `hashBefore`.
    ///
    /// - Parameter retired: the keys that earlier versions revoked or replaced, those of `before` included.
    /// - Throws: the rule that is broken.
    func check(after before: Charter, hashBefore: Hash, retired: Set<Hash>) throws(CharterError) {
        // Never overflows: numbers are bounded. One that settles a dispute stands above the numbers of what it settles, so
        // that a writer who knew one of those knows no less by the settlement.
        guard settles.isEmpty ? number == before.number + 1 : number > before.number + 1 else {
            throw .numberUnexpected(expected: before.number + (settles.isEmpty ? 1 : 2), found: number)
        }
        guard previous == hashBefore else { throw .previousMismatch(number: number) }
        guard network == before.network else { throw .networkChanged(from: before.network, to: network) }
        let now = Dictionary(nodes.map { ($0.id, $0) }) { first, _ in first }
        for old in before.nodes {
            guard let node = now[old.id] else { throw .nodeDropped(old.id) }
            try node.checkAccepted(after: old)
        }
        for old in before.locations where location(old.id) == nil { throw .locationDropped(old.id) }
        // What this very version replaces is retired too: a key cannot move from one node or purpose to another.
        let retiredNow = retired.union(Charter.retired(from: before, to: self))
        for node in nodes where node.state == .admitted && node.keys.contains(where: retiredNow.contains) {
            throw .keyReturned(node.id)
        }
        let known = Dictionary(before.nodes.map { ($0.id, $0) }) { first, _ in first }
        for node in nodes where !node.accepted.isEmpty && node.state == .admitted {
            // Heads are inherited for good; new ones come with a revocation or another signing key.
            guard let old = known[node.id],
                !old.accepted.isEmpty || old.state == .revoked || old.signingKey != node.signingKey
            else { throw .acceptedHeadsUnexpected(node.id) }
        }
    }

    /// The keys of `before` that `after` revokes or replaces.
    static func retired(from before: Charter, to after: Charter) -> Set<Hash> {
        let now = Dictionary(after.nodes.map { ($0.id, $0) }) { first, _ in first }
        var retired: Set<Hash> = []
        for old in before.nodes {
            guard let node = now[old.id], node.state == .admitted else {
                retired.formUnion(old.keys)
                continue
            }
            retired.formUnion(Set(old.keys).subtracting(node.keys))
        }
        return retired
    }
}

extension CharterNode {
    /// What was accepted stays accepted, or more of it is.
    fileprivate func checkAccepted(after old: CharterNode) throws(CharterError) {
        guard !old.accepted.isEmpty else { return }
        let now = Dictionary(accepted.map { ($0.log, $0) }) { first, _ in first }
        for head in old.accepted {
            guard let later = now[head.log], later.size > head.size || later == head else {
                throw .acceptedHeadWithdrawn(id, head.log)
            }
        }
    }
}
