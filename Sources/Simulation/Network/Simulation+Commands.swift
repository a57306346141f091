import EventLog
import Node
import Trial

/// People at the nodes: each sees what their node holds, and enters something that could be entered there.
extension Simulation {
    private func chance(_ percent: Int) -> Bool { stepGenerator.chance(percent) }
    private func draw(_ count: Int) -> Int { stepGenerator.below(count) }

    /// What a node holds of the study.
    func fold(at id: NodeID) -> StudyFold? {
        study.flatMap { self[id].running?.state.folds[$0] }
    }

    // MARK: Sending

    /// Sends a command to a node, if it runs.
    func send(_ request: Request, by person: Person, to id: NodeID, command: CommandID? = nil) {
        var provenance = Provenance(source: chance(50) ? .direct : .paper)
        drawDates(&provenance)
        let command = Command(
            id: command ?? CommandID(using: &stepGenerator),
            sender: Sender(actor: person.actor, role: person.role, isSystem: person == .app), study: study,
            provenance: provenance, request: request)
        tally["command " + request.name, default: 0] += 1
        send(command, variant: 0, to: id)
    }

    func send(_ command: Command, variant: UInt64, to id: NodeID) {
        let digest = Hash.sha256(command.id.words.bytes + [UInt8(truncatingIfNeeded: variant)])
        commands.append(SentByClient(command: command, digest: digest, node: id))
        hand(commands.count - 1)
    }

    /// Hands a command to its node; where that is down the client is to try again.
    func hand(_ place: Int) {
        let node = self[commands[place].node]
        guard let running = node.running else {
            commands[place].isLost = true
            return
        }
        commands[place].isLost = false
        if running.mayAppend { enqueue(.command(place), at: node) } else { node.waitingCommands.append(place) }
    }

    /// Mostly one month, at times another one, a day, a year, none, or something that is no date.
    private func drawDates(_ provenance: inout Provenance) {
        provenance.occurred = "2025-03"
        guard chance(40) else { return }
        provenance.occurred = stepGenerator.one(
            of: "2025", "2025-04", "2025-05-15", "2025-05-16T08:00:00Z", "2026-01", "ukjent", nil)
        guard chance(50) else { return }
        provenance.recorded = DeviceTime(
            utcMilliseconds: 1_747_260_000_000 + Int64(draw(172_800_000)),
            offsetMinutes: stepGenerator.one(of: -600, 0, 120))
    }

    /// Sends an earlier command again, to its node or to another.
    func repeatCommand(to id: NodeID, otherwise: Bool) {
        guard let earlier = stepGenerator.pick(commands.suffix(20)), case let command = earlier.command,
            command.study != nil
        else { return }
        let target = chance(50) ? id : earlier.node
        guard target != hostile else { return }
        if otherwise, let other = stepGenerator.pick(commands.suffix(20)), other.command.request != command.request,
            other.command.study != nil
        {
            count(.commandIDReused)
            var changed = command
            changed.request = other.command.request
            send(changed, variant: 1 + UInt64(draw(200)), to: target)
        } else {
            count(.commandRepeated)
            commands.append(SentByClient(command: command, digest: earlier.digest, node: target))
            hand(commands.count - 1)
        }
    }

    // MARK: Clinical commands

    /// A person who works at the node, and where they enter.
    private func place(at id: NodeID) -> (person: Person, location: LocationID) {
        switch id {
        case .stavanger: (.stavangerNurse, stepGenerator.one(of: .stavanger, .stavanger, .haukeland))
        case .unn: (.tromsoNurse, .unn)
        case .fonna: (.fonnaNurse, .fonna)
        default:
            (
                chance(30) ? .bergenInvestigator : .bergenNurse,
                stepGenerator.one(of: .haukeland, .haukeland, .voss, .stavanger)
            )
        }
    }

    func sendDrawnCommand(to id: NodeID) {
        guard let fold = fold(at: id) else { return }
        let place = place(at: id)
        let records = fold.locations[place.location]?.records ?? [:]
        guard let record = stepGenerator.pick(records.keys.sorted()).flatMap({ records[$0] }), !chance(4) else {
            let label = chance(30) ? "" : "S-\(draw(3))"
            send(
                .register(location: place.location, labels: [ParticipantLabel(kind: .screening, text: label)]),
                by: place.person, to: id)
            return
        }
        let baseline = InstanceSelector(oid: SimulatedStudy.baseline)
        switch draw(100) {
        case ..<30:
            save(record, at: place, id, baseline, SimulatedStudy.vitalsForm, [.init(oid: SimulatedStudy.vitals)])
        case ..<37:
            let rows = (0...draw(2)).map { _ in
                InstanceSelector(
                    oid: SimulatedStudy.medication, choice: choice(of: SimulatedStudy.medication, in: record))
            }
            save(record, at: place, id, baseline, SimulatedStudy.vitalsForm, rows)
        case ..<46:
            var event = InstanceSelector(
                oid: SimulatedStudy.adverseEvent, choice: choice(of: SimulatedStudy.adverseEvent, in: record))
            let mine = commands.filter { $0.command.sender.actor == place.person.actor }.suffix(4)
            if chance(20), let earlier = stepGenerator.pick(mine) { event.choice = .begunBy(earlier.command.id) }
            save(
                record, at: place, id, event, SimulatedStudy.adverseEventForm,
                [.init(oid: SimulatedStudy.adverseEventGroup)])
        case ..<53: save(record, at: place, id, baseline, SimulatedStudy.diaryForm, [.init(oid: SimulatedStudy.diary)])
        case ..<60: sendResponse(record, at: place.location, id)
        case ..<76: sendDecision(fold, at: place, id)
        case ..<81: sendStatus(record, at: place, id)
        case ..<87: sendRemoval(record, at: place, id)
        case ..<93: sendLabel(record, at: place, id)
        default: sendLink(record, fold, at: place, id)
        }
    }

    /// Every value of a participant that stands at a node; now and then only a part of it.
    private func seen(_ record: ParticipantState) -> [SeenValue] {
        let all = record.instances.values.flatMap { instance in
            instance.registers.values.flatMap {
                $0.held.map { SeenValue(entry: $0.id.entry, position: $0.id.position) }
            }
        }.sorted { ($0.entry, $0.position) < ($1.entry, $1.position) }
        return chance(90) ? all : all.filter { _ in chance(70) }
    }

    private func choice(of oid: String, in record: ParticipantState) -> InstanceChoice {
        let standing = record.instances.filter { $0.value.shape.oid == oid }.keys.sorted()
        guard chance(60), let id = stepGenerator.pick(standing) else {
            return .new(repeatKey: chance(20) ? "\(draw(3))" : nil)
        }
        return .existing(id)
    }

    private func enteredItems(of group: String) -> [EnteredItem] {
        let all = (SimulatedStudy.items[group] ?? []).shuffled(using: &stepGenerator)
        return all.prefix(1 + draw(3)).map { item, typed in
            if chance(6) { return EnteredItem(item: item, value: .missing(reason: stepGenerator.one(of: "ND", "UNK"))) }
            if chance(6) { return EnteredItem(item: item, value: .cleared(reason: "ERROR")) }
            let unit = item == "I.WEIGHT" ? "MU.KG" : nil
            return EnteredItem(item: item, value: .datum(stepGenerator.pick(typed) ?? "", unit: unit))
        }
    }

    private func save(
        _ record: ParticipantState, at place: (person: Person, location: LocationID), _ id: NodeID,
        _ event: InstanceSelector, _ form: String, _ groups: [InstanceSelector]
    ) {
        var entry = FormEntry(
            location: place.location, participant: .registration(record.id), event: event,
            form: InstanceSelector(oid: form),
            groups: groups.map { EnteredGroup(group: $0, items: enteredItems(of: $0.oid)) }, seen: seen(record))
        if chance(10) { entry.comment = "etter samtale" }
        if chance(10) { entry.reason = "feilskrevet" }
        send(.save(entry), by: place.person, to: id)
    }

    private func sendResponse(_ record: ParticipantState, at location: LocationID, _ id: NodeID) {
        guard id == .haukeland || id == .stavanger else { return }
        let status = stepGenerator.one(of: ResponseStatus.completed, .completed, .amended, .enteredInError)
        let pain = "\(draw(3))"
        let document = [UInt8]("\(status.rawValue) \(pain)".utf8)
        let items = [EnteredItem(item: "I.PAIN", value: .datum(pain, unit: nil))]
        let entry = ResponseEntry(
            location: location, participant: .registration(record.id),
            event: InstanceSelector(oid: SimulatedStudy.baseline), form: FormOID(SimulatedStudy.diaryForm),
            identifier: ResponseIdentifier(system: "urn:app", value: "q-\(draw(2))"), status: status,
            authored: "2025-03-02T10:00:00+01:00",
            groups: [EnteredGroup(group: InstanceSelector(oid: SimulatedStudy.diary), items: items)],
            document: document, documentSHA256: .sha256(document))
        send(
            .respond(entry), by: .app, to: id,
            command: ResponseIdentity.command(
                client: Person.app.actor, identifier: entry.identifier, documentSHA256: entry.documentSHA256))
    }

    private func sendStatus(
        _ record: ParticipantState, at place: (person: Person, location: LocationID), _ id: NodeID
    ) {
        let earlier = record.statuses.keys.sorted().filter { _ in chance(40) }
        send(
            .status(
                location: place.location, participant: .registration(record.id),
                status: stepGenerator.one(of: .screened, .included, .screenFailure, .withdrawn),
                eventDate: stepGenerator.one(of: "2025", "2025-0\(1 + draw(9))", "2025-0\(1 + draw(9))-15"),
                replaces: earlier), by: place.person, to: id)
    }

    private func sendRemoval(
        _ record: ParticipantState, at place: (person: Person, location: LocationID), _ id: NodeID
    ) {
        let instance = chance(20) ? nil : stepGenerator.pick(record.instances.keys.sorted())
        let target = RemovalTarget(
            location: place.location, participant: .registration(record.id), instance: instance, reason: "dobbelt")
        let restores = !record.standingRemovals(of: instance).isEmpty
        send(restores ? .restore(target) : .remove(target), by: place.person, to: id)
    }

    private func sendLabel(
        _ record: ParticipantState, at place: (person: Person, location: LocationID), _ id: NodeID
    ) {
        let seen = record.labelHistory.map(\.id).filter { _ in chance(90) }
        send(
            .assignLabel(
                LabelEntry(
                    location: place.location, participant: .registration(record.id),
                    kind: stepGenerator.one(of: LabelKind.screening, .screening, .subject),
                    text: chance(50) ? "S-\(draw(3))" : nil,
                    seen: seen.map { SeenValue(entry: $0.entry, position: $0.position) })), by: place.person, to: id)
    }

    private func sendLink(
        _ record: ParticipantState, _ fold: StudyFold, at place: (person: Person, location: LocationID), _ id: NodeID
    ) {
        let all = fold.locations.keys.sorted().flatMap { location in
            (fold.locations[location]?.records.keys.sorted() ?? []).map { ParticipantPlace(location, $0) }
        }
        guard let other = stepGenerator.pick(all) else { return }
        let links = fold.links(of: ParticipantPlace(place.location, record.id))
        let linked = chance(60) ? links.first : nil
        let far = linked.map { $0.record.participant == record.id ? $0.other : $0.record } ?? other
        let target = LinkTarget(
            location: place.location, participant: .registration(record.id), other: far.participant,
            otherLocation: far.location, reason: "samme person")
        send(linked == nil ? .link(target) : .unlink(target), by: place.person, to: id)
    }
}
