import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    /// What a node that the charter admits can do to the others, and what it cannot.
    @Suite struct HarmTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        /// Half of the 64 MiB that a slow or hostile peer may cost a node (DESIGN §10): less than the log that is asked for,
        /// so that a node that queued what it is asked for would exceed it.
        private static let allowedBytes = 32 << 20

        @Test(arguments: MisbehavingPeer.Behaviour.allCases)
        func `a node that does harm costs the others no more than 32 MiB each, and they go on as before`(
            behaviour: MisbehavingPeer.Behaviour
        ) async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 2))
                try await network.startAll()
                let nurse = Nurse(study: try await network.load())
                try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
                // More than what a link's buffers take, the system's among them.
                try await fill(network, nurse, participants: 500, events: 120)
                let full = try await network.untilEqual(network.nodes, withinSeconds: 180)
                #expect(full[Self.norcrin]?.peers.contains { $0.receivedBytes > Self.allowedBytes * 5 / 4 } == true)
                try await network.kill(Self.norcrin)

                let victims = [Self.haukeland, Self.stavanger]
                let before = try victims.map { try residentBytes(network, $0) }
                let peer = try MisbehavingPeer(network.directory(Self.norcrin), behaviour: behaviour)
                try await peer.start()
                try await until("harm is done") { peer.isDoingHarm }
                let watch = Task { try await peaks(network, victims, for: .seconds(6)) }
                let milliseconds = try await travelTimes(network, nurse)
                let highest = try await watch.value
                let sent = peer.sentBytes
                var refused = 0
                for node in victims { refused += try await network.status(node).transport.sendsRefused }
                await peer.stop()

                for (place, node) in victims.enumerated() {
                    let more = highest[place] - before[place]
                    #expect(more < Self.allowedBytes, "\(node): \(more >> 20) MiB more")
                }
                // Whoever it asked, the link was full, so what it asked for waited in the store and nowhere else.
                #expect(behaviour != .neverReads || refused > 0)
                #expect(behaviour != .floods || sent > 64 << 20, "\(sent) bytes were sent")
                // Idle it takes milliseconds; here the harm is done on the same two processors, asking included.
                #expect(milliseconds.sorted()[milliseconds.count / 2] < 500, "\(milliseconds)")
                print(
                    "\(behaviour): \(zip(highest, before).map { ($0 - $1) >> 20 }) MiB more at \(victims), "
                        + "\(sent >> 20) MiB sent, \(Int(milliseconds.sorted()[milliseconds.count / 2])) ms")
                // And what it had the keys of is a node like others afterwards.
                try await network.start(Self.norcrin)
                try await network.untilEqual(network.nodes)
            }
        }

        /// Records adverse events with long terms, about a kilobyte each.
        private func fill(_ network: TestNetwork, _ nurse: Nurse, participants: Int, events: Int) async throws {
            let term = String(repeating: "abdominal discomfort ", count: 9)
            for number in 0..<participants {
                let registration = nurse.registration("harm-\(number)", number: UInt64(number))
                let commands =
                    [registration]
                    + (0..<events).map { event in
                        nurse.command(
                            as: nurse.sender,
                            .save(
                                FormEntry(
                                    location: LocationID(unchecked: "haukeland"),
                                    participant: .registeredBy(registration.id),
                                    event: InstanceSelector(oid: "SE.AE", choice: .new(repeatKey: nil)),
                                    form: InstanceSelector(oid: "F.AE"),
                                    groups: [
                                        EnteredGroup(
                                            group: InstanceSelector(oid: "IG.AE"),
                                            items: [
                                                EnteredItem(
                                                    item: ItemOID("IT.AETERM"),
                                                    value: .datum("\(term)\(event)", unit: nil))
                                            ])
                                    ])))
                    }
                try await LocalClient.converse(with: network.directory(Self.haukeland)) { conversation in
                    try await conversation.send(commands.map { .command($0) })
                    for _ in commands {
                        guard case .outcome(.recorded) = try await conversation.reply() else {
                            throw TestFailure("not recorded")
                        }
                    }
                }
            }
        }

        private func residentBytes(_ network: TestNetwork, _ node: NodeID) throws -> Int {
            try required(ResidentMemory.bytes(of: "\(try network.processID(node))"), "memory of \(node)")
        }

        private func peaks(_ network: TestNetwork, _ nodes: [NodeID], for duration: Duration) async throws -> [Int] {
            var peaks = try nodes.map { try residentBytes(network, $0) }
            let end = ContinuousClock.now + duration
            while ContinuousClock.now < end {
                for (place, node) in nodes.enumerated() {
                    peaks[place] = max(peaks[place], try residentBytes(network, node))
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return peaks
        }

        /// How long a registration at one node takes until the other shows it, each in milliseconds.
        private func travelTimes(_ network: TestNetwork, _ nurse: Nurse) async throws -> [Double] {
            var milliseconds: [Double] = []
            for number in 0..<20 {
                let label = "travel-\(number)"
                let start = ContinuousClock.now
                try await network.record(nurse.registration(label, number: UInt64(10_000 + number)), at: Self.haukeland)
                while true {
                    let reply = try await LocalClient.ask(
                        network.directory(Self.stavanger), .participant(study: nurse.study, label: label))
                    if case .participant(.some) = reply { break }
                    guard ContinuousClock.now - start < .seconds(20) else {
                        throw TestFailure("\(label) did not come")
                    }
                    try await Task.sleep(for: .milliseconds(2))
                }
                milliseconds.append((ContinuousClock.now - start) / .milliseconds(1))
                try await Task.sleep(for: .milliseconds(200))
            }
            return milliseconds
        }
    }
}
