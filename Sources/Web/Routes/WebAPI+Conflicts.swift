import EventLog
import HTTPTypes
import Hummingbird
import Node
import Trial
import Views

extension WebAPI {
    /// What people have to decide, with all sides.
    @Sendable func conflicts(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        let asked = try request.piece
        let locations = try study.readable(asked.location)
        let reading = try await view(of: study.study) {
            try $0.openConflicts(at: locations, from: asked.position, limit: asked.limit)
        }
        let definition = try await access.definition(of: study.study)?.definition
        return try JSONDocument.response(
            ConflictListDocument(reading, definition, preferring: request.languages))
    }

    @Sendable func resolve(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(ResolutionDocument.self, "resolutions", request, context) { document, record in
            AskedOfRecord(
                .resolve(try document.entry(of: record.id, at: record.location)),
                about: record.form(around: document.instance))
        }
    }

    @Sendable func decide(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(InstanceDecisionDocument.self, "decisions", request, context) { document, record in
            AskedOfRecord(
                .decideInstances(try document.entry(of: record.id, at: record.location)), about: document.form)
        }
    }

    @Sendable func confirm(_ request: Request, _ context: WebContext) async throws -> Response {
        try await command(FormConfirmationDocument.self, "confirmations", request, context) { document, record in
            AskedOfRecord(
                .confirm(
                    FormConfirmationEntry(
                        location: record.location, participant: .registration(record.id), form: document.form,
                        seen: document.seen)), about: document.form)
        }
    }
}
