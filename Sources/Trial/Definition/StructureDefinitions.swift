/// How a definition names one of its parts: a visit its forms, a form its item groups, the protocol its visits.
public struct DefinitionReference<OID: ObjectIdentifierText>: ObjectIdentified, Codable {
    /// The OID of what is named.
    public let oid: OID
    /// Its place among its siblings.
    public let orderNumber: Int?
    /// Whether it has to be filled in.
    public let isMandatory: Bool
    /// The condition under which it is *not* collected.
    public let collectionExceptionCondition: ConditionOID?

    /// States a reference.
    public init(
        oid: OID, orderNumber: Int? = nil, isMandatory: Bool, collectionExceptionCondition: ConditionOID? = nil
    ) {
        self.oid = oid
        self.orderNumber = orderNumber
        self.isMandatory = isMandatory
        self.collectionExceptionCondition = collectionExceptionCondition
    }
}

/// How the protocol names a visit (`StudyEventRef`).
public typealias StudyEventReference = DefinitionReference<StudyEventOID>
/// How a visit names a form (`FormRef`).
public typealias FormReference = DefinitionReference<FormOID>
/// How a form names an item group (`ItemGroupRef`).
public typealias ItemGroupReference = DefinitionReference<ItemGroupOID>

/// How an item group names an item (`ItemRef`).
public struct ItemReference: ObjectIdentified, Codable {
    /// The OID of the item.
    public let oid: ItemOID
    /// Its place in the group.
    public let orderNumber: Int?
    /// Whether it has to be filled in.
    public let isMandatory: Bool
    /// The condition under which it is *not* collected.
    public let collectionExceptionCondition: ConditionOID?
    /// The method by which it is calculated, where it is.
    public let method: MethodOID?

    /// States a reference.
    public init(
        oid: ItemOID, orderNumber: Int? = nil, isMandatory: Bool, collectionExceptionCondition: ConditionOID? = nil,
        method: MethodOID? = nil
    ) {
        self.oid = oid
        self.orderNumber = orderNumber
        self.isMandatory = isMandatory
        self.collectionExceptionCondition = collectionExceptionCondition
        self.method = method
    }
}

/// When a visit takes place (`StudyEventDef/@Type`).
public enum StudyEventType: String, Sendable, Codable {
    /// Planned by the protocol.
    case scheduled = "Scheduled"
    /// Not planned, as circumstances demand.
    case unscheduled = "Unscheduled"
    /// A place for forms that belong to no visit.
    case common = "Common"
}

/// A kind of visit (`StudyEventDef`).
public struct StudyEventDefinition: ObjectIdentified {
    /// The OID.
    public let oid: StudyEventOID
    /// The name.
    public let name: String
    /// Whether a participant may have several.
    public let isRepeating: Bool
    /// When it takes place.
    public let type: StudyEventType
    /// What it is.
    public var description = TranslatedTexts()
    /// The forms, in their order.
    public var forms = OIDTable<FormReference>()
    /// Other names; context `VISITDY` gives the planned day, day 1 being inclusion.
    public var aliases: [Alias] = []

    /// Defines a kind of visit; everything else is set afterwards.
    public init(oid: StudyEventOID, name: String, isRepeating: Bool, type: StudyEventType) {
        self.oid = oid
        self.name = name
        self.isRepeating = isRepeating
        self.type = type
    }

    /// The planned study day (alias `VISITDY`), day 1 being inclusion; nil where none is planned.
    public var plannedDay: Int? {
        aliases.first { $0.context == "VISITDY" }.flatMap { Int($0.name) }
    }

    /// The name shown to a reader who prefers `languages`.
    public func label(preferring languages: [String]) -> String {
        description.text(preferring: languages) ?? name
    }
}

/// A form (`FormDef`).
public struct FormDefinition: ObjectIdentified {
    /// The OID.
    public let oid: FormOID
    /// The name.
    public let name: String
    /// Whether a visit may have several.
    public let isRepeating: Bool
    /// What it is.
    public var description = TranslatedTexts()
    /// The item groups, in their order.
    public var itemGroups = OIDTable<ItemGroupReference>()
    /// Whether concurrent versions stay alternatives as wholes instead of being merged item by item (DESIGN §5).
    public var isWhole = false
    /// Other names.
    public var aliases: [Alias] = []

    /// Defines a form; everything else is set afterwards.
    public init(oid: FormOID, name: String, isRepeating: Bool) {
        self.oid = oid
        self.name = name
        self.isRepeating = isRepeating
    }

    /// The name shown to a reader who prefers `languages`.
    public func label(preferring languages: [String]) -> String {
        description.text(preferring: languages) ?? name
    }
}

/// A group of items that belong together (`ItemGroupDef`).
public struct ItemGroupDefinition: ObjectIdentified {
    /// The OID.
    public let oid: ItemGroupOID
    /// The name.
    public let name: String
    /// Whether a form may have several: the group is then a row.
    public let isRepeating: Bool
    /// What it is.
    public var description = TranslatedTexts()
    /// The items, in their order.
    public var items = OIDTable<ItemReference>()
    /// Whether concurrent versions stay alternatives as wholes instead of being merged item by item (DESIGN §5).
    public var isWhole = false
    /// The SDTM domain.
    public var domain: String?
    /// Other names.
    public var aliases: [Alias] = []

    /// Defines a group; everything else is set afterwards.
    public init(oid: ItemGroupOID, name: String, isRepeating: Bool) {
        self.oid = oid
        self.name = name
        self.isRepeating = isRepeating
    }

    /// The name shown to a reader who prefers `languages`.
    public func label(preferring languages: [String]) -> String {
        description.text(preferring: languages) ?? name
    }
}

/// A unit of measurement (`MeasurementUnit`).
public struct MeasurementUnitDefinition: ObjectIdentified {
    /// The OID.
    public let oid: MeasurementUnitOID
    /// The name.
    public let name: String
    /// How it is written after a number.
    public let symbol: TranslatedTexts

    /// Defines a unit.
    public init(oid: MeasurementUnitOID, name: String, symbol: TranslatedTexts = TranslatedTexts()) {
        self.oid = oid
        self.name = name
        self.symbol = symbol
    }
}

/// How a calculated item comes about, kept as text (`MethodDef`).
public struct MethodDefinition: ObjectIdentified {
    /// The OID.
    public let oid: MethodOID
    /// The name.
    public let name: String
    /// `Computation`, `Imputation`, `Transpose` or `Other`.
    public let type: String?
    /// The method in words.
    public let description: TranslatedTexts
    /// The method in formal languages.
    public let expressions: [FormalExpression]

    /// Defines a method.
    public init(
        oid: MethodOID, name: String, type: String?, description: TranslatedTexts, expressions: [FormalExpression]
    ) {
        self.oid = oid
        self.name = name
        self.type = type
        self.description = description
        self.expressions = expressions
    }
}

/// When something is not collected, kept as text (`ConditionDef`).
public struct ConditionDefinition: ObjectIdentified {
    /// The OID.
    public let oid: ConditionOID
    /// The name.
    public let name: String
    /// The condition in words.
    public let description: TranslatedTexts
    /// The condition in formal languages.
    public let expressions: [FormalExpression]

    /// Defines a condition.
    public init(oid: ConditionOID, name: String, description: TranslatedTexts, expressions: [FormalExpression]) {
        self.oid = oid
        self.name = name
        self.description = description
        self.expressions = expressions
    }
}

/// Someone whom audit records name (`User`).
public struct UserDefinition: ObjectIdentified {
    /// The OID.
    public let oid: UserOID
    /// `Sponsor`, `Investigator`, `Lab` or `Other`.
    public let type: String?
    /// The name shown: display name, full name, first and last name, login name, else the OID.
    public let displayName: String
    /// Where they work.
    public let locations: [LocationOID]

    /// States a user.
    public init(oid: UserOID, type: String?, displayName: String, locations: [LocationOID] = []) {
        self.oid = oid
        self.type = type
        self.displayName = displayName
        self.locations = locations
    }
}

/// A place that audit records and participants' sites name (`Location`).
public struct LocationDefinition: ObjectIdentified {
    /// The OID.
    public let oid: LocationOID
    /// The name.
    public let name: String
    /// `Sponsor`, `Site`, `CRO`, `Lab` or `Other`.
    public let type: String?

    /// States a place.
    public init(oid: LocationOID, name: String, type: String?) {
        self.oid = oid
        self.name = name
        self.type = type
    }
}
