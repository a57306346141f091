import EventLog
import Foundation
import Node
import Testing
import Trial

extension AcceptanceTests {
    /// Nodes in network namespaces of their own, over a cable with delay, loss and cuts: the kernel's TCP, libzmq's
    /// reconnecting and ours, together.
    @Suite(.enabled(if: NetworkTools.obstacle == nil, "\(NetworkTools.obstacle ?? "")"))
    struct NamespaceTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private static let nodes = [haukeland, stavanger, norcrin]

        private struct Ward {
            let network: TestNetwork
            let cable: VirtualNetwork
            let nurse: Nurse
            let label: String
            /// Labels of participants whose registration was acknowledged.
            var acknowledged: [String] = []

            func place(_ node: NodeID) -> Int { NamespaceTests.nodes.firstIndex(of: node) ?? 0 }

            /// Registers participants at the nodes, one after the other; every one must be acknowledged.
            mutating func register(_ count: Int, at nodes: [NodeID], _ phase: String) async throws {
                for number in 0..<count {
                    for node in nodes {
                        let label = "\(phase)-\(node)-\(number)"
                        try await network.record(
                            nurse.command(
                                as: nurse.sender,
                                .register(
                                    location: LocationID(unchecked: node.text),
                                    labels: [ParticipantLabel(kind: .subject, text: label)])), at: node)
                        acknowledged.append(label)
                    }
                }
            }

            /// Waits until all hold the same, and checks that everything acknowledged is there, once.
            func untilWhole(conflicts: Int, _ phase: String) async throws {
                let total = 6 + acknowledged.count
                try await network.untilEqual(NamespaceTests.nodes, withinSeconds: 90) {
                    $0.values.allSatisfy {
                        $0.counts.participants == total && $0.counts.conflicts == conflicts && $0.counts.findings == 0
                    }
                }
                for node in NamespaceTests.nodes {
                    for label in acknowledged {
                        let report = try await network.participant(label, of: nurse.study, at: node)
                        #expect(report.labels.map(\.text) == [label], "\(phase): \(node)")
                    }
                }
            }
        }

        @Test
        func `over delay, loss, one-way cuts, partitions and pulled plugs nothing acknowledged is missing anywhere`()
            async throws
        {
            try await withScratch { scratch in
                try await withVirtualNetwork(count: 3, seed: 11) { cable in
                    var ward = try await ward(scratch, cable)
                    cable.faults = VirtualNetwork.Faults(
                        delay: .milliseconds(20), jitter: .milliseconds(10), loss: 0.05)
                    try await ward.register(15, at: Self.nodes.dropLast(), "lossy")
                    try await ward.untilWhole(conflicts: 0, "loss")
                    #expect(cable.counters.lost > 0)

                    try await workParted(&ward)
                    try await workOneWay(&ward)
                    try await workUnplugged(&ward)
                    for node in Self.nodes {
                        let result = try await scratch.varde("verify", "--dir", ward.network.directory(node).path)
                        #expect(result.status == 0, "\(node): \(result.text)")
                    }
                }
            }
        }

        private func ward(_ scratch: Scratch, _ cable: VirtualNetwork) async throws -> Ward {
            let source = try TestStudies.western(participants: 6)
            let network = try TestNetwork(
                scratch, for: source, namespaces: Dictionary(uniqueKeysWithValues: zip(Self.nodes, cable.namespaces)))
            let addresses = Dictionary(
                uniqueKeysWithValues: Self.nodes.enumerated().map {
                    ($1.text, "tcp://\(VirtualNetwork.address($0)):7000")
                })
            for node in Self.nodes {
                let directory = network.directory(node)
                var configuration = try NodeConfiguration.read(directory)
                configuration.listen = try required(addresses[node.text], "address")
                configuration.peers = addresses.filter { $0.key != node.text }
                try JSONEncoder().encode(configuration).write(to: URL(fileURLWithPath: directory.path + "/node.json"))
            }
            try await network.startAll()
            let nurse = Nurse(study: try await network.load())
            try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
            try await network.untilEqual(Self.nodes) { $0.values.allSatisfy { $0.counts.participants == 6 } }
            return Ward(
                network: network, cable: cable, nurse: nurse,
                label: try TestStudies.included(in: source, at: "haukeland"))
        }

        /// Haukeland is cut off; both sides notice, go on, and change one value.
        private func workParted(_ ward: inout Ward) async throws {
            let network = ward.network
            let seen = try await network.participant(ward.label, of: ward.nurse.study, at: Self.haukeland)
            ward.cable.part([ward.place(Self.haukeland)])
            try await ward.register(5, at: Self.nodes.dropLast(), "parted")
            try await until("both sides know that they are parted") {
                let here = try await network.status(Self.haukeland)
                let there = try await network.status(Self.stavanger)
                return here.peers.allSatisfy { $0.phase == "down" }
                    && there.peers.first { $0.node == Self.haukeland }?.phase == "down"
            }
            for (node, pulse) in [(Self.haukeland, "61"), (Self.stavanger, "62")] {
                try await network.record(ward.nurse.vitalSigns(["IT.PULSE": pulse], of: seen, seen: seen), at: node)
            }
            try await ward.register(5, at: Self.nodes.dropLast(), "known")
            let lacking = try await network.status(Self.stavanger).peers.first { $0.node == Self.haukeland }
            // Ten registrations, the form, and the opening of Stavanger's log in Haukeland's stream.
            #expect(lacking?.entriesItLacks == 12)
            #expect(ward.cable.counters.cut > 0)
            ward.cable.heal()
            try await ward.untilWhole(conflicts: 1, "partition")
            for node in Self.nodes {
                let report = try await network.participant(ward.label, of: ward.nurse.study, at: node)
                #expect(report.typed("IT.PULSE") == ["61", "62"], "\(node)")
            }
        }

        /// Haukeland hears everybody, and nobody hears Haukeland.
        private func workOneWay(_ ward: inout Ward) async throws {
            let cut = ward.cable.counters.cut
            let haukeland = ward.place(Self.haukeland)
            ward.cable.faults.cut = Set(
                Self.nodes.indices.filter { $0 != haukeland }.map {
                    VirtualNetwork.Direction(from: haukeland, to: $0)
                })
            try await ward.register(5, at: Self.nodes.dropLast(), "oneway")
            try await Task.sleep(for: .seconds(1))
            #expect(ward.cable.counters.cut > cut)
            ward.cable.heal()
            try await ward.untilWhole(conflicts: 1, "one way")
        }

        /// Stavanger's plug is pulled, its node killed and started again without a network.
        private func workUnplugged(_ ward: inout Ward) async throws {
            let place = ward.place(Self.stavanger)
            try ward.cable.setLink(of: place, up: false)
            try await ward.register(3, at: Self.nodes.dropLast(), "unplugged")
            try await ward.network.kill(Self.stavanger)
            try await ward.network.start(Self.stavanger)
            // Nobody answers, so it writes after ten seconds, by what its own disk says.
            try await ward.register(3, at: Self.nodes.dropLast(), "restarted")
            try ward.cable.setLink(of: place, up: true)
            try await ward.untilWhole(conflicts: 1, "plug")
        }
    }
}
