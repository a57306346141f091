import EventLog
import Foundation
import Logging
import Node
import Trial

/// What reading through the HTTP interface takes, with a real socket and a real store between.
public struct WebBenchmarkReport: Hashable, Sendable, Codable {
    /// One kind of request.
    public struct Reading: Hashable, Sendable, Codable {
        /// What is asked.
        public var request: String
        /// How many were measured, one after the other on one connection.
        public var samples: Int
        /// Bytes of an answer, the middle one.
        public var bytes: Int
        /// Half are answered within.
        public var medianMilliseconds: Double
        /// 99 of 100 are answered within.
        public var percentile99Milliseconds: Double
    }

    /// Participants in the study.
    public var participants: Int
    /// What was measured.
    public var readings: [Reading]
    /// Answers of a partner app.
    public var responses: ResponseBenchmarkReport
}

/// Measures the HTTP interface of one node in this process, with the trial that ships with Varde.
public enum WebBenchmark {
    /// Runs it.
    ///
    /// - Parameters:
    ///   - directory: where the node's directory goes.
    ///   - participants: invented participants.
    ///   - samples: requests of each kind.
    public static func run(
        directory: String, participants: Int, samples: Int, progress: @escaping @Sendable (String) -> Void
    ) async throws -> WebBenchmarkReport {
        progress("loading \(participants) participants")
        let source = try ShippedStudy.sciatica(participants: participants).atOneNode()
        try NetworkFounding(
            network: NetworkID(unchecked: "bench"), nodes: source.plannedNodes, directory: directory
        ).found()
        let home = NetworkFounding.directory(of: source.plannedNodes[0].id, in: directory)
        var logger = Logger(label: "varde.bench")
        logger.logLevel = .error
        let node = RunningNode(directory: home, logger: logger) { [logger] access, _ in
            [try WebService(access: access, directory: home, listener: HTTPListener(port: 0), logger: logger)]
        }
        let running = Task { try await node.run() }
        let result: Result<WebBenchmarkReport, any Error>
        do {
            result = .success(
                try await measure(home, source, participants: participants, samples: samples, progress))
        } catch {
            result = .failure(error)
        }
        // Stopped in any case, for it would keep the process alive.
        _ = try? await LocalClient.ask(home, .stop)
        try await running.value
        return try result.get()
    }

    private static func measure(
        _ home: NodeDirectory, _ source: StudySource, participants: Int, samples: Int,
        _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> WebBenchmarkReport {
        let port = try await listening(home)
        let directories = [source.plannedNodes[0].id: home]
        let study = try await StudySetup(source: source, directories: directories).run { progress($0) }
        _ = try await StudyImport(study: study, source: source, directories: directories).run()
        let monitor = ActorID(RandomName(high: 0xBE, low: 3))
        try await BenchmarkDelegation.delegate(
            to: monitor, .monitor, in: study, at: source.plan.studySites.map(\.id), home)
        let token = try TokenFile(home).add(actor: monitor, role: .monitor, name: "benchmark")
        progress("reading through the HTTP interface")
        let headers = [("Host", "127.0.0.1:\(port)"), ("Authorization", "Bearer \(token)")]
        let base = "/api/v0/studies/\(study)"
        let (people, readings) = try await LoopbackClient.connect(port: port) { client in
            let list = try await client.ask("GET", base + "/participants?limit=500", headers: headers)
            let people = try JSONDecoder().decode(ParticipantListDocument.self, from: Data(list.body)).participants
            var forms: [String] = []
            for person in people.prefix(50) {
                let path = base + "/participants/\(person.participant)"
                let record = try await client.ask("GET", path, headers: headers)
                let events = try JSONDecoder().decode(RecordDocument.self, from: Data(record.body)).events
                forms += events.flatMap(\.forms).filter(\.isBegun).map { path + "/forms/\($0.instance)" }
            }
            let pages = [base + "/participants?limit=50"]
            return (
                people,
                [
                    try await time("a form", forms, samples, headers, &client),
                    try await time("a page of 50 participants", pages, samples, headers, &client),
                ]
            )
        }
        progress("taking in a partner app's answers")
        return WebBenchmarkReport(
            participants: participants, readings: readings,
            responses: try await ResponseBenchmark(home: home, source: source, study: study, port: port)
                .run(people, batches: max(1, samples / 100)))
    }

    private static func listening(_ home: NodeDirectory) async throws -> UInt16 {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if let port = home.runningHTTPAddress?.split(separator: ":").last.flatMap({ UInt16($0) }),
                (try? await LocalClient.status(of: home)) != nil
            {
                return port
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw LocalClientError.notRunning(path: home.httpAddress)
    }

    private static func time(
        _ request: String, _ paths: [String], _ samples: Int, _ headers: [(String, String)],
        _ client: inout LoopbackClient
    ) async throws -> WebBenchmarkReport.Reading {
        var times = SampledTimes()
        var bytes: [Int] = []
        for number in 0..<samples where !paths.isEmpty {
            let answer = try await times.measure {
                try await client.ask("GET", paths[number % paths.count], headers: headers)
            }
            guard answer.status == 200 else { throw LoopbackClientError.unreadable }
            bytes.append(answer.body.count)
        }
        bytes.sort()
        return WebBenchmarkReport.Reading(
            request: request, samples: times.count, bytes: bytes.isEmpty ? 0 : bytes[bytes.count / 2],
            medianMilliseconds: times.part(0.5), percentile99Milliseconds: times.part(0.99))
    }
}
