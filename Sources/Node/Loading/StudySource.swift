import EventLog
import Foundation
public import Interchange
public import Trial

/// Why a study cannot be loaded; the report names file, line, OID and reason of every problem.
public struct StudySourceError: Error, CustomStringConvertible {
    /// What was found.
    public let report: ImportReport

    /// The report as text.
    public var description: String { report.text(atLeast: .warning) }
}

/// A study as files describe it: definitions, plan, and how its locations are divided over nodes.
public struct StudySource: Sendable {
    /// The definitions' document, exactly as it was given.
    public let document: [UInt8]
    /// What it defines.
    public let definition: StudyDefinition
    /// The plan's document.
    public let planDocument: String
    /// What it plans.
    public let plan: TrialPlan
    /// Which node hosts which location.
    public private(set) var division: SiteDivision
    /// The files of clinical data, by path.
    public let dataFiles: [String]
    /// Invented participants, by location, where there are no files.
    public var invented: [SyntheticSite] = []

    /// Reads a study's files.
    ///
    /// - Parameters:
    ///   - study: path of the definitions.
    ///   - directory: folder of `sites.csv` and of the ODM files with clinical data.
    ///   - plan: path of the plan; nil for `plan.yaml` in the folder.
    /// - Throws: ``DirectoryError`` where a file is missing, ``StudySourceError`` where one is wrong.
    public static func read(study: String, directory: String, plan: String?) throws -> StudySource {
        let document = try bytes(of: study)
        let planPath = plan ?? directory + "/plan.yaml"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw DirectoryError.missing(
                path: directory, advice: "give the folder of sites.csv, plan.yaml and the ODM files with clinical data")
        }
        let files = names.filter { $0.hasSuffix(".xml") }.sorted().map { directory + "/" + $0 }
            .filter { URL(fileURLWithPath: $0).standardizedFileURL != URL(fileURLWithPath: study).standardizedFileURL }
        return try make(
            document: document, documentName: study, plan: try bytes(of: planPath), planName: planPath,
            division: try bytes(of: directory + "/sites.csv"), divisionName: directory + "/sites.csv", dataFiles: files)
    }

    /// Puts a study together from the bytes of its files.
    ///
    /// - Throws: ``StudySourceError``.
    public static func make(
        document: [UInt8], documentName: String, plan: [UInt8], planName: String, division: [UInt8],
        divisionName: String, dataFiles: [String]
    ) throws -> StudySource {
        let (definition, definitionReport) = ODMMetadataReader.read(bytes: document, fileName: documentName)
        let (trialPlan, planReport) = TrialPlanReader.read(bytes: plan, fileName: planName)
        let (sites, sitesReport) = SiteDivisionReader.read(bytes: division, fileName: divisionName)
        var report = definitionReport
        report.add(planReport)
        report.add(sitesReport)
        guard let definition, let trialPlan, let sites, !report.hasErrors else {
            throw StudySourceError(report: report)
        }
        report.add(TrialPlanCheck.check(trialPlan, fileName: planName, definition: definition, division: sites))
        guard !report.hasErrors else { throw StudySourceError(report: report) }
        return StudySource(
            document: document, definition: definition, planDocument: String(decoding: plan, as: UTF8.self),
            plan: trialPlan, division: sites, dataFiles: dataFiles)
    }

    static func bytes(of path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DirectoryError.missing(path: path, advice: "give the path of a file that is there and can be read")
        }
        return [UInt8](data)
    }

    /// The nodes that the study needs: those of the division, with their locations, and the coordinating ones.
    public var plannedNodes: [PlannedNode] {
        StudySource.plannedNodes(division, coordinating: plan.coordinatingNodes)
    }

    static func plannedNodes(_ division: SiteDivision, coordinating: [NodeID]) -> [PlannedNode] {
        var nodes = division.nodes.map { node in
            let rows = division.locations(of: node).compactMap { division[$0] }
            return PlannedNode(
                id: node, name: hospitalName(of: rows), region: rows.first?.region,
                locations: rows.map { PlannedLocation(id: $0.location, name: $0.hospital) })
        }
        for node in coordinating where !nodes.contains(where: { $0.id == node }) {
            nodes.append(PlannedNode(id: node, name: node.text, region: nil, locations: []))
        }
        return nodes
    }

    /// The name of the hospital that a node belongs to: of its locations the first that is not marked as a satellite.
    private static func hospitalName(of rows: [SiteDivisionRow]) -> String {
        (rows.first { !$0.hospital.contains("satellite") } ?? rows.first)?.hospital ?? ""
    }
}

extension StudySource {
    /// The same with all locations at the first coordinating node: for measurements of one node.
    public func atOneNode() -> StudySource {
        guard let node = plan.coordinatingNodes.first else { return self }
        var source = self
        source.division = SiteDivision(
            rows: division.rows.map {
                SiteDivisionRow(location: $0.location, node: node, hospital: $0.hospital, region: $0.region)
            })
        return source
    }
}
