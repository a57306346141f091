import EventLog
import StoreCore

/// A store with at least one row in every table.
enum FullStore {
    static let erased = Fixture.subject(1)
    static let charter = CharterRecord(version: 0, bytes: [UInt8]("charter 0".utf8), signatures: [1, 2, 3])

    /// An own log with a redaction and an erasure, a foreign log, a forked foreign log, a charter and an incident.
    static func make(in directory: TemporaryDirectory) throws -> StoreCore {
        let core = try Fixture.open(directory)
        try core.transaction {
            try core.storeCharter(charter)
            for number in 0..<5 {
                _ = try core.append(
                    Fixture.draft(UInt64(number), subject: Fixture.subject(UInt64(number % 3))), time: Fixture.time())
            }
        }
        let log = try core.ownLogs()[0].name.id
        let target = try Fixture.required(core.entry(at: EntryAddress(log: log, index: 1))).id
        try core.transaction {
            let redaction = try core.append(Fixture.draft(20, operation: .redactionOrdered), time: Fixture.time())
            try core.carryOut(
                order: redaction.receipt.address,
                .redact(EntryAddress(log: log, index: 1), entry: target, parts: PartSet(positions: [1])))
            let erasure = try core.append(
                Fixture.draft(21, subject: erased, operation: .erasureOrdered), time: Fixture.time())
            try core.carryOut(order: erasure.receipt.address, .erase(erased))
        }
        var writer = try FreeWriter()
        for number in 0..<6 { writer.add(Fixture.draft(UInt64(number))) }
        _ = try core.ingestOne(writer.range(0..<4), of: writer.name)
        _ = try core.ingestOne(writer.range(4..<6), of: writer.name)

        var fork = try FreeWriter()
        for number in 0..<3 { fork.add(Fixture.draft(UInt64(number))) }
        for number in 3..<8 { fork.add(Fixture.draft(UInt64(number)), seed: 99) }
        _ = try core.ingestOne(fork.range(), of: fork.name)
        return core
    }
}
