import Foundation
import NIOCore
import NIOPosix

/// Why a running node could not be asked.
public enum LocalClientError: Error, CustomStringConvertible {
    /// Nothing listens at the node's socket.
    case notRunning(path: String)
    /// The node ended the conversation.
    case ended
    /// The node answered with a sentence instead of what was asked for.
    case failed(String)
    /// The answer is not one that this software understands.
    case unreadable

    /// What was wrong and what to do.
    public var description: String {
        switch self {
        case .notRunning(let path): "no node listens at \(path); start it with 'varde node run'"
        case .ended: "the node ended the conversation; look at its log, and send the command again"
        case .failed(let reason): reason
        case .unreadable: "the node answered in a way this software does not understand; is it of another version?"
        }
    }
}

/// A conversation with a node of this machine through its owner-only socket.
///
/// Requests may be sent ahead of the answers; answers come in the order of the requests.
public struct LocalClient {
    /// Sends requests and reads answers.
    public struct Conversation {
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        var inbound: NIOAsyncChannelInboundStream<[ByteBuffer]>.AsyncIterator
        var waiting: [ByteBuffer] = []

        /// Sends requests without waiting for answers.
        public func send(_ requests: [LocalRequest]) async throws {
            let encoder = JSONEncoder()
            // Sorted, so that a command sent again is sent in the same bytes and known as the same.
            encoder.outputFormatting = [.sortedKeys]
            try await outbound.write(contentsOf: try requests.map { ByteBuffer(bytes: try encoder.encode($0)) })
        }

        /// The next answer.
        ///
        /// - Throws: ``LocalClientError/ended`` where the node ended the conversation.
        public mutating func reply() async throws -> LocalReply {
            while waiting.isEmpty {
                guard let frames = try await inbound.next() else { throw LocalClientError.ended }
                waiting = frames.reversed()
            }
            guard let frame = waiting.popLast() else { throw LocalClientError.ended }
            do {
                return try JSONDecoder().decode(LocalReply.self, from: Data(frame.readableBytesView))
            } catch {
                throw LocalClientError.unreadable
            }
        }

        /// Sends one request and waits for its answer.
        public mutating func ask(_ request: LocalRequest) async throws -> LocalReply {
            try await send([request])
            return try await reply()
        }
    }

    /// Opens a conversation with the node in `directory`, and ends it when `body` returns.
    ///
    /// - Throws: ``LocalClientError/notRunning(path:)`` where no node listens, ``DirectoryError`` where none can, and what
    ///   `body` throws.
    public static func converse<Result: Sendable>(
        with directory: NodeDirectory, _ body: (inout Conversation) async throws -> Result
    ) async throws -> Result {
        try directory.checkSocketPath()
        let channel: NIOAsyncChannel<[ByteBuffer], ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: directory.socket) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(FrameCoding())
                        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw LocalClientError.notRunning(path: directory.socket)
        }
        return try await channel.executeThenClose { inbound, outbound in
            var conversation = Conversation(outbound: outbound, inbound: inbound.makeAsyncIterator())
            return try await body(&conversation)
        }
    }

    /// Asks one thing.
    public static func ask(_ directory: NodeDirectory, _ request: LocalRequest) async throws -> LocalReply {
        try await converse(with: directory) { try await $0.ask(request) }
    }

    /// Asks how things stand.
    public static func status(of directory: NodeDirectory) async throws -> NodeStatus {
        switch try await ask(directory, .status) {
        case .status(let status): return status
        case .failed(let reason): throw LocalClientError.failed(reason)
        default: throw LocalClientError.unreadable
        }
    }
}
