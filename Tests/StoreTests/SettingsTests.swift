import EventLog
import Foundation
import GRDB
import StoreCore
import Testing

/// Settings of the file, whose it is, and what may never change in it.
struct SettingsTests {
    @Test func `the live writer has the settings that durability needs`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.appendOne(Fixture.draft(1))
        let expected = [
            "journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "0", "foreign_keys": "1",
            "trusted_schema": "0", "cell_size_check": "1", "mmap_size": "0", "recursive_triggers": "1",
            "secure_delete": "1",
        ]
        for (name, value) in expected { #expect(try core.pragma(name) == value, "\(name)") }
    }

    @Test func `every table is strict`() throws {
        let directory = TemporaryDirectory()
        try Fixture.open(directory).close()
        let queue = try DatabaseQueue(path: directory.eventsFile)
        let loose = try queue.read { database in
            try String.fetchAll(
                database,
                sql:
                    "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND strict = 0"
            )
        }
        #expect(loose.isEmpty)
    }

    @Test func `an append writes an entry once: nothing is indexed by hash, and arrivals are by commit, not by entry`()
        throws
    {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.transaction {
            for number in UInt64(0)..<200 { _ = try core.append(Fixture.draft(number), time: Fixture.time()) }
        }
        try core.close()
        let queue = try DatabaseQueue(path: directory.eventsFile)
        let indexes = try queue.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT name FROM sqlite_schema WHERE type = 'index'
                    AND tbl_name IN ('entries', 'bodies', 'checkpoints', 'arrivals')
                    """)
        }
        #expect(indexes.isEmpty, "\(indexes)")
        let arrivals = try queue.read { try Row.fetchAll($0, sql: "SELECT first, count FROM arrivals") }
        #expect(arrivals == [["first": 0, "count": 201]])
    }

    @Test func `opening a store reads no entry, however many it holds`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.transaction {
            for number in UInt64(0)..<200 { _ = try core.append(Fixture.draft(number), time: Fixture.time()) }
        }
        let heads = try core.logs().map(\.head)
        try core.close()
        // Entries that are not there cannot be read.
        let queue = try DatabaseQueue(path: directory.eventsFile)
        try queue.writeWithoutTransaction { database in
            let triggers = try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name")
            for trigger in triggers { try database.execute(sql: "DROP TRIGGER \(trigger)") }
            try database.execute(sql: "PRAGMA foreign_keys = OFF; DELETE FROM bodies; DELETE FROM entries")
        }
        try queue.close()
        let again = try Fixture.open(directory)
        #expect(try again.logs().map(\.head) == heads)
        #expect(heads.map(\.size) == [201])
    }

    @Test func `only the owner may read the files`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.appendOne(Fixture.draft(1))
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/" + name)
            let mode = try Fixture.required(attributes[.posixPermissions] as? NSNumber).intValue
            #expect(mode & 0o077 == 0, "\(name)")
        }
    }

    @Test func `nothing recorded can be changed or deleted`() throws {
        let directory = TemporaryDirectory()
        let core = try FullStore.make(in: directory)
        try core.close()
        var configuration = Configuration()
        configuration.prepareDatabase {
            try $0.execute(sql: "PRAGMA recursive_triggers = ON; PRAGMA foreign_keys = OFF")
        }
        let queue = try DatabaseQueue(path: directory.eventsFile, configuration: configuration)
        let tables = [
            "meta", "logs", "entries", "bodies", "checkpoints", "arrivals", "commands", "charters", "orders", "drops",
            "fork_proofs",
        ]
        for table in tables {
            let before = try Self.rows(of: table, in: queue)
            #expect(!before.isEmpty, "\(table) has no row to protect")
            let columns = try queue.read { try $0.columns(in: table).map(\.name) }
            let key = columns[0]
            let attempts =
                columns.map { "UPDATE \(table) SET \($0) = \(Self.otherValue($0))" }
                + ["DELETE FROM \(table)", "REPLACE INTO \(table) SELECT * FROM \(table) ORDER BY \(key) LIMIT 1"]
            for attempt in attempts where !Self.mayChange(table, attempt) {
                #expect(throws: DatabaseError.self, "\(attempt)") {
                    try queue.write { try $0.execute(sql: attempt) }
                }
            }
            #expect(try Self.rows(of: table, in: queue) == before)
        }
    }

    private static func rows(of table: String, in queue: DatabaseQueue) throws -> [Row] {
        try queue.read { try Row.fetchAll($0, sql: "SELECT * FROM \(table)") }
    }

    /// What a log's row is there to keep changing: how far it has grown, and whether it may.
    private static func mayChange(_ table: String, _ attempt: String) -> Bool {
        guard table == "logs" else { return false }
        return ["root", "frontier", "hybrid_time", "reason", "seen_head"].contains { attempt.contains("SET \($0) ") }
    }

    private static func otherValue(_ column: String) -> String {
        switch column {
        case "size", "status", "byte_count": "-1"
        case "own", "is_request": "1 - \(column)"
        case "node", "stream", "network", "text", "kind": "\(column) || 'x'"
        case "branch", "fork", "leaf_index", "arrival", "first", "count", "version", "number", "order_number", "id",
            "format",
            "target_index", "parts", "utc_milliseconds":
            "\(column) + 1000"
        case "reason", "hybrid_time": "5"
        case "log", "leaf", "digest", "hash", "target_log", "prefix_root", "root": "randomblob(32)"
        case "incarnation", "epoch", "command", "actor", "subject": "randomblob(16)"
        default: "x'00'"
        }
    }

    @Test func `a file of an unknown format or of somebody else is refused in a clear sentence and left alone`() throws
    {
        let directory = TemporaryDirectory()
        try Fixture.open(directory).close()
        let queue = try DatabaseQueue(path: directory.eventsFile)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 77") }
        try queue.close()
        do {
            _ = try Fixture.open(directory)
            Issue.record("an unknown format was opened")
        } catch StoreError.unknownFormat(_, let found) {
            #expect(found == 77)
            #expect(StoreError.unknownFormat(path: "x", found: 77).description.contains("newer Varde"))
        }
        #expect(throws: StoreError.self) { try StoreReader(directory: directory.path) }

        let foreign = TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: foreign.path, withIntermediateDirectories: true)
        let other = try DatabaseQueue(path: foreign.eventsFile)
        try other.write { try $0.execute(sql: "CREATE TABLE songs (title TEXT)") }
        try other.close()
        let bytes = try Data(contentsOf: URL(filePath: foreign.eventsFile))
        #expect(throws: StoreError.self) { try Fixture.open(foreign) }
        #expect(try Data(contentsOf: URL(filePath: foreign.eventsFile)) == bytes)

        let garbage = TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: garbage.path, withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 9000).write(to: URL(filePath: garbage.eventsFile))
        #expect(throws: StoreError.self) { try Fixture.open(garbage) }
    }

    @Test func `another node's or network's directory is refused`() throws {
        let directory = TemporaryDirectory()
        try Fixture.open(directory).close()
        #expect(throws: StoreError.self) { try Fixture.open(directory, node: "unn") }
        var configuration = Fixture.configuration(directory)
        configuration.network = NetworkID(unchecked: "other.varde")
        #expect(throws: StoreError.self) { try StoreCore(configuration) }
        configuration.network = Fixture.network
        configuration.signingSeed = [1, 2, 3]
        #expect(throws: StoreError.self) { try StoreCore(configuration) }
        _ = try Fixture.open(directory)
    }

    @Test func `a second store in the directory is refused and told who holds it`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        do {
            _ = try Fixture.open(directory)
            Issue.record("two stores wrote one directory")
        } catch StoreError.locked(let holder) {
            #expect(holder.process == getpid())
            #expect(holder.description.contains("\(getpid())"))
        }
        try core.close()
        let again = try Fixture.open(directory)
        try again.close()
        let lock = try DirectoryLock(directory: directory.path)
        #expect(throws: StoreError.self) { try Fixture.open(directory) }
        let withLock = try StoreCore(Fixture.configuration(directory), lock: lock)
        try withLock.close()
        // Given up by the closing itself, not with the last reference: a node with new keys opens its directory again.
        let anew = try Fixture.open(directory)
        lock.release()
        #expect(throws: StoreError.self) { try Fixture.open(directory) }
        try anew.close()
    }

    @Test func `a reader beside the store sees what is committed and cannot write`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.appendOne(Fixture.draft(1))
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.heads() == core.heads())
        try core.transaction {
            _ = try core.append(Fixture.draft(2), time: Fixture.time())
            #expect(try reader.heads()[0].size == 2)
        }
        #expect(try reader.heads() == core.heads())
        #expect(try reader.contents() == core.contents())
        #expect(try reader.receipt(actor: Fixture.actor(1), command: Fixture.command(2))?.address.index == 2)
        #expect(reader.identity == core.identity)
        #expect(try LogVerification.run(on: reader, writerKey: Fixture.publicKey).isSound)
        try core.close()
        #expect(try reader.heads()[0].size == 3)
        #expect(throws: StoreError.self) { try StoreReader(directory: directory.path + "/nowhere") }
        // Held twice: the connection refuses to write, and the file is open for reading only, so that none is made either.
        #expect(try reader.pragma("query_only") == "1")
        let empty = TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: empty.path, withIntermediateDirectories: true)
        #expect(throws: StoreError.self) { try StoreReader(directory: empty.path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: empty.path).isEmpty)
    }
}
