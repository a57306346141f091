import EventLog
import Foundation
import StoreCore
import Testing

/// Several signed histories of one log, kept side by side.
struct BranchTests {
    /// A tree of histories: each leaves an earlier one somewhere.
    private static func histories(seed: UInt64) throws -> [FreeWriter] {
        var random = SeededGenerator(seed: seed)
        var trunk = try FreeWriter()
        for number in 0..<Int.random(in: 2...12, using: &random) { trunk.add(Fixture.draft(UInt64(number))) }
        var histories = [trunk]
        for branch in 1...Int.random(in: 1...4, using: &random) {
            let parent = histories[Int.random(in: 0..<histories.count, using: &random)]
            let index = Int.random(in: 0..<parent.entries.count, using: &random)
            var history = try FreeWriter()
            for entry in parent.entries[..<index] { history.add(entry) }
            for number in 0..<Int.random(in: 1...8, using: &random) {
                history.add(Fixture.draft(UInt64(index + number)), seed: UInt64(1000 * branch + number))
            }
            histories.append(history)
        }
        return histories
    }

    /// Takes ranges of all histories, as peers might give them, in a random order until nothing new comes.
    private static func fill(_ core: StoreCore, _ histories: [FreeWriter], seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var isDone = false
        while !isDone {
            isDone = true
            for history in histories.shuffled(using: &random) {
                var end = 0
                while end < history.entries.count {
                    let start = Int.random(in: 0...end, using: &random)
                    end = Int.random(in: (end + 1)...history.entries.count, using: &random)
                    if try core.ingestOne(history.range(start..<end), of: history.name).stored != nil { isDone = false }
                }
                if try core.ingestOne(history.range(), of: history.name).stored != nil { isDone = false }
            }
        }
    }

    @Test(arguments: 0..<16)
    func `every order of discovery leads to the same pieces with the same entries`(seed: UInt64) throws {
        let histories = try Self.histories(seed: seed)
        let expected = Set(histories.flatMap { history in history.entries.map(\.id) })
        var pieces: Set<Set<LogHead>> = []
        for order in 0..<4 {
            let directory = TemporaryDirectory()
            let core = try Fixture.open(directory)
            try Self.fill(core, histories, seed: seed * 100 + UInt64(order))
            let log = try Fixture.required(histories.first).name.log
            #expect(Set(try core.contents().values.flatMap { $0.map(\.id) }) == expected)
            pieces.insert(Set(try core.replicationHeads()))
            #expect(try core.isForked(log) == (try core.forkedLogs() == [log]))
            for proof in try core.forkProofs() { try proof.verify(with: histories[0].key.verifierKey) }
            let report = try LogVerification.run(on: core, writerKey: Fixture.publicKey)
            #expect(report.isSound, "\(report.problems)")
            try checkReopening(directory, core, log: log)
            try checkRelay(of: log, from: core, expected: expected)
        }
        #expect(pieces.count == 1)
    }

    /// What was stored is read back the same.
    private func checkReopening(_ directory: TemporaryDirectory, _ core: StoreCore, log: LogID) throws {
        let (contents, segments) = (try core.contents(), try core.segments(of: log))
        try core.close()
        let reader = try StoreReader(directory: directory.path)
        #expect(try reader.contents() == contents)
        #expect(try reader.segments(of: log) == segments)
    }

    /// A node that asks for piece by piece gets all of it.
    private func checkRelay(of log: LogID, from core: StoreCore, expected: Set<EntryID>) throws {
        let reader = try StoreReader(directory: core.directory)
        let directory = TemporaryDirectory()
        let other = try Fixture.open(directory, node: "stavanger")
        for segment in try reader.segments(of: log) {
            var next = segment.head.name.start
            while next < segment.head.size {
                let range = try #require(try reader.readSegment(segment.head.name.id, from: next, maximumBytes: 2_000))
                let outcome = try other.transaction {
                    try other.register(segment.head.name.trunk)
                    return try other.ingest(
                        range, of: segment.head.name, key: Fixture.publicKey(segment.head.name.node.text), from: nil,
                        time: Fixture.time())
                }
                #expect(outcome.refusal == nil)
                next = range.end
            }
        }
        #expect(Set(try other.contents().values.flatMap { $0.map(\.id) }) == expected)
        #expect(Set(try other.replicationHeads()) == Set(try reader.replicationHeads()))
    }

    @Test func `an own log of which another history comes is closed and both histories stay`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        for number in 0..<3 { try core.appendOne(Fixture.draft(UInt64(number))) }
        let name = try core.logs()[0].name
        try core.close()
        let twinDirectory = try directory.copy()
        let twin = try Fixture.open(twinDirectory, seed: 9)
        let again = try Fixture.open(directory, seed: 8)
        for store in [twin, again] { try store.transaction { try store.confirmStart(.peersHeard) } }
        for number in 10..<15 { try twin.appendOne(Fixture.draft(UInt64(number))) }
        for number in 20..<22 { try again.appendOne(Fixture.draft(UInt64(number))) }
        let range = try Fixture.required(twin.readRange(log: name.id, from: 0, maximumBytes: .max))
        #expect(try again.ingestOne(range, of: name).stored?.isNewBranch == true)
        #expect(try again.log(name.id)?.status == .closed(.forked))
        #expect(try again.segments(of: name.log).map(\.head.size).sorted() == [4, 6, 9])
        let appended = try again.appendOne(Fixture.draft(30))
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .forked)
        #expect(opening.earlierHeads.map(\.log) == [name.log, name.log])
        #expect(Set(opening.earlierHeads.map(\.size)) == [6, 9])
        // A transaction that is taken back leaves nothing of a branch.
        struct Refused: Error {}
        #expect(throws: Refused.self) {
            try twin.transaction {
                _ = try twin.ingest(
                    again.readRange(log: name.id, from: 0, maximumBytes: .max).unsafelyUnwrapped, of: name,
                    key: Fixture.publicKey("ous"), from: nil, time: Fixture.time())
                throw Refused()
            }
        }
        #expect(try twin.branches(of: name.log).isEmpty && twin.log(name.id)?.status == .open)
        #expect(try twin.appendOne(Fixture.draft(16)).receipt.address.index == 9)
        #expect(try LogVerification.run(on: twin, writerKey: Fixture.publicKey).isSound)
    }

    @Test func `an entry of a forked log is found by its id at the place its writer gave it`() throws {
        let histories = try Self.histories(seed: 3)
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try Self.fill(core, histories, seed: 1)
        for history in histories {
            for (index, entry) in history.entries.enumerated() {
                let place = EntryAddress(log: history.name.log, index: UInt64(index))
                let address = try #require(try core.address(of: entry.id, at: place))
                #expect(try core.entry(at: address)?.raw == entry)
                let segment = try #require(try core.segment(of: address))
                #expect((segment.head.name.start..<segment.head.size).contains(UInt64(index)))
            }
        }
        let none = EntryID(.sha256([1]))
        #expect(try core.address(of: none, at: EntryAddress(log: histories[0].name.log, index: 0)) == nil)
    }

    @Test func `the proof that a peer sent closes an own log`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        for number in 0..<4 { try core.appendOne(Fixture.draft(UInt64(number))) }
        let name = try core.logs()[0].name
        var first = MerkleFrontier()
        var second = MerkleFrontier()
        first.append(.sha256([1]))
        second.append(.sha256([2]))
        let key = try Fixture.signingKey("ous", log: name.log)
        let heads = try [first, second].map { frontier in
            try SignedCheckpoint(
                signing: Checkpoint(
                    log: LogOrigin(network: name.network, log: name.log), size: 1, root: frontier.root), with: key)
        }
        let proof = ForkProof(smaller: heads[0], larger: heads[1], prefixRoot: second.root, path: [])
        try proof.verify(with: key.verifierKey)
        let isNew = try core.transaction {
            try core.takeForkProof(proof, of: name, from: NodeID(unchecked: "unn"), time: Fixture.time())
        }
        #expect(isNew)
        #expect(try core.log(name.id)?.status == .closed(.forked))
        #expect(try core.incidents(limit: 1).first?.kind == "log forked")
        #expect(
            try !core.transaction { try core.takeForkProof(proof, of: name, from: nil, time: Fixture.time()) })
        #expect(try core.appendOne(Fixture.draft(9)).receipt.address.log != name.id)
    }
}
