import EventLog
import Node
import Trial

/// People who decide conflicts, and people with authority.
extension Simulation {
    private typealias Place = (person: Person, location: LocationID)

    /// Decides whatever is to be decided at the node; where nothing is, a form is confirmed that nobody saw whole.
    func sendDecision(_ fold: StudyFold, at place: (person: Person, location: LocationID), _ id: NodeID) {
        let records = fold.locations[place.location]?.records ?? [:]
        let open = records.keys.sorted().compactMap { records[$0] }.flatMap { record in
            record.openConflicts.list.map { (record, $0) }
        }
        guard let (record, conflict) = stepGenerator.pick(open) else {
            confirmForm(records, at: place, id)
            return
        }
        switch conflict.kind {
        case .instance:
            guard let form = conflict.instance else { return }
            let beginnings: [Beginning] = conflict.sides.compactMap { side in
                if case .beginning(let beginning) = side.name { beginning } else { nil }
            }
            let wrong = beginnings.filter { _ in stepGenerator.chance(50) } + beginnings.prefix(1)
            send(
                .decideInstances(
                    InstanceDecisionEntry(
                        location: place.location, participant: .registration(record.id), form: form,
                        beginnings: beginnings, choice: stepGenerator.one(of: .same, .two, .two, .wrong(wrong)),
                        reason: "avklart")), by: place.person, to: id)
        case .item, .whole: resolve(record, conflict, at: place, id)
        case .answer: break
        case .removal:
            let target = RemovalTarget(
                location: place.location, participant: .registration(record.id), instance: conflict.instance,
                reason: "avklart", seen: allSeen(record))
            send(stepGenerator.chance(30) ? .remove(target) : .restore(target), by: place.person, to: id)
        }
    }

    private func allSeen(_ record: ParticipantState) -> [SeenValue] {
        record.instances.values.flatMap { instance in
            instance.registers.values.flatMap {
                $0.held.map { SeenValue(entry: $0.id.entry, position: $0.id.position) }
            }
        }.sorted { ($0.entry, $0.position) < ($1.entry, $1.position) }
    }

    private func resolve(_ record: ParticipantState, _ conflict: Conflict, at place: Place, _ id: NodeID) {
        guard let instance = conflict.instance, let chosen = stepGenerator.pick(conflict.sides) else { return }
        let sides = conflict.sides.compactMap { side in
            side.nameInResolutions.map { name in
                JudgedSideEntry(
                    side: SeenValue(entry: name.entry, position: name.position),
                    verdict: side == chosen ? .chosen : stepGenerator.one(of: .wrong, .elsewhere))
            }
        }
        send(
            .resolve(
                ResolutionEntry(
                    location: place.location, participant: .registration(record.id), instance: instance,
                    item: conflict.item, sides: stepGenerator.chance(90) ? sides : Array(sides.dropLast()),
                    seen: allSeen(record), reason: "avklart")), by: place.person, to: id)
    }

    private func confirmForm(_ records: [EntryID: ParticipantState], at place: Place, _ id: NodeID) {
        let forms = records.keys.sorted().compactMap { records[$0] }.flatMap { record in
            record.instances.filter { $0.value.shape.kind == .form && record.isMergedUnseen($0.key) }.keys.sorted()
                .map { (record, $0) }
        }
        guard let (record, form) = stepGenerator.pick(forms) else { return }
        send(
            .confirm(
                FormConfirmationEntry(
                    location: place.location, participant: .registration(record.id), form: form,
                    seen: allSeen(record))), by: place.person, to: id)
    }

    // MARK: Authority

    /// Grants, ends, invites, opens, accepts, withdraws, publishes, plans: whatever the people at the node may.
    func sendDrawnAuthorityCommand(to id: NodeID) {
        guard let study, let fold = fold(at: id) else { return }
        switch id {
        case .haukeland:
            let person = stepGenerator.one(of: Person.bergenNurse, .stavangerNurse, .monitor, .bergenInvestigator, .app)
            if stepGenerator.chance(10) { return withdraw([.voss], by: .bergenDirector, to: id) }
            if stepGenerator.chance(50) {
                delegate(person, at: .helseVest, by: .bergenDirector)
            } else {
                endDelegation(of: person, at: .helseVest, by: .bergenDirector)
            }
        case .unn:
            if stepGenerator.chance(60) {
                delegate(.tromsoNurse, at: .unn, by: .tromsoDirector)
            } else {
                endDelegation(of: .tromsoNurse, at: .unn, by: .tromsoDirector)
            }
        case .stavanger:
            if stepGenerator.chance(70) {
                accept([.stavanger], by: .stavangerDirector, to: id)
            } else {
                withdraw([.stavanger], by: .stavangerDirector, to: id)
            }
        case .fonna:
            accept([.fonna], by: .fonnaDirector, to: id)
            delegate(.fonnaNurse, at: .fonna, by: .fonnaDirector)
        case .norcrin:
            switch stepGenerator.below(10) {
            case ..<5: participate(fold, study: study)
            case ..<8:
                send(
                    .publish(documentBase64: SimulatedStudy.document(version: 2 + stepGenerator.below(3))),
                    by: .manager, to: id)
            default: send(.plan(document: "recruited: \(stepGenerator.below(200))"), by: .manager, to: id)
            }
        default: break
        }
    }

    func delegate(_ person: Person, at site: StudySiteID, by director: Person) {
        send(
            .delegate(site: site, actor: person.actor, name: "N. N.", role: person.role, from: "2025-01-01", to: nil),
            by: director, to: director.home)
    }

    private func endDelegation(of person: Person, at site: StudySiteID, by director: Person) {
        send(
            .endDelegation(site: site, actor: person.actor, role: person.role, from: "2025-06-01"), by: director,
            to: director.home)
    }

    func accept(_ locations: [LocationID], by director: Person, to id: NodeID) {
        send(
            .accept(locations: locations, agreement: "A-1", approval: "REK 1", date: "2025-01-01"), by: director, to: id
        )
    }

    private func withdraw(_ locations: [LocationID], by director: Person, to id: NodeID) {
        send(
            .withdraw(locations: locations, agreement: "A-1", approval: "REK 1", date: "2025-06-01"), by: director,
            to: id)
    }

    /// The next number of the participation chain: all that the coordinating node knows to be accepted is open.
    func participate(_ fold: StudyFold, study: StudyID) {
        var opened: [LocationID: EntryID] = [:]
        for (entry, answer) in fold.authority.acceptances.sorted(by: { $0.key < $1.key }) {
            for location in answer.locations { opened[location] = entry }
        }
        let knowsFonna = self[.norcrin].running?.state.chain.isAdmitted(.fonna) ?? false
        let locations = [LocationID.haukeland, .voss, .stavanger, .unn] + (knowsFonna ? [.fonna] : [])
        send(
            .participate(
                sponsor: "Helse Bergen", coordinating: [.norcrin],
                members: locations.map { Member(location: $0, acceptance: opened[$0]) },
                sites: Cast.sites + (knowsFonna ? [Cast.fonnaSite] : [])), by: .manager, to: .norcrin)
    }
}

extension Request {
    /// The command's name, for counting.
    var name: String { Mirror(reflecting: self).children.first?.label ?? "\(self)" }
}
