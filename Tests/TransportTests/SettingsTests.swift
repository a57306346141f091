import CZeroMQ
import Testing
import ZeroMQTransport

/// The options that safety rests on are what libzmq has, not only what it was asked for.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SettingsTests {
    @Test func `both kinds of sockets are bounded, encrypted, watched and never linger`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let alfa = try await network.start("alfa")
        let bravo = try await network.start("bravo", connectingTo: [alfa])
        try await alfa.waitUntilUp("bravo")
        let limits = TransportLimits()
        let listening = try #require(await alfa.transport.socketSettings().listening)
        let connecting = await bravo.transport.socketSettings().connecting
        #expect(connecting.count == 1)
        for settings in [listening] + connecting {
            // Without it one part may have any size, and is in memory before anybody sees it.
            #expect(settings.maximumMessageBytes > Int64(limits.messageBytes))
            #expect(settings.maximumMessageBytes < Int64(limits.messageBytes) + 1_024)
            #expect(settings.sendQueueMessages == Int32(limits.sendQueueMessages))
            #expect(settings.receiveQueueMessages == Int32(limits.receiveQueueMessages))
            #expect(settings.lingerMilliseconds == 0)
            #expect(settings.mechanism == ZMQ_CURVE)
            #expect(settings.heartbeatMilliseconds.allSatisfy { $0 > 0 })
            #expect(settings.handshakeMilliseconds > 0)
        }
        // Whoever binds proves itself first, and asks about everybody who knocks.
        #expect(listening.type == ZMQ_ROUTER && listening.isCurveServer && listening.enforcesAdmissionDomain)
        // Nothing is queued for a peer that is not there.
        #expect(connecting.allSatisfy { $0.type == ZMQ_DEALER && !$0.isCurveServer && $0.isImmediate })
        await bravo.transport.stop()
        await alfa.transport.stop()
    }

    @Test func `a peer that vanishes from a link that it opened is gone long before it falls silent`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let alfa = try await network.start("alfa")
        let bravo = try await network.start("bravo", connectingTo: [alfa])
        try await alfa.waitUntilUp("bravo")
        let start = ContinuousClock.now
        await bravo.transport.stop()
        try await eventually("alfa knows") { await alfa.transport.linkCount(of: "bravo") == 0 }
        // ROUTER_MANDATORY: what is sent to a connection that is gone is refused, where it would else be dropped unseen.
        #expect(
            ContinuousClock.now - start < .milliseconds(Int(TestNetwork.timing.keepaliveTimeoutMilliseconds) / 2))
        #expect(await alfa.transport.send([1], to: "bravo") == false)
        await alfa.transport.stop()
    }
}
