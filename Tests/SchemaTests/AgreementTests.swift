import EventLog
import Replication
import SwiftProtobuf
import Testing
import Trial

/// Whatever bytes our reader accepts generated code accepts, and reads the same from them.
struct AgreementTests {
    private func outcome<Value>(_ read: () throws(WireError) -> Value) -> Result<Value, WireError> {
        do throws(WireError) { return .success(try read()) } catch { return .failure(error) }
    }

    @Test(arguments: 0..<RandomActions.operations)
    func `structure parts that were altered are read alike or refused`(operation: Int) throws {
        var agreement = Agreement()
        var random = RandomActions(generator: SplitMix64(seed: 70 &+ UInt64(operation)))
        for _ in 0..<1_500 {
            let action = random.action(operation)
            var parts = action.parts()
            let other = random.action(operation).parts()[0].bytes
            parts[0].bytes = FieldMutation.changed(parts[0].bytes, with: other, using: &random.generator)
            let read = outcome { () throws(WireError) in
                try readAction(
                    action.operation.type, parts, dropping: [.content, .text, .comment, .reason],
                    command: action.command)
            }
            var schema = SchemaMessages()
            try compare(parts[0].bytes, read, like: schema.structure(of: action), &agreement)
        }
        agreement.expectEveryOutcome()
    }

    private func compare<Message: StructureMessage>(
        _ bytes: [UInt8], _ read: Result<Action?, WireError>, like example: Message, _ agreement: inout Agreement
    ) throws {
        var schema = SchemaMessages()
        let ours: Result<Message, WireError>
        switch read {
        case .success(let action):
            let structure = schema.structure(of: try #require(action))
            ours = .success(try #require(structure as? Message))
        case .failure(let error): ours = .failure(error)
        }
        agreement.compare(bytes, ours: ours) { message in
            if !message.hasSource { message.source = .system }
            message = message.joiningRuns
        }
    }

    @Test func `content parts that were altered are read alike or refused`() throws {
        var agreement = Agreement()
        var random = RandomActions(generator: SplitMix64(seed: 90))
        func save(_ count: Int) -> FormSave {
            var save = random.save(changes: count)
            for place in save.changes.indices { save.changes[place].isFreeText = false }
            save.comment = nil
            save.reason = nil
            return save
        }
        for _ in 0..<4_000 {
            let count = random.generator.below(5)
            let action = Action(
                command: CommandID(using: &random.generator), provenance: Provenance(source: .paper),
                operation: .formSaved(save(count)))
            var parts = action.parts()
            let other = save(count)
            var schema = SchemaMessages()
            parts[1].bytes = FieldMutation.changed(
                parts[1].bytes, with: try written(schema.content(of: other).content), using: &random.generator)
            let read = outcome { () throws(WireError) in
                try readAction(.formSaved, parts, command: action.command)
            }
            let ours = read.map { action in
                guard case .formSaved(let save)? = action?.operation else { return Varde_V0_FormContent() }
                return schema.content(of: save).content
            }
            agreement.compare(parts[1].bytes, ours: ours) { content in
                for place in content.values.indices where content.values[place].kind == .unspecified {
                    content.values[place].kind = .text
                }
                for place in content.values.indices
                where content.values[place].hasNormalised
                    && Array(content.values[place].normalised.utf8) == Array(content.values[place].typed.utf8)
                {
                    content.values[place].clearNormalised()
                }
            }
        }
        agreement.expectEveryOutcome()
    }

    @Test func `headers, bodies and openings that were altered are read alike or refused`() {
        var headers = Agreement()
        var bodies = Agreement()
        var openings = Agreement()
        var random = RandomDocuments(seed: 91)
        for _ in 0..<2_000 {
            var header = random.header()
            var other = random.header()
            // Few parts, so that the other fields are altered often enough.
            header.parts = Array(header.parts.prefix(3))
            other.parts = Array(other.parts.prefix(3))
            let leaf = FieldMutation.changed(header.bytes, with: other.bytes, using: &random.generator)
            var schema = SchemaMessages()
            headers.compare(
                leaf, ours: outcome { () throws(WireError) in try EntryHeader(bytes: leaf) }.map { schema.header($0) })

            let body = FieldMutation.changed(random.body().bytes, with: random.body().bytes, using: &random.generator)
            bodies.compare(
                body,
                ours: outcome { () throws(WireError) in try EntryBody(bytes: body, partCount: 20) }
                    .map { schema.body($0) }
            ) { message in
                // Parts may stand in any order.
                message.parts.sort { $0.position < $1.position }
            }

            let opening = FieldMutation.changed(
                random.opening().bytes, with: random.opening().bytes, using: &random.generator)
            openings.compare(
                opening,
                ours: outcome { () throws(WireError) in try LogOpening(bytes: opening) }.map { schema.opening($0) })
        }
        headers.expectEveryOutcome()
        bodies.expectEveryOutcome()
        openings.expectEveryOutcome()
    }

    @Test func `charters that were altered are read alike or refused`() {
        var agreement = Agreement()
        var random = RandomDocuments(seed: 92)
        for _ in 0..<3_000 {
            let bytes = FieldMutation.changed(
                random.charter().bytes, with: random.charter().bytes, using: &random.generator)
            let ours: Result<Charter, WireError>
            do throws(CharterError) {
                ours = .success(try Charter(bytes: bytes))
            } catch .unreadable(let error) {
                ours = .failure(error)
            } catch {
                ours = .failure(.outOfRange(field: 0))
            }
            var schema = SchemaMessages()
            agreement.compare(bytes, ours: ours.map { schema.charter($0) })
        }
        agreement.expectEveryOutcome()
    }

    @Test(arguments: RandomDocuments.messages)
    func `messages between nodes that were altered are read alike or refused`(content: Int) {
        var agreement = Agreement()
        var random = RandomDocuments(seed: 93 &+ UInt64(content))
        for _ in 0..<1_500 {
            let bytes = FieldMutation.changed(
                random.message(content).bytes, with: random.message(content).bytes, using: &random.generator)
            var schema = SchemaMessages()
            agreement.compare(
                bytes,
                ours: outcome { () throws(WireError) in try ReplicationMessage(bytes: bytes) }
                    .map { schema.message($0) }
            ) { message in
                // A message without parts is news, whatever the number of the vector.
                if case .have(var have) = message.content, have.partCount == 0 {
                    have.vector = 0
                    have.part = 0
                    message.have = have
                }
            }
        }
        agreement.expectEveryOutcome()
    }

    @Test func `random bytes are read alike or refused`() throws {
        var agreement = Agreement()
        var generator = SplitMix64(seed: 94)
        for _ in 0..<20_000 {
            var bytes = generator.bytes(generator.below(60))
            if generator.chance(70) { bytes = [0x08, 0x00] + bytes }
            var schema = SchemaMessages()
            agreement.compare(
                bytes,
                ours: outcome { () throws(WireError) in try EntryBody(bytes: bytes, partCount: 64) }
                    .map { schema.body($0) })
        }
        agreement.expectEveryOutcome()
    }
}

extension StructureMessage {
    /// The message with the runs of seen values as our writer writes them.
    fileprivate var joiningRuns: Self {
        func joined<Message>(_ message: Message, _ runs: WritableKeyPath<Message, [Varde_V0_SeenValues]>) -> Self {
            var message = message
            message[keyPath: runs] = message[keyPath: runs].joined
            return message as? Self ?? self
        }
        return switch self {
        case let message as Varde_V0_FormSaved: joined(message, \.seen)
        case let message as Varde_V0_ConflictResolved: joined(message, \.seen)
        case let message as Varde_V0_FormConfirmed: joined(message, \.seen)
        case let message as Varde_V0_Removed: joined(message, \.seenValues)
        case let message as Varde_V0_Restored: joined(message, \.seenValues)
        default: self
        }
    }
}

extension [Varde_V0_SeenValues] {
    /// Neighbouring runs of one entry's values as one, and none that is empty: runs are a way of writing and say nothing.
    fileprivate var joined: [Varde_V0_SeenValues] {
        var runs: [Varde_V0_SeenValues] = []
        for run in self where !run.positions.isEmpty {
            if let last = runs.last, last.entry == run.entry {
                runs[runs.count - 1].positions += run.positions
            } else {
                runs.append(run)
            }
        }
        return runs
    }
}
