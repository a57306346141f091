import EventLog
import StoreCore
import Testing

/// Own logs that were lost, cloned or given up.
struct OwnLogTests {
    /// A store, and another that took its log over before the first lost its last entries.
    private struct Lost {
        let directory: TemporaryDirectory
        let peerDirectory = TemporaryDirectory()
        let core: StoreCore
        let peer: StoreCore
        let name: LogName

        /// Three entries are in the backup that is restored, two more only at the peer.
        init() throws {
            let original = TemporaryDirectory()
            let writer = try Fixture.open(original)
            for number in 0..<2 { try writer.appendOne(Fixture.draft(UInt64(number))) }
            try writer.close()
            let again = try Fixture.open(original)
            let backup = try original.copy()
            try again.transaction { try again.confirmStart(.guardAgrees) }
            for number in 2..<4 { try again.appendOne(Fixture.draft(UInt64(number))) }
            name = try again.logs()[0].name
            peer = try Fixture.open(peerDirectory, node: "unn")
            for range in try again.ranges(of: name.id) { _ = try peer.ingestOne(range, of: name) }
            try again.close()
            core = try Fixture.open(backup, seed: 5)
            directory = backup
        }
    }

    @Test func `numbers given in a later log are told from those of the first by the epoch that it will have`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        let draft = Fixture.draft(1)
        #expect(core.laterEpoch(of: draft.stream) == nil)
        try core.appendOne(draft)
        #expect(core.laterEpoch(of: draft.stream) == nil)
        let first = try core.logs()[0].name
        try core.transaction { try core.closeOwnLog(first.id, reason: .takenBack) }
        let planned = try #require(core.laterEpoch(of: draft.stream))
        #expect(planned != first.epoch && core.laterEpoch(of: draft.stream) == planned)
        try core.appendOne(Fixture.draft(2))
        let second = try #require(try core.logs().map(\.name).first { $0 != first })
        #expect(second.epoch == planned && core.laterEpoch(of: draft.stream) == planned)
        try core.transaction { try core.closeOwnLog(second.id, reason: .takenBack) }
        #expect(core.laterEpoch(of: draft.stream) != planned)
    }

    @Test func `a node that hears a later head of its own stops, takes back, and opens a new epoch`() throws {
        let lost = try Lost()
        let core = lost.core
        try core.transaction { try core.confirmStart(.peersHeard) }
        let head = try Fixture.required(lost.peer.newestCheckpoint(of: lost.name.id))
        let outcome = try core.transaction {
            try core.suspendOwnLog(lost.name.id, seen: head, from: nil, time: Fixture.time())
        }
        #expect(outcome == .suspended)
        guard case .suspended(let seen) = try core.logs()[0].status else {
            Issue.record("the log is not suspended")
            return
        }
        #expect(seen.size == 5)
        #expect(throws: StoreError.self) { try core.appendOne(Fixture.draft(9)) }
        #expect(try core.incidents(limit: 1).first?.kind == "own log suspended")

        let range = try Fixture.required(lost.peer.readRange(log: lost.name.id, from: 3, maximumBytes: .max))
        // All that was shown has come, so the log is closed with it.
        #expect(try core.ingestOne(range, of: lost.name).stored?.head.size == 5)

        let appended = try core.appendOne(Fixture.draft(9))
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .restored)
        #expect(opening.earlierHeads.map(\.size) == [5])
        #expect(opening.earlierHeads[0].root == seen.root)
        #expect(opening.name.epoch != lost.name.epoch)
        #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
    }

    @Test func `a range beyond an open own log closes it by itself`() throws {
        let lost = try Lost()
        let core = lost.core
        try core.transaction { try core.confirmStart(.peersHeard) }
        let range = try Fixture.required(lost.peer.readRange(log: lost.name.id, from: 0, maximumBytes: .max))
        #expect(try core.ingestOne(range, of: lost.name).stored?.head.size == 5)
        #expect(try core.contents() == lost.peer.contents())
        // It is closed with what came; what is written next stands in a new epoch.
        #expect(try core.appendOne(Fixture.draft(9)).receipt.address.log != lost.name.id)
    }

    @Test func `nobody else can suspend or extend an own log`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.appendOne(Fixture.draft(1))
        let log = try core.logs()[0]
        let origin = LogOrigin(network: Fixture.network, log: log.name.id)
        let head = Checkpoint(log: origin, size: 50, root: .sha256([1]))
        let forged = try SignedCheckpoint(signing: head, with: Fixture.signingKey("stranger", log: log.name.id)).bytes
        #expect(throws: StoreError.self) {
            try core.transaction {
                try core.suspendOwnLog(log.name.id, seen: forged, from: nil, time: Fixture.time())
            }
        }
        var writer = try FreeWriter()
        for number in 0..<4 { writer.add(Fixture.draft(UInt64(number))) }
        let range = EntryRange(
            log: log.name.id, start: 2, entries: writer.entries,
            checkpoint: try SignedCheckpoint(
                signing: Checkpoint(log: origin, size: 6, root: .sha256([1])),
                with: Fixture.signingKey("stranger", log: log.name.id)
            ).bytes)
        let outcome = try core.ingestOne(range, of: log.name, key: Fixture.publicKey("stranger"))
        #expect(outcome.refusal?.rule == .ownLogIsOpen)
        #expect(try core.appendOne(Fixture.draft(2)).receipt.address.index == 2)
    }

    @Test func `a clone's head at the same size closes the log with a proof`() throws {
        let lost = try Lost()
        let core = lost.core
        try core.transaction { try core.confirmStart(.peersHeard) }
        // The clone goes on where the original went on too.
        for number in 50..<52 { try core.appendOne(Fixture.draft(UInt64(number))) }
        let head = try Fixture.required(lost.peer.newestCheckpoint(of: lost.name.id))
        let outcome = try core.transaction {
            try core.suspendOwnLog(lost.name.id, seen: head, from: NodeID(unchecked: "unn"), time: Fixture.time())
        }
        #expect(outcome == .forked)
        #expect(try core.logs()[0].status == .closed(.forked))
        #expect(try core.forkProofs().count == 1)
        #expect(try core.logs()[0].head.size == 5)
        let appended = try core.appendOne(Fixture.draft(60))
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .forked)
    }

    @Test func `new epochs follow suspended logs too, where not all peers could be heard`() throws {
        let lost = try Lost()
        let core = lost.core
        let range = try Fixture.required(lost.peer.readRange(log: lost.name.id, from: 0, maximumBytes: .max))
        #expect(try core.ingestOne(range, of: lost.name).stored?.head.size == 5)
        try core.transaction { try core.confirmStart(.newEpochs) }
        #expect(try core.log(lost.name.id)?.status == .closed(.takenBack))
        let appended = try core.appendOne(Fixture.draft(9))
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .restored && opening.earlierHeads.map(\.size) == [5])
    }

    @Test func `a head that is held changes nothing`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        for number in 0..<3 { try core.appendOne(Fixture.draft(UInt64(number))) }
        let log = try core.logs()[0].name.id
        for size in try core.checkpointSizes(of: log) {
            let note = try Fixture.required(core.checkpoint(of: log, size: size))
            let outcome = try core.transaction {
                try core.suspendOwnLog(log, seen: note, from: nil, time: Fixture.time())
            }
            #expect(outcome == .alreadyHeld)
        }
        #expect(try core.logs()[0].status == .open)
    }

    @Test func `an own log that the disk lost whole is taken back closed`() throws {
        let directory = TemporaryDirectory()
        let writer = try Fixture.open(directory)
        for number in 0..<3 { try writer.appendOne(Fixture.draft(UInt64(number))) }
        let name = try writer.logs()[0].name
        let empty = TemporaryDirectory()
        let core = try Fixture.open(empty, seed: 3)
        for range in try writer.ranges(of: name.id) {
            #expect(try core.ingestOne(range, of: name).stored != nil)
        }
        #expect(try core.logs()[0].status == .closed(.takenBack))
        #expect(try core.logs()[0].isOwn)
        let appended = try core.appendOne(Fixture.draft(9))
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .restored)
        #expect(opening.earlierHeads.map(\.size) == [4])
    }

    @Test func `a closed log stays closed, and the reason reaches the next opening`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        try core.appendOne(Fixture.draft(1))
        let log = try core.logs()[0].name.id
        try core.transaction { try core.closeOwnLog(log, reason: .givenUp) }
        try core.transaction { try core.closeOwnLog(log, reason: .forked) }
        #expect(try core.log(log)?.status == .closed(.givenUp))
        let appended = try core.appendOne(Fixture.draft(2))
        let opening = try LogOpening(bytes: Fixture.required(appended.written[0].bytes(of: .structure)))
        #expect(opening.reason == .previousClosed)
        #expect(throws: StoreError.self) {
            try core.transaction { try core.closeOwnLog(LogID(.zero), reason: .givenUp) }
        }
    }
}
