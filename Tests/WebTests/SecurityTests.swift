import EventLog
import Foundation
import Node
import Testing
import Trial
import Web

/// Nobody gets in but whoever was given a token by the node's owner, and no page of another origin acts for them.
@Suite(.serialized)
struct SecurityTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("127.8.9.10", "127.8.9.10"), ("localhost", "127.0.0.1"), ("::1", "::1"),
    ])
    func `the interface listens at loopback`(_ text: String, _ host: String) {
        #expect(LoopbackAddress(text)?.host == host)
    }

    @Test(arguments: [
        "0.0.0.0", "", "10.0.0.1", "192.168.1.10", "127.0.0.1.example.org", "127.0.0", "127.0.0.256", "::", "haukeland",
        "0127.0.0.1", "127.+1.0.1", " 127.0.0.1",
    ])
    func `the interface listens nowhere else`(_ text: String) {
        #expect(LoopbackAddress(text) == nil)
    }

    /// Asks for the studies with headers as given.
    private func ask(_ node: TestNode, _ headers: [(String, String)]) async throws -> LoopbackResponse {
        try await ask(node, "GET", "/api/v0/studies", headers)
    }

    /// Asks with headers as given.
    private func ask(
        _ node: TestNode, _ method: String, _ path: String, _ headers: [(String, String)], body: [UInt8] = []
    ) async throws -> LoopbackResponse {
        try await LoopbackClient.connect(port: node.port) { client in
            try await client.ask(method, path, headers: headers, body: body)
        }
    }

    @Test func `without a token that the node knows nothing is answered`() async throws {
        let contract = try PublishedContract()
        try await withNode { node in
            let host = ("Host", "127.0.0.1:\(node.port)")
            let tries: [[(String, String)]] = [
                [host], [host, ("Authorization", "Bearer ")], [host, ("Authorization", "Bearer " + node.nurse + "0")],
                [host, ("Authorization", "Bearer " + node.nurse.dropLast())], [host, ("Authorization", node.nurse)],
                [host, ("Authorization", "Basic " + node.nurse)],
            ]
            for headers in tries {
                for path in ["/api/v0/node", "/api/v0/studies", node.studyPath, node.studyPath + "/participants"] {
                    let response = try await ask(node, "GET", path, headers)
                    #expect(response.status == 401)
                    #expect(response.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                    #expect(contract.faults(try response.json(), schema: "Problem") == [])
                }
            }
            #expect(try await ask(node, node.headers(node.nurse)).status == 200)
        }
    }

    @Test func `a request under another host's name is refused, with and without a token`() async throws {
        try await withNode { node in
            let token = ("Authorization", "Bearer " + node.nurse)
            for host in ["varde.example:\(node.port)", "127.0.0.1", "127.0.0.1:1", "localhost.example:\(node.port)"] {
                #expect(try await ask(node, [("Host", host), token]).status == 421, "\(host)")
                #expect(try await ask(node, "GET", "/session", [("Host", host)]).status == 421, "\(host)")
            }
            #expect(try await ask(node, [("Host", "localhost:\(node.port)"), token]).status == 200)
            #expect(try await ask(node, [("Host", "LOCALHOST:\(node.port)"), token]).status == 200)
            let without = try await ask(node, [token])
            #expect(without.status == 421 || without.status == 400)
        }
    }

    @Test func `a page of another origin cannot make a browser act`() async throws {
        try await withNode { node in
            let own = "http://127.0.0.1:\(node.port)"
            for origin in ["http://varde.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:\(node.port)"] {
                #expect(try await ask(node, node.headers(node.nurse, ("Origin", origin))).status == 403, "\(origin)")
            }
            for site in ["cross-site", "same-site"] {
                let headers = node.headers(node.nurse, ("Origin", own), ("Sec-Fetch-Site", site))
                #expect(try await ask(node, headers).status == 403, "\(site)")
            }
            let headers = node.headers(node.nurse, ("Origin", own), ("Sec-Fetch-Site", "same-origin"))
            let response = try await ask(node, headers)
            #expect(response.status == 200)
            #expect(response.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func `a body is taken as JSON only, and only as much as was promised`() async throws {
        try await withNode { node in
            let path = node.studyPath + "/participants"
            for type in [
                "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/fhir+json",
            ] {
                let headers = node.headers(node.nurse, ("Content-Type", type))
                #expect(try await ask(node, "POST", path, headers, body: Array("{}".utf8)).status == 415, "\(type)")
            }
            let json = node.headers(node.nurse, ("Content-Type", "application/json; charset=utf-8"))
            #expect(try await ask(node, "POST", path, json, body: Array("{".utf8)).status == 400)
            let lacking = try await ask(node, "POST", path, json, body: Array("{\"location\":\"x\"}".utf8))
            #expect(lacking.status == 400)
            #expect(try lacking.json()["detail"]?.text?.contains("command") == true)

            let large = [UInt8](repeating: 0x20, count: 1024 * 1024 + 1)
            #expect(try await ask(node, "POST", path, json, body: large).status == 413)
            // Announced in pieces, it is found out while it comes.
            let status = try await LoopbackClient.connect(port: node.port) { client in
                let body = [UInt8]("100001\r\n".utf8) + large + [UInt8]("\r\n0\r\n\r\n".utf8)
                let headers = json + [("Transfer-Encoding", "chunked")]
                return try await client.ask("POST", path, headers: headers, body: body).status
            }
            #expect(status == 413)
        }
    }

    @Test func `a token opens the studies it is for and does what its role may`() async throws {
        try await withNode { node in
            let elsewhere = try await node.token(.studyNurse, studies: [StudyID(RandomName(high: 9, low: 9))])
            #expect(try await node.get(node.studyPath, token: elsewhere).status == 404)
            #expect(try await node.get("/api/v0/studies", token: elsewhere).json()["studies"] == .array([]))
            #expect(try await node.get("/api/v0/node", token: elsewhere).json()["streams"] == .array([]))
            let monitor = try await node.token(.monitor)
            #expect(try await node.get(node.studyPath, token: monitor).status == 200)
            let body = JSON.object([
                "command": .string(CommandID.drawn().description), "location": .string("haukeland"),
                "labels": .array([]),
            ])
            let refused = try await node.post(node.studyPath + "/participants", body, token: monitor)
            #expect(refused.status == 403)
            #expect(try refused.json()["code"] == .string("not-allowed"))
            let nobody = try TokenFile(node.directory).add(
                actor: ActorID(RandomName(high: 7, low: 7)), role: .studyNurse, name: "not delegated")
            #expect(try await node.post(node.studyPath + "/participants", body, token: nobody).status == 403)
        }
    }

    @Test func `a token is kept as its hash only, by the owner only, and is gone at once when it is removed`()
        async throws
    {
        try await withNode { node in
            let tokens = TokenFile(node.directory)
            let token = try await node.token(.monitor)
            let kept = try String(contentsOfFile: node.directory.tokens, encoding: .utf8)
            #expect(!kept.contains(token))
            #expect(!kept.contains(token.dropFirst("varde-".count)))
            let attributes = try FileManager.default.attributesOfItem(atPath: node.directory.tokens)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try await node.get("/api/v0/studies", token: token).status == 200)
            let hash = Hash.sha256([UInt8](token.utf8)).hex
            #expect(try tokens.remove(prefix: String(hash.prefix(12))) == 1)
            #expect(try await node.get("/api/v0/studies", token: token).status == 401)
            #expect(try await node.get("/api/v0/studies").status == 200)

            // A file that others may read is no secret any more, and lets nobody in.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: node.directory.tokens)
            _ = try? tokens.add(actor: node.nurseActor, role: .studyNurse, name: "")
            #expect(try await node.get("/api/v0/studies", token: token).status != 200)
        }
    }

    @Test func `a live study is shown to exist, and takes no token`() async throws {
        let contract = try PublishedContract()
        try await withNode(participants: 1, mode: "live") { node in
            let studies = try await node.get("/api/v0/studies").json()["studies"]?.elements
            #expect(studies?.map { $0["mode"] } == [.string("live")])
            for path in ["", "/definitions", "/participants", "/events"] {
                let response = try await node.get(node.studyPath + path)
                #expect(response.status == 403, "\(path)")
                #expect(try response.json()["code"] == .string("live-study"))
                #expect(contract.faults(try response.json(), schema: "Problem") == [])
            }
            let body = JSON.object([
                "command": .string(CommandID.drawn().description), "location": .string("haukeland"),
                "labels": .array([]),
            ])
            #expect(try await node.post(node.studyPath + "/participants", body).status == 403)
        }
    }

    @Test func `every answer tells a browser to be strict`() async throws {
        try await withNode { node in
            for path in ["/", "/session", "/page.css", "/page.js", "/nothing", "/api/v0/studies", "/page/main"] {
                let headers = try await ask(node, "GET", path, [("Host", "127.0.0.1:\(node.port)")]).headers
                let policy = headers["content-security-policy"] ?? ""
                #expect(policy.contains("default-src 'none'"), "\(path)")
                #expect(!policy.contains("unsafe"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(headers["x-content-type-options"] == "nosniff")
                #expect(headers["referrer-policy"] == "same-origin")
                #expect(headers["cache-control"] == "no-store")
            }
        }
    }
}
