import EventLog
import Foundation
import Interchange
import Node
import Testing
import Trial
import Views

/// The real material beside the package.
enum PilotFiles {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data/cdiscpilot").path
    static let areThere = FileManager.default.fileExists(atPath: folder + "/study.xml")

    static func source() throws -> StudySource {
        try StudySource.read(study: folder + "/study.xml", directory: folder, plan: nil)
    }
}

extension AcceptanceTests {
    @Suite(.enabled(if: PilotFiles.areThere, "the CDISC pilot is not beside the package (../shared/data)"))
    struct PilotTests {
        @Test func `the pilot is at every node that may hold it, nowhere else, and comes out as it went in`()
            async throws
        {
            try await withScratch { scratch in
                let summary = try await demonstrate(in: scratch)
                let source = try PilotFiles.source()
                let network = TestNetwork(scratch, for: source, at: scratch.path + "/pilot")
                checkHolders(summary, source)
                for node in summary.nodes.map(\.name) {
                    let result = try await scratch.varde("verify", "--json", "--dir", network.directory(node).path)
                    #expect(result.status == 0, "\(node): \(result.text)")
                    let report = try result.json(Verification.self)
                    #expect(report.isSound && report.problems.isEmpty)
                    #expect(report.entries == summary.nodes.first { $0.name == node }?.entries)
                }
                try await checkExport(scratch, network)
                try await checkStatuses(network)
                try await checkViews(scratch, network)
            }
        }

        private struct Verification: Decodable {
            var entries: UInt64
            var problems: [String]
            var isSound: Bool
        }

        private func demonstrate(in scratch: Scratch) async throws -> DemonstrationSummary {
            let result = try await scratch.varde(
                "demo", "--once", "--json", "--study", PilotFiles.folder + "/study.xml", "--data", PilotFiles.folder,
                "--dir", scratch.path + "/pilot", withinSeconds: 180)
            #expect(result.status == 0, "\(result.text.suffix(2000))")
            let summary = try result.json(DemonstrationSummary.self)
            #expect(summary.converged)
            let centre = try required(summary.nodes.first { $0.name == TestStudies.norcrin }, "norcrin")
            #expect(centre.participants == 306)
            #expect(centre.forms == 15_825)
            #expect(centre.values == 163_074)
            #expect(summary.nodes.allSatisfy { $0.conflicts == 0 })
            return summary
        }

        /// Each node holds the study's stream, those of the locations it hosts, and in Helse Vest those of the region; the
        /// coordinating centre holds all. What is held twice is the same.
        private func checkHolders(_ summary: DemonstrationSummary, _ source: StudySource) {
            for node in summary.nodes {
                var entitled = Set(source.division.locations(of: node.name))
                for site in source.plan.studySites where site.isRegional {
                    if !entitled.isDisjoint(with: site.locations) { entitled.formUnion(site.locations) }
                }
                if source.plan.coordinatingNodes.contains(node.name) {
                    entitled = Set(source.division.rows.map(\.location))
                }
                #expect(Set(node.streams.compactMap(\.location)) == entitled, "\(node.name)")
                #expect(node.streams.count == entitled.count + 1, "\(node.name)")
            }
            let held = Dictionary(grouping: summary.nodes.flatMap(\.streams), by: \.stream)
            #expect(held.count == source.division.rows.count + 1)
            for (name, copies) in held {
                #expect(copies.count >= 2, "\(name) is at one node only")
                #expect(Set(copies.map(\.digest)).count == 1, "\(name)")
                #expect(Set(copies.map { Set($0.logs) }).count == 1, "\(name)")
            }
        }

        private func checkExport(_ scratch: Scratch, _ network: TestNetwork) async throws {
            let file = scratch.path + "/export.xml"
            let result = try await scratch.varde(
                "export", "odm", "--dir", network.directory(TestStudies.norcrin).path, "--study", "CDISCPILOT01",
                "--out",
                file)
            #expect(result.status == 0, "\(result.text)")
            func named(_ path: String) throws -> NamedFile {
                NamedFile(name: path, bytes: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
            }
            let comparison = ODMComparison.differences(
                try network.source.dataFiles.map(named), [try named(file)])
            #expect(comparison.areEqual, "\(comparison.text)")
            #expect(comparison.itemsInFirst == 163_074)
            #expect(comparison.itemsInSecond == 163_074)
        }

        /// Helse Vest is one study site, each location with its part; norcrin has the whole country.
        private func checkViews(_ scratch: Scratch, _ network: TestNetwork) async throws {
            let monitoring = try await NodeViews.read(
                network, TestStudies.norcrin, { try $0.monitoring() },
                where: { $0.reduce(0) { $0 + $1.values } == 163_074 })
            #expect(monitoring.reduce(0) { $0 + $1.screened } == 306)
            #expect(monitoring.reduce(0) { $0 + $1.included } == 254)
            #expect(monitoring.reduce(0) { $0 + $1.screenFailures } == 52)
            #expect(monitoring.reduce(0) { $0 + $1.forms } == 15_825)
            let found = try await NodeViews.read(network, TestStudies.haukeland) { try $0.regional(TestStudies.west) }
            let west = try required(found, "regional study site")
            #expect(west.isRegional && west.target == 75)
            #expect(west.screened == 79 && west.included == 65)
            #expect(west.locations.map(\.location.text) == ["701", "702", "703", "706", "707"])
            #expect(west.locations.map(\.screened) == [51, 1, 19, 3, 5])
            #expect(west.locations.reduce(0) { $0 + $1.included } == 65)
            #expect(Set(west.members.map(\.node)) == [TestStudies.haukeland, TestStudies.stavanger])
            #expect(west.members.allSatisfy { $0.newestEntryUTCMilliseconds != nil })
            // Whatever the entry says or the node of the location: all forms of the pilot stayed where people were included.
            #expect(west.performed.allSatisfy { $0.includedAt.text == $0.performedAt })
            let outcome = try await NodeViews.rebuild(scratch, network, TestStudies.norcrin)
            #expect(outcome.digestBefore == outcome.digest)
            #expect(outcome.counts.values == 163_074)
        }

        /// The statuses follow from the plan's rules; a node that starts anew comes to the same.
        private func checkStatuses(_ network: TestNetwork) async throws {
            try await network.start(TestStudies.norcrin, TestStudies.haukeland)
            let centre = try await network.status(TestStudies.norcrin)
            #expect(centre.counts.participants == 306)
            #expect(centre.counts.statuses == ["screened": 306, "included": 254, "screenFailure": 52])
            #expect(centre.counts.findings == 0)
            let west = try await network.status(TestStudies.haukeland)
            #expect(west.counts.statuses["screened"] == 79)
            #expect(west.counts.statuses["included"] == 65)
        }
    }
}
