import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct PartitionTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, stavanger, norcrin]

        /// What both hospitals of the region had before they were cut off from each other.
        private struct Region {
            let network: TestNetwork
            let nurse: Nurse
            let label: String
            let before: ParticipantReport

            func report(at node: NodeID) async throws -> ParticipantReport {
                try await network.participant(label, of: nurse.study, at: node)
            }
        }

        private func region(_ scratch: Scratch) async throws -> Region {
            let source = try TestStudies.western(participants: 6)
            let network = try TestNetwork(scratch, for: source)
            try await network.startAll()
            let nurse = Nurse(study: try await network.load())
            try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
            let totals = TestStudies.totals(source)
            try await network.untilEqual(all) {
                $0.values.allSatisfy { $0.counts.participants == totals.participants }
            }
            let label = try TestStudies.included(in: source, at: "haukeland")
            return Region(
                network: network, nurse: nurse, label: label,
                before: try await network.participant(label, of: nurse.study, at: Self.stavanger))
        }

        /// Haukeland and Stavanger change one form, each without the other and without anybody else.
        private func changeApart(_ region: Region) async throws {
            let network = region.network
            try await network.stop(Self.stavanger)
            try await network.record(
                region.nurse.vitalSigns(["IT.SYSBP": "131", "IT.PULSE": "61"], of: region.before, seen: region.before),
                at: Self.haukeland)
            try await network.stop(Self.haukeland, Self.norcrin)
            // Nobody answers, so the node goes on by itself after ten seconds at most, and then takes what is entered.
            try await network.start(Self.stavanger)
            let start = ContinuousClock.now
            try await network.record(
                region.nurse.vitalSigns(["IT.DIABP": "82", "IT.PULSE": "62"], of: region.before, seen: region.before),
                at: Self.stavanger)
            #expect(ContinuousClock.now - start < .seconds(15))
            try await network.start(Self.haukeland, Self.norcrin)
        }

        @Test
        func `two hospitals that were cut off from each other lose nothing and decide only what they both changed`()
            async throws
        {
            try await withScratch { scratch in
                let region = try await region(scratch)
                #expect(region.before.typed("IT.PULSE").count == 1)
                try await changeApart(region)

                let conflicting = try await region.network.untilEqual(all) {
                    $0.values.allSatisfy { $0.counts.conflicts == 1 }
                }
                #expect(conflicting.values.allSatisfy { $0.counts.findings == 0 })
                for node in all {
                    let report = try await region.report(at: node)
                    #expect(report.typed("IT.SYSBP") == ["131"], "\(node)")
                    #expect(report.typed("IT.DIABP") == ["82"], "\(node)")
                    #expect(report.typed("IT.PULSE") == ["61", "62"], "\(node)")
                    let pulse = try required(report.vitalSigns.first { $0.item == ItemOID("IT.PULSE") }, "pulse")
                    #expect(pulse.isConflict)
                    #expect(Set(pulse.values.compactMap(\.node)) == [Self.haukeland, Self.stavanger])
                    #expect(report.items.filter(\.isConflict).count == 1)
                }
                try await decide(region)
            }
        }

        /// Who has not seen both sides is refused; who has ends the conflict everywhere.
        private func decide(_ region: Region) async throws {
            let stale = try await region.network.perform(
                region.nurse.vitalSigns(["IT.PULSE": "63"], of: region.before, seen: region.before), at: Self.stavanger)
            guard case .refused(.newerValues(let items)) = stale else {
                throw TestFailure("a save that had not seen what stands was taken: \(stale)")
            }
            #expect(items == [ItemOID("IT.PULSE")])
            let seen = try await region.report(at: Self.stavanger)
            try await region.network.record(
                region.nurse.vitalSigns(["IT.PULSE": "62"], of: region.before, seen: seen), at: Self.stavanger)
            try await region.network.untilEqual(all) { $0.values.allSatisfy { $0.counts.conflicts == 0 } }
            for node in all {
                #expect(try await region.report(at: node).typed("IT.PULSE") == ["62"], "\(node)")
            }
        }
    }
}
