/// Versions of the charter that follow the same version, each signed by enough administrators, and what follows them.
public struct CharterDispute: Hashable, Sendable {
    /// The last version that nothing disputes.
    public let before: SignedCharter
    /// The versions in the order of their numbers and hashes: at least two of them follow ``before``.
    public let versions: [SignedCharter]

    /// - Parameters:
    ///   - versions: the rivals and what follows them, none where there is no dispute.
    ///   - before: the last version that nothing disputes.
    init?(_ versions: [SignedCharter], after before: SignedCharter?) {
        guard let before, !versions.isEmpty else { return nil }
        self.before = before
        self.versions = versions
    }

    /// The versions that follow ``before``: a version that settles the dispute is one more, and names all of these.
    public var rivals: [SignedCharter] { versions.filter { $0.charter.previous == before.hash } }

    /// The versions that none follows, one at least for each of the rivals.
    public var tips: [SignedCharter] {
        let followed = Set(versions.compactMap(\.charter.previous))
        return versions.filter { !followed.contains($0.hash) }
    }

    /// What counts while nothing has settled between them: the version before, with every revocation in any of them and no
    /// admission. A key that they replace is replaced where all that replace it name the same one; where they name
    /// different ones, its node is out. Its number is the highest of theirs.
    public var charter: Charter {
        var charter = before.charter
        charter.number = versions.last?.charter.number ?? charter.number
        charter.nodes = charter.nodes.map(judged)
        return charter
    }

    private func judged(_ node: CharterNode) -> CharterNode {
        let changed = versions.compactMap { $0.charter.node(node.id) }.filter {
            $0.state != node.state || $0.keys != node.keys || $0.accepted != node.accepted
        }
        // What is admitted again here, was revoked by the version before and stays so.
        guard node.state == .admitted, let last = changed.last else { return node }
        var judged = node
        let replaced = Set(changed.map(\.keys)).subtracting([node.keys])
        if replaced.count <= 1, changed.allSatisfy({ $0.state == .admitted }) {
            (judged.signingKey, judged.curveKey, judged.witnessKey) = (last.signingKey, last.curveKey, last.witnessKey)
        } else {
            judged.state = .revoked
        }
        judged.accepted = CharterDispute.common(changed.map(\.accepted))
        return judged
    }

    /// What all of several lists accept: of each log that all name, the smallest size; nothing of one whose roots differ.
    private static func common(_ lists: [[StatedHead]]) -> [StatedHead] {
        guard var common = lists.first else { return [] }
        for list in lists.dropFirst() {
            let heads = Dictionary(list.map { ($0.log, $0) }) { first, _ in first }
            common = common.compactMap { head in
                guard let other = heads[head.log] else { return nil }
                if head.size == other.size { return head == other ? head : nil }
                return head.size < other.size ? head : other
            }
        }
        return common
    }
}

extension CharterDispute {
    /// A copy of a version, or of what counts of all, to prepare the version in that settles the dispute: it follows the last
    /// undisputed version, names all rivals, and has the number after the highest of theirs. Nodes that any of the versions
    /// revoked stay revoked in it, with what all accept of them, so that a settlement by mistake admits nobody.
    ///
    /// - Parameter kept: the version whose contents are to hold; nil for none of them.
    public func settlement(keeping kept: SignedCharter?) -> Charter {
        let now = charter
        var next = kept?.charter ?? now
        next.number = now.number + 1
        next.previous = before.hash
        next.settles = rivals.map(\.hash)
        let revoked = Dictionary(now.nodes.filter { $0.state == .revoked }.map { ($0.id, $0) }) { first, _ in first }
        next.nodes = next.nodes.map { node in
            guard let judged = revoked[node.id], judged.state != node.state else { return node }
            return judged
        }
        return next
    }
}

extension SignedCharter {
    /// The order of versions that are known here.
    func isBefore(_ other: SignedCharter) -> Bool {
        charter.number == other.charter.number ? hash < other.hash : charter.number < other.charter.number
    }
}

extension Charter {
    /// The keys of nodes that version 0 revokes: they can never be admitted with the same keys.
    static func revokedAtFounding(_ founding: Charter) -> Set<Hash> {
        Set(founding.nodes.filter { $0.state == .revoked }.flatMap(\.keys))
    }
}
