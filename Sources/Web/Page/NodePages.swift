import EventLog
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Node
import Trial
import Views

/// The node's own page, for a person at this machine; rendered here, so that it works without JavaScript.
struct NodePages: Sendable {
    let access: NodeAccess
    let sessions: BrowserSessions
    let listeners: PlaceCount

    func add(to router: Router<WebContext>) {
        router.get("/page.css") { _, _ in Self.file(PackageResources.page_css, "text/css; charset=utf-8") }
        router.get("/page.js") { _, _ in Self.file(PackageResources.page_js, "text/javascript; charset=utf-8") }
        router.get("/session", use: askForCode)
        router.post("/session", use: takeCode)
        router.get("/", use: page)
        router.get("/page/main", use: main)
        router.get("/page/events", use: events)
    }

    private static func file(_ bytes: [UInt8], _ type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func html(_ html: HTML, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: html.text)))
    }

    // MARK: Letting a browser in

    private func isLetIn(_ request: Request) -> Bool {
        let cookies = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.prefix(64)
        let wanted = sessions.cookieName + "="
        return cookies.map { $0.trimmingCharacters(in: .whitespaces) }.contains { cookie in
            cookie.utf8.count <= WebLimit.secretBytes && cookie.hasPrefix(wanted)
                && sessions.isOpen(String(cookie.dropFirst(wanted.count)))
        }
    }

    @Sendable private func askForCode(_ request: Request, _ context: WebContext) async throws -> Response {
        let code = request.uri.queryParameters["code"].map { String($0.prefix(64)) } ?? ""
        return Self.html(SessionPage.html(node: access.node, code: code, error: nil))
    }

    @Sendable private func takeCode(_ request: Request, _ context: WebContext) async throws -> Response {
        let bytes = try await request.content(
            ofType: ["application/x-www-form-urlencoded"], limit: WebLimit.secretBytes)
        let code = String(decoding: bytes, as: UTF8.self).split(separator: "&").first { $0.hasPrefix("code=") }
            .flatMap { String($0.dropFirst("code=".count)).removingPercentEncoding }
        guard let code, let secret = sessions.open(code: code) else {
            return Self.html(
                SessionPage.html(
                    node: access.node, code: "", error: "This code is not good, or not good any more. Make a new one."),
                status: .forbidden)
        }
        return Response(status: .seeOther, headers: [.location: "/", .setCookie: sessions.cookie(secret)])
    }

    // MARK: The page

    @Sendable private func page(_ request: Request, _ context: WebContext) async throws -> Response {
        guard isLetIn(request) else { return Response.redirect(to: "/session") }
        return Self.html(NodePage.html(try await contents()))
    }

    @Sendable private func main(_ request: Request, _ context: WebContext) async throws -> Response {
        guard isLetIn(request) else { throw Self.notLetIn }
        return Self.html(NodePage.main(try await contents()))
    }

    @Sendable private func events(_ request: Request, _ context: WebContext) async throws -> Response {
        guard isLetIn(request) else { throw Self.notLetIn }
        // The page draws itself anew and needs no entry, so it is told of none.
        let audience = StudyEvents.Audience { [self] in isLetIn(request) ? .signal : nil }
        return try await StudyEvents(access: access, study: nil, audience: audience, listeners: listeners)
            .response(to: request)
    }

    private static let notLetIn = Problem(
        .unauthorized, "no-session", "The browser is not let in", "the browser has no open session at this node",
        action: "run 'varde node open' and open the address it prints")

    private func contents() async throws -> NodePage.Contents {
        let status = try await access.status()
        let studies = try await access.studies()
        var conflicts: [NodePage.Conflict] = []
        var isCurrent = true
        for study in studies where conflicts.count < NodePage.maximumRows {
            let held = status.streams.contains {
                StreamID($0.stream)?.study == study.study && $0.counts.conflicts > 0
            }
            guard held else { continue }
            // A page that draws itself anew on every change need not wait for the view: the next drawing has it.
            let reading = try? await access.readView(of: study.study, waitingAtMost: .milliseconds(200)) {
                try $0.openConflicts(limit: NodePage.maximumRows)
            }
            isCurrent = isCurrent && reading?.isCurrent == true
            conflicts += (reading?.contents.elements ?? []).map { conflict in
                NodePage.Conflict(
                    study: study, location: conflict.location, participant: conflict.participant,
                    what: conflict.kind + (conflict.item.map { " \($0)" } ?? ""), sides: conflict.sides.count)
            }
        }
        return NodePage.Contents(
            status: status, studies: studies, lastHeard: await access.lastHeard(),
            conflicts: Array(conflicts.prefix(NodePage.maximumRows)), areConflictsCurrent: isCurrent,
            saves: try await access.recentSaves(limit: NodePage.maximumRows))
    }
}

/// The page that asks for the code of `varde node open`.
enum SessionPage {
    static func html(node: NodeID, code: String, error: String?) -> HTML {
        NodePage.document(
            title: error == nil ? "Open \(node)" : "Error: open \(node)",
            """
            <header><h1>Varde · \(node)</h1></header>
            <main id="main">
            <section aria-labelledby="open">
            <h2 id="open">Open the node’s page</h2>
            \(error.map { "<p class=\"error\" id=\"error\">\($0)</p>" as HTML } ?? "")
            <p>Run <code>varde node open --dir DIRECTORY</code> on this machine. It prints a code that is good once, for
            two minutes.</p>
            <form method="post" action="/session">
            <label for="code">Code</label>
            <input id="code" name="code" value="\(code)" required autocomplete="one-time-code" autocapitalize="none"
            spellcheck="false" maxlength="64" \(error == nil ? "" : "aria-describedby=\"error\" aria-invalid=\"true\"" as HTML)>
            <button>Open</button>
            </form>
            </section>
            </main>
            """)
    }
}
