import ServiceLifecycle
import Store
import Synchronization
import Views
import ZeroMQTransport

/// Closes the store when everything that uses it has ended.
struct StoreService: Service {
    let store: Store<NodeState>

    func run() async throws {
        try? await gracefulShutdown()
        try await store.close()
    }
}

/// Keeps the views until the node stops.
struct ViewService: Service {
    let views: StudyViews

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await views.run()
        } onGracefulShutdown: {
            Task { await views.stop() }
        }
    }
}

/// Opens the links to other nodes and keeps time for replication.
struct ReplicationService: Service {
    let driver: ReplicationDriver
    let transport: ZeroMQTransport

    func run() async throws {
        try await transport.start()
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await driver.tick()
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        await transport.stop()
    }
}

/// Ends the node when it is asked to, or when its store has failed.
final class StopSignal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    private let restart = Mutex(false)

    /// Whether everything is to be opened anew.
    var isRestarting: Bool { restart.withLock { $0 } }

    func stop(restarting: Bool = false) {
        if restarting { restart.withLock { $0 = true } }
        continuation.yield()
        continuation.finish()
    }

    func wait() async {
        for await _ in stream { return }
    }
}

/// Waits for the signal; its end ends the group.
struct StopService: Service {
    let signal: StopSignal

    func run() async throws {
        await cancelWhenGracefulShutdown { await signal.wait() }
    }
}
