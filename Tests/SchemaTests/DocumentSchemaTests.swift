import EventLog
import Foundation
import Replication
import SwiftProtobuf
import Testing

/// Headers, bodies, openings, charters and messages between nodes: generated code and ours read each other.
struct DocumentSchemaTests {
    /// Expects that both sides read what the other writes; with `isNewer` what generated code writes has fields added.
    private func expectBothRead<Document: Equatable, Message: SwiftProtobuf.Message>(
        _ document: Document, _ bytes: [UInt8], isNewer: Bool, say: (inout SchemaMessages) -> Message,
        read: ([UInt8]) throws -> Document
    ) throws {
        var schema = SchemaMessages()
        try expectRead(bytes, as: say(&schema))
        if isNewer { schema.additions = SplitMix64(seed: UInt64(bytes.count)) }
        let theirs = try written(say(&schema))
        #expect(try read(theirs) == document)
        #expect(try written(try SchemaTests.read(theirs, like: say(&schema))) == theirs)
    }

    @Test(arguments: [false, true])
    func `headers and bodies are read by both`(isNewer: Bool) throws {
        for seed in UInt64(0)..<200 {
            var random = RandomDocuments(seed: seed)
            let header = random.header()
            // A header that grows beyond its limit is refused, as it should be.
            try expectBothRead(header, header.bytes, isNewer: isNewer && header.parts.count < 40) {
                $0.header(header)
            } read: {
                try EntryHeader(bytes: $0)
            }
            let body = random.body()
            try expectBothRead(body, body.bytes, isNewer: isNewer) {
                $0.body(body)
            } read: {
                try EntryBody(bytes: $0, partCount: body.parts.count)
            }
            let opening = random.opening()
            try expectBothRead(opening, opening.bytes, isNewer: isNewer) {
                $0.opening(opening)
            } read: {
                try LogOpening(bytes: $0)
            }
        }
    }

    @Test(arguments: [false, true])
    func `charters, signed charters and chains are read by both`(isNewer: Bool) throws {
        let administrator = try #require(AdministratorKey(seed: [UInt8](repeating: 7, count: 32)))
        for seed in UInt64(0)..<100 {
            var random = RandomDocuments(seed: seed)
            let charter = random.charter()
            try expectBothRead(charter, charter.bytes, isNewer: isNewer) {
                $0.charter(charter)
            } read: {
                try Charter(bytes: $0)
            }
            let signature = administrator.sign(charterHash: Charter.hash(of: charter.bytes))
            let signed = try SignedCharter(
                charterBytes: charter.bytes, signatures: Array(repeating: signature, count: random.generator.below(3)))
            try expectBothRead(signed, signed.bytes, isNewer: isNewer) {
                $0.signed(signed)
            } read: {
                let read = try SignedCharter(bytes: $0)
                #expect(read.charterBytes == signed.charterBytes && read.signatures == signed.signatures)
                return read
            }
        }
        let founding = try SignedCharter(
            signing: .founding(
                network: NetworkID(unchecked: "varde.test"), nodes: [], locations: [],
                administrators: [administrator.publicKey]), with: [administrator])
        var chain = try CharterChain(founding: founding)
        try chain.append(SignedCharter(signing: founding.successor, with: [administrator]))
        try expectBothRead(chain, chain.bytes, isNewer: isNewer) {
            $0.chain(chain)
        } read: {
            try CharterChain(bytes: $0)
        }
    }

    @Test(arguments: RandomDocuments.messages, [false, true])
    func `messages between nodes are read by both`(content: Int, isNewer: Bool) throws {
        for seed in UInt64(0)..<60 {
            var random = RandomDocuments(seed: seed)
            let message = random.message(content)
            try expectBothRead(message, message.bytes, isNewer: isNewer) {
                $0.message(message)
            } read: {
                try ReplicationMessage(bytes: $0)
            }
        }
    }

    @Test func `an entry of a newer schema travels byte for byte and keeps its id`() throws {
        var random = RandomDocuments(seed: 5)
        var newer = SchemaMessages(additions: SplitMix64(seed: 5))
        var header = random.header()
        header.parts = []
        let entry = RawEntry(
            header: try written(newer.header(header)), body: try written(newer.body(EntryBody(parts: []))))
        let range = EntryRange(log: header.log, start: 0, entries: [entry], checkpoint: [1])
        let message = ReplicationMessage.range(RangeMessage(pull: 1, range: range))
        guard case .range(let arrived) = try ReplicationMessage(bytes: message.bytes) else {
            Issue.record("not read as a range")
            return
        }
        #expect(arrived.range.entries == [entry])
        #expect(arrived.range.entries[0].id == entry.id)
        #expect(try EntryHeader(bytes: entry.header) == header)
    }
}
