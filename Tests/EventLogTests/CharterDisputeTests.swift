import EventLog
import Testing

/// Two versions that follow the same one, both signed by enough administrators: what counts does not hang on which came first.
struct CharterDisputeTests {
    private let founding: SignedCharter
    private let fonna = NodeID("fonna")!

    init() throws {
        founding = try TestCharter.sign(TestCharter.founding())
    }

    private func follow(_ signed: SignedCharter, _ change: (inout Charter) -> Void) throws -> SignedCharter {
        var next = signed.successor
        change(&next)
        return try TestCharter.sign(next)
    }

    private func admitting(_ node: NodeID, after signed: SignedCharter) throws -> SignedCharter {
        try follow(signed) { $0.nodes.append(TestCharter.node(node)) }
    }

    private func revoking(_ place: Int, _ heads: [StatedHead], after signed: SignedCharter) throws -> SignedCharter {
        try follow(signed) { charter in
            charter.nodes[place].state = .revoked
            charter.nodes[place].accepted = heads
        }
    }

    private func chain(_ versions: [SignedCharter]) throws -> CharterChain {
        var chain = CharterChain(foundingHash: founding.hash)
        for signed in versions { try chain.insert(signed) }
        return chain
    }

    /// All orders in which no version comes before the one it follows.
    private func orders(_ versions: [SignedCharter]) -> [[SignedCharter]] {
        guard versions.count > 1 else { return [versions] }
        return versions.flatMap { last -> [[SignedCharter]] in
            guard !versions.contains(where: { $0.charter.previous == last.hash }) else { return [] }
            return orders(versions.filter { $0 != last }).map { $0 + [last] }
        }
    }

    @Test func `rivals, what follows them and what settles them give the same in every order`() throws {
        let admits = try admitting(fonna, after: founding)
        let goesOn = try follow(admits) { $0.nodes[0].name = "Another name" }
        let revokes = try revoking(1, [TestCharter.head("a", size: 4)], after: founding)
        let third = try follow(founding) { $0.nodes[1].name = "A third name" }
        let disputed = try chain([founding, admits, revokes])
        let settled = try TestCharter.sign(try #require(disputed.dispute).settlement(keeping: admits))
        for set in [
            [founding, admits, revokes], [founding, admits, goesOn, revokes],
            [founding, admits, goesOn, revokes, third],
            [founding, admits, revokes, settled], [founding, admits, goesOn, revokes, third, settled],
        ] {
            let first = try chain(set)
            for order in orders(set) {
                let other = try chain(order)
                #expect(other == first && other.newestHash == first.newestHash && other.newest == first.newest)
                #expect(other.charters == first.charters && other.dispute == first.dispute)
                #expect(other.witnessKeys() == first.witnessKeys())
            }
            #expect(try CharterChain(bytes: first.bytes) == first)
        }
    }

    @Test func `what any rival revokes counts, and what it admits does not`() throws {
        let admits = try admitting(fonna, after: founding)
        let revokes = try revoking(
            1, [TestCharter.head("a", size: 4), TestCharter.head("b", size: 2)], after: founding)
        let alone = try chain([founding, admits])
        #expect(alone.isAdmitted(fonna) && alone.isAdmitted(TestCharter.haukeland))
        let both = try chain([founding, admits, revokes])
        #expect(!both.isAdmitted(fonna) && both.isAdmitted(TestCharter.ous))
        #expect(!both.isAdmitted(TestCharter.haukeland))
        #expect(both.node(TestCharter.haukeland)?.accepted.map(\.size) == [4, 2])
        #expect(both.newestNumber == 1 && both.newest?.number == 1)
        #expect(both.newestHash != alone.newestHash)
        // Two revocations accept what both do.
        let otherwise = try revoking(1, [TestCharter.head("a", size: 3)], after: founding)
        let three = try chain([founding, admits, revokes, otherwise])
        #expect(three.node(TestCharter.haukeland)?.accepted == [TestCharter.head("a", size: 3)])
    }

    @Test func `a key that one rival replaces is replaced, and a node to which two give different ones is out`() throws
    {
        let rotated = TestCharter.node(TestCharter.ous, 2)
        let one = try follow(founding) { charter in
            charter.nodes[0] = rotated
            charter.nodes[0].accepted = [TestCharter.head("a", size: 5)]
        }
        let other = try admitting(fonna, after: founding)
        let third = try follow(founding) { $0.nodes[0] = TestCharter.node(TestCharter.ous, 3) }
        let two = try chain([founding, one, other])
        #expect(two.node(TestCharter.ous)?.signingKey == rotated.signingKey && two.isAdmitted(TestCharter.ous))
        #expect(two.signingKey(of: TestCharter.ous, at: 1) == rotated.signingKey)
        #expect(two.node(TestCharter.ous)?.accepted.map(\.size) == [5])
        let three = try chain([founding, one, other, third])
        #expect(!three.isAdmitted(TestCharter.ous) && three.node(TestCharter.ous)?.accepted == [])
        #expect(three.signingKeys(of: TestCharter.ous).count == 3)
    }

    @Test func `a settlement names every rival, stands above their numbers, and ends the dispute`() throws {
        let admits = try admitting(fonna, after: founding)
        let goesOn = try follow(admits) { $0.nodes[0].name = "Another name" }
        let revokes = try revoking(1, [TestCharter.head("a", size: 4)], after: founding)
        var chain = try chain([founding, admits, goesOn, revokes])
        let dispute = try #require(chain.dispute)
        #expect(Set(dispute.rivals) == [admits, revokes] && Set(dispute.tips) == [goesOn, revokes])
        // Nothing else may follow, and nobody begins a dispute by hand.
        #expect(throws: CharterError.disputed(after: 0)) { try chain.append(follow(goesOn) { _ in }) }
        #expect(throws: CharterError.disputed(after: 0)) {
            try chain.append(follow(founding) { $0.nodes[0].name = "A fourth name" })
        }
        var low = dispute.settlement(keeping: goesOn)
        low.number = 2
        #expect(throws: CharterError.numberUnexpected(expected: 3, found: 2)) {
            try chain.append(TestCharter.sign(low))
        }
        let settled = try TestCharter.sign(dispute.settlement(keeping: goesOn))
        try chain.append(settled)
        #expect(chain.dispute == nil && chain.newestNumber == 3 && chain.newest == settled.charter)
        #expect(chain.isAdmitted(fonna) && chain.node(TestCharter.ous)?.name == "Another name")
        // Whom a rival revoked stays revoked.
        #expect(!chain.isAdmitted(TestCharter.haukeland))
        // What was written knowing a rival is judged by what settled it.
        for number in UInt64(1)...3 { #expect(chain.charter(at: number) == settled.charter) }
        #expect(chain.charter(at: 4) == nil && chain.charters.count == 4)
        try chain.append(follow(settled) { $0.nodes[0].name = "A last name" })
        #expect(chain.newestNumber == 4)
    }

    @Test func `a settlement that leaves a rival out is a rival itself`() throws {
        let admits = try admitting(fonna, after: founding)
        let revokes = try revoking(1, [TestCharter.head("a", size: 4)], after: founding)
        let third = try revoking(0, [], after: founding)
        let settled = try TestCharter.sign(
            try #require(try chain([founding, admits, revokes]).dispute).settlement(keeping: admits))
        let late = try chain([founding, admits, revokes, settled, third])
        #expect(late.dispute?.rivals.count == 4)
        #expect(!late.isAdmitted(fonna) && !late.isAdmitted(TestCharter.ous))
        // The number that writers knew never falls.
        #expect(late.newestNumber == settled.charter.number)
        var again = late
        try again.append(TestCharter.sign(try #require(late.dispute).settlement(keeping: nil)))
        #expect(again.dispute == nil && again.newestNumber == settled.charter.number + 1)
    }

    @Test func `a rival is checked like every version`() throws {
        let admits = try admitting(fonna, after: founding)
        let chain = try chain([founding, admits])
        let unsigned = try SignedCharter(charterBytes: founding.successor.bytes, signatures: [])
        let orphan = try follow(try follow(founding) { $0.nodes[0].name = "Not here" }) { _ in }
        let dropping = try follow(founding) {
            $0.nodes.removeLast(); $0.locations = []
        }
        for (version, refusal) in [
            (unsigned, CharterError.signaturesMissing(valid: 0, needed: 1)), (orphan, .previousMismatch(number: 2)),
            (dropping, .nodeDropped(TestCharter.haukeland)),
        ] {
            var longer = chain
            #expect(throws: refusal) { try longer.insert(version) }
            #expect(longer == chain && longer.newest == chain.newest)
        }
        // Settling where there is nothing to settle, or at a number that cannot be, is refused.
        var early = founding.successor
        early.settles = [admits.hash]
        #expect(throws: CharterError.numberUnexpected(expected: 2, found: 1)) {
            var longer = chain
            try longer.insert(TestCharter.sign(early))
        }
        early.settles = [admits.hash, admits.hash]
        #expect(throws: CharterError.settledMisplaced) { try TestCharter.sign(early) }
        early.settles = [admits.hash]
        early.number = .max
        #expect(throws: CharterError.tooMany(.versions, limit: CharterLimit.versions)) { try TestCharter.sign(early) }
    }
}
