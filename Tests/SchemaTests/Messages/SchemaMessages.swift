import EventLog
import Foundation
import SwiftProtobuf
import Trial

/// Says in messages of the generated code what values of ours say: field by field, by the schema's names and not by way of
/// any bytes. Where `additions` is set, every message also gets fields that no schema knows.
struct SchemaMessages {
    /// Draws the fields that are added; nil for none.
    var additions: SplitMix64?

    /// Fields of every wire type, with numbers that no message of ours uses.
    private static let unknown: [[UInt8]] = [
        [0xA0, 0x3F, 0x96, 0x01], [0xAA, 0x3F, 0x03, 0x08, 0xFF, 0x01], [0xA5, 0x3F, 1, 2, 3, 4],
        [0xA1, 0x3F, 1, 2, 3, 4, 5, 6, 7, 8],
    ]

    /// The message, with unknown fields where they are asked for. Every message that is made passes through here.
    mutating func finished<Message: SwiftProtobuf.Message>(_ message: Message) -> Message {
        guard var generator = additions else { return message }
        defer { additions = generator }
        var message = message
        var added = SchemaMessages.unknown[generator.below(SchemaMessages.unknown.count)]
        if generator.chance(20) { added += SchemaMessages.unknown[0] }
        do {
            try message.merge(serializedBytes: added)
        } catch {
            preconditionFailure("fields of this test that are no fields: \(error)")
        }
        return message
    }

    /// An enumeration's value by its number, which is of 32 bits on the wire.
    func code<Code: SwiftProtobuf.Enum>(_ number: UInt64) -> Code {
        Code(rawValue: Int(number)) ?? Code()
    }

    func data(_ id: some HashIdentifier) -> Data { Data(id.hash.bytes) }
    func data(_ id: some RandomIdentifier) -> Data { Data(id.bytes) }
    func data(_ hash: Hash) -> Data { Data(hash.bytes) }
}

/// What the structure messages of all operations have in common: the fields of `varde.v0.Structure`.
protocol StructureMessage: SwiftProtobuf.Message {
    var formatVersion: UInt64 { get set }
    var command: Data { get set }
    var source: Varde_V0_Source { get set }
    var hasSource: Bool { get }
    var externalIdentifier: String { get set }
    var performedAt: String { get set }
    var occurred: String { get set }
    var recorded: Varde_V0_DeviceTime { get set }
    var receivedUtcMilliseconds: Int64 { get set }
    var onBehalfOf: String { get set }
    var language: String { get set }
    var client: String { get set }
    var authentication: Varde_V0_AuthenticationDetail { get set }
    var origin: Varde_V0_ImportOrigin { get set }
}

extension Varde_V0_Structure: StructureMessage {}
extension Varde_V0_LogClosed: StructureMessage {}
extension Varde_V0_StudyFounded: StructureMessage {}
extension Varde_V0_ContentChunk: StructureMessage {}
extension Varde_V0_DefinitionPublished: StructureMessage {}
extension Varde_V0_ParticipationNumbered: StructureMessage {}
extension Varde_V0_ParticipationAccepted: StructureMessage {}
extension Varde_V0_ParticipationWithdrawn: StructureMessage {}
extension Varde_V0_PlanSet: StructureMessage {}
extension Varde_V0_DelegationNumbered: StructureMessage {}
extension Varde_V0_ParticipantRegistered: StructureMessage {}
extension Varde_V0_StatusRecorded: StructureMessage {}
extension Varde_V0_FormSaved: StructureMessage {}
extension Varde_V0_Removed: StructureMessage {}
extension Varde_V0_Restored: StructureMessage {}
extension Varde_V0_InstancesDecided: StructureMessage {}
extension Varde_V0_ConflictResolved: StructureMessage {}
extension Varde_V0_FormConfirmed: StructureMessage {}
extension Varde_V0_ResponseReceived: StructureMessage {}
extension Varde_V0_LabelAssigned: StructureMessage {}
extension Varde_V0_ParticipantsLinked: StructureMessage {}
extension Varde_V0_ParticipantsUnlinked: StructureMessage {}
extension Varde_V0_RedactionOrdered: StructureMessage {}
extension Varde_V0_ErasureOrdered: StructureMessage {}

extension SchemaMessages {
    /// The message with the common fields set.
    mutating func common<Message: StructureMessage>(_ type: Message.Type, _ action: Action) -> Message {
        let provenance = action.provenance
        var message = Message()
        message.formatVersion = 0
        message.command = data(action.command)
        message.source = code(provenance.source.rawValue)
        if let text = provenance.externalIdentifier { message.externalIdentifier = text }
        if let text = provenance.performedAt { message.performedAt = text }
        if let text = provenance.occurred { message.occurred = text }
        if let time = provenance.recorded {
            var inner = Varde_V0_DeviceTime()
            inner.utcMilliseconds = time.utcMilliseconds
            inner.offsetMinutes = time.offsetMinutes
            message.recorded = finished(inner)
        }
        if let time = provenance.receivedUTCMilliseconds { message.receivedUtcMilliseconds = time }
        if let text = provenance.onBehalfOf { message.onBehalfOf = text }
        if let text = provenance.language { message.language = text }
        if let text = provenance.client { message.client = text }
        if let detail = provenance.authentication {
            var inner = Varde_V0_AuthenticationDetail()
            inner.method = detail.method
            inner.level = detail.level
            if let time = detail.utcMilliseconds { inner.utcMilliseconds = time }
            message.authentication = finished(inner)
        }
        if let origin = provenance.origin {
            var inner = Varde_V0_ImportOrigin()
            inner.fileSha256 = origin.fileSHA256
            inner.position = origin.position
            if let user = origin.user { inner.user = user }
            if let location = origin.location { inner.location = location }
            if let time = origin.time { inner.time = time }
            message.origin = finished(inner)
        }
        return message
    }
}
