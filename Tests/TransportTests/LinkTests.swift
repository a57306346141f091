import Testing
import ZeroMQTransport

/// Real sockets on the loopback interface. One at a time, because every node brings threads and there are few cores.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LinkTests {
    @Test func `two nodes talk both ways over one link that only one of them configured`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let bravo = try await network.start("bravo")
        let alfa = try await network.start("alfa", connectingTo: [bravo])
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        #expect(await alfa.transport.connectedPeers() == ["bravo": .openedHere])
        #expect(await bravo.transport.connectedPeers() == ["alfa": .openedByPeer])
        #expect(await alfa.transport.send([1, 2, 3], to: "bravo"))
        #expect(await bravo.transport.send([4, 5], to: "alfa"))
        try await alfa.waitForMessages(1)
        try await bravo.waitForMessages(1)
        #expect(alfa.recorder.record.events.last == .message(from: "bravo", bytes: [4, 5]))
        #expect(bravo.recorder.record.events.last == .message(from: "alfa", bytes: [1, 2, 3]))
        let metrics = await alfa.transport.metrics().peers["bravo"]
        #expect(metrics?.messagesOut == 1 && metrics?.bytesOut == 3)
        #expect(metrics?.messagesIn == 1 && metrics?.bytesIn == 2)
        await alfa.transport.stop()
        try await bravo.waitUntilDown("alfa")
        await bravo.transport.stop()
        #expect(alfa.recorder.record.timesDown == ["bravo": 1])
    }

    @Test func `of two links the one opened by the node with the lower name is used`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let bravo = try await network.start("bravo")
        let alfa = try await network.start("alfa", connectingTo: [bravo])
        // Bravo opens its link when alfa's is in use, and after that alfa's is closed and comes again.
        try await bravo.waitUntilUp("alfa")
        try await bravo.transport.setPeers(["alfa": network.address(of: alfa)])
        try await eventually("two links stand") { await alfa.transport.linkCount(of: "bravo") == 2 }
        try await alfa.transport.setPeers([:])
        try await eventually("bravo's link is used") {
            let origins = await (alfa.transport.connectedPeers(), bravo.transport.connectedPeers())
            return origins == (["bravo": .openedByPeer], ["alfa": .openedHere])
        }
        try await alfa.transport.setPeers(["bravo": network.address(of: bravo)])
        try await eventually("alfa's link is used") {
            let origins = await (alfa.transport.connectedPeers(), bravo.transport.connectedPeers())
            return origins == (["bravo": .openedHere], ["alfa": .openedByPeer])
        }
        let before = await (alfa.transport.metrics().peers["bravo"], bravo.transport.metrics().peers["alfa"])
        let messages = [[UInt8]](repeating: [7], count: 20)
        try await alfa.sendAll(messages, to: "bravo")
        try await bravo.sendAll(messages, to: "alfa")
        try await alfa.waitForMessages(20)
        try await bravo.waitForMessages(20)
        let after = await (alfa.transport.metrics().peers["bravo"], bravo.transport.metrics().peers["alfa"])
        #expect(after.0?.messagesOutByOwnLink == (before.0?.messagesOutByOwnLink ?? 0) + 20)
        #expect(after.0?.messagesOutByPeerLink == before.0?.messagesOutByPeerLink)
        #expect(after.1?.messagesOutByPeerLink == (before.1?.messagesOutByPeerLink ?? 0) + 20)
        #expect(after.1?.messagesOutByOwnLink == before.1?.messagesOutByOwnLink)
        await alfa.transport.stop()
        await bravo.transport.stop()
    }

    @Test(arguments: [true, false])
    func `a peer that starts anew is down and up again and messages flow`(isRestartedOneConnecting: Bool) async throws {
        let network = try TestNetwork("alfa", "bravo")
        var first = try await network.start("alfa")
        var second = try await network.start("bravo", connectingTo: [first])
        let steady = isRestartedOneConnecting ? first : second
        let restarted = isRestartedOneConnecting ? second : first
        try await first.waitUntilUp("bravo")
        try await second.waitUntilUp("alfa")
        await restarted.transport.stop()
        try await steady.waitUntilDown(restarted.name)
        #expect(await !steady.transport.send([1], to: restarted.name))
        if isRestartedOneConnecting {
            second = try await network.start("bravo", connectingTo: [first], at: restarted.endpoint)
        } else {
            first = try await network.start("alfa", at: restarted.endpoint)
        }
        try await first.waitUntilUp("bravo")
        try await second.waitUntilUp("alfa")
        #expect(await first.transport.send([2], to: "bravo"))
        #expect(await second.transport.send([3], to: "alfa"))
        try await first.waitForMessages(1)
        try await second.waitForMessages(1)
        #expect(steady.recorder.record.timesUp == [restarted.name: 2])
        await first.transport.stop()
        await second.transport.stop()
    }

    @Test func `three nodes each know two peers`() async throws {
        let network = try TestNetwork("alfa", "bravo", "charlie")
        let alfa = try await network.start("alfa")
        let bravo = try await network.start("bravo", connectingTo: [alfa])
        let charlie = try await network.start("charlie", connectingTo: [alfa, bravo])
        let nodes = [alfa, bravo, charlie]
        for node in nodes {
            for other in nodes where other.name != node.name {
                try await node.waitUntilUp(other.name)
                #expect(await node.transport.send([UInt8](node.name.utf8), to: other.name))
            }
        }
        for node in nodes {
            try await node.waitForMessages(2)
            #expect(Set(node.recorder.record.messages.map(\.node)) == Set(nodes.map(\.name)).subtracting([node.name]))
            #expect(node.recorder.record.messages.allSatisfy { $0.bytes == [UInt8]($0.node.utf8) })
        }
        for node in nodes { await node.transport.stop() }
    }

    @Test func `a silent peer is down after the timeout and up when it answers again`() async throws {
        let network = try TestNetwork("alfa", "bravo")
        let gate = Gate()
        let recorder = EventRecorder()
        let bravo = try await TestNode(network.configuration("bravo"), recorder: recorder) { events in
            recorder.take(events)
            gate.pass()
        }
        let alfa = try await network.start("alfa", connectingTo: [bravo])
        try await alfa.waitUntilUp("bravo")
        try await bravo.waitUntilUp("alfa")
        gate.close()
        // The handler holds bravo's polling thread now, so bravo neither hears nor says anything.
        #expect(await alfa.transport.send([1], to: "bravo"))
        try await alfa.waitUntilDown("bravo")
        gate.open()
        try await alfa.waitUntilUp("bravo")
        #expect(await alfa.transport.send([2], to: "bravo"))
        try await bravo.recorder.wait(for: "the second message") { $0.messages.contains { $0.bytes == [2] } }
        await alfa.transport.stop()
        await bravo.transport.stop()
    }
}
