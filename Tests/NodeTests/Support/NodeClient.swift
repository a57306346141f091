import Foundation
import Node
import Web

/// A program that uses a node's HTTP interface with a token.
struct NodeClient: Sendable {
    /// What the node answered.
    struct Answer {
        let status: Int
        let text: String
    }

    private let port: UInt16
    private let token: String

    init(_ directory: NodeDirectory, token: String) throws {
        let address = try required(
            directory.runningHTTPAddress.flatMap { text in
                URL(string: text.trimmingCharacters(in: .whitespacesAndNewlines))
            }, "address of \(directory.path)")
        port = UInt16(try required(address.port, "port"))
        self.token = token
    }

    private var headers: [(String, String)] {
        [("Host", "127.0.0.1:\(port)"), ("Authorization", "Bearer \(token)")]
    }

    func get(_ path: String) async throws -> JSONValue {
        try JSONValue(try await text(path))
    }

    func text(_ path: String) async throws -> String {
        let headers = headers
        let answer = try await LoopbackClient.connect(port: port) { try await $0.ask("GET", path, headers: headers) }
        guard answer.status == 200 else { throw TestFailure("\(path): \(answer.status) \(answer.text)") }
        return answer.text
    }

    /// Server-sent events as they come.
    struct Events {
        fileprivate var client: LoopbackClient

        /// The next piece of the stream.
        mutating func next() async throws -> String {
            String(decoding: try required(try await client.readChunk(), "event: the stream ended"), as: UTF8.self)
        }
    }

    /// Listens to server-sent events while `body` runs.
    func listen(_ path: String, _ body: (inout Events) async throws -> Void) async throws {
        let headers = headers
        try await LoopbackClient.connect(port: port) { client in
            try await client.send("GET", path, headers: headers)
            let head = try await client.readHead()
            guard head.status == 200 else { throw TestFailure("\(path): \(head.status)") }
            var events = Events(client: client)
            try await body(&events)
        }
    }

    func post(
        _ path: String, _ body: [String: Any], type: String = "application/json"
    ) async throws -> Answer {
        try await post(path, [UInt8](try JSONSerialization.data(withJSONObject: body)), type: type)
    }

    func post(_ path: String, _ body: [UInt8], type: String) async throws -> Answer {
        let headers = headers + [("Content-Type", type)]
        let answer = try await LoopbackClient.connect(port: port) {
            try await $0.ask("POST", path, headers: headers, body: body)
        }
        return Answer(status: answer.status, text: answer.text)
    }
}

/// JSON as the tests look at it: what is not there is absent, and so is all in it.
struct JSONValue {
    private let value: Any?

    init(_ text: String) throws {
        value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
    }

    private init(value: Any?) { self.value = value }

    subscript(_ key: String) -> JSONValue { JSONValue(value: (value as? [String: Any])?[key]) }
    var elements: [JSONValue] { (value as? [Any] ?? []).map { JSONValue(value: $0) } }
    var text: String? { value as? String }
    var number: Double? { (value as? NSNumber)?.doubleValue }
    /// As it stands, to be sent again.
    var object: Any { value ?? NSNull() }
}
