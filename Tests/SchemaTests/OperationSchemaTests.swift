import EventLog
import SwiftProtobuf
import Testing
import Trial

/// The schema of entries is the truth: generated code, which knows nothing but the schema, reads what we write, and we
/// read what it writes.
struct OperationSchemaTests {
    private static let seeds: Range<UInt64> = 0..<60

    private func action(_ operation: Int, _ seed: UInt64) -> Action {
        var random = RandomActions(generator: SplitMix64(seed: seed << 8 | UInt64(operation)))
        return random.action(operation)
    }

    @Test(arguments: 0..<RandomActions.operations)
    func `generated code reads every field that our writer writes of an operation, and no other`(
        operation: Int
    ) throws {
        var schema = SchemaMessages()
        for seed in OperationSchemaTests.seeds {
            let action = action(operation, seed)
            let parts = action.parts()
            try expectRead(parts[0].bytes, as: schema.structure(of: action))
            guard let (content, texts) = schema.content(of: action.operation) else { continue }
            try expectRead(parts[1].bytes, as: content)
            let textParts = parts.filter { $0.kind == .text }
            #expect(textParts.count == texts.count)
            for (part, text) in zip(textParts, texts) { try expectRead(part.bytes, as: text) }
        }
    }

    @Test(arguments: 0..<RandomActions.operations)
    func `our reader reads every field that generated code writes of an operation`(operation: Int) throws {
        var schema = SchemaMessages()
        for seed in OperationSchemaTests.seeds {
            let action = action(operation, seed)
            let read = try readAction(action.operation.type, schema.parts(of: action), command: action.command)
            #expect(read == action, "seed \(seed)")
            // Equality of strings is not of bytes; equality of what is written again is.
            #expect(read?.parts().map(\.bytes) == action.parts().map(\.bytes), "seed \(seed)")
        }
    }

    @Test(arguments: 0..<RandomActions.operations)
    func `fields that a newer schema adds to any message change nothing for our reader and are kept by generated code`(
        operation: Int
    ) throws {
        for seed in OperationSchemaTests.seeds {
            let action = action(operation, seed)
            var schema = SchemaMessages(additions: SplitMix64(seed: seed))
            let parts = try schema.parts(of: action)
            let read = try readAction(action.operation.type, parts, command: action.command)
            #expect(read == action, "seed \(seed)")
            let again = try SchemaTests.read(parts[0].bytes, like: schema.structure(of: action))
            #expect(try written(again) == parts[0].bytes, "seed \(seed)")
            #expect(parts[0].bytes.count > action.parts()[0].bytes.count)
        }
    }

    @Test func `an operation has a message in the schema, and what is common stands in all of them`() throws {
        // `Structure` is what the messages share, so each of them reads as one, the operation's own fields unknown.
        for operation in 0..<RandomActions.operations {
            let action = action(operation, 1)
            let common = try Varde_V0_Structure(serializedBytes: action.parts()[0].bytes)
            #expect(common.hasFormatVersion && common.formatVersion == 0)
            #expect(Array(common.command) == action.command.bytes)
            #expect(common.hasSource && common.source.rawValue == Int(action.provenance.source.rawValue))
        }
    }

    @Test(arguments: [62, 63, 64, 100])
    func `free texts that share the last part are read by the schema's rule`(count: Int) throws {
        var random = RandomActions(generator: SplitMix64(seed: UInt64(count)))
        var save = random.save(changes: count)
        for place in save.changes.indices {
            save.changes[place].isFreeText = true
            save.changes[place].value = Value(kind: .text, typed: "text \(place)")
        }
        let action = Action(
            command: CommandID(using: &random.generator), provenance: Provenance(source: .paper),
            operation: .formSaved(save))
        var schema = SchemaMessages()
        #expect(try schema.parts(of: action).map(\.kind) == action.parts().map(\.kind))
        #expect(try readAction(.formSaved, schema.parts(of: action), command: action.command) == action)
        let last = try #require(action.parts().last { $0.kind == .text })
        try expectRead(last.bytes, as: try #require(schema.content(of: save).texts.last))
    }
}
