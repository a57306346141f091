public import EventLog
import Foundation
import Interchange
import StoreCore
public import Trial
public import Views

/// Why a node's files cannot answer a question.
public enum OfflineNodeError: Error, CustomStringConvertible {
    /// No study of this OID or id is here.
    case unknownStudy(String, known: [String])
    /// Several studies of this OID or name are here.
    case ambiguousStudy(String, ids: [StudyID])
    /// The study's definitions are not here.
    case noDefinitions(StudyID)

    /// What was wrong and what to do.
    public var description: String {
        switch self {
        case .unknownStudy(let text, let known):
            "this node holds no study '\(text)'"
                + (known.isEmpty ? "; it holds none at all" : "; it holds \(known.joined(separator: ", "))")
        case .ambiguousStudy(let text, let ids):
            "several studies are called '\(text)': name one by its id, \(ids.map(\.description).joined(separator: " or "))"
        case .noDefinitions(let id): "the definitions of study \(id) have not come to this node yet"
        }
    }
}

/// What a node's files say, read beside the node or while it does not run. Nothing is changed.
public struct OfflineNode {
    private let directory: NodeDirectory
    let reader: StoreReader
    let configuration: NodeConfiguration
    let chain: CharterChain

    /// Opens a node's files for reading.
    ///
    /// - Throws: ``DirectoryError``, ``StoreCore/StoreError``.
    public init(directory: NodeDirectory) throws {
        self.directory = directory
        configuration = try NodeConfiguration.read(directory)
        let founding = try NodeStart.foundingChain(directory, configuration)
        reader = try StoreReader(directory: directory.path)
        chain = try NodeStart.storedChain(reader, founding: founding)
    }

    /// Checks everything that is stored: hashes, signatures, the charter chain, rights, orders and views. The node may run.
    ///
    /// - Parameters:
    ///   - workers: threads that hash; all of the machine's where none are given.
    ///   - progress: called now and then.
    /// - Throws: ``StoreCore/StoreError``, ``Views/ViewError`` where files cannot be read; what can be read and is wrong is in
    ///   the report instead.
    public func verify(
        workers: Int? = nil, progress: @escaping (AuditProgress) -> Void
    ) throws -> AuditReport {
        var audit = NodeAudit(
            directory: directory, reader: reader, chain: chain, network: configuration.network)
        return try audit.run(
            workers: workers ?? ProcessInfo.processInfo.activeProcessorCount, progress: progress)
    }

    /// Writes a study as an ODM snapshot.
    ///
    /// - Parameters:
    ///   - text: the study's OID or id.
    ///   - creationDateTime: ISO 8601.
    ///   - sink: takes the document piece by piece.
    /// - Throws: ``OfflineNodeError``, what the writer and the sink throw.
    public func exportODM(
        study text: String, creationDateTime: String? = nil, sink: @escaping ([UInt8]) throws -> Void
    ) throws -> ODMExport.Outcome {
        var state = try folded()
        let study = try self.study(text, in: state)
        guard let definition = try state.definition(of: study, core: reader)?.study, let fold = state.folds[study]
        else {
            throw OfflineNodeError.noDefinitions(study)
        }
        let now = UTCText.iso8601(milliseconds: NodeClock().now().utcMilliseconds / 1000 * 1000)
        return try ODMExport(fold: fold, definition: definition).write(
            creationDateTime: creationDateTime ?? now, sink: sink)
    }

    /// Builds the views of the stopped node anew, and puts them into service one after another.
    ///
    /// - Parameters:
    ///   - text: the study's OID or id; nil for every study.
    ///   - progress: called now and then.
    /// - Throws: ``StoreCore/StoreError/locked(_:)`` where the node runs, ``OfflineNodeError``, ``Views/ViewError``.
    public func rebuild(
        study text: String?, progress: (StudyID, RebuildProgress) -> Void
    ) throws -> [RebuildOutcome] {
        // The one writer of views is whoever holds the directory.
        let lock = try DirectoryLock(directory: directory.path)
        defer { withExtendedLifetime(lock) {} }
        var state = NodeState(chain: chain, network: configuration.network)
        try state.catchUpAuthority(reader)
        let studies = try text.map { [try study($0, in: state)] } ?? state.studyOIDs.keys.sorted()
        return try studies.compactMap { study in
            guard let context = try state.viewContext(of: study, reader) else { return nil }
            return try ViewRebuild(dataDirectory: directory.path, context: context).run { progress(study, $0) }
        }
    }

    /// Measures how fast the views of the stopped node are built anew; they are in service afterwards.
    ///
    /// - Throws: as ``rebuild(study:progress:)``.
    public func measureRebuild(progress: (String) -> Void) throws -> [RebuildBenchmarkReport] {
        let lock = try DirectoryLock(directory: directory.path)
        defer { withExtendedLifetime(lock) {} }
        var state = NodeState(chain: chain, network: configuration.network)
        try state.catchUpAuthority(reader)
        let logs = try reader.logs()
        return try state.studyOIDs.keys.sorted().compactMap { study in
            guard let context = try state.viewContext(of: study, reader) else { return nil }
            let bytes = logs.filter { $0.name.stream.study == study }.reduce(0) { $0 + Int($1.byteCount) }
            return try RebuildBenchmark.measure(
                dataDirectory: directory.path, context: context, entryBytes: bytes, progress: progress)
        }
    }

    /// The state digest of every stream, computed anew from the entries.
    public func digests() throws -> [StreamDigest] {
        var state = try folded()
        return try Set(reader.logs().map(\.name.stream)).sorted().compactMap { state.digest(of: $0) }
    }

    /// The study of an OID or id.
    ///
    /// - Throws: ``OfflineNodeError``.
    public func study(_ text: String) throws -> StudyID {
        try study(text, in: try folded())
    }

    private func folded() throws -> NodeState {
        var state = NodeState(chain: chain, network: configuration.network)
        try state.catchUp(reader)
        return state
    }

    private func study(_ text: String, in state: NodeState) throws -> StudyID {
        try OfflineNode.study(text, of: state.studyOIDs)
    }

    /// The study that an id, an OID or a name names, looked for in that order.
    ///
    /// - Parameters:
    ///   - studies: OIDs by id.
    ///   - names: names by id, where they are known.
    /// - Throws: ``OfflineNodeError``.
    public static func study(
        _ text: String, of studies: [StudyID: String], names: [StudyID: String] = [:]
    ) throws -> StudyID {
        if let id = StudyID(hex: text), studies[id] != nil { return id }
        let founded = studies.map { ($0.key, $0.value) }
        let byOID = founded.filter { $0.1 == text }.map(\.0).sorted()
        let matching = byOID.isEmpty ? names.filter { $0.value == text }.map(\.key).sorted() : byOID
        guard let study = matching.first else {
            throw OfflineNodeError.unknownStudy(text, known: founded.map(\.1).sorted())
        }
        guard matching.count == 1 else { throw OfflineNodeError.ambiguousStudy(text, ids: matching) }
        return study
    }
}
