import Trial

extension SyntheticParticipant {
    /// Makes up the items of a group, or of one of its rows.
    /// - Parameter isHistory: whether dates lie before the visit, of which people remember a part.
    mutating func items(of group: ItemGroupDefinition, on date: CalendarDate, isHistory: Bool) -> [ODMItemData] {
        var items: [ODMItemData] = []
        var lastDate: CalendarDate?
        for reference in group.items {
            guard let item = outline.definition.items[reference.oid], item.itemClass == .open, reference.method == nil,
                isCollected(reference, among: items)
            else { continue }
            let isRuleItem = outline.ruleItems.contains(item.oid)
            guard isRuleItem || generator.happens(percent: reference.isMandatory ? 98 : 75) else { continue }
            let made =
                isRuleItem
                ? ruleValue(of: item)
                : value(of: item, on: date, isHistory: isHistory && !outline.dateItems.contains(item.oid), &lastDate)
            guard let made, ValueNormaliser.judge(made, for: item, in: outline.definition).isAcceptable else {
                continue
            }
            items.append(ODMItemData(item: item.oid, value: made))
        }
        return items
    }

    /// Whether an item is collected: it has no exception condition, or one that can be judged and does not hold.
    ///
    /// Judged are expressions of the form `../ItemData[@ItemOID='A'][@Value='B']` on an item of the same group.
    private func isCollected(_ reference: ItemReference, among items: [ODMItemData]) -> Bool {
        guard let oid = reference.collectionExceptionCondition else { return true }
        let expressions = outline.definition.conditions[oid]?.expressions ?? []
        guard let parts = expressions.compactMap({ SyntheticParticipant.comparison(in: $0.text) }).first else {
            return false
        }
        guard let other = items.first(where: { $0.item.text == parts.item }) else { return false }
        return other.value != parts.value
    }

    private static func comparison(in expression: String) -> (item: String, value: String)? {
        let start = "../ItemData[@ItemOID='"
        let middle = "'][@Value='"
        let end = "']"
        guard expression.hasPrefix(start), expression.hasSuffix(end) else { return nil }
        let inner = expression.dropFirst(start.count).dropLast(end.count)
        guard let split = inner.firstRange(of: middle) else { return nil }
        let item = String(inner[..<split.lowerBound])
        let value = String(inner[split.upperBound...])
        return item.contains("'") || value.contains("'") ? nil : (item, value)
    }

    /// The value that shows a reached status, else one that shows none; nil where every value would show one.
    private mutating func ruleValue(of item: ItemDefinition) -> String? {
        var others: Set<String> = []
        for rule in outline.plan.statusRules {
            guard case .item(item.oid, let wanted) = rule.condition else { continue }
            if pending.remove(rule.status) != nil { return wanted }
            others.insert(wanted)
        }
        let entries = outline.definition.codeList(of: item)?.entries.map(\.codedValue) ?? []
        return generator.element(of: entries.filter { !others.contains($0) })
    }

    private mutating func value(
        of item: ItemDefinition, on date: CalendarDate, isHistory: Bool, _ lastDate: inout CalendarDate?
    ) -> String? {
        if let list = outline.definition.codeList(of: item), list.external == nil {
            return code(of: list, for: item)
        }
        switch item.dataType {
        case .integer: return number(of: item, digits: 0)
        case .float, .double: return number(of: item, digits: min(item.significantDigits ?? 1, 6))
        case .boolean: return generator.happens(percent: 50) ? "true" : "false"
        case .text, .string: return text(of: item)
        case .time: return "\(clock()):00"
        case .partialTime, .incompleteTime: return clock()
        case .uri: return "https://example.org/\(generator.number(in: 1...9_999))"
        case .durationDatetime: return "P\(generator.number(in: 1...30))D"
        case .intervalDatetime: return "\(date)/P\(generator.number(in: 1...30))D"
        case .hexBinary, .hexFloat: return "3FF0000000000000"
        case .base64Binary, .base64Float: return "P/AAAAAAAAA="
        case .date, .datetime, .partialDate, .partialDatetime, .incompleteDate, .incompleteDatetime:
            return dateText(as: item.dataType, on: date, isHistory: isHistory, &lastDate)
        }
    }

    /// A code that no check asks about, else one that may stand.
    private mutating func code(of list: CodeListDefinition, for item: ItemDefinition) -> String? {
        let judged = list.entries.map { entry in
            (entry.codedValue, ValueNormaliser.judge(entry.codedValue, for: item, in: outline.definition))
        }
        let acceptable = judged.filter(\.1.isAcceptable)
        let quiet = acceptable.filter(\.1.warnings.isEmpty)
        return generator.element(of: quiet.isEmpty ? acceptable : quiet)?.0
    }

    /// A number between the item's bounds, soft ones included, with `digits` after the point.
    private mutating func number(of item: ItemDefinition, digits: Int) -> String? {
        let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
        let places = min(max((item.length ?? 2) - digits, 1), 6)
        var low = 0
        var high = (0..<places).reduce(1) { product, _ in product * 10 } * scale - 1
        for check in item.rangeChecks {
            guard let bound = check.values.first.flatMap({ SyntheticParticipant.scaled($0, digits: digits) }) else {
                continue
            }
            switch check.comparator {
            case .atLeast: low = max(low, bound)
            case .greaterThan: low = max(low, bound + 1)
            case .atMost: high = min(high, bound)
            case .lessThan: high = min(high, bound - 1)
            case .equal: (low, high) = (bound, bound)
            default: continue
            }
        }
        guard low <= high else { return nil }
        let value = generator.number(in: low...high)
        guard digits > 0 else { return String(value) }
        let fraction = String(value % scale)
        return "\(value / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A check's value times ten to the power of `digits`; nil for negative and very large ones.
    private static func scaled(_ text: String, digits: Int) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int($0) }), (0...1_000_000).contains(whole), parts.count <= 2 else {
            return nil
        }
        let fraction = parts.count == 2 ? parts[1].prefix(digits) : ""
        let padded = String(fraction) + String(repeating: "0", count: digits - fraction.count)
        return Int("\(whole)\(padded)")
    }

    private mutating func text(of item: ItemDefinition) -> String {
        let limit = item.length ?? 60
        let number = generator.number(in: 1...99_999)
        guard item.isFreeText && limit > 12 else {
            let digits = String(number)
            let padded = String(repeating: "0", count: max(5 - digits.count, 0)) + digits
            return String(("A" + padded).prefix(max(limit, 1)))
        }
        return String("Synthetic \(item.name.lowercased()) \(number)".prefix(limit))
    }

    private mutating func clock() -> String {
        "\(generator.number(in: 10...19)):\(generator.number(in: 10...59))"
    }

    /// The visit's day; in a history an earlier one of which a part may be forgotten. A second date of a group is later.
    private mutating func dateText(
        as type: ItemDataType, on date: CalendarDate, isHistory: Bool, _ lastDate: inout CalendarDate?
    ) -> String {
        var day = date
        if let last = lastDate, isHistory {
            day = last.adding(days: generator.number(in: 1...20))
        } else if isHistory {
            day = date.adding(days: -generator.number(in: 30...3_000))
        }
        let isSecond = lastDate != nil
        lastDate = day
        switch type {
        case .datetime: return "\(day)T\(clock()):00"
        case .partialDatetime where !isHistory && generator.happens(percent: 50): return "\(day)T\(clock())"
        case .partialDate, .partialDatetime, .incompleteDate, .incompleteDatetime:
            guard isHistory && !isSecond else { return day.description }
            let precision = generator.element(of: [4, 7, 10]) ?? 10
            return String(day.description.prefix(precision))
        default: return day.description
        }
    }
}
