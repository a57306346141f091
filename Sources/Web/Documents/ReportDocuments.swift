import EventLog
import Node
import Trial
import Views

/// How the locations of a study stand.
struct MonitoringDocument: Codable {
    /// Whether everything that had come to this node is counted.
    var isCurrent: Bool
    var locations: [MonitoringRow]
}

/// How a study site stands against its target.
struct RegionalDocument: Codable {
    /// Whether everything that had come to this node is counted.
    var isCurrent: Bool
    var report: RegionalReport
}
