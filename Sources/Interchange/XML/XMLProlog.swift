/// Something about a document as XML that stops reading it.
struct XMLFault {
    var kind: ImportProblemKind
    var line: Int
    var column: Int?
    var reason: String
    var advice: String
}

/// Looks at what stands before a document's root element and refuses what no ODM file needs and an attacker might use:
/// document type declarations (entities that grow without bound, files of this machine) and encodings other than
/// UTF-8, US-ASCII and ISO-8859-1 (bytes that this check would not see through).
enum XMLProlog {
    /// The first fault, nil where the document may be parsed.
    static func fault(in bytes: [UInt8], limits: ODMReadingLimits) -> XMLFault? {
        guard bytes.count <= limits.maximumFileBytes else {
            return XMLFault(
                kind: .tooLarge, line: 1, reason: "the file has more than \(limits.maximumFileBytes) bytes",
                advice: "split it, for example by site")
        }
        var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var line = 1
        while position < bytes.count {
            let rest = bytes[position...]
            if let byte = rest.first, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                if byte == 0x0A { line += 1 }
                position += 1
            } else if rest.starts(with: "<?".utf8) {
                guard let end = end(of: "?>", in: rest) else { return nil }
                if let fault = encodingFault(in: bytes[position..<end], line: line) { return fault }
                line += bytes[position..<end].count { $0 == 0x0A }
                position = end
            } else if rest.starts(with: "<!--".utf8) {
                guard let end = end(of: "-->", in: rest) else { return nil }
                line += bytes[position..<end].count { $0 == 0x0A }
                position = end
            } else {
                return startFault(of: rest, line: line)
            }
        }
        return XMLFault(
            kind: .notWellFormed, line: line, reason: "the file is empty", advice: "name a file that holds ODM")
    }

    /// Judges the first bytes that are neither white space nor comment nor instruction.
    private static func startFault(of rest: ArraySlice<UInt8>, line: Int) -> XMLFault? {
        if rest.starts(with: "<!".utf8) {
            return XMLFault(
                kind: .unsupported, line: line, reason: "the file has a document type declaration",
                advice: "remove <!DOCTYPE …>: ODM needs none, and entities are not read")
        }
        // Two-byte and four-byte encodings have a zero byte or a byte order mark here.
        if rest.first != 0x3C || rest.dropFirst().first == 0 {
            return XMLFault(
                kind: .notWellFormed, line: line, reason: "the file does not begin with an XML element in UTF-8",
                advice: "name an ODM file, saved as UTF-8")
        }
        return nil
    }

    private static func end(of text: String, in bytes: ArraySlice<UInt8>) -> Int? {
        let wanted = [UInt8](text.utf8)
        var index = bytes.startIndex
        while index + wanted.count <= bytes.endIndex {
            if bytes[index] == wanted[0] && bytes[index..<index + wanted.count].elementsEqual(wanted) {
                return index + wanted.count
            }
            index += 1
        }
        return nil
    }

    private static func encodingFault(in declaration: ArraySlice<UInt8>, line: Int) -> XMLFault? {
        guard declaration.starts(with: "<?xml".utf8), let start = end(of: "encoding", in: declaration) else {
            return nil
        }
        let name = declaration[start...].drop { $0 == 0x20 || $0 == 0x3D || $0 == 0x22 || $0 == 0x27 }
            .prefix { $0 != 0x22 && $0 != 0x27 && $0 != 0x3F && $0 != 0x20 }
        let encoding = String(decoding: name, as: UTF8.self).lowercased()
        if ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1"].contains(encoding) { return nil }
        return XMLFault(
            kind: .unsupported, line: line, reason: "the encoding \(shownOID(encoding)) is not read",
            advice: "save the file as UTF-8")
    }
}
