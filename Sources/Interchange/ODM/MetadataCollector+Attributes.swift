import Trial

/// The kinds of thing that OIDs name within a file; the raw value is ODM's name of the defining element.
enum ODMDefinitionKind: String {
    case studyEvent = "StudyEventDef"
    case form = "FormDef"
    case itemGroup = "ItemGroupDef"
    case item = "ItemDef"
    case codeList = "CodeList"
    case measurementUnit = "MeasurementUnit"
    case method = "MethodDef"
    case condition = "ConditionDef"
    case user = "User"
    case location = "Location"
}

/// An OID that was named and may be defined further down.
struct PendingReference {
    var kind: ODMDefinitionKind
    var oid: String
    var place: SourcePlace
    var path: [ImportPathStep]
}

extension MetadataCollector {
    func error(
        _ kind: ImportProblemKind, at place: SourcePlace?, _ path: [ImportPathStep], _ reason: String, _ advice: String
    ) {
        problems.add(.error, kind, at: place, path, reason, advice)
    }

    /// The way to a definition: its element with its OID.
    func path(_ element: String, _ node: XMLElementNode?) -> [ImportPathStep] {
        [ImportPathStep(element, node?.attributes["OID"] ?? "")]
    }

    /// The text of an attribute that has to be there and may not be empty.
    func required(_ node: XMLElementNode, _ name: String, in path: [ImportPathStep]) -> String? {
        guard let text = node.attributes[name] else {
            error(
                .missingAttribute, at: SourcePlace(node), path, "the attribute \(name) is absent", "add \(name)")
            return nil
        }
        guard !text.isEmpty else {
            error(.invalidAttribute, at: SourcePlace(node), path, "the attribute \(name) is empty", "fill in \(name)")
            return nil
        }
        return text
    }

    /// The OID in an attribute that has to be there.
    func oid<OID: ObjectIdentifierText>(
        _ node: XMLElementNode, _ name: String, in path: [ImportPathStep]
    ) -> OID? {
        guard let text = required(node, name, in: path) else { return nil }
        guard text.utf8.count <= limits.maximumKeyBytes else {
            error(
                .tooLarge, at: SourcePlace(node), path, "\(name) is longer than \(limits.maximumKeyBytes) bytes",
                "use a shorter OID")
            return nil
        }
        return OID(text)
    }

    /// The OID that an element defines; nil, with an error, where it is absent or defined before.
    func definedOID<OID: ObjectIdentifierText>(
        _ node: XMLElementNode, _ kind: ODMDefinitionKind, in path: [ImportPathStep]
    ) -> OID? {
        guard let found: OID = oid(node, "OID", in: path) else { return nil }
        if let line = defined[kind]?[found.text] {
            error(
                .duplicateOID, at: SourcePlace(node), path,
                "\(kind.rawValue) \(shownOID(found.text)) is defined before, at line \(line)",
                "remove one, or give it another OID")
            return nil
        }
        defined[kind, default: [:]][found.text] = node.line
        return found
    }

    /// The OID that an element names; it is looked up when the file has been read.
    func namedOID<OID: ObjectIdentifierText>(
        _ node: XMLElementNode, _ name: String, _ kind: ODMDefinitionKind, in path: [ImportPathStep]
    ) -> OID? {
        guard let found: OID = oid(node, name, in: path) else { return nil }
        references.append(PendingReference(kind: kind, oid: found.text, place: SourcePlace(node), path: path))
        return found
    }

    /// The OID that an element names where it does.
    func optionalOID<OID: ObjectIdentifierText>(
        _ node: XMLElementNode, _ name: String, _ kind: ODMDefinitionKind, in path: [ImportPathStep]
    ) -> OID? {
        node.attributes[name] == nil ? nil : namedOID(node, name, kind, in: path)
    }

    /// `Yes` or `No` in an attribute; nil, with an error, for anything else.
    func yesOrNo(_ node: XMLElementNode, _ name: String, in path: [ImportPathStep]) -> Bool? {
        guard let text = required(node, name, in: path) else { return nil }
        switch text {
        case "Yes": return true
        case "No": return false
        default:
            invalid(node, name, in: path, allowed: "Yes or No")
            return nil
        }
    }

    func invalid(_ node: XMLElementNode, _ name: String, in path: [ImportPathStep], allowed: String) {
        error(
            .invalidAttribute, at: SourcePlace(node), path,
            "the attribute \(name) is '\(shownOID(node.attributes[name] ?? ""))'", "write \(allowed)")
    }

    /// A whole number in an attribute that may be absent; nil, with an error, where it is none or below `least`.
    func number(_ node: XMLElementNode, _ name: String, atLeast least: Int? = nil, in path: [ImportPathStep]) -> Int? {
        guard let text = node.attributes[name] else { return nil }
        let bounds = (least ?? -1_000_000_000)...1_000_000_000
        guard let number = Int(text), bounds.contains(number) else {
            invalid(node, name, in: path, allowed: least.map { "a whole number from \($0)" } ?? "a whole number")
            return nil
        }
        return number
    }

    /// The translated texts in the child of that name.
    func texts(_ node: XMLElementNode, _ child: String) -> TranslatedTexts {
        TranslatedTexts(
            (node.child(child)?.children("TranslatedText") ?? []).map {
                TranslatedText(language: $0.attributes["xml:lang"], text: trimmed($0.text))
            })
    }

    func aliases(_ node: XMLElementNode) -> [Alias] {
        node.children("Alias").compactMap {
            guard let context = $0.attributes["Context"], let name = $0.attributes["Name"] else { return nil }
            return Alias(context: context, name: name)
        }
    }

    func expressions(_ node: XMLElementNode) -> [FormalExpression] {
        node.children("FormalExpression").map {
            FormalExpression(context: $0.attributes["Context"], text: trimmed($0.text))
        }
    }

    /// Reports attributes of Varde's namespace other than those `known` on this element: a misspelt class would leave an
    /// identifying item open.
    func checkExtension(_ node: XMLElementNode, known: [String], in path: [ImportPathStep]) {
        for name in node.attributes.keys.sorted() where name.hasPrefix("varde:") && !known.contains(name) {
            error(
                .unknownKey, at: SourcePlace(node), path,
                "\(node.name) has no attribute \(shownOID(name))",
                known.isEmpty ? "remove it" : "write \(known.joined(separator: " or "))")
        }
        for child in node.children { checkExtension(child, known: [], in: path) }
    }

    func checkReferences() {
        for reference in references where defined[reference.kind]?[reference.oid] == nil {
            error(
                .unknownOID, at: reference.place, reference.path,
                "nothing defines \(reference.kind.rawValue) \(shownOID(reference.oid))",
                "define it, or correct the OID")
        }
    }

    /// A code list of one type under an item of another works, by the list's type, and is worth a look.
    func checkCodeListTypes() {
        let lists = OIDTable(codeLists)
        for item in items {
            guard let list = item.codeList.flatMap({ lists[$0] }) else { continue }
            let fits = list.dataType.isNumeric == item.dataType.isNumeric || item.dataType == .boolean
            guard !fits else { continue }
            problems.add(
                .warning, .contradiction,
                at: (defined[.item]?[item.oid.text]).map { SourcePlace(line: $0) },
                [ImportPathStep("ItemDef", item.oid.text)],
                "the item is of type \(item.dataType.rawValue), its code list \(list.oid) of \(list.dataType.rawValue)",
                "give both the same type")
        }
    }
}

/// Text without the white space around it.
func trimmed(_ text: String) -> String {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    let bytes = text.utf8
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(Substring(bytes[first...last]))
}
