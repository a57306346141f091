import EventLog
import Trial

extension TrialTestWorld {
    /// Registers a participant.
    @discardableResult
    func register(
        at location: LocationID = .haukeland, by person: Person = .bergenNurse, to node: NodeID? = nil,
        label: String = "S-001", command: CommandID? = nil
    ) throws -> WrittenEntry {
        try send(
            .register(location: location, labels: [ParticipantLabel(kind: .screening, text: label)]), by: person,
            to: node, command: command)
    }

    /// A participant's record at a node.
    func record(_ participant: EntryID, at node: NodeID, in location: LocationID = .haukeland) -> ParticipantState? {
        self[node].fold.locations[location]?.participant(participant)
    }

    /// Every value of a participant that stands at a node: what a person who opened all forms has seen.
    func screen(_ participant: EntryID, at node: NodeID, in location: LocationID = .haukeland) -> [SeenValue] {
        let instances = record(participant, at: node, in: location)?.instances ?? [:]
        return instances.values.flatMap { instance in
            instance.registers.values.flatMap {
                $0.held.map { SeenValue(entry: $0.id.entry, position: $0.id.position) }
            }
        }.sorted { ($0.entry, $0.position) < ($1.entry, $1.position) }
    }

    /// The vital signs of the scheduled visit, with everything at the person's node seen.
    func vitals(
        _ participant: EntryID, _ items: [(ItemOID, String)], at location: LocationID = .haukeland, node: NodeID,
        seen: [SeenValue]? = nil
    ) -> FormEntry {
        FormEntry(
            location: location, participant: .registration(participant),
            event: InstanceSelector(oid: TestStudy.baseline), form: InstanceSelector(oid: TestStudy.vitalsForm),
            groups: [
                EnteredGroup(
                    group: InstanceSelector(oid: TestStudy.vitals),
                    items: items.map { EnteredItem(item: $0.0, value: .datum($0.1, unit: nil)) })
            ], seen: seen ?? screen(participant, at: node, in: location))
    }

    /// Saves vital signs.
    @discardableResult
    func saveVitals(
        _ participant: EntryID, _ items: [(ItemOID, String)], by person: Person, at location: LocationID = .haukeland,
        to node: NodeID? = nil, seen: [SeenValue]? = nil, command: CommandID? = nil
    ) throws -> WrittenEntry {
        let node = node ?? person.home
        return try send(
            .save(vitals(participant, items, at: location, node: node, seen: seen)), by: person, to: node,
            command: command)
    }

    /// A new adverse event, or one that stands, or one that an earlier command began.
    func adverseEvent(
        of participant: ParticipantReference, _ choice: InstanceChoice = .new(repeatKey: nil), term: String?,
        severity: String? = nil, at location: LocationID = .haukeland, seen: [SeenValue] = []
    ) -> Request {
        var items: [EnteredItem] = []
        if let term { items.append(EnteredItem(item: TestStudy.term, value: .datum(term, unit: nil))) }
        if let severity { items.append(EnteredItem(item: TestStudy.severity, value: .datum(severity, unit: nil))) }
        return .save(
            FormEntry(
                location: location, participant: participant,
                event: InstanceSelector(oid: TestStudy.adverseEvent, choice: choice),
                form: InstanceSelector(oid: TestStudy.adverseEventForm),
                groups: [EnteredGroup(group: InstanceSelector(oid: TestStudy.adverseEventGroup), items: items)],
                seen: seen))
    }

    /// Rows of medication in the scheduled visit.
    func medication(
        of participant: EntryID, _ rows: [(InstanceChoice, String)], at location: LocationID = .haukeland,
        seen: [SeenValue] = []
    ) -> Request {
        .save(
            FormEntry(
                location: location, participant: .registration(participant),
                event: InstanceSelector(oid: TestStudy.baseline), form: InstanceSelector(oid: TestStudy.vitalsForm),
                groups: rows.map { choice, drug in
                    EnteredGroup(
                        group: InstanceSelector(oid: TestStudy.medication, choice: choice),
                        items: [EnteredItem(item: TestStudy.drug, value: .datum(drug, unit: nil))])
                }, seen: seen))
    }

    /// The registers of an item of the scheduled visit's vital signs at a node.
    func register(
        _ item: ItemOID, of participant: EntryID, at node: NodeID, in location: LocationID = .haukeland
    ) -> Register? {
        record(participant, at: node, in: location)?.register(item)
    }
}

extension ParticipantState {
    /// The register of an item in the only group instance of the record that has it.
    func register(_ item: ItemOID) -> Register? {
        let registers = instances.values.compactMap { $0.registers[item] }
        return registers.count == 1 ? registers.first : nil
    }

    /// The instances of an OID.
    func instances(of oid: String) -> [InstanceID: InstanceState] {
        instances.filter { $0.value.shape.oid == oid }
    }
}

extension Register {
    /// What stands, as typed, sorted.
    var texts: [String] { held.map { $0.value?.typed ?? "(dropped)" }.sorted() }
}
