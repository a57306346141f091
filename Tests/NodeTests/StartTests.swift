import EventLog
import Foundation
import Node
import StoreCore
import Synchronization
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct StartTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, stavanger, norcrin]

        private struct Ward {
            let network: TestNetwork
            let nurse: Nurse
            let label: String

            /// Saves the systolic pressure at Haukeland, over what stands there.
            func save(_ pressure: String) async throws -> CommandReceipt {
                let seen = try await network.participant(label, of: nurse.study, at: StartTests.haukeland)
                return try await network.record(
                    nurse.vitalSigns(["IT.SYSBP": pressure], of: seen, seen: seen), at: StartTests.haukeland)
            }

            /// The stream of Haukeland's location at a node.
            func stream(at node: NodeID) async throws -> StreamStatus {
                try required(
                    try await network.status(node).streams
                        .first { $0.location == LocationID(unchecked: "haukeland") }, "stream at \(node)")
            }

            /// Haukeland's own logs of it.
            func ownLogs() async throws -> [LogStatusReport] {
                try await stream(at: StartTests.haukeland).logs.filter { $0.node == StartTests.haukeland }
            }
        }

        private func ward(_ scratch: Scratch) async throws -> Ward {
            let source = try TestStudies.western(participants: 6)
            let network = try TestNetwork(scratch, for: source)
            try await network.startAll()
            let nurse = Nurse(study: try await network.load())
            try await network.record(nurse.delegation(at: TestStudies.west), at: Self.haukeland)
            let participants = TestStudies.totals(source).participants
            try await network.untilEqual(all) { $0.values.allSatisfy { $0.counts.participants == participants } }
            return Ward(
                network: network, nurse: nurse, label: try TestStudies.included(in: source, at: "haukeland"))
        }

        @Test func `a node whose disk was set back takes its entries back and goes on in a new epoch`() async throws {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                let events = StoreConfiguration.eventsFile(in: network.directory(Self.haukeland).path)
                try await network.stop(Self.haukeland)
                try FileManager.default.copyItem(atPath: events, toPath: scratch.path + "/old.sqlite")

                try await network.start(Self.haukeland)
                for pressure in 141...145 { _ = try await ward.save("\(pressure)") }
                try await network.untilEqual(all)
                let before = try await ward.stream(at: Self.norcrin)
                try await network.stop(Self.haukeland)
                for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: events + suffix) }
                try FileManager.default.copyItem(atPath: scratch.path + "/old.sqlite", toPath: events)

                try await network.start(Self.haukeland)
                // The node writes again only when it has taken back what the others show.
                let receipt = try await ward.save("146")
                try await network.untilEqual(all)
                let lost = try required(before.logs.first { $0.node == Self.haukeland }, "log before")
                let logs = try await ward.ownLogs()
                #expect(logs.count == 2)
                let old = try required(logs.first { $0.log == lost.log }, "old log")
                #expect(old.size == lost.size)
                #expect(old.root == lost.root)
                #expect(receipt.log != lost.log)
                // Entry 0 opens the epoch; the save stands after it.
                #expect(receipt.index == 1)
                #expect(
                    try await network.participant(ward.label, of: ward.nurse.study, at: Self.norcrin)
                        .typed("IT.SYSBP") == ["146"])
                try await checkSound(scratch, network)
            }
        }

        @Test func `a copied directory that hears nobody opens a new epoch and forks nothing`() async throws {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                let before = try await ward.ownLogs()
                #expect(before.count == 1)
                try await network.stop(Self.haukeland, Self.stavanger, Self.norcrin)
                let directory = network.directory(Self.haukeland).path
                try FileManager.default.moveItem(atPath: directory, toPath: directory + ".original")
                try FileManager.default.copyItem(atPath: directory + ".original", toPath: directory)

                try await network.start(Self.haukeland)
                #expect(try await network.status(Self.haukeland).start.hasPrefix("waiting to hear"))
                let receipt = try await ward.save("147")
                #expect(receipt.log != before.first?.log)
                #expect(try await network.status(Self.haukeland).start == "writing")

                try await network.start(Self.stavanger, Self.norcrin)
                try await network.untilEqual(all)
                let logs = try await ward.ownLogs()
                #expect(logs.count == 2)
                #expect(logs.first { $0.log == before.first?.log }?.size == before.first?.size)
                #expect(
                    try await network.participant(ward.label, of: ward.nurse.study, at: Self.stavanger)
                        .typed("IT.SYSBP") == ["147"])
                try await checkSound(scratch, network)
            }
        }

        @Test func `a node that waits for its peers stops when it is told to, whoever waits for it`() async throws {
            try await withScratch { scratch in
                let ward = try await ward(scratch)
                let network = ward.network
                try await network.stop(Self.haukeland, Self.stavanger, Self.norcrin)
                try await network.start(Self.haukeland)
                let waiting = Task { try await ward.save("148") }
                let idle = Task {
                    try await LocalClient.converse(with: network.directory(Self.haukeland)) { try await $0.reply() }
                }
                try await until("the save waits") {
                    try await network.status(Self.haukeland).start.hasPrefix("waiting to hear")
                }
                let start = ContinuousClock.now
                try await network.stop(Self.haukeland)
                #expect(ContinuousClock.now - start < .seconds(5))
                await #expect(throws: (any Error).self) { try await waiting.value }
                await #expect(throws: (any Error).self) { try await idle.value }
            }
        }

        @Test func `a node ends in good order while clients come and go`() async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 0))
                for _ in 0..<6 {
                    try await network.start(Self.norcrin)
                    let crowd = Crowd(at: network.directory(Self.norcrin).socket)
                    try await until("a crowd came") { crowd.count > 200 }
                    try await network.stop(Self.norcrin)
                    crowd.leave()
                }
            }
        }

        private func checkSound(_ scratch: Scratch, _ network: TestNetwork) async throws {
            for node in all {
                let result = try await scratch.varde("verify", "--dir", network.directory(node).path)
                #expect(result.status == 0, "\(node): \(result.text)")
                #expect(try await network.status(node).counts.findings == 0, "\(node)")
            }
        }
    }
}

/// Clients that open connections to a socket and leave without a word, for as long as they are let.
private final class Crowd: Sendable {
    private let state = Mutex((count: 0, isLeaving: false))

    init(at path: String) {
        let crowd = Thread { [self] in
            while !state.withLock({ $0.isLeaving }) {
                let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                guard descriptor >= 0 else { return }
                if Crowd.connects(descriptor, to: path) { state.withLock { $0.count += 1 } }
                close(descriptor)
            }
        }
        crowd.start()
    }

    /// How many connections were made.
    var count: Int { state.withLock { $0.count } }

    func leave() {
        state.withLock { $0.isLeaving = true }
    }

    private static func connects(_ descriptor: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: path.utf8.prefix(target.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
