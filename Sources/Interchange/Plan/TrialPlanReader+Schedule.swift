import Trial
import Yams

extension TrialPlanReader {
    private static let days = -VisitRule.maximumDays...VisitRule.maximumDays
    private static let width = 0...VisitRule.maximumDays

    /// Reads `visits`.
    static func visitRules(_ node: Node, _ fields: inout PlanFields) -> [VisitRule] {
        let path = [ImportPathStep("visits")]
        var lines: [StudyEventOID: Int] = [:]
        var rules: [VisitRule] = []
        for (index, entry) in fields.sequence(node, path).enumerated() {
            guard let rule = visitRule(entry, path + [ImportPathStep("\(index + 1)")], &fields) else { continue }
            if let line = lines.updateValue(entry.mark?.line ?? 0, forKey: rule.event) {
                fields.error(
                    .duplicateKey, fields.place(entry), path,
                    "the event \(shownOID(rule.event.text)) is scheduled before, at line \(line)",
                    "schedule each event once")
            }
            rules.append(rule)
        }
        return rules
    }

    private static func visitRule(
        _ node: Node, _ path: [ImportPathStep], _ fields: inout PlanFields
    ) -> VisitRule? {
        let keys = [
            "event", "after", "dueAfterDays", "daysBefore", "daysAfter", "everyDays", "occurrences", "dateItem",
        ]
        guard let map = fields.mapping(node, known: keys, path) else { return nil }
        let event = fields.required(map, "event", path).flatMap { fields.text($0, path) }
        let anchor = fields.required(map, "after", path).flatMap { scheduleAnchor($0, path, &fields) }
        let due = fields.required(map, "dueAfterDays", path).flatMap { fields.number($0, path, in: days) }
        let before = map["daysBefore"].map { fields.number($0, path, in: width) } ?? 0
        let after = map["daysAfter"].map { fields.number($0, path, in: width) } ?? 0
        var repetition: VisitRepetition?
        if ["everyDays", "occurrences", "dateItem"].contains(where: { map[$0] != nil }) {
            let every = fields.required(map, "everyDays", path).flatMap {
                fields.number($0, path, in: 1...VisitRule.maximumDays)
            }
            let count = fields.required(map, "occurrences", path).flatMap {
                fields.number($0, path, in: 1...VisitRule.maximumOccurrences)
            }
            let item = fields.required(map, "dateItem", path).flatMap { fields.text($0, path) }
            guard let every, let count, let item else { return nil }
            repetition = VisitRepetition(everyDays: every, occurrences: count, dateItem: ItemOID(item))
        }
        guard let event, let anchor, let due, let before, let after else { return nil }
        return VisitRule(
            event: StudyEventOID(event), anchor: anchor, dueAfterDays: due, daysBefore: before, daysAfter: after,
            repetition: repetition)
    }

    private static func scheduleAnchor(
        _ node: Node, _ path: [ImportPathStep], _ fields: inout PlanFields
    ) -> ScheduleAnchor? {
        if case .scalar = node {
            return fields.choice(node, path, ParticipantStatus.allCases) { $0.rawValue }.map { .status($0) }
        }
        guard let map = fields.mapping(node, known: ["event", "dateItem"], path) else { return nil }
        let event = fields.required(map, "event", path).flatMap { fields.text($0, path) }
        let item = fields.required(map, "dateItem", path).flatMap { fields.text($0, path) }
        guard let event, let item else { return nil }
        return .event(StudyEventOID(event), dateItem: ItemOID(item))
    }

    /// Reads `questionnaires`.
    static func questionnairePlans(_ node: Node, _ fields: inout PlanFields) -> [QuestionnairePlan] {
        let path = [ImportPathStep("questionnaires")]
        var lines: [QuestionnaireCanonical: Int] = [:]
        var plans: [QuestionnairePlan] = []
        for (index, entry) in fields.sequence(node, path).enumerated() {
            let entryPath = path + [ImportPathStep("\(index + 1)")]
            guard let plan = questionnairePlan(entry, entryPath, &fields) else { continue }
            if let line = lines.updateValue(entry.mark?.line ?? 0, forKey: plan.canonical) {
                fields.error(
                    .duplicateKey, fields.place(entry), entryPath,
                    "the questionnaire \(shownOID("\(plan.canonical)")) is in the plan before, at line \(line)",
                    "name each questionnaire once, or another version of it")
            }
            plans.append(plan)
        }
        return plans
    }

    private static func questionnairePlan(
        _ node: Node, _ path: [ImportPathStep], _ fields: inout PlanFields
    ) -> QuestionnairePlan? {
        let keys = ["questionnaire", "form", "events", "answeredBy", "items", "headings"]
        guard let map = fields.mapping(node, known: keys, path) else { return nil }
        let canonical = fields.required(map, "questionnaire", path).flatMap { node -> QuestionnaireCanonical? in
            guard let text = fields.text(node, path) else { return nil }
            if let canonical = QuestionnaireCanonical(text) { return canonical }
            fields.error(
                .wrongType, fields.place(node), path, "'\(shownOID(text))' is no canonical URL",
                "write url or url|version")
            return nil
        }
        let form = fields.required(map, "form", path).flatMap { fields.text($0, path) }
        let respondent = fields.required(map, "answeredBy", path).flatMap {
            fields.choice($0, path, QuestionnaireRespondent.allCases) { $0.rawValue }
        }
        let events = fields.required(map, "events", path).map { node in
            texts(node, path, &fields).map { StudyEventOID($0) }
        }
        let headings = map["headings"].map { texts($0, path, &fields) } ?? []
        let items = map["items"].map { itemLinks($0, path, &fields) } ?? [:]
        for heading in headings where items[heading] != nil {
            fields.error(
                .contradiction, fields.place(map["headings"]), path,
                "the linkId \(shownOID(heading)) is both a heading and an item", "let it be one of them")
        }
        guard let canonical, let form, let respondent, let events else { return nil }
        if events.isEmpty {
            fields.error(
                .missingElement, fields.place(map["events"]), path, "the questionnaire belongs to no event",
                "name at least one")
        }
        if Set(events).count < events.count {
            fields.error(
                .duplicateKey, fields.place(map["events"]), path, "an event stands twice", "name each event once")
        }
        return QuestionnairePlan(
            canonical: canonical, form: FormOID(form), events: events, respondent: respondent, items: items,
            headings: Set(headings))
    }

    private static func texts(_ node: Node, _ path: [ImportPathStep], _ fields: inout PlanFields) -> [String] {
        fields.sequence(node, path).compactMap { fields.text($0, path) }
    }

    private static func itemLinks(
        _ node: Node, _ path: [ImportPathStep], _ fields: inout PlanFields
    ) -> [String: QuestionnairePlan.ItemLink] {
        var links: [String: QuestionnairePlan.ItemLink] = [:]
        for (linkID, value) in fields.entries(node, path) {
            let linkPath = path + [ImportPathStep("items", linkID)]
            if case .scalar = value {
                links[linkID] = fields.text(value, linkPath).map { QuestionnairePlan.ItemLink(item: ItemOID($0)) }
                continue
            }
            guard let map = fields.mapping(value, known: ["item", "group", "codeSystem"], linkPath) else { continue }
            let item = map["item"].flatMap { fields.text($0, linkPath) }.map { ItemOID($0) }
            let group = map["group"].flatMap { fields.text($0, linkPath) }.map { ItemGroupOID($0) }
            let system = map["codeSystem"].flatMap { fields.text($0, linkPath) }
            if item == nil && (group == nil || system != nil) {
                fields.error(
                    .missingAttribute, fields.place(value), linkPath, "the linkId \(shownOID(linkID)) has no item",
                    "name an item, or a group alone")
            }
            links[linkID] = QuestionnairePlan.ItemLink(item: item, group: group, codeSystem: system)
        }
        return links
    }
}
