import EventLog
import Testing
import Web

/// What `Protocols/openapi.yaml` publishes is what is served, and the other way round.
@Suite(.serialized)
struct ContractTests {
    @Test func `every route is described, and every description has its route`() async throws {
        let contract = try PublishedContract()
        try await withNode { node in
            #expect(node.routes == contract.routes)
        }
        #expect(contract.brokenReferences == [])
    }

    @Test func `every answer that reads is as its schema says`() async throws {
        let contract = try PublishedContract()
        try await withNode(participants: 3) { node in
            var paths = [
                ("GET /api/v0/node", "/api/v0/node"), ("GET /api/v0/studies", "/api/v0/studies"),
                ("GET /api/v0/studies/{study}", node.studyPath),
                ("GET /api/v0/studies/{study}/definitions", node.studyPath + "/definitions?language=nb"),
                ("GET /api/v0/studies/{study}/participants", node.studyPath + "/participants?limit=2"),
                ("GET /api/v0/studies/{study}/conflicts", node.studyPath + "/conflicts"),
                (
                    "GET /api/v0/studies/{study}/questionnaires",
                    node.studyPath + "/questionnaires?asOf=2026-03-01&limit=2"
                ),
            ]
            for (route, path) in [("monitoring", "monitoring"), ("sites/{site}", "sites/haukeland")] {
                try await until("the view is there") {
                    let answer = try await node.get(node.studyPath + "/" + path)
                    return try answer.status == 200 && answer.json()["isCurrent"] == .boolean(true)
                }
                paths.append(("GET /api/v0/studies/{study}/" + route, node.studyPath + "/" + path))
            }
            let list = try await node.get(node.studyPath + "/participants").json()
            #expect(list["participants"]?.elements.count == 3)
            let participant = try required(list["participants"]?.elements.first?["participant"]?.text, "participant")
            let record = node.studyPath + "/participants/" + participant
            let contents = try await node.get(record).json()
            paths.append(("GET /api/v0/studies/{study}/participants/{participant}", record))
            let forms = contents["events"]?.elements.flatMap { $0["forms"]?.elements ?? [] } ?? []
            #expect(forms.contains { $0["isBegun"] == .boolean(true) })
            #expect(forms.contains { $0["isBegun"] == .boolean(false) })
            for form in forms {
                let id = try required(form["instance"]?.text, "instance")
                paths.append(
                    ("GET /api/v0/studies/{study}/participants/{participant}/forms/{form}", record + "/forms/" + id))
            }
            for (route, path) in paths {
                let response = try await node.get(path)
                #expect(response.status == 200, "\(path): \(response.text)")
                #expect(try contract.faults(response.json(), of: route, status: 200) == [], "\(path)")
            }
        }
    }

    @Test func `the list of participants comes whole in pieces of any size, each participant once and in order`()
        async throws
    {
        try await withNode(participants: 7) { node in
            let all = try await node.get(node.studyPath + "/participants").json()
            let expected = all["participants"]?.elements.compactMap { $0["participant"]?.text } ?? []
            #expect(expected.count == 7)
            #expect(all["next"] == nil)
            for size in 1...8 {
                var met: [String] = []
                var cursor: String? = nil
                repeat {
                    let path = node.studyPath + "/participants?limit=\(size)" + (cursor.map { "&cursor=\($0)" } ?? "")
                    let piece = try await node.get(path).json()
                    met += piece["participants"]?.elements.compactMap { $0["participant"]?.text } ?? []
                    cursor = piece["next"]?.text
                } while cursor != nil && met.count < 20
                #expect(met == expected, "pieces of \(size)")
            }
        }
    }

    @Test func `labels come in the language that the reader asked for`() async throws {
        try await withNode { node in
            let labels = try await ["nb", "en"].asyncMap { language in
                try await node.get(node.studyPath + "/definitions?language=\(language)").json()["forms"]?.elements
                    .compactMap { $0["label"]?.text }
            }
            #expect(labels[0] != labels[1])
            let languages = try await node.get(node.studyPath + "/definitions").json()["languages"]?.elements
            #expect(languages?.contains(.string("nb")) == true)
            let accepted = try await LoopbackClient.connect(port: node.port) { client in
                try await client.ask(
                    "GET", node.studyPath + "/definitions",
                    headers: node.headers(node.nurse, ("Accept-Language", "en;q=0.3, nb-NO;q=0.9")))
            }
            #expect(try accepted.json()["forms"]?.elements.compactMap { $0["label"]?.text } == labels[0])
        }
    }
}

extension Array where Element: Sendable {
    /// The results of `body`, one after the other.
    func asyncMap<Result>(_ body: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
