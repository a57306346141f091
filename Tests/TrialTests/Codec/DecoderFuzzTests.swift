import EventLog
import Testing
import Trial
import TrialOracle

/// Any bytes at all may come: the outcome is an action, none, or an error, never a trap; and what is read can be
/// folded.
struct DecoderFuzzTests {
    private static let types: [OperationType] = OperationType.names.keys.sorted().map { OperationType(rawValue: $0) }

    /// Reads an entry whose parts are as given, and folds it together with a study that is open.
    private func read(
        _ type: OperationType, _ parts: [(kind: PartKind, bytes: [UInt8])], using generator: inout SplitMix64
    ) throws -> WrittenEntry {
        let sealed = CodecLog.draft(type, parts, CommandID(using: &generator)).sealed(
            log: CodecLog.name.id, index: 5, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 0), software: "test",
            using: &generator)
        let entry = try Entry(checking: sealed.raw, at: 5, of: CodecLog.name.id)
        do throws(WireError) {
            _ = try Action(reading: entry)
        } catch {
            #expect(!error.description.isEmpty)
        }
        return WrittenEntry(entry, in: CodecLog.name)
    }

    @Test func `random bytes as structure and content never trap the reader`() throws {
        var generator = SplitMix64(seed: 50)
        for _ in 0..<6_000 {
            var structure = generator.bytes(generator.below(120))
            // Half of them get past the version.
            if generator.chance(50) { structure = [0x08, 0x00] + structure }
            var parts: [(kind: PartKind, bytes: [UInt8])] = [(.structure, structure)]
            for kind in [PartKind.content, .text, .reason, .document] where generator.chance(60) {
                parts.append((kind, generator.bytes(generator.below(60))))
            }
            let type = DecoderFuzzTests.types[generator.below(DecoderFuzzTests.types.count)]
            _ = try read(type, parts, using: &generator)
        }
    }

    /// A few changes of bytes: flipped, taken out, put in, cut off, a length made huge.
    private func mutated(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0...generator.below(3) {
            guard !bytes.isEmpty else { return generator.bytes(3) }
            let place = generator.below(bytes.count)
            switch generator.below(5) {
            case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8(generator.below(256)), at: place)
            case 3: bytes.removeLast(bytes.count - place)
            default:
                bytes.replaceSubrange(
                    place...place, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01])
            }
        }
        return bytes
    }

    @Test(arguments: 0..<RandomActions.operations)
    func `mutated parts of a good entry never trap the reader`(operation: Int) throws {
        var random = RandomActions(generator: SplitMix64(seed: 51 &+ UInt64(operation)))
        var read = (actions: 0, errors: 0)
        for _ in 0..<400 {
            let action = random.action(operation)
            var parts = action.parts()
            let place = random.generator.chance(60) ? 0 : random.generator.below(parts.count)
            parts[place].bytes = mutated(parts[place].bytes, using: &random.generator)
            let type =
                random.generator.chance(90)
                ? action.operation.type : DecoderFuzzTests.types[random.generator.below(DecoderFuzzTests.types.count)]
            let entry = try self.read(type, parts, using: &random.generator)
            if entry.action == nil { read.errors += 1 } else { read.actions += 1 }
        }
        // Both outcomes must have been met for the test to mean something.
        #expect(read.actions > 0 && read.errors > 0, "\(read)")
    }

    @Test func `mutated headers and bodies never trap the reader`() throws {
        var random = RandomActions(generator: SplitMix64(seed: 52))
        var accepted = 0
        for _ in 0..<4_000 {
            let (entry, raw) = CodecLog.sealed(
                random.action(random.generator.below(RandomActions.operations)), using: &random.generator)
            let isHeader = random.generator.chance(50)
            let changed = RawEntry(
                header: isHeader ? mutated(raw.header, using: &random.generator) : raw.header,
                body: isHeader ? raw.body : mutated(raw.body, using: &random.generator))
            let address = EntryAddress(log: CodecLog.name.id, index: 5)
            let written = WrittenEntry(changed, id: changed.id, at: address, in: CodecLog.name)
            #expect(written.address == address)
            do throws(EntryError) {
                let read = try Entry(checking: changed, at: 5, of: CodecLog.name.id)
                // A body may be written in several ways, but it cannot say anything else.
                if read.id == entry.id {
                    #expect(zip(read.body.parts, entry.body.parts).allSatisfy { $0 == nil || $0 == $1 })
                }
                accepted += 1
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(accepted > 0)
    }

    @Test func `what is read from mutated entries can be folded in any order to one state`() throws {
        for seed in UInt64(0)..<120 {
            let world = try TrialTestWorld.open(seed: seed)
            let participant = try world.register()
            try world.saveVitals(participant.id, [(TestStudy.pulse, "70"), (TestStudy.note, "a")], by: .bergenNurse)
            try world.send(
                world.adverseEvent(of: .registration(participant.id), term: "kvalme"), by: .bergenNurse)
            let good = world.entries
            for _ in 0..<30 {
                guard let victim = world.generator.pick(good), var draft = world.copy(of: victim) else { continue }
                let place = world.generator.below(draft.parts.count)
                draft.parts[place].bytes = mutated(draft.parts[place].bytes, using: &world.generator)
                try world.write(draft, at: victim.writer)
            }
            let oracle = Oracle(world.entries, study: world.study, directory: TestNetwork.directory(2)).snapshot
            var digests: Set<[StreamDigest]> = []
            for order in [world.entries, world.entries.reversed(), world.entries.shuffled(using: &world.generator)] {
                var folding = Folding(study: world.study, charterVersions: 2)
                try folding.take(order)
                digests.insert(folding.digests())
                #expect(StudySnapshot(folding.fold).difference(from: oracle) == nil, "seed \(seed)")
            }
            #expect(digests.count == 1, "seed \(seed)")
        }
    }
}
