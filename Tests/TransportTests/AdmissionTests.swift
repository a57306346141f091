import Testing
import ZeroMQTransport

@Suite(.serialized, .timeLimit(.minutes(2)))
struct AdmissionTests {
    @Test func `a key that is not admitted gets nothing until it is`() async throws {
        let network = try TestNetwork("alfa", "bravo", "stranger")
        let alfa = try await network.start("alfa", admitting: network.admitted("alfa", "bravo"))
        let stranger = try await network.start("stranger", connectingTo: [alfa])
        try await stranger.recorder.wait(for: "the refusal") { $0.refusingPeers == ["alfa"] }
        try await eventually("it was refused again and again") {
            await alfa.transport.metrics().handshakesRefused >= 3
        }
        #expect(alfa.recorder.record.refusedKeys == [try network.key("stranger").publicKey])
        #expect(stranger.recorder.record.timesUp.isEmpty)
        #expect(await !stranger.transport.send([1], to: "alfa"))
        #expect(await !alfa.transport.send([1], to: "stranger"))

        try await alfa.transport.setAllowedPeers(network.admitted())
        try await stranger.waitUntilUp("alfa")
        try await alfa.waitUntilUp("stranger")
        #expect(await stranger.transport.send([2], to: "alfa"))
        try await alfa.waitForMessages(1)
        #expect(alfa.recorder.record.events.last == .message(from: "stranger", bytes: [2]))
        await alfa.transport.stop()
        await stranger.transport.stop()
    }

    @Test(arguments: [true, false])
    func `a peer whose key is withdrawn is ignored and sent nothing`(isLinkOpenedByWithdrawn: Bool) async throws {
        let network = try TestNetwork("alfa", "bravo")
        var alfa = try await network.start("alfa")
        let bravo: TestNode
        if isLinkOpenedByWithdrawn {
            bravo = try await network.start("bravo", connectingTo: [alfa])
        } else {
            bravo = try await network.start("bravo")
            await alfa.transport.stop()
            alfa = try await network.start("alfa", connectingTo: [bravo])
        }
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        try await alfa.transport.setAllowedPeers(network.admitted("alfa"))
        try await alfa.waitUntilDown("bravo")
        #expect(await !alfa.transport.send([1], to: "bravo"))
        for _ in 0..<5 { _ = await bravo.transport.send([2], to: "alfa") }
        // Bravo hears nothing from alfa any more, not even a sign of life.
        try await bravo.waitUntilDown("alfa")
        if isLinkOpenedByWithdrawn { #expect(await alfa.transport.metrics().framesIgnored >= 5) }
        #expect(alfa.recorder.record.messages.isEmpty)
        #expect(bravo.recorder.record.messages.isEmpty)

        try await alfa.transport.setAllowedPeers(network.admitted())
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        #expect(await bravo.transport.send([3], to: "alfa"))
        try await alfa.waitForMessages(1)
        #expect(alfa.recorder.record.messages.map(\.bytes) == [[3]])
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test func `of two keys admitted under one name each is withdrawn alone`() async throws {
        let network = try TestNetwork("alfa", "bravo old", "bravo new")
        let old = try network.key("bravo old").publicKey
        let new = try network.key("bravo new").publicKey
        let alfa = try await network.start("alfa", admitting: [old: "bravo", new: "bravo"])
        let withdrawn = try await network.start("bravo old", connectingTo: [alfa])
        let kept = try await network.start("bravo new", connectingTo: [alfa])
        try await withdrawn.waitUntilUp("alfa")
        try await kept.waitUntilUp("alfa")
        try await eventually("both links stand") { await alfa.transport.linkCount(of: "bravo") == 2 }
        try await alfa.transport.setAllowedPeers([new: "bravo"])
        for _ in 0..<5 { _ = await withdrawn.transport.send([1], to: "alfa") }
        try await eventually("the withdrawn key was ignored") {
            await alfa.transport.metrics().framesIgnored >= 5
        }
        #expect(await kept.transport.send([2], to: "alfa"))
        try await alfa.waitForMessages(1)
        #expect(alfa.recorder.record.messages.map(\.bytes) == [[2]])
        #expect(alfa.recorder.record.messages.map(\.node) == ["bravo"])
        for node in [alfa, withdrawn, kept] { await node.transport.stop() }
    }

    @Test func `a peer goes by the name its key is admitted under`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let bravoKey = try network.key("bravo")
        // Bravo calls itself charlie, and alfa's configuration calls it delta: its key says bravo.
        var configuration = TransportConfiguration(
            nodeName: "charlie", keyPair: bravoKey, bindAddress: "tcp://127.0.0.1:0",
            allowedPeers: network.admitted("alfa"))
        configuration.timing = TestNetwork.timing
        let bravo = try await TestNode(configuration)
        var alfaConfiguration = try network.configuration("alfa")
        alfaConfiguration.peers["delta"] = PeerAddress(endpoint: bravo.endpoint, publicKey: bravoKey.publicKey)
        let alfa = try await TestNode(alfaConfiguration)
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        #expect(await bravo.transport.send([1], to: "alfa"))
        #expect(await alfa.transport.send([2], to: "bravo"))
        #expect(await !alfa.transport.send([3], to: "delta"))
        #expect(await !alfa.transport.send([4], to: "charlie"))
        try await alfa.waitForMessages(1)
        try await bravo.waitForMessages(1)
        #expect(alfa.recorder.record.events.last == .message(from: "bravo", bytes: [1]))
        #expect(Set(alfa.recorder.record.timesUp.keys) == ["bravo"])
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test func `a listener with another key than configured is not talked to`() async throws {
        let network = try TestNetwork("alfa", "bravo", "impostor")
        let impostor = try await network.start("impostor")
        var configuration = try network.configuration("alfa")
        configuration.peers["bravo"] = PeerAddress(
            endpoint: impostor.endpoint, publicKey: try network.key("bravo").publicKey)
        let alfa = try await TestNode(configuration)
        try await eventually("a handshake failed") { await impostor.transport.metrics().handshakesFailed >= 2 }
        #expect(alfa.recorder.record.timesUp.isEmpty)
        #expect(impostor.recorder.record.timesUp.isEmpty)
        await alfa.transport.stop()
        await impostor.transport.stop()
    }
}
