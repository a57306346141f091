import Testing
import ZeroMQTransport

@Suite(.serialized, .timeLimit(.minutes(2)))
struct StormTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `after any storm of restarts, connections and admissions all nodes talk again`(seed: UInt64) async throws {
        let names = ["alfa", "bravo", "charlie"]
        let network = try TestNetwork("alfa", "bravo", "charlie")
        var random = SeededGenerator(seed: seed)
        var nodes: [String: TestNode] = [:]
        for name in names { nodes[name] = try await network.start(name) }

        for _ in 0..<150 {
            guard let name = names.randomElement(using: &random), let node = nodes[name] else { continue }
            let others = names.filter { $0 != name && Bool.random(using: &random) }
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                await node.transport.stop()
                nodes[name] = try await network.start(name, at: node.endpoint)
            case 1...3:
                try await node.transport.setPeers(addresses(of: others, in: nodes, network))
            case 4...5:
                var admitted: [CurvePublicKey: String] = [:]
                for other in others { admitted[try network.key(other).publicKey] = other }
                try await node.transport.setAllowedPeers(admitted)
            case 6:
                // Long enough for something to come about, now and then.
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...40, using: &random)))
            default:
                await node.transport.send(names.map { OutgoingMessage([UInt8](repeating: 1, count: 1_000), to: $0) })
            }
        }

        for (name, node) in nodes {
            try await node.transport.setAllowedPeers(network.admitted())
            try await node.transport.setPeers(addresses(of: names.filter { $0 != name }, in: nodes, network))
        }
        for (name, node) in nodes {
            for other in names where other != name {
                try await eventually("\(other) got a message of \(name)") {
                    let isMarked = nodes[other]?.recorder.record.messages.contains { $0 == (name, [9, 9]) }
                    if isMarked == true { return true }
                    await node.transport.send([9, 9], to: other)
                    return false
                }
                try await eventually("\(name) and \(other) use the link of the lower name") {
                    let expected: LinkOrigin = name < other ? .openedHere : .openedByPeer
                    return await node.transport.connectedPeers()[other] == expected
                }
            }
        }
        for node in nodes.values { await node.transport.stop() }
        for node in nodes.values {
            // Ups and downs alternate, and after the stop everything is down.
            for other in names where other != node.name {
                let standings = node.recorder.record.events.compactMap { event -> Bool? in
                    switch event {
                    case .peerUp(other): true
                    case .peerDown(other): false
                    default: nil
                    }
                }
                #expect(standings.count.isMultiple(of: 2))
                #expect(standings.enumerated().allSatisfy { $0.element == $0.offset.isMultiple(of: 2) })
            }
        }
    }

    private func addresses(
        of names: [String], in nodes: [String: TestNode], _ network: TestNetwork
    ) throws -> [String: PeerAddress] {
        var addresses: [String: PeerAddress] = [:]
        for name in names {
            if let node = nodes[name] { addresses[name] = try network.address(of: node) }
        }
        return addresses
    }
}
