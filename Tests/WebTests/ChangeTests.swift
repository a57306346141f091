import EventLog
import Foundation
import Node
import Testing
import Trial
import Web

/// Who listens is told of everything, in order, also after a break.
@Suite(.serialized)
struct ChangeTests {
    /// One event as it came.
    private struct Event {
        var name: String?
        var id: String?
        var data: JSON?
    }

    /// Reads a stream until `count` events with a name have come; gives them and the last id.
    private func listen(
        _ node: TestNode, after last: String? = nil, count: Int, meanwhile: @Sendable () async throws -> Void = {}
    ) async throws -> (events: [Event], last: String?) {
        let headers = node.headers(node.nurse) + (last.map { [("Last-Event-ID", $0)] } ?? [])
        return try await LoopbackClient.connect(port: node.port) { client in
            try await client.send("GET", node.studyPath + "/events", headers: headers)
            let head = try await client.readHead()
            guard head.status == 200, head.headers["content-type"]?.hasPrefix("text/event-stream") == true else {
                throw TestFailure("status \(head.status)")
            }
            var events: [Event] = []
            var newest = last
            var text = ""
            var isFirst = true
            while events.count < count, let chunk = try await client.readChunk() {
                text += String(decoding: chunk, as: UTF8.self)
                while let end = text.range(of: "\n\n") {
                    let event = try Self.event(String(text[..<end.lowerBound]))
                    text.removeSubrange(..<end.upperBound)
                    newest = event.id ?? newest
                    if event.name != nil { events.append(event) }
                }
                if isFirst {
                    isFirst = false
                    try await meanwhile()
                }
            }
            return (events, newest)
        }
    }

    private static func event(_ text: String) throws -> Event {
        var event = Event()
        for line in text.split(separator: "\n") {
            if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
            if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
            if line.hasPrefix("data: ") {
                event.data = try LoopbackResponse(text: String(line.dropFirst(6))).json()
            }
        }
        return event
    }

    @Test func `a change is told while one listens, and those during a break when one comes back, each once`()
        async throws
    {
        let contract = try PublishedContract()
        try await withNode { node in
            let registered = Recorder()
            let (events, last) = try await listen(node, count: 1) {
                registered.add(try await node.registered("H-001"))
            }
            let change = try required(events.first?.data, "change")
            #expect(contract.faults(change, schema: "Change") == [])
            #expect(participants(of: events) == registered.participants)

            registered.add(try await node.registered("H-002"))
            registered.add(try await node.registered("H-003"))
            let (later, newest) = try await listen(node, after: last, count: 2)
            #expect(participants(of: later) == Array(registered.participants.dropFirst()))

            // The id of the newest event leads to nothing but what is newer.
            let (after, _) = try await listen(node, after: newest, count: 1) {
                registered.add(try await node.registered("H-004"))
            }
            #expect(participants(of: after) == Array(registered.participants.suffix(1)))
        }
    }

    private func participants(of events: [Event]) -> [String] {
        events.flatMap { $0.data?["entries"]?.elements ?? [] }
            .filter { $0["operation"] == .string("participant registered") }.compactMap { $0["participant"]?.text }
    }

    @Test func `however much came during a break, little of it is in memory at a time`() async throws {
        try await withNode(participants: 40) { node in
            let manager = try await node.token(.dataManager)
            let newest = try await node.access.newestPosition()
            var position = ChangePosition(incarnation: newest.incarnation, arrival: 0)
            var pieces: [Int] = []
            var largest = 0
            while true {
                let news = try await node.access.changes(after: position, of: nil)
                pieces.append(news.arrivals.reduce(0) { $0 + $1.entries.count })
                largest = max(largest, news.arrivals.last?.entries.count ?? 0)
                position = news.reached
                if news.isComplete { break }
            }
            // An arrival is told whole, so a piece may end with one that goes beyond the bound.
            #expect(pieces.allSatisfy { $0 < 256 + largest } && pieces.count > 3, "\(pieces)")
            let status = try await node.get("/api/v0/node", token: manager).json()
            #expect(Double(pieces.reduce(0, +)) == status["entries"]?.number)
        }
    }

    @Test func `an id of another store is answered with a reset, and one that is none is refused`() async throws {
        try await withNode { node in
            let other = String(repeating: "ab", count: 16) + "-3"
            let (events, _) = try await listen(node, after: other, count: 1)
            #expect(events.first?.name == "reset")
            for wrong in ["", "3", "ab-3", other + "-4", other.dropLast() + "x"] {
                let response = try await LoopbackClient.connect(port: node.port) { client in
                    try await client.ask(
                        "GET", node.studyPath + "/events",
                        headers: node.headers(node.nurse, ("Last-Event-ID", String(wrong))))
                }
                #expect(response.status == 400, "\(wrong)")
            }
        }
    }

    @Test func `who listens does not keep the node from stopping, and is told`() async throws {
        try await withNode { node in
            let text = try await LoopbackClient.connect(port: node.port) { client in
                try await client.send("GET", node.studyPath + "/events", headers: node.headers(node.nurse))
                _ = try await client.readHead()
                _ = try await client.readChunk()
                _ = try await LocalClient.ask(node.directory, .stop)
                var text = ""
                while let chunk = try await client.readChunk() { text += String(decoding: chunk, as: UTF8.self) }
                return text
            }
            #expect(text.contains("stopping"))
        }
    }
}
