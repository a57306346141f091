import Trial

extension MetadataCollector {
    func readItem(_ node: XMLElementNode) {
        let path = path("ItemDef", node)
        checkExtension(node, known: ["varde:Class", "varde:FreeText"], in: path)
        let oid: ItemOID? = definedOID(node, .item, in: path)
        let name = required(node, "Name", in: path)
        let type = dataType(node, in: path)
        let itemClass = itemClass(node, in: path)
        let isFreeText: Bool? =
            node.attributes["varde:FreeText"] == nil ? nil : yesOrNo(node, "varde:FreeText", in: path)
        let length = number(node, "Length", atLeast: 1, in: path)
        let digits = number(node, "SignificantDigits", atLeast: 0, in: path)
        let units: [MeasurementUnitOID] = node.children("MeasurementUnitRef").compactMap {
            namedOID($0, "MeasurementUnitOID", .measurementUnit, in: path)
        }
        let checks = node.children("RangeCheck").compactMap { rangeCheck($0, of: type, in: path) }
        let list: CodeListOID? = node.child("CodeListRef").flatMap {
            namedOID($0, "CodeListOID", .codeList, in: path)
        }
        guard let oid, let name, let type, let itemClass else { return }
        var item = ItemDefinition(oid: oid, name: name, dataType: type)
        item.length = length
        item.significantDigits = digits
        item.description = texts(node, "Description")
        item.question = texts(node, "Question")
        item.measurementUnits = units
        item.rangeChecks = checks
        item.codeList = list
        item.itemClass = itemClass
        item.freeTextOverride = isFreeText
        item.aliases = aliases(node)
        items.append(item)
    }

    private func dataType(_ node: XMLElementNode, in path: [ImportPathStep]) -> ItemDataType? {
        guard let text = required(node, "DataType", in: path) else { return nil }
        let type = ItemDataType(rawValue: text)
        if type == nil { invalid(node, "DataType", in: path, allowed: "a data type of ODM 1.3.2") }
        return type
    }

    private func itemClass(_ node: XMLElementNode, in path: [ImportPathStep]) -> ItemClass? {
        guard let text = node.attributes["varde:Class"] else { return .open }
        let itemClass = ItemClass(text: text)
        if itemClass == nil {
            invalid(node, "varde:Class", in: path, allowed: "open, identifying or restricted:<class>")
        }
        return itemClass
    }

    private func rangeCheck(
        _ node: XMLElementNode, of type: ItemDataType?, in itemPath: [ImportPathStep]
    ) -> RangeCheck? {
        let path = itemPath + [ImportPathStep("RangeCheck")]
        var severity: RangeCheckSeverity?
        if let text = required(node, "SoftHard", in: path) {
            severity = RangeCheckSeverity(rawValue: text)
            if severity == nil { invalid(node, "SoftHard", in: path, allowed: "Soft or Hard") }
        }
        var comparator: RangeCheckComparator?
        if let text = node.attributes["Comparator"] {
            comparator = RangeCheckComparator(rawValue: text)
            if comparator == nil {
                let allowed = RangeCheckComparator.allCases.map(\.rawValue).joined(separator: ", ")
                invalid(node, "Comparator", in: path, allowed: "one of \(allowed)")
                return nil
            }
        }
        let unit: MeasurementUnitOID? = node.child("MeasurementUnitRef").flatMap {
            namedOID($0, "MeasurementUnitOID", .measurementUnit, in: path)
        }
        guard let severity else { return nil }
        let check = RangeCheck(
            comparator: comparator, values: node.children("CheckValue").map { trimmed($0.text) }, severity: severity,
            measurementUnit: unit, message: texts(node, "ErrorMessage"), expressions: expressions(node))
        return isComplete(check, at: node, of: type, in: path) ? check : nil
    }

    /// Whether a check can be judged, with an error where it cannot.
    private func isComplete(
        _ check: RangeCheck, at node: XMLElementNode, of type: ItemDataType?, in path: [ImportPathStep]
    ) -> Bool {
        let place = SourcePlace(node)
        guard let comparator = check.comparator else {
            if check.values.isEmpty && !check.expressions.isEmpty { return true }
            error(
                .missingAttribute, at: place, path, "the check has neither a Comparator nor a FormalExpression",
                "add Comparator")
            return false
        }
        if check.values.isEmpty || (check.values.count > 1 && !comparator.takesSeveralValues) {
            error(
                .missingElement, at: place, path,
                "the check has \(check.values.count) CheckValue elements, comparator \(comparator.rawValue) takes "
                    + (comparator.takesSeveralValues ? "one or more" : "one"), "correct the CheckValue elements")
            return false
        }
        if let type, !ValueNormaliser.isMeaningful(check, as: type) {
            error(
                .wrongType, at: place, path, "a CheckValue is not of the item's type \(type.rawValue)",
                "write \(type.explanation)")
            return false
        }
        return true
    }

    func readCodeList(_ node: XMLElementNode) {
        let path = path("CodeList", node)
        checkExtension(node, known: [], in: path)
        let oid: CodeListOID? = definedOID(node, .codeList, in: path)
        let name = required(node, "Name", in: path)
        var type: ItemDataType?
        if let text = required(node, "DataType", in: path) {
            type = ItemDataType(rawValue: text).flatMap {
                [.integer, .float, .text, .string].contains($0) ? $0 : nil
            }
            if type == nil { invalid(node, "DataType", in: path, allowed: "integer, float, text or string") }
        }
        guard let type else { return }
        var lines: [String: Int] = [:]
        let entries = (node.children("CodeListItem") + node.children("EnumeratedItem")).compactMap {
            codeListEntry($0, of: type, in: path, lines: &lines)
        }
        let external = node.child("ExternalCodeList").map {
            ExternalCodeList(dictionary: $0.attributes["Dictionary"], version: $0.attributes["Version"])
        }
        if external == nil && node.child("CodeListItem") == nil && node.child("EnumeratedItem") == nil {
            error(.missingElement, at: SourcePlace(node), path, "the code list has no codes", "add CodeListItem")
        }
        guard let oid, let name else { return }
        codeLists.append(
            CodeListDefinition(
                oid: oid, name: name, dataType: type, entries: entries, external: external,
                description: texts(node, "Description"), aliases: aliases(node)))
    }

    private func codeListEntry(
        _ node: XMLElementNode, of type: ItemDataType, in listPath: [ImportPathStep], lines: inout [String: Int]
    ) -> CodeListEntry? {
        guard let code = node.attributes["CodedValue"] else {
            _ = required(node, "CodedValue", in: listPath + [ImportPathStep(node.name)])
            return nil
        }
        // A code is a definition's, not a participant's.
        let path = listPath + [ImportPathStep(node.name, code)]
        guard let normal = try? ValueNormaliser.normalForm(of: code, as: type) else {
            error(
                .wrongType, at: SourcePlace(node), path, "the code is not of the list's type \(type.rawValue)",
                "write \(type.explanation)")
            return nil
        }
        if let line = lines[normal] {
            error(
                .duplicateOID, at: SourcePlace(node), path, "the code is in the list before, at line \(line)",
                "remove one of them")
            return nil
        }
        lines[normal] = node.line
        return CodeListEntry(
            codedValue: code, decode: texts(node, "Decode"), rank: node.attributes["Rank"],
            orderNumber: number(node, "OrderNumber", in: path), aliases: aliases(node))
    }
}
