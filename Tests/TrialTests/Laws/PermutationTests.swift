import EventLog
import Testing
import Trial

/// Small sets in every order there is. After each entry of each order the state must be the oracle's of what is here.
struct PermutationTests {
    /// Six entries that depend on each other, and everything else that is known beforehand.
    struct Case {
        let world: TrialTestWorld
        let entries: [WrittenEntry]
        var before: [WrittenEntry] {
            world.entries.filter { entry in !entries.contains { $0.id == entry.id } }
        }
    }

    private static let permutations = permutations(of: Array(0..<6))

    private static func permutations(of numbers: [Int]) -> [[Int]] {
        guard numbers.count > 1 else { return [numbers] }
        return numbers.indices.flatMap { place in
            var rest = numbers
            let first = rest.remove(at: place)
            return permutations(of: rest).map { [first] + $0 }
        }
    }

    private func check(_ sample: Case) throws {
        #expect(sample.entries.count == 6)
        var base = Folding(study: sample.world.study, charterVersions: 2)
        try base.take(sample.before)
        var known: [Set<Int>: [StreamDigest]] = [:]
        for order in PermutationTests.permutations {
            var folding = base
            var here: Set<Int> = []
            for number in order {
                try folding.take([sample.entries[number]])
                here.insert(number)
                let digests = folding.digests()
                if let expected = known[here] {
                    #expect(digests == expected, "order \(order), of which \(here) are here")
                } else {
                    let held = sample.before + here.map { sample.entries[$0] }
                    #expect(folding.difference(from: held) == nil, "order \(order), of which \(here) are here")
                    known[here] = digests
                }
            }
        }
        #expect(known.count == 63)
    }

    @Test func `a registration, two concurrent saves, one that saw a side, a removal and an end of delegation`() throws
    {
        let world = try TrialTestWorld.open(seed: 20)
        let registered = try world.register()
        let participant = registered.id
        try world.spread()
        let bergen = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let stavanger = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        let saw = try world.saveVitals(
            participant, [(TestStudy.pulse, "72"), (TestStudy.note, "målt på nytt")], by: .bergenNurse)
        let visit = try #require(
            world.record(participant, at: .stavanger)?.instances(of: TestStudy.baseline).keys.first)
        let removed = try world.send(
            .remove(
                RemovalTarget(
                    location: .haukeland, participant: .registration(participant), instance: visit, reason: "dobbelt")),
            by: .stavangerNurse)
        let ended = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        try check(Case(world: world, entries: [registered, bergen, stavanger, saw, removed, ended]))
    }

    @Test func `an invitation, an acceptance, the number that opens, a delegation, a registration and a save`() throws {
        let world = try TrialTestWorld(seed: 21)
        try world.spread()
        let invited = try world.participate(with: [:])
        try world.spread()
        let accepted = try world.accept([.haukeland, .voss], by: .bergenDirector)
        try world.spread()
        let opened = try world.participate(with: [.haukeland: accepted.id])
        try world.spread()
        let delegated = try world.delegate(.bergenNurse, at: .helseVest, by: .bergenDirector)
        let registered = try world.register()
        let saved = try world.saveVitals(registered.id, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try check(Case(world: world, entries: [invited, accepted, opened, delegated, registered, saved]))
    }

    @Test func `a chain of three commands, each carried out at two nodes`() throws {
        let world = try TrialTestWorld.open(seed: 22)
        let ids = (0..<3).map { _ in CommandID(using: &world.generator) }
        let registered = ParticipantReference.registeredBy(ids[0])
        let entries = try [NodeID.haukeland, .stavanger].flatMap { node in
            [
                try world.register(by: .bergenNurse, to: node, command: ids[0]),
                try world.send(
                    world.adverseEvent(of: registered, term: "kvalme"), by: .bergenNurse, to: node, command: ids[1]),
                try world.send(
                    world.adverseEvent(of: registered, .begunBy(ids[1]), term: nil, severity: "2"), by: .bergenNurse,
                    to: node, command: ids[2]),
            ]
        }
        try check(Case(world: world, entries: entries))
    }

    @Test func `a row begun, changed and removed apart, restored by one who saw one removal, and a status`() throws {
        let world = try TrialTestWorld.open(seed: 23)
        let participant = try world.register().id
        try world.spread()
        let began = try world.send(
            world.medication(of: participant, [(.new(repeatKey: "1"), "paracet")]), by: .bergenNurse)
        try world.deliver([began], to: .stavanger)
        let row = try #require(
            world.record(participant, at: .haukeland)?.instances(of: TestStudy.medication).keys.first)
        let target = RemovalTarget(
            location: .haukeland, participant: .registration(participant), instance: row, reason: "dobbelt")
        let bergenRemoved = try world.send(.remove(target), by: .bergenNurse)
        let stavangerRemoved = try world.send(.remove(target), by: .stavangerNurse)
        let restored = try world.send(.restore(target), by: .bergenNurse)
        let changed = try world.send(
            world.medication(
                of: participant, [(.existing(row), "ibux")], seen: world.screen(participant, at: .stavanger)),
            by: .stavangerNurse)
        let status = try world.send(
            .status(
                location: .haukeland, participant: .registration(participant), status: .included,
                eventDate: "2025-03-02", replaces: []), by: .bergenNurse)
        try check(
            Case(
                world: world, entries: [began, bergenRemoved, stavangerRemoved, restored, changed, status]))
    }

    @Test func `one command id for two registrations and two saves, a foreign copy, and a newer operation`() throws {
        let world = try TrialTestWorld.open(seed: 24)
        let id = CommandID(using: &world.generator)
        let one = try world.register(label: "S-1", command: id)
        let two = try world.register(by: .bergenNurse, to: .stavanger, label: "S-2", command: id)
        let save = try world.saveVitals(one.id, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let reused = try #require(save.action)
        var draft = try #require(world.copy(of: save))
        draft.command = id
        draft.parts = Action(command: id, provenance: reused.provenance, operation: reused.operation).parts()
        let sharing = try world.write(draft, at: .haukeland)
        let foreign = try world.write(#require(world.copy(of: save)), at: .unn)
        var newer = try #require(world.copy(of: save))
        newer.operation = OperationType(rawValue: 200)
        try check(
            Case(
                world: world,
                entries: [one, two, save, sharing, foreign, try world.write(newer, at: .haukeland)]))
    }

    @Test func `a withdrawal, a number without the location, a new one with it, and entries that knew each`() throws {
        let world = try TrialTestWorld.open(seed: 25)
        let early = try world.register(at: .stavanger, by: .stavangerNurse)
        let withdrawn = try world.withdraw([.stavanger], by: .stavangerDirector)
        try world.deliver([withdrawn], to: .norcrin)
        var opened: [LocationID: EntryID] = [:]
        for (entry, answer) in world[.norcrin].fold.authority.acceptances {
            for location in answer.locations where location != .stavanger { opened[location] = entry }
        }
        let without = try world.participate(with: opened)
        try world.deliver([early], to: .haukeland)
        let late = try world.saveVitals(
            early.id, [(TestStudy.pulse, "70")], by: .bergenNurse, at: .stavanger, to: .haukeland, seen: [])
        let ended = try world.endDelegation(of: .bergenNurse, at: .helseVest, by: .bergenDirector)
        var knowing = try #require(world.copy(of: late))
        knowing.known.participation = 3
        knowing.command = CommandID(using: &world.generator)
        try check(
            Case(
                world: world,
                entries: [early, withdrawn, without, late, ended, try world.write(knowing, at: .stavanger)]))
    }

    @Test func `a form begun apart, a save that saw one beginning, and three decisions, two of them apart`() throws {
        let world = try TrialTestWorld.open(seed: 26)
        let participant = try world.register().id
        try world.spread()
        let bergen = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let stavanger = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        let saw = try world.saveVitals(
            participant, [(TestStudy.pulse, "72"), (TestStudy.note, "to ganger")], by: .bergenNurse)
        try world.deliver([bergen, stavanger], to: .haukeland)
        try world.deliver([bergen, stavanger], to: .stavanger)
        func decided(_ choice: InstanceChoiceMade, by person: Person) throws -> WrittenEntry {
            let conflict = try #require(world.open(participant, at: person.home).first { $0.kind == .instance })
            return try world.send(
                .decideInstances(
                    InstanceDecisionEntry(
                        location: .haukeland, participant: .registration(participant),
                        form: #require(conflict.instance), beginnings: conflict.sides.compactMap(\.beginning),
                        choice: choice, reason: "avklart")), by: person)
        }
        let two = try decided(.two, by: .bergenNurse)
        let wrong = try decided(.wrong([Beginning(entry: bergen.id, position: 1)]), by: .stavangerNurse)
        try world.deliver([two], to: .stavanger)
        let again = try decided(.two, by: .stavangerNurse)
        try check(Case(world: world, entries: [bergen, stavanger, saw, two, wrong, again]))
    }

    @Test func `three versions of a whole, a resolution, a removal apart and a restoration`() throws {
        let world = try TrialTestWorld.open(seed: 27)
        let participant = try world.register().id
        try world.send(
            world.diary(of: participant, [(TestStudy.pain, "1"), (TestStudy.mood, "1")], at: .haukeland),
            by: .bergenNurse)
        try world.spread()
        let bergen = try world.send(
            world.diary(of: participant, [(TestStudy.pain, "3")], at: .haukeland), by: .bergenNurse)
        let removed = try world.send(
            .remove(world.removal(of: participant, TestStudy.diaryForm, at: .haukeland)), by: .bergenNurse)
        let stavanger = try world.send(
            world.diary(of: participant, [(TestStudy.mood, "4")], at: .stavanger), by: .stavangerNurse)
        try world.deliver([bergen], to: .stavanger)
        let conflict = try #require(world.open(participant, at: .stavanger).first)
        let resolved = try world.send(
            .resolve(world.resolution(of: conflict, participant, at: .stavanger) { $0.name.entry == bergen.id }),
            by: .stavangerNurse)
        let again = try world.send(
            world.diary(of: participant, [(TestStudy.pain, "5")], at: .haukeland), by: .bergenNurse)
        let restored = try world.send(
            .restore(world.removal(of: participant, TestStudy.diaryForm, at: .haukeland)), by: .bergenNurse)
        try check(Case(world: world, entries: [bergen, removed, stavanger, resolved, again, restored]))
    }

    @Test func `a form that is called whole only by the last who wrote in it, saves apart, and a confirmation`() throws
    {
        let world = try TrialTestWorld.open(seed: 28)
        let participant = try world.register().id
        try world.spread()
        let bergen = try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.deliver([bergen], to: .stavanger)
        let one = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let other = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        try world.deliver([one], to: .stavanger)
        let form = try #require(
            world.record(participant, at: .stavanger)?.instances(of: TestStudy.vitalsForm).keys.first)
        let confirmed = try world.send(
            .confirm(
                FormConfirmationEntry(
                    location: .haukeland, participant: .registration(participant), form: form,
                    seen: world.screen(participant, at: .stavanger))), by: .stavangerNurse)
        var draft = try #require(world.copy(of: other))
        var action = try #require(other.action)
        guard case .formSaved(var save) = action.operation else { return }
        save.instances[1].isWhole = true
        action.operation = .formSaved(save)
        action.command = CommandID(using: &world.generator)
        (draft.parts, draft.command) = (action.parts(), action.command)
        let whole = try world.write(draft, at: .stavanger)
        let removed = try world.send(
            .remove(world.removal(of: participant, TestStudy.baseline, at: .haukeland)), by: .bergenNurse)
        try check(Case(world: world, entries: [bergen, one, other, confirmed, whole, removed]))
    }

    @Test func `two saves, one that saw the first, an order on that, an erasure, and a save nobody had seen`() throws {
        let world = try TrialTestWorld.open(seed: 29)
        let registered = try world.register()
        let participant = registered.id
        try world.spread()
        let first = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let unseen = try world.saveVitals(participant, [(TestStudy.pulse, "72")], by: .stavangerNurse)
        let second = try world.saveVitals(
            participant, [(TestStudy.pulse, "71"), (TestStudy.note, "ringte hjem")], by: .bergenNurse)
        let redacted = try world.redact(second.id, of: participant)
        let erased = try world.erase(participant)
        try check(Case(world: world, entries: [registered, first, unseen, second, redacted, erased]))
    }

    @Test func `saves apart, orders on both, the number that lets one of them be ordered, and a resolution`() throws {
        let world = try TrialTestWorld.open(seed: 30)
        let participant = try world.register().id
        try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.spread()
        let bergen = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        let stavanger = try world.saveVitals(participant, [(TestStudy.pulse, "71")], by: .stavangerNurse)
        let participation = try #require(world[.norcrin].fold.authority.participation)
        let numbered = try world.send(
            .participate(
                sponsor: participation.sponsor, coordinating: participation.coordinatingNodes,
                members: participation.members, sites: participation.sites,
                orders: OrderPermissions(redaction: [.principalInvestigator], erasure: [.institution])), by: .manager)
        try world.deliver([stavanger, numbered], to: .haukeland)
        let one = try world.redact(bergen.id, of: participant)
        let conflict = try #require(world.open(participant, at: .haukeland).first)
        let resolved = try world.send(
            .resolve(world.resolution(of: conflict, participant, at: .haukeland) { $0.name.entry == bergen.id }),
            by: .bergenNurse)
        let other = try world.redact(stavanger.id, of: participant)
        try check(Case(world: world, entries: [bergen, stavanger, numbered, one, other, resolved]))
    }
}
