public import Trial

/// A response as items of its form.
public struct MappedResponse: Hashable, Sendable {
    /// The plan's entry for the questionnaire.
    public let questionnaire: QuestionnairePlan
    /// The form's answered items by group, one for each row of a repeating group, in the order answered; empty for a response
    /// entered in error.
    public let groups: [EnteredGroup]
    /// The day the response is about, by which its event is found (``QuestionnaireSchedule/event(for:day:participant:plan:definition:)``).
    public let day: CalendarDate
    /// What is asked about and was taken in all the same: mandatory items without an answer, failed soft checks.
    public let warnings: [OperationOutcomeIssue]
}

/// Turns a response's answers into items of the form that the plan names (Protocols/fhir.md, "Mapping").
public enum QuestionnaireMapping {
    /// Maps a response.
    ///
    /// What `enableWhen` asks for is judged by the client and not here. Of a response entered in error only questionnaire and
    /// subject are looked at: whatever is wrong with its answers, it can be taken back.
    /// - Throws: ``FHIRRefusal`` with every issue found: an unknown questionnaire or `linkId`, an answer that is not of its
    ///   item's type, code list, unit or hard range check, an item answered twice.
    public static func map(
        _ submission: QuestionnaireResponseSubmission, plan: TrialPlan, definition: StudyDefinition
    ) throws(FHIRRefusal) -> MappedResponse {
        var issues = IssueCollector()
        if let wanted = plan.subjectIdentifierSystem, let system = submission.subject.system, system != wanted {
            issues.error(
                .value, "the study names participants in another identifier system",
                advice: "send pseudonyms of \(shownOID(wanted))",
                at: "QuestionnaireResponse.subject.identifier.system")
        }
        let questionnaire = plan.questionnaire(named: submission.questionnaire)
        if questionnaire == nil {
            issues.error(
                .notFound, "the study has no questionnaire \(shownOID("\(submission.questionnaire)"))",
                advice: "send one of: "
                    + plan.questionnaires.map { shownOID("\($0.canonical)") }.joined(separator: ", "),
                at: "QuestionnaireResponse.questionnaire")
        }
        guard let questionnaire, !issues.hasErrors else { throw FHIRRefusal(issues: issues.all) }
        guard submission.status != .enteredInError else {
            return MappedResponse(
                questionnaire: questionnaire, groups: [], day: submission.authoredDay, warnings: [])
        }
        var mapper = AnswerMapper(questionnaire, definition, issues)
        mapper.map(submission.items)
        mapper.warnOfMissingItems()
        guard !mapper.issues.hasErrors else { throw FHIRRefusal(issues: mapper.issues.all) }
        let groups = mapper.enteredGroups
        return MappedResponse(
            questionnaire: questionnaire, groups: groups,
            day: QuestionnaireSchedule.day(
                of: questionnaire, answers: groups, authored: submission.authoredDay, plan: plan),
            warnings: mapper.issues.all)
    }
}

/// Walks down a response and gathers what it answers.
///
/// Invariants:
/// - `rows` holds each once-only group at most once, and a repeating one once for each row, in the order met;
/// - a row holds an item at most once.
struct AnswerMapper {
    /// A group, or a row of it, with its answers.
    private struct Row {
        let group: ItemGroupOID
        var items: [EnteredItem] = []
        /// Where it was met first.
        let expression: String
    }

    /// The rows that a place of the response lies in, by group.
    private typealias Surroundings = [ItemGroupOID: Int]

    private let definition: StudyDefinition
    private let form: FormDefinition?
    private let links: [String: QuestionnaireLink]
    private var rows: [Row] = []
    private(set) var issues: IssueCollector

    init(_ questionnaire: QuestionnairePlan, _ definition: StudyDefinition, _ issues: IssueCollector) {
        self.definition = definition
        self.issues = issues
        form = definition.forms[questionnaire.form]
        links = questionnaire.links(in: definition)
    }

    /// The rows that hold any item.
    var enteredGroups: [EnteredGroup] {
        rows.filter { !$0.items.isEmpty }.map { row in
            let repeats = definition.itemGroups[row.group]?.isRepeating == true
            return EnteredGroup(
                group: InstanceSelector(oid: row.group.text, choice: repeats ? .new(repeatKey: nil) : .once),
                items: row.items)
        }
    }

    /// Maps the outermost items of a response.
    mutating func map(_ items: [SubmittedItem]) {
        for item in items { map(item, within: [:]) }
    }

    private mutating func map(_ item: SubmittedItem, within surroundings: Surroundings) {
        guard let link = links[item.linkID] else {
            issues.error(
                .notFound, "the questionnaire has no linkId \(shownOID(item.linkID))",
                advice: "send the linkIds of the version that the study has", at: "\(item.expression).linkId")
            return
        }
        var inner = surroundings
        switch link {
        case .heading, .group:
            for answer in item.answers where answer.value != nil {
                issues.error(
                    .structure, "the linkId \(shownOID(item.linkID)) is no question and has an answer",
                    advice: "send answers under questions", at: answer.expression)
            }
            if case .group(let group) = link { inner[group] = row(of: group, at: item.expression) }
            for answer in item.answers { for nested in answer.items { map(nested, within: inner) } }
        case .item(let oid, let group, let codeSystem):
            for answer in item.answers {
                var below = inner
                if let value = answer.value {
                    let place = inner[group] ?? row(of: group, at: answer.expression)
                    below[group] = place
                    take(value, for: oid, codeSystem: codeSystem, in: place, at: answer.expression)
                }
                for nested in answer.items { map(nested, within: below) }
            }
        }
        for nested in item.items { map(nested, within: inner) }
    }

    /// A new row of a repeating group; of a group that is once only always the one.
    private mutating func row(of group: ItemGroupOID, at expression: String) -> Int {
        if definition.itemGroups[group]?.isRepeating != true, let place = rows.firstIndex(where: { $0.group == group })
        {
            return place
        }
        rows.append(Row(group: group, expression: expression))
        return rows.count - 1
    }

    private mutating func take(
        _ value: SubmittedValue, for oid: ItemOID, codeSystem: String?, in place: Int, at expression: String
    ) {
        guard let item = definition.items[oid] else { return }
        guard !rows[place].items.contains(where: { $0.item == oid }) else {
            issues.error(
                .businessRule, "the item \(shownOID(oid.text)) takes one answer and is answered again",
                advice: "send one answer, or let the item stand in a repeating group", at: expression)
            return
        }
        let path = "\(expression).value"
        do throws(AnswerProblem) {
            let typed = try AnswerText(value, for: item, codeSystem: codeSystem, in: definition)
            let judgement = ValueNormaliser.judge(typed.text, for: item, in: definition, unit: typed.unit)
            for problem in judgement.errors {
                var code = OperationOutcomeCode.value
                if case .notInCodeList = problem { code = .codeInvalid }
                issues.error(code, "item \(shownOID(oid.text)): \(problem.reason)", advice: problem.advice, at: path)
            }
            for problem in judgement.warnings {
                issues.add(
                    .warning, .businessRule, "item \(shownOID(oid.text)): \(problem.reason)", advice: problem.advice,
                    at: path)
            }
            rows[place].items.append(
                EnteredItem(item: oid, value: .datum(typed.text, unit: typed.unit?.text)))
        } catch {
            issues.error(
                error.code, "item \(shownOID(oid.text)): \(error.reason)", advice: error.advice, at: path)
        }
    }

    /// Warns of mandatory items without an answer: in groups that are mandatory, and in rows that were begun. Items that a
    /// condition may leave out are not asked for.
    mutating func warnOfMissingItems() {
        let linkIDs = links.sorted { $0.key < $1.key }
        for reference in form?.itemGroups ?? OIDTable() {
            guard let group = definition.itemGroups[reference.oid] else { continue }
            let begun = rows.filter { $0.group == group.oid }
            let isAsked =
                reference.isMandatory && reference.collectionExceptionCondition == nil && begun.isEmpty
            for item in group.items where item.isMandatory && item.collectionExceptionCondition == nil {
                let linkID = linkIDs.first { _, link in
                    if case .item(item.oid, group.oid, _) = link { true } else { false }
                }?.key
                guard let linkID else { continue }
                for row in begun where !row.items.contains(where: { $0.item == item.oid }) {
                    warn(linkID, item.oid, at: row.expression)
                }
                if isAsked { warn(linkID, item.oid, at: "QuestionnaireResponse.item") }
            }
        }
    }

    private mutating func warn(_ linkID: String, _ item: ItemOID, at expression: String) {
        issues.add(
            .warning, .required, "linkId \(shownOID(linkID)): the mandatory item \(shownOID(item.text)) has no answer",
            at: expression)
    }
}
