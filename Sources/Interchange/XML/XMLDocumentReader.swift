import Foundation
import FoundationXML

/// What is told of a document, in its order.
protocol XMLDocumentHandler: AnyObject {
    /// An element begins.
    func startElement(_ tag: XMLStartTag)
    /// The element begun last and not yet ended ends.
    func endElement()
    /// A piece of text.
    func characters(_ text: String)
    /// Whether the rest is of no interest: nothing more is told.
    var wantsToStop: Bool { get }
}

/// Where a foreign namespace was first met.
struct ForeignNamespace {
    var uri: String
    var line: Int
    var column: Int
}

/// What came of reading a document as XML.
struct XMLOutcome {
    /// What stopped the reading, nil where the document was read to its end.
    var fault: XMLFault?
    /// The namespaces that are neither ODM's nor Varde's, in the order they were met.
    var foreignNamespaces: [ForeignNamespace]
}

/// Reads a document with Foundation's parser (libxml2) and tells a handler its ODM elements.
///
/// The parser's own verdict is not used: `XMLParser.parse()` was seen to return true for a truncated file. A document is
/// read to its end exactly when no error was reported *and* the root element was closed.
///
/// Invariants:
/// - `depth` is the number of open elements; `skippedDepth` the number of them at and below a foreign element;
/// - once `isStopped`, nothing is told and `fault` does not change.
final class XMLDocumentReader: NSObject, XMLParserDelegate {
    /// The namespace of ODM 1.3, in all its revisions.
    static let odmNamespace = "http://www.cdisc.org/ns/odm/v1.3"
    /// The namespace of Varde's own attributes (Protocols/odm-extension.md).
    static let vardeNamespace = "https://varde.no/ns/odm/1"

    private let handler: any XMLDocumentHandler
    private let limits: ODMReadingLimits
    private let lineCount: Int
    private var fault: XMLFault?
    private var isStopped = false
    private var depth = 0
    private var skippedDepth = 0
    private var textBytes = 0
    private var hasRoot = false
    private var prefixes: [String: [String]] = [:]
    private var foreignNamespaces: [ForeignNamespace] = []
    private var knownForeignNamespaces: Set<String> = []

    private init(handler: any XMLDocumentHandler, limits: ODMReadingLimits, lineCount: Int) {
        self.handler = handler
        self.limits = limits
        self.lineCount = lineCount
    }

    /// Reads `bytes`.
    static func read(
        _ bytes: [UInt8], limits: ODMReadingLimits, handler: any XMLDocumentHandler
    ) -> XMLOutcome {
        if let fault = XMLProlog.fault(in: bytes, limits: limits) {
            return XMLOutcome(fault: fault, foreignNamespaces: [])
        }
        let reader = XMLDocumentReader(
            handler: handler, limits: limits, lineCount: bytes.count { $0 == 0x0A } + 1)
        // Piece by piece: given more than 10 MB at once, libxml2 refuses a document when it has read it to its end.
        let parser = XMLParser(stream: InputStream(data: Data(bytes)))
        parser.delegate = reader
        parser.shouldProcessNamespaces = true
        parser.shouldReportNamespacePrefixes = true
        parser.shouldResolveExternalEntities = false
        parser.externalEntityResolvingPolicy = .never
        _ = parser.parse()
        reader.finish(parser)
        return XMLOutcome(fault: reader.fault, foreignNamespaces: reader.foreignNamespaces)
    }

    private func finish(_ parser: XMLParser) {
        guard !isStopped, depth > 0 || !hasRoot else { return }
        fault = XMLFault(
            kind: .notWellFormed, line: lineCount, reason: "the file ends before its last element is closed",
            advice: "get the whole file: it was cut off")
    }

    private func stop(_ parser: XMLParser, _ fault: XMLFault?) {
        guard !isStopped else { return }
        isStopped = true
        self.fault = fault
        parser.abortParsing()
    }

    // MARK: Elements

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        guard !isStopped else { return }
        depth += 1
        textBytes = 0
        let line = parser.lineNumber
        let column = parser.columnNumber
        if let fault = limitFault(attributes, line: line, column: column) { return stop(parser, fault) }
        if !hasRoot {
            hasRoot = true
            if let fault = rootFault(elementName, namespaceURI ?? "", line: line, column: column) {
                return stop(parser, fault)
            }
        }
        if skippedDepth > 0 || namespaceURI != XMLDocumentReader.odmNamespace {
            if skippedDepth == 0 { note(namespaceURI ?? "", line: line, column: column) }
            skippedDepth += 1
            return
        }
        let own = ownAttributes(attributes, line: line, column: column)
        handler.startElement(XMLStartTag(name: elementName, attributes: own, line: line, column: column))
        if handler.wantsToStop { stop(parser, nil) }
    }

    func parser(
        _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?
    ) {
        guard !isStopped else { return }
        depth -= 1
        textBytes = 0
        if skippedDepth > 0 {
            skippedDepth -= 1
            return
        }
        handler.endElement()
        if handler.wantsToStop { stop(parser, nil) }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        characters(string, parser)
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        characters(String(decoding: block, as: UTF8.self), parser)
    }

    private func characters(_ text: String, _ parser: XMLParser) {
        guard !isStopped, skippedDepth == 0 else { return }
        textBytes += text.utf8.count
        guard textBytes <= limits.maximumTextBytes else {
            return stop(
                parser,
                XMLFault(
                    kind: .tooLarge, line: parser.lineNumber, column: parser.columnNumber,
                    reason: "text of more than \(limits.maximumTextBytes) bytes", advice: "shorten it"))
        }
        handler.characters(text)
    }

    func parser(_ parser: XMLParser, parseErrorOccurred parseError: any Error) {
        let line = parser.lineNumber
        let isAtEnd = line >= lineCount && depth > 0
        let code = (parseError as NSError).code
        stop(
            parser,
            XMLFault(
                kind: .notWellFormed, line: line, column: parser.columnNumber,
                reason: XMLParseErrors.reason(code: code, isInside: depth > 0),
                advice: isAtEnd ? "get the whole file: it seems to be cut off" : "correct the file, or get it anew"))
    }

    // MARK: Namespaces

    func parser(_ parser: XMLParser, didStartMappingPrefix prefix: String, toURI namespaceURI: String) {
        prefixes[prefix, default: []].append(namespaceURI)
    }

    func parser(_ parser: XMLParser, didEndMappingPrefix prefix: String) {
        _ = prefixes[prefix]?.popLast()
    }

    private func note(_ uri: String, line: Int, column: Int) {
        guard knownForeignNamespaces.insert(uri).inserted, foreignNamespaces.count < 100 else { return }
        foreignNamespaces.append(ForeignNamespace(uri: uri, line: line, column: column))
    }

    /// The attributes without those of foreign namespaces; those of Varde's own get the prefix `varde:`.
    private func ownAttributes(_ attributes: [String: String], line: Int, column: Int) -> [String: String] {
        guard attributes.keys.contains(where: { $0.utf8.contains(0x3A) }) else { return attributes }
        var own: [String: String] = [:]
        own.reserveCapacity(attributes.count)
        for (name, value) in attributes {
            guard let colon = name.firstIndex(of: ":") else {
                own[name] = value
                continue
            }
            let prefix = String(name[..<colon])
            let localName = name[name.index(after: colon)...]
            if prefix == "xml" {
                own[name] = value
                continue
            }
            switch prefixes[prefix]?.last {
            case XMLDocumentReader.vardeNamespace: own["varde:\(localName)"] = value
            // Schema locations are for other tools.
            case "http://www.w3.org/2001/XMLSchema-instance": break
            case let uri: note(uri ?? prefix, line: line, column: column)
            }
        }
        return own
    }

    // MARK: Faults

    private func limitFault(_ attributes: [String: String], line: Int, column: Int) -> XMLFault? {
        let reason: String
        if depth > limits.maximumDepth {
            reason = "more than \(limits.maximumDepth) elements within each other"
        } else if attributes.count > limits.maximumAttributes {
            reason = "an element with more than \(limits.maximumAttributes) attributes"
        } else if attributes.values.contains(where: { $0.utf8.count > limits.maximumTextBytes }) {
            reason = "an attribute of more than \(limits.maximumTextBytes) bytes"
        } else {
            return nil
        }
        return XMLFault(kind: .tooLarge, line: line, column: column, reason: reason, advice: "no ODM file needs this")
    }

    private func rootFault(_ name: String, _ uri: String, line: Int, column: Int) -> XMLFault? {
        if name == "ODM" && uri == XMLDocumentReader.odmNamespace { return nil }
        let isOtherODM = name == "ODM" && uri.hasPrefix("http://www.cdisc.org/ns/odm/")
        return XMLFault(
            kind: .unsupported, line: line, column: column,
            reason: isOtherODM
                ? "the file is ODM of another version, namespace \(shownOID(uri))"
                : "the root element is \(shownOID(name)) of namespace '\(shownOID(uri))', not ODM of version 1.3",
            advice: "name a file of ODM 1.3, 1.3.1 or 1.3.2, whose namespace is \(XMLDocumentReader.odmNamespace)")
    }
}
