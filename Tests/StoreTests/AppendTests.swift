import EventLog
import StoreCore
import Testing

/// Own appends of ``StoreCore``.
struct AppendTests {
    @Test func `the first entry of a stream opens its log`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let appended = try core.appendOne(Fixture.draft(1))
        #expect(appended.written.count == 2)
        #expect(appended.receipt.address.index == 1)
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        let log = try Fixture.required(try core.ownLogs().first)
        #expect(opening.name == log.name)
        #expect(opening.reason == .first)
        #expect(opening.earlierHeads.isEmpty)
        #expect(log.head.size == 2)
        #expect(try core.appendOne(Fixture.draft(2)).written.count == 1)
        #expect(try core.appendOne(Fixture.draft(3, in: Fixture.clinic)).written.count == 2)
        #expect(try core.logs().count == 2)
    }

    @Test func `one transaction signs each log once`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.transaction {
            for number in 0..<64 {
                _ = try core.append(
                    Fixture.draft(UInt64(number), in: number % 2 == 0 ? Fixture.ward : Fixture.clinic),
                    time: Fixture.time())
            }
        }
        #expect(try core.logs().count == 2)
        for log in try core.logs() {
            #expect(try core.checkpointSizes(of: log.name.id) == [33])
            let note = try SignedCheckpoint(bytes: Fixture.required(core.newestCheckpoint(of: log.name.id)))
            try note.verify(with: log.name.verifierKey(publicKey: Fixture.publicKey("ous")))
            #expect(note.checkpoint.root == log.head.root)
        }
        #expect(core.lastCommit.map(\.count) == [33, 33])
        #expect(try core.arrivals(after: 0, limit: 10).map(\.count) == [33, 33])
    }

    @Test func `a large transaction has a checkpoint every 1024 entries and every 256 KiB`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.transaction {
            for number in 0..<2500 {
                _ = try core.append(Fixture.draft(UInt64(number), size: 4), time: Fixture.time())
            }
            for number in 0..<20 {
                _ = try core.append(
                    Fixture.draft(UInt64(number), in: Fixture.clinic, actor: 2, size: 60_000), time: Fixture.time())
            }
        }
        let logs = try core.logs()
        #expect(try core.checkpointSizes(of: logs[0].name.id).contains(1024))
        for log in logs {
            let sizes = [0] + (try core.checkpointSizes(of: log.name.id))
            #expect(sizes.last == log.head.size)
            for (from, to) in zip(sizes, sizes.dropFirst()) {
                var bytes = 0
                try core.forEachEntry(in: log.name.id, from: from, to: to) {
                    bytes += $0.raw.byteCount
                    return true
                }
                #expect(to - from <= 1024)
                #expect(bytes <= 256 * 1024 || to - from == 1)
            }
        }
        #expect(try core.contents().values.map(\.count).sorted() == [21, 2501])
    }

    @Test func `a repeated command gets the same receipt and writes nothing`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let first = try core.appendOne(Fixture.draft(1))
        let size = try core.heads()[0].size
        for _ in 0..<3 {
            let again = try core.appendOne(Fixture.draft(1), at: 9_000_000)
            #expect(again.isRepeated)
            #expect(again.written.isEmpty)
            #expect(again.receipt == first.receipt)
        }
        #expect(try core.heads()[0].size == size)
        #expect(try core.receipt(actor: Fixture.actor(1), command: Fixture.command(1)) == first.receipt)
        #expect(try core.receipt(actor: Fixture.actor(2), command: Fixture.command(1)) == nil)
        // Another sender may use the same id, and what the writer knew may have grown.
        #expect(try !core.appendOne(Fixture.draft(1, actor: 2)).isRepeated)
        var later = Fixture.draft(1)
        later.known = KnownVersions(charter: 8, participation: 8, delegation: 8)
        #expect(try core.appendOne(later).isRepeated)
    }

    @Test func `the same id for something else is told, also within one transaction and after a start`() throws {
        let directory = TemporaryDirectory()
        var core = try Fixture.open(directory)
        let first = try core.appendOne(Fixture.draft(1))
        func isTold() throws -> Bool {
            do {
                try core.appendOne(Fixture.draft(1, content: "another value"))
                return false
            } catch StoreError.repeatedWithOtherContent(let receipt) {
                return receipt == first.receipt
            }
        }
        #expect(try isTold())
        try core.close()
        core = try Fixture.open(directory, seed: 2)
        try core.transaction { try core.confirmStart(.guardAgrees) }
        #expect(try isTold())
        #expect(try core.appendOne(Fixture.draft(1)).receipt == first.receipt)
        try core.transaction {
            _ = try core.append(Fixture.draft(5), time: Fixture.time())
            #expect(throws: StoreError.self) {
                try core.append(Fixture.draft(5, content: "other"), time: Fixture.time())
            }
        }
    }

    @Test func `a digest of the request stands for drafts that differ by the time of receipt`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let request = Hash.sha256([1, 2, 3])
        try core.transaction {
            let first = try core.append(
                Fixture.draft(1, content: "received 10:00"), requestDigest: request, time: Fixture.time())
            let again = try core.append(
                Fixture.draft(1, content: "received 10:05"), requestDigest: request, time: Fixture.time())
            #expect(again.isRepeated && again.receipt == first.receipt)
            #expect(throws: StoreError.self) {
                try core.append(
                    Fixture.draft(1, content: "received 10:00"), requestDigest: .sha256([4]), time: Fixture.time())
            }
        }
    }

    @Test func `a failing command of a group takes back only its own`() throws {
        struct Refused: Error {}
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.transaction {
            _ = try core.savepoint { try core.append(Fixture.draft(1), time: Fixture.time()) }
            for number in 2...4 {
                // The refused command also opens a log, and crosses a checkpoint: all of it goes.
                #expect(throws: Refused.self) {
                    try core.savepoint {
                        _ = try core.append(Fixture.draft(UInt64(number)), time: Fixture.time())
                        _ = try core.append(
                            Fixture.draft(UInt64(number + 10), in: Fixture.clinic), time: Fixture.time())
                        for more in 0..<5 {
                            _ = try core.append(
                                Fixture.draft(UInt64(100 + more), actor: 7, size: 100_000), time: Fixture.time())
                        }
                        throw Refused()
                    }
                }
            }
            _ = try core.savepoint { try core.append(Fixture.draft(5), time: Fixture.time()) }
        }
        #expect(try core.logs().count == 1)
        let log = try core.logs()[0]
        #expect(log.head.size == 3)
        #expect(try core.checkpointSizes(of: log.name.id) == [3])
        #expect(try core.receipt(actor: Fixture.actor(1), command: Fixture.command(2)) == nil)
        #expect(try core.appendOne(Fixture.draft(2)).receipt.address.index == 3)
        #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
    }

    @Test func `a failing transaction leaves nothing behind`() throws {
        struct Refused: Error {}
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.appendOne(Fixture.draft(1))
        let before = try core.contents()
        #expect(throws: Refused.self) {
            try core.transaction {
                _ = try core.append(Fixture.draft(2), time: Fixture.time())
                _ = try core.append(Fixture.draft(3, in: Fixture.clinic), time: Fixture.time())
                throw Refused()
            }
        }
        #expect(try core.contents() == before)
        #expect(throws: StoreError.self) { try core.append(Fixture.draft(4), time: Fixture.time()) }
        #expect(try core.appendOne(Fixture.draft(3, in: Fixture.clinic)).receipt.address.index == 1)
        #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
    }

    @Test func `entries beyond the limits are refused, and the store goes on`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(1, size: 129 * 1024)) }
        #expect(try core.logs().isEmpty)
        #expect(try core.appendOne(Fixture.draft(1, size: 126 * 1024)).receipt.address.index == 1)
    }

    @Test func `hybrid times grow strictly whatever the clock shows, also over a start`() throws {
        let directory = TemporaryDirectory()
        var core = try Fixture.open(directory)
        var last: UInt64 = 0
        func append(_ number: UInt64, at time: Int64) throws {
            for entry in try core.appendOne(Fixture.draft(number), at: time).written {
                #expect(entry.header.hybridTime > last)
                last = entry.header.hybridTime
            }
        }
        for (number, time) in [5_000, 5_000, 4_000, -1, 6_000, .min].enumerated() {
            try append(UInt64(number), at: Int64(time))
        }
        try core.close()
        core = try Fixture.open(directory)
        try core.transaction { try core.confirmStart(.peersHeard) }
        try append(100, at: 0)
    }

    @Test func `a store opened again is as it was closed`() throws {
        let directory = TemporaryDirectory()
        var core = try Fixture.open(directory)
        for number in 0..<10 { try core.appendOne(Fixture.draft(UInt64(number))) }
        let contents = try core.contents()
        let heads = try core.heads()
        let identity = core.identity
        try core.close()
        core = try Fixture.open(directory, seed: 99)
        #expect(try core.contents() == contents)
        #expect(try core.heads() == heads)
        #expect(core.identity == identity)
        #expect(try core.latestArrival() == 10)
        let batches = try core.entries(sinceArrival: 4, limit: 3)
        #expect(batches.map(\.arrival.number) == [5, 6, 7])
        #expect(batches.flatMap(\.entries).map(\.address.index) == [5, 6, 7])
        #expect(try batches[0].entries[0].parsed().header.index == 5)
    }
}
