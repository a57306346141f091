import Foundation
import Yams

/// `Protocols/openapi.yaml`, as far as the tests hold answers against it.
struct PublishedContract {
    private let document: JSON

    init() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: package.appending(path: "Protocols/openapi.yaml"), encoding: .utf8)
        document = try YAMLDecoder().decode(JSON.self, from: text)
    }

    /// Every method and path of the file.
    var routes: [String] {
        (document["paths"]?.members ?? [:]).flatMap { path, operations in
            operations.members.keys.filter { ["get", "post", "put", "delete", "patch", "head"].contains($0) }
                .map { "\($0.uppercased()) \(path)" }
        }.sorted()
    }

    /// What contradicts the schema of an answer: empty where nothing does.
    ///
    /// - Parameters:
    ///   - route: as in ``routes``.
    ///   - status: the answer's status.
    func faults(_ answer: JSON, of route: String, status: Int) -> [String] {
        let pieces = route.split(separator: " ")
        let operation = document["paths"]?[String(pieces[1])]?[pieces[0].lowercased()]
        guard let responses = operation?["responses"],
            let response = responses["\(status)"] ?? responses["default"]
        else { return ["\(route) has no answer of status \(status)"] }
        let content = resolved(response)["content"]?.members ?? [:]
        guard let schema = content.first(where: { $0.key.hasSuffix("json") })?.value["schema"] else {
            return ["\(route) has no JSON answer of status \(status)"]
        }
        return faults(answer, schema, "answer")
    }

    /// What contradicts one of the schemas.
    func faults(_ value: JSON, schema name: String) -> [String] {
        faults(value, .object(["$ref": .string("#/components/schemas/\(name)")]), name)
    }

    /// References that lead nowhere.
    var brokenReferences: [String] {
        func collect(_ value: JSON) -> [String] {
            switch value {
            case .object(let members):
                if let reference = members["$ref"]?.text, found(reference) == nil { return [reference] }
                return members.values.flatMap(collect)
            case .array(let elements): return elements.flatMap(collect)
            default: return []
            }
        }
        return collect(document)
    }

    private func found(_ reference: String) -> JSON? {
        reference.split(separator: "/").dropFirst().reduce(document as JSON?) { $0?[String($1)] }
    }

    private func resolved(_ value: JSON) -> JSON {
        guard let reference = value["$ref"]?.text else { return value }
        return found(reference) ?? .null
    }

    private func faults(_ value: JSON, _ unresolved: JSON, _ place: String) -> [String] {
        let schema = resolved(unresolved)
        switch (schema["type"]?.text, value) {
        case ("object", .object(let members)): return faults(members, schema, place)
        case ("array", .array(let elements)):
            guard let items = schema["items"] else { return [] }
            return elements.enumerated().flatMap { faults($1, items, "\(place)[\($0)]") }
        case ("string", .string(let text)):
            if let allowed = schema["enum"]?.elements, !allowed.contains(value) { return ["\(place): '\(text)'"] }
            if let pattern = schema["pattern"]?.text, text.range(of: pattern, options: .regularExpression) == nil {
                return ["\(place): '\(text)' does not match \(pattern)"]
            }
            return []
        case ("integer", .number(let number)): return number == number.rounded() ? [] : ["\(place): not whole"]
        case ("number", .number), ("boolean", .boolean), (nil, _): return []
        default: return ["\(place) is of another type than \(schema["type"]?.text ?? "any")"]
        }
    }

    private func faults(_ members: [String: JSON], _ schema: JSON, _ place: String) -> [String] {
        let properties = schema["properties"]?.members ?? [:]
        var faults = (schema["required"]?.elements ?? []).compactMap(\.text).filter { members[$0] == nil }
            .map { "\(place).\($0) is missing" }
        for (name, value) in members {
            if let property = properties[name] {
                faults += self.faults(value, property, "\(place).\(name)")
            } else if schema["additionalProperties"] == .boolean(false) {
                faults.append("\(place).\(name) is not described")
            }
        }
        return faults
    }
}
