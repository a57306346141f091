public import Trial

/// What stands in the head of an ODM file.
public struct ODMFileHeader: Hashable, Sendable {
    /// The file's own name (`FileOID`).
    public var fileOID: String
    /// When it was made (`CreationDateTime`), as ODM's type datetime.
    public var creationDateTime: String
    /// The time the data are of (`AsOfDateTime`), where stated.
    public var asOfDateTime: String?
    /// What is in it (`Granularity`), for example `AllClinicalData` or `SingleSite`.
    public var granularity: String?
    /// What it is for.
    public var description: String?
    /// The program that made it.
    public var sourceSystem: String?
    /// The program's version.
    public var sourceSystemVersion: String?
    /// The study.
    public var studyOID: StudyOID
    /// The version of the metadata that the data follow.
    public var metaDataVersionOID: MetaDataVersionOID

    /// States a head; the optional parts are set afterwards.
    public init(
        fileOID: String, creationDateTime: String, studyOID: StudyOID, metaDataVersionOID: MetaDataVersionOID
    ) {
        self.fileOID = fileOID
        self.creationDateTime = creationDateTime
        self.studyOID = studyOID
        self.metaDataVersionOID = metaDataVersionOID
    }
}

/// Why data cannot be written.
public enum ODMWriterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Text holds a character that XML cannot hold.
    case illegalCharacter([ImportPathStep], attribute: String)
    /// A key or OID that ODM requires is empty.
    case emptyKey([ImportPathStep], attribute: String)

    /// What is wrong and what to do; holds keys and OIDs, no values.
    public var description: String {
        func way(_ path: [ImportPathStep]) -> String { path.map(\.text).joined(separator: " / ") }
        switch self {
        case .illegalCharacter(let path, let attribute):
            return
                "\(way(path)): \(attribute) holds a character that XML cannot hold; correct the value, then export again"
        case .emptyKey(let path, let attribute):
            return "\(way(path)): \(attribute) is empty, ODM requires it; correct the data, then export again"
        }
    }
}

/// Writes a Snapshot of clinical data as ODM 1.3.2, participant by participant.
///
/// The order of elements is the schema's, the order of attributes fixed, so that equal data give equal bytes. A
/// participant is written whole or, where something cannot be written, not at all.
///
/// Invariants:
/// - what the sink was given is a well-formed beginning of a document; after ``finish()`` it is the whole document;
/// - `state` goes from before to open to finished and never back.
public struct ODMWriter {
    private enum State { case before, open, finished }

    private let header: ODMFileHeader
    private let sink: ([UInt8]) throws -> Void
    private var state = State.before

    /// A writer that gives its output to `sink` in pieces: the head, each participant, the end.
    public init(header: ODMFileHeader, sink: @escaping ([UInt8]) throws -> Void) {
        self.header = header
        self.sink = sink
    }

    /// Writes the head. Call it once, first.
    /// - Throws: ``ODMWriterError``, or what the sink throws.
    public mutating func begin() throws {
        precondition(state == .before, "an ODM document is begun once")
        var output = ODMElementWriter(path: [ImportPathStep("ODM")])
        output.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ODM xmlns=\"\(XMLDocumentReader.odmNamespace)\"")
        try output.attribute("Description", header.description)
        try output.attribute("FileType", "Snapshot")
        try output.attribute("Granularity", header.granularity)
        try output.key("FileOID", header.fileOID)
        try output.key("CreationDateTime", header.creationDateTime)
        try output.attribute("AsOfDateTime", header.asOfDateTime)
        try output.attribute("ODMVersion", "1.3.2")
        try output.attribute("SourceSystem", header.sourceSystem)
        try output.attribute("SourceSystemVersion", header.sourceSystemVersion)
        output.raw(">\n<ClinicalData")
        try output.key("StudyOID", header.studyOID.text)
        try output.key("MetaDataVersionOID", header.metaDataVersionOID.text)
        output.raw(">\n")
        try sink(output.bytes)
        state = .open
    }

    /// Writes a participant's data.
    /// - Throws: ``ODMWriterError`` with nothing of the participant written, or what the sink throws.
    public mutating func write(_ subject: ODMSubjectData) throws {
        precondition(state == .open, "participants are written between begin and finish")
        var output = ODMElementWriter(path: [])
        try output.subject(subject)
        try sink(output.bytes)
    }

    /// Writes the end. Call it once, last.
    /// - Throws: what the sink throws.
    public mutating func finish() throws {
        precondition(state == .open, "an ODM document is finished once, after it was begun")
        try sink([UInt8]("</ClinicalData></ODM>\n".utf8))
        state = .finished
    }

    /// A whole document in memory.
    /// - Throws: ``ODMWriterError``.
    public static func document(
        header: ODMFileHeader, subjects: some Sequence<ODMSubjectData>
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try withoutActuallyEscaping({ bytes += $0 }) { sink in
            var writer = ODMWriter(header: header, sink: sink)
            try writer.begin()
            for subject in subjects { try writer.write(subject) }
            try writer.finish()
        }
        return bytes
    }
}
