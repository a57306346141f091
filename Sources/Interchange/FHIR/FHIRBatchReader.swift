/// What a batch may be at most.
public struct FHIRLimits: Sendable {
    /// The greatest number of bytes in a request.
    public var bytes = 8 << 20
    /// The greatest number of entries in a batch.
    public var entries = 1_000
    /// The greatest depth of objects and arrays within each other.
    public var depth = 64
    /// The greatest number of JSON values in a request, names of members among them.
    public var values = 500_000
    /// The greatest number of bytes in one resource: what an entry of a log can hold beside what else is in it.
    public var resourceBytes = 120 << 10

    /// The limits that a node has.
    public init() {}
}

/// A batch of responses, entry by entry in the order sent.
public struct FHIRBatch: Sendable {
    /// For each entry the response, or why it is not taken in.
    public let entries: [Result<QuestionnaireResponseSubmission, FHIRRefusal>]
}

/// Reads what `POST /fhir` takes: a FHIR R4 `Bundle` of type `batch` in JSON whose entries are `POST
/// QuestionnaireResponse` (Protocols/fhir.md).
public enum FHIRBatchReader {
    /// The media type of requests and answers.
    public static let mediaType = "application/fhir+json"

    /// Reads a request.
    ///
    /// One entry that is wrong does not hinder the others. Memory taken stays within a small multiple of `limits.bytes`.
    /// - Throws: ``FHIRRefusal`` where no entry can be told from another: no JSON, no Bundle, beyond the limits.
    public static func read(_ bytes: [UInt8], limits: FHIRLimits = FHIRLimits()) throws(FHIRRefusal) -> FHIRBatch {
        let document: JSONDocument
        do throws(JSONProblem) {
            document = try JSONDocument(
                bytes, limits: JSONReadingLimits(bytes: limits.bytes, depth: limits.depth, values: limits.values))
        } catch {
            let isTooLarge = error.kind == .tooLarge
            throw refusal(
                isTooLarge ? .contentTooLarge : .badRequest, isTooLarge ? .tooCostly : .structure,
                isTooLarge ? error.reason : "the request is no JSON: \(error.reason), at byte \(error.offset)",
                isTooLarge ? "send several batches" : "send JSON as in RFC 8259")
        }
        let bundle = document.root
        guard bundle["resourceType"]?.string == "Bundle" else {
            throw refusal(
                .badRequest, .structure, "the request is no Bundle", "send a Bundle of type batch", "resourceType")
        }
        guard bundle["type"]?.string == "batch" else {
            throw refusal(
                .unprocessable, .notSupported, "the Bundle is not of type batch",
                "send a batch: each response is taken in or refused alone", "Bundle.type")
        }
        if bundle["implicitRules"] != nil {
            throw refusal(
                .unprocessable, .extension,
                "the element implicitRules may change the meaning, and it is not known here",
                "leave implicitRules out", "Bundle.implicitRules")
        }
        let list = bundle["entry"]
        guard list?.isArray ?? true else {
            throw refusal(.badRequest, .structure, "the entries are no list", "send an array", "Bundle.entry")
        }
        let entries = list?.elements ?? []
        guard entries.count <= limits.entries else {
            throw refusal(
                .contentTooLarge, .tooCostly, "the batch has more than \(limits.entries) entries",
                "send several batches", "Bundle.entry")
        }
        return FHIRBatch(
            entries: entries.enumerated().map { index, entry in
                do throws(FHIRRefusal) {
                    return .success(try read(entry, index: index, limits: limits))
                } catch {
                    return .failure(error)
                }
            })
    }

    private static func read(
        _ entry: JSONValue, index: Int, limits: FHIRLimits
    ) throws(FHIRRefusal) -> QuestionnaireResponseSubmission {
        let path = "Bundle.entry[\(index)]"
        guard let request = entry["request"], request.isObject else {
            throw refusal(
                .badRequest, .required, "the request of the entry is missing",
                "send request with method POST and url QuestionnaireResponse", "\(path).request")
        }
        guard request["method"]?.string == "POST" else {
            throw refusal(
                .unprocessable, .notSupported, "the method is not POST", "send method POST", "\(path).request.method")
        }
        guard request["url"]?.string == "QuestionnaireResponse" else {
            throw refusal(
                .unprocessable, .notSupported, "the url is not QuestionnaireResponse",
                "send url QuestionnaireResponse", "\(path).request.url")
        }
        guard let resource = entry["resource"], resource.isObject else {
            throw refusal(
                .badRequest, .required, "the resource of the entry is missing", "send a QuestionnaireResponse",
                "\(path).resource")
        }
        guard resource.range.count <= limits.resourceBytes else {
            throw refusal(
                .contentTooLarge, .tooLong, "the resource has more than \(limits.resourceBytes) bytes",
                "send files and long texts outside the response", "\(path).resource")
        }
        return try QuestionnaireResponseReader.read(resource)
    }

    private static func refusal(
        _ status: FHIRStatus, _ code: OperationOutcomeCode, _ text: String, _ advice: String,
        _ expression: String? = nil
    ) -> FHIRRefusal {
        FHIRRefusal(
            status, OperationOutcome([OperationOutcomeIssue(.error, code, text, advice: advice, at: expression)]))
    }
}
