import EventLog
import Testing
import Trial

/// What is altered on a disk after it was taken in is nobody's entry until it is put right (Protocols/log.md, "Scrub").
struct DamageLawTests {
    @Test func `a damaged entry is out of a record that is computed anew, and in it once it is whole again`() throws {
        let world = try TrialTestWorld.open(seed: 401)
        let participant = try world.register().id
        try world.saveVitals(participant, [(TestStudy.weight, "80")], by: .bergenNurse)
        let save = try world.saveVitals(participant, [(TestStudy.pulse, "70")], by: .bergenNurse)
        try world.spread()
        var folding = Folding(study: world.study, charterVersions: 2)
        try folding.take(world.entries)
        let whole = folding.digests()
        func pulse() -> [String]? {
            folding.fold.locations[.haukeland]?.participant(participant)?.register(TestStudy.pulse)?.texts
        }
        folding.damage([save])
        #expect(pulse() == ["70"], "what was folded before is as it was")
        // An order on another entry has the record computed anew.
        let first = try #require(world.entries.first { $0.header?.operation == .formSaved })
        let order = try world.redact(first.id, of: participant)
        try folding.take([order])
        #expect(pulse() != ["70"])
        #expect(folding.fold.locations[.haukeland]?.participant(participant) != nil)
        try folding.repair([save])
        #expect(pulse() == ["70"])
        var anew = Folding(study: world.study, charterVersions: 2)
        try anew.take(world.entries)
        #expect(folding.digests() == anew.digests() && folding.digests() != whole)
    }

    @Test func `whatever is damaged and whenever it is put right, state is in the end that of all entries`() throws {
        var changed = 0
        for seed in UInt64(0)..<60 {
            let history = try RandomHistory(seed: seed &+ 420_000, steps: 50)
            var generator = SplitMix64(seed: seed)
            let entries = history.entries.shuffled(using: &generator)
            var whole = Folding(study: history.world.study, charterVersions: 3)
            try whole.take(entries)
            var folding = Folding(study: history.world.study, charterVersions: 2)
            let half = entries.count / 2
            try folding.take(entries[..<half])
            let damaged = entries[..<half].filter { _ in generator.chance(30) }
            folding.damage(damaged)
            try folding.take(entries[half...])
            try folding.learn(charterVersions: 3)
            if folding.digests() != whole.digests() { changed += 1 }
            try folding.repair(damaged.shuffled(using: &generator))
            #expect(folding.digests() == whole.digests(), "seed \(seed)")
            #expect(folding.difference(from: entries) == nil, "seed \(seed)")
        }
        #expect(changed > 20, "\(changed) were without an entry")
    }
}
