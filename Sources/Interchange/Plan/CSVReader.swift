/// One record of a CSV file.
public struct CSVRecord: Hashable, Sendable {
    /// The fields.
    public let fields: [String]
    /// The line its first field begins on, from 1.
    public let line: Int

    /// States a record.
    public init(fields: [String], line: Int) {
        self.fields = fields
        self.line = line
    }
}

/// Reads comma-separated values as RFC 4180 writes them: fields with commas, quotes or line breaks stand in double
/// quotes, a quote within them twice. Records end with CR LF or LF. A byte order mark is passed over; empty lines are too.
public enum CSVReader {
    /// The greatest number of bytes in a file.
    public static let maximumFileBytes = 16 << 20

    /// Reads all records.
    /// - Returns: the records that are right, and a report of those that are not.
    public static func records(bytes: [UInt8], fileName: String) -> ([CSVRecord], ImportReport) {
        var problems = ProblemCollector(file: fileName)
        guard bytes.count <= maximumFileBytes else {
            problems.add(
                .error, .tooLarge, at: nil, [], "the file has more than \(maximumFileBytes) bytes", "split it")
            return ([], problems.report)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.add(.error, .notWellFormed, at: nil, [], "the file is not UTF-8", "save it as UTF-8")
            return ([], problems.report)
        }
        var parser = CSVParser(bytes: [UInt8](text.utf8))
        var records: [CSVRecord] = []
        while !parser.isAtEnd {
            switch parser.record() {
            case .success(let record) where record.fields == [""]: continue
            case .success(let record): records.append(record)
            case .failure(let fault):
                problems.add(
                    .error, .notWellFormed, at: SourcePlace(line: fault.line), [], fault.reason, "see RFC 4180")
            }
        }
        return (records, problems.report)
    }
}

/// Why a record is none.
private struct CSVFault: Error {
    var line: Int
    var reason: String
}

/// Reads records one by one.
///
/// Invariants:
/// - `position` is at the beginning of a record or at the end of the file between calls;
/// - `line` is the line that `position` is on.
private struct CSVParser {
    private let bytes: [UInt8]
    private var position: Int
    private var line = 1

    init(bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func record() -> Result<CSVRecord, CSVFault> {
        let start = line
        var fields: [String] = []
        while true {
            switch field() {
            case .failure(let fault):
                skipLine()
                return .failure(fault)
            case .success(let field): fields.append(field)
            }
            guard !isAtEnd else { break }
            let byte = bytes[position]
            position += 1
            if byte == 0x2C {
                // A comma before the end of the file is followed by an empty field.
                if isAtEnd { fields.append("") } else { continue }
            } else if byte == 0x0D {
                if !isAtEnd && bytes[position] == 0x0A { position += 1 }
                line += 1
            } else {
                line += 1
            }
            break
        }
        return .success(CSVRecord(fields: fields, line: start))
    }

    private mutating func field() -> Result<String, CSVFault> {
        guard !isAtEnd else { return .success("") }
        if bytes[position] == 0x22 { return quotedField() }
        let start = position
        while !isAtEnd, ![0x2C, 0x0D, 0x0A].contains(bytes[position]) {
            if bytes[position] == 0x22 {
                return .failure(CSVFault(line: line, reason: "a quote within a field that does not begin with one"))
            }
            position += 1
        }
        return .success(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func quotedField() -> Result<String, CSVFault> {
        let start = line
        var content: [UInt8] = []
        position += 1
        while !isAtEnd {
            let byte = bytes[position]
            position += 1
            if byte != 0x22 {
                if byte == 0x0A { line += 1 }
                content.append(byte)
            } else if !isAtEnd && bytes[position] == 0x22 {
                content.append(0x22)
                position += 1
            } else {
                guard isAtEnd || [0x2C, 0x0D, 0x0A].contains(bytes[position]) else {
                    return .failure(CSVFault(line: line, reason: "text after the quote that ends a field"))
                }
                return .success(String(decoding: content, as: UTF8.self))
            }
        }
        return .failure(CSVFault(line: start, reason: "a quoted field that does not end"))
    }

    private mutating func skipLine() {
        while !isAtEnd {
            let byte = bytes[position]
            position += 1
            if byte == 0x0A {
                line += 1
                return
            }
        }
    }
}
