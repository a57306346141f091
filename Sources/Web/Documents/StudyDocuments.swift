import EventLog
import Node
import Trial

/// A study, as the list shows it.
struct StudyDocument: Codable {
    struct Location: Codable {
        var location: LocationID
        var site: StudySiteID?
        var isOpen: Bool
        var isHeldHere: Bool
    }

    struct Site: Codable {
        var site: StudySiteID
        var name: String
        var isRegional: Bool
        var locations: [LocationID]
        var owner: NodeID
    }

    struct Definitions: Codable {
        var content: Hash
        var version: MetaDataVersionOID
        var name: String
    }

    var study: StudyID
    var oid: StudyOID?
    var name: String?
    var mode: StudyMode?
    var sponsor: String?
    var participationNumber: UInt64
    var coordinatingNodes: [NodeID]
    var sites: [Site]
    var locations: [Location]
    var definitions: Definitions?

    init(_ reading: StudyReading) {
        let participation = reading.authority.participation
        study = reading.study
        oid = reading.founding?.oid
        name = reading.founding?.name
        mode = reading.founding?.mode
        sponsor = participation?.sponsor
        participationNumber = participation?.number ?? 0
        coordinatingNodes = participation?.coordinatingNodes ?? []
        sites = (participation?.sites ?? []).map {
            Site(
                site: $0.id, name: $0.name, isRegional: $0.isRegional, locations: $0.locations, owner: $0.owner)
        }
        locations = (participation?.members ?? []).map { member in
            Location(
                location: member.location, site: participation?.site(of: member.location)?.id,
                isOpen: reading.authority.isOpen(member.location),
                isHeldHere: reading.heldLocations.contains(member.location))
        }
        definitions = reading.publication.map {
            Definitions(content: $0.content, version: $0.version, name: $0.name)
        }
    }
}

/// A study's definitions, as much as a program needs that draws screens.
struct DefinitionsDocument: Codable {
    struct Event: Codable {
        var oid: StudyEventOID
        var label: String
        var type: StudyEventType
        var isRepeating: Bool
        var plannedDay: Int?
        var forms: [FormOID]
    }

    struct Form: Codable {
        var oid: FormOID
        var label: String
        var isRepeating: Bool
        var isWhole: Bool
        var groups: [Group]
    }

    struct Group: Codable {
        var oid: ItemGroupOID
        var label: String
        var isRepeating: Bool
        var isWhole: Bool
        var isMandatory: Bool
        var items: [Item]
    }

    struct Item: Codable {
        var oid: ItemOID
        var label: String
        var dataType: ItemDataType
        var length: Int?
        var isMandatory: Bool
        var isCalculated: Bool
        var itemClass: String
        var units: [Unit]
        var codes: [Code]
        var checks: [Check]
    }

    struct Unit: Codable {
        var oid: MeasurementUnitOID
        var symbol: String
    }

    struct Code: Codable {
        var code: String
        var label: String
    }

    struct Check: Codable {
        var requirement: String
        var isHard: Bool
        var message: String?
    }

    var content: Hash
    var version: MetaDataVersionOID
    /// The languages in which something is written, sorted.
    var languages: [String]
    var events: [Event]
    var forms: [Form]

    init(_ reading: DefinitionReading, preferring languages: [String]) {
        let definition = reading.definition
        content = reading.content
        version = definition.metaDataVersionOID
        self.languages = DefinitionsDocument.languages(of: definition)
        events = definition.eventsInOrder.map { event in
            Event(
                oid: event.oid, label: event.label(preferring: languages), type: event.type,
                isRepeating: event.isRepeating, plannedDay: event.plannedDay, forms: event.forms.map(\.oid))
        }
        forms = definition.forms.map { DefinitionsDocument.form($0, in: definition, preferring: languages) }
    }

    private static func languages(of definition: StudyDefinition) -> [String] {
        var tags: Set<String> = []
        func add(_ texts: TranslatedTexts) { tags.formUnion(texts.all.compactMap(\.language)) }
        definition.events.forEach { add($0.description) }
        definition.forms.forEach { add($0.description) }
        definition.items.forEach { add($0.question) }
        definition.codeLists.forEach { list in list.entries.forEach { add($0.decode) } }
        return tags.sorted()
    }

    static func form(
        _ form: FormDefinition, in definition: StudyDefinition, preferring languages: [String]
    ) -> Form {
        Form(
            oid: form.oid, label: form.label(preferring: languages), isRepeating: form.isRepeating,
            isWhole: form.isWhole,
            groups: form.itemGroups.compactMap { reference in
                definition.itemGroups[reference.oid].map { group in
                    Group(
                        oid: group.oid, label: group.label(preferring: languages), isRepeating: group.isRepeating,
                        isWhole: definition.isWhole(form: form.oid, group: group.oid),
                        isMandatory: reference.isMandatory,
                        items: group.items.compactMap { reference in
                            definition.items[reference.oid].map {
                                item($0, reference, in: definition, preferring: languages)
                            }
                        })
                }
            })
    }

    private static func item(
        _ item: ItemDefinition, _ reference: ItemReference, in definition: StudyDefinition,
        preferring languages: [String]
    ) -> Item {
        Item(
            oid: item.oid, label: item.label(preferring: languages), dataType: item.dataType, length: item.length,
            isMandatory: reference.isMandatory, isCalculated: reference.method != nil,
            itemClass: item.itemClass.text,
            units: item.measurementUnits.map { oid in
                let unit = definition.measurementUnits[oid]
                return Unit(oid: oid, symbol: unit?.symbol.text(preferring: languages) ?? unit?.name ?? oid.text)
            },
            codes: definition.codeList(of: item)?.entries.map {
                Code(code: $0.codedValue, label: $0.label(preferring: languages))
            } ?? [],
            checks: item.rangeChecks.map {
                Check(
                    requirement: $0.requirement, isHard: $0.severity == .hard,
                    message: $0.message.text(preferring: languages))
            })
    }
}
