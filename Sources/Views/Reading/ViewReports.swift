public import EventLog
import StoreCore
import Trial

/// How one location stands, for a monitor.
public struct MonitoringRow: Hashable, Sendable, Codable {
    /// The study site; nil for a location of none.
    public var studySite: StudySiteID?
    /// The location.
    public var location: LocationID
    /// Its name.
    public var name: String
    /// Whether anything of the location's stream is at this node; where not, the figures say nothing.
    public var isHere: Bool
    /// Participants that were screened, included, or failed screening.
    public var screened: Int
    /// Included.
    public var included: Int
    /// Failed screening.
    public var screenFailures: Int
    /// Forms with a value.
    public var forms: Int
    /// Items with a current value.
    public var values: Int
    /// Items in conflict.
    public var conflicts: Int
    /// Entries that a person should look at.
    public var findings: Int
    /// Planned visits whose window is over today (UTC) and of which nothing was entered.
    public var visitsOverdue: Int
    /// The newest entry, UTC; nil where nothing was entered.
    public var lastEntry: String?
    /// Whole days since then; nil where nothing was entered.
    public var daysSinceLastEntry: Int?
}

/// A regional study site's recruitment against its one target.
public struct RegionalReport: Hashable, Sendable, Codable {
    /// One location's part.
    public struct LocationPart: Hashable, Sendable, Codable {
        /// The location.
        public var location: LocationID
        /// Its name.
        public var name: String
        /// Screened there.
        public var screened: Int
        /// Included there.
        public var included: Int
        /// Screen failures there.
        public var screenFailures: Int
    }

    /// Forms of participants included at one location, by where they were performed.
    public struct Performed: Hashable, Sendable, Codable {
        /// Where the participant belongs.
        public var includedAt: LocationID
        /// Where the forms were performed: a location, or the text that the entry gave.
        public var performedAt: String
        /// Participants concerned.
        public var participants: Int
        /// Forms.
        public var forms: Int
    }

    /// A node of the site.
    public struct Member: Hashable, Sendable, Codable {
        /// The node.
        public var node: NodeID
        /// The node's own clock at its newest entry that is here, milliseconds since 1970-01-01T00:00:00Z; nil where it has
        /// written none.
        public var newestEntryUTCMilliseconds: Int64?
        /// When this node last heard from it, as replication knows it; nil where that is not known.
        public var lastHeardUTCMilliseconds: Int64?
    }

    /// The study site.
    public var studySite: StudySiteID
    /// Its name.
    public var name: String
    /// Whether its locations run the trial as one.
    public var isRegional: Bool
    /// Participants to include; nil where none is planned.
    public var target: Int?
    /// Screened at all locations.
    public var screened: Int
    /// Included at all locations.
    public var included: Int
    /// Screen failures at all locations.
    public var screenFailures: Int
    /// Each location's part.
    public var locations: [LocationPart]
    /// Where forms were performed.
    public var performed: [Performed]
    /// As of when each node of the site is known.
    public var members: [Member]
}

extension ViewReader {
    /// How every location stands.
    public func monitoring() throws -> [MonitoringRow] {
        try rows(
            """
            SELECT study_site, location, location_name, screened, included, screen_failures, forms, item_values,
                conflicts, findings, last_entry, days_since_last_entry, visits_overdue,
                is_here FROM monitoring
            """
        ) { row in
            MonitoringRow(
                studySite: row.optionalText(0).map { StudySiteID(unchecked: $0) },
                location: LocationID(unchecked: row.text(1)), name: row.text(2), isHere: row.int64(13) != 0,
                screened: Int(row.int64(3)), included: Int(row.int64(4)), screenFailures: Int(row.int64(5)),
                forms: Int(row.int64(6)),
                values: Int(row.int64(7)), conflicts: Int(row.int64(8)), findings: Int(row.int64(9)),
                visitsOverdue: Int(row.int64(12)), lastEntry: row.optionalText(10),
                daysSinceLastEntry: row.optionalNumber(11).map { Int($0) })
        }
    }

    /// How a study site stands against its target; nil where the participation names no such site.
    ///
    /// - Parameter lastHeard: when each node was last heard from, as replication knows it.
    public func regional(_ site: StudySiteID, lastHeard: [NodeID: Int64] = [:]) throws -> RegionalReport? {
        var found = try rows(
            """
            SELECT name, is_regional, target, screened, included, screen_failures FROM regional WHERE study_site = ?1
            """, [site.text]
        ) { row in
            RegionalReport(
                studySite: site, name: row.text(0), isRegional: row.int64(1) != 0,
                target: row.optionalNumber(2).map { Int($0) }, screened: Int(row.int64(3)),
                included: Int(row.int64(4)), screenFailures: Int(row.int64(5)), locations: [], performed: [],
                members: [])
        }
        guard !found.isEmpty else { return nil }
        found[0].locations = try monitoring().filter { $0.studySite == site }.map {
            RegionalReport.LocationPart(
                location: $0.location, name: $0.name, screened: $0.screened, included: $0.included,
                screenFailures: $0.screenFailures)
        }
        found[0].performed = try rows(
            """
            SELECT included_at, performed_at, participants, forms FROM regional_performed WHERE study_site = ?1
            ORDER BY included_at, performed_at
            """, [site.text]
        ) { row in
            RegionalReport.Performed(
                includedAt: LocationID(unchecked: row.text(0)), performedAt: row.text(1),
                participants: Int(row.int64(2)), forms: Int(row.int64(3)))
        }
        found[0].members = try rows(
            "SELECT node, newest_entry_utc_ms FROM regional_member WHERE study_site = ?1 ORDER BY node", [site.text]
        ) { row in
            let node = NodeID(unchecked: row.text(0))
            return RegionalReport.Member(
                node: node, newestEntryUTCMilliseconds: row.optionalNumber(1), lastHeardUTCMilliseconds: lastHeard[node]
            )
        }
        return found[0]
    }
}
