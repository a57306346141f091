import EventLog
import Testing

/// ``RangeVerifier`` alone: what it lets pass, and that nothing else does.
struct RangeVerifierTests {
    private static func writer(entries: Int = 3) throws -> FreeWriter {
        var writer = try FreeWriter()
        for number in 0..<entries { writer.add(Fixture.draft(UInt64(number))) }
        return writer
    }

    private func verify(
        _ range: EntryRange, _ writer: FreeWriter, frontier: MerkleFrontier = MerkleFrontier(), key: [UInt8]? = nil,
        isDropAllowed: (EntryHeader, EntryID, Int) -> Bool = { _, _, _ in false }
    ) throws(RangeRefusal) -> VerifiedRange {
        try RangeVerifier.verify(
            range, extending: frontier, name: writer.name, key: key ?? writer.key.verifierKey.publicKey,
            isDropAllowed: isDropAllowed)
    }

    /// The rule by which a range is refused; nil where it passes.
    private func rule(
        _ range: EntryRange, _ writer: FreeWriter, frontier: MerkleFrontier = MerkleFrontier(), key: [UInt8]? = nil
    ) -> RangeRefusal.Rule? {
        do throws(RangeRefusal) {
            _ = try verify(range, writer, frontier: frontier, key: key)
            return nil
        } catch {
            return error.rule
        }
    }

    @Test func `a range that its writer signed passes`() throws {
        let writer = try Self.writer()
        let verified = try verify(writer.range(), writer)
        #expect(verified.frontier == writer.frontier)
        #expect(verified.ids == writer.entries.map(\.id))
        #expect(verified.entries.allSatisfy { $0.entry != nil })
        #expect(verified.head.root == writer.frontier.root)
    }

    @Test func `no byte of a range can be changed`() throws {
        let writer = try Self.writer()
        let range = try writer.range()
        for (position, entry) in range.entries.enumerated() {
            for offset in 0..<entry.byteCount {
                var header = entry.header
                var body = entry.body
                if offset < header.count {
                    header[offset] ^= 1 << UInt8(offset % 8)
                } else {
                    body[offset - header.count] ^= 1 << UInt8(offset % 8)
                }
                var entries = range.entries
                entries[position] = RawEntry(header: header, body: body)
                let altered = EntryRange(log: range.log, start: 0, entries: entries, checkpoint: range.checkpoint)
                #expect(rule(altered, writer) != nil, "entry \(position), byte \(offset)")
            }
        }
        for offset in range.checkpoint.indices {
            var note = range.checkpoint
            note[offset] ^= 1 << UInt8(offset % 8)
            let altered = EntryRange(log: range.log, start: 0, entries: range.entries, checkpoint: note)
            #expect(rule(altered, writer) != nil, "checkpoint byte \(offset)")
        }
    }

    @Test func `entries cannot be left out, doubled or exchanged`() throws {
        let writer = try Self.writer(entries: 4)
        let range = try writer.range()
        let entries = range.entries
        let spoiled = [
            [entries[0], entries[1], entries[2]], [entries[0], entries[1], entries[1], entries[3]],
            [entries[1], entries[0], entries[2], entries[3]], [],
        ]
        for entries in spoiled {
            let altered = EntryRange(log: range.log, start: 0, entries: entries, checkpoint: range.checkpoint)
            #expect(rule(altered, writer) != nil)
        }
    }

    @Test func `the start must be where the held entries end`() throws {
        let writer = try Self.writer(entries: 4)
        var held = MerkleFrontier()
        held.append(writer.entries[0].id.hash)
        #expect(rule(try writer.range(1..<4), writer, frontier: held) == nil)
        #expect(rule(try writer.range(2..<4), writer, frontier: held) == .wrongStart(expected: 1))
        #expect(rule(try writer.range(0..<4), writer, frontier: held) == .wrongStart(expected: 1))
    }

    @Test func `a signature by another key, or of another log, does not count`() throws {
        let writer = try Self.writer()
        let range = try writer.range()
        let stranger = try Fixture.publicKey("stranger")
        guard case .signature = rule(range, writer, key: stranger) else {
            Issue.record("a stranger's key verified the range")
            return
        }
        let forged = EntryRange(
            log: range.log, start: 0, entries: range.entries,
            checkpoint: try writer.checkpoint(key: Fixture.signingKey("stranger", log: writer.name.id)))
        guard case .signature = rule(forged, writer) else {
            Issue.record("a stranger's signature counted")
            return
        }
        let other = try FreeWriter(epoch: 2)
        #expect(rule(range, other) == .wrongLog(writer.name.id))
        let relabelled = EntryRange(
            log: other.name.id, start: 0, entries: range.entries, checkpoint: range.checkpoint)
        #expect(rule(relabelled, other) == .checkpointOfOtherLog(origin: writer.name.origin))
    }

    @Test func `unusable keys are refused and never trap`() throws {
        let writer = try Self.writer()
        for key in [[], [1, 2, 3], [UInt8](repeating: 0, count: 32)] {
            guard case .unusableKey = rule(try writer.range(), writer, key: key) else {
                Issue.record("key of \(key.count) bytes was used")
                continue
            }
        }
    }

    @Test func `limits hold before anything is hashed`() throws {
        let writer = try Self.writer()
        let note = try writer.checkpoint()
        func range(_ entries: [RawEntry], start: UInt64 = 0) -> EntryRange {
            EntryRange(log: writer.name.id, start: start, entries: entries, checkpoint: note)
        }
        let small = RawEntry(header: [1], body: [])
        #expect(rule(range([]), writer) == .empty)
        #expect(
            rule(range(Array(repeating: small, count: 1025)), writer) == .tooManyEntries(count: 1025))
        let long = RawEntry(header: [UInt8](repeating: 0, count: 4097), body: [])
        #expect(rule(range([long]), writer) == .headerTooLong(byteCount: 4097))
        let large = RawEntry(header: [1], body: [UInt8](repeating: 0, count: 128 * 1024))
        #expect(rule(range([large]), writer) == .entryTooLong(byteCount: 128 * 1024 + 1))
        let half = RawEntry(header: [1], body: [UInt8](repeating: 0, count: 120 * 1024))
        guard case .tooManyBytes = rule(range(Array(repeating: half, count: 5)), writer) else {
            Issue.record("600 KiB passed as one range")
            return
        }
        #expect(rule(range([small], start: .max), writer) == .indexOverflow)
        #expect(rule(range([small], start: UInt64(Int64.max)), writer) == .indexOverflow)
    }

    @Test func `an entry of a later version is kept as it is`() throws {
        var writer = try Self.writer()
        var header = WireWriter()
        header.unsigned(1, always: 9)
        header.string(77, "what a later Varde may write")
        writer.add(RawEntry(header: header.bytes, body: [1, 2, 3]))
        writer.add(Fixture.draft(9))
        let verified = try verify(writer.range(), writer)
        #expect(verified.entries[3].isNotUnderstood)
        #expect(verified.entries[3].remark == .unknownVersion(9))
        #expect(verified.entries[3].raw.body == [1, 2, 3])
        #expect(verified.entries[4].entry != nil)
    }

    @Test func `a wrong leaf that its writer signed makes the entry void and blocks nothing`() throws {
        var writer = try Self.writer()
        writer.add(Fixture.draft(3)) { $0.index = 17 }
        writer.add(RawEntry(header: [0xFF, 0xFF], body: []))
        writer.add(Fixture.draft(5)) {
            $0.parts[1] = PartCommitment(kind: $0.parts[1].kind, commitment: $0.parts[1].commitment, byteCount: 1)
        }
        writer.add(Fixture.draft(6))
        let verified = try verify(writer.range(), writer)
        #expect(verified.entries[3].remark == .misplaced(log: writer.name.id, index: 17))
        guard case .unreadable = verified.entries[4].remark else {
            Issue.record("garbage was read as a header")
            return
        }
        #expect(verified.entries[5].remark == .partLength(position: 1))
        #expect(verified.entries[6].entry != nil)
        #expect(verified.entries.allSatisfy { !$0.isNotUnderstood })
    }

    @Test func `a part may be missing only where an order allows it`() throws {
        let writer = try Self.writer()
        let whole = try writer.range()
        let raw = whole.entries[1]
        let header = try EntryHeader(bytes: raw.header)
        var body = try EntryBody(bytes: raw.body, partCount: header.parts.count)
        body.parts[1] = nil
        var entries = whole.entries
        entries[1] = RawEntry(header: raw.header, body: body.bytes)
        let range = EntryRange(log: whole.log, start: 0, entries: entries, checkpoint: whole.checkpoint)
        #expect(rule(range, writer) == .partMissing(position: 1))
        let verified = try verify(range, writer) { header, _, position in header.index == 1 && position == 1 }
        #expect(verified.entries[1].entry?.body.parts[1] == nil)
        #expect(verified.frontier == writer.frontier)
    }

    @Test func `a refusal names log, index and rule in a sentence`() throws {
        let writer = try Self.writer()
        var entries = writer.entries
        entries[2] = RawEntry(header: entries[2].header, body: entries[1].body)
        let range = EntryRange(log: writer.name.id, start: 0, entries: entries, checkpoint: try writer.checkpoint())
        do throws(RangeRefusal) {
            _ = try verify(range, writer)
            Issue.record("a foreign body passed")
        } catch {
            #expect(error.index == 2)
            #expect(error.rule == .partMismatch(position: 0))
            #expect(error.description.contains("\(writer.name.id)") && error.description.contains("entry 2"))
        }
    }

    @Test func `a root that the writer signed over other entries is a possible fork`() throws {
        let writer = try Self.writer()
        var other = try FreeWriter()
        for number in 0..<3 { other.add(Fixture.draft(UInt64(number)), seed: 8) }
        let range = EntryRange(
            log: writer.name.id, start: 0, entries: writer.entries, checkpoint: try other.checkpoint())
        #expect(rule(range, writer) == .rootMismatch(isSigned: true))
    }
}

/// ``LogOpening``, entry 0 of every log.
struct LogOpeningTests {
    private func opening(heads: Int) -> LogOpening {
        LogOpening(
            name: LogName(
                network: Fixture.network, node: NodeID(unchecked: "ous"), stream: Fixture.ward,
                epoch: Epoch(RandomName(high: 3, low: 4))),
            reason: .restored, command: Fixture.command(1),
            earlierHeads: (0..<heads).map {
                .init(log: LogID(.sha256([UInt8($0 % 256)])), size: UInt64($0), root: .sha256([1]))
            })
    }

    @Test func `an opening reads as it was written and names its log`() throws {
        for heads in [0, 1, 1024] {
            let opening = opening(heads: heads)
            let read = try LogOpening(bytes: opening.bytes)
            #expect(read == opening)
            #expect(read.name.id == opening.name.id)
            #expect(read.bytes.count < FormatLimit.entryBytes)
        }
        #expect(opening(heads: 1030).earlierHeads.count == LogOpening.maximumEarlierHeads)
    }

    @Test func `no prefix of an opening traps, and unknown versions are refused`() {
        let bytes = opening(heads: 2).bytes
        for count in 0..<bytes.count {
            _ = try? LogOpening(bytes: Array(bytes[..<count]))
        }
        var later = bytes
        later[1] = 5
        #expect(throws: WireError.unknownVersion(5)) { try LogOpening(bytes: later) }
    }

    @Test func `a node's actor id is the same everywhere and another for each node`() {
        let ous = ActorID(node: NodeID(unchecked: "ous"), network: Fixture.network)
        #expect(ous == ActorID(node: NodeID(unchecked: "ous"), network: Fixture.network))
        #expect(ous != ActorID(node: NodeID(unchecked: "unn"), network: Fixture.network))
    }
}
