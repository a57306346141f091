public import EventLog
public import Trial

/// What is done with a file that has errors.
public enum ODMReadingMode: Sendable {
    /// Nothing of it is delivered.
    case strict
    /// Everything is delivered but what an error concerns: an item, a group, a form, a visit or a participant. Of a file
    /// that is not well-formed, the participants that were complete before the fault are delivered.
    case lenient
}

/// What a file of clinical data held, and what was found about it.
public struct ODMClinicalSummary: Hashable, Sendable {
    /// SHA-256 of the file's bytes.
    public let fileHash: Hash
    /// `ODM/@FileOID`.
    public let fileOID: String?
    /// `ODM/@CreationDateTime`.
    public let creationDateTime: String?
    /// `ClinicalData/@StudyOID`.
    public let studyOID: StudyOID?
    /// `ClinicalData/@MetaDataVersionOID`.
    public let metaDataVersionOID: MetaDataVersionOID?
    /// Participants delivered; in strict mode with errors, those that would have been in lenient mode.
    public let subjectCount: Int
    /// Forms delivered, counted in the same way.
    public let formCount: Int
    /// Items delivered, counted in the same way.
    public let itemCount: Int
    /// Forms in the file.
    public let formsInFile: Int
    /// What was found.
    public let report: ImportReport
}

/// Reads the clinical data of an ODM 1.3.2 file, participant by participant, and checks them against a definition.
///
/// Without a definition a file is checked only for well-formedness and for keys that stand twice. With one, each of these
/// is an error: an OID that is not defined, or that its parent's definition does not name; a value that is not of its
/// type, outside its code list, against a hard range check or too long; a unit the item does not have; a repeat key
/// where nothing repeats, or none where something does; another study or metadata version; and, where the definition or
/// the file has administrative data, a user or location it does not have. Soft range checks give warnings.
///
/// Read are inserted data (also `Upsert` and `Context`, with a warning); updates and removals are errors. Annotations,
/// signatures, associations, reference data and the `AuditRecords` container are not loaded, which is said.
public struct ODMClinicalReader: Sendable {
    private let definition: StudyDefinition?
    private let limits: ODMReadingLimits

    /// A reader of data that follow `definition`, or of any data where it is nil.
    public init(definition: StudyDefinition?, limits: ODMReadingLimits = ODMReadingLimits()) {
        self.definition = definition
        self.limits = limits
    }

    /// Checks a file and delivers nothing.
    public func check(bytes: [UInt8], fileName: String) -> ODMClinicalSummary {
        run(bytes, fileName, deliver: nil)
    }

    /// Reads a file. In strict mode it is read twice: once to check all of it, and if nothing is wrong once to deliver it.
    /// - Parameters:
    ///   - bytes: the file's content.
    ///   - fileName: what the report calls the file.
    ///   - onSubject: is given each participant's data in the order of the file.
    /// - Throws: what `onSubject` throws; reading stops there.
    public func read(
        bytes: [UInt8], fileName: String, mode: ODMReadingMode, onSubject: (ODMSubjectData) throws -> Void
    ) throws -> ODMClinicalSummary {
        if mode == .strict {
            let summary = check(bytes: bytes, fileName: fileName)
            if summary.report.hasErrors { return summary }
        }
        return try withoutActuallyEscaping(onSubject) { onSubject in
            var failure: (any Error)?
            let summary = run(bytes, fileName) { subject in
                do {
                    try onSubject(subject)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
            if let failure { throw failure }
            return summary
        }
    }

    /// Reads a file into memory; in strict mode without participants where there are errors.
    public func readAll(
        bytes: [UInt8], fileName: String, mode: ODMReadingMode = .strict
    ) -> (ODMClinicalData, ODMClinicalSummary) {
        var subjects: [ODMSubjectData] = []
        let summary = run(bytes, fileName) { subject in
            subjects.append(subject)
            return true
        }
        if mode == .strict && summary.report.hasErrors { subjects = [] }
        let data = ODMClinicalData(
            studyOID: summary.studyOID ?? StudyOID(""),
            metaDataVersionOID: summary.metaDataVersionOID ?? MetaDataVersionOID(""), subjects: subjects)
        return (data, summary)
    }

    private func run(
        _ bytes: [UInt8], _ fileName: String, deliver: ((ODMSubjectData) -> Bool)?
    ) -> ODMClinicalSummary {
        let collector = ClinicalCollector(file: fileName, definition: definition, limits: limits, deliver: deliver)
        let outcome = XMLDocumentReader.read(bytes, limits: limits, handler: collector)
        collector.finish(outcome)
        return ODMClinicalSummary(
            fileHash: Hash.sha256(bytes), fileOID: collector.fileOID, creationDateTime: collector.creationDateTime,
            studyOID: collector.studyOID, metaDataVersionOID: collector.metaDataVersionOID,
            subjectCount: collector.subjectCount, formCount: collector.formCount, itemCount: collector.itemCount,
            formsInFile: collector.formPosition, report: collector.problems.report)
    }
}
