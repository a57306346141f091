import EventLog
import Foundation
import GRDBSQLite
import StoreCore
import Testing

/// Disks that fail and processes that end anywhere: the old state or the new one, never half of a commit.
struct FaultTests {
    /// A script of commits: appends in groups, ranges, an order, a redaction. Gives how many were acknowledged.
    @discardableResult
    private func runScript(_ core: StoreCore, acknowledged: (Int) -> Void = { _ in }) throws -> Int {
        var done = 0
        func step(_ body: () throws -> Void) throws {
            try core.transaction(body)
            done += 1
            acknowledged(done)
        }
        var writer = try FreeWriter()
        for number in 0..<8 { writer.add(Fixture.draft(UInt64(number), size: 2000)) }
        for round in 0..<4 {
            try step {
                for number in 0..<3 {
                    _ = try core.append(
                        Fixture.draft(UInt64(round * 10 + number), size: 3000, subject: Fixture.subject(1)),
                        time: Fixture.time())
                }
            }
            try step {
                try core.register(writer.name)
                let outcome = try core.ingest(
                    try writer.range(round * 2..<round * 2 + 2), key: Fixture.publicKey("haukeland"), from: nil,
                    time: Fixture.time())
                #expect(outcome.stored != nil)
            }
        }
        try step {
            let order = try core.append(
                Fixture.draft(500, subject: Fixture.subject(1), operation: .erasureOrdered), time: Fixture.time())
            try core.carryOut(order: order.receipt.address, .erase(Fixture.subject(1)))
        }
        return done
    }

    /// Which step of the script a store's contents are those after; nil where they are those of none.
    private func states() throws -> [[LogID: [RawEntry]]] {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var states = [try core.contents()]
        try runScript(core) { _ in states.append((try? core.contents()) ?? [:]) }
        return states
    }

    private func reopen(_ directory: TemporaryDirectory) throws -> (contents: [LogID: [RawEntry]], isSound: Bool) {
        let core = try Fixture.open(directory, seed: 77)
        defer { try? core.close() }
        let report = try LogVerification.run(on: core, writerKey: Fixture.publicKey)
        return (try core.contents(), report.isSound)
    }

    @Test func `a disk that fails at any operation stops the store, and leaves the old state or the new one`() throws {
        let states = try states()
        let counting = FaultFileSystem()
        let whole = TemporaryDirectory()
        let core = try Fixture.open(whole, fileSystem: counting.name)
        let opened = counting.operations
        try runScript(core)
        let total = counting.operations
        #expect(total > opened + 50)
        for number in opened + 1...total {
            let code = [DiskFault.failedSync, SQLITE_FULL, DiskFault.failedWrite][number % 3]
            let faults = FaultFileSystem()
            let directory = TemporaryDirectory()
            let core = try Fixture.open(directory, fileSystem: faults.name)
            faults.fail(from: number, with: code)
            var acknowledged = 0
            do {
                try runScript(core) { acknowledged = $0 }
                // Only the copying of the log after the last commit failed.
                #expect(acknowledged == states.count - 1)
            } catch StoreError.stopped(let failure) {
                #expect(!failure.description.isEmpty)
            }
            #expect(core.stoppedBy != nil)
            #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(999)) }
            try core.close()
            // What the next process finds: the files as they are, or all that was not synced lost.
            let found = try directory.copy()
            let lost = TemporaryDirectory()
            try faults.writeDurableFiles(to: lost.path)
            for (what, files) in [("found", found), ("lost", lost)] {
                let after = try reopen(files)
                #expect(after.isSound, "operation \(number), \(what)")
                let step = states.firstIndex(of: after.contents).map { $0 - acknowledged }
                #expect(step == 0 || step == 1, "operation \(number), \(what)")
            }
        }
    }

    @Test func `a write-ahead log cut anywhere opens to a state that was committed`() throws {
        let states = try states()
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let empty = try directory.copy()
        var generator = SeededGenerator(seed: 4)
        var written = 0
        try runScript(core) { _ in written += 1 }
        // The order cut the log to nothing, so what is cut here is what came before it.
        let log = try Self.logBeforeTheOrder()
        try core.close()
        var reached: Set<Int> = []
        for _ in 0..<60 {
            let cut = Int.random(in: 0...log.count, using: &generator)
            let files = try empty.copy()
            try? FileManager.default.removeItem(atPath: files.eventsFile + "-shm")
            try log.prefix(cut).write(to: URL(filePath: files.eventsFile + "-wal"))
            let after = try reopen(files)
            #expect(after.isSound, "cut at \(cut)")
            let state = try Fixture.required(states.firstIndex(of: after.contents), "a committed state, cut at \(cut)")
            reached.insert(state)
        }
        #expect(reached.count > 3)
    }

    /// The write-ahead log of the script's steps before the order, over the same empty file.
    private static func logBeforeTheOrder() throws -> Data {
        struct Stop: Error {}
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var log = Data()
        do {
            try FaultTests().runScript(core) { done in
                if done == 8 { log = FileManager.default.contents(atPath: directory.eventsFile + "-wal") ?? Data() }
            }
        } catch is Stop {}
        return log
    }

    @Test func `a copy of the files between any two commits opens to the state of then`() throws {
        let states = try states()
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var copies: [TemporaryDirectory] = []
        try runScript(core) { _ in if let copy = try? directory.copy() { copies.append(copy) } }
        #expect(copies.count == states.count - 1)
        for (position, copy) in copies.enumerated() {
            let after = try reopen(copy)
            #expect(after.isSound)
            #expect(after.contents == states[position + 1])
        }
    }

    @Test func `a failure stops the store for good and says what to do`() throws {
        let faults = FaultFileSystem()
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory, fileSystem: faults.name)
        try core.appendOne(Fixture.draft(1))
        faults.fail(from: faults.operations + 1, with: SQLITE_FULL)
        do {
            try core.appendOne(Fixture.draft(2))
            Issue.record("a full disk took an entry")
        } catch StoreError.stopped(let failure) {
            #expect(failure.description.contains("make room"))
        }
        faults.fail(from: .max)
        do {
            try core.appendOne(Fixture.draft(3))
            Issue.record("a stopped store took an entry")
        } catch let error as StoreError {
            #expect(error.description.contains("started again"))
        }
        #expect(try core.heads().map(\.size) == [2])
    }
}
