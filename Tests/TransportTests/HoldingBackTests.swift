import Testing
import ZeroMQTransport

/// Who sends what nobody can use costs the others little.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct HoldingBackTests {
    private func count(of node: String, at other: TestNode) -> Int {
        other.recorder.record.messages.count { $0.node == node }
    }

    @Test(arguments: [true, false])
    func `of a node that is held back little is read, of others everything, and nothing is lost`(
        isListenedTo: Bool
    ) async throws {
        let network = try TestNetwork("alfa", "bravo", "hostile")
        let hostile: TestNode
        let alfa: TestNode
        if isListenedTo {
            alfa = try await network.start("alfa")
            hostile = try await network.start("hostile", connectingTo: [alfa])
        } else {
            hostile = try await network.start("hostile")
            alfa = try await network.start("alfa", connectingTo: [hostile])
        }
        let bravo = try await network.start("bravo", connectingTo: [alfa])
        try await alfa.waitUntilUp("bravo")
        try await alfa.waitUntilUp("hostile")
        try await hostile.waitUntilUp("alfa")
        try await bravo.waitUntilUp("alfa")
        await alfa.transport.holdBack("hostile", milliseconds: 60_000)
        let clock = ContinuousClock()
        let start = clock.now
        let flood = [[UInt8]](repeating: [UInt8](repeating: 0xFF, count: 10_000), count: 3_000)
        async let isFlooded: Void = hostile.sendAll(flood, to: "alfa")
        try await bravo.sendAll((0..<300).map { [UInt8($0 & 0xFF)] }, to: "alfa")
        try await alfa.recorder.wait(for: "bravo's messages") { $0.messages.count { $0.node == "bravo" } == 300 }
        try await Task.sleep(for: .milliseconds(500))
        let taken = count(of: "hostile", at: alfa)
        let milliseconds = Int((clock.now - start) / .milliseconds(1))
        // One or two in each pause, and one beside each of bravo's.
        #expect(taken <= 2 * (milliseconds / 25 + 2) + 300, "\(taken) in \(milliseconds) ms")
        #expect(await alfa.transport.metrics().pauses > 0)
        await alfa.transport.holdBack("hostile", milliseconds: 0)
        try await isFlooded
        try await alfa.recorder.wait(for: "all that was sent") { $0.messages.count == 3_300 }
        for node in [alfa, bravo, hostile] { await node.transport.stop() }
    }
}
