import EventLog
import Replication
import Testing

/// Messages are read as they were written; anything else is refused before memory is taken for it.
struct MessageTests {
    static func samples(using random: inout SplitMix64) -> [ReplicationMessage] {
        let row = HaveRow(
            node: TestNetwork.ous, stream: TestNetwork.stream(of: TestNetwork.ous), epoch: Epoch(using: &random),
            size: 17, root: .sha256(random.bytes(4)))
        let entries = (1...3).map { RawEntry(header: random.bytes(50 * $0), body: random.bytes(20 * ($0 - 1))) }
        let range = EntryRange(
            log: LogID(.sha256(random.bytes(4))), start: 5, entries: entries, checkpoint: random.bytes(200))
        return [
            .hello(
                Hello(
                    node: TestNetwork.ous, network: TestNetwork.network, charterCount: 3,
                    charterHash: .sha256(random.bytes(4)), incarnation: random.next(), isAnswer: true)),
            .hello(
                Hello(
                    node: TestNetwork.ous, network: nil, charterCount: 0, charterHash: .sha256(random.bytes(4)),
                    incarnation: 0, isAnswer: false)),
            .charterRequest(CharterRequest(first: 4)),
            .charterVersions(CharterVersions(first: 4, versions: [random.bytes(40), random.bytes(60)])),
            .haveDigest(HaveDigest(digest: .sha256(random.bytes(4)), count: 9, isAnswer: true)),
            .have(Have(part: nil, rows: [row])),
            .have(Have(part: Have.Part(vector: 8, index: 1, count: 3), rows: [row, row])),
            .have(Have(part: Have.Part(vector: 8, index: 0, count: 1), rows: [])),
            .want(Want(log: range.log, from: 0, pull: 1, creditBytes: .max)),
            .range(RangeMessage(pull: 0, range: range)),
            .range(RangeMessage(pull: 0, range: range, isSentToAll: true)),
            .range(RangeMessage(pull: 77, range: range)),
            .receipt(Receipt(log: range.log, size: 8, root: row.root)),
            .rangeUnavailable(RangeUnavailable(pull: 3, isAgain: true)),
            .refusal(Refusal(code: .streamNotHeld, text: "not held here – sorry")),
            .orders(OrdersMessage(entries: [])),
            .orders(
                OrdersMessage(
                    entries: [
                        SentOrder(
                            node: row.node, stream: row.stream, epoch: row.epoch, index: 9, raw: entries[0],
                            checkpoint: range.checkpoint, path: [row.root, .sha256(random.bytes(4))])
                    ])),
            .haveDigest(
                HaveDigest(
                    digest: .sha256(random.bytes(4)), count: 9, isAnswer: false, cosignatures: .sha256(random.bytes(4)))
            ),
            .witnessRequest(WitnessedExtension(oldSize: 0, path: [], checkpoint: random.bytes(200))),
            .witnessRequest(WitnessedExtension(oldSize: 7, path: [row.root, row.root], checkpoint: random.bytes(9))),
            .witnessState(WitnessedSize(log: range.log, size: 0)),
            .witnessState(WitnessedSize(log: range.log, size: 12)),
            .cosignatures(CosignatureRows(rows: [], isAll: true)),
            .cosignatures(
                CosignatureRows(
                    rows: [
                        TestNetwork.cosignature(
                            of: TestNetwork.ahus, over: StatedHead(log: range.log, size: 4, root: row.root))
                    ], isAll: false)),
        ]
    }

    @Test func `every message is read as it was written`() throws {
        var random = SplitMix64(seed: 1)
        for message in MessageTests.samples(using: &random) {
            #expect(try ReplicationMessage(bytes: message.bytes) == message)
        }
    }

    @Test func `fields that a later version adds are passed over`() throws {
        let message = ReplicationMessage.rangeUnavailable(RangeUnavailable(pull: 3, isAgain: false))
        var writer = WireWriter()
        writer.unsigned(1, always: ReplicationProtocol.version)
        writer.message(10) { inner in
            inner.unsigned(1, always: 3)
            inner.string(900, "new")
        }
        #expect(try ReplicationMessage(bytes: writer.bytes) == message)
    }

    @Test func `what is too large, missing or of another version is refused`() {
        func error(_ body: (inout WireWriter) -> Void) -> WireError? {
            var writer = WireWriter()
            body(&writer)
            do throws(WireError) {
                _ = try ReplicationMessage(bytes: writer.bytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(error { _ in } == .missing(field: 1))
        #expect(error { $0.unsigned(1, always: 1) } == .unknownVersion(1))
        #expect(error { $0.unsigned(1, always: 0) } == .missing(field: 2))
        #expect(
            error {
                $0.unsigned(1, always: 0)
                $0.data(99, always: [])
            } == .outOfRange(field: 99))
        #expect(
            error {
                $0.unsigned(1, always: 0)
                $0.data(8, always: [UInt8](repeating: 0, count: ReplicationProtocol.messageBytes))
            } == .outOfRange(field: 0))
        // A size beyond all logs, an empty range, too many entries, a part beyond the parts.
        #expect(
            error {
                $0.unsigned(1, always: 0)
                $0.message(9) { inner in
                    inner.hash(1, .zero)
                    inner.unsigned(2, always: 1 << 41)
                    inner.hash(3, .zero)
                }
            } == .outOfRange(field: 2))
        #expect(
            error {
                $0.unsigned(1, always: 0)
                $0.message(8) { $0.hash(2, .zero) }
            } == .missing(field: 4))
        #expect(
            error {
                $0.unsigned(1, always: 0)
                $0.message(8) { inner in
                    for _ in 0...ReplicationProtocol.rangeEntries { inner.message(4) { $0.data(1, [1]) } }
                }
            } == .outOfRange(field: 4))
        #expect(
            error {
                $0.unsigned(1, always: 0)
                $0.message(6) { inner in
                    inner.unsigned(2, always: 3)
                    inner.unsigned(3, always: 3)
                }
            } == .outOfRange(field: 2))
    }

    @Test func `a large vector is cut into parts that each fit a message`() {
        var machine = SingleMachine(peers: [TestNetwork.ous])
        machine.hold(logs: 6_000)
        machine.exchange(with: TestNetwork.ous)
        let digest = HaveDigest(digest: .zero, count: 0, isAnswer: true)
        let effects = machine.receive(.haveDigest(digest), from: TestNetwork.ous)
        var parts: [Have] = []
        for case .send(let bytes, _) in effects {
            #expect(bytes.count <= ReplicationProtocol.messageBytes)
            if case .have(let have)? = try? ReplicationMessage(bytes: bytes) { parts.append(have) }
        }
        #expect(parts.count > 1)
        #expect(parts.map(\.part?.index) == Array(0..<parts.count))
        #expect(parts.reduce(0) { $0 + $1.rows.count } == 6_000)
    }
}
