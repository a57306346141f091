import EventLog
import MemoryDisk
import StoreCore
import Testing

/// The disk in memory keeps what a disk keeps, and fails as one fails.
struct MemoryDiskTests {
    /// A seeded generator.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private static let network = NetworkID(unchecked: "disk.test")
    private static let study = StreamID.study(StudyID(RandomName(high: 1, low: 2)))

    private func open(_ disk: MemoryDisk, boot: Int = 1) throws -> StoreCore {
        var configuration = StoreConfiguration(
            directory: "/node", network: MemoryDiskTests.network, node: NodeID(unchecked: "haukeland"),
            signingSeed: Hash.sha256([1]).bytes, software: "test", fileSystem: disk.name,
            machine: MachineIdentity(machine: "m", boot: "\(boot)"))
        configuration.files = disk
        return try StoreCore(configuration, generator: Generator(state: UInt64(boot) &* 77))
    }

    private func draft(_ number: UInt64, bytes: Int = 2_000) -> EntryDraft {
        EntryDraft(
            stream: MemoryDiskTests.study, operation: .formSaved,
            authority: Authority(
                actor: ActorID(RandomName(high: 1, low: 1)), kind: .person, role: .init(rawValue: 1),
                authentication: .init(rawValue: 1)),
            known: KnownVersions(), command: CommandID(RandomName(high: 2, low: number)),
            parts: [(.content, [UInt8](repeating: UInt8(number & 0xFF), count: bytes))])
    }

    private func append(_ number: UInt64, to core: StoreCore) throws {
        _ = try core.transaction {
            if !core.isStartConfirmed { try core.confirmStart(.peersHeard) }
            return try core.append(draft(number), time: NodeTime(utcMilliseconds: 1_700_000_000_000))
        }
    }

    private func size(_ core: StoreCore) throws -> UInt64 { try core.heads().reduce(0) { $0 + $1.size } }

    @Test func `a process that ends loses nothing that was acknowledged, and the guard agrees`() throws {
        let disk = MemoryDisk()
        var generator = Generator(state: 1)
        let core = try open(disk)
        for number in 0..<20 { try append(UInt64(number), to: core) }
        core.discard()
        disk.restart(.process, using: &generator)
        let again = try open(disk)
        #expect(try size(again) == 21)
        #expect(again.startVerdict == .agrees)
    }

    @Test func `a machine that stops at any operation leaves what was acknowledged, and at most one commit more`()
        throws
    {
        var generator = Generator(state: 2)
        var stops = 0
        for number in 1...160 {
            for loss in [MemoryDisk.Loss.process, .power] {
                let disk = MemoryDisk()
                let core = try open(disk)
                disk.stop(after: number)
                var acknowledged: UInt64 = 0
                do {
                    for number in 0..<6 {
                        try append(UInt64(number), to: core)
                        acknowledged += 1
                    }
                } catch StoreError.stopped {
                    stops += 1
                }
                core.discard()
                disk.restart(loss, using: &generator)
                let again = try open(disk, boot: 2)
                let held = try size(again)
                // The first entry brings entry 0 of its log.
                let expected = acknowledged == 0 ? 0 : acknowledged + 1
                let next = acknowledged == 0 ? 2 : acknowledged + 2
                #expect(held == expected || held == next, "\(loss) at operation \(number): \(held) of \(acknowledged)")
                let key = { (_: NodeID) -> [UInt8]? in
                    NoteSigningKey(name: NoteKeyName("any")!, seed: Hash.sha256([1]).bytes)!.verifierKey.publicKey
                }
                #expect(try LogVerification.run(on: again, writerKey: key).isSound)
                again.discard()
            }
        }
        #expect(stops > 40)
    }

    @Test func `a full disk and a failed sync stop the store, and after repair it goes on`() throws {
        var generator = Generator(state: 3)
        for failure in [MemoryDisk.Failure.full, .failedSync, .failedWrite] {
            let disk = MemoryDisk()
            let core = try open(disk)
            try append(1, to: core)
            disk.fail(after: 2, failure)
            #expect(throws: StoreError.self) { for number in 2..<9 { try append(UInt64(number), to: core) } }
            #expect(throws: StoreError.self) { try append(99, to: core) }
            core.discard()
            disk.repair()
            disk.restart(.power, using: &generator)
            let again = try open(disk, boot: 2)
            try append(99, to: again)
            #expect(try size(again) >= 3)
        }
    }

    @Test func `an image holds what stood then, and a restored one is told from the directory it came from`() throws {
        let disk = MemoryDisk()
        let core = try open(disk)
        try append(1, to: core)
        let image = disk.image
        for number in 2..<9 { try append(UInt64(number), to: core) }
        core.discard()
        disk.restore(image, isSameDirectory: true)
        let setBack = try open(disk)
        #expect(try size(setBack) == 2)
        // A machine that is set back with everything on it cannot tell by itself.
        #expect(setBack.startVerdict == .agrees)
        setBack.discard()
        disk.restore(image, isSameDirectory: false)
        let restored = try open(disk)
        #expect(restored.startVerdict == .differs([.directory]))
    }

    @Test func `every bit that turns over in an entry is found by verification`() throws {
        var generator = Generator(state: 4)
        for round in 0..<12 as Range<UInt64> {
            let disk = MemoryDisk()
            let core = try open(disk)
            for number in 100..<140 as Range<UInt64> { try append(number, to: core) }
            try core.close()
            let content = [UInt8](repeating: UInt8(100 + 3 * round), count: 64)
            #expect(disk.flipBit(in: "/node/events.sqlite", amid: content, using: &generator))
            let again = try open(disk)
            let report = try LogVerification.run(on: again, writerKey: { _ in nil })
            #expect(!report.problems.isEmpty, "round \(round)")
        }
    }
}
