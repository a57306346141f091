import EventLog
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Trial
import Views

/// Listens at the node's socket, which only its owner may open.
struct LocalServer: Service {
    let path: String
    let access: NodeAccess
    let logger: Logger

    func run() async throws {
        // What is left of a process that died; the directory's lock says that none is alive.
        unlink(path)
        // A connection becomes a conversation only when it is served, for a conversation that nobody ends traps; and only
        // then is it read.
        let server: NIOAsyncChannel<any Channel, Never> = try await ServerBootstrap(
            group: MultiThreadedEventLoopGroup.singleton
        )
        .childChannelOption(ChannelOptions.autoRead, value: false)
        .bind(unixDomainSocketPath: path) { $0.eventLoop.makeSucceededFuture($0) }
        chmod(path, 0o600)
        try await withGracefulShutdownHandler {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { await serve(connection) }
                    }
                    // The node is stopping: a client that only waits keeps it from nothing.
                    group.cancelAll()
                }
            }
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
        unlink(path)
    }

    private func serve(_ channel: any Channel) async {
        do {
            let conversation = try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.addHandler(FrameCoding())
                return try NIOAsyncChannel<[ByteBuffer], ByteBuffer>(wrappingChannelSynchronously: channel)
            }.get()
            try await conversation.executeThenClose { inbound, outbound in
                try await channel.setOption(ChannelOptions.autoRead, value: true).get()
                for try await frames in inbound {
                    try await answer(frames, outbound)
                }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.debug("a client of the local socket left", metadata: ["reason": "\(error)"])
        }
    }

    /// Answers requests in their order; commands that follow one another are carried out in one transaction.
    private func answer(
        _ frames: [ByteBuffer], _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        let decoder = JSONDecoder()
        var commands: [SentCommand] = []
        for frame in frames {
            let bytes = frame.readableBytesView
            let request: LocalRequest
            do {
                request = try decoder.decode(LocalRequest.self, from: Data(bytes))
            } catch {
                try await flush(&commands, outbound)
                try await reply(.failed("the request cannot be read: is the client of another version?"), outbound)
                continue
            }
            if case .command(let command) = request {
                commands.append(
                    SentCommand(command: command, digest: .sha256([UInt8](bytes)), authentication: .localAccount))
            } else {
                try await flush(&commands, outbound)
                try await reply(await answer(request), outbound)
                // Told before it is done, for what is done ends the conversation.
                if case .stop = request { access.stop() }
            }
        }
        try await flush(&commands, outbound)
    }

    private func flush(
        _ commands: inout [SentCommand], _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        guard !commands.isEmpty else { return }
        defer { commands = [] }
        do {
            let outcomes = try await access.perform(commands)
            try await outbound.write(contentsOf: try outcomes.map { try encoded(.outcome($0)) })
        } catch {
            let sentence = "the commands were not recorded: \(error)"
            try await outbound.write(contentsOf: try commands.map { _ in try encoded(.failed(sentence)) })
        }
    }

    private func answer(_ request: LocalRequest) async -> LocalReply {
        do {
            switch request {
            case .command: return .failed("a command was answered out of its turn")
            case .status: return .status(try await access.status())
            case .participant(let study, let label):
                return .participant(try await access.participant(study: study, label: label))
            case .orders(let study): return .orders(try await access.orders(of: study))
            case .studies: return .studies(try await access.studyOIDs())
            case .rebuild(let study): return .rebuilt(try await access.rebuild(study))
            case .rebuildProgress(let study): return .rebuildProgress(await access.rebuildProgress(study))
            case .applyCharter(let text):
                guard let bytes = [UInt8](hex: text) else {
                    return .failed("the version of the charter cannot be read")
                }
                return .charter(try await access.apply(try SignedCharter(bytes: bytes)))
            case .closeLogsForNewKey:
                try await access.closeLogsForNewKey()
                return .logsClosed
            case .backup(let path): return .backedUp(try await access.backup(to: path))
            case .backupProgress: return .backupProgress(access.backups.progress)
            case .stop: return .stopping
            }
        } catch {
            return .failed("\(error)")
        }
    }

    private func reply(_ reply: LocalReply, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
        try await outbound.write(try encoded(reply))
    }

    private func encoded(_ reply: LocalReply) throws -> ByteBuffer {
        ByteBuffer(bytes: try JSONEncoder().encode(reply))
    }
}
