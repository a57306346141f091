/// Where in a file something stands.
struct SourcePlace {
    var line: Int
    var column: Int?

    init(line: Int, column: Int? = nil) {
        self.line = line
        self.column = column
    }

    init(_ tag: XMLStartTag) { self.init(line: tag.line, column: tag.column) }
    init(_ node: XMLElementNode) { self.init(line: node.line, column: node.column) }
}

/// Gathers the problems of one file.
struct ProblemCollector {
    let file: String
    private(set) var report = ImportReport()
    private var notLoaded: [String: (place: SourcePlace, count: Int)] = [:]
    private var notLoadedOrder: [String] = []

    init(file: String) {
        self.file = file
    }

    mutating func add(
        _ severity: ImportSeverity, _ kind: ImportProblemKind, at place: SourcePlace?, _ path: [ImportPathStep],
        _ reason: String, _ advice: String
    ) {
        report.add(
            ImportProblem(
                severity: severity, kind: kind, file: file, line: place?.line, column: place?.column, path: path,
                reason: reason, advice: advice))
    }

    /// Counts a thing that is understood and not loaded; ``finish(_:path:)`` says it once.
    mutating func countNotLoaded(_ what: String, at place: SourcePlace) {
        if notLoaded[what] == nil {
            notLoadedOrder.append(what)
            notLoaded[what] = (place, 0)
        }
        notLoaded[what]?.count += 1
    }

    /// Adds what was counted, and what the XML reader found.
    mutating func finish(_ outcome: XMLOutcome, path: [ImportPathStep]) {
        for what in notLoadedOrder {
            guard let (place, count) = notLoaded[what] else { continue }
            add(
                .warning, .notLoaded, at: place, [],
                "\(what) is not loaded (\(count) in the file, the first here)", "keep the original file")
        }
        for namespace in outcome.foreignNamespaces {
            add(
                .information, .foreignNamespace, at: SourcePlace(line: namespace.line, column: namespace.column), [],
                "namespace '\(shownOID(namespace.uri))' is kept in the original file and not understood",
                "nothing needs to be done")
        }
        if let fault = outcome.fault {
            add(
                .error, fault.kind, at: SourcePlace(line: fault.line, column: fault.column), path, fault.reason,
                fault.advice)
        }
    }
}
