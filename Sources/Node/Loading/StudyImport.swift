public import EventLog
import Foundation
public import Interchange
import Trial

/// What an import did.
public struct ImportOutcome: Hashable, Sendable, Codable {
    /// Participants registered, now or in an earlier run.
    public var participants = 0
    /// Forms saved, now or in an earlier run.
    public var forms = 0
    /// Values in them.
    public var values = 0
    /// Commands that an earlier run had recorded.
    public var repeated = 0
    /// Commands that a node refused, one line each.
    public var refusals: [String] = []

    /// Nothing yet.
    public init() {}

    static func += (left: inout ImportOutcome, right: ImportOutcome) {
        left.participants += right.participants
        left.forms += right.forms
        left.values += right.values
        left.repeated += right.repeated
        left.refusals += right.refusals
    }
}

/// Loads ODM files into the nodes that host their locations, as a client of each node.
public struct StudyImport: Sendable {
    /// The study's id.
    public let study: StudyID
    /// The study's files.
    public let source: StudySource
    /// Every node's directory.
    public let directories: [NodeID: NodeDirectory]

    /// Prepares an import.
    public init(study: StudyID, source: StudySource, directories: [NodeID: NodeDirectory]) {
        self.study = study
        self.source = source
        self.directories = directories
    }

    /// Checks every file and loads nothing: one report for all.
    ///
    /// Beside what ``Interchange/ODMClinicalReader`` finds it is an error where no row of the division has a participant's
    /// site, and where a participant stands in two files.
    public static func check(_ source: StudySource) throws -> ImportReport {
        let reader = ODMClinicalReader(definition: source.definition)
        var report = ImportReport()
        var files: [String: String] = [:]
        for path in source.dataFiles {
            var found = ImportReport()
            let summary = try reader.read(bytes: try StudySource.bytes(of: path), fileName: path, mode: .lenient) {
                if let problem = placing($0, of: path, source.division) { found.add(problem) }
                if let other = files.updateValue(path, forKey: $0.subjectKey), other != path {
                    found.add(repeated($0, in: path, after: other))
                }
            }
            report.add(summary.report)
            report.add(found)
        }
        return report
    }

    /// What is wrong with a participant's site; nil where a node hosts it.
    private static func placing(
        _ subject: ODMSubjectData, of path: String, _ division: SiteDivision
    ) -> ImportProblem? {
        guard subject.site.flatMap({ division.location(of: $0) }) == nil else { return nil }
        return ImportProblem(
            severity: .error, kind: subject.site == nil ? .missingElement : .unknownOID, file: path,
            line: subject.line.number > 0 ? subject.line.number : nil,
            path: [
                ImportPathStep("SubjectData", subject.subjectKey), ImportPathStep("SiteRef", subject.site?.text ?? ""),
            ],
            reason: subject.site == nil
                ? "the participant has no site, so no node would hold the data" : "no row of sites.csv has this site",
            advice: "name the site of one of its rows, or add a row")
    }

    private static func repeated(_ subject: ODMSubjectData, in path: String, after other: String) -> ImportProblem {
        ImportProblem(
            severity: .error, kind: .duplicateKey, file: path,
            line: subject.line.number > 0 ? subject.line.number : nil,
            path: [ImportPathStep("SubjectData", subject.subjectKey)],
            reason: "the participant stands in \(other) too, and would be registered twice",
            advice: "put all of a participant's data into one file")
    }

    /// Loads the files; each node's part runs beside the others'.
    ///
    /// - Parameters:
    ///   - lenient: whether what is right in a file with errors is loaded.
    ///   - onForm: called for every form recorded.
    /// - Throws: ``LocalClientError`` where a node stays away.
    public func run(lenient: Bool = false, onForm: @escaping @Sendable () -> Void = {}) async throws -> ImportOutcome {
        var batches: [NodeID: [Batch]] = [:]
        var taken: Set<String> = []
        for path in source.dataFiles {
            let (locations, subjects) = try outline(of: path)
            // A file belongs to the locations of its participants; most hold one.
            for location in locations.sorted() {
                guard let node = source.division[location]?.node else { continue }
                batches[node, default: []].append(
                    Batch(location: location, content: .file(path, except: taken.intersection(subjects))))
            }
            taken.formUnion(subjects)
        }
        for site in source.invented {
            guard let node = source.division[site.location]?.node else { continue }
            batches[node, default: []].append(Batch(location: site.location, content: .invented(site.clinicalData)))
        }
        return try await withThrowingTaskGroup(of: ImportOutcome.self) { group in
            for (node, parts) in batches {
                guard let directory = directories[node] else { continue }
                group.addTask {
                    var outcome = ImportOutcome()
                    for batch in parts {
                        outcome += try await load(batch, into: directory, lenient: lenient, onForm: onForm)
                    }
                    return outcome
                }
            }
            var total = ImportOutcome()
            for try await outcome in group { total += outcome }
            return total
        }
    }

    /// What is loaded in one go: the participants of one location.
    private struct Batch {
        enum Content {
            /// A file, without the participants that an earlier one had.
            case file(String, except: Set<String>)
            case invented(ODMClinicalData)
        }

        let location: LocationID
        let content: Content

        /// What a person calls it.
        var name: String {
            switch content {
            case .file(let path, _): path
            case .invented: "invented participants of \(location)"
            }
        }
    }

    /// The locations and the participants of a file.
    private func outline(of path: String) throws -> (locations: Set<LocationID>, subjects: Set<String>) {
        var locations: Set<LocationID> = []
        var subjects: Set<String> = []
        let reader = ODMClinicalReader(definition: nil)
        _ = try reader.read(bytes: try StudySource.bytes(of: path), fileName: path, mode: .lenient) { subject in
            subjects.insert(subject.subjectKey)
            if let location = location(of: subject) { locations.insert(location) }
        }
        return (locations, subjects)
    }

    private func location(of subject: ODMSubjectData) -> LocationID? {
        subject.site.flatMap { source.division.location(of: $0) }
    }

    /// The commands that load a batch, in order.
    private func commands(of batch: Batch, lenient: Bool) throws -> [Command] {
        func converter(_ file: Hash) -> ImportCommands {
            ImportCommands(
                study: study, file: file, definition: source.definition, plan: source.plan,
                sender: StudySetup.importSender(for: source.document))
        }
        switch batch.content {
        case .invented(let data):
            let commands = converter(.sha256([UInt8]("invented participants of \(batch.location)".utf8)))
            return data.subjects.flatMap { commands.commands(for: $0, at: batch.location) }
        case .file(let path, let others):
            let bytes = try StudySource.bytes(of: path)
            let commands = converter(.sha256(bytes))
            var list: [Command] = []
            _ = try ODMClinicalReader(definition: source.definition).read(
                bytes: bytes, fileName: path, mode: lenient ? .lenient : .strict
            ) { subject in
                guard location(of: subject) == batch.location, !others.contains(subject.subjectKey) else { return }
                list += commands.commands(for: subject, at: batch.location)
            }
            return list
        }
    }

    private func load(
        _ batch: Batch, into directory: NodeDirectory, lenient: Bool, onForm: @escaping @Sendable () -> Void
    ) async throws -> ImportOutcome {
        let list = try commands(of: batch, lenient: lenient)
        guard let first = list.first else { return ImportOutcome() }
        let conversation = NodeConversation(directory: directory)
        // The first waits until definitions, participation and delegation have come to the node.
        let registered = try await conversation.insist(first) { refusal in
            switch refusal {
            case .unknownStudy, .locationNotOpen, .notDelegated, .noDefinitions: true
            default: false
            }
        }
        var outcome = ImportOutcome()
        count(first, .recorded(registered), of: batch, in: &outcome)
        let rest = Array(list.dropFirst())
        try await conversation.perform(rest) { place, answer in
            count(rest[place], answer, of: batch, in: &outcome)
            if case .save = rest[place].request { onForm() }
        }
        return outcome
    }

    private func count(
        _ command: Command, _ answer: CommandOutcome, of batch: Batch, in outcome: inout ImportOutcome
    ) {
        switch answer {
        case .refused(let refusal):
            let form = command.provenance.origin.map { ", form \($0.position)" } ?? ""
            outcome.refusals.append("\(batch.name)\(form): \(refusal.explanation)")
        case .recorded(let receipt):
            if receipt.isRepeated { outcome.repeated += 1 }
            switch command.request {
            case .register: outcome.participants += 1
            case .save(let entry):
                outcome.forms += 1
                outcome.values += entry.groups.reduce(0) { $0 + $1.items.count }
            default: break
            }
        }
    }
}
