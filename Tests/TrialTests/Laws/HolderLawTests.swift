import EventLog
import Testing
import Trial

/// Law M26 (Protocols/merge.md), DESIGN §3, "Participation", and §6, "Who may hold": which nodes a stream may be sent
/// to.
struct HolderLawTests {
    private func holders(_ world: TrialTestWorld, of location: LocationID, at node: NodeID = .norcrin) -> Set<NodeID> {
        world[node].fold.authority.holders(of: .location(location, in: world.study))
    }

    private func studyHolders(_ world: TrialTestWorld) -> Set<NodeID> {
        world[.norcrin].fold.authority.holders(of: .study(world.study))
    }

    @Test func `a location is held by its host, its regional neighbours and those who coordinate`() throws {
        let world = try TrialTestWorld.open(seed: 11)
        #expect(holders(world, of: .haukeland) == [.norcrin, .haukeland, .stavanger])
        // A satellite is held by the node that hosts it.
        #expect(holders(world, of: .voss) == [.norcrin, .haukeland, .stavanger])
        #expect(holders(world, of: .stavanger) == [.norcrin, .haukeland, .stavanger])
        #expect(holders(world, of: .unn) == [.norcrin, .unn])
        #expect(studyHolders(world) == [.norcrin, .haukeland, .stavanger, .unn])
    }

    @Test func `a node that was not invited holds nothing, and nobody holds what belongs to no location or study`()
        throws
    {
        let world = try TrialTestWorld.open(seed: 11)
        let authority = world[.norcrin].fold.authority
        #expect(holders(world, of: .ahus) == [])
        #expect(authority.holders(of: .study(StudyID(using: &world.generator))) == [])
        let restricted = StreamID(study: world.study, scope: .restricted(class: "allocation", location: .haukeland))
        #expect(authority.holders(of: restricted) == [])
        for location in [LocationID.haukeland, .voss, .stavanger, .unn, .ahus] {
            #expect(!holders(world, of: location).contains(.ahus))
        }
    }

    @Test func `before the first number only the founder holds the study, and an invitation opens no location`() throws
    {
        let world = try TrialTestWorld(seed: 12)
        #expect(studyHolders(world) == [.norcrin])
        try world.participate(with: [:])
        try world.spread()
        #expect(studyHolders(world) == [.norcrin, .haukeland, .stavanger, .unn])
        let accepted = try world.accept([.haukeland, .voss], by: .bergenDirector)
        try world.spread()
        // Accepting is not enough: only a number that names the acceptance opens the stream.
        #expect(holders(world, of: .haukeland) == [])
        try world.participate(with: [.haukeland: accepted.id])
        #expect(holders(world, of: .haukeland) == [.norcrin, .haukeland])
        #expect(holders(world, of: .voss) == [])
    }

    @Test
    func `an acceptance that is withdrawn closes the stream at once, and its host holds nothing of the neighbours`()
        throws
    {
        let world = try TrialTestWorld.open(seed: 13)
        let participant = try world.register(at: .haukeland).id
        try world.spread()
        let withdrawn = try world.withdraw([.stavanger], by: .stavangerDirector)
        try world.deliver([withdrawn], to: .norcrin)
        #expect(holders(world, of: .stavanger) == [])
        #expect(holders(world, of: .haukeland) == [.norcrin, .haukeland])
        #expect(holders(world, of: .unn) == [.norcrin, .unn])
        #expect(throws: Refusal.locationNotOpen(.stavanger)) {
            try world.register(at: .stavanger, by: .stavangerNurse)
        }
        #expect(throws: Refusal.locationNotOpen(.haukeland)) {
            try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .stavangerNurse)
        }
        // Where the withdrawal is not known, nothing changed.
        #expect(holders(world, of: .stavanger, at: .haukeland) == [.norcrin, .haukeland, .stavanger])
    }

    @Test func `what was written before a withdrawal was known keeps its effect`() throws {
        let world = try TrialTestWorld.open(seed: 14)
        try world.withdraw([.haukeland], by: .bergenDirector)
        let registered = try world.register(at: .haukeland, by: .stavangerNurse)
        try world.spread()
        #expect(world.record(registered.id, at: .norcrin) != nil)
    }

    @Test func `a number that leaves a location out closes it, and what was written under the number before stays`()
        throws
    {
        let world = try TrialTestWorld.open(seed: 15)
        let early = try world.register(at: .unn, by: .tromsoNurse)
        try world.spread()
        let acceptances = world[.norcrin].fold.authority.acceptances.filter { !$0.value.locations.contains(.unn) }
        var opened: [LocationID: EntryID] = [:]
        for (entry, answer) in acceptances { for location in answer.locations { opened[location] = entry } }
        try world.participate(with: opened)
        // UNN's node has not heard of it and goes on.
        let late = try world.register(at: .unn, by: .tromsoNurse)
        try world.spread()
        #expect(holders(world, of: .unn) == [])
        #expect(world.record(early.id, at: .norcrin, in: .unn) != nil)
        #expect(world.record(late.id, at: .norcrin, in: .unn) != nil)
        #expect(throws: Refusal.locationNotOpen(.unn)) { try world.register(at: .unn, by: .tromsoNurse) }
        // An entry that knew the new number and was written all the same is void.
        var draft = try #require(world.copy(of: late))
        draft.known.participation = 3
        let void = try world.write(draft, at: .unn)
        #expect(world[.unn].fold.locations[.unn]?.void == [void.id: .streamNotOpen])
    }

    @Test func `a site that is not regional shares nothing`() throws {
        let world = try TrialTestWorld.open(seed: 16)
        var sites = TestNetwork.sites
        sites[0].isRegional = false
        var opened: [LocationID: EntryID] = [:]
        for (entry, answer) in world[.norcrin].fold.authority.acceptances {
            for location in answer.locations { opened[location] = entry }
        }
        try world.participate(with: opened, sites: sites)
        try world.spread()
        #expect(holders(world, of: .haukeland) == [.norcrin, .haukeland])
        #expect(throws: Refusal.locationNotOpen(.haukeland)) { try world.register(by: .stavangerNurse) }
    }
}
