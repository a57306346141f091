import EventLog
import Trial

extension TrialTestWorld {
    /// An answer to the diary: pain, and mood where it is given.
    func diary(
        of participant: EntryID, _ value: String = "q-1", _ status: ResponseStatus = .completed, pain: String?,
        mood: String? = nil, document: String? = nil, at location: LocationID = .haukeland
    ) -> ResponseEntry {
        var items: [EnteredItem] = []
        if let pain { items.append(EnteredItem(item: TestStudy.pain, value: .datum(pain, unit: nil))) }
        if let mood { items.append(EnteredItem(item: TestStudy.mood, value: .datum(mood, unit: nil))) }
        return answer(
            of: participant, TestStudy.diaryForm, value, status,
            [EnteredGroup(group: InstanceSelector(oid: TestStudy.diary), items: items)],
            document: document ?? "\(status.rawValue) \(pain ?? "-") \(mood ?? "-")", at: location)
    }

    /// An answer whose bytes are a text.
    func answer(
        of participant: EntryID, _ form: String, _ value: String, _ status: ResponseStatus, _ groups: [EnteredGroup],
        document: String, at location: LocationID = .haukeland
    ) -> ResponseEntry {
        let bytes = [UInt8](document.utf8)
        return ResponseEntry(
            location: location, participant: .registration(participant),
            event: InstanceSelector(oid: TestStudy.baseline), form: FormOID(form),
            identifier: ResponseIdentifier(system: "urn:app", value: value), status: status,
            authored: "2025-03-02T10:00:00+01:00", groups: groups, document: bytes, documentSHA256: .sha256(bytes))
    }

    /// Sends an answer under its own command id.
    @discardableResult
    func respond(
        _ entry: ResponseEntry, to node: NodeID = .haukeland, by app: Person = .app, occurred: String? = "2025-03"
    ) throws -> WrittenEntry {
        var provenance = Provenance(source: .patient)
        provenance.occurred = occurred
        return try send(
            Command(
                id: ResponseIdentity.command(
                    client: app.actor, identifier: entry.identifier, documentSHA256: entry.documentSHA256),
                sender: Sender(actor: app.actor, role: app.role), study: study, provenance: provenance,
                request: .respond(entry)), to: node)
    }
}
