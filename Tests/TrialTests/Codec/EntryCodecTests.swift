import EventLog
import Testing
import Trial

/// Header, body and the commitments that join them.
struct EntryCodecTests {
    private func header(using generator: inout SplitMix64) -> EntryHeader {
        func number() -> UInt64 { generator.one(of: 0, 1, 127, 128, UInt64.max) }
        func code() -> UInt64 { generator.one(of: 0, 1, 127, 128, UInt64(Int32.max)) }
        func chance() -> Bool { generator.chance(50) }
        let parts = (0..<generator.below(65)).map { _ in
            PartCommitment(kind: PartKind(rawValue: code()), commitment: generator.hash(), byteCount: number())
        }
        return EntryHeader(
            mergeRules: number(), log: LogID(generator.hash()), index: number(),
            operation: OperationType(rawValue: code()), hybridTime: number(),
            nodeTime: NodeTime(
                utcMilliseconds: generator.one(of: 0, 1, -1, Int64.min, Int64.max),
                offsetMinutes: generator.one(of: 0, 60, -600), isSynchronised: chance(),
                errorBoundMilliseconds: chance() ? number() : nil),
            authority: Authority(
                actor: ActorID(using: &generator), kind: ActorKind(rawValue: code()), role: Role(rawValue: code()),
                authentication: Authentication(rawValue: code()),
                delegation: chance() ? generator.entryID() : nil),
            known: KnownVersions(charter: number(), participation: number(), delegation: number()),
            definition: chance() ? generator.hash() : nil, software: generator.one(of: "", "varde 0.1", "blåbær"),
            subject: chance() ? SubjectHandle(using: &generator) : nil, parts: parts,
            actorSignature: chance() ? generator.bytes(64) : [])
    }

    @Test func `a header goes into bytes and comes out as it was`() throws {
        var generator = SplitMix64(seed: 40)
        for _ in 0..<2_000 {
            let header = header(using: &generator)
            #expect(try EntryHeader(bytes: header.bytes) == header)
        }
    }

    @Test func `a header of another version, or beyond the limit, is refused by name`() throws {
        var generator = SplitMix64(seed: 41)
        let bytes = header(using: &generator).bytes
        var newer = bytes
        newer[1] = 9
        #expect(throws: WireError.unknownVersion(9)) { try EntryHeader(bytes: newer) }
        #expect(throws: WireError.missing(field: 1)) { try EntryHeader(bytes: Array(bytes.dropFirst(2))) }
        #expect(throws: WireError.missing(field: 1)) { try EntryHeader(bytes: []) }
        let large = bytes + [0xFA, 0x07, 0xA0, 0x1F] + [UInt8](repeating: 0, count: 4000)
        #expect(large.count > FormatLimit.headerBytes)
        #expect(throws: WireError.outOfRange(field: 0)) { try EntryHeader(bytes: large) }
    }

    @Test func `what a newer writer added to a header is passed over and stays in the id`() throws {
        var generator = SplitMix64(seed: 42)
        let header = header(using: &generator)
        // Fields 100 (varint) and 101 (bytes).
        let longer = header.bytes + [0xA0, 0x06, 0x05, 0xAA, 0x06, 0x02, 0x01, 0x02]
        #expect(try EntryHeader(bytes: longer) == header)
        #expect(RawEntry(header: longer, body: []).id != RawEntry(header: header.bytes, body: []).id)
    }

    @Test func `a body goes into bytes and comes out as it was, with parts missing`() throws {
        var generator = SplitMix64(seed: 43)
        for _ in 0..<1_000 {
            let count = generator.below(65)
            let parts: [Part?] = (0..<count).map { _ in
                generator.chance(70)
                    ? Part(salt: RandomName(using: &generator), bytes: generator.bytes(generator.below(40))) : nil
            }
            let body = EntryBody(parts: parts)
            #expect(try EntryBody(bytes: body.bytes, partCount: count) == body)
        }
    }

    @Test func `a body that names a part the header has not, or one twice, is refused`() throws {
        var generator = SplitMix64(seed: 44)
        let body = EntryBody(parts: [nil, Part(salt: RandomName(using: &generator), bytes: [1, 2, 3])])
        #expect(throws: WireError.outOfRange(field: 1)) { try EntryBody(bytes: body.bytes, partCount: 1) }
        let twice = body.bytes + body.bytes.dropFirst(2)
        #expect(throws: WireError.outOfRange(field: 1)) { try EntryBody(bytes: twice, partCount: 2) }
    }

    @Test func `a part that is not what the header commits to is refused, whichever bit differs`() throws {
        var random = RandomActions(generator: SplitMix64(seed: 45))
        for number in 0..<300 {
            let (entry, raw) = CodecLog.sealed(random.action(11), using: &random.generator)
            let place = random.generator.below(entry.body.parts.count)
            let part = try #require(entry.body.parts[place])
            var body = entry.body
            if number.isMultiple(of: 3) || part.bytes.isEmpty {
                body.parts[place] = Part(
                    salt: RandomName(high: part.salt.high ^ 1, low: part.salt.low), bytes: part.bytes)
            } else if number.isMultiple(of: 2) {
                body.parts[place] = Part(salt: part.salt, bytes: part.bytes + [0])
            } else {
                var bytes = part.bytes
                bytes[random.generator.below(bytes.count)] ^= 1 << UInt8(random.generator.below(8))
                body.parts[place] = Part(salt: part.salt, bytes: bytes)
            }
            #expect(throws: EntryError.partMismatch(position: place)) {
                try Entry(
                    checking: RawEntry(header: raw.header, body: body.bytes), at: 5, of: CodecLog.name.id)
            }
        }
    }

    @Test func `parts that change places are refused, and an entry elsewhere than it says`() throws {
        var random = RandomActions(generator: SplitMix64(seed: 46))
        var save = random.save(changes: 2)
        save.comment = "same"
        save.reason = "same"
        let action = Action(
            command: CommandID(using: &random.generator), provenance: random.provenance(), operation: .formSaved(save))
        let (entry, raw) = CodecLog.sealed(action, using: &random.generator)
        var body = entry.body
        let last = body.parts.count - 1
        body.parts.swapAt(last, last - 1)
        #expect(throws: EntryError.partMismatch(position: last - 1)) {
            try Entry(checking: RawEntry(header: raw.header, body: body.bytes), at: 5, of: CodecLog.name.id)
        }
        #expect(throws: EntryError.misplaced(expected: 6, found: 5)) {
            try Entry(checking: raw, at: 6, of: CodecLog.name.id)
        }
        #expect(throws: EntryError.misplaced(expected: 5, found: 5)) {
            try Entry(checking: raw, at: 5, of: LogID(.zero))
        }
        #expect(throws: EntryError.tooLarge(byteCount: FormatLimit.entryBytes + 1)) {
            let padding = [UInt8](repeating: 0, count: FormatLimit.entryBytes + 1 - raw.header.count)
            return try Entry(checking: RawEntry(header: raw.header, body: padding), at: 5, of: CodecLog.name.id)
        }
    }
}
