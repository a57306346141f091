import EventLog
import Trial

extension RandomHistory {
    /// Grants, ends, invites, opens, accepts, withdraws, publishes.
    func changeAuthority() throws {
        let people = [Person.bergenNurse, .stavangerNurse, .monitor]
        switch world.generator.below(16) {
        case ..<4:
            guard let person = world.generator.pick(people) else { return }
            try world.endDelegation(of: person, at: .helseVest, by: .bergenDirector)
        case ..<8:
            guard let person = world.generator.pick(people) else { return }
            try world.delegate(person, at: .helseVest, by: .bergenDirector)
        case 8: try world.endDelegation(of: .tromsoNurse, at: .unn, by: .tromsoDirector)
        case 9: try world.delegate(.tromsoNurse, at: .unn, by: .tromsoDirector)
        case 10: try world.accept([.stavanger], by: .stavangerDirector)
        case 11:
            try world.withdraw(
                [world.generator.one(of: .voss, .haukeland)], by: .bergenDirector)
        case 12, 13: try numberParticipation(at: .norcrin)
        // A node that does not coordinate may try.
        case 14: try numberParticipation(at: world.generator.one(of: .norcrin, .unn))
        default: try publish()
        }
    }

    /// A next number that opens what norcrin knows to be accepted, now and then leaving a location out.
    private func numberParticipation(at node: NodeID) throws {
        var opened: [LocationID: EntryID] = [:]
        for (entry, answer) in world[node].fold.authority.acceptances.sorted(by: { $0.key < $1.key }) {
            for location in answer.locations where world.generator.chance(90) { opened[location] = entry }
        }
        var sites = TestNetwork.sites
        if world.generator.chance(20) { sites[0].isRegional = false }
        try world.participate(
            with: opened, sites: sites, to: node,
            coordinating: world.generator.chance(30) ? [.norcrin, .unn] : [.norcrin])
    }

    /// Publishes the definitions' document in two pieces.
    private func publish() throws {
        let document = [UInt8](repeating: 7, count: ContentChunk.byteCount + 10)
        let command = Command(
            id: CommandID(using: &world.generator), sender: Sender(actor: Person.manager.actor, role: .dataManager),
            study: world.study, provenance: Provenance(source: .direct), request: .publish(documentBase64: ""))
        func context() -> DecisionContext {
            world[.norcrin].context(for: Person.manager.actor, using: &world.generator)
        }
        let chunks = try Decision.chunks(of: document, command, in: context()).map {
            try world.write($0, at: .norcrin).id
        }
        try world.write(
            Decision.publication(
                of: document, definition: TestStudy.definition, chunks: chunks, command, in: context()), at: .norcrin)
        if world.generator.chance(50) {
            try world.send(.plan(document: "recruited: 100"), by: .manager)
        }
    }

    /// Something that no well-behaved node writes, or that a newer one does.
    func misbehave() throws {
        guard let victim = world.generator.pick(world.entries), var draft = world.copy(of: victim) else { return }
        let writer = world.generator.one(of: NodeID.unn, .ahus, .stranger, .stavanger, .norcrin)
        switch world.generator.below(24) {
        // A copy in another node's log.
        case ..<3: break
        case 3: draft.authority.role = .monitor
        case 4: draft.authority.delegation = nil
        case 5: draft.known.charter = UInt64(world.generator.below(5))
        case 6: draft.known.participation = UInt64(world.generator.below(6))
        case 7: draft.known.delegation = UInt64(world.generator.below(10))
        case 8: draft.mergeRules = 1
        case 9: draft.operation = OperationType(rawValue: 99)
        case 10: draft.stream = world.generator.one(of: .study(world.study), .location(.unn, in: world.study))
        case 11: draft.parts[0].bytes = world.generator.bytes(40)
        case 12:
            if world.generator.chance(30) { _ = try world.newerHeader(in: draft.stream, at: writer) }
            return
        case 13, 14, 20:
            guard let changed = misnumbered() else { return }
            draft = changed
        case 15, 16, 17:
            guard let changed = distorted() else { return }
            draft = changed
        case 18, 19:
            guard let changed = world.generator.chance(60) ? foreignSave() : undatedWithdrawal() else { return }
            draft = changed
        case 21, 22: return try withOrders ? disorder() : drop()
        default:
            return try drop()
        }
        let staysInLog = world.generator.chance(30)
        try world.write(draft, at: world.generator.chance(50) ? victim.writer : writer, staysInLog: staysInLog)
    }

    /// A save of which parts were dropped by an order before it came here.
    private func drop() throws {
        let saves = world.entries.filter { $0.header?.operation == .formSaved }
        guard let victim = world.generator.pick(saves), let draft = world.copy(of: victim) else { return }
        _ = try world.dropping(
            [world.generator.one(of: .content, .content, .structure, .text)], from: draft, at: victim.writer)
    }

    /// A number of a chain that does not follow the one before, in the log of whoever may number it.
    private func misnumbered() -> EntryDraft? {
        let numbered = world.entries.filter {
            $0.header?.operation == .participationNumbered || $0.header?.operation == .delegationNumbered
        }
        guard let victim = world.generator.pick(numbered), var draft = world.copy(of: victim),
            var action = victim.action
        else { return nil }
        let number = UInt64(world.generator.below(8))
        let previous = world.generator.pick(numbered)?.id
        switch action.operation {
        case .participationNumbered(var payload):
            (payload.number, payload.previous) = (number, previous)
            action.operation = .participationNumbered(payload)
        case .delegationNumbered(var delegation):
            (delegation.number, delegation.previous) = (number, previous)
            action.operation = .delegationNumbered(delegation)
        default: break
        }
        draft.parts = action.parts()
        return draft
    }

    /// A withdrawal whose date says nothing, which no well-behaved node writes.
    private func undatedWithdrawal() -> EntryDraft? {
        let statuses = world.entries.filter { $0.header?.operation == .statusRecorded }
        guard let victim = world.generator.pick(statuses), var draft = world.copy(of: victim),
            var action = victim.action, case .statusRecorded(var record) = action.operation
        else { return nil }
        (record.status, record.eventDate) = (.withdrawn, "i vår")
        action.command = CommandID(using: &world.generator)
        action.operation = .statusRecorded(record)
        draft.command = action.command
        draft.parts = action.parts()
        return draft
    }
}
