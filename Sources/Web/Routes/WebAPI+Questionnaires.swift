import EventLog
import Foundation
import HTTPTypes
import Hummingbird
import Interchange
import NIOCore
import Node
import Trial
import Views

extension WebAPI {
    /// Which questionnaires are due for whom, and what has been answered.
    @Sendable func questionnaires(_ request: Request, _ context: WebContext) async throws -> Response {
        let opened = try await openedStudy(context)
        let study = opened.study
        guard try await access.hasSchedule(study) else { throw Problem.notFound("the study's plan") }
        let asked = try request.piece
        let day = try request.uri.queryParameters["asOf"].map { text in
            guard let day = CalendarDate(text) else { throw Problem.badRequest("'asOf' is a date like 2026-05-17") }
            return day
        }
        let state = try request.uri.queryParameters["state"].map { text in
            guard let state = QuestionnaireListDocument.Due.State(rawValue: String(text)) else {
                throw Problem.badRequest("'state' is notYetDue, due, overdue, done or notApplicable")
            }
            return state
        }
        let locations = try opened.answerable(asked.location)
        let reading = try await view(of: study) {
            try $0.questionnaires(at: locations, from: asked.position, limit: asked.limit)
        }
        return try JSONDocument.response(
            QuestionnaireListDocument(reading, asOf: day ?? Self.today(), only: state))
    }

    /// The day in this node's zone.
    private static func today() -> CalendarDate {
        let parts = Calendar(identifier: .gregorian).dateComponents([.year, .month, .day], from: Date())
        return CalendarDate(year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1)
            ?? CalendarDate(dayNumber: 0)
    }

    /// Takes in a FHIR R4 `Bundle` of type `batch` with answers to questionnaires (`Protocols/fhir.md`).
    @Sendable func takeBatch(_ request: Request, _ context: WebContext) async throws -> Response {
        let holder = try context.holder()
        let bytes = try await request.content(
            ofType: [FHIRBatchReader.mediaType, "application/json"], limit: WebLimit.batchBytes)
        let batch: FHIRBatch
        do {
            batch = try FHIRBatchReader.read(bytes)
        } catch {
            return Self.fhir(
                FHIRBatchResponse.document(error.outcome), status: .init(code: error.status.rawValue))
        }
        let answers = try await access.submit(
            batch, from: holder.sender, authentication: .localToken, opening: holder.opens)
        return Self.fhir(FHIRBatchResponse.document(answers), status: .ok)
    }

    private static func fhir(_ bytes: [UInt8], status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: "\(FHIRBatchReader.mediaType); charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension Request {
    /// Which piece of a list is asked for.
    var piece: (location: LocationID?, position: ParticipantPosition?, limit: Int) {
        get throws {
            let parameters = uri.queryParameters
            let limit = try parameters["limit"].map { text in
                guard let limit = Int(text), (1...500).contains(limit) else {
                    throw Problem.badRequest("'limit' is a number from 1 to 500")
                }
                return limit
            }
            let location = try parameters["location"].map { text in
                guard let location = LocationID(String(text)) else {
                    throw Problem.badRequest("'location' is the id of a location")
                }
                return location
            }
            return (location, try parameters["cursor"].map { try Cursor.position(String($0)) }, limit ?? 100)
        }
    }
}
