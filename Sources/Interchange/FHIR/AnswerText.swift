import Trial

/// Why an answer is not one of its item, in words that hold no value.
struct AnswerProblem: Error {
    let code: OperationOutcomeCode
    let reason: String
    let advice: String

    init(_ code: OperationOutcomeCode, _ reason: String, advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }
}

/// An answer as it would be typed into its item, with the unit where one was stated (Protocols/fhir.md, "Mapping").
struct AnswerText {
    let text: String
    let unit: MeasurementUnitOID?

    /// Takes an answer for an item.
    /// - Throws: ``AnswerProblem`` where its kind is none of the item's, its code is of another system, or its unit is none of
    ///   the item's.
    init(
        _ value: SubmittedValue, for item: ItemDefinition, codeSystem: String?, in definition: StudyDefinition
    ) throws(AnswerProblem) {
        switch value {
        case .coding(let coding):
            guard item.codeList != nil else { throw AnswerText.wrongKind(value, item) }
            if let codeSystem, coding.system != codeSystem {
                throw AnswerProblem(
                    .codeInvalid, "the coding is of another code system, or of none",
                    advice: "send codings of \(shownOID(codeSystem))")
            }
            text = coding.code
            unit = nil
        case .quantity(let quantity):
            guard item.dataType.isNumeric else { throw AnswerText.wrongKind(value, item) }
            guard quantity.comparator == nil else {
                throw AnswerProblem(
                    .notSupported, "a number that is a bound cannot be recorded",
                    advice: "send a quantity without comparator")
            }
            text = quantity.value
            unit = try AnswerText.unit(of: quantity, item, definition)
        default:
            // A choice is answered by its code: what was typed beside the options is none of the list.
            guard AnswerText.takes(value, item.dataType), item.codeList == nil || !item.dataType.isText else {
                throw AnswerText.wrongKind(value, item)
            }
            text = AnswerText.typed(value)
            unit = nil
        }
    }

    private static func wrongKind(_ value: SubmittedValue, _ item: ItemDefinition) -> AnswerProblem {
        let wanted =
            item.codeList == nil ? item.dataType.explanation : "a code of code list \(item.codeList?.text ?? "")"
        return AnswerProblem(
            .value, "an answer of kind \(value.kind) is no value of type \(item.dataType.rawValue)",
            advice: "send \(wanted)")
    }

    /// Whether values of a kind are values of a type; whether this one is, the normaliser judges.
    private static func takes(_ value: SubmittedValue, _ type: ItemDataType) -> Bool {
        switch value {
        case .boolean: return type == .boolean
        case .integer: return type.isNumeric
        case .decimal: return type == .float || type == .double
        case .string:
            switch type {
            case .text, .string, .hexBinary, .base64Binary, .hexFloat, .base64Float, .durationDatetime,
                .intervalDatetime:
                return true
            default: return false
            }
        case .uri: return type == .uri
        case .date:
            return [.date, .partialDate, .incompleteDate, .partialDatetime, .incompleteDatetime].contains(type)
        case .dateTime: return [.datetime, .partialDatetime, .incompleteDatetime].contains(type)
        case .time: return [.time, .partialTime, .incompleteTime].contains(type)
        case .coding, .quantity: return false
        }
    }

    private static func typed(_ value: SubmittedValue) -> String {
        switch value {
        case .boolean(let boolean): boolean ? "true" : "false"
        case .decimal(let text), .integer(let text), .date(let text), .dateTime(let text), .time(let text),
            .string(let text), .uri(let text):
            text
        case .coding(let coding): coding.code
        case .quantity(let quantity): quantity.value
        }
    }

    /// The item's unit that a quantity names by OID, name or symbol; nil where it names none.
    private static func unit(
        of quantity: SubmittedQuantity, _ item: ItemDefinition, _ definition: StudyDefinition
    ) throws(AnswerProblem) -> MeasurementUnitOID? {
        let names = [quantity.code, quantity.unit].compactMap { $0 }
        guard !names.isEmpty else { return nil }
        for name in names {
            let found = item.measurementUnits.first { oid in
                guard let unit = definition.measurementUnits[oid] else { return oid.text == name }
                return oid.text == name || unit.name == name || unit.symbol.all.contains { $0.text == name }
            }
            if let found { return found }
        }
        throw AnswerProblem(
            .value, "the quantity is in a unit that the item does not have",
            advice: item.measurementUnits.isEmpty
                ? "send a number without unit"
                : "send one of the units " + item.measurementUnits.map(\.text).joined(separator: ", "))
    }
}
