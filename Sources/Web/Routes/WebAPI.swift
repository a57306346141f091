import EventLog
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Node
import ServiceLifecycle
import Trial
import Views

/// The addresses under `/api/v0`, as `Protocols/openapi.yaml` describes them.
///
/// Every handler finds out first whose token it is and whether that opens the study; studies in mode *live* are not opened
/// by a token at all.
struct WebAPI: Sendable {
    let access: NodeAccess
    let listeners: ListenerCount

    /// Adds the addresses to a router.
    func add(to router: Router<WebContext>, tokens: TokenFile) {
        let api = router.group("/api/v0").add(middleware: TokenGuard(tokens: tokens))
        router.group("/fhir").add(middleware: TokenGuard(tokens: tokens)).post("", use: takeBatch)
        router.group("/metrics").add(middleware: TokenGuard(tokens: tokens)).get("", use: metrics)
        api.get("/node", use: node)
        api.get("/studies", use: studies)
        let study = api.group("/studies/{study}")
        study.get("", use: study(_:_:))
        study.get("/definitions", use: definitions)
        study.get("/events", use: events)
        study.get("/entries/{log}/{index}", use: entry)
        study.get("/participants", use: participants)
        study.post("/participants", use: register)
        study.get("/questionnaires", use: questionnaires)
        study.get("/conflicts", use: conflicts)
        study.get("/monitoring", use: monitoring)
        study.get("/sites/{site}", use: regional)
        let participant = study.group("/participants/{participant}")
        participant.get("", use: participant(_:_:))
        participant.get("/forms/{form}", use: form)
        participant.post("/forms", use: save)
        participant.post("/statuses", use: status)
        participant.post("/resolutions", use: resolve)
        participant.post("/decisions", use: decide)
        participant.post("/confirmations", use: confirm)
        participant.post("/removals", use: remove)
        participant.post("/restorations", use: restore)
    }

    // MARK: What a request names

    /// The study that a request names, once the token was found to open it.
    func openedStudy(_ context: WebContext) async throws -> OpenedStudy {
        let holder = try context.holder()
        let id = try context.identifier("study", StudyID.init(hex:))
        // A study that the token does not open is as unknown to its holder as one that is not here.
        guard holder.opens(id), let reading = try await access.study(id) else { throw Problem.notFound("study \(id)") }
        // Before its founding is here nobody knows whether it is live.
        guard let founding = reading.founding else { throw Problem.unfoundedStudy(id) }
        guard founding.mode != .live else { throw Problem.liveStudy }
        return OpenedStudy(reading, for: holder, at: access.node)
    }

    /// The participant that a request names, once the token's holder was found to be let see the record.
    func openedRecord(_ context: WebContext, in study: OpenedStudy) async throws -> ParticipantReading {
        let id = try context.identifier("participant", EntryID.init(hex:))
        guard let reading = try await access.record(of: id, in: study.study) else {
            if let (location, erased) = try await access.erasedParticipant(id, in: study.study) {
                guard study.scope.contains(location) else { throw study.notDelegated(at: location) }
                throw Problem.erased(erased)
            }
            throw Problem.notFound("participant \(id)")
        }
        guard study.scope.contains(reading.state.location) else { throw study.notDelegated(at: reading.state.location) }
        return reading
    }

    /// The study's definitions, without which no screen can be drawn.
    func openedDefinition(_ study: StudyID) async throws -> DefinitionReading {
        guard let definition = try await access.definition(of: study) else { throw Problem(Refusal.noDefinitions) }
        return definition
    }

    // MARK: Reading

    @Sendable private func node(_ request: Request, _ context: WebContext) async throws -> Response {
        let holder = try context.holder()
        var status = try await access.status()
        // What a token does not open it does not count either.
        if let studies = holder.studies {
            status.streams.removeAll { stream in
                StreamID(stream.stream).map { !studies.contains($0.study) } ?? true
            }
        }
        return try JSONDocument.response(status)
    }

    /// The node's figures for a monitoring system. They say nothing of any study, so every token may read them.
    @Sendable private func metrics(_ request: Request, _ context: WebContext) async throws -> Response {
        _ = try context.holder()
        let text = MetricsText(try await access.metrics()).text
        return Response(
            status: .ok, headers: [.contentType: MetricsText.contentType],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    @Sendable private func studies(_ request: Request, _ context: WebContext) async throws -> Response {
        let holder = try context.holder()
        let readings = try await access.studies().filter { holder.opens($0.study) }
        return try JSONDocument.response(["studies": readings.map(StudyDocument.init)])
    }

    @Sendable private func study(_ request: Request, _ context: WebContext) async throws -> Response {
        try JSONDocument.response(StudyDocument(try await openedStudy(context).reading))
    }

    @Sendable private func definitions(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        let definition = try await openedDefinition(study.study)
        return try JSONDocument.response(DefinitionsDocument(definition, preferring: request.languages))
    }

    @Sendable private func participants(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        let asked = try request.piece
        let locations = try study.readable(asked.location)
        let reading = try await view(of: study.study) {
            try $0.participants(at: locations, from: asked.position, limit: asked.limit)
        }
        return try JSONDocument.response(ParticipantListDocument(reading))
    }

    @Sendable private func participant(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        let record = try await openedRecord(context, in: study)
        let definition = try await access.definition(of: study.study)?.definition
        return try JSONDocument.response(RecordDocument(record, definition, preferring: request.languages))
    }

    @Sendable private func form(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        let record = try await openedRecord(context, in: study)
        let id = try context.identifier("form", InstanceID.init(hex:))
        guard let form = try await form(id, of: record, in: study.study, request.languages) else {
            throw Problem.notFound("form \(id) of participant \(record.state.id)")
        }
        return try JSONDocument.response(form)
    }

    /// A form as it stands, with where its saves are durable.
    func form(
        _ id: InstanceID, of record: ParticipantReading, in study: StudyID, _ languages: [String]
    ) async throws -> FormDocument? {
        let definition = try await openedDefinition(study)
        guard var form = FormDocument(id, of: record, in: study, definition, preferring: languages) else { return nil }
        for place in form.saves.indices {
            let save = form.saves[place]
            form.saves[place].alsoAt = await access.knownElsewhere(EntryAddress(log: save.log, index: save.index))
        }
        return form
    }

    @Sendable private func entry(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        let log = try context.identifier("log", LogID.init(hex:))
        let index = try context.identifier("index") { UInt64($0) }
        guard let entry = try await access.entry(at: EntryAddress(log: log, index: index), in: study.study) else {
            throw Problem.notFound("entry \(log)/\(index)")
        }
        if let location = entry.stream.location, !study.scope.contains(location) {
            throw study.notDelegated(at: location)
        }
        return try JSONDocument.response(EntryDocument(entry, here: access.node))
    }

    @Sendable private func events(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        return try await StudyEvents(access: access, study: study, listeners: listeners).response(to: request)
    }
}

/// Where a piece of a list begins, as a client carries it: opaque, and without meaning elsewhere.
enum Cursor {
    static func text(_ position: ParticipantPosition) -> String {
        [UInt8]((try? JSONDocument.encoder().encode(position)) ?? Data()).hex
    }

    static func position(_ text: String) throws -> ParticipantPosition {
        guard text.utf8.count <= 4096, let bytes = [UInt8](hex: text),
            let position = try? JSONDecoder().decode(ParticipantPosition.self, from: Data(bytes))
        else { throw Problem.badRequest("'cursor' is not one that this node gave") }
        return position
    }
}

extension WebContext {
    /// What the address names under `name`.
    func identifier<Value>(_ name: String, _ read: (String) -> Value?) throws -> Value {
        guard let value = parameters.get(name).flatMap(read) else {
            throw Problem.badRequest("the \(name) in the address is not one")
        }
        return value
    }
}

extension Request {
    /// The languages that the reader prefers, best first (RFC 9110, `Accept-Language`; `?language=` goes before).
    var languages: [String] {
        let asked = uri.queryParameters["language"].map { [String($0)] } ?? []
        let accepted = (headers[.acceptLanguage] ?? "").split(separator: ",").prefix(16).map { item in
            let pieces = item.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return (tag: pieces.first ?? "", weight: weight)
        }
        let ordered = accepted.enumerated().sorted { ($0.element.weight, -$0.offset) > ($1.element.weight, -$1.offset) }
        return asked + ordered.map(\.element.tag).filter { $0 != "*" && !$0.isEmpty }
    }
}
