/// One version of a study's metadata as ODM 1.3.2 gives it: what is asked, where, and what an answer may be.
///
/// Invariants, checked by the reader and taken for granted here:
/// - every OID that a definition names is defined in the same study definition;
/// - no two definitions of a kind have the same OID.
public struct StudyDefinition: Hashable, Sendable {
    /// The study's OID, a label.
    public let studyOID: StudyOID
    /// The OID of this version of the metadata.
    public let metaDataVersionOID: MetaDataVersionOID
    /// The name of this version.
    public var metaDataVersionName: String
    /// What is said of this version.
    public var metaDataVersionDescription: String?
    /// The study's short name.
    public var studyName: String
    /// What the study is about.
    public var studyDescription: String
    /// The name of its protocol.
    public var protocolName: String
    /// What the protocol is about.
    public var protocolDescription = TranslatedTexts()
    /// The visits of the protocol, in their order.
    public var protocolEvents = OIDTable<StudyEventReference>()
    /// All kinds of visit.
    public var events = OIDTable<StudyEventDefinition>()
    /// All forms.
    public var forms = OIDTable<FormDefinition>()
    /// All item groups.
    public var itemGroups = OIDTable<ItemGroupDefinition>()
    /// All items.
    public var items = OIDTable<ItemDefinition>()
    /// All code lists.
    public var codeLists = OIDTable<CodeListDefinition>()
    /// All units of measurement.
    public var measurementUnits = OIDTable<MeasurementUnitDefinition>()
    /// All methods.
    public var methods = OIDTable<MethodDefinition>()
    /// All conditions.
    public var conditions = OIDTable<ConditionDefinition>()
    /// Those whom audit records may name; empty where the file has no administrative data.
    public var users = OIDTable<UserDefinition>()
    /// Places that audit records and sites may name; empty where the file has no administrative data.
    public var locations = OIDTable<LocationDefinition>()

    /// Starts a definition; everything else is set afterwards.
    public init(
        studyOID: StudyOID, metaDataVersionOID: MetaDataVersionOID, metaDataVersionName: String, studyName: String,
        studyDescription: String, protocolName: String
    ) {
        self.studyOID = studyOID
        self.metaDataVersionOID = metaDataVersionOID
        self.metaDataVersionName = metaDataVersionName
        self.studyName = studyName
        self.studyDescription = studyDescription
        self.protocolName = protocolName
    }

    /// The code list an item's values are taken from, nil where they are free.
    public func codeList(of item: ItemDefinition) -> CodeListDefinition? {
        item.codeList.flatMap { codeLists[$0] }
    }

    /// The visits in the protocol's order, followed by those the protocol does not name.
    public var eventsInOrder: [StudyEventDefinition] {
        let named = protocolEvents.compactMap { events[$0.oid] }
        return named + events.filter { !protocolEvents.contains(oid: $0.oid) }
    }

    /// Whether a form, or every group in it, is *whole*: concurrent versions stay alternatives (DESIGN §5).
    public func isWhole(form: FormOID, group: ItemGroupOID) -> Bool {
        forms[form]?.isWhole == true || itemGroups[group]?.isWhole == true
    }
}
