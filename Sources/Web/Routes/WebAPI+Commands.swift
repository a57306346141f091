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

/// What a command asks of a participant's record.
struct AskedOfRecord {
    let request: StudyRequest
    /// The form that it is about, which is shown as it stands where newer things stand than were seen.
    let form: InstanceID?

    init(_ request: StudyRequest, about form: InstanceID? = nil) {
        self.request = request
        self.form = form
    }
}

extension WebAPI {
    @Sendable func register(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let document = try await JSONDocument.read(RegistrationDocument.self, from: request)
        let digest = try digest(of: document, "participants", in: study, about: nil, context)
        return try await answer(
            document, .register(location: document.location, labels: document.labels.map(\.label)), in: study,
            digest, context)
    }

    @Sendable func status(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(StatusEntryDocument.self, "statuses", request, context) { document, record in
            guard (try? ValueNormaliser.normalForm(of: document.eventDate, as: .partialDate)) != nil else {
                throw Problem.badRequest("'eventDate' is no date: write 2026-05-17, 2026-05 or 2026")
            }
            return AskedOfRecord(
                .status(
                    location: record.location, participant: .registration(record.id), status: document.status,
                    eventDate: document.eventDate, replaces: document.replaces ?? []))
        }
    }

    @Sendable func remove(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(RemovalDocument.self, "removals", request, context) { document, record in
            AskedOfRecord(.remove(document.target(in: record)))
        }
    }

    @Sendable func restore(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(RemovalDocument.self, "restorations", request, context) { document, record in
            AskedOfRecord(.restore(document.target(in: record)))
        }
    }

    @Sendable func save(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(FormEntryDocument.self, "forms", request, context) { document, record in
            let entry = try document.entry(of: record.id, at: record.location)
            return AskedOfRecord(.save(entry), about: FormEntryDocument.instance(of: entry, of: record.id))
        }
    }

    // MARK: Recording

    /// Records a command about a participant and answers with its receipt: 201, or 200 where it had been recorded before.
    ///
    /// The receipt of a repeated command is given before anything else is judged: neither the participant's record, which may
    /// go by another id since two registrations met, nor what its sender may do now is asked.
    /// - Parameter name: the operation, as the address names it.
    /// - Throws: ``Problem`` where the node refuses. Where newer things stand than were seen, it gives back what was sent with
    ///   the form as it stands now, so that a person can decide with both in sight.
    func command<Document: CommandDocument>(
        _ kind: Document.Type, _ name: String, _ request: Request, _ context: WebContext,
        _ ask: (Document, ParticipantState) throws -> AskedOfRecord
    ) async throws -> Response {
        let study = try await openedStudy(context)
        let participant = try context.identifier("participant", EntryID.init(hex:))
        let document = try await JSONDocument.read(kind, from: request)
        let digest = try digest(of: document, name, in: study.study, about: participant, context)
        let earlier = try await access.receipt(
            of: document.command, from: context.holder().actor, digest: digest)
        if let earlier { return try await response(earlier) }
        let asked = try ask(document, try await openedRecord(context, in: study).state)
        do {
            return try await answer(document, asked.request, in: study.study, digest, context)
        } catch var problem as Problem where ["newer-values", "newer-beginnings"].contains(problem.code) {
            problem.members["entered"] = document
            let record = try await openedRecord(context, in: study)
            if let form = asked.form,
                let newer = try await self.form(form, of: record, in: study.study, request.languages)
            {
                problem.members["newer"] = newer
            }
            throw problem
        }
    }

    /// What tells a repetition from another command under the same id: sender, operation, what it is about as the address
    /// names it, and the document as it was understood, so that other spacing or order of members is no other command.
    private func digest(
        of document: some CommandDocument, _ name: String, in study: StudyID, about participant: EntryID?,
        _ context: WebContext
    ) throws -> Hash {
        var bytes = [UInt8]("varde/http-command/0\n".utf8)
        for piece in [
            "\(study)", participant.map { "\($0)" } ?? "", name, "\(try context.holder().actor)",
        ] {
            bytes += [UInt8](piece.utf8) + [0x0A]
        }
        return .sha256(bytes + [UInt8](try JSONDocument.encoder().encode(document)))
    }

    private func answer(
        _ document: some CommandDocument, _ asked: StudyRequest, in study: StudyID, _ digest: Hash,
        _ context: WebContext
    ) async throws -> Response {
        let holder = try context.holder()
        var provenance = (document.provenance ?? ProvenanceDocument()).provenance
        provenance.authentication = AuthenticationDetail(method: "local token", level: "none")
        let command = Command(
            id: document.command, sender: holder.sender, study: study, provenance: provenance, request: asked)
        let sent = SentCommand(command: command, digest: digest, authentication: .localToken)
        guard let outcome = try await access.perform([sent]).first else { throw Problem.notFound("the command") }
        switch outcome {
        case .refused(let refusal):
            var problem = Problem(refusal)
            if case .newerValues(let items) = refusal { problem.members["items"] = items }
            throw problem
        case .recorded(let receipt): return try await response(receipt)
        }
    }

    private func response(_ receipt: CommandReceipt) async throws -> Response {
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

extension RemovalDocument {
    /// What is removed or restored of a record.
    fileprivate func target(in record: ParticipantState) -> RemovalTarget {
        RemovalTarget(
            location: record.location, participant: .registration(record.id), instance: instance, reason: reason)
    }
}
