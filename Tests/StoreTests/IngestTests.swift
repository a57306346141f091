import EventLog
import StoreCore
import Testing

/// Ranges from peers: what is stored, and that nothing else is.
struct IngestTests {
    /// A store with two logs, written in groups of varying size.
    private func writer(_ directory: TemporaryDirectory, seed: UInt64) throws -> StoreCore {
        let core = try Fixture.open(directory)
        var generator = SeededGenerator(seed: seed)
        var number: UInt64 = 0
        for _ in 0..<25 {
            try core.transaction {
                for _ in 0..<Int.random(in: 1...12, using: &generator) {
                    number += 1
                    let stream = Bool.random(using: &generator) ? Fixture.ward : Fixture.clinic
                    let size = Int.random(in: 0...3000, using: &generator)
                    _ = try core.append(
                        Fixture.draft(number, in: stream, size: size), time: Fixture.time(Int64(number)))
                }
            }
        }
        return core
    }

    @Test func `what one store reads, another stores`() throws {
        let (here, there) = (TemporaryDirectory(), TemporaryDirectory())
        let core = try writer(here, seed: 1)
        let other = try Fixture.open(there, node: "unn")
        for log in try core.logs() {
            for range in try core.ranges(of: log.name.id) {
                let stored = try Fixture.required(other.ingestOne(range, of: log.name).stored)
                #expect(stored.first == range.start && stored.head.size == range.end)
            }
        }
        #expect(try other.contents() == core.contents())
        #expect(Set(try other.heads()) == Set(try core.heads()))
        #expect(try LogVerification.run(on: other, writerKey: Fixture.publicKey).isSound)
        // A third node gets the same from the second.
        let far = TemporaryDirectory()
        let third = try Fixture.open(far, node: "stavanger")
        for log in try other.logs() {
            for range in try other.ranges(of: log.name.id) { _ = try third.ingestOne(range, of: log.name) }
        }
        #expect(try third.contents() == core.contents())
    }

    @Test(arguments: 1...6) func `any cut, overlap and repetition of ranges gives the same store`(seed: UInt64) throws {
        let (here, there) = (TemporaryDirectory(), TemporaryDirectory())
        let core = try writer(here, seed: seed)
        let other = try Fixture.open(there, node: "unn")
        var generator = SeededGenerator(seed: seed &* 77)
        for log in try core.logs() {
            var held: UInt64 = 0
            while held < log.head.size {
                let from = UInt64.random(in: 0...held, using: &generator)
                let bytes = Int.random(in: 0...40_000, using: &generator)
                let range = try Fixture.required(core.readRange(log: log.name.id, from: from, maximumBytes: bytes))
                #expect(range.end - range.start <= 1024 && range.byteCount <= RangeLimit.bytes)
                switch try other.ingestOne(range, of: log.name) {
                case .stored(let stored): held = stored.head.size
                case .alreadyHeld(let head): #expect(head.size == held)
                case .refused(let refusal): Issue.record("\(refusal)")
                }
            }
            #expect(try core.readRange(log: log.name.id, from: log.head.size, maximumBytes: .max) == nil)
        }
        #expect(try other.contents() == core.contents())
        #expect(try LogVerification.run(on: other, writerKey: Fixture.publicKey).isSound)
        #expect(try other.incidents(limit: 10).isEmpty)
    }

    @Test func `bad ranges are refused, nothing of them is stored, and an incident is kept`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var writer = try FreeWriter()
        for number in 0..<6 { writer.add(Fixture.draft(UInt64(number))) }
        _ = try core.ingestOne(writer.range(0..<3), of: writer.name)
        let before = try core.contents()
        let good = try writer.range(3..<6)
        func with(_ entries: [RawEntry]? = nil, start: UInt64? = nil, checkpoint: [UInt8]? = nil) -> EntryRange {
            EntryRange(
                log: good.log, start: start ?? good.start, entries: entries ?? good.entries,
                checkpoint: checkpoint ?? good.checkpoint)
        }
        let stranger = try Fixture.signingKey("stranger", log: writer.name.id)
        let other = try FreeWriter(epoch: 2)
        let spoiled: [(String, EntryRange)] = [
            ("forged signature", with(checkpoint: try writer.checkpoint(key: stranger))),
            ("altered header", with([good.entries[0], good.entries[1], RawEntry(header: [1], body: [])])),
            (
                "altered body",
                with([
                    good.entries[0], good.entries[1],
                    RawEntry(header: good.entries[2].header, body: good.entries[1].body),
                ])
            ),
            ("truncated", with(Array(good.entries.dropLast()))),
            ("gap", with(start: 4)), ("far gap", with(start: 1 << 62)), ("replayed place", with(start: 2)),
            ("empty", with([])), ("too many", with(Array(repeating: RawEntry(header: [], body: []), count: 2000))),
            ("oversized", with([RawEntry(header: [], body: [UInt8](repeating: 0, count: 200_000))])),
            ("no checkpoint", with(checkpoint: [])),
            ("older checkpoint", with(checkpoint: try writer.checkpoint(size: 5))),
            (
                "foreign checkpoint",
                with(checkpoint: try FreeWriter.signedHead(of: other, size: 6, root: writer.frontier.root))
            ),
        ]
        for (what, range) in spoiled {
            let refusal = try core.ingestOne(range, of: writer.name).refusal
            #expect(refusal != nil, "\(what)")
            #expect(try core.contents() == before, "\(what)")
            #expect(try core.incidents(limit: 1).first?.text == refusal?.description, "\(what)")
        }
        #expect(try core.incidents(limit: 100).count == spoiled.count)
        #expect(try core.incidents(limit: 1)[0].peer == NodeID(unchecked: "peer"))
        #expect(try core.ingestOne(good, of: writer.name).stored != nil)
        #expect(try core.latestArrival() == 2)
    }

    @Test func `a log becomes known by what is stored of it, and not by what is refused`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var writer = try FreeWriter()
        for number in 0..<3 { writer.add(Fixture.draft(UInt64(number))) }
        let good = try writer.range()
        let stranger = try Fixture.signingKey("stranger", log: writer.name.id)
        let forged = EntryRange(
            log: good.log, start: 0, entries: good.entries, checkpoint: try writer.checkpoint(key: stranger))
        for range in [forged, try writer.range(1..<3)] {
            #expect(try core.ingestOne(range, of: writer.name).refusal != nil)
            #expect(try core.logs().isEmpty)
        }
        #expect(try core.incidents(limit: 10).count == 2)
        #expect(try core.ingestOne(good, of: writer.name).stored != nil)
        #expect(try core.logs().map(\.name) == [writer.name])
    }

    @Test func `a log must be known or named, and of this network`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var writer = try FreeWriter()
        writer.add(Fixture.draft(1))
        #expect(throws: StoreError.self) {
            try core.transaction {
                try core.ingest(try writer.range(), key: [], from: nil, time: Fixture.time())
            }
        }
        let foreign = LogName(
            network: NetworkID(unchecked: "else.varde"), node: NodeID(unchecked: "a"), stream: Fixture.ward,
            epoch: Epoch(RandomName(high: 1, low: 1)))
        #expect(throws: StoreError.self) { try core.transaction { try core.register(foreign) } }
        #expect(try core.logs().isEmpty)
    }

    @Test func `an entry of a later version is stored and relayed as it came`() throws {
        let (here, there) = (TemporaryDirectory(), TemporaryDirectory())
        let core = try Fixture.open(here)
        let other = try Fixture.open(there, node: "unn")
        var writer = try FreeWriter()
        var header = WireWriter()
        header.unsigned(1, always: 3)
        header.string(50, "new")
        writer.add(Fixture.draft(1))
        writer.add(RawEntry(header: header.bytes, body: [9, 9, 9]))
        writer.add(Fixture.draft(2))
        let stored = try Fixture.required(core.ingestOne(writer.range(), of: writer.name).stored)
        #expect(stored.entries.map(\.isNotUnderstood) == [false, true, false])
        let relayed = try Fixture.required(core.readRange(log: writer.name.id, from: 0, maximumBytes: .max))
        #expect(relayed == (try writer.range()))
        #expect(try other.ingestOne(relayed, of: writer.name).stored != nil)
        let entry = try Fixture.required(other.entry(at: EntryAddress(log: writer.name.id, index: 1)))
        #expect(entry.raw == writer.entries[1])
        #expect(throws: EntryError.self) { try entry.parsed() }
        let report = try LogVerification.run(on: other, writerKey: Fixture.publicKey)
        #expect(report.isSound && report.entriesNotUnderstood == 1)
    }

    @Test func `another history of a log, shorter or longer, becomes a branch, with a proof of the fork`() throws {
        for length in [4, 6, 9] {
            let directory = TemporaryDirectory()
            let core = try Fixture.open(directory)
            var writer = try FreeWriter()
            for number in 0..<6 { writer.add(Fixture.draft(UInt64(number))) }
            _ = try core.ingestOne(writer.range(), of: writer.name)
            var fork = try FreeWriter()
            for number in 0..<3 { fork.add(Fixture.draft(UInt64(number))) }
            for number in 3..<length { fork.add(Fixture.draft(UInt64(number)), seed: 99) }
            let stored = try Fixture.required(core.ingestOne(fork.range(2..<length), of: fork.name).stored)
            let branch = writer.name.branch(at: ForkPoint(index: 3, leaf: fork.entries[3].id.hash))
            #expect(stored.isNewBranch && stored.first == 3 && stored.head.name == branch)
            #expect(try core.contents() == [writer.name.id: writer.entries, branch.id: Array(fork.entries[3...])])
            let proof = try Fixture.required(core.forkProofs().first)
            try proof.verify(with: writer.key.verifierKey)
            let incident = try core.incidents(limit: 1)[0]
            #expect(incident.kind == "log forked")
            #expect(incident.heldHead == (try writer.checkpoint()))
            #expect(incident.shownHead == (try fork.checkpoint()))
            guard case .alreadyHeld = try core.ingestOne(fork.range(2..<length), of: fork.name) else {
                Issue.record("it is held already")
                return
            }
            #expect(try core.forkProofs().count == 1)
            #expect(try LogVerification.run(on: core, writerKey: Fixture.publicKey).isSound)
        }
    }

    @Test func `a range that begins after the histories parted is refused, with a proof where its head suffices`()
        throws
    {
        for length in [5, 9] {
            let directory = TemporaryDirectory()
            let core = try Fixture.open(directory)
            var writer = try FreeWriter()
            for number in 0..<6 { writer.add(Fixture.draft(UInt64(number))) }
            _ = try core.ingestOne(writer.range(), of: writer.name)
            let before = try core.contents()
            var fork = try FreeWriter()
            for number in 0..<3 { fork.add(Fixture.draft(UInt64(number))) }
            for number in 3..<length { fork.add(Fixture.draft(UInt64(number)), seed: 99) }
            let refusal = try Fixture.required(core.ingestOne(fork.range(4..<length), of: fork.name).refusal)
            #expect(refusal.rule == .contradictsHeld(isSigned: true))
            #expect(try core.contents() == before)
            #expect(try core.forkProofs().count == (length < 6 ? 1 : 0))
            #expect(try core.incidents(limit: 1).first?.kind == "possible fork")
        }
    }

    @Test func `entries altered under a genuine head are no fork`() throws {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        var writer = try FreeWriter()
        for number in 0..<6 { writer.add(Fixture.draft(UInt64(number))) }
        _ = try core.ingestOne(writer.range(), of: writer.name)
        var entries = writer.entries
        entries[4] = entries[3]
        let altered = EntryRange(log: writer.name.id, start: 0, entries: entries, checkpoint: try writer.checkpoint())
        #expect(try core.ingestOne(altered, of: writer.name).refusal?.rule == .contradictsHeld(isSigned: false))
        #expect(try core.forkProofs().isEmpty)
    }
}

extension FreeWriter {
    /// A head signed by the writer of another log.
    static func signedHead(of writer: FreeWriter, size: UInt64, root: Hash) throws -> [UInt8] {
        let head = Checkpoint(log: LogOrigin(network: writer.name.network, log: writer.name.id), size: size, root: root)
        return try SignedCheckpoint(signing: head, with: writer.key).bytes
    }
}
