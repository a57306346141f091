import Synchronization
import ZeroMQTransport

/// Collects what a transport tells, and lets a test wait until it has told enough.
final class EventRecorder: Sendable {
    /// What was told so far.
    struct Record: Sendable {
        var events: [TransportEvent] = []
        var messages: [(node: String, bytes: [UInt8])] = []
        var timesUp: [String: Int] = [:]
        var timesDown: [String: Int] = [:]
        var timesWritable: [String: Int] = [:]
        var refusedKeys: [CurvePublicKey] = []
        var refusingPeers: [String] = []
    }

    /// A wait that took longer than a working transport ever takes.
    struct TimedOut: Error, CustomStringConvertible {
        let description: String
    }

    private struct Waiter {
        let isDone: @Sendable (Record) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var record = Record()
        var waiters: [Int: Waiter] = [:]
        var counter = 0
    }

    private let state = Mutex(State())

    var record: Record { state.withLock { $0.record } }

    /// The handler to give to a transport.
    func take(_ events: [TransportEvent]) {
        let done = state.withLock { state in
            for event in events { state.record.add(event) }
            let done = state.waiters.filter { $0.value.isDone(state.record) }
            for number in done.keys { state.waiters[number] = nil }
            return done.map(\.value.continuation)
        }
        for continuation in done { continuation.resume(returning: true) }
    }

    /// Returns as soon as `isDone` holds of what was told; throws at the deadline.
    func wait(
        for what: String, seconds: Int = 30, until isDone: @escaping @Sendable (Record) -> Bool
    ) async throws {
        let number = state.withLock { state in
            state.counter += 1
            return state.counter
        }
        let deadline = Task {
            try await Task.sleep(for: .seconds(seconds))
            expire(number)
        }
        let isFulfilled = await withCheckedContinuation { continuation in
            let isDoneAlready = state.withLock { state in
                if isDone(state.record) { return true }
                state.waiters[number] = Waiter(isDone: isDone, continuation: continuation)
                return false
            }
            if isDoneAlready { continuation.resume(returning: true) }
        }
        deadline.cancel()
        guard isFulfilled else { throw TimedOut(description: "waited \(seconds) s in vain for \(what)") }
    }

    private func expire(_ number: Int) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
        waiter?.continuation.resume(returning: false)
    }
}

extension EventRecorder.Record {
    fileprivate mutating func add(_ event: TransportEvent) {
        events.append(event)
        switch event {
        case .peerUp(let node): timesUp[node, default: 0] += 1
        case .peerDown(let node): timesDown[node, default: 0] += 1
        case .message(let node, let bytes): messages.append((node, bytes))
        case .writable(let node): timesWritable[node, default: 0] += 1
        case .refusedKey(let key, _): refusedKeys.append(key)
        case .refusedByPeer(let node): refusingPeers.append(node)
        }
    }

    func isUp(_ node: String) -> Bool {
        timesUp[node, default: 0] > timesDown[node, default: 0]
    }
}

/// Waits for a state that no event tells of.
func eventually(
    _ what: String, seconds: Int = 30, holds condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw EventRecorder.TimedOut(description: "waited \(seconds) s in vain until \(what)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
