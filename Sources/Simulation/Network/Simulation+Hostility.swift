import EventLog
import Replication
import StoreCore
import Trial

/// What a hostile peer sends instead of, or besides, what an honest one would.
extension Simulation {
    /// What goes out where an honest node would send `bytes`.
    func tamper(_ bytes: [UInt8], by node: SimulatedNode, to peer: NodeID) -> [[UInt8]] {
        node.remembered.append(bytes)
        if node.remembered.count > 40 { node.remembered.removeFirst() }
        guard random.chance(40), let message = try? ReplicationMessage(bytes: bytes) else { return [bytes] }
        switch random.below(7) {
        case 0:
            guard let old = random.pick(node.remembered) else { return [bytes] }
            count(.hostileReplayed)
            return [bytes, old]
        case 1:
            count(.hostileGarbage)
            var garbage = random.chance(50) ? random.bytes(random.number(0...200)) : bytes
            if !garbage.isEmpty { garbage[random.below(garbage.count)] ^= 1 << UInt8(random.below(8)) }
            return [garbage, bytes]
        case 2:
            guard random.chance(10) else { return [bytes] }
            count(.hostileOversized)
            return [bytes, [UInt8](repeating: 0x0A, count: ReplicationProtocol.messageBytes + 1 + random.below(1_000))]
        default: return forge(message, by: node, to: peer) ?? [bytes]
        }
    }

    /// A message with other content; nil where there is nothing in it to forge.
    private func forge(
        _ message: ReplicationMessage, by node: SimulatedNode, to peer: NodeID
    ) -> [[UInt8]]? {
        switch message {
        case .range(var range):
            if random.chance(50), let other = equivocated(range.range, by: node) {
                count(.hostileEquivocating)
                let both = random.chance(50) ? [ReplicationMessage.range(range).bytes] : []
                range.range = other
                return both + [ReplicationMessage.range(range).bytes]
            }
            count(.hostileForged)
            range.range = forged(range.range)
            return [ReplicationMessage.range(range).bytes]
        case .have(var have):
            if random.chance(40), let study {
                // A stream that the receiver may not hold, or a node that is none.
                count(.hostileForeignStream)
                let location = random.one(of: LocationID.unn, .haukeland, .fonna)
                have.rows.append(
                    HaveRow(
                        node: random.one(of: NodeID.unn, peer, .fonna), stream: .location(location, in: study),
                        epoch: Epoch(using: &random), size: 5, root: .sha256(random.bytes(4))))
            } else if !have.rows.isEmpty {
                count(.hostileLyingSize)
                let place = random.below(have.rows.count)
                have.rows[place].size =
                    random.chance(30) ? UInt64.max >> 2 : have.rows[place].size + 1 + UInt64(random.below(9))
                have.rows[place].root = .sha256(random.bytes(4))
            }
            return [ReplicationMessage.have(have).bytes]
        case .want(var want):
            count(.hostileLyingCredit)
            want.creditBytes = UInt64.max >> 1
            if random.chance(30) { want.from = UInt64(random.below(50)) }
            return [ReplicationMessage.want(want).bytes]
        case .receipt(var receipt):
            count(.hostileLyingSize)
            receipt.size += UInt64(random.below(20))
            return [ReplicationMessage.receipt(receipt).bytes]
        case .haveDigest(var digest):
            count(.hostileLyingSize)
            digest.digest = .sha256(random.bytes(4))
            digest.count += UInt64(random.below(3))
            return [ReplicationMessage.haveDigest(digest).bytes]
        default: return nil
        }
    }

    /// A range with another last entry under a checkpoint that its writer signed too; nil where the node is not the writer.
    private func equivocated(_ range: EntryRange, by node: SimulatedNode) -> EntryRange? {
        guard let core = node.core, let name = (try? core.log(range.log))??.name, name.node == node.id,
            !range.entries.isEmpty, var frontier = (try? core.frontier(of: range.log, size: range.end - 1)) ?? nil
        else { return nil }
        let draft = EntryDraft(
            stream: name.stream, operation: .statusRecorded,
            authority: Authority(
                actor: Person.tromsoNurse.actor, kind: .person, role: Person.tromsoNurse.role.role,
                authentication: .localAccount),
            known: KnownVersions(), command: CommandID(using: &random), parts: [(.content, random.bytes(20))])
        let (entry, raw) = draft.sealed(
            log: name.log, index: range.end - 1, hybridTime: 1, nodeTime: node.clock.time(now), software: "hostile",
            using: &random)
        frontier.append(entry.id.hash)
        let origin = LogOrigin(network: Cast.network, log: name.log)
        guard let key = NoteSigningKey(name: origin.keyName, seed: Cast.signingSeed(of: node.id)),
            let note = try? SignedCheckpoint(
                signing: Checkpoint(log: origin, size: range.end, root: frontier.root), with: key)
        else { return nil }
        return EntryRange(
            log: range.log, start: range.start, entries: range.entries.dropLast() + [raw], checkpoint: note.bytes)
    }

    private func forged(_ range: EntryRange) -> EntryRange {
        var entries = range.entries
        var checkpoint = range.checkpoint
        if random.chance(70), !entries.isEmpty {
            let place = random.below(entries.count)
            var (header, body) = (entries[place].header, entries[place].body)
            if random.chance(50), !body.isEmpty {
                body[random.below(body.count)] ^= 1 << UInt8(random.below(8))
            } else {
                header[random.below(header.count)] ^= 1 << UInt8(random.below(8))
            }
            entries[place] = RawEntry(header: header, body: body)
        } else if !checkpoint.isEmpty {
            checkpoint[random.below(checkpoint.count)] ^= 1 << UInt8(random.below(8))
        }
        return EntryRange(log: range.log, start: range.start, entries: entries, checkpoint: checkpoint)
    }
}
