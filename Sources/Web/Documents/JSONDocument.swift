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
    static func read<Value: Codable>(_ type: Value.Type, from request: Request) async throws -> Value {
        let bytes = try await request.content(ofType: ["application/json"])
        do {
            let value = try JSONDecoder().decode(type, from: Data(bytes))
            // A misspelt member would else be lost, and whoever sent it told that all was recorded.
            if let unknown = try unknownMember(of: Data(bytes), readAs: value) {
                throw Problem.badRequest(
                    "'\(unknown)' is no member that is taken here",
                    action: "Protocols/openapi.yaml says what belongs there; nothing was recorded")
            }
            return value
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            throw Problem.badRequest(sentence(error), action: "Protocols/openapi.yaml says what belongs there")
        } catch {
            throw Problem.badRequest("the body is not JSON")
        }
    }

    /// A member of what was sent that reading it passed over, by its path; nil where there is none.
    private static func unknownMember(of sent: Data, readAs value: some Encodable) throws -> String? {
        func find(_ sent: Any, _ read: Any, _ path: String) -> String? {
            switch (sent, read) {
            case (let sent as [String: Any], let read as [String: Any]):
                for (name, member) in sent.sorted(by: { $0.key < $1.key }) {
                    // At most so much of a foreign name is repeated.
                    let path = (path.isEmpty ? "" : path + ".") + name.prefix(64)
                    guard let other = read[name] else {
                        if member is NSNull { continue }
                        return path
                    }
                    if let found = find(member, other, path) { return found }
                }
                return nil
            case (let sent as [Any], let read as [Any]):
                for (place, pair) in zip(sent, read).enumerated() {
                    if let found = find(pair.0, pair.1, path + ".\(place)") { return found }
                }
                return nil
            default: return nil
            }
        }
        return find(
            try JSONSerialization.jsonObject(with: sent, options: .fragmentsAllowed),
            try JSONSerialization.jsonObject(with: try encoder().encode(value), options: .fragmentsAllowed), "")
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
