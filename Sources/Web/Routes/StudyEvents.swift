import EventLog
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Node
import ServiceLifecycle
import Synchronization
import Trial

/// How many listen to live changes, so that their number is bounded.
final class ListenerCount: Sendable {
    /// Somebody who listens; the place is free again when this is gone, however the answer ended.
    final class Place: Sendable {
        private let listeners: ListenerCount

        fileprivate init(_ listeners: ListenerCount) {
            self.listeners = listeners
        }

        deinit {
            listeners.count.withLock { $0 -= 1 }
        }
    }

    private let count = Mutex(0)

    /// Takes a place; nil where there is none.
    func enter() -> Place? {
        let isFree = count.withLock { count in
            guard count < WebLimit.listeners else { return false }
            count += 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}

/// A change as a listener is told of it: where to look, and never a value.
struct ChangeDocument: Codable {
    var entries: [EntryDocument]
}

/// Live changes as server-sent events (WHATWG HTML §9.2).
///
/// Nothing is kept for a listener: after each commit it reads on in the store from where it had got to. So one that is
/// slow or away misses nothing, and comes back with the id of the last event it had (`Last-Event-ID`).
struct StudyEvents: Sendable {
    let access: NodeAccess
    /// The study; nil for every one, as the owner of the node sees it.
    let study: OpenedStudy?
    let listeners: ListenerCount
    /// Seconds after which a listener is told that there is nothing new, so that both notice when the other is gone.
    var heartbeatSeconds = 15

    func response(to request: Request) async throws -> Response {
        let start: ChangePosition
        if let last = request.headers[HTTPField.Name("Last-Event-ID")!] {
            guard let position = EventIdentifier.position(last) else {
                throw Problem.badRequest("'Last-Event-ID' is not one that this node gave")
            }
            start = position
        } else {
            start = try await access.newestPosition()
        }
        guard let place = listeners.enter() else {
            throw Problem(
                .serviceUnavailable, "too-many-listeners", "Too many listen",
                "\(WebLimit.listeners) listen to live changes already", action: "close one of them, or ask now and then"
            )
        }
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(place) {} }
            try await send(after: start, to: &writer)
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8"], body: body)
    }

    private func send(after start: ChangePosition, to writer: inout any ResponseBodyWriter) async throws {
        let notices = access.commits.notices()
        let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let heart = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(heartbeatSeconds))
                wake.yield()
            }
        }
        let commits = Task {
            for await _ in notices { wake.yield() }
            // The node is stopping.
            wake.finish()
        }
        defer {
            heart.cancel()
            commits.cancel()
        }
        // The client is told at once where it stands, so that a break before the first change loses nothing.
        var position = start
        try await writer.write(EventText.position(position))
        position = try await sendNews(after: position, to: &writer, isFirst: true)
        for await _ in wakes {
            position = try await sendNews(after: position, to: &writer, isFirst: false)
        }
        try await writer.write(EventText.comment("the node is stopping"))
    }

    private func sendNews(
        after start: ChangePosition, to writer: inout any ResponseBodyWriter, isFirst: Bool
    ) async throws -> ChangePosition {
        var position = start
        var told = isFirst
        while true {
            let news = try await access.changes(after: position, of: study?.study)
            if news.isOfAnotherStore {
                try await writer.write(EventText.event("reset", news.reached, "{}"))
                told = true
            }
            for arrival in news.arrivals {
                let entries = arrival.entries.filter { entry in
                    guard let study, let location = entry.stream.location else { return true }
                    return study.scope.contains(location)
                }
                guard !entries.isEmpty else { continue }
                let change = ChangeDocument(entries: entries.map { EntryDocument($0, here: access.node) })
                let json = String(decoding: try JSONDocument.encoder().encode(change), as: UTF8.self)
                try await writer.write(EventText.event("change", arrival.position, json))
                told = true
            }
            position = news.reached
            guard !news.isComplete else { break }
        }
        if !told { try await writer.write(EventText.comment("nothing new")) }
        return position
    }
}

/// An event's id: which store, and how far in it.
enum EventIdentifier {
    static func text(_ position: ChangePosition) -> String {
        position.incarnation.bytes.hex + "-" + String(position.arrival)
    }

    static func position(_ text: String) -> ChangePosition? {
        let pieces = text.split(separator: "-", omittingEmptySubsequences: false)
        guard pieces.count == 2, let bytes = [UInt8](hex: pieces[0]), let incarnation = RandomName(bytes: bytes),
            let arrival = Int64(pieces[1]), arrival >= 0
        else { return nil }
        return ChangePosition(incarnation: incarnation, arrival: arrival)
    }
}

/// The lines of server-sent events.
private enum EventText {
    static func event(_ name: String, _ position: ChangePosition, _ json: String) -> ByteBuffer {
        ByteBuffer(string: "event: \(name)\nid: \(EventIdentifier.text(position))\ndata: \(json)\n\n")
    }

    static func position(_ position: ChangePosition) -> ByteBuffer {
        ByteBuffer(string: "retry: 2000\nid: \(EventIdentifier.text(position))\n\n")
    }

    static func comment(_ text: String) -> ByteBuffer {
        ByteBuffer(string: ": \(text)\n\n")
    }
}
