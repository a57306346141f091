import Node
import Testing
import Web

/// The node's page opens for whoever can write in the node's directory, and for nobody else.
@Suite(.serialized)
struct PageTests {
    private func ask(
        _ node: TestNode, _ path: String, method: String = "GET", cookie: String? = nil, form: String? = nil
    ) async throws -> LoopbackResponse {
        var headers = [("Host", "127.0.0.1:\(node.port)")]
        if let cookie { headers.append(("Cookie", "other=1; \(cookie)")) }
        if form != nil { headers.append(("Content-Type", "application/x-www-form-urlencoded")) }
        return try await LoopbackClient.connect(port: node.port) { client in
            try await client.ask(method, path, headers: headers, body: [UInt8]((form ?? "").utf8))
        }
    }

    /// Lets a browser in; gives its cookie.
    private func session(_ node: TestNode) async throws -> String {
        let code = try BrowserSessions.makeCode(
            in: node.directory, at: SessionClock.system.utcSeconds())
        let response = try await ask(node, "/session", method: "POST", form: "code=\(code)")
        #expect(response.status == 303)
        #expect(response.headers["location"] == "/")
        let cookie = try required(response.headers["set-cookie"], "cookie")
        #expect(cookie.contains("HttpOnly"))
        #expect(cookie.contains("SameSite=Strict"))
        return String(cookie.prefix { $0 != ";" })
    }

    @Test func `a code lets one browser in once, and what it opens is the page`() async throws {
        try await withNode(participants: 2) { node in
            #expect(try await ask(node, "/").status == 303)
            #expect(try await ask(node, "/page/main").status == 401)
            #expect(try await ask(node, "/page/events").status == 401)
            let code = try BrowserSessions.makeCode(
                in: node.directory, at: SessionClock.system.utcSeconds())
            #expect(try await ask(node, "/session?code=\(code)").text.contains(code))
            let first = try await ask(node, "/session", method: "POST", form: "code=\(code.uppercased())")
            #expect(first.status == 303)
            #expect(try await ask(node, "/session", method: "POST", form: "code=\(code)").status == 403)
            #expect(try await ask(node, "/session", method: "POST", form: "code=").status == 403)
            #expect(try await ask(node, "/session", method: "POST", form: "code=..%2F..%2Ftokens.json").status == 403)

            let cookie = try await session(node)
            let page = try await ask(node, "/", cookie: cookie)
            #expect(page.status == 200)
            #expect(page.text.contains("Varde · haukeland"))
            #expect(page.text.contains("durable here"))
            #expect(try await ask(node, "/page/main", cookie: cookie).text.contains("<caption>"))
            #expect(try await ask(node, "/", cookie: String(cookie.dropLast())).status == 303)
        }
    }

    @Test func `a page that listens is told nothing more once its session has ended`() async throws {
        try await withNode { node in
            let cookie = try await session(node)
            let text = try await LoopbackClient.connect(port: node.port) { client in
                let headers = [("Host", "127.0.0.1:\(node.port)"), ("Cookie", cookie)]
                try await client.send("GET", "/page/events", headers: headers)
                #expect(try await client.readHead().status == 200)
                var text = String(decoding: try await client.readChunk() ?? [], as: UTF8.self)
                // The session that ends first makes room for the last of so many more.
                try await Task.sleep(for: .milliseconds(1_100))
                for _ in 0..<BrowserSessions.maximumSessions { _ = try await session(node) }
                _ = try await node.registered("H-001")
                while !text.contains("event: change"), let chunk = try await client.readChunk() {
                    text += String(decoding: chunk, as: UTF8.self)
                }
                return text
            }
            #expect(!text.contains("event: change") && text.contains("not be read any more"))
            #expect(try await ask(node, "/page/events", cookie: cookie).status == 401)
        }
    }

    @Test func `the cookie of the page opens nothing of the API`() async throws {
        try await withNode { node in
            let cookie = try await session(node)
            #expect(try await ask(node, "/api/v0/studies", cookie: cookie).status == 401)
        }
    }

    @Test func `what comes from outside stands in the page as text`() async throws {
        try await withNode { node in
            let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
            let page = try await ask(node, "/session?code=\(hostile)").text
            #expect(!page.contains("<script>alert"))
            #expect(page.contains("&quot;&gt;&lt;script&gt;"))
        }
    }
}
