import EventLog
import Foundation
import Replication
import SwiftProtobuf
import Testing
import Trial

/// Entries, charters and messages as published vectors: their bytes, and what they say by the schema's names.
struct EntryVectorTests {
    /// What both generated code and ours read; a difference is an error.
    private func agreed(_ ours: some SwiftProtobuf.Message, _ bytes: [UInt8]) throws -> String {
        let theirs = try read(bytes, like: ours)
        let json = try ours.jsonString()
        guard try theirs.jsonString() == json else { throw VectorError(name: "generated code reads something else") }
        return json
    }

    @Test func `headers and bodies are read and written as published`() throws {
        try TestVectors.check(
            "entries.json",
            about: """
                given: header, body = bytes. expected: entry = leaf hash of the header; header, body = what they say, as the \
                JSON that protobuf defines for varde.v0.Header and varde.v0.Body; parts = commitment of each part by place. \
                Written again they are the same bytes.
                """,
            make: {
                (UInt64(0)..<12).map { seed in
                    var random = RandomActions(generator: SplitMix64(seed: 700 + seed))
                    let action = random.action(Int(seed) * 2 % RandomActions.operations)
                    let raw = CodecLog.sealed(action, using: &random.generator).raw
                    return (
                        "\(action.operation.type), drawn with seed \(seed)",
                        ["header": raw.header.hex, "body": raw.body.hex]
                    )
                }
            }
        ) { given in
            var schema = SchemaMessages()
            let raw = RawEntry(header: try given.bytes("header"), body: try given.bytes("body"))
            let header = try EntryHeader(bytes: raw.header)
            let entry = try Entry(checking: raw, at: header.index, of: header.log)
            guard header.bytes == raw.header, entry.body.bytes == raw.body else {
                throw VectorError(name: "written again they are other bytes")
            }
            let commitments = zip(entry.body.parts, header.parts).map { part, committed in
                part.map { $0.commitment(kind: committed.kind).commitment.description } ?? "-"
            }
            return [
                "entry": raw.id.description, "header": try agreed(schema.header(header), raw.header),
                "body": try agreed(schema.body(entry.body), raw.body), "parts": commitments.joined(separator: " "),
            ]
        }
    }

    /// Whether a message of any type, read by generated code, says the same.
    private func agreedStructure(_ action: Action, _ bytes: [UInt8]) throws -> String {
        var schema = SchemaMessages()
        return try agreed(schema.structure(of: action), bytes)
    }

    @Test func `an entry of every kind of operation is read and written as published`() throws {
        try TestVectors.check(
            "operations.json",
            about: """
                given: operation = its number; actor, command = ids; parts = kind:bytes of each part, in order. expected: \
                structure, content, text <n> = what the parts of these kinds say, as the JSON that protobuf defines for the \
                operation's message, varde.v0.FormContent and varde.v0.FreeText. Written again they are the same bytes.
                """,
            make: {
                (0..<RandomActions.operations).flatMap { operation in
                    (UInt64(0)..<3).map { seed in
                        var random = RandomActions(generator: SplitMix64(seed: 800 + seed))
                        let action = random.action(operation)
                        let parts = action.parts().map { "\($0.kind.rawValue):\($0.bytes.hex)" }
                        return (
                            "\(action.operation.type), drawn with seed \(seed)",
                            [
                                "operation": "\(action.operation.type.rawValue)", "command": "\(action.command)",
                                "actor": "\(CodecLog.actor)", "parts": parts.joined(separator: " "),
                            ]
                        )
                    }
                }
            }
        ) { given in
            var schema = SchemaMessages()
            let parts = try given.list("parts").map { text -> (kind: PartKind, bytes: [UInt8]) in
                let pieces = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                guard pieces.count == 2, let kind = UInt64(pieces[0]), let bytes = [UInt8](vectorHex: pieces[1]) else {
                    throw VectorError(name: "parts")
                }
                return (PartKind(rawValue: kind), bytes)
            }
            guard let command = CommandID(hex: try given.text("command")) else { throw VectorError(name: "command") }
            let type = OperationType(rawValue: try given.number("operation"))
            guard let action = try readAction(type, parts, command: command) else { return ["understood": "no"] }
            let again = action.parts()
            guard again.map(\.kind) == parts.map(\.kind), again.map(\.bytes) == parts.map(\.bytes) else {
                throw VectorError(name: "written again it is other bytes")
            }
            var said = ["structure": try agreedStructure(action, parts[0].bytes)]
            if let (content, texts) = schema.content(of: action.operation) {
                said["content"] = try agreed(content, parts[1].bytes)
                for (place, text) in zip(parts.filter { $0.kind == .text }, texts).enumerated() {
                    said["text \(place)"] = try agreed(text.1, text.0.bytes)
                }
            }
            return said
        }
    }

    @Test func `openings of logs are read and written as published`() throws {
        try TestVectors.check(
            "openings.json",
            about: """
                given: bytes = structure part of entry 0 of a log. expected: log = the log's id; origin = the first line of \
                its checkpoints; says = the JSON that protobuf defines for varde.v0.LogOpened.
                """,
            make: {
                (UInt64(0)..<6).map { seed in
                    var random = RandomDocuments(seed: 900 + seed)
                    return ("drawn with seed \(seed)", ["bytes": random.opening().bytes.hex])
                }
            }
        ) { given in
            var schema = SchemaMessages()
            let bytes = try given.bytes("bytes")
            let opening = try LogOpening(bytes: bytes)
            guard opening.bytes == bytes else { throw VectorError(name: "written again it is other bytes") }
            return [
                "log": "\(opening.name.id)", "origin": opening.name.origin,
                "says": try agreed(schema.opening(opening), bytes),
            ]
        }
    }

    @Test func `charters are read, written and judged as published`() throws {
        try TestVectors.check(
            "charters.json",
            about: """
                given: versions = bytes of varde.v0.SignedCharter of versions 0, 1, …. expected: hashes = the hash of each \
                version; says <n> = the JSON that protobuf defines for varde.v0.Charter (of a second one with the number: \
                says <n> <hash>); in dispute = the hashes of rival versions and of what follows them, where nothing settles \
                between them, and counts meanwhile = what does, as the JSON of a varde.v0.Charter; or refused, where a \
                version breaks a rule or lacks signatures.
                """, make: charterCases
        ) { given in
            var schema = SchemaMessages()
            let versions = try given.list("versions").map { text -> [UInt8] in
                guard let bytes = [UInt8](vectorHex: text) else { throw VectorError(name: "versions") }
                return bytes
            }
            guard let first = versions.first else { throw VectorError(name: "versions") }
            var chain = CharterChain(foundingHash: try SignedCharter(bytes: first).hash)
            var said: [String: String] = [:]
            for bytes in versions {
                let signed = try SignedCharter(bytes: bytes)
                guard signed.bytes == bytes, signed.charter.bytes == signed.charterBytes else {
                    throw VectorError(name: "written again it is other bytes")
                }
                let number = "says \(signed.charter.number)"
                said[said[number] == nil ? number : "\(number) \(signed.hash)"] = try agreed(
                    schema.charter(signed.charter), signed.charterBytes)
                try chain.insert(signed)
            }
            if let dispute = chain.dispute {
                said["in dispute"] = dispute.versions.map { "\($0.hash)" }.joined(separator: " ")
                said["counts meanwhile"] = try agreed(schema.charter(dispute.charter), dispute.charter.bytes)
            }
            said["hashes"] = chain.versions.map { "\($0.hash)" }.joined(separator: " ")
            return said
        }
    }

    private func charterCases() throws -> [(name: String, given: [String: String])] {
        let fixture = try ProofFixture()
        func given(_ versions: [SignedCharter]) -> [String: String] {
            ["versions": versions.map(\.bytes.hex).joined(separator: " ")]
        }
        let founding = fixture.chain.versions[0]
        let renamed = try fixture.chain { $0.nodes[1].name = "Oslo universitetssykehus" }
        let rotated = try fixture.chain { charter in
            charter.nodes[0].signingKey = ProofFixture.node(ProofFixture.haukeland, generation: 2).signingKey
            charter.nodes[0].accepted = [StatedHead(log: ProofFixture.log.id, size: 9, root: fixture.root(9))]
        }
        let few = try SignedCharter(charterBytes: founding.charterBytes, signatures: [founding.signatures[0]])
        let moved = try SignedCharter(
            signing: {
                var next = founding.successor
                next.number = 2
                return next
            }(), with: Array(ProofFixture.administrators.prefix(2)))
        var rivals = rotated
        for signed in renamed.versions { try rivals.insert(signed) }
        guard let dispute = rivals.dispute else { throw VectorError(name: "no dispute") }
        let settled = try SignedCharter(
            signing: dispute.settlement(keeping: renamed.versions[1]),
            with: Array(ProofFixture.administrators.prefix(2)))
        return [
            ("a founding version, signed by two of three", given([founding])),
            ("a second version that renames a node", given(renamed.versions)),
            ("a second version that rotates a signing key and accepts a head", given(rotated.versions)),
            ("a founding version with one signature of three", given([few])),
            ("a version that leaves a number out", given([founding, moved])),
            ("two rivals, of which one replaces a key", given(rivals.versions)),
            ("two rivals and the version that settles between them", given(rivals.versions + [settled])),
        ]
    }

    @Test func `messages between nodes are read and written as published`() throws {
        try TestVectors.check(
            "replication.json",
            about: """
                given: bytes = a message. expected: says = the JSON that protobuf defines for varde.v0.ReplicationMessage. \
                Written again it is the same bytes.
                """,
            make: {
                (Array(0..<12) + RandomDocuments.messages.filter { $0 >= 12 }).map { kind in
                    var random = RandomDocuments(seed: 1_000 + UInt64(kind))
                    return ("kind \(kind)", ["bytes": random.message(kind).bytes.hex])
                }
            }
        ) { given in
            var schema = SchemaMessages()
            let bytes = try given.bytes("bytes")
            let message = try ReplicationMessage(bytes: bytes)
            guard message.bytes == bytes else { throw VectorError(name: "written again it is other bytes") }
            return ["says": try agreed(schema.message(message), bytes)]
        }
    }
}
