import Trial

extension MetadataCollector {
    func readGlobalVariables(_ node: XMLElementNode) {
        let path = [ImportPathStep("Study", studyOID?.text ?? ""), ImportPathStep("GlobalVariables")]
        func text(_ name: String) -> String? {
            guard let child = node.child(name) else {
                error(.missingElement, at: SourcePlace(node), path, "the element \(name) is absent", "add \(name)")
                return nil
            }
            return trimmed(child.text)
        }
        studyName = text("StudyName")
        studyDescription = text("StudyDescription") ?? ""
        protocolName = text("ProtocolName") ?? ""
    }

    func readProtocol(_ node: XMLElementNode) {
        let path = [ImportPathStep("Protocol")]
        protocolDescription = texts(node, "Description")
        protocolEvents += references(node, "StudyEventRef", "StudyEventOID", .studyEvent, in: path)
    }

    func readStudyEvent(_ node: XMLElementNode) {
        let path = path("StudyEventDef", node)
        checkExtension(node, known: [], in: path)
        let oid: StudyEventOID? = definedOID(node, .studyEvent, in: path)
        let name = required(node, "Name", in: path)
        let isRepeating = yesOrNo(node, "Repeating", in: path)
        var type: StudyEventType?
        if let text = required(node, "Type", in: path) {
            type = StudyEventType(rawValue: text)
            if type == nil { invalid(node, "Type", in: path, allowed: "Scheduled, Unscheduled or Common") }
        }
        let forms: [FormReference] = references(node, "FormRef", "FormOID", .form, in: path)
        guard let oid, let name, let isRepeating, let type else { return }
        var event = StudyEventDefinition(oid: oid, name: name, isRepeating: isRepeating, type: type)
        event.description = texts(node, "Description")
        event.forms = OIDTable(inOrder(forms) { $0.orderNumber })
        event.aliases = aliases(node)
        events.append(event)
    }

    func readForm(_ node: XMLElementNode) {
        let path = path("FormDef", node)
        checkExtension(node, known: ["varde:Whole"], in: path)
        let oid: FormOID? = definedOID(node, .form, in: path)
        let name = required(node, "Name", in: path)
        let isRepeating = yesOrNo(node, "Repeating", in: path)
        let isWhole = node.attributes["varde:Whole"] == nil ? false : yesOrNo(node, "varde:Whole", in: path)
        let groups: [ItemGroupReference] = references(node, "ItemGroupRef", "ItemGroupOID", .itemGroup, in: path)
        guard let oid, let name, let isRepeating, let isWhole else { return }
        var form = FormDefinition(oid: oid, name: name, isRepeating: isRepeating)
        form.description = texts(node, "Description")
        form.itemGroups = OIDTable(inOrder(groups) { $0.orderNumber })
        form.isWhole = isWhole
        form.aliases = aliases(node)
        forms.append(form)
    }

    func readItemGroup(_ node: XMLElementNode) {
        let path = path("ItemGroupDef", node)
        checkExtension(node, known: ["varde:Whole"], in: path)
        let oid: ItemGroupOID? = definedOID(node, .itemGroup, in: path)
        let name = required(node, "Name", in: path)
        let isRepeating = yesOrNo(node, "Repeating", in: path)
        let isWhole = node.attributes["varde:Whole"] == nil ? false : yesOrNo(node, "varde:Whole", in: path)
        var seen: Set<ItemOID> = []
        var references: [ItemReference] = []
        for child in node.children("ItemRef") {
            let childPath = path + [ImportPathStep("ItemRef", child.attributes["ItemOID"] ?? "")]
            let method: MethodOID? = optionalOID(child, "MethodOID", .method, in: childPath)
            let condition: ConditionOID? =
                optionalOID(child, "CollectionExceptionConditionOID", .condition, in: childPath)
            let order = number(child, "OrderNumber", in: childPath)
            guard let item: ItemOID = namedOID(child, "ItemOID", .item, in: childPath),
                let isMandatory = yesOrNo(child, "Mandatory", in: childPath)
            else { continue }
            guard isFirst(seen.insert(item).inserted, child, childPath) else { continue }
            references.append(
                ItemReference(
                    oid: item, orderNumber: order, isMandatory: isMandatory, collectionExceptionCondition: condition,
                    method: method))
        }
        guard let oid, let name, let isRepeating, let isWhole else { return }
        var group = ItemGroupDefinition(oid: oid, name: name, isRepeating: isRepeating)
        group.description = texts(node, "Description")
        group.items = OIDTable(inOrder(references) { $0.orderNumber })
        group.isWhole = isWhole
        group.domain = node.attributes["Domain"]
        group.aliases = aliases(node)
        itemGroups.append(group)
    }

    /// The references among an element's children.
    private func references<OID: ObjectIdentifierText>(
        _ node: XMLElementNode, _ element: String, _ attribute: String, _ kind: ODMDefinitionKind,
        in path: [ImportPathStep]
    ) -> [DefinitionReference<OID>] {
        var seen: Set<OID> = []
        return node.children(element).compactMap { child in
            let childPath = path + [ImportPathStep(element, child.attributes[attribute] ?? "")]
            let condition: ConditionOID? =
                optionalOID(child, "CollectionExceptionConditionOID", .condition, in: childPath)
            let order = number(child, "OrderNumber", in: childPath)
            guard let oid: OID = namedOID(child, attribute, kind, in: childPath),
                let isMandatory = yesOrNo(child, "Mandatory", in: childPath),
                isFirst(seen.insert(oid).inserted, child, childPath)
            else { return nil }
            return DefinitionReference(
                oid: oid, orderNumber: order, isMandatory: isMandatory, collectionExceptionCondition: condition)
        }
    }

    /// Passes on whether a reference is the first of its OID, with an error where it is not.
    private func isFirst(_ isFirst: Bool, _ node: XMLElementNode, _ path: [ImportPathStep]) -> Bool {
        if !isFirst {
            error(
                .duplicateOID, at: SourcePlace(node), path, "the same OID is named twice in one definition",
                "remove one of the references")
        }
        return isFirst
    }

    func readMeasurementUnit(_ node: XMLElementNode) {
        let path = path("MeasurementUnit", node)
        guard let oid: MeasurementUnitOID = definedOID(node, .measurementUnit, in: path),
            let name = required(node, "Name", in: path)
        else { return }
        measurementUnits.append(MeasurementUnitDefinition(oid: oid, name: name, symbol: texts(node, "Symbol")))
    }

    func readMethod(_ node: XMLElementNode) {
        let path = path("MethodDef", node)
        guard let oid: MethodOID = definedOID(node, .method, in: path), let name = required(node, "Name", in: path)
        else { return }
        methods.append(
            MethodDefinition(
                oid: oid, name: name, type: node.attributes["Type"], description: texts(node, "Description"),
                expressions: expressions(node)))
    }

    func readCondition(_ node: XMLElementNode) {
        let path = path("ConditionDef", node)
        guard let oid: ConditionOID = definedOID(node, .condition, in: path),
            let name = required(node, "Name", in: path)
        else { return }
        conditions.append(
            ConditionDefinition(
                oid: oid, name: name, description: texts(node, "Description"), expressions: expressions(node)))
    }

    func readUser(_ node: XMLElementNode) {
        let path = path("User", node)
        let places: [LocationOID] = node.children("LocationRef").compactMap {
            namedOID($0, "LocationOID", .location, in: path)
        }
        guard let oid: UserOID = definedOID(node, .user, in: path) else { return }
        func name(_ element: String) -> String? {
            let text = node.child(element).map { trimmed($0.text) } ?? ""
            return text.isEmpty ? nil : text
        }
        let fullName = [name("FirstName"), name("LastName")].compactMap(\.self).joined(separator: " ")
        let shown =
            name("DisplayName") ?? name("FullName") ?? (fullName.isEmpty ? nil : fullName) ?? name("LoginName")
            ?? oid.text
        users.append(
            UserDefinition(oid: oid, type: node.attributes["UserType"], displayName: shown, locations: places))
    }

    func readLocation(_ node: XMLElementNode) {
        let path = path("Location", node)
        guard let oid: LocationOID = definedOID(node, .location, in: path),
            let name = required(node, "Name", in: path)
        else { return }
        locations.append(LocationDefinition(oid: oid, name: name, type: node.attributes["LocationType"]))
    }
}
