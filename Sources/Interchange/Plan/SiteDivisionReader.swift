import EventLog
public import Trial

/// Reads `sites.csv`: a header `site,node,hospital,region` and one row a location (Protocols/trial-plan.md).
public enum SiteDivisionReader {
    private static let columns = ["site", "node", "hospital", "region"]

    /// Reads a file.
    /// - Returns: the division, nil where the report has errors; and the report.
    public static func read(bytes: [UInt8], fileName: String) -> (SiteDivision?, ImportReport) {
        let (records, csvReport) = CSVReader.records(bytes: bytes, fileName: fileName)
        var problems = ProblemCollector(file: fileName)
        guard let header = records.first else {
            var report = csvReport
            problems.add(
                .error, .missingElement, at: nil, [], "the file has no rows",
                "begin it with \(columns.joined(separator: ","))")
            report.add(problems.report)
            return (nil, report)
        }
        if header.fields != columns {
            problems.add(
                .error, .invalidAttribute, at: SourcePlace(line: header.line), [],
                "the first line does not name the columns", "write \(columns.joined(separator: ","))")
        }
        var rows: [SiteDivisionRow] = []
        var lines: [LocationID: Int] = [:]
        for record in records.dropFirst() {
            guard let row = row(record, &problems) else { continue }
            if let line = lines[row.location] {
                problems.add(
                    .error, .duplicateKey, at: SourcePlace(line: record.line),
                    [ImportPathStep("site", "\(row.location)")],
                    "the site is in the file before, at line \(line)", "remove one of the rows")
            }
            lines[row.location] = record.line
            rows.append(row)
        }
        if records.count == 1 {
            problems.add(
                .error, .missingElement, at: SourcePlace(line: header.line), [], "the file has no sites", "add rows")
        }
        var report = csvReport
        report.add(problems.report)
        return (report.hasErrors ? nil : SiteDivision(rows: rows), report)
    }

    private static func row(_ record: CSVRecord, _ problems: inout ProblemCollector) -> SiteDivisionRow? {
        let place = SourcePlace(line: record.line)
        guard record.fields.count == columns.count else {
            problems.add(
                .error, .notWellFormed, at: place, [],
                "the row has \(record.fields.count) fields, not \(columns.count)",
                "put fields with commas in double quotes")
            return nil
        }
        let location = LocationID(record.fields[0])
        let node = NodeID(record.fields[1])
        for (name, isRight) in [("site", location != nil), ("node", node != nil)] where !isRight {
            problems.add(
                .error, .invalidAttribute, at: place, [], "the \(name) is no id",
                "write 1 to 63 of a-z, 0-9, '.' and '-'")
        }
        for position in [2, 3] where trimmed(record.fields[position]).isEmpty {
            problems.add(
                .error, .missingAttribute, at: place, [], "the \(columns[position]) is empty", "fill it in")
        }
        guard let location, let node else { return nil }
        return SiteDivisionRow(
            location: location, node: node, hospital: trimmed(record.fields[2]), region: trimmed(record.fields[3]))
    }
}
