import Trial

/// Writes elements of clinical data into bytes.
///
/// Invariants:
/// - `path` is the way to the element being written, for errors.
struct ODMElementWriter {
    private(set) var bytes: [UInt8] = []
    private var path: [ImportPathStep]

    init(path: [ImportPathStep]) {
        self.path = path
        bytes.reserveCapacity(4_096)
    }

    /// Appends markup as it is.
    mutating func raw(_ text: String) {
        bytes += text.utf8
    }

    /// Appends an attribute, or nothing where there is none.
    mutating func attribute(_ name: String, _ value: String?) throws {
        guard let value else { return }
        guard ValueNormaliser.isLegal(value) else { throw ODMWriterError.illegalCharacter(path, attribute: name) }
        bytes.append(0x20)
        bytes += name.utf8
        bytes += "=\"".utf8
        XMLText.appendAttribute(value, to: &bytes)
        bytes.append(0x22)
    }

    /// Appends an attribute that may not be empty.
    mutating func key(_ name: String, _ value: String) throws {
        guard !value.isEmpty else { throw ODMWriterError.emptyKey(path, attribute: name) }
        try attribute(name, value)
    }

    private mutating func content(_ element: String, _ text: String?) throws {
        guard let text else { return }
        guard ValueNormaliser.isLegal(text) else { throw ODMWriterError.illegalCharacter(path, attribute: element) }
        raw("<\(element)>")
        XMLText.appendContent(text, to: &bytes)
        raw("</\(element)>")
    }

    mutating func subject(_ subject: ODMSubjectData) throws {
        path.append(ImportPathStep("SubjectData", subject.subjectKey))
        raw("<SubjectData")
        try key("SubjectKey", subject.subjectKey)
        raw(">")
        try record(subject.auditRecord)
        if let site = subject.site {
            raw("<SiteRef")
            try key("LocationOID", site.text)
            raw("/>")
        }
        raw("\n")
        for event in subject.events { try self.event(event) }
        raw("</SubjectData>\n")
        path.removeLast()
    }

    private mutating func event(_ event: ODMStudyEventData) throws {
        path.append(ImportPathStep("StudyEventData", event.event.text, repeatKey: event.repeatKey))
        raw("<StudyEventData")
        try key("StudyEventOID", event.event.text)
        try attribute("StudyEventRepeatKey", event.repeatKey)
        raw(">\n")
        try record(event.auditRecord)
        for form in event.forms { try self.form(form) }
        raw("</StudyEventData>\n")
        path.removeLast()
    }

    private mutating func form(_ form: ODMFormData) throws {
        path.append(ImportPathStep("FormData", form.form.text, repeatKey: form.repeatKey))
        raw("<FormData")
        try key("FormOID", form.form.text)
        try attribute("FormRepeatKey", form.repeatKey)
        raw(">\n")
        try record(form.auditRecord)
        if form.auditRecord != nil { raw("\n") }
        for group in form.groups { try self.group(group) }
        raw("</FormData>\n")
        path.removeLast()
    }

    private mutating func group(_ group: ODMItemGroupData) throws {
        path.append(ImportPathStep("ItemGroupData", group.group.text, repeatKey: group.repeatKey))
        raw("<ItemGroupData")
        try key("ItemGroupOID", group.group.text)
        try attribute("ItemGroupRepeatKey", group.repeatKey)
        raw(">\n")
        try record(group.auditRecord)
        for item in group.items { try self.item(item) }
        raw("</ItemGroupData>\n")
        path.removeLast()
    }

    private mutating func item(_ item: ODMItemData) throws {
        path.append(ImportPathStep("ItemData", item.item.text))
        raw("<ItemData")
        try key("ItemOID", item.item.text)
        if item.isNull { raw(" IsNull=\"Yes\"") }
        try attribute("Value", item.value)
        if item.auditRecord == nil && item.measurementUnit == nil {
            raw("/>\n")
        } else {
            raw(">")
            try record(item.auditRecord)
            if let unit = item.measurementUnit {
                raw("<MeasurementUnitRef")
                try key("MeasurementUnitOID", unit.text)
                raw("/>")
            }
            raw("</ItemData>\n")
        }
        path.removeLast()
    }

    private mutating func record(_ record: ODMAuditRecord?) throws {
        guard let record else { return }
        path.append(ImportPathStep("AuditRecord"))
        raw("<AuditRecord")
        try attribute("EditPoint", record.editPoint)
        try attribute("UsedImputationMethod", record.usedImputationMethod)
        try attribute("ID", record.id)
        raw("><UserRef")
        try key("UserOID", record.user.text)
        raw("/><LocationRef")
        try key("LocationOID", record.location.text)
        raw("/>")
        try content("DateTimeStamp", record.dateTimeStamp)
        try content("ReasonForChange", record.reasonForChange)
        try content("SourceID", record.sourceID)
        raw("</AuditRecord>")
        path.removeLast()
    }
}
