import EventLog
import Trial

extension TrialTestWorld {
    /// The draft that a node would write if nothing but its own will counted: the header is as given.
    func draft(
        _ operation: Trial.Operation, in stream: StreamID, by person: Person, role: Role? = nil,
        command: CommandID? = nil,
        known: KnownVersions = KnownVersions(charter: 1, participation: 2, delegation: 4), grant: EntryID? = nil,
        subject: SubjectHandle? = nil
    ) -> EntryDraft {
        let id = command ?? CommandID(using: &generator)
        let action = Action(command: id, provenance: Provenance(source: .direct), operation: operation)
        return EntryDraft(
            stream: stream, operation: operation.type,
            authority: Authority(
                actor: person.actor, kind: .person, role: role ?? person.role.role, authentication: .localAccount,
                delegation: grant), known: known, subject: subject, command: id, parts: action.parts())
    }

    /// The draft whose entry would say what `entry` says, under the same header.
    func copy(of entry: WrittenEntry) -> EntryDraft? {
        guard let header = entry.header, let action = entry.action else { return nil }
        return EntryDraft(
            stream: entry.stream, operation: header.operation, authority: header.authority, known: header.known,
            definition: header.definition, subject: header.subject, command: action.command, parts: action.parts())
    }

    /// An entry whose bytes are as given, at the next place of a node's log.
    func add(header: [UInt8], body: [UInt8] = [], in stream: StreamID, at node: NodeID) throws -> WrittenEntry {
        let name = self[node].logName(of: stream, using: &generator)
        let raw = RawEntry(header: header, body: body)
        let entry = WrittenEntry(
            raw, id: raw.id, at: EntryAddress(log: name.id, index: self[node].nextIndex(in: name)), in: name)
        try add(entry, at: node)
        return entry
    }

    /// An entry whose header is of a version that nobody here knows.
    func newerHeader(in stream: StreamID, at node: NodeID) throws -> WrittenEntry {
        try add(header: [0x08, 0x09] + generator.bytes(20), in: stream, at: node)
    }

    /// The entry as it stands after parts of it were dropped by an order.
    func dropping(_ kinds: Set<PartKind>, from draft: EntryDraft, at node: NodeID) throws -> WrittenEntry {
        let name = self[node].logName(of: draft.stream, using: &generator)
        let sealed = draft.sealed(
            log: name.id, index: self[node].nextIndex(in: name), hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 1),
            software: "test", using: &generator)
        let raw = RawEntry(
            header: sealed.raw.header, body: sealed.entry.dropping(kinds).bytes)
        let entry = WrittenEntry(
            try Entry(checking: raw, at: sealed.entry.header.index, of: name.id), in: name)
        try add(entry, at: node)
        return entry
    }
}

extension Entry {
    /// The body without the parts of some kinds.
    func dropping(_ kinds: Set<PartKind>) -> EntryBody {
        var body = body
        for (place, part) in header.parts.enumerated() where kinds.contains(part.kind) { body.parts[place] = nil }
        return body
    }
}
