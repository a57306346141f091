import EventLog
import HTTPTypes
import Hummingbird
import Node
import Trial
import Views

extension WebAPI {
    /// What people have to decide, with all sides.
    @Sendable func conflicts(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let asked = try request.piece
        let reading = try await view(of: study) { try $0.openConflicts(from: asked.position, limit: asked.limit) }
        let definition = try await access.definition(of: study)?.definition
        return try JSONDocument.response(
            ConflictListDocument(reading, definition, preferring: request.languages))
    }

    @Sendable func resolve(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let record = try await openedRecord(context, in: study).state
        let document = try await JSONDocument.read(ResolutionDocument.self, from: request)
        let entry = try document.entry(of: record.id, at: record.location)
        return try await answer(
            document, .resolve(entry), in: study, about: record.form(around: document.instance), request, context)
    }

    @Sendable func decide(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let record = try await openedRecord(context, in: study).state
        let document = try await JSONDocument.read(InstanceDecisionDocument.self, from: request)
        let entry = try document.entry(of: record.id, at: record.location)
        return try await answer(
            document, .decideInstances(entry), in: study, about: document.form, request, context)
    }

    @Sendable func confirm(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context).study
        let record = try await openedRecord(context, in: study).state
        let document = try await JSONDocument.read(FormConfirmationDocument.self, from: request)
        let entry = FormConfirmationEntry(
            location: record.location, participant: .registration(record.id), form: document.form, seen: document.seen)
        return try await answer(document, .confirm(entry), in: study, about: document.form, request, context)
    }

    /// Sends a command about a form. Where newer things stand than were seen, what was sent is given back with the form as
    /// it stands now, so that a person can decide with both in sight.
    func answer(
        _ document: some CommandDocument & Codable & Sendable, _ asked: StudyRequest, in study: StudyID,
        about form: InstanceID?, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        do {
            return try await answer(document, asked, in: study, context)
        } catch var problem as Problem where ["newer-values", "newer-beginnings"].contains(problem.code) {
            problem.members["entered"] = document
            let record = try await openedRecord(context, in: study)
            if let form, let newer = try await self.form(form, of: record, in: study, request.languages) {
                problem.members["newer"] = newer
            }
            throw problem
        }
    }
}
