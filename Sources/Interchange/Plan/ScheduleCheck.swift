import Trial

/// Checks visit rules and questionnaires of a plan against a study's definition.
struct ScheduleCheck {
    let plan: TrialPlan
    let definition: StudyDefinition
    private(set) var problems: ProblemCollector

    init(_ plan: TrialPlan, _ definition: StudyDefinition, _ problems: ProblemCollector) {
        self.plan = plan
        self.definition = definition
        self.problems = problems
    }

    /// Checks everything.
    mutating func run() {
        for rule in plan.visitRules { check(rule) }
        for questionnaire in plan.questionnaires { check(questionnaire) }
    }

    private mutating func error(
        _ kind: ImportProblemKind, _ path: [ImportPathStep], _ reason: String, _ advice: String
    ) {
        problems.add(.error, kind, at: nil, path, reason, advice)
    }

    private mutating func unknown(_ path: [ImportPathStep], _ element: String, _ oid: String) {
        error(.unknownOID, path, "the study defines no \(element) \(shownOID(oid))", "correct the OID")
    }

    // MARK: Visits

    private mutating func check(_ rule: VisitRule) {
        let path = [ImportPathStep("visits", rule.event.text)]
        guard let event = definition.events[rule.event] else {
            return unknown(path, "StudyEventDef", rule.event.text)
        }
        if event.type != .scheduled {
            error(
                .contradiction, path, "an event of type \(event.type.rawValue) has no schedule",
                "schedule events of type Scheduled only")
        }
        if event.isRepeating != (rule.repetition != nil) {
            let reason =
                event.isRepeating ? "the event repeats and the plan does not say how" : "the event is once only"
            let advice =
                event.isRepeating
                ? "add everyDays, occurrences and dateItem" : "remove everyDays, occurrences, dateItem"
            error(.contradiction, path, reason, advice)
        }
        if let repetition = rule.repetition { checkDate(repetition.dateItem, of: event, path) }
        if case .event(let oid, let item) = rule.anchor {
            if oid == rule.event {
                error(
                    .contradiction, path, "the event is counted from itself", "name another event after which it is due"
                )
            } else if let anchor = definition.events[oid] {
                checkDate(item, of: anchor, path)
            } else {
                unknown(path, "StudyEventDef", oid.text)
            }
        }
        // Day 1 is the day of inclusion, and there is no day 0.
        if let day = event.plannedDay, rule.anchor == .status(.included), rule.repetition == nil,
            rule.dueAfterDays != (day > 0 ? day - 1 : day)
        {
            problems.add(
                .warning, .contradiction, at: nil, path,
                "it is due \(rule.dueAfterDays) days after inclusion, the study's VISITDY says day \(day)",
                "correct one of them")
        }
    }

    private mutating func checkDate(_ oid: ItemOID, of event: StudyEventDefinition, _ path: [ImportPathStep]) {
        guard let item = definition.items[oid] else { return unknown(path, "ItemDef", oid.text) }
        if !item.dataType.isDateOrTime {
            error(.wrongType, path, "the item \(shownOID(oid.text)) is no date", "name an item of a date type")
        }
        let isThere = event.forms.contains { reference in
            (definition.forms[reference.oid]?.itemGroups ?? OIDTable()).contains { group in
                definition.itemGroups[group.oid]?.items.contains(oid: oid) == true
            }
        }
        if !isThere {
            error(
                .misplacedOID, path, "event \(shownOID(event.oid.text)) has no item \(shownOID(oid.text))",
                "name an item of one of its forms")
        }
    }

    // MARK: Questionnaires

    private mutating func check(_ questionnaire: QuestionnairePlan) {
        let path = [ImportPathStep("questionnaires", "\(questionnaire.canonical)")]
        guard let form = definition.forms[questionnaire.form] else {
            return unknown(path, "FormDef", questionnaire.form.text)
        }
        if !form.isWhole {
            problems.add(
                .warning, .contradiction, at: nil, path,
                "the form \(shownOID(form.oid.text)) is not whole: two versions of an answer would be merged by item",
                "define it with varde:Whole=\"Yes\"")
        }
        for oid in questionnaire.events {
            guard let event = definition.events[oid] else {
                unknown(path, "StudyEventDef", oid.text)
                continue
            }
            if !event.forms.contains(oid: form.oid) {
                error(
                    .misplacedOID, path, "event \(shownOID(oid.text)) has no form \(shownOID(form.oid.text))",
                    "name an event of the form")
            }
            if questionnaire.events.count > 1 && plan.visitRule(of: oid) == nil {
                error(
                    .missingElement, path,
                    "nothing tells which of several events an answer belongs to: \(shownOID(oid.text)) is not scheduled",
                    "add it to visits")
            }
        }
        for (linkID, link) in questionnaire.items.sorted(by: { $0.key < $1.key }) {
            check(link, of: form, path + [ImportPathStep("items", linkID)])
        }
        checkLinks(questionnaire, form, path)
    }

    private mutating func check(
        _ link: QuestionnairePlan.ItemLink, of form: FormDefinition, _ path: [ImportPathStep]
    ) {
        if let group = link.group {
            guard definition.itemGroups.contains(oid: group) else { return unknown(path, "ItemGroupDef", group.text) }
            guard form.itemGroups.contains(oid: group) else {
                return error(
                    .misplacedOID, path, "form \(shownOID(form.oid.text)) has no group \(shownOID(group.text))",
                    "name a group of the form")
            }
        }
        guard let oid = link.item else { return }
        guard let item = definition.items[oid] else { return unknown(path, "ItemDef", oid.text) }
        let holding = form.itemGroups.filter { reference in
            (link.group == nil || reference.oid == link.group)
                && definition.itemGroups[reference.oid]?.items.contains(oid: oid) == true
        }
        if holding.count != 1 {
            error(
                .misplacedOID, path,
                holding.isEmpty
                    ? "the form has no item \(shownOID(oid.text)) there"
                    : "the form has the item \(shownOID(oid.text)) in several groups",
                "name the group in which the form has the item")
        }
        if link.codeSystem != nil && item.codeList == nil {
            error(
                .contradiction, path, "the item \(shownOID(oid.text)) has no code list", "remove codeSystem")
        }
    }

    /// Checks that every item can be reached once, and may leave the node: the whole response is kept in the location's stream.
    private mutating func checkLinks(
        _ questionnaire: QuestionnairePlan, _ form: FormDefinition, _ path: [ImportPathStep]
    ) {
        struct Place: Hashable {
            let group: ItemGroupOID
            let item: ItemOID
        }
        var linked: [Place: String] = [:]
        for (linkID, link) in questionnaire.links(in: definition).sorted(by: { $0.key < $1.key }) {
            guard case .item(let oid, let group, _) = link else { continue }
            if let other = linked.updateValue(linkID, forKey: Place(group: group, item: oid)) {
                error(
                    .duplicateKey, path,
                    "the linkIds \(shownOID(other)) and \(shownOID(linkID)) are both item \(shownOID(oid.text))",
                    "let each item have one linkId")
            }
            if let itemClass = definition.items[oid]?.itemClass, itemClass != .open {
                error(
                    .contradiction, path,
                    "the item \(shownOID(oid.text)) is \(itemClass.text): its answer would lie open in the response",
                    "ask for it outside the questionnaire")
            }
        }
    }
}
