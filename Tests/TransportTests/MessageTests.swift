import Synchronization
import Testing
import ZeroMQTransport

@Suite(.serialized, .timeLimit(.minutes(2)))
struct MessageTests {
    /// Two nodes that are up; alfa opened the link.
    private func pair(
        _ network: TestNetwork, adjust: (inout TransportConfiguration) -> Void = { _ in }
    ) async throws -> (alfa: TestNode, bravo: TestNode) {
        var configuration = try network.configuration("bravo")
        adjust(&configuration)
        let bravo = try await TestNode(configuration)
        configuration = try network.configuration("alfa", connectingTo: [bravo])
        adjust(&configuration)
        let alfa = try await TestNode(configuration)
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        return (alfa, bravo)
    }

    @Test(arguments: [0, 1, 65_536, 1 << 20])
    func `a message of this size arrives as it was sent, both ways`(byteCount: Int) async throws {
        let (alfa, bravo) = try await pair(TestNetwork("alfa", "bravo"))
        var random = SeededGenerator(seed: UInt64(byteCount))
        let bytes = (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(await alfa.transport.send(bytes, to: "bravo"))
        #expect(await bravo.transport.send(bytes, to: "alfa"))
        try await alfa.waitForMessages(1)
        try await bravo.waitForMessages(1)
        #expect(alfa.recorder.record.messages.first?.bytes == bytes)
        #expect(bravo.recorder.record.messages.first?.bytes == bytes)
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test func `a message above the limit is refused and harms nothing`() async throws {
        let (alfa, bravo) = try await pair(TestNetwork("alfa", "bravo"))
        #expect(await !alfa.transport.send([UInt8](repeating: 0, count: (1 << 20) + 1), to: "bravo"))
        #expect(await alfa.transport.metrics().sendsOversized == 1)
        #expect(await alfa.transport.send([1], to: "bravo"))
        try await bravo.waitForMessages(1)
        #expect(bravo.recorder.record.messages.map(\.bytes) == [[1]])
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test(arguments: [true, false])
    func `a peer that sends above our limit is cut off and may come again`(isSenderConnecting: Bool) async throws {
        let network = try TestNetwork("alfa", "bravo")
        func configuration(_ name: String, connectingTo peers: [TestNode]) throws -> TransportConfiguration {
            var configuration = try network.configuration(name, connectingTo: peers)
            if name == "alfa" { configuration.limits.messageBytes = 3 << 20 }
            return configuration
        }
        let listener = try await TestNode(configuration(isSenderConnecting ? "bravo" : "alfa", connectingTo: []))
        let dialer = try await TestNode(
            configuration(isSenderConnecting ? "alfa" : "bravo", connectingTo: [listener]))
        let (alfa, bravo) = isSenderConnecting ? (dialer, listener) : (listener, dialer)
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        #expect(await alfa.transport.send([UInt8](repeating: 0, count: 2 << 20), to: "bravo"))
        try await bravo.recorder.wait(for: "alfa to be down and up") {
            $0.timesDown["alfa", default: 0] >= 1 && $0.isUp("alfa")
        }
        try await alfa.recorder.wait(for: "bravo to be down and up") {
            $0.timesDown["bravo", default: 0] >= 1 && $0.isUp("bravo")
        }
        #expect(await alfa.transport.send([1], to: "bravo"))
        try await bravo.waitForMessages(1)
        #expect(bravo.recorder.record.messages.map(\.bytes) == [[1]])
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test func `ten thousand messages each way arrive once and in order`() async throws {
        let (alfa, bravo) = try await pair(TestNetwork("alfa", "bravo"))
        var random = SeededGenerator(seed: 7)
        let messages = (0..<10_000).map { number in
            withUnsafeBytes(of: UInt32(number).bigEndian) { [UInt8]($0) }
                + [UInt8](repeating: 9, count: Int.random(in: 0...600, using: &random))
        }
        async let fromAlfa: Void = alfa.sendAll(messages, to: "bravo")
        async let fromBravo: Void = bravo.sendAll(messages, to: "alfa")
        _ = try await (fromAlfa, fromBravo)
        try await alfa.waitForMessages(messages.count)
        try await bravo.waitForMessages(messages.count)
        #expect(alfa.recorder.record.messages.map(\.bytes) == messages)
        #expect(bravo.recorder.record.messages.map(\.bytes) == messages)
        #expect(alfa.recorder.record.timesUp == ["bravo": 1])
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test(arguments: [true, false])
    func `a peer that never reads fills its link and no more`(isSenderConnecting: Bool) async throws {
        let network = try TestNetwork("alfa", "slow")
        let gate = Gate()
        let slowRecorder = EventRecorder()
        func node(_ name: String, connectingTo peers: [TestNode]) async throws -> TestNode {
            var configuration = try network.configuration(name, connectingTo: peers)
            configuration.limits.sendQueueMessages = 8
            configuration.limits.receiveQueueMessages = 8
            configuration.timing.keepaliveTimeoutMilliseconds = 60_000
            configuration.timing.heartbeatTimeoutMilliseconds = 60_000
            guard name == "slow" else { return try await TestNode(configuration) }
            return try await TestNode(configuration, recorder: slowRecorder) { events in
                slowRecorder.take(events)
                gate.pass()
            }
        }
        let listener = try await node(isSenderConnecting ? "slow" : "alfa", connectingTo: [])
        let dialer = try await node(isSenderConnecting ? "alfa" : "slow", connectingTo: [listener])
        let (alfa, slow) = isSenderConnecting ? (dialer, listener) : (listener, dialer)
        try await alfa.waitUntilUp("slow")
        try await slow.waitUntilUp("alfa")

        gate.close()
        let message = [UInt8](repeating: 5, count: 1 << 20)
        var taken = 0
        // Until nothing was taken for a second: the two queues and the buffers of TCP between them are full.
        var lastTaken = ContinuousClock.now
        while lastTaken.duration(to: .now) < .seconds(1) {
            #expect(taken <= 64, "a link of 8 + 8 messages must not take 64 MiB")
            if taken > 64 { break }
            if await alfa.transport.send(message, to: "slow") {
                taken += 1
                lastTaken = .now
            } else {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(taken >= 16)
        #expect(alfa.recorder.record.isUp("slow"))
        let writable = alfa.recorder.record.timesWritable["slow", default: 0]
        gate.open()
        try await alfa.recorder.wait(for: "room") { $0.timesWritable["slow", default: 0] > writable }
        #expect(await alfa.transport.send([1], to: "slow"))
        try await slow.waitForMessages(taken + 1)
        #expect(slow.recorder.record.messages.map(\.bytes.count) == Array(repeating: 1 << 20, count: taken) + [1])
        await alfa.transport.stop()
        await slow.transport.stop()
    }

    @Test func `a handler answers on the polling thread without changing threads`() async throws {
        let network = try TestNetwork("alfa", "echo")
        let echoed = Mutex<ZeroMQTransport?>(nil)
        let recorder = EventRecorder()
        let echo = try await TestNode(network.configuration("echo"), recorder: recorder) { events in
            recorder.take(events)
            guard let transport = echoed.withLock({ $0 }) else { return }
            transport.assumeIsolated { transport in
                for case .message(let node, let bytes) in events {
                    transport.send(bytes.reversed(), to: node)
                }
            }
        }
        echoed.withLock { $0 = echo.transport }
        let alfa = try await network.start("alfa", connectingTo: [echo])
        try await alfa.waitUntilUp("echo")
        #expect(await alfa.transport.send([1, 2, 3], to: "echo"))
        try await alfa.waitForMessages(1)
        #expect(alfa.recorder.record.messages.first?.bytes == [3, 2, 1])
        echoed.withLock { $0 = nil }
        await alfa.transport.stop()
        await echo.transport.stop()
    }

    @Test func `sends to nobody, to the absent and after stop are refused`() async throws {
        let (alfa, bravo) = try await pair(TestNetwork("alfa", "bravo"))
        #expect(await !alfa.transport.send([1], to: "nobody"))
        #expect(await !alfa.transport.send([1], to: ""))
        await alfa.transport.stop()
        await alfa.transport.stop()
        #expect(await !alfa.transport.send([1], to: "bravo"))
        #expect(await alfa.transport.connectedPeers().isEmpty)
        await bravo.transport.stop()
    }
}
