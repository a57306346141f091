import EventLog
public import Trial

/// Checks that a plan, a study's definition and a division of its locations speak of the same trial.
public enum TrialPlanCheck {
    /// Checks a plan against what else is known of the trial.
    ///
    /// Errors: another study's OID; rules that name visits, items or codes the study does not define; locations that the
    /// division does not have; visits that cannot be scheduled so; questionnaires that do not fit their form. Warnings:
    /// locations that no study site has; a target that is not the sum of the sites'; a visit due on another day than the
    /// study says; a questionnaire's form that is not whole.
    /// - Parameters:
    ///   - fileName: what the report calls the plan's file.
    ///   - division: nil where there is none to check against.
    public static func check(
        _ plan: TrialPlan, fileName: String, definition: StudyDefinition, division: SiteDivision?
    ) -> ImportReport {
        var problems = ProblemCollector(file: fileName)
        if plan.studyOID != definition.studyOID {
            problems.add(
                .error, .unknownOID, at: nil, [ImportPathStep("study", plan.studyOID.text)],
                "the plan is for another study than \(shownOID(definition.studyOID.text))", "correct the OID")
        }
        for rule in plan.statusRules { check(rule, definition, &problems) }
        var schedule = ScheduleCheck(plan, definition, problems)
        schedule.run()
        problems = schedule.problems
        if let division { check(plan, division, &problems) }
        let targets = plan.studySites.compactMap(\.target)
        let sum = targets.reduce(0, +)
        if let recruitment = plan.recruitment, targets.count == plan.studySites.count, sum != recruitment.target {
            problems.add(
                .warning, .contradiction, at: nil, [ImportPathStep("recruitment")],
                "the target is \(recruitment.target), the study sites' targets sum to \(sum)", "correct one of them")
        }
        return problems.report
    }

    private static func check(_ rule: StatusRule, _ definition: StudyDefinition, _ problems: inout ProblemCollector) {
        let path = [ImportPathStep("status"), ImportPathStep(rule.status.rawValue)]
        func unknown(_ element: String, _ oid: String) {
            problems.add(
                .error, .unknownOID, at: nil, path, "the study defines no \(element) \(shownOID(oid))",
                "correct the OID")
        }
        if let item = rule.dateItem {
            if let defined = definition.items[item] {
                if !defined.dataType.isDateOrTime {
                    problems.add(
                        .error, .wrongType, at: nil, path, "the item \(shownOID(item.text)) is no date",
                        "name an item of a date type")
                }
            } else {
                unknown("ItemDef", item.text)
            }
        }
        switch rule.condition {
        case .event(let event):
            if !definition.events.contains(oid: event) { unknown("StudyEventDef", event.text) }
        case .item(let oid, let value):
            guard let item = definition.items[oid] else { return unknown("ItemDef", oid.text) }
            if item.itemClass == .identifying {
                problems.add(
                    .error, .contradiction, at: nil, path, "the item \(shownOID(oid.text)) is identifying",
                    "let a status follow from an item that may leave the node")
            }
            if let problem = ValueNormaliser.judge(value, for: item, in: definition).errors.first {
                problems.add(
                    .error, problem.importKind, at: nil, path,
                    "the value under equals is none of item \(shownOID(oid.text)): \(problem.reason)", problem.advice)
            }
        }
    }

    private static func check(_ plan: TrialPlan, _ division: SiteDivision, _ problems: inout ProblemCollector) {
        for site in plan.studySites {
            for location in site.locations where division[location] == nil {
                problems.add(
                    .error, .unknownOID, at: nil, [ImportPathStep("studySites", "\(site.id)")],
                    "no node hosts location \(location)", "add it to the division, or remove it from the plan")
            }
        }
        for row in division.rows where plan.studySite(of: row.location) == nil {
            problems.add(
                .warning, .contradiction, at: nil, [ImportPathStep("studySites")],
                "location \(row.location) belongs to no study site", "add it to one, or remove it from the division")
        }
    }
}
