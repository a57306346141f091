import EventLog
import Foundation
import Node
import StoreCore
import Testing
import Trial

extension AcceptanceTests {
    @Suite struct AdmissionTests {
        private static let haukeland = TestStudies.haukeland
        private static let norcrin = TestStudies.norcrin
        private static let unn = TestStudies.unn

        @Test func `a node whose key no charter admits gets nothing, and the other side notes it`() async throws {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 2)
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                try await network.load()
                let stranger = try Stranger(scratch, knowing: network, node: Self.haukeland)
                try await stranger.network.start(Self.unn)

                try await until("haukeland notes the refused key") {
                    try await network.status(Self.haukeland).incidents.contains { $0.contains("refused key") }
                }
                let status = try await stranger.network.status(Self.unn)
                #expect(status.entries == 0)
                #expect(status.streams.isEmpty)
                #expect(status.peers.map(\.phase) == ["down"])
                let refusing = try await network.status(Self.haukeland)
                #expect(refusing.peers.allSatisfy { $0.node != Self.unn })
                #expect(refusing.transport.handshakesRefused > 0)
            }
        }

        @Test func `a second process on one directory is told so and changes nothing`() async throws {
            try await withScratch { scratch in
                let network = try TestNetwork(scratch, for: try TestStudies.western(participants: 2))
                try await network.startAll()
                try await network.load()
                let directory = network.directory(Self.norcrin)
                let settled = try await network.untilEqual(network.nodes) {
                    $0[Self.norcrin]?.counts.participants == 2
                }
                let before = try required(settled[Self.norcrin], "status")
                let processID = try String(contentsOfFile: directory.processID, encoding: .utf8)

                let second = try await scratch.varde("node", "run", "--dir", directory.path)
                #expect(second.status != 0)
                let number = processID.trimmingCharacters(in: .whitespacesAndNewlines)
                #expect(second.errors.contains("in use by process \(number)"), "\(second.errors)")
                #expect(second.errors.contains("stop that node first"), "\(second.errors)")
                #expect(try String(contentsOfFile: directory.processID, encoding: .utf8) == processID)
                let after = try await network.status(Self.norcrin)
                #expect(after.entries == before.entries)
                #expect(after.streams == before.streams)
            }
        }

        @Test func `a validly signed entry in a foreign stream has no effect and is a finding wherever it comes`()
            async throws
        {
            try await withScratch { scratch in
                let source = try TestStudies.western(participants: 6, others: ["unn"])
                let network = try TestNetwork(scratch, for: source)
                try await network.startAll()
                let study = try await network.load()
                let participants = TestStudies.totals(source).participants
                let before = try await network.untilEqual(network.nodes) {
                    $0[Self.norcrin]?.counts.participants == participants
                }
                try await network.stop(Self.haukeland, Self.unn)
                let entry = try Intruder(network: network, study: study).write()
                try await network.start(Self.haukeland, Self.unn)

                // UNN may not hold the stream, so nobody takes it from there; Haukeland has it, and passes it on.
                let after = try await network.untilEqual([Self.haukeland, Self.norcrin]) {
                    $0.values.allSatisfy { $0.counts.findings == 2 }
                }
                for (node, status) in after {
                    #expect(status.counts.participants == before[node]?.counts.participants, "\(node)")
                    #expect(status.counts.values == before[node]?.counts.values, "\(node)")
                    // The opening of the log is one too.
                    let findings = status.streams.flatMap(\.findings)
                    #expect(findings.count == 2)
                    #expect(findings.contains { $0.contains("\(entry)") }, "\(findings)")
                    #expect(findings.allSatisfy { $0.contains("(V3)") }, "\(findings)")
                }
                for node in [Self.haukeland, Self.norcrin] {
                    let result = try await scratch.varde("verify", "--dir", network.directory(node).path)
                    #expect(result.status == 0, "\(node): \(result.text)")
                }
            }
        }
    }
}

/// A node of another network with a charter of its own making, in which a node of the first stands with its true key.
private struct Stranger {
    let network: TestNetwork

    init(_ scratch: Scratch, knowing network: TestNetwork, node: NodeID) throws {
        var source = try TestStudies.western(participants: 0, others: ["unn"])
        source.invented = []
        self.network = try TestNetwork(scratch, for: source, folder: "other")
        let home = self.network.directory(TestStudies.unn)
        let own = try Stranger.charter(of: home)
        let real = try Stranger.charter(of: network.directory(node))
        let seed = try String(contentsOfFile: self.network.path + "/administrator.seed", encoding: .utf8)
        let key = try required(
            [UInt8](hex: seed.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap(AdministratorKey.init(seed:)),
            "administrator's key")
        let charter = try SignedCharter(
            signing: .founding(
                network: own.network,
                nodes: [try required(own.node(TestStudies.unn), "stranger"), try required(real.node(node), "node")],
                locations: own.locations.filter { $0.host == TestStudies.unn }, administrators: [key.publicKey]),
            with: [key])
        let address = try Stranger.configuration(of: network.directory(node)).listen
        var configuration = try Stranger.configuration(of: home)
        configuration.charterFounding = charter.hash.hex
        configuration.peers = [node.text: address]
        try (try CharterChain(founding: charter).bytes.hex + "\n").write(
            toFile: home.path + "/charter", atomically: true, encoding: .utf8)
        try JSONEncoder().encode(configuration).write(to: URL(fileURLWithPath: home.path + "/node.json"))
    }

    static func charter(of directory: NodeDirectory) throws -> Charter {
        let text = try String(contentsOfFile: directory.path + "/charter", encoding: .utf8)
        let bytes = try required(
            [UInt8](hex: text.trimmingCharacters(in: .whitespacesAndNewlines)), "charter of \(directory.path)")
        return try required(try CharterChain(bytes: bytes).newest, "version of the charter")
    }

    static func configuration(of directory: NodeDirectory) throws -> NodeConfiguration {
        try JSONDecoder().decode(
            NodeConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: directory.path + "/node.json")))
    }
}

/// Whoever has the keys of UNN's node and writes with them into Haukeland's stream.
private struct Intruder {
    let network: TestNetwork
    let study: StudyID

    private func store(_ node: NodeID) throws -> StoreCore {
        let directory = network.directory(node)
        let seed = try String(contentsOfFile: directory.path + "/keys/signing.seed", encoding: .utf8)
        let configuration = try Stranger.configuration(of: directory)
        return try StoreCore(
            StoreConfiguration(
                directory: directory.path, network: configuration.network, node: node,
                signingSeed: try required(
                    [UInt8](hex: seed.trimmingCharacters(in: .whitespacesAndNewlines)), "signing key"),
                software: "test"))
    }

    /// Writes a registration at UNN, as if UNN belonged to the region, and hands the log to Haukeland as a peer would.
    func write() throws -> EntryID {
        var generator = SystemRandomNumberGenerator()
        let time = NodeTime(utcMilliseconds: 1_768_000_000_000)
        let stream = StreamID.location(LocationID(unchecked: "haukeland"), in: study)
        let command = CommandID(using: &generator)
        let action = Action(
            command: command, provenance: Provenance(source: .direct),
            operation: .participantRegistered(
                Registration(labels: [ParticipantLabel(kind: .subject, text: "haukeland-999")])))
        let draft = EntryDraft(
            stream: stream, operation: .participantRegistered,
            authority: Authority(
                actor: ActorID(using: &generator), kind: .person, role: .studyNurse, authentication: .localAccount),
            known: KnownVersions(charter: 0, participation: 2, delegation: 1),
            subject: SubjectHandle(using: &generator), command: command, parts: action.parts())
        let unn = try store(TestStudies.unn)
        let written = try unn.transaction {
            try unn.confirmStart(unn.startVerdict == .agrees ? .guardAgrees : .newEpochs)
            return try unn.append(draft, time: time)
        }
        let log = try required(try unn.log(written.receipt.address.log), "log").name
        let range = try required(try unn.readRange(log: log.id, from: 0, maximumBytes: .max), "range")
        let key = try Stranger.charter(of: network.directory(TestStudies.unn)).node(TestStudies.unn)?.signingKey.hash
            .bytes
        try unn.close()

        let haukeland = try store(TestStudies.haukeland)
        let outcome = try haukeland.transaction {
            try haukeland.register(log)
            return try haukeland.ingest(range, key: try required(key, "key"), from: TestStudies.unn, time: time)
        }
        try haukeland.close()
        guard case .stored = outcome else { throw TestFailure("not stored: \(outcome)") }
        return written.receipt.id
    }
}
