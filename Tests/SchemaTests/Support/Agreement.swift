import EventLog
import SwiftProtobuf
import Testing

/// Holds the outcomes of our reader and of generated code against each other.
struct Agreement {
    /// Messages that both read.
    var readByBoth = 0
    /// Messages that neither reads.
    var refusedByBoth = 0
    /// Messages that only our reader refuses: what the formats forbid and a schema cannot say.
    var refusedByOurs = 0

    /// Compares two outcomes for the same bytes.
    ///
    /// - Parameters:
    ///   - ours: what our reader read, said in the schema's words.
    ///   - adjusted: gives fields that may be absent the value that the schema's comment names.
    mutating func compare<Message: SwiftProtobuf.Message>(
        _ bytes: [UInt8], ours: Result<Message, WireError>, adjusted: (inout Message) -> Void = { _ in },
        location: SourceLocation = #_sourceLocation
    ) {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        let theirs = try? Message(serializedBytes: bytes, options: options)
        switch (ours, theirs) {
        case (.success(let expected), var read?):
            readByBoth += 1
            adjusted(&read)
            #expect(isSame(read, expected), "\(bytes.hex)\n\(read)\n\(expected)", sourceLocation: location)
        case (.success, nil):
            Issue.record("generated code does not read \(bytes.hex)", sourceLocation: location)
        case (.failure(let error), _?):
            refusedByOurs += 1
            // Where the bytes end is no matter of opinion.
            if case .truncated = error { Issue.record("\(error): \(bytes.hex)", sourceLocation: location) }
        case (.failure, nil): refusedByBoth += 1
        }
    }

    /// All outcomes must have been met, or the test would not mean anything.
    func expectEveryOutcome(location: SourceLocation = #_sourceLocation) {
        #expect(readByBoth > 0 && refusedByBoth > 0 && refusedByOurs > 0, "\(self)", sourceLocation: location)
    }
}

/// Whether both say the same, texts byte by byte: equality of Swift strings takes composed and decomposed letters for one.
func isSame(_ left: some SwiftProtobuf.Message, _ right: some SwiftProtobuf.Message) -> Bool {
    left.isEqualTo(message: right) && (try? written(left)) == (try? written(right))
}

/// The bytes that generated code writes.
func written(_ message: some SwiftProtobuf.Message) throws -> [UInt8] { try message.serializedBytes() }

/// What generated code reads from the bytes, as a message of the same type as `example`.
func read<Message: SwiftProtobuf.Message>(_ bytes: [UInt8], like example: Message) throws -> Message {
    try Message(serializedBytes: bytes)
}

/// Expects that generated code reads exactly `expected` from the bytes, knowing every field.
func expectRead(
    _ bytes: [UInt8], as expected: some SwiftProtobuf.Message, location: SourceLocation = #_sourceLocation
) throws {
    let found = try read(bytes, like: expected)
    #expect(isSame(found, expected), "\(found)\n\(expected)", sourceLocation: location)
}
