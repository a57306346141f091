import EventLog
import Testing
import Trial

/// What an action says is what its entry is read as, whatever it says.
struct ActionRoundTripTests {
    @Test(arguments: 0..<RandomActions.operations)
    func `an action goes into an entry's bytes and comes out as it was`(operation: Int) throws {
        for seed in UInt64(0)..<150 {
            var random = RandomActions(generator: SplitMix64(seed: seed << 8 | UInt64(operation)))
            let action = random.action(operation)
            let raw = CodecLog.sealed(action, using: &random.generator).raw
            let entry = try Entry(checking: raw, at: 5, of: CodecLog.name.id)
            let read = try #require(try Action(reading: entry))
            #expect(read == action, "seed \(seed)")
            // Swift takes two spellings of one text for equal; the bytes must be the same too.
            #expect(read.parts().map(\.bytes) == action.parts().map(\.bytes), "seed \(seed)")
            #expect(entry.header.operation == action.operation.type)
        }
    }

    @Test(arguments: 0..<RandomActions.operations)
    func `whom an entry concerns is read alike with and without what it says`(operation: Int) throws {
        for seed in UInt64(0)..<50 {
            var random = RandomActions(generator: SplitMix64(seed: seed << 8 | UInt64(operation)))
            let action = random.action(operation)
            let (entry, raw) = CodecLog.sealed(action, using: &random.generator)
            let (concern, header) = EntryConcern.read(
                raw, id: raw.id, at: EntryAddress(log: CodecLog.name.id, index: 5), stream: CodecLog.name.stream)
            #expect(header == entry.header)
            let written = WrittenEntry(
                raw, id: raw.id, at: EntryAddress(log: CodecLog.name.id, index: 5), in: CodecLog.name)
            if let key = written.registrationKey {
                #expect(concern == .registration(key))
            } else if let participant = action.operation.participant {
                #expect(concern == .participant(participant))
            } else {
                #expect(concern == .other)
            }
        }
    }

    @Test(arguments: [0, 1, 59, 60, 61, 62, 63, 64, 100], [0, 1, 2])
    func `free texts have a part each, and what is more than there is room for shares the last`(
        count: Int, closing: Int
    ) throws {
        var random = RandomActions(generator: SplitMix64(seed: UInt64(count)))
        var save = random.save(changes: count)
        for place in save.changes.indices {
            save.changes[place].isFreeText = true
            save.changes[place].value = Value(kind: .text, typed: "text \(place) æ", normalised: "text \(place)")
        }
        save.comment = closing > 0 ? "comment" : nil
        save.reason = closing > 1 ? "reason" : nil
        let action = Action(
            command: CommandID(using: &random.generator), provenance: Provenance(source: .paper),
            operation: .formSaved(save))
        let (entry, raw) = CodecLog.sealed(action, using: &random.generator)
        #expect(raw.header.count <= FormatLimit.headerBytes)
        #expect(entry.header.parts.count <= FormatLimit.parts)
        let room = FormatLimit.parts - 2 - closing
        #expect(entry.header.parts.count { $0.kind == .text } == min(count, room))
        #expect(try Action(reading: Entry(checking: raw, at: 5, of: CodecLog.name.id)) == action)
        // Dropping the shared part drops what shares it and nothing else.
        let last = try entry.header.parts.lastIndex { $0.kind == .text }.map { place in
            var body = entry.body
            body.parts[place] = nil
            return try Entry(checking: RawEntry(header: raw.header, body: body.bytes), at: 5, of: CodecLog.name.id)
        }
        guard let last, case .formSaved(let read)? = try Action(reading: last)?.operation else { return }
        #expect(read.changes.map { $0.value == nil } == (0..<count).map { $0 >= min(count, room) - 1 })
    }

    @Test(arguments: [false, true])
    func `a normal form that differs only in how letters are composed is kept`(isFreeText: Bool) throws {
        var random = RandomActions(generator: SplitMix64(seed: 31))
        var save = random.save(changes: 1)
        save.changes[0].isFreeText = isFreeText
        save.changes[0].value = Value(kind: .text, typed: "Ma\u{30A}l", normalised: "M\u{E5}l")
        let action = Action(
            command: CommandID(using: &random.generator), provenance: random.provenance(), operation: .formSaved(save))
        let raw = CodecLog.sealed(action, using: &random.generator).raw
        let read = try Action(reading: Entry(checking: raw, at: 5, of: CodecLog.name.id))
        guard case .formSaved(let read)? = read?.operation, let value = read.changes[0].value else {
            Issue.record("not read as a save")
            return
        }
        #expect([UInt8](value.typed.utf8) == [UInt8]("Ma\u{30A}l".utf8))
        #expect([UInt8](value.normalised.utf8) == [UInt8]("M\u{E5}l".utf8))
    }

    @Test func `the largest save that is accepted is read as it was`() throws {
        let world = try TrialTestWorld.open(seed: 30)
        let participant = try world.register().id
        try world.saveVitals(participant, [(TestStudy.note, String(repeating: "å", count: 30_000))], by: .bergenNurse)
        #expect(world.register(TestStudy.note, of: participant, at: .haukeland)?.texts.first?.utf8.count == 60_000)
        let rows = (0..<3).map { _ in (InstanceChoice.new(repeatKey: nil), String(repeating: "a", count: 60_000)) }
        let refusal = #expect(throws: Refusal.self) {
            try world.send(world.medication(of: participant, rows), by: .bergenNurse)
        }
        guard case .tooLarge? = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
    }
}
