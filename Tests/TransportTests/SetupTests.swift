import Testing
import ZeroMQTransport

@Suite(.serialized, .timeLimit(.minutes(2)))
struct SetupTests {
    @Test func `a port in use is named with what to do, and free after stop`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let alfa = try await network.start("alfa")
        #expect(alfa.endpoint.hasPrefix("tcp://127.0.0.1:") && !alfa.endpoint.hasSuffix(":0"))
        let error = await #expect(throws: TransportError.self) {
            _ = try await network.start("bravo", at: alfa.endpoint)
        }
        let text = error?.description ?? ""
        #expect(text.contains(alfa.endpoint) && text.contains("Is another node running"))
        await alfa.transport.stop()
        #expect(await alfa.transport.boundEndpoint == nil)
        let bravo = try await network.start("bravo", at: alfa.endpoint)
        #expect(bravo.endpoint == alfa.endpoint)
        await bravo.transport.stop()
    }

    @Test func `a transport starts once`() async throws {
        let alfa = try await TestNetwork("alfa").start("alfa")
        await #expect(throws: TransportError.alreadyStarted) { try await alfa.transport.start() }
        await alfa.transport.stop()
        await #expect(throws: TransportError.alreadyStarted) { try await alfa.transport.start() }
    }

    @Test func `a transport that could not start may be started when the port is free`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let alfa = try await network.start("alfa")
        let bravo = try ZeroMQTransport(configuration: network.configuration("bravo", at: alfa.endpoint)) { _ in }
        await #expect(throws: TransportError.self) { try await bravo.start() }
        await alfa.transport.stop()
        #expect(try await bravo.start() == alfa.endpoint)
        await bravo.stop()
    }

    @Test(arguments: [
        "", "localhost", "tcp://", "tcp://127.0.0.1", "tcp://:5000", "tcp://127.0.0.1:70000", "tcp://127.0.0.1:+5",
        "tcp://::1:5000", "tcp://300.0.0.1:5000", "udp://127.0.0.1:1", "tcp://127.0.0.1:5000\0",
    ])
    func `an address that is none is refused with its name`(address: String) async throws {
        let network = try TestNetwork("alfa", "bravo")
        let error = await #expect(throws: TransportError.self) { _ = try await network.start("alfa", at: address) }
        #expect(error?.description.contains("Cannot listen at \(address)") == true)
    }

    @Test func `a peer's address that is none is refused with its name`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        var configuration = try network.configuration("alfa")
        configuration.peers["bravo"] = PeerAddress(
            endpoint: "tcp://127.0.0.1:0", publicKey: try network.key("bravo").publicKey)
        let error = await #expect(throws: TransportError.self) { _ = try await TestNode(configuration) }
        #expect(error?.description.contains("Cannot connect to bravo at tcp://127.0.0.1:0") == true)
    }

    @Test func `names, counts and times that cannot be used are refused`() throws {
        let network = try TestNetwork("alfa")
        func expectRefusal(_ change: (inout TransportConfiguration) -> Void) throws {
            var configuration = try network.configuration("alfa")
            change(&configuration)
            #expect(throws: TransportError.self) { _ = try ZeroMQTransport(configuration: configuration) { _ in } }
        }
        try expectRefusal { $0.nodeName = "" }
        try expectRefusal { $0.nodeName = "a\0b" }
        try expectRefusal { $0.nodeName = String(repeating: "å", count: 128) }
        try expectRefusal { $0.limits.messageBytes = 0 }
        try expectRefusal { $0.limits.sendQueueMessages = -1 }
        try expectRefusal { $0.limits.peers = 0 }
        try expectRefusal { $0.timing.handshakeTimeoutMilliseconds = 0 }
        try expectRefusal { $0.timing.keepaliveTimeoutMilliseconds = $0.timing.keepaliveIntervalMilliseconds }
        try expectRefusal { configuration in
            configuration.limits.peers = 1
            for number in 0..<2 {
                guard let key = CurvePublicKey(bytes: [UInt8](repeating: UInt8(number), count: 32)) else { continue }
                configuration.allowedPeers[key] = "n\(number)"
            }
        }
    }

    @Test func `keys survive their text and belong together`() throws {
        let pair = try CurveKeyPair.generate()
        #expect(try CurveKeyPair.generate().publicKey != pair.publicKey)
        let again = try CurveKeyPair(secretKeyZ85: pair.secretKeyZ85)
        #expect(again.publicKey == pair.publicKey && again.secretKeyBytes == pair.secretKeyBytes)
        #expect(CurvePublicKey(z85: pair.publicKey.z85) == pair.publicKey)
        #expect(CurvePublicKey(bytes: pair.publicKey.bytes) == pair.publicKey)
        var shown = ""
        dump(pair, to: &shown)
        #expect(!"\(pair) \(shown)".contains(pair.secretKeyZ85))
    }

    @Test func `the key pair of the CurveZMQ manual is computed as printed there`() throws {
        // From the manual page zmq_curve(7) of libzmq.
        let pair = try CurveKeyPair(secretKeyZ85: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
        #expect(pair.publicKey.z85 == "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
    }

    @Test(arguments: ["", "short", String(repeating: "~", count: 40), String(repeating: "#", count: 40)])
    func `text that spells no key is refused`(text: String) {
        #expect(CurvePublicKey(z85: text) == nil)
        #expect(throws: TransportError.self) { try CurveKeyPair(secretKeyZ85: text) }
    }

    @Test func `greetings survive their bytes and nothing else is one`() {
        var random = SeededGenerator(seed: 3)
        for purpose in [Greeting.Purpose.keepalive, .greeting, .answer] {
            let greeting = Greeting(
                purpose: purpose, token: .random(in: 0...UInt64.max, using: &random),
                incarnation: .random(in: 0...UInt64.max, using: &random))
            let bytes = greeting.bytes
            #expect(bytes.count == Greeting.byteCount && Greeting(bytes: bytes) == greeting)
            #expect(Greeting(bytes: bytes.dropLast()) == nil && Greeting(bytes: bytes + [0]) == nil)
            #expect(Greeting(bytes: [2] + bytes.dropFirst()) == nil)
            #expect(Greeting(bytes: [1, 3] + bytes.dropFirst(2)) == nil)
        }
        #expect(Greeting(bytes: []) == nil)
    }
}
