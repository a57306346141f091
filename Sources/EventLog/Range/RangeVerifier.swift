/// Checks a range that a peer sent against the log it is said to extend: pure, and safe for any bytes at all.
public enum RangeVerifier {
    /// Checks everything about a range: limits, leaf hashes, parts, checkpoint, root and signature.
    ///
    /// The cheap checks come first, so a peer that sends nonsense costs little.
    /// - Parameters:
    ///   - range: what came.
    ///   - frontier: the right edge of the entries held so far.
    ///   - name: the log, from which its id and the name of its key are made.
    ///   - key: the writer's Ed25519 public key as the charter gives it, 32 bytes.
    ///   - isDropAllowed: whether an order held here lets this part of an entry be missing.
    /// - Throws: the first rule that is broken.
    public static func verify(
        _ range: EntryRange, extending frontier: MerkleFrontier, name: LogName, key: [UInt8],
        isDropAllowed: (_ header: EntryHeader, _ entry: EntryID, _ position: Int) -> Bool
    ) throws(RangeRefusal) -> VerifiedRange {
        try checkLimits(of: range, log: name.id)
        guard range.start == frontier.size else {
            throw refusal(range, .wrongStart(expected: frontier.size))
        }
        let checkpoint = try checkpoint(of: range, name: name)
        let verifierKey = try verifierKey(for: range, name: name, key: key)

        var checked: [CheckedEntry] = []
        checked.reserveCapacity(range.entries.count)
        var edge = frontier
        for (offset, raw) in range.entries.enumerated() {
            let index = range.start + UInt64(offset)
            let entry: CheckedEntry
            do throws(BrokenRule) {
                entry = try check(raw, at: index, of: name.log, isDropAllowed: isDropAllowed)
            } catch {
                throw RangeRefusal(log: name.id, index: index, rule: error.rule)
            }
            edge.append(entry.id.hash)
            checked.append(entry)
        }
        guard edge.root == checkpoint.checkpoint.root else {
            let isSigned = (try? checkpoint.verify(with: verifierKey)) != nil
            throw refusal(range, .rootMismatch(isSigned: isSigned))
        }
        do throws(CheckpointError) {
            try checkpoint.verify(with: verifierKey)
        } catch {
            throw refusal(range, .signature(error))
        }
        return VerifiedRange(
            name: name, start: range.start, entries: checked, frontier: edge, checkpoint: checkpoint)
    }

    /// Checks what needs no hash: the log, the counts, the bytes and the indices.
    ///
    /// - Throws: the first rule that is broken.
    public static func checkLimits(of range: EntryRange, log: LogID) throws(RangeRefusal) {
        guard range.log == log else { throw RangeRefusal(log: log, index: range.start, rule: .wrongLog(range.log)) }
        guard !range.entries.isEmpty else { throw refusal(range, .empty) }
        guard range.entries.count <= RangeLimit.entries else {
            throw refusal(range, .tooManyEntries(count: range.entries.count))
        }
        // Addition cannot overflow after this: both sides are below 2^63.
        guard range.start <= MerkleFrontier.maximumSize - UInt64(RangeLimit.entries) else {
            throw refusal(range, .indexOverflow)
        }
        for (offset, entry) in range.entries.enumerated() {
            let index = range.start + UInt64(offset)
            guard entry.header.count <= FormatLimit.headerBytes else {
                throw RangeRefusal(log: log, index: index, rule: .headerTooLong(byteCount: entry.header.count))
            }
            guard entry.byteCount <= FormatLimit.entryBytes else {
                throw RangeRefusal(log: log, index: index, rule: .entryTooLong(byteCount: entry.byteCount))
            }
        }
        guard range.byteCount <= RangeLimit.bytes else { throw refusal(range, .tooManyBytes(count: range.byteCount)) }
    }

    /// Reads the checkpoint of a range and checks that it is this log's and stands at the end; not its signature.
    ///
    /// - Throws: the first rule that is broken.
    public static func checkpoint(of range: EntryRange, name: LogName) throws(RangeRefusal) -> SignedCheckpoint {
        let checkpoint: SignedCheckpoint
        do throws(CheckpointError) {
            checkpoint = try SignedCheckpoint(bytes: range.checkpoint)
        } catch {
            throw refusal(range, .checkpointUnreadable(error))
        }
        guard checkpoint.checkpoint.origin == name.origin else {
            throw refusal(range, .checkpointOfOtherLog(origin: checkpoint.checkpoint.origin))
        }
        guard checkpoint.checkpoint.size == range.end else {
            throw refusal(range, .checkpointSize(checkpoint.checkpoint.size))
        }
        return checkpoint
    }

    private static func verifierKey(
        for range: EntryRange, name: LogName, key: [UInt8]
    ) throws(RangeRefusal) -> NoteVerifierKey {
        do throws(NoteVerifierKeyError) {
            return try name.verifierKey(publicKey: key)
        } catch {
            throw refusal(range, .unusableKey(error))
        }
    }

    private static func refusal(_ range: EntryRange, _ rule: RangeRefusal.Rule) -> RangeRefusal {
        RangeRefusal(log: range.log, index: range.start, rule: rule)
    }
}

extension RangeVerifier {
    /// A rule without its place, because the place is known to the caller.
    private struct BrokenRule: Error {
        let rule: RangeRefusal.Rule
    }

    /// Checks one entry. What is wrong in the signed leaf itself becomes a remark; what is wrong with the bytes that the
    /// leaf commits to is the peer's doing and refuses the range.
    private static func check(
        _ raw: RawEntry, at index: UInt64, of log: LogID, isDropAllowed: (EntryHeader, EntryID, Int) -> Bool
    ) throws(BrokenRule) -> CheckedEntry {
        let entry: Entry
        do throws(EntryError) {
            entry = try Entry(checking: raw, at: index, of: log)
        } catch {
            return try explain(error, raw, at: index, of: log, isDropAllowed: isDropAllowed)
        }
        for (position, part) in entry.body.parts.enumerated() where part == nil {
            guard isDropAllowed(entry.header, entry.id, position) else {
                throw BrokenRule(rule: .partMissing(position: position))
            }
        }
        return CheckedEntry(raw: raw, entry: entry)
    }

    /// Finds out whether an entry that failed its check is void or makes the range refused.
    private static func explain(
        _ failure: EntryError, _ raw: RawEntry, at index: UInt64, of log: LogID,
        isDropAllowed: (EntryHeader, EntryID, Int) -> Bool
    ) throws(BrokenRule) -> CheckedEntry {
        if case .tooLarge(let count) = failure { throw BrokenRule(rule: .entryTooLong(byteCount: count)) }
        let id = raw.id
        let header: EntryHeader
        do throws(WireError) {
            header = try EntryHeader(bytes: raw.header)
        } catch .unknownVersion(let version) {
            return CheckedEntry(raw: raw, id: id, remark: .unknownVersion(version))
        } catch {
            return CheckedEntry(raw: raw, id: id, remark: .unreadable(error))
        }
        let body: EntryBody
        do throws(WireError) {
            body = try EntryBody(bytes: raw.body, partCount: header.parts.count)
        } catch {
            throw BrokenRule(rule: .bodyUnreadable(error))
        }
        var remark: EntryRemark?
        for (position, part) in body.parts.enumerated() {
            let committed = header.parts[position]
            guard let part else {
                guard isDropAllowed(header, id, position) else {
                    throw BrokenRule(rule: .partMissing(position: position))
                }
                continue
            }
            guard part.commitment(kind: committed.kind).commitment == committed.commitment else {
                throw BrokenRule(rule: .partMismatch(position: position))
            }
            if UInt64(part.bytes.count) != committed.byteCount { remark = .partLength(position: position) }
        }
        if header.log != log || header.index != index { remark = .misplaced(log: header.log, index: header.index) }
        guard let remark else { preconditionFailure("an entry that passes every check failed its check") }
        return CheckedEntry(raw: raw, id: id, remark: remark)
    }
}

extension LogName {
    /// The key that verifies the log's checkpoints, from the writer's Ed25519 public key of 32 bytes.
    ///
    /// - Throws: ``NoteVerifierKeyError`` where the bytes are no acceptable key.
    public func verifierKey(publicKey: [UInt8]) throws(NoteVerifierKeyError) -> NoteVerifierKey {
        try NoteVerifierKey(name: LogOrigin(network: network, log: log).keyName, publicKey: publicKey)
    }
}
