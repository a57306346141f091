import EventLog
import Testing
import Trial

/// Laws M50 to M53 (Protocols/merge.md; DESIGN §4, "Redaction and erasure").
struct OrderLawTests {
    private func world(_ seed: UInt64) throws -> (world: TrialTestWorld, participant: EntryID) {
        let world = try TrialTestWorld.open(seed: seed)
        let participant = try world.register().id
        try world.spread()
        return (world, participant)
    }

    /// What a fold of all entries comes to, in each of two orders, as written and with authority last.
    private func folded(_ world: TrialTestWorld, _ entries: [WrittenEntry]? = nil) throws -> StudyFold {
        let entries = entries ?? world.entries
        var forward = Folding(study: world.study, charterVersions: 2)
        try forward.take(entries)
        var late = Folding(study: world.study, charterVersions: 2)
        try late.take(entries.filter { $0.stream.location != nil }.reversed())
        try late.take(entries.filter { $0.stream.location == nil })
        #expect(forward.digests() == late.digests())
        #expect(forward.difference(from: entries) == nil)
        return forward.fold
    }

    // MARK: The law of the missing bytes

    @Test func `state is the same whether the parts that orders drop are still here or not, and whenever they went`()
        async throws
    {
        let dropped = try await withThrowingTaskGroup(of: Int.self) { group in
            for batch in UInt64(0)..<10 {
                group.addTask { try self.dropped(seeds: batch * 20..<batch * 20 + 20) }
            }
            return try await group.reduce(0, +)
        }
        // Over all of them, for a few histories may well have no order that drops anything.
        #expect(dropped > 100, "\(dropped) entries lost something")
    }

    /// Holds what is folded with the parts that orders drop against what is folded without; gives how many entries lost any.
    private func dropped(seeds: Range<UInt64>) throws -> Int {
        var dropped = 0
        for seed in seeds {
            let history = try RandomHistory(seed: seed &+ 300_000, steps: 50)
            var generator = SplitMix64(seed: seed)
            let study = history.world.study
            var whole = Folding(study: study, charterVersions: 3)
            try whole.take(history.entries)
            let digests = whole.digests()
            let records = whole.fold.locations.mapValues(\.records)
            let stripped = try history.entries.map { entry -> WrittenEntry in
                guard let drops = entry.stream.location.flatMap({ whole.fold.locations[$0]?.drops }) else {
                    return entry
                }
                let left = try entry.carriedOut(drops)
                if left.content != entry.content { dropped += 1 }
                return left
            }
            let some = zip(history.entries, stripped).map { generator.chance(50) ? $0 : $1 }
            for entries in [
                stripped, stripped.reversed(), stripped.shuffled(using: &generator), some.shuffled(using: &generator),
            ] {
                var folding = Folding(study: study, charterVersions: 3)
                try folding.take(entries)
                #expect(folding.digests() == digests, "seed \(seed)")
                #expect(folding.fold.locations.mapValues(\.records) == records, "seed \(seed)")
            }
        }
        return dropped
    }

    @Test func `a node that carries orders out as they come comes to what one that never does comes to`() throws {
        for seed in UInt64(0)..<100 {
            let history = try RandomHistory(seed: seed &+ 310_000, steps: 50)
            var generator = SplitMix64(seed: seed)
            let entries = history.entries.shuffled(using: &generator)
            var keeping = Folding(study: history.world.study, charterVersions: 3)
            try keeping.take(entries)
            var dropping = Folding(study: history.world.study, charterVersions: 3)
            var isUndone = false
            for entry in entries {
                let before = dropping.fold.locations.mapValues(\.drops)
                try dropping.take([entry])
                // Bytes that are gone stay gone: where an order loses its effect later, there is no law (M53).
                for (location, drops) in before where !drops.isEmpty {
                    let now = dropping.fold.locations[location]?.drops ?? DropOrders()
                    isUndone = isUndone || !drops.isContained(in: now)
                }
                try dropping.carryOut()
            }
            guard !isUndone else { continue }
            #expect(dropping.digests() == keeping.digests(), "seed \(seed)")
        }
    }

    // MARK: Redaction

    @Test func `what a redacted value superseded stays superseded, and its item reads as erased by the order`() throws {
        let (world, participant) = try world(101)
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let second = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .bergenNurse)
        try world.spread()
        let order = try world.redact(second.id, of: participant)
        try world.spread()
        for node in [NodeID.norcrin, .haukeland, .stavanger] {
            let record = try #require(world.record(participant, at: node))
            let register = try #require(record.register(TestStudy.pulse))
            #expect(register.held.map(\.id.entry) == [second.id])
            #expect(register.texts == ["(dropped)"] && !register.isConflict)
            #expect(register.current.map(record.orders(on:)) == [order.id])
        }
        let counts = try #require(folded(world).locations[.haukeland]?.counts)
        #expect(counts.values == 1 && counts.valuesErased == 1 && counts.participants == 1)
    }

    @Test func `one free text is dropped and the other values of the save stay`() throws {
        let (world, participant) = try world(102)
        let save = try world.saveVitals(
            participant, [(TestStudy.pulse, "70"), (TestStudy.note, "naboen heter Kari")], by: .bergenNurse)
        try world.spread()
        guard case .formSaved(let said)? = save.action?.operation,
            let place = said.changes.firstIndex(where: { $0.item == TestStudy.note })
        else { return #expect(Bool(false)) }
        try world.redact(save.id, of: participant, .text(position: UInt64(place)))
        let record = try #require(folded(world).locations[.haukeland]?.participant(participant))
        #expect(record.register(TestStudy.pulse)?.texts == ["70"])
        #expect(record.register(TestStudy.note)?.texts == ["(dropped)"])
        // There is no such text any more, and none where none was.
        #expect(throws: Refusal.self) {
            try world.redact(save.id, of: participant, .text(position: UInt64(1 - place)))
        }
    }

    @Test func `a conflict with an erased side is still one, and is decided by one who saw both sides`() throws {
        let (world, participant) = try world(103)
        // Begun before they are apart, so that nothing but the item is in conflict.
        try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.spread()
        let bergen = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        try world.spread()
        try world.redact(bergen.id, of: participant)
        try world.spread()
        let conflict = try #require(world.open(participant, at: .stavanger).first { $0.kind == .item })
        #expect(conflict.sides.count == 2)
        try world.send(
            .resolve(
                world.resolution(of: conflict, participant, at: .stavanger) { $0.values.first?.held.value != nil }),
            by: .stavangerNurse)
        try world.spread()
        let record = try #require(folded(world).locations[.haukeland]?.participant(participant))
        #expect(record.register(TestStudy.pulse)?.texts == ["71"])
        #expect(record.openConflicts.list.isEmpty)
    }

    @Test func `a save that was sent twice is redacted in both of its entries`() throws {
        let (world, participant) = try world(104)
        let command = CommandID(using: &world.generator)
        let entry = world.vitals(participant, [(TestStudy.pulse, "70")], node: .haukeland)
        let one = try world.send(.save(entry), by: .bergenNurse, command: command)
        let sent = try #require(world.commands.last)
        let two = try world.send(sent, to: .stavanger)
        try world.spread()
        let drafts = try Decision.orders(
            Command(
                id: CommandID(using: &world.generator),
                sender: Sender(actor: Person.bergenInvestigator.actor, role: .principalInvestigator),
                study: world.study, provenance: Provenance(source: .direct),
                request: .redact(
                    RedactionEntry(
                        location: .haukeland, participant: .registration(participant), entry: one.id,
                        scope: .everything, grounds: TrialTestWorld.grounds))),
            in: world[.haukeland].context(for: Person.bergenInvestigator.actor, using: &world.generator))
        #expect(drafts.count == 2 && drafts[0].command != drafts[1].command)
        for draft in drafts { try world.write(draft, at: .haukeland) }
        let record = try #require(folded(world).locations[.haukeland]?.participant(participant))
        #expect(Set(record.redactions.keys) == [one.id, two.id])
        #expect(record.register(TestStudy.pulse)?.texts == ["(dropped)"])
        #expect(record.findings.isEmpty)
    }

    // MARK: Erasure

    @Test func `of an erased participant nothing is left but that they were here, also of what comes later`() throws {
        let (world, participant) = try world(105)
        let other = try world.register(label: "S-002").id
        try world.spread()
        try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let late = try world.saveVitals(participant, [(TestStudy.weight, "81")], by: .stavangerNurse)
        let order = try world.erase(participant)
        #expect(world.record(participant, at: .haukeland) == nil)
        try world.deliver([late], to: .haukeland)
        let fold = try folded(world)
        let location = try #require(fold.locations[.haukeland])
        #expect(Set(location.records.keys) == [other])
        #expect(location.waiting.isEmpty && location.void.isEmpty && location.notUnderstood.isEmpty)
        let erased = try #require(location.erasedParticipant(participant))
        #expect(erased.orders == [order.id] && erased.registrations == [participant] && erased.entryCount == 3)
        #expect(location.counts.erased == 1 && location.counts.participants == 1)
        #expect(fold.labelFindings.isEmpty)
        // Nothing more is written about them where the order is known.
        #expect(throws: Refusal.unknownParticipant) {
            try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .bergenNurse, seen: [])
        }
    }

    @Test func `a participant registered twice by one command is erased under both handles`() throws {
        let world = try TrialTestWorld.open(seed: 106)
        let one = try world.register()
        let sent = try #require(world.commands.last)
        let two = try world.send(sent, to: .stavanger)
        try world.spread()
        let standing = min(one.id, two.id)
        let save = try world.saveVitals(standing, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let context = world[.haukeland].context(for: Person.bergenDirector.actor, using: &world.generator)
        let drafts = try Decision.orders(
            Command(
                id: CommandID(using: &world.generator),
                sender: Sender(actor: Person.bergenDirector.actor, role: .institution), study: world.study,
                provenance: Provenance(source: .direct),
                request: .erase(
                    ErasureEntry(
                        location: .haukeland, participant: .registration(one.id), grounds: TrialTestWorld.grounds))),
            in: context)
        #expect(drafts.count == 2)
        let first = try world.write(drafts[0], at: .haukeland)
        // Under one handle only, the other registration is somebody of whom nothing more is known.
        #expect(try folded(world).locations[.haukeland]?.records.count == 1)
        let second = try world.write(drafts[1], at: .haukeland)
        let location = try #require(folded(world).locations[.haukeland])
        #expect(location.records.isEmpty && location.counts.erased == 1)
        let erased = try #require(location.erasedParticipants[standing])
        #expect(erased.orders == [first.id, second.id].sorted() && erased.registrations == [one.id, two.id])
        #expect(location.entries(of: erased) == [one.id, two.id, save.id].sorted())
    }

    // MARK: Rights

    @Test func `an order counts by what its writer knew, and one without the right has no effect`() throws {
        let (world, participant) = try world(107)
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.spread()
        #expect(throws: Refusal.roleMayNot(.studyNurse)) {
            try world.redact(save.id, of: participant, by: .bergenNurse)
        }
        let good = try world.redact(save.id, of: participant)
        var monitor = try #require(world.copy(of: good))
        monitor.authority.role = .monitor
        var undelegated = try #require(world.copy(of: good))
        undelegated.authority.delegation = nil
        var foreign = try #require(world.copy(of: good))
        foreign.authority.role = .institution
        let entries = world.entries.filter { $0.id != good.id }
        let voids = try [
            (world.write(monitor, at: .haukeland), VoidRule.roleMayNot),
            (world.write(undelegated, at: .haukeland), .notDelegated),
            (world.write(foreign, at: .unn), .foreignStream),
        ]
        let fold = try folded(world, entries + voids.map(\.0))
        let location = try #require(fold.locations[.haukeland])
        for (entry, rule) in voids { #expect(location.void[entry.id] == rule) }
        #expect(location.orders.isEmpty)
        #expect(location.participant(participant)?.register(TestStudy.pulse)?.texts == ["70"])
        #expect(try folded(world).locations[.haukeland]?.orders.keys.map { $0 } == [good.id])
    }

    @Test func `a study says who may order what, and an order given before it said so stands`() throws {
        let (world, participant) = try world(108)
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let other = try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        let early = try world.redact(save.id, of: participant)
        let participation = try #require(world[.norcrin].fold.authority.participation)
        try world.send(
            .participate(
                sponsor: participation.sponsor, coordinating: participation.coordinatingNodes,
                members: participation.members, sites: participation.sites,
                orders: OrderPermissions(redaction: [.institution], erasure: [])), by: .manager)
        try world.spread()
        #expect(throws: Refusal.orderNotAllowed(.principalInvestigator)) {
            try world.redact(other.id, of: participant)
        }
        #expect(throws: Refusal.orderNotAllowed(.institution)) { try world.erase(participant) }
        var draft = try #require(world.copy(of: early))
        draft.known.participation = 3
        let late = try world.write(draft, at: .haukeland)
        let location = try #require(folded(world).locations[.haukeland])
        #expect(location.void == [late.id: .orderNotAllowed])
        #expect(Set(location.orders.keys) == [early.id])
        try world.redact(other.id, of: participant, by: .bergenDirector)
        #expect(try folded(world).locations[.haukeland]?.orders.count == 2)
    }

    @Test func `an order under a delegation that had ended unknown to its writer acts, and is a finding`() throws {
        let (world, participant) = try world(109)
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let order = try world.redact(save.id, of: participant)
        let grant = try #require(order.header?.authority.delegation)
        let chain = try #require(world[.haukeland].fold.authority.delegations[.helseVest])
        let link = try #require(chain.first { $0.id == grant })
        // The owner of the chain ended it without having seen the order.
        let number = UInt64(chain.count) + 1
        let earlier = try #require(world.entries.last { $0.header?.operation == .delegationNumbered })
        var draft = try #require(world.copy(of: earlier))
        draft.parts =
            Action(
                command: CommandID(using: &world.generator), provenance: Provenance(source: .direct),
                operation: .delegationNumbered(
                    Delegation(
                        site: .helseVest, number: number, previous: chain.last?.id, actor: link.payload.actor,
                        name: "", role: link.payload.role, from: "2025-06-01", to: nil, ends: grant))
            ).parts()
        try world.write(draft, at: .haukeland)
        let location = try #require(folded(world).locations[.haukeland])
        #expect(location.findings == [order.id: .delegationHadEnded])
        #expect(location.participant(participant)?.register(TestStudy.pulse)?.texts == ["(dropped)"])
    }

    @Test
    func `an order whose header names another handle than it erases is void, and so is one without grounds refused`()
        throws
    {
        let (world, participant) = try world(110)
        let order = try world.erase(participant)
        var draft = try #require(world.copy(of: order))
        draft.subject = SubjectHandle(using: &world.generator)
        let wrong = try world.write(draft, at: .haukeland)
        let entries = world.entries.filter { $0.id != order.id }
        let location = try #require(folded(world, entries).locations[.haukeland])
        #expect(location.void == [wrong.id: .unreadable] && location.records.count == 1)
        #expect(throws: Refusal.orderWithoutGrounds) {
            try world.send(
                .erase(
                    ErasureEntry(
                        location: .haukeland, participant: .registration(participant),
                        grounds: OrderGrounds(ground: "GDPR", decidedBy: " ", reason: "x"))), by: .bergenDirector)
        }
    }
}
