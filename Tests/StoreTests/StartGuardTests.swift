import EventLog
import Foundation
import StoreCore
import Testing

/// What a node that hears no peer concludes from directory, machine, boot and head file.
struct StartGuardTests {
    /// A directory with a log of three commits, closed in good order.
    private func directory() throws -> TemporaryDirectory {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        #expect(core.startVerdict == .noLogYet)
        #expect(core.isStartConfirmed)
        for number in 0..<3 { try core.appendOne(Fixture.draft(UInt64(number))) }
        try core.close()
        return directory
    }

    private func verdict(
        _ directory: TemporaryDirectory, machine: MachineIdentity = Fixture.machine
    ) throws -> StartVerdict {
        let core = try Fixture.open(directory, machine: machine)
        defer { try? core.close() }
        return core.startVerdict
    }

    @Test func `a start where everything is as it was agrees, again and again`() throws {
        let directory = try directory()
        for _ in 0..<3 { #expect(try verdict(directory) == .agrees) }
    }

    @Test func `another boot or machine, or none known, does not agree`() throws {
        let directory = try directory()
        #expect(try verdict(directory, machine: .init(machine: "machine-1", boot: "boot-2")) == .differs([.boot]))
        #expect(try verdict(directory, machine: .init(machine: "machine-2", boot: "boot-1")) == .differs([.machine]))
        #expect(try verdict(directory, machine: .init(machine: nil, boot: nil)) == .differs([.machine, .boot]))
        #expect(try verdict(directory) == .agrees)
    }

    @Test func `a copy of the directory does not agree`() throws {
        let copy = try directory().copy()
        #expect(try verdict(copy) == .differs([.directory]))
    }

    @Test func `a missing or damaged head file does not agree`() throws {
        let directory = try directory()
        let bytes = try Data(contentsOf: URL(filePath: directory.headFile))
        for offset in stride(from: 0, to: bytes.count, by: 7) {
            var spoiled = bytes
            spoiled[offset] ^= 1
            try spoiled.write(to: URL(filePath: directory.headFile))
            #expect(try verdict(directory) != .agrees, "byte \(offset)")
            try bytes.prefix(offset).write(to: URL(filePath: directory.headFile))
            #expect(try verdict(directory) != .agrees, "cut at \(offset)")
        }
        try FileManager.default.removeItem(atPath: directory.headFile)
        #expect(try verdict(directory) == .differs([.headFileMissing]))
    }

    @Test func `what an earlier, longer head file left behind its end does no harm`() throws {
        let directory = try directory()
        var bytes = try Data(contentsOf: URL(filePath: directory.headFile))
        bytes.append(contentsOf: [UInt8]("head old old old\n".utf8))
        try bytes.write(to: URL(filePath: directory.headFile))
        #expect(try verdict(directory) == .agrees)
    }

    @Test func `a database older than the head file does not agree`() throws {
        let directory = try directory()
        let old = try Data(contentsOf: URL(filePath: directory.eventsFile))
        var core = try Fixture.open(directory)
        let log = try core.logs()[0].name.id
        try core.transaction { try core.confirmStart(.guardAgrees) }
        try core.appendOne(Fixture.draft(10))
        try core.close()
        try old.write(to: URL(filePath: directory.eventsFile))
        #expect(try verdict(directory) == .differs([.head(log: log.hash.hex)]))

        // The store reads, but writes nothing of its own; the guard is no ground to go on, new epochs are.
        core = try Fixture.open(directory)
        #expect(!core.isStartConfirmed)
        #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(11)) }
        #expect(throws: StoreError.self) { try core.transaction { try core.confirmStart(.guardAgrees) } }
        #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(11)) }
        let appended = try core.transaction {
            try core.confirmStart(.newEpochs)
            return try core.append(Fixture.draft(11), time: Fixture.time())
        }
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .guardFailed)
        #expect(opening.earlierHeads.map(\.log) == [log])
        #expect(try core.log(log)?.status == .closed(.guardFailed))
        try core.close()
        #expect(try verdict(directory) == .agrees)
    }

    @Test func `a head file that missed the last commits agrees, because the database is ahead`() throws {
        let directory = try directory()
        let old = try Data(contentsOf: URL(filePath: directory.headFile))
        let core = try Fixture.open(directory)
        try core.transaction { try core.confirmStart(.guardAgrees) }
        try core.appendOne(Fixture.draft(10))
        try core.appendOne(Fixture.draft(11, in: Fixture.clinic))
        try core.close()
        try old.write(to: URL(filePath: directory.headFile))
        #expect(try verdict(directory) == .agrees)
    }

    @Test func `nothing is written to the head file before the start is confirmed`() throws {
        let directory = try directory()
        let bytes = try Data(contentsOf: URL(filePath: directory.headFile))
        let boot2 = MachineIdentity(machine: "machine-1", boot: "boot-2")
        let core = try Fixture.open(directory, machine: boot2)
        var writer = try FreeWriter()
        writer.add(Fixture.draft(1))
        #expect(try core.ingestOne(writer.range(), of: writer.name).stored != nil)
        try core.close()
        #expect(try Data(contentsOf: URL(filePath: directory.headFile)) == bytes)
        #expect(try verdict(directory, machine: boot2) == .differs([.boot]))
    }

    @Test func `a confirmation that is rolled back does not count`() throws {
        struct Refused: Error {}
        let directory = try directory()
        let core = try Fixture.open(directory)
        #expect(throws: Refused.self) {
            try core.transaction {
                try core.confirmStart(.guardAgrees)
                throw Refused()
            }
        }
        #expect(!core.isStartConfirmed)
        #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(9)) }
    }
}
