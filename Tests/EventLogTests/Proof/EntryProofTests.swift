import EventLog
import Testing

/// The proof of one entry: what it proves, and that no part of it can be altered.
struct EntryProofTests {
    @Test func `a proof says what was recorded, who signed, and when the first other node had seen it`() throws {
        let fixture = try ProofFixture()
        for index in 0..<ProofFixture.size {
            let verified = try fixture.proof(index).verify(foundingHash: fixture.chain.foundingHash)
            #expect(verified.entry.entry.id.hash == fixture.leaves[index])
            #expect(verified.entry.log == ProofFixture.log)
            #expect(verified.entry.keyState == .current)
            #expect(verified.entry.missingParts.isEmpty)
            #expect(verified.entry.witnesses.count == 2 && verified.entry.unknownSignatureCount == 0)
            #expect(verified.entry.firstCosigned?.witness.node == ProofFixture.unn)
            #expect(verified.entry.firstCosigned?.unixSeconds == ProofFixture.time - 5)
            #expect(verified.charterVersion == 0 && verified.foundingHash == fixture.chain.foundingHash)
        }
    }

    @Test func `without a founding hash from elsewhere the proof names its own, and with another it is refused`() throws
    {
        let fixture = try ProofFixture()
        let proof = try fixture.proof(3)
        #expect(try proof.verify(foundingHash: nil).foundingHash == fixture.chain.foundingHash)
        let other = Hash.sha256([9])
        #expect(
            throws: EntryProofError.charter(.foundingMismatch(expected: other, found: fixture.chain.foundingHash))
        ) { try proof.verify(foundingHash: other) }
        #expect(throws: EntryProofError.noCharter) {
            try EntryProof(entry: proof.entry, charters: []).verify(foundingHash: nil)
        }
    }

    /// What a proof claims, so that two can be compared.
    private struct Claims: Equatable {
        var entry: EntryID
        var log: LogName
        var parts: [Part?]
        var head: [UInt8]
        var cosigned: [WitnessStatement]

        init(_ proof: EntryProof, _ founding: Hash) throws {
            let verified = try proof.verify(foundingHash: founding)
            entry = verified.entry.entry.id
            log = verified.entry.log
            parts = verified.entry.entry.body.parts
            head = verified.entry.checkpoint.text
            cosigned = verified.entry.witnesses
        }
    }

    @Test func `a change of any byte of header, salt, part, log proof or charter proves nothing new`() throws {
        let fixture = try ProofFixture()
        let founding = fixture.chain.foundingHash
        let entry = try fixture.proven(4)
        let whole = try Claims(EntryProof(entry: entry, charters: fixture.chain.versions), founding)
        var passed = 0
        func attempt(_ make: () throws -> EntryProof) {
            guard let proof = try? make(), let claims = try? Claims(proof, founding) else { return }
            passed += 1
            // A cosignature that nobody can attribute any more is lost, and that is all.
            #expect(claims.entry == whole.entry && claims.log == whole.log && claims.head == whole.head)
            #expect(claims.parts == whole.parts)
            #expect(Set(claims.cosigned).isStrictSubset(of: whole.cosigned))
        }
        func altered(_ bytes: [UInt8], _ place: Int, _ bit: UInt8) -> [UInt8] {
            var bytes = bytes
            bytes[place] ^= 1 << bit
            return bytes
        }
        func with(
            header: [UInt8]? = nil, parts: [Part?]? = nil, logProof: LogProof? = nil, log: LogName? = nil
        ) -> EntryProof {
            EntryProof(
                entry: ProvenEntry(
                    log: log ?? entry.log, header: header ?? entry.header,
                    body: EntryBody(parts: parts ?? entry.body.parts), logProof: logProof ?? entry.logProof,
                    acceptedPath: nil), charters: fixture.chain.versions)
        }
        for bit in UInt8(0)..<8 {
            for place in entry.header.indices { attempt { with(header: altered(entry.header, place, bit)) } }
            for place in entry.logProof.bytes.indices {
                attempt { with(logProof: try LogProof(bytes: altered(entry.logProof.bytes, place, bit))) }
            }
            for (position, part) in entry.body.parts.enumerated() {
                let part = try #require(part)
                for place in part.bytes.indices {
                    attempt {
                        var parts = entry.body.parts
                        parts[position] = Part(salt: part.salt, bytes: altered(part.bytes, place, bit))
                        return with(parts: parts)
                    }
                }
                for place in 0..<16 {
                    attempt {
                        var parts = entry.body.parts
                        parts[position] = Part(
                            salt: RandomName(bytes: altered(part.salt.bytes, place, bit))!, bytes: part.bytes)
                        return with(parts: parts)
                    }
                }
            }
            let charter = fixture.chain.versions[0].bytes
            for place in charter.indices {
                attempt {
                    let signed = try SignedCharter(bytes: altered(charter, place, bit))
                    // The signatures stand beside what is signed: one more or less changes nothing that is claimed.
                    guard signed.hash != founding else { throw EntryProofError.noCharter }
                    return EntryProof(entry: entry, charters: [signed])
                }
            }
        }
        #expect(passed > 0, "some changes of a witness's name only lose the cosignature")
    }

    @Test func `another log's name, a foreign network and parts that are too few are refused`() throws {
        let fixture = try ProofFixture()
        let entry = try fixture.proven(4)
        func verify(_ log: LogName, parts: [Part?]? = nil) throws {
            let proven = ProvenEntry(
                log: log, header: entry.header, body: EntryBody(parts: parts ?? entry.body.parts),
                logProof: entry.logProof, acceptedPath: nil)
            _ = try EntryProof(entry: proven, charters: fixture.chain.versions).verify(foundingHash: nil)
        }
        let log = ProofFixture.log
        for other in [
            LogName(network: NetworkID("oslo")!, node: log.node, stream: log.stream, epoch: log.epoch),
            LogName(network: log.network, node: ProofFixture.ous, stream: log.stream, epoch: log.epoch),
            LogName(network: log.network, node: log.node, stream: .study(ProofFixture.study), epoch: log.epoch),
            LogName(
                network: log.network, node: log.node, stream: log.stream, epoch: Epoch(RandomName(high: 7, low: 8))),
        ] {
            #expect(throws: EntryProofError.logMismatch(named: other.id, inHeader: log.id)) { try verify(other) }
        }
        #expect(throws: EntryProofError.partCount(found: 2, expected: 3)) {
            try verify(log, parts: Array(entry.body.parts.dropLast()))
        }
        #expect(throws: EntryProofError.partCount(found: 4, expected: 3)) {
            try verify(log, parts: entry.body.parts + [nil])
        }
        #expect(throws: EntryProofError.self) { try verify(log, parts: [entry.body.parts[1], entry.body.parts[0]]) }
    }

    @Test func `an index, a path or a head of another entry is refused`() throws {
        let fixture = try ProofFixture()
        let entry = try fixture.proven(4)
        func verify(_ logProof: LogProof) throws {
            let proven = ProvenEntry(
                log: entry.log, header: entry.header, body: entry.body, logProof: logProof, acceptedPath: nil)
            _ = try EntryProof(entry: proven, charters: fixture.chain.versions).verify(foundingHash: nil)
        }
        let head = try fixture.head(11)
        #expect(throws: EntryProofError.indexMismatch(proven: 5, inHeader: 4)) {
            try verify(LogProof(index: 5, path: fixture.inclusion(4, 11), checkpoint: head))
        }
        #expect(throws: EntryProofError.logProof(.inclusion(.rootMismatch))) {
            try verify(LogProof(index: 4, path: fixture.inclusion(5, 11), checkpoint: head))
        }
        #expect(throws: EntryProofError.self) {
            try verify(LogProof(index: 4, path: fixture.inclusion(4, 11), checkpoint: fixture.head(10)))
        }
        #expect(throws: EntryProofError.signature(.note(.noKnownSignature))) {
            try verify(LogProof(index: 4, path: fixture.inclusion(4, 11), checkpoint: fixture.head(11, generation: 2)))
        }
    }

    @Test func `cosignatures count for the time only by other nodes and by keys that still count`() throws {
        let fixture = try ProofFixture()
        let own = try fixture.head(11, cosignedBy: [(ProofFixture.haukeland, 5)])
        let byItself = EntryProof(entry: try fixture.proven(2, head: own), charters: fixture.chain.versions)
        let verified = try byItself.verify(foundingHash: nil)
        #expect(verified.entry.witnesses.count == 1 && verified.entry.firstCosigned == nil)

        let rotated = try fixture.chain { charter in
            charter.nodes[2].witnessKey = ProofFixture.node(ProofFixture.unn, generation: 2).witnessKey
        }
        let later = try fixture.proof(2, charters: rotated.versions).verify(foundingHash: nil)
        #expect(later.entry.firstCosigned?.witness.node == ProofFixture.ous)
        #expect(later.entry.witnesses.map(\.isCurrent) == [false, true])
        #expect(
            rotated.witnessKeys().map(\.name.text).filter { $0.contains("unn") } == [
                "helse/witness/unn/1", "helse/witness/unn/2",
            ])
    }

    @Test func `a cosignature that does not fit is refused, one by a stranger is only counted`() throws {
        let fixture = try ProofFixture()
        let head = try fixture.head(11)
        let good = ProofFixture.witnessKey(ProofFixture.ous).cosign(head.checkpoint, unixSeconds: 5)
        var value = good.noteSignature.value
        value[70] ^= 1
        let forged = NoteSignature(name: good.witness, keyID: good.keyID, value: value)
        let bad = try SignedCheckpoint(bytes: head.bytes + forged.line)
        #expect(throws: EntryProofError.cosignature(.note(.invalidSignature(name: good.witness)))) {
            try EntryProof(entry: fixture.proven(2, head: bad), charters: fixture.chain.versions)
                .verify(foundingHash: nil)
        }
        let stranger = WitnessSigningKey(name: NoteKeyName("witness.example")!, seed: ProofFixture.seed("x"))!
        let more = try head.adding(stranger.cosign(head.checkpoint, unixSeconds: 5))
        let verified = try EntryProof(entry: fixture.proven(2, head: more), charters: fixture.chain.versions)
            .verify(foundingHash: nil)
        #expect(verified.entry.unknownSignatureCount == 1 && verified.entry.firstCosigned == nil)
    }
}

/// Keys that were replaced or revoked, and charters that end too early.
struct RetiredKeyProofTests {
    private let fixture: ProofFixture

    init() throws { fixture = try ProofFixture() }

    private func accepting(_ size: Int?, state: CharterNode.State = .admitted) throws -> CharterChain {
        try fixture.chain { charter in
            charter.nodes[0].signingKey = ProofFixture.node(ProofFixture.haukeland, generation: 2).signingKey
            charter.nodes[0].state = state
            if let size {
                charter.nodes[0].accepted = [
                    StatedHead(log: ProofFixture.log.id, size: UInt64(size), root: fixture.root(size))
                ]
            }
        }
    }

    private func verify(_ entry: ProvenEntry, _ chain: CharterChain) throws(EntryProofError) -> VerifiedProof {
        try EntryProof(entry: entry, charters: chain.versions).verify(foundingHash: chain.foundingHash)
    }

    @Test func `of a retired key counts what the charter accepts, under smaller, equal and larger heads`() throws {
        for accepted in 1...ProofFixture.size {
            let chain = try accepting(accepted)
            for size in 1...ProofFixture.size {
                let path = fixture.consistency(min(size, accepted), max(size, accepted))
                for index in 0..<size {
                    let entry = try fixture.proven(index, under: size, accepted: path)
                    if index < accepted {
                        #expect(try verify(entry, chain).entry.keyState == .acceptedUpTo(size: UInt64(accepted)))
                    } else {
                        #expect(
                            throws: EntryProofError.beyondAccepted(
                                index: UInt64(index), acceptedSize: UInt64(accepted))
                        ) { try verify(entry, chain) }
                    }
                }
            }
        }
    }

    @Test func `a head signed with a stolen key is refused, unless it agrees with what the charter accepts`() throws {
        let chain = try accepting(8, state: .revoked)
        // Who has the key writes another history of the same log, smaller than the head that was accepted.
        var generator = SplitMix64(seed: 3)
        let forged = try ProofFixture().entries[2]
        let draft = try EntryHeader(bytes: forged.header)
        var other = draft
        other.subject = SubjectHandle(using: &generator)
        let header = other.bytes
        var leaves = fixture.leaves
        leaves[2] = MerkleTree.leafHash(of: header)
        let head = try fixture.head(6, of: leaves)
        func entry(_ path: [Hash]?) throws -> ProvenEntry {
            ProvenEntry(
                log: ProofFixture.log, header: header,
                body: try EntryBody(bytes: forged.body, partCount: draft.parts.count),
                logProof: try LogProof(index: 2, path: fixture.inclusion(2, 6, of: leaves), checkpoint: head),
                acceptedPath: path)
        }
        // As long as the key counts, nobody can tell.
        #expect(try verify(entry(nil), fixture.chain).entry.keyState == .current)
        #expect(throws: EntryProofError.acceptedProofMissing(size: 8)) { try verify(entry(nil), chain) }
        let true6to8 = fixture.consistency(6, 8)
        #expect(throws: EntryProofError.self) { try verify(entry(true6to8), chain) }
        let forged6to8 = MerkleTree.consistencyProof(oldSize: 6, newSize: 8, leafHash: { leaves[Int($0)] })!.path
        #expect(throws: EntryProofError.acceptedHead(.newRootMismatch)) { try verify(entry(forged6to8), chain) }
        #expect(throws: EntryProofError.self) { try verify(entry([]), chain) }
    }

    @Test func `a retired key of whose log nothing is accepted proves nothing`() throws {
        let entry = try fixture.proven(2)
        #expect(throws: EntryProofError.keyRetired(ProofFixture.haukeland, version: 1)) {
            try verify(entry, accepting(nil))
        }
        let revoked = try fixture.chain { $0.nodes[0].state = .revoked }
        #expect(throws: EntryProofError.keyRetired(ProofFixture.haukeland, version: 1)) { try verify(entry, revoked) }
        let unneeded = try fixture.proven(2, accepted: [])
        #expect(throws: EntryProofError.acceptedProofUnexpected) { try verify(unneeded, fixture.chain) }
    }

    @Test func `a charter that ends before the version the entry names is refused`() throws {
        let late = try fixture.chain { $0.nodes[1].name = "Renamed" }
        var header = try EntryHeader(bytes: fixture.entries[0].header)
        header.known.charter = 1
        let bytes = header.bytes
        let leaves = [MerkleTree.leafHash(of: bytes)]
        let entry = ProvenEntry(
            log: ProofFixture.log, header: bytes,
            body: try EntryBody(bytes: fixture.entries[0].body, partCount: header.parts.count),
            logProof: try LogProof(index: 0, path: [], checkpoint: fixture.head(1, of: leaves)), acceptedPath: nil)
        #expect(try verify(entry, late).charterVersion == 1)
        #expect(throws: EntryProofError.charterTooShort(known: 1, newest: 0)) { try verify(entry, fixture.chain) }
    }

    @Test func `a charter without the signatures of more than half, or of other people, is refused`() throws {
        let entry = try fixture.proven(2)
        let founding = fixture.chain.versions[0]
        let few = try SignedCharter(charterBytes: founding.charterBytes, signatures: [founding.signatures[0]])
        #expect(throws: EntryProofError.charter(.signaturesMissing(valid: 1, needed: 2))) {
            try EntryProof(entry: entry, charters: [few]).verify(foundingHash: nil)
        }
        var next = founding.successor
        next.nodes[0].signingKey = ProofFixture.node(ProofFixture.haukeland, generation: 2).signingKey
        let stranger = AdministratorKey(seed: ProofFixture.seed("stranger"))!
        let foreign = try SignedCharter(signing: next, with: [stranger])
        #expect(throws: EntryProofError.charter(.signaturesMissing(valid: 0, needed: 2))) {
            try EntryProof(entry: entry, charters: [founding, foreign]).verify(foundingHash: nil)
        }
    }
}
