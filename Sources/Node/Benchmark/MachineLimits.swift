import EventLog
import Foundation
import Logging
import Synchronization
import ZeroMQTransport

/// What the processor and the loopback interface can do at most: the figures that a benchmark is held against.
enum MachineLimits {
    /// SHA-256 of `byteCount` bytes each, a second, on one core, over a quarter of a second.
    static func hashesPerSecond(byteCount: Int) -> Double {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var count = 0
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .milliseconds(250) {
            for _ in 0..<1000 {
                bytes[0] = Hash.sha256(bytes).withBytes { $0[0] }
                count += 1
            }
        }
        return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
    }

    /// Million bytes a second of messages of 256 KiB from one transport to another, encrypted, on loopback.
    ///
    /// - Throws: a transport's error.
    static func curveMegabytesPerSecond(messages: Int = 2_000) async throws -> Double {
        let keys = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let arrivals = Arrivals(expected: messages)
        var logger = Logger(label: "varde.bench")
        logger.logLevel = .error
        let receiver = try ZeroMQTransport(
            configuration: TransportConfiguration(
                nodeName: "receiver", keyPair: keys.1, bindAddress: "tcp://127.0.0.1:0",
                allowedPeers: [keys.0.publicKey: "sender"]), logger: logger, handler: { arrivals.take($0) })
        let endpoint = try await receiver.start()
        let sending = Sending(message: [UInt8](repeating: 0x5A, count: 256 * 1024), count: messages)
        let sender = try ZeroMQTransport(
            configuration: TransportConfiguration(
                nodeName: "sender", keyPair: keys.0, bindAddress: "tcp://127.0.0.1:0",
                peers: ["receiver": PeerAddress(endpoint: endpoint, publicKey: keys.1.publicKey)],
                allowedPeers: [keys.1.publicKey: "receiver"]), logger: logger, handler: { sending.take($0) })
        sending.begin(over: sender)
        try await sender.start()
        let seconds = await arrivals.all()
        await sender.stop()
        await receiver.stop()
        return Double(messages) * 256 * 1024 / 1e6 / seconds
    }
}

/// Sends as many messages as the link takes, whenever it takes some.
private final class Sending: Sendable {
    private struct State {
        var transport: ZeroMQTransport?
        var left: Int
    }

    private let message: [UInt8]
    private let state: Mutex<State>

    init(message: [UInt8], count: Int) {
        self.message = message
        state = Mutex(State(left: count))
    }

    func begin(over transport: ZeroMQTransport) {
        state.withLock { $0.transport = transport }
    }

    func take(_ events: [TransportEvent]) {
        let isOpen = events.contains {
            switch $0 {
            case .peerUp, .writable: true
            default: false
            }
        }
        guard isOpen, let transport = state.withLock({ $0.transport }) else { return }
        transport.assumeIsolated { transport in
            while state.withLock({ $0.left > 0 }), transport.send(message, to: "receiver") {
                state.withLock {
                    $0.left -= 1
                    // The last message breaks the circle between handler and transport.
                    if $0.left == 0 { $0.transport = nil }
                }
            }
        }
    }
}

/// Counts messages and measures the time from the first to the last.
private final class Arrivals: Sendable {
    private struct State {
        var count = 0
        var start: ContinuousClock.Instant?
        var seconds: Double?
        var waiter: CheckedContinuation<Double, Never>?
    }

    private let expected: Int
    private let state = Mutex(State())

    init(expected: Int) {
        self.expected = expected
    }

    func take(_ events: [TransportEvent]) {
        let count = events.count { if case .message = $0 { true } else { false } }
        guard count > 0 else { return }
        let done: (CheckedContinuation<Double, Never>, Double)? = state.withLock { state in
            state.count += count
            let start = state.start ?? .now
            state.start = start
            guard state.count >= expected, state.seconds == nil else { return nil }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            state.seconds = seconds
            return state.waiter.map { ($0, seconds) }
        }
        if let (waiter, seconds) = done { waiter.resume(returning: seconds) }
    }

    /// Seconds until all had come.
    func all() async -> Double {
        await withCheckedContinuation { continuation in
            let seconds: Double? = state.withLock { state in
                if state.seconds == nil { state.waiter = continuation }
                return state.seconds
            }
            if let seconds { continuation.resume(returning: seconds) }
        }
    }
}
