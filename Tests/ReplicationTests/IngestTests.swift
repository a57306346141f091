import EventLog
import Replication
import Testing

/// What the machine makes of the store's answers, message by message.
struct IngestTests {
    private let peer = TestNetwork.ous
    private let other = TestNetwork.ahus

    /// A machine that has been told of one log, by both peers, and its first want.
    private func pulling() -> (single: SingleMachine, name: LogName, want: Want, source: NodeID)? {
        var single = SingleMachine(peers: [peer, other])
        let name = SingleMachine.name(1, node: TestNetwork.stavanger)
        let row = HaveRow(LogHead(name: name, size: 20, root: .sha256([20])))
        single.exchange(with: peer)
        single.exchange(with: other)
        let effects = single.receive(.have(Have(part: nil, rows: [row])), from: peer)
        _ = single.receive(.have(Have(part: nil, rows: [row])), from: other)
        guard case .want(let want)? = single.messages(effects).first else { return nil }
        return (single, name, want, peer)
    }

    private func range(_ name: LogName, _ indices: Range<UInt64>) -> EntryRange {
        EntryRange(
            log: name.id, start: indices.lowerBound, entries: indices.map { _ in RawEntry(header: [1], body: [2]) },
            checkpoint: [3])
    }

    private func token(_ effects: [ReplicationEffect]) -> IngestToken? {
        for case .ingest(let token, _, _, _) in effects { return token }
        return nil
    }

    @Test func `one log is wanted from one peer only, from where it ends here`() throws {
        var (single, name, want, source) = try #require(pulling())
        #expect(want.log == name.id && want.from == 0 && want.creditBytes > 0)
        #expect(single.messages(single.machine.tick(now: single.now + 50)).allSatisfy { $0 != .want(want) })
        #expect(single.machine.status.peers.filter { $0.logsInFlight > 0 }.map(\.node) == [source])
    }

    @Test func `a receipt goes out when the range is durable, not before`() throws {
        var (single, name, want, source) = try #require(pulling())
        let came = single.receive(.range(RangeMessage(pull: want.pull, range: range(name, 0..<10))), from: source)
        #expect(single.messages(came).isEmpty)
        let head = LogHead(name: name, size: 10, root: .sha256([10]))
        let stored = single.machine.ingestFinished(try #require(token(came)), .success(head), now: single.now)
        #expect(single.messages(stored).contains(.receipt(Receipt(log: name.id, size: 10, root: head.root))))
        #expect(single.machine.knownAt(log: name.id, size: 10) == [other, source])
    }

    @Test func `a range out of place is nobody's fault: the pull begins anew where the log ends`() throws {
        var (single, name, want, source) = try #require(pulling())
        let came = single.receive(.range(RangeMessage(pull: want.pull, range: range(name, 0..<10))), from: source)
        let head = LogHead(name: name, size: 4, root: .sha256([4]))
        _ = single.machine.storeCommitted([head], now: single.now)
        let effects = single.machine.ingestFinished(
            try #require(token(came)), .failure(.outOfPlace), now: single.now)
        guard case .want(let again)? = single.messages(effects).first else {
            Issue.record("the log was not wanted again")
            return
        }
        #expect(again.from == 4 && again.pull > want.pull)
        #expect(!effects.contains { if case .report = $0 { true } else { false } })
    }

    @Test func `a gap makes the pull begin anew, what is held already is receipted`() throws {
        var (single, name, want, source) = try #require(pulling())
        let gap = single.receive(.range(RangeMessage(pull: want.pull, range: range(name, 5..<10))), from: source)
        guard case .want(let again)? = single.messages(gap).first else {
            Issue.record("the log was not wanted again")
            return
        }
        #expect(again.from == 0 && again.pull > want.pull)
        let head = LogHead(name: name, size: 10, root: .sha256([10]))
        _ = single.machine.storeCommitted([head], now: single.now)
        let twice = single.receive(.range(RangeMessage(pull: 0, range: range(name, 5..<10))), from: other)
        #expect(single.messages(twice) == [.receipt(Receipt(log: name.id, size: 10, root: head.root))])
        #expect(token(twice) == nil)
    }

    @Test func `a refused range is asked of another peer at once, and of this one later`() throws {
        var (single, name, want, source) = try #require(pulling())
        let came = single.receive(.range(RangeMessage(pull: want.pull, range: range(name, 0..<10))), from: source)
        var effects: [ReplicationEffect] = []
        effects = single.machine.ingestFinished(
            try #require(token(came)), .failure(.refused("forged")), now: single.now)
        let refused = ReplicationIncident.Kind.rangeRefused(log: name.id, start: 0, reason: "forged")
        #expect(effects.contains(.report(ReplicationIncident(peer: source, kind: refused))))
        #expect(wanted(effects) == [other])
        // What it sends of this log meanwhile is not even looked at.
        #expect(token(single.receive(.range(RangeMessage(pull: 0, range: range(name, 0..<10))), from: source)) == nil)
        // The other one is silent: when it times out nobody is asked before the first back-off ends.
        let limits = ReplicationConfiguration()
        single.now += limits.wantTimeoutMilliseconds
        #expect(wanted(single.machine.tick(now: single.now)) == [])
        single.now += limits.backOffMilliseconds - limits.wantTimeoutMilliseconds
        #expect(wanted(single.machine.tick(now: single.now)) == [source])
    }

    private func wanted(_ effects: [ReplicationEffect]) -> [NodeID] {
        effects.compactMap { effect in
            guard case .send(let bytes, let peer) = effect, case .want? = try? ReplicationMessage(bytes: bytes) else {
                return nil
            }
            return peer
        }
    }

    @Test func `what the verifier says decides who is to blame`() {
        let log = LogID(.sha256([1]))
        func failure(_ rule: RangeRefusal.Rule) -> IngestFailure {
            IngestFailure(RangeRefusal(log: log, index: 3, rule: rule))
        }
        func kind(_ failure: IngestFailure) -> String {
            switch failure {
            case .refused: "refused"
            case .contradicts: "contradicts"
            case .outOfPlace: "out of place"
            case .isNoBranch: "is no branch"
            case .failed: "failed"
            }
        }
        #expect(kind(failure(.wrongStart(expected: 1))) == "out of place")
        #expect(kind(failure(.partMissing(position: 0))) == "failed")
        #expect(kind(failure(.ownLogIsOpen)) == "failed")
        #expect(kind(failure(.rootMismatch(isSigned: true))) == "contradicts")
        #expect(kind(failure(.rootMismatch(isSigned: false))) == "refused")
        #expect(kind(failure(.partMismatch(position: 0))) == "refused")
        #expect(kind(failure(.empty)) == "refused")
    }
}
