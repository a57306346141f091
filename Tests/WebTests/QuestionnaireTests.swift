import EventLog
import Node
import Testing
import Trial
import Views
import Web

/// A partner's system submits answers, and each is there once however often it is sent.
@Suite(.serialized)
struct QuestionnaireTests {
    private func response(
        _ value: String, pain: Int, subject: String = "H-001", status: String = "completed", day: String = "2026-02-04"
    ) -> String {
        """
        {"resourceType":"QuestionnaireResponse","identifier":{"system":"urn:app","value":"\(value)"},\
        "questionnaire":"https://varde.no/fhir/Questionnaire/sciatica-leg-pain-diary|1","status":"\(status)",\
        "subject":{"identifier":{"system":"https://varde.no/fhir/sid/sciatica-participant","value":"\(subject)"}},\
        "authored":"\(day)","item":[{"linkId":"day","answer":[{"valueDate":"\(day)"}]},\
        {"linkId":"leg-pain","answer":[{"valueInteger":\(pain)}]}]}
        """
    }

    private func batch(_ resources: String...) -> [UInt8] {
        let entries = resources.map {
            "{\"request\":{\"method\":\"POST\",\"url\":\"QuestionnaireResponse\"},\"resource\":\($0)}"
        }
        let text = "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[\(entries.joined(separator: ","))]}"
        return [UInt8](text.utf8)
    }

    private func submit(_ bytes: [UInt8], _ node: TestNode, _ token: String) async throws -> LoopbackResponse {
        try await LoopbackClient.connect(port: node.port) { client in
            try await client.ask(
                "POST", "/fhir", headers: node.headers(token, ("Content-Type", "application/fhir+json")), body: bytes)
        }
    }

    private func statuses(_ response: LoopbackResponse) throws -> [String] {
        try response.json()["entry"]?.elements.compactMap { $0["response"]?["status"]?.text } ?? []
    }

    private func locations(_ response: LoopbackResponse) throws -> [String?] {
        try response.json()["entry"]?.elements.map { $0["response"]?["location"]?.text } ?? []
    }

    @Test func `answers are taken in one by one in their order, each once, with the same receipt when sent again`()
        async throws
    {
        try await withNode { node in
            let record = try await node.registered("H-001")
            let app = try await node.token(.partnerApp)
            let bytes = batch(
                response("a", pain: 4), response("b", pain: 5, subject: "nobody"),
                response("c", pain: 6, day: "2026-02-05"), response("d", pain: 99))
            let first = try await submit(bytes, node, app)
            #expect(first.status == 200, "\(first.text)")
            #expect(try statuses(first).map { $0.prefix(3) } == ["201", "503", "201", "422"], "\(first.text)")
            let entries = try await node.get("/api/v0/node").json()["entries"]
            let again = try await submit(bytes, node, app)
            #expect(try statuses(again).map { $0.prefix(3) } == ["201", "503", "201", "422"])
            #expect(try locations(again) == locations(first))
            #expect(try await node.get("/api/v0/node").json()["entries"] == entries)

            let amended = try await submit(
                batch(response("a", pain: 3, status: "amended"), response("a", pain: 2)), node, app)
            #expect(try statuses(amended).map { $0.prefix(3) } == ["200", "409"], "\(amended.text)")
            let forms = try await node.get(record).json()["events"]?.elements.flatMap { $0["forms"]?.elements ?? [] }
            #expect(forms?.filter { $0["oid"] == .string("F.DIARY") && $0["isBegun"] == .boolean(true) }.count == 2)
            try await showsDue(node, record)
        }
    }

    /// What is due, and what was answered, once there is a day to count from; the views say the same in SQL.
    private func showsDue(_ node: TestNode, _ record: String) async throws {
        let path = node.studyPath + "/questionnaires?asOf=2026-02-05&limit=10"
        func diaries() async throws -> [JSON] {
            try await node.get(path).json()["questionnaires"]?.elements.filter { $0["form"] == .string("F.DIARY") }
                ?? []
        }
        let unknown = try await diaries()
        #expect(!unknown.isEmpty && unknown.allSatisfy { $0["dueDate"] == nil && $0["state"] == .string("notYetDue") })
        let included = try await node.post(
            record + "/statuses",
            .object([
                "command": .string(CommandID.drawn().description), "status": .string("included"),
                "eventDate": .string("2026-02-03"),
            ]))
        #expect(included.status == 201, "\(included.text)")
        let due = try await diaries()
        let answered = due.filter { !($0["answers"]?.elements ?? []).isEmpty }
        #expect(answered.allSatisfy { $0["state"] == .string("done") })
        #expect(answered.compactMap { $0["answers"]?.elements.first?["day"]?.text } == ["2026-02-04", "2026-02-05"])
        #expect(answered.allSatisfy { $0["isAnsweredInWindow"] == .boolean(true) })
        let open = due.filter { ($0["answers"]?.elements ?? []).isEmpty }
        #expect(open.count == due.count - 2 && !open.isEmpty)
        #expect(!open.contains { $0["state"] == .string("done") })
        let later = try await node.get(path.replacing("2026-02-05", with: "2027-02-05") + "&state=overdue").json()
        #expect(later["questionnaires"]?.elements.filter { $0["form"] == .string("F.DIARY") }.count == open.count)

        let reader = try ViewReader(ViewDirectory(dataDirectory: node.directory.path), study: node.study)
        var rows: [[QueryValue]] = []
        _ = try reader.query(
            "SELECT state, answers FROM questionnaire WHERE form_oid = 'F.DIARY' AND state = 'done'", limit: 100,
            seconds: 10
        ) { rows.append($0) }
        #expect(rows == [[.text("done"), .integer(1)], [.text("done"), .integer(1)]])
    }

    @Test func `who is no registered client may not submit, and what is no batch is refused as a whole`() async throws {
        try await withNode { node in
            _ = try await node.registered("H-001")
            let refused = try await submit(batch(response("a", pain: 4)), node, node.nurse)
            #expect(try statuses(refused).map { $0.prefix(3) } == ["403"], "\(refused.text)")
            let app = try await node.token(.partnerApp)
            for text in ["", "{}", "{\"resourceType\":\"Patient\"}", "[1,2"] {
                let answer = try await submit([UInt8](text.utf8), node, app)
                #expect((400..<500).contains(answer.status), "\(text)")
                #expect(try answer.json()["resourceType"] == .string("OperationOutcome"))
            }
        }
    }
}
