import EventLog
import Foundation
import HTTPTypes
import Hummingbird
import Node
import Trial

/// The two modules each have a `Request`: here the word alone means the one of HTTP.
typealias Request = Hummingbird.Request
/// What is asked of a study.
typealias StudyRequest = Trial.Request

extension WebAPI {
    @Sendable func register(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let document = try await JSONDocument.read(RegistrationDocument.self, from: request)
        return try await answer(
            document, .register(location: document.location, labels: document.labels.map(\.label)), in: study, context)
    }

    @Sendable func status(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let record = try await openedRecord(context, in: study).state
        let document = try await JSONDocument.read(StatusEntryDocument.self, from: request)
        guard (try? ValueNormaliser.normalForm(of: document.eventDate, as: .partialDate)) != nil else {
            throw Problem.badRequest("'eventDate' is no date: write 2026-05-17, 2026-05 or 2026")
        }
        return try await answer(
            document,
            .status(
                location: record.location, participant: .registration(record.id), status: document.status,
                eventDate: document.eventDate, replaces: document.replaces ?? []), in: study, context)
    }

    @Sendable func remove(_ request: Request, _ context: WebContext) async throws -> Response {
        try await changeRemoval(request, context) { .remove($0) }
    }

    @Sendable func restore(_ request: Request, _ context: WebContext) async throws -> Response {
        try await changeRemoval(request, context) { .restore($0) }
    }

    private func changeRemoval(
        _ request: Request, _ context: WebContext, _ make: (RemovalTarget) -> StudyRequest
    ) async throws -> Response {
        let study = try await openedStudy(context).study
        let record = try await openedRecord(context, in: study).state
        let document = try await JSONDocument.read(RemovalDocument.self, from: request)
        let target = RemovalTarget(
            location: record.location, participant: .registration(record.id), instance: document.instance,
            reason: document.reason)
        return try await answer(document, make(target), in: study, context)
    }

    @Sendable func save(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let record = try await openedRecord(context, in: study).state
        let document = try await JSONDocument.read(FormEntryDocument.self, from: request)
        let entry = try document.entry(of: record.id, at: record.location)
        return try await answer(
            document, .save(entry), in: study, about: FormEntryDocument.instance(of: entry, of: record.id), request,
            context)
    }

    /// Sends a command to the node and answers with its receipt: 201, or 200 where it had been recorded before.
    ///
    /// - Throws: ``Problem`` where the node refuses.
    func answer(
        _ document: some CommandDocument, _ asked: StudyRequest, in study: StudyID, _ context: WebContext
    ) async throws -> Response {
        let holder = try context.holder()
        var provenance = (document.provenance ?? ProvenanceDocument()).provenance
        provenance.authentication = AuthenticationDetail(method: "local token", level: "none")
        let command = Command(
            id: document.command, sender: holder.sender, study: study, provenance: provenance, request: asked)
        // Over the command as it was understood, so that other spacing or order of members is no other command.
        let digest = Hash.sha256([UInt8](try JSONDocument.encoder().encode(command)))
        let sent = SentCommand(command: command, digest: digest, authentication: .localToken)
        guard let outcome = try await access.perform([sent]).first else { throw Problem.notFound("the command") }
        switch outcome {
        case .refused(let refusal):
            var problem = Problem(refusal)
            if case .newerValues(let items) = refusal { problem.members["items"] = items }
            throw problem
        case .recorded(let receipt):
            let address = EntryAddress(log: receipt.log, index: receipt.index)
            let body = ReceiptDocument(
                study: receipt.study, entry: receipt.entry, log: receipt.log, index: receipt.index,
                isRepeated: receipt.isRepeated,
                durable: .init(here: access.node, alsoAt: await access.knownElsewhere(address)))
            return try JSONDocument.response(
                body, status: receipt.isRepeated ? .ok : .created,
                headers: [
                    .location: "/api/v0/studies/\(receipt.study)/entries/\(receipt.log)/\(receipt.index)"
                ])
        }
    }
}

extension FormEntryDocument {
    /// The form instance that an entry is about; nil where it begins one, or names one by the command that did.
    static func instance(of entry: FormEntry, of participant: EntryID) -> InstanceID? {
        switch (entry.form.choice, entry.event.choice) {
        case (.existing(let form), _): form
        case (.once, .existing(let event)):
            .natural(participant: participant, parent: event, kind: .form, oid: entry.form.oid)
        case (.once, .once):
            .natural(
                participant: participant,
                parent: .natural(participant: participant, parent: nil, kind: .studyEvent, oid: entry.event.oid),
                kind: .form, oid: entry.form.oid)
        default: nil
        }
    }
}
