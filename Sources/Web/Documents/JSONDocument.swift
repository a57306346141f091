import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Reading and writing of JSON.
enum JSONDocument {
    /// Sorted keys, so that equal answers have equal bytes.
    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// A response that holds `value`.
    static func response(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        let bytes = try encoder().encode(value)
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Reads a request's body.
    ///
    /// - Throws: ``Problem`` that names the member, never what it holds.
    static func read<Value: Decodable>(_ type: Value.Type, from request: Request) async throws -> Value {
        let bytes = try await request.content(ofType: ["application/json"])
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw Problem.badRequest(sentence(error), action: "Protocols/openapi.yaml says what belongs there")
        } catch {
            throw Problem.badRequest("the body is not JSON")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            let keys = context.codingPath + [last].compactMap { $0 }
            return keys.isEmpty
                ? "the body"
                : "'" + keys.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".") + "'"
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context, key)) is missing"
        case .valueNotFound(_, let context): return "\(path(context)) is empty"
        case .typeMismatch(_, let context): return "\(path(context)) is of another type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty ? "the body is not JSON" : "\(path(context)) cannot be read"
        @unknown default: return "the body cannot be read"
        }
    }
}
