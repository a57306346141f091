import EventLog
import Testing

/// A charter of two nodes for tests of its rules.
enum TestCharter {
    static let administrators = (0..<5).map { AdministratorKey(seed: Hash.sha256([UInt8($0)]).bytes)! }
    static let ous = NodeID("ous")!
    static let haukeland = NodeID("haukeland")!

    static func key(_ text: String) -> Hash { .sha256([UInt8](text.utf8)) }

    static func node(_ id: NodeID, _ generation: Int = 1) -> CharterNode {
        CharterNode(
            id: id, name: "Sykehuset \(id)", region: "Helse Vest",
            signingKey: SigningPublicKey(key("\(id) signs \(generation)")),
            curveKey: NodeCurvePublicKey(key("\(id) connects \(generation)")),
            witnessKey: WitnessPublicKey(key("\(id) witnesses \(generation)")))
    }

    static func founding(administrators count: Int = 1) -> Charter {
        .founding(
            network: NetworkID("helse")!, nodes: [node(ous), node(haukeland)],
            locations: [CharterLocation(id: LocationID("barn")!, name: "Barneklinikken", host: haukeland)],
            administrators: administrators.prefix(count).map(\.publicKey))
    }

    static func sign(_ charter: Charter, by signers: [Int] = [0]) throws(CharterError) -> SignedCharter {
        try SignedCharter(signing: charter, with: signers.map { administrators[$0] })
    }

    static func chain(administrators count: Int = 1, by signers: [Int] = [0]) throws(CharterError) -> CharterChain {
        try CharterChain(founding: sign(founding(administrators: count), by: signers))
    }

    static func head(_ text: String, size: UInt64) -> StatedHead {
        StatedHead(log: LogID(key(text)), size: size, root: key("\(text) \(size)"))
    }

    /// What the rules say of a chain's next version after a change.
    static func verdict(on chain: CharterChain, _ change: (inout Charter) -> Void) -> CharterError? {
        do throws(CharterError) {
            guard let last = chain.versions.last else { return nil }
            var next = last.successor
            change(&next)
            var longer = chain
            // Signed without the checks of the signing initialiser: what a faulty tool might have written.
            let bytes = next.bytes
            let signature = administrators[0].sign(charterHash: Charter.hash(of: bytes))
            try longer.append(SignedCharter(charterBytes: bytes, signatures: [signature]))
            return nil
        } catch {
            return error
        }
    }
}

/// Versions of the charter: every rule is an error of its own.
struct CharterTests {
    @Test func `a charter founded by one administrator is read as it was written`() throws {
        let signed = try TestCharter.sign(TestCharter.founding())
        let chain = try CharterChain(founding: signed)
        #expect(try Charter(bytes: signed.charterBytes) == TestCharter.founding())
        #expect(try SignedCharter(bytes: signed.bytes) == signed)
        #expect(try SignedCharter(bytes: signed.bytes).signatures == signed.signatures)
        #expect(try CharterChain(bytes: chain.bytes) == chain)
        #expect(chain.newest == TestCharter.founding())
        #expect(chain.foundingHash == signed.hash)
        #expect(signed.hash == Hash.sha256([UInt8]("varde/charter/0".utf8) + signed.charterBytes))
        let heads = [TestCharter.head("log", size: 7)]
        var revoking = signed.successor
        revoking.nodes[0].state = .revoked
        revoking.nodes[0].accepted = heads
        revoking.nodes[0].region = nil
        #expect(try Charter(bytes: revoking.bytes) == revoking)
    }

    @Test func `a new node starts from the founding hash alone`() throws {
        let founding = try TestCharter.sign(TestCharter.founding())
        var chain = CharterChain(foundingHash: founding.hash)
        #expect(chain.isEmpty)
        #expect(chain.newestHash == founding.hash)
        var other = TestCharter.founding()
        other.nodes[0].name = "Another"
        let foreign = try TestCharter.sign(other)
        #expect(throws: CharterError.foundingMismatch(expected: founding.hash, found: foreign.hash)) {
            try chain.append(foreign)
        }
        #expect(chain.isEmpty)
        try chain.append(founding)
        #expect(chain.count == 1)
        #expect(try CharterChain(bytes: chain.bytes) == chain)
    }

    @Test func `nodes, keys and versions are found`() throws {
        var chain = try TestCharter.chain()
        var next = chain.versions[0].successor
        let old = next.nodes[0]
        next.nodes[0] = TestCharter.node(TestCharter.ous, 2)
        next.nodes[0].accepted = [TestCharter.head("log", size: 3)]
        try chain.append(TestCharter.sign(next))
        #expect(chain.count == 2)
        #expect(chain.charter(at: 0)?.number == 0)
        #expect(chain.charter(at: 2) == nil)
        #expect(chain.charter(at: .max) == nil)
        #expect(chain.newestHash(ofFirst: 0) == chain.foundingHash)
        #expect(chain.newestHash(ofFirst: 2) == chain.newestHash)
        #expect(chain.newestHash(ofFirst: 3) == nil)
        #expect(chain.signingKey(of: TestCharter.ous, at: 0) == old.signingKey)
        #expect(chain.signingKey(of: TestCharter.ous, at: 1) == next.nodes[0].signingKey)
        #expect(chain.signingKey(of: TestCharter.ous, at: 2) == nil)
        #expect(chain.signingKeys(of: TestCharter.ous).map(\.number) == [0, 1])
        #expect(chain.signingKeys(of: TestCharter.haukeland).map(\.number) == [0])
        #expect(chain.node(forSigningKey: old.signingKey) == nil)
        #expect(chain.node(forSigningKey: next.nodes[0].signingKey)?.id == TestCharter.ous)
        #expect(chain.node(forCurveKey: next.nodes[1].curveKey)?.id == TestCharter.haukeland)
        #expect(chain.node(forWitnessKey: next.nodes[1].witnessKey)?.id == TestCharter.haukeland)
        #expect(chain.node(forSigningKey: SigningPublicKey(next.nodes[1].curveKey.hash)) == nil)
        #expect(chain.isAdmitted(TestCharter.ous))
        #expect(!chain.isAdmitted(NodeID("unn")!))
    }

    @Test func `more than half of the administrators of the version before must sign`() throws {
        for count in 1...5 {
            let needed = count / 2 + 1
            for signers in 0...count {
                let charter = TestCharter.founding(administrators: count)
                let signed = try TestCharter.sign(charter, by: Array(0..<signers))
                let chain = try? CharterChain(founding: signed)
                #expect((chain != nil) == (signers >= needed))
            }
        }
        // The old administrators hand over to new ones, who had no say in it; afterwards only theirs count.
        var chain = try TestCharter.chain(administrators: 2, by: [0, 1])
        var next = chain.versions[0].successor
        next.administrators = [TestCharter.administrators[4].publicKey]
        let byNew = try TestCharter.sign(next, by: [4])
        #expect(throws: CharterError.signaturesMissing(valid: 0, needed: 2)) { try chain.append(byNew) }
        try chain.append(TestCharter.sign(next, by: [0, 1]))
        let after = chain.versions[1].successor
        #expect(throws: CharterError.signaturesMissing(valid: 0, needed: 1)) {
            try chain.append(TestCharter.sign(after, by: [0, 1]))
        }
        try chain.append(TestCharter.sign(after, by: [4]))
    }

    @Test func `a signature counts once, strangers not at all, a wrong one is refused`() throws {
        let charter = TestCharter.founding(administrators: 3)
        let twice = try TestCharter.sign(charter, by: [0, 0, 0, 4])
        #expect(throws: CharterError.signaturesMissing(valid: 1, needed: 2)) { try CharterChain(founding: twice) }
        let one = try TestCharter.sign(charter, by: [0])
        let both = try one.adding(TestCharter.administrators[1].sign(charterHash: one.hash))
        #expect(try CharterChain(founding: both).count == 1)
        #expect(try both.adding(TestCharter.administrators[1].sign(charterHash: .zero)).signatures == both.signatures)
        let wrong = CharterSignature(
            key: TestCharter.administrators[1].publicKey,
            value: TestCharter.administrators[1].sign(charterHash: .zero).value)
        #expect(throws: CharterError.signatureInvalid(wrong.key)) {
            try CharterChain(
                founding: SignedCharter(charterBytes: one.charterBytes, signatures: one.signatures + [wrong]))
        }
    }

    @Test func `the description of an administrator's key shows the public half only`() {
        let key = TestCharter.administrators[0]
        var text = ""
        dump(key, to: &text)
        #expect("\(key)" == "administrator key \(key.publicKey)")
        #expect(text.contains(key.publicKey.description))
        #expect(!text.contains("privateKey"))
        #expect(AdministratorKey(seed: [1, 2, 3]) == nil)
    }
}
