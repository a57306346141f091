import EventLog
import HTTPTypes
import Hummingbird
import Node
import Trial
import Views

extension WebAPI {
    /// How every location of a study stands.
    @Sendable func monitoring(_ request: Request, _ context: WebContext) async throws -> Response {
        let study = try await openedStudy(context)
        _ = try study.readable(nil)
        let reading = try await view(of: study.study) { try $0.monitoring() }
        return try JSONDocument.response(
            MonitoringDocument(
                isCurrent: reading.isCurrent,
                locations: reading.contents.filter { study.scope.contains($0.location) }))
    }

    /// How a study site stands against its one target.
    @Sendable func regional(_ request: Request, _ context: WebContext) async throws -> Response {
        let opened = try await openedStudy(context)
        let study = opened.study
        let site = try context.identifier("site") { StudySiteID($0) }
        if let first = opened.reading.authority.participation?.sites.first(where: { $0.id == site })?.locations.first {
            // A study site has one principal investigator, and whoever is delegated there sees all of it.
            _ = try opened.readable(first)
        }
        let lastHeard = await access.lastHeard()
        let reading = try await view(of: study) { try $0.regional(site, lastHeard: lastHeard) }
        guard let report = reading.contents else { throw Problem.notFound("study site \(site)") }
        return try JSONDocument.response(RegionalDocument(isCurrent: reading.isCurrent, report: report))
    }

    /// Asks a study's view, waiting a little for what had come when it was asked.
    func view<Contents: Sendable>(
        of study: StudyID, _ body: @escaping @Sendable (ViewReader) throws -> Contents
    ) async throws -> ViewReading<Contents> {
        do {
            return try await access.readView(of: study, body)
        } catch ViewError.noView {
            throw Problem(
                .serviceUnavailable, "no-view", "The view is not there yet",
                "the view of study \(study) is being built", action: "ask again in a moment")
        }
    }
}
