import Trial

extension ClinicalCollector {
    /// Reads a form; nil, with errors, where nothing of it is right.
    func form(_ node: XMLElementNode, of event: ODMStudyEventData, position: Int) -> ODMFormData? {
        let place = SourcePlace(node)
        let repeatKey = node.attributes["FormRepeatKey"]
        let path = path() + [ImportPathStep("FormData", node.attributes["FormOID"] ?? "", repeatKey: repeatKey)]
        guard let oid = key(node.attributes, "FormOID", at: place, path), isRead(node.attributes, at: place, path)
        else { return nil }
        let form = FormOID(oid)
        if let definition {
            guard let defined = definition.forms[form] else {
                unknown("FormDef", oid, at: place, path)
                return nil
            }
            guard definition.events[event.event]?.forms.contains(oid: form) == true else {
                misplaced("the form", "the visit's forms", at: place, path)
                return nil
            }
            guard repeats(defined.isRepeating, repeatKey, "FormRepeatKey", at: place, path) else { return nil }
        }
        guard isFirstForm(oid, repeatKey, at: place, path) else { return nil }
        guard let record = record(of: node, in: path) else { return nil }
        var keys: Set<RepeatedKey> = []
        var dropped = 0
        var groups: [ODMItemGroupData] = []
        for child in node.children {
            switch child.name {
            case "ItemGroupData":
                if let group = group(child, of: form, keys: &keys, in: path, dropped: &dropped) {
                    groups.append(group)
                }
            case "AuditRecord": break
            default: notRead(child, in: path)
            }
        }
        let read = ODMFormData(
            form: form, repeatKey: repeatKey, auditRecord: record.value, groups: groups, position: position,
            line: SourceLine(node.line))
        // A form of which nothing is left was not right; one that never held anything says that it is there.
        return dropped > 0 && read.itemCount == 0 ? nil : read
    }

    private func group(
        _ node: XMLElementNode, of form: FormOID, keys: inout Set<RepeatedKey>, in formPath: [ImportPathStep],
        dropped: inout Int
    ) -> ODMItemGroupData? {
        dropped += 1
        let place = SourcePlace(node)
        let repeatKey = node.attributes["ItemGroupRepeatKey"]
        func path() -> [ImportPathStep] {
            formPath
                + [ImportPathStep("ItemGroupData", node.attributes["ItemGroupOID"] ?? "", repeatKey: repeatKey)]
        }
        guard let oid = key(node.attributes, "ItemGroupOID", at: place, path()),
            isRead(node.attributes, at: place, path())
        else { return nil }
        let group = ItemGroupOID(oid)
        if let definition {
            guard let defined = definition.itemGroups[group] else {
                unknown("ItemGroupDef", oid, at: place, path())
                return nil
            }
            guard definition.forms[form]?.itemGroups.contains(oid: group) == true else {
                misplaced("the item group", "the form's groups", at: place, path())
                return nil
            }
            guard repeats(defined.isRepeating, repeatKey, "ItemGroupRepeatKey", at: place, path()) else { return nil }
        }
        guard isFirst(keys.insert(RepeatedKey(oid: oid, repeatKey: repeatKey)).inserted, at: place, path()) else {
            return nil
        }
        guard let record = record(of: node, in: path()) else { return nil }
        var seen: Set<ItemOID> = []
        var items: [ODMItemData] = []
        items.reserveCapacity(node.children.count)
        var droppedItems = 0
        for child in node.children {
            if child.name.hasPrefix("ItemData") {
                if let item = item(child, of: group, seen: &seen, in: path) {
                    items.append(item)
                } else {
                    droppedItems += 1
                }
            } else if child.name != "AuditRecord" {
                notRead(child, in: path())
            }
        }
        if droppedItems > 0 && items.isEmpty { return nil }
        dropped += droppedItems - 1
        return ODMItemGroupData(
            group: group, repeatKey: repeatKey, auditRecord: record.value, items: items, line: SourceLine(node.line))
    }

    private func item(
        _ node: XMLElementNode, of group: ItemGroupOID, seen: inout Set<ItemOID>,
        in groupPath: () -> [ImportPathStep]
    ) -> ODMItemData? {
        let place = SourcePlace(node)
        func path() -> [ImportPathStep] {
            groupPath() + [ImportPathStep(node.name, node.attributes["ItemOID"] ?? "")]
        }
        guard let oid = key(node.attributes, "ItemOID", at: place, path()), isRead(node.attributes, at: place, path())
        else { return nil }
        let item = ItemOID(oid)
        if let definition {
            guard definition.items.contains(oid: item) else {
                unknown("ItemDef", oid, at: place, path())
                return nil
            }
            guard definition.itemGroups[group]?.items.contains(oid: item) == true else {
                misplaced("the item", "the group's items", at: place, path())
                return nil
            }
        }
        guard isFirst(seen.insert(item).inserted, at: place, path()) else { return nil }
        guard let record = record(of: node, in: path()) else { return nil }
        for child in node.children where child.name != "AuditRecord" && child.name != "MeasurementUnitRef" {
            notRead(child, in: path())
        }
        if node.attributes["AuditRecordID"] != nil { problems.countNotLoaded("AuditRecordID", at: place) }
        guard let value = value(of: node, at: place, path()) else { return nil }
        let unit = (node.child("MeasurementUnitRef")?.attributes ?? node.attributes)["MeasurementUnitOID"]
            .map { MeasurementUnitOID($0) }
        if case .some(let typed) = value, !isRight(typed, item, unit, at: place, path()) { return nil }
        return ODMItemData(
            item: item, value: value, measurementUnit: unit, auditRecord: record.value, line: SourceLine(node.line))
    }

    /// The value of an item: inner nil where it is said to have none; outer nil, with an error, where it says nothing.
    private func value(
        of node: XMLElementNode, at place: SourcePlace, _ path: @autoclosure () -> [ImportPathStep]
    ) -> String?? {
        let isTyped = node.name != "ItemData"
        let isNull = node.attributes["IsNull"] == "Yes"
        let text = isTyped ? (isNull && node.text.isEmpty ? nil : node.text) : node.attributes["Value"]
        if (text == nil) == isNull { return .some(text) }
        error(
            .missingValue, at: place, path(),
            isNull ? "the item is said to have no value and has one" : "the item has neither a Value nor IsNull",
            isNull ? "remove one of the two" : "add Value, or IsNull=\"Yes\"")
        return nil
    }

    /// Whether a value is one that its item's definition allows.
    private func isRight(
        _ typed: String, _ oid: ItemOID, _ unit: MeasurementUnitOID?, at place: SourcePlace,
        _ path: @autoclosure () -> [ImportPathStep]
    ) -> Bool {
        guard let definition, let item = definition.items[oid] else { return true }
        if let unit, !definition.measurementUnits.contains(oid: unit) {
            unknown("MeasurementUnit", unit.text, at: place, path())
            return false
        }
        let judgement = ValueNormaliser.judge(typed, for: item, in: definition, unit: unit)
        for problem in judgement.errors {
            error(problem.importKind, at: place, path(), problem.reason, problem.advice)
        }
        for problem in judgement.warnings {
            problems.add(.warning, problem.importKind, at: place, path(), problem.reason, problem.advice)
        }
        return judgement.isAcceptable
    }

    /// The record of an element, inner nil where it has none; outer nil, with errors, where it is not complete.
    private func record(of node: XMLElementNode, in path: @autoclosure () -> [ImportPathStep]) -> Held? {
        guard let child = node.child("AuditRecord") else { return Held(value: nil) }
        return auditRecord(child, in: path()).map { Held(value: $0) }
    }

    private struct Held {
        var value: ODMAuditRecord?
    }

    private func notRead(_ node: XMLElementNode, in path: @autoclosure () -> [ImportPathStep]) {
        let place = SourcePlace(node)
        switch node.name {
        case "Signature", "Annotation", "ArchiveLayoutRef": problems.countNotLoaded(node.name, at: place)
        default:
            problems.add(
                .warning, .unexpectedElement, at: place, path(),
                "the element \(shownOID(node.name)) is not expected here and not read", "look whether it is misplaced")
        }
    }
}

extension ValueProblem {
    /// The problem's kind in an import report.
    var importKind: ImportProblemKind {
        switch self {
        case .empty, .wrongType, .numberTooLarge, .illegalCharacter: .wrongType
        case .tooLarge, .tooLong: .tooLong
        case .notInCodeList: .outsideCodeList
        case .outsideRange: .outsideRange
        case .unitNotAllowed: .wrongUnit
        }
    }
}
