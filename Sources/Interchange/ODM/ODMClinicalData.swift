public import Trial

/// A line of the file something was read from. All are equal: where a datum stood is no part of what it says.
public struct SourceLine: Hashable, Sendable {
    /// The line, from 1; 0 for what was made and not read.
    public let number: Int

    /// Names a line.
    public init(_ number: Int) { self.number = number }

    /// What was made and not read.
    public static let none = SourceLine(0)

    /// Always true.
    public static func == (left: SourceLine, right: SourceLine) -> Bool { true }
    /// Adds nothing.
    public func hash(into hasher: inout Hasher) {}
}

/// Who did something, where and when (`AuditRecord`, ODM 1.3.2 §3.1.4.9).
public struct ODMAuditRecord: Hashable, Sendable {
    /// Who.
    public var user: UserOID
    /// Where.
    public var location: LocationOID
    /// When, as written.
    public var dateTimeStamp: String
    /// Why, where something was changed.
    public var reasonForChange: String?
    /// The source of the datum.
    public var sourceID: String?
    /// `Monitoring`, `DataManagement` or `DBAudit`.
    public var editPoint: String?
    /// Whether the value was imputed; `Yes` or `No`.
    public var usedImputationMethod: String?
    /// The record's own name within the file.
    public var id: String?

    /// States a record.
    public init(
        user: UserOID, location: LocationOID, dateTimeStamp: String, reasonForChange: String? = nil,
        sourceID: String? = nil, editPoint: String? = nil, usedImputationMethod: String? = nil, id: String? = nil
    ) {
        self.user = user
        self.location = location
        self.dateTimeStamp = dateTimeStamp
        self.reasonForChange = reasonForChange
        self.sourceID = sourceID
        self.editPoint = editPoint
        self.usedImputationMethod = usedImputationMethod
        self.id = id
    }
}

/// One item's value (`ItemData` and its typed relatives).
public struct ODMItemData: Hashable, Sendable {
    /// The item.
    public var item: ItemOID
    /// The value as written; nil exactly where ``isNull``.
    public var value: String?
    /// The unit the value is in, where one is stated.
    public var measurementUnit: MeasurementUnitOID?
    /// The record of this item alone.
    public var auditRecord: ODMAuditRecord?
    /// Where it was read.
    public var line: SourceLine

    /// Whether the item is said to have no value (`IsNull="Yes"`).
    public var isNull: Bool { value == nil }

    /// States a value; nil for an item that has none.
    public init(
        item: ItemOID, value: String?, measurementUnit: MeasurementUnitOID? = nil, auditRecord: ODMAuditRecord? = nil,
        line: SourceLine = .none
    ) {
        self.item = item
        self.value = value
        self.measurementUnit = measurementUnit
        self.auditRecord = auditRecord
        self.line = line
    }
}

/// One item group, or one row of a repeating one (`ItemGroupData`).
public struct ODMItemGroupData: Hashable, Sendable {
    /// The group.
    public var group: ItemGroupOID
    /// Which of several.
    public var repeatKey: String?
    /// The record of this group.
    public var auditRecord: ODMAuditRecord?
    /// The items.
    public var items: [ODMItemData]
    /// Where it was read.
    public var line: SourceLine

    /// States a group.
    public init(
        group: ItemGroupOID, repeatKey: String? = nil, auditRecord: ODMAuditRecord? = nil, items: [ODMItemData],
        line: SourceLine = .none
    ) {
        self.group = group
        self.repeatKey = repeatKey
        self.auditRecord = auditRecord
        self.items = items
        self.line = line
    }
}

/// One form (`FormData`).
public struct ODMFormData: Hashable, Sendable {
    /// The form.
    public var form: FormOID
    /// Which of several.
    public var repeatKey: String?
    /// The record of this form.
    public var auditRecord: ODMAuditRecord?
    /// The item groups.
    public var groups: [ODMItemGroupData]
    /// The running number of the form in its file, from 0, counting also forms that are not delivered.
    public var position: Int
    /// Where it was read.
    public var line: SourceLine

    /// States a form.
    public init(
        form: FormOID, repeatKey: String? = nil, auditRecord: ODMAuditRecord? = nil, groups: [ODMItemGroupData],
        position: Int, line: SourceLine = .none
    ) {
        self.form = form
        self.repeatKey = repeatKey
        self.auditRecord = auditRecord
        self.groups = groups
        self.position = position
        self.line = line
    }

    /// The number of items with a value or said to have none.
    public var itemCount: Int { groups.reduce(0) { $0 + $1.items.count } }

    /// The values of an item in the form, in the order of the file.
    public func values(of item: ItemOID) -> [String] {
        groups.flatMap(\.items).filter { $0.item == item }.compactMap(\.value)
    }
}

/// One visit (`StudyEventData`).
public struct ODMStudyEventData: Hashable, Sendable {
    /// The kind of visit.
    public var event: StudyEventOID
    /// Which of several.
    public var repeatKey: String?
    /// The record of this visit.
    public var auditRecord: ODMAuditRecord?
    /// The forms.
    public var forms: [ODMFormData]
    /// Where it was read.
    public var line: SourceLine

    /// States a visit.
    public init(
        event: StudyEventOID, repeatKey: String? = nil, auditRecord: ODMAuditRecord? = nil, forms: [ODMFormData],
        line: SourceLine = .none
    ) {
        self.event = event
        self.repeatKey = repeatKey
        self.auditRecord = auditRecord
        self.forms = forms
        self.line = line
    }
}

/// Everything about one participant (`SubjectData`).
public struct ODMSubjectData: Hashable, Sendable {
    /// The pseudonym.
    public var subjectKey: String
    /// The place the participant belongs to (`SiteRef`).
    public var site: LocationOID?
    /// The record of this participant.
    public var auditRecord: ODMAuditRecord?
    /// The visits.
    public var events: [ODMStudyEventData]
    /// Where it was read.
    public var line: SourceLine

    /// States a participant's data.
    public init(
        subjectKey: String, site: LocationOID?, auditRecord: ODMAuditRecord? = nil, events: [ODMStudyEventData],
        line: SourceLine = .none
    ) {
        self.subjectKey = subjectKey
        self.site = site
        self.auditRecord = auditRecord
        self.events = events
        self.line = line
    }

    /// The number of forms.
    public var formCount: Int { events.reduce(0) { $0 + $1.forms.count } }
    /// The number of items with a value or said to have none.
    public var itemCount: Int { events.reduce(0) { $0 + $1.forms.reduce(0) { $0 + $1.itemCount } } }
}

/// The clinical data of one file (`ClinicalData`), for files that fit into memory.
public struct ODMClinicalData: Hashable, Sendable {
    /// The study.
    public var studyOID: StudyOID
    /// The version of the metadata that the data follow.
    public var metaDataVersionOID: MetaDataVersionOID
    /// The participants.
    public var subjects: [ODMSubjectData]

    /// States clinical data.
    public init(studyOID: StudyOID, metaDataVersionOID: MetaDataVersionOID, subjects: [ODMSubjectData]) {
        self.studyOID = studyOID
        self.metaDataVersionOID = metaDataVersionOID
        self.subjects = subjects
    }
}

extension ODMFormData {
    /// The record that holds for an item: its own, else that of its group, its form, its visit, its participant.
    public func effectiveAuditRecord(
        of item: ODMItemData, in group: ODMItemGroupData, event: ODMStudyEventData, subject: ODMSubjectData
    ) -> ODMAuditRecord? {
        item.auditRecord ?? group.auditRecord ?? auditRecord ?? event.auditRecord ?? subject.auditRecord
    }
}

extension TrialPlan {
    /// The statuses that a form of a file implies, with the day they were reached: the rule's date item, else the day of
    /// the form's audit record (its first ten characters), else nil.
    public func impliedStatuses(of form: ODMFormData, event: StudyEventOID) -> [ImpliedStatus] {
        impliedStatuses(event: event) { form.values(of: $0) }.map { implied in
            ImpliedStatus(
                status: implied.status,
                date: implied.date ?? form.auditRecord.map { String($0.dateTimeStamp.prefix(10)) })
        }
    }
}
