import EventLog
import Foundation
import Interchange
import Logging
import Node
import ServiceLifecycle
import Synchronization
import Testing
import Trial
import Web

/// Something that had to be there was not, or did not come in time.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The value, or an error where there is none: tests do not trap.
func required<Value>(_ value: Value?, _ what: String) throws -> Value {
    guard let value else { throw TestFailure("there is no \(what)") }
    return value
}

/// Looks again until a condition holds.
///
/// The time is there to end what will never come; tests beside this one may keep every processor for a minute.
func until(_ what: String, withinSeconds seconds: Double = 240, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else { throw TestFailure("did not come about: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// A node of one hospital at work in this process, with a trial and its HTTP interface.
struct TestNode: Sendable {
    static let location = LocationID(unchecked: "haukeland")
    static let site = StudySiteID(unchecked: "haukeland")

    let directory: NodeDirectory
    let study: StudyID
    let port: UInt16
    /// A nurse who is delegated.
    let nurse: String
    let nurseActor: ActorID
    /// The routes that the interface says it has.
    let routes: [String]
    /// What the interface asks the node by.
    let access: NodeAccess
    fileprivate let running: Task<Void, any Error>

    /// The headers of a program with a token.
    func headers(_ token: String, _ more: (String, String)...) -> [(String, String)] {
        [("Host", "127.0.0.1:\(port)"), ("Authorization", "Bearer \(token)")] + more
    }

    /// Asks as the nurse.
    func get(_ path: String, token: String? = nil) async throws -> LoopbackResponse {
        try await LoopbackClient.connect(port: port) { client in
            try await client.ask("GET", path, headers: headers(token ?? nurse))
        }
    }

    /// Sends a command as the nurse.
    func post(_ path: String, _ body: JSON, token: String? = nil) async throws -> LoopbackResponse {
        try await LoopbackClient.connect(port: port) { client in
            try await client.ask(
                "POST", path, headers: headers(token ?? nurse, ("Content-Type", "application/json")), body: body.bytes)
        }
    }

    /// Waits until the study's view has been made for the first time.
    func untilViewIsThere() async throws {
        try await until("the view is there") {
            try await get(studyPath + "/monitoring").json()["isCurrent"] == .boolean(true)
        }
    }

    /// The address of the study.
    var studyPath: String { "/api/v0/studies/\(study)" }

    /// Makes a token and delegates its role to the holder.
    func token(
        _ role: RoleName, studies: [StudyID]? = nil, at site: StudySiteID = TestNode.site
    ) async throws -> String {
        var generator = SystemRandomNumberGenerator()
        let actor = ActorID(using: &generator)
        try await TestNode.delegate(actor, role, in: study, at: site, directory)
        return try TokenFile(directory).add(actor: actor, role: role, name: "somebody", studies: studies)
    }

    /// Registers a participant and gives the address of the record.
    func registered(_ label: String, at location: String = "haukeland", token: String? = nil) async throws -> String {
        let response = try await post(
            studyPath + "/participants",
            .object([
                "command": .string(CommandID.drawn().description), "location": .string(location),
                "labels": .array([.object(["kind": .string("subject"), "text": .string(label)])]),
            ]), token: token)
        try #require(response.status == 201, "\(response.text)")
        return studyPath + "/participants/" + (try required(response.json()["entry"]?.text, "entry"))
    }

    /// Stops the node and waits for its end.
    func stop() async throws {
        _ = try await LocalClient.ask(directory, .stop)
        try await running.value
    }

    /// Ends a delegation at the first study site.
    func endDelegation(_ actor: ActorID, _ role: RoleName) async throws {
        try await TestNode.send(
            .endDelegation(site: TestNode.site, actor: actor, role: role, from: "2026-02-12"), in: study, directory)
    }

    /// Has a participant erased by order of the institution.
    func erase(_ participant: String, at location: String) async throws {
        let id = try required(EntryID(hex: participant), "participant")
        try await TestNode.send(
            .erase(
                ErasureEntry(
                    location: LocationID(unchecked: location), participant: .registration(id),
                    grounds: OrderGrounds(ground: "GDPR Art. 17", decidedBy: "the director", reason: "asked for it"))),
            in: study, directory)
    }

    fileprivate static func delegate(
        _ actor: ActorID, _ role: RoleName, in study: StudyID, at site: StudySiteID = TestNode.site,
        _ directory: NodeDirectory
    ) async throws {
        try await send(
            .delegate(site: site, actor: actor, name: "somebody", role: role, from: "2026-01-12", to: nil), in: study,
            directory)
    }

    private static func send(_ request: Trial.Request, in study: StudyID, _ directory: NodeDirectory) async throws {
        let institution = Sender(actor: ActorID(RandomName(high: 1, low: 1)), role: .institution, isSystem: true)
        let command = Command(
            id: .drawn(), sender: institution, study: study, provenance: Provenance(source: .direct), request: request)
        guard case .outcome(.recorded) = try await LocalClient.ask(directory, .command(command)) else {
            throw TestFailure("the command was not recorded")
        }
    }
}

extension CommandID {
    /// A new one.
    static func drawn() -> CommandID {
        var generator = SystemRandomNumberGenerator()
        return CommandID(using: &generator)
    }
}

/// Runs `body` with a node that has a trial of `participants` invented people, and stops it afterwards.
///
/// - Parameter sites: study sites of one location each, all at the one node.
func withNode(
    participants: Int = 0, mode: String = "test", sites: [String] = ["haukeland"],
    _ body: @Sendable (TestNode) async throws -> Void
) async throws {
    let path = FileManager.default.temporaryDirectory.appending(
        path: "varde-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let source = try source(participants: participants, mode: mode, sites: sites)
    try NetworkFounding(
        network: NetworkID(unchecked: "test.varde"), nodes: source.plannedNodes, directory: path
    ).found()
    let name = try required(source.plannedNodes.first?.id, "planned node")
    let directory = NetworkFounding.directory(of: name, in: path)
    let (running, routes) = start(directory)
    do {
        try await until("the node listens") {
            try await isListening(directory)
        }
        let directories = [name: directory]
        let study = try await StudySetup(source: source, directories: directories).run { _ in }
        _ = try await StudyImport(study: study, source: source, directories: directories).run()
        let nurse = ActorID(RandomName(high: 0x4E, low: 1))
        try await TestNode.delegate(nurse, .studyNurse, in: study, directory)
        let token = try TokenFile(directory).add(actor: nurse, role: .studyNurse, name: "Nurse")
        let node = TestNode(
            directory: directory, study: study, port: try port(of: directory), nurse: token, nurseActor: nurse,
            routes: routes.withLock { $0 }, access: try required(routes.access, "access"), running: running)
        try await body(node)
        _ = try? await LocalClient.ask(directory, .stop)
        try await running.value
    } catch {
        // Told until it hears: a node that does not listen yet would else be waited for without end.
        let ended = Task { _ = try? await running.value }
        let telling = Task {
            while !Task.isCancelled {
                _ = try? await LocalClient.ask(directory, .stop)
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        await ended.value
        telling.cancel()
        throw error
    }
}

private func isListening(_ directory: NodeDirectory) async throws -> Bool {
    guard directory.runningHTTPAddress != nil else { return false }
    return (try? await LocalClient.status(of: directory)) != nil
}

private func port(of directory: NodeDirectory) throws -> UInt16 {
    let address = try required(directory.runningHTTPAddress, "address")
    return try required(address.split(separator: ":").last.flatMap { UInt16($0) }, "port in \(address)")
}

private func start(_ directory: NodeDirectory) -> (Task<Void, any Error>, RouteList) {
    var logger = Logger(label: "varde.test") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    let routes = RouteList()
    let node = RunningNode(directory: directory, logger: logger) { [logger] access, _ in
        let service = try WebService(
            access: access, directory: directory, listener: HTTPListener(port: 0), logger: logger)
        routes.set(service.routes(), of: access)
        return [service]
    }
    return (Task { try await node.run() }, routes)
}

/// What a service said of its routes when it was made.
final class RouteList: Sendable {
    private let routes = Mutex<[String]>([])
    private let asked = Mutex<NodeAccess?>(nil)

    /// What the service asks the node by.
    var access: NodeAccess? { asked.withLock { $0 } }

    func set(_ list: [String], of access: NodeAccess) {
        routes.withLock { $0 = list }
        asked.withLock { $0 = access }
    }
    func withLock<Result: Sendable>(_ body: (inout sending [String]) -> sending Result) -> Result {
        routes.withLock(body)
    }
}

/// The shipped trial at one hospital that also coordinates it.
private func source(participants: Int, mode: String, sites: [String]) throws -> StudySource {
    let shipped = try ShippedStudy.sciatica(participants: 0)
    let rules = try required(
        shipped.planDocument.range(of: "\nstatus:").map { String(shipped.planDocument[$0.lowerBound...]) },
        "part of the plan with status rules")
    let plan = """
        study: VARDE.SCIATICA
        mode: \(mode)
        coordinating: [haukeland]
        studySites:
        \(sites.map { "  - {id: \($0), name: \($0), locations: [\($0)], target: 20}" }.joined(separator: "\n"))
        recruitment: {start: 2026-01-12, end: 2027-06-30, target: 20}
        """ + rules
    let division =
        "site,node,hospital,region\n" + sites.map { "\($0),haukeland,\($0) sjukehus,Helse Vest\n" }.joined()
    var source = try StudySource.make(
        document: shipped.document, documentName: "study.xml", plan: [UInt8](plan.utf8), planName: "plan.yaml",
        division: [UInt8](division.utf8), divisionName: "sites.csv", dataFiles: [])
    source.invented = SyntheticParticipants.make(
        definition: source.definition, plan: source.plan, division: source.division, count: participants, seed: 7)
    return source
}

/// Participants in the order in which they were registered.
final class Recorder: Sendable {
    private let list = Mutex<[String]>([])

    /// Adds the participant of a record's address.
    func add(_ path: String) { list.withLock { $0.append(String(path.split(separator: "/").last ?? "")) } }

    var participants: [String] { list.withLock { $0 } }
}

extension LoopbackResponse {
    /// An answer that is only a text.
    init(text: String) {
        self.init(status: 200, headers: [:], body: [UInt8](text.utf8))
    }
}
