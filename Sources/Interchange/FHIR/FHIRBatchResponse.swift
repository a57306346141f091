import EventLog
import Foundation

/// What became of one entry of a batch.
public struct FHIREntryAnswer: Hashable, Sendable {
    /// The HTTP status.
    public let status: FHIRStatus
    /// The receipt, 64 hexadecimal digits; nil where nothing was taken in.
    public let receipt: String?
    /// What there is to say; nil for nothing.
    public let outcome: OperationOutcome?

    private init(_ status: FHIRStatus, receipt: String?, outcome: OperationOutcome?) {
        self.status = status
        self.receipt = receipt
        self.outcome = outcome
    }

    /// A response that is durable, the first of its identifier.
    public static func created(receipt: String, issues: [OperationOutcomeIssue] = []) -> FHIREntryAnswer {
        FHIREntryAnswer(.created, receipt: receipt, outcome: issues.isEmpty ? nil : OperationOutcome(issues))
    }

    /// A response that is durable, a version of one that was here.
    public static func version(receipt: String, issues: [OperationOutcomeIssue] = []) -> FHIREntryAnswer {
        FHIREntryAnswer(.ok, receipt: receipt, outcome: issues.isEmpty ? nil : OperationOutcome(issues))
    }

    /// A second completed response with other bytes under one identifier: durable, a finding, and answered as a conflict.
    public static func anotherCompleted(receipt: String, issues: [OperationOutcomeIssue] = []) -> FHIREntryAnswer {
        let conflict = OperationOutcomeIssue(
            .error, .conflict, "another completed response with this identifier is here; this one is kept beside it",
            advice: "send the right one with status amended, or the wrong one with status entered-in-error",
            at: "QuestionnaireResponse.identifier")
        return FHIREntryAnswer(.conflict, receipt: receipt, outcome: OperationOutcome([conflict] + issues))
    }

    /// A response that was not taken in.
    public static func refused(_ refusal: FHIRRefusal) -> FHIREntryAnswer {
        FHIREntryAnswer(refusal.status, receipt: nil, outcome: refusal.outcome)
    }
}

/// Writes what `POST /fhir` answers, in FHIR JSON (Protocols/fhir.md, "Answer").
public enum FHIRBatchResponse {
    /// The system of receipts.
    public static let receiptSystem = "https://varde.no/fhir/sid/receipt"
    /// The extension that holds the receipt.
    public static let receiptExtension = "https://varde.no/fhir/StructureDefinition/receipt"

    /// A `Bundle` of type `batch-response`, one entry for each of the batch, in its order.
    public static func document(_ answers: [FHIREntryAnswer]) -> [UInt8] {
        encode(BundleJSON(entry: answers.map { EntryJSON(response: ResponseJSON($0)) }))
    }

    /// An `OperationOutcome` alone, for a request that is refused as a whole.
    public static func document(_ outcome: OperationOutcome) -> [UInt8] {
        encode(OutcomeJSON(outcome))
    }

    private static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Objects, lists, text and numbers always encode.
        guard let data = try? encoder.encode(value) else { preconditionFailure("an answer does not encode") }
        return [UInt8](data)
    }
}

private struct BundleJSON: Encodable {
    let resourceType = "Bundle"
    let type = "batch-response"
    // FHIR has no empty lists.
    let entry: [EntryJSON]?

    init(entry: [EntryJSON]) {
        self.entry = entry.isEmpty ? nil : entry
    }
}

private struct EntryJSON: Encodable {
    let response: ResponseJSON
}

private struct ResponseJSON: Encodable {
    struct ReceiptJSON: Encodable {
        struct IdentifierJSON: Encodable {
            let system = FHIRBatchResponse.receiptSystem
            let value: String
        }

        let url = FHIRBatchResponse.receiptExtension
        let valueIdentifier: IdentifierJSON
    }

    let status: String
    let location: String?
    let etag: String?
    let `extension`: [ReceiptJSON]?
    let outcome: OutcomeJSON?

    init(_ answer: FHIREntryAnswer) {
        status = answer.status.text
        location = answer.receipt.map { "QuestionnaireResponse/\($0)" }
        etag = answer.receipt.map { "W/\"\($0)\"" }
        self.extension = answer.receipt.map { [ReceiptJSON(valueIdentifier: ReceiptJSON.IdentifierJSON(value: $0))] }
        outcome = answer.outcome.map(OutcomeJSON.init)
    }
}

private struct OutcomeJSON: Encodable {
    struct IssueJSON: Encodable {
        struct DetailsJSON: Encodable {
            let text: String
        }

        let severity: OperationOutcomeSeverity
        let code: OperationOutcomeCode
        let details: DetailsJSON
        let diagnostics: String?
        let expression: [String]?
    }

    let resourceType = "OperationOutcome"
    let issue: [IssueJSON]

    init(_ outcome: OperationOutcome) {
        issue = outcome.issues.map {
            IssueJSON(
                severity: $0.severity, code: $0.code, details: IssueJSON.DetailsJSON(text: $0.text),
                diagnostics: $0.advice, expression: $0.expression.map { [$0] })
        }
    }
}
