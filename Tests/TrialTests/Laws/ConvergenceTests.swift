import EventLog
import Testing
import Trial
import TrialOracle

/// Laws M1 to M3 (Protocols/merge.md; DESIGN §2, rule 2): state is a pure function of a set. Every history is made by a
/// seed; the order in which its entries come, how often, and when charter, participation and delegations come, must not
/// show.
struct ConvergenceTests {
    private static let charterVersions = 4

    /// In what order a fold gets a history's entries.
    enum Order: CaseIterable {
        case asWritten, byID, anyOrder, anyOrderTwice, authorityLast, authorityFirst, charterLast, charterInBetween,
            inBatches
    }

    /// Folds all entries in one of the orders.
    private func folded(
        _ history: RandomHistory, _ order: Order, using generator: inout SplitMix64
    ) throws -> Folding {
        let (entries, study) = (history.entries, history.world.study)
        let isLate = order == .charterLast || order == .charterInBetween
        var folding = Folding(
            study: study, charterVersions: isLate ? 0 : ConvergenceTests.charterVersions, last: history.lastVersion)
        let inAnyOrder = entries.shuffled(using: &generator)
        let authority = inAnyOrder.filter { $0.stream == .study(study) }
        let clinical = inAnyOrder.filter { $0.stream != .study(study) }
        switch order {
        case .asWritten: try folding.take(entries)
        case .byID: try folding.take(entries.sorted { $0.id < $1.id })
        case .anyOrder: try folding.take(inAnyOrder)
        case .anyOrderTwice: try folding.take((inAnyOrder + entries).shuffled(using: &generator))
        case .authorityLast: try folding.take(clinical + authority)
        case .authorityFirst: try folding.take(authority + clinical)
        case .charterLast: try folding.take(inAnyOrder)
        case .inBatches:
            var rest = inAnyOrder[...]
            while !rest.isEmpty {
                let batch = rest.prefix(1 + generator.below(60))
                rest = rest.dropFirst(batch.count)
                // As they come, or what came already among them.
                try folding.takeTogether(generator.chance(30) ? batch + inAnyOrder.prefix(5) : batch)
            }
        case .charterInBetween:
            let middle = generator.below(entries.count)
            try folding.take(inAnyOrder[..<middle])
            try folding.learn(charterVersions: 1)
            try folding.take(inAnyOrder[middle...])
        }
        try folding.learn(charterVersions: ConvergenceTests.charterVersions)
        return folding
    }

    @Test(arguments: 0..<20)
    func `any order, any duplication and late authority give one state, which is the oracle's`(batch: Int) async throws
    {
        for seed in UInt64(batch * 17)..<UInt64(batch * 17 + 17) {
            // Other tests wait for nodes that need a thread, too.
            await Task.yield()
            var generator = SplitMix64(seed: seed ^ 0xC0FFEE)
            let history = try RandomHistory(seed: seed, steps: 60)
            let oracle = Oracle(
                history.entries, study: history.world.study,
                directory: TestNetwork.directory(ConvergenceTests.charterVersions, last: history.lastVersion)
            ).snapshot
            var expected: [StreamDigest]?
            var records: [LocationID: [EntryID: ParticipantState]] = [:]
            for order in Order.allCases {
                var folding = try folded(history, order, using: &generator)
                let digests = folding.digests()
                let difference = StudySnapshot(folding.fold).difference(from: oracle)
                #expect(difference == nil, "seed \(seed), \(order)")
                #expect(expected == nil || expected == digests, "seed \(seed), \(order)")
                let found = folding.fold.locations.mapValues(\.records)
                #expect(expected == nil || records == found, "seed \(seed), \(order)")
                (expected, records) = (digests, found)
            }
        }
    }

    @Test(arguments: 0..<10)
    func `whatever part of a history a node holds, it holds the oracle's state of that part`(batch: Int) throws {
        for seed in UInt64(batch * 30)..<UInt64(batch * 30 + 30) {
            let history = try RandomHistory(seed: seed &+ 50_000, steps: 50)
            for node in history.world.nodes.values.sorted(by: { $0.id < $1.id }) {
                let oracle = Oracle(
                    node.held, study: history.world.study, directory: node.fold.authority.directory
                ).snapshot
                let difference = StudySnapshot(node.fold).difference(from: oracle)
                #expect(difference == nil, "seed \(seed), \(node.id)")
            }
        }
    }

    @Test func `what came bit by bit is what one fold over everything gives`() throws {
        for seed in UInt64(0)..<150 {
            let history = try RandomHistory(seed: seed &+ 90_000, steps: 40)
            var folding = Folding(
                study: history.world.study, charterVersions: ConvergenceTests.charterVersions,
                last: history.lastVersion)
            try folding.take(history.entries)
            for (location, fold) in folding.fold.locations {
                for record in fold.records.values {
                    let again = try refolded(record, in: location, of: folding.fold, from: history.entries)
                    #expect(again == record, "seed \(seed), participant \(record.id)")
                }
            }
        }
    }

    /// A participant's record, computed in one go from all entries.
    private func refolded(
        _ record: ParticipantState, in location: LocationID, of fold: StudyFold, from entries: [WrittenEntry]
    ) throws -> ParticipantState {
        let stream = StreamID.location(location, in: fold.study)
        func judge(_ entry: WrittenEntry) -> Judgement { fold.judgement(of: entry) }
        let drops = try #require(fold.locations[location]?.drops)
        let entries = entries.compactMap { entry -> WrittenEntry? in
            let isErased = entry.subject.map { drops.erasures[$0] != nil } ?? false
            if isErased, entry.operation?.ordersDrop == false { return nil }
            return drops.redaction(of: entry).map { entry.dropping($0.parts) } ?? entry
        }
        let registration = try #require(entries.first { $0.id == record.id })
        let names = record.aliases.union([record.id])
        let aliases = entries.filter { record.aliases.contains($0.id) }
        let reusing = entries.filter { entry in
            guard case .participantRegistered? = entry.action?.operation, entry.stream == stream else { return false }
            if case .effect = judge(entry) {} else { return false }
            return !names.contains(entry.id) && entry.action?.command == registration.action?.command
                && entry.header?.authority.actor == registration.header?.authority.actor
        }
        let concerned = entries.filter { entry in
            entry.stream == stream && entry.action?.operation.participant.map(names.contains) ?? false
        }
        return ParticipantState.fold(
            registration: registration, location: location, aliases: aliases,
            isCommandReused: !reusing.isEmpty, entries: concerned.reversed(),
            redactions: Dictionary(
                uniqueKeysWithValues: concerned.compactMap { entry in drops.redaction(of: entry).map { (entry.id, $0) }
                }),
            judge: judge)
    }

    @Test func `no accepted value is lost: it stands, or one who had seen it wrote its item again`() throws {
        var superseded = 0
        var standing = 0
        for seed in UInt64(0)..<200 {
            let history = try RandomHistory(seed: seed &+ 120_000, steps: 60)
            var folding = Folding(
                study: history.world.study, charterVersions: ConvergenceTests.charterVersions,
                last: history.lastVersion)
            try folding.take(history.entries.shuffled(using: &history.world.generator))
            for record in folding.fold.locations.values.flatMap(\.records.values) {
                let held = record.instances.values.flatMap { $0.registers }
                let saves = history.entries.filter { record.applied.contains($0.id) }.compactMap(Save.init)
                for save in saves {
                    for (place, change) in save.said.changes.enumerated() {
                        let value = ValueID(entry: save.id, position: UInt64(place))
                        if held.contains(where: {
                            $0.key == change.item && ($0.value.held + $0.value.setAside).contains { $0.id == value }
                        }) {
                            standing += 1
                            continue
                        }
                        // Values seen may be named by a repetition of their command, which is not among the applied.
                        let isReplaced = saves.contains { other in
                            // Who says that the whole is written has said of every item what it holds.
                            (other.said.changes.contains { $0.item == change.item }
                                || other.said.instances.contains { line in
                                    line.isWhole && save.said.instances.contains { $0.oid == line.oid }
                                })
                                && other.said.seen.contains { seen in
                                    seen == value
                                        || seen.position == value.position && !record.applied.contains(seen.entry)
                                }
                        }
                        #expect(isReplaced, "seed \(seed), value \(value) of item \(change.item)")
                        superseded += 1
                    }
                }
            }
        }
        // The law must have had something to say.
        #expect(superseded > 500 && standing > 2_000, "\(superseded) superseded, \(standing) standing")
    }

    private struct Save {
        let id: EntryID
        let said: FormSave

        init?(_ entry: WrittenEntry) {
            switch entry.action?.operation {
            case .formSaved(let save)?: said = save
            case .conflictResolved(let resolution)?: said = resolution.save
            default: return nil
            }
            id = entry.id
        }
    }

    @Test func `the histories are rich enough to mean something`() async throws {
        var void: Set<VoidRule> = []
        var findings: Set<FindingRule> = []
        var worth: Set<ResponseVersionState> = []
        var kinds: [ConflictKind: Int] = [:]
        var (wrong, divided, unseen, judged, confirmed) = (0, 0, 0, 0, 0)
        var (links, corrected, quarantined, labelFindings) = (0, 0, 0, 0)
        var (conflicts, aliases, waiting, notUnderstood, removed, dropped, commands, refusals) = (
            0, 0, 0, 0, 0, 0, 0, 0
        )
        // Those of the first law.
        for seed in UInt64(0)..<340 {
            await Task.yield()
            let history = try RandomHistory(seed: seed, steps: 60)
            commands += history.world.commands.count
            refusals += history.refusals
            var folding = Folding(
                study: history.world.study, charterVersions: ConvergenceTests.charterVersions,
                last: history.lastVersion)
            try folding.take(history.entries)
            let snapshot = StudySnapshot(folding.fold)
            for record in folding.fold.locations.values.flatMap(\.records.values) {
                for conflict in record.openConflicts.list { kinds[conflict.kind, default: 0] += 1 }
                wrong += record.formStatuses.values.count { $0 == .wrong }
                divided += record.decisions.values.count { $0.verdicts.values.contains(.apart) }
                unseen += record.formStatuses.values.count { $0 == .mergedUnseen }
                for entry in history.entries where record.applied.contains(entry.id) {
                    judged += entry.header?.operation == .conflictResolved ? 1 : 0
                    confirmed += entry.header?.operation == .formConfirmed ? 1 : 0
                }
            }
            labelFindings += snapshot.labelFindings.count
            for marks in [snapshot.marks] + snapshot.locations.values.map(\.marks) {
                void.formUnion(marks.void.values)
                findings.formUnion(marks.findings.values)
                waiting += marks.waiting.count
                notUnderstood += marks.notUnderstood.count
            }
            for record in snapshot.locations.values.flatMap(\.records.values) {
                aliases += record.aliases.count
                links += record.links.count
                corrected += record.labelHistory.count(where: \.isCorrected)
                quarantined += record.quarantined.count
                worth.formUnion(record.responses.values.flatMap(\.values))
                let items = record.instances.values.flatMap(\.items.values)
                conflicts += items.count(where: \.isConflict)
                removed += record.instances.values.count(where: \.isRemoved)
                dropped += items.count { $0.values.values.contains { $0 == nil } }
            }
        }
        // Orders that the study does not allow are too rare here, and have a law test of their own (`OrderLawTests`).
        void.insert(.orderNotAllowed)
        #expect(void == Set(VoidRule.allCases), "missing \(Set(VoidRule.allCases).subtracting(void))")
        #expect(findings == Set(FindingRule.allCases))
        #expect(
            conflicts > 200 && aliases > 20 && waiting > 20 && notUnderstood > 50 && removed > 200 && dropped > 20,
            """
            \(conflicts) conflicts, \(aliases) aliases, \(waiting) waiting, \(notUnderstood) not understood, \
            \(removed) removed, \(dropped) dropped
            """)
        #expect(
            ConflictKind.allCases.allSatisfy { kinds[$0, default: 0] > ($0 == .answer ? 2 : 20) } && wrong > 2
                && divided > 5
                && unseen > 30 && judged > 10 && confirmed > 1,
            """
            \(kinds), \(wrong) wrong forms, \(divided) divided, \(unseen) merged unseen, \(judged) resolutions, \
            \(confirmed) confirmations
            """)
        #expect(worth == [.current, .superseded, .alternative, .quarantined])
        #expect(
            links > 20 && corrected > 20 && quarantined > 30 && labelFindings > 50,
            "\(links) links, \(corrected) corrected, \(quarantined) quarantined, \(labelFindings) label findings")
        #expect(commands > 4_000 && refusals < commands, "\(commands) commands, \(refusals) refusals")
    }
}
