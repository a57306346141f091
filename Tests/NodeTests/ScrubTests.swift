import EventLog
import Foundation
import Node
import StoreCore
import Testing

extension AcceptanceTests {
    /// A running node reads what it has stored again, and has repaired what was altered.
    @Suite struct ScrubTests {
        private static let haukeland = TestStudies.haukeland
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, TestStudies.stavanger, norcrin]

        /// Lets a node begin to read soon after its start.
        private func scrubAtOnce(_ directory: NodeDirectory) throws {
            var configuration = try NodeConfiguration.read(directory)
            configuration.scrub = ScrubSettings(firstAfterSeconds: 0.2, everyHours: 0.0003)
            try JSONEncoder().encode(configuration).write(to: URL(filePath: directory.path + "/node.json"))
        }

        /// Flips a bit in the body of an entry of another node's log.
        private func flip(in directory: NodeDirectory, writtenBy node: NodeID) throws -> EntryAddress {
            let reader = try StoreReader(directory: directory.path)
            let log = try required(
                reader.logs().first { $0.name.node == node && $0.name.stream.location != nil && $0.head.size > 20 },
                "log of \(node)")
            let address = EntryAddress(log: log.name.id, index: 10)
            let entry = try required(reader.entry(at: address), "entry")
            let path = StoreConfiguration.eventsFile(in: directory.path)
            let file = try Data(contentsOf: URL(filePath: path))
            let body = try required(file.range(of: Data(entry.raw.body)), "body of \(address) in one page")
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.seek(toOffset: UInt64(body.upperBound - 2))
            try handle.write(contentsOf: [file[body.upperBound - 2] ^ 4])
            try handle.close()
            return address
        }

        @Test(arguments: [false, true])
        func `a flipped bit is told of and put right from another node`(isRunning: Bool) async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 6))
                try await network.startAll()
                try await network.load()
                try await network.untilEqual(all)
                let directory = network.directory(Self.norcrin)
                try await network.stop(Self.norcrin)
                try scrubAtOnce(directory)
                let address: EntryAddress
                if isRunning {
                    try await network.start(Self.norcrin)
                    try await until("a first pass ended") {
                        try await network.status(Self.norcrin).scrub.lastPass != nil
                    }
                    #expect(try await network.status(Self.norcrin).scrub.damaged.isEmpty)
                    address = try flip(in: directory, writtenBy: Self.haukeland)
                } else {
                    address = try flip(in: directory, writtenBy: Self.haukeland)
                    #expect(try await scratch.varde("verify", "--dir", directory.path).status != 0)
                    try await network.start(Self.norcrin)
                }
                try await until("the damage is found and repaired") {
                    let status = try await network.status(Self.norcrin)
                    return status.incidents.contains { $0.contains("damage") && $0.contains("\(address)") }
                        && status.scrub.damaged.isEmpty
                }
                try await network.untilEqual(all)
                try await network.stop(Self.norcrin)
                let verified = try await scratch.varde("verify", "--dir", directory.path)
                #expect(verified.status == 0, "\(verified.text)")
            }
        }
    }
}
