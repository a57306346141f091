import EventLog
import Foundation
import StoreCore
import Testing

/// Redaction and erasure: parts go only under a stored order, and then everywhere.
struct OrderTests {
    private func order(_ core: StoreCore, _ operation: OperationType, subject: SubjectHandle? = nil, number: UInt64)
        throws
        -> EntryAddress
    {
        try core.appendOne(Fixture.draft(number, subject: subject, operation: operation)).receipt.address
    }

    private func parts(_ core: some EventReading, _ log: LogID, _ index: UInt64) throws -> [Bool] {
        let entry = try Fixture.required(core.entry(at: EntryAddress(log: log, index: index))).parsed()
        return entry.body.parts.map { $0 != nil }
    }

    @Test func `an erasure drops every part of every entry with the handle, in every log of the stream`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let (gone, kept) = (Fixture.subject(1), Fixture.subject(2))
        for number in 0..<6 {
            try core.appendOne(Fixture.draft(UInt64(number), subject: number % 2 == 0 ? gone : kept))
        }
        try core.appendOne(Fixture.draft(50, in: Fixture.clinic, subject: gone))
        var writer = try FreeWriter()
        for number in 0..<4 { writer.add(Fixture.draft(UInt64(number), subject: number == 2 ? gone : kept)) }
        _ = try core.ingestOne(writer.range(0..<2), of: writer.name)
        let own = try core.ownLogs()[0].name.id
        let address = try order(core, .erasureOrdered, subject: gone, number: 90)
        #expect(try core.transaction { try core.carryOut(order: address, .erase(gone)) } == 3)
        #expect(try core.transaction { try core.carryOut(order: address, .erase(gone)) } == 0)

        #expect(try parts(core, own, 1) == [false, false])
        #expect(try parts(core, own, 2) == [true, true])
        // Who ordered it on which ground stays.
        #expect(try parts(core, own, address.index) == [true, true])
        // Another stream has an order of its own, or keeps what it has.
        let clinic = try core.ownLogs()[1].name.id
        #expect(try parts(core, clinic, 1) == [true, true])
        // What still comes is stored without the parts, although the peer sent them.
        let stored = try Fixture.required(core.ingestOne(writer.range(2..<4), of: writer.name).stored)
        #expect(stored.entries[0].entry?.body.parts.allSatisfy { $0 == nil } == true)
        #expect(try parts(core, writer.name.id, 2) == [false, false])
        #expect(try parts(core, writer.name.id, 3) == [true, true])
        // Leaves, roots and heads are as they were, and nothing more is written about the person.
        #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(91, subject: gone)) }
        let report = try LogVerification.run(on: core, writerKey: Fixture.publicKey)
        #expect(report.isSound && report.partsDropped == 8)
    }

    @Test func `a redaction drops the parts it names and no other`() throws {
        let directory = TemporaryDirectory()
        var core = try Fixture.open(directory)
        for number in 0..<3 { try core.appendOne(Fixture.draft(UInt64(number))) }
        let log = try core.ownLogs()[0].name.id
        let address = try order(core, .redactionOrdered, number: 9)
        let target = EntryAddress(log: log, index: 2)
        let entry = try Fixture.required(core.entry(at: target)).id
        let action = OrderAction.redact(target, entry: entry, parts: PartSet(positions: [0, 1]))
        #expect(try core.transaction { try core.carryOut(order: address, action) } == 1)
        // The structure stays, and so does an entry that is not the one that was meant.
        let other = try order(core, .redactionOrdered, number: 10)
        let missed = OrderAction.redact(
            EntryAddress(log: log, index: 1), entry: entry, parts: PartSet(positions: [1]))
        #expect(try core.transaction { try core.carryOut(order: other, missed) } == 0)
        #expect(try parts(core, log, 2) == [true, false])
        #expect(try parts(core, log, 1) == [true, true])
        #expect(try core.orders().map(\.entry) == [address, other])
        try core.close()
        core = try Fixture.open(directory)
        #expect(try parts(core, log, 2) == [true, false])
        #expect(try core.orders().first?.action == action)
        #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
    }

    @Test func `dropped bytes are gone from every file of the store`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let secret = "the-secret-that-must-go-0123456789"
        try core.appendOne(Fixture.draft(1, content: secret, subject: Fixture.subject(1)))
        func isFound() throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: directory.path).contains { name in
                let bytes = try Data(contentsOf: URL(filePath: directory.path + "/" + name))
                return bytes.range(of: Data(secret.utf8)) != nil
            }
        }
        #expect(try isFound())
        let address = try order(core, .erasureOrdered, subject: Fixture.subject(1), number: 2)
        try core.transaction { _ = try core.carryOut(order: address, .erase(Fixture.subject(1))) }
        #expect(try !isFound())
    }

    @Test func `a range without parts is taken only under an order`() throws {
        let (here, there) = (TemporaryDirectory(), TemporaryDirectory())
        let core = try Fixture.open(here)
        let other = try Fixture.open(there, node: "unn")
        let gone = Fixture.subject(1)
        try core.appendOne(Fixture.draft(1, subject: gone))
        let address = try order(core, .erasureOrdered, subject: gone, number: 2)
        try core.transaction { _ = try core.carryOut(order: address, .erase(gone)) }
        let log = try core.logs()[0].name
        let range = try Fixture.required(core.readRange(log: log.id, from: 0, maximumBytes: .max))
        #expect(try other.ingestOne(range, of: log).refusal?.rule == .partMissing(position: 0))
        #expect(try other.heads().isEmpty)
        // A caller that has checked the order ahead of its entry may say so; then the order acts here too.
        let outcome = try other.transaction {
            try other.ingest(
                range, of: log, key: Fixture.publicKey("ous"), from: nil, time: Fixture.time(),
                isDropAllowed: { header, _, _ in header.subject == gone })
        }
        #expect(outcome.stored != nil)
        #expect(try !LogVerification.run(on: other, writerKey: Fixture.publicKey).isSound)
        try other.transaction { _ = try other.carryOut(order: address, .erase(gone)) }
        #expect(try LogVerification.run(on: other, writerKey: Fixture.publicKey).isSound)
        #expect(try other.contents() == core.contents())
    }

    @Test func `the orders under which parts are missing are proven, also where they stand on a branch`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let (early, gone, other) = (Fixture.subject(0), Fixture.subject(1), Fixture.subject(2))
        var (trunk, branch) = (try FreeWriter(), try FreeWriter())
        for (number, subject) in [early, gone, other, other].enumerated() {
            trunk.add(Fixture.draft(UInt64(number), subject: subject))
            branch.add(trunk.entries[number])
        }
        trunk.add(Fixture.draft(4))
        branch.add(Fixture.draft(5, subject: gone, operation: .erasureOrdered), seed: 99)
        trunk.add(Fixture.draft(6, subject: other, operation: .erasureOrdered))
        branch.add(Fixture.draft(7), seed: 99)
        for writer in [trunk, branch] { _ = try core.ingestOne(writer.range(), of: writer.name) }
        let fork = trunk.name.branch(at: ForkPoint(index: 4, leaf: branch.entries[4].id.hash))
        let orders = [
            (EntryAddress(log: fork.id, index: 4), gone, branch.entries[4]),
            (EntryAddress(log: trunk.name.id, index: 5), other, trunk.entries[5]),
        ]
        for (address, subject, raw) in orders {
            #expect(try core.entry(at: address)?.raw == raw)
            _ = try core.transaction { try core.carryOut(order: address, .erase(subject)) }
        }
        // Of one that came ahead of its branch only the place is known, and there an entry of another history stands.
        let ahead = EntryAddress(log: trunk.name.id, index: 4)
        #expect(try core.transaction { try core.carryOut(order: ahead, .erase(early)) } == 1)
        func needed(_ first: UInt64, _ end: UInt64) throws -> [OrderAhead] {
            let range = try Fixture.required(core.readRange(log: trunk.name.id, from: 0, maximumBytes: .max))
            let entries = Array(range.entries[Int(first)..<Int(end)])
            return try core.ordersNeeded(
                for: EntryRange(log: range.log, start: first, entries: entries, checkpoint: range.checkpoint), limit: 9)
        }
        #expect(try needed(0, 6).map(\.raw) == orders.map(\.2))
        #expect(try needed(0, 1).isEmpty)
        #expect(try needed(1, 2).map(\.raw) == [branch.entries[4]])
        #expect(try needed(2, 3).map(\.raw) == [trunk.entries[5]])
        for order in try needed(0, 6) {
            #expect(order.name == trunk.name)
            #expect(try order.verify(key: Fixture.publicKey("haukeland")).header.operation == .erasureOrdered)
        }
    }

    @Test func `an order that is rolled back does not act`() throws {
        struct Refused: Error {}
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let gone = Fixture.subject(1)
        try core.appendOne(Fixture.draft(1, subject: gone))
        let address = try order(core, .erasureOrdered, subject: gone, number: 2)
        #expect(throws: Refused.self) {
            try core.transaction {
                try core.carryOut(order: address, .erase(gone))
                throw Refused()
            }
        }
        #expect(try core.orders().isEmpty)
        #expect(try parts(core, try core.logs()[0].name.id, 1) == [true, true])
        #expect(try !core.appendOne(Fixture.draft(3, subject: gone)).isRepeated)
    }

    @Test func `an order reaches no other stream and no place that cannot be`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let ward = try core.appendOne(Fixture.draft(1)).receipt.address
        let clinic = try core.appendOne(Fixture.draft(2, in: Fixture.clinic)).receipt.address
        let all = PartSet(positions: 0..<64)
        for (order, target) in [
            (ward, clinic), (EntryAddress(log: LogID(.zero), index: 0), ward),
            (EntryAddress(log: ward.log, index: .max), ward), (ward, EntryAddress(log: ward.log, index: .max)),
        ] {
            #expect(throws: StoreError.self) {
                try core.transaction {
                    try core.carryOut(order: order, .redact(target, entry: EntryID(.zero), parts: all))
                }
            }
        }
        #expect(try core.orders().isEmpty)
    }
}
