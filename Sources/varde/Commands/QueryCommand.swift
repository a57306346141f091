import ArgumentParser
import EventLog
import Foundation
import Node
import Views

/// `varde query`.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask a node's views with SQL.",
        discussion: """
            Reads the generation in service, safely while the node runs, and refuses everything that is no query. The \
            tables and views are described in Protocols/views.md; 'SELECT name, sql FROM sqlite_schema' lists them. \
            Prints values of participants: for the eyes of those who may see them.

            Example:
              varde query "SELECT * FROM monitoring" --dir network/norcrin
              varde query "SELECT * FROM regional" --dir network/norcrin --study CDISCPILOT01
              varde query "SELECT label, item_oid, typed FROM value WHERE status = 'conflict'" --dir network/norcrin --csv
            """)

    @Argument(help: "One SELECT statement.")
    var sql: String
    @OptionGroup var node: NodeOption
    @Option(help: "The study's OID, name or id; needed where the node has several.")
    var study: String?
    @Option(help: "Rows at most.")
    var limit = 1_000
    @Option(help: "Seconds at most.")
    var seconds = 60
    @Flag(help: "Print rows as JSON objects.")
    var json = false
    @Flag(help: "Print rows as comma-separated values (RFC 4180).")
    var csv = false

    func validate() throws {
        guard (1...100_000_000).contains(limit) else {
            throw ValidationError("--limit lies between 1 and 100 000 000")
        }
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds lies between 1 and 86 400") }
        guard !(json && csv) else { throw ValidationError("--json and --csv exclude each other") }
    }

    func run() async throws {
        let views = ViewDirectory(dataDirectory: try node.directory().path)
        let reader = try ViewReader.open(views, study: try study.map { try named($0, in: views) })
        var printer = RowPrinter(form: json ? .json : csv ? .csv : .table)
        let outcome = try reader.query(sql, limit: limit, seconds: seconds) { columns in
            printer.begin(columns)
        } onRow: { row in
            printer.print(row)
        }
        printer.end()
        if outcome.isCut {
            Output.note("only the first \(Output.grouped(limit)) rows are shown; ask for more with --limit")
        }
    }
}

extension QueryCommand {
    /// The study that people name; the views themselves say what studies are called.
    private func named(_ text: String, in views: ViewDirectory) throws -> StudyID {
        var oids: [StudyID: String] = [:]
        var names: [StudyID: String] = [:]
        for study in views.studies() {
            // A view of an older version does not say; its study is then named by its id.
            let title = try? ViewReader(views, study: study).studyTitle()
            oids[study] = title?.oid ?? ""
            names[study] = title?.name
        }
        return try OfflineNode.study(text, of: oids, names: names)
    }
}

/// Prints rows as they come; a table gets its widths from the first rows.
private struct RowPrinter {
    enum Form {
        case table
        case json
        case csv
    }

    /// Rows that a table's widths are taken from.
    private static let sampleRows = 200
    private static let widestCell = 60

    let form: Form
    private var columns: [String] = []
    private var sample: [[String]] = []
    private var widths: [Int]?
    private var rows = 0

    init(form: Form) {
        self.form = form
    }

    mutating func begin(_ columns: [String]) {
        self.columns = columns
        switch form {
        case .csv: Output.line(columns.map(RowPrinter.quoted).joined(separator: ","))
        case .json: Output.line("[")
        case .table: sample.append(columns)
        }
    }

    mutating func print(_ row: [QueryValue]) {
        rows += 1
        switch form {
        case .csv: Output.line(row.map { RowPrinter.quoted($0.text ?? "") }.joined(separator: ","))
        case .json:
            let members = zip(columns, row).map { "\(RowPrinter.jsonText($0)): \($1.json)" }
            Output.line((rows > 1 ? ", {" : "  {") + members.joined(separator: ", ") + "}")
        case .table:
            let cells = row.map { $0.text ?? "" }
            if widths == nil, sample.count <= RowPrinter.sampleRows {
                sample.append(cells)
            } else {
                flush()
                line(cells)
            }
        }
    }

    mutating func end() {
        switch form {
        case .csv: break
        case .json: Output.line("]")
        case .table: flush()
        }
    }

    private mutating func flush() {
        guard widths == nil else { return }
        widths = columns.indices.map { column in
            min(RowPrinter.widestCell, sample.map { $0[column].count }.max() ?? 0)
        }
        for cells in sample { line(cells) }
        sample = []
    }

    private func line(_ cells: [String]) {
        let widths = widths ?? []
        var text = ""
        for (cell, width) in zip(cells, widths) { text += Output.cell(cell, width) + "  " }
        while text.last == " " { text.removeLast() }
        Output.line(text)
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    fileprivate static func jsonText(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}

extension QueryValue {
    /// As people read it; nil for NULL.
    fileprivate var text: String? {
        switch self {
        case .null: nil
        case .integer(let number): String(number)
        case .real(let number): String(number)
        case .text(let text): text
        case .blob(let bytes): bytes.hex
        }
    }

    fileprivate var json: String {
        switch self {
        case .null: "null"
        case .integer(let number): String(number)
        case .real(let number): number.isFinite ? String(number) : "null"
        case .text(let text): RowPrinter.jsonText(text)
        case .blob(let bytes): RowPrinter.jsonText(bytes.hex)
        }
    }
}
