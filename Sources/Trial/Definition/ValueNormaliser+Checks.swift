extension ValueNormaliser {
    /// Judges a value against everything its item's definition says: type, length, code list, unit, range checks.
    ///
    /// A failed hard range check is an error, a failed soft one a warning. A check for one unit applies to values of that
    /// unit, and to values without a stated unit where it is the item's usual unit or the item has none. Formal
    /// expressions are not evaluated.
    /// - Parameters:
    ///   - typed: the value as a person or file wrote it.
    ///   - unit: the unit it was written in, nil where none was stated.
    public static func judge(
        _ typed: String, for item: ItemDefinition, in definition: StudyDefinition, unit: MeasurementUnitOID? = nil
    ) -> ValueJudgement {
        let normal: String
        do throws(ValueProblem) {
            normal = try normalForm(of: typed, as: item.dataType)
        } catch {
            return ValueJudgement(normalForm: nil, errors: [error], warnings: [])
        }
        var errors: [ValueProblem] = []
        var warnings: [ValueProblem] = []
        if let limit = item.length, let length = length(of: normal, as: item.dataType), length > limit {
            errors.append(.tooLong(maximumLength: limit))
        }
        if let list = definition.codeList(of: item), !list.allows(normal) { errors.append(.notInCodeList(list.oid)) }
        if let unit, !item.measurementUnits.isEmpty, !item.measurementUnits.contains(unit) {
            errors.append(.unitNotAllowed(unit))
        }
        for check in item.rangeChecks where applies(check, to: item, unit: unit) {
            guard let holds = holds(check, for: normal, as: item.dataType), !holds else { continue }
            switch check.severity {
            case .hard: errors.append(.outsideRange(check))
            case .soft: warnings.append(.outsideRange(check))
            }
        }
        return ValueJudgement(normalForm: normal, errors: errors, warnings: warnings)
    }

    /// Whether `values` of a check are values of the item's type, so that the check can ever be judged.
    public static func isMeaningful(_ check: RangeCheck, as type: ItemDataType) -> Bool {
        check.values.allSatisfy { (try? normalForm(of: $0, as: type)) != nil }
    }

    /// The length that `ItemDef/@Length` bounds: characters of text, digits of numbers; nil for types it says nothing of.
    private static func length(of normal: String, as type: ItemDataType) -> Int? {
        switch type {
        case .text, .string: normal.unicodeScalars.count
        case .integer, .float: normal.utf8.count { (0x30...0x39).contains($0) }
        case .hexBinary, .hexFloat, .base64Binary, .base64Float: normal.utf8.count
        default: nil
        }
    }

    private static func applies(_ check: RangeCheck, to item: ItemDefinition, unit: MeasurementUnitOID?) -> Bool {
        guard let wanted = check.measurementUnit else { return true }
        if let unit { return unit == wanted }
        return item.measurementUnits.first.map { $0 == wanted } ?? true
    }

    /// Whether the check holds; nil where that cannot be told.
    private static func holds(_ check: RangeCheck, for normal: String, as type: ItemDataType) -> Bool? {
        guard let comparator = check.comparator else { return nil }
        let orders = check.values.map { order(of: normal, against: $0, as: type) }
        if type == .double && (normal == "NaN" || normal.hasSuffix("INF")) {
            // No number: only equality can be meant, and every bound fails.
            let isListed = orders.contains(0)
            return comparator == .notEqual || comparator == .noneOf ? !isListed : isListed
        }
        switch comparator {
        case .oneOf:
            if orders.contains(0) { return true }
            return orders.contains(nil) ? nil : false
        case .noneOf:
            if orders.contains(0) { return false }
            return orders.contains(nil) ? nil : true
        default: break
        }
        guard let first = orders.first, let order = first else { return nil }
        if comparator == .equal { return order == 0 }
        if comparator == .notEqual { return order != 0 }
        // Text has no order that a definition could mean.
        guard type.isNumeric || type.isDateOrTime else { return nil }
        switch comparator {
        case .lessThan: return order < 0
        case .atMost: return order <= 0
        case .greaterThan: return order > 0
        case .atLeast: return order >= 0
        case .equal, .notEqual, .oneOf, .noneOf: return nil
        }
    }

    /// -1, 0 or 1 as the value is before, the same as or after the check's value; nil where that cannot be told.
    private static func order(of normal: String, against checkValue: String, as type: ItemDataType) -> Int? {
        guard let other = try? normalForm(of: checkValue, as: type) else { return nil }
        if type.isNumeric {
            guard let left = try? DecimalNumber(normal, allowingExponent: true),
                let right = try? DecimalNumber(other, allowingExponent: true)
            else { return normal == other ? 0 : nil }
            return left < right ? -1 : (left == right ? 0 : 1)
        }
        if type.isDateOrTime { return ISO8601Text.comparison(normal, other) }
        return normal == other ? 0 : 1
    }
}
