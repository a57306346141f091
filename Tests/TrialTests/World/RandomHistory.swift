import EventLog
import Trial

/// A history that a seed makes: people at four nodes who know only what was delivered to them, commands sent twice,
/// rights that change under their hands, and nodes and entries that do not keep the rules.
struct RandomHistory {
    let world: TrialTestWorld
    /// Commands that their node refused.
    private(set) var refusals = 0
    /// In every third history a version of the charter that comes when all is over, and takes a node's key away.
    private(set) var lastVersion: NetworkDirectory.Version?

    /// Whether anybody orders anything to be dropped.
    let withOrders: Bool

    /// Plays `steps` steps.
    init(seed: UInt64, steps: Int, withOrders: Bool = true) throws {
        self.withOrders = withOrders
        world = try TrialTestWorld.open(seed: seed)
        let first = try world.register(label: "S-1").id
        // Begun before anybody is apart, so that the histories have conflicts within forms and not only of them.
        try world.saveVitals(first, [(TestStudy.weight, "80")], by: .bergenNurse)
        try world.register(at: .unn, by: .tromsoNurse, label: "S-1")
        try world.spread()
        for _ in 0..<steps {
            do {
                try step()
            } catch is Refusal {
                refusals += 1
            }
            try deliverSome()
        }
        if seed % 3 == 0 { lastVersion = versionWithoutAKey(seed: seed) }
    }

    /// A version that lets so much count of what one node wrote as somebody might have held.
    private func versionWithoutAKey(seed: UInt64) -> NetworkDirectory.Version {
        var generator = SplitMix64(seed: seed ^ 0x4E1)
        let node = generator.one(of: NodeID.haukeland, .stavanger, .unn, .norcrin)
        var sizes: [LogID: UInt64] = [:]
        for entry in world.entries where entry.writer == node {
            sizes[entry.address.log] = max(sizes[entry.address.log] ?? 0, entry.address.index + 1)
        }
        var accepted: [LogID: UInt64] = [:]
        for (log, size) in sizes.sorted(by: { $0.key < $1.key }) where generator.chance(80) {
            accepted[log] = generator.chance(50) ? size : UInt64(generator.below(Int(size) + 1))
        }
        return TestNetwork.withoutKey(of: node, isRevoked: generator.chance(50), accepted: accepted)
    }

    /// Every entry, in the order of writing.
    var entries: [WrittenEntry] { world.entries }

    func draw(_ count: Int) -> Int { world.generator.below(count) }
    func chance(_ percent: Int) -> Bool { world.generator.chance(percent) }

    private func step() throws {
        drawClinicalDate()
        switch draw(100) {
        case ..<6: try register()
        case ..<26: try saveVitals()
        case ..<31: try saveRows()
        case ..<34: try assignLabel()
        case ..<41: try saveAdverseEvent()
        case ..<46: try saveDiary()
        case ..<49: try link()
        case ..<54: try respond()
        case ..<69: try decideSomething()
        case ..<72: try recordStatus()
        case ..<76: try removeOrRestore()
        case ..<80: try resend()
        case ..<83: try withOrders ? order() : resend()
        case ..<92: try changeAuthority()
        default: try misbehave()
        }
    }

    /// Delivers a few entries, in any order, to a node or two.
    private func deliverSome() throws {
        for _ in 0..<2 where chance(60) {
            guard let node = world.generator.pick([NodeID.norcrin, .haukeland, .stavanger, .unn]) else { continue }
            for _ in 0..<draw(8) {
                guard let entry = world.generator.pick(world.entries) else { continue }
                try world.deliver([entry], to: node)
            }
            if chance(3) { try world[node].learn(TestNetwork.directory(3)) }
        }
    }

    // MARK: Clinical data

    var place: (person: Person, location: LocationID) {
        switch draw(10) {
        case ..<4: (.bergenNurse, world.generator.one(of: .haukeland, .haukeland, .voss, .stavanger))
        case ..<7: (.stavangerNurse, world.generator.one(of: .haukeland, .haukeland, .stavanger))
        case 7: (.bergenInvestigator, .haukeland)
        default: (.tromsoNurse, .unn)
        }
    }

    func participant(of place: (person: Person, location: LocationID)) -> ParticipantState? {
        let records = world[place.person.home].fold.locations[place.location]?.records ?? [:]
        return records.keys.sorted().randomElement(using: &world.generator).flatMap { records[$0] }
    }

    func register() throws {
        let place = place
        try world.register(
            at: place.location, by: place.person, label: chance(30) ? "" : "S-\(draw(3))",
            command: chance(20) ? world.commands.last?.id : nil)
    }

    /// What is on the screen; now and then only a part of it.
    func seen(_ record: ParticipantState, at place: (person: Person, location: LocationID)) -> [SeenValue] {
        let all = world.screen(record.id, at: place.person.home, in: place.location)
        return chance(85) ? all : all.filter { _ in chance(70) }
    }

    func value(of item: ItemOID) -> EnteredValue {
        if chance(8) { return .missing(reason: world.generator.one(of: "ND", "UNK")) }
        if chance(8) { return .cleared(reason: "ERROR") }
        switch item {
        case TestStudy.weight, TestStudy.dose:
            return .datum(world.generator.one(of: "70", "70.0", "71.5"), unit: item == TestStudy.weight ? "MU.KG" : nil)
        case TestStudy.sex: return .datum(world.generator.one(of: "F", "M"), unit: nil)
        case TestStudy.visitDate: return .datum(world.generator.one(of: "2025", "2025-03"), unit: nil)
        case TestStudy.note, TestStudy.term, TestStudy.drug:
            return .datum(world.generator.one(of: "kvalme", "søvn", "e\u{301}", "\u{E9}"), unit: nil)
        case TestStudy.severity: return .datum(world.generator.one(of: "1", "2", "03"), unit: nil)
        default: return .datum(world.generator.one(of: "70", "71", "072"), unit: nil)
        }
    }

    func items(of group: String) -> [EnteredItem] {
        let all = (TestStudy.openItems[group] ?? []).shuffled(using: &world.generator)
        return all.prefix(1 + draw(3)).map { EnteredItem(item: $0, value: value(of: $0)) }
    }

    func save(
        _ record: ParticipantState, at place: (person: Person, location: LocationID), event: InstanceSelector,
        form: String, _ groups: [InstanceSelector]
    ) throws {
        var entry = FormEntry(
            location: place.location, participant: .registration(record.id), event: event,
            form: InstanceSelector(oid: form),
            groups: groups.map { EnteredGroup(group: $0, items: items(of: $0.oid)) }, seen: seen(record, at: place))
        if chance(10) { entry.comment = "etter samtale" }
        if chance(10) { entry.reason = "feilskrevet" }
        try world.send(.save(entry), by: place.person)
    }

    private func saveVitals() throws {
        let place = place
        guard let record = participant(of: place) else { return try register() }
        try save(
            record, at: place, event: InstanceSelector(oid: TestStudy.baseline), form: TestStudy.vitalsForm,
            [InstanceSelector(oid: TestStudy.vitals)])
    }

    /// A new row, or one that stands.
    private func choice(of oid: String, in record: ParticipantState) -> InstanceChoice {
        let standing = record.instances(of: oid).keys.sorted()
        guard chance(60), let id = standing.randomElement(using: &world.generator) else {
            return .new(repeatKey: chance(20) ? "\(draw(3))" : nil)
        }
        return .existing(id)
    }

    private func saveRows() throws {
        let place = place
        guard let record = participant(of: place) else { return try register() }
        try save(
            record, at: place, event: InstanceSelector(oid: TestStudy.baseline), form: TestStudy.vitalsForm,
            (0...draw(2)).map { _ in
                InstanceSelector(oid: TestStudy.medication, choice: choice(of: TestStudy.medication, in: record))
            })
    }

    private func saveAdverseEvent() throws {
        let place = place
        guard let record = participant(of: place) else { return try register() }
        let began = world.commands.filter { $0.sender.actor == place.person.actor }.suffix(4)
        var event = InstanceSelector(
            oid: TestStudy.adverseEvent, choice: choice(of: TestStudy.adverseEvent, in: record))
        if chance(30), let command = world.generator.pick(Array(began)) { event.choice = .begunBy(command.id) }
        try save(
            record, at: place, event: event, form: TestStudy.adverseEventForm,
            [InstanceSelector(oid: TestStudy.adverseEventGroup)])
    }

    func saveDiary() throws {
        let place = place
        guard let record = participant(of: place) else { return try register() }
        try save(
            record, at: place, event: InstanceSelector(oid: TestStudy.baseline), form: TestStudy.diaryForm,
            [InstanceSelector(oid: TestStudy.diary)])
    }

    private func recordStatus() throws {
        let place = place
        guard let record = participant(of: place) else { return try register() }
        let earlier = record.statuses.keys.sorted().filter { _ in chance(40) }
        try world.send(
            .status(
                location: place.location, participant: .registration(record.id),
                status: world.generator.one(of: .screened, .included, .screenFailure, .withdrawn, .withdrawn),
                eventDate: world.generator.one(of: "2025", "2025-0\(1 + draw(9))", "2025-0\(1 + draw(9))-15"),
                replaces: earlier), by: place.person)
    }

    private func removeOrRestore() throws {
        let place = place
        guard let record = participant(of: place) else { return try register() }
        let instance = chance(20) ? nil : record.instances.keys.sorted().randomElement(using: &world.generator)
        let target = RemovalTarget(
            location: place.location, participant: .registration(record.id), instance: instance, reason: "dobbelt")
        let restores = !record.standingRemovals(of: instance).isEmpty
        try world.send(restores ? .restore(target) : .remove(target), by: place.person)
    }

    /// Sends an earlier command to another node; now and then another command under its id.
    private func resend() throws {
        guard var command = world.generator.pick(Array(world.commands.suffix(12))) else { return }
        let node = world.generator.one(of: NodeID.haukeland, .stavanger, .unn, .norcrin)
        if chance(20), let other = world.generator.pick(Array(world.commands.suffix(12))) {
            command.request = other.request
        }
        try world.send(command, to: node)
    }
}
