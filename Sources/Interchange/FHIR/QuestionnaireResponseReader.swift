import EventLog
import Trial

/// Reads one FHIR R4 `QuestionnaireResponse`: strict about what Varde needs, lenient about elements it does not know.
struct QuestionnaireResponseReader {
    private var issues = IssueCollector()
    private let resource: JSONValue

    private static let name = "QuestionnaireResponse"
    /// The greatest number of bytes in an identifier, a system or a `linkId`.
    static let maximumNameBytes = 1_024

    private init(_ resource: JSONValue) {
        self.resource = resource
    }

    /// Reads a resource.
    /// - Throws: ``FHIRRefusal`` with every issue found.
    static func read(_ resource: JSONValue) throws(FHIRRefusal) -> QuestionnaireResponseSubmission {
        var reader = QuestionnaireResponseReader(resource)
        let submission = reader.submission()
        guard let submission, !reader.issues.hasErrors else { throw FHIRRefusal(issues: reader.issues.all) }
        return submission
    }

    private mutating func submission() -> QuestionnaireResponseSubmission? {
        guard resource.isObject, let type = resource["resourceType"]?.string else {
            issues.error(.structure, "the resource has no resourceType", advice: "send a QuestionnaireResponse")
            return nil
        }
        guard type == QuestionnaireResponseReader.name else {
            issues.error(
                .notSupported, "a resource of type \(shownOID(type)) is not taken",
                advice: "send a QuestionnaireResponse", at: "resourceType")
            return nil
        }
        refuseWhatNamesPeople()
        refuseModifiers(resource, at: QuestionnaireResponseReader.name)
        let identifier = identifier()
        let subject = subject()
        let status = status()
        let authored = authored()
        let questionnaire = questionnaire()
        let items = items(of: resource, at: QuestionnaireResponseReader.name)
        guard let identifier, let subject, let status, let authored, let questionnaire else { return nil }
        let document = resource.bytes
        return QuestionnaireResponseSubmission(
            identifier: identifier, subject: subject, questionnaire: questionnaire, status: status,
            authored: authored.text, authoredDay: authored.day, items: items, document: document,
            documentSHA256: .sha256(document))
    }

    private func path(_ element: String) -> String { "\(QuestionnaireResponseReader.name).\(element)" }

    // MARK: What may not be there

    /// Refuses what would name the participant or somebody else in the bytes that are kept (Protocols/fhir.md, "Privacy").
    private mutating func refuseWhatNamesPeople() {
        for element in ["contained", "text"] where resource[element] != nil {
            issues.error(
                .suppressed, "the element \(element) may name a person, and the response is kept as it was sent",
                advice: "leave \(element) out", at: path(element))
        }
        for element in ["subject", "author", "source"] where resource[element]?["display"] != nil {
            issues.error(
                .suppressed, "the reference \(element) has a display, which may name a person",
                advice: "leave display out", at: path("\(element).display"))
        }
        for element in ["identifier", "subject", "author", "source"] {
            let holder = element == "identifier" ? resource[element] : resource[element]?["identifier"]
            guard let system = holder?["system"]?.string, NationalIdentifier.systems.contains(system) else { continue }
            issues.error(
                .suppressed, "a national identity number names a person, and the response is kept as it was sent",
                advice: "name the participant by the pseudonym of the study",
                at: path(element == "identifier" ? "identifier.system" : "\(element).identifier.system"))
        }
    }

    /// Refuses what changes the meaning in a way that is not known (FHIR R4 §2.4.1, *modifierExtension*).
    private mutating func refuseModifiers(_ value: JSONValue, at expression: String) {
        for element in ["modifierExtension", "implicitRules"] where value[element] != nil {
            issues.error(
                .extension, "the element \(element) may change the meaning, and it is not known here",
                advice: "leave \(element) out", at: "\(expression).\(element)")
        }
    }

    // MARK: What has to be there

    private mutating func missing(_ element: String, _ what: String) {
        issues.error(.required, "\(what) is missing", advice: "send \(element)", at: path(element))
    }

    /// Text of an object's member; nil, with an issue where it is there and is none that FHIR allows.
    private mutating func text(_ value: JSONValue?, at expression: String) -> String? {
        guard let value else { return nil }
        guard let text = value.string, !text.isEmpty else {
            issues.error(.structure, "text is expected", advice: "send a string that is not empty", at: expression)
            return nil
        }
        return text
    }

    /// A name: text without control characters, not long, without white space around it.
    private mutating func name(_ value: JSONValue?, at expression: String) -> String? {
        guard let text = text(value, at: expression) else { return nil }
        let isRight =
            text.utf8.count <= QuestionnaireResponseReader.maximumNameBytes
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            && text.utf8.first != 0x20 && text.utf8.last != 0x20
        guard isRight else {
            issues.error(
                .value, "it is too long, or holds control characters or white space around it",
                advice: "send at most \(QuestionnaireResponseReader.maximumNameBytes) bytes of plain text",
                at: expression)
            return nil
        }
        return text
    }

    private mutating func identifier() -> ResponseIdentifier? {
        guard let found = resource["identifier"] else {
            missing("identifier", "the identifier by which the client names the response")
            return nil
        }
        guard found.isObject else {
            issues.error(
                .structure, "one Identifier is expected", advice: "send an object with system and value",
                at: path("identifier"))
            return nil
        }
        for element in ["system", "value"] where found[element] == nil {
            missing("identifier.\(element)", "the \(element) of the identifier")
        }
        let system = name(found["system"], at: path("identifier.system"))
        let value = name(found["value"], at: path("identifier.value"))
        guard let system, let value else { return nil }
        return ResponseIdentifier(system: system, value: value)
    }

    private mutating func subject() -> SubjectPseudonym? {
        guard let found = resource["subject"] else {
            missing("subject", "the pseudonym of the participant")
            return nil
        }
        guard found.isObject else {
            issues.error(.structure, "a Reference is expected", advice: "send an object", at: path("subject"))
            return nil
        }
        if let type = found["type"]?.string, type != "Patient", !type.hasSuffix("/Patient") {
            issues.error(
                .notSupported, "the subject is no Patient", advice: "send answers about participants",
                at: path("subject.type"))
            return nil
        }
        if let identifier = found["identifier"] {
            for element in ["system", "value"] where identifier[element] == nil {
                missing("subject.identifier.\(element)", "the \(element) of the pseudonym")
            }
            let system = name(identifier["system"], at: path("subject.identifier.system"))
            let value = name(identifier["value"], at: path("subject.identifier.value"))
            guard let system, let value else { return nil }
            return SubjectPseudonym(system: system, value: value)
        }
        guard let reference = found["reference"] else {
            missing("subject.identifier", "the pseudonym of the participant")
            return nil
        }
        guard let text = name(reference, at: path("subject.reference")) else { return nil }
        guard let value = QuestionnaireResponseReader.patientID(in: text) else {
            issues.error(
                .value, "the reference names no Patient by an id",
                advice: "send Patient/ and the pseudonym, or subject.identifier", at: path("subject.reference"))
            return nil
        }
        return SubjectPseudonym(system: nil, value: value)
    }

    /// The id in `Patient/<id>` or `<server>/Patient/<id>`; nil for every other reference.
    private static func patientID(in reference: String) -> String? {
        let steps = reference.split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count == 2 || reference.hasPrefix("http://") || reference.hasPrefix("https://"), steps.count >= 2,
            steps[steps.count - 2] == "Patient"
        else { return nil }
        let id = steps[steps.count - 1]
        let isID = id.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x2E
        }
        return (1...64).contains(id.utf8.count) && isID ? String(id) : nil
    }

    private mutating func status() -> ResponseStatus? {
        guard let found = resource["status"] else {
            missing("status", "the status")
            return nil
        }
        guard let code = text(found, at: path("status")) else { return nil }
        if let status = ResponseStatus(rawValue: code) { return status }
        let isKnown = code == "in-progress" || code == "stopped"
        issues.error(
            isKnown ? .businessRule : .codeInvalid,
            isKnown ? "the status \(code) is not final" : "the status is none of a QuestionnaireResponse",
            advice: "send it when it is completed, amended or entered-in-error", at: path("status"))
        return nil
    }

    private mutating func authored() -> (text: String, day: CalendarDate)? {
        guard let found = resource["authored"] else {
            missing("authored", "the time when it was authored")
            return nil
        }
        guard let text = text(found, at: path("authored")) else { return nil }
        // FHIR: where there is a time of day, there are seconds and a zone.
        let day = CalendarDate(day: text)
        let isDay = text.utf8.count == 10
        let isMoment =
            (try? ValueNormaliser.normalForm(of: text, as: .datetime)) == text
            && (text.utf8.last == 0x5A || text.dropFirst(11).contains { $0 == "+" || $0 == "-" })
        guard let day, isDay || isMoment else {
            issues.error(
                .value, "authored does not tell the day, or has a time of day without seconds or zone",
                advice: "send YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with a zone", at: path("authored"))
            return nil
        }
        return (text, day)
    }

    private mutating func questionnaire() -> QuestionnaireCanonical? {
        guard let found = resource["questionnaire"] else {
            missing("questionnaire", "the canonical URL of the questionnaire")
            return nil
        }
        guard let text = name(found, at: path("questionnaire")) else { return nil }
        if let canonical = QuestionnaireCanonical(text) { return canonical }
        issues.error(.value, "it is no canonical URL", advice: "send url or url|version", at: path("questionnaire"))
        return nil
    }

    // MARK: Answers

    private mutating func objects(_ holder: JSONValue, _ element: String, at expression: String) -> [JSONValue] {
        guard let found = holder[element] else { return [] }
        guard found.isArray, found.elements.allSatisfy(\.isObject) else {
            issues.error(
                .structure, "a list of objects is expected", advice: "send an array", at: "\(expression).\(element)")
            return []
        }
        return found.elements
    }

    private mutating func items(of holder: JSONValue, at parent: String) -> [SubmittedItem] {
        var items: [SubmittedItem] = []
        for (index, item) in objects(holder, "item", at: parent).enumerated() {
            let expression = "\(parent).item[\(index)]"
            refuseModifiers(item, at: expression)
            guard item["linkId"] != nil else {
                issues.error(
                    .required, "the linkId is missing", advice: "send the linkId of the questionnaire",
                    at: "\(expression).linkId")
                continue
            }
            guard let linkID = name(item["linkId"], at: "\(expression).linkId") else { continue }
            var answers: [SubmittedAnswer] = []
            for (place, answer) in objects(item, "answer", at: expression).enumerated() {
                let answerPath = "\(expression).answer[\(place)]"
                refuseModifiers(answer, at: answerPath)
                let value = value(of: answer, at: answerPath)
                answers.append(
                    SubmittedAnswer(
                        value: value, items: self.items(of: answer, at: answerPath), expression: answerPath))
            }
            items.append(
                SubmittedItem(
                    linkID: linkID, answers: answers, items: self.items(of: item, at: expression),
                    expression: expression))
        }
        return items
    }

    private mutating func value(of answer: JSONValue, at parent: String) -> SubmittedValue? {
        let found = answer.members.filter { $0.name.hasPrefix("value") }
        guard let (name, value) = found.first else { return nil }
        let expression = "\(parent).value"
        guard found.count == 1 else {
            issues.error(.structure, "an answer has several values", advice: "send one value[x]", at: expression)
            return nil
        }
        switch name {
        case "valueBoolean":
            if let boolean = value.boolean { return .boolean(boolean) }
        case "valueDecimal":
            if let number = value.number { return .decimal(number) }
        case "valueInteger":
            if let number = value.number, !number.utf8.contains(where: { $0 == 0x2E || $0 | 0x20 == 0x65 }) {
                return .integer(number)
            }
        case "valueDate", "valueDateTime", "valueTime", "valueString", "valueUri":
            if let text = text(value, at: expression) { return textual(name, text) }
            return nil
        case "valueCoding": return coding(value, at: expression)
        case "valueQuantity": return quantity(value, at: expression)
        case "valueAttachment", "valueReference":
            issues.error(
                .notSupported, "answers that are files or references are not taken",
                advice: "ask for them outside the questionnaire", at: expression)
            return nil
        default:
            issues.error(
                .structure, "\(shownOID(name)) is no value of an answer", advice: "see FHIR R4, QuestionnaireResponse",
                at: expression)
            return nil
        }
        issues.error(.structure, "the value is not of the kind that \(name) says", at: expression)
        return nil
    }

    private func textual(_ name: String, _ text: String) -> SubmittedValue {
        switch name {
        case "valueDate": .date(text)
        case "valueDateTime": .dateTime(text)
        case "valueTime": .time(text)
        case "valueUri": .uri(text)
        default: .string(text)
        }
    }

    private mutating func coding(_ value: JSONValue, at expression: String) -> SubmittedValue? {
        guard value.isObject else {
            issues.error(.structure, "a Coding is expected", advice: "send an object", at: expression)
            return nil
        }
        guard value["code"] != nil else {
            issues.error(
                .required, "the coding has no code", advice: "send the code of the option", at: "\(expression).code")
            return nil
        }
        let system = name(value["system"], at: "\(expression).system")
        guard let code = name(value["code"], at: "\(expression).code") else { return nil }
        return .coding(SubmittedCoding(system: system, code: code))
    }

    private mutating func quantity(_ value: JSONValue, at expression: String) -> SubmittedValue? {
        guard value.isObject, let number = value["value"]?.number else {
            issues.error(
                .structure, "a Quantity with a number is expected", advice: "send an object with value",
                at: expression)
            return nil
        }
        return .quantity(
            SubmittedQuantity(
                value: number, unit: name(value["unit"], at: "\(expression).unit"),
                code: name(value["code"], at: "\(expression).code"),
                comparator: name(value["comparator"], at: "\(expression).comparator")))
    }
}

/// Identifier systems that name a person in Norway and its neighbours.
enum NationalIdentifier {
    /// National identity number, D-number and common help number of Norway; personal and co-ordination number of Sweden;
    /// CPR of Denmark; personal identity code of Finland.
    static let systems: Set<String> = [
        "urn:oid:2.16.578.1.12.4.1.4.1", "urn:oid:2.16.578.1.12.4.1.4.2", "urn:oid:2.16.578.1.12.4.1.4.3",
        "urn:oid:1.2.752.129.2.1.3.1", "urn:oid:1.2.752.129.2.1.3.3", "urn:oid:1.2.208.176.1.2", "urn:oid:1.2.246.21",
        "http://electronichealth.se/identifier/personnummer",
    ]
}
