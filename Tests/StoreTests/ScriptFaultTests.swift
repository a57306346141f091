import EventLog
import Foundation
import GRDBSQLite
import StoreCore
import Testing

/// One failing write, sync or truncation at every place of a script that does everything a store does, from the making of
/// the file to its closing.
struct ScriptFaultTests {
    /// What is compared: entries, whether logs may grow, charters, incidents, orders.
    private struct Snapshot: Equatable {
        var contents: [LogID: [RawEntry]]
        var statuses: [LogID: LogStatus]
        var charters: [CharterRecord]
        var incidents: [Incident]
        var orders: Int

        init(_ core: StoreCore) throws {
            contents = try core.contents()
            statuses = Dictionary(uniqueKeysWithValues: try core.logs().map { ($0.name.id, $0.status) })
            charters = try core.charters()
            incidents = try core.incidents(limit: 100)
            orders = try core.orders().count
        }
    }

    /// A transaction each, in their order.
    private static let steps: [@Sendable (StoreCore) throws -> Void] = [
        { core in
            try core.storeCharter(CharterRecord(version: 0, bytes: [1, 2, 3], signatures: [4, 5]))
        },
        { core in
            // One group over two logs, both of which it begins.
            for number in 0..<4 as Range<UInt64> {
                let draft = Fixture.draft(
                    number, in: number.isMultiple(of: 2) ? Fixture.ward : Fixture.clinic, size: 600,
                    subject: Fixture.subject(number))
                _ = try core.append(draft, time: Fixture.time())
            }
        },
        { core in try ingest(0..<3, core) },
        { core in
            let log = try core.ownLogs()[0].name.id
            try core.storeIncident(Incident(utcMilliseconds: 1, kind: "test", log: log, text: "something"))
            try core.closeOwnLog(log, reason: .takenBack)
        },
        { core in
            // Where a log was closed this opens the next epoch.
            _ = try core.append(Fixture.draft(20, in: Fixture.ward, size: 600), time: Fixture.time())
            _ = try core.append(Fixture.draft(21, in: Fixture.clinic, size: 600), time: Fixture.time())
        },
        { core in try ingest(3..<5, core) },
        { core in
            // What is erased must be gone from the files, so the write-ahead log is copied and cut.
            let order = try core.append(
                Fixture.draft(30, subject: Fixture.subject(2), operation: .erasureOrdered), time: Fixture.time())
            try core.carryOut(order: order.receipt.address, .erase(Fixture.subject(2)))
        },
        { core in _ = try core.append(Fixture.draft(40, size: 600), time: Fixture.time()) },
    ]

    private static func ingest(_ range: Range<Int>, _ core: StoreCore) throws {
        var writer = try FreeWriter()
        for number in 0..<5 as Range<UInt64> { writer.add(Fixture.draft(100 + number, size: 500)) }
        let outcome = try core.ingest(
            try writer.range(range), of: writer.name, key: Fixture.publicKey("haukeland"), from: nil,
            time: Fixture.time())
        #expect(outcome.stored != nil)
    }

    /// The state after each number of steps.
    private func snapshots() throws -> [Snapshot] {
        let core = try Fixture.open(TemporaryDirectory())
        var snapshots = [try Snapshot(core)]
        for step in Self.steps {
            try core.transaction { try step(core) }
            snapshots.append(try Snapshot(core))
        }
        try core.close()
        return snapshots
    }

    /// Opens, runs all steps and closes; gives how many steps were acknowledged, and whether everything went well.
    private func run(_ directory: TemporaryDirectory, _ faults: FaultFileSystem) throws -> (steps: Int, isWhole: Bool) {
        let core: StoreCore
        do {
            core = try Fixture.open(directory, fileSystem: faults.name)
        } catch is StoreError {
            return (0, false)
        }
        var done = 0
        do {
            for step in Self.steps {
                try core.transaction { try step(core) }
                done += 1
            }
        } catch StoreError.stopped {
            // However well the disk does from now on.
            #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(999)) }
        }
        let isWhole = core.stoppedBy == nil
        do {
            try core.close()
            return (done, isWhole)
        } catch is DatabaseFailure {
            return (done, false)
        }
    }

    @Test(arguments: [true, false])
    func `whichever write, sync or truncation fails, once or for good, the store holds the old state or the new one`(
        isForGood: Bool
    ) throws {
        let expected = try snapshots()
        let counting = FaultFileSystem()
        let whole = try run(TemporaryDirectory(), counting)
        #expect(whole.steps == Self.steps.count && whole.isWhole)
        let total = counting.operations
        #expect(total > 80)
        var failed = 0
        var reached: Set<Int> = []
        for number in 1...total {
            let code = [DiskFault.failedSync, SQLITE_FULL, DiskFault.failedWrite][number % 3]
            let faults = FaultFileSystem()
            if isForGood { faults.fail(from: number, with: code) } else { faults.fail(only: number, with: code) }
            let directory = TemporaryDirectory()
            let outcome = try run(directory, faults)
            if !outcome.isWhole { failed += 1 }
            reached.insert(outcome.steps)
            // What the next process finds: the files as they are, or all that was not synced lost.
            let lost = TemporaryDirectory()
            try faults.writeDurableFiles(to: lost.path)
            for (what, files) in [("found", try directory.copy()), ("lost", lost)] {
                let core = try Fixture.open(files, seed: 99)
                let after = try Snapshot(core)
                let isAllowed = after == expected[outcome.steps] || after == expected[min(outcome.steps + 1, 8)]
                #expect(isAllowed, "operation \(number), \(what), after \(outcome.steps) steps")
                let report = try LogVerification.run(on: core, writerKey: Fixture.publicKey)
                #expect(report.isSound, "operation \(number), \(what)")
                try core.close()
            }
        }
        #expect(reached == Set(0...Self.steps.count), "a step that no failure hit: \(reached.sorted())")
        // Nothing that fails is passed over in silence.
        #expect(failed == total, "\(failed) of \(total)")
    }
}
