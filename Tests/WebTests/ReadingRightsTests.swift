import EventLog
import Foundation
import Node
import Testing
import Trial
import Web

/// Who sees a participant's record: whoever is delegated at its study site, and whoever manages the study's data.
@Suite(.serialized)
struct ReadingRightsTests {
    /// Everything that shows something of a participant.
    private func paths(_ record: String, _ node: TestNode) async throws -> [String] {
        let forms = try await node.get(record).json()["events"]?.elements.flatMap { $0["forms"]?.elements ?? [] }
        let form = try required(forms?.first?["instance"]?.text, "form")
        let saves = try await node.get(node.studyPath + "/participants").json()
        #expect(saves["participants"]?.elements.count == 1)
        return [
            node.studyPath + "/participants", record, record + "/forms/" + form, node.studyPath + "/conflicts",
            node.studyPath + "/monitoring", node.studyPath + "/sites/haukeland", node.studyPath + "/questionnaires",
        ]
    }

    @Test func `a token without a delegation sees no record, no list and no count, and is told what to do`()
        async throws
    {
        let contract = try PublishedContract()
        try await withNode { node in
            let record = try await node.registered("H-001")
            let entry = try required(
                try await node.post(
                    record + "/statuses",
                    .object([
                        "command": .string(CommandID.drawn().description), "status": .string("screened"),
                        "eventDate": .string("2026-02-03"),
                    ])
                ).headers["location"], "Location")
            try await node.untilViewIsThere()
            let all = try await paths(record, node) + [entry]
            for role in [RoleName.studyNurse, .monitor, .principalInvestigator, .dataImport, .partnerApp] {
                let token = try TokenFile(node.directory).add(
                    actor: ActorID(RandomName(high: 7, low: 7)), role: role, name: "not delegated")
                // Live changes are no list to wait for: whoever may not read them is told so at once.
                for path in all + [node.studyPath + "/events"] {
                    let answer = try await node.get(path, token: token)
                    #expect(answer.status == 403, "\(role) \(path): \(answer.text)")
                    let problem = try answer.json()
                    #expect(problem["code"] == .string("not-delegated"))
                    #expect(contract.faults(problem, schema: "Problem") == [])
                    #expect(!answer.text.contains("H-001"))
                }
                // What is no participant's is open.
                #expect(try await node.get(node.studyPath + "/definitions", token: token).status == 200)
            }
            // The same person in another role than the one delegated sees nothing either.
            let other = try TokenFile(node.directory).add(actor: node.nurseActor, role: .monitor, name: "nurse")
            #expect(try await node.get(record, token: other).status == 403)
        }
    }

    @Test
    func `whoever is delegated at the study site sees its records, and a data manager at a coordinating node all`()
        async throws
    {
        try await withNode { node in
            let record = try await node.registered("H-001")
            try await node.untilViewIsThere()
            let all = try await paths(record, node)
            let manager = try TokenFile(node.directory).add(
                actor: ActorID(RandomName(high: 7, low: 8)), role: .dataManager, name: "data manager")
            for token in [manager, try await node.token(.monitor), try await node.token(.investigator)] {
                for path in all {
                    let answer = try await node.get(path, token: token)
                    #expect(answer.status == 200, "\(path): \(answer.text)")
                }
                #expect(try await node.get(node.studyPath + "/participants?location=far", token: token).status != 500)
            }
            let far = try await node.get(node.studyPath + "/participants?location=far")
            #expect(far.status == 403)
        }
    }

    @Test func `a client system submits answers and sees which are due where it is delegated, and nothing else`()
        async throws
    {
        try await withNode { node in
            let record = try await node.registered("H-001")
            try await node.untilViewIsThere()
            let app = try await node.token(.partnerApp)
            for path in try await paths(record, node) {
                let expected = path.hasSuffix("/questionnaires") ? 200 : 403
                #expect(try await node.get(path, token: app).status == expected, "\(path)")
            }
        }
    }

    @Test func `a command that is sent again has its receipt even when its sender may do nothing any more`()
        async throws
    {
        try await withNode { node in
            let record = try await node.registered("H-001")
            let body = JSON.object([
                "command": .string(CommandID.drawn().description), "status": .string("screened"),
                "eventDate": .string("2026-02-03"),
            ])
            let first = try await node.post(record + "/statuses", body)
            #expect(first.status == 201)
            try await node.endDelegation(node.nurseActor, .studyNurse)
            #expect(try await node.get(record).status == 403)
            let again = try await node.post(record + "/statuses", body)
            #expect(again.status == 200, "\(again.text)")
            #expect(try again.json()["entry"] == first.json()["entry"])
            // Under the same id, but another command: that is judged, and refused.
            let other = JSON.object([
                "command": body["command"] ?? .null, "status": .string("included"), "eventDate": .string("2026-02-03"),
            ])
            #expect(try await node.post(record + "/statuses", other).status == 403)
        }
    }

    @Test func `a member that is not taken is refused with its name, and nothing is recorded`() async throws {
        try await withNode { node in
            let record = try await node.registered("H-001")
            let entries = try await node.get("/api/v0/node").json()["entries"]
            func status(_ more: [String: JSON], _ provenance: [String: JSON] = [:]) -> JSON {
                .object(
                    [
                        "command": .string(CommandID.drawn().description), "status": .string("screened"),
                        "eventDate": .string("2026-02-03"), "provenance": .object(provenance),
                    ].merging(more) { $1 })
            }
            for (body, name) in [
                (status(["evenDate": .string("2026-02-03")]), "evenDate"),
                (status([:], ["performdAt": .string("haukeland")]), "provenance.performdAt"),
                (status(["location": .string("haukeland")]), "location"),
            ] {
                let answer = try await node.post(record + "/statuses", body)
                #expect(answer.status == 400)
                #expect(try answer.json()["detail"]?.text?.contains("'\(name)'") == true, "\(answer.text)")
            }
            #expect(try await node.get("/api/v0/node").json()["entries"] == entries)
            let taken = try await node.post(
                record + "/statuses", status(["replaces": .null], ["language": .string("nb")]))
            #expect(taken.status == 201, "\(taken.text)")
        }
    }
}
