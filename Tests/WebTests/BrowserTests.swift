import Foundation
import Node
import Testing
import Web

/// The node's page in a real browser. Where the environment names a folder in `VARDE_PAGE_PICTURES`, pictures of it are left
/// there for people to look at.
@Suite(.serialized)
struct BrowserTests {
    /// The least contrast of any text with what is behind it, by WCAG 2.2, and the text that has it.
    private static let leastContrast = """
        (() => {
          const parse = c => c.match(/[\\d.]+/g).map(Number);
          const light = c => parse(c).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const ground = e => { for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor; if ((parse(c)[3] ?? 1) === 1) return c; }
            return getComputedStyle(document.documentElement).backgroundColor; };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          let least = [99, ""], count = 0;
          while (walker.nextNode()) {
            const text = walker.currentNode.data.trim(), e = walker.currentNode.parentElement;
            if (!text || e.closest(".skip")) continue;
            count++;
            const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < least[0]) least = [contrast, text];
          }
          return { contrast: least[0], text: least[1], texts: count };
        })()
        """

    private func figure(_ name: String, _ browser: Chromium) async throws -> String? {
        let script = """
            [...document.querySelectorAll("dl.figures div")]
              .find(d => d.querySelector("dt").textContent === "\(name)")?.querySelector("dd").textContent
            """
        return try await browser.evaluate(script).text
    }

    private func keep(_ browser: Chromium, as name: String) async throws {
        guard let folder = ProcessInfo.processInfo.environment["VARDE_PAGE_PICTURES"] else { return }
        try await browser.picture().write(to: URL(fileURLWithPath: folder + "/\(name).png"))
    }

    @Test(.enabled(if: Chromium.isHere, "there is no browser at /usr/bin/chromium to try the page in"))
    func
        `the page opens by its code, draws itself anew when something comes, and can be read in dark and light`()
        async throws
    {
        try await withNode(participants: 2) { node in
            try await Chromium.run { browser in
                let code = try BrowserSessions.makeCode(in: node.directory, at: SessionClock.system.utcSeconds())
                try await browser.go(to: "http://127.0.0.1:\(node.port)/session?code=\(code)")
                try await keep(browser, as: "session")
                _ = try await browser.evaluate("document.querySelector('button').click()")
                // Only the script says so, once it is told of changes.
                try await until("the page listens") {
                    try await browser.evaluate("document.querySelector('#live')?.textContent")
                        == .string("updates itself")
                }
                #expect(try await figure("Participants", browser) == "2")
                _ = try await browser.evaluate("window.notLoadedAgain = true")
                _ = try await node.registered("H-777")
                try await until("the new participant is counted", withinSeconds: 10) {
                    try await figure("Participants", browser) == "3"
                }
                #expect(try await browser.evaluate("window.notLoadedAgain") == .boolean(true))

                var grounds: Set<String> = []
                for scheme in ["light", "dark"] {
                    try await browser.prefer(scheme)
                    let least = try await browser.evaluate(Self.leastContrast)
                    #expect((least["texts"]?.number ?? 0) > 40)
                    #expect((least["contrast"]?.number ?? 0) >= 4.5, "\(scheme): \(least)")
                    let ground = try await browser.evaluate("getComputedStyle(document.body).backgroundColor")
                    grounds.insert(try required(ground.text, "ground"))
                    try await keep(browser, as: scheme)
                }
                #expect(grounds == ["rgb(251, 250, 248)", "rgb(21, 23, 26)"])
                #expect(browser.complaints == [])
            }
        }
    }
}
