import Trial

/// A datum's key among its siblings.
struct RepeatedKey: Hashable {
    var oid: String
    var repeatKey: String?
}

/// Gathers one participant at a time while a file is read.
///
/// Invariants:
/// - `open` is the way of container elements from the root; a form, and an audit record above forms, is held by `capture`;
/// - `subject` is set while a participant is read that is to be delivered, `event` while a visit of it is;
/// - `formPosition` is the number of forms begun in the file so far, whether they are delivered or not;
/// - what lies within something wrong is passed over and not reported again.
final class ClinicalCollector: XMLDocumentHandler {
    let definition: StudyDefinition?
    let limits: ODMReadingLimits
    private let deliver: ((ODMSubjectData) -> Bool)?
    var problems: ProblemCollector

    private var open: [String] = []
    private var capture = XMLCapture()
    private var skippedDepth = 0
    private(set) var wantsToStop = false

    private(set) var fileOID: String?
    private(set) var creationDateTime: String?
    private(set) var studyOID: StudyOID?
    private(set) var metaDataVersionOID: MetaDataVersionOID?
    private(set) var subjectCount = 0
    private(set) var formCount = 0
    private(set) var itemCount = 0
    private(set) var formPosition = 0

    var subject: ODMSubjectData?
    var event: ODMStudyEventData?
    private var hasClinicalData = false
    private var subjectKeys: Set<String> = []
    private var eventKeys: Set<RepeatedKey> = []
    private var formKeys: Set<RepeatedKey> = []
    var users: Set<UserOID>
    var locations: Set<LocationOID>

    init(
        file: String, definition: StudyDefinition?, limits: ODMReadingLimits, deliver: ((ODMSubjectData) -> Bool)?
    ) {
        self.definition = definition
        self.limits = limits
        self.deliver = deliver
        problems = ProblemCollector(file: file)
        users = Set(definition?.users.map(\.oid) ?? [])
        locations = Set(definition?.locations.map(\.oid) ?? [])
    }

    // MARK: The document

    func startElement(_ tag: XMLStartTag) {
        if capture.isActive {
            capture.start(tag)
            if capture.count > limits.maximumElementsHeld {
                error(
                    .tooLarge, at: SourcePlace(tag), path(),
                    "a form of more than \(limits.maximumElementsHeld) elements",
                    "split it")
                wantsToStop = true
            }
            return
        }
        if tag.name == "FormData" { formPosition += 1 }
        if skippedDepth > 0 {
            skippedDepth += 1
            return
        }
        switch ClinicalPlace(parent: open.last, name: tag.name) {
        case .container:
            if startContainer(tag) { open.append(tag.name) } else { skippedDepth = 1 }
        case .held: capture.start(tag)
        case .noted:
            note(tag)
            skippedDepth = 1
        case .passedOver: skippedDepth = 1
        case .notLoaded:
            problems.countNotLoaded(tag.name, at: SourcePlace(tag))
            skippedDepth = 1
        case .unexpected:
            problems.add(
                .warning, .unexpectedElement, at: SourcePlace(tag), path(),
                "the element \(shownOID(tag.name)) is not expected here and not read", "look whether it is misplaced")
            skippedDepth = 1
        }
    }

    func endElement() {
        if capture.isActive {
            if let node = capture.end() { readHeld(node) }
        } else if skippedDepth > 0 {
            skippedDepth -= 1
        } else {
            switch open.removeLast() {
            case "StudyEventData": endEvent()
            case "SubjectData": endSubject()
            default: break
            }
        }
    }

    func characters(_ text: String) {
        if capture.isActive { capture.characters(text) }
    }

    func finish(_ outcome: XMLOutcome) {
        if outcome.fault == nil && !wantsToStop && !hasClinicalData {
            error(
                .missingElement, at: nil, [], "the file holds no ClinicalData", "name a file with participants' data")
        }
        problems.finish(outcome, path: path())
    }

    // MARK: Containers

    /// Whether the element's content is to be read.
    private func startContainer(_ tag: XMLStartTag) -> Bool {
        switch tag.name {
        case "ODM":
            fileOID = tag.attributes["FileOID"]
            creationDateTime = tag.attributes["CreationDateTime"]
            if let version = tag.attributes["ODMVersion"], !["1.3", "1.3.0", "1.3.1", "1.3.2"].contains(version) {
                error(
                    .unsupported, at: SourcePlace(tag), [], "ODM version \(shownOID(version)) is not read",
                    "save the file as ODM 1.3.2")
            }
            return true
        case "AdminData": return true
        case "ClinicalData": return startClinicalData(tag)
        case "SubjectData": return startSubject(tag)
        default: return startEvent(tag)
        }
    }

    private func startClinicalData(_ tag: XMLStartTag) -> Bool {
        let path = [ImportPathStep("ClinicalData")]
        hasClinicalData = true
        guard let study = key(tag.attributes, "StudyOID", at: SourcePlace(tag), path),
            let version = key(tag.attributes, "MetaDataVersionOID", at: SourcePlace(tag), path)
        else { return false }
        if let known = studyOID, known.text != study || metaDataVersionOID?.text != version {
            error(
                .unsupported, at: SourcePlace(tag), path, "the file holds data of two studies or metadata versions",
                "put each into a file of its own")
            return false
        }
        studyOID = StudyOID(study)
        metaDataVersionOID = MetaDataVersionOID(version)
        guard let definition else { return true }
        if definition.studyOID.text != study {
            error(
                .unknownOID, at: SourcePlace(tag), path,
                "the data are of study \(shownOID(study)), not of \(shownOID(definition.studyOID.text))",
                "name the study they belong to")
            return false
        }
        if definition.metaDataVersionOID.text != version {
            error(
                .unknownOID, at: SourcePlace(tag), path,
                "the data follow metadata version \(shownOID(version)), not "
                    + shownOID(definition.metaDataVersionOID.text), "publish that version first")
            return false
        }
        return true
    }

    private func startSubject(_ tag: XMLStartTag) -> Bool {
        let path = [ImportPathStep("SubjectData", tag.attributes["SubjectKey"] ?? "")]
        guard let subjectKey = key(tag.attributes, "SubjectKey", at: SourcePlace(tag), path),
            isRead(tag.attributes, at: SourcePlace(tag), path)
        else { return false }
        guard subjectKeys.insert(subjectKey).inserted else {
            error(
                .duplicateKey, at: SourcePlace(tag), path, "the participant is in the file before",
                "put each participant's data into one SubjectData")
            return false
        }
        subject = ODMSubjectData(subjectKey: subjectKey, site: nil, events: [], line: SourceLine(tag.line))
        eventKeys = []
        return true
    }

    private func endSubject() {
        guard let subject else { return }
        self.subject = nil
        subjectCount += 1
        formCount += subject.formCount
        itemCount += subject.itemCount
        if let deliver, !deliver(subject) { wantsToStop = true }
    }

    private func startEvent(_ tag: XMLStartTag) -> Bool {
        guard subject != nil else { return false }
        let place = SourcePlace(tag)
        let repeatKey = tag.attributes["StudyEventRepeatKey"]
        let path =
            path() + [ImportPathStep("StudyEventData", tag.attributes["StudyEventOID"] ?? "", repeatKey: repeatKey)]
        guard let oid = key(tag.attributes, "StudyEventOID", at: place, path), isRead(tag.attributes, at: place, path)
        else { return false }
        let event = StudyEventOID(oid)
        if let definition {
            guard let defined = definition.events[event] else {
                unknown("StudyEventDef", oid, at: place, path)
                return false
            }
            guard repeats(defined.isRepeating, repeatKey, "StudyEventRepeatKey", at: place, path) else { return false }
        }
        guard isFirst(eventKeys.insert(RepeatedKey(oid: oid, repeatKey: repeatKey)).inserted, at: place, path) else {
            return false
        }
        self.event = ODMStudyEventData(event: event, repeatKey: repeatKey, forms: [], line: SourceLine(tag.line))
        formKeys = []
        return true
    }

    private func endEvent() {
        if let event { subject?.events.append(event) }
        event = nil
    }

    // MARK: Leaves

    private func note(_ tag: XMLStartTag) {
        switch tag.name {
        case "User": if let oid = tag.attributes["OID"] { users.insert(UserOID(oid)) }
        case "Location": if let oid = tag.attributes["OID"] { locations.insert(LocationOID(oid)) }
        default:
            // SiteRef.
            let path = path() + [ImportPathStep("SiteRef", tag.attributes["LocationOID"] ?? "")]
            guard let oid = key(tag.attributes, "LocationOID", at: SourcePlace(tag), path) else { return }
            let location = LocationOID(oid)
            if knowsLocation(location, at: SourcePlace(tag), path) { subject?.site = location } else { subject = nil }
        }
    }

    private func readHeld(_ node: XMLElementNode) {
        switch node.name {
        case "AuditRecord":
            let path = path()
            guard let record = auditRecord(node, in: path) else {
                // Data of which it is not known who recorded them are not right.
                if event != nil { event = nil } else { subject = nil }
                return
            }
            if event != nil { event?.auditRecord = record } else { subject?.auditRecord = record }
        default:
            guard let event, subject != nil else { return }
            guard let form = form(node, of: event, position: formPosition - 1) else { return }
            self.event?.forms.append(form)
        }
    }

    /// Whether a form is the first of its key in its visit.
    func isFirstForm(_ oid: String, _ repeatKey: String?, at place: SourcePlace, _ path: [ImportPathStep]) -> Bool {
        isFirst(formKeys.insert(RepeatedKey(oid: oid, repeatKey: repeatKey)).inserted, at: place, path)
    }

    /// The way to what is being read.
    func path() -> [ImportPathStep] {
        var steps: [ImportPathStep] = []
        if let subject { steps.append(ImportPathStep("SubjectData", subject.subjectKey)) }
        if let event {
            steps.append(ImportPathStep("StudyEventData", event.event.text, repeatKey: event.repeatKey))
        }
        return steps
    }
}

/// What becomes of an element of ODM clinical data.
enum ClinicalPlace {
    case container, held, noted, passedOver, notLoaded, unexpected

    init(parent: String?, name: String) {
        switch (parent, name) {
        case (nil, "ODM"), ("ODM", "AdminData"), ("ODM", "ClinicalData"), ("ClinicalData", "SubjectData"),
            ("SubjectData", "StudyEventData"):
            self = .container
        case ("StudyEventData", "FormData"), ("StudyEventData", "AuditRecord"), ("SubjectData", "AuditRecord"):
            self = .held
        case ("AdminData", "User"), ("AdminData", "Location"), ("SubjectData", "SiteRef"): self = .noted
        case ("ODM", "Study"), ("AdminData", "SignatureDef"): self = .passedOver
        case ("ODM", "ReferenceData"), ("ODM", "Association"), ("ClinicalData", "AuditRecords"),
            ("ClinicalData", "Signatures"), ("ClinicalData", "Annotations"), ("SubjectData", "InvestigatorRef"),
            ("SubjectData", "Signature"), ("SubjectData", "Annotation"), ("StudyEventData", "Signature"),
            ("StudyEventData", "Annotation"):
            self = .notLoaded
        default: self = .unexpected
        }
    }
}
