import Foundation
import Synchronization
import Testing
import ZeroMQTransport

/// Figures rather than checks: run with the environment variable VARDE_MEASURE set.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["VARDE_MEASURE"] != nil, "set VARDE_MEASURE"))
struct MeasurementTests {
    @Test(arguments: [(300, 200_000), (65_536, 8_000), (262_144, 2_000)], [32, 128])
    func `messages of this size over CURVE on the loopback interface`(
        load: (byteCount: Int, count: Int), queueMessages: Int
    ) async throws {
        let network = try TestNetwork("alfa", "bravo")
        var configuration = try network.configuration("bravo")
        configuration.limits.receiveQueueMessages = queueMessages
        configuration.limits.sendQueueMessages = queueMessages
        let received = EventRecorder()
        let bravo = try await TestNode(configuration, recorder: received) { events in
            received.take(events.filter { if case .message = $0 { false } else { true } })
        }
        configuration = try network.configuration("alfa", connectingTo: [bravo])
        configuration.limits.receiveQueueMessages = queueMessages
        configuration.limits.sendQueueMessages = queueMessages
        let alfa = try await TestNode(configuration)
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        for sender in [alfa, bravo] {
            let receiver = sender.name == "alfa" ? bravo : alfa
            let message = [UInt8](repeating: 1, count: load.byteCount)
            let start = ContinuousClock.now
            try await sender.sendAll([[UInt8]](repeating: message, count: load.count), to: receiver.name)
            try await eventually("all arrived") {
                await receiver.transport.metrics().peers[sender.name]?.messagesIn == load.count
            }
            let seconds = start.duration(to: .now) / .seconds(1)
            let link = sender.name == "alfa" ? "DEALER to ROUTER" : "ROUTER to DEALER"
            print(
                "\(load.byteCount) B, queue \(queueMessages), \(link):",
                "\(Int(Double(load.count) / seconds)) messages/s,",
                "\(Int(Double(load.count * load.byteCount) / seconds / 1e6)) MB/s")
        }
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test func `a call from another thread, and a message there and back between two handlers`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let transports = Mutex<[String: ZeroMQTransport]>([:])
        func answering(_ name: String, _ recorder: EventRecorder) -> TransportHandler {
            { events in
                recorder.take(events)
                let transport = transports.withLock { $0[name] }
                transport?.assumeIsolated { transport in
                    for case .message(let node, let bytes) in events where bytes.count < 20_000 {
                        transport.send([UInt8](repeating: 0, count: bytes.count + 1), to: node)
                    }
                }
            }
        }
        let records = (EventRecorder(), EventRecorder())
        let bravo = try await TestNode(
            network.configuration("bravo"), recorder: records.0, handler: answering("bravo", records.0))
        let alfa = try await TestNode(
            network.configuration("alfa", connectingTo: [bravo]), recorder: records.1,
            handler: answering("alfa", records.1))
        transports.withLock { $0 = ["alfa": alfa.transport, "bravo": bravo.transport] }
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        var start = ContinuousClock.now
        for _ in 0..<10_000 { _ = await alfa.transport.linkCount(of: "bravo") }
        print("a call from another thread:", start.duration(to: .now) / 10_000)
        start = .now
        #expect(await alfa.transport.send([], to: "bravo"))
        try await bravo.waitForMessages(10_000)
        print("a message there and back:", start.duration(to: .now) / 10_000)
        transports.withLock { $0 = [:] }
        await alfa.transport.stop()
        await bravo.transport.stop()
    }
}
