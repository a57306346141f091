import EventLog
import StoreCore

/// A table that holds what belongs to no participant: it has few rows, and all of them are in the digest.
enum StudyTable: String, CaseIterable {
    case studySite = "study_site"
    case location
    case writer
    case item
    case code

    /// What its rows come to: of each, SHA-256 over the table's name and each column's name and value.
    func digest(_ connection: Connection) throws(DatabaseFailure) -> ViewDigest {
        var sum = ViewDigest()
        let row = try connection.cached("SELECT * FROM \(rawValue)")
        defer { row.reset() }
        while try row.step() {
            var writer = WireWriter(capacity: 256)
            writer.string(1, "varde/view/row/0")
            writer.string(2, rawValue)
            for column in 0..<row.columnCount {
                writer.message(3) { inner in
                    inner.string(1, row.columnName(column))
                    // A number differs from a text of the same digits, and NULL from an empty text.
                    inner.unsigned(2, UInt64(row.type(column)))
                    inner.string(3, row.text(column))
                }
            }
            sum.add(.sha256(writer.bytes))
        }
        return sum
    }
}
