import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    /// What two hospitals of one region do apart from each other, and how people end what came of it, anywhere.
    @Suite struct ApartTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, stavanger, norcrin]
        private static let labels = ["apart-1", "apart-2", "apart-3"]

        /// The network, and who works in it with what tokens.
        private struct Region {
            let network: TestNetwork
            let study: StudyID
            let nurse: Nurse
            let substitute: Sender
            var tokens: [NodeID: String] = [:]

            func client(_ node: NodeID) throws -> NodeClient {
                try NodeClient(network.directory(node), token: try required(tokens[node], "token"))
            }

            func conflicts(at node: NodeID) async throws -> [JSONValue] {
                // In pieces of one participant, which all together are the list.
                var found: [JSONValue] = []
                var cursor: String?
                repeat {
                    let more = cursor.map { "&cursor=\($0)" } ?? ""
                    let piece = try await client(node).get("/api/v0/studies/\(study)/conflicts?limit=1" + more)
                    found += piece["conflicts"].elements
                    cursor = piece["next"].text
                } while cursor != nil && found.count < 100
                return found
            }
        }

        @Test
        func `what two hospitals began apart is shown whole, and ended everywhere by a person of the site at either`()
            async throws
        {
            try await withScratch { scratch in
                let region = try await region(scratch)
                try await workApart(region)
                let network = region.network
                let apart = try await network.untilEqual(all) { $0.values.allSatisfy { $0.counts.conflicts == 3 } }
                #expect(apart.values.allSatisfy { $0.counts.findings == 1 })
                try await checkSides(region)
                try await checkAdverseEvents(region)
                try await refuseOthers(region)

                let conflicts = try await region.conflicts(at: Self.stavanger)
                try await decide(conflicts, Self.labels[0], "same", at: Self.stavanger, region)
                try await decide(conflicts, Self.labels[1], "two", at: Self.haukeland, region)
                try await decide(conflicts, Self.labels[2], "wrong", at: Self.stavanger, region)
                // What is one form now has an item with two values; the rest is ended everywhere.
                try await network.untilEqual(all) { $0.values.allSatisfy { $0.counts.conflicts == 1 } }
                try await resolve(region)
                try await network.untilEqual(all) { $0.values.allSatisfy { $0.counts.conflicts == 0 } }
                try await checkOutcome(region)
                try await checkSite(region)
                try await checkExport(region)
                try await checkEndedDelegation(region)
            }
        }

        // MARK: Before and during the partition

        private func region(_ scratch: Scratch) async throws -> Region {
            let source = try TestStudies.western(participants: 2)
            let network = try TestNetwork(scratch, for: source)
            try await network.startAll()
            let nurse = Nurse(study: try await network.load())
            try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
            let substitute = Sender(
                actor: ActorID(RandomName(high: 0x4E, low: 9)), role: .studyNurse, isSystem: false)
            try await network.record(
                nurse.command(
                    as: nurse.institution,
                    .delegate(
                        site: TestStudies.west, actor: substitute.actor, name: "Substitute", role: substitute.role,
                        from: "2026-01-12", to: nil)), at: Self.haukeland)
            for (number, label) in Self.labels.enumerated() {
                try await network.record(nurse.registration(label, number: UInt64(number)), at: Self.haukeland)
            }
            var region = Region(network: network, study: nurse.study, nurse: nurse, substitute: substitute)
            for node in [Self.haukeland, Self.stavanger] {
                region.tokens[node] = try await token(
                    scratch, network, node, role: "study-nurse", actor: nurse.sender.actor)
            }
            region.tokens[Self.norcrin] = try await token(
                scratch, network, Self.norcrin, role: "data-manager", actor: nil)
            try await network.untilEqual(all) {
                $0.values.allSatisfy { $0.counts.participants == 2 + Self.labels.count }
            }
            return region
        }

        private func token(
            _ scratch: Scratch, _ network: TestNetwork, _ node: NodeID, role: String, actor: ActorID?
        ) async throws -> String {
            let result = try await scratch.start(
                ["token", "add", "--dir", network.directory(node).path, "--name", "Test", "--role", role]
                    + (actor.map { ["--actor", $0.description] } ?? [])
            ).ended(withinSeconds: 20)
            #expect(result.status == 0, "\(result.text)")
            return try required(result.output.split(whereSeparator: \.isWhitespace).first.map(String.init), "token")
        }

        /// Each hospital, without the other, begins the same scheduled form of three participants and adds an adverse event;
        /// the substitute's delegation ends while Stavanger, where she saves a visit, cannot know.
        private func workApart(_ region: Region) async throws {
            let network = region.network
            let nurse = region.nurse
            var reports: [String: ParticipantReport] = [:]
            for label in Self.labels {
                reports[label] = try await network.participant(label, of: region.study, at: Self.stavanger)
            }
            let first = try required(reports[Self.labels[0]], "report")
            try await network.stop(Self.stavanger)
            for report in reports.values {
                try await network.record(
                    nurse.vitalSigns(["IT.PULSE": "61"], of: report, seen: report), at: Self.haukeland)
            }
            try await network.record(nurse.adverseEvent("Headache", of: first), at: Self.haukeland)
            try await network.record(
                nurse.command(
                    as: nurse.institution,
                    .endDelegation(
                        site: TestStudies.west, actor: region.substitute.actor, role: region.substitute.role,
                        from: "2026-06-01")), at: Self.haukeland)
            try await network.stop(Self.haukeland, Self.norcrin)
            try await network.start(Self.stavanger)
            for report in reports.values {
                try await network.record(
                    nurse.vitalSigns(["IT.PULSE": "62"], of: report, seen: report), at: Self.stavanger)
            }
            try await network.record(nurse.adverseEvent("Nausea", of: first), at: Self.stavanger)
            try await network.record(
                nurse.visit("2026-06-02", of: first, as: region.substitute), at: Self.stavanger)
            try await network.start(Self.haukeland, Self.norcrin)
        }

        // MARK: What everybody sees

        private func checkSides(_ region: Region) async throws {
            for node in all {
                let conflicts = try await region.conflicts(at: node)
                #expect(conflicts.count == 3, "\(node)")
                for conflict in conflicts {
                    #expect(conflict["kind"].text == "instance")
                    #expect(conflict["form"].text == "F.VS" && conflict["event"].text == "SE.INCLUSION")
                    let typed = conflict["sides"].elements.map { side in
                        side["values"].elements.compactMap { $0["value"]["typed"].text }
                    }
                    #expect(Set(typed) == [["61"], ["62"]], "\(node)")
                    #expect(
                        Set(conflict["sides"].elements.compactMap { $0["node"].text }) == ["haukeland", "stavanger"])
                }
            }
        }

        private func checkAdverseEvents(_ region: Region) async throws {
            for node in all {
                let report = try await region.network.participant(Self.labels[0], of: region.study, at: node)
                let events = report.items.filter { $0.item == ItemOID("IT.AETERM") }
                #expect(Set(events.flatMap(\.values).compactMap(\.typed)) == ["Headache", "Nausea"], "\(node)")
                #expect(events.count == 2 && !events.contains(where: \.isConflict), "\(node)")
            }
        }

        /// A data manager at the coordinating centre sees all and decides nothing; nor does a nurse of the site from there.
        private func refuseOthers(_ region: Region) async throws {
            let conflicts = try await region.conflicts(at: Self.norcrin)
            let answer = try await decision(conflicts, Self.labels[0], "same", at: Self.norcrin, region)
            #expect(answer.status == 403, "\(answer.text)")
            let conflict = try required(conflicts.first, "conflict")
            let outcome = try await region.network.perform(
                region.nurse.command(
                    as: region.nurse.sender,
                    .decideInstances(
                        InstanceDecisionEntry(
                            location: LocationID(unchecked: "haukeland"),
                            participant: .registration(
                                try required(EntryID(hex: conflict["participant"].text ?? ""), "id")),
                            form: try required(InstanceID(hex: conflict["instance"].text ?? ""), "id"),
                            beginnings: try conflict["sides"].elements.map(beginning), choice: .same,
                            reason: "from afar"))),
                at: Self.norcrin)
            guard case .refused = outcome else { throw TestFailure("the centre decided: \(outcome)") }
        }

        private func beginning(_ side: JSONValue) throws -> Beginning {
            Beginning(
                entry: try required(EntryID(hex: side["id"]["entry"].text ?? ""), "beginning"),
                position: UInt64(side["id"]["position"].number ?? 0))
        }

        // MARK: What people decide

        private func decision(
            _ conflicts: [JSONValue], _ label: String, _ choice: String, at node: NodeID, _ region: Region
        ) async throws -> NodeClient.Answer {
            let conflict = try required(
                conflicts.first { $0["labels"].elements.contains { $0["text"].text == label } }, "conflict of \(label)")
            let participant = try required(conflict["participant"].text, "participant")
            var generator = SystemRandomNumberGenerator()
            let sides = conflict["sides"].elements
            var body: [String: Any] = [
                "command": CommandID(using: &generator).description, "choice": choice, "reason": "the paper says so",
                "form": try required(conflict["instance"].text, "form"), "beginnings": sides.map(\.["id"].object),
            ]
            if choice == "wrong" {
                body["wrong"] = sides.filter { $0["node"].text == "haukeland" }.map(\.["id"].object)
            }
            return try await region.client(node).post(
                "/api/v0/studies/\(region.study)/participants/\(participant)/decisions", body)
        }

        private func decide(
            _ conflicts: [JSONValue], _ label: String, _ choice: String, at node: NodeID, _ region: Region
        ) async throws {
            let answer = try await decision(conflicts, label, choice, at: node, region)
            #expect(answer.status == 201, "\(answer.text)")
        }

        /// Whoever names not every side is refused; one resolution, at the hospital that did not decide the form, is enough.
        private func resolve(_ region: Region) async throws {
            let conflict = try required(try await region.conflicts(at: Self.haukeland).first, "conflict")
            #expect(conflict["kind"].text == "item" && conflict["item"].text == "IT.PULSE")
            let sides = conflict["sides"].elements
            let participant = try required(conflict["participant"].text, "participant")
            func body(_ sides: [JSONValue]) -> [String: Any] {
                var generator = SystemRandomNumberGenerator()
                return [
                    "command": CommandID(using: &generator).description, "reason": "measured twice",
                    "instance": conflict["instance"].text ?? "", "item": "IT.PULSE",
                    "seen": sides.map(\.["id"].object),
                    "sides": sides.map { side in
                        let isChosen = side["values"].elements.first?["value"]["typed"].text == "62"
                        return ["side": side["id"].object, "verdict": isChosen ? "chosen" : "wrong"] as [String: Any]
                    },
                ]
            }
            let path = "/api/v0/studies/\(region.study)/participants/\(participant)/resolutions"
            let client = try region.client(Self.haukeland)
            let stale = try await client.post(path, body(Array(sides.prefix(1))))
            #expect(stale.status == 409, "\(stale.text)")
            let answer = try await client.post(path, body(sides))
            #expect(answer.status == 201, "\(answer.text)")
        }

        private func checkOutcome(_ region: Region) async throws {
            for node in all {
                func pulses(_ label: String) async throws -> [String] {
                    try await region.network.participant(label, of: region.study, at: node).typed("IT.PULSE")
                }
                #expect(try await pulses(Self.labels[0]) == ["62"], "\(node)")
                #expect(try await pulses(Self.labels[1]) == ["61", "62"], "\(node)")
                let wide = try await region.network.scratch.varde(
                    "query", "--json", "--dir", region.network.directory(node).path,
                    """
                    SELECT label, it_pulse FROM dm_f_vs WHERE label LIKE 'apart-%' AND event_oid = 'SE.INCLUSION'
                    ORDER BY label, it_pulse
                    """)
                let rows = try JSONValue(wide.output).elements.map {
                    "\($0["label"].text ?? "") \($0["it_pulse"].number ?? 0)"
                }
                #expect(
                    rows == ["apart-1 62.0", "apart-2 61.0", "apart-2 62.0", "apart-3 62.0"], "\(node): \(wide.text)")
            }
        }

        /// Two forms of what stands once by its definition are told apart by their keys, and what was wrong is not there.
        private func checkExport(_ region: Region) async throws {
            let file = region.network.scratch.path + "/apart.xml"
            let result = try await region.network.scratch.varde(
                "export", "odm", "--dir", region.network.directory(Self.norcrin).path, "--study", "VARDE.SCIATICA",
                "--out", file)
            #expect(result.status == 0, "\(result.text)")
            let document = try String(contentsOfFile: file, encoding: .utf8)
            func keys(_ label: String) throws -> [String] {
                let start = try required(document.range(of: "SubjectKey=\"\(label)\""), label).upperBound
                let subject = document[start...].components(separatedBy: "</SubjectData>")[0]
                return subject.components(separatedBy: "FormOID=\"F.VS\"").dropFirst().map { form in
                    String(form.prefix { $0 != ">" }).trimmingCharacters(in: .whitespaces)
                }
            }
            #expect(try keys("apart-1") == [""])
            #expect(try Set(keys("apart-2")) == ["FormRepeatKey=\"1\"", "FormRepeatKey=\"2\""])
            #expect(try keys("apart-3") == [""])
        }

        /// The site's report says when each member was last heard from.
        private func checkSite(_ region: Region) async throws {
            let site = try await region.client(Self.norcrin).get("/api/v0/studies/\(region.study)/sites/helse-vest")
            let members = site["report"]["members"].elements
            #expect(Set(members.compactMap { $0["node"].text }) == ["haukeland", "stavanger"])
            let moments = members.compactMap { $0["lastHeardUTCMilliseconds"].number }
            let now = Date().timeIntervalSince1970 * 1000
            #expect(moments.count == 2 && moments.allSatisfy { (now - 60_000...now + 1_000).contains($0) })
        }

        /// What she entered before she could know keeps its values and is a finding; what she enters now is refused.
        private func checkEndedDelegation(_ region: Region) async throws {
            for node in all {
                let report = try await region.network.participant(Self.labels[0], of: region.study, at: node)
                let visit = report.items.first { $0.event == "SE.WEEK1" && $0.item == ItemOID("IT.VISDAT") }
                #expect(visit?.values.compactMap(\.typed) == ["2026-06-02"], "\(node)")
                let status = try await region.network.status(node)
                #expect(status.counts.findings == 1, "\(node)")
                #expect(status.streams.flatMap(\.findings).contains { $0.contains("(F1)") }, "\(node)")
            }
            let report = try await region.network.participant(Self.labels[1], of: region.study, at: Self.stavanger)
            let outcome = try await region.network.perform(
                region.nurse.visit("2026-06-03", of: report, as: region.substitute), at: Self.stavanger)
            guard case .refused(.notDelegated) = outcome else { throw TestFailure("it was taken: \(outcome)") }
        }
    }
}
