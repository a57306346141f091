import EventLog
import Testing
import Trial

/// Whose records somebody may read, by what a node knows (DESIGN §3).
struct ReadingScopeTests {
    private func scope(
        _ person: Person, at node: NodeID, as role: Role? = nil, in world: TrialTestWorld
    ) -> ReadingScope {
        world[node].fold.authority.readingScope(of: person.actor, as: role ?? person.role.role, at: node)
    }

    @Test func `a delegation opens the locations of its study site wherever it is known, until its end is known`()
        throws
    {
        let world = try TrialTestWorld.open(seed: 6)
        try world.spread()
        let west = ReadingScope.locations([.haukeland, .voss, .stavanger])
        for node in [NodeID.haukeland, .stavanger, .norcrin] {
            #expect(scope(.stavangerNurse, at: node, in: world) == west)
            #expect(scope(.stavangerNurse, at: node, as: .investigator, in: world).isEmpty)
        }
        #expect(west.contains(.voss) && !west.contains(.unn))
        _ = try world.endDelegation(of: .stavangerNurse, at: .helseVest, by: .bergenDirector)
        #expect(scope(.stavangerNurse, at: .haukeland, in: world).isEmpty)
        #expect(scope(.stavangerNurse, at: .stavanger, in: world) == west)
        try world.spread()
        #expect(scope(.stavangerNurse, at: .stavanger, in: world).isEmpty)
    }

    @Test
    func `who manages the study reads everything where it is coordinated, and a monitor where they are delegated`()
        throws
    {
        let world = try TrialTestWorld.open(seed: 6)
        try world.spread()
        #expect(scope(.manager, at: .norcrin, in: world) == .everything)
        #expect(scope(.manager, at: .haukeland, in: world).isEmpty)
        #expect(scope(.bergenDirector, at: .haukeland, in: world) == .locations([.haukeland, .voss]))
        #expect(scope(.bergenDirector, at: .norcrin, in: world).isEmpty)
        let west = ReadingScope.locations([.haukeland, .voss, .stavanger])
        #expect(scope(.monitor, at: .norcrin, in: world) == west)
        #expect(scope(.monitor, at: .haukeland, in: world) == west)
        #expect(ReadingScope.everything.contains(.unn) && !ReadingScope.everything.isEmpty)
    }
}
