import EventLog
import Foundation
import Node
import Trial

/// How many answers of a partner app a node takes in, each batch answered when it is durable.
public struct ResponseBenchmarkReport: Hashable, Sendable, Codable {
    /// Answers in a batch.
    public var answersPerBatch: Int
    /// Batches, one after the other on one connection.
    public var batches: Int
    /// Answers taken in.
    public var answers: Int
    /// Answers taken in per second.
    public var answersPerSecond: Double
    /// Half of the batches are answered within.
    public var medianMilliseconds: Double
    /// 99 of 100 are answered within.
    public var percentile99Milliseconds: Double
}

/// Sends batches of answers to the diary of the trial that ships with Varde.
struct ResponseBenchmark {
    let home: NodeDirectory
    let source: StudySource
    let study: StudyID
    let port: UInt16

    private static let answersPerBatch = 50
    /// Days after inclusion on which the diary is due.
    private static let days = 14

    /// Measures; `people` are the study's participants.
    ///
    /// - Throws: ``LoopbackClientError`` where a batch was not taken in whole.
    func run(_ people: [ParticipantDocument], batches: Int) async throws -> ResponseBenchmarkReport {
        let app = ActorID(RandomName(high: 0xBE, low: 4))
        try await BenchmarkDelegation.delegate(
            to: app, .partnerApp, in: study, at: source.plan.studySites.map(\.id), home)
        let token = try TokenFile(home).add(
            actor: app, role: .partnerApp, name: "benchmark app", isSystem: true, studies: [study])
        let days = people.flatMap(diaryDays)
        guard !days.isEmpty else { throw LoopbackClientError.unreadable }
        let headers = [
            ("Host", "127.0.0.1:\(port)"), ("Authorization", "Bearer \(token)"),
            ("Content-Type", "application/fhir+json"),
        ]
        let start = ContinuousClock.now
        let times = try await LoopbackClient.connect(port: port) { client in
            var times = SampledTimes()
            for batch in 0..<batches {
                let body = [UInt8](ResponseBenchmark.document(batch, days).utf8)
                let answer = try await times.measure {
                    try await client.ask("POST", "/fhir", headers: headers, body: body)
                }
                let count = answer.text.components(separatedBy: "201 Created").count - 1
                guard answer.status == 200, count == ResponseBenchmark.answersPerBatch else {
                    throw LoopbackClientError.unreadable
                }
            }
            return times
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let answers = batches * ResponseBenchmark.answersPerBatch
        return ResponseBenchmarkReport(
            answersPerBatch: ResponseBenchmark.answersPerBatch, batches: batches, answers: answers,
            answersPerSecond: Double(answers) / seconds, medianMilliseconds: times.part(0.5),
            percentile99Milliseconds: times.part(0.99))
    }

    /// The days on which a participant's diary is due, with the participant's label; none for who was not included.
    private func diaryDays(of person: ParticipantDocument) -> [(label: String, day: CalendarDate)] {
        guard let label = person.labels.first(where: { $0.kind == .subject })?.text,
            let date = person.statuses.first(where: { $0.status == .included })?.eventDate,
            let included = CalendarDate(String(date.prefix(10)))
        else { return [] }
        return (1...ResponseBenchmark.days).map { (label, included.adding(days: $0)) }
    }

    /// A batch of answers that were not sent before.
    private static func document(_ batch: Int, _ days: [(label: String, day: CalendarDate)]) -> String {
        let entries = (0..<answersPerBatch).map { place in
            let number = batch * answersPerBatch + place
            let (label, day) = days[number % days.count]
            return """
                {"request": {"method": "POST", "url": "QuestionnaireResponse"}, "resource": {
                "resourceType": "QuestionnaireResponse", "status": "completed", "authored": "\(day)T20:00:00+02:00",
                "identifier": {"system": "https://app.example/benchmark", "value": "\(number)"},
                "questionnaire": "https://varde.no/fhir/Questionnaire/sciatica-leg-pain-diary|1",
                "subject": {"identifier": {
                "system": "https://varde.no/fhir/sid/sciatica-participant", "value": "\(label)"}},
                "item": [{"linkId": "day", "answer": [{"valueDate": "\(day)"}]},
                {"linkId": "leg-pain", "answer": [{"valueInteger": \(number % 11)}]}]}}
                """
        }
        return #"{"resourceType": "Bundle", "type": "batch", "entry": ["# + entries.joined(separator: ",\n") + "]}"
    }
}
