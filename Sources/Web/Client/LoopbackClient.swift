import NIOCore
import NIOPosix

/// What a server of this machine answered.
package struct LoopbackResponse: Sendable {
    /// The status.
    package let status: Int
    /// The headers, with lower-case names; of several of one name the last.
    package let headers: [String: String]
    /// The body.
    package var body: [UInt8] = []

    /// States an answer.
    package init(status: Int, headers: [String: String], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Why an answer cannot be read.
package enum LoopbackClientError: Error {
    /// The connection ended within an answer.
    case ended
    /// The answer is not HTTP/1.1 as this client reads it.
    case unreadable
}

/// A plain HTTP/1.1 client for measurements and tests: one connection, requests one after the other, every byte in sight.
///
/// It does as it is told, so that a test can send what no browser would.
package struct LoopbackClient {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received: [UInt8] = []
    private var place = 0

    /// Opens a connection to a port of 127.0.0.1 and closes it when `body` returns.
    package static func connect<Result: Sendable>(
        port: UInt16, _ body: (inout LoopbackClient) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: Int(port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var client = LoopbackClient(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&client)
        }
    }

    private init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    /// Sends a request and reads the whole answer.
    ///
    /// - Parameter headers: sent as they are; without `Host` none is sent.
    package mutating func ask(
        _ method: String, _ target: String, headers: [(String, String)], body: [UInt8] = []
    ) async throws -> LoopbackResponse {
        try await send(method, target, headers: headers, body: body)
        var response = try await readHead()
        if response.headers["transfer-encoding"]?.lowercased() == "chunked" {
            while let chunk = try await readChunk() { response.body += chunk }
        } else {
            response.body = try await read(Int(response.headers["content-length"] ?? "0") ?? 0)
        }
        return response
    }

    /// Sends a request.
    package func send(
        _ method: String, _ target: String, headers: [(String, String)], body: [UInt8] = []
    ) async throws {
        var text = "\(method) \(target) HTTP/1.1\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !body.isEmpty || method == "POST",
            !headers.contains(where: { ["content-length", "transfer-encoding"].contains($0.0.lowercased()) })
        {
            text += "Content-Length: \(body.count)\r\n"
        }
        var buffer = ByteBuffer(string: text + "\r\n")
        buffer.writeBytes(body)
        try await outbound.write(buffer)
    }

    /// Reads an answer's head.
    package mutating func readHead() async throws -> LoopbackResponse {
        let first = try await readLine().split(separator: " ", maxSplits: 2)
        guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else {
            throw LoopbackClientError.unreadable
        }
        var headers: [String: String] = [:]
        while true {
            let line = try await readLine()
            guard !line.isEmpty else { break }
            guard let colon = line.firstIndex(of: ":") else { throw LoopbackClientError.unreadable }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        return LoopbackResponse(status: status, headers: headers)
    }

    /// Reads one chunk of a body that comes in chunks; nil at its end.
    package mutating func readChunk() async throws -> [UInt8]? {
        guard let count = Int(try await readLine(), radix: 16) else { throw LoopbackClientError.unreadable }
        let chunk = try await read(count)
        guard try await readLine().isEmpty else { throw LoopbackClientError.unreadable }
        return count == 0 ? nil : chunk
    }

    private mutating func readLine() async throws -> String {
        while true {
            if let end = received[place...].firstIndex(of: 0x0A) {
                let line = received[place..<end].filter { $0 != 0x0D }
                place = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            try await receive()
        }
    }

    private mutating func read(_ count: Int) async throws -> [UInt8] {
        while received.count - place < count { try await receive() }
        defer { place += count }
        return Array(received[place..<place + count])
    }

    private mutating func receive() async throws {
        guard let buffer = try await inbound.next() else { throw LoopbackClientError.ended }
        received.removeFirst(place)
        place = 0
        received += buffer.readableBytesView
    }
}
