import EventLog
import StoreCore
import Testing

/// What a node keeps as a witness: durable before anything is signed, only growing, and never against the entries it holds.
struct WitnessStoreTests {
    private let writer = NodeID(unchecked: "unn")

    private func head(_ size: UInt64, _ text: String = "a") -> StatedHead {
        StatedHead(log: LogID(.sha256([1])), size: size, root: .sha256([UInt8]("\(text) \(size)".utf8)))
    }

    private func row(_ head: StatedHead, of node: String = "unn", number: UInt32 = 1) throws -> KeptCosignature {
        let name = WitnessName(network: Fixture.network, node: NodeID(unchecked: node), number: number)
        let key = try #require(WitnessSigningKey(name: name.keyName, seed: Fixture.seed(node)))
        return KeptCosignature(cosigning: head, as: name, with: key, unixSeconds: 5)
    }

    @Test func `a head replaces the one named, a larger one only, and is there after a crash`() throws {
        let directory = TemporaryDirectory()
        do {
            let core = try StoreCore(Fixture.configuration(directory))
            try core.transaction { () throws -> Void in
                #expect(try core.storeWitnessed(head(4), after: nil, writer: writer) == .stored)
            }
            try core.transaction { () throws -> Void in
                #expect(try core.storeWitnessed(head(6), after: nil, writer: writer) == .otherNewest(head(4)))
                #expect(try core.storeWitnessed(head(4), after: head(4), writer: writer) == .otherNewest(head(4)))
                #expect(try core.storeWitnessed(head(3), after: head(4), writer: writer) == .otherNewest(head(4)))
                #expect(try core.storeWitnessed(head(9), after: head(4), writer: writer) == .stored)
            }
            try core.close()
        }
        let core = try StoreCore(Fixture.configuration(directory))
        #expect(try core.witnessed().map(\.head) == [head(9)])
        #expect(try core.witnessed().map(\.writer) == [writer])
        try core.close()
    }

    @Test func `of each key the cosignature over the largest head is kept`() throws {
        let directory = TemporaryDirectory()
        let core = try StoreCore(Fixture.configuration(directory))
        try core.transaction { () throws -> Void in
            for size in [4, 9, 7] as [UInt64] {
                let made = try row(head(size))
                #expect(try core.storeCosignature(made))
            }
            do {
                let made = try row(head(5), number: 2)
                #expect(try core.storeCosignature(made))
            }
            do {
                let made = try row(head(3), of: "ous")
                #expect(try core.storeCosignature(made))
            }
        }
        let kept = try core.cosignatures()
        #expect(kept.map(\.head.size) == [3, 9, 5])
        let witnesses = kept.map { "\($0.witness.node)/\($0.witness.number)" }
        #expect(witnesses == ["ous/1", "unn/1", "unn/2"])
        try core.close()
    }

    @Test func `nothing is vouched for or kept against the entries that are held`() throws {
        let directory = TemporaryDirectory()
        let core = try StoreCore(Fixture.configuration(directory))
        let held = try core.transaction { () throws -> LogID in
            for number in 0..<5 as Range<UInt64> { _ = try core.append(Fixture.draft(number), time: Fixture.time()) }
            return try #require(try core.ownLogs().first).name.id
        }
        let root = try #require(try core.root(of: held, size: 3))
        #expect(try core.frontier(of: held, size: 3)?.root == root)
        try core.transaction { () throws -> Void in
            let wrong = StatedHead(log: held, size: 3, root: .zero)
            do {
                let made = try row(wrong)
                #expect(try !core.storeCosignature(made))
            }
            do {
                let made = try row(StatedHead(log: held, size: 3, root: root))
                #expect(try core.storeCosignature(made))
            }
            #expect(try core.storeWitnessed(wrong, after: nil, writer: writer) == .stored)
            let newest = try #require(try core.head(of: held))
            let next = StatedHead(log: held, size: newest.size, root: newest.root)
            #expect(try core.storeWitnessed(next, after: wrong, writer: writer) == .contradictsHeld(wrong))
        }
        try core.close()
    }

    @Test func `roots and proofs of long logs are those of their leaves`() throws {
        let directory = TemporaryDirectory()
        let core = try StoreCore(Fixture.configuration(directory))
        let log = try core.transaction { () throws -> LogID in
            for number in 0..<2_500 as Range<UInt64> {
                _ = try core.append(Fixture.draft(number), time: Fixture.time())
            }
            return try #require(try core.ownLogs().first).name.id
        }
        let size = try #require(try core.head(of: log)).size
        for old in [1, 7, 1_023, 1_024, 1_025, 2_047, 2_048, 2_300, size] as [UInt64] {
            let root = try #require(try core.root(of: log, size: old))
            #expect(try core.frontier(of: log, size: old)?.root == root)
            let shown = try #require(try core.witnessedExtension(of: log, from: old))
            let signed = try SignedCheckpoint(bytes: shown.checkpoint)
            #expect(signed.checkpoint.size == size)
            try ConsistencyProof(oldSize: old, newSize: size, path: shown.path)
                .verify(oldRoot: root, newRoot: signed.checkpoint.root)
        }
        #expect(try core.witnessedExtension(of: log, from: size + 1) == nil)
        try core.close()
    }

    @Test func `a draft that knows less than the log is refused, and goes into a new log when that is closed`() throws {
        let directory = TemporaryDirectory()
        let core = try StoreCore(Fixture.configuration(directory))
        var knowing = Fixture.draft(101)
        knowing.known = KnownVersions(charter: 2, participation: 3, delegation: 4)
        var orders = Fixture.draft(102)
        orders.known = KnownVersions(charter: 2, participation: 3, delegation: 0)
        try core.transaction { () throws -> Void in
            _ = try core.append(knowing, time: Fixture.time())
            // What relies on no delegation states none, and falls behind nothing.
            _ = try core.append(orders, time: Fixture.time())
        }
        let log = try #require(try core.ownLogs().first).name.id
        for known in [
            KnownVersions(charter: 1, participation: 3, delegation: 4),
            KnownVersions(charter: 2, participation: 2, delegation: 4),
            KnownVersions(charter: 2, participation: 3, delegation: 3),
        ] {
            var fallen = Fixture.draft(103)
            fallen.known = known
            #expect {
                try core.transaction { _ = try core.append(fallen, time: Fixture.time()) }
            } throws: {
                if case StoreError.knowledgeFell(log) = $0 { true } else { false }
            }
        }
        var fallen = Fixture.draft(104)
        fallen.known = KnownVersions(charter: 1, participation: 3, delegation: 4)
        try core.transaction { () throws -> Void in
            let closing = try core.closeInGoodOrder(log, time: Fixture.time())
            #expect(closing.header.operation == .logClosed)
            #expect(closing.header.known == knowing.known)
            let appended = try core.append(fallen, time: Fixture.time())
            #expect(appended.receipt.address.log != log)
        }
        #expect(try core.log(log)?.status == .closed(.givenUp))
        try core.close()
        // Also after a start, when the log's last entries have to be looked up.
        let again = try StoreCore(Fixture.configuration(directory))
        try again.transaction { try again.confirmStart(.guardAgrees) }
        var older = Fixture.draft(105)
        older.known = KnownVersions(charter: 0, participation: 3, delegation: 4)
        #expect(throws: StoreError.self) {
            try again.transaction { _ = try again.append(older, time: Fixture.time()) }
        }
        try again.close()
    }

    @Test func `a retired key stays retired`() throws {
        let directory = TemporaryDirectory()
        let core = try StoreCore(Fixture.configuration(directory))
        let key = WitnessPublicKey(.sha256([4]))
        #expect(try core.retirement(of: key) == nil)
        try core.transaction { try core.retireWitnessKey(key, reason: "set back", time: Fixture.time()) }
        try core.transaction { try core.retireWitnessKey(key, reason: "again", time: Fixture.time()) }
        #expect(try core.retirement(of: key) == "set back")
        try core.close()
    }
}
