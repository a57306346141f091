import EventLog
public import Trial

/// Names of OIDs and texts of codes, for people who read a proof: a convenience that no signature covers.
public struct ProofNames: Hashable, Sendable {
    /// The name of each OID that the entry holds.
    public var objects: [String: String]
    /// The text of each code, by code list and code.
    public var codes: [String: [String: String]]

    /// No file names more OIDs, lists or codes of a list.
    public static let maximumCount = 10_000

    /// States names.
    public init(objects: [String: String] = [:], codes: [String: [String: String]] = [:]) {
        self.objects = objects
        self.codes = codes
    }

    /// The names that a definition gives to what an entry holds.
    ///
    /// - Parameter languages: the reader's, best first.
    public init(of operation: Operation, in definition: StudyDefinition, languages: [String] = ["en"]) {
        self.init()
        let (instances, changes) = operation.instancesAndChanges
        for instance in instances {
            switch instance.kind {
            case .studyEvent: objects[instance.oid] = definition.events[StudyEventOID(instance.oid)]?.name
            case .form: objects[instance.oid] = definition.forms[FormOID(instance.oid)]?.name
            case .itemGroup: objects[instance.oid] = definition.itemGroups[ItemGroupOID(instance.oid)]?.name
            }
        }
        for change in changes {
            guard let item = definition.items[change.item] else { continue }
            objects[change.item.text] = item.question.text(preferring: languages) ?? item.name
            guard let list = (change.value?.codeList.map { CodeListOID($0) } ?? item.codeList) else { continue }
            for code in change.value?.codes ?? [] {
                codes[list.text, default: [:]][code] =
                    definition.codeLists[list]?.entry(for: code)?.decode.text(preferring: languages)
            }
        }
    }
}

extension Operation {
    /// The instances and values that the operation writes; empty for those that write none.
    var instancesAndChanges: (instances: [InstanceDeclaration], changes: [Change]) {
        switch self {
        case .formSaved(let save): (save.instances, save.changes)
        case .conflictResolved(let resolution): (resolution.save.instances, resolution.save.changes)
        case .responseReceived(let response): (response.instances, response.changes)
        case .removed(let removal), .restored(let removal): (removal.instances, [])
        case .instancesDecided(let decision): (decision.instances, [])
        case .formConfirmed(let confirmation): (confirmation.instances, [])
        default: ([], [])
        }
    }
}

extension ProofNames {
    func write(to text: inout ProofText) {
        text.object { text in
            text.name("objects")
            text.object { text in
                for (oid, name) in objects.sorted(by: { $0.key < $1.key }) { text.member(oid, name) }
            }
            text.name("codes")
            text.object { text in
                for (list, codes) in codes.sorted(by: { $0.key < $1.key }) {
                    text.name(list)
                    text.object { text in
                        for (code, name) in codes.sorted(by: { $0.key < $1.key }) { text.member(code, name) }
                    }
                }
            }
        }
    }

    init(json: JSONValue) throws(ProofFileError) {
        let members = try ProofMembers(json, in: "unproven.names", known: ["objects", "codes"])
        objects = try ProofNames.texts(try members.value("objects"), "unproven.names.objects")
        let lists = try members.value("codes")
        guard lists.isObject else { throw .malformed("unproven.names.codes", "it is no object") }
        codes = [:]
        for (list, value) in lists.members.prefix(ProofNames.maximumCount) {
            codes[list] = try ProofNames.texts(value, "unproven.names.codes")
        }
    }

    private static func texts(_ value: JSONValue, _ place: String) throws(ProofFileError) -> [String: String] {
        guard value.isObject else { throw .malformed(place, "it is no object") }
        let members = value.members
        guard members.count <= maximumCount else {
            throw .malformed(place, "it has more than \(maximumCount) members")
        }
        var texts: [String: String] = [:]
        for (name, value) in members { texts[name] = try ProofMembers.text(value, place) }
        return texts
    }
}
