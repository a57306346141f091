import EventLog
import Replication
import Testing

/// Any bytes at all, in any order, at any time: the machine answers or refuses, never traps, and keeps little.
struct FuzzTests {
    private static let peers = [TestNetwork.ahus, TestNetwork.ous]

    private static func machine() -> SingleMachine {
        var machine = SingleMachine(peers: peers, configuration: TestNetwork.configuration)
        machine.hold(logs: 12)
        for peer in peers { machine.exchange(with: peer) }
        return machine
    }

    /// Hands over bytes, answers what the machine asks of the store by chance, and checks that nothing piles up.
    private static func feed(_ bytes: [UInt8], to single: inout SingleMachine, using random: inout SplitMix64) {
        single.now += UInt64(random.number(0...40))
        var effects = single.machine.receive(bytes, from: peers.randomElement(using: &random)!, now: single.now)
        while let effect = effects.popLast() {
            switch effect {
            case .readRange(let token, let log, let from, _):
                let entries = [RawEntry(header: [1, 2, 3], body: [4])]
                let range = EntryRange(log: log, start: from, entries: entries, checkpoint: [9])
                effects += single.machine.rangeRead(token, random.chance(80) ? range : nil, now: single.now)
            case .ingest(let token, let range, let name, _):
                let result: Result<LogHead, IngestFailure> =
                    switch random.number(0...3) {
                    case 0: .success(LogHead(name: name, size: range.end, root: .sha256([1])))
                    case 1: .failure(.refused("forged"))
                    case 2: .failure(.outOfPlace)
                    default: .failure(.failed("full"))
                    }
                effects += single.machine.ingestFinished(token, result, now: single.now)
            case .takeOrders(let token, _, _): effects += single.machine.ordersTaken(token, now: single.now)
            default: break
            }
        }
        if random.chance(10) { _ = single.machine.tick(now: single.now) }
        if random.chance(1) { _ = single.machine.sendFailed(to: peers[0], now: single.now) }
        #expect(single.machine.footprint < 8 * TestNetwork.configuration.logsPerPeer)
    }

    @Test func `random bytes never trap and leave nothing behind`() {
        var single = FuzzTests.machine()
        var random = SplitMix64(seed: 1)
        let before = single.machine.footprint
        for _ in 0..<20_000 { FuzzTests.feed(random.bytes(random.number(0...120)), to: &single, using: &random) }
        #expect(single.machine.footprint <= before + 2 * 256)
    }

    @Test func `altered messages never trap`() {
        var random = SplitMix64(seed: 2)
        var single = FuzzTests.machine()
        for round in 0..<20_000 {
            if round % 500 == 0 { single = FuzzTests.machine() }
            var bytes = FuzzTests.message(single, using: &random).bytes
            for _ in 0..<random.number(0...3) where !bytes.isEmpty {
                let place = random.number(0...bytes.count - 1)
                switch random.number(0...4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(0xFF, at: place)
                case 3: bytes.removeSubrange(place...)
                default: bytes.insert(contentsOf: bytes[place...].prefix(60), at: place)
                }
            }
            FuzzTests.feed(bytes, to: &single, using: &random)
        }
    }

    @Test func `well formed messages of any content never trap and keep memory bounded`() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<20 {
            var single = FuzzTests.machine()
            for _ in 0..<2_000 {
                FuzzTests.feed(FuzzTests.message(single, using: &random).bytes, to: &single, using: &random)
            }
            // Status adds up all that peers claimed.
            #expect(single.machine.status.peers.count == 2)
        }
    }

    /// A message whose parts refer to what the machine knows, often wrongly.
    private static func message(_ single: SingleMachine, using random: inout SplitMix64) -> ReplicationMessage {
        let log = random.chance(70) ? single.logs.randomElement(using: &random)! : LogID(.sha256(random.bytes(2)))
        let size = random.chance(80) ? UInt64(random.number(1...30)) : random.next() % ReplicationProtocol.logSize + 1
        let row = HaveRow(
            node: TestNetwork.nodes.randomElement(using: &random)!,
            stream: TestNetwork.stream(of: TestNetwork.nodes.randomElement(using: &random)!),
            epoch: Epoch(RandomName(high: 7, low: random.next() % 4_000)), size: size, root: .sha256(random.bytes(1)))
        switch random.number(0...9) {
        case 0:
            var hello = single.hello(of: peers.randomElement(using: &random)!, incarnation: random.next() % 3)
            if random.chance(10) { hello.charterCount = random.next() % 4 }
            hello.isAnswer = random.chance(50)
            return .hello(hello)
        case 1: return .charterRequest(CharterRequest(first: random.next() % 3))
        case 2:
            return .haveDigest(
                HaveDigest(digest: .sha256(random.bytes(1)), count: random.next() % 9, isAnswer: random.chance(50)))
        case 3, 4:
            let count = random.number(1...3)
            let part = Have.Part(vector: random.next() % 5, index: random.number(0...count - 1), count: count)
            return .have(Have(part: random.chance(50) ? part : nil, rows: [row, row]))
        case 5:
            return .want(
                Want(
                    log: log, from: size - 1, pull: random.next() % 9 + 1, creditBytes: random.chance(50) ? 4_000 : .max
                ))
        case 6, 7:
            let start = random.chance(50) ? size - 1 : 10
            let entries = (0..<random.number(1...3)).map { _ in RawEntry(header: random.bytes(20), body: []) }
            guard start + 3 <= ReplicationProtocol.logSize else { return .refusal(Refusal(code: .tooMuch, text: "")) }
            return .range(
                RangeMessage(
                    pull: random.next() % 40,
                    range: EntryRange(log: log, start: start, entries: entries, checkpoint: random.bytes(9))))
        case 8: return .receipt(Receipt(log: log, size: size, root: row.root))
        default: return .rangeUnavailable(RangeUnavailable(pull: random.next() % 40 + 1, isAgain: random.chance(50)))
        }
    }
}
