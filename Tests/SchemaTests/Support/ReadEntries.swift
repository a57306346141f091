import EventLog
import SwiftProtobuf
import Trial

/// Parts of an entry: kind and bytes.
typealias Parts = [(kind: PartKind, bytes: [UInt8])]

extension SchemaMessages {
    /// The parts of an entry that says `action`, as generated code writes them.
    mutating func parts(of action: Action) throws -> Parts {
        var parts: Parts = [(.structure, try written(structure(of: action)))]
        var others = Array(action.parts().dropFirst())
        if let (content, texts) = content(of: action.operation) {
            parts.append((.content, try written(content)))
            for text in texts { parts.append((.text, try written(text))) }
            others.removeAll { $0.kind == .content || $0.kind == .text }
        }
        // Texts and documents of one part are bare bytes and no messages.
        return parts + others
    }
}

/// What our reader makes of an entry with these parts; of kinds that `dropped` names nothing is there.
func readAction(
    _ type: OperationType, _ parts: Parts, dropping dropped: Set<PartKind> = [], command: CommandID
) throws(WireError) -> Action? {
    var generator = SplitMix64(seed: 9)
    let sealed = CodecLog.draft(type, parts, command).sealed(
        log: CodecLog.name.id, index: 5, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 0), software: "test",
        using: &generator)
    var body = sealed.entry.body
    for (place, part) in parts.enumerated() where dropped.contains(part.kind) { body.parts[place] = nil }
    let entry: Entry
    do throws(EntryError) {
        entry = try Entry(trusting: RawEntry(header: sealed.raw.header, body: body.bytes), id: sealed.entry.id)
    } catch {
        preconditionFailure("an entry sealed by a test is not read: \(error)")
    }
    return try Action(reading: entry)
}
