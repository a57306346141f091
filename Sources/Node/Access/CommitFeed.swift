import Synchronization

/// Tells everybody who listens that the store has committed entries.
///
/// It says only that there is something new, never what: who is told looks for himself, from where he had got to. So a
/// slow listener costs nothing and misses nothing.
///
/// Invariants:
/// - Every listener that is not ended finds at least one notice after each commit that came since it last looked.
/// - After ``finish()`` all listeners are ended, and new ones end at once.
public final class CommitFeed: Sendable {
    private struct State {
        var listeners: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var next: UInt64 = 0
        var isFinished = false
    }

    private let state = Mutex(State())

    init() {}

    /// Notices from now on, any number of unheard ones being one.
    public func notices() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number: UInt64? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    /// Tells everybody. Called on the store's thread; does not wait.
    func tell() {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield() }
    }

    /// Ends all listeners, because the node is stopping.
    public func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
