import Trial
import Yams

/// Takes values out of YAML and reports, with line and key, what is not of its kind.
struct PlanFields {
    var problems: ProblemCollector

    init(file: String) {
        problems = ProblemCollector(file: file)
    }

    mutating func error(
        _ kind: ImportProblemKind, _ place: SourcePlace?, _ path: [ImportPathStep], _ reason: String, _ advice: String
    ) {
        problems.add(.error, kind, at: place, path, reason, advice)
    }

    func place(_ node: Node?) -> SourcePlace? {
        (node?.mark).map { SourcePlace(line: $0.line, column: $0.column) }
    }

    /// The entries of a mapping, whose keys all have to be known.
    mutating func mapping(_ node: Node, known: [String], _ path: [ImportPathStep]) -> [String: Node]? {
        guard case .mapping(let mapping) = node else {
            error(.invalidAttribute, place(node), path, "keys with values are expected here", "write key: value lines")
            return nil
        }
        var entries: [String: Node] = [:]
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key, known.contains(scalar.string) else {
                error(
                    .unknownKey, place(key), path, "the key \(shownOID(key.string ?? "")) is not known",
                    "use one of \(known.joined(separator: ", "))")
                continue
            }
            entries[scalar.string] = value
        }
        return entries
    }

    /// The entries of a mapping whose keys are the plan's own words, in the order of the file.
    mutating func entries(_ node: Node, _ path: [ImportPathStep]) -> [(key: String, value: Node)] {
        guard case .mapping(let mapping) = node else {
            error(.invalidAttribute, place(node), path, "keys with values are expected here", "write key: value lines")
            return []
        }
        var found: [(key: String, value: Node)] = []
        for (key, value) in mapping {
            if let text = text(key, path) { found.append((text, value)) }
        }
        return found
    }

    /// The value of a key that has to be there.
    mutating func required(_ map: [String: Node], _ key: String, _ path: [ImportPathStep]) -> Node? {
        if let node = map[key] { return node }
        let line = map.values.compactMap { $0.mark?.line }.min()
        error(
            .missingAttribute, line.map { SourcePlace(line: $0) }, path, "the key \(key) is absent", "add \(key)")
        return nil
    }

    /// The entries of a sequence.
    mutating func sequence(_ node: Node, _ path: [ImportPathStep]) -> [Node] {
        guard case .sequence(let sequence) = node else {
            error(
                .invalidAttribute, place(node), path, "a list is expected here", "write - before each entry, or [a, b]")
            return []
        }
        return Array(sequence)
    }

    /// Text that is not empty. A number or date is text as it is written.
    mutating func text(_ node: Node, _ path: [ImportPathStep]) -> String? {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            error(.invalidAttribute, place(node), path, "text is expected here", "write one value")
            return nil
        }
        return scalar.string
    }

    mutating func number(
        _ node: Node, _ path: [ImportPathStep], in range: ClosedRange<Int> = 0...1_000_000_000
    ) -> Int? {
        guard let text = text(node, path) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            error(
                .wrongType, place(node), path,
                "'\(shownOID(text))' is no whole number from \(range.lowerBound) to \(range.upperBound)",
                "write a number")
            return nil
        }
        return number
    }

    mutating func boolean(_ node: Node, _ path: [ImportPathStep]) -> Bool? {
        guard let text = text(node, path) else { return nil }
        guard text == "true" || text == "false" else {
            error(.wrongType, place(node), path, "'\(shownOID(text))' is neither true nor false", "write one of them")
            return nil
        }
        return text == "true"
    }

    mutating func date(_ node: Node, _ path: [ImportPathStep]) -> CalendarDate? {
        guard let text = text(node, path) else { return nil }
        guard let date = CalendarDate(text) else {
            error(.wrongType, place(node), path, "'\(shownOID(text))' is no date", "write it as YYYY-MM-DD")
            return nil
        }
        return date
    }

    mutating func choice<Choice>(
        _ node: Node, _ path: [ImportPathStep], _ choices: [Choice], _ name: (Choice) -> String
    ) -> Choice? {
        guard let text = text(node, path) else { return nil }
        if let found = choices.first(where: { name($0) == text }) { return found }
        error(
            .invalidAttribute, place(node), path, "'\(shownOID(text))' is not known",
            "write one of \(choices.map(name).joined(separator: ", "))")
        return nil
    }

    /// An id out of `[a-z0-9.-]{1,63}`.
    mutating func label<Label>(
        _ node: Node, _ path: [ImportPathStep], _ make: (String) -> Label?
    ) -> Label? {
        guard let text = text(node, path) else { return nil }
        if let label = make(text) { return label }
        error(
            .invalidAttribute, place(node), path, "'\(shownOID(text))' is no id",
            "write 1 to 63 of a-z, 0-9, '.' and '-'")
        return nil
    }

    /// A list of ids.
    mutating func labels<Label>(
        _ node: Node, _ path: [ImportPathStep], _ make: (String) -> Label?
    ) -> [Label] {
        sequence(node, path).compactMap { label($0, path, make) }
    }
}
