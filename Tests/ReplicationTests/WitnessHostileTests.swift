import EventLog
import Replication
import Testing

/// What writers, witnesses and peers that do not keep the rules cannot make a witness say, or a node believe.
struct WitnessHostileTests {
    private static let writer = TestNetwork.ous
    private static let me = TestNetwork.haukeland
    private static let other = TestNetwork.ahus

    /// A node that witnesses, with two peers in exchange, and holds nothing.
    private func witness(_ mode: WitnessMode = .active) -> SingleMachine {
        var configuration = ReplicationConfiguration()
        configuration.witnessMilliseconds = 10_000
        var machine = SingleMachine(
            node: Self.me, peers: [Self.writer, Self.other], policy: TestNetwork.closed(TestNetwork.nodes),
            configuration: configuration)
        _ = machine.machine.setWitnessMode(mode, now: machine.now)
        machine.exchange(with: Self.writer)
        machine.exchange(with: Self.other)
        return machine
    }

    private func log(of node: NodeID = writer, entries: Int, seed: UInt64 = 5) -> SimulatedLog {
        var random = SplitMix64(seed: 5)
        var store = SimulatedStore(node: node, signing: .real)
        var other = SplitMix64(seed: seed)
        _ = store.append(1, to: TestNetwork.stream(of: node), using: &random)
        for _ in 1..<entries { _ = store.append(1, to: TestNetwork.stream(of: node), using: &other) }
        return store.logs.values.first!
    }

    private func order(_ effects: [ReplicationEffect]) -> (token: WitnessToken, head: StatedHead)? {
        for case .cosign(let token, let head, _, _) in effects { return (token, head) }
        return nil
    }

    private func incidents(_ effects: [ReplicationEffect]) -> [ReplicationIncident.Kind] {
        effects.compactMap { if case .report(let incident) = $0 { incident.kind } else { nil } }
    }

    /// Shows a head and lets the store do as it is told.
    private func cosign(
        _ shown: WitnessedExtension, _ machine: inout SingleMachine, from peer: NodeID = writer
    ) -> (sent: [ReplicationMessage], incidents: [ReplicationIncident.Kind], head: StatedHead?) {
        let effects = machine.receive(.witnessRequest(shown), from: peer)
        guard let (token, head) = order(effects) else { return (machine.messages(effects), incidents(effects), nil) }
        // Nothing leaves the node before it is durable.
        #expect(machine.messages(effects).isEmpty)
        let row = TestNetwork.cosignature(of: Self.me, over: head)
        let after = machine.machine.cosigned(token, .success(row), now: machine.now)
        return (machine.messages(after), incidents(after), head)
    }

    private func rows(_ messages: [ReplicationMessage]) -> [KeptCosignature] {
        messages.flatMap { if case .cosignatures(let rows) = $0 { rows.rows } else { [] as [KeptCosignature] } }
    }

    @Test func `a writer is vouched for when the head is durable, once in ten seconds, and is told how far it is`()
        throws
    {
        var machine = witness()
        let log = log(entries: 9)
        var short = log
        short.cut(to: 4)
        let first = cosign(try #require(short.proof(from: 0)), &machine)
        #expect(first.head?.size == 4)
        #expect(rows(first.sent).map(\.head.size) == [4])
        // Too soon: nothing happens, and nothing is promised.
        machine.now += 9_000
        let soon = cosign(try #require(log.proof(from: 4)), &machine)
        #expect(soon.head == nil && soon.sent.isEmpty && soon.incidents.isEmpty)
        machine.now += 1_001
        // From elsewhere than where it stands it says where that is, and tells its statement again.
        let lost = cosign(try #require(log.proof(from: 0)), &machine)
        #expect(lost.head == nil)
        #expect(lost.sent.contains(.witnessState(WitnessedSize(log: log.name.id, size: 4))))
        let second = cosign(try #require(log.proof(from: 4)), &machine)
        #expect(second.head?.size == 9)
        // The same again needs no new statement.
        machine.now += 20_000
        let again = cosign(try #require(log.proof(from: 9)), &machine)
        #expect(again.head == nil)
        #expect(rows(again.sent).map(\.head.size) == [9])
    }

    @Test func `a writer that signed two histories is refused, and people are told with the head that was shown`()
        throws
    {
        var machine = witness()
        let log = log(entries: 9)
        let fork = self.log(entries: 12, seed: 6)
        #expect(log.name == fork.name)
        _ = cosign(try #require(log.proof(from: 0)), &machine)
        machine.now += 20_000
        let refused = cosign(try #require(fork.proof(from: 9)), &machine)
        #expect(refused.head == nil)
        guard case .witnessRefused(let named, .proof, let shown)? = refused.incidents.first else {
            Issue.record("no incident: \(refused.incidents)")
            return
        }
        #expect(named == log.name.id)
        #expect(shown == fork.checkpoints.last?.note)
        #expect(rows(refused.sent).isEmpty)
        var equal = fork
        equal.cut(to: 9)
        machine.now += 20_000
        let same = cosign(try #require(equal.proof(from: 9)), &machine)
        guard case .witnessRefused(_, .contradicts, _)? = same.incidents.first else {
            Issue.record("no incident: \(same.incidents)")
            return
        }
    }

    @Test func `nobody is vouched for but a log's writer, and a head is never taken from another`() throws {
        var machine = witness()
        let proof = try #require(log(entries: 3).proof(from: 0))
        let foreign = cosign(proof, &machine, from: Self.other)
        #expect(foreign.head == nil)
        #expect(cosign(proof, &machine).head?.size == 3)
        machine.now += 20_000
        // A log that is known to be another's is not even looked at.
        let theft = try #require(log(of: Self.other, entries: 4).proof(from: 0))
        #expect(cosign(theft, &machine).head == nil)
        #expect(cosign(theft, &machine, from: Self.other).head?.size == 4)
    }

    @Test func `without a key that may be used nothing is vouched for`() throws {
        for mode in [WitnessMode.silent, .none, .afterHearing([Self.other])] {
            var machine = witness(mode)
            #expect(cosign(try #require(log(entries: 3).proof(from: 0)), &machine).head == nil)
        }
    }

    @Test func `where the store knows of a later head the machine believes it`() throws {
        var machine = witness()
        let log = log(entries: 9)
        let proof = try #require(log.proof(from: 0))
        let effects = machine.receive(.witnessRequest(proof), from: Self.writer)
        let (token, _) = try #require(order(effects))
        let stored = StatedHead(log: log.name.id, size: 6, root: try #require(log.root(ofFirst: 6)))
        _ = machine.machine.cosigned(token, .failure(.otherNewest(stored)), now: machine.now)
        machine.now += 20_000
        #expect(machine.machine.newestCosigned(of: log.name.id) == stored)
        let told = cosign(try #require(log.proof(from: 0)), &machine)
        #expect(told.sent.contains(.witnessState(WitnessedSize(log: log.name.id, size: 6))))
        #expect(cosign(try #require(log.proof(from: 6)), &machine).head?.size == 9)
    }

    // MARK: Taking cosignatures

    /// A node that holds a log of its own, and the log.
    private func holder() -> (machine: SingleMachine, head: LogHead) {
        var machine = witness()
        let log = log(of: Self.me, entries: 5)
        _ = machine.machine.storeCommitted([log.head], now: machine.now)
        return (machine, log.head)
    }

    private func take(
        _ rows: [KeptCosignature], _ machine: inout SingleMachine, from peer: NodeID = other
    ) -> (kept: [KeptCosignature], incidents: [ReplicationIncident.Kind], effects: [ReplicationEffect]) {
        let effects = machine.receive(.cosignatures(CosignatureRows(rows: rows, isAll: false)), from: peer)
        var kept: [KeptCosignature] = []
        for case .keepCosignatures(let rows, _) in effects { kept += rows }
        return (kept, incidents(effects), effects)
    }

    @Test func `a valid cosignature of a key of the charter is kept, once`() {
        var (machine, head) = holder()
        let row = TestNetwork.cosignature(
            of: Self.other, over: StatedHead(log: head.name.id, size: head.size, root: head.root))
        #expect(take([row], &machine).kept == [row])
        // While it is being stored, and afterwards, it is no news.
        #expect(take([row], &machine).kept == [])
        _ = machine.machine.cosignaturesKept([row], contradicting: [], from: Self.other, now: machine.now)
        #expect(take([row], &machine).kept == [])
        #expect(machine.machine.cosignatures(of: head.name.id) == [row])
    }

    @Test func `forged, contradicting and unknown ones are not kept, and their sender is not listened to for a while`()
    {
        var (machine, head) = holder()
        let stated = StatedHead(log: head.name.id, size: head.size, root: head.root)
        let good = TestNetwork.cosignature(of: Self.other, over: stated)
        let contradicting = take(
            [
                TestNetwork.cosignature(
                    of: Self.other, over: StatedHead(log: stated.log, size: stated.size, root: .zero))
            ],
            &machine)
        #expect(contradicting.kept == [])
        guard case .cosignatureContradicts? = contradicting.incidents.first else {
            Issue.record("no incident: \(contradicting.incidents)")
            return
        }
        // A key that is none of the charter's, a node that is in none, a log that is not held.
        let stranger = NodeID("stranger")!
        for row in [
            TestNetwork.cosignature(of: Self.other, over: stated, number: 2),
            TestNetwork.cosignature(of: stranger, over: stated),
            TestNetwork.cosignature(of: Self.other, over: StatedHead(log: LogID(.zero), size: 1, root: .zero)),
        ] {
            let taken = take([row], &machine)
            #expect(taken.kept == [] && taken.incidents == [])
        }
        let forged = KeptCosignature(
            head: stated, witness: good.witness, unixSeconds: 2, signature: good.signature)
        #expect(take([forged, good], &machine).incidents == [.cosignatureInvalid(good.witness)])
        #expect(take([good], &machine).kept == [])
        machine.now += 31_000
        #expect(take([good], &machine).kept == [good])
    }

    @Test func `one's own cosignature that is not known here ends the key, and one that is does not`() throws {
        var machine = witness()
        let log = log(entries: 6)
        let proof = try #require(log.proof(from: 0))
        let cosigned = cosign(proof, &machine).head
        let known = try #require(cosigned)
        func own(_ size: UInt64) throws -> KeptCosignature {
            TestNetwork.cosignature(
                of: Self.me,
                over: StatedHead(log: log.name.id, size: size, root: try #require(log.root(ofFirst: size))))
        }
        for size in [3, known.size] {
            let effects = take([try own(size)], &machine, from: Self.writer).effects
            #expect(!effects.contains { if case .retireWitnessKey = $0 { true } else { false } })
        }
        let forgotten = TestNetwork.cosignature(
            of: Self.me, over: StatedHead(log: log.name.id, size: 7, root: .sha256([1])))
        let taken = take([forgotten], &machine, from: Self.writer)
        #expect(taken.effects.contains { if case .retireWitnessKey = $0 { true } else { false } })
        #expect(machine.machine.witnessMode == .silent)
        machine.now += 20_000
        #expect(cosign(try #require(self.log(entries: 8).proof(from: 6)), &machine).head == nil)
    }

    @Test func `no peer makes a witness keep more in mind than its logs`() {
        var configuration = ReplicationConfiguration()
        configuration.logsPerPeer = 20
        var machine = SingleMachine(
            node: Self.me, peers: [Self.writer], policy: TestNetwork.closed(TestNetwork.nodes),
            configuration: configuration)
        _ = machine.machine.setWitnessMode(.active, now: machine.now)
        machine.exchange(with: Self.writer)
        var random = SplitMix64(seed: 9)
        for _ in 0..<60 {
            var store = SimulatedStore(node: Self.writer, signing: .real)
            _ = store.append(1, to: TestNetwork.stream(of: Self.writer), using: &random)
            guard let proof = store.logs.values.first?.proof(from: 0) else { continue }
            _ = cosign(proof, &machine)
        }
        #expect(machine.machine.footprint < 120)
    }
}
