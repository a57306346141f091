import EventLog
import Testing

/// The rules for one version of the charter and for how it follows the one before.
struct CharterRuleTests {
    @Test func `a version must follow the one that is here`() throws {
        let chain = try TestCharter.chain()
        #expect(TestCharter.verdict(on: chain) { _ in } == nil)
        #expect(TestCharter.verdict(on: chain) { $0.number = 2 } == .numberUnexpected(expected: 1, found: 2))
        #expect(TestCharter.verdict(on: chain) { $0.number = .max } == .numberUnexpected(expected: 1, found: .max))
        #expect(TestCharter.verdict(on: chain) { $0.previous = .zero } == .previousMismatch(number: 1))
        #expect(TestCharter.verdict(on: chain) { $0.previous = nil } == .previousMismatch(number: 1))
        #expect(
            TestCharter.verdict(on: chain) { $0.network = NetworkID("other")! }
                == .networkChanged(from: NetworkID("helse")!, to: NetworkID("other")!))
    }

    @Test func `two versions that both follow the same one contradict each other`() throws {
        var chain = try TestCharter.chain()
        var other = chain
        try chain.append(TestCharter.sign(chain.versions[0].successor))
        var different = other.versions[0].successor
        different.nodes[0].name = "Renamed"
        try other.append(TestCharter.sign(different))
        let next = try TestCharter.sign(other.versions[1].successor)
        #expect(throws: CharterError.previousMismatch(number: 2)) { try chain.append(next) }
    }

    @Test func `nodes and locations stay listed`() throws {
        let chain = try TestCharter.chain()
        #expect(TestCharter.verdict(on: chain) { $0.nodes.removeFirst() } == .nodeDropped(TestCharter.ous))
        #expect(
            TestCharter.verdict(on: chain) { $0.locations.removeAll() } == .locationDropped(LocationID("barn")!))
        // A location may move to another host, and be renamed.
        #expect(TestCharter.verdict(on: chain) { $0.locations[0].host = TestCharter.ous } == nil)
    }

    @Test func `ids are unique, hosts exist, somebody administers`() throws {
        let chain = try TestCharter.chain()
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes.append(TestCharter.node(TestCharter.ous, 9)) }
                == .nodeRepeated(TestCharter.ous))
        #expect(
            TestCharter.verdict(on: chain) { $0.locations.append($0.locations[0]) }
                == .locationRepeated(LocationID("barn")!))
        #expect(
            TestCharter.verdict(on: chain) { $0.locations[0].host = NodeID("unn")! }
                == .hostUnknown(LocationID("barn")!, host: NodeID("unn")!))
        #expect(TestCharter.verdict(on: chain) { $0.administrators = [] } == .noAdministrators)
    }

    @Test func `every key serves one node and one purpose`() throws {
        let chain = try TestCharter.chain()
        let nodes = TestCharter.founding().nodes
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[0].witnessKey = WitnessPublicKey($0.nodes[0].signingKey.hash) }
                == .keyRepeated(nodes[0].signingKey.hash))
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[0].signingKey = $0.nodes[1].signingKey }
                == .keyRepeated(nodes[1].signingKey.hash))
        #expect(
            TestCharter.verdict(on: chain) { $0.administrators.append($0.administrators[0]) }
                == .keyRepeated(TestCharter.administrators[0].publicKey.hash))
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[0].signingKey = SigningPublicKey(.zero) }
                == .keyUnacceptable(.zero))
    }

    @Test(arguments: ["", "a\nb", "esc\u{1B}[31m", "del\u{7F}", String(repeating: "å", count: 200)])
    func `names are printable and short`(name: String) throws {
        let chain = try TestCharter.chain()
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0].name = name } == .malformedName(of: "ous"))
        #expect(TestCharter.verdict(on: chain) { $0.locations[0].name = name } == .malformedName(of: "barn"))
        // An empty region is none at all.
        let expected: CharterError? = name.isEmpty ? nil : .malformedName(of: "ous")
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0].region = name } == expected)
    }

    @Test func `a key that was revoked or replaced never comes back`() throws {
        var chain = try TestCharter.chain()
        let first = chain.versions[0].charter.nodes[0]
        var rotating = chain.versions[0].successor
        rotating.nodes[0] = TestCharter.node(TestCharter.ous, 2)
        try chain.append(TestCharter.sign(rotating))
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0] = first } == .keyReturned(TestCharter.ous))
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[1].curveKey = first.curveKey }
                == .keyReturned(TestCharter.haukeland))
        // A revoked node keeps its keys listed, and is admitted again only with new ones.
        var revoking = chain.versions[1].successor
        revoking.nodes[0].state = .revoked
        try chain.append(TestCharter.sign(revoking))
        #expect(!chain.isAdmitted(TestCharter.ous))
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0].state = .admitted } == .keyReturned(TestCharter.ous))
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0] = TestCharter.node(TestCharter.ous, 3) } == nil)
        // Nor may a key move in the same version that takes it from another node.
        #expect(
            TestCharter.verdict(on: chain) { charter in
                let key = charter.nodes[1].signingKey
                charter.nodes[1].signingKey = SigningPublicKey(TestCharter.key("fresh"))
                charter.nodes.append(TestCharter.node(NodeID("unn")!))
                charter.nodes[2].signingKey = key
            } == .keyReturned(NodeID("unn")!))
    }

    @Test func `accepted heads come with a revocation or a new key, and only grow`() throws {
        var chain = try TestCharter.chain()
        let head = TestCharter.head("log", size: 5)
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[0].accepted = [head] }
                == .acceptedHeadsUnexpected(TestCharter.ous))
        #expect(
            TestCharter.verdict(on: chain) { charter in
                charter.nodes.append(TestCharter.node(NodeID("unn")!))
                charter.nodes[2].accepted = [head]
            } == .acceptedHeadsUnexpected(NodeID("unn")!))
        var revoking = chain.versions[0].successor
        revoking.nodes[0].state = .revoked
        revoking.nodes[0].accepted = [head]
        try chain.append(TestCharter.sign(revoking))
        let withdrawn = CharterError.acceptedHeadWithdrawn(TestCharter.ous, head.log)
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0].accepted = [] } == withdrawn)
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[0].accepted = [TestCharter.head("log", size: 4)] } == withdrawn)
        #expect(
            TestCharter.verdict(on: chain) {
                $0.nodes[0].accepted = [StatedHead(log: head.log, size: 5, root: .zero)]
            } == withdrawn)
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes[0].accepted.append(head) }
                == .acceptedHeadRepeated(TestCharter.ous, head.log))
        // Entries found later may still be accepted.
        #expect(TestCharter.verdict(on: chain) { $0.nodes[0].accepted = [TestCharter.head("log", size: 6)] } == nil)
        // Admitted again with new keys, the node keeps what was accepted of its old logs.
        #expect(
            TestCharter.verdict(on: chain) { charter in
                charter.nodes[0] = TestCharter.node(TestCharter.ous, 2)
                charter.nodes[0].accepted = [head]
            } == nil)
    }

    @Test func `more than the limits allow is refused`() throws {
        let chain = try TestCharter.chain()
        func many(_ count: Int) -> [CharterNode] { (0..<count).map { TestCharter.node(NodeID("n\($0)")!) } }
        #expect(
            TestCharter.verdict(on: chain) { $0.nodes += many(CharterLimit.nodes) }
                == .tooMany(.nodes, limit: CharterLimit.nodes))
        #expect(
            TestCharter.verdict(on: chain) { charter in
                charter.administrators = (0...CharterLimit.administrators).map {
                    AdministratorPublicKey(TestCharter.key("a \($0)"))
                }
            } == .tooMany(.administrators, limit: CharterLimit.administrators))
        #expect(
            TestCharter.verdict(on: chain) { charter in
                charter.nodes[0].state = .revoked
                charter.nodes[0].accepted = (0...CharterLimit.acceptedHeads).map { TestCharter.head("\($0)", size: 1) }
            } != nil)
        let large = [UInt8](repeating: 0, count: CharterLimit.signedBytes + 1)
        #expect(throws: CharterError.tooLarge(byteCount: large.count, limit: CharterLimit.signedBytes)) {
            try SignedCharter(bytes: large)
        }
        let signature = TestCharter.administrators[0].sign(charterHash: .zero)
        #expect(throws: CharterError.tooMany(.signatures, limit: CharterLimit.signatures)) {
            try SignedCharter(
                charterBytes: TestCharter.founding().bytes,
                signatures: Array(repeating: signature, count: CharterLimit.signatures + 1))
        }
    }

    @Test func `every refusal is a sentence that names what is wrong`() throws {
        let chain = try TestCharter.chain()
        let changes: [(inout Charter) -> Void] = [
            { $0.previous = .zero }, { $0.nodes[0].name = "" }, { $0.nodes.removeAll() }, { $0.administrators = [] },
        ]
        for change in changes {
            let text = TestCharter.verdict(on: chain, change)?.description ?? ""
            #expect(text.count > 30)
        }
        #expect("\(CharterError.nodeDropped(TestCharter.ous))".contains("'ous'"))
        #expect("\(CharterError.unreadable(.unknownVersion(7)))".contains("version 7"))
    }

    @Test func `any bytes at all are a charter or an error`() throws {
        var random = SplitMix64(seed: 8)
        let samples = try [
            TestCharter.founding().bytes, TestCharter.sign(TestCharter.founding()).bytes, TestCharter.chain().bytes,
        ]
        for round in 0..<6_000 {
            var bytes = samples[round % 3]
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.removeSubrange(place...)
                default: bytes.insert(contentsOf: bytes[place...].prefix(80), at: place)
                }
            }
            if let charter = try? Charter(bytes: bytes) {
                // What is read is what would be written, whoever's bytes they were.
                #expect(try Charter(bytes: charter.bytes) == charter)
            }
            _ = try? SignedCharter(bytes: bytes).successor
            if let chain = try? CharterChain(bytes: bytes) { #expect(chain.count <= 1) }
        }
    }
}
