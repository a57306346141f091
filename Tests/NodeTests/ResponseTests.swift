import EventLog
import Foundation
import Node
import Synchronization
import Testing
import Trial

extension AcceptanceTests {
    /// What a partner app sends, to whichever node, as often as it likes.
    @Suite struct ResponseTests {
        private static let haukeland = TestStudies.haukeland
        private static let stavanger = TestStudies.stavanger
        private static let norcrin = TestStudies.norcrin
        private let all = [haukeland, stavanger, norcrin]
        private static let count = 14

        private struct Field {
            let network: TestNetwork
            let study: StudyID
            let label: String
            let included: CalendarDate
            let tokens: [NodeID: String]
            /// What every node had before.
            let before: StreamCounts

            func send(_ answers: [DiaryAnswer], to node: NodeID) async throws -> NodeClient.Answer {
                let client = try NodeClient(network.directory(node), token: try required(tokens[node], "token"))
                return try await client.post(
                    "/fhir", [UInt8](DiaryAnswer.batch(answers).utf8), type: "application/fhir+json")
            }
        }

        @Test
        func `the same answers sent again, to two nodes apart, and after a kill in the middle, are there once`()
            async throws
        {
            try await withScratch { scratch in
                let field = try await field(scratch)
                let network = field.network
                let answers = (0..<Self.count).map { number in
                    DiaryAnswer(
                        number: number, label: field.label, day: field.included.adding(days: 1 + number),
                        pain: number % 11)
                }
                try await network.stop(Self.stavanger)
                let taken = try await killInTheMiddle(of: answers, field)
                try await network.start(Self.haukeland)
                let receipts = try receipts(try await field.send(answers, to: Self.haukeland))
                #expect(Set(receipts.compactMap { $0 }).count == Self.count)
                #expect(Array(receipts.prefix(taken.count)) == taken)
                #expect(try self.receipts(try await field.send(answers, to: Self.haukeland)) == receipts)

                try await network.stop(Self.haukeland, Self.norcrin)
                try await network.start(Self.stavanger)
                // All but the first, which is amended here by an app that never saw this node have it.
                let others = try self.receipts(try await field.send(Array(answers.dropFirst()), to: Self.stavanger))
                #expect(others == Array(receipts.dropFirst()))
                try await sendVersions(answers, field)
                try await network.start(Self.haukeland, Self.norcrin)
                try await network.untilEqual(all)
                try await check(field)
                try await checkSecondCompleted(answers, field)
            }
        }

        private func field(_ scratch: Scratch) async throws -> Field {
            let source = try TestStudies.western(participants: 6)
            let network = try TestNetwork(scratch, for: source)
            try await network.startAll()
            let study = try await network.load()
            let label = try TestStudies.included(in: source, at: "haukeland")
            let made = try await scratch.varde(
                "token", "add", "--dir", network.directory(Self.haukeland).path, "--name", "Diary app", "--role",
                "partner-app", "--system", "--study", "VARDE.SCIATICA", "--site", "helse-vest")
            #expect(made.status == 0, "\(made.text)")
            let actor = try required(
                made.text.range(of: "actor [0-9a-f]{32}", options: .regularExpression)
                    .map { String(made.text[$0].dropFirst(6)) }, "actor")
            let other = try await scratch.varde(
                "token", "add", "--dir", network.directory(Self.stavanger).path, "--name", "Diary app", "--role",
                "partner-app", "--system", "--actor", actor)
            #expect(other.status == 0, "\(other.text)")
            let statuses = try await network.untilEqual(all) {
                $0.values.allSatisfy { $0.counts.participants == 6 }
            }
            let found = try await scratch.varde(
                "query", "--json", "--dir", network.directory(Self.haukeland).path,
                "SELECT included FROM participant WHERE label = '\(label)'")
            let included = try JSONValue(found.output).elements.first?["included"].text?.prefix(10)
            return Field(
                network: network, study: study, label: label,
                included: try required(included.flatMap { CalendarDate(String($0)) }, "day of inclusion"),
                tokens: try [Self.haukeland: token(made), Self.stavanger: token(other)],
                before: try required(statuses[Self.norcrin]?.counts, "status"))
        }

        private func token(_ result: ProgramResult) throws -> String {
            try required(result.output.split(whereSeparator: \.isWhitespace).first.map(String.init), "token")
        }

        /// Sends the answers one by one and kills the node when some of them were acknowledged; gives their receipts.
        private func killInTheMiddle(of answers: [DiaryAnswer], _ field: Field) async throws -> [String?] {
            let taken = Mutex<[String?]>([])
            let sending = Task {
                for answer in answers {
                    guard let response = try? await field.send([answer], to: Self.haukeland),
                        let receipt = try? self.receipts(response)
                    else { return }
                    taken.withLock { $0 += receipt }
                    try? await Task.sleep(for: .milliseconds(15))
                }
            }
            try await until("some answers are acknowledged") { taken.withLock { $0.count } >= 3 }
            try await field.network.kill(Self.haukeland)
            await sending.value
            let acknowledged = taken.withLock { $0 }
            #expect(acknowledged.count >= 3 && acknowledged.count < answers.count, "\(acknowledged.count)")
            return acknowledged
        }

        /// The receipts of a batch, in its order; every entry must have been taken in.
        private func receipts(_ answer: NodeClient.Answer) throws -> [String?] {
            #expect(answer.status == 200, "\(answer.text)")
            return try JSONValue(answer.text)["entry"].elements.map { entry in
                let response = entry["response"]
                #expect(response["status"].text == "201 Created", "\(answer.text)")
                return response["extension"].elements.first?["valueIdentifier"]["value"].text
            }
        }

        /// Apart from the others: one answer amended, one entered in error.
        private func sendVersions(_ answers: [DiaryAnswer], _ field: Field) async throws {
            var amended = answers[0]
            amended.status = "amended"
            amended.pain = 10
            var wrong = answers[1]
            wrong.status = "entered-in-error"
            let answer = try await field.send([amended, wrong], to: Self.stavanger)
            let statuses = try JSONValue(answer.text)["entry"].elements.map { $0["response"]["status"].text }
            #expect(statuses == ["201 Created", "200 OK"], "\(answer.text)")
        }

        /// Every answer is at every node once; the amended one stands, and the wrong one says nothing.
        private func check(_ field: Field) async throws {
            for node in all {
                let counts = try await field.network.status(node).counts
                #expect(counts.conflicts == 0 && counts.findings == 0, "\(node)")
                #expect(counts.forms == field.before.forms + Self.count - 1, "\(node)")
                let rows = try await field.network.scratch.varde(
                    "query", "--json", "--dir", field.network.directory(node).path,
                    """
                    SELECT it_diarydat, it_diarypain FROM dm_f_diary JOIN form_instance USING (form)
                    WHERE label = '\(field.label)' AND entries LIKE '%partner app%' AND it_diarydat IS NOT NULL
                    ORDER BY it_diarydat
                    """)
                let pains = try JSONValue(rows.output).elements.map { Int($0["it_diarypain"].number ?? -1) }
                #expect(pains == [10] + (2..<Self.count).map { $0 % 11 }, "\(node): \(rows.text)")
            }
        }

        /// A second completed one is kept, answered as a conflict, and a finding everywhere; what is not final is refused.
        private func checkSecondCompleted(_ answers: [DiaryAnswer], _ field: Field) async throws {
            var other = answers[4]
            other.pain = 9
            var unfinished = answers[5]
            unfinished.status = "in-progress"
            let answer = try await field.send([other, unfinished, answers[6]], to: Self.haukeland)
            let entries = try JSONValue(answer.text)["entry"].elements.map { $0["response"] }
            #expect(
                entries.map { $0["status"].text } == ["409 Conflict", "422 Unprocessable Content", "201 Created"],
                "\(answer.text)")
            let issue = entries[1]["outcome"]["issue"].elements.first
            #expect(issue?["expression"].elements.first?.text == "QuestionnaireResponse.status")
            try await field.network.untilEqual(all) {
                $0.values.allSatisfy { $0.counts.conflicts == 1 && $0.counts.findings == 2 }
            }
        }
    }
}

/// An answer to the shipped diary as a partner app sends it.
struct DiaryAnswer {
    let number: Int
    let label: String
    let day: CalendarDate
    var pain: Int
    var status = "completed"

    static func batch(_ answers: [DiaryAnswer]) -> String {
        let entries = answers.map { answer in
            """
            {"request": {"method": "POST", "url": "QuestionnaireResponse"}, "resource": {
              "resourceType": "QuestionnaireResponse", "status": "\(answer.status)",
              "authored": "\(answer.day)T20:00:00+02:00",
              "identifier": {"system": "https://app.example/answers", "value": "\(answer.number)"},
              "questionnaire": "https://varde.no/fhir/Questionnaire/sciatica-leg-pain-diary|1",
              "subject": {"identifier": {
                "system": "https://varde.no/fhir/sid/sciatica-participant", "value": "\(answer.label)"}},
              "item": [{"linkId": "day", "answer": [{"valueDate": "\(answer.day)"}]},
                       {"linkId": "leg-pain", "answer": [{"valueInteger": \(answer.pain)}]}]}}
            """
        }
        return "{\"resourceType\": \"Bundle\", \"type\": \"batch\", \"entry\": [\(entries.joined(separator: ",\n"))]}"
    }
}
