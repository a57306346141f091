import EventLog
import Foundation
import GRDB
import StoreCore
import Testing

/// ``LogVerification`` finds whatever is wrong in a file, and names where.
struct VerificationTests {
    /// One thing to spoil, and the kind of place that must be named.
    struct Tampering: Sendable, CustomStringConvertible {
        let sql: String
        let place: String
        var description: String { sql }

        init(_ sql: String, _ place: String) {
            self.sql = sql
            self.place = place
        }
    }

    /// A blob with its byte at `offset` (from 1) replaced by another.
    private static func flip(_ column: String, _ offset: Int) -> String {
        """
        \(column) = unhex_bytes(substr(hex(\(column)), 1, \(2 * offset - 2)) ||
            CASE substr(hex(\(column)), \(2 * offset - 1), 2) WHEN '41' THEN '42' ELSE '41' END ||
            substr(hex(\(column)), \(2 * offset + 1)))
        """
    }

    static let tamperings: [Tampering] = [
        Tampering("UPDATE entries SET \(flip("header", 40)) WHERE branch = 1 AND leaf_index = 2", "entry"),
        Tampering("UPDATE entries SET \(flip("leaf", 5)) WHERE branch = 2 AND leaf_index = 1", "entry"),
        Tampering("UPDATE bodies SET \(flip("body", 30)) WHERE branch = 1 AND leaf_index = 5", "entry"),
        Tampering("UPDATE bodies SET body = x'0800' WHERE branch = 1 AND leaf_index = 3", "entry"),
        Tampering("DELETE FROM entries WHERE branch = 1 AND leaf_index = 3", "entry"),
        Tampering("DELETE FROM bodies WHERE branch = 2 AND leaf_index = 0", "entry"),
        Tampering("DELETE FROM entries WHERE branch = 2 AND leaf_index = 5", "log"),
        Tampering("UPDATE checkpoints SET \(flip("note", 90)) WHERE branch = 1", "checkpoint"),
        Tampering("UPDATE checkpoints SET \(flip("note", 250)) WHERE branch = 2", "checkpoint"),
        Tampering("DELETE FROM checkpoints WHERE branch = 2 AND size = 6", "log"),
        Tampering("UPDATE logs SET size = size - 1 WHERE branch = 1", "log"),
        Tampering("UPDATE logs SET \(flip("root", 1)) WHERE branch = 1", "log row"),
        Tampering("UPDATE logs SET \(flip("frontier", 20)) WHERE branch = 2", "log row"),
        Tampering("UPDATE logs SET \(flip("epoch", 3)) WHERE branch = 2", "log row"),
        Tampering("UPDATE logs SET node = 'somebody' WHERE branch = 2", "log row"),
        Tampering("UPDATE logs SET stream = 'nonsense' WHERE branch = 2", "log row"),
        Tampering("UPDATE logs SET byte_count = 5 WHERE branch = 2", "log"),
        Tampering("DELETE FROM logs WHERE branch = 2", "arrival"),
        Tampering("UPDATE arrivals SET first = first + 1 WHERE arrival = 2", "arrival"),
        Tampering("UPDATE arrivals SET count = count + 1 WHERE arrival = 1", "arrival"),
        Tampering("DELETE FROM arrivals WHERE arrival = (SELECT max(arrival) FROM arrivals)", "log"),
        Tampering("UPDATE arrivals SET branch = 2 WHERE arrival = 1", "arrival"),
        Tampering("UPDATE commands SET \(flip("command", 9)) WHERE leaf_index = 6", "command"),
        Tampering("UPDATE commands SET \(flip("actor", 9)) WHERE leaf_index = 6", "command"),
        Tampering("UPDATE commands SET \(flip("digest", 9)) WHERE leaf_index = 6", "command"),
        Tampering("UPDATE commands SET leaf_index = 0 WHERE leaf_index = 6", "command"),
        Tampering("UPDATE charters SET \(flip("bytes", 2))", "charter"),
        Tampering("UPDATE charters SET \(flip("hash", 2))", "charter"),
        Tampering("UPDATE orders SET \(flip("subject", 2)) WHERE kind = 1", "order"),
        Tampering("UPDATE orders SET leaf_index = 1 WHERE kind = 2", "order"),
        Tampering("UPDATE orders SET target_index = 3 WHERE kind = 2", "entry"),
        Tampering("DELETE FROM orders WHERE kind = 1", "entry"),
        Tampering(
            """
            INSERT INTO orders (log, leaf_index, stream, kind, subject)
            SELECT log, 0, stream, 1, x'000000000000005B0000000000000002' FROM orders WHERE kind = 1
            """, "entry"),
        Tampering("UPDATE fork_proofs SET \(flip("prefix_root", 2))", "fork proof"),
        Tampering("UPDATE fork_proofs SET \(flip("larger", 90))", "f"),
    ]

    /// Changes a file as nobody may: without triggers, and without foreign keys.
    private func tamper(_ directory: TemporaryDirectory, _ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { database in
            database.add(
                function: DatabaseFunction("unhex_bytes", argumentCount: 1, pure: true) { values in
                    String.fromDatabaseValue(values[0]).flatMap { [UInt8](hex: $0) }.map { Data($0) }
                })
        }
        let queue = try DatabaseQueue(path: directory.eventsFile, configuration: configuration)
        try queue.write { database in
            for name in try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
                try database.execute(sql: "DROP TRIGGER \(name)")
            }
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try database.execute(sql: sql)
            #expect(database.changesCount > 0, "nothing was spoiled: \(sql)")
        }
        try queue.close()
    }

    @Test func `a store with everything in it is sound, and all of it was looked at`() throws {
        let directory = TemporaryDirectory()
        let core = try FullStore.make(in: directory)
        var last: VerificationProgress?
        let report = try LogVerification.run(on: core, writerKey: Fixture.publicKey) { last = $0 }
        #expect(report.problems.isEmpty)
        #expect(report.isSound)
        #expect(report.logs == 3)
        #expect(report.entries == 19)
        #expect(report.checkpoints == 5)
        #expect(report.partsDropped == 5)
        #expect(report.dropsByOrder == [1: 1, 2: 4])
        #expect(last?.entries == 19 && last?.total == 19)
        let blind = try LogVerification.run(on: core, writerKey: { _ in nil })
        #expect(blind.isSound && blind.checkpoints == 0 && blind.checkpointsWithoutKey == 5)
    }

    @Test func `several threads find what one finds, in logs of many stretches`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        for group in 0..<21 {
            try core.transaction {
                for number in 0..<1_000 {
                    _ = try core.append(Fixture.draft(UInt64(group * 1_000 + number)), time: Fixture.time())
                }
            }
        }
        try core.close()
        let reader = try StoreReader(directory: directory.path)
        let sound = try LogVerification.run(on: reader, writerKey: Fixture.publicKey, workers: 3)
        #expect(sound.isSound && sound.entries == 21_001, "\(sound.problems)")
        try tamper(
            directory, "UPDATE bodies SET \(VerificationTests.flip("body", 30)) WHERE leaf_index IN (9000, 20000)")
        try tamper(directory, "UPDATE checkpoints SET \(VerificationTests.flip("note", 90)) WHERE size = 12001")
        let one = try LogVerification.run(on: reader, writerKey: Fixture.publicKey, workers: 1)
        let three = try LogVerification.run(on: reader, writerKey: Fixture.publicKey, workers: 3)
        #expect(one.problems == three.problems && one.problemCount >= 3)
        #expect(one.problems.contains { $0.place.description.hasSuffix("/9000") })
        #expect(one.problems.contains { $0.place.description.hasSuffix("/20000") })
    }

    @Test func `signatures by another key than the charter's are found`() throws {
        let directory = TemporaryDirectory()
        let core = try FullStore.make(in: directory)
        let report = try LogVerification.run(on: core) { _ in try? Fixture.publicKey("stranger") }
        #expect(report.problemCount >= 4)
    }

    @Test(arguments: tamperings) func `tampering is found`(tampering: Tampering) throws {
        let directory = TemporaryDirectory()
        try FullStore.make(in: directory).close()
        try tamper(directory, tampering.sql)
        let reader = try StoreReader(directory: directory.path)
        let report = try LogVerification.run(on: reader, writerKey: Fixture.publicKey)
        #expect(!report.isSound)
        #expect(
            report.problems.contains { $0.place.description.hasPrefix(tampering.place) },
            "\(report.problems)")
    }
}
