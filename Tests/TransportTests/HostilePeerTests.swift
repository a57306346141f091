import CZeroMQ
import Testing
import ZeroMQTransport

/// An admitted peer that speaks to libzmq itself and follows no rule of ours.
private final class RawPeer {
    private let context = zmq_ctx_new()
    private let socket: UnsafeMutableRawPointer?

    init(key: CurveKeyPair, listener: PeerAddress, routingIdentity: [UInt8]? = nil) {
        socket = zmq_socket(context, ZMQ_DEALER)
        set(ZMQ_CURVE_SECRETKEY, key.secretKeyBytes)
        set(ZMQ_CURVE_PUBLICKEY, key.publicKey.bytes)
        set(ZMQ_CURVE_SERVERKEY, listener.publicKey.bytes)
        if let routingIdentity { set(ZMQ_ROUTING_ID, routingIdentity) }
        withUnsafeBytes(of: Int32(0)) { _ = zmq_setsockopt(socket, ZMQ_LINGER, $0.baseAddress, $0.count) }
        withUnsafeBytes(of: Int32(5_000)) { _ = zmq_setsockopt(socket, ZMQ_RCVTIMEO, $0.baseAddress, $0.count) }
        zmq_connect(socket, listener.endpoint)
    }

    private func set(_ option: Int32, _ bytes: [UInt8]) {
        zmq_setsockopt(socket, option, bytes, bytes.count)
    }

    func send(_ frames: [UInt8]...) {
        for (position, frame) in frames.enumerated() {
            zmq_send(socket, frame, frame.count, position < frames.count - 1 ? ZMQ_SNDMORE : 0)
        }
    }

    func close() {
        zmq_close(socket)
        zmq_ctx_term(context)
    }
}

@Suite(.serialized, .timeLimit(.minutes(2)))
struct HostilePeerTests {
    @Test func `frames that follow no rule are counted and harm nobody`() async throws {
        let network = try TestNetwork("alfa", "bravo", "hostile")
        let alfa = try await network.start("alfa")
        let bravo = try await network.start("bravo", connectingTo: [alfa])
        try await alfa.waitUntilUp("bravo")
        let hostile = try RawPeer(key: network.key("hostile"), listener: network.address(of: alfa))
        hostile.send([0, 1, 2])
        hostile.send([])
        hostile.send([2])
        hostile.send([1])
        hostile.send([1] + [UInt8](repeating: 1, count: 17))
        hostile.send([1, 9] + [UInt8](repeating: 0, count: 17))
        hostile.send([0], [0], [0])
        hostile.send([1] + Greeting(purpose: .answer, token: 0, incarnation: 0).bytes)
        try await eventually("everything was seen") {
            let metrics = await alfa.transport.metrics()
            return metrics.framesMalformed == 7 && metrics.messagesDropped == 1
        }
        #expect(alfa.recorder.record.timesUp == ["bravo": 1])
        // And following the rules it is a peer like others.
        hostile.send([1] + Greeting(purpose: .greeting, token: 1, incarnation: 2).bytes)
        hostile.send([0, 8])
        try await alfa.waitForMessages(1)
        #expect(alfa.recorder.record.events.last == .message(from: "hostile", bytes: [8]))
        #expect(await bravo.transport.send([9], to: "alfa"))
        try await alfa.waitForMessages(2)
        hostile.close()
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test func `a routing id taken over from another peer brings no other name`() async throws {
        let network = try TestNetwork("alfa", "bravo", "hostile")
        let alfa = try await network.start("alfa")
        let identity: [UInt8] = [65, 66, 67]
        let listener = try network.address(of: alfa)
        let greeting = [1] + Greeting(purpose: .greeting, token: 1, incarnation: 2).bytes
        let bravo = try RawPeer(key: network.key("bravo"), listener: listener, routingIdentity: identity)
        bravo.send(greeting)
        try await alfa.waitUntilUp("bravo")
        bravo.close()
        // Under bravo's routing id, before alfa may have noticed that bravo is gone.
        let hostile = try RawPeer(key: network.key("hostile"), listener: listener, routingIdentity: identity)
        for _ in 0..<20 {
            hostile.send(greeting)
            hostile.send([0, 1])
        }
        try await alfa.recorder.wait(for: "the other peer") { !$0.messages.isEmpty }
        #expect(alfa.recorder.record.messages.allSatisfy { $0.node == "hostile" })
        try await alfa.waitUntilDown("bravo")
        hostile.close()
        await alfa.transport.stop()
    }

    @Test func `a peer that opens many links keeps a few`() async throws {
        let network = try TestNetwork("alfa", "hostile")
        let alfa = try await network.start("alfa")
        let listener = try network.address(of: alfa)
        let key = try network.key("hostile")
        let raw = (0..<10).map { _ in RawPeer(key: key, listener: listener) }
        for (number, peer) in raw.enumerated() {
            peer.send([1] + Greeting(purpose: .greeting, token: 1, incarnation: 5).bytes)
            peer.send([0, UInt8(number)])
        }
        // What comes after its link was given up is dropped.
        try await eventually("all came by") {
            let metrics = await alfa.transport.metrics()
            return (metrics.peers["hostile"]?.messagesIn ?? 0) + metrics.messagesDropped == raw.count
        }
        #expect(await alfa.transport.linkCount(of: "hostile") == TransportLimits().linksPerPeer)
        #expect(alfa.recorder.record.isUp("hostile"))
        for peer in raw { peer.close() }
        await alfa.transport.stop()
    }
}
