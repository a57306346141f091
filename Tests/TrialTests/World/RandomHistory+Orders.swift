import EventLog
import Trial

extension RandomHistory {
    /// Has something dropped: by those who may, by those who may not, and where the study allows it or does not.
    func order() throws {
        if chance(25) { return try restrictOrders() }
        let place = place
        guard let record = participant(of: place) else { return try register() }
        let person =
            switch draw(6) {
            case 0: place.person
            case ..<3: Person.bergenInvestigator
            default:
                place.location == .unn
                    ? Person.tromsoDirector : world.generator.one(of: Person.bergenDirector, .stavangerDirector)
            }
        let grounds = OrderGrounds(ground: "GDPR art. 17(1)(b)", decidedBy: "ombudet 12/25", reason: "ønsket det")
        if chance(25) {
            try world.send(
                .erase(
                    ErasureEntry(
                        location: place.location, participant: .registration(record.id), grounds: grounds)),
                by: person)
            return
        }
        let known = world[person.home].fold.locations[place.location]?.addresses(of: record).keys.sorted() ?? []
        guard let entry = world.generator.pick(known) else { return }
        let scope: RedactionScope =
            chance(60) ? .everything : world.generator.one(of: .text(position: UInt64(draw(3))), .comment, .reason)
        try world.send(
            .redact(
                RedactionEntry(
                    location: place.location, participant: .registration(record.id), entry: entry, scope: scope,
                    grounds: grounds)), by: person)
    }

    /// A number by which the study allows less to be ordered.
    private func restrictOrders() throws {
        let known = world[.norcrin].fold.authority
        guard let participation = known.participation else { return }
        try world.send(
            .participate(
                sponsor: participation.sponsor, coordinating: participation.coordinatingNodes,
                members: participation.members, sites: participation.sites,
                orders: chance(30)
                    ? nil : OrderPermissions(redaction: [.institution], erasure: chance(50) ? [.institution] : [])),
            by: .manager)
    }

    /// An order that no well-behaved node writes: about an entry or a handle of anybody, present or not.
    func disorder() throws {
        guard let victim = world.generator.pick(world.entries), let target = world.generator.pick(world.entries) else {
            return
        }
        let director = world.generator.one(of: Person.bergenDirector, .tromsoDirector, .monitor, .bergenInvestigator)
        let newest = world[.norcrin].fold.authority.participation?.number ?? 2
        let known = chance(50) ? victim.header?.known : nil
        let subject = target.subject ?? SubjectHandle(using: &world.generator)
        let order = DropOrder(
            target: chance(40)
                ? .participant(target.id, subject)
                : .parts(PartSet(rawValue: UInt64(1 + draw(15))), of: target.id, at: target.place),
            ground: "", decidedBy: "", reason: nil)
        let isErasure = if case .participant = order.target { true } else { false }
        let draft = world.draft(
            isErasure ? .erasureOrdered(order) : .redactionOrdered(order),
            in: chance(80) ? target.stream : victim.stream, by: director,
            known: known ?? KnownVersions(charter: 1, participation: newest, delegation: 0),
            subject: chance(90) ? subject : nil)
        try world.write(draft, at: world.generator.one(of: .haukeland, .stavanger, .unn, .norcrin))
    }
}
