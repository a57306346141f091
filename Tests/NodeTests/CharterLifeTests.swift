import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    /// The charter's life: a hospital joins, one gives itself new keys, one is revoked, and all vouch for each other.
    @Suite struct CharterLifeTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private static let unn = TestStudies.unn
        private let all = [haukeland, stavanger, unn, norcrin]

        private struct Ward {
            let scratch: Scratch
            let network: TestNetwork
            let nurse: Nurse
            let label: String

            var key: String { network.path + "/administrator.seed" }

            func path(_ node: NodeID) -> String { network.directory(node).path }

            func save(_ pressure: String, at node: NodeID) async throws -> CommandReceipt {
                let seen = try await network.participant(label, of: nurse.study, at: node)
                return try await network.record(
                    nurse.vitalSigns(["IT.SYSBP": pressure], of: seen, seen: seen), at: node)
            }

            func typed(at node: NodeID) async throws -> [String] {
                try await network.participant(label, of: nurse.study, at: node).typed("IT.SYSBP")
            }

            func succeed(_ arguments: String...) async throws -> ProgramResult {
                let result = try await scratch.start(arguments).ended(withinSeconds: 60)
                guard result.status == 0 else { throw TestFailure("\(arguments.prefix(3)): \(result.text)") }
                return result
            }
        }

        private func ward(_ scratch: Scratch) async throws -> Ward {
            let source = try TestStudies.western(participants: 6, others: ["unn"])
            let network = try TestNetwork(scratch, for: source)
            try await network.startAll()
            let nurse = Nurse(study: try await network.load())
            try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
            try await network.untilEqual(all)
            return Ward(
                scratch: scratch, network: network, nurse: nurse,
                label: try TestStudies.included(in: source, at: "haukeland"))
        }

        @Test
        func `a fifth hospital joins a running network, gets charter and study, and vouches for what it may not hold`()
            async throws
        {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                let stolav = NodeID(unchecked: "stolav")
                let centre = try NodeConfiguration.read(network.directory(Self.norcrin))
                let shown = try await ward.succeed("network", "show", "--dir", ward.path(Self.norcrin)).output
                let line = try required(
                    shown.split(separator: "\n").first { $0.contains("norcrin ") }, "line of norcrin in: \(shown)")
                let linkKey = try required(
                    line.split(separator: " ").first { $0.count == 64 }.map(String.init), "link key in: \(line)")
                let request = scratch.path + "/stolav.request"
                _ = try await ward.succeed(
                    "network", "join", "--dir", ward.path(stolav), "--network", "test.varde", "--node", "stolav",
                    "--name", "St. Olavs", "--region", "Helse Midt-Norge", "--location", "stolav=St. Olavs",
                    "--founding", centre.charterFounding, "--listen", "tcp://127.0.0.1:0", "--peer",
                    "norcrin=\(centre.listen)=\(linkKey)", "--request", request)
                let proposal = scratch.path + "/stolav.proposal"
                _ = try await ward.succeed(
                    "network", "admit", request, "--dir", ward.path(Self.norcrin), "--out", proposal)
                // Unsigned it is refused; then the one administrator signs.
                let refused = try await scratch.varde("network", "apply", proposal, "--dir", ward.path(Self.norcrin))
                #expect(refused.status != 0 && refused.text.contains("only 0 of the 1"))
                _ = try await ward.succeed("network", "sign", proposal, "--key", ward.key)
                _ = try await ward.succeed("network", "apply", proposal, "--dir", ward.path(Self.norcrin))
                try await until("the charter is everywhere") {
                    for node in all where try await network.status(node).charterVersion != 1 { return false }
                    return true
                }
                try await network.start(stolav)
                try await until("the new node exchanges") {
                    let status = try await network.status(stolav)
                    return status.charterVersion == 1
                        && status.peers.contains { $0.node == Self.norcrin && $0.phase == "exchanging" }
                }
                // It may hold nothing yet, and vouches for the centre's own log of the study.
                try await until("the new node vouches for a log it may not hold") {
                    let logs = try await network.status(Self.norcrin).streams.flatMap(\.logs)
                    return logs.contains { log in
                        log.node == Self.norcrin
                            && log.vouchedBy.contains { $0.node == stolav && !$0.isHolder && $0.size == log.size }
                    }
                }
                #expect(try await network.status(stolav).streams.isEmpty)
                let invitation = ward.nurse.command(
                    as: Sender(actor: ActorID(RandomName(high: 0x4E, low: 9)), role: .dataManager, isSystem: false),
                    .participate(
                        sponsor: "norcrin", coordinating: [Self.norcrin],
                        members: [Member(location: LocationID(unchecked: "stolav"), acceptance: nil)], sites: []))
                try await network.record(invitation, at: Self.norcrin)
                try await until("the study's own stream is at the new node") {
                    let mine = try await network.status(stolav).streams
                    let theirs = try await network.status(Self.norcrin).streams
                    guard let stream = theirs.first(where: { $0.location == nil }) else { return false }
                    return mine.contains { Agreement.isSame($0, stream) }
                }
            }
        }

        @Test func `a node is given new keys, goes on in new logs, and everything that it wrote counts`() async throws {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                // Away until the keys have changed: it takes what the old ones signed when it knows the new ones.
                try await network.stop(Self.stavanger)
                let before = try await ward.save("141", at: Self.haukeland)
                try await network.untilEqual(all.filter { $0 != Self.stavanger })
                let proposal = scratch.path + "/keys.proposal"
                _ = try await ward.succeed(
                    "network", "rotate", "--signing", "--curve", "--witness", "--dir", ward.path(Self.haukeland),
                    "--out", proposal)
                // Until the administrators have signed nothing is written that would not count.
                let seen = try await network.participant(ward.label, of: ward.nurse.study, at: Self.haukeland)
                await #expect(throws: (any Error).self) {
                    _ = try await network.perform(
                        ward.nurse.vitalSigns(["IT.SYSBP": "142"], of: seen, seen: seen), at: Self.haukeland)
                }
                _ = try await ward.succeed("network", "sign", proposal, "--key", ward.key)
                _ = try await ward.succeed("network", "apply", proposal, "--dir", ward.path(Self.norcrin))
                for node in [Self.haukeland, Self.unn, Self.norcrin] {
                    try await until("\(node) knows of it") { (try? await network.status(node))?.charterVersion == 1 }
                }
                try await network.start(Self.stavanger)
                try await until("the node goes on with its new keys") {
                    guard let status = try? await network.status(Self.haukeland) else { return false }
                    return status.charterVersion == 1 && status.start == "writing" && status.witness.isActive
                        && status.peers.filter { $0.node != Self.haukeland }.allSatisfy { $0.phase == "exchanging" }
                }
                let after = try await ward.save("143", at: Self.haukeland)
                #expect(after.log != before.log)
                let statuses = try await network.untilEqual(all)
                for node in [Self.haukeland, Self.stavanger, Self.norcrin] {
                    #expect(try await ward.typed(at: node) == ["143"])
                    let findings = statuses[node]?.streams.flatMap(\.findings) ?? []
                    #expect(findings.filter { $0.contains("(V20)") || $0.contains("(V21)") } == [])
                    let verified = try await scratch.varde("verify", "--dir", ward.path(node))
                    #expect(verified.status == 0, "\(verified.text.prefix(1000))")
                }
                try await until("the new witness key is in use") {
                    let status = try await network.status(Self.stavanger)
                    return status.streams.flatMap(\.logs).contains { log in
                        log.node == Self.stavanger && log.vouchedBy.contains { $0.node == Self.haukeland }
                    }
                }
            }
        }

        @Test
        func `what a revoked node wrote beyond what was accepted is kept and has no effect, and it is let in no more`()
            async throws
        {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                _ = try await ward.save("151", at: Self.stavanger)
                try await network.untilEqual(all)
                let proposal = scratch.path + "/revocation.proposal"
                _ = try await ward.succeed(
                    "network", "revoke", "stavanger", "--dir", ward.path(Self.norcrin), "--out", proposal, "--key",
                    ward.key)
                let late = try await ward.save("152", at: Self.stavanger)
                try await network.untilEqual(all)
                #expect(try await ward.typed(at: Self.haukeland) == ["152"])
                _ = try await ward.succeed("network", "apply", proposal, "--dir", ward.path(Self.norcrin))
                for node in [Self.haukeland, Self.norcrin] {
                    try await until("\(node) has heard of it") { try await network.status(node).charterVersion == 1 }
                    let status = try await network.status(node)
                    let findings = status.streams.flatMap(\.findings)
                    #expect(findings.contains { $0.contains("\(late.entry)") && $0.contains("(V20)") }, "\(findings)")
                    #expect(try await ward.typed(at: node) == ["151"])
                    #expect(status.streams.flatMap(\.logs).contains { $0.log == late.log && $0.size > late.index })
                }
                // Its node knocks in vain.
                try await until("the revoked node is not let in") {
                    let status = try await network.status(Self.norcrin)
                    return status.peers.first { $0.node == Self.stavanger }.map { $0.phase != "exchanging" } ?? true
                }
                try await network.stop(Self.stavanger)
                try await network.start(Self.stavanger)
                try await until("its connection is refused") {
                    try await network.status(Self.norcrin).incidents.contains { $0.contains("does not admit") }
                }
                #expect(
                    try await network.status(Self.haukeland).peers.first { $0.node == Self.stavanger }?.phase
                        != "exchanging")
                let verified = try await scratch.varde("verify", "--dir", ward.path(Self.norcrin))
                #expect(verified.status == 0, "\(verified.text.prefix(1000))")
            }
        }

        @Test
        func `two versions applied apart are both kept, what one revokes counts, and a settlement ends it everywhere`()
            async throws
        {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                let staying = [Self.haukeland, Self.stavanger, Self.norcrin]
                let stolav = NodeID(unchecked: "stolav")
                let centre = try NodeConfiguration.read(network.directory(Self.norcrin))
                let linkKey = String(repeating: "ab", count: 32)
                let (request, admission) = (scratch.path + "/stolav.request", scratch.path + "/stolav.proposal")
                let revocation = scratch.path + "/unn.proposal"
                _ = try await ward.succeed(
                    "network", "join", "--dir", ward.path(stolav), "--network", "test.varde", "--node", "stolav",
                    "--name", "St. Olavs", "--location", "stolav=St. Olavs", "--founding", centre.charterFounding,
                    "--listen", "tcp://127.0.0.1:0", "--peer", "norcrin=\(centre.listen)=\(linkKey)", "--request",
                    request)
                _ = try await ward.succeed(
                    "network", "admit", request, "--dir", ward.path(Self.norcrin), "--out", admission, "--key", ward.key
                )
                _ = try await ward.succeed(
                    "network", "revoke", "unn", "--dir", ward.path(Self.haukeland), "--out", revocation, "--key",
                    ward.key)
                try await network.stop(Self.norcrin)
                _ = try await ward.succeed("network", "apply", admission, "--dir", ward.path(Self.norcrin))
                _ = try await ward.succeed("network", "apply", revocation, "--dir", ward.path(Self.haukeland))
                try await until("the revocation spreads") {
                    try await network.status(Self.stavanger).charterVersion == 1
                }
                try await network.start(Self.norcrin)
                for node in staying {
                    try await until("\(node) knows of both") {
                        try await network.status(node).charterDisputedAfter == 0
                    }
                    #expect(try await network.status(node).alerts.contains { $0.contains("network settle") })
                }
                // Work goes on, without the node that one revokes and without the one that the other admits.
                _ = try await ward.save("161", at: Self.haukeland)
                try await network.untilEqual(staying)
                #expect(try await ward.typed(at: Self.norcrin) == ["161"])
                let shown = try await ward.succeed("network", "show", "--dir", ward.path(Self.stavanger)).output
                #expect(shown.contains("unn            revoked") && !shown.contains("stolav "), "\(shown)")
                let kept = try CharterProposal(file: admission).version.hash.hex
                #expect(shown.contains(kept))
                // Nothing but a settlement follows.
                let refused = try await scratch.varde(
                    "network", "revoke", "stavanger", "--dir", ward.path(Self.norcrin), "--out",
                    scratch.path + "/none.proposal")
                #expect(refused.status != 0 && refused.text.contains("varde network settle"))
                _ = try await ward.succeed(
                    "network", "settle", "--keep", String(kept.prefix(8)), "--dir", ward.path(Self.stavanger), "--out",
                    scratch.path + "/settled.proposal", "--key", ward.key, "--apply")
                for node in staying {
                    try await until("\(node) knows the settlement") {
                        let status = try await network.status(node)
                        return status.charterVersion == 2 && status.charterDisputedAfter == nil
                    }
                }
                _ = try await ward.save("162", at: Self.haukeland)
                try await network.untilEqual(staying)
                let settled = try await ward.succeed("network", "show", "--dir", ward.path(Self.norcrin)).output
                #expect(settled.contains("stolav         admitted") && settled.contains("unn            revoked"))
                let verified = try await scratch.varde("verify", "--dir", ward.path(Self.norcrin))
                #expect(verified.status == 0, "\(verified.text.prefix(1000))")
            }
        }
    }
}
