public import Trial

/// Reads the metadata of an ODM 1.3.2 file into a study definition.
///
/// A file is refused, with every error named by line, OID and reason, where it
/// - is not well-formed XML, has a document type declaration, or is not ODM 1.3 in UTF-8;
/// - holds no study or more than one metadata version, or includes one by reference;
/// - lacks an attribute or element that ODM requires, or has one with text it cannot have (unknown data types, comparators);
/// - defines an OID or code twice, or names one that it does not define;
/// - has check values or codes that are not of their type;
/// - has an attribute of Varde's namespace that is not known (Protocols/odm-extension.md).
///
/// Of administrative data, users and locations are read. Clinical data in the file are passed over: see
/// ``ODMClinicalReader``. The original file is the document of record; what is kept there and not understood, such as
/// vendor extensions and presentations, is said in the report.
public enum ODMMetadataReader {
    /// Reads a file.
    /// - Parameters:
    ///   - bytes: the file's content.
    ///   - fileName: what the report calls the file.
    /// - Returns: the definition, nil where the report has errors; and the report.
    public static func read(
        bytes: [UInt8], fileName: String, limits: ODMReadingLimits = ODMReadingLimits()
    ) -> (StudyDefinition?, ImportReport) {
        let collector = MetadataCollector(file: fileName, limits: limits)
        let outcome = XMLDocumentReader.read(bytes, limits: limits, handler: collector)
        return collector.finish(outcome)
    }
}

/// Gathers definitions while a file is read.
///
/// Invariants:
/// - `open` is the way of container elements from the root; a definition's element is held by `capture` instead;
/// - `defined` holds every OID of the file by kind, with the line of its first definition;
/// - `references` holds every OID that is named; they are looked up when the file has been read.
final class MetadataCollector: XMLDocumentHandler {
    let limits: ODMReadingLimits
    var problems: ProblemCollector
    var defined: [ODMDefinitionKind: [String: Int]] = [:]
    var references: [PendingReference] = []

    private var open: [String] = []
    private var capture = XMLCapture()
    private var skippedDepth = 0
    private(set) var wantsToStop = false
    private var studyPlace: SourcePlace?
    private var metaDataVersionPlace: SourcePlace?

    var studyOID: StudyOID?
    var metaDataVersionOID: MetaDataVersionOID?
    var metaDataVersionName = ""
    var metaDataVersionDescription: String?
    var studyName: String?
    var studyDescription = ""
    var protocolName = ""
    var protocolDescription = TranslatedTexts()
    var protocolEvents: [StudyEventReference] = []
    var events: [StudyEventDefinition] = []
    var forms: [FormDefinition] = []
    var itemGroups: [ItemGroupDefinition] = []
    var items: [ItemDefinition] = []
    var codeLists: [CodeListDefinition] = []
    var measurementUnits: [MeasurementUnitDefinition] = []
    var methods: [MethodDefinition] = []
    var conditions: [ConditionDefinition] = []
    var users: [UserDefinition] = []
    var locations: [LocationDefinition] = []

    init(file: String, limits: ODMReadingLimits) {
        self.limits = limits
        problems = ProblemCollector(file: file)
    }

    func startElement(_ tag: XMLStartTag) {
        if capture.isActive {
            capture.start(tag)
            if capture.count > limits.maximumElementsHeld {
                error(
                    .tooLarge, at: SourcePlace(tag), path(tag.name, nil),
                    "a definition of more than \(limits.maximumElementsHeld) elements", "split it")
                wantsToStop = true
            }
            return
        }
        if skippedDepth > 0 {
            skippedDepth += 1
            return
        }
        switch MetadataPlace(parent: open.last, name: tag.name) {
        case .container:
            open.append(tag.name)
            startContainer(tag)
        case .definition: capture.start(tag)
        case .passedOver: skippedDepth = 1
        case .notLoaded:
            problems.countNotLoaded(tag.name, at: SourcePlace(tag))
            skippedDepth = 1
        case .refused:
            error(
                .unsupported, at: SourcePlace(tag), path(tag.name, nil),
                "metadata that are included from another version are not read",
                "write out the whole metadata version in the file")
            skippedDepth = 1
        case .unexpected:
            problems.add(
                .warning, .unexpectedElement, at: SourcePlace(tag), path(tag.name, nil),
                "the element \(shownOID(tag.name)) is not expected here and not read", "look whether it is misplaced")
            skippedDepth = 1
        }
    }

    func endElement() {
        if capture.isActive {
            if let node = capture.end() { readDefinition(node) }
        } else if skippedDepth > 0 {
            skippedDepth -= 1
        } else {
            open.removeLast()
        }
    }

    func characters(_ text: String) {
        if capture.isActive { capture.characters(text) }
    }

    private func startContainer(_ tag: XMLStartTag) {
        let place = SourcePlace(tag)
        let node = XMLElementNode(tag)
        switch tag.name {
        case "ODM":
            checkODMVersion(node)
        case "Study":
            if let first = studyPlace { return second("study", place, first) }
            studyPlace = place
            studyOID = oid(node, "OID", in: path("Study", node))
        case "MetaDataVersion":
            if let first = metaDataVersionPlace { return second("metadata version", place, first) }
            metaDataVersionPlace = place
            metaDataVersionOID = oid(node, "OID", in: path("MetaDataVersion", node))
            metaDataVersionName = required(node, "Name", in: path("MetaDataVersion", node)) ?? ""
            metaDataVersionDescription = node.attributes["Description"]
        default: break
        }
    }

    private func second(_ what: String, _ place: SourcePlace, _ first: SourcePlace) {
        error(
            .unsupported, at: place, [], "a second \(what); the first is at line \(first.line)",
            "put each \(what) into a file of its own")
        wantsToStop = true
    }

    private func checkODMVersion(_ node: XMLElementNode) {
        if let version = node.attributes["ODMVersion"], !["1.3", "1.3.0", "1.3.1", "1.3.2"].contains(version) {
            error(
                .unsupported, at: SourcePlace(node), [], "ODM version \(shownOID(version)) is not read",
                "save the file as ODM 1.3.2")
        }
    }

    private func readDefinition(_ node: XMLElementNode) {
        switch node.name {
        case "GlobalVariables": readGlobalVariables(node)
        case "Protocol": readProtocol(node)
        case "StudyEventDef": readStudyEvent(node)
        case "FormDef": readForm(node)
        case "ItemGroupDef": readItemGroup(node)
        case "ItemDef": readItem(node)
        case "CodeList": readCodeList(node)
        case "MeasurementUnit": readMeasurementUnit(node)
        case "ConditionDef": readCondition(node)
        case "MethodDef": readMethod(node)
        case "User": readUser(node)
        default: readLocation(node)
        }
    }

    /// Looks up what was named and makes the definition, unless something is wrong.
    fileprivate func finish(_ outcome: XMLOutcome) -> (StudyDefinition?, ImportReport) {
        // What is missing cannot be told of a file that was not read to its end.
        if outcome.fault == nil && !wantsToStop {
            checkReferences()
            checkCodeListTypes()
            checkCompleteness()
        }
        problems.finish(outcome, path: [])
        guard !problems.report.hasErrors, let studyOID, let metaDataVersionOID, let studyName else {
            return (nil, problems.report)
        }
        var definition = StudyDefinition(
            studyOID: studyOID, metaDataVersionOID: metaDataVersionOID, metaDataVersionName: metaDataVersionName,
            studyName: studyName, studyDescription: studyDescription, protocolName: protocolName)
        definition.metaDataVersionDescription = metaDataVersionDescription
        definition.protocolDescription = protocolDescription
        definition.protocolEvents = OIDTable(inOrder(protocolEvents) { $0.orderNumber })
        definition.events = OIDTable(events)
        definition.forms = OIDTable(forms)
        definition.itemGroups = OIDTable(itemGroups)
        definition.items = OIDTable(items)
        definition.codeLists = OIDTable(codeLists)
        definition.measurementUnits = OIDTable(measurementUnits)
        definition.methods = OIDTable(methods)
        definition.conditions = OIDTable(conditions)
        definition.users = OIDTable(users)
        definition.locations = OIDTable(locations)
        return (definition, problems.report)
    }

    private func checkCompleteness() {
        if studyPlace == nil {
            error(.missingElement, at: nil, [], "the file holds no Study", "name the file with the study's metadata")
        } else if metaDataVersionPlace == nil {
            error(
                .missingElement, at: studyPlace, [], "the study has no MetaDataVersion",
                "name the file with the study's metadata")
        } else if studyName == nil {
            error(
                .missingElement, at: studyPlace, [], "the study has no GlobalVariables with a StudyName", "add them")
        }
    }
}

/// What becomes of an element of ODM metadata.
enum MetadataPlace {
    case container, definition, passedOver, notLoaded, refused, unexpected

    init(parent: String?, name: String) {
        switch (parent, name) {
        case (nil, "ODM"), ("ODM", "Study"), ("ODM", "AdminData"), ("Study", "BasicDefinitions"),
            ("Study", "MetaDataVersion"):
            self = .container
        case ("Study", "GlobalVariables"), ("BasicDefinitions", "MeasurementUnit"), ("AdminData", "User"),
            ("AdminData", "Location"),
            ("MetaDataVersion", "Protocol"), ("MetaDataVersion", "StudyEventDef"), ("MetaDataVersion", "FormDef"),
            ("MetaDataVersion", "ItemGroupDef"), ("MetaDataVersion", "ItemDef"), ("MetaDataVersion", "CodeList"),
            ("MetaDataVersion", "ConditionDef"), ("MetaDataVersion", "MethodDef"):
            self = .definition
        case ("ODM", "ClinicalData"): self = .passedOver
        case ("ODM", "ReferenceData"), ("ODM", "Association"), ("AdminData", "SignatureDef"),
            ("MetaDataVersion", "ImputationMethod"), ("MetaDataVersion", "Presentation"):
            self = .notLoaded
        case ("MetaDataVersion", "Include"): self = .refused
        default: self = .unexpected
        }
    }
}
