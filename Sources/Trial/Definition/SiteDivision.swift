public import EventLog

/// A hospital or department where data are entered, and the node that hosts it.
public struct SiteDivisionRow: Hashable, Sendable {
    /// The location.
    public let location: LocationID
    /// The node that hosts it.
    public let node: NodeID
    /// The hospital's name.
    public let hospital: String
    /// The region.
    public let region: String

    /// States a row.
    public init(location: LocationID, node: NodeID, hospital: String, region: String) {
        self.location = location
        self.node = node
        self.hospital = hospital
        self.region = region
    }
}

/// How a trial's locations are divided over nodes and regions (`sites.csv`, Protocols/trial-plan.md).
///
/// Invariants:
/// - `positions` maps every row's location to its index; locations are distinct.
public struct SiteDivision: Hashable, Sendable {
    /// The rows in the order of the file.
    public let rows: [SiteDivisionRow]
    private let positions: [LocationID: Int]

    /// Takes rows in their order; of equal locations the first is kept.
    public init(rows: [SiteDivisionRow]) {
        var kept: [SiteDivisionRow] = []
        var positions: [LocationID: Int] = [:]
        for row in rows where positions[row.location] == nil {
            positions[row.location] = kept.count
            kept.append(row)
        }
        self.rows = kept
        self.positions = positions
    }

    /// The row of a location.
    /// - Complexity: O(1).
    public subscript(location: LocationID) -> SiteDivisionRow? {
        positions[location].map { rows[$0] }
    }

    /// The nodes, each once, in the order of the file.
    public var nodes: [NodeID] {
        var seen: Set<NodeID> = []
        return rows.map(\.node).filter { seen.insert($0).inserted }
    }

    /// The locations that a node hosts, in the order of the file.
    public func locations(of node: NodeID) -> [LocationID] {
        rows.filter { $0.node == node }.map(\.location)
    }

    /// The location that an ODM file's LocationOID stands for: the one of the same text (letters compared without case),
    /// else the one after the last `.`, `_`, `:` or `/` of the OID, so that `SITE.701` is location `701`.
    public func location(of oid: LocationOID) -> LocationID? {
        let text = oid.text.lowercased()
        if let exact = LocationID(text), positions[exact] != nil { return exact }
        for separator in [".", "_", ":", "/"] as [Character] {
            guard let last = text.lastIndex(of: separator) else { continue }
            if let tail = LocationID(String(text[text.index(after: last)...])), positions[tail] != nil { return tail }
        }
        return nil
    }
}
