import Foundation

/// Everything that was found about the files of one import.
///
/// Invariants:
/// - the counts are of all problems, also of those beyond ``maximumProblems`` that are not kept;
/// - of the problems found, the first ones are kept, in the order they were found.
public struct ImportReport: Codable, Hashable, Sendable {
    /// The problems.
    public private(set) var problems: [ImportProblem] = []
    /// The number of errors.
    public private(set) var errorCount = 0
    /// The number of warnings.
    public private(set) var warningCount = 0
    /// The number of things worth knowing.
    public private(set) var informationCount = 0

    /// The greatest number of problems kept; further ones are only counted.
    public static let maximumProblems = 10_000

    /// Starts an empty report.
    public init() {}

    /// Whether anything is wrong: nothing may be loaded, unless leniently, and a command exits with failure.
    public var hasErrors: Bool { errorCount > 0 }

    /// The number of problems that were counted and not kept.
    public var omittedCount: Int { errorCount + warningCount + informationCount - problems.count }

    /// Adds a problem.
    public mutating func add(_ problem: ImportProblem) {
        switch problem.severity {
        case .error: errorCount += 1
        case .warning: warningCount += 1
        case .information: informationCount += 1
        }
        if problems.count < ImportReport.maximumProblems { problems.append(problem) }
    }

    /// Adds everything that another report found.
    public mutating func add(_ other: ImportReport) {
        errorCount += other.errorCount
        warningCount += other.warningCount
        informationCount += other.informationCount
        problems += other.problems.prefix(max(ImportReport.maximumProblems - problems.count, 0))
    }

    /// One line a problem in the order they were found, then a line that counts them.
    /// - Parameter least: problems of lesser severity are only counted.
    public func text(atLeast least: ImportSeverity = .information) -> String {
        var lines = problems.filter { $0.severity >= least }.map(\.text)
        if omittedCount > 0 { lines.append("\(omittedCount) further problems are not listed") }
        lines.append(summary)
        return lines.joined(separator: "\n")
    }

    /// The counts in words.
    public var summary: String {
        func count(_ number: Int, _ one: String, _ many: String) -> String { "\(number) \(number == 1 ? one : many)" }
        return [
            count(errorCount, "error", "errors"), count(warningCount, "warning", "warnings"),
            count(informationCount, "note", "notes"),
        ].joined(separator: ", ")
    }

    /// The report as a JSON object with sorted keys.
    public func json() -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        // Strings and numbers always encode.
        guard let data = try? encoder.encode(self) else { preconditionFailure("a report does not encode") }
        return String(decoding: data, as: UTF8.self)
    }
}
