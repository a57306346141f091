import EventLog
import StoreCore
import Testing

/// What is damaged is put right only by what was here: a range that its writer signed over another history is none.
struct RepairTests {
    /// A store that holds six entries of a log in two ranges, and another history of the log, which its writer signed too.
    private func held(partingAt index: Int) throws -> (
        directory: TemporaryDirectory, core: StoreCore, writer: FreeWriter, other: FreeWriter
    ) {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var (writer, other) = (try FreeWriter(), try FreeWriter())
        for number in 0..<6 {
            writer.add(Fixture.draft(UInt64(number)))
            other.add(Fixture.draft(UInt64(number)), seed: number < index ? 7 : 99)
        }
        for places in [0..<3, 3..<6] { _ = try core.ingestOne(writer.range(places), of: writer.name) }
        return (directory, core, writer, other)
    }

    private func repair(_ core: StoreCore, with range: EntryRange, of writer: FreeWriter) throws -> Int {
        try core.transaction {
            try core.repair(range, of: writer.name, key: Fixture.publicKey("haukeland"), time: Fixture.time())
        }
    }

    @Test(arguments: [DamagedPlace.Kind.entry, .checkpoint], 0..<6)
    func `a peer's range of another history repairs nothing, although the writer signed it`(
        kind: DamagedPlace.Kind, partingAt index: Int
    ) throws {
        let (directory, core, writer, other) = try held(partingAt: index)
        defer { withExtendedLifetime(directory) {} }
        // With more behind it, the range's head says nothing of the head that is held.
        let places = index < 3 ? 0..<3 : 3..<6
        let place = DamagedPlace(
            log: writer.name.id, index: UInt64(kind == .entry ? index : places.upperBound), kind: kind,
            text: "lost a bit")
        try core.transaction { _ = try core.markDamaged([place], time: Fixture.time()) }
        let contents = try core.contents()
        #expect(try repair(core, with: other.range(places), of: writer) == 0)
        #expect(try core.openDamage().map(\.index) == [place.index])
        #expect(try core.contents() == contents)
        #expect(
            try core.checkpoint(of: writer.name.id, size: UInt64(places.upperBound))
                == writer.checkpoint(size: places.upperBound))
        // The history that was here does.
        #expect(try repair(core, with: writer.range(places), of: writer) == 1)
        #expect(try core.openDamage().isEmpty && core.contents() == contents)
        #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
    }
}
