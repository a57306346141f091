import EventLog
import Foundation
import StoreCore
import Testing

/// Issue 4, item 6: what can happen to a node's disk, and what must hold in each case.
///
/// The node is OUS; Haukeland and UNN are its peers. In every case: nothing acknowledged that some disk still holds is
/// lost anywhere, a log that was written twice is proven forked at every node with both histories kept, and all nodes come
/// to the same state.
struct MatrixTests {
    /// Where the entries after the backup got to before the disaster.
    enum Peers: CaseIterable { case ahead, notAhead }
    /// Whether the node hears its peers when it starts again.
    enum Start: CaseIterable { case online, offline }
    /// What becomes of the installation that the backup was taken of.
    enum Original: CaseIterable { case gone, running }

    struct Case: CustomStringConvertible {
        var peers: Peers
        var start: Start
        var original: Original
        var description: String { "peers \(peers), \(start), original \(original)" }

        static let all = Peers.allCases.flatMap { peers in
            Start.allCases.flatMap { start in
                Original.allCases.map { Case(peers: peers, start: start, original: $0) }
            }
        }
    }

    /// A ward in which everybody has written and knows everything.
    private func ward() throws -> Ward {
        let ward = try Ward()
        for node in Hospital.nodes { try ward.append(5, at: node) }
        try ward.run(milliseconds: 300)
        return ward
    }

    private func entries(_ ward: Ward) throws -> Set<EntryID> {
        try Hospital.nodes.reduce(into: []) { $0.formUnion(try ward[$1].entries()) }
    }

    @Test(arguments: Case.all)
    func `an old backup forks nothing and loses nothing`(matrix: Case) throws {
        let ward = try ward()
        let original = ward[Ward.ous]
        let backup = try ward.backup(of: original)
        if matrix.peers == .notAhead { try ward.cut(Ward.ous) }
        try ward.append(7, at: Ward.ous)
        try ward.run(milliseconds: 300)

        var kept = try entries(ward)
        if matrix.original == .gone {
            kept.subtract(original.acknowledged)
            try ward.stop(Ward.ous)
            for node in [Ward.haukeland, Ward.unn] { kept.formUnion(try ward[node].entries()) }
            try FileManager.default.removeItem(atPath: original.path)
        }
        if matrix.start == .offline { try ward.cut(Ward.ous) } else { try ward.heal(Ward.ous) }
        let restored = try ward.install(Ward.ous, from: backup)
        try ward.start(restored)
        kept.formUnion(try ward.append(3, at: Ward.ous))
        if matrix.original == .running {
            // The original has written on behind the back of everybody.
            let appended = try #require(try original.append(4, now: ward.now))
            kept.formUnion(appended.ids)
        }
        try ward.heal(Ward.ous)
        try ward.run(milliseconds: 500)
        if matrix.original == .running {
            try ward.start(original)
            try ward.run(milliseconds: 2_000)
            kept.formUnion(try ward.append(2, at: Ward.ous))
        }
        try ward.settle(keeping: kept)
        #expect(try ward.writtenTwice().isEmpty, "a backup gives no right to append")
    }

    @Test(arguments: [Start.online, .offline])
    func `two restores of one backup write in epochs of their own`(start: Start) throws {
        let ward = try ward()
        let backup = try ward.backup(of: ward[Ward.ous])
        try ward.append(3, at: Ward.ous)
        try ward.run(milliseconds: 300)
        try ward.stop(Ward.ous)
        var kept = try entries(ward).union(try ward[Ward.unn].entries())
        if start == .offline { try ward.cut(Ward.ous) }
        let twins = [try ward.install(Ward.ous, from: backup), try ward.install(Ward.ous, from: backup)]
        for twin in twins {
            try ward.start(twin)
            kept.formUnion(try ward.append(4, at: Ward.ous))
        }
        try ward.heal(Ward.ous)
        for _ in 0..<2 {
            for twin in twins {
                try ward.start(twin)
                kept.formUnion(try ward.append(2, at: Ward.ous))
                try ward.run(milliseconds: 2_000)
            }
        }
        try ward.start(twins[0])
        try ward.settle(keeping: kept)
        try ward.start(twins[1])
        try ward.settle(keeping: kept)
        #expect(try ward.writtenTwice().isEmpty)
    }

    struct Reverted: CustomStringConvertible {
        var peers: Peers
        var start: Start
        var description: String { "peers \(peers), \(start)" }

        static let all = Peers.allCases.flatMap { peers in Start.allCases.map { Reverted(peers: peers, start: $0) } }
    }

    /// The whole directory with its head file is as it was, the machine and its boot too: nothing here can know.
    @Test(arguments: Reverted.all)
    func `a reverted virtual machine is found by its peers at the latest`(matrix: Reverted) throws {
        let ward = try ward()
        let installation = ward[Ward.ous]
        try ward.stop(Ward.ous)
        let snapshot = try ward.snapshot(of: installation)
        try ward.start(installation)
        if matrix.peers == .notAhead { try ward.cut(Ward.ous) }
        try ward.append(6, at: Ward.ous)
        try ward.run(milliseconds: 300)
        try ward.stop(Ward.ous)
        try ward.revert(installation, to: snapshot)
        var kept = try Set([Ward.haukeland, Ward.unn].flatMap { try ward[$0].entries() })
        if matrix.start == .offline { try ward.cut(Ward.ous) } else { try ward.heal(Ward.ous) }
        try ward.start(installation)
        kept.formUnion(try ward.append(3, at: Ward.ous))
        try ward.heal(Ward.ous)
        try ward.run(milliseconds: 1_000)
        kept.formUnion(try ward.append(2, at: Ward.ous))
        try ward.settle(keeping: kept)
        // Only where it wrote unheard what its peers knew otherwise are there two histories.
        #expect(try ward.writtenTwice().isEmpty == !(matrix.peers == .ahead && matrix.start == .offline))
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6])
    func `reverted machines that ran in turn end in one state with every history`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let ward = try ward()
        let installation = ward[Ward.ous]
        try ward.stop(Ward.ous)
        let snapshot = try ward.snapshot(of: installation)
        var kept = try Set([Ward.haukeland, Ward.unn].flatMap { try ward[$0].entries() })
        // Each life is met by one peer only, so that different histories are known in different places.
        for life in 0..<3 {
            let met = [Ward.haukeland, Ward.unn].randomElement(using: &random).unsafelyUnwrapped
            let other = met == Ward.unn ? Ward.haukeland : Ward.unn
            try ward.cut(Ward.haukeland)
            try ward.cut(Ward.unn)
            try ward.revert(installation, to: snapshot)
            try ward.start(installation)
            try ward.append(Int.random(in: 1...40, using: &random), at: Ward.ous)
            kept.formUnion(installation.acknowledged.intersection(try installation.entries()))
            try ward.heal(met)
            try ward.run(milliseconds: 1_500)
            try ward.append(Int.random(in: 1...3, using: &random), at: Ward.ous)
            try ward.run(milliseconds: 500)
            kept.formUnion(installation.acknowledged.intersection(try ward[met].entries()))
            try ward.cut(other)
            if life < 2 { try ward.stop(Ward.ous) }
        }
        for node in Hospital.nodes.shuffled(using: &random) {
            try ward.heal(node)
            try ward.run(milliseconds: 200)
        }
        kept.formUnion(try ward.append(2, at: Ward.ous))
        let everywhere = kept.intersection(try entries(ward))
        try ward.settle(keeping: everywhere)
        #expect(try !ward.writtenTwice().isEmpty)
    }

    @Test(arguments: Reverted.all)
    func `a disk that lost acknowledged writes gets them back, and nothing is written in their place`(
        matrix: Reverted
    ) throws {
        let ward = try ward()
        let installation = ward[Ward.ous]
        try ward.stop(Ward.ous)
        let snapshot = try ward.snapshot(of: installation)
        try ward.start(installation)
        if matrix.peers == .notAhead { try ward.cut(Ward.ous) }
        try ward.append(6, at: Ward.ous)
        try ward.run(milliseconds: 300)
        try ward.stop(Ward.ous)
        // The database is as it was; the head file, which lies in the memory of the machine, is not.
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: installation.path + "/events.sqlite" + suffix)
        }
        try FileManager.default.copyItem(
            atPath: snapshot + "/events.sqlite", toPath: installation.path + "/events.sqlite")
        var kept = try Set([Ward.haukeland, Ward.unn].flatMap { try ward[$0].entries() })
        if matrix.start == .offline { try ward.cut(Ward.ous) } else { try ward.heal(Ward.ous) }
        try ward.start(installation)
        kept.formUnion(try ward.append(3, at: Ward.ous))
        try ward.heal(Ward.ous)
        kept.formUnion(try ward.append(2, at: Ward.ous))
        try ward.settle(keeping: kept)
        #expect(try ward.writtenTwice().isEmpty)
    }

    @Test func `a node that heard only one of two peers takes back what that one shows and writes on`() throws {
        let ward = try ward()
        let backup = try ward.backup(of: ward[Ward.ous])
        try ward.append(6, at: Ward.ous)
        try ward.run(milliseconds: 300)
        try ward.stop(Ward.ous)
        let kept = try ward[Ward.unn].entries()
        try ward.cut(Ward.haukeland)
        try ward.start(try ward.install(Ward.ous, from: backup))
        let written = try ward.append(3, at: Ward.ous)
        #expect(written.count == 4)
        try ward.heal(Ward.haukeland)
        try ward.settle(keeping: kept.union(written))
    }
}
