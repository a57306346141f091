import EventLog
import Foundation
import Node
import Trial

/// The page of one node: how it stands, its peers and streams, conflicts, and where the newest saves are durable.
///
/// It names ids and counts and no patient's value.
enum NodePage {
    /// Rows of a table at most; the API has all.
    static let maximumRows = 12

    /// What the page shows.
    struct Contents {
        var status: NodeStatus
        var studies: [StudyReading]
        /// When each node was last heard from, milliseconds since 1970-01-01T00:00:00Z.
        var lastHeard: [NodeID: Int64]
        var conflicts: [Conflict]
        /// Whether everything that had come is among the conflicts.
        var areConflictsCurrent: Bool
        var saves: [EntryReading]

        func name(of study: StudyID) -> String {
            studies.first { $0.study == study }?.founding?.name ?? String(study.description.prefix(8))
        }
    }

    /// Something that is to be decided.
    struct Conflict {
        var study: StudyReading
        var location: LocationID
        var participant: EntryID
        var what: String
        var sides: Int
    }

    /// A whole document around a body.
    static func document(title: String, _ body: HTML) -> HTML {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title) · Varde</title>
        <link rel="stylesheet" href="/page.css">
        <script src="/page.js" defer></script>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the content</a>
        \(body)
        </body>
        </html>
        """
    }

    /// The page.
    static func html(_ contents: Contents) -> HTML {
        let status = contents.status
        return document(
            title: status.node.text,
            """
            <header>
            <h1>Varde · \(status.node)</h1>
            <p class="under">\(status.network)\(status.region.map { " · \($0)" } ?? "") · charter version \
            \(status.charterVersion) · <span id="live" role="status">shows the moment it was opened</span></p>
            </header>
            <main id="main" data-live>
            \(main(contents))
            </main>
            <footer><p>Everything shown as saved is on this node’s disk. Another node is named once it has said that it
            holds the same.</p></footer>
            """)
    }

    /// What of the page changes.
    static func main(_ contents: Contents) -> HTML {
        .all([
            alerts(contents.status), figures(contents.status), peers(contents), conflicts(contents), saves(contents),
            streams(contents),
            incidents(contents.status),
        ])
    }

    private static func number(_ value: some BinaryInteger) -> String {
        var groups: [String] = []
        var digits = String(value)
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits] + groups).joined(separator: "\u{202F}")
    }

    private static func state(_ text: String, _ kind: String) -> HTML {
        "<span class=\"state \(kind)\">\(text)</span>"
    }

    private static func figures(_ status: NodeStatus) -> HTML {
        let counts = status.counts
        let lag = status.peers.map(\.entriesLackingHere).max() ?? 0
        let figures: [(String, String)] = [
            ("Entries", number(status.entries)), ("Participants", number(counts.participants)),
            ("Forms", number(counts.forms)), ("Values", number(counts.values)),
            ("Conflicts", number(counts.conflicts)), ("Findings", number(counts.findings)),
            ("Entries still to come", number(lag)),
        ]
        let isWriting = status.start == "writing"
        return """
            <section aria-labelledby="node">
            <h2 id="node">This node \(state(isWriting ? "writing" : "waiting", isWriting ? "good" : "warn"))</h2>
            \(isWriting ? "" : "<p>\(status.start)</p>" as HTML)
            <dl class="figures">\(HTML.all(figures.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" }))</dl>
            </section>
            """
    }

    private static func table(
        _ id: String, _ title: String, caption: String, columns: [(name: String, isNumber: Bool)], rows: [HTML],
        none: String
    ) -> HTML {
        guard !rows.isEmpty else {
            return
                "<section aria-labelledby=\"\(id)\"><h2 id=\"\(id)\">\(title)</h2><p class=\"none\">\(none)</p></section>"
        }
        let heads = columns.map { column -> HTML in
            "<th scope=\"col\"\(column.isNumber ? " class=\"number\"" : "" as HTML)>\(column.name)</th>"
        }
        return """
            <section aria-labelledby="\(id)"><h2 id="\(id)">\(title)</h2>
            <div class="scroll" tabindex="0" role="region" aria-labelledby="\(id)" id="\(id)-table"><table>
            <caption>\(caption)</caption>
            <thead><tr>\(HTML.all(heads))</tr></thead>
            <tbody>\(HTML.all(rows))</tbody>
            </table></div></section>
            """
    }

    private static func moment(_ utcMilliseconds: Int64?) -> String {
        utcMilliseconds.map { UTCText.iso8601(milliseconds: $0 / 1000 * 1000) } ?? "–"
    }

    private static func peers(_ contents: Contents) -> HTML {
        let rows = contents.status.peers.map { peer -> HTML in
            let kind = peer.phase == "exchanging" ? "good" : peer.phase == "down" ? "bad" : "warn"
            return """
                <tr><th scope="row">\(peer.node)</th><td>\(state(peer.phase, kind))</td>
                <td>\(moment(contents.lastHeard[peer.node]))</td>
                <td class="number">\(number(peer.entriesLackingHere))</td>
                <td class="number">\(number(peer.entriesItLacks))</td>
                <td class="number">\(number(peer.receivedBytes / 1024))</td>
                <td class="number">\(number(peer.sentBytes / 1024))</td>
                <td class="number">\(number(peer.faults))</td></tr>
                """
        }
        return table(
            "peers", "Peers", caption: "The other nodes of the network, and how far each is behind",
            columns: [
                ("Node", false), ("State", false), ("Last heard (UTC)", false), ("Still to come from it", true),
                ("It still lacks", true),
                ("Received, KiB", true), ("Sent, KiB", true), ("Faults", true),
            ], rows: rows, none: "The charter names no other node.")
    }

    private static func saves(_ contents: Contents) -> HTML {
        let rows = contents.saves.map { save -> HTML in
            let moment = moment(save.time?.utcMilliseconds)
            let also = save.alsoAt.map(\.text).joined(separator: ", ")
            return """
                <tr><th scope="row"><code>\(save.entry.description.prefix(10))</code></th><td>\(moment)</td>
                <td>\(contents.name(of: save.stream.study))</td><td>\(save.stream.location?.text ?? "–")</td>
                <td>\(save.forms.joined(separator: ", "))</td><td>\(save.writer)</td>
                <td>durable here\(also.isEmpty ? "" : " · also at \(also)")</td></tr>
                """
        }
        return table(
            "saves", "Newest saves", caption: "Forms that were saved last, and which nodes hold them durably",
            columns: [
                ("Entry", false), ("Saved (UTC)", false), ("Study", false), ("Location", false), ("Form", false),
                ("Written at", false), ("Where it is", false),
            ], rows: rows, none: "No form has been saved yet.")
    }

    private static func conflicts(_ contents: Contents) -> HTML {
        let rows = contents.conflicts.map { conflict -> HTML in
            """
            <tr><th scope="row"><code>\(conflict.participant.description.prefix(10))</code></th>
            <td>\(contents.name(of: conflict.study.study))</td><td>\(conflict.location)</td>
            <td>\(conflict.what)</td><td class="number">\(number(conflict.sides))</td></tr>
            """
        }
        return table(
            "conflicts", "Conflicts",
            caption: "What was entered apart from each other; staff of the study site decide"
                + (contents.areConflictsCurrent ? "" : ". The view is being brought up to date"),
            columns: [
                ("Participant", false), ("Study", false), ("Location", false), ("What", false), ("Sides", true),
            ], rows: rows,
            none: contents.areConflictsCurrent ? "Nothing is to be decided." : "The view is being brought up to date.")
    }

    private static func streams(_ contents: Contents) -> HTML {
        let rows = contents.status.streams.map { stream -> HTML in
            let study = StreamID(stream.stream)?.study
            let name = study.map(contents.name) ?? stream.stream
            let everywhere = stream.logs.map { Set($0.alsoAt) }.reduce(nil as Set<NodeID>?) { common, nodes in
                common.map { $0.intersection(nodes) } ?? nodes
            }
            let entries = stream.logs.reduce(UInt64(0)) { $0 + $1.size }
            let also = (everywhere ?? []).sorted().map(\.text).joined(separator: ", ")
            return """
                <tr><th scope="row">\(name)</th><td>\(stream.location?.text ?? "the study itself")</td>
                <td class="number">\(number(entries))</td><td class="number">\(number(stream.counts.participants))</td>
                <td class="number">\(number(stream.counts.values))</td>
                <td class="number">\(number(stream.counts.conflicts))</td>
                <td class="number">\(number(stream.findings.count))</td>
                <td><code>\(stream.digest.hex.prefix(10))</code></td><td>\(also.isEmpty ? "nowhere else" : also)</td></tr>
                """
        }
        return table(
            "streams", "Streams", caption: "What this node holds, and which nodes hold all of it too",
            columns: [
                ("Study", false), ("Location", false), ("Entries", true), ("Participants", true), ("Values", true),
                ("Conflicts", true), ("Findings", true), ("Digest", false), ("All of it also at", false),
            ], rows: rows, none: "This node holds no study.")
    }

    /// What somebody has to see to at once.
    private static func alerts(_ status: NodeStatus) -> HTML {
        guard !status.alerts.isEmpty else { return "" }
        return """
            <section aria-labelledby="alerts"><h2 id="alerts">To be seen to</h2>
            <ul role="alert">\(HTML.all(status.alerts.map { "<li>\($0)</li>" }))</ul></section>
            """
    }

    private static func incidents(_ status: NodeStatus) -> HTML {
        guard !status.incidents.isEmpty else { return "" }
        return """
            <section aria-labelledby="incidents"><h2 id="incidents">Incidents</h2>
            <ul>\(HTML.all(status.incidents.map { "<li>\($0)</li>" }))</ul></section>
            """
    }
}
