import EventLog

extension Decision {
    /// Records a version of an answer. Whether it is a new one, and whether it is a second completed one, tells
    /// ``ParticipantState/responseOutcome(of:)`` once the entry is there.
    static func decideResponse(
        _ entry: ResponseEntry, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        try requireWholeAnswer(entry, command)
        guard let (content, definition) = context.definition else { throw .noDefinitions }
        let participant = try participant(entry.participant, at: entry.location, in: context)
        var table = InstanceTable(
            participant: participant, definition: definition, entryOfCommand: context.entryOfCommand)
        let client = command.sender.actor
        let form = try table.response(entry, client: client)
        var changes: [Change] = []
        var written: Set<WrittenItem> = []
        var rows: [String: UInt64] = [:]
        for group in entry.groups {
            let place = try table.answers(
                group.group, in: form, rows: &rows, ResponseInstance(client: client, identifier: entry.identifier))
            for (entered, item) in zip(group.items, try items(of: group, in: definition)) {
                guard written.insert(WrittenItem(instance: place, item: item.oid)).inserted else {
                    throw .badValue(item.oid, reason: "it is answered twice; several codes are one answer")
                }
                changes.append(
                    Change(
                        instance: place, item: item.oid, value: try value(of: entered, item, in: definition),
                        reasonCode: entered.reasonCode, isFreeText: item.isFreeText && isDatum(entered.value)))
            }
        }
        let key = ResponseID(participant: participant.id, client: client, identifier: entry.identifier)
        let response = Response(
            participant: participant.id, identifier: entry.identifier, status: entry.status, authored: entry.authored,
            documentSHA256: entry.documentSHA256, instances: table.lines, changes: changes,
            seen: participant.responses[key]?.versions.keys.sorted() ?? [], document: entry.document)
        do throws(Refusal) {
            return try forParticipant(
                .responseReceived(response), at: entry.location, subject: participant.subject, definition: content,
                command, in: context)
        } catch .tooLarge(let byteCount) {
            throw .responseTooLarge(byteCount: byteCount)
        }
    }

    /// Refuses an answer that lacks what makes it one, or that is sent under another command id than its own.
    private static func requireWholeAnswer(_ entry: ResponseEntry, _ command: Command) throws(Refusal) {
        try require(.submitResponses, of: command.sender)
        guard !entry.identifier.system.isEmpty, !entry.identifier.value.isEmpty else {
            throw .badResponse("it has no identifier with a system and a value")
        }
        guard !entry.authored.isEmpty else { throw .badResponse("it does not say when it was authored") }
        guard .sha256(entry.document) == entry.documentSHA256 else {
            throw .badResponse("the stated SHA-256 is not that of the document")
        }
        let id = ResponseIdentity.command(
            client: command.sender.actor, identifier: entry.identifier, documentSHA256: entry.documentSHA256)
        guard command.id == id else {
            throw .badResponse("its command id must be \(id), derived from client, identifier and document")
        }
    }
}

extension InstanceTable {
    /// Enters the event and the form of an answer; gives the form's place.
    mutating func response(_ entry: ResponseEntry, client: ActorID) throws(Refusal) -> Int {
        let named = ResponseInstance(client: client, identifier: entry.identifier)
        guard case .new = entry.event.choice else {
            let (event, form) = try event(entry.event, holding: entry.form)
            return add(named, kind: .form, parent: event, oid: form.oid.text)
        }
        // An event begun by this entry would be another one at another node, and versions of the answer would not meet.
        let (event, form) = try definitions(of: entry.event, holding: entry.form)
        guard event.isRepeating || event.type == .unscheduled else { throw .unknownInstance(oid: event.oid.text) }
        let place = add(named, kind: .studyEvent, parent: nil, oid: event.oid.text)
        return add(named, kind: .form, parent: place, oid: form.oid.text)
    }

    /// Enters a group of an answer, or a row where the group repeats; gives its place.
    ///
    /// - Parameter rows: how many rows of each group the answer has so far.
    mutating func answers(
        _ selector: InstanceSelector, in form: Int, rows: inout [String: UInt64], _ response: ResponseInstance
    ) throws(Refusal) -> Int {
        let group = try groupDefinition(selector.oid, in: form)
        switch selector.choice {
        case .once where !group.isRepeating:
            let id = ids[form].map { parent in
                InstanceID.natural(
                    participant: participant.id, parent: parent, kind: .itemGroup, oid: group.oid.text)
            }
            return append(
                InstanceDeclaration(
                    kind: .itemGroup, parent: form, oid: group.oid.text, identity: .natural, beginsHere: false), id)
        case .new where group.isRepeating:
            rows[group.oid.text, default: 0] += 1
            var row = response
            row.row = rows[group.oid.text, default: 1]
            return add(row, kind: .itemGroup, parent: form, oid: group.oid.text)
        default: throw .unknownInstance(oid: selector.oid)
        }
    }

    private mutating func add(_ response: ResponseInstance, kind: InstanceKind, parent: Int?, oid: String) -> Int {
        var id: InstanceID?
        if parent == nil || parent.flatMap({ ids[$0] }) != nil {
            id = .response(
                response, participant: participant.id, parent: parent.flatMap { ids[$0] }, kind: kind, oid: oid)
        }
        return append(
            InstanceDeclaration(kind: kind, parent: parent, oid: oid, identity: .response(response), beginsHere: false),
            id)
    }
}
