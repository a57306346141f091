import EventLog
import Foundation
import Interchange
import Testing
import Trial

struct FHIRBatchTests {
    @Test func `a response is read whole, with the bytes that were sent`() throws {
        let resource = TestFHIR.response(
            item: """
                [ {"linkId": "a", "unknown": {"b": 1}, "answer": [ {"valueDecimal": 1.50, "item": [ {"linkId": "a.1",
                "answer": [ {"valueString": "\\u00e5"}, {"valueCoding": {"system": "s", "code": "c", "display": "d"}} ]} ]} ]},
                {"linkId": "g", "item": [ {"linkId": "g.1", "answer": [ {"valueBoolean": false}, {"valueInteger": -3},
                {"valueDate": "2026-03"}, {"valueDateTime": "2026-03-29T02:30:00+01:00"}, {"valueTime": "02:30:00"},
                {"valueUri": "urn:x"}, {"valueQuantity": {"value": 71.0, "unit": "kg", "code": "kg", "comparator": "<"}} ]} ]} ]
                """, adding: ",\n  \"meta\": {\"versionId\": \"7\"},\n  \"author\": {\"reference\": \"Patient/x\"}")
        let found = try TestFHIR.read(resource)
        #expect(found.identifier == ResponseIdentifier(system: "urn:example:app", value: "r-1"))
        #expect(found.subject == SubjectPseudonym(system: "urn:example:participant", value: "P-1"))
        #expect(found.questionnaire.description == TestFHIR.url)
        #expect(found.status == .completed)
        #expect(found.authored == "2026-03-29T02:30:00+01:00")
        // The day as written: no zone, no summer time.
        #expect(found.authoredDay.description == "2026-03-29")
        #expect(found.document == [UInt8](resource.utf8))
        #expect(found.documentSHA256 == Hash.sha256([UInt8](resource.utf8)))
        let first = try #require(found.items.first)
        #expect(first.answers.map(\.value) == [.decimal("1.50")])
        let nested = try #require(first.answers.first?.items.first)
        #expect(nested.linkID == "a.1")
        #expect(nested.answers[0].value == .string("å"))
        #expect(nested.answers[1].value == .coding(SubmittedCoding(system: "s", code: "c")))
        #expect(nested.answers[1].expression == "QuestionnaireResponse.item[0].answer[0].item[0].answer[1]")
        let kinds = found.items[1].items[0].answers.compactMap(\.value)
        #expect(kinds.map(\.kind) == ["boolean", "integer", "date", "dateTime", "time", "uri", "Quantity"])
        #expect(
            kinds[6] == .quantity(SubmittedQuantity(value: "71.0", unit: "kg", code: "kg", comparator: "<")))
    }

    @Test func `entries are answered one by one and in order, each with its own bytes`() throws {
        var random = TestRandom(seed: 5)
        let resources = (0..<40).map { index in
            Int.random(in: 0...3, using: &random) == 0
                ? TestFHIR.response(without: ["authored"])
                : TestFHIR.response(
                    replacing: ["identifier": "{ \"system\":\"s\",\n\"value\":\"\(index)\"}"],
                    adding: String(repeating: " ", count: index))
        }
        let bytes = TestFHIR.bundle(resources)
        let batch = try FHIRBatchReader.read(bytes)
        #expect(batch.entries.count == 40)
        for (index, entry) in batch.entries.enumerated() {
            switch entry {
            case .success(let submission):
                #expect(submission.identifier.value == "\(index)")
                #expect(submission.document == [UInt8](resources[index].utf8))
            case .failure(let refusal):
                #expect(!resources[index].contains("authored"))
                #expect(refusal.status == .unprocessable)
            }
        }
    }

    @Test(arguments: [
        ("identifier", "required QuestionnaireResponse.identifier"),
        ("subject", "required QuestionnaireResponse.subject"),
        ("authored", "required QuestionnaireResponse.authored"), ("status", "required QuestionnaireResponse.status"),
        ("questionnaire", "required QuestionnaireResponse.questionnaire"),
    ]) func `what is missing is named`(member: String, error: String) throws {
        let refusal = try #require(try TestFHIR.refusal(TestFHIR.response(without: [member])))
        #expect(refusal.errors == [error])
        #expect(refusal.status == .unprocessable)
    }

    @Test func `everything that is missing is named at once`() throws {
        let all: Set = ["identifier", "subject", "authored", "status", "questionnaire"]
        #expect(try TestFHIR.refusal(TestFHIR.response(without: all))?.errors.count == 5)
    }

    static let faults: [(name: String, member: String, json: String, error: String)] = [
        ("not final", "status", "\"in-progress\"", "business-rule QuestionnaireResponse.status"),
        ("stopped", "status", "\"stopped\"", "business-rule QuestionnaireResponse.status"),
        ("draft", "status", "\"draft\"", "code-invalid QuestionnaireResponse.status"),
        ("no text", "status", "1", "structure QuestionnaireResponse.status"),
        ("identifier list", "identifier", "[]", "structure QuestionnaireResponse.identifier"),
        ("no system", "identifier", "{\"value\": \"1\"}", "required QuestionnaireResponse.identifier.system"),
        ("no value", "identifier", "{\"system\": \"s\"}", "required QuestionnaireResponse.identifier.value"),
        (
            "empty value", "identifier", "{\"system\": \"s\", \"value\": \"\"}",
            "structure QuestionnaireResponse.identifier.value"
        ),
        (
            "space", "identifier", "{\"system\": \"s\", \"value\": \" 1\"}",
            "value QuestionnaireResponse.identifier.value"
        ),
        (
            "control", "identifier", "{\"system\": \"s\", \"value\": \"\\u0000\"}",
            "value QuestionnaireResponse.identifier.value"
        ),
        ("no pseudonym", "subject", "{}", "required QuestionnaireResponse.subject.identifier"),
        ("device", "subject", "{\"reference\": \"Device/1\"}", "value QuestionnaireResponse.subject.reference"),
        ("entry", "subject", "{\"reference\": \"urn:uuid:1\"}", "value QuestionnaireResponse.subject.reference"),
        (
            "group", "subject", "{\"type\": \"Group\", \"reference\": \"Patient/1\"}",
            "not-supported QuestionnaireResponse.subject.type"
        ),
        (
            "name", "subject", "{\"reference\": \"Patient/1\", \"display\": \"K\"}",
            "suppressed QuestionnaireResponse.subject.display"
        ),
        (
            "national number", "subject",
            "{\"identifier\": {\"system\": \"urn:oid:2.16.578.1.12.4.1.4.1\", \"value\": \"1\"}}",
            "suppressed QuestionnaireResponse.subject.identifier.system"
        ),
        ("month", "authored", "\"2026-03\"", "value QuestionnaireResponse.authored"),
        ("no zone", "authored", "\"2026-03-29T02:30:00\"", "value QuestionnaireResponse.authored"),
        ("no such day", "authored", "\"2026-02-30\"", "value QuestionnaireResponse.authored"),
        ("space in canonical", "questionnaire", "\"a b\"", "value QuestionnaireResponse.questionnaire"),
        ("item object", "item", "{}", "structure QuestionnaireResponse.item"),
        ("no linkId", "item", "[{}]", "required QuestionnaireResponse.item[0].linkId"),
        (
            "two values", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueInteger\": 1, \"valueString\": \"a\"}]}]",
            "structure QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "fraction", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueInteger\": 1.0}]}]",
            "structure QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "quoted number", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueDecimal\": \"1\"}]}]",
            "structure QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "unknown kind", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueFoo\": 1}]}]",
            "structure QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "file", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueAttachment\": {}}]}]",
            "not-supported QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "reference", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueReference\": {}}]}]",
            "not-supported QuestionnaireResponse.item[0].answer[0].value"
        ),
        (
            "no code", "item", "[{\"linkId\": \"a\", \"answer\": [{\"valueCoding\": {\"display\": \"x\"}}]}]",
            "required QuestionnaireResponse.item[0].answer[0].value.code"
        ),
        (
            "modifier", "item", "[{\"linkId\": \"a\", \"modifierExtension\": []}]",
            "extension QuestionnaireResponse.item[0].modifierExtension"
        ),
    ]

    @Test(arguments: faults.indices) func `a response that is wrong is refused where it is wrong`(index: Int) throws {
        let fault = FHIRBatchTests.faults[index]
        let resource = TestFHIR.response(replacing: [fault.member: fault.json])
        let refusal = try #require(try TestFHIR.refusal(resource), "\(fault.name)")
        #expect(refusal.errors == [fault.error], "\(fault.name)")
        let isStructural = fault.error.hasPrefix("structure")
        #expect(refusal.status == (isStructural ? .badRequest : .unprocessable), "\(fault.name)")
    }

    @Test(arguments: ["contained", "text", "modifierExtension", "implicitRules"])
    func `what may name a person or change the meaning is refused`(member: String) throws {
        let refusal = try #require(try TestFHIR.refusal(TestFHIR.response(adding: ", \"\(member)\": []")))
        #expect(refusal.errors.map { String($0.split(separator: " ")[1]) } == ["QuestionnaireResponse.\(member)"])
    }

    @Test(arguments: [
        ("Patient/abc-1.2", "abc-1.2"), ("https://example.org/fhir/Patient/7", "7"),
        ("http://hl7.org/fhir/Patient/proband", "proband"),
    ]) func `a pseudonym may be a reference`(reference: String, value: String) throws {
        let found = try TestFHIR.read(TestFHIR.response(replacing: ["subject": "{\"reference\": \"\(reference)\"}"]))
        #expect(found.subject == SubjectPseudonym(system: nil, value: value))
    }

    @Test(arguments: [
        ("[]", FHIRStatus.badRequest), ("{}", .badRequest), ("x", .badRequest),
        ("{\"resourceType\":\"Bundle\"}", .unprocessable),
        ("{\"resourceType\":\"Bundle\",\"type\":\"transaction\"}", .unprocessable),
        ("{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":{}}", .badRequest),
        ("{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"implicitRules\":\"x\"}", .unprocessable),
    ]) func `what is no batch is refused as a whole`(text: String, status: FHIRStatus) {
        #expect { try FHIRBatchReader.read([UInt8](text.utf8)) } throws: { ($0 as? FHIRRefusal)?.status == status }
    }

    @Test func `limits are kept before anything is read`() throws {
        var limits = FHIRLimits()
        limits.entries = 2
        let one = TestFHIR.response()
        #expect(try FHIRBatchReader.read(TestFHIR.bundle([one, one]), limits: limits).entries.count == 2)
        #expect { try FHIRBatchReader.read(TestFHIR.bundle([one, one, one]), limits: limits) } throws: {
            ($0 as? FHIRRefusal)?.status == .contentTooLarge
        }
        limits.resourceBytes = one.utf8.count
        let longer = TestFHIR.response(adding: " ")
        let batch = try FHIRBatchReader.read(TestFHIR.bundle([one, longer]), limits: limits)
        #expect((try? batch.entries[0].get()) != nil)
        #expect { try batch.entries[1].get() } throws: { ($0 as? FHIRRefusal)?.status == .contentTooLarge }
        limits.bytes = 100
        #expect { try FHIRBatchReader.read(TestFHIR.bundle([one]), limits: limits) } throws: {
            ($0 as? FHIRRefusal)?.status == .contentTooLarge
        }
    }

    @Test func `entries that ask for something else are refused alone`() throws {
        let good = TestFHIR.entry(TestFHIR.response())
        let others = [
            good.replacing("POST", with: "PUT"), good.replacing("\"url\": \"Q", with: "\"url\": \"/Q"), "{}", "1",
            "{\"request\": {\"method\": \"POST\", \"url\": \"QuestionnaireResponse\"}}",
            TestFHIR.entry("{\"resourceType\": \"Patient\"}"), TestFHIR.entry("[]"),
        ]
        let text =
            "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[\((others + [good]).joined(separator: ","))]}"
        let batch = try FHIRBatchReader.read([UInt8](text.utf8))
        #expect(
            batch.entries.map { (try? $0.get()) != nil } == [false, false, false, false, false, false, false, true])
    }

    @Test func `no refusal holds what was sent`() throws {
        let secret = "SECRETVALUE"
        let resource = TestFHIR.response(
            item:
                "[{\"linkId\": \"a\", \"answer\": [{\"valueInteger\": \"\(secret)\"}, {\"valueBoolean\": \"\(secret)\"}]}]",
            replacing: [
                "authored": "\"\(secret)\"", "status": "\"\(secret)\"", "subject": "{\"reference\": \"\(secret)\"}",
            ])
        let refusal = try #require(try TestFHIR.refusal(resource))
        #expect(refusal.errors.count == 5)
        #expect(!String(decoding: FHIRBatchResponse.document(refusal.outcome), as: UTF8.self).contains(secret))
    }

    @Test func `any bytes are read or refused, never more`() {
        var random = TestRandom(seed: 6)
        let base = TestFHIR.bundle([
            TestFHIR.response(item: "[{\"linkId\": \"a\", \"answer\": [{\"valueQuantity\": {\"value\": 1}}]}]"),
            TestFHIR.response(),
        ])
        var kept = 0
        for _ in 0..<4_000 {
            var bytes = base
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0x20...0x7E, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            guard let batch = try? FHIRBatchReader.read(bytes) else { continue }
            for entry in batch.entries {
                guard let submission = try? entry.get() else { continue }
                kept += 1
                #expect(submission.documentSHA256 == Hash.sha256(submission.document))
                #expect(bytes.count > submission.document.count)
            }
        }
        #expect(kept > 500)
    }

    @Test func `an answer is a batch-response with one entry each, in order`() throws {
        let receipt = String(repeating: "0a", count: 32)
        let warning = OperationOutcomeIssue(.warning, .required, "w", at: "QuestionnaireResponse.item")
        let refusal = try #require(try TestFHIR.refusal(TestFHIR.response(without: ["authored"])))
        let bytes = FHIRBatchResponse.document([
            .created(receipt: receipt), .version(receipt: receipt, issues: [warning]),
            .anotherCompleted(receipt: receipt), .refused(refusal),
        ])
        let root = try JSONDocument(bytes, limits: JSONReadingLimits(bytes: 1 << 20, depth: 64, values: 1_000)).root
        #expect(root["resourceType"]?.string == "Bundle")
        #expect(root["type"]?.string == "batch-response")
        let responses = try #require(root["entry"]).elements.compactMap { $0["response"] }
        #expect(
            responses.map { $0["status"]?.string } == [
                "201 Created", "200 OK", "409 Conflict", "422 Unprocessable Content",
            ])
        for response in responses.prefix(3) {
            #expect(response["location"]?.string == "QuestionnaireResponse/\(receipt)")
            #expect(response["etag"]?.string == "W/\"\(receipt)\"")
            let found = response["extension"]?.elements.first?["valueIdentifier"]
            #expect(found?["value"]?.string == receipt)
            #expect(found?["system"]?.string == FHIRBatchResponse.receiptSystem)
        }
        #expect(responses[0]["outcome"] == nil)
        #expect(responses[1]["outcome"]?["issue"]?.elements.first?["severity"]?.string == "warning")
        #expect(responses[2]["outcome"]?["issue"]?.elements.first?["code"]?.string == "conflict")
        #expect(responses[3]["location"] == nil && responses[3]["extension"] == nil && responses[3]["etag"] == nil)
        let issue = try #require(responses[3]["outcome"]?["issue"]?.elements.first)
        #expect(issue["code"]?.string == "required")
        #expect(issue["expression"]?.elements.map(\.string) == ["QuestionnaireResponse.authored"])
        #expect(issue["details"]?["text"]?.string?.isEmpty == false)
        // FHIR has no empty lists.
        #expect(!String(decoding: FHIRBatchResponse.document([FHIREntryAnswer]()), as: UTF8.self).contains("entry"))
    }
}
