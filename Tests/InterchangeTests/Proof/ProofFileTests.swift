import EventLog
import Testing
import Trial

import Interchange

/// The proof file: read as it was written, and no byte of it can be altered unnoticed.
struct ProofFileTests {
    private let fixture: ProofFixture

    init() throws { fixture = try ProofFixture() }

    private func file(_ proof: EntryProof) -> ProofFile {
        ProofFile(
            proof: proof, readable: ["a line", "æøå \"quoted\"\n\u{1}"],
            names: ProofNames(objects: ["IT.SEX": "Kjønn"], codes: ["CL.SEX": ["F": "Kvinne", "M": "Mann"]]))
    }

    @Test func `a file is read as it was written`() throws {
        var proofs = [try fixture.proof(4)]
        let chain = try fixture.chain { charter in
            charter.nodes[0].state = .revoked
            charter.nodes[0].accepted = [StatedHead(log: ProofFixture.log.id, size: 9, root: fixture.root(9))]
        }
        let accepted = try fixture.proven(4, accepted: fixture.consistency(9, 11))
        proofs.append(EntryProof(entry: accepted, orders: [accepted, accepted], charters: chain.versions))
        proofs.append(
            EntryProof(
                entry: ProvenEntry(
                    log: accepted.log, header: accepted.header,
                    body: EntryBody(parts: [accepted.body.parts[0], nil, nil]), logProof: accepted.logProof,
                    acceptedPath: nil), charters: chain.versions))
        for proof in proofs {
            let written = file(proof)
            let read = try ProofFile(bytes: written.bytes)
            #expect(read.proof == proof)
            #expect(read.proof.charters.map(\.bytes) == proof.charters.map(\.bytes))
            #expect(read.readable == written.readable && read.names == written.names)
            #expect(read.bytes == written.bytes)
        }
    }

    @Test func `a change of any byte of the file is refused, or changes nothing that is proven`() throws {
        let good = file(try fixture.proof(2))
        let bytes = good.bytes
        let whole = try good.proof.verify(foundingHash: fixture.chain.foundingHash)
        var generator = SplitMix64(seed: 12)
        var (refused, harmless) = (0, 0)
        for place in bytes.indices {
            var altered = bytes
            altered[place] ^= 1 << UInt8(generator.below(8))
            do {
                let read = try ProofFile(bytes: altered)
                let verified = try read.proof.verify(foundingHash: fixture.chain.foundingHash)
                #expect(try verified.ordersForMissingParts().isEmpty)
                #expect(verified.entry.entry == whole.entry.entry && verified.entry.log == whole.entry.log)
                #expect(verified.entry.checkpoint == whole.entry.checkpoint)
                #expect(Set(verified.entry.witnesses).isSubset(of: whole.entry.witnesses))
                #expect(verified.charterVersion == whole.charterVersion)
                harmless += 1
            } catch {
                #expect(!"\(error)".isEmpty)
                refused += 1
            }
        }
        // White space, what is said to be unproven, and names of witnesses are all that may be altered.
        #expect(refused > 8 * harmless, "\(refused) refused, \(harmless) harmless")
    }

    @Test(arguments: [
        ("\"format\": \"varde/entry-proof/0\"", "\"format\": \"varde/entry-proof/1\"", "varde/entry-proof/1"),
        ("\"format\"", "\"charter\"", "format"), ("\"orders\": [],", "", "'orders' is missing"),
        ("\"orders\": []", "\"orders\": [], \"orders\": []", "twice"),
        ("\"orders\": []", "\"orders\": {}", "no array"), ("\"orders\": []", "\"order\": []", "'order'"),
        ("\"salt\": \"", "\"salt\": \"AAAA", "no base64"), ("\"epoch\": \"00", "\"epoch\": \"", "name of the log"),
        ("\"node\": \"haukeland\"", "\"node\": \"Haukeland\"", "name of the log"),
        ("\"entry\": {", "\"entry\": {\"extra\": 1,", "entry.extra"),
        ("index 2\\n", "index 02\\n", "plain decimal number"),
    ])
    func `what the format does not allow is refused and named`(_ old: String, _ new: String, _ said: String) throws {
        var text = String(decoding: file(try fixture.proof(2)).bytes, as: UTF8.self)
        let place = try #require(text.firstRange(of: old))
        text.replaceSubrange(place, with: new)
        #expect {
            _ = try ProofFile(bytes: [UInt8](text.utf8))
        } throws: { error in
            "\(error)".contains(said)
        }
    }

    @Test func `a missing part is refused, unless an order in the same stream stands beside it`() throws {
        let whole = try fixture.proven(3)
        func proof(_ parts: [Part?], orders: [ProvenEntry] = []) -> EntryProof {
            EntryProof(
                entry: ProvenEntry(
                    log: whole.log, header: whole.header, body: EntryBody(parts: parts), logProof: whole.logProof,
                    acceptedPath: nil), orders: orders, charters: fixture.chain.versions)
        }
        let parts = whole.body.parts
        for position in parts.indices {
            var fewer = parts
            fewer[position] = nil
            let verified = try proof(fewer).verify(foundingHash: nil)
            #expect(
                throws: EntryProofError.partMissing(
                    position: position, kind: verified.entry.entry.header.parts[position].kind)
            ) { try verified.ordersForMissingParts() }
            // An entry that is no order allows nothing.
            let beside = try proof(fewer, orders: [fixture.proven(5)]).verify(foundingHash: nil)
            #expect(throws: EntryProofError.self) { try beside.ordersForMissingParts() }
        }
    }

    @Test func `what is said of an entry comes from its bytes, and names from elsewhere stand apart`() throws {
        let network = ProofFixture.log
        var generator = SplitMix64(seed: 8)
        let save = FormSave(
            participant: generator.entryID(),
            instances: [
                InstanceDeclaration(
                    kind: .studyEvent, parent: nil, oid: "SE.1", identity: .natural, beginsHere: true),
                InstanceDeclaration(kind: .form, parent: 0, oid: "F.DM", identity: .natural, beginsHere: true),
                InstanceDeclaration(
                    kind: .itemGroup, parent: 1, oid: "IG.DM", identity: .natural, beginsHere: true, repeatKey: "2"),
            ],
            changes: [
                Change(
                    instance: 2, item: ItemOID("IT.SEX"),
                    value: Value(kind: .codes, typed: "F", codeList: "CL.SEX", codes: ["F"])),
                Change(instance: 2, item: ItemOID("IT.WEIGHT"), value: .missing("not done")),
                Change(
                    instance: 2, item: ItemOID("IT.NOTE"),
                    value: Value(kind: .text, typed: "kvalme\u{1B}[31m\nsterk"), isFreeText: true),
            ], reason: "typing error")
        let action = Action(
            command: CommandID(using: &generator), provenance: Provenance(source: .paper), operation: .formSaved(save))
        let sealed = EntryDraft(
            stream: network.stream, operation: .formSaved,
            authority: Authority(
                actor: ActorID(using: &generator), kind: .person, role: .studyNurse, authentication: .localToken),
            known: KnownVersions(), command: action.command, parts: action.parts()
        ).sealed(
            log: network.id, index: 4, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: -1), software: "test",
            using: &generator)
        let names = ProofNames(objects: ["IT.SEX": "Sex", "F.DM": "Demography"], codes: ["CL.SEX": ["F": "Female"]])
        let meaning = EntryMeaning(of: sealed.entry, in: network, charter: fixture.chain.newest, names: names)
        #expect(meaning.operation == "form saved")
        #expect(meaning.nodeTime == "1969-12-31T23:59:59.999Z")
        #expect(meaning.node == "haukeland (Hospital haukeland)")
        #expect(meaning.actor.hasSuffix("(person, study nurse), authenticated by local token"))
        let values = meaning.lines.filter { $0.label == "value" }.map(\.text)
        #expect(
            values == [
                "SE.1 › F.DM «Demography» › IG.DM[2] › IT.SEX «Sex» = \"F\", codes F «Female» of CL.SEX",
                "SE.1 › F.DM «Demography» › IG.DM[2] › IT.WEIGHT = missing (not done)",
                "SE.1 › F.DM «Demography» › IG.DM[2] › IT.NOTE = \"kvalme\u{FFFD}[31m\u{FFFD}sterk\"",
            ])
        #expect(meaning.lines.contains { $0.label == "reason" && $0.text == "typing error" })
    }

    @Test(arguments: [
        (Int64.min, "-9223372036854775808 ms after 1970"), (Int64.max, "9223372036854775807 ms after 1970"),
        (0, "1970-01-01T00:00:00Z"), (951_782_400_000, "2000-02-29T00:00:00Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "253402300800000 ms after 1970"),
    ])
    func `any time is written`(_ milliseconds: Int64, _ text: String) {
        #expect(ProofWords.time(milliseconds: milliseconds) == text)
    }

    @Test func `entries of every kind are put into words, whatever they hold`() throws {
        var random = RandomActions(generator: SplitMix64(seed: 60))
        for round in 0..<RandomActions.operations * 20 {
            let (entry, _) = CodecLog.sealed(random.action(round % RandomActions.operations), using: &random.generator)
            let meaning = EntryMeaning(of: entry, in: CodecLog.name, charter: nil, names: ProofNames())
            #expect(!meaning.lines.isEmpty)
            for line in meaning.lines {
                #expect(line.text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
            }
        }
    }
}
